//! Reports made by hand, for the tests of the faces: one account taken over, a quiet week, and one full of hostile text.

use super::Style;
use crate::analysis::model::*;
use crate::domain::time::{Stamp, Timestamp, Zone, days_from_civil};
use std::collections::BTreeMap;

pub(crate) const PLAIN: Style = Style { color: false, width: 100 };

/// A time in Japan, `(month, day, hour, minute, second)` of 2022.
fn at(month: u32, day: u32, hour: i64, minute: i64, second: i64) -> Stamp {
    let wall = days_from_civil(2022, month, day) * 86_400 + hour * 3600 + minute * 60 + second;
    Zone::Fixed(32_400).stamp(Timestamp::from_seconds(wall - 32_400))
}

fn strings(items: &[&str]) -> Vec<String> {
    items.iter().map(|s| (*s).to_owned()).collect()
}

fn evidence() -> Vec<Evidence> {
    let source = |id: &str, path: &str, sha: &str, lines: Lines| Evidence {
        id: id.to_owned(),
        path: path.to_owned(),
        size: 48_213,
        sha256: Some(sha.repeat(32)),
        format: Some("postfix.syslog".to_owned()),
        host: Some("mx1".to_owned()),
        hosts: strings(&["mx1"]),
        first: Some(at(10, 1, 0, 0, 12)),
        last: Some(at(11, 2, 9, 10, 3)),
        lines,
        year_from: Some("gzip-mtime".to_owned()),
        zone_from: Some("option".to_owned()),
        zone: Some("Asia/Tokyo".to_owned()),
        notes: Vec::new(),
        complete: true,
    };
    let because = BTreeMap::from([("connect".to_owned(), 2_000), ("housekeeping".to_owned(), 12)]);
    let first = Lines { total: 12_345, used: 10_333, ignored: 2_012, ignored_because: because, ..Lines::default() };
    let second = Lines {
        total: 9,
        used: 7,
        ignored: 1,
        malformed: 1,
        ignored_because: BTreeMap::from([("connect".to_owned(), 1)]),
        malformed_samples: strings(&["9: no time"]),
    };
    vec![
        source("E1", "evidence/bundle.zip!mail.log.1.gz", "ab", first),
        Evidence {
            notes: strings(&["gzip stream ends early after 4,096 bytes"]),
            complete: false,
            sha256: None,
            host: Some("dovecot1".to_owned()),
            hosts: strings(&["dovecot1", "mx1"]),
            format: Some("dovecot.syslog".to_owned()),
            ..source("E2", "evidence/bundle.zip!dovecot.log.gz", "cd", second)
        },
    ]
}

/// A week of ordinary mail: nothing to report, and the evidence is whole.
pub(crate) fn quiet() -> Report {
    let account = |name: &str, messages: u64| Account {
        account: name.to_owned(),
        aliases: Vec::new(),
        logins: 41,
        failures: 2,
        origins: 3,
        first: Some(at(10, 1, 8, 30, 0)),
        last: Some(at(11, 1, 19, 2, 11)),
        messages: Some(MessageTally { total: messages, delivered: messages, ..MessageTally::default() }),
        recipients: Some(RecipientTally { total: messages * 2, delivered: messages * 2, ..RecipientTally::default() }),
    };
    let mut evidence = evidence();
    evidence.truncate(1);
    Report {
        schema: SCHEMA.to_owned(),
        tool: Tool { name: "mailtrail".to_owned(), version: "0.1.0".to_owned() },
        pseudonymized: None,
        timezone: "Asia/Tokyo".to_owned(),
        lang: crate::say::Lang::En,
        tlp: "AMBER+STRICT".to_owned(),
        evidence,
        files: vec![EvidenceFile { path: "evidence/bundle.zip".to_owned(), size: 50_000, sha256: Some("ef".repeat(32)) }],
        coverage: vec![Coverage {
            system: "postfix".to_owned(),
            host: "mx1".to_owned(),
            from: at(10, 1, 0, 0, 12),
            to: at(11, 2, 9, 10, 3),
            gaps: Vec::new(),
        }],
        incidents: Vec::new(),
        accounts: (0..11)
            .map(|i| account(&format!("user{i:02}@u.example"), 1_200 - u64::from(i as u8) * 7))
            .chain([account("田中@u.example", 1_200)])
            .collect(),
        merges: vec![Merge {
            spelling: "UNIV\\tanaka".to_owned(),
            account: "tanaka@u.example".to_owned(),
            why: "default domain".to_owned(),
        }],
        limitations: Vec::new(),
        hints: Vec::new(),
        geoip: Vec::new(),
        complete: true,
    }
}

fn first_login() -> FirstLogin {
    FirstLogin {
        time: at(10, 31, 16, 1, 20),
        account: "tanaka@u.example".to_owned(),
        ip: Some("203.0.113.7".to_owned()),
        protocol: "smtp-auth".to_owned(),
        client: Some("[127.0.0.1]".to_owned()),
        evidence: strings(&["E1:1234"]),
    }
}

fn same_use(account: Option<&str>, successes: u64) -> SameUse {
    SameUse {
        account: account.map(str::to_owned),
        successes,
        failures: 4,
        interrupted: 0,
        password_known: successes > 0,
        origins: strings(&["192.0.2.44", "198.51.100.9"]),
        origin_count: 7,
        first: at(10, 29, 2, 11, 40),
        last: at(10, 31, 22, 5, 1),
        evidence: strings(&["E1:1190"]),
    }
}

fn same_client() -> SameClient {
    SameClient {
        client: "ylmf-pc".to_owned(),
        kind: "helo".to_owned(),
        attackers: strings(&["203.0.113.7"]),
        attacker_origins: 1,
        accounts: vec![same_use(Some("sato@u.example"), 1), same_use(None, 0)],
        own_accounts: vec![same_use(Some("tanaka@u.example"), 0)],
    }
}

fn none_earlier() -> PriorFailedLogins {
    let note = "Postfix before 3.9 does not log the user name of a failed login, so failures are counted by address only.";
    PriorFailedLogins {
        account: Count { count: Some(0), determinable: false, note: Some(note.to_owned()) },
        origin: Count { count: Some(0), determinable: true, note: None },
    }
}

fn messages() -> MessageTally {
    MessageTally { total: 795, delivered: 11, blocked: 784, ..MessageTally::default() }
}

fn recipients() -> RecipientTally {
    RecipientTally { total: 795, delivered: 11, blocked: 784, distinct: 795, domains: 1, new: 795, ..RecipientTally::default() }
}

fn notices() -> ReturnedNotices {
    ReturnedNotices { count: Some(784), first: Some(at(10, 31, 16, 3, 12)), last: Some(at(11, 1, 1, 46, 9)), note: None }
}

fn mailbox() -> MailboxAccess {
    let note = "no IMAP or POP3 log of this account's server is in evidence";
    let viewable = Some(Window { from: at(10, 31, 16, 1, 20), to: at(11, 1, 1, 47, 40) });
    MailboxAccess { note: Some(note.to_owned()), viewable, ..MailboxAccess::default() }
}

fn origins() -> Vec<Origin> {
    let attacker = Origin {
        ip: "203.0.113.7".to_owned(),
        asn: Some(64_500),
        country: None,
        verdict: OriginVerdict::Attacker,
        logins: 1,
        failures: 0,
        messages: Some(795),
        first: Some(at(10, 31, 16, 1, 20)),
        last: Some(at(11, 1, 1, 46, 2)),
        first_failure: None,
        last_failure: None,
        clients: strings(&["[127.0.0.1]"]),
    };
    let owner = Origin {
        ip: "198.51.100.20".to_owned(),
        asn: None,
        verdict: OriginVerdict::Owner,
        logins: 41,
        failures: 2,
        messages: Some(63),
        first: Some(at(10, 1, 8, 30, 0)),
        last: Some(at(11, 1, 9, 2, 11)),
        clients: strings(&["pc-12.u.example"]),
        ..attacker.clone()
    };
    vec![attacker, owner]
}

fn basis() -> Vec<Signal> {
    let signal = |signal: &str, weight, text: &str, evidence: &[&str]| Signal {
        signal: signal.to_owned(),
        weight,
        text: text.to_owned(),
        evidence: strings(evidence),
        technique: (weight > 0.0).then(|| "T1078".to_owned()),
    };
    vec![
        signal("new-origin", 0.35, "203.0.113.0/24 was never used by tanaka@u.example in the 30 days before.", &["E1:1234"]),
        signal(
            "send-rate",
            0.3,
            "795 messages in 9 h 45 min; the account's own maximum before was 9 in a day.",
            &["E1:1240", "E1:1288", "E1:1300", "E1:1307"],
        ),
        signal("returned-flood", 0.25, "784 non-delivery notices came back.", &["E1:1291"]),
        signal("owner-active", -0.05, "The owner's own origin kept working as usual.", &[]),
    ]
}

fn reasons() -> Vec<ReasonTally> {
    let reason = |class: &str, n: u64, sample: &str| ReasonTally {
        outcome: "blocked".to_owned(),
        by: Some("own".to_owned()),
        class: class.to_owned(),
        messages: n,
        recipients: n,
        sample: sample.to_owned(),
        evidence: strings(&["E1:1260"]),
    };
    vec![
        reason(
            "rate-limit",
            700,
            "450 4.7.1 <tanaka@u.example>: Sender address rejected: too many messages, see https://help.u.example/limits",
        ),
        reason("content", 84, "554 5.7.1 id=01234-05 - spam"),
    ]
}

/// One account taken over: 795 messages sent, 11 arrived, 784 blocked. One damaged log beside it.
pub(crate) fn taken_over() -> Report {
    let account = "tanaka@u.example".to_owned();
    let own = PerAccount {
        first_login: Some(first_login()),
        prior_failed_logins: none_earlier(),
        first_send: Some(at(10, 31, 16, 3, 11)),
        last_send: Some(at(11, 1, 1, 46, 2)),
        last_activity: Some(at(11, 1, 1, 47, 40)),
        last_owner_login_before: Some(at(10, 31, 9, 12, 44)),
        messages: Some(messages()),
        recipients: Some(recipients()),
        returned_notices: notices(),
        mailbox_access: mailbox(),
    };
    let incident = Incident {
        id: "I1".to_owned(),
        accounts: vec![account.clone()],
        sending_accounts: vec![account.clone()],
        verdict: Verdict::Confirmed,
        score: 0.97,
        basis: basis(),
        first_login: Some(first_login()),
        first_send: own.first_send,
        last_send: own.last_send,
        last_activity: own.last_activity,
        prior_failed_logins: none_earlier(),
        protocols: vec![ProtocolUse { protocol: "smtp-auth".to_owned(), logins: 1, failures: 0, messages: Some(795) }],
        origins: origins(),
        messages: Some(messages()),
        recipients: Some(recipients()),
        blocked_by: Some(BlockedBy { own: 784, remote: 0 }),
        reasons: reasons(),
        returned_notices: notices(),
        mailbox_access: mailbox(),
        account_changes: vec![AccountChange {
            time: at(10, 31, 16, 9, 30),
            account: account.clone(),
            action: "inbox-rule-created".to_owned(),
            detail: "move everything to \"RSS 購読\"".to_owned(),
            failed: false,
            evidence: strings(&["E2:4"]),
        }],
        other_accounts: vec![OtherAccount { account: "鈴木@u.example".to_owned(), failures: 3, password_known: false }],
        same_client: Some(vec![same_client()]),
        same_asn: Some(vec![SameAsn { asn: 64_500, accounts: vec![same_use(Some("sato@u.example"), 0)] }]),
        per_account: BTreeMap::from([(account, own)]),
        reach: Some(Reach { known_to_organisation: 2, internal: 0, wrote_to_account: 1, per_message_median: 1, per_message_max: 1 }),
        sent_estimate: None,
        discovery: Some(Discovery {
            time: at(10, 31, 16, 3, 12),
            text: "the first notice of failure came back to the account; 80 within the first hour".to_owned(),
        }),
        alternatives: vec![Alternative {
            text: "the owner at a new place".to_owned(),
            speaks_for: Vec::new(),
            speaks_against: strings(&["burst", "refusals"]),
        }],
        techniques: vec![Technique { id: "T1078".to_owned(), name: "Valid Accounts".to_owned(), because: strings(&["new-origin"]) }],
        lower_bounds: vec![LowerBound {
            figures: strings(&["prior_failed_logins", "other_accounts"]),
            because: "no log of logins to mailboxes is in evidence".to_owned(),
        }],
        notes: strings(&["No log of changes to accounts is in evidence: rules, forwarding and other changes are unknown."]),
    };
    let hole = Gap { from: at(10, 12, 3, 0, 0), to: at(10, 13, 9, 0, 0), why: "no line for 30 hours".to_owned() };
    let mut report = quiet();
    report.evidence = evidence();
    report.coverage.push(Coverage {
        system: "dovecot".to_owned(),
        host: "dovecot1".to_owned(),
        gaps: vec![hole],
        ..report.coverage[0].clone()
    });
    report.limitations = strings(&["Whether a delivered message lay in the inbox or the junk folder cannot be known from these logs."]);
    report.incidents = vec![incident];
    report.complete = false;
    report
}

/// What an attacker could write into a log to attack its reader.
pub(crate) const ATTACKS: [&str; 7] = [
    "=cmd|' /C calc'!A0",
    "<script>alert(1)</script>",
    "[x](javascript:alert(1))",
    "\x1b]0;owned\x07",
    "user\u{202e}elpmaxe\u{200b}",
    "a`b``c|d\r\n# new heading",
    "\"><img src=x onerror=alert(1)> https://evil.example/a",
];

/// The same takeover, with every string of the evidence replaced by hostile text.
pub(crate) fn hostile() -> Report {
    let mut report = taken_over();
    let all = || strings(&ATTACKS);
    let one = |i: usize| ATTACKS[i % ATTACKS.len()].to_owned();
    for (i, evidence) in report.evidence.iter_mut().enumerate() {
        (evidence.path, evidence.host, evidence.hosts, evidence.notes) = (one(i + 5), Some(one(i)), all(), all());
        evidence.lines.malformed_samples = all();
    }
    report.coverage.iter_mut().for_each(|c| c.host = one(1));
    report.limitations = all();
    let incident = &mut report.incidents[0];
    (incident.accounts, incident.sending_accounts) = (all(), all());
    let login = incident.first_login.as_mut().unwrap();
    (login.account, login.client, login.ip) = (one(5), Some(one(3)), Some(one(4)));
    incident.origins =
        (0..7).map(|i| Origin { ip: one(i), clients: vec![one(i + 1)], country: Some(one(i)), ..origins()[0].clone() }).collect();
    incident.reasons = (0..7).map(|i| ReasonTally { sample: one(i), class: one(i), ..reasons()[0].clone() }).collect();
    incident.basis =
        (0..7).map(|i| Signal { text: one(i), signal: one(i), weight: 0.1, evidence: vec![one(i)], technique: Some(one(i)) }).collect();
    incident.other_accounts[0].account = one(1);
    incident.same_client.as_mut().unwrap()[0] = SameClient { client: one(2), attackers: vec![one(3)], ..same_client() };
    incident.same_client.as_mut().unwrap()[0].accounts[0] = SameUse { origins: all(), ..same_use(Some(ATTACKS[4]), 1) };
    incident.account_changes[0].detail = one(6);
    incident.mailbox_access.note = Some(one(2));
    incident.notes = all();
    incident.alternatives[0].speaks_for = all();
    incident.techniques[0].because = all();
    incident.discovery.as_mut().unwrap().text = one(1);
    report.hints = all();
    report.merges = vec![Merge { spelling: one(0), account: one(1), why: one(2) }];
    report
}
