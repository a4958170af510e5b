//! What the audit log records: sign-ins, reading, sending, rules, security settings, and the service's own verdicts.

use super::audit::{Record, RecordType};
use super::directory::{Account, Directory, SERVICE_DOMAIN, TENANT_DOMAIN};
use super::guid::Guid;
use super::json::{Object, object, text_of};
use super::sign_in::{Code, Door, SignIn};
use crate::simulate::random::mix;
use std::net::IpAddr;

/// Something that was done.
#[derive(Clone, Debug)]
pub(super) enum Act {
    SignIn(SignIn),
    Read(Reading),
    Send {
        by: Actor,
        subject: String,
        message_id: String,
        size: u64,
    },
    /// `New-InboxRule`: notices of undeliverable mail are deleted as they come.
    Rule {
        by: Actor,
        name: &'static str,
    },
    /// `Set-Mailbox`: all mail is forwarded.
    Forward {
        by: Actor,
        to: String,
    },
    /// A new way to prove the identity was registered.
    SecurityInfo {
        by: Actor,
    },
    /// The directory's own row about it.
    UserUpdated {
        by: Actor,
    },
    /// The service keeps an account from sending.
    Restricted {
        account: usize,
    },
}

/// Who did it, and from where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Actor {
    pub(super) account: usize,
    pub(super) from: IpAddr,
    pub(super) door: Door,
    pub(super) session: Guid,
}

/// Mail that was read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reading {
    pub(super) by: Actor,
    pub(super) extent: Extent,
}

/// How much of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Extent {
    /// Single messages: this many, from that number on.
    Messages { first: u64, count: u64 },
    /// A folder was synchronised.
    Folder,
}

const EXCHANGE_ID: &str = "00000002-0000-0ff1-ce00-000000000000";

impl Act {
    pub(super) fn record_type(&self) -> RecordType {
        match self {
            Act::SignIn(_) => RecordType::AzureActiveDirectoryStsLogon,
            Act::Read(_) => RecordType::ExchangeItemAggregated,
            Act::Send { .. } => RecordType::ExchangeItem,
            Act::Rule { .. } | Act::Forward { .. } => RecordType::ExchangeAdmin,
            Act::SecurityInfo { .. } | Act::UserUpdated { .. } => RecordType::AzureActiveDirectory,
            Act::Restricted { .. } => RecordType::SecurityComplianceAlerts,
        }
    }

    pub(super) fn operation(&self) -> &'static str {
        match self {
            Act::SignIn(step) if passed(step.code) => "UserLoggedIn",
            Act::SignIn(_) => "UserLoginFailed",
            Act::Read(_) => "MailItemsAccessed",
            Act::Send { .. } => "Send",
            Act::Rule { .. } => "New-InboxRule",
            Act::Forward { .. } => "Set-Mailbox",
            Act::SecurityInfo { .. } => "User registered security info",
            Act::UserUpdated { .. } => "Update user.",
            Act::Restricted { .. } => "AlertTriggered",
        }
    }

    pub(super) fn status(&self) -> &'static str {
        match self {
            Act::SignIn(step) if !passed(step.code) => "Failed",
            Act::SignIn(_) | Act::SecurityInfo { .. } | Act::UserUpdated { .. } => "Success",
            Act::Rule { .. } | Act::Forward { .. } => "True",
            Act::Read(_) | Act::Send { .. } | Act::Restricted { .. } => "Succeeded",
        }
    }

    fn account<'a>(&self, directory: &'a Directory) -> Option<&'a Account> {
        match self {
            Act::SignIn(step) => step.account(directory),
            Act::Read(Reading { by, .. })
            | Act::Send { by, .. }
            | Act::Rule { by, .. }
            | Act::Forward { by, .. }
            | Act::SecurityInfo { by }
            | Act::UserUpdated { by } => directory.accounts.get(by.account),
            Act::Restricted { .. } => None,
        }
    }

    /// `UserId`.
    pub(super) fn user<'a>(&'a self, directory: &'a Directory) -> &'a str {
        match self {
            Act::SignIn(step) => step.upn(directory),
            Act::Restricted { .. } => "SecurityComplianceAlerts",
            _ => self.account(directory).map_or("", |account| &account.upn),
        }
    }

    pub(super) fn user_key(&self, directory: &Directory) -> String {
        match (self, self.account(directory)) {
            (Act::SignIn(_), Some(account)) => account.id.to_string(),
            (Act::SignIn(_), None) => Guid::NIL.to_string(),
            (Act::SecurityInfo { .. } | Act::UserUpdated { .. }, Some(account)) => format!("{}@{}", account.puid, account.upn),
            (_, Some(account)) => account.puid.clone(),
            (_, None) => "SecurityComplianceAlerts".to_owned(),
        }
    }

    pub(super) fn user_type(&self) -> u32 {
        if matches!(self, Act::Restricted { .. }) { 4 } else { 0 }
    }

    /// What the record has beyond the fields that all have.
    pub(super) fn put(&self, o: &mut Object, directory: &Directory, record: &Record) {
        match self {
            Act::SignIn(step) => put_sign_in(o, directory, step),
            Act::Read(reading) => put_reading(o, directory, record, reading),
            Act::Send { by, subject, message_id, size } => {
                put_mailbox(o, directory, *by);
                o.object("Item", |o| {
                    o.text("Id", item_id(record.at as u64)).text("InternetMessageId", format!("<{message_id}>"));
                    o.object("ParentFolder", |o| put_folder(o, "\\Sent Items")).raw("SizeInBytes", size).text("Subject", subject);
                });
                o.raw("SaveToSentItems", true);
            }
            Act::Rule { by, name } => {
                let rule = [
                    ("AlwaysDeleteOutlookRulesBlob", "False"),
                    ("Force", "False"),
                    ("Name", name),
                    ("SubjectContainsWords", "Undeliverable"),
                    ("DeleteMessage", "True"),
                    ("StopProcessingRules", "True"),
                ];
                put_cmdlet(o, directory, *by, &format!("\\{name}"), &rule, record);
            }
            Act::Forward { by, to } => {
                let address = format!("smtp:{to}");
                let upn = self.user(directory);
                let forwarding = [("Identity", upn), ("ForwardingSmtpAddress", &address), ("DeliverToMailboxAndForward", "True")];
                put_cmdlet(o, directory, *by, "", &forwarding, record);
            }
            Act::SecurityInfo { by } => put_directory(o, directory, *by, &[]),
            Act::UserUpdated { by } => {
                let methods = "[\r\n  {\r\n    \"MethodType\": 6,\r\n    \"Default\": true\r\n  }\r\n]";
                let changed =
                    [("StrongAuthenticationMethod", methods, "[]"), ("Included Updated Properties", "StrongAuthenticationMethod", "")];
                put_directory(o, directory, *by, &changed);
            }
            Act::Restricted { account } => put_restricted(o, directory, record, *account),
        }
    }
}

/// The log calls a step a login if it ended well, and also if only the question whether to stay signed in is left.
fn passed(code: Code) -> bool {
    matches!(code, Code::Success | Code::KeepMeSignedIn)
}

fn put_sign_in(o: &mut Object, directory: &Directory, step: &SignIn) {
    let (application, resource) = (step.door.application().1, step.door.resource().1);
    let request = match step.code {
        Code::KeepMeSignedIn => "Login:login",
        Code::Success if step.door == Door::Browser => "Kmsi:kmsi",
        Code::StrongAuthentication | Code::StrongAuthenticationByPolicy => "OAuth2:Authorize",
        Code::StrongAuthenticationFailed => "SAS:EndAuth",
        _ => "OAuth2:Token",
    };
    let detail = match step.code {
        Code::Success | Code::KeepMeSignedIn => "Success",
        Code::StrongAuthentication | Code::StrongAuthenticationByPolicy => "Redirect",
        _ => "UserError",
    };
    let user_id = step.user_id(directory).to_string();
    o.text("ClientIP", step.from).text("ObjectId", resource).raw("AzureActiveDirectoryEventType", 1);
    let agent = step.door.agent();
    let extended = [("ResultStatusDetail", detail), ("UserAgent", agent), ("UserAuthenticationMethod", "1"), ("RequestType", request)];
    o.pairs("ExtendedProperties", &extended).list("ModifiedProperties", [(); 0], |_, ()| {});
    o.list("Actor", [(user_id.as_str(), 0), (step.upn(directory), 5)], put_typed);
    o.text("ActorContextId", directory.tenant).text("ActorIpAddress", step.from);
    o.text("InterSystemsId", step.correlation).text("IntraSystemId", step.id).text("SupportTicketId", "");
    o.list("Target", [(resource.to_string().as_str(), 0)], put_typed).text("TargetContextId", directory.tenant);
    o.text("ApplicationId", application);
    let mut device = vec![("OS", step.door.system()), ("BrowserType", browser_type(step.door)), ("IsCompliantAndManaged", "False")];
    let session = step.session.to_string();
    if step.session != Guid::NIL {
        device.push(("SessionId", &session));
    }
    o.pairs("DeviceProperties", &device).text("ErrorNumber", step.code.number());
    if step.code != Code::Success {
        o.text("LogonError", step.code.logon_error());
    }
}

fn browser_type(door: Door) -> &'static str {
    if matches!(door, Door::Browser | Door::SecurityInfo) { "Chrome" } else { "Other" }
}

fn put_typed(out: &mut Vec<u8>, (id, kind): (&str, u32)) {
    object(out, |o| {
        o.text("ID", id).raw("Type", kind);
    });
}

/// `ClientInfoString`.
fn client_info(door: Door) -> &'static str {
    match door {
        Door::Browser | Door::SecurityInfo => "Client=OWA;Action=ViaProxy",
        Door::Outlook | Door::Teams => "Client=MSExchangeRPC",
        Door::Phone => "Client=OutlookService;Outlook-iOS/2.0;",
        Door::Imap | Door::SmtpAuth => "Client=IMAP4;",
        Door::Pop => "Client=POP3;",
    }
}

/// The fields of all operations on a mailbox.
fn put_mailbox(o: &mut Object, directory: &Directory, by: Actor) {
    let Some(account) = directory.accounts.get(by.account) else { return };
    o.text("ClientIPAddress", by.from).text("ClientInfoString", client_info(by.door)).text("ClientAppId", by.door.application().1);
    o.text("AppId", EXCHANGE_ID).raw("ExternalAccess", false).raw("InternalLogonType", 0).raw("LogonType", 0);
    o.text("LogonUserSid", &account.sid).text("MailboxGuid", account.mailbox).text("MailboxOwnerSid", &account.sid);
    o.text("MailboxOwnerUPN", &account.upn).text("OrganizationName", TENANT_DOMAIN).text("OriginatingServer", server(by));
    o.text("SessionId", by.session);
    o.object("AppAccessContext", |o| {
        o.text("AADSessionId", by.session).text("UniqueTokenId", format!("{:016x}", mix(by.account as u64)));
    });
}

fn server(by: Actor) -> String {
    format!("TYAPR01MB{:04} (15.20.5769.015)\r\n", 2000 + by.account * 7)
}

/// An item's id: a long base64 text, of which this much is enough to tell items apart.
fn item_id(number: u64) -> String {
    format!("RgAAAACM{:016x}BwDh{:016x}AAAAAAEMAADh", mix(number), mix(number ^ 1))
}

fn put_folder(o: &mut Object, path: &str) {
    o.text("Id", format!("LgAAAACM{:016x}AQDh", mix(path.len() as u64))).text("Path", path);
}

fn put_reading(o: &mut Object, directory: &Directory, record: &Record, reading: &Reading) {
    put_mailbox(o, directory, reading.by);
    match reading.extent {
        Extent::Messages { first, count } => {
            o.pairs("OperationProperties", &[("MailAccessType", "Bind"), ("IsThrottled", "False")]);
            let owner = reading.by.account;
            o.list("Folders", [()], |out, ()| {
                object(out, |o| {
                    o.list("FolderItems", first..first + count, |out, number| {
                        object(out, |o| {
                            let id = mix(owner as u64 * 1_000_003 + number);
                            o.text("InternetMessageId", format!("<{id:016x}@{SERVICE_DOMAIN}>")).text("Id", item_id(id));
                            o.raw("SizeInBytes", 2_000 + id % 60_000);
                        });
                    });
                    put_folder(o, "\\Inbox");
                });
            });
            o.raw("OperationCount", count);
        }
        Extent::Folder => {
            o.pairs("OperationProperties", &[("MailAccessType", "Sync"), ("IsThrottled", "False")]);
            o.object("Item", |o| {
                o.text("Id", item_id(record.at as u64)).object("ParentFolder", |o| {
                    put_folder(o, "\\Inbox");
                    o.text("Name", "Inbox");
                });
            });
            o.raw("OperationCount", 1);
        }
    }
}

/// A cmdlet that the mailbox's own settings page runs; `object` is the part of its object's name after the mailbox.
fn put_cmdlet(o: &mut Object, directory: &Directory, by: Actor, object: &str, parameters: &[(&str, &str)], record: &Record) {
    let local = directory.accounts.get(by.account).map_or("", |account| account.upn.split('@').next().unwrap_or_default());
    let port = 1024 + record.at.rem_euclid(60_000);
    let address = if by.from.is_ipv6() { format!("[{}]:{port}", by.from) } else { format!("{}:{port}", by.from) };
    o.text("ClientIP", address);
    let organisation = format!("JPNPR01A010.PROD.OUTLOOK.EXAMPLE/Microsoft Exchange Hosted Organizations/{TENANT_DOMAIN}");
    o.text("ObjectId", format!("{organisation}/{local}{object}"));
    o.text("AppId", EXCHANGE_ID).text("AppPoolName", "MSExchangeOWAAppPool").text("ClientAppId", "").raw("ExternalAccess", false);
    o.text("OrganizationName", TENANT_DOMAIN).text("OriginatingServer", server(by));
    o.pairs("Parameters", parameters).text("SessionId", by.session);
}

fn put_directory(o: &mut Object, directory: &Directory, by: Actor, changed: &[(&str, &str, &str)]) {
    let Some(account) = directory.accounts.get(by.account) else { return };
    let user = format!("User_{}", account.id);
    let id = account.id.to_string();
    o.text("ObjectId", &account.upn).raw("AzureActiveDirectoryEventType", 1);
    let details = text_of(|o| {
        o.text("UserType", "Member");
    });
    o.pairs("ExtendedProperties", &[("additionalDetails", details.as_str()), ("extendedAuditEventCategory", "User")]);
    o.list("ModifiedProperties", changed, |out, (name, new, old)| {
        object(out, |o| {
            o.text("Name", name).text("NewValue", new).text("OldValue", old);
        });
    });
    let everybody = [(account.upn.as_str(), 5), (account.puid.as_str(), 3), (user.as_str(), 2), (id.as_str(), 2), ("User", 2)];
    o.list("Actor", everybody, put_typed).text("ActorContextId", directory.tenant);
    o.text("InterSystemsId", by.session).text("IntraSystemId", by.session).text("SupportTicketId", "");
    o.list("Target", everybody, put_typed).text("TargetContextId", directory.tenant);
}

fn put_restricted(o: &mut Object, directory: &Directory, record: &Record, account: usize) {
    let upn = directory.accounts.get(account).map_or("", |account| &account.upn);
    let name = "User restricted from sending email";
    o.text("ObjectId", upn).text("AlertId", record.id).text("AlertType", "System").text("Name", name);
    o.text("PolicyId", record.id).text("Status", "Active").text("Severity", "High").text("Category", "ThreatManagement");
    o.text("Source", "Office 365 Security & Compliance").text("Comments", "New alert").text("EntityType", "User");
    let data = text_of(|o| {
        o.text("etype", "User").text("eid", upn).text("an", name).text("sev", "High");
    });
    o.text("AlertEntityId", upn).text("Data", data);
}
