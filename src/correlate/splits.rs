//! Messages that a host of ours, whose own log is not in evidence, handed over in pieces: Postfix gives each next hop so many recipients at
//! once (`default_destination_recipient_limit`, 50) and all others again. The pieces share message-id, sender and client, and all but the
//! last are equally large.

use super::gathered::Gathered;
use super::life::{Life, Opener};
use super::links::{Links, says_something};
use super::own::Own;
use crate::domain::place::Place;
use crate::domain::text::{Text, TextPool};
use crate::domain::time::{MINUTE, Timestamp};
use hashbrown::HashMap;
use std::hash::BuildHasher;

/// How far apart two pieces are handed over at most.
const APART: i64 = MINUTE;

/// A life that may be a piece of a message.
pub(super) struct Piece {
    /// Of host, client, sender and message-id.
    key: u64,
    opened: Timestamp,
    place: Place,
    number: u32,
    recipients: u32,
}

/// Looks for pieces among the lives of one shard.
pub(super) struct Seeker<'a> {
    texts: &'a TextPool,
    own: &'a Own,
}

impl<'a> Seeker<'a> {
    pub(super) fn new(texts: &'a TextPool, own: &'a Own) -> Seeker<'a> {
        Seeker { texts, own }
    }

    /// The piece that a life may be; `silent` has the answers for clients asked about before.
    pub(super) fn piece(&self, number: u32, life: &Life, silent: &mut HashMap<(Text, Text), bool>) -> Option<Piece> {
        let Opener::Client { address, name, user: None, orig_queue_id: None } = life.opener else { return None };
        let of_ours = || {
            let (name, address) = (self.texts.bytes(name), self.texts.bytes(address));
            !self.own.has_log(name) && self.own.is_own_client(name, address)
        };
        if !*silent.entry((name, address)).or_insert_with(of_ours) {
            return None;
        }
        let id = life.message_id().filter(|id| says_something(id))?;
        let key = foldhash::fast::FixedState::with_seed(0).hash_one((life.host, address, life.sender?, id));
        let recipients = life.announced.unwrap_or(life.recipients.len() as u32);
        Some(Piece { key, opened: life.opened, place: life.place, number, recipients })
    }
}

/// Makes one message of the pieces that no other life led to.
pub(super) fn join(all: &Gathered, mut pieces: Vec<Piece>, links: &mut Links) {
    pieces.retain(|piece| !links.has_parent(piece.number));
    pieces.sort_unstable_by_key(|piece| (piece.key, piece.opened, piece.place));
    let near = |a: &Piece, b: &Piece| a.key == b.key && b.opened.since(a.opened) <= APART;
    for pieces in pieces.chunk_by(near).filter(|pieces| are_of_one(pieces)) {
        let [first, rest @ ..] = pieces else { continue };
        let message_id = all.get(first.number).message_id().map(<[u8]>::to_vec);
        let same = rest.iter().filter(|piece| all.get(piece.number).message_id() == message_id.as_deref());
        links.add_pieces(first.number, same.map(|piece| piece.number).collect());
    }
}

/// Whether lives look like one message cut by a limit, and not like messages whose program gives them all one id.
fn are_of_one(pieces: &[Piece]) -> bool {
    let most = pieces.iter().map(|piece| piece.recipients).max().unwrap_or(0);
    let full = pieces.iter().filter(|piece| piece.recipients == most).count();
    pieces.len() > 1 && most > 1 && full + 1 >= pieces.len()
}

#[cfg(test)]
mod tests {
    use crate::correlate::testing::fates;

    /// Pieces of so many recipients each, which a host without a log hands over in this time.
    fn handed_over(pieces: &[u32], apart: u32, own_id: bool) -> usize {
        let mut log = "16:00:01 relay.u.example dovecot: imap-login: Login: user=<suzuki>, method=PLAIN, rip=203.0.113.5, lip=192.0.2.25, mpid=1, session=<a>\n".to_owned();
        for (number, recipients) in (1..).zip(pieces) {
            let (at, id) = (format!("16:01:{:02}", number * apart), format!("{number}A2B3C4D5E"));
            let message = if own_id { number } else { 0 };
            log += &format!(
                "{at} relay.u.example postfix/smtpd[7]: {id}: client=mx1.u.example[198.51.100.9]
                 {at} relay.u.example postfix/cleanup[6]: {id}: message-id=<{message}@pc>
                 {at} relay.u.example postfix/qmgr[9]: {id}: from=<suzuki@u.example>, size=267, nrcpt={recipients} (queue active)\n"
            );
            for to in 0..*recipients {
                log += &format!(
                    "{at} relay.u.example postfix/smtp[5]: {id}: to=<r{number}-{to}@x.test>, relay=mx.x.test[192.0.2.9]:25, delay=0, delays=0/0/0/0, dsn=2.0.0, status=sent (250 ok)\n"
                );
            }
        }
        let fates = fates(&log);
        let recipients: u32 = fates.iter().map(|fate| fate.matches("=delivered").count() as u32).sum();
        assert_eq!(recipients, pieces.iter().sum::<u32>(), "{fates:?}");
        fates.len()
    }

    #[test]
    fn pieces_that_a_limit_made_are_one_message() {
        assert_eq!(handed_over(&[5, 5, 2], 1, false), 1);
        assert_eq!(handed_over(&[5, 1], 1, false), 1);
        // Messages of their own: by their ids, by the time between them, by their sizes.
        assert_eq!(handed_over(&[5, 5, 2], 1, true), 3);
        assert_eq!(handed_over(&[1, 1, 1], 1, false), 3);
        assert_eq!(handed_over(&[5, 4, 2], 1, false), 3);
    }
}
