//! What a webmail program's log of logins tells.

use super::SAME_LOGIN;
use crate::domain::rows::{Login, LoginResult, Protocol};
use crate::domain::text::Text;
use crate::domain::time::{HOUR, Timestamp};
use hashbrown::HashMap;

/// How long after its login a web session may be on without anything else that shows it.
pub(super) const SESSION: i64 = 12 * HOUR;

/// A login at the webmail that worked.
#[derive(Clone, Copy, Debug)]
pub(super) struct Visit {
    pub(super) at: Timestamp,
    pub(super) address: Text,
}

/// The logins at the webmail.
#[derive(Default)]
pub(super) struct Visits {
    /// Those of each account that worked, in the order of time.
    worked: HashMap<Text, Vec<Visit>>,
    /// When those of each account worked or failed, in order.
    tries: HashMap<(Text, LoginResult), Vec<Timestamp>>,
    /// When the log begins and ends.
    pub(super) span: Option<(Timestamp, Timestamp)>,
}

/// A try of an account at the webmail, by its number among those with its result.
pub(super) type Try = (Text, LoginResult, usize);

impl Visits {
    /// `logins` are in the order of time.
    pub(super) fn new(logins: &[Login]) -> Visits {
        let mut visits = Visits::default();
        for login in logins.iter().filter(|login| is_web(login)) {
            let first = visits.span.map_or(login.at, |(first, _)| first);
            visits.span = Some((first, login.at));
            let (Some(account), Some(address)) = (login.account, login.address) else { continue };
            visits.tries.entry((account, login.result)).or_default().push(login.at);
            if login.result == LoginResult::Success {
                visits.worked.entry(account).or_default().push(Visit { at: login.at, address });
            }
        }
        visits
    }

    /// Those of an account, in the order of time.
    pub(super) fn of(&self, account: Text) -> &[Visit] {
        self.worked.get(&account).map(Vec::as_slice).unwrap_or_default()
    }

    /// The tries of an account with a result that were made when a login was, as far as two programs stamp one instant.
    pub(super) fn beside(&self, login: &Login) -> impl Iterator<Item = Try> {
        let key = login.account.map(|account| (account, login.result));
        let times = key.and_then(|key| self.tries.get(&key)).map(Vec::as_slice).unwrap_or_default();
        let first = times.partition_point(|at| *at < login.at.plus(-SAME_LOGIN));
        let near = times.iter().enumerate().skip(first).take_while(|(_, at)| at.since(login.at) <= SAME_LOGIN);
        near.filter_map(move |(number, _)| key.map(|(account, result)| (account, result, number)))
    }

    /// How many tries there were in a stretch of time.
    pub(super) fn tries_within(&self, from: Timestamp, to: Timestamp) -> usize {
        let within = |at: &&Timestamp| **at >= from.plus(-SAME_LOGIN) && **at <= to.plus(SAME_LOGIN);
        self.tries.values().flatten().filter(within).count()
    }

    /// Whether an account had logged in not long before.
    pub(super) fn had_begun(&self, account: Text, at: Timestamp) -> bool {
        let visits = self.of(account);
        latest(visits, at.plus(SAME_LOGIN)).is_some_and(|visit| at.since(visits[visit].at) <= SESSION)
    }
}

/// The number of the latest visit at or before an instant.
pub(super) fn latest(visits: &[Visit], at: Timestamp) -> Option<usize> {
    visits.partition_point(|visit| visit.at <= at).checked_sub(1)
}

/// Whether a login is one that a webmail program told of. Web logins that are seen by requests alone, or told by an identity provider,
/// are of no program that logs in elsewhere.
pub(super) fn is_web(login: &Login) -> bool {
    login.protocol == Protocol::Webmail && login.session.is_some() && login.provider.is_none() && !login.inferred
}
