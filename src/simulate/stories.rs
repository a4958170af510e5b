//! The stories: who, when and how much, from the seed and the scale. What happens follows from the parts they set up.

use super::campaign::{Campaign, Manner};
use super::cast::Cast;
use super::happenings::{Change, MailSystem};
use super::random::Random;
use super::request::{Guise, Hosts, Story};
use super::tally::{Incident, Taken};
use super::world::{Event, Spray, World};
use crate::domain::time::{DAY, HOUR, MINUTE, SECOND, days_from_civil};

/// The first and last instant of a story's logs.
pub(super) fn span(story: Story) -> (i64, i64) {
    match story {
        Story::Soka => (jst(2022, 10, 22, 0, 0), jst(2022, 11, 2, 0, 0)),
        Story::Niigata => (jst(2023, 4, 10, 0, 0), jst(2023, 4, 18, 0, 0)),
        Story::Lateral => (jst(2023, 6, 1, 0, 0), jst(2023, 6, 14, 0, 0)),
        Story::Slowburn => (jst(2023, 9, 1, 0, 0), jst(2023, 10, 7, 0, 0)),
        Story::Newsletter => (jst(2023, 1, 10, 0, 0), jst(2023, 2, 18, 0, 0)),
        Story::Quiet => (jst(2022, 12, 26, 0, 0), jst(2023, 1, 6, 0, 0)),
    }
}

/// The number of servers a story is known by.
pub(super) fn hosts(story: Story) -> Hosts {
    if story == Story::Niigata { Hosts::Two } else { Hosts::One }
}

/// A time of day in Japan, where the stories are set.
fn jst(year: i32, month: u32, day: u32, hour: i64, minute: i64) -> i64 {
    days_from_civil(year, month, day) * DAY + (hour - 9) * HOUR + minute * MINUTE
}

/// Sets a story up.
pub(super) fn set_up(world: &mut World<impl MailSystem>, story: Story, guise: Guise, scale: f64) {
    let (start, _) = span(story);
    world.system.begin(&mut world.stage, start);
    world.bustle = (1000.0 * scale.sqrt().sqrt().clamp(0.15, 3.0)) as u64;
    world.plan(start, Event::Day);
    world.plan_slip(start + 2 * DAY + 10 * HOUR + 41 * MINUTE);
    match story {
        Story::Soka => soka(world, guise, scale),
        Story::Niigata => niigata(world, guise, scale),
        Story::Lateral => lateral(world, guise, scale),
        Story::Slowburn => slowburn(world, scale),
        Story::Newsletter => newsletter(world, scale),
        Story::Quiet => world.noise = (2500.0 * scale.sqrt().clamp(0.3, 4.0)) as u64,
    }
}

/// A count at a scale; never below `least`.
fn scaled(count: u64, scale: f64, least: u64) -> u64 {
    ((count as f64 * scale).round() as u64).max(least)
}

/// An instant within a minute, early enough in its second that the line of the event stands in the same one.
fn within(random: &mut Random, minute: i64) -> i64 {
    minute + random.range(5, 54) * SECOND + random.range(100_000, 600_000)
}

/// Chooses people to be taken over; they log in by the full address.
fn victims(world: &mut World<impl MailSystem>, count: usize) -> Vec<usize> {
    let mut people: Vec<usize> = (4..world.stage.cast.people.len()).collect();
    world.stage.random.shuffle(&mut people);
    people.truncate(count);
    for person in &people {
        world.stage.cast.spell_out(*person);
    }
    let accounts = people.iter().map(|person| Taken { person: *person, ..Taken::default() }).collect();
    world.stage.book.incident = Some(Incident { accounts, ..Incident::default() });
    people
}

/// How messages fare, whatever the story says, if nobody minds them.
fn in_guise(manner: Manner, guise: Guise) -> Manner {
    if guise == Guise::CleanList { Manner::Quiet } else { manner }
}

/// Addresses where more are asked for than the story has.
const ROTATING: usize = 60;

/// Addresses of attackers: a stretch of a network nobody else of the story is in, or of the one that the owners' homes are in.
fn attackers(cast: &mut Cast, random: &mut Random, guise: Guise, count: usize) -> Vec<usize> {
    if guise == Guise::Neighbour {
        let mut last: Vec<u8> = (180..=250).collect();
        random.shuffle(&mut last);
        let add = |last: &u8| {
            cast.push_client(
                &format!("p{last}-ipngn.isp-a.example"),
                format!("198.51.100.{last}"),
                vec![198, 51, 100, *last],
                "[192.168.0.12]",
            )
        };
        return last.iter().take(count).map(add).collect();
    }
    let count = if guise == Guise::Rotating { count.max(ROTATING) } else { count };
    let mut last: Vec<u8> = (1..100).collect();
    random.shuffle(&mut last);
    last.iter()
        .take(count)
        .map(|last| {
            let helo = *random.pick(&["WIN-4K2J1L", "User", "[127.0.0.1]", "DESKTOP-9F3", "smtp.mailbox-admin.example"]);
            cast.add_client(&format!("vps-{last}.hosting.example"), [203, 0, 113, *last], helo, random)
        })
        .collect()
}

fn soka(world: &mut World<impl MailSystem>, guise: Guise, scale: f64) {
    let person = victims(world, 1)[0];
    let count = world.stage.random.range(1, 3) as usize;
    let origins = attackers(&mut world.stage.cast, &mut world.stage.random, guise, count);
    let total = scaled(795, scale, 4);
    let reached = scaled(11, scale, 1).min(total);
    let mut delivered = std::collections::BTreeSet::new();
    while (delivered.len() as u64) < reached {
        // They come early, before the filters have learned.
        let number = world.stage.random.below(total.min(reached * 8));
        delivered.insert(number);
    }
    let first = within(&mut world.stage.random, jst(2022, 10, 31, 16, 1));
    let last = within(&mut world.stage.random, jst(2022, 11, 1, 1, 46));
    world.silent_until = Some((person, last + 7 * HOUR));
    world.launch(Campaign {
        taken: 0,
        person,
        origins,
        first,
        last,
        total,
        batch: (2, 14),
        pause: (1_200_000, 6 * SECOND),
        several: false,
        manner: in_guise(Manner::Blocked { delivered }, guise),
        lists: 1,
        planned: 0,
        sent: 0,
    });
}

fn niigata(world: &mut World<impl MailSystem>, guise: Guise, scale: f64) {
    world.stage.lifetime = DAY;
    // A busier department than the other stories': a few thousand ordinary messages.
    world.bustle *= 6;
    let people = victims(world, 2);
    let origins = attackers(&mut world.stage.cast, &mut world.stage.random, guise, 50);
    let total = scaled(1_510_000, scale, 20);
    let larger = total * world.stage.random.range(55, 70) as u64 / 100;
    let second_start = world.stage.random.range(90, 600);
    let first = [jst(2023, 4, 13, 22, 0), jst(2023, 4, 13, 22, 0) + second_start * MINUTE];
    let last = [jst(2023, 4, 17, 14, 30), jst(2023, 4, 17, 11, 0) + world.stage.random.range(0, 180) * MINUTE];
    for taken in 0..2 {
        let total = if taken == 0 { larger } else { total - larger };
        let (first, last) = (within(&mut world.stage.random, first[taken]), within(&mut world.stage.random, last[taken]));
        world.launch(Campaign {
            taken,
            person: people[taken],
            // Five addresses are used on both.
            origins: origins[taken * 20..taken * 20 + 25].to_vec(),
            first,
            last,
            total,
            batch: (15, 60),
            pause: (700_000, 3 * SECOND),
            several: true,
            manner: in_guise(Manner::Flood, guise),
            lists: 2,
            planned: 0,
            sent: 0,
        });
    }
}

fn lateral(world: &mut World<impl MailSystem>, guise: Guise, scale: f64) {
    let people = victims(world, 3);
    let origins = attackers(&mut world.stage.cast, &mut world.stage.random, guise, 4);
    let spray_start = within(&mut world.stage.random, jst(2023, 6, 9, 1, 20));
    let mut names: Vec<String> = (0..25).map(|n| world.stage.cast.people[n + 4].login.clone()).collect();
    names.extend(people.iter().map(|person| world.stage.cast.people[*person].login.clone()));
    names.sort();
    names.dedup();
    world.stage.random.shuffle(&mut names);
    let rounds = scaled(3, scale.sqrt(), 1) as usize;
    let names = (0..rounds).flat_map(|_| names.clone()).collect::<Vec<_>>();
    let gap = 14 * HOUR / (names.len() as i64 + 3);
    world.sprays.push(Spray { clients: origins[..3].to_vec(), names, gap, opens: vec![2, 1, 0] });
    world.plan(spray_start, Event::Spray(0));
    for _ in 0..6 {
        let at = jst(2023, 6, 10, 2, 0) + world.stage.random.range(0, 40 * 60) * MINUTE;
        let (taken, client) = (world.stage.random.index(3), origins[world.stage.random.index(4)]);
        world.plan(at, Event::Intrude { taken, client });
    }
    let forwarding = Change::Forwarding(world.stage.cast.people[people[1]].contacts[0]);
    world.plan(jst(2023, 6, 10, 23, 31), Event::Change { taken: 1, client: origins[1], change: forwarding });
    world.plan(jst(2023, 6, 11, 2, 48), Event::Change { taken: 0, client: origins[2], change: Change::DeletingRule });
    world.plan(jst(2023, 6, 11, 2, 55), Event::Change { taken: 0, client: origins[2], change: Change::SecondFactor });
    let first = within(&mut world.stage.random, jst(2023, 6, 11, 3, 7));
    let last = within(&mut world.stage.random, jst(2023, 6, 11, 20, 52));
    world.launch(Campaign {
        taken: 0,
        person: people[0],
        origins: origins[2..].to_vec(),
        first,
        last,
        total: scaled(2_400, scale, 4),
        batch: (5, 30),
        pause: (800_000, 3 * SECOND),
        several: true,
        manner: in_guise(Manner::Flood, guise),
        lists: 3,
        planned: 0,
        sent: 0,
    });
}

/// Days of sending in the slow story, and messages a day.
const SLOW_DAYS: i64 = 20;
const SLOW_DAILY: u64 = 30;

fn slowburn(world: &mut World<impl MailSystem>, scale: f64) {
    let person = victims(world, 1)[0];
    // Another customer of the owner's own provider.
    let isp = if person.is_multiple_of(2) { "isp-a" } else { "isp-b" };
    let last = world.stage.random.range(180, 250) as u8;
    let name = format!("p{last}-ipngn.{isp}.example");
    let origin = world.stage.cast.push_client(&name, format!("198.51.100.{last}"), vec![198, 51, 100, last], "[192.168.0.12]");
    for day in 0..SLOW_DAYS {
        let date = jst(2023, 9, 16, 0, 0) + day * DAY;
        let start = within(&mut world.stage.random, date + 9 * HOUR);
        let end = within(&mut world.stage.random, date + 22 * HOUR + 17 * MINUTE);
        world.launch(Campaign {
            taken: 0,
            person,
            origins: vec![origin],
            first: start,
            last: end,
            total: scaled(SLOW_DAILY, scale, 2),
            batch: (1, 4),
            pause: (20 * SECOND, 90 * SECOND),
            several: false,
            manner: Manner::Quiet,
            lists: 1,
            planned: 0,
            sent: 0,
        });
    }
}

fn newsletter(world: &mut World<impl MailSystem>, scale: f64) {
    // One of the offices, from its place on the campus, every week.
    let person = world.stage.random.index(4);
    let each = if world.stage.random.chance(500) { 5 } else { 100 };
    let weeks = [260, 300, 290, 420, 3000];
    for (week, total) in weeks.iter().enumerate() {
        let at = jst(2023, 1, 13, 10, 0) + week as i64 * 7 * DAY;
        world.plan_mailing(at, person, scaled(*total, scale, 5), each);
    }
}
