//! What becomes of Exchange's logs when they are put together: each trap that lies in counting them.

use super::testing::{rows_of_files, shown};
use crate::domain::outcome::{By, Reason};
use crate::domain::rows::{Attribution, LoginResult, Protocol, Rows};

mod messages;
mod requests;
mod sessions;

const TRACKING: &str = "#Software: Microsoft Exchange Server\r\n#Log-type: Message Tracking Log\r\n#Fields: date-time,client-ip,client-hostname,server-ip,server-hostname,source-context,connector-id,source,event-id,internal-message-id,message-id,network-message-id,recipient-address,recipient-status,total-bytes,recipient-count,related-recipient-address,reference,sender-address,return-path,directionality,original-client-ip,custom-data\r\n";
const RECEIVE: &str = "#Software: Microsoft Exchange Server\r\n#Log-type: SMTP Receive Protocol Log\r\n#Fields: date-time,connector-id,session-id,sequence-number,local-endpoint,remote-endpoint,event,data,context\r\n";
const POP: &str = "#Software: Microsoft Exchange Server\r\n#Log-type: POP3 Log\r\n#Fields: dateTime,sessionId,seqNumber,sIp,cIp,user,duration,rqsize,rpsize,command,parameters,context\r\n";
const IIS: &str = "#Software: Microsoft Internet Information Services 10.0\r\n#Fields: date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip cs(User-Agent) sc-status sc-substatus sc-win32-status\r\n";

/// A row of the tracking log by what matters in a test.
#[derive(Clone, Copy)]
struct Tracked<'a> {
    time: &'a str,
    client: &'a str,
    server: &'a str,
    context: &'a str,
    connector: &'a str,
    source: &'a str,
    event: &'a str,
    internal: &'a str,
    message: &'a str,
    network: u8,
    recipients: &'a str,
    status: &'a str,
    related: &'a str,
    reference: &'a str,
    sender: &'a str,
    path: &'a str,
    direction: &'a str,
    original: &'a str,
    custom: &'a str,
}

const ROW: Tracked<'static> = Tracked {
    time: "16:01:02.000",
    client: "EX1",
    server: "ex1.u.example",
    context: "",
    connector: "",
    source: "SMTP",
    event: "RECEIVE",
    internal: "5",
    message: "<m1@u.example>",
    network: 1,
    recipients: "a@x.test",
    status: "",
    related: "",
    reference: "",
    sender: "suzuki@u.example",
    path: "suzuki@u.example",
    direction: "Originating",
    original: "",
    custom: "",
};

impl Tracked<'_> {
    fn text(&self) -> String {
        let network = if self.network == 0 { String::new() } else { format!("1e6eb197-c6b4-1234-1b69-56dc1db88f{:02x}", self.network) };
        let count = self.recipients.split(';').count();
        format!(
            "2022-10-31T{}Z,192.0.2.25,{},192.0.2.25,{},\"{}\",{},{},{},{},{},{network},{},\"{}\",1000,{count},{},{},{},{},{},{},{}\r\n",
            self.time,
            self.client,
            self.server,
            self.context,
            self.connector,
            self.source,
            self.event,
            self.internal,
            self.message,
            self.recipients,
            self.status,
            self.related,
            self.reference,
            self.sender,
            self.path,
            self.direction,
            self.original,
            self.custom
        )
    }
}

fn tracking(tracked: &[Tracked<'_>]) -> String {
    TRACKING.to_owned() + &tracked.iter().map(Tracked::text).collect::<String>()
}

/// Rows of one session in the receive log of a connector, `event,data,context` each.
fn receive(connector: &str, session: &str, remote: &str, lines: &[&str]) -> String {
    let row = |(n, line): (usize, &&str)| {
        format!("2022-10-31T16:01:{n:02}.000Z,EX1\\{connector} EX1,{session},{n},192.0.2.25:587,{remote},{line}\r\n")
    };
    lines.iter().enumerate().map(row).collect()
}

fn files(files: &[String]) -> Rows {
    let files: Vec<&str> = files.iter().map(String::as_str).collect();
    rows_of_files(&files)
}

/// `time account address protocol result` of each login.
fn logins(rows: &Rows) -> Vec<String> {
    let name = |text: Option<crate::domain::text::Text>| text.map_or("-".to_owned(), |t| rows.show(t));
    rows.logins.iter().map(|l| format!("{} {} {} {}", name(l.account), name(l.address), l.protocol.as_str(), l.result.as_str())).collect()
}

const CLIENT: &str = "203.0.113.7:51234";
const SUBMISSION: [&str; 7] = [
    "+,,",
    "<,EHLO pc.example,",
    "<,AUTH LOGIN,",
    ">,334 <authentication response>,",
    "*,SMTPSubmit SMTPAcceptAnyRecipient,Set Session Permissions",
    "*,UNIV\\suzuki,authenticated",
    ">,235 2.7.0 Authentication successful,",
];

/// An internal message through a mailbox server's three logs.
fn internal() -> [Tracked<'static>; 9] {
    let store =
        "MDB:1, Mailbox:33345678-3232-2323-1111-08da9fd00918, Event:1, MessageClass:IPM.Note, ClientType:OWA, SubmissionAssistant:x";
    let hop = "08D0000000000001;2022-10-31T16:01:02.000Z;0";
    [
        Tracked { event: "NOTIFYMAPI", source: "STOREDRIVER", context: store, message: "", network: 0, recipients: "", ..ROW },
        Tracked { source: "STOREDRIVER", context: store, recipients: "b@u.example", status: "To", original: "203.0.113.7", ..ROW },
        Tracked { event: "SUBMIT", source: "STOREDRIVER", context: store, recipients: "", ..ROW },
        Tracked { event: "HAREDIRECTFAIL", recipients: "b@u.example", ..ROW },
        Tracked { context: hop, connector: "EX1\\Default EX1", recipients: "b@u.example", internal: "77", ..ROW },
        Tracked { event: "AGENTINFO", source: "AGENT", recipients: "b@u.example", ..ROW },
        Tracked {
            event: "SEND",
            connector: "Intra-Organization SMTP Send Connector",
            recipients: "b@u.example",
            status: "250 2.1.5 Recipient OK",
            ..ROW
        },
        Tracked { event: "DELIVER", source: "STOREDRIVER", time: "16:01:03.000", recipients: "B@u.example", ..ROW },
        Tracked { event: "HADISCARD", time: "16:01:04.000", recipients: "b@u.example", ..ROW },
    ]
}
