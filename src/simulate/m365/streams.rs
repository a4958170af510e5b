//! Sign-ins as they leave the tenant for other systems: blobs of diagnostic settings, and tables of Log Analytics.
//!
//! Both have a record for each change of status, so an id may come several times, and now and then a record comes twice.

use super::clock;
use super::directory::Directory;
use super::export::{Encoding, Export, Sheet};
use super::graph;
use super::json::{list, object, text_of};
use super::sign_in::{Code, Proof, SignIn};
use super::table::{Quotes, header, row};
use crate::domain::time::{HOUR, MINUTE, SECOND};
use crate::simulate::random::mix;

/// A record as it was emitted: later than what it tells of, by minutes.
struct Emitted {
    at: i64,
    step: SignIn,
}

/// What the stream made of the sign-ins, in the order of emission.
fn emitted<'a>(steps: impl IntoIterator<Item = &'a SignIn>) -> Vec<Emitted> {
    let mut all = Vec::new();
    for step in steps {
        let lot = mix(step.at as u64);
        let at = step.at + 2 * MINUTE + (lot % 500) as i64 * SECOND;
        if step.proof == Proof::PasswordAndPhone && step.code == Code::Success {
            // While the phone has not been touched, the record says that it must be.
            let waiting = SignIn { code: Code::StrongAuthentication, proof: Proof::Password, ..step.clone() };
            all.push(Emitted { at: at - 90 * SECOND, step: waiting });
        }
        if lot % 23 == 5 {
            all.push(Emitted { at, step: step.clone() });
        }
        all.push(Emitted { at, step: step.clone() });
    }
    all.sort_by_key(|emitted| emitted.at);
    all
}

/// Writes the blobs of diagnostic settings: JSON lines, one blob an hour of emission and category.
pub(super) fn blobs(export: &mut Export, folder: &'static str, directory: &Directory, steps: &[&SignIn]) {
    for interactive in [true, false] {
        let container = if interactive { "insights-logs-signinlogs" } else { "insights-logs-noninteractiveusersigninlogs" };
        let all = emitted(steps.iter().copied().filter(|step| step.interactive == interactive));
        for hour in all.chunk_by(|one, next| one.at.div_euclid(HOUR) == next.at.div_euclid(HOUR)) {
            let at = hour.first().map_or(0, |first| first.at);
            let path = format!("{container}/tenantId={}/{}/PT1H.json", directory.tenant, clock::hour_folders(at));
            export.file(folder, &path, Encoding::Utf8, |sheet| {
                for record in hour {
                    sheet.record(|out| {
                        put_diagnostic(out, directory, record);
                        out.extend(b"\r\n");
                    });
                }
            });
        }
    }
}

fn category(step: &SignIn) -> &'static str {
    if step.interactive { "SignInLogs" } else { "NonInteractiveUserSignInLogs" }
}

fn put_diagnostic(out: &mut Vec<u8>, directory: &Directory, record: &Emitted) {
    let step = &record.step;
    object(out, |o| {
        o.text("time", clock::ticks(record.at));
        o.text("resourceId", format!("/tenants/{}/providers/Microsoft.aadiam", directory.tenant));
        o.text("operationName", "Sign-in activity").text("operationVersion", "1.0").text("category", category(step));
        o.text("tenantId", directory.tenant).text("resultType", step.code.number()).text("resultSignature", "None");
        if step.code != Code::Success {
            o.text("resultDescription", step.code.reason());
        }
        o.raw("durationMs", 0).text("callerIpAddress", step.from).text("correlationId", step.correlation);
        o.text("identity", step.name(directory)).raw("Level", 4).text("location", step.place().country);
        let mut properties = Vec::new();
        graph::put(&mut properties, directory, step, &clock::ticks_with_offset(step.at));
        o.raw("properties", String::from_utf8_lossy(&properties));
    });
}

const INTERACTIVE: &str = "TenantId,SourceSystem,TimeGenerated [UTC],ResourceId,OperationName,OperationVersion,Category,ResultType,\
ResultSignature,ResultDescription,DurationMs,CorrelationId,Resource,ResourceGroup,ResourceProvider,Identity,Level,Location,\
AlternateSignInName,AppDisplayName,AppId,AuthenticationDetails,AuthenticationRequirement,ClientAppUsed,ConditionalAccessStatus,\
CreatedDateTime [UTC],DeviceDetail,IsInteractive,Id,IPAddress,IsRisky,LocationDetails,OriginalRequestId,\
ProcessingTimeInMilliseconds,RiskDetail,RiskLevelAggregated,RiskLevelDuringSignIn,RiskState,ResourceDisplayName,ResourceIdentity,\
Status,TokenIssuerName,TokenIssuerType,UserAgent,UserDisplayName,UserId,UserPrincipalName,AADTenantId,UserType,FlaggedForReview,\
IPAddressFromResourceProvider,SignInIdentifier,ResourceTenantId,HomeTenantId,UniqueTokenIdentifier,AutonomousSystemNumber,\
AuthenticationProtocol,CrossTenantAccessType,IncomingTokenType,SessionId,Type";

/// The table lacks some columns of the other one, and names one of them otherwise.
const NON_INTERACTIVE: &str = "TenantId,SourceSystem,TimeGenerated [UTC],OperationName,OperationVersion,Category,ResultType,\
ResultSignature,ResultDescription,DurationMs,CorrelationId,ResourceGroup,Identity,Level,Location,AppDisplayName,AppId,\
AuthenticationDetails,AuthenticationRequirement,ClientAppUsed,ConditionalAccessStatus,CreatedDateTime [UTC],DeviceDetail,\
IsInteractive,Id,IPAddress,LocationDetails,OriginalRequestId,ProcessingTimeInMs,RiskDetail,RiskLevelAggregated,\
RiskLevelDuringSignIn,RiskState,ResourceDisplayName,ResourceIdentity,Status,TokenIssuerType,UserAgent,UserDisplayName,UserId,\
UserPrincipalName,UserType,ResourceTenantId,HomeTenantId,UniqueTokenIdentifier,AutonomousSystemNumber,AuthenticationProtocol,\
CrossTenantAccessType,IncomingTokenType,SessionId,SignInEventTypes,Type";

/// A table of Log Analytics as its portal exports it, the newest first.
pub(super) fn analytics(sheet: &mut Sheet, directory: &Directory, steps: &[&SignIn], interactive: bool) {
    let columns = if interactive { INTERACTIVE } else { NON_INTERACTIVE };
    sheet.head(|out| header(out, Quotes::Needed, columns));
    let all = emitted(steps.iter().copied().filter(|step| step.interactive == interactive));
    for record in all.iter().rev() {
        sheet.record(|out| {
            row(out, Quotes::Needed, |row| {
                for column in columns.split(',') {
                    row.cell(cell(directory, record, column));
                }
            });
        });
    }
}

/// What stands in a column. Columns that hold nothing here are empty.
fn cell(directory: &Directory, record: &Emitted, column: &str) -> String {
    let step = &record.step;
    let tenant = directory.tenant.to_string();
    match column {
        "TenantId" | "AADTenantId" | "ResourceTenantId" | "HomeTenantId" => tenant,
        "SourceSystem" => "Azure AD".to_owned(),
        "TimeGenerated [UTC]" => clock::analytics(record.at),
        "CreatedDateTime [UTC]" => clock::analytics(step.at),
        "ResourceId" => format!("/tenants/{tenant}/providers/Microsoft.aadiam"),
        "OperationName" => "Sign-in activity".to_owned(),
        "OperationVersion" => "1.0".to_owned(),
        "Category" => category(step).to_owned(),
        "ResultType" => step.code.number().to_string(),
        "ResultSignature" | "TokenIssuerName" => "None".to_owned(),
        "ResultDescription" if step.code != Code::Success => step.code.reason().to_owned(),
        "DurationMs" => "0".to_owned(),
        "CorrelationId" => step.correlation.to_string(),
        "Resource" | "ResourceGroup" => "Microsoft.aadiam".to_owned(),
        "Identity" | "UserDisplayName" => step.name(directory).to_owned(),
        "Level" => "4".to_owned(),
        "Location" => step.place().country.to_owned(),
        "IPAddress" => step.from.to_string(),
        "Id" | "OriginalRequestId" => step.id.to_string(),
        "UserPrincipalName" => step.upn(directory).to_owned(),
        "UserId" => step.account(directory).map(|account| account.id.to_string()).unwrap_or_default(),
        "UserType" => "Member".to_owned(),
        "UserAgent" => step.door.agent().to_owned(),
        "IsInteractive" => step.interactive.to_string(),
        "Type" => if step.interactive { "SigninLogs" } else { "AADNonInteractiveUserSignInLogs" }.to_owned(),
        _ => told(step, column),
    }
}

/// The columns that tell what was asked for and what came of it.
fn told(step: &SignIn, column: &str) -> String {
    match column {
        "AppDisplayName" => step.door.application().0.to_owned(),
        "AppId" => step.door.application().1.to_string(),
        "ResourceDisplayName" => step.door.resource().0.to_owned(),
        "ResourceIdentity" => step.door.resource().1.to_string(),
        "AuthenticationDetails" => {
            let mut out = Vec::new();
            list(&mut out, step.methods(), |out, method| graph::put_method(out, &clock::seconds(step.at), method));
            String::from_utf8_lossy(&out).into_owned()
        }
        "AuthenticationRequirement" => step.requirement().to_owned(),
        "ClientAppUsed" => step.door.client().to_owned(),
        "ConditionalAccessStatus" => graph::policy(step.policy()).to_owned(),
        "DeviceDetail" => text_of(|o| {
            o.text("deviceId", "").text("operatingSystem", step.door.system()).text("browser", step.door.browser());
        }),
        "LocationDetails" => text_of(|o| graph::put_location(o, step)),
        "Status" => text_of(|o| graph::put_status(o, step)),
        "ProcessingTimeInMilliseconds" | "ProcessingTimeInMs" => step.latency().to_string(),
        "RiskDetail" | "RiskLevelAggregated" | "RiskLevelDuringSignIn" | "RiskState" | "CrossTenantAccessType" => "none".to_owned(),
        "TokenIssuerType" => "AzureAD".to_owned(),
        "FlaggedForReview" | "IsRisky" => "false".to_owned(),
        "UniqueTokenIdentifier" => step.unique_token(),
        "AutonomousSystemNumber" => step.place().asn.to_string(),
        "AuthenticationProtocol" => if step.door.legacy() { "ropc" } else { "none" }.to_owned(),
        "IncomingTokenType" => step.token().to_owned(),
        "SessionId" => step.session.to_string(),
        "SignInEventTypes" => format!("[\"{}\"]", graph::kind(step)),
        _ => String::new(),
    }
}
