//! The window of an incident: the attackers' first login and last act, the owner's last login before, and failures before.

use super::Builder;
use crate::analysis::Facts;
use crate::analysis::model::{Count, FirstLogin, PriorFailedLogins};
use crate::analysis::profile::{got_in, stopped, turned_away};
use crate::analysis::witness::Span;
use crate::domain::rows::{Login, Refusal};
use crate::domain::text::Text;
use crate::domain::time::{DAY, Timestamp};
use crate::say::{Lang, Phrase, say};

impl Builder<'_> {
    /// The earliest success from an attacker's origin.
    pub(super) fn first_login(&self, account: Text) -> Option<(Timestamp, FirstLogin)> {
        let rows = self.rows();
        let login = self.logins_of(account).find(|l| got_in(l))?;
        Some((
            login.at,
            FirstLogin {
                time: self.facts.stamp(login.at),
                account: rows.show(account),
                ip: login.address.map(|a| rows.show(a)),
                protocol: login.protocol.as_str().to_owned(),
                client: login.client.map(|c| rows.show(c)),
                evidence: vec![Facts::pointer(login.place)],
            },
        ))
    }

    /// The last login, message, mailbox use or change from an attacker's origin.
    pub(super) fn last_activity(&self, account: Text) -> Option<Timestamp> {
        let login = self.logins_of(account).rev().find(|l| got_in(l)).map(|l| l.at);
        let send = self.messages_of(account).map(|m| m.submitted).max();
        let mailbox = self.mailbox_uses(&[account]).map(|u| u.at).max();
        let acts = self.ground.deeds.actions(self.rows(), account);
        let change = acts.filter(|act| self.is_own_act(account, act)).map(|act| act.at).max();
        [login, send, mailbox, change].into_iter().flatten().max()
    }

    /// The last login of the owner's before the attackers' first, or before the first thing that they are seen to do.
    pub(super) fn last_owner_login(&self, account: Text, first_login: Option<Timestamp>) -> Option<Timestamp> {
        let rows = self.rows();
        let before = first_login.or_else(|| self.attacks(account).iter().map(|attack| attack.first).min());
        let logins = self.ground.profiles.get(account)?.logins.iter().map(|&l| &rows.logins[l as usize]);
        logins
            .filter(|l| got_in(l) && !self.judged.is_attacker(account, l.address))
            .map(|l| l.at)
            .filter(|t| before.is_none_or(|b| *t < b))
            .max()
    }

    /// Failures on an account before the attacker first got in: by anyone, and by the attacker's origins.
    pub(super) fn prior_failures(&self, account: Text, since: Option<Timestamp>) -> PriorFailedLogins {
        let rows = self.rows();
        let Some(since) = since else {
            let note = Some(self.facts.said(&say!("no login of the attacker is in evidence, so there is no moment to count up to")));
            let unknown = Count { count: None, determinable: false, note };
            return PriorFailedLogins { account: unknown.clone(), origin: unknown };
        };
        let failed_before = |l: &&Login| turned_away(l) && l.at < since;
        let by_attacker = |l: &&Login| l.address.is_some_and(|a| self.addresses.contains(&a));
        let times = |l: &Login| u64::from(l.times);
        let numbers = self.ground.profiles.get(account).map(|p| p.logins.as_slice()).unwrap_or_default();
        let failures = || numbers.iter().map(|&l| &rows.logins[l as usize]).filter(failed_before);
        let all: u64 = failures().map(times).sum();
        let origin: u64 = failures().filter(by_attacker).map(times).sum();
        let nameless = || self.ground.deeds.nameless_logins(rows).filter(failed_before);
        let nameless_all: u64 = nameless().map(times).sum();
        let nameless_origin: u64 = nameless().filter(by_attacker).map(times).sum();
        let right: u64 = failures().filter(|l| stopped(l)).map(times).sum();
        let right_origin: u64 = failures().filter(by_attacker).filter(|l| stopped(l)).map(times).sum();
        let silent = self.silent_about_failures(since);
        let told = |tried: Tried| counted(self.facts.lang(), tried, &silent);
        let refused = |why, l: &&Login| l.provider.as_ref().is_some_and(|word| word.refusal == Some(why));
        let by_anyone = |why| failures().filter(|l| refused(why, l)).map(times).sum();
        let by_them = |why| failures().filter(by_attacker).filter(|l| refused(why, l)).map(times).sum();
        let (locked, malicious) = (Refusal::LockedAccount, Refusal::MaliciousAddress);
        PriorFailedLogins {
            account: told(Tried {
                all,
                right,
                locked: by_anyone(locked),
                malicious: by_anyone(malicious),
                nameless: nameless_all,
                by_them_nameless: nameless_origin > 0,
            }),
            origin: told(Tried {
                all: origin,
                right: right_origin,
                locked: by_them(locked),
                malicious: by_them(malicious),
                nameless: nameless_origin,
                by_them_nameless: nameless_origin > 0,
            }),
        }
    }

    /// The kinds of logins whose failures nobody recorded before an instant.
    pub(super) fn silent_about_failures(&self, since: Timestamp) -> Vec<Phrase> {
        let witnesses = self.ground.witnesses;
        let silent = |span: Option<Span>| span.is_none_or(|span| span.from.plus(-DAY) > since);
        let kinds = [(witnesses.smtp_logins, say!("logins for sending mail")), (witnesses.mailboxes, say!("logins to mailboxes"))];
        // An identity provider records every sign-in, whatever it is for.
        let central = witnesses.sign_ins.is_some_and(|span| span.from.plus(-DAY) <= since);
        let unheard = kinds.into_iter().filter(|(span, _)| !central && silent(*span)).map(|(_, what)| what);
        let partly = witnesses.unheard_sending.filter(|at| *at <= since && witnesses.smtp_logins.is_some());
        let partly = partly.map(|_| say!("logins for sending mail at every server and time"));
        // Where nothing tells of mailboxes at all, the kinds of their logins need no naming.
        unheard.chain(partly).chain(witnesses.unlogged().filter(|_| witnesses.mailboxes.is_some())).collect()
    }
}

/// Logins that did not work.
#[derive(Clone, Copy)]
struct Tried {
    all: u64,
    /// Those of them with the right password, stopped for another reason.
    right: u64,
    /// Those refused without a look at the password: the account was locked, or the address is known for malicious acts.
    locked: u64,
    malicious: u64,
    /// More, of users that the log does not name.
    nameless: u64,
    /// Some of these came from the attackers' addresses, so that none at all is not what the log says.
    by_them_nameless: bool,
}

/// A count of failures. What is 0 while a kind of login is in no log is not known to be 0.
fn counted(lang: Lang, tried: Tried, silent: &[Phrase]) -> Count {
    let Tried { all: count, right, locked, malicious, nameless, .. } = tried;
    let mut notes = Vec::new();
    if right > 0 {
        notes.push(say!("{n} of them had the right password and were stopped by something else: it was known by then", n = right));
    }
    if locked > 0 {
        notes.push(say!("{n} of them met a locked account, and their passwords were not looked at", n = locked));
    }
    if malicious > 0 {
        notes.push(say!(
            "{n} of them came from addresses that the provider blocks as malicious, and their passwords were not looked at",
            n = malicious
        ));
    }
    if nameless > 0 {
        notes.push(say!(
            "{n} more failed logins carry no user name (Postfix before 3.9 and some logs of Exchange leave it out), so they cannot be tied to an account",
            n = nameless
        ));
    }
    if let Some(kinds) = silent.iter().cloned().reduce(|a, b| say!("{a} or {b}", a, b)) {
        notes.push(say!("no log of {kinds} is in evidence, so failures there are unknown", kinds));
    }
    let known = count > 0 || silent.is_empty() && !tried.by_them_nameless;
    Count {
        count: known.then_some(count),
        determinable: nameless == 0 && silent.is_empty(),
        note: notes.into_iter().reduce(|a, b| say!("{a}; {b}", a, b)).map(|note| note.to(lang)),
    }
}

/// The failures of several accounts together; what is unknown of one is unknown of all.
pub(super) fn sum_prior<'p>(priors: impl Iterator<Item = &'p PriorFailedLogins> + Clone) -> PriorFailedLogins {
    let sum = |of: fn(&PriorFailedLogins) -> &Count| {
        let counts: Vec<&Count> = priors.clone().map(of).collect();
        let known: Vec<u64> = counts.iter().filter_map(|c| c.count).collect();
        Count {
            count: (!known.is_empty()).then(|| known.iter().sum()),
            determinable: counts.iter().all(|c| c.determinable),
            note: counts.iter().find_map(|c| c.note.clone()),
        }
    };
    PriorFailedLogins { account: sum(|p| &p.account), origin: sum(|p| &p.origin) }
}
