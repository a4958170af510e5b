//! From events to messages, recipients and logins.
//!
//! Events come in by shard: all events of one queue file, and all of one SMTP session, are in the same one, so shards work side by
//! side without a lock. When the evidence ends, the shards are joined: hops between hosts are followed, logins are merged, and each
//! recipient is given its one outcome.

mod accesses;
mod addresses;
mod archive_copies;
mod beginnings;
mod dialogues;
mod directions;
mod gathered;
mod handovers;
mod joins;
mod life;
mod links;
mod lives;
mod logins;
mod openings;
mod own;
mod own_names;
mod packed;
mod queue_id;
mod remap;
mod returned;
mod round_trips;
mod same_session;
mod session_halves;
mod session_words;
mod sessions;
mod settle;
mod sign_ins;
mod smart_host;
mod splits;
mod store;
mod stretches;
mod submission_proxy;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tracked_tests;
mod trail_ends;
mod trail_facts;
mod trail_rows;
mod trails;
mod transactions;
mod webmail;

use crate::config::Settings;
use crate::domain::place::{Place, SourceId};
use crate::domain::rows::{HostHour, Rows};
use crate::domain::text::{Text, TextPool};
use crate::domain::time::{HOUR, Timestamp};
use crate::formats::batch::{Batch, SHARDS};
use crate::formats::event::Kind;
use accesses::Accesses;
use dialogues::Dialogues;
use gathered::Gathered;
use hashbrown::{HashMap, HashSet};
use lives::{Line, Lives, Past};
use logins::Logins;
use openings::Openings;
use rayon::prelude::*;
use returned::Returned;
use sessions::Sessions;
use store::Store;
use trail_rows::Attributed;
use trails::Trails;
use webmail::WebSends;

/// A batch with its place in the evidence.
#[derive(Clone, Copy)]
pub struct Located<'b, 'a> {
    pub source: SourceId,
    /// Number of the batch's first line in its source, from 1.
    pub first_line: u64,
    pub batch: &'b Batch<'a>,
    /// Lines of the batch that stand in another source too and were counted there, sorted.
    pub duplicates: &'b [u32],
    /// Whether a source yet to come may speak of the same time of the same host.
    pub again: bool,
}

#[derive(Default)]
struct Shard {
    texts: TextPool,
    lives: Lives,
    sessions: Sessions,
    logins: Logins,
    dialogues: Dialogues,
    openings: Openings,
    accesses: Accesses,
    trails: Trails,
    web_sends: WebSends,
    activity: Activity,
}

/// In which hours each host wrote, by its events.
#[derive(Default)]
struct Activity {
    current: Option<(Text, i64, Span)>,
    hours: HashMap<(Text, i64), Span>,
}

/// First and last instant of something.
type Span = (Timestamp, Timestamp);

impl Activity {
    fn saw(&mut self, host: Text, at: Timestamp) {
        let hour = at.0.div_euclid(HOUR);
        match &mut self.current {
            Some((known, known_hour, span)) if *known == host && *known_hour == hour => *span = widen(*span, (at, at)),
            _ => {
                self.settle();
                self.current = Some((host, hour, (at, at)));
            }
        }
    }

    fn settle(&mut self) {
        if let Some((host, hour, span)) = self.current.take() {
            let known = self.hours.entry((host, hour)).or_insert(span);
            *known = widen(*known, span);
        }
    }

    fn absorb(&mut self, mut other: Activity, map: &remap::Map) {
        other.settle();
        for ((mut host, hour), span) in other.hours {
            map.put(&mut host);
            let known = self.hours.entry((host, hour)).or_insert(span);
            *known = widen(*known, span);
        }
    }

    fn in_order(mut self) -> Vec<HostHour> {
        self.settle();
        let mut hours: Vec<HostHour> = self.hours.into_iter().map(|((host, _), (first, last))| HostHour { host, first, last }).collect();
        hours.sort_unstable_by_key(|h| (h.host, h.first));
        hours
    }
}

fn widen(a: Span, b: Span) -> Span {
    (a.0.min(b.0), a.1.max(b.1))
}

/// Takes in events and, at the end, gives the rows.
pub struct Correlator {
    shards: Vec<Shard>,
    store: Store,
}

impl Default for Correlator {
    fn default() -> Correlator {
        Correlator { shards: (0..SHARDS).map(|_| Shard::default()).collect(), store: Store::default() }
    }
}

impl Correlator {
    /// Takes in batches in the order given; the shards work in parallel.
    pub fn take(&mut self, batches: &[Located<'_, '_>]) {
        // Here and not at the end: what cannot be done side by side is best begun while other work is still to be had.
        for shard in &mut self.shards {
            shard.lives.settle_down(&mut self.store);
        }
        let store = &self.store;
        self.shards.par_iter_mut().enumerate().for_each(|(number, shard)| {
            for located in batches {
                shard.take(number, located, store);
            }
        });
    }

    /// Ends the evidence.
    #[must_use]
    pub fn finish(self, settings: &Settings) -> Rows {
        let Correlator { mut shards, mut store } = self;
        shards.par_iter_mut().for_each(|shard| shard.sessions.finish());
        let (mut texts, mut sessions, mut activity) = (TextPool::default(), Sessions::default(), Activity::default());
        let (mut dialogues, mut accesses, mut trails) = (Dialogues::default(), Accesses::default(), Trails::default());
        let mut openings = Openings::default();
        let (mut logins, mut web_sends) = (None, None);
        let mut lives = Vec::with_capacity(shards.len());
        for mut shard in shards {
            let map = remap::Map::new(&mut texts, shard.texts);
            debug_assert!(logins.is_some() || map.changes_nothing(), "a text of the first shard stands there twice");
            map.sessions(&mut shard.sessions);
            sessions.absorb(shard.sessions);
            activity.absorb(shard.activity, &map);
            dialogues.absorb(shard.dialogues, &map);
            accesses.absorb(shard.accesses, &map);
            openings.absorb(shard.openings, &map);
            trails.absorb(shard.trails, &map);
            // Logins go to the first shard, whose texts come first and so keep their numbers, and so does what webmail programs sent.
            logins.get_or_insert(shard.logins);
            web_sends.get_or_insert(shard.web_sends);
            lives.push((shard.lives, map));
        }
        let finished: Vec<_> = lives.into_par_iter().map(|(lives, map)| (lives.finish(), map)).collect();
        let (mut users, mut uncounted, mut returned) = (HashSet::new(), HashSet::new(), Returned::default());
        let mut lives = Vec::with_capacity(finished.len());
        for (mut done, map) in finished {
            done.packed.settle_down(&mut store);
            users.extend(done.users.into_iter().map(|mut user| {
                map.put(&mut user);
                user
            }));
            uncounted.extend(done.uncounted);
            returned.absorb(done.returned, &map);
            lives.push((done.packed, map));
        }
        sessions.counts.retain(|count| count.transactions.iter().any(|(id, _)| uncounted.contains(id)));
        let activity = activity.in_order();
        let mut host_ends: HashMap<Text, Timestamp> = HashMap::new();
        for hour in &activity {
            let end = host_ends.entry(hour.host).or_insert(hour.last);
            *end = (*end).max(hour.last);
        }
        let all = Gathered::new(lives, store);
        let mut logins = logins.unwrap_or_default();
        let mut told = dialogues.finish();
        logins.add(std::mem::take(&mut told.logins), Vec::new());
        let forged_senders = directions::decide(&texts, &mut trails, settings, logins.all());
        let tracked = Attributed::new(&texts, trails, told);
        for implied in tracked.implied() {
            accesses.implied(implied.line, implied.account, implied.address, implied.protocol);
        }
        let (used, uses) = accesses.finish(&mut texts, &settings.accounts, logins.all());
        logins.add(used, uses);
        logins.add_actions(openings.finish(&mut texts, &settings.accounts));
        let web_sends = web_sends.unwrap_or_default();
        let parts = transactions::Parts { texts, all, users, sessions, logins, tracked, web_sends, host_ends, lost: returned.take_lost() };
        let mut rows = transactions::build(settings, parts);
        rows.activity = activity;
        rows.forged_senders = forged_senders;
        rows.returned = returned.finish(&mut rows.texts);
        addresses::spell_alike(&mut rows);
        rows
    }
}

impl Shard {
    fn take(&mut self, number: usize, located: &Located<'_, '_>, store: &Store) {
        let past = Past { store, again: located.again };
        let hosts: Vec<Text> = located.batch.hosts.iter().map(|h| self.texts.intern(h)).collect();
        let Some(nameless) = hosts.first().copied() else { return };
        for event in &located.batch.shards[number] {
            if !located.duplicates.is_empty() && located.duplicates.binary_search(&event.line).is_ok() {
                continue;
            }
            let line = Line {
                host: hosts.get(usize::from(event.host)).copied().unwrap_or(nameless),
                at: event.at,
                place: Place { source: located.source, line: located.first_line + u64::from(event.line) },
            };
            self.activity.saw(line.host, line.at);
            match &event.kind {
                Kind::Queue { id, event } => self.lives.take(&mut self.texts, line, id, event, past),
                Kind::Smtp(smtp) => self.sessions.take(&mut self.texts, line, event.pid, event.times, smtp),
                Kind::Login(login) => self.logins.login(&mut self.texts, line, event.times, login),
                Kind::Proof(proof) => self.logins.proof(&mut self.texts, proof),
                Kind::Mailbox(mailbox) => {
                    self.logins.mailbox(&mut self.texts, line, mailbox);
                    self.openings.take_use(&mut self.texts, line, mailbox);
                }
                Kind::Action(action) => self.logins.action(&mut self.texts, line, action),
                Kind::Dialogue(dialogue) => self.dialogues.take(&mut self.texts, line, dialogue),
                Kind::Access(access) => {
                    self.accesses.take(&mut self.texts, line, access);
                    self.openings.take(&mut self.texts, line, access);
                }
                Kind::Trail(trail) => self.trails.take(&mut self.texts, line, trail),
                Kind::WebSend(sent) => self.web_sends.take(&mut self.texts, line, sent),
                Kind::System(system) => self.logins.system(&mut self.texts, line, system),
            }
        }
    }
}
