//! Our own names: configured, told by the hosts themselves, and the domains of those who log in.

use super::gathered::Gathered;
use super::life::{Life, Opener};
use super::own::Own;
use crate::config::Settings;
use crate::domain::rows::{HostFact, HostNote};
use crate::domain::text::{Text, TextPool};
use crate::domain::time::Timestamp;
use hashbrown::{HashMap, HashSet};
use std::collections::BTreeMap;

/// Gathers them from all that is known before lives are linked.
pub(super) fn gather(
    settings: &Settings,
    texts: &TextPool,
    all: &Gathered,
    notes: &[HostNote],
    host_ends: &HashMap<Text, Timestamp>,
    names: &HashMap<Text, Text>,
) -> Own {
    let mut own = Own::new(&settings.domains, &settings.hosts, &settings.networks);
    let mut told = false;
    for host in host_ends.keys() {
        own.add_host(texts.bytes(*host));
        told |= texts.bytes(*host).contains(&b'.');
    }
    for note in notes {
        if let HostFact::OwnName { name } = note.what {
            own.add_host(texts.bytes(name));
            told = true;
        }
    }
    for account in names.values() {
        if let Some((_, domain)) = texts.show(*account).split_once('@') {
            own.add_domain(domain.as_bytes());
            told = true;
        }
    }
    // Whose account it is that somebody asks about knows that it is theirs.
    for (_, domain) in settings.cases().flat_map(|case| &case.accounts).filter_map(|account| account.split_once('@')) {
        own.add_domain(domain.as_bytes());
        told = true;
    }
    if !told && let Some(domain) = usual_sender_domain(texts, all, names) {
        own.add_domain(&domain);
    }
    own
}

/// The domain most accounts write from under their own name; a forged sender of one account cannot outvote the others.
fn usual_sender_domain(texts: &TextPool, all: &Gathered, names: &HashMap<Text, Text>) -> Option<Vec<u8>> {
    let mut users: BTreeMap<Vec<u8>, HashSet<Text>> = BTreeMap::new();
    let mut life = Life::default();
    for number in (0..all.shards()).flat_map(|shard| all.numbers(shard)) {
        if !all.read(number, &mut life) {
            continue;
        }
        let Opener::Client { user: Some(user), .. } = life.opener else { continue };
        let (Some(account), Some(sender)) = (names.get(&user), life.sender) else { continue };
        let sender = texts.bytes(sender);
        let Some(at) = sender.iter().rposition(|b| *b == b'@') else { continue };
        if sender[..at] == *texts.bytes(*account) {
            users.entry(sender[at + 1..].to_vec()).or_default().insert(*account);
        }
    }
    users.into_iter().max_by_key(|(domain, users)| (users.len(), std::cmp::Reverse(domain.clone()))).map(|(domain, _)| domain)
}

#[cfg(test)]
mod tests {
    use crate::correlate::testing::fates;

    #[test]
    fn a_relay_is_known_to_log_for_itself_by_its_full_name_though_its_log_has_the_short_one() {
        let lines = "
            16:01:01 dept postfix/smtpd[7]: 1A2B3C4D5E: client=unknown[203.0.113.5], sasl_method=PLAIN, sasl_username=suzuki
            16:01:01 dept postfix/qmgr[9]: 1A2B3C4D5E: from=<suzuki@u.example>, size=267, nrcpt=1 (queue active)
            16:01:02 core postfix/smtpd[7]: 2A2B3C4D5E: client=dept.u.example[198.51.100.7]
            16:01:02 core postfix/cleanup[6]: 2A2B3C4D5E: reject: header Subject: x from dept.u.example[198.51.100.7]; from=<suzuki@u.example> to=<d@x.test> proto=ESMTP helo=<dept.u.example>: 5.7.1 spam
            16:01:02 dept postfix/smtp[5]: 1A2B3C4D5E: to=<d@x.test>, relay=core.u.example[198.51.100.8]:25, delay=0, delays=0/0/0/0, dsn=5.7.1, status=bounced (host core.u.example[198.51.100.8] said: 550 5.7.1 spam (in reply to end of DATA command))";
        assert_eq!(fates(lines).iter().filter(|f| f.starts_with("suzuki")).count(), 1, "{:?}", fates(lines));
    }
}
