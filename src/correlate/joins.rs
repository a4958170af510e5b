//! Puts messages that were followed by their own ids beside those that were followed by queue ids, in the order of time. A message that
//! went from one system of ours to another one is one message: it begins where it came in first and ends as the last one says.

use super::trail_rows::Draft;
use crate::domain::outcome::{MessageOutcome, Outcome};
use crate::domain::rows::{Kind, Notice, Recipient, Rows};
use crate::domain::text::TextPool;
use crate::domain::time::{DAY, MINUTE, SECOND, Timestamp};
use crate::formats::TRACE_HOST;
use hashbrown::{HashMap, HashSet};
use rayon::prelude::*;

/// Clocks of two servers may differ by this much.
const CLOCKS: i64 = 5 * MINUTE;
/// How long a message may wait in a queue between two systems.
const ON_THE_WAY: i64 = 5 * DAY;

/// Messages of one Message-ID that are tried, before and after in time: an attacker's may all bear the same one.
const TRIED: usize = 32;

/// Adds drafts to rows that are complete in themselves.
pub(super) fn add(rows: &mut Rows, drafts: Vec<Draft>, texts: &TextPool) {
    if drafts.is_empty() {
        return;
    }
    let others = take_apart(rows);
    let drafts = join_with_trace(drafts, texts);
    let mut all = if others.is_empty() { drafts } else { join(others, drafts, texts) };
    all.par_sort_by_key(|d| (d.message.submitted, d.message.place));
    put_together(rows, all);
}

/// The rows' messages as drafts.
fn take_apart(rows: &mut Rows) -> Vec<Draft> {
    let mut recipients = std::mem::take(&mut rows.recipients).into_iter();
    let mut drafts: Vec<Draft> = std::mem::take(&mut rows.messages)
        .into_iter()
        .map(|message| {
            let recipients = recipients.by_ref().take(message.recipients as usize).collect();
            Draft { message, recipients, notices: Vec::new() }
        })
        .collect();
    for notice in std::mem::take(&mut rows.notices) {
        if let Some(draft) = drafts.get_mut(notice.message as usize) {
            draft.notices.push(notice);
        }
    }
    drafts
}

fn put_together(rows: &mut Rows, drafts: Vec<Draft>) {
    for (number, draft) in drafts.into_iter().enumerate() {
        let Draft { mut message, recipients, notices } = draft;
        let number = number as u32;
        let mut counts = [0; 9];
        recipients.iter().for_each(|r| counts[r.outcome as usize] += 1);
        message.outcome = MessageOutcome::settle(&counts);
        message.first_recipient = rows.recipients.len() as u32;
        message.recipients = recipients.len() as u32;
        rows.recipients.extend(recipients.into_iter().map(|r| Recipient { message: number, ..r }));
        rows.notices.extend(notices.into_iter().map(|n| Notice { message: number, ..n }));
        rows.messages.push(message);
    }
    rows.notices.sort_by_key(|n| (n.at, n.place));
}

/// Joins messages that servers on our premises handed to the tenant or got from it: the tenant gives them ids of its own, unless it knows
/// the servers for its own.
fn join_with_trace(drafts: Vec<Draft>, texts: &TextPool) -> Vec<Draft> {
    let Some(trace) = texts.find(TRACE_HOST) else { return drafts };
    let (traced, mut others): (Vec<Draft>, Vec<Draft>) = drafts.into_iter().partition(|draft| draft.message.host == trace);
    if traced.is_empty() || others.is_empty() {
        others.extend(traced);
        return others;
    }
    join(others, traced, texts)
}

/// Joins messages that one system handed to the other.
fn join(queued: Vec<Draft>, mut tracked: Vec<Draft>, texts: &TextPool) -> Vec<Draft> {
    // By the bytes: not every Message-ID of a queue file is in the pool once.
    let mut by_id: HashMap<&[u8], Vec<(Timestamp, usize)>> = HashMap::new();
    for (number, draft) in tracked.iter().enumerate() {
        let id = texts.bytes(draft.message.message_id);
        if !id.is_empty() {
            by_id.entry(id).or_default().push((draft.message.submitted, number));
        }
    }
    by_id.values_mut().for_each(|same| same.sort_unstable());
    let mut left: Vec<Draft> = Vec::new();
    let mut taken: HashSet<usize> = HashSet::new();
    for mut draft in queued {
        let same = by_id.get(texts.bytes(draft.message.message_id)).map(Vec::as_slice).unwrap_or_default();
        let at = same.partition_point(|(submitted, _)| *submitted < draft.message.submitted);
        let near = same.get(at.saturating_sub(TRIED)..(at + TRIED).min(same.len())).unwrap_or_default();
        let mut joined = false;
        for &(_, number) in near {
            let Some(other) = tracked.get_mut(number).filter(|_| !taken.contains(&number)) else { continue };
            if begins(&draft, other) && may_follow(&draft, other) && follow(&mut draft, other) {
                taken.insert(number);
                continue;
            }
            if may_follow(other, &draft) && follow(other, &draft) {
                joined = true;
                break;
            }
            if may_follow(&draft, other) && follow(&mut draft, other) {
                taken.insert(number);
            }
        }
        if !joined {
            left.push(draft);
        }
    }
    let kept = tracked.into_iter().enumerate().filter(|(number, _)| !taken.contains(number)).map(|(_, draft)| draft);
    left.extend(kept);
    left
}

/// Whether a user handed in the first before the second came in, the times of which may be cut to the second.
fn begins(first: &Draft, second: &Draft) -> bool {
    first.message.kind == Kind::Submission && second.message.submitted.since(first.message.submitted) > -SECOND
}

/// Whether the second can be what became of the first: it came in later, and not from a user.
fn may_follow(first: &Draft, second: &Draft) -> bool {
    let way = second.message.submitted.since(first.message.submitted);
    let by_a_user =
        second.message.kind == Kind::Submission && second.message.account.is_some() && second.message.account != first.message.account;
    (-CLOCKS..=ON_THE_WAY).contains(&way) && !by_a_user
}

/// Whether the other system's word about the same address is the later one: a delivery that comes in at another host of ours was a
/// hand-over, whatever the first system called it.
fn may_go_on(recipient: &Recipient) -> bool {
    is_open(recipient) || recipient.outcome == Outcome::Delivered
}

/// Whether nothing but the hand-over is known of a recipient.
fn is_open(recipient: &Recipient) -> bool {
    matches!(recipient.outcome, Outcome::Relayed | Outcome::Unknown)
}

/// Gives the first message the ends that the second found; false if the second is about other recipients.
fn follow(first: &mut Draft, second: &Draft) -> bool {
    let mut used = vec![false; second.recipients.len()];
    for recipient in first.recipients.iter_mut().filter(|r| may_go_on(r)) {
        let found = second.recipients.iter().zip(&mut used).find(|(end, used)| !**used && end.address == recipient.address);
        if let Some((end, used)) = found {
            *used = true;
            *recipient = Recipient { attempts: recipient.attempts.max(end.attempts), ..end.clone() };
        }
    }
    if !used.contains(&true) {
        return false;
    }
    // Addresses that the second system put in the place of one it was given.
    let mut open = first.recipients.iter().filter(|r| is_open(r)).count();
    for (end, _) in second.recipients.iter().zip(used).filter(|(_, used)| !used) {
        if open == 0 {
            break;
        }
        if let Some(at) = first.recipients.iter().position(is_open) {
            first.recipients.remove(at);
            open -= 1;
        }
        first.recipients.push(end.clone());
    }
    first.notices.extend(&second.notices);
    true
}
