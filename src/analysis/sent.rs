//! What an origin sent through an account: how much and when, to whom, and how it was received.

use super::profile::{OriginUse, Profile};
use crate::domain::outcome::{By, Outcome};
use crate::domain::place::Place;
use crate::domain::rows::Rows;
use crate::domain::text::Text;
use crate::domain::text_set::TextSet;
use crate::domain::time::{DAY, HOUR, Timestamp};
use hashbrown::{HashMap, HashSet};

/// Recipients on a day above which it is no day of ordinary correspondence.
const ORDINARY_DAY: u64 = 30;
/// Places of refusals that are kept to point to.
const POINTERS: usize = 3;

/// Figures of what one origin sent.
#[derive(Clone, Debug, Default)]
pub(super) struct Sent {
    pub(super) messages: u64,
    pub(super) recipients: u64,
    /// Recipients blocked or bounced, those of them blocked, and the first of them in the evidence.
    pub(super) refused: u64,
    pub(super) blocked: u64,
    pub(super) blocked_by_own: u64,
    pub(super) refusals: Vec<Place>,
    /// Recipients by clock hour, in order.
    pub(super) hours: Vec<(i64, u64)>,
    /// Different addresses, and those of them that the account had not written to from elsewhere before this origin appeared.
    pub(super) distinct: u64,
    pub(super) novel: u64,
    /// Days of ordinary size on which half or more of the outside addresses were familiar: known to the account from another origin,
    /// or of somebody who wrote to it.
    pub(super) familiar_days: u64,
    /// Steps from one single recipient to the next, and those of them upwards in the alphabet.
    pub(super) steps: u64,
    pub(super) upwards: u64,
}

/// Since when an account wrote to an address that it wrote to from several origins.
#[derive(Clone, Copy, Debug)]
struct Contact {
    /// The origin it was first written to from, and when.
    origin: u32,
    since: Timestamp,
    /// The first time from any other origin than that.
    elsewhere: Option<Timestamp>,
}

/// Those an account wrote to from several origins. Of all others, who may be millions, nothing needs to be kept: they were never written
/// to from elsewhere.
#[derive(Default)]
pub(super) struct Contacts(HashMap<Text, Option<Contact>>);

impl Contacts {
    pub(super) fn new(rows: &Rows, profile: &Profile) -> Contacts {
        let sending: Vec<&OriginUse> = profile.origins.iter().filter(|origin| !origin.messages.is_empty()).collect();
        if sending.len() < 2 {
            return Contacts::default();
        }
        let mut contacts: HashMap<Text, Option<Contact>> = HashMap::new();
        let mut once = TextSet::new(rows.texts.len());
        for origin in &sending {
            let mut here = TextSet::new(rows.texts.len());
            let recipients = origin.messages(rows).flat_map(|message| rows.recipients_of(message));
            for recipient in recipients {
                if here.insert(recipient.address) && !once.insert(recipient.address) {
                    contacts.insert(recipient.address, None);
                }
            }
        }
        fill(&mut contacts, rows, profile);
        Contacts(contacts)
    }

    /// When the account first wrote to an address from another origin than this one, from which it wrote to it too.
    fn elsewhere(&self, address: Text, origin: u32) -> Option<Timestamp> {
        if self.0.is_empty() {
            return None;
        }
        let contact = self.0.get(&address)?.as_ref()?;
        if contact.origin == origin { contact.elsewhere } else { Some(contact.since) }
    }
}

/// Notes from where, and when, each of these addresses was written to.
fn fill(contacts: &mut HashMap<Text, Option<Contact>>, rows: &Rows, profile: &Profile) {
    if contacts.is_empty() {
        return;
    }
    for &number in &profile.messages {
        let message = &rows.messages[number as usize];
        let Some(origin) = profile.number(message.address) else { continue };
        for recipient in rows.recipients_of(message) {
            let Some(contact) = contacts.get_mut(&recipient.address) else { continue };
            let contact = contact.get_or_insert(Contact { origin, since: message.submitted, elsewhere: None });
            if contact.origin != origin && contact.elsewhere.is_none() {
                contact.elsewhere = Some(message.submitted);
            }
        }
    }
}

impl Sent {
    pub(super) fn new(rows: &Rows, used: &OriginUse, number: u32, contacts: &Contacts, writers: &HashSet<Text>) -> Sent {
        let mut sent = Sent { messages: used.messages.len() as u64, ..Sent::default() };
        let mut reached = TextSet::new(rows.texts.len());
        let mut day = FamiliarDay::default();
        let mut last_single: Option<Text> = None;
        for message in used.messages(rows) {
            sent.add_hour(message.submitted, u64::from(message.recipients));
            sent.familiar_days += day.turn_to(message.submitted);
            let recipients = rows.recipients_of(message);
            for recipient in recipients {
                sent.receive(recipient.outcome, recipient.by, recipient.place);
                let elsewhere = contacts.elsewhere(recipient.address, number);
                day.add(elsewhere.is_some() || writers.contains(&recipient.address));
                if reached.insert(recipient.address) && !rows.texts.bytes(recipient.address).is_empty() {
                    sent.distinct += 1;
                    sent.novel += u64::from(elsewhere.is_none_or(|at| used.first.is_none_or(|first| at >= first)));
                }
            }
            if let [only] = recipients {
                sent.step(rows, last_single, only.address);
                last_single = Some(only.address);
            }
        }
        sent.familiar_days += day.end();
        sent
    }

    fn add_hour(&mut self, at: Timestamp, recipients: u64) {
        let hour = at.0.div_euclid(HOUR);
        match self.hours.last_mut() {
            Some((last, count)) if *last == hour => *count += recipients,
            _ => self.hours.push((hour, recipients)),
        }
    }

    fn receive(&mut self, outcome: Outcome, by: Option<By>, place: Place) {
        self.recipients += 1;
        if !matches!(outcome, Outcome::Blocked | Outcome::Bounced) {
            return;
        }
        self.refused += 1;
        if outcome == Outcome::Blocked {
            self.blocked += 1;
            self.blocked_by_own += u64::from(by != Some(By::Remote));
        }
        if self.refusals.len() < POINTERS {
            self.refusals.push(place);
        }
    }

    fn step(&mut self, rows: &Rows, from: Option<Text>, to: Text) {
        let Some(from) = from.filter(|from| *from != to) else { return };
        self.steps += 1;
        self.upwards += u64::from(rows.texts.bytes(from) < rows.texts.bytes(to));
    }

    /// Recipients by day, in order.
    pub(super) fn days(&self) -> Vec<(i64, u64)> {
        let mut days: Vec<(i64, u64)> = Vec::new();
        for (hour, count) in &self.hours {
            let day = (hour * HOUR).div_euclid(DAY);
            match days.last_mut() {
                Some((last, sum)) if *last == day => *sum += count,
                _ => days.push((day, *count)),
            }
        }
        days
    }

    /// The most recipients in one clock hour, and the first such hour.
    pub(super) fn busiest_hour(&self) -> Option<(u64, i64)> {
        self.hours.iter().map(|(hour, n)| (*n, *hour)).max_by_key(|(n, hour)| (*n, std::cmp::Reverse(*hour)))
    }

    /// Adds what another origin of the same account sent.
    pub(super) fn merge(&mut self, other: &Sent) {
        self.messages += other.messages;
        self.recipients += other.recipients;
        self.refused += other.refused;
        self.blocked += other.blocked;
        self.blocked_by_own += other.blocked_by_own;
        self.refusals.extend(other.refusals.iter().take(POINTERS.saturating_sub(self.refusals.len())));
        self.hours.extend(&other.hours);
        self.hours.sort_unstable();
        self.hours.dedup_by(|(hour, n), (kept, sum)| {
            let same = hour == kept;
            *sum += if same { *n } else { 0 };
            same
        });
        // Addresses that both wrote to count twice here; between origins that belong together they are few.
        self.distinct += other.distinct;
        self.novel += other.novel;
        self.familiar_days += other.familiar_days;
        self.steps += other.steps;
        self.upwards += other.upwards;
    }
}

/// Counts whether a day's recipients are familiar.
#[derive(Default)]
struct FamiliarDay {
    day: i64,
    recipients: u64,
    familiar: u64,
}

impl FamiliarDay {
    /// Goes on to the day of an instant; gives 1 if the day before it ended as a familiar one.
    fn turn_to(&mut self, at: Timestamp) -> u64 {
        let day = at.0.div_euclid(DAY);
        if day == self.day {
            return 0;
        }
        let ended = self.end();
        self.day = day;
        ended
    }

    fn add(&mut self, familiar: bool) {
        self.recipients += 1;
        self.familiar += u64::from(familiar);
    }

    fn end(&mut self) -> u64 {
        let FamiliarDay { recipients, familiar, .. } = std::mem::take(self);
        u64::from(familiar > 0 && familiar * 2 >= recipients && recipients <= ORDINARY_DAY)
    }
}
