//! Sessions that a server logs command by command: who authenticated, how often in vain, what was refused before a message existed.
//!
//! A front end passes an authenticated session on to another service, which logs it again; the pair is one session and one login.

use super::lives::Line;
use super::remap::Map;
use crate::domain::place::Place;
use crate::domain::rows::{Introduction, Login, LoginResult, Protocol, SessionLog};
use crate::domain::text::{Text, TextPool};
use crate::formats::event::{Command, DialogueEvent, DialogueFact};
use hashbrown::{HashMap, HashSet};
use std::collections::VecDeque;

/// Commands that may wait for their reply; more of them means that replies are missing.
const PENDING_MAX: usize = 4096;

/// What is known of one session.
#[derive(Clone, Debug)]
struct Dialogue {
    protocol: Protocol,
    address: Text,
    greeting: Option<Text>,
    /// The client's greeting as the front end tells it.
    told_greeting: Option<Text>,
    mechanism: Option<Text>,
    claimed: Option<Text>,
    /// The front end's session id and the client's address.
    proxied: Option<(Text, Text)>,
    /// This is a front end's, and the session went on elsewhere.
    passed_on: bool,
    users: Vec<(Text, Line)>,
    stopped: Vec<(Option<Text>, Line)>,
    failures: Vec<Failure>,
    pending: VecDeque<Pending>,
    transaction: Option<Transaction>,
    transactions: Vec<Transaction>,
    /// What a filter's own log says was refused.
    filtered: Vec<(Line, Transaction)>,
    /// Refusals so far, for sessions that turn out to be a stranger's.
    refusals: u64,
}

/// A login that failed.
#[derive(Clone, Copy, Debug)]
struct Failure {
    line: Line,
    user: Option<Text>,
    /// The server's reply to it was seen.
    answered: bool,
}

/// A command that waits for its reply.
#[derive(Clone, Copy, Debug)]
enum Pending {
    Mail(Text, Line),
    Recipient(Text),
    Data,
    Other,
}

/// One mail transaction of an authenticated session.
#[derive(Clone, Debug)]
pub(super) struct Transaction {
    pub(super) line: Line,
    pub(super) sender: Text,
    pub(super) accepted: Vec<Text>,
    pub(super) refused: Vec<Refused>,
    /// How the server ended it.
    pub(super) end: TransactionEnd,
}

/// How a transaction ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TransactionEnd {
    /// Not, or by the client itself.
    Open,
    /// Taken in, under a `Message-ID` if the reply names it.
    Accepted(Option<Text>),
    Refused,
}

/// A refusal of one recipient, or of a whole transaction (without an address).
#[derive(Clone, Copy, Debug)]
pub(super) struct Refused {
    pub(super) address: Option<Text>,
    pub(super) reply: Text,
    pub(super) line: Line,
}

/// A session of an authenticated user, after its end.
#[derive(Clone, Debug)]
pub(super) struct UserSession {
    pub(super) host: Text,
    pub(super) id: Text,
    pub(super) user: Text,
    pub(super) address: Text,
    pub(super) client: Option<Text>,
    pub(super) transactions: Vec<Transaction>,
}

/// The sessions of one shard, then of all.
#[derive(Default)]
pub(super) struct Dialogues {
    open: HashMap<(Text, Text), Dialogue>,
    ended: Vec<((Text, Text), Dialogue)>,
    /// Every SMTP session that is logged, of strangers too: host and id.
    seen: HashSet<(Text, Text)>,
    foreign_rejects: u64,
}

/// What the sessions tell in the end.
#[derive(Default)]
pub(super) struct Told {
    pub(super) logins: Vec<Login>,
    pub(super) sessions: Vec<UserSession>,
    pub(super) foreign_rejects: u64,
    /// Sessions whose other half is in no log.
    pub(super) untold: Vec<Untold>,
    seen: HashSet<(Text, Text)>,
}

/// A user's session that one log tells of and another, which should, does not.
#[derive(Clone, Copy, Debug)]
pub(super) struct Untold {
    pub(super) line: Line,
    pub(super) user: Text,
    pub(super) address: Option<Text>,
    pub(super) missing: SessionLog,
}

impl Told {
    /// Whether the log of a session, by its host and id, is in evidence.
    pub(super) fn saw(&self, session: (Text, Text)) -> bool {
        self.seen.contains(&session)
    }
}

impl Dialogues {
    pub(super) fn take(&mut self, texts: &mut TextPool, line: Line, event: &DialogueEvent<'_>) {
        let key = (line.host, texts.intern(event.id));
        if event.fact == DialogueFact::Ended {
            self.end(key);
            return;
        }
        let address = texts.intern(event.address);
        let dialogue = self.open.entry(key).or_insert_with(|| Dialogue::new(event.protocol, address));
        dialogue.take(texts, line, &event.fact);
    }

    fn end(&mut self, key: (Text, Text)) {
        let Some(mut dialogue) = self.open.remove(&key) else { return };
        if dialogue.protocol == Protocol::SmtpAuth {
            self.seen.insert(key);
        }
        dialogue.close();
        if dialogue.tells_something() {
            self.ended.push((key, dialogue));
        } else {
            self.foreign_rejects += dialogue.refusals;
        }
    }

    /// Takes in another shard's sessions.
    pub(super) fn absorb(&mut self, mut other: Dialogues, map: &Map) {
        let mut left: Vec<(Text, Text)> = other.open.keys().copied().collect();
        left.sort_unstable();
        left.into_iter().for_each(|key| other.end(key));
        for ((mut host, mut id), mut dialogue) in other.ended {
            map.put(&mut host);
            map.put(&mut id);
            dialogue.remap(map);
            self.ended.push(((host, id), dialogue));
        }
        for (mut host, mut id) in other.seen {
            map.put(&mut host);
            map.put(&mut id);
            self.seen.insert((host, id));
        }
        self.foreign_rejects += other.foreign_rejects;
    }

    /// Joins front ends with what they passed on: one login and one list of transactions for each session.
    pub(super) fn finish(self) -> Told {
        let mut told = Told { seen: self.seen, foreign_rejects: self.foreign_rejects, ..Told::default() };
        let front_ends: HashMap<Text, usize> = self
            .ended
            .iter()
            .enumerate()
            .filter(|(_, (_, d))| d.proxied.is_none() && !d.users.is_empty())
            .map(|(n, ((_, id), _))| (*id, n))
            .collect();
        told.untold = halves(&self.ended, &front_ends);
        let passed_on: HashSet<Text> = self
            .ended
            .iter()
            .filter(|(_, d)| !d.transactions.is_empty())
            .filter_map(|(_, d)| d.proxied.map(|(session, _)| session))
            .collect();
        for ((host, id), dialogue) in &self.ended {
            let front = dialogue.proxied.and_then(|(session, _)| front_ends.get(&session)).and_then(|n| self.ended.get(*n));
            dialogue.failures_into(*host, &mut told.logins);
            let user = match (dialogue.users.first(), front) {
                (_, Some((_, front))) => front.users.first().map(|(user, _)| *user),
                (Some((user, _)), None) => Some(*user),
                (None, None) => None,
            };
            let Some(user) = user else {
                told.foreign_rejects += dialogue.refusals;
                continue;
            };
            let (seen, client) = front.map_or((dialogue, dialogue.greeting), |(_, front)| (front, front.greeting.or(dialogue.greeting)));
            if front.is_none() {
                dialogue.logins_into(&mut told.logins);
            }
            let transactions = if passed_on.contains(id) { Vec::new() } else { dialogue.all_transactions() };
            told.sessions.push(UserSession { host: *host, id: *id, user, address: seen.client_address(), client, transactions });
        }
        told
    }
}

/// Halves of sessions: what a front end passed on and no log shows as taken over, and what was taken over from a front end whose log
/// does not show it.
fn halves(ended: &[((Text, Text), Dialogue)], front_ends: &HashMap<Text, usize>) -> Vec<Untold> {
    let taken_over: HashSet<Text> = ended.iter().filter_map(|(_, d)| d.proxied).map(|(session, _)| session).collect();
    let missing = |id: Text, dialogue: &Dialogue| match dialogue.proxied {
        Some((session, _)) => (!front_ends.contains_key(&session)).then_some(SessionLog::FrontEnd),
        None => (dialogue.passed_on && dialogue.transactions.is_empty() && !taken_over.contains(&id)).then_some(SessionLog::Hub),
    };
    let half = |((_, id), dialogue): &((Text, Text), Dialogue)| {
        let (user, line) = *dialogue.users.first()?;
        Some(Untold { line, user, address: Some(dialogue.client_address()), missing: missing(*id, dialogue)? })
    };
    ended.iter().filter_map(half).collect()
}

impl Dialogue {
    fn new(protocol: Protocol, address: Text) -> Dialogue {
        Dialogue {
            protocol,
            address,
            greeting: None,
            told_greeting: None,
            mechanism: None,
            claimed: None,
            proxied: None,
            passed_on: false,
            users: Vec::new(),
            stopped: Vec::new(),
            failures: Vec::new(),
            pending: VecDeque::new(),
            transaction: None,
            transactions: Vec::new(),
            filtered: Vec::new(),
            refusals: 0,
        }
    }

    fn take(&mut self, texts: &mut TextPool, line: Line, fact: &DialogueFact<'_>) {
        match fact {
            DialogueFact::Greeted { name } => {
                self.greeting = Some(texts.intern(name));
                self.close_transaction();
                self.wait_alone();
            }
            DialogueFact::Proxied { session, address, greeting } => {
                self.told_greeting = (!greeting.is_empty()).then(|| texts.intern(greeting));
                self.proxied = Some((texts.intern(session), texts.intern(address)));
                self.wait(Pending::Other);
            }
            DialogueFact::PassedOn => self.passed_on = true,
            DialogueFact::Mechanism { name } => {
                self.mechanism = Some(texts.intern(name));
                self.wait_alone();
            }
            DialogueFact::Claimed { user } => self.claim(texts.intern(user)),
            DialogueFact::Authenticated { user } => {
                let user = self.user(texts, user);
                if let Some(user) = user.filter(|user| !self.users.iter().any(|(known, _)| known == user)) {
                    self.users.push((user, line));
                }
            }
            DialogueFact::AuthFailed { answered, .. } => self.failed(line, *answered),
            DialogueFact::Stopped { user, .. } => {
                let user = self.user(texts, user);
                self.stopped.push((user, line));
            }
            DialogueFact::Command(command) => self.command(texts, line, *command),
            DialogueFact::Reply { code, text, message } => {
                let message = message.map(|id| texts.intern(id));
                self.reply(texts, line, *code, text, message);
            }
            DialogueFact::Refused { sender, recipient, text } => {
                self.refusals += 1;
                let address = (!recipient.is_empty()).then(|| texts.intern(&recipient.to_ascii_lowercase()));
                let refused = Refused { address, reply: texts.intern(text), line };
                let mut transaction = Transaction::new(line, texts.intern(sender));
                transaction.refused.push(refused);
                transaction.end = TransactionEnd::Refused;
                self.filtered.push((line, transaction));
            }
            DialogueFact::Ended => {}
        }
    }

    fn wait(&mut self, command: Pending) {
        if self.pending.len() < PENDING_MAX {
            self.pending.push_back(command);
        }
    }

    /// A command that a client may send only when it has all earlier replies: if some were not logged, they are not waited for.
    fn wait_alone(&mut self) {
        self.pending.clear();
        self.pending.push_back(Pending::Other);
    }

    /// The user that a server names, or as the client gave it where the server names none or leaves its domain out.
    fn user(&self, texts: &mut TextPool, named: &[u8]) -> Option<Text> {
        let given =
            self.claimed.filter(|given| named.is_empty() || self.protocol == Protocol::Pop3 && is_with_domain(texts, *given, named));
        given.or_else(|| (!named.is_empty()).then(|| texts.intern(named)))
    }

    /// A name told after a failure is of that failure; SMTP tells it so, POP before the password.
    fn claim(&mut self, user: Text) {
        match self.failures.last_mut().filter(|failure| failure.user.is_none() && self.protocol == Protocol::SmtpAuth) {
            Some(failure) => failure.user = Some(user),
            None => self.claimed = Some(user),
        }
    }

    /// The reason and the reply of one failure are two rows; some versions write the reply alone, others the same reason twice.
    fn failed(&mut self, line: Line, answered: bool) {
        if answered {
            self.pending.clear();
        }
        match self.failures.last_mut().filter(|failure| !failure.answered) {
            Some(failure) if answered => failure.answered = true,
            Some(failure) if failure.line.at == line.at => {}
            _ => {
                let user = if self.protocol == Protocol::SmtpAuth { self.claimed.take() } else { self.claimed };
                self.failures.push(Failure { line, user, answered });
            }
        }
    }

    fn command(&mut self, texts: &mut TextPool, line: Line, command: Command<'_>) {
        let pending = match command {
            Command::Mail(sender) => Pending::Mail(texts.intern(sender), line),
            Command::Recipient(address) => Pending::Recipient(texts.intern(&address.to_ascii_lowercase())),
            Command::Data => Pending::Data,
            Command::Reset => {
                self.close_transaction();
                Pending::Other
            }
            Command::Other => Pending::Other,
        };
        self.wait(pending);
    }

    fn reply(&mut self, texts: &mut TextPool, line: Line, code: u16, text: &[u8], message: Option<Text>) {
        match code {
            // Go on: the answer to the message itself is to come.
            354 => return,
            // Logged in, which is asked for alone.
            235 => return self.pending.clear(),
            _ => {}
        }
        let Some(command) = self.pending.pop_front() else { return };
        let refused = code >= 400;
        self.refusals += u64::from(refused && !matches!(command, Pending::Other));
        let mut refusal = |address| Refused { address, reply: texts.intern(text), line };
        match command {
            Pending::Mail(sender, at) => {
                self.close_transaction();
                let mut transaction = Transaction::new(at, sender);
                if refused {
                    transaction.refused.push(refusal(None));
                }
                self.transaction = Some(transaction);
            }
            Pending::Recipient(address) => {
                let Some(transaction) = &mut self.transaction else { return };
                match (refused, transaction.sender_refused()) {
                    (false, _) => transaction.accepted.push(address),
                    // Refused because the sender was: that refusal's words count.
                    (true, Some(reply)) => transaction.refused.push(Refused { address: Some(address), reply, line }),
                    (true, None) => transaction.refused.push(refusal(Some(address))),
                }
            }
            Pending::Data => {
                let Some(mut transaction) = self.transaction.take() else { return };
                if refused {
                    transaction.refused.extend(transaction.accepted.drain(..).map(|address| refusal(Some(address))));
                    transaction.end = TransactionEnd::Refused;
                } else {
                    transaction.end = TransactionEnd::Accepted(message);
                }
                self.transactions.push(transaction);
            }
            Pending::Other => {}
        }
    }

    /// Ends a transaction that the client does not go on with: refused if nobody was left to send to, else none at all.
    fn close_transaction(&mut self) {
        let Some(mut transaction) = self.transaction.take() else { return };
        if transaction.accepted.is_empty() && !transaction.refused.is_empty() {
            transaction.end = TransactionEnd::Refused;
            self.transactions.push(transaction);
        }
    }

    fn close(&mut self) {
        self.close_transaction();
        self.pending = VecDeque::new();
    }

    fn tells_something(&self) -> bool {
        !self.users.is_empty() || !self.failures.is_empty() || !self.stopped.is_empty() || self.proxied.is_some()
    }

    /// The true client: behind a front end the one it names.
    fn client_address(&self) -> Text {
        self.proxied.map_or(self.address, |(_, address)| address)
    }

    /// Its transactions, and what only a filter's log says was refused.
    fn all_transactions(&self) -> Vec<Transaction> {
        let mut all = self.transactions.clone();
        if !all.iter().any(|t| !t.refused.is_empty()) {
            for (_, filtered) in &self.filtered {
                match all.iter_mut().find(|t| t.end == TransactionEnd::Refused && t.sender == filtered.sender) {
                    Some(known) => known.refused.extend(&filtered.refused),
                    None => all.push(filtered.clone()),
                }
            }
        }
        all
    }

    /// By what name the true client greeted. Behind a front end the session's own greeting is the front end's.
    fn introduction(&self) -> Option<Introduction> {
        let greeting = if self.proxied.is_some() { self.told_greeting } else { self.greeting };
        greeting.map(Introduction::helo)
    }

    fn login(&self, line: Line, account: Option<Text>, result: LoginResult) -> Login {
        Login {
            at: line.at,
            host: line.host,
            account,
            address: Some(self.client_address()),
            protocol: self.protocol,
            result,
            times: 1,
            mechanism: self.mechanism,
            client: self.greeting,
            introduction: self.introduction(),
            session: None,
            provider: None,
            place: line.place,
            inferred: false,
        }
    }

    fn logins_into(&self, logins: &mut Vec<Login>) {
        logins.extend(self.users.iter().map(|(user, line)| self.login(*line, Some(*user), LoginResult::Success)));
    }

    fn failures_into(&self, _: Text, logins: &mut Vec<Login>) {
        logins.extend(self.failures.iter().map(|f| self.login(f.line, f.user, LoginResult::Failure)));
        logins.extend(self.stopped.iter().map(|(user, line)| self.login(*line, *user, LoginResult::Stopped)));
    }

    fn remap(&mut self, map: &Map) {
        let texts =
            [Some(&mut self.address), self.greeting.as_mut(), self.told_greeting.as_mut(), self.mechanism.as_mut(), self.claimed.as_mut()];
        texts.into_iter().flatten().for_each(|text| map.put(text));
        if let Some((session, address)) = &mut self.proxied {
            map.put(session);
            map.put(address);
        }
        for (user, line) in &mut self.users {
            map.put(user);
            map.put(&mut line.host);
        }
        for (user, line) in &mut self.stopped {
            user.iter_mut().for_each(|user| map.put(user));
            map.put(&mut line.host);
        }
        for failure in &mut self.failures {
            failure.user.iter_mut().for_each(|user| map.put(user));
            map.put(&mut failure.line.host);
        }
        let filtered = self.filtered.iter_mut().map(|(line, transaction)| {
            map.put(&mut line.host);
            transaction
        });
        self.transactions.iter_mut().chain(filtered).for_each(|transaction| transaction.remap(map));
    }
}

impl Transaction {
    fn new(line: Line, sender: Text) -> Transaction {
        Transaction { line, sender, accepted: Vec::new(), refused: Vec::new(), end: TransactionEnd::Open }
    }

    /// The words by which the sender was refused.
    fn sender_refused(&self) -> Option<Text> {
        self.refused.first().filter(|refused| refused.address.is_none()).map(|refused| refused.reply)
    }

    /// Where it is told: the first refusal, or its beginning.
    pub(super) fn place(&self) -> Place {
        self.line.place
    }

    fn remap(&mut self, map: &Map) {
        map.put(&mut self.line.host);
        map.put(&mut self.sender);
        self.accepted.iter_mut().for_each(|address| map.put(address));
        for refused in &mut self.refused {
            refused.address.iter_mut().for_each(|address| map.put(address));
            map.put(&mut refused.reply);
            map.put(&mut refused.line.host);
        }
        if let TransactionEnd::Accepted(Some(id)) = &mut self.end {
            map.put(id);
        }
    }
}
/// Whether an address is that of a user whose name alone is logged.
fn is_with_domain(texts: &TextPool, address: Text, name: &[u8]) -> bool {
    let address = texts.bytes(address);
    let rest = address.split_at_checked(name.len()).filter(|(local, _)| local.eq_ignore_ascii_case(name));
    rest.is_some_and(|(_, rest)| rest.starts_with(b"@"))
}
