//! From queue file to queue file: filters, forwards, requeues and hops between our own hosts, so that one message stays one.

use super::gathered::Gathered;
use super::life::{Attempted, End, Life, Opener};
use super::queue_id::QueueId;
use super::round_trips;
use crate::domain::place::Place;
use crate::domain::text::{Text, TextPool};
use crate::domain::time::{HOUR, MINUTE, SECOND, Timestamp};
use crate::formats::event::{Program, Status};
use hashbrown::{HashMap, HashSet};
use rayon::prelude::*;

/// No life.
pub(super) const NONE: u32 = u32::MAX;

/// How long a handed-over queue file may be older than the line that reports the hand-over: the time a filter took.
const HANDOVER_BEFORE: i64 = 10 * MINUTE;

/// How much later its first line may stand: daemons of one host write in any order, clocks of two hosts differ.
const HANDOVER_AFTER: i64 = 5 * MINUTE;

/// How far the clocks of two hosts may differ where id and message-id both say that the one's queue file is the other's: as far as a zone
/// can be mistaken.
const SKEW_MAX: i64 = 14 * HOUR;

/// Two stamps this close are one piece of agreement.
const CLOSE: i64 = 10 * SECOND;

/// Lives looked at together: what their lookups wait for comes from memory at the same time, and not one after another.
const TOGETHER: usize = 16;

/// Of the recipients of these, the ones that is done for.
const MOST_WARMED: usize = 2 * TOGETHER;

/// Programs that put mail into a mailbox; what another program does with it may come back as a new message.
const DELIVERY_PROGRAMS: [&[u8]; 6] = [b"dovecot", b"maildrop", b"procmail", b"cyrus", b"virtual", b"local"];

/// The graph of lives.
#[derive(Default)]
pub(super) struct Links {
    shards: Vec<Onward>,
    /// For each life, by shard and place, the life that led to it.
    parents: Vec<Vec<u32>>,
    /// Lives that several others lead to; the first message that gets there has them.
    pub(super) contested: HashSet<u32>,
    /// For each requeued life, the life that continues it.
    pub(super) continued: HashMap<u32, u32>,
    /// For each life, those that carry on recipients of it although no delivery line says so: parts a filter split the message
    /// into, and hand-overs whose line is lost.
    pub(super) parts: HashMap<u32, Vec<u32>>,
    /// For each life, those that are further pieces of the message which a host without a log handed over: it announces none of theirs.
    pub(super) pieces: HashMap<u32, Vec<u32>>,
    /// Lives that a program of the host began with a message that had come in before, as a redirect or a mailing list does: no message that
    /// its sender wrote anew.
    pub(super) passed_on: HashSet<u32>,
    /// For each verdict of a filter that passed mail on under another queue id (by its line), the life that carries it on.
    pub(super) released: HashMap<Place, u32>,
    /// Clocks that differ, by the hosts: the one ahead, and the other.
    pub(super) skews: HashMap<(Text, Text), Skew>,
}

/// By how much one host's clock was ahead of another's, and for how many recipients.
#[derive(Clone, Copy, Debug)]
pub(super) struct Skew {
    pub(super) least: i64,
    pub(super) most: i64,
    pub(super) recipients: u64,
}

impl Skew {
    fn join(&mut self, other: Skew) {
        self.least = self.least.min(other.least);
        self.most = self.most.max(other.most);
        self.recipients += other.recipients;
    }
}

/// For each recipient of a shard's lives, the life that carries it on.
#[derive(Default)]
struct Onward {
    /// Where the recipients of each life begin.
    first: Vec<u32>,
    lives: Vec<u32>,
}

impl Links {
    /// The life that carries on the recipient at this place of a life's list.
    pub(super) fn onward(&self, number: u32, recipient: usize) -> Option<u32> {
        let (shard, place) = Gathered::locate(number);
        let onward = self.shards.get(shard)?;
        let at = *onward.first.get(place)? as usize + recipient;
        onward.lives.get(at).copied().filter(|&child| child != NONE)
    }

    /// Whether another life led to this one.
    pub(super) fn has_parent(&self, number: u32) -> bool {
        let (shard, place) = Gathered::locate(number);
        self.parents.get(shard).and_then(|p| p.get(place)).is_some_and(|&parent| parent != NONE)
    }

    /// Makes lives further pieces of a message.
    pub(super) fn add_pieces(&mut self, first: u32, rest: Vec<u32>) {
        rest.iter().for_each(|piece| self.leads(first, *piece));
        self.pieces.insert(first, rest);
    }

    fn leads(&mut self, parent: u32, child: u32) {
        let (shard, place) = Gathered::locate(child);
        let Some(known) = self.parents.get_mut(shard).and_then(|p| p.get_mut(place)) else { return };
        if *known == NONE {
            *known = parent;
        } else if *known != parent {
            self.contested.insert(child);
        }
    }

    pub(super) fn set_onward(&mut self, parent: u32, recipient: usize, child: u32) {
        let (shard, place) = Gathered::locate(parent);
        let Some(onward) = self.shards.get_mut(shard) else { return };
        let first = onward.first.get(place).copied().unwrap_or_default() as usize;
        if let Some(to) = onward.lives.get_mut(first + recipient) {
            *to = child;
        }
        self.leads(parent, child);
    }
}

/// What one shard's lives say of others, and what is left to be decided with all in view.
#[derive(Default)]
struct Found {
    onward: Onward,
    released: Vec<(Place, u32, u32)>,
    /// Pipes to programs that may give the message back: life and place of the recipient.
    pipes: Vec<(When, u32, usize)>,
    /// Local injections, by host and message id.
    pickups: Vec<((Text, u64), u32)>,
    requeues: Vec<(When, u32, QueueId)>,
    /// Lives that a filter may have split off another one.
    reinjected: Vec<(When, u32)>,
    filters: round_trips::Ends,
    skews: HashMap<(Text, Text), Skew>,
}

/// The order in which lives began.
type When = (Timestamp, Place);

/// Finds which life leads to which. While each life is unpacked for that, `look` is shown it, with what it made of the others of the
/// same shard.
pub(super) fn link<S: Default + Send>(all: &Gathered, texts: &TextPool, look: impl Fn(&mut S, u32, &Life) + Sync) -> (Links, Vec<S>) {
    let follower = Follower { all, texts };
    let (found, seen): (Vec<Found>, Vec<S>) = (0..all.shards()).into_par_iter().map(|shard| follower.shard(shard, &look)).unzip();
    let mut links = Links { parents: found.iter().map(|f| vec![NONE; f.onward.first.len()]).collect(), ..Links::default() };
    let (mut pipes, mut requeues, mut reinjected) = (Vec::new(), Vec::new(), Vec::new());
    let mut pickups: HashMap<(Text, u64), Vec<u32>> = HashMap::new();
    let (mut released, mut filters) = (Vec::new(), Vec::new());
    for shard in found {
        filters.push(shard.filters);
        links.shards.push(shard.onward);
        pipes.extend(shard.pipes);
        requeues.extend(shard.requeues);
        reinjected.extend(shard.reinjected);
        released.extend(shard.released);
        for (hosts, skew) in shard.skews {
            links.skews.entry(hosts).and_modify(|known| known.join(skew)).or_insert(skew);
        }
        for (key, pickup) in shard.pickups {
            pickups.entry(key).or_default().push(pickup);
        }
    }
    for shard in 0..links.shards.len() {
        links.note_parents(all, shard);
    }
    for (verdict, parent, child) in released {
        links.released.insert(verdict, child);
        links.leads(parent, child);
    }
    Pipes { all, texts, pickups, taken: HashMap::new() }.follow(pipes, &mut links);
    follow_requeues(all, requeues, &mut links);
    adopt_parts(all, texts, reinjected, &mut links);
    round_trips::follow(all, texts, &filters, &mut links);
    (links, seen)
}

impl Links {
    fn note_parents(&mut self, all: &Gathered, shard: usize) {
        let onward = std::mem::take(&mut self.shards[shard]);
        for number in all.numbers(shard) {
            let (_, place) = Gathered::locate(number);
            let from = onward.first.get(place).map_or(0, |&f| f as usize);
            let to = onward.first.get(place + 1).map_or(onward.lives.len(), |&f| f as usize);
            for &child in onward.lives.get(from..to).unwrap_or_default().iter().filter(|c| **c != NONE) {
                self.leads(number, child);
            }
        }
        self.shards[shard] = onward;
    }
}

/// Looks for the lives that others lead to.
struct Follower<'a> {
    all: &'a Gathered,
    texts: &'a TextPool,
}

impl Follower<'_> {
    fn shard<S: Default>(&self, shard: usize, look: &(impl Fn(&mut S, u32, &Life) + Sync)) -> (Found, S) {
        let (mut found, mut seen) = (Found::default(), S::default());
        let (mut lives, mut child): ([Life; TOGETHER], Life) = Default::default();
        let mut numbers = self.all.numbers(shard).peekable();
        while numbers.peek().is_some() {
            let read = |life: &mut Life| numbers.next().map(|number| (number, self.all.read(number, life)));
            let numbers: Vec<(u32, bool)> = lives.iter_mut().map_while(read).collect();
            self.warm(&lives);
            for (life, (number, is_there)) in lives.iter().zip(numbers) {
                found.onward.first.push(found.onward.lives.len() as u32);
                if is_there {
                    self.life(number, life, &mut child, &mut found);
                    look(&mut seen, number, life);
                }
            }
        }
        (found, seen)
    }

    /// Has the memory fetch what the lives that some lives lead to will be looked up by.
    fn warm(&self, lives: &[Life]) {
        let ids = || lives.iter().flat_map(|life| &life.recipients).take(MOST_WARMED).filter_map(|attempted| attempted.next_id);
        let found: [Option<u32>; MOST_WARMED] = {
            let mut found = [None; MOST_WARMED];
            found.iter_mut().zip(ids()).for_each(|(found, id)| *found = self.all.maybe_named(id).next());
            found
        };
        self.all.warm(found.into_iter().flatten());
    }

    fn life(&self, number: u32, life: &Life, child: &mut Life, found: &mut Found) {
        let when = (life.opened, life.place);
        for (at, attempted) in life.recipients.iter().enumerate() {
            let onward = match (attempted.status, attempted.next_id) {
                (Status::Sent, Some(id)) => self.onward(number, life, attempted, id, child).or_else(|| {
                    let only = self.by_a_clock_that_differs(number, life, attempted, id, child)?;
                    self.note_skew(only, life, attempted, child, &mut found.skews);
                    Some(only)
                }),
                (Status::Sent, None) if attempted.program == Program::Pipe && self.is_filter(attempted) => {
                    found.pipes.push((when, number, at));
                    None
                }
                _ => None,
            };
            if onward.is_none() && attempted.status == Status::Sent {
                found.filters.took(attempted);
            }
            found.onward.lives.push(onward.unwrap_or(NONE));
        }
        found.filters.gave(life);
        match life.opener {
            Opener::Pickup { orig_id: Some(old) } => found.requeues.push((when, number, old)),
            Opener::Pickup { orig_id: None } => found.pickups.extend(message_key(life).map(|key| (key, number))),
            Opener::Client { address, user: None, orig_queue_id, .. }
                if orig_queue_id.is_some() || is_loopback(self.texts.bytes(address)) =>
            {
                found.reinjected.push((when, number));
            }
            _ => {}
        }
        for verdict in life.verdicts.iter().filter(|v| v.passed) {
            let Some(id) = verdict.queued_as else { continue };
            let carries = |n: &u32| {
                *n != number
                    && self.all.read(*n, child)
                    && (child.id, child.host) == (id, life.host)
                    && child.opened.since(verdict.at).abs() <= HANDOVER_BEFORE
            };
            if let Some(next) = self.all.maybe_named(id).find(carries) {
                found.released.push((verdict.place, number, next));
            }
        }
    }

    fn is_filter(&self, attempted: &Attempted) -> bool {
        !DELIVERY_PROGRAMS.contains(&self.texts.bytes(attempted.relay))
    }

    /// The life a successful delivery leads to.
    fn onward(&self, number: u32, life: &Life, attempted: &Attempted, id: QueueId, child: &mut Life) -> Option<u32> {
        let candidates = self.all.maybe_named(id).filter(|&n| n != number).filter_map(|n| {
            let is_it = self.all.read_head(n, child) && child.id == id;
            let facts = if is_it { agreement(life, attempted, child) } else { 0 };
            (facts >= 2).then_some((facts, std::cmp::Reverse((child.opened, child.place)), n))
        });
        candidates.max().map(|(.., n)| n)
    }

    /// The life a delivery leads to on a host whose clock differs by more than hand-overs do: its message-id must be the same, and no
    /// other life may fit, because queue ids come again.
    fn by_a_clock_that_differs(&self, number: u32, life: &Life, attempted: &Attempted, id: QueueId, child: &mut Life) -> Option<u32> {
        let message_id = life.message_id().filter(|m| says_something(m))?;
        let mut fitting = self.all.maybe_named(id).filter(|&n| {
            n != number
                && self.all.read_head(n, child)
                && (child.id == id && child.host != life.host)
                && child.message_id() == Some(message_id)
                && child.opened.since(attempted.at).abs() <= SKEW_MAX
                && matches!(child.opener, Opener::Client { user: None, .. } | Opener::Unseen)
        });
        let only = fitting.next()?;
        fitting.next().is_none().then_some(only)
    }

    /// Notes how far apart the clocks are of the hosts of a delivery and of the life it leads to.
    fn note_skew(&self, to: u32, life: &Life, attempted: &Attempted, child: &mut Life, skews: &mut HashMap<(Text, Text), Skew>) {
        if !self.all.read_head(to, child) {
            return;
        }
        let ahead = child.opened.since(attempted.at);
        let hosts = if ahead > 0 { (child.host, life.host) } else { (life.host, child.host) };
        let skew = Skew { least: ahead.abs(), most: ahead.abs(), recipients: 1 };
        skews.entry(hosts).and_modify(|known| known.join(skew)).or_insert(skew);
    }
}

/// Whether a message-id is more than the brackets around none.
pub(super) fn says_something(message_id: &[u8]) -> bool {
    message_id.len() > 2
}

/// Counts the facts that speak for `to` being what `attempted` was handed to. Two are enough: an id alone can be chance.
fn agreement(from: &Life, attempted: &Attempted, to: &Life) -> u32 {
    let lag = to.opened.since(attempted.at);
    let names_parent = matches!(to.opener, Opener::Client { orig_queue_id: Some(orig), .. } if orig == from.id);
    if names_parent {
        return 5;
    }
    if !(-HANDOVER_BEFORE..=HANDOVER_AFTER).contains(&lag) {
        return 0;
    }
    let mut facts = 0;
    match (from.message_id(), to.message_id()) {
        (Some(a), Some(b)) if a == b && says_something(a) => facts += 2,
        (Some(a), Some(b)) if says_something(a) && says_something(b) => return 0,
        _ => {}
    }
    facts += u32::from(lag.abs() <= CLOSE);
    facts += u32::from(from.sender.is_some() && from.sender == to.sender);
    facts += u32::from(matches!(to.opener, Opener::Client { .. } | Opener::Internal));
    facts
}

/// Host and message id, where there is one that says something.
fn message_key(life: &Life) -> Option<(Text, u64)> {
    use std::hash::BuildHasher;
    let id = life.message_id().filter(|m| says_something(m))?;
    Some((life.host, foldhash::fast::FixedState::with_seed(0).hash_one(id)))
}

/// Pipes to programs that give messages back through `sendmail`: same host, same message id, right after.
struct Pipes<'a> {
    all: &'a Gathered,
    texts: &'a TextPool,
    pickups: HashMap<(Text, u64), Vec<u32>>,
    /// Pickups already taken for the end of another life's pipe.
    taken: HashMap<u32, u32>,
}

impl Pipes<'_> {
    fn follow(&mut self, mut pipes: Vec<(When, u32, usize)>, links: &mut Links) {
        pipes.sort_unstable();
        for (_, number, at) in pipes {
            let life = self.all.get(number);
            let Some(attempted) = life.recipients.get(at) else { continue };
            if let Some(child) = self.reinjected(number, &life, attempted) {
                links.set_onward(number, at, child);
            }
        }
    }

    fn reinjected(&mut self, parent: u32, life: &Life, attempted: &Attempted) -> Option<u32> {
        debug_assert!(!DELIVERY_PROGRAMS.contains(&self.texts.bytes(attempted.relay)));
        let candidates = self.pickups.get(&message_key(life)?)?;
        let mut child = Life::default();
        // Several messages can share a message id; each pickup comes from one pipe.
        let fitting = candidates.iter().filter_map(|&number| {
            let free = number != parent && self.taken.get(&number).is_none_or(|by| *by == parent);
            if !free || !self.all.read(number, &mut child) || child.message_id() != life.message_id() || child.opened < life.opened {
                return None;
            }
            let lag = child.opened.since(attempted.at).abs();
            let names = child.names(life.text(attempted.address));
            (lag <= MINUTE).then_some((!names, lag, child.place, number))
        });
        let (.., child) = fitting.min()?;
        self.taken.insert(child, parent);
        Some(child)
    }
}

fn follow_requeues(all: &Gathered, mut requeues: Vec<(When, u32, QueueId)>, links: &mut Links) {
    requeues.sort_unstable();
    let mut old = Life::default();
    for (_, number, id) in requeues {
        let new = all.get(number);
        let candidates = all.maybe_named(id).filter(|&n| n != number).filter_map(|n| {
            let is_it = all.read(n, &mut old) && old.id == id && old.host == new.host;
            let gone = matches!(old.end, End::Requeued | End::Open);
            (is_it && gone && new.opened.since(old.last) >= -MINUTE).then_some((old.last, old.place, n))
        });
        if let Some((.., parent)) = candidates.max() {
            links.continued.insert(parent, number);
            links.leads(parent, number);
        }
    }
}

/// Finds, for re-injections that no delivery leads to, the lives they were split from.
fn adopt_parts(all: &Gathered, texts: &TextPool, mut reinjected: Vec<(When, u32)>, links: &mut Links) {
    reinjected.retain(|(_, number)| !links.has_parent(*number));
    reinjected.sort_unstable();
    let by_message_id = same_message_id(all, &reinjected);
    let mut from = Life::default();
    for (_, number) in reinjected {
        let part = all.get(number);
        if let Some(parent) = split_from(all, texts, &by_message_id, number, &part, &mut from) {
            adopt(all, links, parent, number, &part);
        } else if came_before(all, texts, &by_message_id, &part, &mut from) {
            links.passed_on.insert(number);
        }
    }
}

/// Whether a message of this message-id had come in at the same host before, by another way than a program of its own: what somebody
/// sends through webmail may all bear one id.
fn came_before(all: &Gathered, texts: &TextPool, by_message_id: &HashMap<(Text, u64), Vec<u32>>, part: &Life, earlier: &mut Life) -> bool {
    let alike = message_key(part).and_then(|key| by_message_id.get(&key)).into_iter().flatten();
    let by_a_program = |life: &Life| matches!(life.opener, Opener::Client { address, user: None, .. } if is_loopback(texts.bytes(address)));
    alike.copied().any(|n| {
        let came = all.read(n, earlier) && (earlier.opened, earlier.place) < (part.opened, part.place);
        came && earlier.message_id() == part.message_id() && !by_a_program(earlier)
    })
}

/// The lives that share host and message id with one of these.
fn same_message_id(all: &Gathered, parts: &[(When, u32)]) -> HashMap<(Text, u64), Vec<u32>> {
    let wanted: HashSet<(Text, u64)> = parts
        .iter()
        .filter_map(|(_, number)| {
            let life = all.get(*number);
            let names_origin = matches!(life.opener, Opener::Client { orig_queue_id: Some(_), .. });
            if names_origin { None } else { message_key(&life) }
        })
        .collect();
    let mut known: HashMap<(Text, u64), Vec<u32>> = HashMap::new();
    if wanted.is_empty() {
        return known;
    }
    let of_shard = |shard: usize| -> Vec<((Text, u64), u32)> {
        let mut life = Life::default();
        let keyed = all.numbers(shard).filter_map(|n| all.read(n, &mut life).then(|| message_key(&life)).flatten().map(|key| (key, n)));
        keyed.filter(|(key, _)| wanted.contains(key)).collect()
    };
    let found: Vec<Vec<((Text, u64), u32)>> = (0..all.shards()).into_par_iter().map(of_shard).collect();
    for (key, number) in found.into_iter().flatten() {
        known.entry(key).or_default().push(number);
    }
    known
}

/// The life a re-injection without a known origin was split from: it names it, or a filter on the same host gave it back with
/// the same message id and sender while the other one was handed over or has recipients that no line speaks of.
fn split_from(
    all: &Gathered,
    texts: &TextPool,
    by_message_id: &HashMap<(Text, u64), Vec<u32>>,
    number: u32,
    part: &Life,
    from: &mut Life,
) -> Option<u32> {
    let Opener::Client { orig_queue_id, .. } = part.opener else { return None };
    let near =
        |from: &Life| from.host == part.host && part.opened.since(from.opened) >= -CLOSE && part.opened.since(from.last) <= HANDOVER_BEFORE;
    if let Some(id) = orig_queue_id {
        let named = all.maybe_named(id).filter(|&n| n != number).filter_map(|n| {
            let is_it = all.read(n, from) && from.id == id && near(from);
            is_it.then_some((from.opened, from.place, n))
        });
        return named.max().map(|(.., n)| n);
    }
    let handed_over = |from: &Life| {
        let is_first = !matches!(from.opener, Opener::Client { address, user: None, .. } if is_loopback(texts.bytes(address)));
        let mut sent = from.recipients.iter().filter(|a| a.status == Status::Sent);
        let through_filter = sent.any(|a| is_loopback(super::own::split_relay(texts.bytes(a.relay)).1));
        is_first && from.sender == part.sender && (through_filter || from.announced.unwrap_or(0) > from.recipients.len() as u32)
    };
    let candidates = by_message_id.get(&message_key(part)?)?.iter().filter(|&&n| n != number).filter_map(|&n| {
        let is_it = all.read(n, from) && from.message_id() == part.message_id() && near(from) && handed_over(from);
        is_it.then_some((from.opened, from.place, n))
    });
    candidates.max().map(|(.., n)| n)
}

/// Makes a life part of the message it was split from: the recipients of both that have the same address are one.
fn adopt(all: &Gathered, links: &mut Links, parent: u32, number: u32, part: &Life) {
    let from = all.get(parent);
    let mut named = false;
    for (at, attempted) in from.recipients.iter().enumerate() {
        let address = from.text(attempted.address);
        let is_told = links.onward(parent, at).is_some_and(|elsewhere| all.get(elsewhere).names(address));
        if attempted.status == Status::Sent && !is_told && part.names(address) {
            links.set_onward(parent, at, number);
            named = true;
        }
    }
    if !named {
        links.parts.entry(parent).or_default().push(number);
        links.leads(parent, number);
    }
}

/// Whether a client or relay is on the host itself.
pub(super) fn is_loopback(address: &[u8]) -> bool {
    address.starts_with(b"127.") || address == b"::1"
}

#[cfg(test)]
mod tests {
    use crate::correlate::testing::fates;

    #[test]
    fn a_filter_that_splits_a_message_leaves_it_one_message() {
        for origin in [", orig_queue_id=1A2B3C4D5E, orig_client=unknown[203.0.113.5]", ""] {
            let lines = format!(
                "16:01:01 mail postfix/smtpd[7]: 1A2B3C4D5E: client=unknown[203.0.113.5], sasl_method=PLAIN, sasl_username=suzuki
                 16:01:01 mail postfix/cleanup[6]: 1A2B3C4D5E: message-id=<m1@pc>
                 16:01:01 mail postfix/qmgr[9]: 1A2B3C4D5E: from=<suzuki@u.example>, size=267, nrcpt=2 (queue active)
                 16:01:02 mail postfix/smtpd[8]: 2A2B3C4D5E: client=localhost[127.0.0.1]{origin}
                 16:01:02 mail postfix/cleanup[6]: 2A2B3C4D5E: message-id=<m1@pc>
                 16:01:02 mail postfix/qmgr[9]: 2A2B3C4D5E: from=<suzuki@u.example>, size=300, nrcpt=1 (queue active)
                 16:01:02 mail postfix/smtpd[8]: 3A2B3C4D5E: client=localhost[127.0.0.1]{origin}
                 16:01:02 mail postfix/cleanup[6]: 3A2B3C4D5E: message-id=<m1@pc>
                 16:01:02 mail postfix/qmgr[9]: 3A2B3C4D5E: from=<suzuki@u.example>, size=300, nrcpt=1 (queue active)
                 16:01:02 mail postfix/smtp[5]: 1A2B3C4D5E: to=<a@x.test>, relay=127.0.0.1[127.0.0.1]:10024, delay=1, delays=0/0/0/1, dsn=2.0.0, status=sent (250 2.0.0 from MTA: 250 2.0.0 Ok: queued as 3A2B3C4D5E)
                 16:01:02 mail postfix/smtp[5]: 1A2B3C4D5E: to=<b@x.test>, relay=127.0.0.1[127.0.0.1]:10024, delay=1, delays=0/0/0/1, dsn=2.0.0, status=sent (250 2.0.0 from MTA: 250 2.0.0 Ok: queued as 3A2B3C4D5E)
                 16:01:03 mail postfix/smtp[5]: 2A2B3C4D5E: to=<a@x.test>, relay=mx.x.test[192.0.2.9]:25, delay=0, delays=0/0/0/0, dsn=2.0.0, status=sent (250 ok)
                 16:01:03 mail postfix/smtp[5]: 3A2B3C4D5E: to=<b@x.test>, relay=mx.x.test[192.0.2.9]:25, delay=0, delays=0/0/0/0, dsn=5.1.1, status=bounced (host mx.x.test[192.0.2.9] said: 550 5.1.1 user unknown (in reply to RCPT TO command))"
            );
            assert_eq!(fates(&lines), ["suzuki@u.example: partly_delivered [a@x.test=delivered b@x.test=bounced]"], "{origin}");
        }
    }

    #[test]
    fn a_hand_over_to_a_filter_whose_line_is_lost_is_no_second_message() {
        let lines = "
            16:01:01 mail postfix/smtpd[7]: 1A2B3C4D5E: client=unknown[203.0.113.5], sasl_method=PLAIN, sasl_username=suzuki
            16:01:01 mail postfix/cleanup[6]: 1A2B3C4D5E: message-id=<m1@pc>
            16:01:01 mail postfix/qmgr[9]: 1A2B3C4D5E: from=<suzuki@u.example>, size=267, nrcpt=1 (queue active)
            16:01:02 mail postfix/smtpd[8]: 2A2B3C4D5E: client=localhost[127.0.0.1]
            16:01:02 mail postfix/cleanup[6]: 2A2B3C4D5E: message-id=<m1@pc>
            16:01:02 mail postfix/qmgr[9]: 2A2B3C4D5E: from=<suzuki@u.example>, size=300, nrcpt=1 (queue active)
            16:01:02 mail postfix/qmgr[9]: 1A2B3C4D5E: removed
            16:01:03 mail postfix/smtp[5]: 2A2B3C4D5E: to=<a@x.test>, relay=mx.x.test[192.0.2.9]:25, delay=0, delays=0/0/0/0, dsn=2.0.0, status=sent (250 ok)";
        assert_eq!(fates(lines), ["suzuki@u.example: delivered [a@x.test=delivered]"]);
    }

    /// A hand-over between two hosts of ours; the second one's clock goes wrong by this much, and it has another message of the same id.
    fn handed_over(at: &str, message_id: &str, more: &str) -> Vec<String> {
        fates(&handed_over_lines(at, message_id, more))
    }

    fn handed_over_lines(at: &str, message_id: &str, more: &str) -> String {
        format!(
            "16:01:01 mail postfix/smtpd[7]: 1A2B3C4D5E: client=unknown[203.0.113.5], sasl_method=PLAIN, sasl_username=suzuki
             16:01:01 mail postfix/cleanup[6]: 1A2B3C4D5E: message-id=<m1@pc>
             16:01:01 mail postfix/qmgr[9]: 1A2B3C4D5E: from=<suzuki@u.example>, size=267, nrcpt=1 (queue active)
             16:01:02 mail postfix/smtp[5]: 1A2B3C4D5E: to=<a@x.test>, relay=gate.u.example[198.51.100.9]:25, delay=1, delays=0/0/0/1, dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as 2A2B3C4D5E)
             16:01:02 mail postfix/qmgr[9]: 1A2B3C4D5E: removed
             {at}:02 gate postfix/smtpd[8]: 2A2B3C4D5E: client=mail.u.example[198.51.100.2]
             {at}:02 gate postfix/cleanup[6]: 2A2B3C4D5E: message-id=<{message_id}>
             {at}:02 gate postfix/qmgr[9]: 2A2B3C4D5E: from=<suzuki@u.example>, size=300, nrcpt=1 (queue active)
             {at}:03 gate postfix/smtp[5]: 2A2B3C4D5E: to=<a@x.test>, relay=mx.x.test[192.0.2.9]:25, delay=0, delays=0/0/0/0, dsn=5.7.1, status=bounced (host mx.x.test[192.0.2.9] said: 550 5.7.1 spam (in reply to end of DATA command))
             {at}:03 gate postfix/qmgr[9]: 2A2B3C4D5E: removed
             {more}"
        )
    }

    #[test]
    fn a_message_is_followed_to_a_host_whose_clock_differs_by_hours() {
        let blocked = ["suzuki@u.example: blocked [a@x.test=blocked]"];
        for at in ["16:01", "15:40", "16:30", "07:01", "23:59"] {
            assert_eq!(handed_over(at, "m1@pc", ""), blocked, "{at}");
        }
    }

    /// The clock of `gate` is three hours ahead of that of `mail`, or 21 minutes behind.
    #[test]
    fn a_clock_that_differs_is_known_by_its_hosts_and_how_far_it_is_off() {
        let skews = |at: &str| {
            let found = crate::correlate::testing::rows(&handed_over_lines(at, "m1@pc", ""));
            let minutes = |micros: i64| micros / crate::domain::time::MINUTE;
            let show = |s: &crate::domain::rows::ClockSkew| {
                (found.show(s.ahead), found.show(s.behind), minutes(s.least), minutes(s.most), s.recipients)
            };
            found.clock_skews.iter().map(show).collect::<Vec<_>>()
        };
        let (mail, gate) = ("mail".to_owned(), "gate".to_owned());
        assert_eq!(skews("19:01"), [(gate.clone(), mail.clone(), 180, 180, 1)]);
        assert_eq!(skews("15:40"), [(mail, gate, 21, 21, 1)]);
        assert_eq!(skews("16:01"), []);
    }

    #[test]
    fn a_queue_id_that_comes_again_joins_nothing_where_clocks_differ() {
        // Another message of the same queue id.
        assert_ne!(handed_over("19:01", "m2@pc", "")[0], "suzuki@u.example: blocked [a@x.test=blocked]");
        // Two messages of the same queue id and message-id: either may be meant.
        let again = "20:00:02 gate postfix/smtpd[8]: 2A2B3C4D5E: client=mail.u.example[198.51.100.2]
             20:00:02 gate postfix/cleanup[6]: 2A2B3C4D5E: message-id=<m1@pc>";
        assert_ne!(handed_over("19:01", "m1@pc", again)[0], "suzuki@u.example: blocked [a@x.test=blocked]");
    }

    #[test]
    fn a_requeue_is_followed_though_the_line_that_tells_of_it_is_lost() {
        let lines = "
            16:01:01 mail postfix/smtpd[7]: 1A2B3C4D5E: client=unknown[203.0.113.5], sasl_method=PLAIN, sasl_username=suzuki
            16:01:01 mail postfix/qmgr[9]: 1A2B3C4D5E: from=<suzuki@u.example>, size=267, nrcpt=1 (queue active)
            16:01:02 mail postfix/smtp[5]: 1A2B3C4D5E: to=<a@x.test>, relay=mx.x.test[192.0.2.9]:25, delay=1, delays=0/0/0/1, dsn=4.7.1, status=deferred (host mx.x.test[192.0.2.9] said: 450 4.7.1 Greylisted)
            16:20:02 mail postfix/pickup[4]: 2A2B3C4D5E: uid=106 from=<suzuki@u.example> orig_id=1A2B3C4D5E
            16:20:02 mail postfix/qmgr[9]: 2A2B3C4D5E: from=<suzuki@u.example>, size=267, nrcpt=1 (queue active)
            16:20:03 mail postfix/smtp[5]: 2A2B3C4D5E: to=<a@x.test>, relay=mx.x.test[192.0.2.9]:25, delay=1, delays=0/0/0/1, dsn=2.0.0, status=sent (250 ok)";
        assert_eq!(fates(lines), ["suzuki@u.example: delivered [a@x.test=delivered]"]);
    }

    #[test]
    fn messages_with_one_message_id_through_a_pipe_each_keep_their_own_end() {
        let lines = "
            16:01:01 mail postfix/smtpd[7]: 1A2B3C4D5E: client=unknown[203.0.113.5], sasl_method=PLAIN, sasl_username=suzuki
            16:01:01 mail postfix/cleanup[6]: 1A2B3C4D5E: message-id=<same@pc>
            16:01:01 mail postfix/smtpd[7]: 1B2B3C4D5E: client=unknown[203.0.113.5], sasl_method=PLAIN, sasl_username=suzuki
            16:01:01 mail postfix/cleanup[6]: 1B2B3C4D5E: message-id=<same@pc>
            16:01:02 mail postfix/pickup[4]: 2A2B3C4D5E: uid=65534 from=<suzuki@u.example>
            16:01:02 mail postfix/cleanup[6]: 2A2B3C4D5E: message-id=<same@pc>
            16:01:02 mail postfix/pickup[4]: 2B2B3C4D5E: uid=65534 from=<suzuki@u.example>
            16:01:02 mail postfix/cleanup[6]: 2B2B3C4D5E: message-id=<same@pc>
            16:01:02 mail postfix/pipe[5]: 1A2B3C4D5E: to=<a@x.test>, relay=filter, delay=1, delays=0/0/0/1, dsn=2.0.0, status=sent (delivered via filter service)
            16:01:02 mail postfix/pipe[5]: 1B2B3C4D5E: to=<b@x.test>, relay=filter, delay=1, delays=0/0/0/1, dsn=2.0.0, status=sent (delivered via filter service)
            16:01:03 mail postfix/smtp[5]: 2A2B3C4D5E: to=<a@x.test>, relay=mx.x.test[192.0.2.9]:25, delay=0, delays=0/0/0/0, dsn=2.0.0, status=sent (250 ok)
            16:01:03 mail postfix/smtp[5]: 2B2B3C4D5E: to=<b@x.test>, relay=mx.x.test[192.0.2.9]:25, delay=0, delays=0/0/0/0, dsn=2.0.0, status=sent (250 ok)";
        assert_eq!(fates(lines), ["suzuki@u.example: delivered [a@x.test=delivered]", "suzuki@u.example: delivered [b@x.test=delivered]"]);
    }
}
