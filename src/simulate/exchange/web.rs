//! Mailboxes by the web: Outlook on the web, Outlook itself, the control panel, as the web proxy and the web server before it log them.

use super::columns::{Kind, build};
use super::text::{guid, put_cell, put_clock, put_date, put_stamp};
use super::{Exchange, MAILBOX, Scene};
use crate::domain::time::SECOND;
use crate::simulate::cast::HOME_DOMAIN;
use crate::simulate::happenings::{Login, Reading};
use crate::simulate::put::Put;

const BROWSER: &str = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/106.0.0.0 Safari/537.36";
pub(super) const ATTACKERS_BROWSER: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:102.0) Gecko/20100101 Firefox/102.0";
const OUTLOOK: &str = "Microsoft Office/16.0 (Windows NT 10.0; Microsoft Outlook 16.0.15629; Pro)";

/// One request.
#[derive(Clone, Copy)]
pub(super) struct Request<'a> {
    pub(super) kind: Kind,
    pub(super) method: &'a str,
    pub(super) stem: &'a str,
    pub(super) query: &'a str,
    /// `FBA`, `NTLM`, or nothing where nobody is known yet.
    pub(super) scheme: &'a str,
    /// Who is in.
    pub(super) user: &'a str,
    pub(super) anchor: &'a str,
    pub(super) ip: &'a str,
    pub(super) agent: &'a str,
    pub(super) status: u16,
    /// The web server's own sub-status and system error.
    pub(super) sub: (u16, u32),
    pub(super) generic: &'a str,
}

impl Exchange {
    /// A mailbox is opened in a browser and read; the login is the first request that is answered as somebody's.
    pub(super) fn read_by_web(&mut self, stage: &Scene, at: i64, reading: &Reading) -> Login {
        let user = self.web_name(stage, reading.person, reading.taken.is_some());
        let agent = if reading.taken.is_some() { ATTACKERS_BROWSER } else { BROWSER };
        let client = stage.cast.clients[reading.client].ip.clone();
        let request = self.browser(reading.person, &client, agent);
        let login = at + 60_000;
        self.sign_in(&request, at, &user);
        let shown = Request { user: &user, scheme: "FBA", ..request.of(Kind::Owa) };
        for (number, action) in ["FindFolder", "FindConversation", "FindItem"].into_iter().enumerate() {
            self.serve(&shown, login + (number as i64 + 1) * 700_000, action);
        }
        // Only the first of many openings is worth a row of its own; the others follow through the stay.
        let opened = reading.read.min(12) as i64;
        for number in 0..opened {
            self.serve(&shown, login + 4 * SECOND + number * (reading.stay.max(opened * SECOND) / opened.max(1)), "GetItem");
        }
        Login::new(login, "webmail")
    }

    /// Sends one request to Outlook on the web's service.
    pub(super) fn serve(&mut self, shown: &Request<'_>, at: i64, action: &str) {
        let query = format!("action={action}&EP=1&ID=-{}&AC=1", 10 + at.rem_euclid(900));
        self.ask(at, &Request { method: "POST", stem: "/owa/service.svc", query: &query, ..*shown });
    }

    /// The form of the login page is sent, and the mailbox opens.
    pub(super) fn sign_in(&mut self, request: &Browser<'_>, at: i64, user: &str) {
        let form = Request { status: 302, generic: "302 - POST/Auth-FBA", ..request.of(Kind::Owa) };
        self.ask(at, &Request { method: "POST", stem: "/owa/auth.owa", ..form });
        self.ask(at + 60_000, &Request { user, scheme: "FBA", ..request.of(Kind::Owa) });
    }

    /// A wrong password in the form: the login page comes back and says so.
    pub(super) fn fail_web(&mut self, stage: &Scene, at: i64, person: usize, client: usize) {
        let ip = stage.cast.clients[client].ip.clone();
        let request = self.browser(person, &ip, BROWSER);
        let form = Request { status: 302, generic: "302 - POST/Auth-FBA", ..request.of(Kind::Owa) };
        self.ask(at, &Request { method: "POST", stem: "/owa/auth.owa", ..form });
        let query = "replaceCurrent=1&reason=2&url=https%3a%2f%2fmail.dept.u.example%2fowa%2f";
        self.ask(at + 80_000, &Request { stem: "/owa/auth/logon.aspx", query, ..request.of(Kind::Owa) });
    }

    /// Outlook asks for what is new.
    pub(super) fn poll(&mut self, stage: &Scene, at: i64, person: usize, client: usize, rounds: i64) {
        let ip = stage.cast.clients[client].ip.clone();
        let user = self.web_name(stage, person, false);
        let stem = "/mapi/emsmdb/";
        let query = format!("MailboxId={}@{HOME_DOMAIN}", self.owners[person].mailbox);
        let browser = self.browser(person, &ip, OUTLOOK);
        let request = Request { method: "POST", stem, query: &query, ..browser.of(Kind::Mapi) };
        // The handshake of NTLM: two refusals that are no failures.
        self.ask(at, &Request { status: 401, sub: (2, 5), ..request });
        self.ask(at + 9_000, &Request { status: 401, sub: (1, 0), ..request });
        for round in 0..rounds {
            self.ask(at + 30_000 + round * 20 * SECOND, &Request { scheme: "NTLM", user: &user, ..request });
        }
    }

    /// What a browser's requests have in common.
    pub(super) fn browser<'a>(&self, person: usize, ip: &'a str, agent: &'a str) -> Browser<'a> {
        Browser { anchor: format!("MailboxGuid~{}", self.owners[person].mailbox), ip, agent }
    }

    /// The name that the web logs show: the address as typed, or the domain's short form.
    pub(super) fn web_name(&self, stage: &Scene, person: usize, attacker: bool) -> String {
        let person_of = &stage.cast.people[person];
        if attacker || !self.owners[person].short_name {
            return person_of.login.clone();
        }
        format!("DEPT\\{}", person_of.address.split('@').next().unwrap_or_default())
    }

    /// Writes the rows of one request: the web server's and the proxy's, tied by the request's id.
    pub(super) fn ask(&mut self, at: i64, request: &Request<'_>) {
        let id = guid(&mut self.random);
        self.put_proxy(at, &id, request);
        if !request.ip.starts_with("::1") {
            self.put_iis(at, &id, request);
        }
    }

    fn put_proxy(&mut self, at: i64, id: &str, request: &Request<'_>) {
        let server = &mut self.servers[MAILBOX];
        let (place, version) = (server.place, build(server.columns));
        let protocol = match request.kind {
            Kind::Ecp => "Ecp",
            Kind::Mapi => "Mapi",
            _ => "Owa",
        };
        // A comma in a browser's name becomes a blank.
        let (agent, status) = (request.agent.replace(',', " "), request.status.to_string());
        let (served, known) = (request.status < 300, !request.user.is_empty());
        let mut out = Vec::with_capacity(700);
        put_stamp(&mut out, at);
        for column in request.kind.columns(server.columns).split(',').skip(1) {
            let cell = match column {
                "RequestId" => id,
                "MajorVersion" | "MinorVersion" | "BuildVersion" | "RevisionVersion" => version_part(version, column),
                "Protocol" => protocol,
                "UrlHost" => "mail.dept.u.example",
                "UrlStem" => request.stem,
                "AuthenticationType" => request.scheme,
                "IsAuthenticated" if known => "True",
                "IsAuthenticated" => "False",
                "AuthenticatedUser" => request.user,
                "AnchorMailbox" if known => request.anchor,
                "UserAgent" => &agent,
                "ClientIpAddress" => request.ip,
                "ServerHostName" => place.name,
                "HttpStatus" => &status,
                "BackEndStatus" if served => &status,
                "Method" => request.method,
                "ProxyAction" if served => "Proxy",
                "TargetServer" if served => place.fqdn,
                "TargetServerVersion" if served => version,
                "RoutingType" if served && known => "WindowsIdentity",
                "RequestBytes" => "412",
                "ResponseBytes" => "3187",
                "TotalRequestTime" => "38",
                "UrlQuery" => request.query,
                "GenericInfo" => request.generic,
                _ => "",
            };
            out.push(b',');
            put_cell(&mut out, cell);
        }
        server.row(request.kind, at, out);
    }

    fn put_iis(&mut self, at: i64, id: &str, request: &Request<'_>) {
        let server = &mut self.servers[MAILBOX];
        let blank = |text: &str| if text.is_empty() { "-".to_owned() } else { text.replace(' ', "+") };
        let mut out = Vec::with_capacity(360);
        put_date(&mut out, at, "-");
        out.text(" ");
        put_clock(&mut out, at);
        out.text(" ").text(server.place.ip).text(" ").text(request.method).text(" ").text(request.stem).text(" ");
        if !request.query.is_empty() {
            out.text(request.query);
        }
        out.text("&CorrelationID=<empty>;&cafeReqId=").text(id).text(";").text(" 443 ").text(&blank(request.user)).text(" ");
        out.text(request.ip).text(" ").text(&blank(request.agent)).text(" - ").number(u64::from(request.status)).text(" ");
        out.number(u64::from(request.sub.0)).text(" ").number(u64::from(request.sub.1)).text(" ");
        out.number(20 + at.unsigned_abs() % 180);
        server.row(Kind::Iis, at, out);
    }
}

/// One part of a build's number, without leading zeros, by the column that shows it.
pub(super) fn version_part<'a>(build: &'a str, column: &str) -> &'a str {
    let place = ["MajorVersion", "MinorVersion", "BuildVersion", "RevisionVersion"].iter().position(|name| *name == column);
    place.and_then(|place| build.split('.').nth(place)).unwrap_or_default().trim_start_matches('0')
}

/// A browser at its place, before a mailbox.
pub(super) struct Browser<'a> {
    anchor: String,
    ip: &'a str,
    agent: &'a str,
}

impl Browser<'_> {
    /// A plain request of nobody's for a first page.
    pub(super) fn of(&self, kind: Kind) -> Request<'_> {
        Request {
            kind,
            method: "GET",
            stem: if kind == Kind::Ecp { "/ecp/" } else { "/owa/" },
            query: "",
            scheme: "",
            user: "",
            anchor: &self.anchor,
            ip: self.ip,
            agent: self.agent,
            status: 200,
            sub: (0, 0),
            generic: "",
        }
    }
}
