//! Sign-ins as the Entra portal downloads them: one CSV of interactive ones, one of the others, and their authentication details.

use super::clock;
use super::directory::Directory;
use super::export::Sheet;
use super::guid::Guid;
use super::sign_in::{Policy, SignIn};
use super::table::{Quotes, header, row};

/// The columns of early 2026 with the portal's own slips: two names end in a space, one has two inside, and one stands twice.
const COLUMNS: &str = "Date (UTC),Request ID,User agent,Correlation ID,User ID,User,Username,User type,Cross tenant access type,\
Incoming token type,Authentication Protocol,Unique token identifier,Original transfer method,Client credential type,\
Token Protection - Sign In Session,Token Protection - Sign In Session StatusCode,Application,Application ID ,App owner tenant ID,\
Resource,Resource ID ,Resource tenant ID,Resource owner tenant ID,Home tenant ID,Home tenant name,IP address,Location,Status,\
Sign-in error code,Failure reason,Client app,Device ID,Browser,Operating System,Compliant,Managed,Join Type,\
Multifactor authentication result,Multifactor authentication auth method,Multifactor authentication auth detail,\
Authentication requirement,Sign-in identifier,Session ID,IP address (seen by resource),Through Global Secure Access,\
Global Secure Access IP address,Autonomous system  number,Flagged for review,Token issuer type,Incoming token type,\
Token issuer name,Latency,Conditional Access,Managed Identity type,Associated Resource Id,Federated Token Id,Federated Token Issuer";

const DETAIL_COLUMNS: &str = "Request ID,Date (UTC),Authentication method,Authentication method detail,Succeeded,Result detail,Requirement";

/// The directory that owns Microsoft's own applications.
const MICROSOFT: &str = "f8cdef31-a31e-4b4a-93e4-5f571e91255a";

/// The table of sign-ins; the caller gives those of one kind, the newest first.
pub(super) fn sign_ins<'a>(sheet: &mut Sheet, directory: &Directory, steps: impl IntoIterator<Item = &'a SignIn>) {
    sheet.head(|out| header(out, Quotes::Needed, COLUMNS));
    for step in steps {
        sheet.record(|out| put(out, directory, step));
    }
}

fn put(out: &mut Vec<u8>, directory: &Directory, step: &SignIn) {
    let (application, application_id) = step.door.application();
    let (resource, resource_id) = step.door.resource();
    let user_id = step.user_id(directory);
    row(out, Quotes::Needed, |row| {
        row.cell(clock::seconds(step.at)).cell(step.id).cell(step.door.agent()).cell(step.correlation);
        row.cell(if user_id == Guid::NIL { String::new() } else { user_id.to_string() });
        row.cell(step.name(directory)).cell(step.upn(directory)).cell("Member").cell("None");
        row.cell(step.token()).cell(step.door.protocol()).cell(step.unique_token()).cell("None").cell("None");
        row.cell("Unbound").cell("1002").cell(application).cell(application_id).cell(MICROSOFT);
        row.cell(resource).cell(resource_id).cell(directory.tenant).cell(MICROSOFT).cell(directory.tenant).empty(1);
        row.cell(step.from).cell(step.place().column()).cell(step.code.status()).cell(step.code.number()).cell(step.code.reason());
        row.cell(step.door.client()).empty(1).cell(step.door.browser()).cell(step.door.system()).empty(3);
        let second = step.methods().into_iter().find(|method| method.name == "Mobile app notification");
        row.cell(second.map_or("", |method| method.result)).cell(second.map_or("", |method| method.name)).empty(1);
        row.cell(step.requirement()).empty(1);
        row.cell(if step.session == Guid::NIL { String::new() } else { step.session.to_string() });
        row.empty(1).cell("No").empty(1).cell(step.place().asn).cell("No").cell("AzureAD").cell(step.token()).empty(1);
        row.cell(step.latency()).cell(policy(step.policy())).cell("None").empty(3);
    });
}

fn policy(policy: Policy) -> &'static str {
    match policy {
        Policy::Success => "Success",
        Policy::Failure => "Failure",
        Policy::NotApplied => "Not Applied",
    }
}

/// The table of what each step showed, several rows to a request.
pub(super) fn details<'a>(sheet: &mut Sheet, steps: impl IntoIterator<Item = &'a SignIn>) {
    sheet.head(|out| header(out, Quotes::Needed, DETAIL_COLUMNS));
    for (step, method) in steps.into_iter().flat_map(|step| step.methods().into_iter().map(move |method| (step, method))) {
        sheet.record(|out| {
            row(out, Quotes::Needed, |row| {
                row.cell(step.id).cell(clock::seconds(step.at)).cell(method.name).cell(method.detail);
                row.cell(method.succeeded).cell(method.result).cell(method.requirement);
            });
        });
    }
}
