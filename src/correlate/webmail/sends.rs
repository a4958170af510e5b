//! Messages that a webmail program says it handed in: its log names who was at it, and the message by its ids.
//!
//! That is better than any guess by time, and better than the user of the mail server's session, who may be the program itself.

use crate::correlate::lives::Line;
use crate::correlate::stretches;
use crate::domain::rows::{Login, LoginResult, Message, Protocol, Rows};
use crate::domain::text::{Text, TextPool};
use crate::domain::time::{MINUTE, Timestamp};
use crate::formats::event::WebSendEvent;
use hashbrown::{HashMap, HashSet};
use std::collections::BTreeMap;

/// How far apart the program and a mail server stamp one message that a single id tells, on its way through other hosts too.
const ON_THE_WAY: i64 = 10 * MINUTE;

/// One message by the program's log.
pub(in crate::correlate) struct WebSend {
    line: Line,
    /// As logged, until [`WebSends::finish`].
    pub(super) account: Text,
    pub(super) address: Text,
    message_id: Text,
    queue_id: Text,
}

/// The messages that webmail programs tell of.
#[derive(Default)]
pub(in crate::correlate) struct WebSends(Vec<WebSend>);

impl WebSends {
    /// Takes in a message.
    pub(in crate::correlate) fn take(&mut self, texts: &mut TextPool, line: Line, event: &WebSendEvent<'_>) {
        self.0.push(WebSend {
            line,
            account: texts.intern(event.account),
            address: texts.intern(event.address),
            message_id: texts.add(event.message_id),
            queue_id: texts.add(event.queue_id),
        });
    }

    /// The users as logged.
    pub(in crate::correlate) fn users(&self) -> impl Iterator<Item = Text> {
        self.0.iter().map(|sent| sent.account)
    }

    /// The messages in the order of time, by the accounts of their users.
    pub(in crate::correlate) fn finish(mut self, names: &HashMap<Text, Text>) -> Vec<WebSend> {
        for sent in &mut self.0 {
            sent.account = names.get(&sent.account).copied().unwrap_or(sent.account);
        }
        self.0.sort_by_key(|sent| (sent.line.at, sent.line.place));
        self.0
    }
}

/// A message of the rows and what tells of it, by their numbers.
#[derive(Clone, Copy)]
pub(super) struct Tie {
    pub(super) message: usize,
    pub(super) sent: usize,
}

/// Finds the messages that were sent: by both ids, or by one where the other is not in evidence and the time agrees.
///
/// The server that took a message from the program may have handed it on to one whose log is here: then the queue id is another.
pub(super) fn ties(sends: &[WebSend], rows: &Rows) -> Vec<Tie> {
    if sends.is_empty() {
        return Vec::new();
    }
    let bytes = |text: Text| rows.texts.bytes(text);
    let (mut by_message_id, mut by_queue_id) = (HashMap::<&[u8], Vec<usize>>::new(), HashMap::<&[u8], Vec<usize>>::new());
    for (number, sent) in sends.iter().enumerate() {
        match (bytes(sent.message_id), bytes(sent.queue_id)) {
            (b"", id) => by_queue_id.entry(id).or_default().push(number),
            (id, _) => by_message_id.entry(id).or_default().push(number),
        }
    }
    let mut exact: HashMap<usize, usize> = HashMap::new();
    let mut likely: HashMap<usize, Vec<usize>> = HashMap::new();
    for (number, message) in rows.messages.iter().enumerate() {
        let (message_id, queue_id) = (bytes(message.message_id), bytes(message.queue_id));
        for &sent in by_message_id.get(message_id).into_iter().chain(by_queue_id.get(queue_id)).flatten() {
            if bytes(sends[sent].message_id) == message_id && bytes(sends[sent].queue_id) == queue_id {
                exact.entry(sent).or_insert(number);
            } else if is_near(&sends[sent], message) {
                likely.entry(sent).or_default().push(number);
            }
        }
    }
    let mut taken: HashSet<usize> = HashSet::new();
    let mut ties = Vec::new();
    for sent in 0..sends.len() {
        let only = || likely.get(&sent).filter(|found| found.len() == 1).and_then(|found| found.first());
        if let Some(&message) = exact.get(&sent).or_else(only)
            && taken.insert(message)
        {
            ties.push(Tie { message, sent });
        }
    }
    ties
}

fn is_near(sent: &WebSend, message: &Message) -> bool {
    sent.line.at.since(message.submitted).abs() <= ON_THE_WAY
}

/// Logins that nothing but these messages shows: who sends by the program had logged in there. `had_begun` tells whether a login is in
/// evidence by which an account was at the program from an address at that time.
pub(super) fn implied_logins(sends: &[WebSend], ties: &[Tie], rows: &Rows, had_begun: impl Fn(&WebSend, Timestamp) -> bool) -> Vec<Login> {
    let submitted: HashMap<usize, Timestamp> = ties.iter().map(|tie| (tie.sent, rows.messages[tie.message].submitted)).collect();
    let mut last_sent: BTreeMap<(Text, Text), Timestamp> = BTreeMap::new();
    let mut logins = Vec::new();
    for (number, sent) in sends.iter().enumerate() {
        let at = submitted.get(&number).copied().unwrap_or(sent.line.at);
        let before = last_sent.insert((sent.account, sent.address), at);
        let goes_on = before.is_some_and(|before| at.since(before) <= stretches::IDLE);
        if !goes_on && !had_begun(sent, at) {
            logins.push(login(sent, at));
        }
    }
    logins
}

fn login(sent: &WebSend, at: Timestamp) -> Login {
    Login {
        at,
        host: sent.line.host,
        account: Some(sent.account),
        address: Some(sent.address),
        protocol: Protocol::Webmail,
        result: LoginResult::Success,
        times: 1,
        mechanism: None,
        client: None,
        introduction: None,
        session: None,
        provider: None,
        place: sent.line.place,
        inferred: true,
    }
}
