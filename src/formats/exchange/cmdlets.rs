//! Cmdlet logs of remote PowerShell and of the admin centre: who changed what on whose mailbox.

use super::names;
use super::{Cells, LogType, ROWS, Reader, certainty, format, iso, no_guess};
use crate::domain::action::ActionKind;
use crate::formats::batch::Ignored;
use crate::formats::event::ActionEvent;
use crate::formats::scan;
use crate::formats::sink::Fate;
use crate::formats::table::{self, Row};

const SHELL_ID: &str = "exchange.cmdlet";
const PANEL_ID: &str = "exchange.ecp-server";

/// `Rps_Cmdlet_….LOG`.
pub(super) const SHELL: LogType = LogType {
    format: format(SHELL_ID, "exchange-cmdlets", "Exchange cmdlet log", ROWS, |head| certainty(head, SHELL_ID)),
    columns: &[
        &["DateTime", "StartTime", "TimeStamp"],
        &["AuthenticatedUser"],
        &["Cmdlet"],
        &["Parameters"],
        &["ServerHostName"],
        &["ClientIpAddress", "ClientIP"],
        &["GenericErrors", "ErrorType"],
    ],
    marks: &["AuthenticatedUser", "Cmdlet", "Parameters"],
    titles: &[],
    cells: Cells::Commas,
    guess: no_guess,
    instant: |row, _| iso(row.cell(DATE_TIME)),
    row: shell,
};

/// `ECPServer….LOG`.
pub(super) const PANEL: LogType = LogType {
    format: format(PANEL_ID, "exchange-cmdlets", "Exchange admin centre log", ROWS, |head| certainty(head, PANEL_ID)),
    columns: &[&["TimeStamp"], &["ServerName"], &["EventData"]],
    marks: &["TimeStamp", "ServerName", "EventId", "EventData"],
    row: panel,
    ..SHELL
};

const DATE_TIME: usize = 0;
const USER: usize = 1;
const CMDLET: usize = 2;
const PARAMETERS: usize = 3;
const SERVER: usize = 4;
const CLIENT: usize = 5;
const ERROR: usize = 6;

const PANEL_SERVER: usize = 1;
const PANEL_DATA: usize = 2;

/// Cmdlets that change an account, a mailbox or the flow of mail. Where a parameter is named, the entry holds only if it is given.
const CMDLETS: &[(&str, &str, ActionKind)] = &[
    ("New-InboxRule", "", ActionKind::InboxRuleCreated),
    ("Set-InboxRule", "", ActionKind::InboxRuleChanged),
    ("Enable-InboxRule", "", ActionKind::InboxRuleChanged),
    ("Disable-InboxRule", "", ActionKind::InboxRuleChanged),
    ("Remove-InboxRule", "", ActionKind::InboxRuleRemoved),
    ("Set-Mailbox", "-ForwardingSmtpAddress", ActionKind::ForwardingSet),
    ("Set-Mailbox", "-ForwardingAddress", ActionKind::ForwardingSet),
    ("Set-Mailbox", "-DeliverToMailboxAndForward", ActionKind::ForwardingSet),
    ("Set-Mailbox", "-AuditEnabled", ActionKind::AuditingChanged),
    ("Set-Mailbox", "-GrantSendOnBehalfTo", ActionKind::SendAsGranted),
    ("Set-Mailbox", "-Password", ActionKind::PasswordReset),
    ("Set-Mailbox", "", ActionKind::MailboxSettingChanged),
    ("Set-CASMailbox", "", ActionKind::MailboxSettingChanged),
    ("Set-MailboxAutoReplyConfiguration", "", ActionKind::MailboxSettingChanged),
    ("Set-MailboxJunkEmailConfiguration", "", ActionKind::MailboxSettingChanged),
    ("Add-MailboxPermission", "", ActionKind::MailboxPermissionGranted),
    ("Remove-MailboxPermission", "", ActionKind::MailboxPermissionRemoved),
    ("Add-MailboxFolderPermission", "", ActionKind::FolderPermissionGranted),
    ("Set-MailboxFolderPermission", "", ActionKind::FolderPermissionGranted),
    ("Add-ADPermission", "", ActionKind::SendAsGranted),
    ("Add-RecipientPermission", "", ActionKind::SendAsGranted),
    ("Set-MailboxAuditBypassAssociation", "", ActionKind::AuditingChanged),
    ("Set-AdminAuditLogConfig", "", ActionKind::AuditingChanged),
    ("New-ManagementRoleAssignment", "", ActionKind::RoleGranted),
    ("Set-ManagementRoleAssignment", "", ActionKind::RoleGranted),
    ("New-RoleGroup", "", ActionKind::RoleGranted),
    ("Add-RoleGroupMember", "", ActionKind::RoleGranted),
    ("Update-RoleGroupMember", "", ActionKind::RoleGranted),
    ("Remove-ManagementRoleAssignment", "", ActionKind::RoleRevoked),
    ("Remove-RoleGroup", "", ActionKind::RoleRevoked),
    ("Remove-RoleGroupMember", "", ActionKind::RoleRevoked),
    ("New-MailboxExportRequest", "", ActionKind::MailSearched),
    ("New-MailboxSearch", "", ActionKind::MailSearched),
    ("New-ComplianceSearch", "", ActionKind::MailSearched),
    ("Search-Mailbox", "-DeleteContent", ActionKind::MailDeleted),
    ("Search-Mailbox", "", ActionKind::MailSearched),
    ("New-TransportRule", "", ActionKind::MailFlowChanged),
    ("Set-TransportRule", "", ActionKind::MailFlowChanged),
    ("Remove-TransportRule", "", ActionKind::MailFlowChanged),
    ("New-SendConnector", "", ActionKind::MailFlowChanged),
    ("New-ReceiveConnector", "", ActionKind::MailFlowChanged),
    ("Set-ReceiveConnector", "", ActionKind::MailFlowChanged),
    ("New-Mailbox", "", ActionKind::AccountCreated),
    ("Remove-Mailbox", "", ActionKind::AccountDeleted),
    ("Disable-Mailbox", "", ActionKind::AccountDeleted),
];

/// Values that take a forwarding back.
const NOTHING: &[&[u8]] = &[b"$null", b"", b"$false"];

fn shell<'a>(row: &Row<'a>, reader: &mut Reader<'_, 'a>) -> Fate {
    reader.on_host(row.cell(SERVER));
    if names::is_probe_user(row.cell(USER)) {
        return Fate::Ignored(Ignored::Probe);
    }
    if !row.cell(ERROR).is_empty() {
        // It failed, so nothing was changed.
        return Fate::NO_FACT;
    }
    let address = scan::non_empty(names::address(row.cell(CLIENT)));
    change(reader, row.cell(CMDLET), row.cell(PARAMETERS), names::user(row.cell(USER)), address)
}

/// `S:CMD=Set-Mailbox.ForwardingSmtpAddress=…;S:USER=…`: a list of keys and values.
fn panel<'a>(row: &Row<'a>, reader: &mut Reader<'_, 'a>) -> Fate {
    reader.on_host(row.cell(PANEL_SERVER));
    let data = row.cell(PANEL_DATA);
    let Some(command) = table::value(data, b"CMD", reader.chunk.scratch) else { return Fate::NO_FACT };
    let end = command.iter().position(|b| !(b.is_ascii_alphanumeric() || *b == b'-')).unwrap_or(command.len());
    let (cmdlet, parameters) = command.split_at_checked(end).unwrap_or((command, b""));
    let user =
        [&b"USER"[..], b"User", b"AUTHUSER"].iter().find_map(|key| table::value(data, key, reader.chunk.scratch)).and_then(names::user);
    if user.is_some_and(names::is_probe_user) {
        return Fate::Ignored(Ignored::Probe);
    }
    change(reader, cmdlet, parameters, user, None)
}

fn change<'a>(
    reader: &mut Reader<'_, 'a>,
    cmdlet: &'a [u8],
    parameters: &'a [u8],
    actor: Option<&'a [u8]>,
    address: Option<&'a [u8]>,
) -> Fate {
    let found = CMDLETS.iter().find(|(name, wanted, _)| {
        cmdlet.eq_ignore_ascii_case(name.as_bytes())
            && (wanted.is_empty() || names::holds(parameters, wanted.strip_prefix('-').unwrap_or(wanted).as_bytes()))
    });
    let Some((_, wanted, kind)) = found else { return Fate::NO_FACT };
    let taken_back =
        *kind == ActionKind::ForwardingSet && parameter(parameters, wanted.as_bytes()).is_some_and(|value| NOTHING.contains(&value));
    let kind = if taken_back { ActionKind::ForwardingRemoved } else { *kind };
    // Without a mailbox named, a rule is one's own. A role's identity is the role; of several members the first stands for all.
    let named: &[&[u8]] = match kind {
        ActionKind::RoleGranted | ActionKind::RoleRevoked => &[b"-Member", b"-Members", b"-User"],
        _ => &[b"-Mailbox", b"-Identity"],
    };
    let account = named.iter().find_map(|key| parameter(parameters, key)).and_then(mailbox).or(actor);
    let scratch = reader.chunk.scratch;
    let detail = scratch.alloc_slice_copy(&[cmdlet, b" ", &without_secrets(parameters)].concat());
    reader.sink.action(ActionEvent { kind, account, actor, address, client: None, detail, failed: false })
}

/// The value of `-Key "value"`, `-Key value` or `-Key:value`.
fn parameter<'a>(parameters: &'a [u8], key: &[u8]) -> Option<&'a [u8]> {
    let at = parameters.windows(key.len()).position(|window| window.eq_ignore_ascii_case(key))?;
    let rest = parameters.get(at + key.len()..)?;
    let value = match rest {
        [b' ' | b':', value @ ..] => value.trim_ascii_start(),
        _ => return None,
    };
    for quote in [b'"', b'\''] {
        if value.first() == Some(&quote) {
            let inner = value.get(1..)?;
            return Some(inner.get(..memchr::memchr(quote, inner).unwrap_or(inner.len())).unwrap_or_default());
        }
    }
    Some(scan::until(value, b" "))
}

/// The user of a mailbox's name: an address, a login name, or the last part of a directory path. A rule's own name (`mailbox\rule`) and
/// an id tell no user.
fn mailbox(name: &[u8]) -> Option<&[u8]> {
    let name = name.rsplit(|b| *b == b'/').next().unwrap_or(name);
    let bare = scan::split_byte(name, b'\\').map_or(name, |(mailbox, _)| mailbox);
    names::user(if name.contains(&b'@') || name.contains(&b'/') { bare } else { name }).filter(|name| !name.starts_with(b"CN="))
}

/// The parameters without what follows a password's key.
fn without_secrets(parameters: &[u8]) -> Vec<u8> {
    let at = parameters.windows(9).position(|window| window.eq_ignore_ascii_case(b"-Password"));
    match at {
        Some(at) => [parameters.get(..at + 9).unwrap_or_default(), b" (hidden)"].concat(),
        None => parameters.to_vec(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::event::Kind;
    use crate::formats::testing::kinds_of;

    #[test]
    fn a_role_that_lets_an_account_read_all_mail_is_granted_to_its_members_and_not_to_the_role() {
        let row =
            |cmdlet: &str, parameters: &str| format!("2022-10-31T07:01:02.000Z,UNIV\\admin,{cmdlet},{parameters},EX1,203.0.113.7,\r\n");
        let text = [
            "#Fields: DateTime,AuthenticatedUser,Cmdlet,Parameters,ServerHostName,ClientIpAddress,GenericErrors\r\n".to_owned(),
            row("New-RoleGroup", "-Name 'Sync' -Roles 'ApplicationImpersonation' -Members 'suzuki'"),
            row("Set-ManagementRoleAssignment", "-Identity 'Sync-1' -Enabled 'True'"),
            row("Add-RoleGroupMember", "-Identity 'Organization Management' -Member 'suzuki@u.example'"),
            row("Update-RoleGroupMember", "-Identity 'Sync' -Members 'tanaka'"),
            row("Remove-RoleGroup", "-Identity 'Sync'"),
            row("Remove-ManagementRoleAssignment", "-Identity 'Sync-1'"),
        ]
        .concat();
        let show = |name: Option<&[u8]>| String::from_utf8_lossy(name.unwrap_or_default()).into_owned();
        let acts: Vec<(ActionKind, String)> = kinds_of(&SHELL.format, &text)
            .into_iter()
            .filter_map(|kind| if let Kind::Action(action) = kind { Some((action.kind, show(action.account))) } else { None })
            .collect();
        let told: Vec<(ActionKind, &str)> = acts.iter().map(|(kind, whose)| (*kind, whose.as_str())).collect();
        use ActionKind::{RoleGranted, RoleRevoked};
        let admin = "UNIV\\admin";
        assert_eq!(
            told,
            [
                (RoleGranted, "suzuki"),
                (RoleGranted, admin),
                (RoleGranted, "suzuki@u.example"),
                (RoleGranted, "tanaka"),
                (RoleRevoked, admin),
                (RoleRevoked, admin),
            ]
        );
    }

    #[test]
    fn parameters_are_found_in_any_spelling_and_passwords_are_not_shown() {
        let text = b"-Identity \"suzuki@u.example\" -forwardingsmtpaddress:'smtp:x@x.test' -Force $true";
        assert_eq!(parameter(text, b"-Identity"), Some(&b"suzuki@u.example"[..]));
        assert_eq!(parameter(text, b"-ForwardingSmtpAddress"), Some(&b"smtp:x@x.test"[..]));
        assert_eq!(parameter(text, b"-Force"), Some(&b"$true"[..]));
        assert_eq!(parameter(text, b"-Mailbox"), None);
        assert_eq!(without_secrets(b"-Identity a -Password hunter2 -Force"), b"-Identity a -Password (hidden)");
        assert_eq!(mailbox(b"u.example/Users/suzuki"), Some(&b"suzuki"[..]));
        assert_eq!(mailbox(b"suzuki@u.example\\12345"), Some(&b"suzuki@u.example"[..]));
    }
}
