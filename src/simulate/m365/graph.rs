//! The `signIn` object of Microsoft Graph, as the portal downloads it, as the API pages it, and as diagnostic settings stream it.

use super::clock;
use super::directory::Directory;
use super::export::Sheet;
use super::guid::Guid;
use super::json::{Object, object};
use super::sign_in::{Method, Policy, SignIn};

/// The API gives no more sign-ins than this in a page.
const PAGE: usize = 1000;

/// A bare array, as the portal downloads it.
pub(super) fn portal<'a>(sheet: &mut Sheet, directory: &Directory, steps: impl IntoIterator<Item = &'a SignIn>) {
    sheet.text(|out| out.push(b'['));
    sheet.list(steps, |out, step| put(out, directory, step, &clock::seconds(step.at)));
    sheet.text(|out| out.push(b']'));
}

/// How many pages the API makes of so many sign-ins: at least one.
pub(super) fn pages(steps: &[&SignIn]) -> usize {
    steps.len().div_ceil(PAGE).max(1)
}

/// A page of the API; each but the last says where the next one is.
pub(super) fn page(sheet: &mut Sheet, directory: &Directory, steps: &[&SignIn], number: usize) {
    let (from, to) = (number * PAGE, (number * PAGE + PAGE).min(steps.len()));
    sheet.text(|out| {
        out.extend(b"{\"@odata.context\":\"https://graph.example/beta/$metadata#auditLogs/signIns\"");
        if number + 1 < pages(steps) {
            let next = format!(",\"@odata.nextLink\":\"https://graph.example/beta/auditLogs/signIns?$top={PAGE}&$skiptoken={to}\"");
            out.extend(next.bytes());
        }
        out.extend(b",\"value\":[");
    });
    sheet.list(&steps[from.min(to)..to], |out, step| put(out, directory, step, &clock::seconds(step.at)));
    sheet.text(|out| out.extend(b"]}"));
}

/// One object. `created` is the time in the form of the shape.
pub(super) fn put(out: &mut Vec<u8>, directory: &Directory, step: &SignIn, created: &str) {
    object(out, |o| {
        o.text("id", step.id).text("createdDateTime", created);
        put_who(o, directory, step);
        put_client(o, step);
        put_result(o, step);
        put_place(o, step);
        o.list("authenticationDetails", step.methods(), |out, method| put_method(out, created, method));
        o.list("authenticationProcessingDetails", [("Legacy TLS (TLS 1.0, 1.1, 3DES)", "False")], |out, (key, value)| {
            object(out, |o| {
                o.text("key", key).text("value", value);
            });
        });
    });
}

fn put_who(o: &mut Object, directory: &Directory, step: &SignIn) {
    let id = step.user_id(directory);
    o.text("userDisplayName", step.name(directory)).text("userPrincipalName", step.upn(directory));
    o.text("userId", if id == Guid::NIL { String::new() } else { id.to_string() });
    o.text("userType", "member").raw("signInIdentifier", "null");
    o.text("homeTenantId", directory.tenant).text("resourceTenantId", directory.tenant).text("crossTenantAccessType", "none");
    o.text("correlationId", step.correlation).text("originalRequestId", step.id);
}

fn put_client(o: &mut Object, step: &SignIn) {
    let (application, application_id) = step.door.application();
    let (resource, resource_id) = step.door.resource();
    o.text("appDisplayName", application).text("appId", application_id);
    o.text("resourceDisplayName", resource).text("resourceId", resource_id);
    o.text("ipAddress", step.from).raw("ipAddressFromResourceProvider", "null");
    o.text("clientAppUsed", step.door.client()).text("userAgent", step.door.agent()).raw("isInteractive", step.interactive);
    o.list("signInEventTypes", [kind(step)], super::json::string);
    o.text("authenticationProtocol", protocol(step)).text("incomingTokenType", step.token()).text("originalTransferMethod", "none");
    o.text("uniqueTokenIdentifier", step.unique_token()).text("tokenIssuerType", "AzureAD").raw("tokenIssuerName", "null");
    o.text_or_null("sessionId", &if step.session == Guid::NIL { String::new() } else { step.session.to_string() });
    o.object("deviceDetail", |o| {
        o.text("deviceId", "").text("displayName", "").text("operatingSystem", step.door.system()).text("browser", step.door.browser());
        o.raw("isCompliant", false).raw("isManaged", false).text("trustType", "");
    });
}

/// The API's own words: the plain OAuth 2.0 flow has none of its own.
fn protocol(step: &SignIn) -> &'static str {
    if step.door.legacy() { "ropc" } else { "none" }
}

pub(super) fn kind(step: &SignIn) -> &'static str {
    if step.interactive { "interactiveUser" } else { "nonInteractiveUser" }
}

fn put_result(o: &mut Object, step: &SignIn) {
    o.object("status", |o| put_status(o, step));
    o.text("conditionalAccessStatus", policy(step.policy())).list("appliedConditionalAccessPolicies", [(); 0], |_, ()| {});
    o.text("authenticationRequirement", step.requirement()).raw("processingTimeInMilliseconds", step.latency());
    o.text("riskDetail", "none").text("riskLevelAggregated", "none").text("riskLevelDuringSignIn", "none").text("riskState", "none");
    o.list("riskEventTypes_v2", [(); 0], |_, ()| {}).raw("flaggedForReview", false);
}

/// `status`, which some shapes carry as text in a cell.
pub(super) fn put_status(o: &mut Object, step: &SignIn) {
    o.raw("errorCode", step.code.number()).text("failureReason", step.code.reason()).text("additionalDetails", additional(step));
}

fn additional(step: &SignIn) -> &'static str {
    step.methods().last().map_or("", |method| if method.name == "Password" { "" } else { method.result })
}

pub(super) fn policy(policy: Policy) -> &'static str {
    match policy {
        Policy::Success => "success",
        Policy::Failure => "failure",
        Policy::NotApplied => "notApplied",
    }
}

fn put_place(o: &mut Object, step: &SignIn) {
    o.object("location", |o| put_location(o, step)).raw("autonomousSystemNumber", step.place().asn);
}

/// `location`, which some shapes carry as text in a cell.
pub(super) fn put_location(o: &mut Object, step: &SignIn) {
    let place = step.place();
    o.text("city", place.city).text("state", place.state).text("countryOrRegion", place.country);
    o.object("geoCoordinates", |o| {
        o.raw("altitude", "null").raw("latitude", place.latitude).raw("longitude", place.longitude);
    });
}

pub(super) fn put_method(out: &mut Vec<u8>, created: &str, method: Method) {
    object(out, |o| {
        o.text("authenticationStepDateTime", created).text("authenticationMethod", method.name);
        o.text_or_null("authenticationMethodDetail", method.detail).raw("succeeded", method.succeeded);
        o.text("authenticationStepResultDetail", method.result).text("authenticationStepRequirement", method.requirement);
    });
}
