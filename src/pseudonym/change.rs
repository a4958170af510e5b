//! What was changed, searched or deleted, in a record's own words: the command and its switches stay, what people wrote goes.

use super::Pseudonyms;
use crate::domain::action::{ActionKind, FAILED};

/// Acts whose detail is a name out of the provider's own list, with the names of what was changed.
const LISTED: [ActionKind; 17] = [
    ActionKind::MfaChanged,
    ActionKind::MfaDisabled,
    ActionKind::ConsentGranted,
    ActionKind::ApplicationChanged,
    ActionKind::ApplicationCredentialAdded,
    ActionKind::PasswordReset,
    ActionKind::PasswordChanged,
    ActionKind::SessionsRevoked,
    ActionKind::RoleGranted,
    ActionKind::RoleRevoked,
    ActionKind::AccountCreated,
    ActionKind::AccountDeleted,
    ActionKind::AccountChanged,
    ActionKind::DeviceAdded,
    ActionKind::SendingRestricted,
    ActionKind::SendingReleased,
    ActionKind::AlertRaised,
];

/// Begins the detail of a deletion that tells how many messages it was of.
const FIRST_OF_MANY: &str = " message(s), the first: ";

impl Pseudonyms<'_> {
    /// Rewrites the detail of an act; `kind` is its word.
    pub(super) fn detail(&self, kind: &str, text: &str) -> String {
        let (failed, rest) = text.strip_prefix(FAILED).map_or(("", text), |rest| (FAILED, rest));
        let (title, parameters) = rest.split_once(' ').unwrap_or((rest, ""));
        if is_cmdlet(title) {
            let space = if rest.len() > title.len() { " " } else { "" };
            return format!("{failed}{title}{space}{}", self.parameters(parameters));
        }
        let is = |kinds: &[ActionKind]| kinds.iter().any(|one| one.as_str() == kind);
        if is(&[ActionKind::InboxRuleCreated, ActionKind::InboxRuleChanged, ActionKind::InboxRuleRemoved]) {
            return format!("{failed}{}", self.parameters(rest));
        }
        if is(&LISTED) {
            return self.sentence(text);
        }
        match rest.split_once(FIRST_OF_MANY) {
            Some((count, subject)) if count.bytes().all(|b| b.is_ascii_digit()) => {
                format!("{failed}{count}{FIRST_OF_MANY}{}", self.names.title(subject))
            }
            _ => format!("{failed}{}", self.names.title(rest)),
        }
    }

    /// `Name=value; Name=value`, or `-Name value -Name "value"`.
    fn parameters(&self, text: &str) -> String {
        if text.trim_start().starts_with('-') {
            return self.switches(text);
        }
        let pairs = text.split("; ").map(|pair| match pair.split_once('=').filter(|(name, _)| is_name(name)) {
            Some((name, value)) => format!("{name}={}", self.value(value)),
            None => self.value(pair),
        });
        pairs.collect::<Vec<_>>().join("; ")
    }

    /// The switches of a command line. What is no switch is the value of the one before it.
    fn switches(&self, text: &str) -> String {
        let mut shown: Vec<String> = Vec::new();
        let mut value: Vec<&str> = Vec::new();
        for word in text.split(' ') {
            let (name, attached) = word.split_once(':').map_or((word, None), |(name, value)| (name, Some(value)));
            if name.strip_prefix('-').is_some_and(is_name) {
                shown.extend(self.given(&mut value));
                match attached {
                    Some(first) => {
                        shown.push(format!("{name}:"));
                        value.push(first);
                    }
                    None => shown.push(name.to_owned()),
                }
            } else {
                value.push(word);
            }
        }
        shown.extend(self.given(&mut value));
        shown.join(" ").replace(": ", ":")
    }

    fn given(&self, words: &mut Vec<&str>) -> Option<String> {
        let value = std::mem::take(words).join(" ");
        (!value.is_empty()).then(|| self.value(&value))
    }

    /// The value of a parameter: a switch's state and a number stay, a list of addresses is rewritten, anything else is somebody's words.
    fn value(&self, text: &str) -> String {
        let bare = text.trim_matches(['"', '\'', ' ']);
        let state = bare.trim_start_matches('$').to_ascii_lowercase();
        if bare.is_empty() || matches!(state.as_str(), "true" | "false" | "null") || bare.bytes().all(|b| b.is_ascii_digit()) {
            return text.to_owned();
        }
        if bare.split([' ', ',', ';']).filter(|word| !word.is_empty()).all(|word| word.contains('@')) {
            return self.sentence(text);
        }
        self.names.title(bare)
    }
}

/// `Set-Mailbox` and its like.
fn is_cmdlet(word: &str) -> bool {
    let capital = |part: &str| part.len() > 1 && part.starts_with(|c: char| c.is_ascii_uppercase());
    word.split_once('-').is_some_and(|(verb, noun)| capital(verb) && capital(noun) && is_name(verb) && is_name(noun))
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::super::known::Known;
    use super::super::names::Names;
    use super::*;
    use crate::pseudonym::Key;

    #[test]
    fn commands_stay_readable_and_what_people_wrote_does_not() {
        let key = Key::new(&[b'k'; 32]).unwrap();
        let all = Pseudonyms { names: Names::new(&key), known: Known::default().finish() };
        let a = |name: &str| all.names.account(name);
        let t = |text: &str| all.names.title(text);
        for (kind, text, expected) in [
            ("forwarding-set", "Set-Mailbox ForwardingSmtpAddress=smtp:x@y.example; DeliverToMailboxAndForward=True", {
                format!("Set-Mailbox ForwardingSmtpAddress=smtp:{}; DeliverToMailboxAndForward=True", a("x@y.example"))
            }),
            ("forwarding-set", "Set-Mailbox -Identity \"Tanaka Taro\" -forwardingsmtpaddress:'smtp:x@y.example' -Force $true", {
                format!("Set-Mailbox -Identity {} -forwardingsmtpaddress:'smtp:{}' -Force $true", t("Tanaka Taro"), a("x@y.example"))
            }),
            ("inbox-rule-created", "Name=hide; Actions=move to RSS", format!("Name={}; Actions={}", t("hide"), t("move to RSS"))),
            ("inbox-rule-created", "failed: Name=hide", format!("failed: Name={}", t("hide"))),
            ("mail-deleted", "3 message(s), the first: Dear Tanaka", format!("3 message(s), the first: {}", t("Dear Tanaka"))),
            ("mail-moved", "Offer for Tanaka", t("Offer for Tanaka")),
            (
                "mfa-changed",
                "failed: Update user. (StrongAuthenticationMethod)",
                "failed: Update user. (StrongAuthenticationMethod)".to_owned(),
            ),
        ] {
            assert_eq!(all.detail(kind, text), expected, "{text}");
        }
    }
}
