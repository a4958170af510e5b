//! What was changed, searched or deleted on an incident's accounts since the attacker came in.

use super::Facts;
use super::model::AccountChange;
use crate::domain::action::ActionKind;
use crate::domain::place::Place;
use crate::domain::rows::Action;
use crate::domain::text::Text;
use crate::domain::time::SECOND;
use hashbrown::HashMap;

/// How far apart in time two records of one act are written.
const ECHO: i64 = 10 * SECOND;

/// The acts by or on `accounts` that count of the account they concern, in the order of time.
pub(super) fn account_changes(facts: Facts<'_>, accounts: &[Text], counts: impl Fn(Text, &Action) -> bool) -> Vec<AccountChange> {
    let rows = facts.rows;
    let concerns = |action: &Action| [action.account, action.actor].into_iter().flatten().find(|who| accounts.contains(who));
    let acts: Vec<(&Action, Text)> =
        rows.actions.iter().filter_map(|action| Some((action, concerns(action)?))).filter(|(action, who)| counts(*who, action)).collect();
    let echoes: Vec<Option<usize>> = acts.iter().map(|(action, _)| echo_of(action, &acts)).collect();
    let mut lines: HashMap<usize, Vec<Place>> = HashMap::new();
    for ((echo, _), of) in acts.iter().zip(&echoes) {
        if let Some(of) = of {
            lines.entry(*of).or_default().push(echo.place);
        }
    }
    let change = |(number, &(action, who)): (usize, &(&Action, Text))| {
        let its_echoes = lines.get(&number).into_iter().flatten().copied();
        AccountChange {
            time: facts.stamp(action.at),
            account: rows.show(action.account.unwrap_or(who)),
            action: action.kind.as_str().to_owned(),
            detail: rows.show(action.detail),
            failed: action.failed,
            evidence: std::iter::once(action.place).chain(its_echoes).map(Facts::pointer).collect(),
        }
    };
    acts.iter().enumerate().filter(|(number, _)| echoes.get(*number).is_some_and(Option::is_none)).map(change).collect()
}

/// The act that a record says in general what it says in particular: a directory writes that an account was updated beside each new
/// factor and password. Of several it is the nearest one, and of equally near ones the first.
fn echo_of(action: &Action, acts: &[(&Action, Text)]) -> Option<usize> {
    if action.kind != ActionKind::AccountChanged {
        return None;
    }
    let particular = [ActionKind::MfaChanged, ActionKind::MfaDisabled, ActionKind::PasswordChanged, ActionKind::PasswordReset];
    let from = acts.partition_point(|(other, _)| other.at < action.at.plus(-ECHO));
    let near = acts.iter().enumerate().skip(from).take_while(|(_, (other, _))| other.at <= action.at.plus(ECHO));
    let fitting =
        near.filter(|(_, (other, _))| other.account == action.account && other.failed == action.failed && particular.contains(&other.kind));
    fitting.min_by_key(|(_, (other, _))| other.at.since(action.at).abs()).map(|(number, _)| number)
}

/// Whether people do this every day.
pub(super) fn is_everyday(kind: ActionKind) -> bool {
    matches!(
        kind,
        ActionKind::OtherMailboxOpened
            | ActionKind::MailSearched
            | ActionKind::MailDeleted
            | ActionKind::MailMoved
            | ActionKind::DraftWritten
            | ActionKind::FilesAccessed
            | ActionKind::FilesShared
            | ActionKind::QuarantineHandled
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, Overrides, Settings};
    use crate::domain::place::SourceId;
    use crate::domain::rows::Rows;
    use crate::domain::time::Timestamp;

    /// A new factor that a directory tells with a general record on either side, and an update of its own a minute later.
    #[test]
    fn the_general_record_beside_a_new_factor_is_among_its_lines() {
        let mut rows = Rows::default();
        let (host, account, detail) = (rows.texts.intern(b"tenant"), rows.texts.intern(b"a@u.example"), rows.texts.intern(b""));
        let start = Timestamp::from_seconds(1_700_000_000);
        let records = [
            (0, ActionKind::AccountChanged),
            (2, ActionKind::MfaChanged),
            (3, ActionKind::AccountChanged),
            (63, ActionKind::AccountChanged),
        ];
        rows.actions = (1..)
            .zip(records)
            .map(|(line, (second, kind))| Action {
                at: start.plus(second * SECOND),
                host,
                kind,
                account: Some(account),
                actor: None,
                address: None,
                client: None,
                detail,
                failed: false,
                place: Place { source: SourceId(0), line },
            })
            .collect();
        let settings = Settings::from_parts(Config::default(), Overrides::default()).unwrap();
        let facts = Facts { rows: &rows, settings: &settings, sources: &[] };
        let changes = account_changes(facts, &[account], |_, action| action.at >= start);
        let told: Vec<(&str, &[String])> = changes.iter().map(|c| (c.action.as_str(), c.evidence.as_slice())).collect();
        let lines = |numbers: &[u64]| -> Vec<String> {
            numbers.iter().map(|line| Place { source: SourceId(0), line: *line }.to_string()).collect()
        };
        assert_eq!(told, [("mfa-changed", lines(&[2, 1, 3]).as_slice()), ("account-changed", lines(&[4]).as_slice())]);
    }
}
