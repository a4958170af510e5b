//! Notices on their way back, counted by the hour: they are no messages and are not kept, but how many came in for whom tells of mail
//! whose own logs may be missing.

use super::life::{Life, NoticeMade, Opener};
use super::queue_id::QueueId;
use super::remap::Map;
use crate::domain::rows;
use crate::domain::text::{Text, TextPool};
use crate::domain::time::{HOUR, MINUTE, Timestamp};
use crate::formats::event::{Program, Status};
use crate::formats::postfix::made_message_id;
use hashbrown::HashMap;
use hashbrown::hash_map::Entry;

/// Host, recipient, hour, and whether it went into a mailbox.
type Key = (Text, Text, i64, bool);

/// The notices of one shard. Addresses have a pool of their own, so that those of the shard keep their numbers.
#[derive(Default)]
pub(super) struct Returned {
    addresses: TextPool,
    hours: HashMap<Key, rows::Returned>,
    lost: LostNotices,
}

/// Notices that came to nobody: when they were made, by the key of the queue id that they were made under.
#[derive(Default)]
pub(super) struct LostNotices(HashMap<u32, Vec<Timestamp>>);

impl LostNotices {
    /// Whether a notice is among them. Queue ids come again after a while, so the time has to agree.
    pub(super) fn holds(&self, notice: NoticeMade) -> bool {
        self.0.get(&notice.id).is_some_and(|made| made.iter().any(|made| made.since(notice.at).abs() <= MINUTE))
    }
}

/// The queue id that a notice was made under, and when. A host that it was handed to knows both from the message id.
fn made_as(life: &Life) -> Option<(QueueId, Timestamp)> {
    match life.opener {
        Opener::Internal => Some((life.id, life.opened)),
        _ => {
            let own = made_message_id(life.message_id()?)?;
            Some((QueueId::new(own.id), own.made?))
        }
    }
}

impl Returned {
    /// Notes a notice that came to nobody.
    pub(super) fn lose(&mut self, life: &Life) {
        if let Some((id, made)) = made_as(life) {
            self.lost.0.entry(id.key()).or_default().push(made);
        }
    }

    /// Those that came to nobody. They can be asked for once.
    pub(super) fn take_lost(&mut self) -> LostNotices {
        std::mem::take(&mut self.lost)
    }

    /// Counts a notice for everybody who got it.
    pub(super) fn count(&mut self, life: &Life) {
        for word in life.recipients.iter().filter(|word| word.status == Status::Sent) {
            let into_mailbox = matches!(word.program, Program::Lmtp | Program::Local | Program::Virtual | Program::Pipe);
            let address = self.addresses.intern(life.text(word.address));
            let (host, first, last, place) = (life.host, word.at, word.at, word.place);
            let made_here = u32::from(matches!(life.opener, Opener::Internal));
            self.add(rows::Returned { address, host, first, last, count: 1, made_here, into_mailbox, place });
        }
    }

    fn add(&mut self, more: rows::Returned) {
        match self.hours.entry((more.host, more.address, more.first.0.div_euclid(HOUR), more.into_mailbox)) {
            Entry::Vacant(free) => {
                free.insert(more);
            }
            Entry::Occupied(mut known) => {
                let known = known.get_mut();
                known.count += more.count;
                known.made_here += more.made_here;
                known.last = known.last.max(more.last);
                (known.first, known.place) = (known.first, known.place).min((more.first, more.place));
            }
        }
    }

    /// Takes over what another shard counted; hosts are renumbered by its map.
    pub(super) fn absorb(&mut self, other: Returned, map: &Map) {
        for (_, mut row) in other.hours {
            map.put(&mut row.host);
            row.address = self.addresses.intern(other.addresses.bytes(row.address));
            self.add(row);
        }
        for (id, made) in other.lost.0 {
            self.lost.0.entry(id).or_default().extend(made);
        }
    }

    /// The rows, in the order of addresses and time.
    pub(super) fn finish(self, texts: &mut TextPool) -> Vec<rows::Returned> {
        let mut found: Vec<rows::Returned> = self.hours.into_values().collect();
        let name = |row: &rows::Returned| self.addresses.bytes(row.address);
        found.sort_unstable_by(|a, b| (name(a), a.first, a.place, a.into_mailbox).cmp(&(name(b), b.first, b.place, b.into_mailbox)));
        for row in &mut found {
            row.address = texts.intern(self.addresses.bytes(row.address));
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use crate::correlate::testing::rows_of_files;

    /// A message that bounced and its notice, which ends in one way or the other; `next` has what the host does that the notice goes to.
    fn bounced(day: u32, id: &str, notice: &str, end: &str, next: &str) -> String {
        let log = format!(
            "Oct {day} 16:01:01 mail postfix/smtpd[7]: {id}: client=unknown[203.0.113.5], sasl_method=PLAIN, sasl_username=suzuki
Oct {day} 16:01:01 mail postfix/qmgr[9]: {id}: from=<suzuki@u.example>, size=267, nrcpt=1 (queue active)
Oct {day} 16:01:02 mail postfix/smtp[5]: {id}: to=<a@x.test>, relay=mx.x.test[192.0.2.9]:25, delay=0, delays=0/0/0/0, dsn=5.0.0, status=bounced (550 no)
Oct {day} 16:01:02 mail postfix/cleanup[6]: {notice}: message-id=<{notice}@mail.u.example>
Oct {day} 16:01:02 mail postfix/bounce[5]: {id}: sender non-delivery notification: {notice}
Oct {day} 16:01:02 mail postfix/qmgr[9]: {notice}: from=<>, size=2670, nrcpt=1 (queue active)
Oct {day} 16:01:03 mail postfix/{end}
Oct {day} 16:01:03 mail postfix/qmgr[9]: {notice}: removed
Oct {day} 16:01:03 mail postfix/qmgr[9]: {id}: removed
"
        );
        log + next
    }

    fn lost(log: &str) -> Vec<bool> {
        rows_of_files(&[log]).notices.iter().map(|notice| notice.lost).collect()
    }

    #[test]
    fn a_queue_id_that_comes_again_is_another_notices() {
        let into = |dsn: &str, status: &str| {
            format!(
                "lmtp[5]: 3A2B3C4D5E: to=<suzuki@u.example>, relay=mail[private/lmtp], delay=0, delays=0/0/0/0, dsn={dsn}, status={status}"
            )
        };
        let full = into("5.2.2", "bounced (host mail[private/lmtp] said: 552 5.2.2 full)");
        let log = bounced(30, "1A2B3C4D5E", "3A2B3C4D5E", &into("2.0.0", "sent (250 ok)"), "")
            + &bounced(31, "2A2B3C4D5E", "3A2B3C4D5E", &full, "");
        assert_eq!(lost(&log), [false, true]);
    }

    /// Long queue ids tell when they were given, and stand in the message id by themselves.
    #[test]
    fn a_notice_of_a_long_queue_id_is_known_on_the_next_host() {
        let (notice, there) = ("4N1Hv21mRhzSn", "4N1Hv30LTXzSq");
        let handed_on = format!(
            "smtp[5]: {notice}: to=<suzuki@u.example>, relay=box.u.example[192.0.2.30]:25, delay=0, delays=0/0/0/0, dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as {there})"
        );
        let next = format!(
            "Oct 31 16:01:03 box postfix/smtpd[5]: {there}: client=mail.u.example[192.0.2.25]
Oct 31 16:01:03 box postfix/cleanup[6]: {there}: message-id=<{notice}@mail.u.example>
Oct 31 16:01:03 box postfix/qmgr[9]: {there}: from=<>, size=2800, nrcpt=1 (queue active)
Oct 31 16:01:03 box postfix/lmtp[5]: {there}: to=<suzuki@u.example>, relay=box[private/lmtp], delay=0, delays=0/0/0/0, dsn=5.2.2, status=bounced (host box[private/lmtp] said: 552 5.2.2 full)
Oct 31 16:01:04 box postfix/qmgr[9]: {there}: removed
"
        );
        assert_eq!(lost(&bounced(31, "4N1Hv11mRhzSm", notice, &handed_on, &next)), [true]);
    }
}
