//! Sessions that a server logs command by command: who authenticated, how often in vain, what was refused before a message existed.
//!
//! Records of a session count in the order of their numbers, whatever the order in which they come: logs are gathered, sorted and cut by
//! hand. So what a session says is taken down, and read when it has ended.
//! A front end passes an authenticated session on to another service, which logs it again; the pair is one session and one login.
//! What a filter's own log tells of a session waits for the end of the evidence, so that it makes no difference which log is read first.

use super::lives::Line;
use super::remap::Map;
use crate::domain::place::Place;
use crate::domain::rows::{Introduction, Login, LoginResult, Protocol, SessionLog};
use crate::domain::text::{Text, TextPool};
use crate::formats::event::{Command, DialogueEvent, DialogueFact};
use hashbrown::hash_map::Entry;
use hashbrown::{HashMap, HashSet};
use std::collections::VecDeque;

/// Commands that may wait for their reply; more of them means that replies are missing.
const PENDING_MAX: usize = 4096;
/// Facts taken down before they are read; in a session with more of them, those that come later count as later.
const TAKEN_DOWN_MAX: usize = 1 << 20;
/// Before this many rows of a session nothing is said that matters.
const FIRST_ROWS: u32 = 4;
/// A session whose log is all there, in order, is kept for late rows until this many others have ended.
const ENDED_LATELY: usize = 256;

/// What is taken down of a session while it lasts.
struct Open {
    protocol: Protocol,
    address: Text,
    facts: Vec<Stamped>,
    /// They have come in the order of their numbers.
    in_order: bool,
    /// The session's end is in evidence.
    ended: bool,
    /// What was read of it already, if it says more than can be kept.
    read: Option<Box<Dialogue>>,
}

/// A fact with its place in its session and in the log.
#[derive(Clone, Copy, Debug)]
struct Stamped {
    number: u32,
    line: Line,
    fact: Fact,
}

/// A [`DialogueFact`] to be kept.
#[derive(Clone, Copy, Debug)]
enum Fact {
    Greeted {
        name: Text,
    },
    Proxied {
        session: Text,
        address: Text,
        greeting: Option<Text>,
    },
    PassedOn,
    Mechanism {
        name: Text,
    },
    Claimed {
        user: Text,
    },
    /// `in_full`: with the domain.
    Authenticated {
        user: Option<Text>,
        in_full: bool,
    },
    AuthFailed {
        answered: bool,
    },
    Stopped {
        user: Option<Text>,
        in_full: bool,
    },
    Mail {
        sender: Text,
    },
    Recipient {
        address: Text,
    },
    Data,
    Reset,
    Other,
    Reply {
        code: u16,
        text: Text,
        message: Option<Text>,
    },
}

impl Fact {
    /// `None` for the end, which is no fact, and for a filter's word, which is not the session's own.
    fn new(texts: &mut TextPool, told: &DialogueFact<'_>) -> Option<Fact> {
        let mut some = |text: &[u8]| (!text.is_empty()).then(|| texts.intern(text));
        Some(match told {
            DialogueFact::Greeted { name } => Fact::Greeted { name: texts.intern(name) },
            DialogueFact::Proxied { session, address, greeting } => {
                let greeting = some(greeting);
                Fact::Proxied { session: texts.intern(session), address: texts.intern(address), greeting }
            }
            DialogueFact::PassedOn => Fact::PassedOn,
            DialogueFact::Mechanism { name } => Fact::Mechanism { name: texts.intern(name) },
            DialogueFact::Claimed { user } => Fact::Claimed { user: texts.intern(user) },
            DialogueFact::Authenticated { user } => Fact::Authenticated { user: some(user), in_full: user.contains(&b'@') },
            DialogueFact::AuthFailed { answered, .. } => Fact::AuthFailed { answered: *answered },
            DialogueFact::Stopped { user, .. } => Fact::Stopped { user: some(user), in_full: user.contains(&b'@') },
            DialogueFact::Command(Command::Mail(sender)) => Fact::Mail { sender: texts.intern(sender) },
            DialogueFact::Command(Command::Recipient(address)) => Fact::Recipient { address: texts.intern(&address.to_ascii_lowercase()) },
            DialogueFact::Command(Command::Data) => Fact::Data,
            DialogueFact::Command(Command::Reset) => Fact::Reset,
            DialogueFact::Command(Command::Other) => Fact::Other,
            DialogueFact::Reply { code, text, message } => {
                // Nobody asks for the words of an acceptance, which are of one message alone.
                let text = if *code >= REFUSALS { texts.intern(text) } else { texts.intern(b"") };
                Fact::Reply { code: *code, text, message: message.map(|id| texts.intern(id)) }
            }
            DialogueFact::Refused { .. } | DialogueFact::Ended => return None,
        })
    }
}

/// Replies from this code on are refusals.
const REFUSALS: u16 = 400;

impl Open {
    fn new(protocol: Protocol, address: Text) -> Open {
        Open { protocol, address, facts: Vec::new(), in_order: true, ended: false, read: None }
    }

    /// Takes down a fact. One without a number comes where it comes.
    fn take(&mut self, line: Line, number: Option<u32>, fact: Fact) {
        let last = self.facts.last().map_or(0, |last| last.number);
        let number = number.unwrap_or(last);
        self.in_order &= number >= last;
        self.facts.push(Stamped { number, line, fact });
        if self.facts.len() >= TAKEN_DOWN_MAX {
            let mut read = self.read.take().unwrap_or_else(|| Box::new(Dialogue::new(self.protocol, self.address)));
            self.read_into(&mut read);
            self.read = Some(read);
        }
    }

    /// Whether nothing is likely to be missing from a session whose end has this number.
    fn is_whole(&self, end: u32) -> bool {
        let reaches = |first: &Stamped| first.number <= FIRST_ROWS || self.read.is_some();
        self.in_order && self.facts.first().is_some_and(reaches) && self.facts.last().is_none_or(|last| last.number <= end)
    }

    fn read_into(&mut self, dialogue: &mut Dialogue) {
        if !self.in_order {
            self.facts.sort_by_key(|stamped| stamped.number);
            self.in_order = true;
        }
        self.facts.drain(..).for_each(|stamped| dialogue.take(stamped.line, stamped.fact));
    }

    /// What the session says; `None` if that is nothing at all.
    fn into_dialogue(mut self) -> Option<Dialogue> {
        if self.facts.is_empty() && self.read.is_none() {
            return None;
        }
        let mut dialogue = self.read.take().map_or_else(|| Dialogue::new(self.protocol, self.address), |read| *read);
        self.read_into(&mut dialogue);
        dialogue.close();
        Some(dialogue)
    }
}

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
    /// The last one that was stopped is yet to be answered.
    stop_unanswered: bool,
    failures: Vec<Failure>,
    pending: VecDeque<Pending>,
    transaction: Option<Transaction>,
    transactions: Vec<Transaction>,
    /// What a filter's own log says was refused, each with its `Message-ID`, which those refused before the message itself have not.
    filtered: Vec<(Text, Transaction)>,
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

/// What a filter's own log says was refused, by the id of the session and the peer's address. Its host goes by another name there.
#[derive(Clone, Debug)]
struct Filtered {
    session: Text,
    address: Text,
    message: Text,
    transaction: Transaction,
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
    /// It went on elsewhere, under another id.
    pub(super) passed_on: bool,
    pub(super) transactions: Vec<Transaction>,
}

/// A session: its host, its id, and the log of that host.
type Key = (Text, Text, Text);

/// The sessions of one shard, then of all.
#[derive(Default)]
pub(super) struct Dialogues {
    open: HashMap<Key, Open>,
    /// Sessions whose end came in last, in that order.
    lately: VecDeque<Key>,
    ended: Vec<(Key, Dialogue)>,
    filtered: Vec<Filtered>,
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
        let id = texts.intern(event.id);
        if let DialogueFact::Refused { message, sender, recipient, text } = event.fact {
            let mut transaction = Transaction::new(line, texts.intern(sender));
            let recipient = (!recipient.is_empty()).then(|| texts.intern(&recipient.to_ascii_lowercase()));
            transaction.refused.push(Refused { address: recipient, reply: texts.intern(text), line });
            transaction.end = TransactionEnd::Refused;
            let (address, message) = (texts.intern(event.address), texts.intern(message));
            return self.filtered.push(Filtered { session: id, address, message, transaction });
        }
        let key = (line.host, id, texts.intern(event.log));
        let Some(fact) = Fact::new(texts, &event.fact) else {
            let address = texts.intern(event.address);
            return self.ended(key, event.number, || Open::new(event.protocol, address));
        };
        let address = texts.intern(event.address);
        self.open.entry(key).or_insert_with(|| Open::new(event.protocol, address)).take(line, event.number, fact);
    }

    /// Ends a session at once where its log counts nothing, and else when it is likely to be whole and no late row has come for a while;
    /// one whose rows are to come after its end waits for them as long as there is evidence.
    fn ended(&mut self, key: Key, number: Option<u32>, new: impl FnOnce() -> Open) {
        let Some(number) = number else { return self.end(key) };
        let open = match self.open.entry(key) {
            Entry::Occupied(open) => open.into_mut(),
            Entry::Vacant(_) if number < FIRST_ROWS => return,
            Entry::Vacant(place) => place.insert(new()),
        };
        if !open.ended && open.is_whole(number) {
            self.lately.push_back(key);
        }
        open.ended = true;
        if self.lately.len() > ENDED_LATELY {
            self.lately.pop_front().into_iter().for_each(|key| self.end(key));
        }
    }

    fn end(&mut self, key: Key) {
        let Some((protocol, dialogue)) = self.open.remove(&key).and_then(|open| Some((open.protocol, open.into_dialogue()?))) else {
            return;
        };
        if protocol == Protocol::SmtpAuth {
            self.seen.insert((key.0, key.1));
        }
        if dialogue.tells_something() {
            self.ended.push((key, dialogue));
        } else {
            self.foreign_rejects += dialogue.refusals;
        }
    }

    /// Takes in another shard's sessions.
    pub(super) fn absorb(&mut self, mut other: Dialogues, map: &Map) {
        std::mem::take(&mut other.lately).into_iter().for_each(|key| other.end(key));
        let mut left: Vec<Key> = other.open.keys().copied().collect();
        left.sort_unstable();
        left.into_iter().for_each(|key| other.end(key));
        for ((mut host, mut id, mut log), mut dialogue) in other.ended {
            [&mut host, &mut id, &mut log].into_iter().for_each(|text| map.put(text));
            dialogue.remap(map);
            self.ended.push(((host, id, log), dialogue));
        }
        for mut filtered in other.filtered {
            map.put(&mut filtered.session);
            map.put(&mut filtered.address);
            map.put(&mut filtered.message);
            filtered.transaction.remap(map);
            self.filtered.push(filtered);
        }
        for (mut host, mut id) in other.seen {
            map.put(&mut host);
            map.put(&mut id);
            self.seen.insert((host, id));
        }
        self.foreign_rejects += other.foreign_rejects;
    }

    /// Joins front ends with what they passed on: one login and one list of transactions for each session.
    pub(super) fn finish(mut self) -> Told {
        self.settle_filtered();
        let mut told = Told { seen: self.seen, foreign_rejects: self.foreign_rejects, ..Told::default() };
        let front_ends: HashMap<Passed, usize> = self
            .ended
            .iter()
            .enumerate()
            .filter(|(_, (_, d))| d.proxied.is_none() && !d.users.is_empty())
            .map(|(n, ((_, id, _), d))| ((*id, d.address), n))
            .collect();
        told.untold = halves(&self.ended, &front_ends);
        let passed_on: HashSet<Passed> =
            self.ended.iter().filter(|(_, d)| !d.transactions.is_empty()).filter_map(|(_, d)| d.proxied).collect();
        for ((host, id, _), dialogue) in &self.ended {
            let front = dialogue.proxied.and_then(|passed| front_ends.get(&passed)).and_then(|n| self.ended.get(*n));
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
            let transactions = if passed_on.contains(&(*id, dialogue.address)) { Vec::new() } else { dialogue.all_transactions() };
            told.sessions.push(UserSession {
                host: *host,
                id: *id,
                user,
                address: seen.client_address(),
                client,
                passed_on: dialogue.passed_on,
                transactions,
            });
        }
        told
    }

    /// Gives what filters refused to the sessions in which they did, which another log tells of. Of a stranger's session that log has told
    /// the refusals already.
    fn settle_filtered(&mut self) {
        self.filtered.sort_by_key(|filtered| (filtered.transaction.line.at, filtered.transaction.line.place));
        let mut of_users: HashMap<Text, Vec<usize>> = HashMap::new();
        for (number, ((_, id, _), _)) in self.ended.iter().enumerate().filter(|(_, (_, d))| !d.users.is_empty() || d.proxied.is_some()) {
            of_users.entry(*id).or_default().push(number);
        }
        let seen: HashSet<Text> = self.seen.iter().map(|(_, id)| *id).collect();
        for filtered in std::mem::take(&mut self.filtered) {
            let is_of = |n: &&usize| self.ended.get(**n).is_some_and(|(_, d)| d.has_peer(filtered.address));
            let mut found = of_users.get(&filtered.session).into_iter().flatten().filter(is_of);
            match (found.next().copied(), found.next()) {
                (Some(number), None) => {
                    if let Some((_, dialogue)) = self.ended.get_mut(number) {
                        dialogue.filter(filtered.message, filtered.transaction);
                    }
                }
                _ if seen.contains(&filtered.session) => {}
                _ => self.foreign_rejects += 1,
            }
        }
    }
}

/// What names a front end's session in the log of the service that took it over: its id, and the client's address. Other servers' front
/// ends may have sessions of the same id.
type Passed = (Text, Text);

/// Halves of sessions: what a front end passed on and no log shows as taken over, and what was taken over from a front end whose log
/// does not show it.
fn halves(ended: &[(Key, Dialogue)], front_ends: &HashMap<Passed, usize>) -> Vec<Untold> {
    let taken_over: HashSet<Passed> = ended.iter().filter_map(|(_, d)| d.proxied).collect();
    let missing = |id: Text, dialogue: &Dialogue| match dialogue.proxied {
        Some(passed) => (!front_ends.contains_key(&passed)).then_some(SessionLog::FrontEnd),
        None => {
            let went_on = dialogue.passed_on && dialogue.transactions.is_empty();
            (went_on && !taken_over.contains(&(id, dialogue.address))).then_some(SessionLog::Hub)
        }
    };
    let half = |((_, id, _), dialogue): &(Key, Dialogue)| {
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
            stop_unanswered: false,
            failures: Vec::new(),
            pending: VecDeque::new(),
            transaction: None,
            transactions: Vec::new(),
            filtered: Vec::new(),
            refusals: 0,
        }
    }

    fn take(&mut self, line: Line, fact: Fact) {
        match fact {
            Fact::Greeted { name } => {
                self.greeting = Some(name);
                self.close_transaction();
                self.wait_alone();
            }
            Fact::Proxied { session, address, greeting } => {
                self.told_greeting = greeting;
                self.proxied = Some((session, address));
                self.wait(Pending::Other);
            }
            Fact::PassedOn => self.passed_on = true,
            Fact::Mechanism { name } => {
                self.mechanism = Some(name);
                self.stop_unanswered = false;
                self.wait_alone();
            }
            Fact::Claimed { user } => self.claim(user),
            Fact::Authenticated { user, in_full } => {
                if let Some(user) = self.user(user, in_full).filter(|user| !self.users.iter().any(|(known, _)| known == user)) {
                    self.users.push((user, line));
                }
            }
            Fact::AuthFailed { answered } => self.failed(line, answered),
            Fact::Stopped { user, in_full } => {
                let user = self.user(user, in_full);
                self.stopped.push((user, line));
                // The other protocols tell of it in the row of the reply.
                self.stop_unanswered = self.protocol == Protocol::SmtpAuth;
            }
            Fact::Mail { sender } => self.wait(Pending::Mail(sender, line)),
            Fact::Recipient { address } => self.wait(Pending::Recipient(address)),
            Fact::Data => self.wait(Pending::Data),
            Fact::Reset => {
                self.close_transaction();
                self.wait(Pending::Other);
            }
            Fact::Other => self.wait(Pending::Other),
            Fact::Reply { code, text, message } => self.reply(line, code, text, message),
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

    /// The user that a server names, or as the client gave it where the server names none or, of POP3, leaves the domain out.
    fn user(&self, named: Option<Text>, in_full: bool) -> Option<Text> {
        let best = named.filter(|_| in_full || self.protocol != Protocol::Pop3);
        best.or(self.claimed).or(named)
    }

    /// A name told after a failure is of that failure; SMTP tells it so, POP before the password.
    fn claim(&mut self, user: Text) {
        match self.failures.last_mut().filter(|failure| failure.user.is_none() && self.protocol == Protocol::SmtpAuth) {
            Some(failure) => failure.user = Some(user),
            None => self.claimed = Some(user),
        }
    }

    /// The reason and the reply of one failure are two rows; some versions write the reply alone, others the same reason twice. A login
    /// that was stopped although the password was right gets the same reply.
    fn failed(&mut self, line: Line, answered: bool) {
        if answered {
            self.pending.clear();
            if std::mem::take(&mut self.stop_unanswered) {
                return;
            }
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

    fn reply(&mut self, line: Line, code: u16, text: Text, message: Option<Text>) {
        match code {
            // Go on: the answer to the message itself is to come.
            354 => return,
            // Logged in, which is asked for alone.
            235 => return self.pending.clear(),
            _ => {}
        }
        let Some(command) = self.pending.pop_front() else { return };
        let refused = code >= REFUSALS;
        self.refusals += u64::from(refused && !matches!(command, Pending::Other));
        let refusal = |address| Refused { address, reply: text, line };
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

    /// Takes in what a filter refused: a row for each recipient of a message.
    fn filter(&mut self, message: Text, refused: Transaction) {
        match self.filtered.iter_mut().find(|(known, t)| *known == message && t.sender == refused.sender) {
            Some((_, known)) => known.refused.extend(refused.refused),
            None => self.filtered.push((message, refused)),
        }
    }

    /// Whether an address is that of its peer, or of the client behind it.
    fn has_peer(&self, address: Text) -> bool {
        self.address == address || self.proxied.is_some_and(|(_, client)| client == address)
    }

    /// The true client: behind a front end the one it names.
    fn client_address(&self) -> Text {
        self.proxied.map_or(self.address, |(_, address)| address)
    }

    /// Its transactions, and what only a filter's log says was refused.
    fn all_transactions(&self) -> Vec<Transaction> {
        let mut all = self.transactions.clone();
        if !all.iter().any(|t| !t.refused.is_empty()) {
            all.extend(self.filtered.iter().map(|(_, transaction)| transaction.clone()));
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
        self.transactions.iter_mut().for_each(|transaction| transaction.remap(map));
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
