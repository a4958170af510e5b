//! What speaks for and against an origin: each sign looked for, with the figures that make it one.
//!
//! A unit is judged at a time: one origin, or several new ones of a network that act as one.

use super::Facts;
use super::addresses::Addresses;
use super::deeds::Deeds;
use super::history::{Habit, History};
use super::model::Signal;
use super::peers::Peers;
use super::profile::{OriginUse, Profile, SLOT, failed};
use super::sent::Sent;
use super::signs::Sign;
use super::tries::{AllTries, SHARED_MIN, Spray};
use crate::domain::action::ActionKind;
use crate::domain::rows::Action;
use crate::domain::text::Text;
use crate::domain::time::{DAY, HOUR, MINUTE, Timestamp};
use crate::geo::kilometres;
use crate::say::{Part, Phrase, say};
use hashbrown::HashSet;
use std::borrow::Cow;

/// Days of sending that can be called sustained.
const SUSTAINED_DAYS: usize = 3;
/// Recipients an origin needs before shares of them say anything.
const SHARE_MIN: u64 = 10;
/// Refused recipients below which a share is chance.
const REFUSED_MIN: u64 = 5;
/// Share of recipients the account never wrote to before.
const NOVEL_SHARE: f64 = 0.9;
/// Recipients an account must have written to before "never wrote to before" means much.
const ACQUAINTED: u64 = 20;
/// Recipients of earlier use from which an account's own busiest hour is a measure; below it, peers are asked too.
const OWN_MEASURE: u64 = 50;
/// Single-recipient messages from which an alphabetical order shows, and the share of upward steps that is one.
const STEPS_MIN: u64 = 30;
const UPWARD_SHARE: f64 = 0.9;
/// Failed logins that are more than a slip.
const GUESSES_MIN: u64 = 3;
/// Failures on one account by strangers, and of how many addresses, that are an attack on it; and how long before the success.
const STRANGERS_FAILURES: u64 = 5;
const STRANGERS_MIN: usize = 3;
const STRANGERS_DAYS: i64 = 14;
/// Slots of use in unknown hours, at least, and as a share.
const UNUSUAL_MIN: usize = 10;
const UNUSUAL_SHARE: f64 = 0.6;
/// Slots of use from two places at once that are no accident.
const TWO_PLACES_MIN: usize = 3;
/// Days of familiar correspondence that speak for the owner.
const FAMILIAR_DAYS: u64 = 3;
/// Share of refused recipients below which a large mailing was well received.
const WELL_RECEIVED: f64 = 0.05;
/// How long after the last use a provider's verdict still speaks of it.
const PROVIDER_LATE: i64 = DAY;
/// Kilometres that databases of places are easily wrong by.
const JOURNEY_MIN: f64 = 500.0;
/// Lines pointed to for a sign.
const POINTERS: usize = 3;

/// What is judged as one.
pub(super) struct Unit<'a> {
    pub(super) members: Vec<&'a OriginUse>,
    pub(super) sent: Cow<'a, Sent>,
    pub(super) first: Timestamp,
    pub(super) slots: Cow<'a, [i64]>,
}

impl<'a> Unit<'a> {
    /// One origin alone; `None` if it never got in.
    pub(super) fn of(origin: &'a OriginUse) -> Option<Unit<'a>> {
        Some(Unit { members: vec![origin], sent: Cow::Borrowed(&origin.sent), first: origin.first?, slots: Cow::Borrowed(&origin.slots) })
    }

    /// Several origins together.
    pub(super) fn all(origins: &[&'a OriginUse]) -> Option<Unit<'a>> {
        let mut sent = Sent::default();
        origins.iter().for_each(|o| sent.merge(&o.sent));
        let mut slots: Vec<i64> = origins.iter().flat_map(|o| o.slots.iter().copied()).collect();
        slots.sort_unstable();
        slots.dedup();
        let first = origins.iter().filter_map(|o| o.first).min()?;
        Some(Unit { members: origins.to_vec(), sent: Cow::Owned(sent), first, slots: Cow::Owned(slots) })
    }

    fn last(&self) -> Option<Timestamp> {
        self.members.iter().filter_map(|o| o.last).max()
    }

    fn has(&self, address: Option<Text>) -> bool {
        self.members.iter().any(|o| o.address == address)
    }
}

/// What the weighing reads.
pub(super) struct Scales<'a> {
    pub(super) facts: Facts<'a>,
    pub(super) addresses: &'a Addresses,
    pub(super) tries: &'a AllTries,
    pub(super) peers: Peers,
    pub(super) deeds: &'a Deeds,
}

impl Scales<'_> {
    /// Every sign of a unit, for and against.
    pub(super) fn weigh(&self, account: Text, profile: &Profile, unit: &Unit<'_>, history: &History<'_>) -> Vec<Signal> {
        let mut basis = Vec::new();
        basis.extend(self.novelty(unit, history));
        basis.extend(self.abroad(unit, history));
        basis.extend(self.travel(unit, history));
        basis.extend(self.unusual_hours(unit, history));
        basis.extend(self.two_places(unit, history));
        basis.extend(self.burst(unit, history));
        basis.extend(self.sustained(profile, unit, history));
        basis.extend(self.send_only(profile, unit));
        basis.extend(self.refusals(unit));
        basis.extend(self.new_recipients(unit, history));
        basis.extend(self.sorted_list(unit));
        basis.extend(self.account_changed(account, unit));
        basis.extend(self.guessing(account, unit));
        basis.extend(self.strangers(account, profile, unit));
        basis.extend(self.familiar(unit));
        basis.extend(self.well_received(unit));
        basis.extend(self.place_of_its_own(unit));
        basis
    }

    fn show(&self, unit: &Unit<'_>) -> Part {
        let rows = self.facts.rows;
        let name = |o: &&OriginUse| o.address.map_or_else(|| Part::from(say!("an address that is not logged")), |a| rows.show(a).into());
        match unit.members.as_slice() {
            [one] => name(one),
            [first, rest @ ..] => say!("{address} and {n} more of its network", address = name(first), n = rest.len()).into(),
            [] => "".into(),
        }
    }

    pub(super) fn first_lines(&self, unit: &Unit<'_>) -> Vec<String> {
        let first = unit.members.iter().min_by_key(|o| (o.first, o.address));
        first.map(|o| o.first_places(self.facts.rows)).unwrap_or_default().into_iter().map(Facts::pointer).collect()
    }

    fn novelty(&self, unit: &Unit<'_>, history: &History<'_>) -> Option<Signal> {
        let address = unit.members.first()?.address?;
        let (name, first) = (self.show(unit), self.facts.stamp(unit.first).prose());
        let least = (self.facts.settings.thresholds.history_hours * HOUR as f64) as i64;
        let Some((since, origins)) = history.before(unit.first) else {
            let text = say!("no use of the account before {first} to compare {name} with", first, name);
            return Some(Sign::NoHistory.seen(self.facts.lang(), &text, Vec::new()));
        };
        if unit.first.since(since) < least {
            let text = say!("less than {n} hours of earlier use to compare {name} with", n = least / HOUR, name);
            return Some(Sign::NoHistory.seen(self.facts.lang(), &text, Vec::new()));
        }
        let from = if origins == 1 { say!("1 other address") } else { say!("{n} other addresses", n = origins) };
        let since = self.facts.stamp(since).prose();
        let known = self.addresses.net(address).filter(|net| history.knows_net(*net, unit.first));
        let (sign, text) = match known {
            Some(net) => {
                let text = say!(
                    "{name} first used the account at {first}; in the logs since {since} it had been used from {from}, some of them in the same network {net}",
                    name,
                    first,
                    since,
                    from,
                    net = net.to_string()
                );
                (Sign::NewAddress, text)
            }
            None => {
                let text = say!(
                    "{name} first used the account at {first}; in the logs since {since} it had been used from {from}",
                    name,
                    first,
                    since,
                    from
                );
                (Sign::NewOrigin, text)
            }
        };
        Some(sign.seen(self.facts.lang(), &text, self.first_lines(unit)))
    }

    /// In a country, or else in a network, that the account was never used from.
    fn abroad(&self, unit: &Unit<'_>, history: &History<'_>) -> Option<Signal> {
        let place = &self.addresses.spot(unit.members.first()?.address?)?.place;
        let country = place.country.as_deref();
        if let Some((country, before)) = country.and_then(|country| Some((country, history.other_countries(country, unit.first)?))) {
            let text = say!(
                "{name} is in {country}; before, the account had been used from {before}",
                name = self.show(unit),
                country,
                before = before.join(", ")
            );
            return Some(Sign::NewCountry.seen(self.facts.lang(), &text, Vec::new()));
        }
        let asn = place.asn.filter(|asn| history.is_new_system(*asn, unit.first))?;
        let owner = place.holder.as_deref().map_or_else(|| format!("AS{asn}"), |holder| format!("AS{asn} ({holder})"));
        let text = say!("{name} is in {owner}, from which the account had never been used", name = self.show(unit), owner);
        Some(Sign::NewNetworkOwner.seen(self.facts.lang(), &text, Vec::new()))
    }

    /// Used here and far away within less time than the journey takes.
    fn travel(&self, unit: &Unit<'_>, history: &History<'_>) -> Option<Signal> {
        history.before(unit.first)?;
        let here = self.addresses.spot(unit.members.first()?.address?)?.place.at?;
        let speed = self.facts.settings.thresholds.travel_speed;
        let leaps = unit.slots.iter().flat_map(|slot| history.nearest(*slot, &unit.members).map(move |(other, at)| (*slot, other, at)));
        let (slot, other, far) = leaps
            .map(|(slot, other, at)| (slot, other, kilometres(here, at)))
            .find(|(slot, other, far)| *far >= JOURNEY_MIN && *far > speed * hours_between(*slot, *other))?;
        let (km, n) = (format!("{far:.0}"), (slot - other).abs() * SLOT / MINUTE);
        let time = self.facts.stamp(Timestamp(slot * SLOT)).prose();
        let text = if other < slot {
            say!(
                "{km} km from where the account was used {n} minutes before {time}; a VPN or a mobile provider's gateway looks the same",
                km,
                n,
                time
            )
        } else {
            say!(
                "{km} km from where the account was used {n} minutes after {time}; a VPN or a mobile provider's gateway looks the same",
                km,
                n,
                time
            )
        };
        Some(Sign::ImpossibleTravel.seen(self.facts.lang(), &text, Vec::new()))
    }

    fn unusual_hours(&self, unit: &Unit<'_>, history: &History<'_>) -> Option<Signal> {
        let before = unit.first.0.div_euclid(SLOT);
        let mut slots = history.slots_elsewhere(&unit.members);
        slots.retain(|slot| *slot < before);
        let unusual = Habit::learn(&slots)?.unusual(&unit.slots);
        if unusual < UNUSUAL_MIN || (unusual as f64) < UNUSUAL_SHARE * unit.slots.len() as f64 {
            return None;
        }
        let text = say!(
            "{n} of the {all} stretches of ten minutes in which it was used lie in hours of the week in which the account was never used before",
            n = unusual,
            all = unit.slots.len()
        );
        Some(Sign::UnusualHours.seen(self.facts.lang(), &text, Vec::new()))
    }

    /// Used while the account was used from elsewhere: the owner cannot be in two places, but can have two devices.
    fn two_places(&self, unit: &Unit<'_>, history: &History<'_>) -> Option<Signal> {
        history.before(unit.first)?;
        let elsewhere: HashSet<i64> = history.slots_elsewhere(&unit.members).into_iter().collect();
        let both = unit.slots.iter().filter(|slot| elsewhere.contains(*slot)).count();
        if both < TWO_PLACES_MIN {
            return None;
        }
        Some(Sign::TwoPlaces.seen(
            self.facts.lang(),
            &say!("in {n} stretches of ten minutes the account was used from elsewhere too", n = both),
            Vec::new(),
        ))
    }

    fn burst(&self, unit: &Unit<'_>, history: &History<'_>) -> Option<Signal> {
        let limits = &self.facts.settings.thresholds;
        let (peak, hour) = unit.sent.busiest_hour()?;
        let begin = unit.first.max(Timestamp(hour * HOUR));
        let usual = history.busiest_hour_before(unit.first);
        let peers = self.peers.busiest_hour.filter(|_| history.recipients_before(begin) < OWN_MEASURE).unwrap_or(0);
        if peak < limits.burst_recipients.max(usual * limits.burst_factor).max(peers) {
            return None;
        }
        let hour = self.facts.stamp(Timestamp(hour * HOUR)).prose();
        let text =
            say!("{n} recipients within one hour (from {hour}); the account's own busiest hour before had {usual}", n = peak, hour, usual);
        Some(Sign::Burst.seen(self.facts.lang(), &text, self.first_lines(unit)))
    }

    /// Day after day far more than the account sends from elsewhere, without ever being a burst. Mail that no log gives an address for
    /// may come from a place that is there from the first day on, so that there is no elsewhere to compare such a place with.
    fn sustained(&self, profile: &Profile, unit: &Unit<'_>, history: &History<'_>) -> Option<Signal> {
        let limits = &self.facts.settings.thresholds;
        let days = unit.sent.days();
        let unplaced = profile.origin(None).is_some_and(|origin| origin.sent.messages > 0);
        let from_the_start = profile.first().is_some_and(|start| unit.first.since(start) < DAY);
        if days.len() < SUSTAINED_DAYS || (unplaced && from_the_start) {
            return None;
        }
        let mut counts: Vec<u64> = days.iter().map(|(_, n)| *n).collect();
        counts.sort_unstable();
        let here = counts.get(counts.len() / 2).copied()?;
        let usual = history.usual_day(&days);
        if here < limits.daily_recipients.max(usual * limits.daily_factor) {
            return None;
        }
        let text = say!(
            "{n} recipients on an ordinary one of {days} days; from elsewhere the account writes to {usual} on a day it sends",
            n = here,
            days = days.len(),
            usual
        );
        Some(Sign::SustainedVolume.seen(self.facts.lang(), &text, self.first_lines(unit)))
    }

    /// Sends but never reads mail, although the account's mail is read from elsewhere.
    fn send_only(&self, profile: &Profile, unit: &Unit<'_>) -> Option<Signal> {
        let here: u64 = unit.members.iter().map(|o| o.reads).sum();
        let elsewhere: u64 = profile.origins.iter().filter(|o| !unit.has(o.address)).map(|o| o.reads).sum();
        if unit.sent.messages < SHARE_MIN || here > 0 || elsewhere == 0 {
            return None;
        }
        let text = say!(
            "{n} messages sent and no mailbox session; from elsewhere the mailbox was read {elsewhere} times",
            n = unit.sent.messages,
            elsewhere
        );
        Some(Sign::SendOnly.seen(self.facts.lang(), &text, Vec::new()))
    }

    fn refusals(&self, unit: &Unit<'_>) -> Option<Signal> {
        let (all, refused) = (unit.sent.recipients, unit.sent.refused);
        let share = self.facts.settings.thresholds.refused_share;
        let much = refused as f64 >= share * all as f64;
        if all < SHARE_MIN || refused < REFUSED_MIN || !much || !self.peers.beyond_chance(refused, all) {
            return None;
        }
        let text = say!(
            "{refused} of {all} recipients were blocked or bounced; of most accounts it is no more than {usual} of a hundred",
            refused,
            all,
            usual = format!("{:.1}", self.peers.refused_share * 100.0)
        );
        Some(Sign::Refusals.seen(self.facts.lang(), &text, unit.sent.refusals.iter().map(|p| Facts::pointer(*p)).collect()))
    }

    fn new_recipients(&self, unit: &Unit<'_>, history: &History<'_>) -> Option<Signal> {
        let (distinct, novel) = (unit.sent.distinct, unit.sent.novel);
        if distinct < SHARE_MIN || (novel as f64) < NOVEL_SHARE * distinct as f64 {
            return None;
        }
        let before = history.recipients_before(unit.first);
        if before >= ACQUAINTED {
            let text = say!("{novel} of {distinct} addresses written to had no mail from the account before", novel, distinct);
            return Some(Sign::NewRecipients.seen(self.facts.lang(), &text, Vec::new()));
        }
        let text = say!(
            "{novel} of {distinct} addresses written to had no mail from the account before; it counts a third, since the logs before know {before} recipients only",
            novel,
            distinct,
            before
        );
        Some(Signal { weight: 0.05, ..Sign::NewRecipients.seen(self.facts.lang(), &text, Vec::new()) })
    }

    /// One message after the other down an alphabetical list, as programs send that were given one.
    fn sorted_list(&self, unit: &Unit<'_>) -> Option<Signal> {
        let (steps, upwards) = (unit.sent.steps, unit.sent.upwards);
        if steps < STEPS_MIN || (upwards as f64) < UPWARD_SHARE * steps as f64 {
            return None;
        }
        let text = say!("recipients come in the order of the alphabet in {upwards} of {steps} steps", upwards, steps);
        Some(Sign::SortedList.seen(self.facts.lang(), &text, Vec::new()))
    }

    /// Settings were changed from here, or the provider stopped the account soon after its use from here.
    fn account_changed(&self, account: Text, unit: &Unit<'_>) -> Vec<Signal> {
        let rows = self.facts.rows;
        let mine = self.deeds.actions(rows, account);
        let (mut changes, mut verdicts) = (Vec::new(), Vec::new());
        for action in mine.filter(|a| a.at >= unit.first) {
            if is_foothold(action.kind) && !action.failed && action.address.is_some() && unit.has(action.address) {
                changes.push(action);
            }
            let soon = unit.last().is_some_and(|last| action.at <= last.plus(PROVIDER_LATE));
            if action.kind == ActionKind::SendingRestricted && soon && unit.sent.recipients >= SHARE_MIN {
                verdicts.push(action);
            }
        }
        let told = |sign: Sign, what: Phrase, actions: &[&Action]| {
            let first = actions.first()?;
            let places = actions.iter().take(POINTERS).map(|a| Facts::pointer(a.place)).collect();
            let (act, time) = (Part::Term(first.kind.as_str()), self.facts.stamp(first.at).prose());
            Some(sign.seen(self.facts.lang(), &say!("{what}: {act} at {time}", what, act, time), places))
        };
        let changed = told(Sign::AccountChanged, say!("settings were changed from here"), &changes);
        let stopped = told(Sign::ProviderVerdict, say!("the provider stopped the account from sending"), &verdicts);
        changed.into_iter().chain(stopped).collect()
    }

    fn guessing(&self, account: Text, unit: &Unit<'_>) -> Option<Signal> {
        let rows = self.facts.rows;
        let sprays = unit.members.iter().filter_map(|o| Some((o.address?, self.tries.spray(self.facts, self.addresses, o.address?)?)));
        match sprays.min_by_key(|(address, _)| *address) {
            Some((address, Spray::Address(accounts))) => {
                let text = say!("{address} also failed to log in to {n} accounts", address = rows.show(address), n = accounts);
                return Some(Sign::Spray.seen(self.facts.lang(), &text, Vec::new()));
            }
            Some((_, Spray::Network(net, accounts))) => {
                let text = say!("addresses of its network {net} failed to log in to {n} accounts", net = net.to_string(), n = accounts);
                return Some(Sign::Spray.seen(self.facts.lang(), &text, Vec::new()));
            }
            None => {}
        }
        let open = |o: &&&OriginUse| o.address.is_some_and(|a| self.addresses.regulars(a) < SHARED_MIN);
        let logins = unit.members.iter().filter(open).flat_map(|o| o.logins(rows));
        let tried: Vec<_> = logins.filter(|l| failed(l) && l.at < unit.first).collect();
        let count: u64 = tried.iter().map(|l| u64::from(l.times)).sum();
        if count >= GUESSES_MIN {
            let places = tried.iter().take(POINTERS).map(|l| Facts::pointer(l.place)).collect();
            let text = say!(
                "{n} failed logins to {account} from {name} before the first that worked",
                n = count,
                account = rows.show(account),
                name = self.show(unit)
            );
            return Some(Sign::Guessed.seen(self.facts.lang(), &text, places));
        }
        let nameless: u64 = unit.members.iter().filter(open).filter_map(|o| self.tries.of(o.address?)).map(|t| t.nameless).sum();
        let text = say!("{n} failed logins from {name}, of users that the log does not name", n = nameless, name = self.show(unit));
        (nameless >= 2 * GUESSES_MIN).then(|| Sign::Guessed.seen(self.facts.lang(), &text, Vec::new()))
    }

    /// Strangers tried the account's password in the days before this origin got in.
    fn strangers(&self, account: Text, profile: &Profile, unit: &Unit<'_>) -> Option<Signal> {
        let rows = self.facts.rows;
        let from = unit.first.plus(-STRANGERS_DAYS * DAY);
        let strangers = profile.origins.iter().filter(|o| o.first.is_none() && o.failures > 0 && o.address.is_some());
        let (mut failures, mut addresses, mut places) = (0u64, 0usize, Vec::new());
        for origin in strangers {
            let tried: Vec<_> = origin.logins(rows).filter(|l| failed(l) && l.at >= from && l.at < unit.first).collect();
            failures += tried.iter().map(|l| u64::from(l.times)).sum::<u64>();
            addresses += usize::from(!tried.is_empty());
            places.extend(tried.first().map(|l| l.place));
        }
        if failures < STRANGERS_FAILURES || addresses < STRANGERS_MIN || unit.members.iter().all(|o| self.is_settled(profile, o)) {
            return None;
        }
        places.sort_unstable();
        let text = say!(
            "{n} failed logins to {account} from {addresses} addresses that never got in, within {days} days before",
            n = failures,
            account = rows.show(account),
            addresses,
            days = STRANGERS_DAYS
        );
        Some(Sign::UnderGuessing.seen(self.facts.lang(), &text, places.into_iter().take(POINTERS).map(Facts::pointer).collect()))
    }

    /// Whether an origin is there from the account's first day on.
    fn is_settled(&self, profile: &Profile, origin: &OriginUse) -> bool {
        origin.first.zip(profile.first()).is_some_and(|(first, start)| first.since(start) < DAY)
    }

    fn familiar(&self, unit: &Unit<'_>) -> Option<Signal> {
        let days = unit.sent.familiar_days;
        let text = say!("on {n} days it wrote to people whom the account knows from elsewhere or who wrote to it", n = days);
        (days >= FAMILIAR_DAYS).then(|| Sign::Familiar.seen(self.facts.lang(), &text, Vec::new()))
    }

    /// A large mailing that was refused no more than ordinary mail is.
    fn well_received(&self, unit: &Unit<'_>) -> Option<Signal> {
        let (peak, _) = unit.sent.busiest_hour()?;
        let (all, refused) = (unit.sent.recipients, unit.sent.refused);
        if peak < self.facts.settings.thresholds.burst_recipients || refused as f64 > WELL_RECEIVED * all as f64 {
            return None;
        }
        Some(Sign::WellReceived.seen(
            self.facts.lang(),
            &say!("only {refused} of {all} recipients were blocked or bounced", refused, all),
            Vec::new(),
        ))
    }

    fn place_of_its_own(&self, unit: &Unit<'_>) -> Option<Signal> {
        let [only] = unit.members.as_slice() else { return None };
        let address = only.address?;
        let regulars = self.addresses.regulars(address);
        if regulars >= SHARED_MIN {
            let text = say!("{n} accounts use {name} regularly", n = regulars, name = self.show(unit));
            return Some(Sign::SharedAddress.seen(self.facts.lang(), &text, Vec::new()));
        }
        let inside = self.addresses.spot(address).is_some_and(|spot| spot.inside);
        let text = say!("{name} is in a network of the organisation, or in one that is not routed outside", name = self.show(unit));
        inside.then(|| Sign::InsideAddress.seen(self.facts.lang(), &text, Vec::new()))
    }
}

/// The most time that can lie between two moments in these slots.
fn hours_between(a: i64, b: i64) -> f64 {
    (((a - b).abs() + 1) * SLOT) as f64 / HOUR as f64
}

/// Whether an attacker changes this to stay, to hide or to take.
fn is_foothold(kind: ActionKind) -> bool {
    matches!(
        kind,
        ActionKind::InboxRuleCreated
            | ActionKind::InboxRuleChanged
            | ActionKind::ForwardingSet
            | ActionKind::MailboxPermissionGranted
            | ActionKind::FolderPermissionGranted
            | ActionKind::SendAsGranted
            | ActionKind::AuditingChanged
            | ActionKind::MfaChanged
            | ActionKind::MfaDisabled
            | ActionKind::ConsentGranted
            | ActionKind::ApplicationCredentialAdded
            | ActionKind::RoleGranted
            | ActionKind::DeviceAdded
            | ActionKind::MailFlowChanged
            | ActionKind::OutboundPolicyChanged
    )
}
