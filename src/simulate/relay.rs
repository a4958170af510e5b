//! Microsoft 365 behind a server of the organisation: people log in, read and write at the tenant, and what they send to the outside
//! leaves through a Postfix server, which has the last word about it.

use super::SimulateError;
use super::happenings::{Attempt, Change, Changed, Handed, Letter, Login, MailSystem, Opened, Reading, Stage, Visit};
use super::m365::{self, Cloud, Onward};
use super::postfix::{DEPARTMENT, Postfix};
use super::truth::HostTotals;

type Later = <Postfix as MailSystem>::Later;
type Scene = Stage<Later>;

/// The tenant and the server.
pub(super) struct Relay {
    cloud: Cloud,
    postfix: Postfix,
    /// The service's machines among the clients.
    service: usize,
}

/// The machine by which the service hands mail on.
const SERVICE: &str = "mail-tyo01.outbound.protection.outlook.example";

impl Relay {
    pub(super) fn new(cloud: Cloud, postfix: Postfix) -> Relay {
        let (name, ip) = DEPARTMENT;
        Relay { cloud: cloud.relaying_through(name, ip), postfix: postfix.with_mailboxes_at_the_tenant(), service: 0 }
    }

    fn carry_on(&mut self, scene: &mut Scene, letter: Letter, onward: Option<Onward>) {
        if let Some(onward) = onward {
            self.postfix.carry_on(scene, self.service, letter, onward);
            self.take_back(scene);
        }
    }

    /// The tenant takes the notices that the server made.
    fn take_back(&mut self, scene: &Scene) {
        for notice in self.postfix.returned() {
            self.cloud.bring_back(scene, notice.at, notice.person, &String::from_utf8_lossy(&notice.message_id), DEPARTMENT.1);
        }
    }
}

impl MailSystem for Relay {
    type Session = m365::Session;
    type Later = Later;

    fn begin(&mut self, scene: &mut Scene, at: i64) {
        self.cloud.enrol(scene);
        let octets = vec![0x20, 0x01, 0x0d, 0xb8, 0x03, 0x65, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x1f];
        self.service = scene.cast.push_client(SERVICE, "2001:db8:365::1f".to_owned(), octets, SERVICE);
        self.postfix.begin(scene, at);
    }

    fn connect(&mut self, scene: &mut Scene, at: i64, visit: Visit) -> Opened<Self::Session> {
        self.cloud.let_in(scene, at, visit)
    }

    fn submit(&mut self, scene: &mut Scene, session: &mut Self::Session, at: i64, letter: Letter, _limited: bool) -> Handed {
        let (handed, onward) = self.cloud.take(scene, session, at, &letter);
        self.carry_on(scene, letter, onward);
        handed
    }

    fn disconnect(&mut self, _scene: &mut Scene, _session: Self::Session, _at: i64) {}

    fn send(&mut self, scene: &mut Scene, at: i64, person: usize, client: usize, letter: Letter) {
        let onward = self.cloud.write(scene, at, person, client, &letter);
        self.carry_on(scene, letter, onward);
    }

    fn receive(&mut self, scene: &mut Scene, at: i64, client: usize, letter: Letter) {
        self.cloud.bring(scene, at, client, &letter);
    }

    fn read(&mut self, scene: &mut Scene, at: i64, reading: Reading) -> Login {
        self.cloud.look_into(scene, at, reading)
    }

    fn fail_login(&mut self, scene: &mut Scene, at: i64, attempt: Attempt<'_>) {
        self.cloud.refuse_login(scene, at, attempt);
    }

    fn scan(&mut self, scene: &mut Scene, at: i64, client: usize) {
        self.postfix.scan(scene, at, client);
    }

    fn refuse_spam(&mut self, scene: &mut Scene, at: i64, client: usize, person: usize) {
        self.cloud.turn_away(scene, at, client, person);
    }

    fn change(&mut self, scene: &mut Scene, at: i64, person: usize, client: usize, change: Change) -> Option<Changed> {
        Some(self.cloud.alter(scene, at, person, client, change))
    }

    fn resume(&mut self, scene: &mut Scene, at: i64, later: Later) {
        self.postfix.resume(scene, at, later);
        self.take_back(scene);
    }

    fn give_up(&mut self, scene: &mut Scene, later: Later) {
        self.postfix.give_up(scene, later);
    }

    fn flush(&mut self, until: i64) -> bool {
        self.postfix.flush(until)
    }

    fn bytes(&self) -> u64 {
        self.postfix.bytes()
    }

    fn failed(&self) -> bool {
        self.postfix.failed()
    }

    fn finish(self, end: i64) -> Result<Vec<HostTotals>, SimulateError> {
        let mut totals = self.postfix.finish(end)?;
        totals.extend(self.cloud.finish(end)?);
        Ok(totals)
    }
}
