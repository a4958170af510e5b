//! Sessions of which one extract has the lines of the beginning and the end and another those that name the user: one login and not two.

use super::sessions::SessionLogin;
use crate::domain::place::Place;
use crate::domain::text::Text;
use crate::domain::time::Timestamp;
use hashbrown::{HashMap, HashSet};

/// Half of what is known of a session.
pub(super) struct Half {
    /// Which of the shard's logins is its own.
    pub(super) login: usize,
    pub(super) host: Text,
    pub(super) pid: u32,
    pub(super) address: Text,
    /// The first line of the session in evidence.
    pub(super) session: Place,
    pub(super) from: Timestamp,
    pub(super) until: Timestamp,
}

impl Half {
    fn meets(&self, other: &Half) -> bool {
        self.address == other.address && self.from <= other.until && other.from <= self.until
    }
}

/// The halves that one shard knows.
#[derive(Default)]
pub(super) struct Halves {
    /// Sessions that no line names the user of, from their beginning to their end.
    pub(super) nameless: Vec<Half>,
    /// Sessions whose beginning is not in evidence, as far as lines name their user.
    pub(super) unopened: Vec<Half>,
}

impl Halves {
    /// Makes one login of the two that a session has. Gives the users of the sessions that had none, by the first line of each.
    pub(super) fn join(self, logins: &mut Vec<SessionLogin>) -> HashMap<Place, Text> {
        let mut by_process: HashMap<(Text, u32), Vec<&Half>> = HashMap::new();
        if !self.nameless.is_empty() {
            self.unopened.iter().for_each(|half| by_process.entry((half.host, half.pid)).or_default().push(half));
        }
        let mut users = HashMap::new();
        let mut spent = HashSet::new();
        for half in &self.nameless {
            let others = by_process.get(&(half.host, half.pid)).into_iter().flatten();
            let Some(other) = others.copied().find(|other| other.meets(half)) else { continue };
            let Some(named) = logins.get(other.login).cloned() else { continue };
            users.extend(named.user.map(|user| (half.session, user)));
            if let Some(login) = logins.get_mut(half.login) {
                // The process may have served the client several times: only one of these sessions has the first line that names the user.
                login.line = if (half.from..=half.until).contains(&other.from) { named.line } else { login.line };
                (login.user, login.mechanism) = (named.user, named.mechanism);
            }
            spent.insert(other.login);
        }
        let mut number = 0..;
        logins.retain(|_| number.next().is_none_or(|number| !spent.contains(&number)));
        users
    }
}
