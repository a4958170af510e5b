//! Sign-ins of an identity provider, each counted once: the same id in several exports is one sign-in, and the steps of one attempt
//! are one attempt.

use crate::domain::rows::{Login, LoginResult, Protocol};
use crate::domain::text::Text;
use crate::domain::time::{MINUTE, Timestamp};
use hashbrown::HashMap;

/// Steps of one attempt follow one another within this time. The id they share is the client's word, and may stand for days.
const ATTEMPT: i64 = 10 * MINUTE;

/// Joins the records of one sign-in, and counts the steps of an attempt that ended in a success as that success. Logins are in the
/// order of time. Returns how many sign-ins two exports tell with different results.
pub(super) fn settle(logins: &mut Vec<Login>) -> u64 {
    let differing = join_by_id(logins);
    count_attempts(logins);
    differing
}

fn join_by_id(logins: &mut Vec<Login>) -> u64 {
    let mut by_id: HashMap<Text, usize> = HashMap::new();
    let mut kept: Vec<Login> = Vec::with_capacity(logins.len());
    let mut differing = 0;
    for login in logins.drain(..) {
        let id = login.provider.as_ref().and_then(|word| word.event_id);
        let known = id.and_then(|id| by_id.get(&id)).and_then(|&n| kept.get_mut(n));
        match (known, id) {
            (Some(known), _) => {
                differing += u64::from(known.host != login.host && known.result != login.result);
                join(known, login);
            }
            (None, Some(id)) => {
                by_id.insert(id, kept.len());
                kept.push(login);
            }
            (None, None) => kept.push(login),
        }
    }
    *logins = kept;
    differing
}

/// The record that knows the protocol leads; of two of one export the one written last, or the one that says of a success.
fn join(known: &mut Login, other: Login) {
    let says_how = |login: &Login| login.protocol != Protocol::Other;
    let written = |login: &Login| login.provider.as_ref().and_then(|word| word.written);
    let ended = |login: &Login| login.result == LoginResult::Success;
    let rank = |login: &Login| (says_how(login), written(login), ended(login));
    let (best, rest) = if rank(&other) > rank(known) { (other, known.clone()) } else { (known.clone(), other) };
    *known = Login {
        account: best.account.or(rest.account),
        address: best.address.or(rest.address),
        client: best.client.or(rest.client),
        session: best.session.or(rest.session),
        ..best
    };
}

/// Who tried, from where, in which attempt.
type Attempt = (Text, Option<Text>, Option<Text>);

/// A second factor that was asked for and a page in between are steps to the success that follows them. A wrong password is not: it
/// was tried.
fn count_attempts(logins: &mut [Login]) {
    let mut open: HashMap<Attempt, (Timestamp, Vec<usize>)> = HashMap::new();
    let mut steps: Vec<usize> = Vec::new();
    for (number, login) in logins.iter().enumerate() {
        let Some(correlation) = login.provider.as_ref().and_then(|word| word.correlation) else { continue };
        if login.result == LoginResult::Failure {
            continue;
        }
        let (begun, seen) = open.entry((correlation, login.account, login.address)).or_insert((login.at, Vec::new()));
        if login.at.since(*begun) > ATTEMPT {
            (*begun, *seen) = (login.at, Vec::new());
        }
        let got_in = |n: &usize| logins.get(*n).is_some_and(|l| l.result == LoginResult::Success);
        if seen.iter().any(got_in) {
            steps.push(number);
        } else if login.result == LoginResult::Success {
            steps.append(seen);
        }
        seen.push(number);
    }
    for number in steps {
        if let Some(login) = logins.get_mut(number) {
            login.times = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::correlate::testing::rows_of_files;

    /// A sign-in as diagnostic settings write it: id, second, when this state was written, result.
    fn line(id: u32, second: u32, written: &str, code: u32) -> String {
        format!(
            r#"{{"time":"2025-12-04T{written}Z","category":"SignInLogs","properties":{{"id":"{id}","createdDateTime":"2025-12-04T08:19:{second}Z","userPrincipalName":"jane@u.example","correlationId":"c","ipAddress":"203.0.113.9","clientAppUsed":"Browser","status":{{"errorCode":{code}}}}}}}"#
        )
    }

    /// The logins that lines make, as `result times`.
    fn logins(lines: &[String]) -> Vec<String> {
        let rows = rows_of_files(&[&lines.join("\n")]);
        rows.logins.iter().map(|login| format!("{} {}", login.result.as_str(), login.times)).collect()
    }

    #[test]
    fn trap_7_of_one_sign_in_told_three_times_the_state_written_last_holds() {
        let states = [line(1, 41, "08:20:00", 50074), line(1, 41, "08:50:00", 0), line(1, 41, "08:30:00", 50074)];
        assert_eq!(logins(&states), ["success 1"]);
        let states = [line(1, 41, "08:20:00", 0), line(1, 41, "08:50:00", 50074)];
        assert_eq!(logins(&states), ["stopped 1"]);
    }

    #[test]
    fn trap_8_three_steps_of_one_attempt_are_three_events_and_one_login() {
        let steps = [line(1, 41, "08:20:00", 50126), line(2, 45, "08:20:00", 50158), line(3, 50, "08:20:00", 0)];
        assert_eq!(logins(&steps), ["failure 1", "stopped 0", "success 1"]);
    }
}
