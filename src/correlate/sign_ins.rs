//! Sign-ins of an identity provider, each counted once: the same id in several exports is one sign-in, and the steps of one attempt
//! are one attempt.

use crate::domain::place::SourceId;
use crate::domain::rows::{Login, LoginResult, Protocol, ProviderWord};
use crate::domain::text::Text;
use crate::domain::time::{MINUTE, SECOND, Timestamp};
use crate::formats::event::{Proof, ProofEvent};
use hashbrown::HashMap;
use std::collections::VecDeque;

/// Steps of one attempt follow one another within this time. The id they share is the client's word, and may stand for days.
const ATTEMPT: i64 = 10 * MINUTE;

/// How far apart two logs stamp the same sign-in.
const SAME_SIGN_IN: i64 = 2 * SECOND;

/// What tables of authentication details say was shown at each sign-in.
#[derive(Default)]
pub(super) struct Proofs(HashMap<Text, Shown>);

#[derive(Clone, Copy, Default)]
struct Shown {
    /// A password was typed, and whether one was accepted.
    password: Option<bool>,
    earlier: bool,
}

impl Proofs {
    pub(super) fn take(&mut self, sign_in: Text, event: &ProofEvent<'_>) {
        let shown = self.0.entry(sign_in).or_default();
        match event.proof {
            Proof::Password => shown.password = Some(shown.password == Some(true) || event.accepted),
            Proof::Earlier => shown.earlier = true,
        }
    }

    /// Gives a sign-in what its details say: a password that was accepted was right, whatever stopped the sign-in then; a token that
    /// was presented says nothing of one.
    fn refine(&self, login: &mut Login) {
        let Some(word) = &mut login.provider else { return };
        let Some(shown) = word.event_id.and_then(|id| self.0.get(&id)) else { return };
        match shown {
            Shown { password: None, earlier: true } => {
                word.token = true;
                if matches!(login.result, LoginResult::Failure | LoginResult::Stopped) {
                    login.result = LoginResult::Interrupted;
                }
            }
            Shown { password: Some(true), .. } if !word.token && login.result != LoginResult::Success => {
                word.refusal = None;
                login.result = LoginResult::Stopped;
            }
            _ => {}
        }
    }
}

/// Joins the records of one sign-in, gives it what its details say, and counts the steps of an attempt that ended in a success as that
/// success. Logins are in the order of time; there are `texts` texts. Returns how many sign-ins two exports tell with different results.
pub(super) fn settle(logins: &mut Vec<Login>, proofs: &Proofs, texts: usize) -> u64 {
    let Joined { differing, ids_shared } = join_by_id(logins, texts);
    join_by_words(logins, ids_shared);
    logins.iter_mut().for_each(|login| proofs.refine(login));
    count_attempts(logins, texts);
    differing
}

/// What joining by ids found.
struct Joined {
    /// Sign-ins that two logs tell with different results.
    differing: u64,
    /// Whether two logs give a sign-in the same id.
    ids_shared: bool,
}

fn join_by_id(logins: &mut Vec<Login>, texts: usize) -> Joined {
    // By the number of the id, which nearly every sign-in has one of its own of.
    let mut by_id: Vec<Option<u32>> = vec![None; texts];
    let mut kept = 0;
    let mut found = Joined { differing: 0, ids_shared: false };
    for number in 0..logins.len() {
        let (before, rest) = logins.split_at_mut(number);
        let Some(login) = rest.first() else { break };
        let place = login.provider.as_ref().and_then(|word| word.event_id).and_then(|id| by_id.get_mut(id.index()));
        match place {
            Some(Some(known)) => {
                let Some(known) = before.get_mut(*known as usize) else { continue };
                found.ids_shared |= known.host != login.host;
                let differ = known.result != login.result && tells_result(known) && tells_result(login);
                found.differing += u64::from(known.host != login.host && differ);
                join(known, login.clone());
                continue;
            }
            Some(place) => *place = u32::try_from(kept).ok(),
            None => {}
        }
        logins.swap(kept, number);
        kept += 1;
    }
    logins.truncate(kept);
    found
}

/// A sign-in that a record of the same words in another source may tell of too.
struct Open {
    /// Its place among those that are kept.
    kept: usize,
    at: Timestamp,
    sources: Vec<SourceId>,
}

/// Joins what two sources tell of one sign-in without an id in common: the same account, address and result at nearly the same time,
/// one record of one source with one of the other. Two that have ids of one kind are two.
fn join_by_words(logins: &mut Vec<Login>, ids_shared: bool) {
    if !may_be_told_twice(logins, ids_shared) {
        return;
    }
    let mut open: HashMap<(Option<Text>, Option<Text>, u32), VecDeque<Open>> = HashMap::new();
    let mut kept = 0;
    for number in 0..logins.len() {
        let (before, rest) = logins.split_at_mut(number);
        let Some(login) = rest.first() else { break };
        if let Some(code) = login.provider.as_ref().and_then(|word| word.code) {
            let same = open.entry((login.account, login.address, code)).or_default();
            while same.front().is_some_and(|first| login.at.since(first.at) > SAME_SIGN_IN) {
                same.pop_front();
            }
            let source = login.place.source;
            let fits =
                |known: &Login| (!ids_shared && known.host != login.host || lacks_id(known) || lacks_id(login)) && agree(known, login);
            let told = same.iter_mut().find(|open| !open.sources.contains(&source) && before.get(open.kept).is_some_and(fits));
            if let Some(told) = told
                && let Some(known) = before.get_mut(told.kept)
            {
                told.sources.push(source);
                join(known, login.clone());
                continue;
            }
            same.push_back(Open { kept, at: login.at, sources: vec![source] });
        }
        logins.swap(kept, number);
        kept += 1;
    }
    logins.truncate(kept);
    logins.sort_by_key(|login| (login.at, login.place));
}

/// Whether several sources tell of sign-ins, and not all by ids of one kind.
fn may_be_told_twice(logins: &[Login], ids_shared: bool) -> bool {
    let mut sign_ins = logins.iter().filter(|login| login.provider.as_ref().is_some_and(|word| word.code.is_some()));
    let Some(first) = sign_ins.next() else { return false };
    let (mut sources, mut hosts, mut nameless) = (false, false, lacks_id(first));
    for login in sign_ins {
        sources |= login.place.source != first.place.source;
        hosts |= login.host != first.host;
        nameless |= lacks_id(login);
    }
    sources && (nameless || hosts && !ids_shared)
}

fn lacks_id(login: &Login) -> bool {
    login.provider.as_ref().is_none_or(|word| word.event_id.is_none())
}

/// Whether nothing that both tell of a sign-in differs.
fn agree(a: &Login, b: &Login) -> bool {
    let same = |told: fn(&ProviderWord) -> Option<Text>| {
        let of = |login: &Login| login.provider.as_deref().and_then(told);
        of(a).zip(of(b)).is_none_or(|(a, b)| a == b)
    };
    same(|word| word.application) && same(|word| word.correlation)
}

/// Whether a record says how a sign-in ended: one without a number may have lost it, or be of a page in between.
fn tells_result(login: &Login) -> bool {
    login.result != LoginResult::Interrupted || login.provider.as_ref().is_some_and(|word| word.code.is_some())
}

/// The record that knows the result leads, then the one that knows the protocol; of two of one export the one written last, or the one that says of a success.
fn join(known: &mut Login, other: Login) {
    let says_how = |login: &Login| login.protocol != Protocol::Other;
    let written = |login: &Login| login.provider.as_ref().and_then(|word| word.written);
    let ended = |login: &Login| login.result == LoginResult::Success;
    let rank = |login: &Login| (tells_result(login), says_how(login), written(login), ended(login));
    let (best, rest) = if rank(&other) > rank(known) { (other, known.clone()) } else { (known.clone(), other) };
    let refusal = |login: &Login| login.provider.as_ref().and_then(|word| word.refusal);
    let told = refusal(&best).or(refusal(&rest)).filter(|_| best.result == LoginResult::Failure);
    let same_address = best.address.is_none() || rest.address.is_none() || best.address == rest.address;
    *known = Login {
        account: best.account.or(rest.account),
        address: best.address.or(rest.address),
        client: best.client.or(rest.client),
        introduction: best.introduction.or(rest.introduction),
        session: best.session.or(rest.session),
        ..best
    };
    if let Some(word) = &mut known.provider {
        word.refusal = told;
        rest.provider.into_iter().for_each(|other| complete(word, *other, same_address));
    }
}

/// Adds what the leading record leaves out and the other one has; where its address is, only if the other speaks of the same address.
fn complete(word: &mut ProviderWord, other: ProviderWord, same_address: bool) {
    word.event_id = word.event_id.or(other.event_id);
    word.correlation = word.correlation.or(other.correlation);
    word.application = word.application.or(other.application);
    if same_address {
        if word.country.is_none() && word.city.is_none() {
            (word.country, word.city) = (other.country, other.city);
        }
        word.asn = word.asn.or(other.asn);
    }
}

/// Who tried, from where, in which attempt.
type Attempt = (Text, Option<Text>, Option<Text>);

/// A second factor that was asked for and a page in between are steps to the success that follows them. A wrong password is not: it
/// was tried.
fn count_attempts(logins: &mut [Login], texts: usize) {
    let shared = shared_correlations(logins, texts);
    let mut open: HashMap<Attempt, (Timestamp, Vec<usize>)> = HashMap::new();
    let mut steps: Vec<usize> = Vec::new();
    for (number, login) in logins.iter().enumerate() {
        let Some(correlation) = correlation(login) else { continue };
        if login.result == LoginResult::Failure || !shared.get(correlation.index()).is_some_and(|shared| *shared) {
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

/// Which texts name the attempt of more than one sign-in. Most do not, and a sign-in alone has no steps.
fn shared_correlations(logins: &[Login], texts: usize) -> Vec<bool> {
    let (mut known, mut shared) = (vec![false; texts], vec![false; texts]);
    for number in logins.iter().filter_map(correlation).map(Text::index) {
        if let (Some(known), Some(shared)) = (known.get_mut(number), shared.get_mut(number)) {
            *shared |= std::mem::replace(known, true);
        }
    }
    shared
}

fn correlation(login: &Login) -> Option<Text> {
    login.provider.as_ref().and_then(|word| word.correlation)
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

    /// A row of the portal's table of authentication details.
    fn details(rows: &[(u32, &str, &str)]) -> String {
        let row = |(id, method, succeeded): &(u32, &str, &str)| {
            format!("{id},2025-12-04T08:19:41Z,{method},,{succeeded},x,Primary authentication\n")
        };
        let heading = "Request ID,Date (UTC),Authentication method,Authentication method detail,Succeeded,Result detail,Requirement\n";
        heading.to_owned() + &rows.iter().map(row).collect::<String>()
    }

    #[test]
    fn authentication_details_say_what_was_shown_at_the_sign_in_they_belong_to() {
        let sign_ins = [
            // A page in between, a lock, a second factor that was asked for, a wrong password, and one that nothing more is known of.
            line(1, 41, "08:20:00", 65001),
            line(2, 42, "08:20:00", 50053),
            line(3, 43, "08:20:00", 50076),
            line(4, 44, "08:20:00", 50126),
            line(5, 45, "08:20:00", 50076),
            line(6, 46, "08:20:00", 50126),
        ];
        let details = details(&[
            (1, "Password", "true"),
            (2, "Password", "true"),
            (3, "Previously satisfied", "true"),
            (4, "Password", "false"),
            (5, "Password", "true"),
            (5, "Mobile app notification", "false"),
            // Of a sign-in that is not in evidence.
            (7, "Password", "true"),
        ]);
        let expected = ["stopped", "stopped", "interrupted", "failure", "stopped", "failure"];
        for files in [[sign_ins.join("\n"), details.clone()], [details, sign_ins.join("\n")]] {
            let rows = rows_of_files(&[&files[0], &files[1]]);
            let results: Vec<&str> = rows.logins.iter().map(|login| login.result.as_str()).collect();
            assert_eq!(results, expected);
            let tokens: Vec<bool> = rows.logins.iter().map(|l| l.provider.as_ref().is_some_and(|word| word.token)).collect();
            assert_eq!(tokens, [false, false, true, false, false, false]);
        }
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
    fn where_a_sign_in_came_from_is_told_by_whichever_export_says_it() {
        let bare = line(1, 41, "08:50:00", 0);
        let placed = bare.replace(
            r#""status""#,
            r#""location":{"countryOrRegion":"JP","city":"Sapporo"},"autonomousSystemNumber":64500,"appDisplayName":"Outlook","status""#,
        );
        for files in [[&bare, &placed], [&placed, &bare]] {
            let rows = rows_of_files(&[files[0], files[1]]);
            let [login] = &rows.logins[..] else { panic!("{:?}", rows.logins) };
            let word = login.provider.as_ref().unwrap();
            let shown = |text: Option<crate::domain::text::Text>| text.map(|t| rows.texts.show(t).into_owned());
            assert_eq!(
                (shown(word.country).as_deref(), shown(word.city).as_deref(), word.asn),
                (Some("JP"), Some("Sapporo"), Some(64_500))
            );
            assert_eq!(shown(word.application).as_deref(), Some("Outlook"));
        }
    }

    /// A sign-in as the audit log tells it.
    fn audited(id: u32, second: u32, code: u32, members: &str) -> String {
        format!(
            r#"{{"CreationTime":"2025-12-04T08:19:{second}","Id":"a{id}","Operation":"UserLoggedIn","RecordType":15,"Workload":"AzureActiveDirectory","UserId":"jane@u.example","ActorIpAddress":"203.0.113.9","ErrorNumber":"{code}"{members}}}"#
        )
    }

    #[test]
    fn sign_ins_that_two_sources_tell_without_an_id_in_common_are_joined_one_to_one() {
        let count = |files: &[&str]| rows_of_files(files).logins.iter().map(|login| u64::from(login.times)).sum::<u64>();
        let signed = |id, second, code| line(id, second, "08:20:00", code).replace(r#""correlationId":"c","#, "");
        let log = [signed(1, 41, 50126), signed(2, 49, 0), signed(3, 50, 0)].join("\n");
        let nameless = log.replace(r#""id":"1","#, "").replace(r#""id":"2","#, "").replace(r#""id":"3","#, "");
        let audit = |members: &str| [audited(1, 41, 50126, members), audited(2, 50, 0, members), audited(3, 51, 0, members)].join("\n");
        assert_eq!(count(&[&log, &audit("")]), 3);
        assert_eq!(count(&[&audit(""), &log]), 3);
        assert_eq!(count(&[&log, &nameless]), 3);
        assert_eq!(count(&[&nameless, &nameless, &log]), 3);
        // Of one source, all are sign-ins of their own.
        assert_eq!(count(&[&nameless]), 3);
        // The audit log has one more; and where it has the sign-in log's ids, another id is another sign-in.
        assert_eq!(count(&[&log, &[audit(""), audited(4, 50, 0, "")].join("\n")]), 4);
        let by_request = [audited(2, 50, 0, r#","IntraSystemId":"2""#), audited(4, 50, 0, r#","IntraSystemId":"4""#)].join("\n");
        assert_eq!(count(&[&log, &by_request]), 4);
        // What belongs to another attempt is another one.
        let tried = line(1, 41, "08:20:00", 50126);
        assert_eq!(count(&[&tried, &audited(1, 41, 50126, r#","InterSystemsId":"c""#)]), 1);
        assert_eq!(count(&[&tried, &audited(1, 41, 50126, r#","InterSystemsId":"d""#)]), 2);
    }

    #[test]
    fn trap_8_three_steps_of_one_attempt_are_three_events_and_one_login() {
        let steps = [line(1, 41, "08:20:00", 50126), line(2, 45, "08:20:00", 50158), line(3, 50, "08:20:00", 0)];
        assert_eq!(logins(&steps), ["failure 1", "stopped 0", "success 1"]);
    }
}
