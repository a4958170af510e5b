//! What a webmail program does for its users: it logs in to their mailboxes and hands their mail in, from the address of its own server.
//! Its own logs know whose browser that was.
//!
//! Where such a log is in evidence, the program's logins at the mail server are no logins of their own, and what came by them is the
//! browser's: of a message that `sends.rs` finds in the program's log that is certain, of the rest the browser that logged in last is
//! taken. Only what came from where the program is (`program.rs`) is touched.

mod names;
mod program;
mod sends;
#[cfg(test)]
mod tests;
mod visits;

use crate::domain::place::Place;
use crate::domain::rows::{Attribution, LoginResult, Protocol, Rows};
use crate::domain::text::Text;
use crate::domain::time::{DAY, HOUR, SECOND, Timestamp};
use hashbrown::{HashMap, HashSet};
use program::Program;
pub(super) use sends::WebSends;
use sends::{Tie, WebSend};
use std::collections::BTreeMap;
use visits::{SESSION, Try, Visit, Visits, latest};

/// How far apart the program's log and the mail server's stamp one login, which the program notes when the server has answered.
const SAME_LOGIN: i64 = 5 * SECOND;

/// How long a web session is silent at most that goes on for longer than [`SESSION`]: a page left open asks for new mail every few minutes.
const SILENCE: i64 = HOUR;

/// What happens so long after the last login is no web session's, silent or not.
const SURELY_OVER: i64 = DAY;

/// Gives what came through webmail to the addresses of the browsers. `names` tells the accounts of the program's users.
pub(super) fn settle(rows: &mut Rows, sends: WebSends, names: &HashMap<Text, Text>) {
    let mut sends = sends.finish(names);
    let ties = sends::ties(&sends, rows);
    names::join(rows, &mut sends, &ties);
    let visits = Visits::new(&rows.logins);
    if visits.span.is_none() && sends.is_empty() {
        return;
    }
    let program = Program::new(rows, &visits, &sends, &ties);
    let mut dropped = doubled_failures(rows, &visits, &program);
    let tied: HashSet<usize> = ties.iter().map(|tie| tie.message).collect();
    for (account, steps) in steps(rows, &visits, &program, &tied) {
        let visits_of = visits.of(account);
        for (step, visit) in steps.iter().zip(given(&steps, &visits, account)) {
            let Some(visit) = visit else { continue };
            dropped.extend(give(rows, step, visits_of, visit));
        }
    }
    let legs = legs(rows, &sends, &ties);
    let began = |sent: &WebSend, at: Timestamp| {
        let here = |visit: &&Visit| visit.address == sent.address && visit.at <= at.plus(SAME_LOGIN);
        visits.of(sent.account).iter().rfind(here).is_some_and(|visit| at.since(visit.at) <= SURELY_OVER)
    };
    let implied = sends::implied_logins(&sends, &ties, rows, began);
    let mut number = 0;
    rows.logins.retain(|login| {
        number += 1;
        let is_leg = is_for_sending(login.protocol) && login.account.is_some_and(|account| legs.contains(&(login.place, account)));
        !is_leg && !dropped.contains(&(number - 1))
    });
    rows.logins.extend(implied);
    rows.logins.sort_by_key(|login| (login.at, login.place));
    for Tie { message, sent } in ties {
        let (message, sent) = (&mut rows.messages[message], &sends[sent]);
        (message.account, message.attribution) = (Some(sent.account), Attribution::Named);
        // The name of the client is the web server's.
        (message.address, message.client, message.protocol) = (Some(sent.address), None, Protocol::Webmail);
    }
}

/// Whether a webmail program uses a protocol for its users.
fn is_by_program(protocol: Protocol) -> bool {
    matches!(protocol, Protocol::Imap | Protocol::Pop3 | Protocol::Sieve | Protocol::SmtpAuth)
}

fn is_for_sending(protocol: Protocol) -> bool {
    protocol == Protocol::SmtpAuth
}

/// The logins by which messages came in that the program tells of, and whose they are. They are no logins beside that at the webmail.
fn legs(rows: &mut Rows, sends: &[WebSend], ties: &[Tie]) -> HashSet<(Place, Text)> {
    let leg = |tie: &Tie| (rows.messages[tie.message].place, sends[tie.sent].account);
    let legs: HashSet<(Place, Text)> = ties.iter().map(leg).collect();
    let is_leg = |place: Place, account: Option<Text>| account.is_some_and(|account| legs.contains(&(place, account)));
    let told = rows.logins.iter().filter(|login| is_for_sending(login.protocol) && is_leg(login.place, login.account));
    for at in told.map(|login| login.at).collect::<Vec<_>>() {
        sent_at(rows, at);
    }
    legs
}

/// Notes that a login for sending is in evidence, though it is none of the rows.
fn sent_at(rows: &mut Rows, at: Timestamp) {
    let (first, last) = rows.web_sending.unwrap_or((at, at));
    rows.web_sending = Some((first.min(at), last.max(at)));
}

/// The mailbox server's lines about logins that failed at the webmail, which tells of them too: each of these stands for one.
fn doubled_failures(rows: &Rows, visits: &Visits, program: &Program) -> HashSet<usize> {
    let mut told: HashSet<Try> = HashSet::new();
    let mut doubled = HashSet::new();
    for (number, login) in rows.logins.iter().enumerate() {
        let failed = is_by_program(login.protocol) && login.result != LoginResult::Success;
        if failed
            && program.holds(&rows.texts, Some(login.host), login.address)
            && let Some(free) = visits.beside(login).find(|one| !told.contains(one))
        {
            told.insert(free);
            doubled.insert(number);
        }
    }
    doubled
}

/// A row, by its number in its table.
#[derive(Clone, Copy)]
enum What {
    Login(usize),
    Use(usize),
    Message(usize),
}

/// Something that came from where the program comes from.
struct Step {
    at: Timestamp,
    /// Whether mail was sent, or a login was for that.
    sends: bool,
    what: What,
}

/// What came from there, by account and in the order of time, of the accounts that log in at the webmail.
fn steps(rows: &Rows, visits: &Visits, program: &Program, tied: &HashSet<usize>) -> BTreeMap<Text, Vec<Step>> {
    let mut steps: BTreeMap<Text, Vec<Step>> = BTreeMap::new();
    let mut add = |account: Option<Text>, host: Option<Text>, address: Option<Text>, step: Step| {
        let account = account.filter(|account| !visits.of(*account).is_empty());
        if let Some(account) = account.filter(|_| program.holds(&rows.texts, host, address)) {
            steps.entry(account).or_default().push(step);
        }
    };
    for (number, login) in rows.logins.iter().enumerate().filter(|(_, l)| l.result == LoginResult::Success && is_by_program(l.protocol)) {
        let step = Step { at: login.at, sends: is_for_sending(login.protocol), what: What::Login(number) };
        add(login.account, Some(login.host), login.address, step);
    }
    for (number, used) in rows.mailbox_uses.iter().enumerate().filter(|(_, used)| is_by_program(used.protocol)) {
        add(used.account, None, used.address, Step { at: used.at, sends: false, what: What::Use(number) });
    }
    let messages = rows.messages.iter().enumerate().filter(|(_, message)| is_for_sending(message.protocol));
    for (number, message) in messages.filter(|(number, _)| !tied.contains(number)) {
        let step = Step { at: message.submitted, sends: true, what: What::Message(number) };
        add(message.account, Some(message.host), message.address, step);
    }
    // A stable sort: what happened in one instant stays in the order of its table.
    steps.values_mut().for_each(|steps| steps.sort_by_key(|step| step.at));
    steps
}

/// The number of the visit that each step belongs to, if any.
///
/// An account may be used from the web server's host by other programs too (one that fetches its mail, a script that sends some). They
/// show by what they do while no web session can be on; then only what follows a web login closely is that session's.
fn given(steps: &[Step], visits: &Visits, account: Text) -> Vec<Option<usize>> {
    let of = visits.of(account);
    let found = given_within(steps, of, [false; 2]);
    // A session may have been on when the webmail's log begins, or begin after its end.
    let told = |step: &Step| visits.span.is_some_and(|(from, to)| step.at.since(from) > SURELY_OVER && step.at <= to);
    let surely_over = |step: &Step| match latest(of, step.at.plus(SAME_LOGIN)) {
        Some(visit) => step.at.since(of[visit].at) > SURELY_OVER,
        None => true,
    };
    let mut others = [false; 2];
    for (step, _) in steps.iter().zip(&found).filter(|(step, visit)| visit.is_none() && told(step) && surely_over(step)) {
        others[usize::from(step.sends)] = true;
    }
    if others == [false; 2] { found } else { given_within(steps, of, others) }
}

/// The same; `closely` says for reading and for sending whether other programs do that too.
fn given_within(steps: &[Step], visits: &[Visit], closely: [bool; 2]) -> Vec<Option<usize>> {
    let mut sign: Option<(usize, Timestamp)> = None;
    let visit_of = |step: &Step| {
        let visit = latest(visits, step.at.plus(if step.sends { 0 } else { SAME_LOGIN }))?;
        let age = step.at.since(visits[visit].at);
        if closely[usize::from(step.sends)] {
            return (age <= SILENCE).then_some(visit);
        }
        let goes_on = sign.is_some_and(|(of, at)| of == visit && step.at.since(at) <= SILENCE);
        (age <= SESSION || goes_on).then(|| {
            sign = Some((visit, step.at));
            visit
        })
    };
    steps.iter().map(visit_of).collect()
}

/// Gives a step to the browser of a visit; the number of a login that is none of its own then.
fn give(rows: &mut Rows, step: &Step, visits: &[Visit], visit: usize) -> Option<usize> {
    let address = Some(visits[visit].address);
    match step.what {
        What::Login(number) => {
            if step.sends {
                sent_at(rows, step.at);
            }
            return Some(number);
        }
        What::Use(number) => rows.mailbox_uses[number].address = address,
        What::Message(number) => {
            let message = &mut rows.messages[number];
            // The name of the client is the web server's.
            (message.address, message.client, message.protocol) = (address, None, Protocol::Webmail);
            rows.doubtful_web_messages += u64::from(is_contested(visits, visit, step.at));
            // Where the program hands mail in without a login, that at the webmail is the one for sending.
            sent_at(rows, step.at);
        }
    }
    None
}

/// Whether somebody at another address had logged in as well, and might still have been there.
fn is_contested(visits: &[Visit], visit: usize, at: Timestamp) -> bool {
    let mut earlier = visits[..visit].iter().rev().take_while(|earlier| at.since(earlier.at) <= SESSION);
    earlier.any(|earlier| earlier.address != visits[visit].address)
}
