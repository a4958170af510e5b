//! What the attackers could read: their mailbox sessions.

use super::Builder;
use crate::analysis::model::{MailboxAccess, Window};
use crate::analysis::profile::{got_in, opens_mailbox, purpose_untold};
use crate::domain::rows::{AccessScope, MailboxUse, Protocol};
use crate::domain::text::Text;
use crate::say::say;

impl<'a> Builder<'a> {
    /// What attackers did in mailboxes, in the time that is asked for.
    pub(super) fn mailbox_uses(&self, accounts: &[Text]) -> impl Iterator<Item = &'a MailboxUse> + 'a {
        let (rows, deeds, judged) = (self.rows(), self.ground.deeds, self.judged);
        let accounts: Vec<_> = accounts.iter().map(|account| (*account, self.asked(*account))).collect();
        accounts.into_iter().flat_map(move |(account, asked)| {
            let in_time = move |used: &&MailboxUse| asked.get(&used.address).is_none_or(|asked| asked.holds(used.at));
            deeds.uses(rows, account).filter(move |used| judged.is_attacker(account, used.address)).filter(in_time)
        })
    }

    /// What the attacker's mailbox sessions read.
    pub(super) fn mailbox_access(&self, accounts: &[Text]) -> MailboxAccess {
        let viewable = self.viewable(accounts);
        let witnesses = self.ground.witnesses;
        if self.flood.is_some() {
            let note = self.facts.said(&say!("no origin of the account is judged, so nobody's sessions can be called an attacker's"));
            return MailboxAccess { note: Some(note), ..MailboxAccess::default() };
        }
        if witnesses.mailboxes.is_none() && witnesses.sign_ins.is_none() {
            let note = self.facts.said(&say!("no log of a mailbox server (IMAP, POP3, webmail) is in evidence"));
            return MailboxAccess { note: Some(note), viewable, ..MailboxAccess::default() };
        }
        let got_in = || accounts.iter().flat_map(|a| self.logins_of(*a)).filter(|l| got_in(l));
        let logins = || got_in().filter(|l| opens_mailbox(l));
        let uses: Vec<&MailboxUse> = self.mailbox_uses(accounts).collect();
        let times = || logins().map(|l| l.at).chain(uses.iter().map(|u| u.at));
        let sessions: u64 = logins().map(|l| u64::from(l.times)).sum();
        // Sign-ins of a tenant open mailboxes that only its audit log tells of.
        let unaudited = witnesses.sign_ins.is_some() && !witnesses.audit_log;
        let unnamed = got_in().any(|l| l.provider.is_some() && l.protocol == Protocol::Other);
        let unlogged = witnesses.unlogged().reduce(|a, b| say!("{a} or {b}", a, b));
        // What was read was read in some session.
        let unseen = sessions == 0 && !uses.is_empty();
        let uncounted = unseen || unnamed || (unaudited && got_in().any(purpose_untold)) || (unlogged.is_some() && sessions == 0);
        let unread = unaudited || !witnesses.mail_access;
        let untold_items = unread || ((sessions > 0 || uncounted) && uses.is_empty()) || uses.iter().any(|u| u.items.is_none());
        let bytes: u64 = uses.iter().map(|u| u.bytes_out).sum();
        let folders = uses.iter().filter(|u| u.items.is_none() && u.scope != AccessScope::Messages).count();
        let throttled = uses.iter().filter(|u| u.scope == AccessScope::Throttled).count();
        let mut notes = Vec::new();
        if let Some(kinds) = &unlogged {
            notes.push(say!("no log of {kinds} is in evidence, so there may have been more sessions", kinds = kinds.clone()));
        }
        if unaudited {
            notes.push(say!("no audit log of mailboxes is in evidence, so what was read is unknown"));
        } else if unread {
            notes.push(say!("the audit log in evidence has no record of access to mail, of anybody, so what was read is unknown"));
        } else if unnamed {
            notes.push(say!("the log of sign-ins that is in evidence does not say what each was for, so sessions are not counted"));
        } else if folders > 0 {
            notes.push(say!("clients synchronised whole folders ({n} record(s)): everything in these may have been read", n = folders));
        } else if untold_items && sessions > 0 {
            notes.push(say!("the logs do not say for every session which messages were fetched"));
        } else if sessions > 0 {
            notes.push(say!("headers and previews can be read without fetching a message"));
        }
        if throttled > 0 {
            notes.push(say!(
                "the provider stopped recording access for up to 24 hours ({n} record(s) say so): more may have been read than was counted",
                n = throttled
            ));
        }
        let deleted: u64 = uses.iter().map(|u| u.deleted).sum();
        if deleted > 0 {
            notes.push(say!("{n} message(s) were deleted in these sessions", n = deleted));
        }
        if bytes > 0 {
            notes.push(say!("{bytes} bytes were sent to the client", bytes));
        }
        MailboxAccess {
            determinable: !uncounted && unlogged.is_none(),
            sessions: (!uncounted).then_some(sessions),
            items: (!untold_items).then(|| uses.iter().filter_map(|u| u.items).sum()),
            first: times().min().map(|t| self.facts.stamp(t)),
            last: times().max().map(|t| self.facts.stamp(t)),
            viewable,
            note: notes.into_iter().reduce(|a, b| say!("{a}; {b}", a, b)).map(|note| self.facts.said(&note)),
        }
    }

    /// From the first login, whatever it was for, or an earlier act that shows one, to the last act.
    fn viewable(&self, accounts: &[Text]) -> Option<Window> {
        let login = accounts.iter().filter_map(|account| self.first_login(*account)).map(|(at, _)| at).min()?;
        let act = accounts.iter().filter_map(|account| self.acts_before_login(*account).first().copied()).min();
        let from = act.map_or(login, |act| act.min(login));
        let to = accounts.iter().filter_map(|account| self.last_activity(*account)).max()?;
        Some(Window { from: self.facts.stamp(from), to: self.facts.stamp(to.max(from)) })
    }
}
