//! What is known of how a message came in, and what is said of a recipient: which of two records counts, whatever their turn.

use super::lives::Line;
use super::remap::Map;
use crate::domain::outcome::Outcome;
use crate::domain::place::Place;
use crate::domain::rows::Protocol;
use crate::domain::text::Text;
use crate::domain::time::{SECOND, Timestamp};
use crate::formats::event::{Acceptance, TrailFate, TrailKind};

/// How a message came in, joined from all records that say so.
#[derive(Clone, Debug)]
pub(super) struct Accepted {
    pub(super) kind: TrailKind,
    /// The record of that kind that came first.
    pub(super) line: Line,
    pub(super) return_path: Option<Text>,
    pub(super) account: Option<Text>,
    pub(super) mailbox: Option<Text>,
    pub(super) mailbox_owner: Option<Text>,
    pub(super) address: Option<Text>,
    pub(super) address_is_proxy: bool,
    pub(super) client: Option<Text>,
    pub(super) session: Option<(Text, Text)>,
    pub(super) protocol: Option<Protocol>,
    pub(super) size: Option<u64>,
    pub(super) recipients: Option<u32>,
}

impl Accepted {
    fn rank(&self) -> (TrailKind, Timestamp, Place) {
        (self.kind, self.line.at, self.line.place)
    }

    /// Whether joining what another record says would change nothing.
    pub(super) fn says_all_of(&self, line: Line, told: &Acceptance<'_>) -> bool {
        let address = self.address.is_some() && (!self.address_is_proxy || told.address_is_proxy) || told.address.is_none();
        self.rank() <= (told.kind, line.at, line.place)
            && address
            && self.return_path.is_some() >= told.return_path.is_some()
            && self.account.is_some() >= told.account.is_some()
            && self.mailbox.is_some() >= told.mailbox.is_some()
            && self.mailbox_owner.is_some() >= told.mailbox_owner.is_some()
            && self.client.is_some() >= told.client.is_some()
            && self.session.is_some() >= told.session.is_some()
            && says_how(self.protocol) >= says_how(told.protocol)
            && self.size.is_some() >= told.size.is_some()
            && self.recipients.is_some() >= told.recipients.is_some()
    }

    /// The better witness leads: the kind that says most, then the earlier record; the other one fills in what it leaves open.
    pub(super) fn join(self, other: Accepted) -> Accepted {
        let (best, rest) = if self.rank() <= other.rank() { (self, other) } else { (other, self) };
        let true_address = |a: &Accepted| a.address.filter(|_| !a.address_is_proxy);
        let address = true_address(&best).or(true_address(&rest)).or(best.address).or(rest.address);
        Accepted {
            address,
            address_is_proxy: address.is_some() && address != true_address(&best) && address != true_address(&rest),
            return_path: best.return_path.or(rest.return_path),
            account: best.account.or(rest.account),
            mailbox: best.mailbox.or(rest.mailbox),
            mailbox_owner: best.mailbox_owner.or(rest.mailbox_owner),
            client: best.client.or(rest.client),
            session: best.session.or(rest.session),
            protocol: if says_how(rest.protocol) > says_how(best.protocol) { rest.protocol } else { best.protocol },
            size: best.size.or(rest.size),
            recipients: best.recipients.or(rest.recipients),
            ..best
        }
    }

    pub(super) fn remap(&mut self, map: &Map) {
        map.put(&mut self.line.host);
        let texts =
            [&mut self.return_path, &mut self.account, &mut self.mailbox, &mut self.mailbox_owner, &mut self.address, &mut self.client];
        texts.into_iter().flatten().for_each(|text| map.put(text));
        if let Some((host, session)) = &mut self.session {
            map.put(host);
            map.put(session);
        }
    }
}

/// How much a record says of how a message was handed in: nothing, that it cannot tell, or how.
fn says_how(protocol: Option<Protocol>) -> u8 {
    match protocol {
        None => 0,
        Some(Protocol::Other) => 1,
        Some(_) => 2,
    }
}

/// What one record says of a recipient.
#[derive(Clone, Copy, Debug)]
pub(super) struct Word {
    pub(super) fate: TrailFate,
    pub(super) peer: Text,
    pub(super) text: Text,
    pub(super) line: Line,
    pub(super) by_trace: bool,
}

/// What decides which word counts.
#[derive(Clone, Copy, Debug)]
pub(super) struct Said {
    pub(super) fate: TrailFate,
    pub(super) line: Line,
    /// A tenant's trace says it.
    pub(super) by_trace: bool,
}

/// A tenant's trace cuts its times to the second, and gives that at which it took the message from a server of ours, who logs the same
/// moment once it is over.
const TRACE_IS_EARLY: i64 = 2 * SECOND;

impl Said {
    pub(super) fn with(self, peer: Text, text: Text) -> Word {
        Word { fate: self.fate, peer, text, line: self.line, by_trace: self.by_trace }
    }

    /// How final it is: an end, then a step on the way, then a mere mention.
    fn weight(&self) -> u8 {
        match self.fate {
            TrailFate::Delivered | TrailFate::HandedOver { outside: Some(true) } | TrailFate::Ended { .. } => 2,
            TrailFate::HandedOver { .. } | TrailFate::Waiting { .. } => 1,
            TrailFate::Named => 0,
        }
    }

    /// Whether it is an end.
    pub(super) fn is_final(&self) -> bool {
        self.weight() == 2
    }

    /// Among words equally final and of the same instant: a delivery, then a hand-over, then what a filter did, then the rest.
    fn kind(&self) -> u8 {
        match self.fate {
            TrailFate::Delivered => 3,
            TrailFate::HandedOver { .. } => 2,
            TrailFate::Ended { outcome: Outcome::Blocked, .. } => 1,
            TrailFate::Ended { .. } | TrailFate::Waiting { .. } | TrailFate::Named => 0,
        }
    }

    pub(super) fn outweighs(&self, known: Said) -> bool {
        let at = |w: &Said| if w.by_trace { w.line.at.plus(TRACE_IS_EARLY) } else { w.line.at };
        let rank = |w: &Said| (w.weight(), if w.weight() == 0 { Timestamp(0) } else { at(w) }, w.kind());
        rank(self) > rank(&known) || rank(self) == rank(&known) && self.line.place < known.line.place
    }
}

impl Word {
    pub(super) fn said(&self) -> Said {
        Said { fate: self.fate, line: self.line, by_trace: self.by_trace }
    }

    pub(super) fn remap(&mut self, map: &Map) {
        map.put(&mut self.peer);
        map.put(&mut self.text);
        map.put(&mut self.line.host);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::outcome::Reason;
    use crate::domain::place::SourceId;

    fn said(fate: TrailFate, source: u32) -> Said {
        Said {
            fate,
            by_trace: false,
            line: Line { host: Text::FIRST, at: Timestamp(0), place: Place { source: SourceId(source), line: 1 } },
        }
    }

    #[test]
    fn of_two_words_of_one_instant_the_same_counts_whichever_file_has_it() {
        let ended = |outcome| TrailFate::Ended { outcome, by: None, reason: Reason::Other };
        let order = [TrailFate::Delivered, TrailFate::HandedOver { outside: Some(true) }, ended(Outcome::Blocked), ended(Outcome::Bounced)];
        for pair in order.windows(2) {
            for (first, second) in [(0, 1), (1, 0)] {
                assert!(said(pair[0], first).outweighs(said(pair[1], second)), "{pair:?}");
                assert!(!said(pair[1], second).outweighs(said(pair[0], first)), "{pair:?}");
            }
        }
    }
}
