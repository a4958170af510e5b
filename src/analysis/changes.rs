//! What was changed, searched or deleted on an incident's accounts since the attacker came in.

use super::Facts;
use super::model::AccountChange;
use crate::domain::action::ActionKind;
use crate::domain::rows::Action;
use crate::domain::text::Text;
use crate::domain::time::{SECOND, Timestamp};

/// How far apart in time two records of one act are written.
const ECHO: i64 = 10 * SECOND;

/// The acts by or on `accounts` from `since` on, in the order of time. An act of everyday use counts only where `by_attacker` says
/// that its address is an attacker's; a change of a setting counts whoever made it, because what is left behind must be undone.
pub(super) fn account_changes(
    facts: Facts<'_>,
    accounts: &[Text],
    since: Option<Timestamp>,
    by_attacker: impl Fn(Text, Option<Text>) -> bool,
) -> Vec<AccountChange> {
    let Some(since) = since else { return Vec::new() };
    let rows = facts.rows;
    let concerns = |action: &Action| [action.account, action.actor].into_iter().flatten().find(|who| accounts.contains(who));
    let change = |action: &Action, who: Text| AccountChange {
        time: facts.stamp(action.at),
        account: rows.show(action.account.unwrap_or(who)),
        action: action.kind.as_str().to_owned(),
        detail: rows.show(action.detail),
        evidence: vec![Facts::pointer(action.place)],
    };
    let acts: Vec<(&Action, Text)> = rows
        .actions
        .iter()
        .filter(|action| action.at >= since)
        .filter_map(|action| Some((action, concerns(action)?)))
        .filter(|(action, who)| !is_everyday(action.kind) || by_attacker(*who, action.address))
        .collect();
    acts.iter().filter(|(action, _)| !is_echo(action, &acts)).map(|(action, who)| change(action, *who)).collect()
}

/// Whether a record says in general what another one of the same moment says in particular: a directory writes that an account was
/// updated beside each new factor and password.
fn is_echo(action: &Action, acts: &[(&Action, Text)]) -> bool {
    if action.kind != ActionKind::AccountChanged {
        return false;
    }
    let particular = [ActionKind::MfaChanged, ActionKind::MfaDisabled, ActionKind::PasswordChanged, ActionKind::PasswordReset];
    let from = acts.partition_point(|(other, _)| other.at < action.at.plus(-ECHO));
    let near = acts.iter().skip(from).take_while(|(other, _)| other.at <= action.at.plus(ECHO));
    near.into_iter().any(|(other, _)| other.account == action.account && particular.contains(&other.kind))
}

/// Whether people do this every day.
fn is_everyday(kind: ActionKind) -> bool {
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
