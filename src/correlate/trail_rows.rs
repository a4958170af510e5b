//! From trails to rows: whose each message is, the one outcome of each recipient, and what sessions tell of messages that have no
//! trail.

use super::dialogues::{Refused, Told, Transaction, TransactionEnd, Untold, UserSession};
use super::lives::Line;
use super::own::Own;
use super::trail_ends::{Ends, QUEUE_LIFETIME, unknown};
use super::trail_facts::Accepted;
use super::trails::{Trail, TrailNotice, Trails};
use crate::domain::outcome::{By, MessageOutcome, Outcome};
use crate::domain::rows::{Attribution, Kind, Message, Notice, Protocol, Recipient, SessionLog};
use crate::domain::text::{Text, TextPool};
use crate::domain::time::{DAY, HOUR, Timestamp};
use crate::formats;
use crate::formats::event::{TrailFate, TrailKind};
use hashbrown::{HashMap, HashSet};
use rayon::prelude::*;

/// A message that a session says it took in comes into the tracking log at once.
const TAKEN_IN: i64 = HOUR;

/// A message with its recipients, before they are put in the order of all.
pub(super) struct Draft {
    pub(super) message: Message,
    pub(super) recipients: Vec<Recipient>,
    /// They bear the message's number once it has one.
    pub(super) notices: Vec<Notice>,
}

impl Draft {
    /// Whether nothing says where the message came in.
    fn is_ownerless(&self) -> bool {
        self.message.account.is_none() && self.message.kind == Kind::Inbound && self.message.address.is_none()
    }
}

/// Whose a message is.
#[derive(Clone, Copy, Debug)]
struct Whose {
    trail: u32,
    kind: Kind,
    /// The login name or address as logged.
    user: Option<Text>,
    address: Option<Text>,
    client: Option<Text>,
}

/// All messages of trails with what names their users.
pub(super) struct Attributed {
    trails: Trails,
    told: Told,
    messages: Vec<Whose>,
    by_session: HashMap<(Text, Text), usize>,
}

/// Use of an account that a message shows and no login tells.
pub(super) struct Implied {
    pub(super) line: Line,
    pub(super) account: Text,
    pub(super) address: Text,
    pub(super) protocol: Protocol,
}

impl Attributed {
    pub(super) fn new(texts: &TextPool, mut trails: Trails, told: Told) -> Attributed {
        let numbers = trails.join_generations(texts);
        let mut owners = owners(texts, &trails);
        let by_session = by_session(&told.sessions);
        let session = |key: (Text, Text)| by_session.get(&key).and_then(|n| told.sessions.get(*n));
        for (mailbox, user) in users_of_mailboxes(&trails, session) {
            owners.entry(mailbox).or_insert(user);
        }
        let messages = numbers.into_iter().filter_map(|number| whose(texts, &trails, number, &told, &owners, session)).collect();
        Attributed { trails, told, messages, by_session }
    }

    /// The names that users go by.
    pub(super) fn users(&self) -> impl Iterator<Item = Text> {
        self.messages.iter().filter_map(|m| m.user).chain(self.told.sessions.iter().map(|s| s.user))
    }

    pub(super) fn foreign_rejects(&self) -> u64 {
        self.told.foreign_rejects
    }

    /// Sessions whose other half is in no log; of those that only messages show, each once.
    pub(super) fn untold(&self) -> Vec<Untold> {
        let mut shown: HashSet<(Text, Text)> = HashSet::new();
        let half = |message: &Whose| {
            let accepted = self.trails.all.get(message.trail as usize)?.accepted.as_deref()?;
            // What a mailbox sent comes in by a session of the servers among themselves.
            let session = accepted.session.filter(|session| accepted.protocol.is_none() && !self.told.saw(*session))?;
            let user = message.user.filter(|_| shown.insert(session))?;
            Some(Untold { line: accepted.line, user, address: message.address, missing: SessionLog::Hub })
        };
        self.told.untold.iter().copied().chain(self.messages.iter().filter_map(half)).collect()
    }

    /// Uses of accounts that only messages show: they were sent out of a mailbox, or in a session whose log is missing.
    pub(super) fn implied(&self) -> Vec<Implied> {
        let implied = |message: &Whose| {
            let trail = self.trails.all.get(message.trail as usize)?;
            let accepted = trail.accepted.as_deref()?;
            let told = accepted.session.is_some_and(|key| self.by_session.contains_key(&key));
            if told || accepted.address_is_proxy || accepted.kind != TrailKind::Submission {
                return None;
            }
            let protocol = accepted.protocol.unwrap_or(Protocol::SmtpAuth);
            Some(Implied { line: accepted.line, account: message.user?, address: message.address?, protocol })
        };
        self.messages.iter().filter_map(implied).collect()
    }
}

/// The session that a tracking log means by a host and an id. What was passed on is tracked by the session it went on in; of two users'
/// sessions of one id, in the logs of two services, either may be meant.
fn by_session(sessions: &[UserSession]) -> HashMap<(Text, Text), usize> {
    let mut found: HashMap<(Text, Text), usize> = HashMap::new();
    let mut doubtful: HashSet<(Text, Text)> = HashSet::new();
    for (number, session) in sessions.iter().enumerate().filter(|(_, session)| !session.passed_on) {
        let key = (session.host, session.id);
        let known = found.insert(key, number).and_then(|before| sessions.get(before));
        if known.is_some_and(|known| known.user != session.user) {
            doubtful.insert(key);
        }
    }
    found.retain(|key, _| !doubtful.contains(key));
    found
}

/// The address that most records of a mailbox give as its own.
fn owners(texts: &TextPool, trails: &Trails) -> HashMap<Text, Text> {
    let mut best: HashMap<Text, (u32, Text)> = HashMap::new();
    for ((mailbox, owner), times) in &trails.owners {
        let known = best.entry(*mailbox).or_insert((*times, *owner));
        // Of equally frequent ones the first in the alphabet, so that the order of the table does not show.
        if (*times, std::cmp::Reverse(texts.bytes(*owner))) > (known.0, std::cmp::Reverse(texts.bytes(known.1))) {
            *known = (*times, *owner);
        }
    }
    best.into_iter().map(|(mailbox, (_, owner))| (mailbox, owner)).collect()
}

/// Users of mailboxes of which sessions alone tell: who logged in where the server named that mailbox, if it was never another user, and
/// that user was never in another mailbox.
fn users_of_mailboxes<'t>(trails: &Trails, session: impl Fn((Text, Text)) -> Option<&'t UserSession>) -> Vec<(Text, Text)> {
    let mut pairs: HashSet<(Text, Text)> = HashSet::new();
    for accepted in trails.all.iter().filter_map(|trail| trail.accepted.as_deref()) {
        if let (Some(mailbox), Some(session)) = (accepted.mailbox, accepted.session.and_then(&session)) {
            pairs.insert((mailbox, session.user));
        }
    }
    let (mut mailboxes, mut users): (HashMap<Text, u32>, HashMap<Text, u32>) = (HashMap::new(), HashMap::new());
    for (mailbox, user) in &pairs {
        *mailboxes.entry(*mailbox).or_default() += 1;
        *users.entry(*user).or_default() += 1;
    }
    let alone = |count: Option<&u32>| count == Some(&1);
    pairs.into_iter().filter(|(mailbox, user)| alone(mailboxes.get(mailbox)) && alone(users.get(user))).collect()
}

/// Whose a trail's message is; `None` if it is nobody's message but the system's own.
fn whose<'t>(
    texts: &TextPool,
    trails: &Trails,
    number: u32,
    told: &Told,
    owners: &HashMap<Text, Text>,
    session: impl Fn((Text, Text)) -> Option<&'t UserSession>,
) -> Option<Whose> {
    let trail = trails.all.get(number as usize)?;
    let Some(accepted) = trail.accepted.as_deref() else {
        // Where it came in is not in evidence; that it was on its way is.
        let named = trails.recipients_of(trail).iter().any(|r| r.word.fate != TrailFate::Named);
        let moved = named || !trails.unnamed_of(number).is_empty();
        let sender = !texts.bytes(trail.sender).is_empty();
        return (moved && sender).then_some(Whose { trail: number, kind: Kind::Inbound, user: None, address: None, client: None });
    };
    let session = accepted.session.and_then(session);
    let nobody = accepted.return_path.is_some_and(|path| texts.bytes(path).is_empty());
    if accepted.kind == TrailKind::System || nobody && session.is_none() {
        return None;
    }
    let owner = accepted.mailbox.and_then(|mailbox| owners.get(&mailbox).copied());
    let by_mailbox = owner.or(accepted.mailbox_owner).filter(|_| accepted.kind == TrailKind::Submission);
    let user = session.map(|s| s.user).or(accepted.account).or(by_mailbox);
    let anonymous = accepted.session.is_some_and(|key| told.saw(key));
    let kind = match accepted.kind {
        TrailKind::Submission => Kind::Submission,
        _ if user.is_some() && accepted.kind != TrailKind::Local => Kind::Submission,
        TrailKind::Inbound | TrailKind::Undirected => Kind::Inbound,
        // From one of our own servers or programs, by its own word: a user's, unless the session's log shows that nobody logged in.
        TrailKind::Hop if !anonymous => Kind::Submission,
        TrailKind::Hop | TrailKind::Local | TrailKind::System => Kind::Local,
    };
    let told_address = accepted.address.filter(|_| !accepted.address_is_proxy);
    Some(Whose {
        trail: number,
        kind,
        user: user.filter(|_| kind == Kind::Submission),
        address: told_address.or(session.map(|s| s.address)).or(accepted.address),
        client: session.and_then(|s| s.client).or(accepted.client),
    })
}

/// Writes the rows of trails.
pub(super) struct Writer<'a> {
    pub(super) own: &'a Own,
    /// Login name or address as logged to account.
    pub(super) names: &'a mut HashMap<Text, Text>,
    /// The account of a name that none of the logs' users goes by.
    pub(super) spell: &'a mut dyn FnMut(&mut TextPool, Text) -> Text,
    pub(super) host_ends: &'a HashMap<Text, Timestamp>,
    pub(super) empty: Text,
}

impl Writer<'_> {
    /// All messages, in no order.
    pub(super) fn drafts(&mut self, texts: &mut TextPool, all: Attributed) -> Vec<Draft> {
        let ends = Ends::new(texts, self.own, self.host_ends, self.empty, &all.trails);
        let recipients = |message: &Whose| {
            let trail = all.trails.all.get(message.trail as usize)?;
            Some((trail, ends.of(&all.trails, message.trail, trail)))
        };
        let with_recipients: Vec<Option<(&Trail, Vec<Recipient>)>> = all.messages.par_iter().map(recipients).collect();
        let mut drafts = Vec::with_capacity(all.messages.len());
        let mut by_id = ById::default();
        for (message, (trail, recipients)) in all.messages.iter().zip(with_recipients).filter_map(|(m, found)| Some((m, found?))) {
            let draft = self.draft(texts, trail, message, recipients);
            by_id.0.push((trail.message_id, draft.message.submitted, drafts.len()));
            drafts.push(draft);
        }
        by_id.0.par_sort_unstable();
        let (nameless, named) = all.trails.returned(self.empty);
        for notice in named {
            if let Some(draft) = by_id.nearest(notice.about, notice.line.at).and_then(|n| drafts.get_mut(n)) {
                // Of a tenant's exports most tell no more than when the service made a notice; so all of them are dated by that.
                let at = if texts.bytes(notice.line.host) == formats::TRACE_HOST { notice.line.at } else { all.trails.returned_at(notice) };
                draft.notices.push(notice_at(at, notice));
            }
        }
        give_by_time(&mut drafts, nameless);
        for session in &all.told.sessions {
            self.session(texts, session, &mut drafts, &by_id);
        }
        drafts
    }

    fn draft(&mut self, texts: &mut TextPool, trail: &Trail, whose: &Whose, recipients: Vec<Recipient>) -> Draft {
        let accepted = trail.accepted.as_deref();
        let line = accepted.map_or(trail.start, |a| a.line);
        let sender = accepted.and_then(|a| a.return_path).filter(|p| !texts.bytes(*p).is_empty()).unwrap_or(trail.sender);
        let (account, attribution) = self.account(texts, whose, sender, accepted);
        let network = trail.network_id(texts).map_or(self.empty, |id| texts.add(&id));
        let message = Message {
            submitted: line.at,
            host: line.host,
            queue_id: network,
            message_id: trail.message_id,
            account,
            attribution,
            kind: whose.kind,
            protocol: accepted.and_then(|a| a.protocol).unwrap_or(Protocol::SmtpAuth),
            sender,
            address: whose.address,
            client: whose.client,
            size: accepted.and_then(|a| a.size),
            outcome: MessageOutcome::settle(&[0; 9]),
            first_recipient: 0,
            recipients: 0,
            place: line.place,
        };
        Draft { message, recipients, notices: Vec::new() }
    }

    fn account(&mut self, texts: &mut TextPool, whose: &Whose, sender: Text, accepted: Option<&Accepted>) -> (Option<Text>, Attribution) {
        if let Some(account) = whose.user.and_then(|user| self.names.get(&user).copied()) {
            return (Some(account), Attribution::Named);
        }
        let by_hop = accepted.is_some_and(|a| matches!(a.kind, TrailKind::Submission | TrailKind::Hop));
        if whose.kind != Kind::Submission || !by_hop || !self.is_own_address(texts, sender) {
            return (None, Attribution::Nothing);
        }
        let account = match self.names.get(&sender) {
            Some(known) => *known,
            None => (self.spell)(texts, sender),
        };
        self.names.insert(sender, account);
        (Some(account), Attribution::EnvelopeSender)
    }

    fn is_own_address(&self, texts: &TextPool, address: Text) -> bool {
        let address = texts.bytes(address);
        let domain = memchr::memrchr(b'@', address).and_then(|at| address.get(at + 1..));
        domain.is_some_and(|domain| self.own.is_own_name(domain) == Some(true))
    }

    /// What a session's own log adds: recipients refused before the rest was taken in, messages refused whole, and messages that
    /// were taken in and of which no tracking log tells.
    fn session(&mut self, texts: &mut TextPool, session: &UserSession, drafts: &mut Vec<Draft>, by_id: &ById) {
        for transaction in &session.transactions {
            let known = match transaction.end {
                TransactionEnd::Accepted(Some(id)) => by_id.nearest(id, transaction.line.at),
                _ => None,
            };
            if let Some(draft) = known.and_then(|n| drafts.get_mut(n)) {
                if draft.is_ownerless() {
                    self.own_up(draft, session, transaction);
                }
                let refused: Vec<Recipient> = transaction.refused.iter().map(|r| self.refused(texts, r)).collect();
                let new = refused.into_iter().filter(|r| !draft.recipients.iter().any(|k| k.address == r.address));
                let new: Vec<Recipient> = new.collect();
                draft.recipients.extend(new);
                continue;
            }
            if transaction.end != TransactionEnd::Open {
                drafts.push(self.untracked(texts, session, transaction));
            }
        }
    }

    /// Gives a message of which tracking tells the end and not the beginning to the user whose session handed it in.
    fn own_up(&self, draft: &mut Draft, session: &UserSession, transaction: &Transaction) {
        let accepted = transaction.accepted.iter().filter(|address| !draft.recipients.iter().any(|known| known.address == **address));
        let missing: Vec<Recipient> = accepted.map(|address| unknown(*address, self.empty, transaction.place())).collect();
        draft.recipients.extend(missing);
        let message = &mut draft.message;
        (message.submitted, message.host, message.place) = (transaction.line.at, transaction.line.host, transaction.line.place);
        (message.account, message.attribution) = (self.names.get(&session.user).copied(), Attribution::Named);
        (message.kind, message.protocol, message.sender) = (Kind::Submission, Protocol::SmtpAuth, transaction.sender);
        (message.address, message.client) = (Some(session.address), session.client);
    }

    fn untracked(&mut self, texts: &mut TextPool, session: &UserSession, transaction: &Transaction) -> Draft {
        let mut recipients: Vec<Recipient> = transaction.accepted.iter().map(|a| unknown(*a, self.empty, transaction.place())).collect();
        let several = transaction.refused.len() > 1;
        // A sender that was refused has no recipient of its own where others follow.
        let refused = transaction.refused.iter().filter(|r| r.address.is_some() || !several);
        recipients.extend(refused.map(|r| self.refused(texts, r)));
        let message_id = match transaction.end {
            TransactionEnd::Accepted(Some(id)) => id,
            _ => self.empty,
        };
        let message = Message {
            submitted: transaction.line.at,
            host: transaction.line.host,
            queue_id: self.empty,
            message_id,
            account: self.names.get(&session.user).copied(),
            attribution: Attribution::Named,
            kind: Kind::Submission,
            protocol: Protocol::SmtpAuth,
            sender: transaction.sender,
            address: Some(session.address),
            client: session.client,
            size: None,
            outcome: MessageOutcome::settle(&[0; 9]),
            first_recipient: 0,
            recipients: 0,
            place: transaction.line.place,
        };
        Draft { message, recipients, notices: Vec::new() }
    }

    fn refused(&self, texts: &TextPool, refused: &Refused) -> Recipient {
        let (outcome, reason) = formats::refusal_by_exchange(texts.bytes(refused.reply));
        Recipient {
            message: 0,
            address: refused.address.unwrap_or(self.empty),
            outcome,
            by: Some(By::Own),
            reason: Some(reason),
            reply: refused.reply,
            relay: self.empty,
            at: Some(refused.line.at),
            attempts: 1,
            place: refused.line.place,
        }
    }
}

fn notice_at(at: Timestamp, notice: &TrailNotice) -> Notice {
    Notice { at, message: 0, place: notice.line.place, lost: false }
}

/// Notices whose records do not name the message: each is about the latest message of its receiver that had failed by then and has
/// no notice yet.
fn give_by_time(drafts: &mut [Draft], mut notices: Vec<&TrailNotice>) {
    if notices.is_empty() {
        return;
    }
    let mut failed: HashMap<Text, Vec<(Timestamp, usize)>> = HashMap::new();
    for (number, draft) in drafts.iter().enumerate().filter(|(_, draft)| draft.notices.is_empty()) {
        let lost = |r: &&Recipient| matches!(r.outcome, Outcome::Blocked | Outcome::Bounced | Outcome::Expired);
        if let Some(at) = draft.recipients.iter().filter(lost).filter_map(|r| r.at).max() {
            failed.entry(draft.message.sender).or_default().push((at, number));
        }
    }
    failed.values_mut().for_each(|list| list.sort_unstable());
    notices.sort_by_key(|notice| (notice.line.at, notice.line.place));
    for notice in notices {
        let Some(list) = failed.get_mut(&notice.to) else { continue };
        let before = list.partition_point(|(at, _)| *at <= notice.line.at);
        let Some(last) = before.checked_sub(1).filter(|last| list.get(*last).is_some_and(|(at, _)| notice.line.at.since(*at) <= DAY))
        else {
            continue;
        };
        let (_, number) = list.remove(last);
        if let Some(draft) = drafts.get_mut(number) {
            draft.notices.push(notice_at(notice.line.at, notice));
        }
    }
}

/// Messages by their Message-ID and time. An attacker's messages may all bear the same one.
#[derive(Default)]
struct ById(Vec<(Text, Timestamp, usize)>);

impl ById {
    /// The message of that Message-ID which is nearest in time to an instant, if it is not much later or very old.
    fn nearest(&self, id: Text, at: Timestamp) -> Option<usize> {
        let after = self.0.partition_point(|(other, submitted, _)| (*other, *submitted) <= (id, at));
        let of_id = |n: usize| self.0.get(n).filter(|(other, ..)| *other == id);
        let before = after.checked_sub(1).and_then(of_id).filter(|(_, t, _)| at.since(*t) <= 2 * QUEUE_LIFETIME);
        let later = of_id(after).filter(|(_, t, _)| t.since(at) <= TAKEN_IN);
        let distance = |found: &&(Text, Timestamp, usize)| found.1.since(at).abs();
        before.into_iter().chain(later).min_by_key(distance).map(|(.., number)| *number)
    }
}
