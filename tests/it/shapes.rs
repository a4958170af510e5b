//! One night's sign-ins in every shape and encoding in which tools hand them on: the account's figures are the same in all of them.

use crate::command::{Report, analyze};
use serde_json::{Value, json};
use std::fs;

/// A wrong password, a second factor and a success, with a name that no code page has.
fn records() -> [Value; 3] {
    [(1, "08:19:41", 50126), (2, "08:19:55", 50074), (3, "08:20:30", 0)].map(|(id, time, code)| {
        json!({
            "id": format!("11111111-0000-4000-8000-00000000000{id}"),
            "createdDateTime": format!("2025-12-04T{time}Z"),
            "userDisplayName": "山田 花子 ✓",
            "userPrincipalName": "hanako@u.example",
            "correlationId": "22222222-0000-4000-8000-000000000001",
            "ipAddress": "203.0.113.9",
            "clientAppUsed": "Browser",
            "status": {"errorCode": code},
        })
    })
}

/// The six shapes, each with its name.
fn shapes() -> [(&'static str, String); 6] {
    let records = records();
    let each = |show: &dyn Fn(&Value) -> String, between: &str| records.iter().map(show).collect::<Vec<_>>().join(between);
    let plain = |record: &Value| record.to_string();
    let pretty = |record: &Value| serde_json::to_string_pretty(record).unwrap();
    [
        ("array", format!("[{}]", each(&plain, ","))),
        ("page", format!(r#"{{"@odata.context":"https://graph.example/$metadata","value":[{}]}}"#, each(&plain, ","))),
        ("envelope", format!(r#"{{"records":[{}]}}"#, each(&plain, ","))),
        ("lines", each(&plain, "\n")),
        ("pretty", each(&pretty, "\r\n")),
        ("wrapped", each(&|record| json!({"message": record.to_string()}).to_string(), "\n")),
    ]
}

/// The five encodings, each with its name.
fn encodings(text: &str) -> [(&'static str, Vec<u8>); 5] {
    let little: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let big: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
    [
        ("utf-8", text.as_bytes().to_vec()),
        ("utf-8 with its mark", [b"\xef\xbb\xbf", text.as_bytes()].concat()),
        ("utf-16le with its mark", [&b"\xff\xfe"[..], &little].concat()),
        ("utf-16be with its mark", [&b"\xfe\xff"[..], &big].concat()),
        ("utf-16le without a mark", little),
    ]
}

fn read(bytes: &[u8]) -> Report {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("sign-ins.json"), bytes).unwrap();
    analyze(&[folder.path()], &[])
}

#[test]
fn trap_1_and_16_six_shapes_in_five_encodings_tell_the_same() {
    for (shape, text) in shapes() {
        for (encoding, bytes) in encodings(&text) {
            let report = read(&bytes).json;
            let account = &report["accounts"][0];
            let told = [&account["account"], &account["logins"], &account["failures"], &account["first"], &account["last"]];
            let truth = json!(["hanako@u.example", 1, 1, "2025-12-04T17:19:41+09:00", "2025-12-04T17:20:30+09:00"]);
            assert_eq!(json!(told), truth, "{shape}, {encoding}");
            let lines = &report["evidence"][0]["lines"];
            let counts = ["total", "used", "ignored", "malformed"].map(|count| &lines[count]);
            assert_eq!(json!(counts), json!([3, 3, 0, 0]), "{shape}, {encoding}");
        }
    }
}
