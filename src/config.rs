//! `mailtrail.toml`: what an organisation tells the tool about itself once, and the hints of one case.
//!
//! The command line overrides the file. Reading the file is the caller's work; this is its meaning.

use crate::domain::account::AccountRules;
use crate::domain::time::{Timestamp, Zone};
use ipnet::IpNet;
use serde::Deserialize;
use std::collections::BTreeMap;

/// The file as written.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Completes login names without a domain.
    pub default_domain: Option<String>,
    /// Mail domains of the organisation.
    pub domains: Vec<String>,
    /// Mail hosts of the organisation: full names, or `.suffix`.
    pub hosts: Vec<String>,
    /// Networks of the organisation's own mail hosts.
    pub networks: Vec<IpNet>,
    /// Networks whose logins are the owners' own.
    pub trusted_networks: Vec<IpNet>,
    /// Zone of the report.
    pub timezone: Option<String>,
    /// Zone of log stamps that carry none.
    pub log_timezone: Option<String>,
    pub tlp: Option<String>,
    /// Spelling to account.
    pub aliases: BTreeMap<String, String>,
    pub thresholds: Thresholds,
}

/// Limits of the analysis; `docs/METHOD.md` gives the reason of each.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Thresholds {
    /// Score at or above which an incident is reported as suspected.
    pub suspected: f64,
    /// Score at or above which it is reported as confirmed.
    pub confirmed: f64,
    /// A quiet stretch longer than this many hours is a gap in the coverage.
    pub gap_hours: f64,
}

impl Default for Thresholds {
    fn default() -> Thresholds {
        Thresholds { suspected: 0.5, confirmed: 0.8, gap_hours: 24.0 }
    }
}

/// What the analyst knows or suspects already.
#[derive(Clone, Debug, Default)]
pub struct Hints {
    pub accounts: Vec<String>,
    pub attacker_networks: Vec<IpNet>,
    pub since: Option<Timestamp>,
    pub until: Option<Timestamp>,
}

/// Everything that decides a run's result besides the evidence itself.
#[derive(Clone, Debug)]
pub struct Settings {
    pub accounts: AccountRules,
    pub domains: Vec<String>,
    pub hosts: Vec<String>,
    pub networks: Vec<IpNet>,
    pub trusted_networks: Vec<IpNet>,
    pub report_zone: Zone,
    pub tlp: String,
    pub thresholds: Thresholds,
    pub hints: Hints,
    /// `--log-tz [GLOB=]ZONE`: the first pattern that fits a source's path decides; `None` fits all.
    pub log_zones: Vec<(Option<String>, Zone)>,
    /// `--year [GLOB=]YYYY`, likewise.
    pub years: Vec<(Option<String>, i32)>,
    pub limits: crate::intake::Limits,
    /// Worker threads, at least 1.
    pub threads: usize,
}
