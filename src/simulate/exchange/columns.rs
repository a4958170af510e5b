//! The columns of each log, and the lines a file begins with, by version of the product.

use super::text::{put_clock, put_date, put_stamp};
use crate::simulate::put::Put;
use crate::simulate::request::Columns;

/// The logs that are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Message tracking of the transport service, and of the mailbox transport's submission and delivery.
    Tracking,
    Submission,
    Delivery,
    /// SMTP receive protocol of the front end and of the hub behind it.
    FrontReceive,
    HubReceive,
    Imap,
    Pop,
    /// The web proxy by application, and the web server before it.
    Owa,
    Ecp,
    Mapi,
    Iis,
    /// Cmdlets that ran.
    Cmdlet,
}

impl Kind {
    pub(super) const ALL: [Kind; 12] = [
        Kind::Tracking,
        Kind::Submission,
        Kind::Delivery,
        Kind::FrontReceive,
        Kind::HubReceive,
        Kind::Imap,
        Kind::Pop,
        Kind::Owa,
        Kind::Ecp,
        Kind::Mapi,
        Kind::Iis,
        Kind::Cmdlet,
    ];

    /// The folder below the server's own.
    pub(super) fn folder(self) -> &'static str {
        match self {
            Kind::Tracking | Kind::Submission | Kind::Delivery => "TransportRoles/Logs/MessageTracking",
            Kind::FrontReceive => "TransportRoles/Logs/FrontEnd/ProtocolLog/SmtpReceive",
            Kind::HubReceive => "TransportRoles/Logs/Hub/ProtocolLog/SmtpReceive",
            Kind::Imap => "Logging/Imap4",
            Kind::Pop => "Logging/Pop3",
            Kind::Owa => "Logging/HttpProxy/Owa",
            Kind::Ecp => "Logging/HttpProxy/Ecp",
            Kind::Mapi => "Logging/HttpProxy/Mapi",
            Kind::Iis => "inetpub/logs/LogFiles/W3SVC1",
            Kind::Cmdlet => "Logging/CmdletInfra/LocalPowerShell/Cmdlet",
        }
    }

    /// The name of the file that begins in an hour of UTC (`yyyymmddhh`), the `number`-th of it.
    pub(super) fn file(self, hour: &str, number: u32) -> String {
        let prefix = match self {
            Kind::Tracking => "MSGTRK",
            Kind::Submission => "MSGTRKMS",
            Kind::Delivery => "MSGTRKMD",
            Kind::FrontReceive | Kind::HubReceive => "RECV",
            Kind::Imap => "IMAP4",
            Kind::Pop => "POP3",
            Kind::Owa | Kind::Ecp | Kind::Mapi => "HttpProxy_",
            // Numbered by size only where an administrator asks for it.
            Kind::Iis => return format!("u_ex{}.log", hour.get(2..).unwrap_or(hour)),
            Kind::Cmdlet => "Rps_Cmdlet_",
        };
        format!("{prefix}{hour}-{number}.LOG")
    }

    fn title(self) -> &'static str {
        match self {
            Kind::Tracking | Kind::Submission | Kind::Delivery => "Message Tracking Log",
            Kind::FrontReceive | Kind::HubReceive => "SMTP Receive Protocol Log",
            Kind::Imap => "IMAP4 Log",
            Kind::Pop => "POP3 Log",
            Kind::Owa | Kind::Ecp | Kind::Mapi => "HttpProxy Logs",
            Kind::Iis => "",
            Kind::Cmdlet => "Rps Cmdlet Logs",
        }
    }

    /// The columns, joined by the log's separator.
    pub(super) fn columns(self, version: Columns) -> &'static str {
        match (self, version) {
            (Kind::Tracking | Kind::Submission | Kind::Delivery, Columns::Old) => TRACKING_2013,
            (Kind::Tracking | Kind::Submission | Kind::Delivery, Columns::New) => TRACKING_2019,
            (Kind::FrontReceive | Kind::HubReceive, _) => {
                "date-time,connector-id,session-id,sequence-number,local-endpoint,remote-endpoint,event,data,context"
            }
            (Kind::Imap | Kind::Pop, Columns::Old) => {
                "dateTime,sessionId,seqNumber,sIp,cIp,user,duration,rqsize,rpsize,command,parameters,context"
            }
            (Kind::Imap | Kind::Pop, Columns::New) => {
                "dateTime,sessionId,seqNumber,sIp,cIp,user,duration,rqsize,rpsize,command,parameters,context,puid"
            }
            (Kind::Owa | Kind::Ecp | Kind::Mapi, Columns::Old) => PROXY_2013,
            (Kind::Owa | Kind::Ecp | Kind::Mapi, Columns::New) => PROXY_2019,
            (Kind::Iis, _) => {
                "date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip cs(User-Agent) cs(Referer) sc-status sc-substatus sc-win32-status time-taken"
            }
            (Kind::Cmdlet, _) => CMDLET,
        }
    }

    /// Appends the lines that a file begins with, and that a restarted service writes into it again; returns how many.
    pub(super) fn put_header(self, out: &mut Vec<u8>, version: Columns, at: i64, first: bool) -> u64 {
        let columns = self.columns(version);
        if self == Kind::Iis {
            out.text("#Software: Microsoft Internet Information Services 10.0\r\n#Version: 1.0\r\n#Date: ");
            put_date(out, at, "-");
            out.text(" ");
            put_clock(out, at);
            out.text("\r\n#Fields: ").text(columns).text("\r\n");
            return 4;
        }
        let mut lines = 5;
        if first {
            out.bytes("\u{feff}".as_bytes());
        }
        // Web logs name their columns once more, bare, before everything else.
        if matches!(self, Kind::Owa | Kind::Ecp | Kind::Mapi) && first {
            out.text(columns).text("\r\n");
            lines += 1;
        }
        let title = self.title();
        let build = match self {
            Kind::FrontReceive | Kind::HubReceive | Kind::Imap | Kind::Pop => "15.0.0.0",
            _ => build(version),
        };
        out.text("#Software: Microsoft Exchange Server\r\n#Version: ").text(build).text("\r\n#Log-type: ").text(title).text("\r\n#Date: ");
        // The file is opened a moment after the row that asked for it was made.
        put_stamp(out, at + 5_000);
        out.text("\r\n#Fields: ").text(columns).text("\r\n");
        lines
    }
}

/// The build that the product's own logs name.
pub(super) fn build(version: Columns) -> &'static str {
    match version {
        Columns::Old => "15.00.1497.040",
        Columns::New => "15.02.1118.015",
    }
}

const TRACKING_2013: &str = "date-time,client-ip,client-hostname,server-ip,server-hostname,source-context,connector-id,source,event-id,internal-message-id,message-id,network-message-id,recipient-address,recipient-status,total-bytes,recipient-count,related-recipient-address,reference,message-subject,sender-address,return-path,message-info,directionality,tenant-id,original-client-ip,original-server-ip,custom-data";
const TRACKING_2019: &str = "date-time,client-ip,client-hostname,server-ip,server-hostname,source-context,connector-id,source,event-id,internal-message-id,message-id,network-message-id,recipient-address,recipient-status,total-bytes,recipient-count,related-recipient-address,reference,message-subject,sender-address,return-path,message-info,directionality,tenant-id,original-client-ip,original-server-ip,custom-data,transport-traffic-type,log-id,schema-version";
/// One column of the earlier version has no name.
const PROXY_2013: &str = "DateTime,RequestId,MajorVersion,MinorVersion,BuildVersion,RevisionVersion,ClientRequestId,Protocol,UrlStem,ProtocolAction,AuthenticationType,IsAuthenticated,AuthenticatedUser,Organization,AnchorMailbox,UserAgent,ClientIpAddress,ServerHostName,HttpStatus,BackEndStatus,ErrorCode,Method,ProxyAction,TargetServer,,TargetServerVersion,RoutingHint,BackEndCookie,ServerLocatorHost,ServerLocatorLatency,RequestBytes,ResponseBytes,TargetOutstandingRequests,AuthModulePerfContext,HttpPipelineLatency,CalculateTargetBackEndLatency,GlsLatencyBreakup,TotalGlsLatency,AccountForestLatencyBreakup,TotalAccountForestLatency,ResourceForestLatencyBreakup,TotalResourceForestLatency,ADLatency,ActivityContextLifeTime,ModuleToHandlerSwitching,ClientReqStreamLatency,BackendReqInitLatency,BackendReqStreamLatency,BackendProcessingLatency,BackendRespInitLatency,BackendRespStreamLatency,ClientRespStreamLatency,KerberosAuthHeaderLatency,HandlerCompletionLatency,RequestHandlerLatency,HandlerToModuleSwitching,FirstResponseByteReceived,ProxyTime,HttpProxyOverhead,TotalRequestTime,UrlQuery,GenericInfo,GenericErrors";
const PROXY_2019: &str = "DateTime,RequestId,MajorVersion,MinorVersion,BuildVersion,RevisionVersion,ClientRequestId,Protocol,UrlHost,UrlStem,ProtocolAction,AuthenticationType,IsAuthenticated,AuthenticatedUser,Organization,AnchorMailbox,UserAgent,ClientIpAddress,ServerHostName,HttpStatus,BackEndStatus,ErrorCode,Method,ProxyAction,TargetServer,TargetServerVersion,RoutingType,RoutingHint,BackEndCookie,ServerLocatorHost,ServerLocatorLatency,RequestBytes,ResponseBytes,TargetOutstandingRequests,AuthModulePerfContext,HttpPipelineLatency,CalculateTargetBackEndLatency,GlsLatencyBreakup,TotalGlsLatency,AccountForestLatencyBreakup,TotalAccountForestLatency,ResourceForestLatencyBreakup,TotalResourceForestLatency,ADLatency,SharedCacheLatencyBreakup,TotalSharedCacheLatency,ActivityContextLifeTime,ModuleToHandlerSwitchingLatency,ClientReqStreamLatency,BackendReqInitLatency,BackendReqStreamLatency,BackendProcessingLatency,BackendRespInitLatency,BackendRespStreamLatency,ClientRespStreamLatency,KerberosAuthHeaderLatency,HandlerCompletionLatency,RequestHandlerLatency,HandlerToModuleSwitchingLatency,ProxyTime,CoreLatency,RoutingLatency,HttpProxyOverhead,TotalRequestTime,RouteRefresherLatency,UrlQuery,BackEndGenericInfo,GenericInfo,GenericErrors,EdgeTraceId,DatabaseGuid,UserADObjectGuid,PartitionEndpointLookupLatency,RoutingStatus";
const CMDLET: &str = "DateTime,StartTime,RequestId,ClientRequestId,MajorVersion,MinorVersion,BuildVersion,RevisionVersion,ServerHostName,ProcessId,ProcessName,ThreadId,CultureInfo,Organization,AuthenticatedUser,ExecutingUserSid,EffectiveOrganization,UserServicePlan,IsAdmin,ClientApplication,Cmdlet,Parameters,CmdletUniqueId,UserBudgetOnStart,ContributeToFailFast,RequestSerializationLatency,ProxyLatency,CmdletLatency,ErrorType,GenericInfo,GenericErrors";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_later_version_has_three_more_columns_of_tracking_and_no_nameless_one() {
        let count = |kind: Kind, version| kind.columns(version).split(',').count();
        assert_eq!((count(Kind::Tracking, Columns::Old), count(Kind::Tracking, Columns::New)), (27, 30));
        assert!(PROXY_2013.contains(",TargetServer,,TargetServerVersion,") && !PROXY_2019.contains(",,"));
    }

    #[test]
    fn a_web_log_begins_with_a_mark_and_its_bare_columns() {
        let mut out = Vec::new();
        let lines = Kind::Owa.put_header(&mut out, Columns::New, 1_667_199_662_123_456, true);
        assert_eq!(lines, 6);
        assert!(out.starts_with(b"\xef\xbb\xbfDateTime,RequestId,"));
        assert!(String::from_utf8(out).unwrap().contains("\r\n#Date: 2022-10-31T07:01:02.128Z\r\n#Fields: DateTime,"));
    }
}
