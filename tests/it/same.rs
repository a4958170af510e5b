//! Who else came by the attackers' programs and networks: found, told beside the incident, and judged by nothing of it.

use crate::command::{Report, ZONE, analyze, command, ended};
use crate::compare::set;
use serde_json::{Value, json};
use std::fs;
use tempfile::TempDir;

const FIREFOX: &str = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:121.0) Gecko/20100101 Firefox/121.0";
/// Nobody of the organisation has it.
const SCRIPT: &str = "python-requests/2.19.1";
/// The attacker's mail program, and that of a traveller.
const MAILER: &str = "Thunderbird/102.3.0 (portable)";

const ATTACKER: &str = "203.0.113.9";
const OTHER: &str = "198.51.100.77";
const HOTEL: &str = "192.0.2.200";

const WRONG_PASSWORD: u32 = 50126;

/// The sign-ins of a small tenant, as Graph has them.
#[derive(Default)]
struct Tenant {
    lines: Vec<String>,
    without_programs: bool,
}

impl Tenant {
    /// Twenty days of people at their desks, each with the same browser, and one with a mail program besides.
    fn at_work(without_programs: bool) -> Tenant {
        let mut tenant = Tenant { without_programs, ..Tenant::default() };
        for day in 1..=20 {
            for (n, user) in ["jane", "ken", "mia", "tom", "yui", "rin"].into_iter().enumerate() {
                let home = format!("198.18.{n}.5");
                tenant.sign_in(&format!("{day:02}T08:1{n}:00"), user, &home, 64_501, FIREFOX, 0);
            }
        }
        tenant
    }

    fn sign_in(&mut self, at: &str, user: &str, ip: &str, asn: u32, agent: &str, code: u32) {
        let agent = if self.without_programs { String::new() } else { format!(r#""userAgent":"{agent}","#) };
        self.lines.push(format!(
            r#"{{"id":"{id}","createdDateTime":"2025-11-{at}Z","userPrincipalName":"{user}@u.example","ipAddress":"{ip}",{agent}"autonomousSystemNumber":{asn},"clientAppUsed":"Browser","status":{{"errorCode":{code}}}}}"#,
            id = self.lines.len() + 1
        ));
    }

    /// One address tries three accounts and gets into a fourth; by the browser that all have, and by two programs of its own.
    fn taken_over(&mut self) {
        for (n, user) in ["ken", "mia", "tom"].into_iter().enumerate() {
            self.sign_in(&format!("21T02:1{n}:00"), user, ATTACKER, 64_500, SCRIPT, WRONG_PASSWORD);
        }
        self.sign_in("21T02:20:00", "jane", ATTACKER, 64_500, SCRIPT, 0);
        self.sign_in("21T02:30:00", "jane", ATTACKER, 64_500, FIREFOX, 0);
        self.sign_in("21T02:40:00", "jane", ATTACKER, 64_500, MAILER, 0);
    }

    fn report(&self) -> Report {
        analyze(&[self.folder().path()], &[])
    }

    fn folder(&self) -> TempDir {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("sign-ins.json"), self.lines.join("\n")).unwrap();
        folder
    }
}

/// What is the verdict, and what is built on it.
fn judgement(report: &Report) -> Value {
    let incident = report.only_incident();
    let keys = ["accounts", "sending_accounts", "verdict", "score", "basis", "other_accounts", "prior_failed_logins", "protocols", "notes"];
    keys.iter().map(|key| ((*key).to_owned(), incident[*key].clone())).collect::<serde_json::Map<_, _>>().into()
}

fn programs(report: &Report) -> Vec<&str> {
    report.only_incident()["same_client"].as_array().expect("a list").iter().map(|same| same["client"].as_str().unwrap()).collect()
}

#[test]
fn a_guesser_with_the_attackers_odd_program_is_listed_and_a_common_browser_is_not() {
    let mut tenant = Tenant::at_work(false);
    // Two days before, from elsewhere: three guesses at one account, and one that was right at another.
    for minute in 1..=3 {
        tenant.sign_in(&format!("19T03:0{minute}:00"), "yui", OTHER, 64_502, SCRIPT, WRONG_PASSWORD);
    }
    tenant.sign_in("22T03:10:00", "rin", OTHER, 64_502, SCRIPT, 0);
    tenant.taken_over();
    let report = tenant.report();
    let incident = report.only_incident();
    assert_eq!(incident["accounts"], json!(["jane@u.example"]));
    assert_eq!(set(&json!(incident["other_accounts"].as_array().unwrap().iter().map(|o| &o["account"]).collect::<Vec<_>>())).len(), 3);
    assert_eq!(programs(&report), [SCRIPT], "everybody has the browser, and nobody else came by the mail program");
    let same = &incident["same_client"][0];
    assert_eq!((&same["kind"], &same["attackers"]), (&json!("user_agent"), &json!([ATTACKER])));
    let told = |n: usize| {
        let used = &same["accounts"][n];
        json!([used["account"], used["successes"], used["failures"], used["password_known"], used["origins"], used["first"]])
    };
    assert_eq!(told(0), json!(["rin@u.example", 1, 0, true, [OTHER], "2025-11-22T12:10:00+09:00"]));
    assert_eq!(told(1), json!(["yui@u.example", 0, 3, false, [OTHER], "2025-11-19T12:01:00+09:00"]));
    assert_eq!((same["accounts"].as_array().unwrap().len(), &same["own_accounts"]), (2, &json!([])));
}

#[test]
fn the_incidents_own_account_by_the_same_program_from_elsewhere_is_told_apart() {
    let mut tenant = Tenant::at_work(false);
    tenant.taken_over();
    tenant.sign_in("23T05:00:00", "jane", OTHER, 64_502, SCRIPT, WRONG_PASSWORD);
    let report = tenant.report();
    let same = &report.only_incident()["same_client"][0];
    assert_eq!(same["accounts"], json!([]));
    assert_eq!((&same["own_accounts"][0]["account"], &same["own_accounts"][0]["failures"]), (&json!("jane@u.example"), &json!(1)));
}

/// A traveller comes from a hotel by the very program that the attacker uses: before it was his at home, and then when it is new.
#[test]
fn a_traveller_with_the_attackers_mail_program_is_no_attacker() {
    for at_home in [true, false] {
        let told = |without_programs: bool| {
            let mut tenant = Tenant::at_work(without_programs);
            if at_home {
                tenant.sign_in("18T20:00:00", "mia", "198.18.2.5", 64_501, MAILER, 0);
            }
            tenant.taken_over();
            tenant.sign_in("21T09:00:00", "mia", HOTEL, 64_503, MAILER, 0);
            tenant.sign_in("22T09:00:00", "mia", HOTEL, 64_503, MAILER, 0);
            tenant.report()
        };
        let (with, without) = (told(false), told(true));
        assert_eq!(judgement(&with), judgement(&without), "programs say nothing to the judgement");
        assert_eq!(with.only_incident()["accounts"], json!(["jane@u.example"]));
        assert_eq!(programs(&with), if at_home { vec![] } else { vec![MAILER] });
        assert_eq!(without.only_incident()["same_client"], Value::Null);
    }
}

/// A program that three accounts of honest people came by is no mark of anybody, though none of them had it before.
#[test]
fn a_program_that_several_accounts_took_up_is_common() {
    for (travellers, listed) in [(&["mia", "tom"][..], true), (&["mia", "tom", "ken"], false)] {
        let mut tenant = Tenant::at_work(false);
        tenant.taken_over();
        for (n, user) in travellers.iter().enumerate() {
            tenant.sign_in(&format!("22T09:0{n}:00"), user, &format!("198.18.{n}.5"), 64_501, MAILER, 0);
        }
        assert_eq!(programs(&tenant.report()).contains(&MAILER), listed, "{travellers:?}");
    }
}

/// The service signs in by its own name where a program gave it a password: it is no program's own word.
#[test]
fn the_name_of_the_service_is_no_program() {
    let mut tenant = Tenant::at_work(false);
    for (n, user) in ["ken", "mia", "tom"].into_iter().enumerate() {
        tenant.sign_in(&format!("21T02:1{n}:00"), user, ATTACKER, 64_500, "BAV2ROPC", WRONG_PASSWORD);
    }
    tenant.sign_in("21T02:20:00", "jane", ATTACKER, 64_500, "BAV2ROPC", 0);
    tenant.sign_in("21T03:00:00", "yui", OTHER, 64_502, "BAV2ROPC", WRONG_PASSWORD);
    assert_eq!(tenant.report().only_incident()["same_client"], Value::Null);
}

#[test]
fn what_no_log_tells_of_programs_is_null_and_is_said() {
    let mut tenant = Tenant::at_work(true);
    tenant.taken_over();
    assert_eq!(tenant.report().only_incident()["same_client"], Value::Null);
    let (folder, said) = (tenant.folder(), "no login of the attackers says what program it came by");
    for format in ["text", "markdown", "html"] {
        let mut command = command();
        command.args(["analyze", "--format", format, "--tz", ZONE]).arg(folder.path());
        let page = ended(command.output().unwrap()).text().split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(page.contains(said), "{page}");
    }
}

#[test]
fn accounts_tried_out_of_the_attackers_system_are_listed_unless_owners_are_at_home_in_it() {
    let mut tenant = Tenant::at_work(false);
    tenant.taken_over();
    tenant.sign_in("22T01:00:00", "yui", "192.0.2.44", 64_500, "curl/8.1", WRONG_PASSWORD);
    // No account has the name, and the other guess came weeks before.
    tenant.sign_in("22T01:01:00", "admin", "192.0.2.45", 64_500, "curl/8.1", WRONG_PASSWORD);
    tenant.sign_in("02T01:00:00", "rin", "192.0.2.46", 64_500, "curl/8.1", WRONG_PASSWORD);
    let report = tenant.report();
    let same = &report.only_incident()["same_asn"];
    assert_eq!((same.as_array().unwrap().len(), &same[0]["asn"]), (1, &json!(64_500)), "{same}");
    let accounts: Vec<&Value> = same[0]["accounts"].as_array().unwrap().iter().map(|used| &used["account"]).collect();
    assert_eq!(accounts, ["yui@u.example"]);

    tenant.sign_in("15T18:00:00", "tom", "198.18.3.99", 64_500, FIREFOX, 0);
    assert_eq!(tenant.report().only_incident()["same_asn"], json!([]), "one of the owners is a customer there");
}

/// Postfix writes the name that it looked up for an address; what a client calls itself stands in its refusals alone.
#[test]
fn a_reverse_name_of_postfix_is_never_a_program() {
    let session = |pid: u32, at: &str, address: &str, login: &str, greeting: Option<&str>| {
        let line = |second: u32, text: &str| format!("2022-10-31T{at}:{second:02}+09:00 mail postfix/smtpd[{pid}]: {text}\n");
        let client = format!("pool7.isp.example[{address}]");
        let refused = greeting.map(|name| {
            line(3, &format!("NOQUEUE: reject: RCPT from {client}: 554 5.7.1 <a@x.test>: Recipient address rejected: rate limit exceeded; from=<jane@u.example> to=<a@x.test> proto=ESMTP helo=<{name}>"))
        });
        [
            line(1, &format!("connect from {client}")),
            line(2, &login.replace("CLIENT", &client)),
            refused.unwrap_or_default(),
            line(4, &format!("disconnect from {client}")),
        ]
        .concat()
    };
    let entered = "1A2B3C4D5E: client=CLIENT, sasl_method=LOGIN, sasl_username=jane@u.example";
    let failed =
        |user: &str| format!("warning: CLIENT: SASL LOGIN authentication failed: (reason unavailable), sasl_username={user}@u.example");
    let report = |greeting: Option<&str>| {
        let folder = tempfile::tempdir().unwrap();
        let log = [
            session(11, "16:01", ATTACKER, entered, greeting),
            session(12, "16:05", OTHER, &failed("ken"), greeting),
            session(13, "16:07", HOTEL, &failed("mia"), None),
        ];
        fs::write(folder.path().join("mail.log"), log.concat()).unwrap();
        analyze(&[folder.path()], &["--attacker-ip", ATTACKER])
    };
    assert_eq!(report(None).only_incident()["same_client"], Value::Null, "a name that the server looked up is no word of the client's");
    let told = report(Some("ylmf-pc"));
    let same = &told.only_incident()["same_client"];
    assert_eq!((programs(&told), &same[0]["kind"]), (vec!["ylmf-pc"], &json!("helo")));
    let accounts: Vec<&Value> = same[0]["accounts"].as_array().unwrap().iter().map(|used| &used["account"]).collect();
    assert_eq!(accounts, ["ken@u.example"], "{same}");
    assert!(!same.to_string().contains("pool7"), "{same}");
    assert_eq!(report(Some("[192.168.1.5]")).only_incident()["same_client"], json!([]), "every machine behind a router says so");
}
