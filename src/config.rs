//! `mailtrail.toml`: what an organisation tells the tool about itself once, and the hints of one case.
//!
//! The command line overrides the file. Reading the file is the caller's work; this is its meaning.

use crate::domain::account::AccountRules;
use crate::domain::time::{Timestamp, Zone};
use crate::geo::Geo;
use crate::say::Lang;
use ipnet::IpNet;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::sync::Arc;

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
    /// Language of the report: `en` or `ja`.
    pub lang: Option<String>,
    pub tlp: Option<String>,
    /// Spelling to account.
    pub aliases: BTreeMap<String, String>,
    pub thresholds: Thresholds,
    /// Incidents that are known already.
    pub incidents: Vec<KnownIncident>,
}

/// One `[[incidents]]`: what is known of an incident before the evidence is read.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct KnownIncident {
    /// What it is called in the house.
    pub name: Option<String>,
    pub accounts: Vec<String>,
    /// Addresses or networks of the attackers.
    pub attacker_ips: Vec<String>,
    /// RFC 3339, as in `2022-10-31T16:00:00+09:00`.
    pub since: Option<String>,
    pub until: Option<String>,
}

/// Limits of the analysis; `docs/METHOD.md` gives the reason of each.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Thresholds {
    /// Score at or above which an incident is reported as suspected.
    pub suspected: f64,
    /// Score at or above which it is reported as confirmed.
    pub confirmed: f64,
    /// A quiet stretch longer than this many hours is a gap in the coverage, whatever the host's own rhythm.
    pub gap_hours: f64,
    /// Hours of earlier use an account needs before an address it never used counts as new.
    pub history_hours: f64,
    /// Recipients in one hour that make a burst, and how many times the account's own busiest hour.
    pub burst_recipients: u64,
    pub burst_factor: u64,
    /// Recipients a day that are much for one person, and how many times the account's own usual day.
    pub daily_recipients: u64,
    pub daily_factor: u64,
    /// Share of blocked and bounced recipients that is far above what honest mail meets.
    pub refused_share: f64,
    /// Accounts an address or a network failed on that make it a spray.
    pub spray_accounts: usize,
    /// Notices of failure within 24 hours that make a flood where no log tells what was sent, and how many times the busiest day of
    /// the owner and of his peers.
    pub flood_notices: u64,
    pub flood_factor: u64,
    /// Kilometres an hour that nobody travels.
    pub travel_speed: f64,
}

impl Default for Thresholds {
    fn default() -> Thresholds {
        Thresholds {
            suspected: 0.5,
            confirmed: 0.8,
            gap_hours: 24.0,
            history_hours: 24.0,
            burst_recipients: 30,
            burst_factor: 5,
            daily_recipients: 15,
            daily_factor: 3,
            refused_share: 0.25,
            spray_accounts: 3,
            flood_notices: 100,
            flood_factor: 10,
            travel_speed: 900.0,
        }
    }
}

/// What the analyst knows or suspects already.
#[derive(Clone, Debug, Default)]
pub struct Hints {
    /// The name of the incident in the configuration.
    pub name: Option<String>,
    pub accounts: Vec<String>,
    pub attacker_networks: Vec<IpNet>,
    /// The first instant that counts.
    pub since: Option<Timestamp>,
    /// The first instant that no longer counts.
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
    pub lang: Lang,
    pub tlp: String,
    pub thresholds: Thresholds,
    pub hints: Hints,
    /// The incidents of the configuration.
    pub incidents: Vec<Hints>,
    /// `--log-tz [GLOB=]ZONE`: the first pattern that fits a source's path decides; `None` fits all.
    pub log_zones: Vec<(Option<String>, Zone)>,
    /// `--year [GLOB=]YYYY`, likewise.
    pub years: Vec<(Option<String>, i32)>,
    pub limits: crate::intake::Limits,
    /// Worker threads, at least 1.
    pub threads: usize,
    /// Databases of countries and networks.
    pub geo: Arc<Geo>,
}

/// What the command line says of a run, where it says anything.
#[derive(Clone, Debug, Default)]
pub struct Overrides {
    pub hints: Hints,
    /// Beside those of the file.
    pub trusted_networks: Vec<IpNet>,
    /// In place of the file's.
    pub report_zone: Option<Zone>,
    pub log_zones: Vec<(Option<String>, Zone)>,
    pub years: Vec<(Option<String>, i32)>,
    /// In place of the file's.
    pub lang: Option<Lang>,
    /// In place of the file's.
    pub tlp: Option<String>,
    pub limits: crate::intake::Limits,
    pub threads: usize,
}

/// A configuration that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// Not TOML, an unknown key, or a value of the wrong kind; the text says where.
    #[error("{}", .0.to_string().trim_end())]
    Syntax(#[from] toml::de::Error),
    #[error("{key}: {problem}")]
    Value { key: &'static str, problem: String },
}

/// The marks of the Traffic Light Protocol 2.0.
pub const TLP_MARKS: [&str; 5] = ["RED", "AMBER+STRICT", "AMBER", "GREEN", "CLEAR"];

/// The mark of a report that asks for no other.
const TLP_DEFAULT: &str = "AMBER+STRICT";

/// Reads a mark of the Traffic Light Protocol, with or without `TLP:`, in any case.
///
/// # Errors
/// Returns a sentence that says what is accepted.
pub fn parse_tlp(text: &str) -> Result<String, String> {
    let upper = text.trim().to_ascii_uppercase();
    let mark = upper.strip_prefix("TLP:").unwrap_or(&upper);
    match TLP_MARKS.iter().find(|known| **known == mark) {
        Some(known) => Ok((*known).to_owned()),
        None => Err(format!("unknown mark \"{text}\"; give one of {}", TLP_MARKS.join(", "))),
    }
}

impl Config {
    /// Reads the text of a `mailtrail.toml`.
    ///
    /// # Errors
    /// Fails if it is not TOML, or has a key or a value that means nothing here.
    pub fn parse(text: &str) -> Result<Config, ConfigError> {
        Ok(toml::from_str(text)?)
    }
}

impl Config {
    /// Fails for names that nothing in any log can have.
    fn check_names(&self) -> Result<(), ConfigError> {
        let name_of_domain = |name: &str| !name.is_empty() && !name.contains(|c: char| c.is_whitespace() || matches!(c, '@' | '*' | '/'));
        let no_domain = |key, name: &str| Err(ConfigError::Value { key, problem: format!("\"{name}\" is no name of a domain or host") });
        let listed = [("domains", &self.domains), ("hosts", &self.hosts)];
        let mut named = listed.into_iter().flat_map(|(key, names)| names.iter().map(move |name| (key, name)));
        let mut all = self.default_domain.iter().map(|name| ("default_domain", name)).chain(&mut named);
        if let Some((key, name)) = all.find(|(_, name)| !name_of_domain(name.strip_prefix('.').unwrap_or(name))) {
            return no_domain(key, name);
        }
        let nameless = |(spelling, account): &(&String, &String)| spelling.trim().is_empty() || account.trim().is_empty();
        if let Some((spelling, account)) = self.aliases.iter().find(nameless) {
            let problem = format!("\"{spelling}\" = \"{account}\": neither name may be empty");
            return Err(ConfigError::Value { key: "aliases", problem });
        }
        match self.aliases.iter().find(|(spelling, account)| spelling != account && self.aliases.contains_key(*account)) {
            Some((spelling, account)) => {
                let problem = format!("\"{spelling}\" = \"{account}\": \"{account}\" is an alias itself; name the account");
                Err(ConfigError::Value { key: "aliases", problem })
            }
            None => Ok(()),
        }
    }
}

impl Settings {
    /// Joins what the file says with what the command line says; the command line wins.
    ///
    /// # Errors
    /// Fails if a value of the file means nothing: an unknown zone or mark, or thresholds out of order.
    pub fn from_parts(config: Config, overrides: Overrides) -> Result<Settings, ConfigError> {
        let zone = |key, name: Option<&str>| match name.map(Zone::parse) {
            None => Ok(None),
            Some(Ok(zone)) => Ok(Some(zone)),
            Some(Err(problem)) => Err(ConfigError::Value { key, problem }),
        };
        let report_zone = zone("timezone", config.timezone.as_deref())?;
        let mut log_zones = overrides.log_zones;
        if let Some(fallback) = zone("log_timezone", config.log_timezone.as_deref())? {
            log_zones.push((None, fallback));
        }
        let tlp = config.tlp.as_deref().map(parse_tlp).transpose().map_err(|problem| ConfigError::Value { key: "tlp", problem })?;
        let lang = config.lang.as_deref().map(Lang::parse).transpose().map_err(|problem| ConfigError::Value { key: "lang", problem })?;
        config.thresholds.check()?;
        config.check_names()?;
        let lower = |items: Vec<String>| items.into_iter().map(|item| item.to_lowercase()).collect();
        Ok(Settings {
            accounts: AccountRules {
                default_domain: config.default_domain.map(|domain| domain.to_lowercase()),
                aliases: config.aliases.into_iter().map(|(spelling, account)| (spelling.to_lowercase(), account.to_lowercase())).collect(),
            },
            domains: lower(config.domains),
            hosts: lower(config.hosts),
            networks: config.networks,
            trusted_networks: config.trusted_networks.into_iter().chain(overrides.trusted_networks).collect(),
            report_zone: overrides.report_zone.or(report_zone).unwrap_or(Zone::UTC),
            lang: overrides.lang.or(lang).unwrap_or_default(),
            tlp: overrides.tlp.or(tlp).unwrap_or_else(|| TLP_DEFAULT.to_owned()),
            thresholds: config.thresholds,
            hints: overrides.hints,
            incidents: config.incidents.into_iter().map(KnownIncident::hints).collect::<Result<_, _>>()?,
            log_zones,
            years: overrides.years,
            limits: overrides.limits,
            threads: overrides.threads.max(1),
            geo: Arc::default(),
        })
    }
}

impl Hints {
    /// Whether nothing was told.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.accounts.is_empty() && self.attacker_networks.is_empty() && self.since.is_none() && self.until.is_none()
    }
}

impl KnownIncident {
    fn hints(self) -> Result<Hints, ConfigError> {
        let wrong = |key, problem: String| ConfigError::Value { key, problem };
        let time = |key, text: Option<String>| match text.map(|text| (chrono::DateTime::parse_from_rfc3339(&text), text)) {
            None => Ok(None),
            Some((Ok(at), _)) => Ok(Some(Timestamp::from_seconds(at.timestamp()))),
            Some((Err(_), text)) => Err(wrong(key, format!("\"{text}\" is no time as 2022-10-31T16:00:00+09:00"))),
        };
        let net = |text: &String| {
            let address = text.parse::<std::net::IpAddr>().map(IpNet::from);
            address
                .or_else(|_| text.parse::<IpNet>().map(|net| net.trunc()))
                .map_err(|_| wrong("incidents.attacker_ips", format!("\"{text}\" is no address or network")))
        };
        let hints = Hints {
            name: self.name,
            accounts: self.accounts,
            attacker_networks: self.attacker_ips.iter().map(net).collect::<Result<_, _>>()?,
            since: time("incidents.since", self.since)?,
            until: time("incidents.until", self.until)?,
        };
        match (hints.is_empty(), hints.since.zip(hints.until).is_some_and(|(since, until)| until <= since)) {
            (true, _) => Err(wrong("incidents", "an incident that names no account, address or time says nothing".to_owned())),
            (_, true) => Err(wrong("incidents.until", "is not after since".to_owned())),
            _ => Ok(hints),
        }
    }
}

impl Settings {
    /// Everything that was told of incidents: on the command line, then in the configuration.
    pub fn cases(&self) -> impl Iterator<Item = &Hints> {
        std::iter::once(&self.hints).chain(&self.incidents).filter(|hints| !hints.is_empty())
    }
}

impl Thresholds {
    fn check(&self) -> Result<(), ConfigError> {
        let unit = 0.0..=1.0;
        if !unit.contains(&self.suspected) || !unit.contains(&self.confirmed) || self.suspected > self.confirmed {
            let problem = format!("need 0 <= suspected ({}) <= confirmed ({}) <= 1", self.suspected, self.confirmed);
            return Err(ConfigError::Value { key: "thresholds", problem });
        }
        let above_none = [
            ("thresholds.gap_hours", self.gap_hours),
            ("thresholds.history_hours", self.history_hours),
            ("thresholds.refused_share", self.refused_share),
            ("thresholds.travel_speed", self.travel_speed),
            ("thresholds.burst_recipients", self.burst_recipients as f64),
            ("thresholds.daily_recipients", self.daily_recipients as f64),
            ("thresholds.spray_accounts", self.spray_accounts as f64),
            ("thresholds.flood_notices", self.flood_notices as f64),
        ];
        match above_none.into_iter().find(|(_, value)| !(value.is_finite() && *value > 0.0)) {
            None => Ok(()),
            Some((key, value)) => Err(ConfigError::Value { key, problem: format!("needs a number above 0, not {value}") }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_organisation_is_described_once_and_the_command_line_wins() {
        let config = Config::parse(
            r#"
            default_domain = "U.example"
            domains = ["u.example"]
            networks = ["192.0.2.0/24"]
            trusted_networks = ["198.51.100.0/24"]
            timezone = "Asia/Tokyo"
            log_timezone = "+09:00"
            tlp = "tlp:green"
            lang = "ja"
            [aliases]
            "A.Tanaka@u.example" = "tanaka@u.example"
            [thresholds]
            confirmed = 0.9
            "#,
        )
        .unwrap();
        let overrides = Overrides {
            trusted_networks: vec!["203.0.113.0/24".parse().unwrap()],
            log_zones: vec![(Some("mx2/*".to_owned()), Zone::UTC)],
            tlp: Some("RED".to_owned()),
            ..Overrides::default()
        };
        let settings = Settings::from_parts(config, overrides).unwrap();
        assert_eq!(settings.accounts.canonical("a.tanaka"), "tanaka@u.example");
        assert_eq!(settings.trusted_networks.len(), 2);
        assert_eq!(settings.report_zone.name(), "Asia/Tokyo");
        assert_eq!(settings.log_zones, [(Some("mx2/*".to_owned()), Zone::UTC), (None, Zone::Fixed(32_400))]);
        assert_eq!((settings.tlp.as_str(), settings.lang), ("RED", Lang::Ja));
        assert!((settings.thresholds.confirmed - 0.9).abs() < 1e-9 && settings.threads == 1);
    }

    #[test]
    fn names_that_no_log_can_have_are_refused() {
        let refused = |text: &str| {
            let error = Settings::from_parts(Config::parse(text).unwrap(), Overrides::default()).err();
            error.map(|error| error.to_string()).unwrap_or_default()
        };
        for (text, key) in [
            ("default_domain = \"@u\"", "default_domain: "),
            ("domains = [\"u.example\", \"\"]", "domains: "),
            ("hosts = [\"*.u.example\"]", "hosts: "),
            ("[aliases]\n\"a@u.example\" = \"\"", "aliases: "),
            ("[aliases]\n\"a@u.example\" = \"b@u.example\"\n\"b@u.example\" = \"a@u.example\"", "aliases: "),
        ] {
            assert!(refused(text).starts_with(key), "{text}: {}", refused(text));
        }
        assert_eq!(refused("hosts = [\".u.example\", \"mx1\"]"), "");
    }

    #[test]
    fn a_mistake_in_the_file_is_named() {
        assert!(Config::parse("defualt_domain = 'x'").unwrap_err().to_string().contains("defualt_domain"));
        let refused = |text: &str| Settings::from_parts(Config::parse(text).unwrap(), Overrides::default()).unwrap_err().to_string();
        assert!(refused("timezone = 'Tokio'").starts_with("timezone: unknown time zone \"Tokio\""));
        assert!(refused("lang = 'fr'").contains("give one of en, ja"));
        assert!(refused("tlp = 'white'").contains("give one of RED, AMBER+STRICT"));
        assert!(refused("[thresholds]\nsuspected = 0.9").contains("suspected (0.9) <= confirmed (0.8)"));
        assert!(refused("[thresholds]\ngap_hours = 0.0").contains("above 0"));
    }
}
