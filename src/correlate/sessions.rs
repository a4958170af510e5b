//! SMTP server sessions: who authenticated, what was refused before it got a queue id, what the client broke off.

use super::life::Decision;
use super::lives::Line;
use super::queue_id::QueueId;
use super::session_halves::{Half, Halves};
use crate::domain::place::Place;
use crate::domain::text::{Text, TextPool};
use crate::domain::time::{SECOND, Timestamp};
use crate::formats::event::{Action, Client, Counters, Reject, SmtpEvent, Stage};
use hashbrown::{HashMap, HashSet};
use std::collections::BTreeSet;

/// Without command counters, refusals this far apart in one session are taken for two transactions.
const TRANSACTION_GAP: i64 = 5 * SECOND;

/// A client as interned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Peer {
    pub(super) address: Text,
    pub(super) name: Text,
}

/// A login seen in an SMTP session: at most one a session.
#[derive(Clone, Debug)]
pub(super) struct SessionLogin {
    pub(super) line: Line,
    pub(super) peer: Peer,
    /// `None` where only the command counters show that a login worked.
    pub(super) user: Option<Text>,
    pub(super) mechanism: Option<Text>,
    pub(super) helo: Option<Text>,
    /// Envelope senders of the session's refused transactions, which hint at an unnamed user.
    pub(super) sender: Option<Text>,
}

/// A failed SMTP AUTH.
#[derive(Clone, Debug)]
pub(super) struct AuthFailure {
    pub(super) line: Line,
    pub(super) peer: Peer,
    pub(super) user: Option<Text>,
    pub(super) mechanism: Text,
    /// Told by a refusal in the same session.
    pub(super) helo: Option<Text>,
    pub(super) times: u32,
}

/// One recipient refused by the server.
#[derive(Clone, Debug)]
pub(super) struct Refusal {
    /// `None` where the refusal names no recipient.
    pub(super) recipient: Option<Text>,
    pub(super) reply: Text,
    pub(super) at: Timestamp,
    pub(super) place: Place,
    stage: Stage,
    pub(super) sender: Option<Text>,
    times: u32,
}

/// A transaction refused before it got a queue id.
#[derive(Clone, Debug)]
pub(super) struct RefusedTransaction {
    pub(super) line: Line,
    /// The first line of its session, which tells sessions apart.
    pub(super) session: Place,
    pub(super) peer: Peer,
    pub(super) user: Option<Text>,
    pub(super) sender: Option<Text>,
    pub(super) refusals: Vec<Refusal>,
    /// Recipients that were accepted before the whole was refused, named nowhere.
    pub(super) unnamed: u32,
}

/// What a session says about a transaction that has a queue id.
#[derive(Clone, Debug)]
pub(super) struct TransactionNote {
    pub(super) host: Text,
    pub(super) queue_id: QueueId,
    pub(super) at: Timestamp,
    pub(super) what: TransactionFact,
}

#[derive(Clone, Debug)]
pub(super) enum TransactionFact {
    /// One of its recipients was refused.
    RecipientRefused(Refusal),
    /// An access rule decided about the whole message before it had a queue id.
    Decided(Decision),
    /// The client broke it off, or may have: at least one transaction of the session was.
    BrokenOff,
    /// It came out of a filter before the queue, into which this client, and user, had handed it.
    CameFrom(Peer, Option<Text>),
}

/// A transaction of a session of which nothing tells whether its messages were taken in: its end is not in evidence, or they came in
/// chunks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Unended {
    pub(super) host: Text,
    pub(super) queue_id: QueueId,
    pub(super) at: Timestamp,
}

/// What ends a session in evidence.
#[derive(Clone, Copy)]
enum Ended {
    /// The server's last line about it, with the number of commands since Postfix 3.0, and its instant.
    Disconnect(Option<Counters>, Timestamp),
    /// Nothing: its process serves another client, or the evidence ends.
    Unseen,
}

/// How many recipients a session's transactions had together.
#[derive(Clone, Debug)]
pub(super) struct SessionCount {
    pub(super) host: Text,
    /// The queue ids with the instants they were given.
    pub(super) transactions: Vec<(QueueId, Timestamp)>,
    pub(super) recipients: u32,
}

#[derive(Clone)]
struct Transaction {
    queue_id: QueueId,
    at: Timestamp,
    line: u64,
}

struct Session {
    started: Line,
    /// The line of its beginning is in evidence.
    connected: bool,
    /// The latest line that names its user.
    named_until: Timestamp,
    peer: Peer,
    user: Option<Text>,
    mechanism: Option<Text>,
    named_at: Option<Line>,
    helo: Option<Text>,
    /// Which of the shard's failures are its own.
    failures: Vec<usize>,
    transactions: Vec<Transaction>,
    /// Each with its queue id, if it has one.
    refusals: Vec<(Option<QueueId>, Refusal)>,
    /// A decision about the transaction whose queue id comes next.
    decision: Option<Decision>,
    lost: Option<(Stage, Timestamp)>,
}

/// The sessions of one shard.
#[derive(Default)]
pub(super) struct Sessions {
    open: HashMap<(Text, u32), Session>,
    halves: Halves,
    pub(super) logins: Vec<SessionLogin>,
    pub(super) failures: Vec<AuthFailure>,
    pub(super) refused: Vec<RefusedTransaction>,
    pub(super) notes: Vec<TransactionNote>,
    pub(super) counts: Vec<SessionCount>,
    pub(super) unended: Vec<Unended>,
    /// Hosts whose log counts the commands of each session.
    pub(super) counting: HashSet<Text>,
    pub(super) foreign_rejects: u64,
    /// Messages that authenticated sessions took in by the count of the server alone, by the first line of each session.
    untold: Vec<(Place, u32)>,
}

impl Sessions {
    /// Takes in one event of the session of process `pid`.
    pub(super) fn take(&mut self, texts: &mut TextPool, line: Line, pid: u32, times: u32, event: &SmtpEvent<'_>) {
        match event {
            SmtpEvent::Connect { client, .. } => {
                self.end(line.host, pid, Ended::Unseen);
                let session = Session { connected: true, ..begin(texts, line, client) };
                self.open.insert((line.host, pid), session);
            }
            SmtpEvent::Transaction { queue_id, client, sasl_username, sasl_method, .. } => {
                let queue_id = QueueId::new(queue_id);
                let user = sasl_username.map(|u| texts.intern(u));
                let mechanism = sasl_method.map(|m| texts.intern(m));
                let same_user = |session: &Session| session.user.is_none() || session.user == user;
                let session = self.session(texts, line, pid, client, same_user);
                session.name(line, user, mechanism);
                session.transactions.push(Transaction { queue_id, at: line.at, line: line.place.line });
                let decision = session.decision.take();
                if let Some(decision) = decision {
                    self.notes.push(TransactionNote { host: line.host, queue_id, at: line.at, what: TransactionFact::Decided(decision) });
                }
                if pid == 0 {
                    self.end(line.host, pid, Ended::Unseen);
                }
            }
            SmtpEvent::HandedBack { queue_id, sasl_username } => {
                let user = sasl_username.map(|u| texts.intern(u));
                if let Some(session) = self.open.get_mut(&(line.host, pid)) {
                    session.name(line, user, None);
                    let what = TransactionFact::CameFrom(session.peer, session.user);
                    self.notes.push(TransactionNote { host: line.host, queue_id: QueueId::new(queue_id), at: line.at, what });
                }
            }
            SmtpEvent::Reject(reject) => self.reject(texts, line, pid, times, reject),
            SmtpEvent::AuthFailed { client, mechanism, username, .. } => {
                let number = self.failures.len();
                if let Some(session) = self.at_hand(texts, line, pid, client) {
                    session.failures.push(number);
                }
                self.failures.push(AuthFailure {
                    line,
                    peer: peer(texts, client),
                    user: username.map(|u| texts.intern(u)),
                    mechanism: texts.intern(mechanism),
                    helo: None,
                    times,
                });
            }
            SmtpEvent::Lost { stage, client } => {
                if let Some(session) = self.at_hand(texts, line, pid, client) {
                    session.lost = Some((*stage, line.at));
                }
            }
            SmtpEvent::Disconnect { client, counters, .. } => {
                if pid != 0 {
                    self.session(texts, line, pid, client, |_| true);
                }
                self.end(line.host, pid, Ended::Disconnect(*counters, line.at));
            }
        }
    }

    /// Ends the sessions whose disconnect is not in evidence.
    pub(super) fn finish(&mut self) {
        let mut left: Vec<(Text, u32)> = self.open.keys().copied().collect();
        left.sort_unstable();
        for (host, pid) in left {
            self.end(host, pid, Ended::Unseen);
        }
        let users = std::mem::take(&mut self.halves).join(&mut self.logins);
        for transaction in &mut self.refused {
            transaction.user = transaction.user.or_else(|| users.get(&transaction.session).copied());
        }
        self.untold.retain(|(session, _)| !users.contains_key(session));
    }

    /// How many messages were handed in that no line but the server's count tells of.
    pub(super) fn untold_messages(&self) -> u64 {
        self.untold.iter().map(|(_, messages)| u64::from(*messages)).sum()
    }

    /// Adds another shard's finished sessions to these.
    pub(super) fn absorb(&mut self, other: Sessions) {
        self.logins.extend(other.logins);
        self.failures.extend(other.failures);
        self.refused.extend(other.refused);
        self.notes.extend(other.notes);
        self.counts.extend(other.counts);
        self.unended.extend(other.unended);
        self.counting.extend(other.counting);
        self.foreign_rejects += other.foreign_rejects;
        self.untold.extend(other.untold);
    }

    /// The session its process has at hand, if it is of this client.
    fn at_hand(&mut self, texts: &TextPool, line: Line, pid: u32, client: &Client<'_>) -> Option<&mut Session> {
        self.open.get_mut(&(line.host, pid)).filter(|session| texts.bytes(session.peer.address) == client.address)
    }

    /// The session a line is about: the one its process has at hand, unless that is of another client or does not fit for another reason.
    /// Then lines are missing in which the one ended and the other began; a client cannot authenticate twice (RFC 4954, section 4).
    fn session(
        &mut self,
        texts: &mut TextPool,
        line: Line,
        pid: u32,
        client: &Client<'_>,
        fits: impl Fn(&Session) -> bool,
    ) -> &mut Session {
        let key = (line.host, pid);
        let same = |session: &Session| client.address.is_empty() || texts.bytes(session.peer.address) == client.address;
        let other = |session: &Session| !same(session) || !fits(session);
        if self.open.get(&key).is_some_and(other) {
            self.end(line.host, pid, Ended::Unseen);
        }
        self.open.entry(key).or_insert_with(|| begin(texts, line, client))
    }

    fn reject(&mut self, texts: &mut TextPool, line: Line, pid: u32, times: u32, reject: &Reject<'_>) {
        if reject.by_postscreen {
            self.foreign_rejects += u64::from(times);
            return;
        }
        let refusal = Refusal {
            recipient: reject.recipient.filter(|r| !r.is_empty()).map(|r| texts.intern(&r.to_ascii_lowercase())),
            reply: texts.intern(reject.reply),
            at: line.at,
            place: line.place,
            stage: reject.stage,
            sender: reject.sender.map(|s| texts.intern(&s.to_ascii_lowercase())),
            times,
        };
        let queue_id = (!reject.queue_id.is_empty()).then(|| QueueId::new(reject.queue_id));
        let user = reject.sasl_username.map(|u| texts.intern(u));
        let helo = reject.helo.map(|h| texts.intern(h));
        let same_user = |session: &Session| session.user.is_none() || user.is_none() || session.user == user;
        let session = self.session(texts, line, pid, &reject.client, same_user);
        session.name(line, user, None);
        session.helo = session.helo.or(helo);
        match reject.action {
            Action::Reject | Action::TempReject => session.refusals.push((queue_id, refusal)),
            action => {
                let Refusal { reply, recipient, at, place, .. } = refusal;
                session.decision = Some(Decision { action, reply, recipient, at, place });
            }
        }
        if pid == 0 {
            self.end(line.host, pid, Ended::Unseen);
        }
    }

    /// Closes a session and tells what it was.
    fn end(&mut self, host: Text, pid: u32, ended: Ended) {
        let Some(session) = self.open.remove(&(host, pid)) else { return };
        let counters = match ended {
            Ended::Disconnect(counters, _) => counters,
            Ended::Unseen => None,
        };
        if counters.is_some() {
            self.counting.insert(host);
        }
        let counted_login = counters.is_some_and(|c| c.auth_ok > 0);
        let authenticated = session.user.is_some() || counted_login;
        if session.helo.is_some() {
            for &number in &session.failures {
                if let Some(failure) = self.failures.get_mut(number) {
                    failure.helo = session.helo;
                }
            }
        }
        if authenticated {
            // What an access rule dropped has no queue file of its own.
            let told = session.transactions.len() as u32 + u32::from(session.decision.is_some());
            let untold = counters.map_or(0, |counters| counters.messages().0.saturating_sub(told));
            self.untold.extend((untold > 0).then_some((session.started.place, untold)));
            self.note_half(&session, pid, ended);
            self.logins.push(SessionLogin {
                line: session.named_at.unwrap_or(session.started),
                peer: session.peer,
                user: session.user,
                mechanism: session.mechanism,
                helo: session.helo,
                sender: session.refusals.iter().find_map(|(_, r)| r.sender),
            });
        }
        self.end_transactions(&session, ended);
        let groups = group(&session, counters);
        for (transaction, refusals) in groups {
            match transaction {
                Some(queue_id) => {
                    for refusal in refusals {
                        self.notes.push(TransactionNote {
                            host,
                            queue_id,
                            at: refusal.at,
                            what: TransactionFact::RecipientRefused(refusal),
                        });
                    }
                }
                None if authenticated => self.refused.push(refused(&session, refusals, counters)),
                None => self.foreign_rejects += refusals.iter().map(|r| u64::from(r.times)).sum::<u64>(),
            }
        }
    }

    /// Notes a session that half is known of; its login is put down next.
    fn note_half(&mut self, session: &Session, pid: u32, ended: Ended) {
        // Without a process id nothing tells which lines are of one session.
        if pid == 0 {
            return;
        }
        let half = |until| Half {
            login: self.logins.len(),
            host: session.started.host,
            pid,
            address: session.peer.address,
            session: session.started.place,
            from: session.started.at,
            until,
        };
        match (session.user, ended) {
            (Some(_), Ended::Unseen) if !session.connected => self.halves.unopened.push(half(session.named_until)),
            (None, Ended::Disconnect(_, at)) if session.connected => self.halves.nameless.push(half(at)),
            _ => {}
        }
    }

    fn end_transactions(&mut self, session: &Session, ended: Ended) {
        let host = session.started.host;
        let all = session.transactions.len() as u32;
        let broken_off = |t: &Transaction, at| TransactionNote { host, queue_id: t.queue_id, at, what: TransactionFact::BrokenOff };
        let unended = |t: &Transaction| Unended { host, queue_id: t.queue_id, at: t.at };
        let counters = match (ended, session.lost, session.transactions.last()) {
            // RSET and QUIT leave no line of their own, but each accepted message is counted.
            (Ended::Disconnect(Some(counters), _), ..) => {
                let (fewest, most) = counters.messages();
                if most < all {
                    self.notes.extend(session.transactions.iter().map(|t| broken_off(t, t.at)));
                } else if fewest < all {
                    // Chunks do not tell how many messages they were.
                    self.unended.extend(session.transactions.iter().map(unended));
                }
                Some(counters)
            }
            (_, Some((stage, at)), Some(last)) if stage != Stage::EndOfMessage => {
                self.notes.push(broken_off(last, at));
                None
            }
            (Ended::Unseen, ..) => {
                self.unended.extend(session.transactions.iter().map(unended));
                None
            }
            _ => None,
        };
        // With one recipient each there is nothing to tell; with a transaction whose line is lost, nothing that could be told.
        let is_told = |c: &Counters| all > 0 && c.rcpt_ok > all && (c.mail_ok == all || !session.refusals.is_empty());
        if let Some(counters) = counters.filter(is_told) {
            let transactions = session.transactions.iter().map(|t| (t.queue_id, t.at)).collect();
            self.counts.push(SessionCount { host, transactions, recipients: counters.rcpt_ok });
        }
    }
}

impl Session {
    fn name(&mut self, line: Line, user: Option<Text>, mechanism: Option<Text>) {
        if self.user.is_none() && user.is_some() {
            self.user = user;
            self.named_at = Some(line);
        }
        if user.is_some() {
            self.named_until = self.named_until.max(line.at);
        }
        self.mechanism = self.mechanism.or(mechanism);
    }
}

fn peer(texts: &mut TextPool, client: &Client<'_>) -> Peer {
    Peer { address: texts.intern(client.address), name: texts.intern(client.name) }
}

fn begin(texts: &mut TextPool, line: Line, client: &Client<'_>) -> Session {
    Session {
        started: line,
        connected: false,
        named_until: line.at,
        peer: peer(texts, client),
        user: None,
        mechanism: None,
        named_at: None,
        helo: None,
        failures: Vec::new(),
        transactions: Vec::new(),
        refusals: Vec::new(),
        decision: None,
        lost: None,
    }
}

fn refused(session: &Session, refusals: Vec<Refusal>, counters: Option<Counters>) -> RefusedTransaction {
    let named = refusals.iter().filter(|r| r.recipient.is_some()).count();
    let accepted = counters.filter(|c| c.mail_ok == 1).map_or(0, |c| c.rcpt_ok);
    let whole_refused = refusals.iter().any(|r| matches!(r.stage, Stage::Data | Stage::EndOfMessage));
    let unnamed = match (named, whole_refused) {
        (_, true) => accepted.saturating_sub(named as u32).max(u32::from(named == 0)),
        (0, false) => 1,
        _ => 0,
    };
    let first = refusals.first();
    RefusedTransaction {
        line: Line {
            host: session.started.host,
            at: first.map_or(session.started.at, |r| r.at),
            place: first.map_or(session.started.place, |r| r.place),
        },
        session: session.started.place,
        peer: session.peer,
        user: session.user,
        sender: refusals.iter().find_map(|r| r.sender),
        refusals,
        unnamed,
    }
}

/// Groups a session's refusals by the transaction they belong to: one with a queue id, or one that never got one.
///
/// The command counters say how many MAIL commands were accepted; what is left after the transactions with a queue id is the
/// number of refused ones. The log itself shows no transaction's end, so a change of sender, a repeated recipient and pauses do.
fn group(session: &Session, counters: Option<Counters>) -> Vec<(Option<QueueId>, Vec<Refusal>)> {
    let mut result: Vec<(Option<QueueId>, Vec<Refusal>)> = Vec::new();
    let mut loose: Vec<Refusal> = Vec::new();
    for (queue_id, refusal) in &session.refusals {
        match (queue_id, refusal.stage) {
            (Some(_), _) => result.push((*queue_id, vec![refusal.clone()])),
            (None, Stage::Rcpt | Stage::Data | Stage::EndOfMessage | Stage::Mail) => loose.push(refusal.clone()),
            // A refusal before MAIL is a refused connection, not a message.
            (None, _) => {}
        }
    }
    let mut groups = mandatory_groups(&loose, &session.transactions);
    match counters {
        Some(counters) => {
            let at_mail = groups.iter().filter(|g| g.iter().all(|r| r.stage == Stage::Mail)).count();
            let refused = (counters.mail_ok as usize).saturating_sub(session.transactions.len()) + at_mail;
            give_to_accepted(&mut groups, refused, &session.transactions, &mut result);
            split_at_pauses(&mut groups, refused);
        }
        None => split_at_gaps(&mut groups, TRANSACTION_GAP),
    }
    result.extend(groups.into_iter().map(|g| (None, g)));
    result
}

fn mandatory_groups(loose: &[Refusal], transactions: &[Transaction]) -> Vec<Vec<Refusal>> {
    let mut groups: Vec<Vec<Refusal>> = Vec::new();
    let mut seen: BTreeSet<Text> = BTreeSet::new();
    for refusal in loose {
        let breaks = groups.last().and_then(|g| g.last()).is_none_or(|last| {
            last.sender != refusal.sender
                || matches!(last.stage, Stage::Mail | Stage::Data | Stage::EndOfMessage)
                || refusal.stage == Stage::Mail
                || refusal.recipient.is_some_and(|r| seen.contains(&r))
                || transactions.iter().any(|t| t.line > last.place.line && t.line < refusal.place.line)
        });
        if breaks {
            groups.push(Vec::new());
            seen.clear();
        }
        seen.extend(refusal.recipient);
        if let Some(group) = groups.last_mut() {
            group.push(refusal.clone());
        }
    }
    groups
}

/// Groups beyond the number of refused transactions are early refusals of transactions whose later recipients were accepted.
fn give_to_accepted(
    groups: &mut Vec<Vec<Refusal>>,
    refused: usize,
    transactions: &[Transaction],
    result: &mut Vec<(Option<QueueId>, Vec<Refusal>)>,
) {
    let mut at = 0;
    while groups.len() > refused && at < groups.len() {
        let last_line = groups[at].last().map_or(0, |r| r.place.line);
        let next_group_line = groups.get(at + 1).and_then(|g| g.first()).map_or(u64::MAX, |r| r.place.line);
        let follows = transactions.iter().find(|t| t.line > last_line && t.line < next_group_line);
        match follows {
            Some(transaction) if groups[at].iter().all(|r| r.stage == Stage::Rcpt) => {
                result.push((Some(transaction.queue_id), groups.remove(at)));
            }
            _ => at += 1,
        }
    }
}

/// Splits groups until there are as many as refused transactions: at the longest pauses first, and one by one if every refusal
/// was a transaction of its own.
fn split_at_pauses(groups: &mut Vec<Vec<Refusal>>, refused: usize) {
    let refusals: usize = groups.iter().map(Vec::len).sum();
    if refusals == refused {
        *groups = groups.drain(..).flatten().map(|r| vec![r]).collect();
        return;
    }
    while groups.len() < refused {
        let longest = groups
            .iter()
            .enumerate()
            .flat_map(|(g, group)| group.windows(2).enumerate().map(move |(i, pair)| (pair[1].at.since(pair[0].at), g, i + 1)))
            .max_by_key(|(pause, g, i)| (*pause, std::cmp::Reverse((*g, *i))));
        match longest {
            Some((pause, g, i)) if pause >= SECOND => {
                let rest = groups[g].split_off(i);
                groups.insert(g + 1, rest);
            }
            _ => break,
        }
    }
}

fn split_at_gaps(groups: &mut Vec<Vec<Refusal>>, gap: i64) {
    let mut split: Vec<Vec<Refusal>> = Vec::new();
    for mut group in groups.drain(..) {
        while let Some(at) = group.windows(2).rposition(|pair| pair[1].at.since(pair[0].at) >= gap) {
            let tail = group.split_off(at + 1);
            split.push(tail);
        }
        split.push(group);
    }
    split.sort_by_key(|group| group.first().map(|r| r.place));
    *groups = split;
}

#[cfg(test)]
mod tests {
    use crate::correlate::testing::rows_of_files;
    use crate::domain::rows::{LoginResult, Rows};

    /// `user address` of each login that worked, in the order of time.
    fn logins(rows: &Rows) -> Vec<String> {
        let worked = rows.logins.iter().filter(|login| login.result == LoginResult::Success);
        let show = |text: Option<_>| text.map_or("-".to_owned(), |t| rows.show(t));
        worked.map(|login| format!("{} {}", show(login.account), show(login.address))).collect()
    }

    const TAKEN: &str = "\
Oct 31 16:01:01 mail postfix/smtpd[7]: 1A2B3C4D5E: client=unknown[203.0.113.5], sasl_method=PLAIN, sasl_username=suzuki
Oct 31 16:01:02 mail postfix/smtpd[7]: 1A2B3C4D5F: client=unknown[203.0.113.5], sasl_method=PLAIN, sasl_username=suzuki
Oct 31 16:02:01 mail postfix/smtpd[7]: 1A2B3C4D60: client=unknown[203.0.113.5], sasl_method=PLAIN, sasl_username=ono
Oct 31 16:03:01 mail postfix/smtpd[7]: 1A2B3C4D61: client=unknown[198.51.100.6], sasl_method=PLAIN, sasl_username=ono
Oct 31 16:04:01 mail postfix/smtpd[7]: 1A2B3C4D62: client=mx.x.test[192.0.2.9]
";

    const BEGUN_AND_ENDED: &str = "\
Oct 31 16:01:00 mail postfix/smtpd[7]: connect from unknown[203.0.113.5]
Oct 31 16:01:02 mail postfix/smtpd[7]: disconnect from unknown[203.0.113.5] ehlo=1 auth=1 mail=2 rcpt=2 data=2 quit=1 commands=8
Oct 31 16:02:00 mail postfix/smtpd[7]: connect from unknown[203.0.113.5]
Oct 31 16:02:02 mail postfix/smtpd[7]: disconnect from unknown[203.0.113.5] ehlo=1 auth=1 mail=1 rcpt=1 data=1 quit=1 commands=6
Oct 31 16:03:00 mail postfix/smtpd[7]: connect from unknown[198.51.100.6]
Oct 31 16:03:02 mail postfix/smtpd[7]: disconnect from unknown[198.51.100.6] ehlo=1 auth=1 mail=1 rcpt=1 data=1 quit=1 commands=6
Oct 31 16:04:00 mail postfix/smtpd[7]: connect from mx.x.test[192.0.2.9]
Oct 31 16:04:02 mail postfix/smtpd[7]: disconnect from mx.x.test[192.0.2.9] ehlo=1 mail=1 rcpt=1 data=1 quit=1 commands=5
";

    #[test]
    fn each_user_one_process_served_has_logged_in_though_no_line_tells_where_a_session_ended() {
        let truth = ["suzuki@u.example 203.0.113.5", "ono@u.example 203.0.113.5", "ono@u.example 198.51.100.6"];
        assert_eq!(logins(&rows_of_files(&[TAKEN])), truth);
        let whole: String = {
            let mut lines: Vec<&str> = TAKEN.lines().chain(BEGUN_AND_ENDED.lines()).collect();
            lines.sort_by_key(|line| (&line[7..15], line.contains(": disconnect")));
            lines.join("\n")
        };
        assert_eq!(logins(&rows_of_files(&[&whole])), truth);
    }

    #[test]
    fn a_session_whose_user_one_extract_names_and_whose_end_another_has_is_one_login() {
        let truth = ["suzuki@u.example 203.0.113.5", "ono@u.example 203.0.113.5", "ono@u.example 198.51.100.6"];
        for files in [[TAKEN, BEGUN_AND_ENDED], [BEGUN_AND_ENDED, TAKEN]] {
            assert_eq!(logins(&rows_of_files(&files)), truth);
        }
        // The user is named by no line at all: still a login.
        let ended = BEGUN_AND_ENDED.lines().skip(4).map(|line| format!("{line}\n")).collect::<String>();
        assert_eq!(logins(&rows_of_files(&[&ended])), ["- 198.51.100.6"]);
    }

    #[test]
    fn chunks_of_one_message_do_not_make_up_for_one_that_was_taken_back() {
        let session = |counted: &str| {
            format!(
                "Oct 31 16:01:01 mail postfix/smtpd[7]: connect from unknown[203.0.113.5]
Oct 31 16:01:01 mail postfix/smtpd[7]: 1A2B3C4D5E: client=unknown[203.0.113.5], sasl_method=PLAIN, sasl_username=suzuki
Oct 31 16:01:02 mail postfix/smtpd[7]: 2A2B3C4D5E: client=unknown[203.0.113.5], sasl_method=PLAIN, sasl_username=suzuki
Oct 31 16:01:02 mail postfix/qmgr[9]: 2A2B3C4D5E: from=<suzuki@u.example>, size=267, nrcpt=1 (queue active)
Oct 31 16:01:02 mail postfix/smtp[5]: 2A2B3C4D5E: to=<a@x.test>, relay=mx.x.test[192.0.2.9]:25, delay=0, delays=0/0/0/0, dsn=2.0.0, status=sent (250 ok)
Oct 31 16:01:03 mail postfix/smtpd[7]: disconnect from unknown[203.0.113.5] ehlo=1 auth=1 mail=2 rcpt=2 {counted} quit=1 commands=9
Oct 31 17:01:02 mail postfix/smtpd[7]: connect from unknown[203.0.113.5]
"
            )
        };
        let told = |counted: &str| {
            let rows = rows_of_files(&[&session(counted)]);
            (rows.messages.len(), rows.vanished_transactions)
        };
        assert_eq!(told("data=1 bdat=1"), (2, 0));
        assert_eq!(told("bdat=3"), (1, 1));
        assert_eq!(told("bdat=1 rset=1"), (1, 0));
    }
}
