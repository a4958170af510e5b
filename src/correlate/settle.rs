//! From linked lives to messages: each recipient gets its one outcome.

use super::links::{Links, NONE};
use super::lives::{Attempted, Decision, End, FilterVerdict, Life, Lives, Opener, QUEUE_LIFETIME};
use super::own::{Own, split_relay};
use super::sessions::Refusal;
use crate::domain::outcome::{By, Outcome, Reason};
use crate::domain::place::Place;
use crate::domain::text::{Text, TextPool};
use crate::domain::time::{MINUTE, Timestamp};
use crate::formats::event::{Action, Program, Status};
use crate::formats::postfix::reply::{self, Accepted, Class};
use hashbrown::HashMap;

/// Hops beyond which something goes in circles.
const HOPS_MAX: u32 = 12;

/// A queue file with no end this close to the end of its host's log is still on its way.
const STILL_MOVING: i64 = 10 * MINUTE;

/// One recipient's end.
#[derive(Clone, Debug)]
pub(super) struct Fate {
    pub(super) address: Text,
    pub(super) orig: Option<Text>,
    pub(super) outcome: Outcome,
    pub(super) by: Option<By>,
    pub(super) reason: Option<Reason>,
    pub(super) reply: Text,
    pub(super) relay: Text,
    pub(super) at: Option<Timestamp>,
    pub(super) attempts: u32,
    pub(super) place: Place,
}

/// What the SMTP session said of a life's transaction.
#[derive(Clone, Debug, Default)]
pub(super) struct SessionWord {
    pub(super) refusals: Vec<Refusal>,
    pub(super) broken_off: bool,
    pub(super) accepted: Option<u32>,
}

/// Everything needed to settle a life.
pub(super) struct Settler<'a> {
    pub(super) all: &'a Lives,
    pub(super) links: &'a Links,
    pub(super) texts: &'a TextPool,
    pub(super) own: &'a mut Own,
    pub(super) words: &'a HashMap<u32, SessionWord>,
    /// The last instant of each host's log.
    pub(super) host_ends: &'a HashMap<Text, Timestamp>,
    /// The empty text.
    pub(super) empty: Text,
    pub(super) classes: HashMap<Text, Class>,
    /// For each life, the message it is part of.
    pub(super) message_of: Vec<u32>,
}

impl Settler<'_> {
    /// Settles the message that begins with this life.
    pub(super) fn message(&mut self, root: u32, number: u32) -> Vec<Fate> {
        let mut fates = self.life(root, number, 0);
        if let Some(word) = self.words.get(&root) {
            for refusal in &word.refusals {
                fates.push(self.refused(refusal));
            }
        }
        one_per_address(&mut fates, self.empty);
        fates
    }

    /// The end of a recipient refused by the SMTP server.
    pub(super) fn refused(&mut self, refusal: &Refusal) -> Fate {
        let class = self.class(refusal.reply);
        Fate {
            address: refusal.recipient.unwrap_or(self.empty),
            orig: None,
            outcome: if class.security { Outcome::Blocked } else { Outcome::Bounced },
            by: Some(By::Own),
            reason: Some(class.reason),
            reply: refusal.reply,
            relay: self.empty,
            at: Some(refusal.at),
            attempts: 1,
            place: refusal.place,
        }
    }

    fn class(&mut self, reply: Text) -> Class {
        let texts = self.texts;
        *self.classes.entry(reply).or_insert_with(|| reply::classify(texts.bytes(reply)))
    }

    fn life(&mut self, number: u32, message: u32, depth: u32) -> Vec<Fate> {
        let (all, links) = (self.all, self.links);
        let Some(life) = all.lives.get(number as usize) else { return Vec::new() };
        if depth > HOPS_MAX || self.message_of[number as usize] != NONE {
            return Vec::new();
        }
        self.message_of[number as usize] = message;
        if life.recipients == 0 {
            if let Some(verdicts) = all.verdicts.get(&number).filter(|_| life.announced.is_none()) {
                return verdicts.iter().flat_map(|v| self.verdict(v, message, depth)).collect();
            }
            if let Some(decision) = final_decision(all, number) {
                return self.decided(number, life, decision);
            }
        }
        let mut fates = Vec::with_capacity(life.recipients as usize);
        let mut onward: Vec<(u32, Vec<u32>)> = Vec::new();
        for at in all.recipient_numbers(number) {
            match links.onward[at as usize] {
                NONE => fates.push(self.attempted(life, &all.attempted[at as usize])),
                child => match onward.iter_mut().find(|(known, _)| *known == child) {
                    Some((_, parents)) => parents.push(at),
                    None => onward.push((child, vec![at])),
                },
            }
        }
        for (child, parents) in onward {
            let ends = self.life(child, message, depth + 1);
            self.hand_over(&parents, ends, &mut fates);
        }
        if let Some(&continued) = links.continued.get(&number) {
            let settled: Vec<Fate> = self.life(continued, message, depth + 1);
            fates.retain(|f| !matches!(f.outcome, Outcome::Deferred | Outcome::Unknown | Outcome::Discarded) || settled.is_empty());
            fates.extend(settled);
        } else {
            let parts = links.parts.get(&number).map(Vec::as_slice).unwrap_or_default();
            let told: Vec<Fate> = parts.iter().flat_map(|&part| self.life(part, message, depth + 1)).collect();
            self.missing(number, life, told.len() as u32, &mut fates);
            fates.extend(told);
        }
        fates
    }

    /// Gives each recipient that went on to another life the end it found there.
    fn hand_over(&mut self, parents: &[u32], ends: Vec<Fate>, fates: &mut Vec<Fate>) {
        let mut used = vec![false; ends.len()];
        let mut unmatched = Vec::new();
        for &at in parents {
            let from = &self.all.attempted[at as usize];
            let before = fates.len();
            for (end, used) in ends.iter().zip(&mut used) {
                if end.address == from.address || end.orig == Some(from.address) {
                    fates.push(end.clone());
                    *used = true;
                }
            }
            if fates.len() == before {
                unmatched.push(from);
            }
        }
        if unmatched.is_empty() {
            return;
        }
        // The next hop rewrote the addresses: its other recipients are what these became.
        let mut rewritten: Vec<Fate> = ends.into_iter().zip(used).filter(|(_, used)| !used).map(|(end, _)| end).collect();
        if rewritten.is_empty() {
            rewritten.extend(unmatched.into_iter().map(|from| self.fate(from, Outcome::Unknown, None, Some(Reason::Other))));
        }
        fates.append(&mut rewritten);
    }

    fn fate(&self, attempted: &Attempted, outcome: Outcome, by: Option<By>, reason: Option<Reason>) -> Fate {
        Fate {
            address: attempted.address,
            orig: attempted.orig,
            outcome,
            by,
            reason,
            reply: attempted.reply,
            relay: attempted.relay,
            at: Some(attempted.at),
            attempts: attempted.attempts,
            place: attempted.place,
        }
    }

    /// The end of a recipient by the last word of its own queue file.
    fn attempted(&mut self, life: &Life, attempted: &Attempted) -> Fate {
        match attempted.status {
            Status::Sent => {
                let outcome = self.sent(life, attempted);
                let (by, reason) = match outcome {
                    Outcome::Delivered => (None, None),
                    Outcome::Discarded => (Some(By::Own), Some(Reason::Policy)),
                    Outcome::Blocked => (Some(By::Own), Some(Reason::Content)),
                    _ => (None, Some(Reason::Other)),
                };
                self.fate(attempted, outcome, by, reason)
            }
            Status::Bounced => {
                let class = self.class(attempted.reply);
                let own = !self.texts.bytes(attempted.relay).contains(&b'[') || self.own.is_own_relay(self.texts, attempted.relay);
                let by = if own { By::Own } else { By::Remote };
                let outcome = if class.security { Outcome::Blocked } else { Outcome::Bounced };
                self.fate(attempted, outcome, Some(by), Some(class.reason))
            }
            Status::Deferred | Status::SoftBounce => {
                let class = self.class(attempted.reply);
                let outcome = self.waiting(life);
                self.fate(attempted, outcome, None, Some(class.reason))
            }
            Status::Probe | Status::Other => self.fate(attempted, Outcome::Unknown, None, Some(Reason::Other)),
        }
    }

    /// What `status=sent` means: a mailbox, a host outside, a host of ours, or the bin.
    fn sent(&mut self, life: &Life, attempted: &Attempted) -> Outcome {
        // The reply to a successful delivery is kept only if it says that the mail goes no further.
        match reply::accepted(attempted.program, self.texts.bytes(attempted.reply)) {
            Accepted::Discarded => return Outcome::Discarded,
            Accepted::Returned => return Outcome::Blocked,
            Accepted::Passed => {}
        }
        let relay = self.texts.bytes(attempted.relay);
        let (name, address) = split_relay(relay);
        let into_mailbox = match attempted.program {
            Program::Virtual | Program::Pipe | Program::Local => true,
            Program::Lmtp => attempted.next_id.is_none(),
            Program::Agent => address.contains(&b'/') || !relay.contains(&b'['),
            _ => false,
        };
        if into_mailbox {
            let forwarded_away = attempted.program == Program::Local && attempted.next_id.is_some();
            return if forwarded_away { Outcome::Unknown } else { Outcome::Delivered };
        }
        if !self.own.is_own_relay(self.texts, attempted.relay) {
            return Outcome::Delivered;
        }
        // The next queue file should stand in a log we have, unless that log ends here.
        let here = name == address || name.eq_ignore_ascii_case(b"localhost");
        let ends = self.host_ends.get(&life.host).copied();
        let near_end = ends.is_none_or(|end| end.since(attempted.at) <= STILL_MOVING);
        if here && attempted.next_id.is_some() && !near_end { Outcome::Unknown } else { Outcome::Relayed }
    }

    /// What became of a recipient whose last word was a delay.
    fn waiting(&self, life: &Life) -> Outcome {
        match life.end {
            End::Expired => Outcome::Expired,
            End::Deleted => Outcome::Discarded,
            End::Removed | End::Cancelled | End::Requeued => Outcome::Unknown,
            End::Open if life.held => Outcome::Held,
            End::Open => {
                let silent = self.host_ends.get(&life.host).map_or(0, |end| end.since(life.last));
                if silent > QUEUE_LIFETIME { Outcome::Unknown } else { Outcome::Deferred }
            }
        }
    }

    /// Recipients the queue manager announced and no line names.
    fn missing(&self, number: u32, life: &Life, elsewhere: u32, fates: &mut Vec<Fate>) {
        let seen = life.recipients + life.copies + elsewhere;
        if life.recipients > 0 && self.all.decisions.get(&number).is_some_and(|d| d.iter().any(|d| d.action == Action::Redirect)) {
            return;
        }
        let announced = life.announced.or_else(|| self.words.get(&number)?.accepted).unwrap_or(0);
        let expected = if life.recipients == 0 { announced.max(1) } else { life.announced.unwrap_or(0) };
        let missing = expected.saturating_sub(seen);
        if missing == 0 {
            return;
        }
        let outcome = match life.end {
            End::Removed | End::Requeued | End::Cancelled => Outcome::Unknown,
            End::Open if life.announced.is_none() && !life.held => Outcome::Unknown,
            _ => self.waiting(life),
        };
        let (by, reason) = match outcome {
            Outcome::Held | Outcome::Discarded => (Some(By::Own), Reason::Policy),
            _ => (None, Reason::Other),
        };
        let nameless = Fate {
            address: self.empty,
            orig: None,
            outcome,
            by,
            reason: Some(reason),
            reply: self.empty,
            relay: self.empty,
            at: None,
            attempts: 0,
            place: life.place,
        };
        fates.extend(std::iter::repeat_n(nameless, missing as usize));
    }

    /// A rule, header check or milter refused or dropped the whole message.
    fn decided(&mut self, number: u32, life: &Life, decision: Decision) -> Vec<Fate> {
        let class = self.class(decision.reply);
        let outcome = match decision.action {
            Action::Discard => Outcome::Discarded,
            Action::Reject | Action::TempReject if class.security => Outcome::Blocked,
            Action::Reject | Action::TempReject => Outcome::Bounced,
            Action::Hold | Action::Redirect => Outcome::Unknown,
        };
        let accepted = self.words.get(&number).and_then(|w| w.accepted).or(life.announced).unwrap_or(1).max(1);
        let fate = |address: Text| Fate {
            address,
            orig: None,
            outcome,
            by: Some(By::Own),
            reason: Some(if decision.action == Action::Discard { Reason::Policy } else { class.reason }),
            reply: decision.reply,
            relay: self.empty,
            at: Some(decision.at),
            attempts: 1,
            place: decision.place,
        };
        let mut fates = vec![fate(decision.recipient.unwrap_or(self.empty))];
        fates.extend(std::iter::repeat_n(fate(self.empty), accepted as usize - 1));
        fates
    }

    /// A mail gateway's verdict on some recipients: passed on under another queue id, or kept.
    fn verdict(&mut self, verdict: &FilterVerdict, message: u32, depth: u32) -> Vec<Fate> {
        if let Some(&next) = self.links.released.get(&verdict.place) {
            return self.life(next, message, depth + 1);
        }
        let outcome = match (verdict.passed, verdict.discarded) {
            (true, _) => Outcome::Unknown,
            (false, true) => Outcome::Discarded,
            (false, false) => Outcome::Blocked,
        };
        let class = self.class(verdict.reply);
        vec![Fate {
            address: verdict.recipient,
            orig: None,
            outcome,
            by: Some(By::Own),
            reason: Some(if class.reason == Reason::Other { Reason::Content } else { class.reason }),
            reply: verdict.reply,
            relay: self.empty,
            at: Some(verdict.at),
            attempts: 1,
            place: verdict.place,
        }]
    }
}

/// The decision that ended a life, if one did.
pub(super) fn final_decision(all: &Lives, life: u32) -> Option<Decision> {
    let decisions = all.decisions.get(&life)?;
    decisions.iter().rev().find(|d| matches!(d.action, Action::Reject | Action::TempReject | Action::Discard)).copied()
}

/// One (message, address) pair has one outcome: a copy that arrived counts before one that did not.
fn one_per_address(fates: &mut Vec<Fate>, empty: Text) {
    if fates.len() < 2 {
        return;
    }
    let mut nameless: Vec<Fate> = Vec::new();
    let mut named: Vec<Fate> = Vec::new();
    for fate in fates.drain(..) {
        if fate.address == empty { nameless.push(fate) } else { named.push(fate) }
    }
    named.sort_by_key(|f| (f.address, f.outcome, f.at, f.place));
    named.dedup_by_key(|f| f.address);
    named.sort_by_key(|f| (f.at, f.place, f.address));
    fates.append(&mut named);
    fates.append(&mut nameless);
}

/// Whether a life is a message in its own right rather than a notice, a probe, or something the client broke off.
pub(super) fn begins_message(all: &Lives, links: &Links, texts: &TextPool, word: Option<&SessionWord>, number: u32) -> bool {
    let life = &all.lives[number as usize];
    if links.has_parent[number as usize] || life.probe {
        return false;
    }
    let user = matches!(life.opener, Opener::Client { user: Some(_), .. });
    if let Some(sender) = life.sender.map(|s| texts.bytes(s))
        && (sender.is_empty() && !user || sender.starts_with(b"double-bounce@"))
    {
        return false;
    }
    let handled = life.recipients > 0 || life.announced.is_some() || life.held || final_decision(all, number).is_some();
    let broken_off = life.lost || life.end == End::Cancelled || word.is_some_and(|w| w.broken_off);
    match life.opener {
        Opener::Client { .. } | Opener::Pickup { .. } => handled || !broken_off,
        Opener::Internal => life.sender.is_some(),
        Opener::Unseen => life.recipients > 0 || handled && life.sender.is_some(),
    }
}
