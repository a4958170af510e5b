//! What was done to an account, a mailbox or the organisation, beside logging in and sending mail.

/// Begins the words about an act that came to nothing.
pub const FAILED: &str = "failed: ";

/// The kinds of acts that bear on an abused account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ActionKind {
    InboxRuleCreated,
    InboxRuleChanged,
    InboxRuleRemoved,
    ForwardingSet,
    ForwardingRemoved,
    MailboxPermissionGranted,
    MailboxPermissionRemoved,
    FolderPermissionGranted,
    SendAsGranted,
    /// A protocol (IMAP, POP, authenticated SMTP) or another setting of the mailbox.
    MailboxSettingChanged,
    /// Auditing of a mailbox or of the organisation was weakened: later silence means nothing.
    AuditingChanged,
    MfaChanged,
    MfaDisabled,
    ConsentGranted,
    ApplicationChanged,
    ApplicationCredentialAdded,
    PasswordReset,
    PasswordChanged,
    SessionsRevoked,
    RoleGranted,
    RoleRevoked,
    AccountCreated,
    AccountDeleted,
    AccountChanged,
    DeviceAdded,
    OrganisationSettingChanged,
    /// A transport rule or a connector: it touches everybody's mail.
    MailFlowChanged,
    OutboundPolicyChanged,
    /// The provider stopped the account from sending.
    SendingRestricted,
    SendingReleased,
    /// Another alert of the provider.
    AlertRaised,
    /// A mailbox was opened by an account that is not its own.
    OtherMailboxOpened,
    MailSearched,
    MailDeleted,
    MailMoved,
    DraftWritten,
    FilesAccessed,
    FilesShared,
    QuarantineHandled,
}

impl ActionKind {
    /// The word used in reports and tables.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            ActionKind::InboxRuleCreated => "inbox-rule-created",
            ActionKind::InboxRuleChanged => "inbox-rule-changed",
            ActionKind::InboxRuleRemoved => "inbox-rule-removed",
            ActionKind::ForwardingSet => "forwarding-set",
            ActionKind::ForwardingRemoved => "forwarding-removed",
            ActionKind::MailboxPermissionGranted => "mailbox-permission-granted",
            ActionKind::MailboxPermissionRemoved => "mailbox-permission-removed",
            ActionKind::FolderPermissionGranted => "folder-permission-granted",
            ActionKind::SendAsGranted => "send-as-granted",
            ActionKind::MailboxSettingChanged => "mailbox-setting-changed",
            ActionKind::AuditingChanged => "auditing-changed",
            ActionKind::MfaChanged => "mfa-changed",
            ActionKind::MfaDisabled => "mfa-disabled",
            ActionKind::ConsentGranted => "consent-granted",
            ActionKind::ApplicationChanged => "application-changed",
            ActionKind::ApplicationCredentialAdded => "application-credential-added",
            ActionKind::PasswordReset => "password-reset",
            ActionKind::PasswordChanged => "password-changed",
            ActionKind::SessionsRevoked => "sessions-revoked",
            ActionKind::RoleGranted => "role-granted",
            ActionKind::RoleRevoked => "role-revoked",
            ActionKind::AccountCreated => "account-created",
            ActionKind::AccountDeleted => "account-deleted",
            ActionKind::AccountChanged => "account-changed",
            ActionKind::DeviceAdded => "device-added",
            ActionKind::OrganisationSettingChanged => "organisation-setting-changed",
            ActionKind::MailFlowChanged => "mail-flow-changed",
            ActionKind::OutboundPolicyChanged => "outbound-policy-changed",
            ActionKind::SendingRestricted => "sending-restricted",
            ActionKind::SendingReleased => "sending-released",
            ActionKind::AlertRaised => "alert-raised",
            ActionKind::OtherMailboxOpened => "other-mailbox-opened",
            ActionKind::MailSearched => "mail-searched",
            ActionKind::MailDeleted => "mail-deleted",
            ActionKind::MailMoved => "mail-moved",
            ActionKind::DraftWritten => "draft-written",
            ActionKind::FilesAccessed => "files-accessed",
            ActionKind::FilesShared => "files-shared",
            ActionKind::QuarantineHandled => "quarantine-handled",
        }
    }
}
