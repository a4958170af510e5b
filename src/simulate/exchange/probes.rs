//! The product's tests of its own health, which are most of what a quiet server logs.

use super::columns::Kind;
use super::text::{network_id, stamp};
use super::tracking::{Head, Row};
use super::web::Request;
use super::{Exchange, Later, MAILBOX, Scene};
use crate::domain::time::{HOUR, MINUTE};
use crate::simulate::cast::HOME_DOMAIN;
use crate::simulate::world::Event;

impl Exchange {
    /// One round of tests, and the next.
    pub(super) fn probe(&mut self, stage: &mut Scene, at: i64) {
        stage.plan(at + HOUR, Event::Later(Later::Probe));
        for server in 0..self.servers.len() {
            self.mail_probe(server, at + server as i64 * 7_000_000);
        }
        for (kind, stem) in [(Kind::Owa, "/owa/exhealth.check"), (Kind::Mapi, "/mapi/exhealth.check"), (Kind::Ecp, "/ecp/exhealth.check")] {
            let request = Request {
                kind,
                method: "GET",
                stem,
                query: "",
                scheme: "",
                user: "",
                anchor: "",
                ip: "::1",
                agent: "AMProbe/Local/ClientAccess",
                status: 200,
                sub: (0, 0),
                generic: "",
            };
            self.ask(at + 11_000_000, &request);
        }
        let user = format!("HealthMailbox0659e34bf9e94f0b8d1a@{HOME_DOMAIN}");
        let request = Request {
            kind: Kind::Owa,
            method: "POST",
            stem: "/owa/service.svc",
            query: "action=GetFolder",
            scheme: "FBA",
            user: &user,
            anchor: "",
            ip: "::1",
            agent: "MSExchangeHMWorkerProcess",
            status: 200,
            sub: (0, 0),
            generic: "",
        };
        self.ask(at + 12_000_000, &request);
        self.knock(at + 3 * MINUTE);
    }

    /// A message of the health mailbox to itself.
    fn mail_probe(&mut self, server: usize, at: i64) {
        let place = self.servers[server].place;
        let mailbox = format!("HealthMailbox0659e34bf9e94f0b8d1a@{HOME_DOMAIN}");
        let number = self.servers[server].number();
        let id = network_id(&mut self.random, at);
        let head = Head {
            number,
            message_id: format!("<{id}@{}>", place.fqdn),
            subject: format!("{id}-MBTSubmissionServiceHeartbeat"),
            network_id: id,
            sender: mailbox.clone(),
            return_path: mailbox.clone(),
            size: 1_212,
            direction: "Originating",
            original_ip: String::new(),
        };
        let session = format!("{};{};0", self.servers[server].session(), stamp(at));
        let connector = format!("{}\\Default {}", place.name, place.name);
        let custom = "S:IsProbe=true;S:DeliveryPriority=Low";
        let row = Row {
            context: &session,
            connector: &connector,
            source: "SMTP",
            event: "RECEIVE",
            recipients: &mailbox,
            count: 1,
            custom,
            ..self.row_of_own(server)
        };
        self.servers[server].track(Kind::Tracking, at, &head, &row);
        if server == MAILBOX {
            let row = Row { source: "STOREDRIVER", event: "DELIVER", connector: "", original_server_ip: "", ..row };
            self.servers[server].track(Kind::Delivery, at + 240_000, &head, &row);
        }
    }
}
