//! What the report says of one incident: the answers first, then the tables behind them.

use super::document::{Block, Column, Fact, Line, Row, Section, Table, Tone, log, range, said, text, time};
use super::words::{counted, term};
use super::{same, story, words};
use crate::analysis::model::{
    BlockedBy, Count, FirstLogin, Incident, MailboxAccess, MessageTally, Origin, OriginVerdict, PerAccount, Reach, ReasonTally,
    RecipientTally, Report, ReturnedNotices, SentEstimate, Verdict,
};
use crate::domain::time::Stamp;
use crate::say::{Lang, words};

/// Accounts named in the headline.
const NAMED_MAX: usize = 5;

/// The sections of one incident, the first of them its headline and its facts.
pub(crate) fn sections(incident: &Incident, report: &Report) -> Vec<Section> {
    let lang = report.lang;
    let mut sections = vec![head(incident, report), outcomes(lang, incident)];
    sections.extend(reasons(lang, incident));
    sections.extend(origins(lang, incident));
    sections.extend(protocols(lang, incident));
    sections.extend(per_account(lang, incident));
    sections.extend(changes(lang, incident));
    sections.extend(other_accounts(lang, incident));
    sections.extend(same::clients(lang, incident));
    sections.extend(same::systems(lang, incident));
    sections.extend(basis(lang, incident));
    sections.extend(alternatives(lang, incident));
    sections.extend(techniques(lang, incident));
    sections
}

fn head(incident: &Incident, report: &Report) -> Section {
    let lang = report.lang;
    let (verdict, tone) = match incident.verdict {
        Verdict::Confirmed => (words!(lang, "confirmed"), Tone::Bad),
        Verdict::Suspected => (words!(lang, "suspected"), Tone::Warning),
    };
    let taken = match (
        incident.first_login.is_none() && incident.origins.iter().all(|o| o.verdict != OriginVerdict::Attacker),
        &incident.sent_estimate,
    ) {
        (true, Some(_)) => counted!(
            lang,
            incident.accounts.len() as u64,
            "{n} account flooded with notices of failure: ",
            "{n} accounts flooded with notices of failure: "
        ),
        _ => counted!(lang, incident.accounts.len() as u64, "{n} account taken over: ", "{n} accounts taken over: "),
    };
    let (id, score) = (&incident.id, format!("{:.2}", incident.score));
    let title =
        said!(lang, "{id}, {verdict} (score {score}): {taken}", id, verdict, score, taken).logs(lang, &incident.accounts, NAMED_MAX);
    let earlier = &incident.prior_failed_logins;
    let mut facts = vec![
        fact(words!(lang, "First unauthorised login"), first_login(lang, incident.first_login.as_ref())),
        fact(words!(lang, "First send"), seen(lang, incident.first_send)),
        fact(words!(lang, "Last send"), seen(lang, incident.last_send)),
        fact(words!(lang, "Last activity"), seen(lang, incident.last_activity)),
        fact(words!(lang, "Sending accounts"), sending(lang, incident)),
        fact(words!(lang, "Earlier failed logins, anyone"), failures(lang, &earlier.account)),
        fact(words!(lang, "Earlier failed logins, attacker"), failures(lang, &earlier.origin)),
    ];
    if says_none(incident) {
        facts.push(fact(words!(lang, "Logs behind \"none found\""), story::behind(Line::default(), report)));
    }
    facts.push(fact(words!(lang, "Returned notices"), notices(lang, &incident.returned_notices)));
    facts.extend(incident.sent_estimate.as_ref().map(|estimate| fact(words!(lang, "Sent, by estimate"), estimated(lang, estimate))));
    facts.extend(incident.discovery.as_ref().map(|d| {
        let said = Line::default().time(d.time).text(lang.comma()).text(d.text.as_str());
        fact(words!(lang, "Likely to have been noticed"), said)
    }));
    facts.push(fact(words!(lang, "Mailbox access"), mailbox(lang, &incident.mailbox_access)));
    if let Some(window) = incident.mailbox_access.viewable {
        let range = range(lang, window.from, window.to);
        let said = said!(lang, "at least {range}, all that lay in the mailbox; the password was known", range);
        facts.push(fact(words!(lang, "Readable to the attacker"), said));
    }
    facts.extend(incident.lower_bounds.iter().map(|bound| fact(words!(lang, "At least"), text(bound.because.as_str()))));
    facts.extend(incident.notes.iter().map(|note| fact(words!(lang, "Not known"), text(note.as_str()))));
    if incident.accounts.len() > NAMED_MAX {
        facts.insert(0, fact(words!(lang, "Accounts"), Line::default().logs(lang, &incident.accounts, usize::MAX)));
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
fn seen(lang: Lang, at: Option<Stamp>) -> Line {
    at.map_or_else(|| said!(lang, "not seen in the evidence"), |at| Line::default().time(at))
}

fn first_login(lang: Lang, login: Option<&FirstLogin>) -> Line {
    let Some(login) = login else {
        return said!(lang, "not seen in the evidence");
    };
    let (time, account, protocol) = (login.time, log(login.account.as_str()), term(lang, &login.protocol));
    let from = login.ip.as_deref().map_or_else(|| said!(lang, "an address that was not logged"), log);
    let line = match &login.client {
        Some(client) => {
            let client = log(client.as_str());
            said!(lang, "{time}, {account}, by {protocol} from {from} (client {client})", time, account, protocol, from, client)
        }
        None => said!(lang, "{time}, {account}, by {protocol} from {from}", time, account, protocol, from),
    };
    line.pointers(&login.evidence)
}

fn sending(lang: Lang, incident: &Incident) -> Line {
    if incident.messages.is_none() {
        return said!(lang, "not determinable from this evidence");
    }
    if incident.sending_accounts.is_empty() {
        return said!(lang, "none");
    }
    Line::default().logs(lang, &incident.sending_accounts, NAMED_MAX)
}

/// A count of failures, with its note. The coverage behind a "none" stands in a fact of its own.
fn failures(lang: Lang, count: &Count) -> Line {
    let line = match (count.count, count.determinable) {
        (Some(0), true) => Line::default().strong(words!(lang, "none found")),
        (Some(0), false) => said!(lang, "none found, but not fully determinable"),
        (Some(n), true) => Line::default().strong(words::count(n)),
        (Some(n), false) => said!(lang, "{n} found, but not fully determinable", n),
        (None, _) => said!(lang, "not determinable from this evidence"),
    };
    noted(lang, line, count.note.as_deref())
}

fn notices(lang: Lang, notices: &ReturnedNotices) -> Line {
    let line = match (notices.count, notices.first, notices.last) {
        (None, ..) => said!(lang, "not determinable from this evidence"),
        (Some(n), Some(first), Some(last)) if n > 0 => text(words::count(n)).text(lang.comma()).line(range(lang, first, last)),
        (Some(0), ..) => said!(lang, "none found"),
        (Some(n), ..) => text(words::count(n)),
    };
    noted(lang, line, notices.note.as_deref())
}

/// A guess, which no table counts.
fn estimated(lang: Lang, estimate: &SentEstimate) -> Line {
    let (n, range) = (words::count(estimate.messages), range(lang, estimate.first, estimate.last));
    said!(lang, "at least about {n} messages that failed, by notices that came in {range}; low confidence", n, range)
}

fn mailbox(lang: Lang, access: &MailboxAccess) -> Line {
    if !access.determinable {
        return noted(lang, said!(lang, "not determinable from this evidence"), access.note.as_deref());
    }
    let sessions = access.sessions.map(|n| counted!(lang, n, "{n} session", "{n} sessions"));
    let items = access.items.map(|n| counted!(lang, n, "{n} item", "{n} items"));
    let sessions = sessions.unwrap_or_else(|| words!(lang, "sessions unknown").to_owned());
    let items = items.unwrap_or_else(|| words!(lang, "items unknown").to_owned());
    let mut said = text(format!("{sessions}{}{items}", lang.comma()));
    if let (Some(first), Some(last)) = (access.first, access.last) {
        said = said.text(lang.comma()).line(range(lang, first, last));
    }
    noted(lang, said, access.note.as_deref())
}

fn noted(lang: Lang, line: Line, note: Option<&str>) -> Line {
    match note {
        Some(note) => line.text(lang.semicolon()).text(note),
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

fn outcomes(lang: Lang, incident: &Incident) -> Section {
    let (Some(messages), Some(recipients)) = (&incident.messages, &incident.recipients) else {
        let unknown = said!(lang, "Not determinable from this evidence: no log of submissions speaks of the time of the incident.");
        return Section::second(words!(lang, "What was sent"), vec![Block::Prose(unknown)]);
    };
    if messages.total == 0 && recipients.total == 0 {
        return Section::second(
            words!(lang, "What was sent"),
            vec![Block::Prose(said!(lang, "No message is attributed to the attacker."))],
        );
    }
    let mut rows: Vec<Row> = outcome_rows(messages, recipients)
        .into_iter()
        .filter(|(_, m, r, _)| *m > 0 || r.is_some_and(|r| r > 0))
        .map(|(name, m, r, tone)| Row {
            cells: vec![term(lang, name), text(words::count(m)), text(r.map_or_else(|| "-".to_owned(), words::count))],
            total: false,
            share: r.map(|r| (r as f64 / recipients.total.max(1) as f64, tone)),
        })
        .collect();
    let open = incident.lower_bounds.iter().any(|bound| bound.figures.iter().any(|figure| figure == "messages"));
    let total = if open { said!(lang, "total, at least") } else { said!(lang, "total") };
    rows.push(Row {
        cells: vec![total, text(words::count(messages.total)), text(words::count(recipients.total))],
        total: true,
        share: None,
    });
    let table = Table {
        caption: words!(lang, "Messages and recipients by outcome"),
        columns: vec![
            Column::words(words!(lang, "Outcome")),
            Column::number(words!(lang, "Messages")),
            Column::number(words!(lang, "Recipients")),
        ],
        rows,
    };
    let mut facts = Vec::new();
    facts.extend(incident.blocked_by.as_ref().map(|by| fact(words!(lang, "Blocked recipients"), blocked_by(lang, by))));
    facts.push(fact(words!(lang, "Different recipients"), reach(lang, recipients)));
    facts.extend(incident.reach.as_ref().map(|who| fact(words!(lang, "Who they are"), who_they_are(lang, who))));
    Section::second(words!(lang, "What was sent"), vec![Block::Table(table), Block::Facts(facts)])
}

fn who_they_are(lang: Lang, reach: &Reach) -> Line {
    said!(
        lang,
        "{known} known to the organisation before, {internal} of the organisation itself, {wrote} had written to the account; {usual} a message (median), at most {most}",
        known = reach.known_to_organisation,
        internal = reach.internal,
        wrote = reach.wrote_to_account,
        usual = counted!(lang, reach.per_message_median, "{n} recipient", "{n} recipients"),
        most = reach.per_message_max
    )
}

fn blocked_by(lang: Lang, by: &BlockedBy) -> Line {
    said!(lang, "{own} by own systems, {remote} by the receiving side", own = by.own, remote = by.remote)
}

fn reach(lang: Lang, recipients: &RecipientTally) -> Line {
    said!(
        lang,
        "{addresses} in {domains}; {known} written to before by the owner, {new} new",
        addresses = counted!(lang, recipients.distinct, "{n} address", "{n} addresses"),
        domains = counted!(lang, recipients.domains, "{n} domain", "{n} domains"),
        known = recipients.previously_contacted,
        new = recipients.new
    )
}

fn reasons(lang: Lang, incident: &Incident) -> Option<Section> {
    let row = |reason: &ReasonTally| {
        Row::of([
            term(lang, &reason.outcome),
            reason.by.as_deref().map_or_else(|| text("-"), |by| term(lang, by)),
            term(lang, &reason.class),
            text(words::count(reason.messages)),
            text(words::count(reason.recipients)),
            log(reason.sample.as_str()).pointers(&reason.evidence),
        ])
    };
    let columns = vec![
        Column::words(words!(lang, "Outcome")),
        Column::words(words!(lang, "By")),
        Column::words(words!(lang, "Reason")),
        Column::number(words!(lang, "Messages")),
        Column::number(words!(lang, "Recipients")),
        Column::words(words!(lang, "Sample reply")),
    ];
    section(
        words!(lang, "Why"),
        words!(lang, "Outcomes by reason, with a sample reply"),
        columns,
        incident.reasons.iter().map(row).collect(),
    )
}

fn origins(lang: Lang, incident: &Incident) -> Option<Section> {
    const CLIENTS_MAX: usize = 3;
    let row = |origin: &Origin| {
        Row::of([
            log(origin.ip.as_str()),
            match origin.verdict {
                OriginVerdict::Attacker => said!(lang, "attacker"),
                OriginVerdict::Owner => said!(lang, "owner"),
                OriginVerdict::Undetermined => said!(lang, "undetermined"),
            },
            text(place(origin)),
            text(words::count(origin.logins)),
            text(words::count(origin.failures)),
            known(lang, origin.messages),
            time(origin.first),
            time(origin.last),
            Line::default().logs(lang, &origin.clients, CLIENTS_MAX),
        ])
    };
    let columns = vec![
        Column::words(words!(lang, "Origin")),
        Column::words(words!(lang, "Verdict")),
        Column::words(words!(lang, "Network")),
        Column::number(words!(lang, "Logins")),
        Column::number(words!(lang, "Failures")),
        Column::number(words!(lang, "Messages")),
        Column::words(words!(lang, "First")),
        Column::words(words!(lang, "Last")),
        Column::words(words!(lang, "Clients")),
    ];
    section(
        words!(lang, "Origins"),
        words!(lang, "Addresses the accounts were used or tried from"),
        columns,
        incident.origins.iter().map(row).collect(),
    )
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

fn protocols(lang: Lang, incident: &Incident) -> Option<Section> {
    let rows = incident
        .protocols
        .iter()
        .map(|p| Row::of([term(lang, &p.protocol), text(words::count(p.logins)), text(words::count(p.failures)), known(lang, p.messages)]));
    let columns = vec![
        Column::words(words!(lang, "Protocol")),
        Column::number(words!(lang, "Logins")),
        Column::number(words!(lang, "Failures")),
        Column::number(words!(lang, "Messages")),
    ];
    section(words!(lang, "Protocols"), words!(lang, "Use by protocol"), columns, rows.collect())
}

/// The same figures account by account; with one account alone they would only repeat the head.
fn per_account(lang: Lang, incident: &Incident) -> Option<Section> {
    if incident.per_account.len() < 2 {
        return owner_before(lang, incident);
    }
    let row = |(account, own): (&String, &PerAccount)| {
        Row::of([
            log(account.as_str()),
            time(own.first_login.as_ref().map(|l| l.time)),
            own.first_login.as_ref().and_then(|l| l.ip.as_deref()).map_or_else(|| text("-"), log),
            time(own.first_send),
            time(own.last_send),
            known(lang, own.messages.as_ref().map(|m| m.total)),
            known(lang, own.recipients.as_ref().map(|r| r.total)),
            known(lang, own.recipients.as_ref().map(|r| r.delivered)),
            known(lang, own.recipients.as_ref().map(|r| r.blocked)),
            time(own.last_owner_login_before),
        ])
    };
    let columns = vec![
        Column::words(words!(lang, "Account")),
        Column::words(words!(lang, "First unauthorised login")),
        Column::words(words!(lang, "From")),
        Column::words(words!(lang, "First send")),
        Column::words(words!(lang, "Last send")),
        Column::number(words!(lang, "Messages")),
        Column::number(words!(lang, "Recipients")),
        Column::number(words!(lang, "Delivered")),
        Column::number(words!(lang, "Blocked")),
        Column::words(words!(lang, "Owner's last login before")),
    ];
    section(
        words!(lang, "By account"),
        words!(lang, "The incident's figures for each account; delivered and blocked count recipients"),
        columns,
        incident.per_account.iter().map(row).collect(),
    )
}

/// A number for a table cell, or that it is not known.
pub(crate) fn known(lang: Lang, number: Option<u64>) -> Line {
    number.map_or_else(|| said!(lang, "unknown"), |n| text(words::count(n)))
}

fn owner_before(lang: Lang, incident: &Incident) -> Option<Section> {
    let (account, own) = incident.per_account.iter().next()?;
    let last = own.last_owner_login_before?;
    let line = said!(
        lang,
        "Last login of {account} from an origin of the owner before the takeover: {time}.",
        account = log(account.as_str()),
        time = last
    );
    Some(Section::second(words!(lang, "Owner"), vec![Block::Prose(line)]))
}

fn changes(lang: Lang, incident: &Incident) -> Option<Section> {
    let rows = incident.account_changes.iter().map(|change| {
        Row::of([
            time(Some(change.time)),
            log(change.account.as_str()),
            term(lang, &change.action),
            log(change.detail.as_str()).pointers(&change.evidence),
        ])
    });
    let columns = vec![
        Column::words(words!(lang, "Time")),
        Column::words(words!(lang, "Account")),
        Column::words(words!(lang, "Action")),
        Column::words(words!(lang, "Detail")),
    ];
    section(words!(lang, "Account changes"), words!(lang, "Rules, forwarding and other changes after the login"), columns, rows.collect())
}

fn other_accounts(lang: Lang, incident: &Incident) -> Option<Section> {
    let rows = incident.other_accounts.iter().map(|other| {
        let known = if other.password_known { said!(lang, "yes") } else { said!(lang, "no") };
        Row::of([log(other.account.as_str()), text(words::count(other.failures)), known])
    });
    let columns = vec![
        Column::words(words!(lang, "Account")),
        Column::number(words!(lang, "Failures")),
        Column::words(words!(lang, "Password known to the attacker")),
    ];
    section(
        words!(lang, "Other accounts tried"),
        words!(lang, "Accounts the attacker's origins tried and did not get into"),
        columns,
        rows.collect(),
    )
}

fn basis(lang: Lang, incident: &Incident) -> Option<Section> {
    let rows = incident.basis.iter().map(|signal| {
        Row::of([text(format!("{:+.2}", signal.weight)), term(lang, &signal.signal), text(signal.text.as_str()).pointers(&signal.evidence)])
    });
    let columns =
        vec![Column::number(words!(lang, "Weight")), Column::words(words!(lang, "Signal")), Column::words(words!(lang, "What was seen"))];
    section(words!(lang, "Basis of the verdict"), words!(lang, "Signals for and against, with their weights"), columns, rows.collect())
}

/// What else it could have been, with the signs that speak for and against it.
fn alternatives(lang: Lang, incident: &Incident) -> Option<Section> {
    let signs = |names: &[String]| if names.is_empty() { said!(lang, "nothing that was seen") } else { text(terms(lang, names)) };
    let rows = incident
        .alternatives
        .iter()
        .map(|other| Row::of([text(other.text.as_str()), signs(&other.speaks_for), signs(&other.speaks_against)]));
    let columns = vec![
        Column::words(words!(lang, "Other explanation")),
        Column::words(words!(lang, "For it")),
        Column::words(words!(lang, "Against it")),
    ];
    section(
        words!(lang, "What else it could have been"),
        words!(lang, "Other explanations, with the signs for and against them"),
        columns,
        rows.collect(),
    )
}

fn techniques(lang: Lang, incident: &Incident) -> Option<Section> {
    let rows = incident
        .techniques
        .iter()
        .map(|technique| Row::of([text(technique.id.as_str()), text(technique.name.as_str()), text(terms(lang, &technique.because))]));
    let columns =
        vec![Column::words(words!(lang, "Technique")), Column::words(words!(lang, "Name")), Column::words(words!(lang, "Because of"))];
    section(words!(lang, "Techniques (MITRE ATT&CK)"), words!(lang, "Techniques that the findings are signs of"), columns, rows.collect())
}

/// Words of the report for machines, explained.
fn terms(lang: Lang, words: &[String]) -> String {
    words.iter().map(|word| lang.term(word)).collect::<Vec<_>>().join(lang.comma())
}

fn section(title: &'static str, caption: &'static str, columns: Vec<Column>, rows: Vec<Row>) -> Option<Section> {
    (!rows.is_empty()).then(|| Section::second(title, vec![Block::Table(Table { caption, columns, rows }.without_blank_columns())]))
}
