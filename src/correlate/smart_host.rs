//! Next hops that take all that a tenant sends to the outside: relays of the organisation, or of somebody who filters for it.
//!
//! A tenant hands mail to the servers of its receivers' domains, and these stand in different networks. Where one network takes mail for
//! many domains and hardly any other takes any, it is no receiver's: a connector sends everything there, and only that server's own log
//! says what became of it. An address that the trace names and that is known to be ours is such a hop as well.

use super::own::{Own, split_relay};
use super::trails::{Trails, Word};
use crate::domain::text::{Text, TextPool};
use crate::formats::TRACE_HOST;
use crate::formats::event::TrailFate;
use hashbrown::{HashMap, HashSet};
use ipnet::IpNet;
use std::net::IpAddr;

/// A network that takes mail for fewer domains may be a receiver's that serves them all.
const DOMAINS_MIN: usize = 8;
/// Of a hundred recipients that were handed on, at least so many go through a relay; a connector may leave some domains out.
const SHARE_MIN: usize = 95;

/// What takes a tenant's mail in its receivers' place.
#[derive(Default)]
pub(super) struct SmartHost {
    /// As the trace's records are stamped; `None` where there is none.
    trace: Option<Text>,
    network: Option<IpNet>,
}

impl SmartHost {
    /// Looks at everything that a tenant's trace says was handed to a named next hop.
    pub(super) fn new(texts: &TextPool, trails: &Trails) -> SmartHost {
        let Some(trace) = texts.find(TRACE_HOST) else { return SmartHost::default() };
        let mut by_network: HashMap<IpNet, (usize, HashSet<&[u8]>)> = HashMap::new();
        let mut all = 0;
        for (address, word) in trails.words().filter(|(_, word)| word.line.host == trace && is_handed_on(word)) {
            let Some(network) = network_of(texts.bytes(word.peer)) else { continue };
            let (taken, domains) = by_network.entry(network).or_default();
            *taken += 1;
            all += 1;
            let name = texts.bytes(address);
            domains.extend(memchr::memrchr(b'@', name).and_then(|at| name.get(at + 1..)));
        }
        let takes_all = |(taken, domains): &(usize, HashSet<&[u8]>)| domains.len() >= DOMAINS_MIN && taken * 100 >= all * SHARE_MIN;
        let network = by_network.iter().find(|(_, seen)| takes_all(seen)).map(|(network, _)| *network);
        SmartHost { trace: Some(trace), network }
    }

    /// Whether a word of the trace says no more than that a relay took the message.
    pub(super) fn takes(&self, texts: &TextPool, own: &Own, word: &Word) -> bool {
        if self.trace != Some(word.line.host) || !is_handed_on(word) {
            return false;
        }
        let peer = texts.bytes(word.peer);
        let (name, address) = split_relay(peer);
        let named = !(name.is_empty() && address.is_empty());
        named && own.is_own_client(name, address) || self.network.is_some_and(|network| network_of(peer) == Some(network))
    }
}

fn is_handed_on(word: &Word) -> bool {
    matches!(word.fate, TrailFate::HandedOver { .. })
}

/// The network of a next hop's address.
fn network_of(peer: &[u8]) -> Option<IpNet> {
    let (_, address) = split_relay(peer);
    let address: IpAddr = std::str::from_utf8(address).ok()?.parse().ok()?;
    IpNet::new(address, if address.is_ipv4() { 24 } else { 64 }).ok().map(|network| network.trunc())
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
    fn one_network_that_takes_the_mail_for_every_domain_is_a_relay_and_no_receiver() {
        assert_eq!(outcomes(&trace(12, |n| format!("198.51.100.{}", 7 + n % 2))), ["relayed"]);
    }

    #[test]
    fn receivers_of_their_own_are_receivers() {
        assert_eq!(outcomes(&trace(12, |n| format!("198.51.{n}.7"))), ["delivered"]);
    }

    #[test]
    fn a_server_of_a_few_domains_is_theirs_even_where_nobody_else_was_written_to() {
        assert_eq!(outcomes(&trace(5, |_| "198.51.100.7".to_owned())), ["delivered"]);
    }
}
