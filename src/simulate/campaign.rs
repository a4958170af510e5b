//! An attacker's sending through one account: sessions from his addresses, and what happens to each message.

use super::cast::Address;
use super::happenings::{Fate, Handed, Letter, Login, MailSystem, Recipient, Sender, Topic, Visit};
use super::tally::{FirstLogin, by_lot, stranger};
use super::world::{Event, PREAMBLE, World};
use crate::domain::time::SECOND;
use std::collections::BTreeSet;

/// How the messages of a campaign fare.
#[derive(Clone, Debug)]
pub(super) enum Manner {
    /// All but these numbers are blocked by the organisation's own systems.
    Blocked { delivered: BTreeSet<u64> },
    /// Out into the world, where the reputation of the sender's server sinks.
    Flood,
    /// As an ordinary correspondent's.
    Quiet,
}

#[derive(Clone, Debug)]
pub(super) struct Campaign {
    /// The account, by number in the incident and among the people.
    pub(super) taken: usize,
    pub(super) person: usize,
    pub(super) origins: Vec<usize>,
    /// The instants of the first and of the last message.
    pub(super) first: i64,
    pub(super) last: i64,
    pub(super) total: u64,
    /// Messages in a session, at least and at most.
    pub(super) batch: (i64, i64),
    /// Microseconds between the messages of a session, at least and at most.
    pub(super) pause: (i64, i64),
    /// Whether some messages have more than one recipient.
    pub(super) several: bool,
    pub(super) manner: Manner,
    /// The number of lists of strangers the story needs, one for each account.
    pub(super) lists: usize,
    /// Messages given to sessions, and messages sent.
    pub(super) planned: u64,
    pub(super) sent: u64,
}

/// An open session of a campaign.
pub(super) struct Raid<S> {
    session: S,
    client: usize,
    campaign: usize,
    /// How many messages are left in it.
    left: u64,
    /// A fixed pause between its messages.
    pause: Option<i64>,
    /// Whether the system's own limit of messages has been reached.
    limited: bool,
}

/// Messages of the session that ends a campaign at its very instant.
const LAST_BATCH: u64 = 3;
/// The pause between them.
const LAST_PAUSE: i64 = 2 * SECOND;

impl<S: MailSystem> World<S> {
    /// Puts a campaign on the agenda.
    pub(super) fn launch(&mut self, campaign: Campaign) {
        let number = self.campaigns.len();
        let last_batch = LAST_BATCH.min(campaign.total.saturating_sub(1));
        self.plan(campaign.first - PREAMBLE, Event::Campaign { number, last: false });
        if last_batch > 0 {
            let start = campaign.last - (last_batch as i64 - 1) * LAST_PAUSE - PREAMBLE;
            self.plan(start, Event::Campaign { number, last: true });
        }
        self.campaigns.push(campaign);
    }

    /// Begins a session of a campaign and plans the next one.
    pub(super) fn begin_session(&mut self, at: i64, number: usize, last: bool) {
        let (person, taken, origins, left) = match self.campaigns.get(number) {
            Some(campaign) => (campaign.person, campaign.taken, campaign.origins.len(), campaign.total - campaign.planned),
            None => return,
        };
        let origin = if at + PREAMBLE == self.campaigns[number].first { 0 } else { self.stage.random.index(origins) };
        let client = self.campaigns[number].origins[origin];
        let batch = self.campaigns[number].batch;
        let reserve = LAST_BATCH.min(self.campaigns[number].total - 1);
        let messages =
            if last { left.min(reserve) } else { (self.stage.random.range(batch.0, batch.1) as u64).min(left.saturating_sub(reserve)) };
        if messages == 0 {
            return;
        }
        let tls = self.stage.random.chance(700);
        let opened = self.system.connect(&mut self.stage, at, Visit { person, client, tls });
        self.count_login(taken, client, opened.login);
        let limited = self.campaigns[number].sent > 12 && self.stage.random.chance(220);
        let pause = last.then_some(LAST_PAUSE);
        let raid = Raid { session: opened.session, client, campaign: number, left: messages, pause, limited };
        let campaign = &mut self.campaigns[number];
        campaign.planned += messages;
        if !last && campaign.total - campaign.planned > reserve {
            let next = campaign.start_of(campaign.planned).max(at + PREAMBLE + 1);
            self.plan(next - PREAMBLE, Event::Campaign { number, last: false });
        }
        let raid = self.raids.keep(raid);
        self.plan(at + PREAMBLE, Event::Strike(raid));
    }

    /// Counts a session in which the password was accepted, and the login itself where a line of its own tells it.
    fn count_login(&mut self, taken: usize, client: usize, login: Option<Login>) {
        match login {
            Some(login) => self.count_intrusion(taken, client, login),
            None => {
                if let Some(incident) = &mut self.stage.book.incident {
                    incident.origins.entry(client).or_default().logins += 1;
                }
            }
        }
    }

    /// One message of a session.
    pub(super) fn strike(&mut self, at: i64, number: usize) {
        let Some(mut raid) = self.raids.take(number) else { return };
        let Some(campaign) = self.campaigns.get_mut(raid.campaign) else { return };
        let count = campaign.sent;
        campaign.sent += 1;
        raid.left -= 1;
        let pause = raid.pause.unwrap_or_else(|| self.stage.random.range(campaign.pause.0, campaign.pause.1));
        let (person, taken) = (campaign.person, campaign.taken);
        let letter = Letter {
            sender: Sender::Person(person),
            recipients: self.victims(raid.campaign, count),
            size: 1_800 + (count % 700) as u32,
            message_id_host: "mailbox-admin.example".to_owned(),
            topic: Topic::Lure(count as u32),
            taken: Some(taken),
        };
        let handed = self.system.submit(&mut self.stage, &mut raid.session, at, letter, raid.limited);
        self.count_strike(&handed, taken, raid.client);
        if raid.left > 0 {
            let raid = self.raids.keep(raid);
            self.plan((at + pause).max(handed.done + 1), Event::Strike(raid));
        } else {
            self.system.disconnect(&mut self.stage, raid.session, handed.done + 200_000);
        }
    }

    /// Whom the next message goes to: addresses nobody here has written to, and what is to become of them.
    fn victims(&mut self, campaign: usize, count: u64) -> Vec<Recipient> {
        let Campaign { taken, several, lists, total, ref manner, .. } = self.campaigns[campaign];
        let number = if several && self.stage.random.chance(120) { self.stage.random.range(2, 5) } else { 1 };
        let progress = 1000 * count / total.max(1);
        let manner = manner.of_message(count);
        let mut recipients = Vec::with_capacity(number as usize);
        if matches!(manner, Kind::Quiet)
            && let Some(contact) = self.old_contact(campaign)
        {
            return vec![Recipient { to: Address::Contact(contact), fate: Fate::Delivered }];
        }
        let known = self.stage.book.taken(taken).map_or(0, |taken| taken.strangers);
        let mut fresh = known;
        for place in 0..number {
            // A bought list has some addresses twice; the repeated one is never in the same message.
            let again = several && place == 0 && known > 1000 && self.stage.random.chance(25);
            let n = if again { self.stage.random.below(known) } else { fresh };
            fresh += u64::from(!again);
            let to = Address::Stranger(stranger(lists, taken, n));
            recipients.push(Recipient { to, fate: self.fate(to, manner, progress) });
        }
        if let Some(taken) = self.stage.book.taken(taken) {
            taken.strangers = fresh;
            taken.domains.extend(recipients.iter().filter_map(|r| self.stage.cast.domain(r.to)));
        }
        recipients
    }

    /// Now and then, somebody the owner had written to before the attackers came.
    fn old_contact(&mut self, campaign: usize) -> Option<u32> {
        let Campaign { taken, person, .. } = self.campaigns[campaign];
        let written = &self.stage.book.written[person];
        let chosen = self.stage.random.chance(40);
        let account = self.stage.book.incident.as_mut()?.accounts.get_mut(taken)?;
        let known = account.known.get_or_insert_with(|| written.iter().copied().collect());
        if !chosen || known.is_empty() {
            return None;
        }
        let contact = *self.stage.random.pick(known);
        account.contacts.insert(contact);
        account.domains.insert(self.stage.cast.contacts[contact as usize].1);
        Some(contact)
    }

    fn fate(&mut self, to: Address, kind: Kind, progress: u64) -> Fate {
        let lot = self.stage.cast.lot(to);
        match kind {
            Kind::Delivered => Fate::Delivered,
            Kind::Blocked => Fate::OwnFilter,
            Kind::Quiet if by_lot(lot, 1, 40) => Fate::NoSuchUser,
            Kind::Quiet => Fate::Delivered,
            Kind::Flood if self.stage.cast.domain(to).is_some_and(|domain| domain > 20 && domain % 23 == 5) => Fate::Unreachable,
            Kind::Flood if by_lot(lot, 1, 170) => Fate::NoSuchUser,
            Kind::Flood if by_lot(lot, 2, 15) => Fate::MailboxFull,
            Kind::Flood if self.stage.random.chance(80 + progress * 35 / 100) => Fate::Reputation,
            Kind::Flood if self.stage.random.chance(90) => Fate::Later(1 + self.stage.random.below(3) as u8),
            Kind::Flood => Fate::Delivered,
        }
    }

    fn count_strike(&mut self, handed: &Handed, taken: usize, client: usize) {
        self.stage.book.submitted += 1;
        let Some(incident) = &mut self.stage.book.incident else { return };
        let origin = incident.origins.entry(client).or_default();
        origin.messages += 1;
        origin.span.see(handed.logged);
        if let Some(account) = incident.accounts.get_mut(taken) {
            account.sends.see(handed.logged);
            account.activity.see(handed.logged);
            if let Some(Login { at, protocol, .. }) = handed.proof {
                account.first_login.get_or_insert(FirstLogin { at, client, protocol });
            }
        }
    }
}

/// How one message fares.
#[derive(Clone, Copy)]
enum Kind {
    Delivered,
    Blocked,
    Flood,
    Quiet,
}

impl Manner {
    fn of_message(&self, count: u64) -> Kind {
        match self {
            Manner::Blocked { delivered } if delivered.contains(&count) => Kind::Delivered,
            Manner::Blocked { .. } => Kind::Blocked,
            Manner::Flood => Kind::Flood,
            Manner::Quiet => Kind::Quiet,
        }
    }
}

impl Campaign {
    /// When the session with this message begins, so that all sessions end before the last one.
    fn start_of(&self, message: u64) -> i64 {
        let tail = self.batch.1 * (self.pause.1 + SECOND) + LAST_BATCH as i64 * LAST_PAUSE;
        let span = (self.last - self.first - tail).max(0);
        self.first + (i128::from(span) * i128::from(message) / i128::from(self.total.max(1))) as i64
    }
}
