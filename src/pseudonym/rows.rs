//! The rows of the tables. Each text is rewritten for each sense it is used in, once where it recurs, into a new pool of texts.

use super::Pseudonyms;
use crate::domain::rows::{
    Action, ArchiveCopies, ClockSkew, HostFact, HostHour, HostNote, Introduction, Login, MailboxUse, Message, Notice, ProviderWord,
    Recipient, Returned, Rows, UntoldSession,
};
use crate::domain::text::{Text, TextPool};
use hashbrown::HashMap;

/// In what sense a text is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Sense {
    /// A login name or mail address.
    Account,
    /// An IP address.
    Address,
    Host,
    /// A client's verified name, its HELO, or what it says it is.
    Client,
    /// What a server said.
    Reply,
    /// A relay, a mechanism, an application: names may stand in it.
    Prose,
    /// An id of a session or a record.
    Id,
    /// A place on earth.
    Title,
    /// The name of a country; queue ids.
    Kept,
}

/// The texts of the rows before and after.
struct Pools<'p> {
    pseudonyms: &'p Pseudonyms<'p>,
    old: TextPool,
    new: TextPool,
    done: HashMap<(Text, Sense), Text>,
}

impl Pools<'_> {
    /// Rewrites a text.
    fn put(&mut self, text: &mut Text, sense: Sense) {
        let key = (*text, sense);
        *text = match self.done.get(&key) {
            Some(done) => *done,
            None => {
                let done = self.new.intern(self.rewritten(*text, sense).as_bytes());
                self.done.insert(key, done);
                done
            }
        };
    }

    /// Rewrites a text that hardly ever comes twice, and keeps no note of it.
    fn put_once(&mut self, text: &mut Text, sense: Sense) {
        *text = match self.old.bytes(*text) {
            b"" => self.new.intern(b""),
            _ => self.new.add(self.rewritten(*text, sense).as_bytes()),
        };
    }

    fn put_any(&mut self, text: &mut Option<Text>, sense: Sense) {
        if let Some(text) = text {
            self.put(text, sense);
        }
    }

    fn rewritten(&self, text: Text, sense: Sense) -> String {
        let text = self.old.show(text);
        let names = &self.pseudonyms.names;
        match sense {
            Sense::Account => names.account(&text),
            Sense::Address => names.address(&text),
            Sense::Host => names.host(&text),
            Sense::Client => self.pseudonyms.client(&text),
            Sense::Reply => self.pseudonyms.reply(&text),
            Sense::Prose => self.pseudonyms.sentence(&text),
            Sense::Id => names.id(&text),
            Sense::Title => names.title(&text),
            Sense::Kept => text.into_owned(),
        }
    }
}

impl Pseudonyms<'_> {
    pub(super) fn rows(&self, rows: &mut Rows) {
        let Rows {
            texts,
            logins,
            messages,
            recipients,
            notices,
            returned,
            mailbox_uses,
            actions,
            differing_sign_ins: _,
            host_notes,
            spellings,
            untold,
            clock_skews,
            activity,
            foreign_rejects: _,
            vanished_transactions: _,
            vanished_of,
            unopened_messages: _,
            redirected_messages: _,
            forged_senders: _,
            untold_messages: _,
            web_sending: _,
            doubtful_web_messages: _,
            archive_copies,
        } = rows;
        let mut pools = Pools { pseudonyms: self, old: std::mem::take(texts), new: TextPool::default(), done: HashMap::new() };
        logins.iter_mut().for_each(|row| login(&mut pools, row));
        messages.iter_mut().for_each(|row| message(&mut pools, row));
        recipients.iter_mut().for_each(|row| recipient(&mut pools, row));
        for Notice { at: _, message: _, place: _, lost: _ } in notices {}
        for Returned { address, host, first: _, last: _, count: _, made_here: _, into_mailbox: _, place: _ } in returned {
            pools.put(address, Sense::Account);
            pools.put(host, Sense::Host);
        }
        mailbox_uses.iter_mut().for_each(|row| mailbox_use(&mut pools, row));
        actions.iter_mut().for_each(|row| self.action(&mut pools, row));
        host_notes.iter_mut().for_each(|row| host_note(&mut pools, row));
        for (spelling, account) in spellings {
            pools.put(spelling, Sense::Account);
            pools.put(account, Sense::Account);
        }
        for UntoldSession { at: _, host, account, address, missing: _ } in untold {
            pools.put(host, Sense::Host);
            pools.put_any(account, Sense::Account);
            pools.put_any(address, Sense::Address);
        }
        for (account, _) in vanished_of {
            pools.put(account, Sense::Account);
        }
        for ArchiveCopies { host, address, messages: _, taken_out: _ } in archive_copies {
            pools.put(host, Sense::Host);
            pools.put(address, Sense::Account);
        }
        for ClockSkew { ahead, behind, least: _, most: _, recipients: _ } in clock_skews {
            pools.put(ahead, Sense::Host);
            pools.put(behind, Sense::Host);
        }
        for HostHour { host, first: _, last: _ } in activity {
            pools.put(host, Sense::Host);
        }
        *texts = pools.new;
    }

    /// A client's name. One word without a `/` is a host's name or address; anything longer is what a program says of itself.
    pub(super) fn client(&self, text: &str) -> String {
        let word = text.trim();
        if word.contains(|c: char| c.is_whitespace() || matches!(c, '/' | ';' | '=' | '@' | ',')) {
            return self.sentence(text);
        }
        if is_client_kind(word) { word.to_owned() } else { self.names.host(word) }
    }

    /// A reply. What the header of a message said, where a header check quotes it, is its writer's word.
    pub(super) fn reply(&self, text: &str) -> String {
        const QUOTED: [&str; 2] = ["header ", "body "];
        let quoted = QUOTED.iter().find_map(|word| Some((word, text.find(word)? + word.len())));
        match quoted.filter(|(word, at)| **word == "body " || text[*at..].split([' ', ';']).next().is_some_and(|name| name.ends_with(':')))
        {
            None => self.sentence(text),
            Some((_, at)) => {
                let (before, quote) = text.split_at(at);
                let end = quote.rfind(" from ").or_else(|| quote.find("; ")).unwrap_or(quote.len());
                format!("{}{}{}", self.sentence(before), self.names.title(&quote[..end]), self.sentence(&quote[end..]))
            }
        }
    }

    fn action(&self, pools: &mut Pools<'_>, row: &mut Action) {
        let Action { at: _, host, kind, account, actor, address, client, detail, failed: _, place: _ } = row;
        pools.put(host, Sense::Host);
        pools.put_any(account, Sense::Account);
        pools.put_any(actor, Sense::Account);
        pools.put_any(address, Sense::Address);
        pools.put_any(client, Sense::Client);
        let shown = self.detail(kind.as_str(), &pools.old.show(*detail));
        *detail = pools.new.intern(shown.as_bytes());
    }
}

/// Kinds of client that providers tell in one word.
fn is_client_kind(word: &str) -> bool {
    const KINDS: [&str; 11] = ["", "-", "browser", "imap", "imap4", "pop", "pop3", "smtp", "unknown", "outlook", "mapi"];
    KINDS.iter().any(|kind| word.eq_ignore_ascii_case(kind))
}

fn login(pools: &mut Pools<'_>, row: &mut Login) {
    let Login {
        at: _,
        host,
        account,
        address,
        protocol: _,
        result: _,
        times: _,
        mechanism,
        client,
        introduction,
        session,
        provider,
        place: _,
        inferred: _,
    } = row;
    pools.put(host, Sense::Host);
    pools.put_any(account, Sense::Account);
    pools.put_any(address, Sense::Address);
    pools.put_any(mechanism, Sense::Prose);
    pools.put_any(client, Sense::Client);
    if let Some(Introduction { by: _, words }) = introduction {
        pools.put(words, Sense::Client);
    }
    pools.put_any(session, Sense::Id);
    if let Some(word) = provider {
        provider_word(pools, word);
    }
}

fn provider_word(pools: &mut Pools<'_>, word: &mut ProviderWord) {
    let ProviderWord { event_id, correlation, application, token: _, code: _, refusal: _, country, city, asn, written: _ } = word;
    pools.put_any(event_id, Sense::Id);
    pools.put_any(correlation, Sense::Id);
    pools.put_any(application, Sense::Prose);
    pools.put_any(country, Sense::Kept);
    pools.put_any(city, Sense::Title);
    asn.iter_mut().for_each(|asn| *asn = pools.pseudonyms.names.asn(*asn));
}

fn message(pools: &mut Pools<'_>, row: &mut Message) {
    let Message {
        submitted: _,
        host,
        queue_id,
        message_id,
        account,
        attribution: _,
        kind: _,
        protocol: _,
        sender,
        address,
        client,
        size: _,
        outcome: _,
        first_recipient: _,
        recipients: _,
        place: _,
    } = row;
    pools.put(host, Sense::Host);
    pools.put_once(queue_id, Sense::Kept);
    pools.put_once(message_id, Sense::Account);
    pools.put_any(account, Sense::Account);
    pools.put(sender, Sense::Account);
    pools.put_any(address, Sense::Address);
    pools.put_any(client, Sense::Client);
}

fn recipient(pools: &mut Pools<'_>, row: &mut Recipient) {
    let Recipient { message: _, address, outcome: _, by: _, reason: _, reply, relay, at: _, attempts: _, place: _ } = row;
    pools.put(address, Sense::Account);
    pools.put(reply, Sense::Reply);
    pools.put(relay, Sense::Prose);
}

fn mailbox_use(pools: &mut Pools<'_>, row: &mut MailboxUse) {
    let MailboxUse { at: _, account, address, session, protocol: _, bytes_out: _, items: _, deleted: _, scope: _, place: _ } = row;
    pools.put_any(account, Sense::Account);
    pools.put_any(address, Sense::Address);
    pools.put_any(session, Sense::Id);
}

fn host_note(pools: &mut Pools<'_>, row: &mut HostNote) {
    let HostNote { at: _, host, what, place: _ } = row;
    pools.put(host, Sense::Host);
    match what {
        HostFact::Started { version } => pools.put(version, Sense::Prose),
        HostFact::OwnName { name } => pools.put(name, Sense::Host),
        HostFact::Stopped | HostFact::LinesLost { count: _ } | HostFact::ClockStep => {}
    }
}
