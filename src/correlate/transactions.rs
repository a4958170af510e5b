//! The last step: lives, refused transactions and logins become the rows of the tables.

use super::archive_copies;
use super::beginnings::{Beginnings, Begun, Root, Seen};
use super::dialogues::Untold;
use super::gathered::Gathered;
use super::handovers::{HandOver, HandOvers};
use super::joins;
use super::life::{Life, Opener};
use super::links::{self, Links};
use super::logins::{Logins, Spellings};
use super::own::Own;
use super::own_names;
use super::returned::LostNotices;
use super::session_words::{self, SessionWord};
use super::sessions::{RefusedTransaction, SessionLogin, Sessions};
use super::settle::{Desk, Ends, Head, HostLogs, Known, Settler};
use super::splits::{self, Seeker};
use super::store::Store;
use super::submission_proxy;
use super::trail_rows::{Attributed, Writer};
use super::webmail::{self, WebSends};
use crate::config::Settings;
use crate::domain::outcome::MessageOutcome;
use crate::domain::place::Place;
use crate::domain::rows::{Attribution, ClockSkew, Kind, Message, Notice, Protocol, Recipient, Rows, UntoldSession};
use crate::domain::text::{Text, TextPool};
use crate::domain::time::Timestamp;
use hashbrown::{HashMap, HashSet};
use rayon::prelude::*;
use std::sync::{Mutex, PoisonError};

/// Messages settled side by side before their rows are written and their lives given up.
const SETTLED_TOGETHER: usize = 1 << 13;

/// Messages whose lives are fetched from memory together.
const WARMED_TOGETHER: usize = 16;

/// What the shards give to be joined.
pub(super) struct Parts {
    pub(super) texts: TextPool,
    pub(super) all: Gathered,
    /// The login names that opened queue files.
    pub(super) users: HashSet<Text>,
    pub(super) sessions: Sessions,
    pub(super) logins: Logins,
    pub(super) tracked: Attributed,
    pub(super) web_sends: WebSends,
    /// The last instant of each host's log.
    pub(super) host_ends: HashMap<Text, Timestamp>,
    /// Notices that came to nobody.
    pub(super) lost: LostNotices,
}

/// Joins everything.
pub(super) fn build(settings: &Settings, parts: Parts) -> Rows {
    let Parts { mut texts, mut all, users, mut sessions, logins, tracked, web_sends, host_ends, lost } = parts;
    let smtp = std::mem::take(&mut sessions.logins);
    let failures = std::mem::take(&mut sessions.failures);
    let unnamed: Vec<SessionLogin> = smtp.iter().filter(|l| l.user.is_none()).cloned().collect();
    let done = logins.finish(&mut texts, &settings.accounts, smtp, failures);
    let mut names = done.spellings;
    let mut spell = Spellings::new(&settings.accounts);
    let named = users.into_iter().chain(sessions.refused.iter().filter_map(|r| r.user)).chain(tracked.users()).chain(web_sends.users());
    let mut users: Vec<Text> = named.collect();
    users.sort_unstable();
    users.dedup();
    for user in users {
        names.entry(user).or_insert_with(|| spell.canonical(&mut texts, user));
    }
    let untold = untold(&tracked, &names);
    let own = own_names::gather(settings, &texts, &all, &done.host_notes, &host_ends, &names);
    let words = session_words::gather(&mut all, &sessions);
    (sessions.counts, sessions.unended) = (Vec::new(), Vec::new());
    let logs = HostLogs { ends: &host_ends, counting: &sessions.counting };
    let empty = texts.intern(b"");
    let seeker = Seeker::new(&texts, &own);
    let beginnings = Beginnings { texts: &texts, words: &words, names: &names, logs, seeker, empty };
    let (mut links, mut seen) = links::link(&all, &texts, |seen, number, life| beginnings.look(seen, number, life));
    splits::join(&all, seen.iter_mut().flat_map(Seen::take_pieces).collect(), &mut links);
    let known = KnownBeside { links: &links, own: &own, words: &words, lost: &lost, logs, empty };
    let begun = Begun::new(seen, &links);
    let rows = Rows {
        logins: done.logins,
        mailbox_uses: done.mailbox_uses,
        actions: done.actions,
        differing_sign_ins: done.differing_sign_ins,
        host_notes: done.host_notes,
        untold,
        clock_skews: clock_skews(&links, &texts),
        ..Rows::default()
    };
    let senders = begun.accounts();
    let mut builder =
        Builder { rows, known, names: &names, handovers: HandOvers::new(&own, &settings.accounts), vanished_of: HashMap::new() };
    let mut refused = builder.refused(&texts, &sessions.refused, &senders);
    begun.others.iter().for_each(|&other| drop_tree(&mut all, &links, other));
    if !begun.roots.is_empty() || !refused.as_slice().is_empty() {
        // Rows are written into a pool of their own, with the same numbers, while messages are settled by the other.
        let mut grown = texts.clone();
        grown.reserve(begun.recipients);
        builder.messages(&texts, &mut grown, &mut all, &begun.roots, &mut refused);
        texts = grown;
    }
    let mut rows = Rows { vanished_of: in_order(&texts, builder.vanished_of), ..builder.rows };
    name_unnamed_logins(&mut rows, &unnamed, &senders);
    rows.untold_messages = sessions.untold_messages();
    rows.foreign_rejects = sessions.foreign_rejects + tracked.foreign_rejects();
    let mut canonical = |texts: &mut TextPool, name: Text| spell.canonical(texts, name);
    let mut writer = Writer { own: &own, names: &mut names, spell: &mut canonical, host_ends: &host_ends, empty };
    joins::add(&mut rows, writer.drafts(&mut texts, tracked), &texts);
    rows.spellings = names.iter().map(|(from, to)| (*from, *to)).collect();
    rows.spellings.sort_unstable_by(|a, b| texts.bytes(a.0).cmp(texts.bytes(b.0)));
    rows.notices.sort_by_key(|n| (n.at, n.place));
    rows.host_notes.sort_by_key(|n| (n.at, n.place));
    rows.texts = texts;
    submission_proxy::settle(&mut rows);
    webmail::settle(&mut rows, web_sends, &names);
    archive_copies::take_out(&mut rows);
    rows
}

/// Counts by account, the most first.
pub(super) fn in_order(texts: &TextPool, counts: HashMap<Text, u64>) -> Vec<(Text, u64)> {
    let mut counts: Vec<(Text, u64)> = counts.into_iter().collect();
    counts.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| texts.bytes(a.0).cmp(texts.bytes(b.0))));
    counts
}

/// Clocks that differ, in the order of the hosts' names.
fn clock_skews(links: &Links, texts: &TextPool) -> Vec<ClockSkew> {
    let row = |((ahead, behind), skew): (&(Text, Text), &links::Skew)| ClockSkew {
        ahead: *ahead,
        behind: *behind,
        least: skew.least,
        most: skew.most,
        recipients: skew.recipients,
    };
    let mut skews: Vec<ClockSkew> = links.skews.iter().map(row).collect();
    skews.sort_by(|a, b| (texts.bytes(a.ahead), texts.bytes(a.behind)).cmp(&(texts.bytes(b.ahead), texts.bytes(b.behind))));
    skews
}

/// Sessions whose other half is in no log, by the accounts of their users.
fn untold(tracked: &Attributed, names: &HashMap<Text, Text>) -> Vec<UntoldSession> {
    let row = |half: Untold| UntoldSession {
        at: half.line.at,
        host: half.line.host,
        account: names.get(&half.user).copied(),
        address: half.address,
        missing: half.missing,
    };
    let mut rows: Vec<(Place, UntoldSession)> = tracked.untold().into_iter().map(|half| (half.line.place, row(half))).collect();
    rows.sort_by_key(|(place, row)| (row.at, *place));
    rows.into_iter().map(|(_, row)| row).collect()
}

/// Gives up a life that belongs to no message, and those it leads to alone.
fn drop_tree(all: &mut Gathered, links: &Links, number: u32) {
    let mut left = vec![number];
    let mut life = Life::default();
    while let Some(number) = left.pop() {
        if links.contested.contains(&number) || !all.read(number, &mut life) {
            continue;
        }
        left.extend((0..life.recipients.len()).filter_map(|at| links.onward(number, at)));
        all.give_up(number);
    }
}

/// What is known when lives are settled, but for what changes meanwhile.
#[derive(Clone, Copy)]
struct KnownBeside<'a> {
    links: &'a Links,
    own: &'a Own,
    words: &'a HashMap<u32, SessionWord>,
    lost: &'a LostNotices,
    logs: HostLogs<'a>,
    empty: Text,
}

impl<'a> KnownBeside<'a> {
    fn with(self, all: &'a Gathered, texts: &'a TextPool) -> Known<'a> {
        let KnownBeside { links, own, words, lost, logs, empty } = self;
        Known { all, links, texts, own, words, lost, logs, empty }
    }
}

/// A message, settled.
struct Settled {
    root: Root,
    head: Head,
    ends: Ends,
}

/// A transaction refused before it got a queue id, settled.
struct Refused<'a> {
    transaction: &'a RefusedTransaction,
    account: Option<Text>,
    attribution: Attribution,
    ends: Ends,
}

struct Builder<'a> {
    rows: Rows,
    known: KnownBeside<'a>,
    /// Login name as logged to account.
    names: &'a HashMap<Text, Text>,
    handovers: HandOvers<'a>,
    /// The vanished transactions of each account.
    vanished_of: HashMap<Text, u64>,
}

impl Builder<'_> {
    /// Settles all messages and writes their rows in the order of time, those refused early among them.
    ///
    /// While the rows of some are written, the next are settled.
    fn messages(
        &mut self,
        texts: &TextPool,
        grown: &mut TextPool,
        all: &mut Gathered,
        roots: &[Root],
        refused: &mut std::vec::IntoIter<Refused<'_>>,
    ) {
        let mut claimed: HashSet<u32> = HashSet::new();
        let desks = Mutex::new(Vec::new());
        let mut settled = Vec::new();
        for roots in roots.chunks(SETTLED_TOGETHER).chain([[].as_slice()]) {
            let known = self.known.with(all, texts);
            let (next, given_up) =
                rayon::join(|| settle_side_by_side(known, roots, &desks), || self.write(grown, known, &mut claimed, settled, refused));
            given_up.into_iter().for_each(|number| all.give_up(number));
            settled = next;
        }
        for late in refused {
            self.push_refused(grown, late);
        }
    }

    /// Writes the rows of settled messages, and gives back the lives they were made of.
    fn write(
        &mut self,
        texts: &mut TextPool,
        known: Known<'_>,
        claimed: &mut HashSet<u32>,
        settled: Vec<Vec<Settled>>,
        refused: &mut std::vec::IntoIter<Refused<'_>>,
    ) -> Vec<u32> {
        let mut given_up = Vec::with_capacity(2 * SETTLED_TOGETHER);
        for Settled { root, head, mut ends } in settled.into_iter().flatten() {
            if ends.contested {
                (_, ends) = Settler::new(known, Some(claimed), Desk::default()).message(root.number);
            }
            let earlier = |r: &&Refused<'_>| (r.transaction.line.at, r.transaction.line.place) < (root.opened, root.place);
            while refused.as_slice().first().filter(earlier).is_some() {
                refused.next().into_iter().for_each(|early| self.push_refused(texts, early));
            }
            given_up.extend_from_slice(&ends.lives);
            self.push_root(texts, root.number, &head, &ends);
        }
        given_up
    }

    fn push_root(&mut self, texts: &mut TextPool, number: u32, life: &Head, ends: &Ends) {
        if life.cut_off {
            self.rows.vanished_transactions += 1;
            if let Opener::Client { user: Some(user), .. } = life.opener
                && let Some(&account) = self.names.get(&user)
            {
                *self.vanished_of.entry(account).or_default() += 1;
            }
            return;
        }
        // A forward or a notice has a parent or no sender; any other message that begins within the host was handed in by somebody.
        self.rows.unopened_messages += u64::from(matches!(life.opener, Opener::Unseen | Opener::Internal));
        let came_from = self.known.words.get(&number).and_then(|word| word.came_from);
        let (address, client, user) = match (life.opener, came_from) {
            (Opener::Client { user, .. }, Some((peer, known))) => (Some(peer.address), Some(peer.name), user.or(known)),
            (Opener::Client { address, name, user, .. }, None) => (Some(address), Some(name), user),
            _ => (None, None, None),
        };
        let kind = match life.opener {
            Opener::Client { .. } if user.is_some() => Kind::Submission,
            Opener::Pickup { .. } => Kind::Local,
            Opener::Client { .. } | Opener::Unseen | Opener::Internal => Kind::Inbound,
        };
        let sender = life.sender.unwrap_or(self.known.empty);
        let (account, attribution) = match user.and_then(|u| self.names.get(&u).copied()) {
            Some(account) => (Some(account), Attribution::Named),
            None if self.known.links.passed_on.contains(&number) => (None, Attribution::Nothing),
            None => {
                let from = address.zip(client).map(|(address, name)| HandOver { address, name, sender });
                match from.and_then(|from| self.handovers.account(texts, &self.rows.logins, from)) {
                    Some(account) => (Some(account), Attribution::EnvelopeSender),
                    None => (None, Attribution::Nothing),
                }
            }
        };
        let message = Message {
            submitted: life.opened,
            host: life.host,
            queue_id: life.long_id.unwrap_or_else(|| texts.add(life.id.text().unwrap_or_default())),
            message_id: life.message_id.map_or(self.known.empty, |id| texts.add(ends.name(id))),
            account,
            attribution,
            kind,
            protocol: Protocol::SmtpAuth,
            sender,
            address,
            client,
            size: life.size,
            outcome: MessageOutcome::settle(&[0; 9]),
            first_recipient: 0,
            recipients: 0,
            place: life.place,
        };
        self.rows.redirected_messages += u64::from(ends.redirected && message.account.is_some());
        self.push(texts, message, ends);
    }

    fn push(&mut self, texts: &mut TextPool, mut message: Message, ends: &Ends) {
        let number = self.rows.messages.len() as u32;
        let mut counts = [0; 9];
        message.first_recipient = self.rows.recipients.len() as u32;
        message.recipients = ends.fates.len() as u32;
        for fate in &ends.fates {
            counts[fate.outcome as usize] += 1;
            self.rows.recipients.push(Recipient {
                message: number,
                address: texts.intern(ends.name(fate.address)),
                outcome: fate.outcome,
                by: fate.by,
                reason: fate.reason,
                reply: fate.reply,
                relay: fate.relay,
                at: fate.at,
                attempts: fate.attempts,
                place: fate.place,
            });
        }
        message.outcome = MessageOutcome::settle(&counts);
        self.rows.messages.push(message);
        self.rows.notices.extend(ends.notices.iter().map(|notice| Notice { message: number, ..*notice }));
    }

    /// Settles the transactions that were refused early, in the order of time.
    fn refused<'r>(
        &self,
        texts: &TextPool,
        refused: &'r [RefusedTransaction],
        senders: &HashMap<Text, Text>,
    ) -> std::vec::IntoIter<Refused<'r>> {
        let nothing = Gathered::new(Vec::new(), Store::default());
        let mut settler = Settler::new(self.known.with(&nothing, texts), None, Desk::default());
        // One session has one user: a known sender of one transaction speaks for the others.
        let mut of_session: HashMap<Place, Option<Text>> = HashMap::new();
        for transaction in refused {
            if let Some(account) = transaction.sender.and_then(|s| senders.get(&s).copied()) {
                let known = of_session.entry(transaction.session).or_insert(Some(account));
                *known = known.filter(|k| *k == account);
            }
        }
        let settle = |transaction: &'r RefusedTransaction| {
            let named = transaction.user.and_then(|u| self.names.get(&u).copied());
            let by_sender = transaction.sender.and_then(|s| senders.get(&s).copied());
            let by_session = of_session.get(&transaction.session).copied().flatten();
            let (account, attribution) = match (named, by_sender.or(by_session)) {
                (Some(account), _) => (Some(account), Attribution::Named),
                (None, Some(account)) => (Some(account), Attribution::Session),
                (None, None) => (None, Attribution::Nothing),
            };
            Refused { transaction, account, attribution, ends: settler.refused(&transaction.refusals, transaction.unnamed) }
        };
        let mut settled: Vec<Refused<'r>> = refused.iter().map(settle).collect();
        settled.sort_by_key(|r| (r.transaction.line.at, r.transaction.line.place));
        settled.into_iter()
    }

    fn push_refused(&mut self, texts: &mut TextPool, refused: Refused<'_>) {
        let Refused { transaction, account, attribution, ends } = refused;
        let message = Message {
            submitted: transaction.line.at,
            host: transaction.line.host,
            queue_id: self.known.empty,
            message_id: self.known.empty,
            account,
            attribution,
            kind: Kind::Submission,
            protocol: Protocol::SmtpAuth,
            sender: transaction.sender.unwrap_or(self.known.empty),
            address: Some(transaction.peer.address),
            client: Some(transaction.peer.name),
            size: None,
            outcome: MessageOutcome::settle(&[0; 9]),
            first_recipient: 0,
            recipients: 0,
            place: transaction.line.place,
        };
        self.push(texts, message, &ends);
    }
}

/// Settles messages on all threads; the results are in the order of the roots.
fn settle_side_by_side(known: Known<'_>, roots: &[Root], desks: &Mutex<Vec<Desk>>) -> Vec<Vec<Settled>> {
    let free = || desks.lock().unwrap_or_else(PoisonError::into_inner);
    let settle = |roots: &[Root]| {
        let desk = free().pop().unwrap_or_default();
        let mut settler = Settler::new(known, None, desk);
        let mut message = |&root: &Root| {
            let (head, ends) = settler.message(root.number);
            Settled { root, head, ends }
        };
        let mut settled = Vec::with_capacity(roots.len());
        for roots in roots.chunks(WARMED_TOGETHER) {
            known.all.warm(roots.iter().map(|root| root.number));
            known.all.warm(roots.iter().filter_map(|root| known.links.onward(root.number, 0)));
            settled.extend(roots.iter().map(&mut message));
        }
        free().push(settler.leave());
        settled
    };
    roots.par_chunks(SETTLED_TOGETHER / 16).map(settle).collect()
}

/// A login that only the command counters show gets its name from the envelope sender, where one account alone uses that sender.
fn name_unnamed_logins(rows: &mut Rows, unnamed: &[SessionLogin], senders: &HashMap<Text, Text>) {
    let named: HashMap<_, Text> = unnamed.iter().filter_map(|login| Some((login.line.place, *senders.get(&login.sender?)?))).collect();
    for login in rows.logins.iter_mut().filter(|l| l.account.is_none()) {
        if let Some(account) = named.get(&login.place) {
            login.account = Some(*account);
            login.inferred = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::correlate::testing::{fates, rows, rows_of_files};

    /// A session of two messages, of which only the SMTP server's lines are left, and the log that goes on for an hour.
    fn smtp_server_alone(end: &str) -> String {
        format!(
            "Oct 31 16:01:01 mail postfix/smtpd[7]: connect from unknown[203.0.113.5]
Oct 31 16:01:01 mail postfix/smtpd[7]: 1A2B3C4D5E: client=unknown[203.0.113.5], sasl_method=PLAIN, sasl_username=suzuki
Oct 31 16:01:02 mail postfix/smtpd[7]: 2A2B3C4D5E: client=unknown[203.0.113.5], sasl_method=PLAIN, sasl_username=suzuki
{end}Oct 31 17:01:02 mail postfix/smtpd[7]: connect from unknown[203.0.113.5]
Oct 31 17:01:03 mail postfix/smtpd[7]: disconnect from unknown[203.0.113.5] ehlo=1 quit=1 commands=2
"
        )
    }

    #[test]
    fn what_the_server_counted_as_taken_in_is_a_message_though_all_other_lines_are_missing() {
        let disconnect = |counted: &str| format!("Oct 31 16:01:03 mail postfix/smtpd[7]: disconnect from unknown[203.0.113.5]{counted}\n");
        let told = |end: &str| {
            let rows = rows_of_files(&[&smtp_server_alone(end)]);
            (rows.messages.len(), rows.recipients.len(), rows.vanished_transactions)
        };
        assert_eq!(told(&disconnect(" ehlo=1 auth=1 mail=2 rcpt=5 data=2 quit=1 commands=12")), (2, 5, 0));
        // One was taken back, and nobody says which.
        assert_eq!(told(&disconnect(" ehlo=1 auth=1 mail=2 rcpt=5 data=1 rset=1 quit=1 commands=12")), (0, 0, 0));
        // The end of the session is missing.
        assert_eq!(told(""), (0, 0, 2));
        let rows = rows_of_files(&[&smtp_server_alone("")]);
        let whose: Vec<(String, u64)> = rows.vanished_of.iter().map(|(account, n)| (rows.show(*account), *n)).collect();
        assert_eq!(whose, [("suzuki@u.example".to_owned(), 2)]);
    }

    #[test]
    fn messages_of_which_no_line_tells_who_handed_them_in_are_counted() {
        // With cleanup's lines a message seems to begin within the host; that of the notice does.
        let cleanup = |at: &str, id: &str| format!("Oct 31 {at} mail postfix/cleanup[8]: {id}: message-id=<{id}@pc>\n");
        for (message_id, notice_id) in
            [(String::new(), String::new()), (cleanup("16:01:01", "1A2B3C4D5E"), cleanup("16:01:02", "3A2B3C4D5E"))]
        {
            let rows = rows_of_files(&[&format!(
                "{message_id}Oct 31 16:01:01 mail postfix/qmgr[9]: 1A2B3C4D5E: from=<suzuki@u.example>, size=267, nrcpt=1 (queue active)
Oct 31 16:01:02 mail postfix/smtp[5]: 1A2B3C4D5E: to=<a@x.test>, relay=mx.x.test[192.0.2.9]:25, delay=0, delays=0/0/0/0, dsn=5.0.0, status=bounced (550 no)
Oct 31 16:01:02 mail postfix/qmgr[9]: 1A2B3C4D5E: removed
{notice_id}Oct 31 16:01:02 mail postfix/bounce[5]: 1A2B3C4D5E: sender non-delivery notification: 3A2B3C4D5E
Oct 31 16:01:02 mail postfix/qmgr[9]: 3A2B3C4D5E: from=<>, size=2670, nrcpt=1 (queue active)
"
            )]);
            assert_eq!((rows.messages.len(), rows.unopened_messages), (1, 1));
        }
    }

    #[test]
    fn messages_that_the_server_alone_counted_are_told() {
        let end = "Oct 31 16:01:03 mail postfix/smtpd[7]: disconnect from unknown[203.0.113.5] ehlo=1 auth=1 mail=4 rcpt=5 data=4 quit=1 commands=12\n";
        assert_eq!(rows_of_files(&[&smtp_server_alone(end)]).untold_messages, 2);
        let no_client_line: String =
            smtp_server_alone(end).lines().filter(|line| !line.contains("client=")).map(|line| format!("{line}\n")).collect();
        assert_eq!(rows_of_files(&[&no_client_line]).untold_messages, 4);
        // The lines about them are in another file.
        let client_lines: String =
            smtp_server_alone(end).lines().filter(|line| line.contains("client=")).map(|line| format!("{line}\n")).collect();
        assert_eq!(rows_of_files(&[&client_lines, &no_client_line]).untold_messages, 0);
    }

    #[test]
    fn what_lies_in_the_queue_untried_waits_only_where_the_log_ends_soon_after() {
        let told = |end: &str| {
            fates(&format!(
                "16:01:01 mail postfix/smtpd[7]: 1A2B3C4D5E: client=unknown[203.0.113.5], sasl_method=PLAIN, sasl_username=suzuki
                 16:01:01 mail postfix/qmgr[9]: 1A2B3C4D5E: from=<suzuki@u.example>, size=267, nrcpt=2 (queue active)
                 {end} mail postfix/smtpd[7]: connect from unknown[203.0.113.5]"
            ))
        };
        assert_eq!(told("16:05:01"), ["suzuki@u.example: deferred [=deferred =deferred]"]);
        assert_eq!(told("17:05:01"), ["suzuki@u.example: unknown [=unknown =unknown]"]);
    }

    #[test]
    fn a_redirected_message_has_only_the_recipient_it_went_to() {
        let lines = "
            16:01:01 mail postfix/smtpd[7]: 1A2B3C4D5E: client=unknown[203.0.113.5], sasl_method=PLAIN, sasl_username=suzuki
            16:01:01 mail postfix/cleanup[6]: 1A2B3C4D5E: redirect: header Subject: x from unknown[203.0.113.5]; from=<suzuki@u.example> to=<b@x.test> proto=ESMTP helo=<pc>: r@x.test
            16:01:01 mail postfix/qmgr[9]: 1A2B3C4D5E: from=<suzuki@u.example>, size=267, nrcpt=2 (queue active)
            16:01:01 mail postfix/smtp[5]: 1A2B3C4D5E: to=<r@x.test>, orig_to=<a@x.test>, relay=mx.x.test[192.0.2.9]:25, delay=0, delays=0/0/0/0, dsn=2.0.0, status=sent (250 ok)
            16:01:01 mail postfix/qmgr[9]: 1A2B3C4D5E: removed";
        assert_eq!(fates(lines), ["suzuki@u.example: delivered [r@x.test=delivered]"]);
        assert_eq!(rows(lines).redirected_messages, 1);
    }

    #[test]
    fn a_forged_sender_refused_in_a_session_is_put_down_to_the_user_of_the_session() {
        let lines = "
            16:01:01 mail postfix/smtpd[7]: 1A2B3C4D5E: client=unknown[203.0.113.5], sasl_method=PLAIN, sasl_username=suzuki
            16:01:01 mail postfix/qmgr[9]: 1A2B3C4D5E: from=<suzuki@u.example>, size=267, nrcpt=1 (queue active)
            16:01:02 mail postfix/smtp[5]: 1A2B3C4D5E: to=<a@x.test>, relay=mx.x.test[192.0.2.9]:25, delay=0, delays=0/0/0/0, dsn=2.0.0, status=sent (250 ok)
            16:01:02 mail postfix/smtpd[7]: disconnect from unknown[203.0.113.5] ehlo=1 auth=1 mail=1 rcpt=1 data=1 quit=1 commands=6
            16:02:01 mail postfix/smtpd[7]: connect from unknown[203.0.113.5]
            16:02:01 mail postfix/smtpd[7]: NOQUEUE: reject: RCPT from unknown[203.0.113.5]: 554 5.7.1 <b@x.test>: Recipient address rejected: rate limit exceeded; from=<suzuki@u.example> to=<b@x.test> proto=ESMTP helo=<pc>
            16:02:02 mail postfix/smtpd[7]: NOQUEUE: reject: RCPT from unknown[203.0.113.5]: 554 5.7.1 <c@x.test>: Recipient address rejected: rate limit exceeded; from=<bank@z.test> to=<c@x.test> proto=ESMTP helo=<pc>
            16:02:03 mail postfix/smtpd[7]: disconnect from unknown[203.0.113.5] ehlo=1 auth=1 mail=2 rcpt=0/2 rset=1 quit=1 commands=6/8";
        assert_eq!(fates(lines).iter().filter(|f| f.starts_with("suzuki@u.example: blocked")).count(), 2, "{:?}", fates(lines));
    }

    #[test]
    fn a_transaction_that_the_client_took_back_is_no_message() {
        let lines = "
            16:01:01 mail postfix/smtpd[7]: connect from unknown[203.0.113.5]
            16:01:01 mail postfix/smtpd[7]: 1A2B3C4D5E: client=unknown[203.0.113.5], sasl_method=PLAIN, sasl_username=suzuki
            16:01:02 mail postfix/smtpd[7]: 2A2B3C4D5E: client=unknown[203.0.113.5], sasl_method=PLAIN, sasl_username=suzuki
            16:01:02 mail postfix/qmgr[9]: 2A2B3C4D5E: from=<suzuki@u.example>, size=267, nrcpt=1 (queue active)
            16:01:02 mail postfix/smtp[5]: 2A2B3C4D5E: to=<a@x.test>, relay=mx.x.test[192.0.2.9]:25, delay=0, delays=0/0/0/0, dsn=2.0.0, status=sent (250 ok)
            16:01:02 mail postfix/smtpd[7]: disconnect from unknown[203.0.113.5] ehlo=1 auth=1 mail=2 rcpt=2 data=1 rset=1 quit=1 commands=9";
        assert_eq!(fates(lines), ["suzuki@u.example: delivered [a@x.test=delivered]"]);
    }
}
