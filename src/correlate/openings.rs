//! Mailboxes that one account opened as another's: an application that impersonates people, an account that acts for others. Requests
//! by one on one mailbox from one place without a long silence are one act.

use super::lives::Line;
use super::logins::Spellings;
use super::remap::Map;
use super::stretches::{self, Stretch};
use crate::domain::account::AccountRules;
use crate::domain::action::ActionKind;
use crate::domain::rows::Action;
use crate::domain::text::{Text, TextPool};
use crate::formats::event::{AccessEvent, AccessFact, MailboxEvent};
use hashbrown::HashMap;

/// Who opened whose mailbox, from where, by which program, and which log says so.
type Opening = (Text, Text, Option<Text>, Option<Text>, Told);

/// What tells of an opening, and by which names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Told {
    /// The log of a web service.
    Requests,
    /// An audit log's records of access.
    Records,
}

/// The names of user, mailbox, address and program.
type Named<'e> = (&'e [u8], &'e [u8], Option<&'e [u8]>, Option<&'e [u8]>);

/// The openings of one shard, then of all.
#[derive(Default)]
pub(super) struct Openings(HashMap<Opening, Vec<Stretch<u64>>>);

impl Openings {
    /// Takes in a request if it opened a mailbox that is not its user's own.
    pub(super) fn take(&mut self, texts: &mut TextPool, line: Line, event: &AccessEvent<'_>) {
        let (Some(user), Some(mailbox), AccessFact::Granted { .. }) = (event.account, event.mailbox, event.fact) else { return };
        self.add(texts, line, (user, mailbox, event.address, event.client), Told::Requests);
    }

    /// Takes in a record of access if it is one to a mailbox that is not its user's own.
    pub(super) fn take_use(&mut self, texts: &mut TextPool, line: Line, event: &MailboxEvent<'_>) {
        let (Some(user), Some(mailbox)) = (event.account, event.mailbox) else { return };
        self.add(texts, line, (user, mailbox, event.address, event.client), Told::Records);
    }

    fn add(&mut self, texts: &mut TextPool, line: Line, (user, mailbox, address, client): Named<'_>, told: Told) {
        let (address, client) = (address.map(|a| texts.intern(a)), client.map(|c| texts.intern(c)));
        let opening = (texts.intern(user), texts.intern(mailbox), address, client, told);
        stretches::add(self.0.entry(opening).or_default(), Stretch::new(line, 1));
    }

    /// Takes in another shard's openings.
    pub(super) fn absorb(&mut self, other: Openings, map: &Map) {
        for ((mut user, mut mailbox, mut address, mut client, told), mut stretches) in other.0 {
            [&mut user, &mut mailbox].into_iter().chain(&mut address).chain(&mut client).for_each(|text| map.put(text));
            stretches.iter_mut().for_each(|stretch| map.put(&mut stretch.first.host));
            self.0.entry((user, mailbox, address, client, told)).or_default().extend(stretches);
        }
    }

    /// One action for each stretch, told in the words of the log's columns.
    pub(super) fn finish(self, texts: &mut TextPool, rules: &AccountRules) -> Vec<Action> {
        let of_each = |(opening, known)| stretches::joined(known).into_iter().map(move |stretch| (opening, stretch));
        let mut all: Vec<(Opening, Stretch<u64>)> = self.0.into_iter().flat_map(of_each).collect();
        // In an order of their own before any name is completed, so that new names are numbered alike in every run.
        all.sort_by_key(|(_, stretch)| (stretch.first.at, stretch.first.place));
        let mut spell = Spellings::new(rules);
        // One's own mailbox under another name is no other's.
        all.retain(|(opening, _)| spell.canonical(texts, opening.0) != spell.canonical(texts, opening.1));
        all.into_iter().map(|(opening, stretch)| action(texts, opening, stretch)).collect()
    }
}

fn action(texts: &mut TextPool, (user, mailbox, address, client, told): Opening, stretch: Stretch<u64>) -> Action {
    let show = |text: Text| texts.show(text).into_owned();
    let (who, whose, counted) = (show(user), show(mailbox), stretch.counted);
    let detail = match told {
        Told::Requests => format!("AuthenticatedUser={who} ImpersonatedUser={whose} requests={counted}"),
        Told::Records => format!("MailItemsAccessed UserId={who} MailboxOwnerUPN={whose} records={counted}"),
    };
    Action {
        at: stretch.first.at,
        host: stretch.first.host,
        kind: ActionKind::OtherMailboxOpened,
        account: Some(mailbox),
        actor: Some(user),
        address,
        client,
        detail: texts.intern(detail.as_bytes()),
        failed: false,
        place: stretch.first.place,
    }
}
