//! Messages as the service's transport knows them: one for each submission, with what became of each recipient.

use super::guid::{Guid, Kind};
use std::net::IpAddr;

/// A message.
#[derive(Clone, Debug)]
pub(super) struct Message {
    pub(super) at: i64,
    pub(super) id: Guid,
    pub(super) message_id: String,
    pub(super) sender: String,
    pub(super) subject: String,
    pub(super) size: u64,
    pub(super) way: Way,
    /// The address that handed it in by SMTP; the service names none for mail made inside of it.
    pub(super) client: Option<IpAddr>,
    /// The message a notice is about.
    pub(super) about: Option<String>,
    pub(super) copies: Vec<Copy>,
}

/// Where a message came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// From another organisation.
    Inbound,
    /// By a mail program of the tenant's people.
    Submitted,
    /// By `Authenticated SMTP`.
    SmtpAuth,
    /// A notice that the service makes.
    Notice,
}

/// What became of one recipient.
#[derive(Clone, Debug)]
pub(super) struct Copy {
    pub(super) to: String,
    pub(super) end: End,
    /// When it was settled.
    pub(super) settled: i64,
    /// Attempts that were put off before.
    pub(super) deferrals: Vec<Deferral>,
}

/// An attempt that was put off.
#[derive(Clone, Debug)]
pub(super) struct Deferral {
    pub(super) at: i64,
    pub(super) reply: String,
}

/// The end of a copy's way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// Into a mailbox of the tenant.
    Delivered,
    /// Into a mailbox's junk folder.
    Junk,
    /// Out, to this server.
    Sent(Server),
    /// Refused; by the server if one is named, else by the service itself.
    Failed { reply: String, by: Option<Server> },
    /// Kept for an administrator.
    Quarantined,
    /// Still waiting.
    Pending,
}

/// A server outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Server {
    pub(super) name: String,
    pub(super) ip: String,
}

impl Message {
    /// The id of the `number`-th message of a tenant.
    pub(super) fn id_of(salt: u64, number: u64) -> Guid {
        Guid::of(salt, Kind::Message, number)
    }

    pub(super) fn return_path(&self) -> &str {
        if self.way == Way::Notice { "<>" } else { &self.sender }
    }

    pub(super) fn failed(&self) -> bool {
        self.copies.iter().any(|copy| matches!(copy.end, End::Failed { .. }))
    }
}

impl Copy {
    pub(super) fn failure(&self) -> Option<(&str, Option<&Server>)> {
        match &self.end {
            End::Failed { reply, by } => Some((reply, by.as_ref())),
            _ => None,
        }
    }

    /// A refusal as the service wraps it: the last error, and who said it.
    pub(super) fn wrapped(&self) -> String {
        let Some((reply, by)) = self.failure() else { return String::new() };
        let (name, ip) = by.map_or(("", ""), |server| (&server.name, &server.ip));
        let when = super::clock::in_culture(self.settled, crate::simulate::request::Culture::EnUs);
        format!("[{{LED={reply}}};{{MSG=}};{{FQDN={name}}};{{IP={ip}}};{{LRT={when}}}]")
    }
}
