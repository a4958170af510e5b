//! Posting a message through the service: what becomes of each recipient and when, the notice that comes back, and the count of it all.

use super::directory::{SERVICE_DOMAIN, TENANT_DOMAIN};
use super::guid::Guid;
use super::message::{Copy, Deferral, End, Message, Server, Way};
use super::replies;
use super::tenant::Tenant;
use crate::domain::outcome::Outcome;
use crate::domain::time::{DAY, MINUTE, SECOND};
use crate::simulate::cast::{Address, Cast};
use crate::simulate::happenings::{Fate, Recipient};
use crate::simulate::random::{Random, mix};
use crate::simulate::tally::Fates;
use std::net::IpAddr;

/// A message as it is handed in.
pub(super) struct Posted<'a> {
    pub(super) at: i64,
    pub(super) sender: String,
    pub(super) recipients: &'a [Recipient],
    pub(super) subject: String,
    pub(super) message_id: String,
    pub(super) size: u64,
    pub(super) way: Way,
    pub(super) client: Option<IpAddr>,
    /// Whether the service keeps the account from sending.
    pub(super) restricted: bool,
    /// The server of the organisation through which mail to the outside leaves.
    pub(super) relay: Option<&'a Server>,
}

/// What came of a message.
#[derive(Debug)]
pub(super) struct Settled {
    pub(super) fates: Fates,
    /// Recipients handed on to a server of the organisation, which the fates lack.
    pub(super) onward: Vec<Recipient>,
    /// When the service made a notice of it, which is all that every export tells.
    pub(super) notice: Option<i64>,
}

/// How long the service tries to hand a message over.
const LIFETIME: i64 = DAY;
/// The pauses between its attempts.
const PAUSES: [i64; 4] = [MINUTE, 5 * MINUTE, 15 * MINUTE, 30 * MINUTE];
/// The address that notices come from.
const NOTICES_FROM: &str = "microsoftexchange329e71ec88ae4615bbc36ab6ce41109e";

/// The service's transport.
pub(super) struct Transport<'a> {
    pub(super) tenant: &'a mut Tenant,
    pub(super) cast: &'a Cast,
    pub(super) random: &'a mut Random,
    /// What is not settled by then is still waiting when the evidence ends.
    pub(super) end: i64,
}

impl Transport<'_> {
    /// Takes a message and carries it to its end.
    pub(super) fn post(&mut self, posted: Posted) -> Settled {
        let mut fates = Fates::default();
        let mut copies = Vec::with_capacity(posted.recipients.len());
        let mut onward = Vec::new();
        for recipient in posted.recipients {
            let outside = self.cast.domain(recipient.to).is_some() && recipient.fate != Fate::OwnFilter;
            if let Some(relay) = posted.relay.filter(|_| outside) {
                let settled = posted.at + 2 * SECOND;
                copies.push(Copy { to: self.text(recipient.to), end: End::Sent(relay.clone()), settled, deferrals: Vec::new() });
                onward.push(*recipient);
                continue;
            }
            let (copy, outcome) = self.carry(&posted, *recipient);
            match (outcome, &copy.end) {
                (Outcome::Blocked, End::Failed { by: Some(_), .. }) => fates.block_by_remote(1),
                (Outcome::Blocked, _) => fates.block_by_own(1),
                _ => fates.add(outcome, 1),
            }
            copies.push(copy);
        }
        let id = self.tenant.next_message();
        let Posted { at, sender, message_id, subject, size, way, client, .. } = posted;
        let message = Message { at, id, message_id, sender, subject, size, way, client, about: None, copies };
        let notice = self.notice_of(&message);
        self.tenant.keep(message);
        let notice = notice.map(|notice| {
            let at = notice.at;
            self.tenant.keep(Message { id: self.tenant.next_message(), ..notice });
            at
        });
        Settled { fates, onward, notice }
    }

    fn text(&self, to: Address) -> String {
        let mut address = Vec::new();
        self.cast.put(&mut address, to);
        String::from_utf8_lossy(&address).into_owned()
    }

    fn carry(&mut self, posted: &Posted, Recipient { to, fate }: Recipient) -> (Copy, Outcome) {
        let address = self.text(to);
        let server = self.cast.domain(to).map(|domain| &self.cast.domains[domain]);
        let quick = posted.at + self.random.range(SECOND, 6 * SECOND);
        let mut copy = Copy { to: address, end: End::Delivered, settled: quick, deferrals: Vec::new() };
        let Some(domain) = server else {
            return (copy, Outcome::Delivered);
        };
        let (flavour, to) = (domain.flavour, copy.to.clone());
        let server = Server { name: domain.mx.split('[').next().unwrap_or_default().to_owned(), ip: domain.mx_ip.clone() };
        let refused = |reply: String, by: Option<Server>| End::Failed { reply, by };
        let (end, outcome) = match fate {
            Fate::Delivered => (End::Sent(server), Outcome::Delivered),
            Fate::NoSuchUser => (refused(replies::unknown_user(flavour, &to), Some(server)), Outcome::Bounced),
            Fate::MailboxFull => (refused(replies::mailbox_full(&to), Some(server)), Outcome::Bounced),
            Fate::Reputation => (refused(replies::distrust(flavour), Some(server)), Outcome::Blocked),
            Fate::OwnFilter => (refused(replies::own_refusal(self.random.next(), posted.restricted).to_owned(), None), Outcome::Blocked),
            Fate::Later(times) => return self.retry(copy, usize::from(times), replies::later(flavour, &to), End::Sent(server)),
            Fate::Unreachable => {
                let tries = (LIFETIME / PAUSES[3]) as usize;
                let end = refused(replies::EXPIRED.to_owned(), None);
                return self.retry(copy, tries, replies::UNREACHABLE.to_owned(), end);
            }
        };
        copy.end = end;
        (copy, outcome)
    }

    /// Puts a copy off so many times before its end, unless the evidence ends first.
    fn retry(&mut self, mut copy: Copy, times: usize, reply: String, end: End) -> (Copy, Outcome) {
        for number in 0..times {
            if copy.settled >= self.end {
                break;
            }
            copy.deferrals.push(Deferral { at: copy.settled, reply: reply.clone() });
            copy.settled += PAUSES[number.min(PAUSES.len() - 1)] + self.random.range(0, 20 * SECOND);
        }
        if copy.settled >= self.end {
            copy.end = End::Pending;
            return (copy, Outcome::Deferred);
        }
        let outcome = if matches!(end, End::Sent(_)) { Outcome::Delivered } else { Outcome::Expired };
        copy.end = end;
        (copy, outcome)
    }

    /// The notice of a message with failed recipients, if it comes before the evidence ends.
    fn notice_of(&mut self, message: &Message) -> Option<Message> {
        let failed = message.copies.iter().filter(|copy| copy.failure().is_some());
        let settled = failed.map(|copy| copy.settled).max()?;
        let at = settled + self.random.range(SECOND, 4 * SECOND);
        if at >= self.end || matches!(message.way, Way::Inbound | Way::Notice) {
            return None;
        }
        let copy = Copy { to: message.sender.clone(), end: End::Delivered, settled: at + SECOND, deferrals: Vec::new() };
        Some(Message {
            at,
            id: Guid::NIL,
            message_id: format!("{}@TYAPR01MB2103.{SERVICE_DOMAIN}", message_id_of(mix(at as u64))),
            sender: format!("{NOTICES_FROM}@{TENANT_DOMAIN}"),
            subject: format!("Undeliverable: {}", message.subject),
            size: message.size + 4_200,
            way: Way::Notice,
            client: None,
            about: Some(message.message_id.clone()),
            copies: vec![copy],
        })
    }
}

/// The left half of a message id that the service makes.
pub(super) fn message_id_of(number: u64) -> String {
    format!("TYAPR01MB2103{:016X}{:06X}", mix(number), number & 0xff_ffff)
}

/// The subject of an owner's or a correspondent's message.
pub(super) fn subject_of(number: u64) -> String {
    const TOPICS: [&str; 8] = [
        "Minutes of the meeting",
        "会議の日程について",
        "Re: Draft; second version",
        "RE: \"Budget\" 2023",
        "Seminar room",
        "Re: 実験の件",
        "Travel, hotel and tickets",
        "Fwd: Manuscript",
    ];
    format!("{} ({})", TOPICS[(number % 8) as usize], number / 8 % 100_000)
}

/// The subject of an attacker's message, as the trace shows it: decoded.
pub(super) fn lure_of(number: u64) -> String {
    match number % 5 {
        0 => "【重要】メールボックス容量を確認".to_owned(),
        1 => "Your mailbox will be suspended today".to_owned(),
        _ => format!("Mailbox storage limit reached [Ticket#{number:05}]"),
    }
}
