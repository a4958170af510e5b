//! The last step: lives, refused transactions and logins become the rows of the tables.

use super::links;
use super::lives::{Lives, Opener};
use super::logins::Logins;
use super::own::Own;
use super::sessions::{RefusedTransaction, SessionCount, SessionLogin, Sessions, TransactionFact, TransactionNote};
use super::settle::{self, Fate, SessionWord, Settler};
use crate::config::Settings;
use crate::domain::outcome::MessageOutcome;
use crate::domain::place::Place;
use crate::domain::rows::{Attribution, HostFact, HostNote, Kind, Message, Notice, Recipient, Rows};
use crate::domain::text::{Text, TextPool};
use crate::domain::time::{DAY, MINUTE, Timestamp};
use hashbrown::{HashMap, HashSet};
use std::collections::BTreeMap;

/// A transaction that got a queue id and then nothing is put down to the end of the evidence only this close to it.
const CUT_OFF: i64 = 10 * MINUTE;

/// Joins everything.
pub(super) fn build(
    settings: &Settings,
    mut texts: TextPool,
    mut lives: Lives,
    mut sessions: Sessions,
    logins: Logins,
    host_ends: &HashMap<Text, Timestamp>,
) -> Rows {
    let smtp = std::mem::take(&mut sessions.logins);
    let failures = std::mem::take(&mut sessions.failures);
    let unnamed: Vec<SessionLogin> = smtp.iter().filter(|l| l.user.is_none()).cloned().collect();
    let done = logins.finish(&mut texts, &settings.accounts, smtp, failures);
    let mut names = done.spellings;
    let mut spell = super::logins::Spellings::new(&settings.accounts);
    for life in &lives.lives {
        if let Opener::Client { user: Some(user), .. } = life.opener {
            names.entry(user).or_insert_with(|| spell.canonical(&mut texts, user));
        }
    }
    for refused in &sessions.refused {
        if let Some(user) = refused.user {
            names.entry(user).or_insert_with(|| spell.canonical(&mut texts, user));
        }
    }
    let mut own = own_names(settings, &texts, &lives, &done.host_notes, host_ends, &names);
    let words = session_words(&mut lives, &sessions.notes, &sessions.counts);
    let links = links::link(&lives, &texts);
    let empty = texts.intern(b"");
    let handover_senders: HashMap<Text, Text> = spelled_senders(&lives, &mut texts, settings);
    let mut builder = Builder {
        rows: Rows { logins: done.logins, mailbox_uses: done.mailbox_uses, host_notes: done.host_notes, ..Rows::default() },
        settler: Settler {
            all: &lives,
            links: &links,
            texts: &texts,
            own: &mut own,
            words: &words,
            host_ends,
            empty,
            classes: HashMap::new(),
            message_of: vec![links::NONE; lives.lives.len()],
        },
        names: &names,
        handover_senders: &handover_senders,
    };
    builder.lives();
    let senders = builder.account_of_sender();
    builder.refused(&sessions.refused, &senders);
    builder.notices();
    let Builder { mut rows, .. } = builder;
    name_unnamed_logins(&mut rows, &unnamed, &senders);
    rows.spellings = names.iter().map(|(from, to)| (*from, *to)).collect();
    rows.spellings.sort_unstable_by(|a, b| texts.bytes(a.0).cmp(texts.bytes(b.0)));
    rows.foreign_rejects = sessions.foreign_rejects;
    rows.texts = texts;
    in_order_of_time(&mut rows);
    rows
}

struct Builder<'a> {
    rows: Rows,
    settler: Settler<'a>,
    /// Login name as logged to account.
    names: &'a HashMap<Text, Text>,
    /// Envelope sender to its canonical spelling.
    handover_senders: &'a HashMap<Text, Text>,
}

impl Builder<'_> {
    fn lives(&mut self) {
        let all = self.settler.all;
        let mut roots: Vec<u32> = (0..all.lives.len() as u32)
            .filter(|&n| settle::begins_message(all, self.settler.links, self.settler.texts, self.settler.words.get(&n), n))
            .collect();
        roots.sort_by_key(|&n| (all.lives[n as usize].opened, all.lives[n as usize].place));
        for root in roots {
            self.root(root);
        }
    }

    fn root(&mut self, root: u32) {
        let all = self.settler.all;
        let life = &all.lives[root as usize];
        let untouched = life.recipients == 0 && life.announced.is_none() && settle::final_decision(all, root).is_none() && !life.held;
        let evidence_left = self.settler.host_ends.get(&life.host).map_or(0, |end| end.since(life.last));
        if untouched && evidence_left > CUT_OFF {
            self.rows.vanished_transactions += 1;
            return;
        }
        let (address, client, user) = match life.opener {
            Opener::Client { address, name, user, .. } => (Some(address), Some(name), user),
            _ => (None, None, None),
        };
        let kind = match life.opener {
            Opener::Client { .. } if user.is_some() => Kind::Submission,
            Opener::Pickup { .. } | Opener::Internal => Kind::Local,
            Opener::Client { .. } | Opener::Unseen => Kind::Inbound,
        };
        let sender = life.sender.unwrap_or(self.settler.empty);
        let account = user.and_then(|u| self.names.get(&u).copied());
        let (account, attribution) = match account {
            Some(account) => (Some(account), Attribution::Named),
            None => match self.handed_over(address, client, sender) {
                Some(account) => (Some(account), Attribution::EnvelopeSender),
                None => (None, Attribution::Nothing),
            },
        };
        let number = self.rows.messages.len() as u32;
        let fates = self.settler.message(root, number);
        let message = Message {
            submitted: life.opened,
            host: life.host,
            queue_id: life.id,
            message_id: life.message_id.unwrap_or(self.settler.empty),
            account,
            attribution,
            kind,
            sender,
            address,
            client,
            size: life.size,
            outcome: MessageOutcome::settle(&[0; 9]),
            first_recipient: 0,
            recipients: 0,
            place: life.place,
        };
        self.push(message, fates);
    }

    /// The account by its envelope sender, where a host of ours whose own log is not in evidence handed the message over.
    fn handed_over(&self, address: Option<Text>, client: Option<Text>, sender: Text) -> Option<Text> {
        let texts = self.settler.texts;
        let (name, address) = (texts.bytes(client?), texts.bytes(address?));
        if self.settler.own.has_log(name) || !self.settler.own.is_own_client(name, address) {
            return None;
        }
        let sender_bytes = texts.bytes(sender);
        let domain = sender_bytes.iter().rposition(|b| *b == b'@').map(|at| &sender_bytes[at + 1..])?;
        (self.settler.own.is_own_name(domain) == Some(true)).then(|| self.handover_senders.get(&sender).copied())?
    }

    fn push(&mut self, mut message: Message, fates: Vec<Fate>) {
        let number = self.rows.messages.len() as u32;
        let mut counts = [0; 9];
        message.first_recipient = self.rows.recipients.len() as u32;
        message.recipients = fates.len() as u32;
        for fate in fates {
            counts[fate.outcome as usize] += 1;
            self.rows.recipients.push(Recipient {
                message: number,
                address: fate.address,
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
    }

    /// Envelope senders that one account alone uses.
    fn account_of_sender(&self) -> HashMap<Text, Text> {
        let mut users: HashMap<Text, Option<Text>> = HashMap::new();
        for message in self.rows.messages.iter().filter(|m| m.attribution == Attribution::Named) {
            let user = users.entry(message.sender).or_insert(message.account);
            if *user != message.account {
                *user = None;
            }
        }
        users.into_iter().filter_map(|(sender, user)| Some((sender, user?))).collect()
    }

    fn refused(&mut self, refused: &[RefusedTransaction], senders: &HashMap<Text, Text>) {
        // One session has one user: a known sender of one transaction speaks for the others.
        let mut of_session: HashMap<Place, Option<Text>> = HashMap::new();
        for transaction in refused {
            if let Some(account) = transaction.sender.and_then(|s| senders.get(&s).copied()) {
                let known = of_session.entry(transaction.session).or_insert(Some(account));
                *known = known.filter(|k| *k == account);
            }
        }
        for transaction in refused {
            let named = transaction.user.and_then(|u| self.names.get(&u).copied());
            let by_sender = transaction.sender.and_then(|s| senders.get(&s).copied());
            let by_session = of_session.get(&transaction.session).copied().flatten();
            let (account, attribution) = match (named, by_sender.or(by_session)) {
                (Some(account), _) => (Some(account), Attribution::Named),
                (None, Some(account)) => (Some(account), Attribution::Session),
                (None, None) => (None, Attribution::Nothing),
            };
            let mut fates: Vec<Fate> =
                transaction.refusals.iter().filter(|r| r.recipient.is_some()).map(|r| self.settler.refused(r)).collect();
            if let Some(last) = transaction.refusals.last() {
                let nameless = Fate { address: self.settler.empty, ..self.settler.refused(last) };
                fates.extend(std::iter::repeat_n(nameless, transaction.unnamed as usize));
            }
            let message = Message {
                submitted: transaction.line.at,
                host: transaction.line.host,
                queue_id: self.settler.empty,
                message_id: self.settler.empty,
                account,
                attribution,
                kind: Kind::Submission,
                sender: transaction.sender.unwrap_or(self.settler.empty),
                address: Some(transaction.peer.address),
                client: Some(transaction.peer.name),
                size: None,
                outcome: MessageOutcome::settle(&[0; 9]),
                first_recipient: 0,
                recipients: 0,
                place: transaction.line.place,
            };
            self.push(message, fates);
        }
    }

    fn notices(&mut self) {
        for notice in &self.settler.all.notices {
            let message = self.settler.message_of[notice.life as usize];
            if message != links::NONE {
                self.rows.notices.push(Notice { at: notice.at, message, place: notice.place });
            }
        }
    }
}

/// Our own names: configured, told by the hosts themselves, and the domains of those who log in.
fn own_names(
    settings: &Settings,
    texts: &TextPool,
    lives: &Lives,
    notes: &[HostNote],
    host_ends: &HashMap<Text, Timestamp>,
    names: &HashMap<Text, Text>,
) -> Own {
    let mut own = Own::new(&settings.domains, &settings.hosts, &settings.networks);
    let mut told = false;
    for host in host_ends.keys() {
        own.add_host(texts.bytes(*host));
        told |= texts.bytes(*host).contains(&b'.');
    }
    for note in notes {
        if let HostFact::OwnName { name } = note.what {
            own.add_host(texts.bytes(name));
            told = true;
        }
    }
    for account in names.values() {
        if let Some((_, domain)) = texts.show(*account).split_once('@') {
            own.add_domain(domain.as_bytes());
            told = true;
        }
    }
    if !told && let Some(domain) = usual_sender_domain(texts, lives, names) {
        own.add_domain(&domain);
    }
    own
}

/// The domain most accounts write from under their own name; a forged sender of one account cannot outvote the others.
fn usual_sender_domain(texts: &TextPool, lives: &Lives, names: &HashMap<Text, Text>) -> Option<Vec<u8>> {
    let mut users: BTreeMap<Vec<u8>, HashSet<Text>> = BTreeMap::new();
    for life in &lives.lives {
        let Opener::Client { user: Some(user), .. } = life.opener else { continue };
        let (Some(account), Some(sender)) = (names.get(&user), life.sender) else { continue };
        let sender = texts.bytes(sender);
        let Some(at) = sender.iter().rposition(|b| *b == b'@') else { continue };
        if sender[..at] == *texts.bytes(*account) {
            users.entry(sender[at + 1..].to_vec()).or_default().insert(*account);
        }
    }
    users.into_iter().max_by_key(|(domain, users)| (users.len(), std::cmp::Reverse(domain.clone()))).map(|(domain, _)| domain)
}

/// Canonical spelling of each envelope sender, for messages handed over by hosts whose logs are missing.
fn spelled_senders(lives: &Lives, texts: &mut TextPool, settings: &Settings) -> HashMap<Text, Text> {
    let mut spell = super::logins::Spellings::new(&settings.accounts);
    let mut spelled = HashMap::new();
    for life in &lives.lives {
        if let (Some(sender), Opener::Client { user: None, .. }) = (life.sender, life.opener)
            && !spelled.contains_key(&sender)
        {
            let canonical = spell.canonical(texts, sender);
            spelled.insert(sender, canonical);
        }
    }
    spelled
}

/// Gives what sessions said of queue ids to the lives of that name and time.
fn session_words(lives: &mut Lives, notes: &[TransactionNote], counts: &[SessionCount]) -> HashMap<u32, SessionWord> {
    let counted = counts.iter().flat_map(|c| c.transactions.iter().map(|(id, _)| (c.host, *id)));
    let wanted: HashSet<(Text, Text)> = notes.iter().map(|n| (n.host, n.queue_id)).chain(counted).collect();
    let mut named: HashMap<(Text, Text), Vec<u32>> = HashMap::new();
    for (number, life) in lives.lives.iter().enumerate() {
        if wanted.contains(&(life.host, life.id)) {
            named.entry((life.host, life.id)).or_default().push(number as u32);
        }
    }
    let nearest = |lives: &Lives, host: Text, id: Text, at: Timestamp| {
        let candidates = named.get(&(host, id)).map(Vec::as_slice).unwrap_or_default();
        let distance = |n: u32| lives.lives[n as usize].opened.since(at).abs();
        candidates.iter().copied().min_by_key(|&n| (distance(n), n)).filter(|&n| distance(n) <= DAY)
    };
    let mut words: HashMap<u32, SessionWord> = HashMap::new();
    for note in notes {
        let Some(life) = nearest(lives, note.host, note.queue_id, note.at) else { continue };
        let word = words.entry(life).or_default();
        match &note.what {
            TransactionFact::RecipientRefused(refusal) => word.refusals.push(refusal.clone()),
            TransactionFact::BrokenOff => word.broken_off = true,
            TransactionFact::Decided(decision) => lives.decided_early(life, *decision),
        }
    }
    for count in counts {
        let members: Vec<u32> = count.transactions.iter().filter_map(|(id, at)| nearest(lives, count.host, *id, *at)).collect();
        share_recipients(lives, &members, count.recipients, &mut words);
    }
    words
}

/// Tells the messages of a session that no line counts the recipients of (refused at the end, dropped, held) how many they had:
/// what the session accepted in all, less those of its other messages.
fn share_recipients(lives: &Lives, members: &[u32], accepted: u32, words: &mut HashMap<u32, SessionWord>) {
    let is_counted = |n: &u32| lives.lives[*n as usize].announced.is_some() || lives.lives[*n as usize].recipients > 0;
    let (counted, open): (Vec<u32>, Vec<u32>) = members.iter().partition(|n| is_counted(n));
    let is_handled = |n: &u32| lives.lives[*n as usize].held || settle::final_decision(lives, *n).is_some();
    if open.is_empty() || !open.iter().all(is_handled) {
        return;
    }
    let named = |n: u32| lives.recipient_numbers(n).map(|at| &lives.attempted[at as usize]).map(|a| a.orig.unwrap_or(a.address));
    let elsewhere: u32 = counted
        .iter()
        .map(|&n| match named(n).collect::<HashSet<Text>>().len() as u32 {
            0 => lives.lives[n as usize].announced.unwrap_or(0),
            originals => originals,
        })
        .sum();
    let (rest, among) = (accepted.saturating_sub(elsewhere), open.len() as u32);
    for (place, life) in open.into_iter().enumerate() {
        let share = rest / among + u32::from((place as u32) < rest % among);
        words.entry(life).or_default().accepted = Some(share.max(1));
    }
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

/// Puts messages, their recipients and notices in the order of time.
fn in_order_of_time(rows: &mut Rows) {
    let mut order: Vec<u32> = (0..rows.messages.len() as u32).collect();
    order.sort_by_key(|&n| (rows.messages[n as usize].submitted, rows.messages[n as usize].place));
    let mut new_number = vec![0; order.len()];
    for (number, &old) in order.iter().enumerate() {
        new_number[old as usize] = number as u32;
    }
    for recipient in &mut rows.recipients {
        recipient.message = new_number[recipient.message as usize];
    }
    // Stable: the recipients of a message keep their order.
    rows.recipients.sort_by_key(|r| r.message);
    rows.messages.sort_by_key(|m| (m.submitted, m.place));
    let mut first = 0;
    for message in &mut rows.messages {
        message.first_recipient = first;
        first += message.recipients;
    }
    for notice in &mut rows.notices {
        notice.message = new_number[notice.message as usize];
    }
    rows.notices.sort_by_key(|n| (n.at, n.place));
    rows.host_notes.sort_by_key(|n| (n.at, n.place));
}

#[cfg(test)]
mod tests {
    use crate::correlate::testing::fates;

    #[test]
    fn a_rule_that_drops_or_holds_a_message_before_its_queue_id_is_about_the_whole_message() {
        for (word, outcome) in [("discard", "discarded"), ("hold", "held")] {
            let lines = format!(
                "16:01:01 mail postfix/smtpd[7]: connect from unknown[203.0.113.5]
                 16:01:01 mail postfix/smtpd[7]: NOQUEUE: {word}: RCPT from unknown[203.0.113.5]: <a@x.test>: Recipient address triggers {} action; from=<suzuki@u.example> to=<a@x.test> proto=ESMTP helo=<pc>
                 16:01:01 mail postfix/smtpd[7]: 1A2B3C4D5E: client=unknown[203.0.113.5], sasl_method=PLAIN, sasl_username=suzuki
                 16:01:02 mail postfix/smtpd[7]: disconnect from unknown[203.0.113.5] ehlo=1 auth=1 mail=1 rcpt=2 data=1 quit=1 commands=7
                 17:01:02 mail postfix/smtpd[7]: connect from unknown[203.0.113.5]",
                word.to_uppercase()
            );
            let found = fates(&lines);
            assert_eq!(found.len(), 1, "{word}: {found:?}");
            assert!(found[0].starts_with(&format!("suzuki@u.example: {outcome} [")), "{found:?}");
            assert_eq!(found[0].matches(&format!("={outcome}")).count(), 2, "{found:?}");
        }
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

    #[test]
    fn recipients_of_a_refused_message_are_what_the_session_accepted_beyond_its_other_messages() {
        let lines = "
            16:01:01 mail postfix/smtpd[7]: connect from unknown[203.0.113.5]
            16:01:01 mail postfix/smtpd[7]: 1A2B3C4D5E: client=unknown[203.0.113.5], sasl_method=PLAIN, sasl_username=suzuki
            16:01:01 mail postfix/qmgr[9]: 1A2B3C4D5E: from=<suzuki@u.example>, size=267, nrcpt=1 (queue active)
            16:01:01 mail postfix/smtp[5]: 1A2B3C4D5E: to=<a@x.test>, relay=mx.x.test[192.0.2.9]:25, delay=0, delays=0/0/0/0, dsn=2.0.0, status=sent (250 ok)
            16:01:02 mail postfix/smtpd[7]: 2A2B3C4D5E: client=unknown[203.0.113.5], sasl_method=PLAIN, sasl_username=suzuki
            16:01:02 mail postfix/cleanup[6]: 2A2B3C4D5E: reject: header Subject: x from unknown[203.0.113.5]; from=<suzuki@u.example> to=<d@x.test> proto=ESMTP helo=<pc>: 5.7.1 content refused
            16:01:03 mail postfix/smtpd[7]: disconnect from unknown[203.0.113.5] ehlo=1 auth=1 mail=2 rcpt=4 data=1/2 quit=1 commands=10/11";
        assert_eq!(
            fates(lines),
            ["suzuki@u.example: delivered [a@x.test=delivered]", "suzuki@u.example: blocked [=blocked =blocked d@x.test=blocked]"]
        );
    }

    #[test]
    fn a_relay_is_known_to_log_for_itself_by_its_full_name_though_its_log_has_the_short_one() {
        let lines = "
            16:01:01 dept postfix/smtpd[7]: 1A2B3C4D5E: client=unknown[203.0.113.5], sasl_method=PLAIN, sasl_username=suzuki
            16:01:01 dept postfix/qmgr[9]: 1A2B3C4D5E: from=<suzuki@u.example>, size=267, nrcpt=1 (queue active)
            16:01:02 core postfix/smtpd[7]: 2A2B3C4D5E: client=dept.u.example[198.51.100.7]
            16:01:02 core postfix/cleanup[6]: 2A2B3C4D5E: reject: header Subject: x from dept.u.example[198.51.100.7]; from=<suzuki@u.example> to=<d@x.test> proto=ESMTP helo=<dept.u.example>: 5.7.1 spam
            16:01:02 dept postfix/smtp[5]: 1A2B3C4D5E: to=<d@x.test>, relay=core.u.example[198.51.100.8]:25, delay=0, delays=0/0/0/0, dsn=5.7.1, status=bounced (host core.u.example[198.51.100.8] said: 550 5.7.1 spam (in reply to end of DATA command))";
        assert_eq!(fates(lines).iter().filter(|f| f.starts_with("suzuki")).count(), 1, "{:?}", fates(lines));
    }
}
