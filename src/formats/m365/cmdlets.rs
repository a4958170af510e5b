//! Exchange cmdlets in the audit log: which of them bear on an account's mail, and what they say.

use super::Reader;
use super::fields::Field;
use super::record::{self, Record};
use super::{audit, values};
use crate::formats::event::{ActionEvent, ActionKind};
use crate::formats::scan;
use crate::formats::sink::Fate;

use ActionKind::{
    AuditingChanged, FolderPermissionGranted, ForwardingRemoved, ForwardingSet, InboxRuleChanged, InboxRuleCreated, InboxRuleRemoved,
    MailFlowChanged, MailSearched, MailboxPermissionGranted, MailboxPermissionRemoved, MailboxSettingChanged, OrganisationSettingChanged,
    OutboundPolicyChanged, RoleGranted, RoleRevoked, SendAsGranted, SendingReleased,
};

/// Cmdlets in lower case, and what each does.
const CMDLETS: &[(&[u8], ActionKind)] = &[
    (b"new-inboxrule", InboxRuleCreated),
    (b"set-inboxrule", InboxRuleChanged),
    (b"enable-inboxrule", InboxRuleChanged),
    (b"disable-inboxrule", InboxRuleChanged),
    (b"remove-inboxrule", InboxRuleRemoved),
    (b"set-mailbox", MailboxSettingChanged),
    (b"set-casmailbox", MailboxSettingChanged),
    (b"set-mailboxjunkemailconfiguration", MailboxSettingChanged),
    (b"set-mailboxautoreplyconfiguration", MailboxSettingChanged),
    (b"add-mailboxpermission", MailboxPermissionGranted),
    (b"remove-mailboxpermission", MailboxPermissionRemoved),
    (b"add-mailboxfolderpermission", FolderPermissionGranted),
    (b"set-mailboxfolderpermission", FolderPermissionGranted),
    (b"add-recipientpermission", SendAsGranted),
    (b"new-transportrule", MailFlowChanged),
    (b"set-transportrule", MailFlowChanged),
    (b"enable-transportrule", MailFlowChanged),
    (b"disable-transportrule", MailFlowChanged),
    (b"remove-transportrule", MailFlowChanged),
    (b"new-inboundconnector", MailFlowChanged),
    (b"set-inboundconnector", MailFlowChanged),
    (b"new-outboundconnector", MailFlowChanged),
    (b"set-outboundconnector", MailFlowChanged),
    (b"set-hostedoutboundspamfilterpolicy", OutboundPolicyChanged),
    (b"remove-blockedsenderaddress", SendingReleased),
    (b"set-mailboxauditbypassassociation", AuditingChanged),
    (b"set-adminauditlogconfig", AuditingChanged),
    (b"new-unifiedauditlogretentionpolicy", AuditingChanged),
    (b"remove-unifiedauditlogretentionpolicy", AuditingChanged),
    (b"remove-dlpcompliancepolicy", OrganisationSettingChanged),
    (b"remove-retentioncompliancepolicy", OrganisationSettingChanged),
    (b"set-organizationconfig", OrganisationSettingChanged),
    (b"new-managementroleassignment", RoleGranted),
    (b"set-managementroleassignment", RoleGranted),
    (b"new-rolegroup", RoleGranted),
    (b"add-rolegroupmember", RoleGranted),
    (b"update-rolegroupmember", RoleGranted),
    (b"remove-managementroleassignment", RoleRevoked),
    (b"remove-rolegroup", RoleRevoked),
    (b"remove-rolegroupmember", RoleRevoked),
    (b"new-compliancesearch", MailSearched),
    (b"start-compliancesearch", MailSearched),
    (b"new-compliancesearchaction", MailSearched),
    (b"new-mailboxsearch", MailSearched),
];

/// What a cmdlet does; `None` for an operation that is no cmdlet, or none that matters.
pub(super) fn kind(name: &[u8], record: &Record<'_>, reader: &Reader<'_, '_>) -> Option<ActionKind> {
    let kind = CMDLETS.iter().find(|(cmdlet, _)| *cmdlet == name).map(|(_, kind)| *kind)?;
    if name != b"set-mailbox" {
        return Some(kind);
    }
    let mut found = kind;
    record::pairs(record.get(Field::Parameters).unwrap_or_default(), reader.scratch, |parameter, value| {
        let forwards = [&b"ForwardingSmtpAddress"[..], b"ForwardingAddress"].iter().any(|p| parameter.eq_ignore_ascii_case(p));
        if forwards {
            found = if record::is_nothing(value) { ForwardingRemoved } else { ForwardingSet };
        } else if found == MailboxSettingChanged && parameter.to_ascii_lowercase().starts_with(b"audit") {
            found = AuditingChanged;
        } else if found == MailboxSettingChanged && parameter.eq_ignore_ascii_case(b"GrantSendOnBehalfTo") {
            found = SendAsGranted;
        }
    });
    Some(found)
}

/// Whether a change concerns the organisation and no single account.
fn is_common(kind: ActionKind) -> bool {
    matches!(kind, MailFlowChanged | OutboundPolicyChanged | OrganisationSettingChanged | MailSearched | RoleGranted | RoleRevoked)
}

/// Reads a cmdlet with its parameters.
pub(super) fn read<'a>(record: &Record<'a>, operation: &'a [u8], kind: ActionKind, reader: &mut Reader<'_, 'a>) -> Fate {
    let scratch = reader.scratch;
    let mut parameters = bumpalo::collections::Vec::new_in(scratch);
    record::pairs(record.get(Field::Parameters).unwrap_or_default(), scratch, |name, value| {
        // A password can be a parameter; it is nobody's business.
        if !scan::contains(&name.to_ascii_lowercase(), b"password") {
            parameters.push((name, value));
        }
    });
    let parameter = |wanted: &[u8]| parameters.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted)).map(|(_, value)| *value);
    let named =
        [&b"Mailbox"[..], b"Identity", b"SenderAddress"].into_iter().filter_map(parameter).find(|value| values::is_mail_address(value));
    let actor = record.get(Field::UserId);
    let event = ActionEvent {
        kind,
        account: if is_common(kind) { None } else { named.or(actor) },
        actor,
        address: audit::address(record, reader),
        client: record.get(Field::UserAgent),
        detail: reader.detail(operation, parameters.iter().copied()),
        failed: record.failed(),
    };
    reader.sink.action(event)
}
