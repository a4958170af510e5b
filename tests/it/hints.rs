//! What the analyst adds to the evidence: databases of countries and networks, and incidents that are known already.

use crate::command::{analyze, run};
use crate::evidence::Exercise;
use crate::mmdb::{Value, database};
use serde_json::Value as Json;
use std::fs;

fn signs(incident: &Json) -> Vec<&str> {
    incident["basis"].as_array().unwrap().iter().filter_map(|sign| sign["signal"].as_str()).collect()
}

/// The campus is in Tokyo, the homes in Sapporo, the attackers in Frankfurt.
fn cities() -> Vec<u8> {
    let city = |country, latitude, longitude| {
        let place = Value::Map(vec![("latitude", Value::Double(latitude)), ("longitude", Value::Double(longitude))]);
        Value::Map(vec![("country", Value::Map(vec![("iso_code", Value::Text(country))])), ("location", place)])
    };
    database(
        "Test-City",
        &[
            ([192, 0, 2, 0], 24, city("JP", 35.7, 139.7)),
            ([198, 51, 100, 0], 24, city("JP", 43.1, 141.3)),
            ([203, 0, 113, 0], 24, city("DE", 50.1, 8.7)),
        ],
    )
}

fn networks() -> Vec<u8> {
    let network = |number, holder| {
        Value::Map(vec![("autonomous_system_number", Value::Number(number)), ("autonomous_system_organization", Value::Text(holder))])
    };
    database(
        "Test-ASN",
        &[([198, 51, 100, 0], 24, network(64_496, "ISP A")), ([203, 0, 113, 0], 24, network(64_500, "Hosting of Example"))],
    )
}

#[test]
fn countries_and_networks_of_origins_come_from_the_databases_given() {
    let exercise = Exercise::new("soka", 2, &[]);
    let folder = tempfile::tempdir().unwrap();
    let (city, asn) = (folder.path().join("city.mmdb"), folder.path().join("asn.mmdb"));
    fs::write(&city, cities()).unwrap();
    fs::write(&asn, networks()).unwrap();
    let report = analyze(&[exercise.logs()], &["--geoip", city.to_str().unwrap(), "--geoip", asn.to_str().unwrap()]);
    let incident = report.only_incident();
    for origin in incident["origins"].as_array().unwrap() {
        let attacker = origin["verdict"] == "attacker";
        assert_eq!(origin["country"], if attacker { "DE" } else { "JP" }, "{origin}");
        assert_eq!(attacker, origin["asn"] == 64_500, "{origin}");
    }
    assert!(signs(incident).contains(&"new-country"), "{:?}", signs(incident));
    let texts = incident["basis"].to_string();
    assert!(texts.contains("is in DE; before, the account had been used from JP"), "{texts}");
    let databases = report.json["geoip"].as_array().unwrap();
    assert_eq!(databases.iter().map(|d| d["kind"].as_str().unwrap()).collect::<Vec<_>>(), ["Test-City", "Test-ASN"]);
    assert_eq!(databases[0]["built"], "2022-10-01T09:00:00+09:00");
}

/// The owner of the slow story works in Tokyo in the same minutes as somebody sends from Frankfurt through his account.
#[test]
fn nobody_is_in_tokyo_and_frankfurt_within_minutes() {
    let exercise = Exercise::new("slowburn", 3, &[]);
    let origin = exercise.truth["incidents"][0]["origins"][0]["ip"].as_str().unwrap();
    let address: std::net::Ipv4Addr = origin.parse().unwrap();
    let position = |latitude, longitude| {
        let place = Value::Map(vec![("latitude", Value::Double(latitude)), ("longitude", Value::Double(longitude))]);
        Value::Map(vec![("location", place)])
    };
    let folder = tempfile::tempdir().unwrap();
    let city = folder.path().join("city.mmdb");
    fs::write(&city, database("Test-City", &[([192, 0, 2, 0], 24, position(35.7, 139.7)), (address.octets(), 32, position(50.1, 8.7))]))
        .unwrap();
    let report = analyze(&[exercise.logs()], &["--geoip", city.to_str().unwrap()]);
    let incident = report.only_incident();
    let travel = incident["basis"].as_array().unwrap().iter().find(|sign| sign["signal"] == "impossible-travel").unwrap();
    assert!(travel["text"].as_str().unwrap().contains("a VPN or a mobile provider's gateway looks the same"), "{travel}");
    assert_eq!(incident["messages"]["total"], exercise.truth["incidents"][0]["messages"]["total"]);
}

#[test]
fn what_is_no_database_is_refused_before_any_evidence_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("x.mmdb");
    fs::write(&file, "no database").unwrap();
    let refused = run(["analyze", "--geoip", file.to_str().unwrap(), folder.path().to_str().unwrap()]);
    assert_eq!(refused.code, 2);
    assert!(refused.stderr.contains("x.mmdb: not a MaxMind DB"), "{}", refused.stderr);
}

/// Eight messages in a night do not stand out; the configuration knows of them.
#[test]
fn an_incident_of_the_configuration_is_followed_and_the_report_says_so() {
    let exercise = Exercise::new("soka", 2, &["--scale", "0.01"]);
    let truth = &exercise.truth["incidents"][0];
    assert!(analyze(&[exercise.logs()], &[]).incidents().is_empty());
    let addresses: Vec<String> = truth["origins"].as_array().unwrap().iter().map(|o| o["ip"].to_string()).collect();
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("mailtrail.toml");
    let known = |more: &str| format!("[[incidents]]\nname = 'night of October'\nattacker_ips = [{}]\n{more}", addresses.join(", "));
    fs::write(&config, known("")).unwrap();
    let report = analyze(&[exercise.logs()], &["--config", config.to_str().unwrap()]);
    let incident = report.only_incident();
    assert_eq!(incident["accounts"], truth["accounts"]);
    assert_eq!(incident["messages"]["total"], truth["messages"]["total"]);
    assert!(signs(incident).contains(&"hint"));
    assert!(report.json["hints"].to_string().contains("night of October"), "{}", report.json["hints"]);
    let page = run(["analyze", "--config", config.to_str().unwrap(), exercise.logs().to_str().unwrap()]);
    assert!(page.text().contains("Told by the analyst, and overriding the judgement"), "{}", page.text());

    fs::write(&config, known("until = '2022-10-31T00:00:00+09:00'\n")).unwrap();
    assert!(analyze(&[exercise.logs()], &["--config", config.to_str().unwrap()]).incidents().is_empty(), "a window before the night");
}

#[test]
fn an_incident_that_says_nothing_is_a_mistake_in_the_configuration() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("mailtrail.toml");
    for (text, said) in [
        ("[[incidents]]\nname = 'x'", "says nothing"),
        ("[[incidents]]\nattacker_ips = ['203.0.113']", "is no address or network"),
        ("[[incidents]]\nsince = 'yesterday'", "is no time"),
        ("[[incidents]]\nsince = '2022-10-31T16:00:00+09:00'\nuntil = '2022-10-31T16:00:00+09:00'", "is not after since"),
    ] {
        fs::write(&config, text).unwrap();
        let refused = run(["analyze", "--config", config.to_str().unwrap(), folder.path().to_str().unwrap()]);
        assert_eq!(refused.code, 2, "{text}");
        assert!(refused.stderr.contains(said), "{text}: {}", refused.stderr);
    }
}

/// One day of four: every list of the report speaks of that day, whichever of the attackers' addresses was named.
#[test]
fn what_is_asked_of_a_day_is_the_same_in_every_list() {
    let exercise = Exercise::new("niigata", 2, &["--scale", "0.001"]);
    let day = ["--since", "2023-04-14T00:00:00+09:00", "--until", "2023-04-15T00:00:00+09:00"];
    let whole = analyze(&[exercise.logs()], &[]);
    let report = analyze(&[exercise.logs()], &day);
    let incident = report.only_incident();
    let count = |incident: &Json, list: &str| incident[list]["count"].as_u64().unwrap();
    let total = incident["messages"]["total"].as_u64().unwrap();
    assert!(total > 0 && total < whole.only_incident()["messages"]["total"].as_u64().unwrap());
    assert!(count(incident, "returned_notices") <= total, "{}", incident["returned_notices"]);
    assert!(count(incident, "returned_notices") < count(whole.only_incident(), "returned_notices"));
    let attackers: Vec<&Json> = incident["origins"].as_array().unwrap().iter().filter(|o| o["verdict"] == "attacker").collect();
    assert_eq!(attackers.iter().map(|o| o["messages"].as_u64().unwrap()).sum::<u64>(), total);
    for origin in attackers.iter().take(2) {
        let named = analyze(&[exercise.logs()], &[&day[..], &["--attacker-ip", origin["ip"].as_str().unwrap()]].concat());
        assert_eq!(named.only_incident()["messages"]["total"], total, "{}", origin["ip"]);
    }
}
