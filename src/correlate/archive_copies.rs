//! Copies that a server sends of everything (`always_bcc`): the address they go to is no recipient of any message.
//!
//! No line says which recipient the rule added. An address that nearly all messages of a host went to, whoever wrote them, and hardly any
//! of them alone, is no choice of the writers.

use crate::domain::outcome::MessageOutcome;
use crate::domain::rows::{ArchiveCopies, Message, Recipient, Rows};
use crate::domain::text::Text;
use hashbrown::{HashMap, HashSet};

/// Messages of a host below which a common recipient may be chance.
const MESSAGES_MIN: usize = 20;

/// Of this many of a host's messages, which lie evenly over its log, most must have gone to an address before all are looked at.
const LOOKED_AT: usize = 16;

/// Share of the messages that went to the address.
const NEARLY_ALL: f64 = 0.95;

/// Different senders from which on it is no one writer's habit.
const SENDERS_MIN: usize = 2;

/// Takes the receivers of such copies out of the rows, and notes them.
pub(super) fn take_out(rows: &mut Rows) {
    let mut by_host: HashMap<Text, Vec<u32>> = HashMap::new();
    for (number, message) in rows.messages.iter().enumerate() {
        // Refused messages got no copy.
        if message.recipients > 1 {
            by_host.entry(message.host).or_default().push(number as u32);
        }
    }
    let mut found: Vec<ArchiveCopies> = by_host.iter().filter_map(|(host, numbers)| copies_of(rows, *host, numbers)).collect();
    found.sort_by(|a, b| {
        (rows.texts.bytes(a.host), rows.texts.bytes(a.address)).cmp(&(rows.texts.bytes(b.host), rows.texts.bytes(b.address)))
    });
    if found.iter().any(|copies| copies.taken_out) {
        let archives: HashSet<(Text, Text)> = found.iter().filter(|c| c.taken_out).map(|c| (c.host, c.address)).collect();
        drop_recipients(rows, |message, recipient| message.recipients > 1 && archives.contains(&(message.host, recipient.address)));
    }
    rows.archive_copies = found;
}

/// The address that the copies of a host's messages go to, if there is one. `numbers` are those of its messages with several recipients.
fn copies_of(rows: &Rows, host: Text, numbers: &[u32]) -> Option<ArchiveCopies> {
    let message = |number: &u32| rows.messages.get(*number as usize);
    let address = candidate(rows, numbers.iter().step_by((numbers.len() / LOOKED_AT).max(1)).filter_map(message))?;
    let got_it = |m: &Message| rows.recipients_of(m).iter().any(|r| r.address == address);
    // What was refused before it was queued was never handed to anybody.
    let queued = |m: &&Message| m.host == host && rows.recipients_of(m).iter().any(|r| !rows.texts.bytes(r.relay).is_empty());
    let (mut all, mut with, mut alone) = (0_usize, 0_usize, 0_usize);
    let mut senders: HashSet<Text> = HashSet::new();
    for m in rows.messages.iter().filter(queued) {
        all += 1;
        if got_it(m) {
            with += 1;
            alone += usize::from(m.recipients == 1);
            senders.insert(m.account.unwrap_or(m.sender));
        }
    }
    let share = |part: usize, of: usize| part as f64 >= NEARLY_ALL * of as f64;
    let is_rule = with >= MESSAGES_MIN && share(with, all) && share(with - alone, with);
    is_rule.then_some(ArchiveCopies { host, address, messages: with as u64, taken_out: senders.len() >= SENDERS_MIN })
}

/// The address most of these messages went to, if it is most of them.
fn candidate<'r>(rows: &'r Rows, messages: impl Iterator<Item = &'r Message>) -> Option<Text> {
    let mut counts: HashMap<Text, usize> = HashMap::new();
    let mut all = 0;
    for message in messages {
        all += 1;
        for recipient in rows.recipients_of(message).iter().filter(|r| !rows.texts.bytes(r.address).is_empty()) {
            *counts.entry(recipient.address).or_default() += 1;
        }
    }
    let (address, count) = counts.into_iter().max_by_key(|(address, count)| (*count, *address))?;
    (count * 4 >= all * 3).then_some(address)
}

fn drop_recipients(rows: &mut Rows, is_copy: impl Fn(&Message, &Recipient) -> bool) {
    let recipients = std::mem::take(&mut rows.recipients);
    rows.recipients.reserve(recipients.len());
    for message in &mut rows.messages {
        let from = message.first_recipient as usize;
        let all = recipients.get(from..from + message.recipients as usize).unwrap_or_default();
        message.first_recipient = rows.recipients.len() as u32;
        let mut counts = [0; 9];
        for recipient in all.iter().filter(|r| !is_copy(message, r)) {
            counts[recipient.outcome as usize] += 1;
            rows.recipients.push(recipient.clone());
        }
        message.recipients = rows.recipients.len() as u32 - message.first_recipient;
        message.outcome = MessageOutcome::settle(&counts);
    }
}
