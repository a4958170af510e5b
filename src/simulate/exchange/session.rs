//! SMTP sessions of mail programs that submit, at port 587 of the front end.

use super::columns::Kind;
use super::text::{guid, network_id, stamp};
use super::tracking::{Head, Row, joined};
use super::transport::{Mail, spell};
use super::wire::Wire;
use super::{Exchange, MAILBOX, Scene, address, subject};
use crate::simulate::cast::{Address, HOME_DOMAIN};
use crate::simulate::happenings::{Fate, Handed, Letter, Login, Opened, Sender, Visit};
use crate::simulate::put::Put;
use crate::simulate::tally::Fates;
use crate::simulate::world::PREAMBLE;

/// An open session of a mail program: the front end that the client talks to, and the hub that the front end passes it on to.
pub(in crate::simulate) struct Session {
    front: Wire,
    hub: Wire,
    client: usize,
    person: usize,
    messages: u32,
}

/// After the connection, when the password is accepted and when the hub has taken the session over.
const ACCEPTED: i64 = 215_000;
const TAKEN_OVER: i64 = 300_000;
/// After a message is begun, when the hub has it whole and tracking says so.
const RECEIVED: i64 = 120_000;

/// What the hub says to a recipient when the account has sent too much.
const LIMIT_REPLY: &str = "550 5.7.1 Recipient rejected: sending limit of this account exceeded (OB-104)";

impl Exchange {
    /// A mail program logs in at port 587; the front end sets up the way to the hub.
    pub(super) fn open(&mut self, stage: &Scene, at: i64, visit: Visit) -> Opened<Session> {
        let Visit { person, client, .. } = visit;
        let (ip, helo) = (stage.cast.clients[client].ip.clone(), stage.cast.clients[client].helo.clone());
        let login = stage.cast.people[person].login.clone();
        let port = self.random.range(32_768, 60_999);
        let zone = self.zone;
        let server = &mut self.servers[MAILBOX];
        let mut front = Wire::new(server, Kind::FrontReceive, "Client Frontend", 587, endpoint(&ip, port));
        front.greet(server, zone, at, &helo, &ip, "STARTTLS AUTH GSSAPI NTLM 8BITMIME BINARYMIME CHUNKING");
        front.encrypt(server, at + 40_000);
        front.hello(server, at + 95_000, &helo, &ip, "AUTH GSSAPI NTLM LOGIN 8BITMIME BINARYMIME CHUNKING");
        front.authenticate(server, at + 120_000);
        let permissions = "SMTPSubmit SMTPAcceptAnyRecipient BypassAntiSpam AcceptRoutingHeaders";
        front.tell(server, at + ACCEPTED - 1_000, '*', permissions, "Set Session Permissions");
        front.tell(server, at + ACCEPTED, '*', &login, "authenticated");
        let hub = self.open_hub(at, &front.id, &login, (&ip, port, &helo));
        let server = &mut self.servers[MAILBOX];
        let passed = format!("Proxy session was successfully set up. Session for {login} will now be proxied");
        front.tell(server, at + TAKEN_OVER, '*', "", &passed);
        front.sent(server, at + TAKEN_OVER + 1_000, "235 2.7.0 Authentication successful");
        let session = Session { front, hub, client, person, messages: 0 };
        Opened { session, login: Some(Login::new(at + ACCEPTED, "smtp-auth")) }
    }

    /// The front end's own session with the hub, by which the client's is passed on.
    fn open_hub(&mut self, at: i64, front: &str, login: &str, (ip, port, helo): (&str, i64, &str)) -> Wire {
        let zone = self.zone;
        let server = &mut self.servers[MAILBOX];
        let place = server.place;
        let own_port = i64::from(server.port());
        let mut hub = Wire::new(server, Kind::HubReceive, "Client Proxy", 465, endpoint(place.ip, own_port));
        let at = at + ACCEPTED;
        hub.greet(server, zone, at + 10_000, place.fqdn, place.ip, "X-ANONYMOUSTLS AUTH X-EXPS GSSAPI NTLM 8BITMIME XPROXY XRDST");
        hub.received(server, at + 34_000, "X-EXPS EXCHANGEAUTH SHA256 ");
        hub.tell(
            server,
            at + 42_000,
            '*',
            "SMTPSubmit SMTPAcceptAnySender SMTPAcceptAuthoritativeDomainSender AcceptProxyProtocol",
            "Set Session Permissions",
        );
        hub.tell(server, at + 43_000, '*', &format!("DEPT\\{}$", place.name), "authenticated");
        hub.sent(server, at + 44_000, "235 <authentication response>");
        hub.received(
            server,
            at + 46_000,
            &format!("XPROXY SID={front} IP={ip} PORT={port} DOMAIN={helo} CAPABILITIES=0 SECID=ZXhlcmNpc2U="),
        );
        hub.tell(
            server,
            at + 48_000,
            '*',
            "SMTPSubmit SMTPAcceptAnyRecipient BypassAntiSpam AcceptRoutingHeaders",
            "Set Session Permissions",
        );
        hub.tell(server, at + 49_000, '*', login, "authenticated");
        hub.sent(server, at + 50_000, "250 XProxy accepted and authenticated");
        hub
    }

    /// A message is handed in: refused at its recipient, or taken.
    pub(super) fn hand_in(&mut self, stage: &mut Scene, session: &mut Session, at: i64, letter: Letter, limited: bool) -> Handed {
        session.messages += 1;
        let from = stage.cast.people[session.person].address.clone();
        let ip = stage.cast.clients[session.client].ip.clone();
        let server = &mut self.servers[MAILBOX];
        let hub = &mut session.hub;
        hub.received(server, at, &format!("MAIL FROM:<{from}> SIZE={}", letter.size));
        let context = format!("{};{};{}", hub.id, stamp(at), session.messages);
        hub.tell(server, at + 1_000, '*', &context, "receiving message");
        hub.sent(server, at + 2_000, "250 2.1.0 Sender OK");
        let blocked = limited && letter.recipients.iter().any(|r| r.fate == Fate::OwnFilter);
        let mut now = at + 20_000;
        for recipient in &letter.recipients {
            hub.received(server, now, &format!("RCPT TO:<{}>", address(&stage.cast, recipient.to)));
            hub.sent(server, now + 1_000, if blocked { LIMIT_REPLY } else { "250 2.1.5 Recipient OK" });
            now += 300;
        }
        if blocked {
            hub.received(server, at + 40_000, "RSET");
            hub.sent(server, at + 41_000, "250 2.0.0 Resetting");
            stage.count(session.person, letter.taken, &Fates::blocked_by_own(letter.recipients.len() as u64));
            return Handed { done: at + 42_000, logged: at, proof: None };
        }
        hub.received(server, at + 60_000, "DATA");
        hub.sent(server, at + 61_000, "354 Start mail input; end with <CRLF>.<CRLF>");
        let mut mail = self.new_mail(stage, MAILBOX, letter, at + RECEIVED);
        mail.head.original_ip.clone_from(&ip);
        let place = self.servers[MAILBOX].place;
        let custom = joined([
            format!("S:ProxyHop1={}({})", place.fqdn, place.ip).as_str(),
            &format!("S:ProxiedClientIPAddress={ip}"),
            &format!("S:ProxiedClientHostname={}", stage.cast.clients[session.client].helo),
            &format!("S:Mailbox={}", self.owners[session.person].mailbox),
            &format!("S:FirstForestHop={}", place.fqdn),
            "S:DeliveryPriority=Normal",
            &format!("S:AccountForest={HOME_DOMAIN}"),
        ]);
        let connector = format!("{}\\Client Proxy {}", place.name, place.name);
        let row = Row { connector: &connector, context: &context, custom: &custom, ..self.row_of_own(MAILBOX) };
        self.put_received(stage, &mail, &row);
        let server = &mut self.servers[MAILBOX];
        let size = mail.head.size;
        let taken = format!(
            "250 2.6.0 {} [InternalId={}, Hostname={}] {size} bytes in 0.058, {}.4 KB/sec Queued mail for delivery",
            mail.head.message_id,
            mail.head.number,
            place.fqdn,
            1 + size / 600
        );
        session.hub.sent(server, at + RECEIVED + 12_000, &taken);
        let done = at + RECEIVED + 15_000;
        self.note_accepted(stage, &mail, at + RECEIVED);
        self.route(stage, mail, done);
        Handed { done, logged: at + RECEIVED, proof: None }
    }

    /// Ends a session.
    pub(super) fn close(&mut self, session: Session, at: i64) {
        let Session { mut front, mut hub, .. } = session;
        let server = &mut self.servers[MAILBOX];
        hub.received(server, at, "QUIT");
        hub.sent(server, at + 1_000, "221 2.0.0 Service closing transmission channel");
        hub.tell(server, at + 2_000, '-', "", "Local");
        front.tell(server, at + 5_000, '-', "", "Local");
    }

    /// One message by a mail program in a session of its own.
    pub(super) fn submit_alone(&mut self, stage: &mut Scene, at: i64, person: usize, client: usize, letter: Letter) {
        let mut session = self.open(stage, at, Visit { person, client, tls: true }).session;
        let handed = self.hand_in(stage, &mut session, at + PREAMBLE, letter, false);
        self.close(session, handed.done + 30_000);
    }

    /// The sides of a row about a message that the front end of the same server brings.
    pub(super) fn row_of_own(&self, server: usize) -> Row<'static> {
        let place = self.servers[server].place;
        Row {
            client_ip: place.ip,
            client: place.fqdn,
            server_ip: place.ip,
            server: place.name,
            original_server_ip: place.ip,
            info: "04I: ",
            ..Row::default()
        }
    }

    /// RECEIVE by SMTP.
    pub(super) fn put_received(&mut self, stage: &Scene, mail: &Mail, row: &Row<'_>) {
        let recipients = spell(stage, &mail.open);
        let row = Row { source: "SMTP", event: "RECEIVE", recipients: &recipients, count: mail.open.len(), ..row.clone() };
        self.servers[mail.server].track(Kind::Tracking, mail.arrival, &mail.head, &row);
    }

    /// A message as it stands in the queue of a server.
    pub(super) fn new_mail(&mut self, stage: &Scene, server: usize, letter: Letter, at: i64) -> Mail {
        let sender = match letter.sender {
            Sender::Person(person) => stage.cast.people[person].address.clone(),
            Sender::Contact(contact) => address(&stage.cast, Address::Contact(contact)),
            Sender::Notice => String::new(),
        };
        let head = Head {
            number: self.servers[server].number(),
            message_id: self.message_id(&letter.message_id_host),
            network_id: network_id(&mut self.random, at),
            subject: subject(letter.topic, &mut self.random),
            return_path: sender.clone(),
            sender,
            size: u64::from(letter.size),
            direction: "Originating",
            original_ip: String::new(),
        };
        Mail {
            server,
            head,
            from: letter.sender,
            open: letter.recipients,
            arrival: at,
            tries: 0,
            taken: letter.taken,
            fates: Fates::default(),
            earlier: Fates::default(),
            delayed: false,
        }
    }

    fn message_id(&mut self, host: &str) -> String {
        if host == HOME_DOMAIN {
            return format!("<{}@{host}>", guid(&mut self.random));
        }
        let number = self.random.next();
        format!("<{:08x}.{:06x}@{host}>", number & 0xffff_ffff, (number >> 32) & 0xff_ffff)
    }
}

/// An address with its port, an IPv6 one in brackets.
pub(super) fn endpoint(ip: &str, port: i64) -> String {
    let mut out = Vec::with_capacity(48);
    if ip.contains(':') {
        out.text("[").text(ip).text("]");
    } else {
        out.text(ip);
    }
    out.text(":").number(port.unsigned_abs());
    String::from_utf8(out).unwrap_or_default()
}
