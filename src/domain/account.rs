//! One identity, in its canonical spelling.

use std::collections::BTreeMap;

/// How spellings of a login name become one account.
///
/// Canonical is lower case `user@domain`. A bare `user` and `DOMAIN\user` are completed with `default_domain` if the configuration
/// gives one, and stay bare otherwise; an alias is only what the configuration declares.
#[derive(Clone, Debug, Default)]
pub struct AccountRules {
    pub default_domain: Option<String>,
    /// Declared spelling (lower case) to the account it belongs to (lower case).
    pub aliases: BTreeMap<String, String>,
}

impl AccountRules {
    /// Returns the canonical spelling of a login name as logged.
    #[must_use]
    pub fn canonical(&self, logged: &str) -> String {
        let lower = logged.trim().to_lowercase();
        let without_domain_prefix = lower.rsplit_once('\\').map_or(lower.as_str(), |(_, user)| user);
        let completed = match &self.default_domain {
            Some(domain) if !without_domain_prefix.contains('@') && !without_domain_prefix.is_empty() => {
                format!("{without_domain_prefix}@{}", domain.to_lowercase())
            }
            _ => without_domain_prefix.to_owned(),
        };
        let declared = [lower.as_str(), without_domain_prefix, completed.as_str()].iter().find_map(|s| self.aliases.get(*s)).cloned();
        declared.unwrap_or(completed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_login_name_become_one_account() {
        let rules = AccountRules {
            default_domain: Some("u.example".to_owned()),
            aliases: [("a.tanaka@u.example".to_owned(), "tanaka@u.example".to_owned())].into(),
        };
        for logged in ["tanaka", "TANAKA", "Tanaka@U.example", "UNIV\\tanaka", "a.tanaka"] {
            assert_eq!(rules.canonical(logged), "tanaka@u.example", "{logged}");
        }
    }

    #[test]
    fn without_a_default_domain_nothing_is_guessed() {
        let rules = AccountRules::default();
        assert_eq!(rules.canonical("Tanaka"), "tanaka");
        assert_eq!(rules.canonical("tanaka@u.example"), "tanaka@u.example");
    }
}
