//! Next hops that take all that a tenant sends to the outside: relays of the organisation, or of somebody who filters for it.
//!
//! A tenant hands mail to the servers of its receivers' domains, and these have different addresses. Where each address takes mail for
//! many domains and hardly any is handed elsewhere, they are no receivers': a connector sends everything there, and only those servers'
//! own log says what became of it. An address that the trace names and that is known to be ours is such a hop as well.

use super::own::{Own, split_relay};
use super::trail_facts::Word;
use super::trails::Trails;
use crate::domain::text::{Text, TextPool};
use crate::formats::TRACE_HOST;
use crate::formats::event::TrailFate;
use hashbrown::{HashMap, HashSet};
use std::net::IpAddr;

/// An address that takes mail for fewer domains may be a receiver's that serves them all.
const DOMAINS_MIN: usize = 8;
/// Of a hundred recipients that were handed on, at least so many go through a relay; a connector may leave some domains out.
const SHARE_MIN: usize = 95;

/// What takes a tenant's mail in its receivers' place.
#[derive(Default)]
pub(super) struct SmartHost {
    /// As the trace's records are stamped; `None` where there is none.
    trace: Option<Text>,
    addresses: HashSet<IpAddr>,
}

impl SmartHost {
    /// Looks at everything that a tenant's trace says was handed to a named next hop.
    pub(super) fn new(texts: &TextPool, trails: &Trails) -> SmartHost {
        let Some(trace) = texts.find(TRACE_HOST) else { return SmartHost::default() };
        let mut by_address: HashMap<IpAddr, (usize, HashSet<&[u8]>)> = HashMap::new();
        let mut all = 0;
        for (recipient, word) in trails.words().filter(|(_, word)| word.line.host == trace && is_handed_on(word)) {
            let Some(address) = address_of(texts.bytes(word.peer)) else { continue };
            let (taken, domains) = by_address.entry(address).or_default();
            *taken += 1;
            all += 1;
            let name = texts.bytes(recipient);
            domains.extend(memchr::memrchr(b'@', name).and_then(|at| name.get(at + 1..)));
        }
        by_address.retain(|_, (_, domains)| domains.len() >= DOMAINS_MIN);
        let taken: usize = by_address.values().map(|(taken, _)| taken).sum();
        let addresses = if taken * 100 >= all * SHARE_MIN { by_address.into_keys().collect() } else { HashSet::new() };
        SmartHost { trace: Some(trace), addresses }
    }

    /// Whether a word of the trace says no more than that a relay took the message.
    pub(super) fn takes(&self, texts: &TextPool, own: &Own, word: &Word) -> bool {
        if self.trace != Some(word.line.host) || !is_handed_on(word) {
            return false;
        }
        let peer = texts.bytes(word.peer);
        let (name, address) = split_relay(peer);
        let named = !(name.is_empty() && address.is_empty());
        match address_of(peer) {
            Some(ip) => own.is_own_client(name, address) || self.addresses.contains(&ip),
            // Where relays take all that is handed on, they took this too, whatever the record leaves out.
            None => !self.addresses.is_empty() || named && own.is_own_client(name, address),
        }
    }
}

fn is_handed_on(word: &Word) -> bool {
    matches!(word.fate, TrailFate::HandedOver { .. })
}

/// The address of a next hop.
fn address_of(peer: &[u8]) -> Option<IpAddr> {
    std::str::from_utf8(split_relay(peer).1).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use crate::correlate::testing::{rows_of_files, shown};

    /// One message to each of so many domains, with the next hop that the trace names for it.
    fn trace(domains: u32, hop: impl Fn(u32) -> String) -> String {
        let row = |n: u32| {
            let (id, hop) = (format!("444444{n:02}-0000-4000-8000-000000000001"), hop(n));
            format!("<m{n}@u.example>,2025-12-04T08:{n:02}:00Z,jane@u.example,x@r{n}.test,Hello,Delivered,{hop},203.0.113.9,900,{id}\n")
        };
        let heading = "MessageId,Received,SenderAddress,RecipientAddress,Subject,Status,ToIP,FromIP,Size,MessageTraceId\n";
        heading.to_owned() + &(0..domains).map(row).collect::<String>()
    }

    /// The outcomes of all messages of a trace, each once.
    fn outcomes(text: &str) -> Vec<String> {
        let login = r#"{"id":"1","createdDateTime":"2025-12-04T08:00:00Z","userPrincipalName":"jane@u.example","status":{"errorCode":0}}"#;
        let lines = shown(&rows_of_files(&[login, text]));
        let mut outcomes: Vec<String> = lines.iter().filter_map(|line| line.split(' ').nth(1).map(str::to_owned)).collect();
        outcomes.sort();
        outcomes.dedup();
        outcomes
    }

    #[test]
    fn two_addresses_that_take_the_mail_for_every_domain_are_relays_and_no_receivers() {
        assert_eq!(outcomes(&trace(24, |n| format!("198.51.100.{}", 7 + n % 2))), ["relayed"]);
    }

    #[test]
    fn receivers_of_their_own_are_receivers() {
        assert_eq!(outcomes(&trace(24, |n| format!("198.51.100.{n}"))), ["delivered"]);
    }

    /// Defender's events say that a message went out, and not to which server.
    #[test]
    fn what_a_record_without_a_next_hop_says_went_out_was_taken_by_the_relay_that_takes_all_else() {
        let heading = "Timestamp,NetworkMessageId,InternetMessageId,SenderFromAddress,RecipientEmailAddress,EmailDirection,DeliveryAction,DeliveryLocation\n";
        let row = "2025-12-04T09:00:00Z,55555555-0000-4000-8000-000000000001,<n@u.example>,jane@u.example,x@s.test,Outbound,Delivered,On-premises/External\n";
        let events = format!("{heading}{row}");
        let of_it = |files: &[&str]| shown(&rows_of_files(files)).pop().unwrap_or_default();
        assert!(of_it(&[&events]).contains("x@s.test=delivered"));
        assert!(of_it(&[&trace(24, |_| "198.51.100.7".to_owned()), &events]).contains("x@s.test=relayed"));
    }

    #[test]
    fn a_server_of_a_few_domains_is_theirs_even_where_nobody_else_was_written_to() {
        assert_eq!(outcomes(&trace(5, |_| "198.51.100.7".to_owned())), ["delivered"]);
    }
}
