//! The internet's noise: guessed passwords of accounts that do not exist, scanners, and spam refused at the door.

use super::cast::Cast;
use super::happenings::{Attempt, Door, MailSystem};
use super::random::Random;
use super::world::{Event, World};
use crate::domain::time::DAY;

/// A visit nobody asked for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Noise {
    /// Guesses by SMTP at a name that is no account.
    Guess { client: usize, name: &'static str, times: u64 },
    /// Guesses by IMAP.
    GuessImap { client: usize, name: &'static str },
    /// A look at what answers.
    Scan { client: usize },
    /// Spam for somebody here, refused for its origin.
    Spam { client: usize, person: usize },
}

/// Names that guessers try and no account has.
const NAMES: [&str; 22] = [
    "admin",
    "administrator",
    "test",
    "user",
    "sales",
    "support",
    "webmaster",
    "postmaster",
    "root",
    "scan",
    "scanner",
    "printer",
    "backup",
    "mail",
    "contact",
    "hr",
    "billing",
    "noreply",
    "service",
    "guest",
    "marketing",
    "postgres",
];

/// Adds the noise makers to the cast, at addresses and in networks apart from the attackers'; returns the first
/// and their number.
pub(super) fn add_clients(cast: &mut Cast, random: &mut Random) -> (usize, usize) {
    let first = cast.clients.len();
    for last in 128..=250_u8 {
        let name = format!("host-{last}.hosting.example");
        let helo = *random.pick(&["User", "ylmf-pc", "WIN-8TQ1", "[127.0.0.1]", "localhost"]);
        cast.add_client(&name, [192, 0, 2, last], helo, random);
    }
    for number in 0..40_u8 {
        let mut octets = [0; 16];
        octets[..4].copy_from_slice(&[0x20, 0x01, 0x0d, 0xb8]);
        octets[4..6].copy_from_slice(&[0x0b, 0xad]);
        octets[15] = number + 1;
        cast.push_client("unknown", format!("2001:db8:bad::{:x}", number + 1), octets.to_vec(), "scan");
    }
    (first, cast.clients.len() - first)
}

impl<S: MailSystem> World<S> {
    /// Plans a day's noise.
    pub(super) fn plan_noise(&mut self, at: i64) {
        let scaled = |count: u64, noise: u64| count * noise / 1000;
        let guesses = scaled(24 + self.stage.random.below(16), self.noise);
        for _ in 0..guesses {
            let (client, name, times) = (self.noise_client(), NAMES[self.stage.random.index(NAMES.len())], 1 + self.stage.random.below(3));
            let noise =
                if self.stage.random.chance(300) { Noise::GuessImap { client, name } } else { Noise::Guess { client, name, times } };
            self.plan_noise_at(at, noise);
        }
        for _ in 0..scaled(10 + self.stage.random.below(10), self.noise) {
            let client = self.noise_client();
            self.plan_noise_at(at, Noise::Scan { client });
        }
        for _ in 0..scaled(40 + self.stage.random.below(30), self.noise) {
            let (client, person) = (self.noise_client(), self.stage.random.index(self.stage.cast.people.len()));
            self.plan_noise_at(at, Noise::Spam { client, person });
        }
    }

    fn plan_noise_at(&mut self, day: i64, noise: Noise) {
        let at = day + self.stage.random.range(0, DAY - 1);
        self.plan(at, Event::Noise(noise));
    }

    fn noise_client(&mut self) -> usize {
        let (first, count) = self.noise_clients;
        first + self.stage.random.index(count)
    }

    pub(super) fn make_noise(&mut self, at: i64, noise: Noise) {
        match noise {
            Noise::Guess { client, name, times } => {
                self.system.fail_login(&mut self.stage, at, Attempt { name, client, times, door: Door::Smtp });
            }
            Noise::GuessImap { client, name } => {
                let times = 1 + self.stage.random.below(3);
                self.system.fail_login(&mut self.stage, at, Attempt { name, client, times, door: Door::Imap });
            }
            Noise::Scan { client } => self.system.scan(&mut self.stage, at, client),
            Noise::Spam { client, person } => {
                self.stage.book.inbound_refused += 1;
                self.system.refuse_spam(&mut self.stage, at, client, person);
            }
        }
    }
}
