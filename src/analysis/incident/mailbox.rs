//! What the attackers could read: their mailbox sessions.

use super::Builder;
use crate::analysis::model::{MailboxAccess, Window};
use crate::analysis::profile::{got_in, is_mailbox};
use crate::domain::rows::MailboxUse;
use crate::domain::text::Text;
use crate::say::say;

impl<'a> Builder<'a> {
    pub(super) fn mailbox_uses(&self, accounts: &[Text]) -> impl Iterator<Item = &'a MailboxUse> + 'a {
        let accounts = accounts.to_vec();
        let judged = self.judged;
        self.rows()
            .mailbox_uses
            .iter()
            .filter(move |u| u.account.is_some_and(|a| accounts.contains(&a) && judged.is_attacker(a, u.address)))
    }

    /// What the attacker's mailbox sessions read.
    pub(super) fn mailbox_access(&self, accounts: &[Text]) -> MailboxAccess {
        let rows = self.rows();
        let viewable = self.viewable(accounts);
        let logged = rows.logins.iter().any(|l| is_mailbox(l.protocol) && !l.inferred) || !rows.mailbox_uses.is_empty();
        if !logged {
            let note = self.facts.said(&say!("no log of a mailbox server (IMAP, POP3, webmail) is in evidence"));
            return MailboxAccess { note: Some(note), viewable, ..MailboxAccess::default() };
        }
        let logins = || accounts.iter().flat_map(|a| self.logins_of(*a)).filter(|l| is_mailbox(l.protocol) && got_in(l));
        let uses: Vec<&MailboxUse> = self.mailbox_uses(accounts).collect();
        let times = || logins().map(|l| l.at).chain(uses.iter().map(|u| u.at));
        let sessions: u64 = logins().map(|l| u64::from(l.times)).sum();
        let untold = sessions > 0 && (uses.is_empty() || uses.iter().any(|u| u.items.is_none()));
        let bytes: u64 = uses.iter().map(|u| u.bytes_out).sum();
        let note = match (sessions, untold) {
            (0, _) => None,
            (_, true) => Some(say!(
                "the logs do not say for every session which messages were fetched; {bytes} bytes were sent to the client",
                bytes
            )),
            (_, false) => {
                Some(say!("{bytes} bytes were sent to the client; headers and previews can be read without fetching a message", bytes))
            }
        };
        MailboxAccess {
            determinable: true,
            sessions: Some(sessions),
            items: if untold { None } else { Some(uses.iter().filter_map(|u| u.items).sum()) },
            first: times().min().map(|t| self.facts.stamp(t)),
            last: times().max().map(|t| self.facts.stamp(t)),
            viewable,
            note: note.map(|note| self.facts.said(&note)),
        }
    }

    /// From the first login, whatever it was for, to the last act.
    fn viewable(&self, accounts: &[Text]) -> Option<Window> {
        let from = accounts.iter().filter_map(|account| self.first_login(*account)).map(|(at, _)| at).min()?;
        let to = accounts.iter().filter_map(|account| self.last_activity(*account)).max()?;
        Some(Window { from: self.facts.stamp(from), to: self.facts.stamp(to.max(from)) })
    }
}
