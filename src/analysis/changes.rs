//! What was changed, searched or deleted on an incident's accounts since the attacker came in.

use super::Facts;
use super::model::AccountChange;
use crate::domain::action::ActionKind;
use crate::domain::rows::Action;
use crate::domain::text::Text;
use crate::domain::time::Timestamp;

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
    rows.actions
        .iter()
        .filter(|action| action.at >= since)
        .filter_map(|action| Some((action, concerns(action)?)))
        .filter(|(action, who)| !is_everyday(action.kind) || by_attacker(*who, action.address))
        .map(|(action, who)| change(action, who))
        .collect()
}

/// Whether people do this every day.
fn is_everyday(kind: ActionKind) -> bool {
    matches!(
        kind,
        ActionKind::MailSearched
            | ActionKind::MailDeleted
            | ActionKind::MailMoved
            | ActionKind::DraftWritten
            | ActionKind::FilesAccessed
            | ActionKind::FilesShared
            | ActionKind::QuarantineHandled
    )
}
