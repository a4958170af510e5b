//! Message tracking logs, 2007 to SE: where each message came in, and what became of its recipients.
//!
//! One message has many rows, in the files of several services and servers. Nothing is counted here: a row becomes facts about a
//! message and its recipients, which meet by the id of the message.

use super::fate::{self, Asked, Meaning, Status};
use super::names;
use super::{Cells, LogType, ROWS, Reader, certainty, format, iso};
use crate::domain::outcome::Outcome;
use crate::formats::batch::Ignored;
use crate::formats::event::{Acceptance, NoticeKind, Protocol, TrailEvent, TrailFact, TrailFate, TrailId, TrailKind};
use crate::formats::scan;
use crate::formats::service::Service;
use crate::formats::sink::Fate;
use crate::formats::table::{self, Row};

const ID: &str = "exchange.tracking";

/// Files `MSGTRK…`, `MSGTRKMS…`, `MSGTRKMD…`, `MSGTRKMA…` and `MSGTRKM…`.
pub(super) const TYPE: LogType = LogType {
    format: format(ID, "exchange-tracking", "Exchange message tracking log", ROWS, |head| certainty(head, ID)),
    columns: COLUMNS,
    marks: &["date-time", "event-id", "internal-message-id", "recipient-status"],
    titles: &[],
    cells: Cells::Commas,
    guess,
    instant: |row, _| iso(row.cell(DATE_TIME)),
    row,
};

const DATE_TIME: usize = 0;
pub(super) const CLIENT_IP: usize = 1;
pub(super) const CLIENT_HOSTNAME: usize = 2;
pub(super) const SERVER_IP: usize = 3;
pub(super) const SERVER_HOSTNAME: usize = 4;
pub(super) const SOURCE_CONTEXT: usize = 5;
pub(super) const CONNECTOR_ID: usize = 6;
pub(super) const SOURCE: usize = 7;
pub(super) const EVENT_ID: usize = 8;
pub(super) const INTERNAL_ID: usize = 9;
pub(super) const MESSAGE_ID: usize = 10;
pub(super) const NETWORK_ID: usize = 11;
pub(super) const RECIPIENTS: usize = 12;
pub(super) const STATUS: usize = 13;
pub(super) const TOTAL_BYTES: usize = 14;
pub(super) const RECIPIENT_COUNT: usize = 15;
pub(super) const RELATED: usize = 16;
pub(super) const REFERENCE: usize = 17;
pub(super) const SUBJECT: usize = 18;
pub(super) const SENDER: usize = 19;
pub(super) const RETURN_PATH: usize = 20;
pub(super) const DIRECTIONALITY: usize = 21;
pub(super) const ORIGINAL_CLIENT_IP: usize = 22;
pub(super) const CUSTOM_DATA: usize = 23;

/// The names of the files' own headings and of the objects that the shell gives.
pub(super) const COLUMNS: &[&[&str]] = &[
    &["date-time", "Timestamp"],
    &["client-ip", "ClientIp"],
    &["client-hostname", "ClientHostname"],
    &["server-ip", "ServerIp"],
    &["server-hostname", "ServerHostname"],
    &["source-context", "SourceContext"],
    &["connector-id", "ConnectorId"],
    &["source"],
    &["event-id", "EventId"],
    &["internal-message-id", "InternalMessageId"],
    &["message-id", "MessageId"],
    &["network-message-id", "NetworkMessageId"],
    &["recipient-address", "Recipients"],
    &["recipient-status", "RecipientStatus"],
    &["total-bytes", "TotalBytes"],
    &["recipient-count", "RecipientCount"],
    &["related-recipient-address", "RelatedRecipientAddress"],
    &["reference"],
    &["message-subject", "MessageSubject"],
    &["sender-address", "Sender"],
    &["return-path", "ReturnPath"],
    &["directionality"],
    &["original-client-ip", "OriginalClientIp"],
    &["custom-data", "EventData"],
];

/// The columns by the number of cells, for files that lost their heading: 2007, 2010, 2013, 2016 and later.
fn guess(row: &[&[u8]]) -> Option<&'static str> {
    const OF_2007: &str = "date-time,client-ip,client-hostname,server-ip,server-hostname,source-context,connector-id,source,event-id,internal-message-id,message-id,recipient-address,recipient-status,total-bytes,recipient-count,related-recipient-address,reference,message-subject,sender-address,return-path,message-info";
    const OF_2010: &str = "date-time,client-ip,client-hostname,server-ip,server-hostname,source-context,connector-id,source,event-id,internal-message-id,message-id,recipient-address,recipient-status,total-bytes,recipient-count,related-recipient-address,reference,message-subject,sender-address,return-path,message-info,directionality,tenant-id,original-client-ip,original-server-ip,custom-data";
    const OF_2013: &str = "date-time,client-ip,client-hostname,server-ip,server-hostname,source-context,connector-id,source,event-id,internal-message-id,message-id,network-message-id,recipient-address,recipient-status,total-bytes,recipient-count,related-recipient-address,reference,message-subject,sender-address,return-path,message-info,directionality,tenant-id,original-client-ip,original-server-ip,custom-data";
    const OF_2016: &str = "date-time,client-ip,client-hostname,server-ip,server-hostname,source-context,connector-id,source,event-id,internal-message-id,message-id,network-message-id,recipient-address,recipient-status,total-bytes,recipient-count,related-recipient-address,reference,message-subject,sender-address,return-path,message-info,directionality,tenant-id,original-client-ip,original-server-ip,custom-data,transport-traffic-type,log-id,schema-version";
    let names = match row.len() {
        21 => OF_2007,
        26 => OF_2010,
        27 => OF_2013,
        30 => OF_2016,
        _ => return None,
    };
    let event = row.get(8).is_some_and(|id| !id.is_empty() && id.iter().all(u8::is_ascii_uppercase));
    (event && row.first().is_some_and(|time| iso(time).is_ok())).then_some(names)
}

/// What stands for a list of recipients that the row has lost; no address begins with it.
pub(super) const LOST: &[u8] = b"\0";

/// Reads one row, of a file or of the shell's export.
pub(super) fn row<'a>(row: &Row<'a>, reader: &mut Reader<'_, 'a>) -> Fate {
    let meaning = fate::meaning(row.cell(EVENT_ID));
    let client_is_host = matches!(meaning, Meaning::Send { .. } | Meaning::Deliver | Meaning::Wait(..) | Meaning::Submit)
        || meaning == Meaning::Fail && row.cell(SOURCE).eq_ignore_ascii_case(b"SMTP");
    let (client, server) = (row.cell(CLIENT_HOSTNAME), row.cell(SERVER_HOSTNAME));
    let (own, other) = if client_is_host { (client, server) } else { (server, client) };
    reader.on_host(if own.is_empty() { other } else { own });
    if let Some(service) = service(meaning, row.cell(SOURCE)) {
        reader.sink.batch.services.add(service);
    }
    match meaning {
        Meaning::Copy => return Fate::Ignored(Ignored::Copy),
        Meaning::Nothing => return Fate::NO_FACT,
        _ if is_probe(row, reader) => return Fate::Ignored(Ignored::Probe),
        _ => {}
    }
    let tracked = Tracked { row, id: id(row, reader) };
    match meaning {
        Meaning::Receive => tracked.received(reader),
        Meaning::Submit => {
            tracked.submitted(reader);
            tracked.recipients(reader, |_, _| (TrailFate::Named, Status::default()), b"")
        }
        Meaning::Replace => tracked.replaced(reader),
        Meaning::Send { outside } => tracked.sent(reader, outside),
        Meaning::Deliver => tracked.delivered(reader),
        Meaning::Fail => tracked.failed(reader),
        Meaning::End(outcome, reason) => {
            let end = TrailFate::Ended { outcome, by: (outcome != Outcome::Expired).then_some(crate::domain::outcome::By::Own), reason };
            tracked.recipients(reader, |_, status| (end, Status::read(status)), b"")
        }
        Meaning::Wait(outcome, reason) => {
            let wait = |reader: &mut Reader<'_, 'a>, status: &'a [u8]| {
                let told = Status::read(status);
                (reader.fates.read(Asked::Delay(outcome, reason), told.text), told)
            };
            tracked.recipients(reader, wait, b"")
        }
        Meaning::Notice => tracked.notice(reader),
        Meaning::Copy | Meaning::Nothing => Fate::NO_FACT,
    }
}

/// The service that writes such rows, where only one does.
fn service(meaning: Meaning, source: &[u8]) -> Option<Service> {
    let of_store = names::starts_with(source, b"STOREDRIVER");
    match meaning {
        Meaning::Deliver if of_store => Some(Service::Delivery),
        Meaning::Receive | Meaning::Submit if of_store => Some(Service::Submission),
        Meaning::Receive | Meaning::Send { .. } if source.eq_ignore_ascii_case(b"SMTP") => Some(Service::Transport),
        Meaning::Fail if source.eq_ignore_ascii_case(b"AGENT") || source.eq_ignore_ascii_case(b"ROUTING") => Some(Service::Transport),
        _ => None,
    }
}

fn is_probe(row: &Row<'_>, reader: &Reader<'_, '_>) -> bool {
    let users = [SENDER, RETURN_PATH, RECIPIENTS].map(|column| row.cell(column));
    let subject = row.cell(SUBJECT);
    let custom = row.cell(CUSTOM_DATA);
    users.iter().any(|name| names::is_probe_user(name))
        || subject.ends_with(b"-OBDProbe")
        || scan::contains(custom, b"IsProbe")
            && table::value(custom, b"IsProbe", reader.chunk.scratch).is_some_and(|told| told.eq_ignore_ascii_case(b"true"))
}

/// What names the message of a row. Where the row has neither id, its own number on its host stands in: it joins nothing else.
fn id<'a>(row: &Row<'a>, reader: &Reader<'_, 'a>) -> TrailId<'a> {
    let (network, message) = (row.cell(NETWORK_ID), row.cell(MESSAGE_ID));
    if network.is_empty() && message.is_empty() {
        let parts = [row.cell(SERVER_HOSTNAME), b"/", row.cell(INTERNAL_ID), b"/", row.cell(SOURCE_CONTEXT)].concat();
        let message = reader.chunk.scratch.alloc_slice_copy(&parts);
        return TrailId { network, message, sender: row.cell(SENDER) };
    }
    TrailId { network, message, sender: row.cell(SENDER) }
}

/// A row with the message it is about.
struct Tracked<'t, 'a> {
    row: &'t Row<'a>,
    id: TrailId<'a>,
}

impl<'a> Tracked<'_, 'a> {
    fn cell(&self, column: usize) -> &'a [u8] {
        self.row.cell(column)
    }

    fn emit(&self, reader: &mut Reader<'_, 'a>, fact: TrailFact<'a>) -> Fate {
        reader.sink.trail(TrailEvent { id: self.id, fact })
    }

    /// One fact for each recipient the row lists, or one for all if it lists none.
    fn recipients(
        &self,
        reader: &mut Reader<'_, 'a>,
        fate: impl Fn(&mut Reader<'_, 'a>, &'a [u8]) -> (TrailFate, Status<'a>),
        peer: &'a [u8],
    ) -> Fate {
        let scratch = reader.chunk.scratch;
        let list = self.cell(RECIPIENTS);
        if list == LOST {
            return self.unnamed(reader, fate, peer);
        }
        let listed = table::members(list, scratch).count();
        let nobody = std::iter::once(&b""[..]).filter(|_| listed == 0);
        // Fewer statuses than recipients: the one there is speaks for all.
        let each_has_one = table::members(self.cell(STATUS), scratch).count() == listed;
        let mut statuses = table::members(self.cell(STATUS), scratch);
        let mut status = &b""[..];
        for (number, address) in table::members(list, scratch).chain(nobody).enumerate() {
            if number == 0 || each_has_one {
                status = statuses.next().unwrap_or_default().trim_ascii_start();
            }
            let (fate, told) = fate(reader, status);
            if fate == TrailFate::Named && address.is_empty() {
                continue;
            }
            let peer = if told.name.is_empty() && told.address.is_empty() { peer } else { relay(reader, told.name, told.address) };
            self.emit(reader, TrailFact::Recipient { address: bare(address), fate, peer, text: told.text });
        }
        Fate::Used
    }

    /// One fact for all recipients of a row that has lost them.
    fn unnamed(
        &self,
        reader: &mut Reader<'_, 'a>,
        fate: impl Fn(&mut Reader<'_, 'a>, &'a [u8]) -> (TrailFate, Status<'a>),
        peer: &'a [u8],
    ) -> Fate {
        let status = table::members(self.cell(STATUS), reader.chunk.scratch).next().unwrap_or_default();
        let (fate, told) = fate(reader, status);
        if fate == TrailFate::Named {
            return Fate::Used;
        }
        let count = self.acceptance().recipients.unwrap_or(1).max(1);
        let peer = if told.name.is_empty() && told.address.is_empty() { peer } else { relay(reader, told.name, told.address) };
        self.emit(reader, TrailFact::Unnamed { count, fate, peer, text: told.text })
    }

    fn received(&self, reader: &mut Reader<'_, 'a>) -> Fate {
        let source = self.cell(SOURCE);
        let acceptance = match () {
            () if source.eq_ignore_ascii_case(b"SMTP") => self.over_smtp(reader),
            () if names::starts_with(source, b"STOREDRIVER") => self.out_of_store(),
            () => Acceptance { kind: kind_by_source(source), ..self.acceptance() },
        };
        let acceptance = reader.chunk.scratch.alloc(acceptance);
        self.emit(reader, TrailFact::Accepted(acceptance));
        self.recipients(reader, |_, _| (TrailFate::Named, Status::default()), b"")
    }

    fn submitted(&self, reader: &mut Reader<'_, 'a>) {
        let acceptance = reader.chunk.scratch.alloc(Acceptance { recipients: None, ..self.out_of_store() });
        self.emit(reader, TrailFact::Accepted(acceptance));
    }

    /// What is the same for every way in.
    fn acceptance(&self) -> Acceptance<'a> {
        let path = self.cell(RETURN_PATH);
        Acceptance {
            kind: TrailKind::Hop,
            sender: bare(self.cell(SENDER)),
            return_path: (!path.is_empty()).then(|| bare(path)),
            account: None,
            mailbox: None,
            mailbox_owner: None,
            address: None,
            address_is_proxy: false,
            client: None,
            session: None,
            protocol: None,
            size: scan::number(self.cell(TOTAL_BYTES)).map(|(size, _)| size),
            recipients: scan::number(self.cell(RECIPIENT_COUNT)).and_then(|(n, _)| u32::try_from(n).ok()),
        }
    }

    /// Over SMTP: from a client, from outside, or from another server of ours.
    fn over_smtp(&self, reader: &Reader<'_, 'a>) -> Acceptance<'a> {
        let scratch = reader.chunk.scratch;
        let (custom, connector) = (self.cell(CUSTOM_DATA), self.cell(CONNECTOR_ID));
        let mailbox = table::value(custom, b"Mailbox", scratch).and_then(scan::non_empty);
        let told = [self.cell(ORIGINAL_CLIENT_IP), table::value(custom, b"ProxiedClientIPAddress", scratch).unwrap_or_default()];
        let original = told.into_iter().map(names::address).find(|address| !address.is_empty());
        let peer = names::address(self.cell(CLIENT_IP));
        let is_proxy = names::is_loopback(peer) || peer == names::address(self.cell(SERVER_IP));
        let client = table::value(custom, b"ProxiedClientHostname", scratch).and_then(scan::non_empty);
        Acceptance {
            kind: self.kind_by_smtp(reader, connector, mailbox.is_some()),
            mailbox,
            address: original.or(scan::non_empty(peer)),
            address_is_proxy: original.is_none_or(names::is_loopback) && is_proxy,
            client: client.or_else(|| scan::non_empty(self.cell(CLIENT_HOSTNAME)).filter(|_| original.is_none() && !is_proxy)),
            session: scan::non_empty(scan::until(self.cell(SOURCE_CONTEXT), b";")),
            ..self.acceptance()
        }
    }

    fn kind_by_smtp(&self, reader: &Reader<'_, 'a>, connector: &[u8], of_mailbox: bool) -> TrailKind {
        // `SRV\Client Frontend SRV`, `SRV\Client Proxy SRV`; in 2010 `SRV\Client SRV`.
        let own_name = connector.iter().position(|b| *b == b'\\').map_or(connector, |at| connector.get(at + 1..).unwrap_or_default());
        if of_mailbox || names::starts_with(own_name, b"Client ") {
            return TrailKind::Submission;
        }
        let direction = self.cell(DIRECTIONALITY);
        if direction.eq_ignore_ascii_case(b"Incoming") {
            return TrailKind::Inbound;
        }
        if direction.eq_ignore_ascii_case(b"Originating") {
            return TrailKind::Hop;
        }
        let entity = table::value(self.cell(CUSTOM_DATA), b"FromEntity", reader.chunk.scratch);
        let client = names::short_host(self.cell(CLIENT_HOSTNAME));
        let same_host = !client.is_empty() && client.eq_ignore_ascii_case(names::short_host(self.cell(SERVER_HOSTNAME)));
        if entity.is_none_or(|told| told != b"Internet") && same_host { TrailKind::Hop } else { TrailKind::Inbound }
    }

    /// Out of a mailbox.
    fn out_of_store(&self) -> Acceptance<'a> {
        let context = self.cell(SOURCE_CONTEXT);
        let part = |key: &[u8]| scan::after(context, key).map(|rest| scan::until(rest, b",").trim_ascii()).and_then(scan::non_empty);
        let client = part(b"ClientType:");
        let by_itself = client.is_some_and(|client| OWN_CLIENTS.iter().any(|own| client.eq_ignore_ascii_case(own.as_bytes())));
        let sender = bare(self.cell(SENDER));
        let original = names::address(self.cell(ORIGINAL_CLIENT_IP));
        let own = names::is_loopback(original) || [CLIENT_IP, SERVER_IP].iter().any(|cell| names::address(self.cell(*cell)) == original);
        Acceptance {
            kind: if by_itself { TrailKind::Local } else { TrailKind::Submission },
            mailbox: part(b"Mailbox:"),
            mailbox_owner: scan::non_empty(sender),
            address: scan::non_empty(original),
            // The mailbox server's own.
            address_is_proxy: own,
            client,
            // Not over SMTP, whatever the way.
            protocol: Some(client.map_or(Protocol::Other, protocol)),
            ..self.acceptance()
        }
    }

    fn replaced(&self, reader: &mut Reader<'_, 'a>) -> Fate {
        let before = bare(self.cell(RELATED));
        if self.cell(RECIPIENTS) == LOST {
            return Fate::Used;
        }
        for address in table::members(self.cell(RECIPIENTS), reader.chunk.scratch) {
            if !before.is_empty() && !before.eq_ignore_ascii_case(address) {
                self.emit(reader, TrailFact::Replaced { address: before, by: bare(address) });
            }
        }
        self.recipients(reader, |_, _| (TrailFate::Named, Status::default()), b"")
    }

    fn sent(&self, reader: &mut Reader<'_, 'a>, outside: bool) -> Fate {
        let connector = self.cell(CONNECTOR_ID);
        let entity = table::value(self.cell(CUSTOM_DATA), b"ToEntity", reader.chunk.scratch);
        let outside = match () {
            () if outside || entity == Some(b"Internet") => Some(true),
            () if INSIDE_CONNECTORS.iter().any(|inside| names::starts_with(connector, inside.as_bytes())) => Some(false),
            () => None,
        };
        let peer = relay(reader, self.cell(SERVER_HOSTNAME), names::address(self.cell(SERVER_IP)));
        self.recipients(reader, |_, _| (TrailFate::HandedOver { outside }, Status::default()), peer)
    }

    /// Into mailboxes, whose ids newer versions list beside the addresses.
    fn delivered(&self, reader: &mut Reader<'_, 'a>) -> Fate {
        let scratch = reader.chunk.scratch;
        let list = self.cell(RECIPIENTS);
        let ids = table::value(self.cell(CUSTOM_DATA), b"Mailboxes", scratch).unwrap_or_default();
        if table::members(ids, scratch).count() == table::members(list, scratch).count() {
            for (id, owner) in table::members(ids, scratch).zip(table::members(list, scratch)) {
                self.emit(reader, TrailFact::Mailbox { id, owner: bare(owner) });
            }
        }
        self.recipients(reader, |_, _| (TrailFate::Delivered, Status::default()), self.cell(SERVER_HOSTNAME))
    }

    fn failed(&self, reader: &mut Reader<'_, 'a>) -> Fate {
        let (source, context) = (self.cell(SOURCE), self.cell(SOURCE_CONTEXT));
        if names::starts_with(self.cell(EVENT_ID), b"SUBMIT") {
            self.submitted(reader);
        }
        let by_peer = source.eq_ignore_ascii_case(b"SMTP");
        let peer = if by_peer { relay(reader, self.cell(SERVER_HOSTNAME), names::address(self.cell(SERVER_IP))) } else { b"" };
        let agent = if source.eq_ignore_ascii_case(b"AGENT") { context } else { b"" };
        let asked = Asked::Failure { source, agent };
        let fate = |reader: &mut Reader<'_, 'a>, status: &'a [u8]| {
            let told = Status::read(status);
            (reader.fates.read(asked, told.text), told)
        };
        self.recipients(reader, fate, peer)
    }

    /// The notice's own row: its message is the system's, and its reference names the message it is about.
    fn notice(&self, reader: &mut Reader<'_, 'a>) -> Fate {
        let context = self.cell(SOURCE_CONTEXT);
        let kind = match () {
            () if names::holds(context, b"delay") => NoticeKind::Delay,
            () if names::holds(context, b"fail") || context.is_empty() => NoticeKind::NonDelivery,
            () => NoticeKind::DeliveryStatus,
        };
        let scratch = reader.chunk.scratch;
        let to = table::members(self.cell(RECIPIENTS), scratch).next().filter(|to| *to != LOST).unwrap_or_default();
        let acceptance = scratch.alloc(Acceptance { kind: TrailKind::System, ..self.acceptance() });
        self.emit(reader, TrailFact::Accepted(acceptance));
        for about in table::members(self.cell(REFERENCE), scratch).filter(|about| !about.is_empty()) {
            self.emit(reader, TrailFact::Notice { about, kind, to: bare(to) });
        }
        Fate::Used
    }
}

/// Connectors between the organisation's own Exchange servers.
const INSIDE_CONNECTORS: &[&str] = &["Intra-Organization", "Inbound Proxy"];

/// Parts of Exchange that send by themselves; their mail is nobody's act.
const OWN_CLIENTS: &[&str] = &[
    "System",
    "Transport",
    "TimeBasedAssistants",
    "EventBasedAssistants",
    "ELC",
    "Monitoring",
    "ContentIndexing",
    "Migration",
    "SimpleMigration",
];

/// Where a message without a client comes from, by the source that took it in.
fn kind_by_source(source: &[u8]) -> TrailKind {
    match () {
        () if source.eq_ignore_ascii_case(b"DSN") => TrailKind::System,
        () if source.eq_ignore_ascii_case(b"AGENT") => TrailKind::System,
        () if source.eq_ignore_ascii_case(b"PUBLICFOLDER") => TrailKind::System,
        () if source.eq_ignore_ascii_case(b"MAILBOXRULE") || source.eq_ignore_ascii_case(b"INBOXRULE") => TrailKind::Local,
        () if source.eq_ignore_ascii_case(b"PICKUP") => TrailKind::Local,
        () => TrailKind::Hop,
    }
}

/// How a user sent, by the client type of the store.
fn protocol(client: &[u8]) -> Protocol {
    match () {
        () if client.eq_ignore_ascii_case(b"OWA") => Protocol::Webmail,
        () if client.eq_ignore_ascii_case(b"MOMT") => Protocol::Mapi,
        () if names::starts_with(client, b"ActiveSync") || names::starts_with(client, b"AirSync") => Protocol::ActiveSync,
        () if names::starts_with(client, b"WebServices") => Protocol::Ews,
        () if names::starts_with(client, b"IMAP") => Protocol::Imap,
        () if names::starts_with(client, b"POP") => Protocol::Pop3,
        () => Protocol::Other,
    }
}

/// An address without the brackets that some columns have.
fn bare(address: &[u8]) -> &[u8] {
    address.strip_prefix(b"<").and_then(|inner| inner.strip_suffix(b">")).unwrap_or(address)
}

/// A peer as correlation names them, `host[address]`.
fn relay<'a>(reader: &Reader<'_, 'a>, name: &[u8], address: &[u8]) -> &'a [u8] {
    if name.is_empty() && address.is_empty() {
        return b"";
    }
    reader.chunk.scratch.alloc_slice_copy(&[name, b"[", address, b"]"].concat())
}
