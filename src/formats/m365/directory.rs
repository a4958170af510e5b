//! What Entra ID records of its own directory: second factors, passwords, roles, consent, applications. The audit log and Graph write
//! the same acts in different shapes.

use super::fields::Field;
use super::record::{self, Record};
use super::{Reader, audit, values};
use crate::formats::batch::Malformed;
use crate::formats::event::{ActionEvent, ActionKind};
use crate::formats::json;
use crate::formats::record_kind::RecordKind;
use crate::formats::scan;
use crate::formats::sink::Fate;

/// Where the directory's own log speaks, as a host.
pub(super) const HOST: &[u8] = b"directory-log";

use ActionKind::{
    AccountChanged, AccountCreated, AccountDeleted, ApplicationChanged, ApplicationCredentialAdded, ConsentGranted, DeviceAdded,
    MfaChanged, MfaDisabled, OrganisationSettingChanged, PasswordChanged, PasswordReset, RoleGranted, RoleRevoked, SessionsRevoked,
};

/// How activities begin, in lower case without the final period, the longer first where one begins another.
const ACTIVITIES: &[(&str, ActionKind)] = &[
    ("add service principal credentials", ApplicationCredentialAdded),
    ("add service principal", ApplicationChanged),
    ("add application", ApplicationChanged),
    ("update application – certificates and secrets management", ApplicationCredentialAdded),
    ("update application - certificates and secrets management", ApplicationCredentialAdded),
    ("update application", ApplicationChanged),
    ("update service principal", ApplicationChanged),
    ("consent to application", ConsentGranted),
    ("add delegated permission grant", ConsentGranted),
    ("add oauth2permissiongrant", ConsentGranted),
    ("add app role assignment", ConsentGranted),
    ("add owner to application", ApplicationChanged),
    ("add owner to service principal", ApplicationChanged),
    ("disable strong authentication", MfaDisabled),
    ("enable strong authentication", MfaChanged),
    ("user registered security info", MfaChanged),
    ("user registered all required security info", MfaChanged),
    ("user deleted security info", MfaChanged),
    ("user changed default security info", MfaChanged),
    ("user updated security info", MfaChanged),
    ("admin registered security info", MfaChanged),
    ("admin deleted security info", MfaChanged),
    ("admin updated security info", MfaChanged),
    ("delete application password for user", MfaChanged),
    ("reset password", PasswordReset),
    ("reset user password", PasswordReset),
    ("set force change user password", PasswordReset),
    ("change user password", PasswordChanged),
    ("change password", PasswordChanged),
    ("update stsrefreshtokenvalidfrom", SessionsRevoked),
    ("revoke sign in sessions", SessionsRevoked),
    ("add member to role", RoleGranted),
    ("add eligible member to role", RoleGranted),
    ("add scoped member to role", RoleGranted),
    ("remove member from role", RoleRevoked),
    ("remove member from group", AccountChanged),
    ("add member to group", AccountChanged),
    ("add user", AccountCreated),
    ("invite external user", AccountCreated),
    ("delete user", AccountDeleted),
    ("hard delete user", AccountDeleted),
    ("disable account", AccountChanged),
    ("enable account", AccountChanged),
    ("update user", AccountChanged),
    ("add registered owner to device", DeviceAdded),
    ("add registered users to device", DeviceAdded),
    ("register device", DeviceAdded),
    ("add device", DeviceAdded),
    ("set company information", OrganisationSettingChanged),
    ("set federation settings on domain", OrganisationSettingChanged),
    ("set domain authentication", OrganisationSettingChanged),
    ("add unverified domain", OrganisationSettingChanged),
    ("add verified domain", OrganisationSettingChanged),
    ("update authorization policy", OrganisationSettingChanged),
    ("update conditional access policy", OrganisationSettingChanged),
    ("delete conditional access policy", OrganisationSettingChanged),
    ("add conditional access policy", OrganisationSettingChanged),
];

fn kind(activity: &[u8]) -> Option<ActionKind> {
    let name = String::from_utf8_lossy(activity).to_lowercase();
    let name = name.trim().trim_end_matches('.');
    ACTIVITIES.iter().find(|(start, _)| name.starts_with(start)).map(|(_, kind)| *kind)
}

/// Whose account a kind of act is done to, if it is one's.
fn is_about_an_account(kind: ActionKind) -> bool {
    !matches!(kind, ApplicationChanged | ApplicationCredentialAdded | OrganisationSettingChanged)
}

/// Reads the audit log's record of an act; its time and host are set.
pub(super) fn read_audited<'a>(record: &Record<'a>, name: &[u8], reader: &mut Reader<'_, 'a>) -> Fate {
    let Some(kind) = kind(name) else { return Fate::NO_FACT };
    let scratch = reader.scratch;
    let mut target = record.get(Field::ObjectId).filter(|text| values::is_mail_address(text));
    record::pairs(record.get(Field::Target).unwrap_or_default(), scratch, |id, _| {
        if target.is_none() && values::is_mail_address(id) {
            target = Some(id);
        }
    });
    let actor = record.get(Field::UserId);
    let changed = changes(record.get(Field::ModifiedProperties), reader);
    let operation = record.get(Field::Operation).unwrap_or_default();
    let event = ActionEvent {
        kind,
        account: target.or(actor).filter(|_| is_about_an_account(kind)),
        actor,
        address: audit::address(record, reader),
        client: None,
        detail: if changed.is_empty() { operation } else { scratch.alloc_slice_copy(&[operation, b" ", changed].concat()) },
        failed: record.failed(),
    };
    reader.sink.action(event)
}

/// The names of what was changed.
fn changes<'a>(list: Option<&'a [u8]>, reader: &Reader<'_, 'a>) -> &'a [u8] {
    let mut names = bumpalo::collections::Vec::new_in(reader.scratch);
    record::pairs(list.unwrap_or_default(), reader.scratch, |name, _| {
        if !name.eq_ignore_ascii_case(b"Included Updated Properties") {
            names.extend_from_slice(if names.is_empty() { b"(" } else { b", " });
            names.extend_from_slice(name);
        }
    });
    if !names.is_empty() {
        names.push(b')');
    }
    names.into_bump_slice()
}

/// Reads Graph's record of an act, and the one of diagnostic settings and Log Analytics, which has the same members.
pub(super) fn read<'a>(record: &Record<'a>, envelope: Option<&Record<'a>>, reader: &mut Reader<'_, 'a>) -> Fate {
    let scratch = reader.scratch;
    let times = [Field::Time, Field::LocalTime, Field::Written, Field::WrittenLocal];
    let Some(at) = reader.time(record, &times).or_else(|| reader.time(envelope?, &times)) else {
        return Fate::Malformed(Malformed::BadTime);
    };
    reader.on(HOST, at);
    if envelope.is_some() || record.has(Field::Written) {
        reader.counts(RecordKind::Forwarded);
    }
    if let Some(id) = record.get(Field::Id) {
        reader.same_as(HOST, &[id]);
    }
    let Some(activity) = record.get(Field::Activity).or_else(|| envelope?.get(Field::Activity)) else { return Fate::BAD_BODY };
    let Some(kind) = kind(activity) else { return Fate::NO_FACT };
    let by = record.get(Field::InitiatedBy);
    let user = by.and_then(|by| record::member(by, b"user", scratch));
    let of_user = |name: &[u8]| user.and_then(|user| record::member(user, name, scratch));
    let app = by.and_then(|by| record::member(by, b"app", scratch)).and_then(|app| record::member(app, b"displayName", scratch));
    let mut target = None;
    let mut changed: &[u8] = b"";
    json::each_item(record.get(Field::Targets).unwrap_or_default(), |item| {
        target = target.or_else(|| record::member(item, b"userPrincipalName", scratch));
        if changed.is_empty() {
            changed = changes(record::member(item, b"modifiedProperties", scratch), reader);
        }
    });
    let parts: [&[u8]; 3] = [activity, if changed.is_empty() { b"" } else { b" " }, changed];
    let actor = of_user(b"userPrincipalName");
    let event = ActionEvent {
        kind,
        account: target.or(actor).filter(|_| is_about_an_account(kind)),
        actor,
        address: of_user(b"ipAddress").and_then(|ip| values::address(ip, scratch)),
        client: app.filter(|app| !scan::contains(app, b"@")),
        detail: scratch.alloc_slice_copy(&parts.concat()),
        failed: record.failed(),
    };
    reader.sink.action(event)
}
