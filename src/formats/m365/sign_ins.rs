//! Sign-ins of Entra ID in every shape: portal tables, Graph objects, diagnostic settings, Log Analytics, and the audit log's own
//! records of logins.

use super::fields::Field;
use super::record::{self, Record, is_type_name};
use super::{Reader, clients, outcomes, values};
use crate::formats::event::{LoginEvent, LoginResult, Proof, ProofEvent, Protocol, ProviderWord, Refusal};
use crate::formats::record_kind::RecordKind;
use crate::formats::remark::Remark;
use crate::formats::scan;
use crate::formats::sink::Fate;

/// Where sign-ins are told of, as a host.
pub(super) const HOST: &[u8] = b"sign-ins";

/// Reads a sign-in. `envelope` is what the record came in, with its own time and result.
pub(super) fn read<'a>(record: &Record<'a>, envelope: Option<&Record<'a>>, reader: &mut Reader<'_, 'a>) -> Fate {
    let scratch = reader.scratch;
    let Some(at) = reader.time(record, &[Field::Time, Field::LocalTime, Field::Written, Field::WrittenLocal]) else {
        return Fate::Malformed(crate::formats::batch::Malformed::BadTime);
    };
    let id = record.get(Field::Id).map(|id| values::guid(id, scratch));
    let app = record.get(Field::ClientApp);
    let agent = record.get(Field::UserAgent).or_else(|| record.within(Field::Properties, b"userAgent", scratch));
    let token = is_token(record, reader);
    let class = class(record, envelope);
    reader.counts(class);
    if token && class == RecordKind::UntoldSignIn {
        reader.counts(RecordKind::RefreshedSignIn);
    }
    if envelope.is_some() || record.has(Field::Written) || record.has(Field::WrittenLocal) {
        reader.counts(RecordKind::Forwarded);
    }
    let code = code(record, envelope, reader);
    let result = match code {
        Some(code) => refine(record, code, token, reader),
        None => LoginResult::Interrupted,
    };
    if code.is_none() || [Field::Status, Field::Location, Field::Methods].iter().any(|field| record.is_degraded(*field)) {
        reader.remark(if code.is_none() { Remark::OutcomeLost } else { Remark::Degraded });
    }
    if let (Some(id), Some(code)) = (id, code) {
        reader.same_as(HOST, &[id, &code.to_le_bytes()]);
    }
    let (city, country) = place(record, reader);
    let refused = code == Some(LOCKED_OR_MALICIOUS) && matches!(result, LoginResult::Failure { .. });
    let word = ProviderWord {
        event_id: id,
        correlation: record.get(Field::Correlation).map(|id| values::guid(id, scratch)),
        application: record.get(Field::Application),
        token,
        code,
        refusal: refused.then(|| refusal(record, envelope, reader)).flatten(),
        country,
        city,
        asn: record.get(Field::Asn).and_then(scan::number).and_then(|(n, _)| u32::try_from(n).ok()),
        written: envelope.unwrap_or(record).get(Field::Written).and_then(|text| reader.moment(text)).map(|moment| moment.at),
    };
    let address = record.first(&[Field::Ip, Field::CallerIp]).or_else(|| envelope?.get(Field::CallerIp));
    let event = LoginEvent {
        protocol: app.map_or(Protocol::Other, clients::of_app),
        account: account(record, reader),
        address: address.and_then(|text| values::address(text, scratch)),
        result,
        mechanism: None,
        session: record.get(Field::Session),
        client: agent.or(app),
        user_agent: agent.filter(|agent| !clients::is_basic(agent)),
        detail: if result == LoginResult::Success { b"" } else { reason(record, envelope, reader) },
        provider: Some(scratch.alloc(word)),
        passed_on: false,
    };
    reader.on(HOST, at);
    reader.sink.login(event)
}

/// Who signed in: the name of the account, or else the name that was typed; for an application its own id.
fn account<'a>(record: &Record<'a>, reader: &Reader<'_, 'a>) -> Option<&'a [u8]> {
    let name = record.get(Field::UserName).filter(|name| !values::is_guid(name));
    let typed = || record.get(Field::OtherName).filter(|name| name.contains(&b'@') || !values::is_guid(name));
    let user = name.or_else(typed).or_else(|| record.first(&[Field::UserName, Field::UserId]));
    user.or_else(|| {
        let id = record.get(Field::ServicePrincipal)?;
        Some(reader.scratch.alloc_slice_copy(&[id, b"@service-principal.invalid"].concat()))
    })
}

/// Which of the classes of sign-ins the record says that it is of.
fn class(record: &Record<'_>, envelope: Option<&Record<'_>>) -> RecordKind {
    let types = record.get(Field::EventTypes).unwrap_or_default().to_ascii_lowercase();
    let within = |word: &[u8]| scan::contains(&types, word);
    let category = envelope.unwrap_or(record).get(Field::Category).unwrap_or_default();
    let application = record.has_text(Field::ServicePrincipal) && !record.has_text(Field::UserName);
    match () {
        () if application || within(b"serviceprincipal") || within(b"managedidentity") => RecordKind::ApplicationSignIn,
        () if within(b"noninteractive") => RecordKind::NonInteractiveSignIn,
        () if within(b"interactive") => RecordKind::InteractiveSignIn,
        () if category == b"NonInteractiveUserSignInLogs" => RecordKind::NonInteractiveSignIn,
        () if [&b"ServicePrincipal"[..], b"ManagedIdentity"].iter().any(|word| scan::contains(category, word)) => {
            RecordKind::ApplicationSignIn
        }
        () if category == b"SignInLogs" => RecordKind::InteractiveSignIn,
        () => match record.get(Field::Interactive).map(record::is_true) {
            Some(true) => RecordKind::InteractiveSignIn,
            Some(false) => RecordKind::NonInteractiveSignIn,
            None => RecordKind::UntoldSignIn,
        },
    }
}

/// Whether a token was used and no password.
fn is_token<'a>(record: &Record<'a>, reader: &Reader<'_, 'a>) -> bool {
    let presented = record.get(Field::Token).is_some_and(|token| {
        let token = token.to_ascii_lowercase();
        scan::contains(&token, b"refreshtoken") || scan::contains(&token, b"refresh token")
    });
    let satisfied = || first_method(record, reader).is_some_and(|(method, _)| method.eq_ignore_ascii_case(b"Previously satisfied"));
    presented || satisfied()
}

/// The number of the result, by whichever field has it.
fn code<'a>(record: &Record<'a>, envelope: Option<&Record<'a>>, reader: &Reader<'_, 'a>) -> Option<u32> {
    let number = |text: &[u8]| {
        let (value, rest) = scan::number(text)?;
        u32::try_from(value).ok().filter(|_| rest.is_empty() || rest.starts_with(b"."))
    };
    let status = record.get(Field::Status).filter(|text| !is_type_name(text));
    let in_status = status.and_then(|text| record::member(text, b"errorCode", reader.scratch)).and_then(number);
    let own = || record.get(Field::Code).and_then(number);
    in_status.or_else(own).or_else(|| envelope?.get(Field::Code).and_then(number))
}

/// The result, with what the single steps say of the password.
fn refine<'a>(record: &Record<'a>, code: u32, token: bool, reader: &Reader<'_, 'a>) -> LoginResult {
    let result = outcomes::result(code, token);
    if token || matches!(result, LoginResult::Success | LoginResult::Stopped) {
        return result;
    }
    match first_method(record, reader) {
        Some((method, true)) if method.eq_ignore_ascii_case(b"Password") => LoginResult::Stopped,
        _ => result,
    }
}

/// The first step of a sign-in: its method, and whether it succeeded.
fn first_method<'a>(record: &Record<'a>, reader: &Reader<'_, 'a>) -> Option<(&'a [u8], bool)> {
    crate::formats::json::find_item(record.get(Field::Methods)?, |step| {
        let [method, succeeded] = record::members(step, [b"authenticationMethod", b"succeeded"], reader.scratch);
        Some((method?, succeeded.is_some_and(record::is_true)))
    })
}

fn reason<'a>(record: &Record<'a>, envelope: Option<&Record<'a>>, reader: &Reader<'_, 'a>) -> &'a [u8] {
    let within = || record.within(Field::Status, b"failureReason", reader.scratch);
    record.get(Field::Reason).or_else(within).or_else(|| envelope?.get(Field::Reason)).unwrap_or_default()
}

fn place<'a>(record: &Record<'a>, reader: &Reader<'_, 'a>) -> (Option<&'a [u8]>, Option<&'a [u8]>) {
    for field in [Field::LocationDetails, Field::Location] {
        let Some(text) = record.get(field).filter(|text| !is_type_name(text)) else { continue };
        if text.starts_with(b"{") || text.starts_with(b"@{") {
            let [city, country] = record::members(text, [b"city", b"countryOrRegion"], reader.scratch);
            return (city, country);
        }
        return values::place(text);
    }
    (record.get(Field::City), record.get(Field::Country))
}

/// The number that Microsoft gives both to a locked account and to an address known for malicious acts.
const LOCKED_OR_MALICIOUS: u32 = 50053;

/// Which of the two it was, where the record's own words tell: those of the failure, or those beside them.
fn refusal<'a>(record: &Record<'a>, envelope: Option<&Record<'a>>, reader: &Reader<'_, 'a>) -> Option<Refusal> {
    let beside = record.within(Field::Status, b"additionalDetails", reader.scratch);
    let words = [reason(record, envelope, reader), beside.unwrap_or_default()].map(<[u8]>::to_ascii_lowercase);
    let says = |word: &[u8]| words.iter().any(|text| scan::contains(text, word));
    match () {
        () if says(b"malicious") => Some(Refusal::MaliciousAddress),
        () if says(b"locked") => Some(Refusal::LockedAccount),
        () => None,
    }
}

/// Reads a row of authentication details: what was shown for a sign-in that is told of elsewhere.
pub(super) fn read_detail<'a>(record: &Record<'a>, reader: &mut Reader<'_, 'a>) -> Fate {
    let Some(at) = reader.time(record, &[Field::Time, Field::LocalTime]) else {
        return Fate::Malformed(crate::formats::batch::Malformed::BadTime);
    };
    let (Some(id), Some(method)) = (record.get(Field::Id), record.get(Field::Method)) else { return Fate::BAD_BODY };
    let proof = match method {
        _ if method.eq_ignore_ascii_case(b"Password") => Proof::Password,
        _ if method.eq_ignore_ascii_case(b"Previously satisfied") => Proof::Earlier,
        _ => {
            reader.sink.batch.saw(at);
            return Fate::NO_FACT;
        }
    };
    let accepted = record.get(Field::Succeeded).is_some_and(record::is_true);
    reader.on(HOST, at);
    reader.sink.proof(ProofEvent { sign_in: values::guid(id, reader.scratch), proof, accepted })
}

/// Reads the audit log's record of a login.
pub(super) fn read_audited<'a>(record: &Record<'a>, failed: bool, reader: &mut Reader<'_, 'a>) -> Fate {
    let scratch = reader.scratch;
    let Some(at) = reader.time(record, &super::audit::TIMES) else {
        return Fate::Malformed(crate::formats::batch::Malformed::BadTime);
    };
    let extended = |name: &[u8]| record::pair(record.get(Field::ExtendedProperties), name, scratch);
    let agent = extended(b"UserAgent").or_else(|| record.get(Field::UserAgent));
    let number = record.get(Field::ErrorNumber).and_then(scan::number).and_then(|(n, _)| u32::try_from(n).ok());
    let named = record.get(Field::LogonError).and_then(outcomes::code_of_error);
    let stated = number.filter(|n| *n != 0).or(named).or(number);
    let detail = |word: &[u8]| extended(b"ResultStatusDetail").is_some_and(|detail| detail.eq_ignore_ascii_case(word));
    let result = match stated {
        None | Some(0) if detail(b"Redirect") => redirected(failed, extended(b"RequestType").unwrap_or_default()),
        // A record of a failure without a number that says why is a failure still.
        None | Some(0) if failed => LoginResult::Failure { attempts: 1 },
        None if detail(b"UserError") => LoginResult::Interrupted,
        None => LoginResult::Success,
        Some(code) => match outcomes::result(code, false) {
            LoginResult::Success if failed => LoginResult::Failure { attempts: 1 },
            result => result,
        },
    };
    // A zero is the number of a success.
    let code = stated.filter(|code| *code != 0 || result == LoginResult::Success);
    let word = ProviderWord {
        // The request's own id where the record has one beside its own, which is the sign-in log's.
        event_id: record.first(&[Field::IntraSystem, Field::Id]).map(|id| values::guid(id, scratch)),
        correlation: record.get(Field::InterSystems).map(|id| values::guid(id, scratch)),
        code,
        ..ProviderWord::default()
    };
    let address = record.first(&[Field::ActorIp, Field::ClientIp, Field::ClientIpAddress]);
    let event = LoginEvent {
        protocol: clients::of_agent(agent),
        account: audited_account(record, reader),
        address: address.and_then(|text| values::address(text, scratch)),
        result,
        mechanism: None,
        session: None,
        client: agent,
        user_agent: agent.filter(|agent| !clients::is_basic(agent)),
        detail: if result == LoginResult::Success { b"" } else { record.get(Field::LogonError).unwrap_or_default() },
        provider: Some(scratch.alloc(word)),
        passed_on: false,
    };
    reader.on(super::audit::HOST, at);
    reader.sink.login(event)
}

/// What a login is that was answered by sending the browser elsewhere, where no number says more. The answer to an application's request
/// takes the user there, signed in; that to a password leads on to whatever is asked next, and any other may lead anywhere.
fn redirected(failed: bool, request: &[u8]) -> LoginResult {
    const TO_AN_APPLICATION: [&[u8]; 3] = [b"OAuth2:", b"Saml2:", b"WsFed"];
    let is = |start: &[u8]| request.get(..start.len()).is_some_and(|head| head.eq_ignore_ascii_case(start));
    match () {
        () if failed => LoginResult::Interrupted,
        () if TO_AN_APPLICATION.iter().any(|start| is(start)) => LoginResult::Success,
        () if is(b"Login:login") => LoginResult::Stopped,
        () => LoginResult::Interrupted,
    }
}

/// `UserId`, unless it is a number for a name that no account has; the actor list then has the name that was typed.
fn audited_account<'a>(record: &Record<'a>, reader: &Reader<'_, 'a>) -> Option<&'a [u8]> {
    let user = record.get(Field::UserId).filter(|name| !values::is_guid(name) && *name != b"Unknown");
    user.or_else(|| {
        let mut named = None;
        record::pairs(record.get(Field::Actor)?, reader.scratch, |name, _| {
            if named.is_none() && values::is_mail_address(name) {
                named = Some(name);
            }
        });
        named
    })
    .or_else(|| record.get(Field::UserId))
}
