//! What SMTP sessions say of the messages that were handed in by them, beyond what the queue's own lines tell.

use super::gathered::Gathered;
use super::life::Life;
use super::sessions::{Peer, Refusal, SessionCount, Sessions, TransactionFact};
use crate::domain::text::Text;
use hashbrown::{HashMap, HashSet};
use rayon::prelude::*;

/// What the SMTP session said of a life's transaction.
#[derive(Clone, Debug, Default)]
pub(super) struct SessionWord {
    pub(super) refusals: Vec<Refusal>,
    pub(super) broken_off: bool,
    /// The end of its session is not in evidence.
    pub(super) unended: bool,
    pub(super) accepted: Option<u32>,
    /// Who had handed it in before a filter gave it back.
    pub(super) came_from: Option<(Peer, Option<Text>)>,
}

/// Gives what sessions said of queue ids to the lives of that name and time.
pub(super) fn gather(all: &mut Gathered, sessions: &Sessions) -> HashMap<u32, SessionWord> {
    let mut words: HashMap<u32, SessionWord> = HashMap::new();
    let mut life = Life::default();
    for note in &sessions.notes {
        let Some(life) = all.nearest(note.host, note.queue_id, note.at, &mut life) else { continue };
        match &note.what {
            TransactionFact::RecipientRefused(refusal) => words.entry(life).or_default().refusals.push(refusal.clone()),
            TransactionFact::BrokenOff => words.entry(life).or_default().broken_off = true,
            TransactionFact::CameFrom(peer, user) => words.entry(life).or_default().came_from = Some((*peer, *user)),
            TransactionFact::Decided(decision) => all.decided_early(life, *decision),
        }
    }
    let all = &*all;
    for transaction in sessions.unended.iter().filter(|t| sessions.counting.contains(&t.host)) {
        if let Some(life) = all.nearest(transaction.host, transaction.queue_id, transaction.at, &mut life) {
            words.entry(life).or_default().unended = true;
        }
    }
    let shares: Vec<(u32, u32)> = sessions.counts.par_iter().flat_map_iter(|count| share_recipients(all, &words, count)).collect();
    for (life, accepted) in shares {
        words.entry(life).or_default().accepted = Some(accepted);
    }
    words
}

/// Tells the messages of a session that no line counts the recipients of (refused at the end, dropped, held, or without any further line)
/// how many they had: what the session accepted in all, less those of its other messages.
fn share_recipients(all: &Gathered, words: &HashMap<u32, SessionWord>, count: &SessionCount) -> Vec<(u32, u32)> {
    let (mut open, mut elsewhere) = (Vec::new(), 0);
    let mut life = Life::default();
    for (id, at) in &count.transactions {
        let Some(number) = all.nearest(count.host, *id, *at, &mut life) else { continue };
        if life.announced.is_none() && life.recipients.is_empty() {
            // It may have come to nothing.
            if !life.held && life.final_decision().is_none() && words.get(&number).is_some_and(|word| word.broken_off) {
                return Vec::new();
            }
            open.push(number);
            continue;
        }
        let originals: HashSet<&[u8]> = life.recipients.iter().map(|a| life.text(a.orig.unwrap_or(a.address))).collect();
        elsewhere += if originals.is_empty() { life.announced.unwrap_or(0) } else { originals.len() as u32 };
    }
    let (rest, among) = (count.recipients.saturating_sub(elsewhere), open.len() as u32);
    let share = |(place, life): (usize, u32)| (life, (rest / among + u32::from((place as u32) < rest % among)).max(1));
    open.into_iter().enumerate().map(share).collect()
}

#[cfg(test)]
mod tests {
    use crate::correlate::testing::fates;

    #[test]
    fn a_rule_that_drops_or_holds_a_message_before_its_queue_id_is_about_the_whole_message() {
        for (word, outcome) in [("discard", "discarded"), ("hold", "held")] {
            let lines = format!(
                "16:01:01 mail postfix/smtpd[7]: connect from unknown[203.0.113.5]
                 16:01:01 mail postfix/smtpd[7]: NOQUEUE: {word}: RCPT from unknown[203.0.113.5]: <a@x.test>: Recipient address triggers {} action; from=<suzuki@u.example> to=<a@x.test> proto=ESMTP helo=<pc>
                 16:01:01 mail postfix/smtpd[7]: 1A2B3C4D5E: client=unknown[203.0.113.5], sasl_method=PLAIN, sasl_username=suzuki
                 16:01:02 mail postfix/smtpd[7]: disconnect from unknown[203.0.113.5] ehlo=1 auth=1 mail=1 rcpt=2 data=1 quit=1 commands=7
                 17:01:02 mail postfix/smtpd[7]: connect from unknown[203.0.113.5]",
                word.to_uppercase()
            );
            let found = fates(&lines);
            assert_eq!(found.len(), 1, "{word}: {found:?}");
            assert!(found[0].starts_with(&format!("suzuki@u.example: {outcome} [")), "{found:?}");
            assert_eq!(found[0].matches(&format!("={outcome}")).count(), 2, "{found:?}");
        }
    }

    #[test]
    fn recipients_of_a_refused_message_are_what_the_session_accepted_beyond_its_other_messages() {
        let lines = "
            16:01:01 mail postfix/smtpd[7]: connect from unknown[203.0.113.5]
            16:01:01 mail postfix/smtpd[7]: 1A2B3C4D5E: client=unknown[203.0.113.5], sasl_method=PLAIN, sasl_username=suzuki
            16:01:01 mail postfix/qmgr[9]: 1A2B3C4D5E: from=<suzuki@u.example>, size=267, nrcpt=1 (queue active)
            16:01:01 mail postfix/smtp[5]: 1A2B3C4D5E: to=<a@x.test>, relay=mx.x.test[192.0.2.9]:25, delay=0, delays=0/0/0/0, dsn=2.0.0, status=sent (250 ok)
            16:01:02 mail postfix/smtpd[7]: 2A2B3C4D5E: client=unknown[203.0.113.5], sasl_method=PLAIN, sasl_username=suzuki
            16:01:02 mail postfix/cleanup[6]: 2A2B3C4D5E: reject: header Subject: x from unknown[203.0.113.5]; from=<suzuki@u.example> to=<d@x.test> proto=ESMTP helo=<pc>: 5.7.1 content refused
            16:01:03 mail postfix/smtpd[7]: disconnect from unknown[203.0.113.5] ehlo=1 auth=1 mail=2 rcpt=4 data=1/2 quit=1 commands=10/11";
        assert_eq!(
            fates(lines),
            ["suzuki@u.example: delivered [a@x.test=delivered]", "suzuki@u.example: blocked [=blocked =blocked d@x.test=blocked]"]
        );
    }
}
