//! SMTP sessions of strangers: servers that bring mail, guessers, scanners, and spam that is refused.

use super::columns::Kind;
use super::session::endpoint;
use super::text::stamp;
use super::tracking::{Row, joined};
use super::wire::Wire;
use super::{Exchange, MAILBOX, Scene, address};
use crate::domain::time::SECOND;
use crate::simulate::cast::{Address, HOME_DOMAIN};
use crate::simulate::happenings::{Attempt, Letter, Sender};
use crate::simulate::world::PREAMBLE;

impl Exchange {
    /// A message from outside, by the front end's port 25.
    pub(super) fn take_from_outside(&mut self, stage: &mut Scene, at: i64, client: usize, letter: Letter) {
        let border = self.border();
        let (ip, helo) = (stage.cast.clients[client].ip.clone(), stage.cast.clients[client].helo.clone());
        let from = match letter.sender {
            Sender::Contact(contact) => address(&stage.cast, Address::Contact(contact)),
            _ => String::new(),
        };
        let mut front = self.open_front(at, border, &ip, &helo);
        let mail = self.new_mail(stage, border, letter, at + PREAMBLE);
        let server = &mut self.servers[border];
        let place = server.place;
        front.received(server, at + 60_000, &format!("MAIL FROM:<{from}> SIZE={}", mail.head.size));
        front.sent(server, at + 62_000, "250 2.1.0 Sender OK");
        for recipient in &mail.open {
            front.received(server, at + 90_000, &format!("RCPT TO:<{}>", address(&stage.cast, recipient.to)));
            front.sent(server, at + 91_000, "250 2.1.5 Recipient OK");
        }
        front.received(server, at + 120_000, "DATA");
        front.sent(server, at + 121_000, "354 Start mail input; end with <CRLF>.<CRLF>");
        front.tell(
            server,
            at + 122_000,
            '*',
            "",
            "Proxy destination(s) obtained from OnProxyInboundMessage event. Correlation Id:00000000-0000-0000-0000-000000000000",
        );
        let context = format!("{};{};0", server.session(), stamp(at + 180_000));
        let custom = joined([
            format!("S:ProxyHop1={}({})", place.fqdn, place.ip).as_str(),
            &format!("S:ProxiedClientIPAddress={ip}"),
            &format!("S:ProxiedClientHostname={helo}"),
            &format!("S:FirstForestHop={}", place.fqdn),
            "S:FromEntity=Internet",
            "S:DeliveryPriority=Normal",
        ]);
        let connector = format!("{}\\Default {}", place.name, place.name);
        let mut mail = mail;
        mail.head.direction = "Incoming";
        mail.head.original_ip = ip;
        let row = Row { connector: &connector, context: &context, custom: &custom, info: "0cI: ", ..self.row_of_own(border) };
        self.put_received(stage, &mail, &row);
        let server = &mut self.servers[border];
        let taken = format!(
            "250 2.6.0 {} [InternalId={}, Hostname={}] Queued mail for delivery",
            mail.head.message_id, mail.head.number, place.fqdn
        );
        front.sent(server, at + PREAMBLE + 12_000, &taken);
        front.received(server, at + PREAMBLE + 40_000, "QUIT");
        front.sent(server, at + PREAMBLE + 41_000, "221 2.0.0 Service closing transmission channel");
        front.tell(server, at + PREAMBLE + 42_000, '-', "", "Local");
        self.note_accepted(stage, &mail, at + PREAMBLE);
        self.route(stage, mail, at + PREAMBLE + 15_000);
    }

    /// The beginning of an anonymous session at port 25.
    fn open_front(&mut self, at: i64, border: usize, ip: &str, helo: &str) -> Wire {
        let port = self.random.range(32_768, 60_999);
        let zone = self.zone;
        let server = &mut self.servers[border];
        let mut front = Wire::new(server, Kind::FrontReceive, "Default Frontend", 25, endpoint(ip, port));
        front.greet(server, zone, at, helo, ip, "X-ANONYMOUSTLS AUTH NTLM X-EXPS GSSAPI NTLM 8BITMIME BINARYMIME CHUNKING XRDST");
        // What anonymous clients may do; no login.
        front.tell(server, at + 25_000, '*', "SMTPSubmit AcceptRoutingHeaders", "Set Session Permissions");
        front
    }

    /// Guesses at a password by SMTP; the client hangs up.
    pub(super) fn guess(&mut self, stage: &Scene, at: i64, attempt: Attempt<'_>) {
        let (ip, helo) = (stage.cast.clients[attempt.client].ip.clone(), stage.cast.clients[attempt.client].helo.clone());
        let port = self.random.range(32_768, 60_999);
        let name = if self.random.chance(500) { format!("{}@{HOME_DOMAIN}", attempt.name) } else { attempt.name.to_owned() };
        let zone = self.zone;
        let server = &mut self.servers[MAILBOX];
        let mut front = Wire::new(server, Kind::FrontReceive, "Client Frontend", 587, endpoint(&ip, port));
        front.greet(server, zone, at, &helo, &ip, "STARTTLS AUTH GSSAPI NTLM 8BITMIME BINARYMIME CHUNKING");
        front.encrypt(server, at + 40_000);
        front.hello(server, at + 95_000, &helo, &ip, "AUTH GSSAPI NTLM LOGIN 8BITMIME BINARYMIME CHUNKING");
        let mut now = at + 120_000;
        for _ in 0..attempt.times {
            front.authenticate(server, now);
            front.tell(server, now + 90_000, '*', "", "Inbound AUTH LOGIN failed because of LogonDenied");
            front.tell(server, now + 90_000, '*', "", &format!("User Name: {name}"));
            let tarpit = "Tarpit for '0.00:00:05' due to '535 5.7.3 Authentication unsuccessful'";
            front.tell(server, now + 91_000, '*', tarpit, "");
            now += 5 * SECOND + 92_000;
            front.sent(server, now, "535 5.7.3 Authentication unsuccessful");
            now += 200_000;
        }
        front.tell(server, now, '-', "", "Remote");
    }

    /// A look at what answers at port 25.
    pub(super) fn look(&mut self, stage: &Scene, at: i64, client: usize) {
        let border = self.border();
        let (ip, port) = (&stage.cast.clients[client].ip, self.random.range(32_768, 60_999));
        let stays = self.random.range(200_000, 2 * SECOND);
        let zone = self.zone;
        let server = &mut self.servers[border];
        let mut front = Wire::new(server, Kind::FrontReceive, "Default Frontend", 25, endpoint(ip, port));
        if stays % 2 == 0 {
            front.greet(server, zone, at, "scan", ip, "X-ANONYMOUSTLS AUTH NTLM 8BITMIME");
        } else {
            front.tell(server, at, '+', "", "");
        }
        front.tell(server, at + stays, '-', "", if stays % 3 == 0 { "Remote(ConnectionReset)" } else { "Remote" });
    }

    /// Spam that a list of bad addresses keeps out.
    pub(super) fn turn_away(&mut self, stage: &Scene, at: i64, client: usize, person: usize) {
        let border = self.border();
        let (ip, helo) = (&stage.cast.clients[client].ip, &stage.cast.clients[client].helo);
        let mut front = self.open_front(at, border, ip, helo);
        let number = self.random.below(1 << 40);
        let server = &mut self.servers[border];
        front.received(server, at + 300_000, &format!("MAIL FROM:<offer{}@firm-{}.example>", number % 100_000, number % 180));
        front.sent(server, at + 302_000, "250 2.1.0 Sender OK");
        front.received(server, at + 500_000, &format!("RCPT TO:<{}>", stage.cast.people[person].address));
        let tarpit = "Tarpit for '0.00:00:05' due to '550 5.7.1 Recipient not authorized, your IP has been found on a block list'";
        front.tell(server, at + 502_000, '*', tarpit, "");
        front.sent(server, at + 5_502_000, "550 5.7.1 Recipient not authorized, your IP has been found on a block list");
        front.received(server, at + 5_700_000, "QUIT");
        front.sent(server, at + 5_701_000, "221 2.0.0 Service closing transmission channel");
        front.tell(server, at + 5_702_000, '-', "", "Local");
    }
}
