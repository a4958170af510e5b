//! Logins from every source that tells of them, each counted once.
//!
//! A failed SMTP AUTH can stand in the SMTP server's log and in the authentication back end's; a failed IMAP login in the login
//! process's line and in the back end's. The back end's line counts only where the other is missing, and lends its user name.
//! `same_session.rs` joins what two logs tell of one session.

use super::lives::Line;
use super::same_session;
use super::sessions::{AuthFailure, SessionLogin};
use super::sign_ins::Proofs;
use crate::domain::account::AccountRules;
use crate::domain::action::FAILED;
use crate::domain::place::Place;
use crate::domain::rows::{Action, HostFact, HostNote, Introduction, Login, LoginResult, MailboxUse, Protocol, ProviderWord};
use crate::domain::text::{Text, TextPool};
use crate::domain::time::SECOND;
use crate::formats::event::{self, ActionEvent, LoginEvent, MailboxEvent, ProofEvent, SystemEvent};
use hashbrown::{HashMap, HashSet};

/// How far apart two daemons stamp the same failed attempt.
const SAME_ATTEMPT: i64 = 3 * SECOND;

/// A back end's line about a failure.
#[derive(Clone, Debug)]
struct BackendFailure {
    line: Line,
    account: Option<Text>,
    address: Option<Text>,
    session: Option<Text>,
    mechanism: Option<Text>,
    protocol: Protocol,
    times: u32,
}

/// Logins, mailbox use and host facts as they come in.
#[derive(Default)]
pub(super) struct Logins {
    logins: Vec<Login>,
    backend: Vec<BackendFailure>,
    proofs: Proofs,
    pub(super) mailbox_uses: Vec<MailboxUse>,
    actions: Vec<Action>,
    pub(super) host_notes: Vec<HostNote>,
    own_names: HashSet<(Text, Text)>,
    /// The lines by which proxies tell of logins.
    passed_on: HashSet<Place>,
}

impl Logins {
    /// Takes in a login event.
    pub(super) fn login(&mut self, texts: &mut TextPool, line: Line, times: u32, event: &LoginEvent<'_>) {
        let account = event.account.map(|a| texts.intern(a));
        let address = event.address.map(|a| texts.intern(a));
        let session = event.session.map(|s| texts.intern(s));
        let mechanism = event.mechanism.map(|m| texts.intern(m));
        let (result, attempts) = match event.result {
            event::LoginResult::Success => (LoginResult::Success, 1),
            event::LoginResult::Stopped => (LoginResult::Stopped, 1),
            event::LoginResult::Interrupted => (LoginResult::Interrupted, 1),
            event::LoginResult::Failure { attempts } => (LoginResult::Failure, attempts.max(1)),
            event::LoginResult::BackendFailure => {
                self.backend.push(BackendFailure { line, account, address, session, mechanism, protocol: event.protocol, times });
                return;
            }
        };
        if event.passed_on {
            self.passed_on.insert(line.place);
        }
        let client = event.client.map(|c| texts.intern(c));
        // Most often the two are one text, and to look up its number once is enough.
        let known = client.filter(|_| event.client == event.user_agent);
        let introduction = event.user_agent.map(|agent| known.unwrap_or_else(|| texts.intern(agent))).map(Introduction::user_agent);
        self.logins.push(Login {
            at: line.at,
            host: line.host,
            account,
            address,
            protocol: event.protocol,
            result,
            times: times.saturating_mul(attempts),
            mechanism,
            client,
            introduction,
            session,
            provider: event.provider.map(|word| Box::new(provider_word(texts, word))),
            place: line.place,
            inferred: false,
        });
    }

    /// Takes in a step of a sign-in that another record tells of.
    pub(super) fn proof(&mut self, texts: &mut TextPool, event: &ProofEvent<'_>) {
        self.proofs.take(texts.intern(event.sign_in), event);
    }

    /// Takes in logins and mailbox uses that are put together already.
    pub(super) fn add(&mut self, logins: Vec<Login>, uses: Vec<MailboxUse>) {
        self.logins.extend(logins);
        self.mailbox_uses.extend(uses);
    }

    /// Takes in actions that are put together already.
    pub(super) fn add_actions(&mut self, actions: Vec<Action>) {
        self.actions.extend(actions);
    }

    /// The logins so far.
    pub(super) fn all(&self) -> &[Login] {
        &self.logins
    }

    /// Takes in what a mailbox session read.
    pub(super) fn mailbox(&mut self, texts: &mut TextPool, line: Line, event: &MailboxEvent<'_>) {
        self.mailbox_uses.push(MailboxUse {
            at: line.at,
            account: event.account.map(|a| texts.intern(a)),
            address: event.address.map(|a| texts.intern(a)),
            session: event.session.map(|s| texts.intern(s)),
            protocol: event.protocol.unwrap_or(Protocol::Other),
            bytes_out: event.bytes_out,
            items: event.items,
            deleted: event.deleted,
            scope: event.scope,
            place: line.place,
        });
    }

    /// Takes in something changed, searched or deleted.
    pub(super) fn action(&mut self, texts: &mut TextPool, line: Line, event: &ActionEvent<'_>) {
        self.actions.push(Action {
            at: line.at,
            host: line.host,
            kind: event.kind,
            account: event.account.map(|a| texts.intern(a)),
            actor: event.actor.map(|a| texts.intern(a)),
            address: event.address.map(|a| texts.intern(a)),
            client: event.client.map(|c| texts.intern(c)),
            detail: if event.failed { texts.intern(&[FAILED.as_bytes(), event.detail].concat()) } else { texts.intern(event.detail) },
            failed: event.failed,
            place: line.place,
        });
    }

    /// Takes in a fact about the host.
    pub(super) fn system(&mut self, texts: &mut TextPool, line: Line, event: &SystemEvent<'_>) {
        let what = match event {
            SystemEvent::Started { version } => HostFact::Started { version: texts.intern(version) },
            SystemEvent::Stopped => HostFact::Stopped,
            SystemEvent::LinesLost { count } => HostFact::LinesLost { count: *count },
            SystemEvent::ClockStep { .. } => HostFact::ClockStep,
            SystemEvent::OwnName { name } => {
                let name = texts.intern(&name.to_ascii_lowercase());
                if !self.own_names.insert((line.host, name)) {
                    return;
                }
                HostFact::OwnName { name }
            }
        };
        self.host_notes.push(HostNote { at: line.at, host: line.host, what, place: line.place });
    }

    /// Joins what all shards saw into one list of logins, in the order of time.
    pub(super) fn finish(
        mut self,
        texts: &mut TextPool,
        rules: &AccountRules,
        smtp: Vec<SessionLogin>,
        failures: Vec<AuthFailure>,
    ) -> Finished {
        let failures = merge_backend(&mut self.logins, self.backend, failures);
        for failure in failures {
            self.logins.push(failure_row(texts, failure));
        }
        for login in smtp {
            self.logins.push(Login {
                at: login.line.at,
                host: login.line.host,
                account: login.user,
                address: Some(login.peer.address),
                protocol: Protocol::SmtpAuth,
                result: LoginResult::Success,
                times: 1,
                mechanism: login.mechanism,
                client: login.helo.or_else(|| known_name(texts, login.peer.name)),
                introduction: login.helo.map(Introduction::helo),
                session: None,
                provider: None,
                place: login.line.place,
                inferred: false,
            });
        }
        let mut spellings = Spellings::new(rules);
        for login in &mut self.logins {
            login.account = login.account.map(|a| spellings.canonical(texts, a));
        }
        for used in &mut self.mailbox_uses {
            used.account = used.account.map(|a| spellings.canonical(texts, a));
        }
        for action in &mut self.actions {
            action.account = action.account.map(|a| spellings.canonical(texts, a));
            action.actor = action.actor.map(|a| spellings.canonical(texts, a));
        }
        self.actions.sort_by_key(|a| (a.at, a.place));
        self.logins.sort_by_key(|l| (l.at, l.place));
        same_session::join_logins(&mut self.logins, &self.passed_on, texts);
        same_session::drop_handed_on(&mut self.logins, texts);
        let differing_sign_ins = super::sign_ins::settle(&mut self.logins, &self.proofs, texts.len());
        self.mailbox_uses.sort_by_key(|u| (u.at, u.place));
        same_session::join_uses(&mut self.mailbox_uses);
        name_mailbox_addresses(&self.logins, &mut self.mailbox_uses);
        Finished {
            logins: self.logins,
            mailbox_uses: self.mailbox_uses,
            actions: self.actions,
            differing_sign_ins,
            host_notes: self.host_notes,
            spellings: spellings.known,
        }
    }
}

/// What [`Logins::finish`] gives.
pub(super) struct Finished {
    pub(super) logins: Vec<Login>,
    pub(super) mailbox_uses: Vec<MailboxUse>,
    pub(super) actions: Vec<Action>,
    /// Sign-ins that two exports tell with different results.
    pub(super) differing_sign_ins: u64,
    pub(super) host_notes: Vec<HostNote>,
    /// Login name as logged to account.
    pub(super) spellings: HashMap<Text, Text>,
}

/// Canonical spellings, worked out once for each distinct login name.
pub(super) struct Spellings<'r> {
    rules: &'r AccountRules,
    known: HashMap<Text, Text>,
}

impl<'r> Spellings<'r> {
    pub(super) fn new(rules: &'r AccountRules) -> Spellings<'r> {
        Spellings { rules, known: HashMap::new() }
    }

    pub(super) fn canonical(&mut self, texts: &mut TextPool, logged: Text) -> Text {
        if let Some(known) = self.known.get(&logged) {
            return *known;
        }
        let canonical = self.rules.canonical(&texts.show(logged));
        let canonical = texts.intern(canonical.as_bytes());
        self.known.insert(logged, canonical);
        canonical
    }
}

fn provider_word(texts: &mut TextPool, word: &event::ProviderWord<'_>) -> ProviderWord {
    let mut text = |said: Option<&[u8]>| said.map(|t| texts.intern(t));
    ProviderWord {
        event_id: text(word.event_id),
        correlation: text(word.correlation),
        application: text(word.application),
        token: word.token,
        code: word.code,
        refusal: word.refusal,
        country: text(word.country),
        city: text(word.city),
        asn: word.asn,
        written: word.written,
    }
}

/// A client's verified name; Postfix writes `unknown` where there is none.
fn known_name(texts: &TextPool, name: Text) -> Option<Text> {
    (texts.bytes(name) != b"unknown").then_some(name)
}

fn failure_row(texts: &TextPool, failure: AuthFailure) -> Login {
    Login {
        at: failure.line.at,
        host: failure.line.host,
        account: failure.user,
        address: Some(failure.peer.address),
        protocol: Protocol::SmtpAuth,
        result: LoginResult::Failure,
        times: failure.times,
        mechanism: Some(failure.mechanism),
        client: known_name(texts, failure.peer.name),
        introduction: failure.helo.map(Introduction::helo),
        session: None,
        provider: None,
        place: failure.line.place,
        inferred: false,
    }
}

/// Drops the back end's copies of failures told elsewhere, lends their names, and keeps those that stand alone.
fn merge_backend(logins: &mut Vec<Login>, backend: Vec<BackendFailure>, mut failures: Vec<AuthFailure>) -> Vec<AuthFailure> {
    failures.sort_by_key(|f| (f.peer.address, f.line.at, f.line.place));
    if backend.is_empty() {
        return failures;
    }
    let told: HashSet<Text> = logins.iter().filter(|l| l.result != LoginResult::Success).filter_map(|l| l.session).collect();
    let mut kept_sessions: HashSet<Text> = HashSet::new();
    let mut last_alone: HashMap<(Option<Text>, Option<Text>), i64> = HashMap::new();
    let mut backend = backend;
    backend.sort_by_key(|b| (b.line.at, b.line.place));
    for failure in backend {
        let repeated = match failure.session {
            Some(session) => told.contains(&session) || !kept_sessions.insert(session),
            None => told_by_smtp(&mut failures, &failure),
        };
        if repeated {
            continue;
        }
        // Two password databases asked in turn write two lines about one attempt in the same instant.
        let key = (failure.account, failure.address);
        if failure.session.is_none() && last_alone.insert(key, failure.line.at.seconds()) == Some(failure.line.at.seconds()) {
            continue;
        }
        logins.push(Login {
            at: failure.line.at,
            host: failure.line.host,
            account: failure.account,
            address: failure.address,
            protocol: failure.protocol,
            result: LoginResult::Failure,
            times: failure.times,
            mechanism: failure.mechanism,
            client: None,
            introduction: None,
            session: failure.session,
            provider: None,
            place: failure.line.place,
            inferred: false,
        });
    }
    failures
}

/// Whether the SMTP server told of this failure too; if it could not name the user, the back end's name is taken over.
fn told_by_smtp(failures: &mut [AuthFailure], backend: &BackendFailure) -> bool {
    let Some(address) = backend.address else { return false };
    let from = failures.partition_point(|f| (f.peer.address, f.line.at) < (address, backend.line.at.plus(-SAME_ATTEMPT)));
    let mut told = false;
    for failure in &mut failures[from..] {
        if failure.peer.address != address || failure.line.at.since(backend.line.at) > SAME_ATTEMPT {
            break;
        }
        if failure.user.is_none() {
            failure.user = backend.account;
            return true;
        }
        told |= failure.user == backend.account || backend.account.is_none();
    }
    told
}

/// A mailbox session's line rarely names the client's address; its login line does. Both are in the order of time.
fn name_mailbox_addresses(logins: &[Login], uses: &mut [MailboxUse]) {
    if uses.is_empty() {
        return;
    }
    let by_session: HashMap<Text, usize> = logins.iter().enumerate().filter_map(|(i, l)| Some((l.session?, i))).collect();
    let mut latest: HashMap<(Option<Text>, Protocol), usize> = HashMap::new();
    let mut next = 0;
    for used in uses {
        while next < logins.len() && logins[next].at <= used.at {
            if logins[next].result == LoginResult::Success {
                latest.insert((logins[next].account, logins[next].protocol), next);
            }
            next += 1;
        }
        let login = match used.session {
            Some(session) => by_session.get(&session).map(|&i| &logins[i]),
            None => latest.get(&(used.account, used.protocol)).map(|&i| &logins[i]),
        };
        if let Some(login) = login {
            used.address = used.address.or(login.address);
            used.account = used.account.or(login.account);
        }
    }
}
