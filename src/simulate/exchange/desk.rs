//! What mail programs hand to the store itself: messages of Outlook and of its web form, and changes of the mailbox's rules.

use super::columns::{Kind, build};
use super::text::{guid, put_cell, put_stamp, stamp};
use super::tracking::{Row, joined};
use super::transport::spell;
use super::web::{ATTACKERS_BROWSER, Request, version_part};
use super::{Exchange, MAILBOX, Scene, address};
use crate::domain::time::{MINUTE, SECOND};
use crate::simulate::cast::{Address, HOME_DOMAIN};
use crate::simulate::happenings::{Change, Changed, Letter, Login};

impl Exchange {
    /// A message written in Outlook (`MOMT`) or in its web form (`OWA`): the store takes it and its submission service hands it to the hub.
    pub(super) fn submit_to_store(&mut self, stage: &mut Scene, at: i64, person: usize, client: usize, program: &str, letter: Letter) {
        let ip = stage.cast.clients[client].ip.clone();
        let mut mail = self.new_mail(stage, MAILBOX, letter, at + 260_000);
        let place = self.servers[MAILBOX].place;
        mail.head.original_ip = ip;
        self.noted += 1;
        let context = format!(
            "MDB:5a1c0e6b-8f4d-4c2e-9a7b-3d2f1e0c9b8a, Mailbox:{}, Event:{}, MessageClass:IPM.Note, CreationTime:{}, ClientType:{program}",
            self.owners[person].mailbox,
            self.noted,
            stamp(at - 20_000)
        );
        let recipients = spell(stage, &mail.open);
        let kinds = joined(mail.open.iter().map(|_| "To"));
        let custom = joined([
            format!("S:ItemEntryId=00-00-00-00-{:04X}", self.noted).as_str(),
            &format!("S:Mailbox={}", self.owners[person].mailbox),
        ]);
        let mut row = Row { client_ip: place.ip, client: place.name, server: place.name, context: &context, ..Row::default() };
        (row.source, row.event, row.count) = ("STOREDRIVER", "NOTIFYMAPI", 0);
        let number = std::mem::take(&mut mail.head.number);
        self.servers[MAILBOX].track(Kind::Submission, at + 10_000, &mail.head, &row);
        (row.event, row.recipients, row.status, row.count, row.custom) = ("RECEIVE", &recipients, &kinds, mail.open.len(), &custom);
        row.info = "04I: ";
        self.servers[MAILBOX].track(Kind::Submission, at + 60_000, &mail.head, &row);
        (row.event, row.status, row.info, row.server_ip) = ("SUBMIT", "", "", place.ip);
        self.servers[MAILBOX].track(Kind::Submission, at + 290_000, &mail.head, &row);
        mail.head.number = number;
        let session = format!("{};{};0", self.servers[MAILBOX].session(), stamp(at + 200_000));
        let connector = format!("{}\\Default {}", place.name, place.name);
        let custom = format!("S:FirstForestHop={};S:DeliveryPriority=Normal;S:AccountForest={HOME_DOMAIN}", place.fqdn);
        let row = Row { connector: &connector, context: &session, custom: &custom, ..self.row_of_own(MAILBOX) };
        self.put_received(stage, &mail, &row);
        self.note_accepted(stage, &mail, at + 260_000);
        self.route(stage, mail, at + 280_000);
    }

    /// Somebody changes a mailbox in the web's control panel; a cmdlet does it. Second factors are none of these servers' business.
    pub(super) fn change_by_panel(&mut self, stage: &Scene, at: i64, person: usize, client: usize, change: Change) -> Option<Changed> {
        let user = stage.cast.people[person].login.clone();
        let (stem, cmdlet, parameters) = match change {
            Change::DeletingRule => (
                "/ecp/RulesEditor/InboxRules.svc/NewObject",
                "New-InboxRule",
                "-Name \".\" -SubjectOrBodyContainsWords \"Undeliverable\",\"postmaster\" -DeleteMessage \"True\" -StopProcessingRules \"True\""
                    .to_owned(),
            ),
            Change::Forwarding(contact) => {
                let to = address(&stage.cast, Address::Contact(contact));
                let parameters =
                    format!("-Identity \"{user}\" -ForwardingSmtpAddress \"smtp:{to}\" -DeliverToMailboxAndForward \"True\"");
                ("/ecp/Customize/EmailForwarding.svc/SetObject", "Set-Mailbox", parameters)
            }
            Change::SecondFactor | Change::Restricted => return None,
        };
        let ip = stage.cast.clients[client].ip.clone();
        let browser = self.browser(person, &ip, ATTACKERS_BROWSER);
        self.sign_in(&browser, at, &user);
        let panel = Request { user: &user, scheme: "FBA", ..browser.of(Kind::Ecp) };
        self.ask(at + 2 * SECOND, &panel);
        let done = at + MINUTE;
        self.ask(done - 120_000, &Request { method: "POST", stem, ..panel });
        self.put_cmdlet(done, &user, cmdlet, &parameters);
        Some(Changed { at: done, placed: false, login: Some(Login::new(at + 60_000, "webmail")), opened: true })
    }

    fn put_cmdlet(&mut self, at: i64, user: &str, cmdlet: &str, parameters: &str) {
        let (id, unique) = (guid(&mut self.random), guid(&mut self.random));
        let server = &mut self.servers[MAILBOX];
        let version = build(server.columns);
        let started = stamp(at - 90_000);
        let mut out = Vec::with_capacity(500);
        put_stamp(&mut out, at);
        for column in Kind::Cmdlet.columns(server.columns).split(',').skip(1) {
            let cell = match column {
                "StartTime" => &started,
                "RequestId" => &id,
                "MajorVersion" | "MinorVersion" | "BuildVersion" | "RevisionVersion" => version_part(version, column),
                "ServerHostName" => server.place.name,
                "ProcessId" => "11284",
                "ProcessName" => "w3wp#MSExchangeECPAppPool",
                "ThreadId" => "87",
                "CultureInfo" => "en-US",
                "AuthenticatedUser" => user,
                "IsAdmin" => "False",
                "ClientApplication" => "ECP",
                "Cmdlet" => cmdlet,
                "Parameters" => parameters,
                "CmdletUniqueId" => &unique,
                "CmdletLatency" => "84",
                _ => "",
            };
            out.push(b',');
            put_cell(&mut out, cell);
        }
        server.row(Kind::Cmdlet, at, out);
    }
}
