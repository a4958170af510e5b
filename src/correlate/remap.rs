//! From the text numbers of one shard to those of the whole.

use super::lives::{Decision, Lives, Opener};
use super::sessions::{Peer, Refusal, Sessions, TransactionFact};
use crate::domain::text::{Text, TextPool};

/// The numbers of a shard's texts in the common pool.
pub(super) struct Map(Vec<Text>);

impl Map {
    /// Adds a shard's texts to the common pool.
    pub(super) fn new(common: &mut TextPool, shard: &TextPool) -> Map {
        Map(shard.iter().map(|text| common.intern(text)).collect())
    }

    pub(super) fn put(&self, text: &mut Text) {
        if let Some(common) = self.0.get(text.index()) {
            *text = *common;
        }
    }

    fn put_option(&self, text: &mut Option<Text>) {
        if let Some(text) = text {
            self.put(text);
        }
    }

    fn peer(&self, peer: &mut Peer) {
        self.put(&mut peer.address);
        self.put(&mut peer.name);
    }

    fn decision(&self, decision: &mut Decision) {
        self.put(&mut decision.reply);
        self.put_option(&mut decision.recipient);
    }

    fn refusal(&self, refusal: &mut Refusal) {
        self.put_option(&mut refusal.recipient);
        self.put_option(&mut refusal.sender);
        self.put(&mut refusal.reply);
    }

    /// Renumbers the texts of a shard's lives.
    pub(super) fn lives(&self, lives: &mut Lives) {
        for life in &mut lives.lives {
            self.put(&mut life.host);
            self.put(&mut life.id);
            self.put_option(&mut life.sender);
            self.put_option(&mut life.message_id);
            match &mut life.opener {
                Opener::Unseen | Opener::Internal => {}
                Opener::Client { address, name, user, orig_queue_id, .. } => {
                    self.put(address);
                    self.put(name);
                    self.put_option(user);
                    self.put_option(orig_queue_id);
                }
                Opener::Pickup { orig_id } => self.put_option(orig_id),
            }
        }
        for attempted in &mut lives.attempted {
            self.put(&mut attempted.address);
            self.put_option(&mut attempted.orig);
            self.put(&mut attempted.relay);
            self.put(&mut attempted.reply);
            self.put_option(&mut attempted.next_id);
        }
        lives.decisions.values_mut().flatten().for_each(|d| self.decision(d));
        for verdict in lives.verdicts.values_mut().flatten() {
            self.put(&mut verdict.recipient);
            self.put_option(&mut verdict.queued_as);
            self.put(&mut verdict.reply);
        }
        for notice in &mut lives.notices {
            self.put(&mut notice.id);
        }
    }

    /// Renumbers the texts of a shard's sessions.
    pub(super) fn sessions(&self, sessions: &mut Sessions) {
        for login in &mut sessions.logins {
            self.put(&mut login.line.host);
            self.peer(&mut login.peer);
            self.put_option(&mut login.user);
            self.put_option(&mut login.mechanism);
            self.put_option(&mut login.helo);
            self.put_option(&mut login.sender);
        }
        for failure in &mut sessions.failures {
            self.put(&mut failure.line.host);
            self.peer(&mut failure.peer);
            self.put_option(&mut failure.user);
            self.put(&mut failure.mechanism);
        }
        for refused in &mut sessions.refused {
            self.put(&mut refused.line.host);
            self.peer(&mut refused.peer);
            self.put_option(&mut refused.user);
            self.put_option(&mut refused.sender);
            refused.refusals.iter_mut().for_each(|r| self.refusal(r));
        }
        for note in &mut sessions.notes {
            self.put(&mut note.host);
            self.put(&mut note.queue_id);
            match &mut note.what {
                TransactionFact::RecipientRefused(refusal) => self.refusal(refusal),
                TransactionFact::Decided(decision) => self.decision(decision),
                TransactionFact::BrokenOff => {}
            }
        }
        for count in &mut sessions.counts {
            self.put(&mut count.host);
            count.transactions.iter_mut().for_each(|(queue_id, _)| self.put(queue_id));
        }
    }
}
