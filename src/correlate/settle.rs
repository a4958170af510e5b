//! From linked lives to messages: each recipient gets its one outcome.

use super::gathered::Gathered;
use super::life::{Attempted, Decision, End, FilterVerdict, Life, NoticeMade, Opener};
use super::links::Links;
use super::lives::QUEUE_LIFETIME;
use super::own::{Own, split_relay};
use super::queue_id::QueueId;
use super::returned::LostNotices;
use super::session_words::SessionWord;
use super::sessions::Refusal;
use crate::domain::outcome::{By, Outcome, Reason};
use crate::domain::place::Place;
use crate::domain::rows::Notice;
use crate::domain::text::{Text, TextPool};
use crate::domain::time::{MINUTE, Timestamp};
use crate::formats::event::{Action, Program, Status};
use crate::formats::postfix::reply::{self, Accepted, Class};
use hashbrown::{HashMap, HashSet};

/// A transaction that got a queue id and then nothing is put down to the end of the evidence only this close to it.
const CUT_OFF: i64 = 10 * MINUTE;

/// Hops beyond which something goes in circles.
const HOPS_MAX: u32 = 12;

/// A queue file with no end this close to the end of its host's log is still on its way.
const STILL_MOVING: i64 = 10 * MINUTE;

/// An address of one message, in [`Ends::names`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Name {
    start: u32,
    end: u32,
}

/// One recipient's end.
#[derive(Clone, Debug)]
pub(super) struct Fate {
    /// Empty where no line names the recipient.
    pub(super) address: Name,
    orig: Option<Name>,
    pub(super) outcome: Outcome,
    pub(super) by: Option<By>,
    pub(super) reason: Option<Reason>,
    pub(super) reply: Text,
    pub(super) relay: Text,
    pub(super) at: Option<Timestamp>,
    pub(super) attempts: u32,
    pub(super) place: Place,
}

/// What became of one message.
#[derive(Default)]
pub(super) struct Ends {
    pub(super) fates: Vec<Fate>,
    names: Vec<u8>,
    /// Non-delivery notices to its sender. They bear its number once it has one.
    pub(super) notices: Vec<Notice>,
    /// The lives it is made of.
    pub(super) lives: Vec<u32>,
    /// It led to a life that other messages lead to as well, and nobody said whose that is.
    pub(super) contested: bool,
    /// A rule of ours sent it to somebody else than its recipients.
    pub(super) redirected: bool,
}

impl Ends {
    fn keep(&mut self, text: &[u8]) -> Name {
        let start = self.names.len() as u32;
        self.names.extend_from_slice(text);
        Name { start, end: self.names.len() as u32 }
    }

    /// The bytes of an address.
    pub(super) fn name(&self, name: Name) -> &[u8] {
        self.names.get(name.start as usize..name.end as usize).unwrap_or_default()
    }
}

/// The life a message begins with, as far as its row tells of it.
pub(super) struct Head {
    pub(super) host: Text,
    pub(super) id: QueueId,
    pub(super) long_id: Option<Text>,
    pub(super) opener: Opener,
    pub(super) opened: Timestamp,
    pub(super) place: Place,
    pub(super) sender: Option<Text>,
    /// Among the names of the message's [`Ends`].
    pub(super) message_id: Option<Name>,
    pub(super) size: Option<u64>,
    /// Nothing was heard of the queue file after it was opened, although its host's log goes on.
    pub(super) cut_off: bool,
}

/// Everything that is known when lives are settled.
#[derive(Clone, Copy)]
pub(super) struct Known<'a> {
    pub(super) all: &'a Gathered,
    pub(super) links: &'a Links,
    pub(super) texts: &'a TextPool,
    pub(super) own: &'a Own,
    pub(super) words: &'a HashMap<u32, SessionWord>,
    pub(super) lost: &'a LostNotices,
    pub(super) logs: HostLogs<'a>,
    /// The empty text.
    pub(super) empty: Text,
}

/// What one settler leaves to the next: what it made of replies and relays, and lives to read into.
#[derive(Default)]
pub(super) struct Desk {
    classes: HashMap<Text, Class>,
    relays: HashMap<Text, bool>,
    lives: Vec<Life>,
}

/// What tells a transaction that came to nothing from one whose further lines are missing.
#[derive(Clone, Copy)]
pub(super) struct HostLogs<'a> {
    /// The last instant of each host's log.
    pub(super) ends: &'a HashMap<Text, Timestamp>,
    /// Hosts whose log counts the commands of each session: what these took in is a message, whatever else is missing.
    pub(super) counting: &'a HashSet<Text>,
}

impl HostLogs<'_> {
    /// Whether a queue file was opened and then nothing more was heard of it, although its host's log goes on.
    pub(super) fn cut_off(self, word: Option<&SessionWord>, life: &Life) -> bool {
        let untouched = life.recipients.is_empty() && life.announced.is_none() && life.final_decision().is_none() && !life.held;
        if !untouched {
            return false;
        }
        let counted = word.is_none_or(|word| !word.unended) && self.counting.contains(&life.host);
        !counted && self.ends.get(&life.host).map_or(0, |end| end.since(life.last)) > CUT_OFF
    }
}

/// Settles messages, one after another.
pub(super) struct Settler<'a> {
    known: Known<'a>,
    desk: Desk,
    /// Contested lives that have their message; `None` where it is not yet their turn.
    claimed: Option<&'a mut HashSet<u32>>,
    ends: Ends,
}

impl<'a> Settler<'a> {
    pub(super) fn new(known: Known<'a>, claimed: Option<&'a mut HashSet<u32>>, desk: Desk) -> Settler<'a> {
        Settler { known, desk, claimed, ends: Ends::default() }
    }

    /// Leaves the desk to the next one.
    pub(super) fn leave(self) -> Desk {
        self.desk
    }

    /// Settles the message that begins with this life.
    pub(super) fn message(&mut self, root: u32) -> (Head, Ends) {
        let life = self.read(root);
        let head = self.head(root, &life);
        let fates = self.ends_of(root, &life, 0);
        self.desk.lives.push(life);
        (head, self.with_refusals(root, fates))
    }

    fn head(&mut self, root: u32, life: &Life) -> Head {
        Head {
            host: life.host,
            id: life.id,
            long_id: life.long_id,
            opener: life.opener,
            opened: life.opened,
            place: life.place,
            sender: life.sender,
            message_id: life.message_id().map(|id| self.ends.keep(id)),
            size: life.size,
            cut_off: self.known.logs.cut_off(self.known.words.get(&root), life),
        }
    }

    fn with_refusals(&mut self, root: u32, mut fates: Vec<Fate>) -> Ends {
        if let Some(word) = self.known.words.get(&root) {
            for refusal in &word.refusals {
                fates.push(self.refusal(refusal));
            }
        }
        self.finish(fates)
    }

    /// The ends of a transaction that was refused before it had a queue file. `unnamed` recipients more were refused than named.
    pub(super) fn refused(&mut self, refusals: &[Refusal], unnamed: u32) -> Ends {
        let mut fates: Vec<Fate> = refusals.iter().filter(|r| r.recipient.is_some()).map(|r| self.refusal(r)).collect();
        if let Some(last) = refusals.last() {
            let nameless = Fate { address: Name::default(), ..self.refusal(last) };
            fates.extend(std::iter::repeat_n(nameless, unnamed as usize));
        }
        let mut ends = std::mem::take(&mut self.ends);
        ends.fates = fates;
        ends
    }

    fn finish(&mut self, mut fates: Vec<Fate>) -> Ends {
        let mut ends = std::mem::take(&mut self.ends);
        one_per_address(&mut fates, &ends);
        ends.fates = fates;
        ends
    }

    /// The end of a recipient refused by the SMTP server.
    fn refusal(&mut self, refusal: &Refusal) -> Fate {
        let class = self.class(refusal.reply);
        Fate {
            address: refusal.recipient.map_or(Name::default(), |r| self.ends.keep(self.known.texts.bytes(r))),
            orig: None,
            outcome: if class.security { Outcome::Blocked } else { Outcome::Bounced },
            by: Some(By::Own),
            reason: Some(class.reason),
            reply: refusal.reply,
            relay: self.known.empty,
            at: Some(refusal.at),
            attempts: 1,
            place: refusal.place,
        }
    }

    fn class(&mut self, reply: Text) -> Class {
        let texts = self.known.texts;
        *self.desk.classes.entry(reply).or_insert_with(|| reply::classify(texts.bytes(reply)))
    }

    fn is_own_relay(&mut self, relay: Text) -> bool {
        let Known { own, texts, .. } = self.known;
        *self.desk.relays.entry(relay).or_insert_with(|| own.is_own_relay(texts.bytes(relay)))
    }

    /// Whether a life is this message's to settle: not met on another way, and no other message's.
    fn claim(&mut self, number: u32) -> bool {
        if self.ends.lives.contains(&number) {
            return false;
        }
        if self.known.links.contested.contains(&number) {
            let Some(claimed) = &mut self.claimed else {
                self.ends.contested = true;
                return false;
            };
            if !claimed.insert(number) {
                return false;
            }
        }
        self.ends.lives.push(number);
        true
    }

    fn life(&mut self, number: u32, depth: u32) -> Vec<Fate> {
        let life = self.read(number);
        let fates = self.ends_of(number, &life, depth);
        self.desk.lives.push(life);
        fates
    }

    fn read(&mut self, number: u32) -> Life {
        let mut life = self.desk.lives.pop().unwrap_or_default();
        self.known.all.read(number, &mut life);
        life
    }

    fn ends_of(&mut self, number: u32, life: &Life, depth: u32) -> Vec<Fate> {
        if depth > HOPS_MAX || !self.claim(number) {
            return Vec::new();
        }
        let lost = self.known.lost;
        let notice = |made: &NoticeMade| Notice { at: made.at, message: 0, place: made.place, lost: lost.holds(*made) };
        self.ends.notices.extend(life.notices.iter().map(notice));
        if life.recipients.is_empty() {
            if !life.verdicts.is_empty() && life.announced.is_none() {
                return life.verdicts.iter().flat_map(|v| self.verdict(v, depth)).collect();
            }
            if let Some(decision) = life.final_decision() {
                return self.decided(number, life, decision);
            }
        }
        self.ends.redirected |= life.decisions.iter().any(|decision| decision.action == Action::Redirect);
        let links = self.known.links;
        let mut fates = Vec::with_capacity(life.recipients.len());
        let mut onward: Vec<(u32, Vec<usize>)> = Vec::new();
        for (at, attempted) in life.recipients.iter().enumerate() {
            match links.onward(number, at) {
                None => fates.push(self.attempted(life, attempted)),
                Some(child) => match onward.iter_mut().find(|(known, _)| *known == child) {
                    Some((_, parents)) => parents.push(at),
                    None => onward.push((child, vec![at])),
                },
            }
        }
        for (child, parents) in onward {
            let ends = self.life(child, depth + 1);
            self.hand_over(life, &parents, ends, &mut fates);
        }
        if let Some(&continued) = links.continued.get(&number) {
            let settled: Vec<Fate> = self.life(continued, depth + 1);
            fates.retain(|f| !matches!(f.outcome, Outcome::Deferred | Outcome::Unknown | Outcome::Discarded) || settled.is_empty());
            fates.extend(settled);
        } else {
            let parts = links.parts.get(&number).map(Vec::as_slice).unwrap_or_default();
            let told: Vec<Fate> = parts.iter().flat_map(|&part| self.life(part, depth + 1)).collect();
            self.missing(number, life, told.len() as u32, &mut fates);
            fates.extend(told);
        }
        for &piece in links.pieces.get(&number).into_iter().flatten() {
            fates.extend(self.life(piece, depth + 1));
        }
        fates
    }

    /// Gives each recipient that went on to another life the end it found there.
    fn hand_over(&mut self, life: &Life, parents: &[usize], mut ends: Vec<Fate>, fates: &mut Vec<Fate>) {
        // One recipient became one: whatever it is called there.
        if parents.len() == 1 && ends.len() == 1 {
            return fates.append(&mut ends);
        }
        let mut used = vec![false; ends.len()];
        let mut unmatched = Vec::new();
        for from in parents.iter().filter_map(|&at| life.recipients.get(at)) {
            let address = life.text(from.address);
            let before = fates.len();
            for (end, used) in ends.iter().zip(&mut used) {
                if self.ends.name(end.address) == address || end.orig.is_some_and(|o| self.ends.name(o) == address) {
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
            rewritten.extend(unmatched.into_iter().map(|from| self.fate(life, from, Outcome::Unknown, None, Some(Reason::Other))));
        }
        fates.append(&mut rewritten);
    }

    fn fate(&mut self, life: &Life, attempted: &Attempted, outcome: Outcome, by: Option<By>, reason: Option<Reason>) -> Fate {
        Fate {
            address: self.ends.keep(life.text(attempted.address)),
            orig: attempted.orig.map(|o| self.ends.keep(life.text(o))),
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
                self.fate(life, attempted, outcome, by, reason)
            }
            Status::Bounced => {
                let class = self.class(attempted.reply);
                let own = !self.known.texts.bytes(attempted.relay).contains(&b'[') || self.is_own_relay(attempted.relay);
                let by = if own { By::Own } else { By::Remote };
                let outcome = if class.security { Outcome::Blocked } else { Outcome::Bounced };
                self.fate(life, attempted, outcome, Some(by), Some(class.reason))
            }
            Status::Deferred | Status::SoftBounce => {
                let class = self.class(attempted.reply);
                let outcome = self.waiting(life);
                self.fate(life, attempted, outcome, None, Some(class.reason))
            }
            Status::Probe | Status::Other => self.fate(life, attempted, Outcome::Unknown, None, Some(Reason::Other)),
        }
    }

    /// What `status=sent` means: a mailbox, a host outside, a host of ours, or the bin.
    fn sent(&mut self, life: &Life, attempted: &Attempted) -> Outcome {
        // The reply to a successful delivery is kept only if it says that the mail goes no further.
        match reply::accepted(attempted.program, self.known.texts.bytes(attempted.reply)) {
            Accepted::Discarded => return Outcome::Discarded,
            Accepted::Returned => return Outcome::Blocked,
            Accepted::Passed => {}
        }
        let texts = self.known.texts;
        let relay = texts.bytes(attempted.relay);
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
        if !self.is_own_relay(attempted.relay) {
            return Outcome::Delivered;
        }
        // The next queue file should stand in a log we have, unless that log ends here.
        let here = name == address || name.eq_ignore_ascii_case(b"localhost");
        let ends = self.known.logs.ends.get(&life.host).copied();
        let near_end = ends.is_none_or(|end| end.since(attempted.at) <= STILL_MOVING);
        if here && attempted.next_id.is_some() && !near_end { Outcome::Unknown } else { Outcome::Relayed }
    }

    /// Whether a queue file that no delivery was tried of may simply not have had its turn when its host's log ended.
    fn may_be_under_way(&self, life: &Life) -> bool {
        let silent = self.known.logs.ends.get(&life.host).map_or(0, |end| end.since(life.last));
        life.announced.is_some() && silent <= STILL_MOVING
    }

    /// What became of a recipient whose last word was a delay.
    fn waiting(&self, life: &Life) -> Outcome {
        match life.end {
            End::Expired => Outcome::Expired,
            End::Deleted => Outcome::Discarded,
            End::Removed | End::Cancelled | End::Requeued => Outcome::Unknown,
            End::Open if life.held => Outcome::Held,
            End::Open => {
                let silent = self.known.logs.ends.get(&life.host).map_or(0, |end| end.since(life.last));
                if silent > QUEUE_LIFETIME { Outcome::Unknown } else { Outcome::Deferred }
            }
        }
    }

    /// Recipients the queue manager announced and no line names.
    fn missing(&mut self, number: u32, life: &Life, elsewhere: u32, fates: &mut Vec<Fate>) {
        let recipients = life.recipients.len() as u32;
        let seen = recipients + life.copies + elsewhere;
        if recipients > 0 && life.decisions.iter().any(|d| d.action == Action::Redirect) {
            return;
        }
        let announced = life.announced.or_else(|| self.known.words.get(&number)?.accepted).unwrap_or(0);
        let expected = if recipients == 0 { announced.max(1) } else { life.announced.unwrap_or(0) };
        let missing = expected.saturating_sub(seen);
        if missing == 0 {
            return;
        }
        let outcome = match life.end {
            End::Removed | End::Requeued | End::Cancelled => Outcome::Unknown,
            End::Open if !life.held && !self.may_be_under_way(life) => Outcome::Unknown,
            _ => self.waiting(life),
        };
        let (by, reason) = match outcome {
            Outcome::Held | Outcome::Discarded => (Some(By::Own), Reason::Policy),
            _ => (None, Reason::Other),
        };
        // What was held may have been deleted by an administrator since.
        let kept = matches!(outcome, Outcome::Held | Outcome::Discarded);
        let hold = life.decisions.iter().rev().find(|d| d.action == Action::Hold && kept);
        let nameless = Fate {
            address: Name::default(),
            orig: None,
            outcome,
            by,
            reason: Some(reason),
            reply: hold.map_or(self.known.empty, |hold| hold.reply),
            relay: self.known.empty,
            at: hold.map(|hold| hold.at),
            attempts: 0,
            place: hold.map_or(life.place, |hold| hold.place),
        };
        let first = fates.len();
        fates.extend(std::iter::repeat_n(nameless, missing as usize));
        // The line that held it names one recipient.
        let named = hold.and_then(|hold| hold.recipient).map(|r| self.known.texts.bytes(r)).filter(|r| !life.names(r));
        if let (Some(named), Some(fate)) = (named, fates.get_mut(first)) {
            fate.address = self.ends.keep(named);
        }
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
        let accepted = self.known.words.get(&number).and_then(|w| w.accepted).or(life.announced).unwrap_or(1).max(1);
        let named = decision.recipient.map_or(Name::default(), |r| self.ends.keep(self.known.texts.bytes(r)));
        let fate = |address: Name| Fate {
            address,
            orig: None,
            outcome,
            by: Some(By::Own),
            reason: Some(if decision.action == Action::Discard { Reason::Policy } else { class.reason }),
            reply: decision.reply,
            relay: self.known.empty,
            at: Some(decision.at),
            attempts: 1,
            place: decision.place,
        };
        let mut fates = vec![fate(named)];
        fates.extend(std::iter::repeat_n(fate(Name::default()), accepted as usize - 1));
        fates
    }

    /// A mail gateway's verdict on some recipients: passed on under another queue id, or kept.
    fn verdict(&mut self, verdict: &FilterVerdict, depth: u32) -> Vec<Fate> {
        if let Some(&next) = self.known.links.released.get(&verdict.place) {
            return self.life(next, depth + 1);
        }
        let outcome = match (verdict.passed, verdict.discarded) {
            (true, _) => Outcome::Unknown,
            (false, true) => Outcome::Discarded,
            (false, false) => Outcome::Blocked,
        };
        let class = self.class(verdict.reply);
        vec![Fate {
            address: self.ends.keep(self.known.texts.bytes(verdict.recipient)),
            orig: None,
            outcome,
            by: Some(By::Own),
            reason: Some(if class.reason == Reason::Other { Reason::Content } else { class.reason }),
            reply: verdict.reply,
            relay: self.known.empty,
            at: Some(verdict.at),
            attempts: 1,
            place: verdict.place,
        }]
    }
}

/// One (message, address) pair has one outcome: a copy that arrived counts before one that did not.
fn one_per_address(fates: &mut Vec<Fate>, ends: &Ends) {
    if fates.len() < 2 {
        return;
    }
    let (mut named, mut nameless): (Vec<Fate>, Vec<Fate>) = fates.drain(..).partition(|fate| !ends.name(fate.address).is_empty());
    named.sort_by(|a, b| {
        let by_address = ends.name(a.address).cmp(ends.name(b.address));
        by_address.then_with(|| (a.outcome, a.at, a.place).cmp(&(b.outcome, b.at, b.place)))
    });
    named.dedup_by(|a, b| ends.name(a.address) == ends.name(b.address));
    // Stable: equal lines keep the order of their addresses.
    named.sort_by_key(|f| (f.at, f.place));
    fates.append(&mut named);
    fates.append(&mut nameless);
}

/// Whether a life that no other led to is a message in its own right rather than a notice, a probe, or something the client broke off.
pub(super) fn begins_message(texts: &TextPool, word: Option<&SessionWord>, life: &Life) -> bool {
    if life.probe {
        return false;
    }
    let user = matches!(life.opener, Opener::Client { user: Some(_), .. });
    if let Some(sender) = life.sender.map(|s| texts.bytes(s))
        && (sender.is_empty() && !user || sender.starts_with(b"double-bounce@"))
    {
        return false;
    }
    let handled = !life.recipients.is_empty() || life.announced.is_some() || life.held || life.final_decision().is_some();
    let broken_off = life.lost || life.end == End::Cancelled || word.is_some_and(|w| w.broken_off);
    match life.opener {
        Opener::Client { .. } | Opener::Pickup { .. } => handled || !broken_off,
        Opener::Internal => life.sender.is_some(),
        Opener::Unseen => !life.recipients.is_empty() || handled && life.sender.is_some(),
    }
}
