//! Which services of Exchange's servers have logs in evidence, and from when to when: each tells what no other does.

use super::Facts;
use super::witness::Span;
use crate::domain::rows::SessionLog;
use crate::domain::time::DAY;
use crate::formats::service::Service;
use crate::ingest::sources::SourceSummary;
use crate::say::{Phrase, say};
use std::collections::BTreeMap;

/// Sources of Exchange's own logs that say anything.
fn sources<'a>(facts: Facts<'a>) -> impl Iterator<Item = &'a SourceSummary> {
    facts.sources.iter().filter(|s| s.first.is_some() && s.format.is_some_and(|(_, system)| system.starts_with("exchange-")))
}

fn has(facts: Facts<'_>, service: Service) -> bool {
    sources(facts).any(|s| s.services.has(service))
}

/// Whether there are logs of either service.
pub(super) fn any(facts: Facts<'_>, one: Service, other: Service) -> bool {
    has(facts, one) || has(facts, other)
}

/// Whether there are logs of Exchange's and none of them tracks what its transport service did.
pub(super) fn lacks_tracking(facts: Facts<'_>) -> bool {
    sources(facts).next().is_some() && !has(facts, Service::Transport)
}

/// What is missing of the logs that several services of one server write, as a whole and for some time.
pub(super) fn service_limits(facts: Facts<'_>) -> Vec<Phrase> {
    let tracked = any(facts, Service::Submission, Service::Delivery) || has(facts, Service::Transport);
    let received = any(facts, Service::FrontEnd, Service::Hub);
    let behind = facts.rows.untold.iter().any(|half| half.missing == SessionLog::FrontEnd);
    let missing = |service: Service| match service {
        Service::FrontEnd => received && behind,
        Service::Hub => received,
        Service::Transport | Service::Submission | Service::Delivery => tracked,
    };
    let absent = Service::ALL.into_iter().filter(|service| missing(*service) && !has(facts, *service)).map(without);
    absent.chain(shortened(facts)).collect()
}

/// What nobody can tell without any log of a service.
fn without(service: Service) -> Phrase {
    match service {
        Service::FrontEnd => {
            say!("No SMTP receive protocol log of Exchange's front end is in evidence: failed logins for sending cannot be told.")
        }
        Service::Hub => say!(
            "No SMTP receive protocol log of Exchange's hub transport is in evidence: attempts that were refused after the login are not seen, so sent and blocked messages are at least as many as counted."
        ),
        Service::Transport => say!(
            "No message tracking log of Exchange's transport service (MSGTRK) is in evidence: what became of messages to other organisations, what was blocked, and mail sent from Outlook, web mail or phones cannot be told."
        ),
        Service::Submission => say!(
            "No message tracking log of mailbox submission (MSGTRKMS) is in evidence: by what program, and from where, mail was sent out of mailboxes cannot be told."
        ),
        Service::Delivery => say!(
            "No message tracking log of mailbox delivery (MSGTRKMD) is in evidence: whether messages and notices reached the organisation's own mailboxes cannot be told."
        ),
    }
}

fn name(service: Service) -> Phrase {
    match service {
        Service::FrontEnd => say!("SMTP receive log of the front end"),
        Service::Hub => say!("SMTP receive log of the hub transport"),
        Service::Transport => say!("message tracking log of the transport service"),
        Service::Submission => say!("message tracking log of mailbox submission"),
        Service::Delivery => say!("message tracking log of mailbox delivery"),
    }
}

/// Logs that begin more than a day after the server's other logs, or end more than a day before them.
fn shortened(facts: Facts<'_>) -> Vec<Phrase> {
    let mut of_host: BTreeMap<&str, Span> = BTreeMap::new();
    let mut of_service: BTreeMap<(&str, Service), Span> = BTreeMap::new();
    for source in sources(facts) {
        let (Some(from), Some(to)) = (source.first, source.last) else { continue };
        let span = Span { from, to };
        for host in &source.hosts {
            let known = of_host.entry(host.as_str()).or_insert(span);
            *known = known.with(span);
            for service in Service::ALL.into_iter().filter(|service| source.services.has(*service)) {
                let known = of_service.entry((host.as_str(), service)).or_insert(span);
                *known = known.with(span);
            }
        }
    }
    let short = |((host, service), span): (&(&str, Service), &Span)| {
        let all = of_host.get(host)?;
        let short = span.from.since(all.from) > DAY || all.to.since(span.to) > DAY;
        short.then(|| {
            say!(
                "The {log} of {host} speaks from {from} to {to} only, its other logs from {first} to {last}: what that log alone tells is unknown for the rest.",
                log = name(*service),
                host = *host,
                from = facts.stamp(span.from).prose(),
                to = facts.stamp(span.to).prose(),
                first = facts.stamp(all.from).prose(),
                last = facts.stamp(all.to).prose()
            )
        })
    };
    of_service.iter().filter_map(short).collect()
}
