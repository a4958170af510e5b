//! A tenant that remembers what happens in it, and exports it at the end.

use super::acts::{Act, Actor, Extent, Reading};
use super::audit::{self, Record};
use super::directory::Directory;
use super::export::{Encoding, Export};
use super::guid::{Guid, Kind};
use super::message::Message;
use super::sign_in::{Code, Door, Proof, SignIn, Who};
use super::trace::Query;
use super::{graph, historical, portal, streams, trace};
use crate::domain::time::SECOND;
use crate::simulate::happenings::Login;
use crate::simulate::random::mix;
use crate::simulate::request::{AuditForm, Forms, SignInForm, TraceForm};
use std::collections::BTreeSet;
use std::net::IpAddr;

/// The tenant.
#[derive(Debug)]
pub(super) struct Tenant {
    salt: u64,
    directory: Directory,
    sign_ins: Vec<SignIn>,
    records: Vec<Record>,
    messages: Vec<Message>,
    /// Numbers of flows, of which GUIDs are made.
    flows: u64,
}

/// Whether a login needs the phone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phone {
    NotUsed,
    Used,
    /// The first call is not answered.
    UsedAtTheSecondCall,
}

/// Rows of a page of the message trace.
const TRACE_PAGE: usize = 1000;

impl Tenant {
    /// A tenant with an account for each address.
    pub(super) fn new(salt: u64, addresses: &[String]) -> Tenant {
        let directory = Directory::new(salt, addresses);
        Tenant { salt, directory, sign_ins: Vec::new(), records: Vec::new(), messages: Vec::new(), flows: 0 }
    }

    fn flow(&mut self) -> u64 {
        self.flows += 1;
        self.flows
    }

    /// A login by a protocol that sends the password each time. Some stand among the interactive ones and some among the others.
    pub(super) fn legacy(&mut self, at: i64, who: Who, from: IpAddr, door: Door, code: Code) {
        let interactive = mix(self.salt ^ at as u64) % 10 < 7;
        let flow = self.flow();
        self.step(flow, 0, SignIn { interactive, ..blank(at, who, from, door, code) });
    }

    /// A login in a browser: password, where asked the phone, and the question whether to stay signed in; an id for each. Before it, the
    /// browser often tries whether a session is left. Returns the session and the login: whoever is asked to stay signed in got in.
    pub(super) fn browse(&mut self, at: i64, account: usize, from: IpAddr, door: Door, phone: Phone) -> (Guid, Login) {
        let flow = self.flow();
        let session = Guid::of(self.salt, Kind::Session, flow);
        let step = |at, code, proof| SignIn { session, proof, ..blank(at, Who::Account(account), from, door, code) };
        let mut now = at;
        if mix(self.salt ^ flow).is_multiple_of(5) {
            self.step(flow, 3, SignIn { session: Guid::NIL, ..step(at - 6 * SECOND, Code::NoSession, Proof::Password) });
        }
        if phone != Phone::NotUsed {
            // The word depends on whether the tenant's policy or the account's own setting asks.
            let code = if account.is_multiple_of(2) { Code::StrongAuthentication } else { Code::StrongAuthenticationByPolicy };
            self.step(flow, 0, step(now, code, Proof::Password));
            now += 11 * SECOND;
        }
        if phone == Phone::UsedAtTheSecondCall {
            let flow = self.flow();
            self.step(flow, 0, step(now, Code::StrongAuthenticationFailed, Proof::PasswordAndPhone));
            now += 31 * SECOND;
        }
        let proof = if phone == Phone::NotUsed { Proof::Password } else { Proof::PasswordAndPhone };
        self.step(flow, 1, step(now, Code::KeepMeSignedIn, proof));
        let until = now + 4 * SECOND;
        self.step(flow, 2, step(until, Code::Success, proof));
        (session, Login { until, ..Login::new(now, "browser") })
    }

    /// A password mistyped in a browser or a mail program's window.
    pub(super) fn mistype(&mut self, at: i64, account: usize, from: IpAddr, door: Door) {
        let flow = self.flow();
        self.step(flow, 0, blank(at, Who::Account(account), from, door, Code::BadPassword));
    }

    /// A mail program renews its tokens: for mail, and often for another service within the same seconds. Now and then the token has run
    /// out. Returns the session.
    pub(super) fn refresh(&mut self, at: i64, account: usize, from: IpAddr, door: Door) -> Guid {
        let flow = self.flow();
        // A program keeps its session for months.
        let session = Guid::of(self.salt, Kind::Session, u64::MAX - account as u64 * 8 - door as u64);
        let lot = mix(self.salt ^ flow);
        let proof = if door == Door::Outlook { Proof::PrimaryRefreshToken } else { Proof::RefreshToken };
        let step = |at, door, code| SignIn { session, proof, interactive: false, ..blank(at, Who::Account(account), from, door, code) };
        if lot % 41 == 7 {
            self.step(flow, 0, step(at - 3 * SECOND, door, Code::TokenExpired));
        }
        self.step(flow, 1, step(at, door, Code::Success));
        if lot.is_multiple_of(3) {
            self.step(flow, 2, step(at + SECOND, Door::Teams, Code::Success));
        }
        session
    }

    fn step(&mut self, flow: u64, number: u64, step: SignIn) {
        let id = Guid::of(self.salt, Kind::SignIn, flow * 4 + number);
        let correlation = Guid::of(self.salt, Kind::Correlation, flow);
        let step = SignIn { id, correlation, ..step };
        if step.interactive || step.proof == Proof::Password {
            self.records.push(Record { at: step.at, id, act: Act::SignIn(step.clone()) });
        }
        self.sign_ins.push(step);
    }

    /// Mail was read: a folder, or single messages from a number on, recorded in portions as the log aggregates them.
    pub(super) fn read(&mut self, at: i64, by: Actor, extent: Extent) {
        let Extent::Messages { first, count } = extent else {
            return self.record(at, Act::Read(Reading { by, extent }));
        };
        const PORTION: u64 = 20;
        for start in (0..count).step_by(PORTION as usize) {
            let extent = Extent::Messages { first: first + start, count: PORTION.min(count - start) };
            let at = at + (start / PORTION) as i64 * 120 * SECOND;
            self.record(at, Act::Read(Reading { by, extent }));
        }
    }

    pub(super) fn record(&mut self, at: i64, act: Act) {
        let id = Guid::of(self.salt, Kind::Audit, self.records.len() as u64);
        self.records.push(Record { at, id, act });
    }

    /// The id of the next message.
    pub(super) fn next_message(&self) -> Guid {
        Message::id_of(self.salt, self.messages.len() as u64)
    }

    pub(super) fn keep(&mut self, message: Message) {
        self.messages.push(message);
    }

    /// Exports all of it.
    pub(super) fn export(mut self, forms: Forms, span: (i64, i64), export: &mut Export) {
        self.sign_ins.sort_by_key(|step| step.at);
        self.records.sort_by_key(|record| record.at);
        self.messages.sort_by_key(|message| message.at);
        self.export_sign_ins(forms.sign_ins, span, export);
        let (name, encoding) = match forms.audit {
            AuditForm::JsonLines => ("UnifiedAuditLog.json", Encoding::Utf8),
            AuditForm::Purview => ("UnifiedAuditLog.csv", Encoding::MarkedUtf8),
            AuditForm::Search | AuditForm::None => ("UnifiedAuditLog.csv", Encoding::Utf8),
        };
        if forms.audit != AuditForm::None {
            export.file("audit-log", name, encoding, |sheet| {
                audit::export(sheet, &self.directory, &self.records, forms.audit, forms.culture);
            });
        }
        if !self.messages.is_empty() {
            self.export_trace(forms, span, export);
        }
    }

    fn export_sign_ins(&self, form: SignInForm, span: (i64, i64), export: &mut Export) {
        const FOLDER: &str = "sign-ins";
        let days = format!("{}_{}", super::clock::day(span.0), super::clock::day(span.1));
        let newest_first: Vec<&SignIn> = self.sign_ins.iter().rev().collect();
        let directory = &self.directory;
        match form {
            SignInForm::AuditOnly => return,
            SignInForm::Diagnostic => return streams::blobs(export, FOLDER, directory, &newest_first),
            SignInForm::Graph => {
                for number in 0..graph::pages(&newest_first) {
                    let path = format!("signIns_{:04}.json", number + 1);
                    export.file(FOLDER, &path, Encoding::Utf8, |sheet| graph::page(sheet, directory, &newest_first, number));
                }
                return;
            }
            SignInForm::PortalCsv | SignInForm::PortalJson | SignInForm::LogAnalytics => {}
        }
        for (kind, interactive) in [("Interactive", true), ("NonInteractive", false)] {
            let name = format!("{kind}SignIns_{days}");
            let of_kind = || newest_first.iter().copied().filter(|step| step.interactive == interactive);
            if form == SignInForm::PortalCsv {
                let path = format!("{name}.csv");
                export.file(FOLDER, &path, Encoding::MarkedUtf8, |sheet| portal::sign_ins(sheet, directory, of_kind()));
                let path = format!("{name}_AuthDetails.csv");
                export.file(FOLDER, &path, Encoding::MarkedUtf8, |sheet| portal::details(sheet, of_kind()));
            } else if form == SignInForm::PortalJson {
                export.file(FOLDER, &format!("{name}.json"), Encoding::Utf8, |sheet| graph::portal(sheet, directory, of_kind()));
            } else {
                let path = if interactive { "SigninLogs.csv" } else { "AADNonInteractiveUserSignInLogs.csv" };
                export.file(FOLDER, path, Encoding::MarkedUtf8, |sheet| {
                    streams::analytics(sheet, directory, &newest_first, interactive);
                });
            }
        }
    }

    fn export_trace(&self, forms: Forms, span: (i64, i64), export: &mut Export) {
        const FOLDER: &str = "message-trace";
        let query = Query { culture: forms.culture, span, page: TRACE_PAGE };
        let (messages, tenant) = (&self.messages, self.directory.tenant);
        let failed = || messages.iter().filter(|message| message.failed());
        let accounts: BTreeSet<&str> = self.directory.accounts.iter().map(|account| account.upn.as_str()).collect();
        let is_account = |address: &str| accounts.contains(address);
        match forms.trace {
            TraceForm::Trace => {
                export.file(FOLDER, "MessageTrace.csv", Encoding::Utf8, |sheet| trace::trace(sheet, messages, query, is_account));
                export.file(FOLDER, "MessageTraceDetail.csv", Encoding::Utf8, |sheet| trace::detail(sheet, failed(), query));
            }
            TraceForm::Summary => {
                export.file(FOLDER, "MTSummary_Report.csv", Encoding::Utf16, |sheet| historical::summary(sheet, messages));
                export.file(FOLDER, "MTDetail_Report.csv", Encoding::Utf16, |sheet| historical::extended(sheet, failed(), tenant));
            }
            TraceForm::Extended => {
                export.file(FOLDER, "MTDetail_Report.csv", Encoding::Utf16, |sheet| historical::extended(sheet, messages, tenant));
            }
            TraceForm::None => {}
        }
    }
}

/// A step by password that stands alone; its ids are given later.
fn blank(at: i64, who: Who, from: IpAddr, door: Door, code: Code) -> SignIn {
    SignIn {
        at,
        id: Guid::NIL,
        correlation: Guid::NIL,
        session: Guid::NIL,
        who,
        from,
        door,
        code,
        proof: Proof::Password,
        interactive: true,
    }
}
