//! From the text numbers of one shard to those of the whole.

use super::life::{Decision, Life, Opener};
use super::sessions::{Peer, Refusal, Sessions, TransactionFact};
use crate::domain::text::{Text, TextPool};

/// The numbers of a shard's texts in the common pool.
pub(super) struct Map(Vec<Text>);

impl Map {
    /// Adds a shard's texts to the common pool.
    pub(super) fn new(common: &mut TextPool, shard: TextPool) -> Map {
        Map(common.absorb(shard))
    }

    /// Whether every text keeps its number.
    pub(super) fn changes_nothing(&self) -> bool {
        self.0.iter().enumerate().all(|(number, text)| text.index() == number)
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

    /// Renumbers the texts of a life.
    pub(super) fn life(&self, life: &mut Life) {
        self.put(&mut life.host);
        self.put_option(&mut life.long_id);
        self.put_option(&mut life.sender);
        if let Opener::Client { address, name, user, .. } = &mut life.opener {
            self.put(address);
            self.put(name);
            self.put_option(user);
        }
        for attempted in &mut life.recipients {
            self.put(&mut attempted.relay);
            self.put(&mut attempted.reply);
        }
        life.decisions.iter_mut().for_each(|d| self.decision(d));
        for verdict in &mut life.verdicts {
            self.put(&mut verdict.recipient);
            self.put(&mut verdict.reply);
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
            self.put_option(&mut failure.helo);
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
            match &mut note.what {
                TransactionFact::RecipientRefused(refusal) => self.refusal(refusal),
                TransactionFact::Decided(decision) => self.decision(decision),
                TransactionFact::BrokenOff => {}
                TransactionFact::CameFrom(peer, user) => {
                    self.peer(peer);
                    self.put_option(user);
                }
            }
        }
        for count in &mut sessions.counts {
            self.put(&mut count.host);
        }
        sessions.unended.iter_mut().for_each(|transaction| self.put(&mut transaction.host));
        sessions.counting = std::mem::take(&mut sessions.counting)
            .into_iter()
            .map(|mut host| {
                self.put(&mut host);
                host
            })
            .collect();
    }
}
