//! What the report says of one incident: the answers first, then the tables behind them.

use super::document::{Block, Column, Fact, Line, Row, Section, Table, Tone, log, text, time};
use super::{story, words};
use crate::analysis::model::{
    BlockedBy, Count, FirstLogin, Incident, MailboxAccess, MessageTally, Origin, OriginVerdict, PerAccount, Reach, ReasonTally,
    RecipientTally, Report, ReturnedNotices, Verdict,
};
use crate::domain::time::Stamp;

/// Accounts named in the headline.
const NAMED_MAX: usize = 5;

/// The sections of one incident, the first of them its headline and its facts.
pub(crate) fn sections(incident: &Incident, report: &Report) -> Vec<Section> {
    let mut sections = vec![head(incident, report), outcomes(incident)];
    sections.extend(reasons(incident));
    sections.extend(origins(incident));
    sections.extend(protocols(incident));
    sections.extend(per_account(incident));
    sections.extend(changes(incident));
    sections.extend(other_accounts(incident));
    sections.extend(basis(incident));
    sections.extend(alternatives(incident));
    sections.extend(techniques(incident));
    sections
}

fn head(incident: &Incident, report: &Report) -> Section {
    let (verdict, tone) = match incident.verdict {
        Verdict::Confirmed => ("confirmed", Tone::Bad),
        Verdict::Suspected => ("suspected", Tone::Warning),
    };
    let taken = words::counted(incident.accounts.len() as u64, "account taken over: ", "accounts taken over: ");
    let title = text(format!("{}, {verdict} (score {:.2}): {taken}", incident.id, incident.score)).logs(&incident.accounts, NAMED_MAX);
    let earlier = &incident.prior_failed_logins;
    let mut facts = vec![
        fact("First unauthorised login", first_login(incident.first_login.as_ref())),
        fact("First send", seen(incident.first_send)),
        fact("Last send", seen(incident.last_send)),
        fact("Last activity", seen(incident.last_activity)),
        fact("Sending accounts", sending(incident)),
        fact("Earlier failed logins, anyone", failures(&earlier.account)),
        fact("Earlier failed logins, attacker", failures(&earlier.origin)),
    ];
    if says_none(incident) {
        facts.push(fact("Logs behind \"none found\"", story::behind(Line::default(), report)));
    }
    facts.push(fact("Returned notices", notices(&incident.returned_notices)));
    facts.extend(
        incident
            .discovery
            .as_ref()
            .map(|d| fact("Likely to have been noticed", Line::default().time(d.time).text(", ").text(d.text.as_str()))),
    );
    facts.push(fact("Mailbox access", mailbox(&incident.mailbox_access)));
    if let Some(window) = incident.mailbox_access.viewable {
        let said = Line::default().range(window.from, window.to).text(", all that lay in the mailbox; the password was known");
        facts.push(fact("Readable to the attacker", said));
    }
    facts.extend(incident.notes.iter().map(|note| fact("Not known", text(note.as_str()))));
    if incident.accounts.len() > NAMED_MAX {
        facts.insert(0, fact("Accounts", Line::default().logs(&incident.accounts, usize::MAX)));
    }
    Section::first(title, tone, vec![Block::Facts(facts)])
}

/// Whether any figure of the head is a none, which is worth what the logs behind it are.
fn says_none(incident: &Incident) -> bool {
    let earlier = &incident.prior_failed_logins;
    let counts = [earlier.account.count, earlier.origin.count, incident.returned_notices.count, incident.mailbox_access.sessions];
    counts.contains(&Some(0))
}

fn fact(label: &'static str, value: Line) -> Fact {
    Fact { label, value }
}

/// A time, or that there is none.
fn seen(at: Option<Stamp>) -> Line {
    at.map_or_else(|| text("not seen in the evidence"), |at| Line::default().time(at))
}

fn first_login(login: Option<&FirstLogin>) -> Line {
    let Some(login) = login else {
        return text("not seen in the evidence");
    };
    let mut line = Line::default().time(login.time).text(", ").log(login.account.as_str());
    line = line.text(format!(", by {} from ", login.protocol));
    line = match &login.ip {
        Some(ip) => line.log(ip.as_str()),
        None => line.text("an address that was not logged"),
    };
    if let Some(client) = &login.client {
        line = line.text(" (client ").log(client.as_str()).text(")");
    }
    line.pointers(&login.evidence)
}

fn sending(incident: &Incident) -> Line {
    if incident.messages.is_none() {
        return text("not determinable from this evidence");
    }
    if incident.sending_accounts.is_empty() {
        return text("none");
    }
    Line::default().logs(&incident.sending_accounts, NAMED_MAX)
}

/// A count of failures, with its note. The coverage behind a "none" stands in a fact of its own.
fn failures(count: &Count) -> Line {
    let line = match (count.count, count.determinable) {
        (Some(0), true) => Line::default().strong("none found"),
        (Some(0), false) => text("none found, but not fully determinable"),
        (Some(n), true) => Line::default().strong(words::count(n)),
        (Some(n), false) => text(format!("{} found, but not fully determinable", words::count(n))),
        (None, _) => text("not determinable from this evidence"),
    };
    noted(line, count.note.as_deref())
}

fn notices(notices: &ReturnedNotices) -> Line {
    let line = match (notices.count, notices.first, notices.last) {
        (None, ..) => text("not determinable from this evidence"),
        (Some(n), Some(first), Some(last)) if n > 0 => text(format!("{}, ", words::count(n))).range(first, last),
        (Some(0), ..) => text("none found"),
        (Some(n), ..) => text(words::count(n)),
    };
    noted(line, notices.note.as_deref())
}

fn mailbox(access: &MailboxAccess) -> Line {
    if !access.determinable {
        return noted(text("not determinable from this evidence"), access.note.as_deref());
    }
    let part = |n: Option<u64>, one, many| n.map_or_else(|| format!("{many} unknown"), |n| words::counted(n, one, many));
    let mut said = text(format!("{}, {}", part(access.sessions, "session", "sessions"), part(access.items, "item", "items")));
    if let (Some(first), Some(last)) = (access.first, access.last) {
        said = said.text(", ").range(first, last);
    }
    noted(said, access.note.as_deref())
}

fn noted(line: Line, note: Option<&str>) -> Line {
    match note {
        Some(note) => line.text("; ").text(note),
        None => line,
    }
}

/// An outcome's name with the numbers of messages and recipients that had it; a message alone can be partly delivered.
type OutcomeRow = (&'static str, u64, Option<u64>, Tone);

fn outcome_rows(m: &MessageTally, r: &RecipientTally) -> [OutcomeRow; 10] {
    [
        ("delivered", m.delivered, Some(r.delivered), Tone::Bad),
        ("partly delivered", m.partly_delivered, None, Tone::Bad),
        ("blocked", m.blocked, Some(r.blocked), Tone::Good),
        ("bounced", m.bounced, Some(r.bounced), Tone::Plain),
        ("expired", m.expired, Some(r.expired), Tone::Plain),
        ("deferred", m.deferred, Some(r.deferred), Tone::Warning),
        ("discarded", m.discarded, Some(r.discarded), Tone::Plain),
        ("held", m.held, Some(r.held), Tone::Plain),
        ("relayed", m.relayed, Some(r.relayed), Tone::Warning),
        ("unknown", m.unknown, Some(r.unknown), Tone::Warning),
    ]
}

fn outcomes(incident: &Incident) -> Section {
    let (Some(messages), Some(recipients)) = (&incident.messages, &incident.recipients) else {
        let unknown = "Not determinable from this evidence: no log of submissions speaks of the time of the incident.";
        return Section::second("What was sent", vec![Block::Prose(text(unknown))]);
    };
    if messages.total == 0 && recipients.total == 0 {
        return Section::second("What was sent", vec![Block::Prose(text("No message is attributed to the attacker."))]);
    }
    let mut rows: Vec<Row> = outcome_rows(messages, recipients)
        .into_iter()
        .filter(|(_, m, r, _)| *m > 0 || r.is_some_and(|r| r > 0))
        .map(|(name, m, r, tone)| Row {
            cells: vec![text(name), text(words::count(m)), text(r.map_or_else(|| "-".to_owned(), words::count))],
            total: false,
            share: r.map(|r| (r as f64 / recipients.total.max(1) as f64, tone)),
        })
        .collect();
    rows.push(Row {
        cells: vec![text("total"), text(words::count(messages.total)), text(words::count(recipients.total))],
        total: true,
        share: None,
    });
    let table = Table {
        caption: "Messages and recipients by outcome",
        columns: vec![Column::words("Outcome"), Column::number("Messages"), Column::number("Recipients")],
        rows,
    };
    let mut facts = Vec::new();
    facts.extend(incident.blocked_by.as_ref().map(|by| fact("Blocked recipients", text(blocked_by(by)))));
    facts.push(fact("Different recipients", text(reach(recipients))));
    facts.extend(incident.reach.as_ref().map(|who| fact("Who they are", text(who_they_are(who)))));
    Section::second("What was sent", vec![Block::Table(table), Block::Facts(facts)])
}

fn who_they_are(reach: &Reach) -> String {
    format!(
        "{} known to the organisation before, {} of the organisation itself, {} had written to the account; {} a message, at most {}",
        words::count(reach.known_to_organisation),
        words::count(reach.internal),
        words::count(reach.wrote_to_account),
        words::counted(reach.per_message_median, "recipient", "recipients"),
        words::count(reach.per_message_max)
    )
}

fn blocked_by(by: &BlockedBy) -> String {
    format!("{} by own systems, {} by the receiving side", words::count(by.own), words::count(by.remote))
}

fn reach(recipients: &RecipientTally) -> String {
    format!(
        "{} in {}; {} written to before by the owner, {} new",
        words::counted(recipients.distinct, "address", "addresses"),
        words::counted(recipients.domains, "domain", "domains"),
        words::count(recipients.previously_contacted),
        words::count(recipients.new)
    )
}

fn reasons(incident: &Incident) -> Option<Section> {
    let row = |reason: &ReasonTally| {
        Row::of([
            text(reason.outcome.as_str()),
            text(reason.by.as_deref().unwrap_or("-")),
            text(reason.class.as_str()),
            text(words::count(reason.messages)),
            text(words::count(reason.recipients)),
            log(reason.sample.as_str()).pointers(&reason.evidence),
        ])
    };
    let columns = vec![
        Column::words("Outcome"),
        Column::words("By"),
        Column::words("Reason"),
        Column::number("Messages"),
        Column::number("Recipients"),
        Column::words("Sample reply"),
    ];
    section("Why", "Outcomes by reason, with a sample reply", columns, incident.reasons.iter().map(row).collect())
}

fn origins(incident: &Incident) -> Option<Section> {
    const CLIENTS_MAX: usize = 3;
    let row = |origin: &Origin| {
        Row::of([
            log(origin.ip.as_str()),
            text(match origin.verdict {
                OriginVerdict::Attacker => "attacker",
                OriginVerdict::Owner => "owner",
                OriginVerdict::Undetermined => "undetermined",
            }),
            text(place(origin)),
            text(words::count(origin.logins)),
            text(words::count(origin.failures)),
            known(origin.messages),
            time(origin.first),
            time(origin.last),
            Line::default().logs(&origin.clients, CLIENTS_MAX),
        ])
    };
    let columns = vec![
        Column::words("Origin"),
        Column::words("Verdict"),
        Column::words("Network"),
        Column::number("Logins"),
        Column::number("Failures"),
        Column::number("Messages"),
        Column::words("First"),
        Column::words("Last"),
        Column::words("Clients"),
    ];
    section("Origins", "Addresses the accounts were used or tried from", columns, incident.origins.iter().map(row).collect())
}

/// `AS64500, JP`, as far as known.
fn place(origin: &Origin) -> String {
    match (origin.asn, &origin.country) {
        (Some(asn), Some(country)) => format!("AS{asn}, {country}"),
        (Some(asn), None) => format!("AS{asn}"),
        (None, Some(country)) => country.clone(),
        (None, None) => "-".to_owned(),
    }
}

fn protocols(incident: &Incident) -> Option<Section> {
    let rows = incident
        .protocols
        .iter()
        .map(|p| Row::of([text(p.protocol.as_str()), text(words::count(p.logins)), text(words::count(p.failures)), known(p.messages)]));
    let columns = vec![Column::words("Protocol"), Column::number("Logins"), Column::number("Failures"), Column::number("Messages")];
    section("Protocols", "Use by protocol", columns, rows.collect())
}

/// The same figures account by account; with one account alone they would only repeat the head.
fn per_account(incident: &Incident) -> Option<Section> {
    if incident.per_account.len() < 2 {
        return owner_before(incident);
    }
    let row = |(account, own): (&String, &PerAccount)| {
        Row::of([
            log(account.as_str()),
            time(own.first_login.as_ref().map(|l| l.time)),
            own.first_login.as_ref().and_then(|l| l.ip.as_deref()).map_or_else(|| text("-"), log),
            time(own.first_send),
            time(own.last_send),
            known(own.messages.as_ref().map(|m| m.total)),
            known(own.recipients.as_ref().map(|r| r.total)),
            known(own.recipients.as_ref().map(|r| r.delivered)),
            known(own.recipients.as_ref().map(|r| r.blocked)),
            time(own.last_owner_login_before),
        ])
    };
    let columns = vec![
        Column::words("Account"),
        Column::words("First unauthorised login"),
        Column::words("From"),
        Column::words("First send"),
        Column::words("Last send"),
        Column::number("Messages"),
        Column::number("Recipients"),
        Column::number("Delivered"),
        Column::number("Blocked"),
        Column::words("Owner's last login before"),
    ];
    section(
        "By account",
        "The incident's figures for each account; delivered and blocked count recipients",
        columns,
        incident.per_account.iter().map(row).collect(),
    )
}

/// A number for a table cell, or that it is not known.
pub(crate) fn known(number: Option<u64>) -> Line {
    number.map_or_else(|| text("unknown"), |n| text(words::count(n)))
}

fn owner_before(incident: &Incident) -> Option<Section> {
    let (account, own) = incident.per_account.iter().next()?;
    let last = own.last_owner_login_before?;
    let line = text("Last login of ").log(account.as_str()).text(" from an origin of the owner before the takeover: ").time(last).text(".");
    Some(Section::second("Owner", vec![Block::Prose(line)]))
}

fn changes(incident: &Incident) -> Option<Section> {
    let rows = incident.account_changes.iter().map(|change| {
        Row::of([
            time(Some(change.time)),
            log(change.account.as_str()),
            text(change.action.as_str()),
            log(change.detail.as_str()).pointers(&change.evidence),
        ])
    });
    let columns = vec![Column::words("Time"), Column::words("Account"), Column::words("Action"), Column::words("Detail")];
    section("Account changes", "Rules, forwarding and other changes after the login", columns, rows.collect())
}

fn other_accounts(incident: &Incident) -> Option<Section> {
    let rows = incident.other_accounts.iter().map(|other| {
        let known = if other.password_known { "yes" } else { "no" };
        Row::of([log(other.account.as_str()), text(words::count(other.failures)), text(known)])
    });
    let columns = vec![Column::words("Account"), Column::number("Failures"), Column::words("Password known to the attacker")];
    section("Other accounts tried", "Accounts the attacker's origins tried and did not get into", columns, rows.collect())
}

fn basis(incident: &Incident) -> Option<Section> {
    let rows = incident.basis.iter().map(|signal| {
        Row::of([
            text(format!("{:+.2}", signal.weight)),
            text(signal.signal.as_str()),
            text(signal.text.as_str()).pointers(&signal.evidence),
        ])
    });
    let columns = vec![Column::number("Weight"), Column::words("Signal"), Column::words("What was seen")];
    section("Basis of the verdict", "Signals for and against, with their weights", columns, rows.collect())
}

/// What else it could have been, with the signs that speak for and against it.
fn alternatives(incident: &Incident) -> Option<Section> {
    let signs = |names: &[String]| if names.is_empty() { text("nothing that was seen") } else { text(names.join(", ")) };
    let rows = incident
        .alternatives
        .iter()
        .map(|other| Row::of([text(other.text.as_str()), signs(&other.speaks_for), signs(&other.speaks_against)]));
    let columns = vec![Column::words("Other explanation"), Column::words("For it"), Column::words("Against it")];
    section("What else it could have been", "Other explanations, with the signs for and against them", columns, rows.collect())
}

fn techniques(incident: &Incident) -> Option<Section> {
    let rows = incident
        .techniques
        .iter()
        .map(|technique| Row::of([text(technique.id.as_str()), text(technique.name.as_str()), text(technique.because.join(", "))]));
    let columns = vec![Column::words("Technique"), Column::words("Name"), Column::words("Because of")];
    section("Techniques (MITRE ATT&CK)", "Techniques that the findings are signs of", columns, rows.collect())
}

fn section(title: &'static str, caption: &'static str, columns: Vec<Column>, rows: Vec<Row>) -> Option<Section> {
    (!rows.is_empty()).then(|| Section::second(title, vec![Block::Table(Table { caption, columns, rows }.without_blank_columns())]))
}
