//! Free text: sentences of the report and what servers said. Names are found in it by their form or because they are known.
//!
//! No word of any language is looked at, so a report in another one is treated alike. What stands here for a name is what stands for it
//! in a field of its own.

use super::Pseudonyms;
use super::known::What;

/// Ends of names that no one can register (RFC 6761, RFC 9476) or that houses use among themselves.
const PRIVATE_ENDS: [&str; 14] = [
    "test",
    "example",
    "invalid",
    "localhost",
    "local",
    "localdomain",
    "lan",
    "internal",
    "intranet",
    "intra",
    "corp",
    "home",
    "arpa",
    "alt",
];

/// Programs whose versions look like IP addresses.
const BROWSERS: [&str; 6] = ["Chrome/", "Edg/", "EdgA/", "EdgiOS/", "OPR/", "HeadlessChrome/"];

impl Pseudonyms<'_> {
    /// Rewrites a text.
    pub(super) fn sentence(&self, text: &str) -> String {
        let mut out = String::with_capacity(text.len() + text.len() / 2);
        let mut done = 0;
        for (from, to, what) in self.known.odd_in(text) {
            self.runs(text.get(done..from).unwrap_or_default(), &mut out);
            out.push_str(&self.named(text.get(from..to).unwrap_or_default(), what));
            done = to;
        }
        self.runs(text.get(done..).unwrap_or_default(), &mut out);
        out
    }

    fn named(&self, name: &str, what: What) -> String {
        match what {
            What::Path => self.names.path(name),
            What::File => self.names.file(name),
            What::Host => self.names.host(name),
            What::Account => self.names.account(name),
            What::Title => self.names.title(name),
        }
    }

    /// Text between odd names: runs of ASCII that can hold a name, and what lies between them.
    fn runs(&self, text: &str, out: &mut String) {
        let mut rest = text;
        while let Some(start) = rest.find(is_of_a_run) {
            let (between, after) = rest.split_at(start);
            let (run, after) = after.split_at(after.find(|c| !is_of_a_run(c)).unwrap_or(after.len()));
            // Letters beyond ASCII straight before an `@` are the name of somebody.
            let foreign = if run.starts_with('@') { trailing_letters(between) } else { "" };
            out.push_str(&between[..between.len() - foreign.len()]);
            out.push_str(&self.names.user(foreign));
            self.run(run, out);
            rest = after;
        }
        out.push_str(rest);
    }

    /// A stretch without spaces, such as `relay=mx.u.example[192.0.2.1]:25,`.
    fn run(&self, run: &str, out: &mut String) {
        if run.is_empty() {
            return;
        }
        let (core, tail) = run.split_at(run.trim_end_matches(['.', ':', '!', '?']).len());
        if let Some(shown) = self.names.literal(run).map(|ip| (ip, "")).or_else(|| Some((self.names.literal(core)?, tail))) {
            out.push_str(&shown.0);
            out.push_str(shown.1);
        } else if let Some(sign) = at_sign(run) {
            self.address(run, sign, out);
        } else if let Some((before, rest)) = BROWSERS.iter().find_map(|name| run.strip_prefix(name).map(|rest| (*name, rest))) {
            out.push_str(before);
            out.push_str(rest);
        } else {
            self.parts(run, out);
        }
    }

    /// A stretch that holds an `@`, as itself or as in a URL: the name before it, the domain after it, and the rest.
    fn address(&self, run: &str, (at, sign): (usize, &str), out: &mut String) {
        let (before, after) = (&run[..at], &run[at + sign.len()..]);
        let mut start = before.rfind(|c: char| !is_of_a_local_part(c)).map_or(0, |at| at + 1);
        // `name=value` ends before the value, but in the address of a list's notices the part after `=` is a domain.
        if let Some(equals) = before[start..].rfind('=')
            && !self.is_host(&before[start + equals + 1..].to_lowercase())
        {
            start += equals + 1;
        }
        let end = match after.strip_prefix('[').and_then(|inner| inner.find(']')) {
            Some(close) => close + 2,
            None => after.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_'))).unwrap_or(after.len()),
        };
        let domain = after[..end].trim_end_matches(['.', '-', '_']);
        self.run(&before[..start], out);
        out.push_str(&self.names.user(&before[start..]));
        out.push_str(sign);
        out.push_str(&self.names.host(domain));
        self.run(&after[domain.len()..], out);
    }

    /// A stretch without an `@`, taken apart at its punctuation: an IP address keeps its colons and its `/`.
    fn parts(&self, run: &str, out: &mut String) {
        self.split(run, &|c| !(c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':' | '/' | '%')), out, &|part, out| {
            self.split(part, &|c| matches!(c, '/' | '%'), out, &|part, out| {
                self.split(part, &|c| c == ':', out, &|atom, out| self.atom(atom, out));
            });
        });
    }

    /// Cuts a text at some characters; each piece is an IP address or else goes on.
    fn split(&self, text: &str, cut: &dyn Fn(char) -> bool, out: &mut String, go_on: &dyn Fn(&str, &mut String)) {
        for piece in text.split_inclusive(cut) {
            let core = piece.trim_end_matches(cut);
            let (bare, tail) = core.split_at(core.trim_end_matches(['.', ':']).len());
            match self.names.literal(core).map(|ip| (ip, "")).or_else(|| Some((self.names.literal(bare)?, tail))) {
                Some((ip, tail)) => {
                    out.push_str(&ip);
                    out.push_str(tail);
                }
                None => go_on(core, out),
            }
            out.push_str(&piece[core.len()..]);
        }
    }

    /// A word of letters, digits, dots, hyphens and underscores.
    fn atom(&self, atom: &str, out: &mut String) {
        let lower = atom.to_lowercase();
        let bare = lower.trim_matches(['.', '-', '_']);
        if let Some(number) = atom.strip_prefix("AS").and_then(|number| number.parse().ok()) {
            out.push_str(&format!("AS{}", self.names.asn(number)));
        } else if is_guid(bare) {
            out.push_str(&self.names.id(bare));
        } else if self.known.bare(bare).is_none() && self.is_host(bare) {
            let start = lower.len() - lower.trim_start_matches(['.', '-', '_']).len();
            out.push_str(&atom[..start]);
            out.push_str(&self.names.host(bare));
            out.push_str(&atom[start + bare.len()..]);
        } else {
            self.pieces(atom, &lower, out);
        }
    }

    /// Known names in a word, the longest first: `tanaka` in `backup-tanaka.log`.
    fn pieces(&self, atom: &str, lower: &str, out: &mut String) {
        // Longer than any name; taken apart at every dot it would cost its length squared.
        const PIECES_MAX: usize = 24;
        let is_joint = |c: char| matches!(c, '.' | '-' | '_');
        let mut from = 0;
        while from < lower.len() {
            let rest = &lower[from..];
            if rest.starts_with(is_joint) {
                out.push_str(&atom[from..=from]);
                from += 1;
                continue;
            }
            let ends = rest.match_indices(is_joint).map(|(at, _)| at).take(PIECES_MAX).chain([rest.len()]);
            let ends: Vec<usize> = ends.filter(|end| *end <= rest.len()).collect();
            let found = ends.iter().rev().find_map(|end| Some((*end, self.known.bare(&rest[..*end])?)));
            let end = found.map_or(ends[0], |(end, _)| end);
            let word = &atom[from..from + end];
            match found {
                Some((_, what)) => out.push_str(&self.named(word, what)),
                None => out.push_str(word),
            }
            from += end;
        }
    }

    /// Whether a word is the full name of a host: it ends in a public suffix, in one for private use, or in a domain of the case.
    fn is_host(&self, lower: &str) -> bool {
        let labels = lower.split('.');
        let well_formed = labels.clone().count() > 1 && labels.clone().all(|label| !label.is_empty());
        let known = || lower.match_indices('.').any(|(dot, _)| self.known.is_domain(&lower[dot + 1..])) || self.known.is_domain(lower);
        well_formed && (is_public(lower) || known())
    }
}

/// Whether a name ends in a public suffix or in one for private use.
pub(super) fn is_public(name: &str) -> bool {
    let end = name.rsplit('.').next().unwrap_or_default();
    PRIVATE_ENDS.contains(&end) || psl::suffix(name.as_bytes()).is_some_and(|suffix| suffix.is_known())
}

/// The first `@` with a name before or behind it, or `%40`, which a URL writes for it.
fn at_sign(run: &str) -> Option<(usize, &'static str)> {
    let (plain, coded) = (run.find('@'), run.find("%40"));
    match (plain, coded) {
        (Some(plain), Some(coded)) if coded < plain => Some((coded, "%40")),
        (Some(plain), _) => Some((plain, "@")),
        (None, coded) => coded.map(|at| (at, "%40")),
    }
}

fn is_of_a_run(c: char) -> bool {
    c.is_ascii_graphic() && !matches!(c, '<' | '>' | '(' | ')' | '"' | '\'' | ',' | ';' | '|' | '{' | '}')
}

fn is_of_a_local_part(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | '+' | '=' | '#' | '$' | '&' | '*' | '?' | '^' | '`' | '~' | '%')
}

fn trailing_letters(text: &str) -> &str {
    let start = text.char_indices().rev().take_while(|(_, c)| !c.is_ascii() && c.is_alphanumeric()).last();
    start.map_or("", |(at, _)| &text[at..])
}

fn is_guid(word: &str) -> bool {
    word.len() == 36 && word.split('-').map(str::len).eq([8, 4, 4, 4, 12]) && word.bytes().all(|b| b == b'-' || b.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::super::known::Known;
    use super::super::names::Names;
    use super::*;
    use crate::pseudonym::Key;

    fn check(known: &[&str], texts: &[(&str, &str)]) {
        let key = Key::new(&[b'k'; 32]).unwrap();
        let mut names = Known::default();
        for name in known {
            if name.contains('/') {
                names.path(name);
            } else {
                names.account(name);
            }
        }
        names.host("mx1");
        let all = Pseudonyms { names: Names::new(&key), known: names.finish() };
        for (text, expected) in texts {
            // `{a:…}` in what is expected is the pseudonym of an account, `{h:…}` of a host or address, and so on.
            let mut shown = (*expected).to_owned();
            while let Some((at, end)) = shown.find('{').and_then(|at| Some((at, at + shown[at..].find('}')?))) {
                let (kind, value) = shown[at + 1..end].split_once(':').unwrap();
                let value = match kind {
                    "a" => all.names.account(value),
                    "h" => all.names.host(value),
                    "p" => all.names.path(value),
                    _ => all.names.id(value),
                };
                shown.replace_range(at..=end, &value);
            }
            assert_eq!(all.sentence(text), shown, "{text}");
        }
    }

    #[test]
    fn addresses_and_hosts_are_found_by_their_form() {
        check(
            &[],
            &[
                ("550 5.1.1 <Yamada@x.example>: unknown", "550 5.1.1 <{a:yamada@x.example}>: unknown"),
                ("relay=mx.x.example[203.0.113.7]:25, delay=1", "relay={h:mx.x.example}[{h:203.0.113.7}]:25, delay=1"),
                ("from 203.0.113.7.", "from {h:203.0.113.7}."),
                ("in 203.0.113.0/24, and 2001:DB8::/64: so", "in {h:203.0.113.0/24}, and {h:2001:db8::/64}: so"),
                ("[IPv6:2001:db8::7]:25 ip=2001:db8::7;", "[IPv6:{h:2001:db8::7}]:25 ip={h:2001:db8::7};"),
                ("https://203.0.113.7/a?u=yamada%40x.example&b", "https://{h:203.0.113.7}/a?u={a:yamada}%40{h:x.example}&b"),
                ("sasl_username=yamada@x.example", "sasl_username={a:yamada@x.example}"),
                ("b+t=u.example@x.example", "{a:b+t=u.example@x.example}"),
                ("smtp:a@x.example;b@[203.0.113.7]", "smtp:{a:a@x.example};{a:b@[203.0.113.7]}"),
                ("山田@x.exampleから", "{a:山田}@{h:x.example}から"),
                ("mail.x.co.jpのログ", "{h:mail.x.co.jp}のログ"),
                ("id 1b4e28ba-2fa1-11d2-883f-0016d3cca427", "id {i:1b4e28ba-2fa1-11d2-883f-0016d3cca427}"),
            ],
        );
    }

    #[test]
    fn known_names_are_found_bare_and_the_words_of_a_sentence_stay() {
        check(
            &["tanaka@u.example", "UNIV\\suzuki", "mail", "田中@u.example", "e2012345", "/case/Tanaka san/mail.log", "a@corp.zz"],
            &[
                ("no log of a mail server for TANAKA", "no log of a mail server for {a:tanaka}"),
                ("backup-tanaka.x on mx1:", "backup-{a:tanaka}.x on {h:mx1}:"),
                ("tanakaの最初、mx1で", "{a:tanaka}の最初、{h:mx1}で"),
                ("univ\\Suzuki and suzuki", "{a:univ\\suzuki} and {a:suzuki}"),
                ("田中@u.exampleが", "{a:田中@u.example}が"),
                ("E2012345 of 12,345 at 16:01:20 +09:00 (E1:1234)", "{a:e2012345} of 12,345 at 16:01:20 +09:00 (E1:1234)"),
                ("x (/case/Tanaka san/mail.log with 9).", "x ({p:/case/Tanaka san/mail.log} with 9)."),
                ("h1.corp.zz said 5.7.1 on 2022-10-31", "{h:h1.corp.zz} said 5.7.1 on 2022-10-31"),
                ("Chrome/107.0.0.0 Safari/537.36", "Chrome/107.0.0.0 Safari/537.36"),
            ],
        );
    }

    #[test]
    fn no_text_makes_it_give_up() {
        for text in
            ["@", "@@", "%40", "a@", "@b.example", "=@=", "[", "[]", ":::", "..", "-._", "\0@\0", "é@", "AS", "AS99999999999", "％４０@"]
        {
            check(&[], &[("", "")]);
            let key = Key::new(&[b'k'; 32]).unwrap();
            let all = Pseudonyms { names: Names::new(&key), known: Known::default().finish() };
            all.sentence(text);
            all.sentence(&format!("{text}{text}x{text}"));
        }
    }
}
