//! Two systems of one organisation: mailboxes at Microsoft 365, sending through the organisation's own Postfix server.
//!
//! The password is the same for both, so an account that is abused leaves its traces in both.

use super::SimulateError;
use super::happenings::{Attempt, Change, Changed, Door, Handed, Letter, Login, MailSystem, Opened, Reading, Stage, Visit};
use super::m365::Cloud;
use super::postfix::Postfix;
use super::truth::HostTotals;

type Later = <Postfix as MailSystem>::Later;
type Session = <Postfix as MailSystem>::Session;
type Scene = Stage<Later>;

/// Both systems.
pub(super) struct Hybrid {
    cloud: Cloud,
    postfix: Postfix,
}

impl Hybrid {
    pub(super) fn new(cloud: Cloud, postfix: Postfix) -> Hybrid {
        Hybrid { cloud, postfix: postfix.with_mailboxes_at_the_tenant() }
    }
}

impl MailSystem for Hybrid {
    type Session = Session;
    type Later = Later;

    fn begin(&mut self, scene: &mut Scene, at: i64) {
        self.cloud.enrol(scene);
        self.postfix.begin(scene, at);
    }

    fn connect(&mut self, scene: &mut Scene, at: i64, visit: Visit) -> Opened<Session> {
        self.postfix.connect(scene, at, visit)
    }

    fn submit(&mut self, scene: &mut Scene, session: &mut Session, at: i64, letter: Letter, limited: bool) -> Handed {
        self.postfix.submit(scene, session, at, letter, limited)
    }

    fn disconnect(&mut self, scene: &mut Scene, session: Session, at: i64) {
        self.postfix.disconnect(scene, session, at);
    }

    fn send(&mut self, scene: &mut Scene, at: i64, person: usize, client: usize, letter: Letter) {
        self.postfix.send(scene, at, person, client, letter);
    }

    fn receive(&mut self, scene: &mut Scene, at: i64, client: usize, letter: Letter) {
        self.postfix.receive(scene, at, client, letter);
    }

    fn read(&mut self, scene: &mut Scene, at: i64, reading: Reading) -> Login {
        self.cloud.look_into(scene, at, reading)
    }

    fn fail_login(&mut self, scene: &mut Scene, at: i64, attempt: Attempt<'_>) {
        match attempt.door {
            Door::Smtp => self.postfix.fail_login(scene, at, attempt),
            Door::Imap => self.cloud.refuse_login(scene, at, attempt),
        }
    }

    fn scan(&mut self, scene: &mut Scene, at: i64, client: usize) {
        self.postfix.scan(scene, at, client);
    }

    fn refuse_spam(&mut self, scene: &mut Scene, at: i64, client: usize, person: usize) {
        self.postfix.refuse_spam(scene, at, client, person);
    }

    fn change(&mut self, scene: &mut Scene, at: i64, person: usize, client: usize, change: Change) -> Option<Changed> {
        Some(self.cloud.alter(scene, at, person, client, change))
    }

    fn resume(&mut self, scene: &mut Scene, at: i64, later: Later) {
        self.postfix.resume(scene, at, later);
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
