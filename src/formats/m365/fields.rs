//! The fields of all records, and every name they go by: in tables and in JSON, in the languages of the portal, with any spelling of
//! blanks, underscores and case.

use hashbrown::HashMap;
use std::sync::LazyLock;

macro_rules! fields {
    ($($field:ident: $($name:literal)*;)*) => {
        /// What a cell or a member holds.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub(super) enum Field { $($field,)* }

        impl Field {
            pub(super) const COUNT: usize = [$(Field::$field),*].len();
        }

        /// Names as [`plain`] gives them.
        const NAMES: &[(&str, Field)] = &[$($(($name, Field::$field),)*)*];
    };
}

fields! {
    // Sign-ins.
    Time: "date" "dateutc" "createddatetime" "createddatetimeutc" "createddate" "createddateutc" "created" "fechautc" "fecha" "日付" "日付utc" "datum" "datumutc" "dateheure" "activitydatetime" "activitydatetimeutc" "activitydate";
    Written: "timegenerated" "timegeneratedutc" "time";
    // The same two in the zone that was chosen when the export was made.
    LocalTime: "createddatetimelocaltime" "datelocaltime" "datelocal" "activitydatetimelocaltime";
    WrittenLocal: "timegeneratedlocaltime";
    Id: "id" "requestid" "signinid" "officeid" "iddesolicitud" "iddedemande" "iddelademande" "anforderungsid" "要求id";
    Correlation: "correlationid" "iddecorrelación" "iddecorrélation" "korrelationsid" "関連付けid";
    UserAgent: "useragent" "agentedeusuario" "agentutilisateur" "benutzeragent" "ユーザーエージェント";
    UserId: "userid" "userids" "iddeusuario" "idutilisateur" "benutzerid" "ユーザーid";
    UserName: "username" "userprincipalname" "nombredeusuario" "nomdutilisateur" "benutzername" "ユーザー名";
    OtherName: "signinidentifier" "alternatesigninname" "identificadordeiniciodesesión" "identificateurdeconnexion" "サインイン識別子";
    Display: "user" "userdisplayname" "usuario" "utilisateur" "benutzer" "ユーザー" "identitydisplayname";
    Application: "application" "app" "appdisplayname" "aplicación" "anwendung" "アプリケーション";
    Resource: "resource" "resourcedisplayname" "recurso" "ressource" "リソース";
    Ip: "ipaddress" "ip" "direcciónip" "adresseip" "ipadresse" "ipアドレス";
    CallerIp: "calleripaddress";
    Location: "location" "ubicación" "emplacement" "standort" "場所";
    LocationDetails: "locationdetails";
    City: "city";
    Country: "country" "countryorregion";
    Status: "status" "estado" "statut" "状態" "deliverystatus";
    Code: "signinerrorcode" "resulttype" "errorcode" "códigodeerrordeiniciodesesión" "codederreurdeconnexion" "anmeldefehlercode" "サインインエラーコード" "サインインのエラーコード";
    Reason: "failurereason" "resultdescription" "motivodelerror" "raisondeléchec" "fehlerursache" "エラーの理由" "失敗の理由";
    ClientApp: "clientapp" "clientappused" "aplicacióncliente" "applicationcliente" "clientanwendung" "クライアントアプリ";
    Interactive: "isinteractive";
    EventTypes: "signineventtypes";
    Token: "incomingtokentype";
    Asn: "autonomoussystemnumber" "númerodesistemaautónomo" "numérodesystèmeautonome" "自律システム番号";
    Session: "sessionid" "iddesesión" "iddesession";
    Methods: "authenticationdetails";
    ServicePrincipal: "serviceprincipalid";
    Category: "category";
    Properties: "properties";
    Message: "message";
    // Numbers and addresses beside those that tell of a sign-in, known so that they are not taken for those.
    Unread: "ipaddressseenbyresource" "ipaddressfromresourceprovider" "globalsecureaccessipaddress" "tokenprotectionsigninsessionstatuscode" "latency" "latencyms" "durationms" "processingtimeinms" "processingtimeinmilliseconds" "level";
    // Authentication details.
    Method: "authenticationmethod";
    Succeeded: "succeeded";
    // The audit log.
    CreationTime: "creationtime";
    Operation: "operation" "operations";
    RecordType: "recordtype" "auditlogrecordtype";
    Workload: "workload" "officeworkload";
    AuditData: "auditdata";
    ResultStatus: "resultstatus";
    ClientIp: "clientip";
    ClientIpAddress: "clientipaddress";
    ActorIp: "actoripaddress";
    UserKey: "userkey";
    UserType: "usertype";
    ObjectId: "objectid" "officeobjectid";
    Parameters: "parameters";
    ExtendedProperties: "extendedproperties";
    OperationProperties: "operationproperties";
    ModifiedProperties: "modifiedproperties";
    Actor: "actor";
    Target: "target";
    LogonError: "logonerror";
    ErrorNumber: "errornumber";
    InterSystems: "intersystemsid";
    IntraSystem: "intrasystemid" "intrasystemsid";
    MailboxOwner: "mailboxownerupn";
    LogonType: "logontype";
    ClientInfo: "clientinfostring";
    OperationCount: "operationcount";
    Folders: "folders";
    Item: "item";
    AffectedItems: "affecteditems";
    DestFolder: "destfolder";
    SendAs: "sendasusersmtp";
    SendOnBehalf: "sendonbehalfofusersmtp";
    AlertName: "name";
    AlertData: "data";
    EntityId: "alertentityid";
    ResultIndex: "resultindex";
    ResultCount: "resultcount";
    ObjectState: "objectstate";
    AppId: "appid" "applicationid";
    // The directory's audit log.
    InitiatedBy: "initiatedby";
    Targets: "targetresources";
    Activity: "activitydisplayname" "operationname";
    Result: "result";
    AdditionalDetails: "additionaldetails";
    // The message trace.
    TraceId: "messagetraceid";
    MessageId: "messageid" "internetmessageid";
    Received: "received";
    Sender: "senderaddress" "sender";
    Recipient: "recipientaddress" "recipient" "recipientemailaddress";
    Subject: "subject" "messagesubject";
    Size: "size" "totalbytes";
    ToIp: "toip";
    FromIp: "fromip";
    Event: "event";
    Detail: "detail";
    OriginTime: "origintimestamputc";
    RecipientStatus: "recipientstatus";
    NetworkId: "networkmessageid";
    OriginalClientIp: "originalclientip";
    Directionality: "directionality";
    EventId: "eventid";
    EventTime: "datetimeutc";
    Source: "source";
    InternalId: "internalmessageid";
    ReturnPath: "returnpath";
    CustomData: "customdata";
    Related: "relatedrecipientaddress";
    Reference: "reference";
    ServerHost: "serverhostname";
    ServerIp: "serverip";
    // Defender.
    Timestamp: "timestamp" "timestamputc";
    MailFrom: "sendermailfromaddress";
    HeaderFrom: "senderfromaddress";
    SenderV4: "senderipv4";
    SenderV6: "senderipv6";
    Direction: "emaildirection";
    DeliveryAction: "deliveryaction";
    DeliveryLocation: "deliverylocation";
    ActionTrigger: "actiontrigger";
    ActionType: "actiontype";
    Threats: "threattypes";
    RawEvent: "raweventdata" "rawdata";
}

static BY_NAME: LazyLock<HashMap<&'static [u8], Field, foldhash::fast::FixedState>> =
    LazyLock::new(|| NAMES.iter().map(|(name, field)| (name.as_bytes(), *field)).collect());

/// No plain name is longer.
const NAME_BYTES_MAX: usize = 64;

impl Field {
    /// Whether only records about messages have it.
    pub(super) fn is_of_mail(self) -> bool {
        matches!(self, Field::Sender | Field::Recipient | Field::Received | Field::TraceId | Field::NetworkId | Field::RecipientStatus)
    }

    /// Whether records of sign-ins have it. Names of the others may mean something else in a table of sign-ins.
    pub(super) fn is_of_sign_ins(self) -> bool {
        self <= Field::Unread
    }

    /// The field that goes by this name, if any does.
    pub(super) fn of(name: &[u8]) -> Option<Field> {
        if name.is_ascii() {
            let mut plain = [0u8; NAME_BYTES_MAX];
            let mut length = 0;
            for byte in name.iter().filter(|b| b.is_ascii_alphanumeric()) {
                *plain.get_mut(length)? = byte.to_ascii_lowercase();
                length += 1;
            }
            return BY_NAME.get(plain.get(..length)?).copied();
        }
        BY_NAME.get(plain(&String::from_utf8_lossy(name)).as_bytes()).copied()
    }
}

/// A name without case, blanks, brackets and dashes.
fn plain(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_known_in_every_spelling() {
        for name in ["Sign-in error code", "sign in error code", "SIGN-IN ERROR CODE ", "Código de error de inicio de sesión"] {
            assert_eq!(Field::of(name.as_bytes()), Some(Field::Code), "{name}");
        }
        assert_eq!(Field::of("Nom d’utilisateur".as_bytes()), Some(Field::UserName));
        assert_eq!(Field::of("IP\u{3000}アドレス".as_bytes()), Some(Field::Ip));
        assert_eq!(Field::of(b"TimeGenerated [UTC]"), Some(Field::Written));
        assert_eq!(Field::of(b"Autonomous system  number"), Some(Field::Asn));
        assert_eq!(Field::of(b"network_message_id"), Some(Field::NetworkId));
        assert_eq!(Field::of(&[b'a'; 200]), None);
    }

    #[test]
    fn no_name_stands_for_two_fields() {
        let mut names: Vec<&str> = NAMES.iter().map(|(name, _)| *name).collect();
        names.sort_unstable();
        let count = names.len();
        names.dedup();
        assert_eq!(names.len(), count);
    }
}
