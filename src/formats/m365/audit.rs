//! The unified audit log: logins, use of mailboxes, cmdlets, alerts, and what the directory records of itself.

use super::fields::Field;
use super::record::{self, Record};
use super::{Reader, clients, cmdlets, directory, sign_ins, table, values};
use crate::formats::batch::Malformed;
use crate::formats::event::{
    Acceptance, AccessScope, ActionEvent, ActionKind, LoginEvent, LoginResult, MailboxEvent, ProviderWord, TrailEvent, TrailFact, TrailId,
    TrailKind,
};
use crate::formats::record_kind::RecordKind;
use crate::formats::remark::Remark;
use crate::formats::scan;
use crate::formats::sink::Fate;

/// Where the audit log speaks, as a host.
pub(super) const HOST: &[u8] = b"audit-log";

/// Where a record says when it was made, best first.
pub(super) const TIMES: [Field; 5] = [Field::CreationTime, Field::Time, Field::LocalTime, Field::Written, Field::WrittenLocal];

/// What is done with an operation.
#[derive(Clone, Copy)]
enum Act {
    Login {
        failed: bool,
    },
    MailboxLogin,
    Access,
    Send,
    Alert,
    /// What everybody does in a mailbox or with files.
    Use(ActionKind),
}

/// Operations of records that are no cmdlets and none of the directory's, in lower case.
const OPERATIONS: &[(&[u8], Act)] = &[
    (b"userloggedin", Act::Login { failed: false }),
    (b"userloginfailed", Act::Login { failed: true }),
    (b"foreignrealmindexlogoninitialauthusingadfsfederatedtoken", Act::Login { failed: false }),
    (b"passwordlogoninitialauthusingpassword", Act::Login { failed: false }),
    (b"mailboxlogin", Act::MailboxLogin),
    (b"mailitemsaccessed", Act::Access),
    (b"send", Act::Send),
    (b"sendas", Act::Send),
    (b"sendonbehalf", Act::Send),
    (b"alerttriggered", Act::Alert),
    (b"alertentitygenerated", Act::Alert),
    (b"harddelete", Act::Use(ActionKind::MailDeleted)),
    (b"softdelete", Act::Use(ActionKind::MailDeleted)),
    (b"movetodeleteditems", Act::Use(ActionKind::MailDeleted)),
    (b"recorddelete", Act::Use(ActionKind::MailDeleted)),
    (b"move", Act::Use(ActionKind::MailMoved)),
    (b"searchqueryinitiatedexchange", Act::Use(ActionKind::MailSearched)),
    (b"searchqueryinitiatedsharepoint", Act::Use(ActionKind::MailSearched)),
    (b"searchcreated", Act::Use(ActionKind::MailSearched)),
    (b"searchstarted", Act::Use(ActionKind::MailSearched)),
    (b"updateinboxrules", Act::Use(ActionKind::InboxRuleChanged)),
    (b"addfolderpermissions", Act::Use(ActionKind::FolderPermissionGranted)),
    (b"modifyfolderpermissions", Act::Use(ActionKind::FolderPermissionGranted)),
    (b"updatecalendardelegation", Act::Use(ActionKind::FolderPermissionGranted)),
    (b"filedownloaded", Act::Use(ActionKind::FilesAccessed)),
    (b"fileaccessed", Act::Use(ActionKind::FilesAccessed)),
    (b"filesyncdownloadedfull", Act::Use(ActionKind::FilesAccessed)),
    (b"anonymouslinkcreated", Act::Use(ActionKind::FilesShared)),
    (b"sharingset", Act::Use(ActionKind::FilesShared)),
    (b"quarantinereleasemessage", Act::Use(ActionKind::QuarantineHandled)),
    (b"quarantinedeletemessage", Act::Use(ActionKind::QuarantineHandled)),
];

/// Reads what an export of the audit log holds: a record, or a row with a record in a cell.
pub(super) fn read_row<'a>(row: &Record<'a>, reader: &mut Reader<'_, 'a>) -> Fate {
    // The search itself failed; such rows hold no record.
    if row.get(Field::ResultIndex) == Some(b"-1") {
        reader.remark(Remark::QueryError);
        return Fate::NO_FACT;
    }
    number(row, reader);
    let Some(data) = row.get(Field::AuditData) else { return Fate::BAD_BODY };
    let read_at_once = if row.is_doubled { reader.objects.in_cell(data) } else { None };
    let data = if row.is_doubled && read_at_once.is_none() { table::undouble(data, reader.scratch) } else { data };
    if let Some(mut inner) = read_at_once.or_else(|| Record::of_json(data, reader.scratch)) {
        if let Some(operation) = row.get(Field::Operation) {
            inner.put(Field::Operation, operation);
        }
        return read(&inner, reader);
    }
    // A spreadsheet cuts cells at 32,767 characters: what stands before the cut is still true.
    let mut saved = Record::EMPTY;
    for field in [Field::Operation, Field::UserId] {
        if let Some(text) = row.get(field) {
            saved.put(field, text);
        }
    }
    crate::formats::json::each_member(data, |key, raw| {
        if let Some(field) = Field::of(key) {
            saved.put(field, crate::formats::json::text(raw, reader.scratch));
        }
    });
    if saved.get(Field::CreationTime).is_none() {
        return Fate::BAD_BODY;
    }
    let fate = read(&saved, reader);
    if fate == Fate::Used || fate == Fate::NO_FACT {
        reader.cut();
    }
    fate
}

/// Takes note of the number that a search gave to its hit, and of how many it found in all.
fn number(row: &Record<'_>, reader: &mut Reader<'_, '_>) {
    let number = |field| row.get(field).and_then(scan::number).map(|(n, _)| n);
    let (Some(index), Some(count)) = (number(Field::ResultIndex), number(Field::ResultCount)) else { return };
    // Searches are appended to one another, so that a number alone names no hit: each has one first hit and one last.
    reader.counts(RecordKind::Hit);
    if index == 1 {
        reader.sink.batch.kinds.add_many(RecordKind::FoundByFirst, count);
    }
    if index == count {
        reader.sink.batch.kinds.add_many(RecordKind::FoundByLast, count);
    }
}

/// Reads one record.
pub(super) fn read<'a>(record: &Record<'a>, reader: &mut Reader<'_, 'a>) -> Fate {
    let Some(operation) = record.get(Field::Operation) else { return Fate::BAD_BODY };
    let name = operation.trim_ascii().to_ascii_lowercase();
    if let Some(id) = record.get(Field::Id) {
        reader.same_as(HOST, &[id]);
    }
    let act = OPERATIONS.iter().find(|(known, _)| *known == name).map(|(_, act)| *act);
    if let Some(kind) = kind(act, &name) {
        reader.counts(kind);
    }
    if record.has(Field::Written) || record.has(Field::WrittenLocal) {
        reader.counts(RecordKind::Forwarded);
    }
    if let Some(Act::Login { failed }) = act {
        return sign_ins::read_audited(record, failed, reader);
    }
    let Some(at) = reader.time(record, &TIMES) else {
        return Fate::Malformed(Malformed::BadTime);
    };
    reader.on(HOST, at);
    says(record, &name, reader);
    match act {
        Some(Act::Alert) => alert(record, reader),
        _ if is_system(record) => Fate::NO_FACT,
        // Nothing was read, and nothing was sent.
        Some(Act::Access | Act::Send) if record.failed() => Fate::NO_FACT,
        Some(Act::MailboxLogin) => mailbox_login(record, reader),
        Some(Act::Access) => access(record, reader),
        Some(Act::Send) => send(record, reader),
        Some(Act::Use(kind)) => used(record, kind, &name, reader),
        _ => match cmdlets::kind(&name, record, reader) {
            Some(kind) => cmdlets::read(record, operation, kind, reader),
            None => directory::read_audited(record, &name, reader),
        },
    }
}

/// Takes note of what every export of a record tells: `OfficeActivity` leaves out its id, and spells the rest in its own way.
fn says<'a>(record: &Record<'a>, operation: &[u8], reader: &mut Reader<'_, 'a>) {
    let told = [
        Field::UserId,
        Field::ObjectId,
        Field::Parameters,
        Field::OperationProperties,
        Field::OperationCount,
        Field::Folders,
        Field::Item,
        Field::AffectedItems,
    ];
    let [user, object, parameters, properties, count, folders, item, items] = told.map(|field| record.get(field).unwrap_or_default());
    let address = address(record, reader).unwrap_or_default();
    reader.says(record.has_text(Field::Id), &[operation, address, user, object, parameters, properties, count, folders, item, items]);
}

/// The kinds of records that a licence or a setting decides about.
fn kind(act: Option<Act>, name: &[u8]) -> Option<RecordKind> {
    match act? {
        Act::Access => Some(RecordKind::MailAccess),
        Act::Send => Some(RecordKind::MailboxSend),
        Act::Use(ActionKind::MailSearched) if name.starts_with(b"searchquery") => Some(RecordKind::MailSearch),
        _ => None,
    }
}

/// Whether the service itself acted and no user.
fn is_system(record: &Record<'_>) -> bool {
    let kinds: [&[u8]; 8] = [b"3", b"4", b"7", b"8", b"DcAdmin", b"System", b"CustomPolicy", b"SystemPolicy"];
    record.get(Field::UserType).is_some_and(|kind| kinds.contains(&kind))
}

/// The address of the user's program.
pub(super) fn address<'a>(record: &Record<'a>, reader: &Reader<'_, 'a>) -> Option<&'a [u8]> {
    let fields = [Field::ClientIpAddress, Field::ClientIp, Field::ActorIp];
    fields.iter().find_map(|field| values::address(record.get(*field)?, reader.scratch))
}

/// Whose mailbox it was.
fn owner<'a>(record: &Record<'a>) -> Option<&'a [u8]> {
    record.first(&[Field::MailboxOwner, Field::UserId])
}

/// Who opened a mailbox that is another person's: a delegate or an administrator. An application's acts stay with the mailbox, which
/// alone tells whose mail it was.
fn delegate<'a>(record: &Record<'a>) -> Option<&'a [u8]> {
    let (user, owner) = (record.get(Field::UserId)?, record.get(Field::MailboxOwner)?);
    let as_owner = record.get(Field::LogonType).is_some_and(|kind| kind == b"0" || kind.eq_ignore_ascii_case(b"Owner"));
    let people = values::is_mail_address(user) && values::is_mail_address(owner);
    (people && !as_owner && !user.eq_ignore_ascii_case(owner)).then_some(user)
}

/// That a delegate opened a mailbox, in the words of the record's members.
fn opened<'a>(record: &Record<'a>, user: &'a [u8], operation: &[u8], reader: &mut Reader<'_, 'a>) -> Fate {
    let mailbox = record.get(Field::MailboxOwner);
    let named = [(&b"UserId"[..], user), (b"MailboxOwnerUPN", mailbox.unwrap_or_default())];
    let detail = reader.detail(operation, named.into_iter());
    let (kind, address, client) = (ActionKind::OtherMailboxOpened, address(record, reader), client(record));
    reader.sink.action(ActionEvent { kind, account: mailbox, actor: Some(user), address, client, detail, failed: false })
}

/// The program, without the service's own word before it.
fn client<'a>(record: &Record<'a>) -> Option<&'a [u8]> {
    record.first(&[Field::ClientInfo, Field::UserAgent])
}

fn mailbox_login<'a>(record: &Record<'a>, reader: &mut Reader<'_, 'a>) -> Fate {
    let failed = record.failed();
    // Nobody got in as the owner.
    if let Some(user) = delegate(record) {
        return if failed { Fate::NO_FACT } else { opened(record, user, b"MailboxLogin", reader) };
    }
    let word = ProviderWord { event_id: record.get(Field::Id), ..ProviderWord::default() };
    let event = LoginEvent {
        protocol: record.get(Field::ClientInfo).map_or(crate::formats::event::Protocol::Other, clients::of_info),
        account: owner(record),
        address: address(record, reader),
        result: if failed { LoginResult::Failure { attempts: 1 } } else { LoginResult::Success },
        mechanism: None,
        session: record.get(Field::Session),
        client: client(record),
        user_agent: record.get(Field::UserAgent).or_else(|| clients::program(record.get(Field::ClientInfo)?)),
        detail: b"",
        provider: Some(reader.scratch.alloc(word)),
        passed_on: false,
    };
    reader.sink.login(event)
}

/// `MailItemsAccessed`: single messages, a whole folder, or the word that no more will be recorded.
fn access<'a>(record: &Record<'a>, reader: &mut Reader<'_, 'a>) -> Fate {
    let scratch = reader.scratch;
    let property = |name: &[u8]| record::pair(record.get(Field::OperationProperties), name, scratch);
    let throttled = property(b"IsThrottled").is_some_and(record::is_true);
    let folder = property(b"MailAccessType").is_some_and(|kind| kind.eq_ignore_ascii_case(b"Sync"));
    let counted = || record.get(Field::OperationCount).and_then(scan::number).map(|(n, _)| n);
    let listed = || record.get(Field::Folders).map(listed_items);
    let scope = match (throttled, folder) {
        (true, _) => AccessScope::Throttled,
        (_, true) => AccessScope::Folder,
        _ => AccessScope::Messages,
    };
    let items = if folder { None } else { counted().or_else(listed) };
    if throttled {
        reader.remark(Remark::Throttled);
    }
    let event = MailboxEvent {
        protocol: record.get(Field::ClientInfo).map(clients::of_info),
        account: delegate(record).or_else(|| owner(record)),
        mailbox: record.get(Field::MailboxOwner).filter(|_| delegate(record).is_some()),
        client: client(record),
        session: record.get(Field::Session),
        address: address(record, reader),
        bytes_out: 0,
        items,
        deleted: 0,
        scope,
    };
    reader.sink.mailbox(event)
}

fn listed_items(folders: &[u8]) -> u64 {
    let mut items = 0;
    crate::formats::json::each_item(folders, |folder| {
        crate::formats::json::each_member(folder, |key, list| {
            if key.eq_ignore_ascii_case(b"FolderItems") {
                crate::formats::json::each_item(list, |_| items += 1);
            }
        });
    });
    items
}

/// A message sent from a mailbox, which the message trace tells of too, by its `Message-ID`.
fn send<'a>(record: &Record<'a>, reader: &mut Reader<'_, 'a>) -> Fate {
    let scratch = reader.scratch;
    let Some(message) = record.within(Field::Item, b"InternetMessageId", scratch) else { return Fate::NO_FACT };
    let sender = record.first(&[Field::SendAs, Field::SendOnBehalf, Field::MailboxOwner, Field::UserId]).unwrap_or_default();
    let acceptance = Acceptance {
        kind: TrailKind::Submission,
        sender,
        return_path: None,
        account: record.first(&[Field::UserId, Field::MailboxOwner]),
        mailbox: None,
        mailbox_owner: None,
        address: address(record, reader),
        address_is_proxy: false,
        client: client(record),
        session: None,
        protocol: record.get(Field::ClientInfo).map(clients::of_info),
        size: record.within(Field::Item, b"SizeInBytes", scratch).and_then(scan::number).map(|(n, _)| n),
        recipients: None,
    };
    let id = TrailId { network: b"", message, sender };
    reader.sink.trail(TrailEvent { id, fact: TrailFact::Accepted(scratch.alloc(acceptance)) })
}

/// What was done in a mailbox or with files.
fn used<'a>(record: &Record<'a>, kind: ActionKind, operation: &[u8], reader: &mut Reader<'_, 'a>) -> Fate {
    let scratch = reader.scratch;
    let property = |name: &[u8]| record::pair(record.get(Field::OperationProperties), name, scratch);
    let (kind, detail) = match operation {
        b"updateinboxrules" => {
            let what = property(b"RuleOperation").unwrap_or_default();
            let kind = match () {
                () if scan::contains(what, b"Add") => ActionKind::InboxRuleCreated,
                () if scan::contains(what, b"Remove") || scan::contains(what, b"Delete") => ActionKind::InboxRuleRemoved,
                () => kind,
            };
            let named =
                [(&b"Name"[..], property(b"RuleName")), (b"Condition", property(b"RuleCondition")), (b"Actions", property(b"RuleActions"))];
            (kind, reader.detail(b"", named.into_iter().filter_map(|(name, value)| Some((name, value?)))))
        }
        _ => (kind, record.first(&[Field::Subject, Field::ObjectId]).or_else(|| items_detail(record, reader)).unwrap_or_default()),
    };
    let event = ActionEvent {
        kind,
        account: owner(record),
        actor: record.get(Field::UserId),
        address: address(record, reader),
        client: client(record),
        detail,
        failed: record.failed(),
    };
    reader.sink.action(event)
}

/// How many messages, and the subject of the first.
fn items_detail<'a>(record: &Record<'a>, reader: &Reader<'_, 'a>) -> Option<&'a [u8]> {
    let list = record.first(&[Field::AffectedItems, Field::Item])?;
    let mut count = 0;
    let mut subject = None;
    crate::formats::json::each_item(list, |item| {
        count += 1;
        subject = subject.or_else(|| record::member(item, b"Subject", reader.scratch));
    });
    let subject = String::from_utf8_lossy(subject.unwrap_or_default());
    Some(reader.scratch.alloc_str(&format!("{count} message(s), the first: {subject}")).as_bytes())
}

/// An alert of the service.
fn alert<'a>(record: &Record<'a>, reader: &mut Reader<'_, 'a>) -> Fate {
    let name = record.get(Field::AlertName).unwrap_or_default();
    let lower = name.to_ascii_lowercase();
    let kind = if scan::contains(&lower, b"restricted from sending") || scan::contains(&lower, b"sending limit exceeded") {
        ActionKind::SendingRestricted
    } else {
        ActionKind::AlertRaised
    };
    let concerned = [Field::EntityId, Field::ObjectId].iter().find_map(|f| record.get(*f).filter(|text| values::is_mail_address(text)));
    let account = concerned.or_else(|| record.within(Field::AlertData, b"f3u", reader.scratch));
    reader.sink.action(ActionEvent { kind, account, actor: None, address: None, client: None, detail: name, failed: false })
}
