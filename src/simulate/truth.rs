//! `truth.json`: what happened, in the words and meanings of the report.
//!
//! Where the report leaves room: an origin's `logins` are the sessions in which its password was accepted, whether or not a line names
//! the account; `last_activity` is the last login, submission, or change whose record names the address; notices are dated by their
//! delivery into the mailbox, those that a tenant makes itself by their making. Times are those of the log lines, to the second. `views` gives the incident as the logs of one server alone
//! can tell it.

use super::SimulateError;
use super::cast::Cast;
use super::happenings::Change;

use super::request::{Hosts, Request, System};
use super::tally::{Book, Fates, FirstLogin, Incident, Span, Taken, Tally};
use crate::domain::outcome::Outcome;
use crate::domain::time::{SECOND, Stamp, Timestamp, Zone};
use serde_json::{Map, Value, json};
use std::path::Path;

/// The schema of `truth.json`.
pub const SCHEMA: &str = "mailtrail.truth/1";

/// Lines and bytes of log text of one host, before compression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostTotals {
    pub host: &'static str,
    pub lines: u64,
    pub bytes: u64,
}

/// What the truth is told from.
pub(super) struct Teller<'a> {
    pub(super) request: &'a Request,
    pub(super) hosts: Hosts,
    pub(super) cast: &'a Cast,
    pub(super) book: &'a Book,
    pub(super) totals: &'a [HostTotals],
}

impl Teller<'_> {
    /// Writes the file.
    pub(super) fn write(&self, path: &Path) -> Result<(), SimulateError> {
        let mut text = serde_json::to_string_pretty(&self.document()).map_err(|cause| SimulateError::write(path, cause.into()))?;
        text.push('\n');
        std::fs::write(path, text).map_err(|cause| SimulateError::write(path, cause))
    }

    fn document(&self) -> Value {
        let incident = self.book.incident.as_ref();
        let told = |dept: bool| incident.map(|incident| self.incident(incident, dept)).into_iter().collect::<Vec<_>>();
        let mut hosts = Map::new();
        for host in self.totals {
            hosts.insert(host.host.to_owned(), json!({"lines": host.lines, "bytes": host.bytes}));
        }
        let mut views = Map::new();
        // What a service tells is one whole; its exports are no servers with views of their own.
        if let (Some(first), false) = (self.totals.first(), self.request.system == System::M365) {
            views.insert(first.host.to_owned(), json!({"incidents": told(self.hosts == Hosts::Two)}));
        }
        if let (Hosts::Two, Some(second)) = (self.hosts, self.totals.get(1)) {
            views.insert(second.host.to_owned(), json!({"incidents": [], "messages_by_sender": self.by_sender()}));
        }
        json!({
            "schema": SCHEMA,
            "system": self.request.system.as_str(),
            "story": self.request.story.as_str(),
            "scale": self.request.scale,
            "seed": self.request.seed,
            "timezone": self.request.zone.name(),
            "incidents": told(false),
            "accounts": self.accounts(),
            "hosts": hosts,
            "totals": {
                "messages": self.book.submitted + self.book.inbound,
                "submitted": self.book.submitted,
                "inbound": self.book.inbound,
                "inbound_refused": self.book.inbound_refused,
                "recipients": self.book.accounts.iter().map(|tally| tally.recipients.total()).sum::<u64>() + self.book.inbound,
                "notices": self.book.notices,
                "lines": self.totals.iter().map(|host| host.lines).sum::<u64>(),
                "bytes": self.totals.iter().map(|host| host.bytes).sum::<u64>(),
            },
            "views": views,
        })
    }

    fn incident(&self, incident: &Incident, dept_alone: bool) -> Value {
        let names: Vec<String> = incident.accounts.iter().map(|taken| self.login(taken)).collect();
        let senders: Vec<String> =
            incident.accounts.iter().filter(|taken| taken.sends.0.is_some()).map(|taken| self.login(taken)).collect();
        let sum = Sum::of(incident, dept_alone);
        let first =
            incident.accounts.iter().filter_map(|taken| Some((taken, taken.first_login.as_ref()?))).min_by_key(|(_, login)| login.at);
        let per_account: Map<String, Value> =
            incident.accounts.iter().map(|taken| (self.login(taken), self.taken(taken, dept_alone))).collect();
        let others: Vec<Value> = incident
            .others
            .iter()
            .map(|(name, failures)| {
                let known = incident.passwords_known.contains(name);
                json!({"account": name.to_lowercase(), "failures": failures, "password_known": known})
            })
            .collect();
        let mut told = json!({
            "accounts": names,
            "sending_accounts": senders,
            "first_login": first.map(|(taken, login)| self.first_login(taken, login)),
            "first_send": self.stamp(sum.sends.first()),
            "last_send": self.stamp(sum.sends.last()),
            "last_activity": self.stamp(sum.activity.last()),
            "prior_failed_logins": prior(sum.failures_before, sum.failures_before_by_origin),
            "origins": self.origins(incident),
            "messages": messages(&sum.tally),
            "recipients": recipients(&sum.tally.recipients, &sum.reach),
            "blocked_by": blocked_by(&sum.tally),
            "returned_notices": self.notices(sum.notices, sum.notice_span),
            "mailbox_access": {"sessions": sum.mailbox_sessions},
            "other_accounts": others,
            "per_account": per_account,
        });
        if self.request.system != System::Postfix {
            told["account_changes"] = self.changes(incident);
        }
        told
    }

    fn changes(&self, incident: &Incident) -> Value {
        let told = |(at, taken, change): &(i64, usize, Change)| {
            let action = match change {
                Change::DeletingRule => "inbox-rule-created",
                Change::Forwarding(_) => "forwarding-set",
                Change::SecondFactor => "mfa-changed",
                Change::Restricted => "sending-restricted",
            };
            json!({"time": self.stamp(Some(*at)), "account": incident.accounts.get(*taken).map(|taken| self.login(taken)), "action": action})
        };
        incident.changes.iter().map(told).collect()
    }

    fn taken(&self, taken: &Taken, dept_alone: bool) -> Value {
        let tally = if dept_alone { &taken.tally_dept } else { &taken.tally };
        json!({
            "first_login": taken.first_login.as_ref().map(|login| self.first_login(taken, login)),
            "first_send": self.stamp(taken.sends.first()),
            "last_send": self.stamp(taken.sends.last()),
            "last_activity": self.stamp(taken.activity.last()),
            "prior_failed_logins": prior(taken.failures_before, taken.failures_before_by_origin),
            "messages": messages(tally),
            "recipients": recipients(&tally.recipients, &Reach::of(taken)),
            "blocked_by": blocked_by(tally),
            "returned_notices": self.notices(taken.notices, taken.notice_span),
            "mailbox_access": {"sessions": taken.mailbox_sessions},
        })
    }

    fn login(&self, taken: &Taken) -> String {
        self.cast.people[taken.person].login.to_lowercase()
    }

    fn first_login(&self, taken: &Taken, login: &FirstLogin) -> Value {
        let ip = &self.cast.clients[login.client].ip;
        json!({"time": self.stamp(Some(login.at)), "account": self.login(taken), "ip": ip, "protocol": login.protocol})
    }

    fn origins(&self, incident: &Incident) -> Vec<Value> {
        let used = incident.origins.iter().map(|(client, used)| (&self.cast.clients[*client], used));
        let mut origins: Vec<_> = used
            .map(|(client, used)| {
                let told = json!({
                    "ip": client.ip, "verdict": "attacker", "logins": used.logins, "failures": used.failures, "messages": used.messages,
                    "first": self.stamp(used.span.first()), "last": self.stamp(used.span.last()),
                });
                (client.octets.clone(), told)
            })
            .collect();
        origins.sort_by(|a, b| a.0.cmp(&b.0));
        origins.into_iter().map(|(_, told)| told).collect()
    }

    fn notices(&self, count: u64, span: Span) -> Value {
        json!({"count": count, "first": self.stamp(span.first()), "last": self.stamp(span.last())})
    }

    /// All messages of each account that sent, by whomever.
    fn accounts(&self) -> Value {
        let senders = self.cast.people.iter().zip(&self.book.accounts).filter(|(_, tally)| tally.total() > 0);
        let told = |tally: &Tally| json!({"messages": messages(tally), "recipients": outcomes(&tally.recipients), "blocked_by": blocked_by(tally)});
        Value::Object(senders.map(|(person, tally)| (person.login.to_lowercase(), told(tally))).collect())
    }

    /// What the core server alone knows: messages from the department's server by envelope sender, no login.
    fn by_sender(&self) -> Value {
        let senders = self.cast.people.iter().zip(&self.book.core).filter(|(_, tally)| tally.total() > 0);
        let told = |tally: &Tally| json!({"messages": messages(tally), "recipients": outcomes(&tally.recipients), "blocked_by": blocked_by(tally)});
        Value::Object(senders.map(|(person, tally)| (person.address.clone(), told(tally))).collect())
    }

    /// An instant to the second, as a log line shows it.
    fn stamp(&self, at: Option<i64>) -> Option<Stamp> {
        let zone: Zone = self.request.zone;
        at.map(|at| zone.stamp(Timestamp::from_seconds(at.div_euclid(SECOND))))
    }
}

/// Whom an account's messages went to.
#[derive(Default)]
struct Reach {
    distinct: u64,
    domains: std::collections::BTreeSet<usize>,
    known: u64,
}

impl Reach {
    fn of(taken: &Taken) -> Reach {
        let known = taken.contacts.len() as u64;
        Reach { distinct: taken.strangers + known, domains: taken.domains.clone(), known }
    }
}

/// The figures of all accounts of an incident; their lists of strangers have no address in common.
#[derive(Default)]
struct Sum {
    sends: Span,
    activity: Span,
    tally: Tally,
    reach: Reach,
    notices: u64,
    notice_span: Span,
    failures_before: u64,
    failures_before_by_origin: u64,
    mailbox_sessions: u64,
}

impl Sum {
    fn of(incident: &Incident, dept_alone: bool) -> Sum {
        let mut sum = Sum::default();
        for taken in &incident.accounts {
            sum.sends.merge(taken.sends);
            sum.activity.merge(taken.activity);
            sum.tally.merge(if dept_alone { &taken.tally_dept } else { &taken.tally });
            let reach = Reach::of(taken);
            sum.reach.distinct += reach.distinct;
            sum.reach.domains.extend(reach.domains);
            sum.reach.known += reach.known;
            sum.notices += taken.notices;
            sum.notice_span.merge(taken.notice_span);
            sum.failures_before += taken.failures_before;
            sum.failures_before_by_origin += taken.failures_before_by_origin;
            sum.mailbox_sessions += taken.mailbox_sessions;
        }
        sum
    }
}

fn prior(account: u64, origin: u64) -> Value {
    json!({"account": {"count": account}, "origin": {"count": origin}})
}

fn messages(tally: &Tally) -> Value {
    let mut told = Map::new();
    told.insert("total".to_owned(), tally.total().into());
    for (outcome, count) in Outcome::ALL.iter().zip(tally.messages) {
        told.insert(outcome.as_str().to_owned(), count.into());
    }
    told.insert("partly_delivered".to_owned(), tally.partly_delivered.into());
    Value::Object(told)
}

fn outcomes(fates: &Fates) -> Value {
    let mut told = Map::new();
    told.insert("total".to_owned(), fates.total().into());
    for (outcome, count) in Outcome::ALL.iter().zip(fates.counts) {
        told.insert(outcome.as_str().to_owned(), count.into());
    }
    Value::Object(told)
}

fn recipients(fates: &Fates, reach: &Reach) -> Value {
    let mut told = outcomes(fates);
    told["distinct"] = reach.distinct.into();
    told["domains"] = reach.domains.len().into();
    told["previously_contacted"] = reach.known.into();
    told["new"] = (reach.distinct - reach.known).into();
    told
}

fn blocked_by(tally: &Tally) -> Value {
    json!({"own": tally.recipients.own, "remote": tally.recipients.remote})
}
