//! Two names of one person. The webmail program's log has the name that was typed in, the mail server's that by which the program logged
//! in for it: with a domain and without one, where no `default_domain` makes them one.
//!
//! Where the logs show both names at one act, they are one account, and the report lists that among the spellings joined.

use super::sends::{Tie, WebSend};
use super::visits::is_web;
use super::{SAME_LOGIN, is_by_program};
use crate::correlate::transactions::in_order;
use crate::domain::rows::{Attribution, Login, LoginResult, Rows};
use crate::domain::text::{Text, TextPool};
use hashbrown::{HashMap, HashSet};

/// Makes one account of two names that are shown to be one person's.
pub(super) fn join(rows: &mut Rows, sends: &mut [WebSend], ties: &[Tie]) {
    let twins = twins(rows, sends);
    if twins.is_empty() {
        return;
    }
    let mut same = begun_as_both(&rows.logins, &twins);
    for tie in ties {
        let message = &rows.messages[tie.message];
        let named = message.account.filter(|_| message.attribution == Attribution::Named);
        same.extend(named.and_then(|named| bare_of(&twins, named, sends[tie.sent].account)));
    }
    let full = |account: &mut Text| {
        if let Some(full) = same.contains(account).then(|| twins.get(account)).flatten() {
            *account = *full;
        }
    };
    if !same.is_empty() {
        rename(rows, full);
        sends.iter_mut().for_each(|sent| full(&mut sent.account));
    }
}

/// Names without a domain, and the only one with a domain that may be the same person's.
fn twins(rows: &Rows, sends: &[WebSend]) -> HashMap<Text, Text> {
    let texts = &rows.texts;
    let logged_in = rows.logins.iter().filter_map(|login| login.account).chain(sends.iter().map(|sent| sent.account));
    let accounts: HashSet<Text> = logged_in.chain(rows.messages.iter().filter_map(|message| message.account)).collect();
    let mut full: HashMap<&[u8], Option<Text>> = HashMap::new();
    for &account in accounts.iter().filter(|account| has_domain(texts, **account)) {
        full.entry(local_part(texts, account)).and_modify(|only| *only = None).or_insert(Some(account));
    }
    let twin = |account: &Text| full.get(local_part(texts, *account)).copied().flatten().map(|twin| (*account, twin));
    accounts.iter().filter(|account| !has_domain(texts, **account)).filter_map(twin).collect()
}

/// The name without a domain, if two names are such twins.
fn bare_of(twins: &HashMap<Text, Text>, a: Text, b: Text) -> Option<Text> {
    [(a, b), (b, a)].into_iter().find_map(|(bare, full)| (twins.get(&bare) == Some(&full)).then_some(bare))
}

/// The names without a domain that logged in at the webmail or the mail server in the moment in which their twins did at the other.
fn begun_as_both(logins: &[Login], twins: &HashMap<Text, Text>) -> HashSet<Text> {
    let full = |account: Text| twins.get(&account).copied().unwrap_or(account);
    let worked = || logins.iter().filter(|login| login.result == LoginResult::Success);
    let mut begun: HashMap<Text, Vec<&Login>> = HashMap::new();
    for login in worked().filter(|login| is_web(login)) {
        if let Some(account) = login.account {
            begun.entry(full(account)).or_default().push(login);
        }
    }
    let mut both = HashSet::new();
    for login in worked().filter(|login| is_by_program(login.protocol)) {
        let Some(account) = login.account else { continue };
        let visits = begun.get(&full(account)).map(Vec::as_slice).unwrap_or_default();
        let first = visits.partition_point(|visit| visit.at < login.at.plus(-SAME_LOGIN));
        let near = visits.iter().skip(first).take_while(|visit| visit.at.since(login.at) <= SAME_LOGIN);
        let near = near.filter(|visit| visit.address != login.address);
        both.extend(near.filter_map(|visit| bare_of(twins, account, visit.account?)));
    }
    both
}

fn rename(rows: &mut Rows, full: impl Fn(&mut Text)) {
    rows.logins.iter_mut().filter_map(|login| login.account.as_mut()).for_each(&full);
    rows.messages.iter_mut().filter_map(|message| message.account.as_mut()).for_each(&full);
    rows.mailbox_uses.iter_mut().filter_map(|used| used.account.as_mut()).for_each(&full);
    rows.actions.iter_mut().flat_map(|action| [&mut action.account, &mut action.actor]).flatten().for_each(&full);
    rows.untold.iter_mut().filter_map(|half| half.account.as_mut()).for_each(&full);
    rows.spellings.iter_mut().for_each(|(_, account)| full(account));
    let mut vanished_of: HashMap<Text, u64> = HashMap::new();
    for (mut account, n) in std::mem::take(&mut rows.vanished_of) {
        full(&mut account);
        *vanished_of.entry(account).or_default() += n;
    }
    rows.vanished_of = in_order(&rows.texts, vanished_of);
}

fn has_domain(texts: &TextPool, account: Text) -> bool {
    texts.bytes(account).contains(&b'@')
}

fn local_part(texts: &TextPool, account: Text) -> &[u8] {
    let name = texts.bytes(account);
    name.split(|b| *b == b'@').next().unwrap_or(name)
}
