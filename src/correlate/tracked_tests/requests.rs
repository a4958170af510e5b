//! Web requests: which are one login, and whose.

use super::*;

const EWS: &str = "DateTime,RequestId,MajorVersion,AuthenticationType,IsAuthenticated,AuthenticatedUser,UserAgent,ClientIpAddress,ServerHostName,SoapAction,HttpStatus,ResponseSize,ImpersonatedUser,ProxyAsUser,ActAsUser";

fn iis(lines: &[&str]) -> Rows {
    files(&[IIS.to_owned() + &lines.iter().map(|line| format!("2022-10-31 {line}\r\n")).collect::<String>()])
}

#[test]
fn trap_17_a_form_sent_in_is_answered_by_what_comes_next() {
    let post = "16:01:02 192.0.2.25 POST /owa/auth.owa - 443 - 203.0.113.7 Mozilla/5.0 302 0 0";
    let refused = "16:01:03 192.0.2.25 GET /owa/auth/logon.aspx url=x&reason=2 443 - 203.0.113.7 Mozilla/5.0 200 0 0";
    let opened = "16:01:03 192.0.2.25 GET /owa/ - 443 UNIV\\suzuki 203.0.113.7 Mozilla/5.0 200 0 0";
    assert_eq!(logins(&iis(&[post])), [""; 0]);
    assert_eq!(logins(&iis(&[post, refused])), ["- 203.0.113.7 webmail failure"]);
    assert_eq!(logins(&iis(&[refused])), [""; 0]);
    assert_eq!(logins(&iis(&[post, opened])), ["suzuki@u.example 203.0.113.7 webmail success"]);
    assert_eq!(logins(&iis(&["16:01:02 192.0.2.25 GET /EWS/Exchange.asmx - 443 - 203.0.113.7 x 401 2 5"])), [""; 0]);
    assert_eq!(
        logins(&iis(&["16:01:02 192.0.2.25 GET /EWS/Exchange.asmx - 443 UNIV\\suzuki 203.0.113.7 x 401 1 1326"])),
        ["suzuki@u.example 203.0.113.7 ews failure"]
    );
}

#[test]
fn who_signs_in_again_while_a_session_goes_on_has_logged_in_twice() {
    let post = |time: &str| format!("{time} 192.0.2.25 POST /owa/auth.owa - 443 - 203.0.113.7 Mozilla/5.0 302 0 0");
    let open = |time: &str, user: &str| format!("{time} 192.0.2.25 GET /owa/ - 443 UNIV\\{user} 203.0.113.7 Mozilla/5.0 200 0 0");
    let refused = |time: &str| format!("{time} 192.0.2.25 GET /owa/auth/logon.aspx url=x&reason=2 443 - 203.0.113.7 Mozilla/5.0 200 0 0");
    let told = |lines: &[String]| logins(&iis(&lines.iter().map(String::as_str).collect::<Vec<_>>()));
    let (suzuki, failure) = ("suzuki@u.example 203.0.113.7 webmail success", "- 203.0.113.7 webmail failure");
    let begun = [post("16:01:02"), open("16:01:03", "suzuki"), open("16:20:00", "suzuki")];
    assert_eq!(told(&begun), [suzuki]);
    let with = |more: &[String]| told(&[&begun[..], more].concat());
    assert_eq!(with(&[post("16:22:00"), open("16:22:01", "suzuki")]), [suzuki, suzuki]);
    // Nobody was let in.
    assert_eq!(with(&[post("16:22:00"), refused("16:22:01"), open("16:23:30", "suzuki")]), [suzuki, failure]);
    // Nothing came of it.
    assert_eq!(with(&[post("16:22:00")]), [suzuki]);
    // It let in somebody else.
    let tanaka = "tanaka@u.example 203.0.113.7 webmail success";
    assert_eq!(with(&[post("16:22:00"), open("16:22:01", "tanaka"), open("16:23:30", "suzuki")]), [suzuki, tanaka]);
}

#[test]
fn requests_of_one_browser_are_one_login_in_both_logs_of_the_front_end() {
    let proxy = "#Fields: DateTime,RequestId,Protocol,UrlStem,IsAuthenticated,AuthenticatedUser,AnchorMailbox,UserAgent,ClientIpAddress,ServerHostName,HttpStatus,Method\r\n2022-10-31T16:01:03.120Z,r-1,Owa,/owa/,true,UNIV\\suzuki,,Mozilla/5.0 (KHTML  like Gecko),203.0.113.7,EX1,200,GET\r\n2022-10-31T16:20:03.120Z,r-2,Owa,/owa/,true,UNIV\\suzuki,,Mozilla/5.0 (KHTML  like Gecko),203.0.113.7,EX1,200,GET\r\n2022-10-31T18:20:03.120Z,r-3,Owa,/owa/,true,UNIV\\suzuki,,Mozilla/5.0 (KHTML  like Gecko),203.0.113.7,EX1,200,GET\r\n";
    let iis = IIS.to_owned()
        + "2022-10-31 16:01:03 192.0.2.25 GET /owa/ &cafeReqId=r-1; 443 UNIV\\suzuki 203.0.113.7 Mozilla/5.0+(KHTML,+like+Gecko) 200 0 0\r\n2022-10-31 16:01:03 192.0.2.25 GET /owa/ &cafeReqId=r-1; 444 UNIV\\suzuki 192.0.2.25 Mozilla/5.0+(KHTML,+like+Gecko) 200 0 0\r\n";
    let one = "suzuki@u.example 203.0.113.7 webmail success";
    assert_eq!(logins(&files(&[proxy.to_owned(), iis])), [one, one]);
}

/// Requests in which the front end names suzuki now by name, now by SID, and one of a stranger; suzuki also opens the mailbox that
/// everybody of the office shares.
#[test]
fn a_user_whom_requests_name_by_a_sid_is_who_others_say_and_never_the_mailbox_that_was_opened() {
    let (suzuki, tanaka) = ("S-1-5-21-1004336348-1177238915-682003330-1105", "S-1-5-21-1004336348-1177238915-682003330-1106");
    let heading = "#Fields: DateTime,RequestId,Protocol,UrlStem,IsAuthenticated,AuthenticatedUser,AnchorMailbox,UserAgent,ClientIpAddress,ServerHostName,HttpStatus,Method\r\n";
    let row = |time: &str, protocol: &str, user: &str, anchor: &str, address: &str| {
        format!("2022-10-31T{time}.000Z,r{time}{address},{protocol},/x/,true,{user},{anchor},Program/1.0,{address},EX1,200,POST\r\n")
    };
    let told = |rows: &[String]| logins(&files(&[heading.to_owned() + &rows.concat()]));
    let named = row("09:00:00", "Owa", "UNIV\\suzuki", &format!("Sid~{suzuki}"), "198.51.100.7");
    let by_sid = row("16:01:02", "Ews", suzuki, "Smtp~office@u.example", "203.0.113.7");
    let again = row("16:05:00", "Ews", suzuki, &format!("Sid~{suzuki}"), "203.0.113.7");
    let both = ["suzuki@u.example 198.51.100.7 webmail success", "suzuki@u.example 203.0.113.7 ews success"];
    assert_eq!(told(&[named.clone(), by_sid.clone(), again.clone()]), both);
    assert_eq!(told(&[again, by_sid.clone(), named.clone()]), both);
    // By name and by SID from one place in one program: one session.
    let mixed = row("16:03:00", "Ews", "UNIV\\suzuki", &format!("Sid~{suzuki}"), "203.0.113.7");
    assert_eq!(told(&[named.clone(), by_sid.clone(), mixed]), both);
    // Nobody says whose the SID is: not the office's, to which the mailbox belongs, for all that is known.
    assert_eq!(told(std::slice::from_ref(&by_sid)), [""; 0]);
    assert_eq!(told(&[row("09:00:00", "Owa", "UNIV\\tanaka", &format!("Sid~{tanaka}"), "198.51.100.9"), by_sid.clone()]).len(), 1);
    // A phone opens its user's own mailbox alone, and so tells whose the SID is.
    let phone = row("08:00:00", "Eas", suzuki, "SMTP~suzuki@u.example", "198.51.100.8");
    assert_eq!(told(&[by_sid.clone(), phone]), ["suzuki@u.example 198.51.100.8 activesync success", both[1]]);
    // Two names for one SID: one of them is wrong.
    let other = row("09:00:00", "Owa", "UNIV\\tanaka", &format!("Sid~{suzuki}"), "198.51.100.9");
    assert_eq!(told(&[named, other, by_sid]).iter().filter(|login| login.contains("203.0.113.7")).count(), 0);
}

/// An application's account may act on everybody's mailbox; the mailbox is not the account's, and the account is not the mailbox's owner.
#[test]
fn a_mailbox_opened_by_another_account_is_an_act_of_that_account_on_that_mailbox() {
    let row = |time: &str, user: &str, status: u32, impersonated: &str, acting_as: &str| {
        format!(
            "2022-10-31T{time}.000Z,r,15,Basic,true,{user},Sync/1.0,203.0.113.7,EX1,GetItem,{status},900,{impersonated},,{acting_as}\r\n"
        )
    };
    let text = [
        format!("#Software: Microsoft Exchange Server\r\n#Log-type: EWS Logs\r\n#Fields: {EWS}\r\n"),
        row("16:01:02", "UNIV\\sync", 200, "suzuki@u.example", ""),
        row("16:05:02", "UNIV\\sync", 200, "suzuki@u.example", ""),
        row("17:45:00", "UNIV\\sync", 200, "suzuki@u.example", ""),
        row("17:46:00", "UNIV\\sync", 200, "", "tanaka@u.example"),
        // Refused, of its own mailbox, and of nobody's.
        row("17:47:00", "UNIV\\sync", 403, "mori@u.example", ""),
        row("17:48:00", "UNIV\\sync", 200, "sync@u.example", ""),
        row("17:49:00", "UNIV\\sync", 200, "", ""),
    ];
    let rows = files(&[text.concat()]);
    let name = |text: Option<crate::domain::text::Text>| text.map_or("-".to_owned(), |t| rows.show(t));
    let told: Vec<String> = rows
        .actions
        .iter()
        .map(|a| format!("{} {} {} {}: {}", name(a.actor), name(a.account), name(a.address), a.kind.as_str(), rows.show(a.detail)))
        .collect();
    let act = |mailbox: &str, requests: u32| {
        format!(
            "sync@u.example {mailbox} 203.0.113.7 other-mailbox-opened: AuthenticatedUser=UNIV\\sync ImpersonatedUser={mailbox} requests={requests}"
        )
    };
    assert_eq!(told, [act("suzuki@u.example", 2), act("suzuki@u.example", 1), act("tanaka@u.example", 1)]);
    assert!(logins(&rows).iter().all(|login| login == "sync@u.example 203.0.113.7 ews success"), "{:?}", logins(&rows));
}

#[test]
fn a_password_that_ews_refuses_is_a_failed_login_unless_the_front_end_tells_of_it() {
    let heading = format!("#Software: Microsoft Exchange Server\r\n#Log-type: EWS Logs\r\n#Fields: {EWS},AuthenticationErrors\r\n");
    let row = |time: &str, user: &str, status: u32, errors: &str| {
        format!(
            "2022-10-31T{time}.000Z,r{time},15,Basic,{},{user},Sync/1.0,203.0.113.7,EX1,GetItem,{status},900,,,,{errors}\r\n",
            status == 200
        )
    };
    let refused = [heading.clone(), row("16:01:02", "UNIV\\suzuki", 401, "LogonFailed"), row("16:01:03", "UNIV\\suzuki", 401, "")].concat();
    assert_eq!(logins(&files(std::slice::from_ref(&refused))), ["suzuki@u.example 203.0.113.7 ews failure"]);
    let front = "16:01:02 192.0.2.25 POST /EWS/Exchange.asmx - 443 UNIV\\suzuki 203.0.113.7 Sync/1.0 401 1 1326";
    let around = [
        "16:00:00 192.0.2.25 POST /EWS/Exchange.asmx - 443 UNIV\\ono 203.0.113.9 x 200 0 0",
        front,
        "16:09:00 192.0.2.25 POST /EWS/Exchange.asmx - 443 UNIV\\ono 203.0.113.9 x 200 0 0",
    ];
    let front_end = IIS.to_owned() + &around.iter().map(|line| format!("2022-10-31 {line}\r\n")).collect::<String>();
    let told = logins(&files(&[front_end, refused]));
    assert_eq!(told.iter().filter(|login| login.ends_with("ews failure")).count(), 1, "{told:?}");
}
