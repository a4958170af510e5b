//! The pseudonym of a value by what it is. The same value gives the same pseudonym wherever it stands, in whatever case it is written.
//!
//! Each is seen to be one: `a-` is a user, `d-` a registered domain and `h-` a label below it or a host's bare name, `f-` a file, `t-` a
//! title or other free text, `i-` an id. Domains end in `.invalid`, which nobody can own (RFC 6761).

use super::key::Key;
use ipnet::IpNet;
use std::net::IpAddr;

/// Names that say that there is none, or that every host has.
const NEUTRAL_HOSTS: [&str; 11] = [
    "",
    "-",
    "none",
    "unknown",
    "local",
    "localhost",
    "localhost.localdomain",
    // What logs of Microsoft 365 have in a host's place.
    "message-trace",
    "sign-ins",
    "audit-log",
    "directory-log",
];

/// Ends of a file's name that say what it is.
const KINDS_OF_FILE: [&str; 24] = [
    "gz", "bz2", "xz", "zst", "zip", "tar", "tgz", "txz", "tbz2", "7z", "log", "csv", "tsv", "json", "jsonl", "ndjson", "txt", "err",
    "info", "warn", "out", "mmdb", "xml", "md",
];

/// First of the numbers of autonomous systems that are for private use (RFC 6996), and how many there are.
const PRIVATE_ASN: (u32, u64) = (4_200_000_000, 94_967_295);

/// Makes pseudonyms.
pub(super) struct Names<'k> {
    key: &'k Key,
}

impl Names<'_> {
    pub(super) fn new(key: &Key) -> Names<'_> {
        Names { key }
    }

    fn named(&self, prefix: &str, kind: &str, value: &str) -> String {
        format!("{prefix}-{}", self.key.token(kind, &value.to_lowercase()))
    }

    /// The part of an address before the `@`, or a bare login name.
    pub(super) fn user(&self, name: &str) -> String {
        if name.is_empty() { String::new() } else { self.named("a", "user", name) }
    }

    /// A login name or mail address in any spelling: `user`, `user@domain`, `DOMAIN\user`, `<message@host>`.
    pub(super) fn account(&self, text: &str) -> String {
        let text = text.trim();
        if let Some(inner) = text.strip_prefix('<').and_then(|text| text.strip_suffix('>')) {
            return format!("<{}>", self.account(inner));
        }
        if let Some((user, domain)) = text.rsplit_once('@') {
            return format!("{}@{}", self.user(user), self.host(domain));
        }
        match text.rsplit_once('\\') {
            Some((domain, user)) => format!("{}\\{}", self.host(domain), self.user(user)),
            None => self.user(text),
        }
    }

    /// The name of a host or domain, or an address in its place.
    pub(super) fn host(&self, text: &str) -> String {
        let lower = text.trim().trim_end_matches('.').to_lowercase();
        if NEUTRAL_HOSTS.contains(&lower.as_str()) {
            return lower;
        }
        if let Some(shown) = self.literal(&lower) {
            return shown;
        }
        let registered = psl::domain(lower.as_bytes()).and_then(|domain| lower.len().checked_sub(domain.as_bytes().len()));
        let Some((below, domain)) = registered.and_then(|at| lower.split_at_checked(at)) else {
            let labels = self.labels(&lower);
            return if lower.contains('.') { format!("{labels}.invalid") } else { labels };
        };
        let dot = if below.is_empty() { "" } else { "." };
        format!("{}{dot}{}.invalid", self.labels(below.trim_end_matches('.')), self.named("d", "domain", domain))
    }

    fn labels(&self, name: &str) -> String {
        let labels = name.split('.').map(|label| if label.is_empty() { String::new() } else { self.named("h", "host", label) });
        labels.collect::<Vec<_>>().join(".")
    }

    /// An address in a log's own field; other text there is a host's name.
    pub(super) fn address(&self, text: &str) -> String {
        self.host(text)
    }

    /// An IP address or network as it is written: bare, in brackets, with `IPv6:`, a zone or a port; `None` if it is no such thing.
    pub(super) fn literal(&self, text: &str) -> Option<String> {
        if !text.contains(['.', ':']) {
            return None;
        }
        if let Ok(ip) = text.parse::<IpAddr>() {
            return Some(self.ip(ip));
        }
        if let Ok(net) = text.parse::<IpNet>() {
            return Some(self.key.network(net.trunc()).to_string());
        }
        if let Some((before, rest)) = text.strip_prefix('[').and_then(|rest| rest.rsplit_once(']')) {
            let port = rest.is_empty() || rest.strip_prefix(':').is_some_and(is_number);
            return self.literal(before).filter(|_| port).map(|ip| format!("[{ip}]{rest}"));
        }
        if let Some(rest) = text.get(..5).filter(|start| start.eq_ignore_ascii_case("ipv6:")).and_then(|_| text.get(5..)) {
            return rest.parse::<IpAddr>().ok().map(|ip| format!("{}{}", &text[..5], self.ip(ip)));
        }
        if let Some((ip, zone)) = text.split_once('%') {
            return ip.parse::<IpAddr>().ok().map(|ip| format!("{}%{zone}", self.ip(ip)));
        }
        let (ip, port) = text.rsplit_once(':').filter(|(_, port)| is_number(port))?;
        ip.parse::<std::net::Ipv4Addr>().ok().map(|ip| format!("{}:{port}", self.ip(ip.into())))
    }

    /// Loopback and unspecified addresses are nobody's and stay.
    fn ip(&self, ip: IpAddr) -> String {
        let nobody = ["127.0.0.1", "0.0.0.0", "::1", "::"];
        let plain = ip.to_canonical().to_string();
        if nobody.contains(&plain.as_str()) { plain } else { self.key.address(ip).to_string() }
    }

    /// A path, part by part; a file's name keeps the ends that say what it is.
    pub(super) fn path(&self, path: &str) -> String {
        path.split_inclusive(['/', '\\', '!'])
            .map(|part| {
                let name = part.trim_end_matches(['/', '\\', '!']);
                format!("{}{}", self.file(name), &part[name.len()..])
            })
            .collect()
    }

    /// One part of a path.
    pub(super) fn file(&self, name: &str) -> String {
        if matches!(name, "" | "-" | "." | "..") {
            return name.to_owned();
        }
        let mut stem = name;
        while let Some((rest, end)) = stem.rsplit_once('.') {
            let kept = KINDS_OF_FILE.contains(&end.to_lowercase().as_str()) || (end.len() <= 3 && is_number(end));
            if rest.is_empty() || !kept {
                break;
            }
            stem = rest;
        }
        format!("{}{}", self.named("f", "file", stem), &name[stem.len()..])
    }

    /// Text that people wrote: a subject, the name of a rule, a place.
    pub(super) fn title(&self, text: &str) -> String {
        if text.trim().is_empty() { String::new() } else { self.named("t", "title", text.trim()) }
    }

    /// An id of a session or record.
    pub(super) fn id(&self, text: &str) -> String {
        if text.is_empty() { String::new() } else { self.named("i", "id", text) }
    }

    /// The number of an autonomous system, among those for private use.
    pub(super) fn asn(&self, number: u32) -> u32 {
        let (first, count) = PRIVATE_ASN;
        let offset = self.key.number("asn", &number.to_string()) % count;
        first.saturating_add(u32::try_from(offset).unwrap_or(0))
    }
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_of_a_name_has_one_pseudonym() {
        let key = Key::new(&[b'k'; 32]).unwrap();
        let names = Names::new(&key);
        let tanaka = names.account("tanaka@u.example");
        assert_eq!(tanaka, names.account("Tanaka@U.Example"));
        assert!(tanaka.starts_with("a-") && tanaka.contains("@d-") && tanaka.ends_with(".invalid"), "{tanaka}");
        assert_eq!(tanaka.split('@').next(), Some(names.account("TANAKA").as_str()));
        assert_eq!(names.account("<Tanaka@u.example>"), format!("<{tanaka}>"));
        let (user, domain) = tanaka.split_once('@').unwrap();
        assert!(names.account("UNIV\\tanaka").ends_with(&format!("\\{user}")));
        assert!(names.host("mx1.u.example").ends_with(&format!(".{domain}")), "the domain still groups its hosts");
        assert_eq!(names.host("MX1.u.example."), names.host("mx1.u.example"));
        assert_eq!(names.host("mx1.u.example").split('.').next(), Some(names.host("mx1").as_str()));
        assert_eq!(names.host("unknown"), "unknown");
    }

    #[test]
    fn addresses_are_known_in_every_spelling() {
        let key = Key::new(&[b'k'; 32]).unwrap();
        let names = Names::new(&key);
        let ip = names.address("203.0.113.7");
        for (text, shown) in [
            ("[203.0.113.7]", format!("[{ip}]")),
            ("::ffff:203.0.113.7", ip.clone()),
            ("[::FFFF:203.0.113.7]", format!("[{ip}]")),
            ("203.0.113.7:25", format!("{ip}:25")),
            ("[203.0.113.7]:25", format!("[{ip}]:25")),
        ] {
            assert_eq!(names.literal(text), Some(shown), "{text}");
        }
        let six = names.address("2001:db8::7");
        assert_eq!(names.literal("IPv6:2001:DB8::7"), Some(format!("IPv6:{six}")));
        assert_eq!(names.literal("[IPv6:2001:db8::7]"), Some(format!("[IPv6:{six}]")));
        assert_eq!(names.literal("2001:db8::7%eth0"), Some(format!("{six}%eth0")));
        assert_eq!(names.literal("127.0.0.1"), Some("127.0.0.1".to_owned()));
        for text in ["5.7.1", "16:01:20", "mail.log.1", "a", "4AE2F1C0"] {
            assert_eq!(names.literal(text), None, "{text}");
        }
    }

    #[test]
    fn a_path_keeps_its_shape_and_nothing_else() {
        let key = Key::new(&[b'k'; 32]).unwrap();
        let names = Names::new(&key);
        let shown = names.path("/home/tanaka/Case.zip!mx1/mail.log.2.gz");
        assert!(shown.starts_with("/f-") && shown.contains(".zip!f-") && shown.ends_with(".log.2.gz"), "{shown}");
        assert_eq!(shown.matches('/').count(), 4, "{shown}");
        assert_eq!(names.path("-"), "-");
        assert!(names.path("../x").starts_with("../f-"));
        for part in ["home", "tanaka", "case", "mx1"] {
            assert!(!shown.contains(part), "{shown}");
        }
    }
}
