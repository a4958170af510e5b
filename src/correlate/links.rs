//! From queue file to queue file: filters, forwards, requeues and hops between our own hosts, so that one message stays one.

use super::lives::{Attempted, End, Lives, Opener};
use crate::domain::place::Place;
use crate::domain::text::{Text, TextPool};
use crate::domain::time::{MINUTE, SECOND, Timestamp};
use crate::formats::event::{Program, Status};
use hashbrown::HashMap;

/// No life.
pub(super) const NONE: u32 = u32::MAX;

/// How long a handed-over queue file may be older than the line that reports the hand-over: the time a filter took.
const HANDOVER_BEFORE: i64 = 10 * MINUTE;

/// How much later its first line may stand: daemons of one host write in any order, clocks of two hosts differ.
const HANDOVER_AFTER: i64 = 5 * MINUTE;

/// Two stamps this close are one piece of agreement.
const CLOSE: i64 = 10 * SECOND;

/// Programs that put mail into a mailbox; what another program does with it may come back as a new message.
const DELIVERY_PROGRAMS: [&[u8]; 6] = [b"dovecot", b"maildrop", b"procmail", b"cyrus", b"virtual", b"local"];

/// The graph of lives.
pub(super) struct Links {
    /// For each attempted recipient, the life that carries it on.
    pub(super) onward: Vec<u32>,
    /// For each life, whether another one led to it.
    pub(super) has_parent: Vec<bool>,
    /// For each requeued life, the life that continues it.
    pub(super) continued: HashMap<u32, u32>,
    /// For each life, those that carry on recipients of it although no delivery line says so: parts a filter split the message
    /// into, and hand-overs whose line is lost.
    pub(super) parts: HashMap<u32, Vec<u32>>,
    /// For each verdict of a filter that passed mail on under another queue id (by its line), the life that carries it on.
    pub(super) released: HashMap<Place, u32>,
}

/// Finds which life leads to which.
pub(super) fn link(all: &Lives, texts: &TextPool) -> Links {
    let mut index = Index::new(all);
    let mut links = Links {
        onward: vec![NONE; all.attempted.len()],
        has_parent: vec![false; all.lives.len()],
        continued: HashMap::new(),
        parts: HashMap::new(),
        released: HashMap::new(),
    };
    let mut in_order: Vec<u32> = (0..all.lives.len() as u32).collect();
    in_order.sort_by_key(|&n| (all.lives[n as usize].opened, all.lives[n as usize].place));
    for &number in &in_order {
        for at in all.recipient_numbers(number) {
            let attempted = &all.attempted[at as usize];
            let onward = if attempted.status == Status::Sent { index.onward(all, texts, number, attempted) } else { None };
            if let Some(child) = onward {
                links.onward[at as usize] = child;
                links.has_parent[child as usize] = true;
            }
        }
        if let Opener::Pickup { orig_id: Some(old) } = all.lives[number as usize].opener
            && let Some(parent) = index.requeued(all, number, old)
        {
            links.continued.insert(parent, number);
            links.has_parent[number as usize] = true;
        }
    }
    for (&life, verdicts) in &all.verdicts {
        for verdict in verdicts.iter().filter(|v| v.passed) {
            if let Some(child) = verdict.queued_as.and_then(|id| index.released(all, life, id, verdict.at)) {
                links.released.insert(verdict.place, child);
                links.has_parent[child as usize] = true;
            }
        }
    }
    let orphans = in_order.into_iter().filter(|&n| !links.has_parent[n as usize]).collect::<Vec<_>>();
    for orphan in orphans {
        if let Some(parent) = index.split_from(all, texts, orphan) {
            adopt(all, &mut links, parent, orphan);
        }
    }
    links
}

/// Makes a life part of the message it was split from: the recipients of both that have the same address are one.
fn adopt(all: &Lives, links: &mut Links, parent: u32, part: u32) {
    links.has_parent[part as usize] = true;
    let names = |of: u32, address: Text| {
        all.recipient_numbers(of).map(|at| &all.attempted[at as usize]).any(|a| a.address == address || a.orig == Some(address))
    };
    let mut named = false;
    for at in all.recipient_numbers(parent) {
        let attempted = &all.attempted[at as usize];
        let elsewhere = links.onward[at as usize];
        let is_told = elsewhere != NONE && names(elsewhere, attempted.address);
        if attempted.status == Status::Sent && !is_told && names(part, attempted.address) {
            links.onward[at as usize] = part;
            named = true;
        }
    }
    if !named {
        links.parts.entry(parent).or_default().push(part);
    }
}

/// Lives by queue id, and pickups by message id.
struct Index {
    by_id: Vec<(Text, u32)>,
    pickups: HashMap<(Text, Text), Vec<u32>>,
    /// Pickups already taken for the end of another life's pipe.
    taken: HashMap<u32, u32>,
    by_message_id: HashMap<(Text, Text), Vec<u32>>,
}

impl Index {
    fn new(all: &Lives) -> Index {
        let mut by_id: Vec<(Text, u32)> = all.lives.iter().enumerate().map(|(i, life)| (life.id, i as u32)).collect();
        by_id.sort_unstable();
        let mut pickups: HashMap<(Text, Text), Vec<u32>> = HashMap::new();
        for (i, life) in all.lives.iter().enumerate() {
            if let (Opener::Pickup { orig_id: None }, Some(message_id)) = (life.opener, life.message_id) {
                pickups.entry((life.host, message_id)).or_default().push(i as u32);
            }
        }
        let mut by_message_id: HashMap<(Text, Text), Vec<u32>> = HashMap::new();
        for (i, life) in all.lives.iter().enumerate() {
            if let Some(message_id) = life.message_id {
                by_message_id.entry((life.host, message_id)).or_default().push(i as u32);
            }
        }
        Index { by_id, pickups, taken: HashMap::new(), by_message_id }
    }

    fn named(&self, id: Text) -> impl Iterator<Item = u32> {
        let from = self.by_id.partition_point(|(known, _)| *known < id);
        self.by_id[from..].iter().take_while(move |(known, _)| *known == id).map(|(_, life)| *life)
    }

    /// The life a successful delivery leads to.
    fn onward(&mut self, all: &Lives, texts: &TextPool, parent: u32, attempted: &Attempted) -> Option<u32> {
        match attempted.next_id {
            Some(id) => self
                .named(id)
                .filter(|&child| child != parent)
                .map(|child| (agreement(all, texts, parent, attempted, child), child))
                .filter(|(facts, _)| *facts >= 2)
                .max_by_key(|(facts, child)| (*facts, std::cmp::Reverse(*child)))
                .map(|(_, child)| child),
            None if attempted.program == Program::Pipe => self.reinjected(all, texts, parent, attempted),
            None => None,
        }
    }

    /// A pipe to a program that gives the message back through `sendmail`: same host, same message id, right after.
    fn reinjected(&mut self, all: &Lives, texts: &TextPool, parent: u32, attempted: &Attempted) -> Option<u32> {
        let life = &all.lives[parent as usize];
        if DELIVERY_PROGRAMS.contains(&texts.bytes(attempted.relay)) {
            return None;
        }
        let message_id = life.message_id.filter(|m| texts.bytes(*m).len() > 2)?;
        let candidates = self.pickups.get(&(life.host, message_id))?;
        let names = |child: u32| {
            all.recipient_numbers(child)
                .map(|at| &all.attempted[at as usize])
                .any(|a| a.address == attempted.address || a.orig == Some(attempted.address))
        };
        let lag = |child: u32| all.lives[child as usize].opened.since(attempted.at).abs();
        // Several messages can share a message id; each pickup comes from one pipe.
        let child = candidates
            .iter()
            .copied()
            .filter(|&c| c != parent && all.lives[c as usize].opened >= life.opened && lag(c) <= MINUTE)
            .filter(|c| self.taken.get(c).is_none_or(|by| *by == parent))
            .min_by_key(|&c| (!names(c), lag(c), all.lives[c as usize].place))?;
        self.taken.insert(child, parent);
        Some(child)
    }

    /// The life a re-injection without a known origin was split from: it names it, or a filter on the same host gave it back with
    /// the same message id and sender while the other one was handed over or has recipients that no line speaks of.
    fn split_from(&self, all: &Lives, texts: &TextPool, part: u32) -> Option<u32> {
        let life = &all.lives[part as usize];
        let Opener::Client { address, user: None, orig_queue_id, .. } = life.opener else { return None };
        let near = |&parent: &u32| {
            let from = &all.lives[parent as usize];
            parent != part
                && from.host == life.host
                && life.opened.since(from.opened) >= -CLOSE
                && life.opened.since(from.last) <= HANDOVER_BEFORE
        };
        let latest = |&parent: &u32| (all.lives[parent as usize].opened, all.lives[parent as usize].place);
        if let Some(id) = orig_queue_id {
            return self.named(id).filter(near).max_by_key(latest);
        }
        if !is_loopback(texts.bytes(address)) {
            return None;
        }
        let message_id = life.message_id.filter(|m| texts.bytes(*m).len() > 2)?;
        let candidates = self.by_message_id.get(&(life.host, message_id))?;
        let handed_over = |&parent: &u32| {
            let from = &all.lives[parent as usize];
            let is_first = !matches!(from.opener, Opener::Client { address, user: None, .. } if is_loopback(texts.bytes(address)));
            let through_filter = all
                .recipient_numbers(parent)
                .map(|at| &all.attempted[at as usize])
                .any(|a| a.status == Status::Sent && is_loopback(super::own::split_relay(texts.bytes(a.relay)).1));
            is_first && from.sender == life.sender && (through_filter || from.announced.unwrap_or(0) > from.recipients)
        };
        candidates.iter().copied().filter(near).filter(handed_over).max_by_key(latest)
    }

    fn released(&self, all: &Lives, filter: u32, id: Text, at: Timestamp) -> Option<u32> {
        let host = all.lives[filter as usize].host;
        self.named(id).find(|&child| {
            let life = &all.lives[child as usize];
            child != filter && life.host == host && life.opened.since(at).abs() <= HANDOVER_BEFORE
        })
    }

    fn requeued(&self, all: &Lives, child: u32, old: Text) -> Option<u32> {
        let new = &all.lives[child as usize];
        self.named(old)
            .filter(|&parent| {
                let life = &all.lives[parent as usize];
                let gone = matches!(life.end, End::Requeued | End::Open);
                parent != child && life.host == new.host && gone && new.opened.since(life.last) >= -MINUTE
            })
            .max_by_key(|&parent| all.lives[parent as usize].last)
    }
}

fn is_loopback(address: &[u8]) -> bool {
    address.starts_with(b"127.") || address == b"::1"
}

/// Counts the facts that speak for `child` being what `attempted` was handed to. Two are enough: an id alone can be chance.
fn agreement(all: &Lives, texts: &TextPool, parent: u32, attempted: &Attempted, child: u32) -> u32 {
    let (from, to) = (&all.lives[parent as usize], &all.lives[child as usize]);
    let lag = to.opened.since(attempted.at);
    let names_parent = matches!(to.opener, Opener::Client { orig_queue_id: Some(orig), .. } if orig == from.id);
    if names_parent {
        return 5;
    }
    if !(-HANDOVER_BEFORE..=HANDOVER_AFTER).contains(&lag) {
        return 0;
    }
    let says_something = |text: Text| texts.bytes(text).len() > 2;
    let mut facts = 0;
    match (from.message_id, to.message_id) {
        (Some(a), Some(b)) if a == b && says_something(a) => facts += 2,
        (Some(a), Some(b)) if says_something(a) && says_something(b) => return 0,
        _ => {}
    }
    facts += u32::from(lag.abs() <= CLOSE);
    facts += u32::from(from.sender.is_some() && from.sender == to.sender);
    facts += u32::from(matches!(to.opener, Opener::Client { .. } | Opener::Internal));
    facts
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
