//! The table of all accounts, and which spellings were joined.

use super::Facts;
use super::model::{Account, Merge};
use super::profile::{Profiles, got_in, turned_away};
use super::tally;
use crate::domain::rows::{Login, Message};
use crate::domain::text::Text;
use crate::domain::time::Timestamp;
use crate::say::say;
use hashbrown::HashMap;
use rayon::prelude::*;

/// Every account seen, in the order of names.
pub(super) fn accounts(facts: Facts<'_>, profiles: &Profiles) -> Vec<Account> {
    let rows = facts.rows;
    let known = rows.messages.iter().any(|m| m.account.is_some());
    let mut spelled: HashMap<Text, Vec<Text>> = HashMap::new();
    for (spelling, account) in &rows.spellings {
        spelled.entry(*account).or_default().push(*spelling);
    }
    let row = |&account: &Text| {
        let profile = profiles.get(account)?;
        let logins = || profile.logins.iter().map(|&l| &rows.logins[l as usize]);
        let messages: Vec<&Message> = profile.messages.iter().map(|&m| &rows.messages[m as usize]).collect();
        let count = |wanted: fn(&Login) -> bool| -> u64 { logins().filter(|l| wanted(l)).map(|l| u64::from(l.times)).sum() };
        let times =
            || -> Box<dyn Iterator<Item = Timestamp>> { Box::new(logins().map(|l| l.at).chain(messages.iter().map(|m| m.submitted))) };
        let name = rows.show(account);
        Some(Account {
            aliases: spelled.get(&account).into_iter().flatten().map(|from| rows.show(*from)).filter(|s| *s != name).collect(),
            account: name,
            logins: count(got_in),
            failures: count(turned_away),
            origins: profile.origins.iter().filter(|o| o.first.is_some()).count() as u64,
            first: times().min().map(|t| facts.stamp(t)),
            last: times().max().map(|t| facts.stamp(t)),
            messages: known.then(|| tally::messages(messages.iter().copied())),
            recipients: known.then(|| tally::recipients(rows, messages.iter().copied(), |_, _| None)),
        })
    };
    profiles.order.par_iter().filter_map(row).collect()
}

/// Every spelling that is not the account's own name.
pub(super) fn merges(facts: Facts<'_>) -> Vec<Merge> {
    let rows = facts.rows;
    let mut merges: Vec<Merge> = rows
        .spellings
        .iter()
        .filter(|(from, to)| from != to)
        .map(|(from, to)| {
            let (spelling, account) = (rows.show(*from), rows.show(*to));
            let declared = facts.settings.accounts.aliases.values().any(|v| *v == account);
            let why = match (spelling.to_lowercase() == account, declared) {
                (true, _) => say!("upper and lower case are one"),
                (false, true) => say!("declared in the configuration"),
                (false, false) => say!("domain completed or stripped"),
            };
            Merge { spelling, account, why: facts.said(&why) }
        })
        .collect();
    merges.sort_by(|a, b| (&a.account, &a.spelling).cmp(&(&b.account, &b.spelling)));
    merges
}
