//! The message trace in all its exports: rows of `Get-MessageTrace` and its detail, the reports of historical searches, the portal's
//! list, and Defender's mail events.

use super::fields::Field;
use super::record::Record;
use super::{Reader, refusals, service, values};
use crate::domain::outcome::{By, Outcome, Reason};
use crate::formats::batch::Malformed;
use crate::formats::event::{
    Acceptance, ActionEvent, ActionKind, NoticeKind, Protocol, TrailEvent, TrailFact, TrailFate, TrailId, TrailKind,
};
use crate::formats::exchange::fate::{self, Meaning};
use crate::formats::record_kind::RecordKind;
use crate::formats::remark::Remark;
use crate::formats::scan;
use crate::formats::sink::Fate;

/// Where the trace speaks, as a host.
pub(super) const HOST: &[u8] = b"message-trace";
/// How the address begins that the service's own notices come from.
const NOTICES_FROM: &[u8] = b"microsoftexchange";

/// What a row says of its message.
struct Message<'a> {
    id: TrailId<'a>,
    kind: TrailKind,
    /// The submitting client, where the row tells it.
    address: Option<&'a [u8]>,
    way: Way,
    size: Option<u64>,
    return_path: Option<&'a [u8]>,
}

/// How a message was handed in, as far as its row tells.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    /// By SMTP where it has a client's address: the service takes nothing else from the outside, and names no client of its own.
    Address,
    /// Not told. Some exports give the address of every client, of those in a browser too.
    Untold,
}

impl<'a> Message<'a> {
    fn of(record: &Record<'a>, network: Field, kind: TrailKind, reader: &Reader<'_, 'a>) -> Message<'a> {
        let sender = record.first(&[Field::Sender, Field::HeaderFrom, Field::MailFrom]).filter(|s| *s != b"<>").unwrap_or_default();
        let id = TrailId {
            network: record.get(network).map_or(&b""[..], |id| values::guid(id, reader.scratch)),
            message: record.get(Field::MessageId).unwrap_or_default(),
            sender,
        };
        Message {
            id,
            kind: if is_notice(sender) { TrailKind::System } else { kind },
            address: None,
            way: Way::Address,
            size: record.get(Field::Size).and_then(scan::number).map(|(n, _)| n),
            return_path: record.get(Field::ReturnPath).map(|path| if path == b"<>" { &b""[..] } else { path }),
        }
    }

    fn from(mut self, address: Option<&'a [u8]>, reader: &Reader<'_, 'a>) -> Message<'a> {
        self.address = address.and_then(|text| values::address(text, reader.scratch)).filter(|address| !service::is_own(address));
        self
    }

    fn in_way(self, way: Way) -> Message<'a> {
        Message { way, ..self }
    }

    fn protocol(&self) -> Protocol {
        if self.way == Way::Address && self.address.is_some() { Protocol::SmtpAuth } else { Protocol::Other }
    }

    fn accepted(&self, reader: &mut Reader<'_, 'a>) {
        let acceptance = Acceptance {
            kind: self.kind,
            sender: self.id.sender,
            return_path: self.return_path,
            account: None,
            mailbox: None,
            // Whoever may send as another has the other's name here.
            mailbox_owner: Some(self.id.sender).filter(|_| self.kind == TrailKind::Submission),
            address: self.address,
            // Sign-ins tell who logged in; the trace only repeats where from.
            address_is_proxy: true,
            client: None,
            session: None,
            protocol: Some(self.protocol()),
            size: self.size,
            recipients: None,
        };
        reader.sink.trail(TrailEvent { id: self.id, fact: TrailFact::Accepted(reader.scratch.alloc(acceptance)) });
    }

    /// The trace shows that a notice was sent, and to whom, but not about which message.
    fn notice_to(&self, to: &'a [u8], reader: &mut Reader<'_, 'a>) {
        if self.kind == TrailKind::System {
            let fact = TrailFact::Notice { about: b"", kind: NoticeKind::NonDelivery, to };
            reader.sink.trail(TrailEvent { id: self.id, fact });
        }
    }

    fn recipient(&self, address: &'a [u8], fate: TrailFate, peer: &'a [u8], text: &'a [u8], reader: &mut Reader<'_, 'a>) {
        reader.sink.trail(TrailEvent { id: self.id, fact: TrailFact::Recipient { address, fate, peer, text } });
    }
}

/// The service's own notices have no sender, or one of its own.
fn is_notice(sender: &[u8]) -> bool {
    sender.is_empty() || sender.get(..NOTICES_FROM.len()).is_some_and(|start| start.eq_ignore_ascii_case(NOTICES_FROM))
}

/// The last word about a recipient.
#[derive(Clone, Copy)]
enum Last {
    Fate(TrailFate),
    /// A group: its members have rows of their own.
    Replaced,
}

const DELIVERED: Last = Last::Fate(TrailFate::Delivered);
const WAITING: Last = Last::Fate(TrailFate::Waiting { outcome: Outcome::Deferred, by: None, reason: Reason::Other });
/// That something failed is not yet why.
const FAILED: Last = Last::Fate(TrailFate::Ended { outcome: Outcome::Bounced, by: Some(By::Own), reason: Reason::Other });
const QUARANTINED: Last = Last::Fate(TrailFate::Ended { outcome: Outcome::Blocked, by: Some(By::Own), reason: Reason::Content });
const DROPPED: Last = Last::Fate(TrailFate::Ended { outcome: Outcome::Discarded, by: Some(By::Own), reason: Reason::Policy });
const NAMED: Last = Last::Fate(TrailFate::Named);

/// `Status` of the trace, and the last word of `recipient_status`, in lower case.
const WORDS: &[(&[u8], Last)] = &[
    (b"delivered", DELIVERED),
    (b"filteredasspam", DELIVERED),
    (b"failed", FAILED),
    (b"quarantined", QUARANTINED),
    (b"pending", WAITING),
    (b"gettingstatus", WAITING),
    (b"expanded", Last::Replaced),
    (b"resolved", Last::Replaced),
    (b"deliver", DELIVERED),
    (b"fail", FAILED),
    (b"defer", WAITING),
    (b"expand", Last::Replaced),
    (b"resolve", Last::Replaced),
    (b"quarantine", QUARANTINED),
    (b"spam", QUARANTINED),
    (b"drop", DROPPED),
    (b"send", Last::Fate(TrailFate::HandedOver { outside: Some(true) })),
];

fn last(word: &[u8]) -> Last {
    let word: Vec<u8> = word.iter().filter(|b| !b.is_ascii_whitespace()).map(u8::to_ascii_lowercase).collect();
    WORDS.iter().find(|(known, _)| *known == word).map_or(NAMED, |(_, last)| *last)
}

/// A row of `Get-MessageTrace`, or of the portal's list: one recipient of one message.
pub(super) fn read<'a>(record: &Record<'a>, reader: &mut Reader<'_, 'a>) -> Fate {
    let Some(at) = reader.time(record, &[Field::Received, Field::Time, Field::LocalTime]) else {
        return Fate::Malformed(Malformed::BadTime);
    };
    reader.on(HOST, at);
    let Some(recipient) = record.get(Field::Recipient) else { return Fate::BAD_BODY };
    let mut message = Message::of(record, Field::TraceId, TrailKind::Undirected, reader).from(record.get(Field::FromIp), reader);
    if message.id.network.is_empty() {
        // The cmdlet prints times in UTC, the portal those of the person who looks.
        if !record.has_text(Field::Received) && record.has_text(Field::Time) {
            reader.remark(Remark::UnknownZone);
        }
        if message.id.message.is_empty() {
            reader.remark(Remark::NamelessMessage);
            message.id.message = shown_of(record, reader);
        }
    }
    message.accepted(reader);
    message.notice_to(recipient, reader);
    let status = record.get(Field::Status).unwrap_or_default();
    let to = record.get(Field::ToIp).map_or(&b""[..], |ip| reader.peer(b"", ip));
    match last(status) {
        Last::Replaced => {
            reader.sink.trail(TrailEvent { id: message.id, fact: TrailFact::Replaced { address: recipient, by: b"" } });
        }
        Last::Fate(TrailFate::Delivered) if !to.is_empty() => {
            message.recipient(recipient, TrailFate::HandedOver { outside: Some(true) }, to, b"", reader);
        }
        Last::Fate(fate) => message.recipient(recipient, fate, to, if fate == TrailFate::Delivered { b"" } else { status }, reader),
    }
    Fate::Used
}

/// What stands for the name of a message that a row does not name: its time and its subject.
fn shown_of<'a>(record: &Record<'a>, reader: &Reader<'_, 'a>) -> &'a [u8] {
    let time = record.first(&[Field::Received, Field::Time, Field::LocalTime]).unwrap_or_default();
    reader.scratch.alloc_slice_copy(&[time, b" ", record.get(Field::Subject).unwrap_or_default()].concat())
}

/// A row of `Get-MessageTraceDetail`: one step of one recipient.
pub(super) fn read_detail<'a>(record: &Record<'a>, reader: &mut Reader<'_, 'a>) -> Fate {
    let Some(at) = reader.time(record, &[Field::Time]) else { return Fate::Malformed(Malformed::BadTime) };
    reader.on(HOST, at);
    let event: Vec<u8> = record.get(Field::Event).unwrap_or_default().to_ascii_lowercase();
    let recipient = record.get(Field::Recipient).unwrap_or_default();
    let detail = record.get(Field::Detail).unwrap_or_default();
    let message = Message::of(record, Field::TraceId, TrailKind::Undirected, reader);
    match event.as_slice() {
        b"receive" => message.from(client_in(record), reader).accepted(reader),
        // Out of a mailbox.
        b"submit" => message.from(client_in(record), reader).in_way(Way::Untold).accepted(reader),
        b"deliver" => message.recipient(recipient, TrailFate::Delivered, b"", b"", reader),
        b"send" | b"send external" => {
            let peer = scan::after(detail, b" to ").map_or(detail, |rest| scan::until(rest, b" using "));
            let (name, ip) = scan::split(peer, b" at ").unwrap_or((peer, b""));
            let peer = reader.peer(name, ip);
            // Where the step does not say to whom it was handed, its recipient does: another domain's server took it.
            let outside = (peer.is_empty() && (event == b"send external" || leaves(recipient, message.id.sender))).then_some(true);
            message.recipient(recipient, TrailFate::HandedOver { outside }, peer, b"", reader);
        }
        b"fail" => {
            let refusal = refusals::read(detail);
            let peer = reader.peer(refusal.name, refusal.address);
            message.recipient(recipient, refusal.fate, peer, refusal.text, reader);
        }
        b"defer" => message.recipient(recipient, fate::delay(Outcome::Deferred, Reason::Other, detail), b"", detail, reader),
        b"drop" => message.recipient(recipient, fate_of(DROPPED), b"", detail, reader),
        b"spam" | b"malware" if scan::contains(&detail.to_ascii_lowercase(), b"junk") => {
            message.recipient(recipient, TrailFate::Delivered, b"", b"", reader);
        }
        b"spam" | b"malware" if scan::contains(&detail.to_ascii_lowercase(), b"quarantine") => {
            message.recipient(recipient, fate_of(QUARANTINED), b"", detail, reader);
        }
        b"expand" | b"resolve" => {
            reader.sink.trail(TrailEvent { id: message.id, fact: TrailFact::Replaced { address: recipient, by: b"" } });
        }
        _ => return Fate::NO_FACT,
    }
    Fate::Used
}

fn fate_of(last: Last) -> TrailFate {
    match last {
        Last::Fate(fate) => fate,
        Last::Replaced => TrailFate::Named,
    }
}

/// Whether mail goes to another domain than its sender's.
fn leaves(recipient: &[u8], sender: &[u8]) -> bool {
    let domain = |address| scan::split_last(address, b"@").map(|(_, domain)| domain);
    domain(recipient).zip(domain(sender)).is_some_and(|(to, from)| !to.eq_ignore_ascii_case(from))
}

/// `<MEP Name="ClientIP" String="…"/>` in the data of a step.
fn client_in<'a>(record: &Record<'a>) -> Option<&'a [u8]> {
    let rest = scan::after(record.get(Field::AlertData)?, b"Name=\"ClientIP\" String=\"")?;
    scan::non_empty(scan::until(rest, b"\""))
}

/// Which way a message went, where the row says.
fn direction(record: &Record<'_>) -> TrailKind {
    match record.first(&[Field::Directionality, Field::Direction]) {
        Some(b"1" | b"Incoming" | b"Inbound") => TrailKind::Inbound,
        Some(b"2" | b"Originating" | b"Outbound") => TrailKind::Submission,
        _ => TrailKind::Undirected,
    }
}

/// A row of a historical search's summary: one message with all its recipients.
pub(super) fn read_summary<'a>(record: &Record<'a>, reader: &mut Reader<'_, 'a>) -> Fate {
    let Some(at) = reader.time(record, &[Field::OriginTime]) else { return Fate::Malformed(Malformed::BadTime) };
    reader.on(HOST, at);
    let message = Message::of(record, Field::NetworkId, direction(record), reader).from(record.get(Field::OriginalClientIp), reader);
    let message = message.in_way(Way::Untold);
    message.accepted(reader);
    for entry in record.get(Field::RecipientStatus).unwrap_or_default().split(|b| *b == b';') {
        // The words stand behind the last mark: an address may hold one.
        let Some((address, stations)) = scan::split_last(entry, b"##") else { continue };
        let address = address.trim_ascii();
        message.notice_to(address, reader);
        let word = scan::split_last(stations, b",").map_or(stations, |(_, word)| word).trim_ascii();
        match last(word) {
            Last::Replaced => {
                reader.sink.trail(TrailEvent { id: message.id, fact: TrailFact::Replaced { address, by: b"" } });
            }
            Last::Fate(TrailFate::Delivered) => message.recipient(address, TrailFate::Delivered, b"", b"", reader),
            Last::Fate(fate) => {
                if matches!(fate, TrailFate::HandedOver { .. }) {
                    reader.counts(RecordKind::HandedToNobody);
                }
                message.recipient(address, fate, b"", word, reader);
            }
        }
    }
    Fate::Used
}

/// A row of a historical search's extended report, which is a row of Exchange's message tracking.
pub(super) fn read_step<'a>(record: &Record<'a>, reader: &mut Reader<'_, 'a>) -> Fate {
    let Some(at) = reader.time(record, &[Field::EventTime]) else { return Fate::Malformed(Malformed::BadTime) };
    reader.on(HOST, at);
    let (source, event) = (record.get(Field::Source).unwrap_or_default(), record.get(Field::EventId).unwrap_or_default());
    let mut message = Message::of(record, Field::NetworkId, direction(record), reader);
    let status = record.get(Field::RecipientStatus).unwrap_or_default();
    let peer = reader.peer(record.get(Field::ServerHost).unwrap_or_default(), record.get(Field::ServerIp).unwrap_or_default());
    match fate::meaning(event) {
        Meaning::Receive | Meaning::Submit if source.eq_ignore_ascii_case(b"DSN") => {
            message.kind = TrailKind::System;
            message.accepted(reader);
            notice(record, &message, reader);
        }
        Meaning::Receive | Meaning::Submit => {
            let by_smtp = source.eq_ignore_ascii_case(b"SMTP");
            // Out of a mailbox it was handed in by a server of the service, and only the first client's address is its user's.
            let fields = [Field::OriginalClientIp, Field::ClientIp];
            let address = record.first(if by_smtp { &fields } else { &fields[..1] });
            message.from(address, reader).in_way(if by_smtp { Way::Address } else { Way::Untold }).accepted(reader);
        }
        Meaning::Notice => notice(record, &message, reader),
        Meaning::Send { outside } => {
            let outside = outside.then_some(true);
            each_recipient(record, |address| message.recipient(address, TrailFate::HandedOver { outside }, peer, b"", reader));
        }
        Meaning::Deliver => each_recipient(record, |address| message.recipient(address, TrailFate::Delivered, b"", b"", reader)),
        Meaning::Fail => {
            let mut refusal = refusals::read(status);
            if source.eq_ignore_ascii_case(b"AGENT") {
                let context = record.get(Field::Message).unwrap_or_default();
                refusal.fate = fate::failure(source, context, refusal.text);
            }
            let peer = if refusal.name.is_empty() { b"" } else { reader.peer(refusal.name, refusal.address) };
            each_recipient(record, |address| message.recipient(address, refusal.fate, peer, refusal.text, reader));
        }
        Meaning::End(outcome, reason) => {
            let fate = TrailFate::Ended { outcome, by: Some(By::Own), reason };
            each_recipient(record, |address| message.recipient(address, fate, b"", status, reader));
        }
        Meaning::Wait(outcome, reason) => {
            let fate = fate::delay(outcome, reason, status);
            each_recipient(record, |address| message.recipient(address, fate, b"", status, reader));
        }
        Meaning::Replace => {
            let address = record.get(Field::Related).unwrap_or_default();
            reader.sink.trail(TrailEvent { id: message.id, fact: TrailFact::Replaced { address, by: b"" } });
        }
        Meaning::Copy | Meaning::Nothing => return Fate::NO_FACT,
    }
    Fate::Used
}

fn each_recipient<'a>(record: &Record<'a>, f: impl FnMut(&'a [u8])) {
    record.get(Field::Recipient).unwrap_or_default().split(|b| *b == b';').map(<[u8]>::trim_ascii).filter(|a| !a.is_empty()).for_each(f);
}

/// A notice, about the message that its reference names.
fn notice<'a>(record: &Record<'a>, message: &Message<'a>, reader: &mut Reader<'_, 'a>) {
    let to = record.get(Field::Recipient).unwrap_or_default();
    if let Some(about) = record.get(Field::Reference) {
        let fact = TrailFact::Notice { about, kind: NoticeKind::NonDelivery, to };
        reader.sink.trail(TrailEvent { id: message.id, fact });
    }
}

/// A row of Defender's `EmailEvents`: one recipient of one message.
pub(super) fn read_defender<'a>(record: &Record<'a>, reader: &mut Reader<'_, 'a>) -> Fate {
    let Some(at) = reader.time(record, &[Field::Timestamp, Field::Written]) else { return Fate::Malformed(Malformed::BadTime) };
    reader.on(HOST, at);
    let message =
        Message::of(record, Field::NetworkId, direction(record), reader).from(record.first(&[Field::SenderV4, Field::SenderV6]), reader);
    let message = message.in_way(Way::Untold);
    message.accepted(reader);
    let recipient = record.get(Field::Recipient).unwrap_or_default();
    let location = record.get(Field::DeliveryLocation).unwrap_or_default().to_ascii_lowercase();
    let action = record.get(Field::DeliveryAction).unwrap_or_default().to_ascii_lowercase();
    let (fate, text) = match action.as_slice() {
        b"delivered" | b"replaced" if scan::contains(&location, b"external") => (TrailFate::HandedOver { outside: None }, &b""[..]),
        b"delivered" | b"replaced" | b"junked" => (TrailFate::Delivered, &b""[..]),
        b"blocked" if location == b"failed" && !record.has_text(Field::Threats) => (fate_of(FAILED), &b"Blocked, Failed"[..]),
        b"blocked" => (fate_of(QUARANTINED), record.get(Field::Threats).unwrap_or(b"Blocked")),
        _ => (TrailFate::Named, &b""[..]),
    };
    // The row names no next hop. To another domain it was one outside of us; within ours it may be a server on our premises.
    let away = matches!(fate, TrailFate::HandedOver { .. }) && leaves(recipient, message.id.sender);
    let peer = if away { reader.peer(record.get(Field::DeliveryLocation).unwrap_or_default(), b"") } else { b"" };
    message.recipient(recipient, fate, peer, text, reader);
    Fate::Used
}

/// A row of Defender's `EmailPostDeliveryEvents`: where a delivered message was moved later. It was delivered all the same.
pub(super) fn read_post_delivery<'a>(record: &Record<'a>, reader: &mut Reader<'_, 'a>) -> Fate {
    let Some(at) = reader.time(record, &[Field::Timestamp, Field::Written]) else { return Fate::Malformed(Malformed::BadTime) };
    reader.on(HOST, at);
    let said =
        [Field::ActionTrigger, Field::ActionType, Field::DeliveryLocation, Field::MessageId].map(|f| record.get(f).unwrap_or_default());
    let detail = reader.scratch.alloc_slice_copy(&said.join(&b' '));
    let event = ActionEvent {
        kind: ActionKind::MailMoved,
        account: record.get(Field::Recipient),
        actor: None,
        address: None,
        client: None,
        detail,
        failed: false,
    };
    reader.sink.action(event)
}
