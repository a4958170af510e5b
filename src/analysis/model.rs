//! The report as data: the document `mailtrail.report/1`. Every face of the report reads this and nothing else.
//!
//! Field names are a published contract: additions are free, renames are not. What is not known is `None` (`null`), never 0.

use crate::domain::time::Stamp;
use crate::say::Lang;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The name and version of the document's schema.
pub const SCHEMA: &str = "mailtrail.report/1";

/// The whole report.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Report {
    pub schema: String,
    pub tool: Tool,
    /// Whether personal data was replaced, and with what key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pseudonymized: Option<Pseudonymized>,
    /// The zone all times are shown in.
    pub timezone: String,
    /// The language of the sentences.
    #[serde(default)]
    pub lang: Lang,
    pub tlp: String,
    pub evidence: Vec<Evidence>,
    /// Files on disk as handed in: archives, compressed and plain files.
    pub files: Vec<EvidenceFile>,
    pub coverage: Vec<Coverage>,
    pub incidents: Vec<Incident>,
    pub accounts: Vec<Account>,
    /// Spellings that were joined into one account, each with the reason.
    pub merges: Vec<Merge>,
    pub limitations: Vec<String>,
    /// What the analyst told, which overrides the judgement.
    #[serde(default)]
    pub hints: Vec<String>,
    /// The databases that told countries and networks.
    #[serde(default)]
    pub geoip: Vec<GeoSource>,
    /// Whether all evidence could be read; if not, the run ends with exit code 3.
    pub complete: bool,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Tool {
    pub name: String,
    pub version: String,
}

/// Names and addresses are pseudonyms.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pseudonymized {
    /// Tells which key they were made with, and nothing of the key.
    pub key: String,
}

/// One source: a file, or a member of an archive.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Evidence {
    pub id: String,
    pub path: String,
    /// Bytes of the file or member as it lies in the evidence (compressed, if it is).
    pub size: u64,
    /// `None` if it could not be read to its end.
    pub sha256: Option<String>,
    pub format: Option<String>,
    /// The host that wrote most of it, as logged.
    pub host: Option<String>,
    /// All hosts seen in it.
    pub hosts: Vec<String>,
    pub first: Option<Stamp>,
    pub last: Option<Stamp>,
    pub lines: Lines,
    /// What decided the year of year-less stamps; `in-line` where each line has one.
    pub year_from: Option<String>,
    /// What decided the zone; `in-line` where each line has an offset.
    pub zone_from: Option<String>,
    /// The zone that was applied to stamps without one.
    pub zone: Option<String>,
    pub notes: Vec<String>,
    /// Whether it could be read whole.
    pub complete: bool,
}

/// The ledger of a source's lines: `total = used + ignored + malformed`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lines {
    pub total: u64,
    pub used: u64,
    pub ignored: u64,
    pub malformed: u64,
    /// Ignored lines by reason.
    pub ignored_because: BTreeMap<String, u64>,
    /// The first malformed lines: `line: why`.
    pub malformed_samples: Vec<String>,
}

/// A database of countries or networks of addresses.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct GeoSource {
    pub path: String,
    pub kind: String,
    /// The day it was built.
    pub built: Stamp,
    pub sha256: String,
}

/// A file on disk, as handed in.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct EvidenceFile {
    pub path: String,
    pub size: u64,
    pub sha256: Option<String>,
}

/// From when to when one system of one host speaks.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Coverage {
    pub system: String,
    pub host: String,
    pub from: Stamp,
    pub to: Stamp,
    pub gaps: Vec<Gap>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Gap {
    pub from: Stamp,
    pub to: Stamp,
    pub why: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    Suspected,
    Confirmed,
}

/// What belongs to one compromise.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Incident {
    pub id: String,
    /// Accounts an attacker's origin got into.
    pub accounts: Vec<String>,
    /// Those of them that sent.
    pub sending_accounts: Vec<String>,
    pub verdict: Verdict,
    /// 0 to 1.
    pub score: f64,
    pub basis: Vec<Signal>,
    pub first_login: Option<FirstLogin>,
    pub first_send: Option<Stamp>,
    pub last_send: Option<Stamp>,
    pub last_activity: Option<Stamp>,
    pub prior_failed_logins: PriorFailedLogins,
    pub protocols: Vec<ProtocolUse>,
    pub origins: Vec<Origin>,
    /// `None` where no log of submissions speaks of the time of the incident; so are the next two.
    pub messages: Option<MessageTally>,
    pub recipients: Option<RecipientTally>,
    pub blocked_by: Option<BlockedBy>,
    pub reasons: Vec<ReasonTally>,
    pub returned_notices: ReturnedNotices,
    pub mailbox_access: MailboxAccess,
    pub account_changes: Vec<AccountChange>,
    pub other_accounts: Vec<OtherAccount>,
    /// What else came by a program that the attackers' logins came by; no verdict follows from it. `None` where none of their logins
    /// says what program it came by.
    #[serde(default)]
    pub same_client: Option<Vec<SameClient>>,
    /// What else came out of an autonomous system of the attackers; no verdict follows from it. `None` where none of theirs is known.
    #[serde(default)]
    pub same_asn: Option<Vec<SameAsn>>,
    pub per_account: BTreeMap<String, PerAccount>,
    /// Who the recipients are to the account and the organisation.
    #[serde(default)]
    pub reach: Option<Reach>,
    /// What notices of failure tell of mail that no log tells of.
    #[serde(default)]
    pub sent_estimate: Option<SentEstimate>,
    /// When the owner or a colleague is likely to have noticed.
    #[serde(default)]
    pub discovery: Option<Discovery>,
    /// Other explanations of what was seen.
    #[serde(default)]
    pub alternatives: Vec<Alternative>,
    /// MITRE ATT&CK techniques that the findings are signs of.
    #[serde(default)]
    pub techniques: Vec<Technique>,
    /// Figures that are at least as large as said, and why.
    #[serde(default)]
    pub lower_bounds: Vec<LowerBound>,
    /// What the evidence cannot tell of this incident.
    #[serde(default)]
    pub notes: Vec<String>,
}

/// Figures that a missing log keeps from being whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LowerBound {
    /// By their names in this document, below the incident; of objects every figure but the rests, `unknown` and `new`.
    pub figures: Vec<String>,
    pub because: String,
}

/// Who the recipients are to the account and the organisation; different addresses each.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reach {
    /// Somebody of the organisation had written to them, or they to it, before; the account's own contacts included.
    pub known_to_organisation: u64,
    /// In a mail domain of the organisation.
    pub internal: u64,
    /// Had written to the account: their addresses could be taken from its mailbox.
    pub wrote_to_account: u64,
    /// Recipients of one message: the median and the most.
    pub per_message_median: u64,
    pub per_message_max: u64,
}

/// How much was sent, guessed where no log of submissions speaks of the time. No figure of the incident counts it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SentEstimate {
    /// At least about so many messages were sent and failed; how many arrived is unknown.
    pub messages: u64,
    /// What it was taken from: `returned-notices`.
    pub from: String,
    /// How sure it is: always `low`, since a forged sender draws notices too.
    pub confidence: String,
    /// The first and the last notice.
    pub first: Stamp,
    pub last: Stamp,
}

/// When somebody is likely to have noticed, and by what.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Discovery {
    pub time: Stamp,
    pub text: String,
}

/// Another explanation, with the signs that speak for and against it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Alternative {
    pub text: String,
    pub speaks_for: Vec<String>,
    pub speaks_against: Vec<String>,
}

/// A technique of MITRE ATT&CK.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Technique {
    pub id: String,
    pub name: String,
    /// The signs and findings that speak for it.
    pub because: Vec<String>,
}

impl Incident {
    /// Whether each set of figures adds up to its total, in both units, for the whole and for each account.
    #[must_use]
    pub fn adds_up(&self) -> bool {
        let blocked = |recipients: &RecipientTally| self.blocked_by.as_ref().is_some_and(|by| recipients.blocked == by.own + by.remote);
        let accounts = || self.per_account.values();
        let messages: u64 = accounts().filter_map(|a| a.messages.as_ref()).map(|m| m.total).sum();
        let recipients: u64 = accounts().filter_map(|a| a.recipients.as_ref()).map(|r| r.total).sum();
        let own = |a: &PerAccount| {
            a.messages.as_ref().is_none_or(MessageTally::adds_up) && a.recipients.as_ref().is_none_or(RecipientTally::adds_up)
        };
        accounts().all(own)
            && self.messages.as_ref().is_none_or(|m| m.adds_up() && m.total == messages)
            && self.recipients.as_ref().is_none_or(|r| r.adds_up() && r.total == recipients && blocked(r))
    }
}

/// One reason for a verdict, for or (with a negative weight) against.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Signal {
    pub signal: String,
    pub weight: f64,
    pub text: String,
    pub evidence: Vec<String>,
    /// The MITRE ATT&CK technique it is a sign of, by id.
    pub technique: Option<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct FirstLogin {
    pub time: Stamp,
    pub account: String,
    pub ip: Option<String>,
    pub protocol: String,
    pub client: Option<String>,
    pub evidence: Vec<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PriorFailedLogins {
    /// Failures on the incident's accounts, by anyone, before that account's first attacker login.
    pub account: Count,
    /// Those of them by the attacker's origins.
    pub origin: Count,
}

/// A count that may not be determinable from the evidence.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Count {
    pub count: Option<u64>,
    pub determinable: bool,
    pub note: Option<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ProtocolUse {
    pub protocol: String,
    pub logins: u64,
    pub failures: u64,
    /// `None` where no log of submissions is in evidence; so everywhere below.
    pub messages: Option<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OriginVerdict {
    Attacker,
    Owner,
    Undetermined,
}

/// An address an incident's account was used from, or tried from.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Origin {
    pub ip: String,
    pub asn: Option<u32>,
    pub country: Option<String>,
    pub verdict: OriginVerdict,
    pub logins: u64,
    pub failures: u64,
    pub messages: Option<u64>,
    /// When it first and last got into one of the accounts.
    pub first: Option<Stamp>,
    pub last: Option<Stamp>,
    /// When it first and last failed to log in to any account.
    #[serde(default)]
    pub first_failure: Option<Stamp>,
    #[serde(default)]
    pub last_failure: Option<Stamp>,
    /// Client names and HELO strings seen from there.
    pub clients: Vec<String>,
}

/// Messages by outcome; the outcomes add up to the total.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageTally {
    pub total: u64,
    pub delivered: u64,
    pub partly_delivered: u64,
    pub blocked: u64,
    pub bounced: u64,
    pub expired: u64,
    pub deferred: u64,
    pub discarded: u64,
    pub held: u64,
    pub relayed: u64,
    pub unknown: u64,
}

impl MessageTally {
    /// Whether the outcomes add up to the total.
    #[must_use]
    pub fn adds_up(&self) -> bool {
        let ended = self.delivered + self.partly_delivered + self.blocked + self.bounced + self.expired;
        self.total == ended + self.deferred + self.discarded + self.held + self.relayed + self.unknown
    }
}

impl RecipientTally {
    /// Whether the outcomes add up to the total, and the new and the known addresses to the different ones.
    #[must_use]
    pub fn adds_up(&self) -> bool {
        let ended = self.delivered + self.blocked + self.bounced + self.expired;
        self.total == ended + self.deferred + self.discarded + self.held + self.relayed + self.unknown
            && self.distinct == self.previously_contacted + self.new
    }
}

/// Recipients by outcome; the outcomes add up to the total.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecipientTally {
    pub total: u64,
    pub delivered: u64,
    pub blocked: u64,
    pub bounced: u64,
    pub expired: u64,
    pub deferred: u64,
    pub discarded: u64,
    pub held: u64,
    pub relayed: u64,
    pub unknown: u64,
    /// Different recipient addresses.
    pub distinct: u64,
    /// Their different domains.
    pub domains: u64,
    /// Those the account wrote to earlier within the evidence, the attacker's messages excluded.
    pub previously_contacted: u64,
    pub new: u64,
}

/// Blocked recipients by who refused.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlockedBy {
    pub own: u64,
    pub remote: u64,
}

/// Recipients (and messages with at least one such recipient) that share an outcome and a reason.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ReasonTally {
    pub outcome: String,
    pub by: Option<String>,
    pub class: String,
    pub messages: u64,
    pub recipients: u64,
    pub sample: String,
    pub evidence: Vec<String>,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct ReturnedNotices {
    pub count: Option<u64>,
    pub first: Option<Stamp>,
    pub last: Option<Stamp>,
    pub note: Option<String>,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct MailboxAccess {
    pub determinable: bool,
    pub sessions: Option<u64>,
    pub items: Option<u64>,
    pub first: Option<Stamp>,
    pub last: Option<Stamp>,
    /// From when to when an attacker could read all that lay in the mailbox, whether or not a session shows: he had the password.
    #[serde(default)]
    pub viewable: Option<Window>,
    pub note: Option<String>,
}

/// A stretch of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    pub from: Stamp,
    pub to: Stamp,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct AccountChange {
    pub time: Stamp,
    pub account: String,
    pub action: String,
    pub detail: String,
    /// It was tried, and nothing was changed.
    #[serde(default)]
    pub failed: bool,
    pub evidence: Vec<String>,
}

/// An account the attacker's origins tried and did not get into.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct OtherAccount {
    pub account: String,
    pub failures: u64,
    pub password_known: bool,
}

/// A program that the attackers' logins and others have in common, told by its own words. Honest people may use it too.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SameClient {
    /// In the words of the attackers' first login with it.
    pub client: String,
    /// What words they are: `user_agent`, or `helo` for the name given with `EHLO` or `HELO`.
    pub kind: String,
    /// The attackers' addresses that came with it, five at most, and their number.
    pub attackers: Vec<String>,
    pub attacker_origins: u64,
    /// Other accounts, from addresses that are not among the attackers'.
    pub accounts: Vec<SameUse>,
    /// The incident's own accounts, from addresses that are not among the attackers'.
    pub own_accounts: Vec<SameUse>,
}

/// An autonomous system of the attackers out of which other accounts were used or tried.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SameAsn {
    pub asn: u32,
    /// Other accounts, from addresses that are not among the attackers'.
    pub accounts: Vec<SameUse>,
}

/// How an account was used or tried by something that the attackers have too.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SameUse {
    /// `None` for users that the log does not name.
    pub account: Option<String>,
    pub successes: u64,
    pub failures: u64,
    /// Neither a login nor the failure of one: a prompt, a page in between.
    pub interrupted: u64,
    /// Whoever it was got in, or was stopped after the right password.
    pub password_known: bool,
    /// Five at most, and their number.
    pub origins: Vec<String>,
    pub origin_count: u64,
    pub first: Stamp,
    pub last: Stamp,
    /// The first of the logins.
    pub evidence: Vec<String>,
}

/// The incident's figures for one of its accounts.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PerAccount {
    pub first_login: Option<FirstLogin>,
    pub prior_failed_logins: PriorFailedLogins,
    pub first_send: Option<Stamp>,
    pub last_send: Option<Stamp>,
    pub last_activity: Option<Stamp>,
    /// The last login from an origin of the owner before the first attacker login.
    pub last_owner_login_before: Option<Stamp>,
    pub messages: Option<MessageTally>,
    pub recipients: Option<RecipientTally>,
    pub returned_notices: ReturnedNotices,
    pub mailbox_access: MailboxAccess,
}

/// All that the evidence says of one account, attacker's and owner's use together.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Account {
    pub account: String,
    pub aliases: Vec<String>,
    pub logins: u64,
    pub failures: u64,
    pub origins: u64,
    pub first: Option<Stamp>,
    pub last: Option<Stamp>,
    pub messages: Option<MessageTally>,
    pub recipients: Option<RecipientTally>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Merge {
    pub spelling: String,
    pub account: String,
    pub why: String,
}
