//! Where the parsers of bodies put their events: the batch, with the line, instant, host and process already filled in.

use super::batch::{Batch, Ignored, Malformed};
use super::event::{
    AccessEvent, ActionEvent, DialogueEvent, Event, Kind, LoginEvent, MailboxEvent, ProofEvent, QueueEvent, SmtpEvent, SystemEvent,
    TrailEvent, WebSendEvent,
};
use crate::domain::time::{MINUTE, Timestamp};

/// What became of one line; each line has exactly one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    Used,
    Ignored(Ignored),
    Malformed(Malformed),
}

impl Fate {
    pub(super) const NO_FACT: Fate = Fate::Ignored(Ignored::NoFact);
    pub(super) const OTHER_PROGRAM: Fate = Fate::Ignored(Ignored::OtherProgram);
    pub(super) const BAD_BODY: Fate = Fate::Malformed(Malformed::BadBody);
}

/// Takes events of the line at hand.
pub(super) struct Sink<'b, 'a> {
    pub(super) batch: &'b mut Batch<'a>,
    pub(super) at: Timestamp,
    pub(super) line: u32,
    pub(super) host: u16,
    pub(super) pid: u32,
    pub(super) times: u32,
    /// Whether the stamp of the line carried its own offset, so that a witness can say nothing about the zone in use.
    pub(super) absolute: bool,
    /// Own names already told in this batch, by host.
    names: Vec<(u16, &'a [u8])>,
}

/// A line's own witness of absolute time that differs by more than this contradicts the zone in use.
const ZONE_CONFLICT_MIN: i64 = 20 * MINUTE;

impl<'b, 'a> Sink<'b, 'a> {
    pub(super) fn new(batch: &'b mut Batch<'a>) -> Sink<'b, 'a> {
        Sink { batch, at: Timestamp(0), line: 0, host: 0, pid: 0, times: 1, absolute: false, names: Vec::new() }
    }

    pub(super) fn queue(&mut self, id: &'a [u8], event: QueueEvent<'a>) -> Fate {
        self.emit(Kind::Queue { id, event })
    }

    pub(super) fn smtp(&mut self, event: SmtpEvent<'a>) -> Fate {
        self.emit(Kind::Smtp(event))
    }

    pub(super) fn dialogue(&mut self, event: DialogueEvent<'a>) -> Fate {
        self.emit(Kind::Dialogue(event))
    }

    pub(super) fn access(&mut self, event: AccessEvent<'a>) -> Fate {
        self.emit(Kind::Access(event))
    }

    pub(super) fn trail(&mut self, event: TrailEvent<'a>) -> Fate {
        self.emit(Kind::Trail(event))
    }

    pub(super) fn login(&mut self, event: LoginEvent<'a>) -> Fate {
        self.emit(Kind::Login(event))
    }

    pub(super) fn proof(&mut self, event: ProofEvent<'a>) -> Fate {
        self.emit(Kind::Proof(event))
    }

    pub(super) fn mailbox(&mut self, event: MailboxEvent<'a>) -> Fate {
        self.emit(Kind::Mailbox(event))
    }

    pub(super) fn action(&mut self, event: ActionEvent<'a>) -> Fate {
        self.emit(Kind::Action(event))
    }

    pub(super) fn web_send(&mut self, event: WebSendEvent<'a>) -> Fate {
        self.emit(Kind::WebSend(event))
    }

    pub(super) fn system(&mut self, event: SystemEvent<'a>) -> Fate {
        self.emit(Kind::System(event))
    }

    /// Notes one of the host's own names, once per batch.
    pub(super) fn own_name(&mut self, name: &'a [u8]) {
        if !name.is_empty() && !self.names.iter().rev().any(|known| *known == (self.host, name)) {
            self.names.push((self.host, name));
            self.system(SystemEvent::OwnName { name });
        }
    }

    /// Compares the instant of the line with one that the line tells about itself.
    pub(super) fn witness(&mut self, instant: Timestamp) {
        if !self.absolute && self.at.since(instant).abs() > ZONE_CONFLICT_MIN {
            self.batch.zone_conflicts += 1;
            self.batch.first_zone_conflict.get_or_insert(self.line);
        }
    }

    /// Inlined, so that the kind is known where its shard is chosen, and an event is written once and not moved about.
    #[inline(always)]
    fn emit(&mut self, kind: Kind<'a>) -> Fate {
        self.batch.push(Event { at: self.at, line: self.line, host: self.host, times: self.times, pid: self.pid, kind });
        Fate::Used
    }
}
