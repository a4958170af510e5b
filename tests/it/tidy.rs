//! Rules of the house that no compiler checks: who may use whom, what has one home, what must not be in the project.
//!
//! The sources are read as text, with comments, strings and test code taken out first.

use crate::command::run;
use crate::evidence::{files, project};
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// The modules in the order of the data's way; each may use itself and what stands before it.
const LAYERS: [&str; 15] = [
    "say",
    "domain",
    "geo",
    "config",
    "watch",
    "intake",
    "formats",
    "correlate",
    "ingest",
    "tables",
    "analysis",
    "pseudonym",
    "report",
    "pipeline",
    "cli",
];

/// One file of the library.
struct Source {
    /// Below `src`, with slashes.
    path: String,
    text: String,
    /// The same without comments, strings and test code.
    code: String,
}

fn sources() -> Vec<Source> {
    let rust = |(path, _): &(String, Vec<u8>)| path.ends_with(".rs");
    let mut sources: Vec<Source> = files(&project().join("src"))
        .into_iter()
        .filter(rust)
        .map(|(path, bytes)| {
            let text = String::from_utf8(bytes).unwrap_or_else(|_| panic!("{path} is no text"));
            let code = code(&text);
            Source { path, text, code }
        })
        .collect();
    assert!(sources.len() > 50, "the sources were not found");
    let tests: BTreeSet<String> = sources.iter().flat_map(test_files).collect();
    let is_test =
        |path: &str| tests.iter().any(|test| path.strip_prefix(test.as_str()).is_some_and(|rest| rest == ".rs" || rest.starts_with('/')));
    for source in sources.iter_mut().filter(|source| is_test(&source.path)) {
        source.code.clear();
    }
    sources
}

/// The files, without `.rs`, or folders that a source declares as modules for tests alone.
fn test_files(source: &Source) -> Vec<String> {
    let bare = blank(&source.text);
    let stem = source.path.trim_end_matches(".rs");
    let folder = stem.strip_suffix("mod").or_else(|| stem.strip_suffix("lib")).map_or_else(|| format!("{stem}/"), str::to_owned);
    let names = bare.split("#[cfg(test)]").skip(1).filter_map(|after| {
        let item = after.split([';', '{']).next()?;
        let name = item.split_whitespace().skip_while(|word| *word != "mod").nth(1)?;
        after.trim_start_matches(item).starts_with(';').then(|| format!("{folder}{name}"))
    });
    names.collect()
}

/// Takes comments, strings and what is compiled for tests alone out of a source.
fn code(text: &str) -> String {
    let mut rest = blank(text);
    let mut code = String::new();
    while let Some(at) = rest.find("#[cfg(test)]") {
        code.push_str(&rest[..at]);
        rest = rest[at..].to_owned();
        let end = item_end(&rest);
        rest = rest[end..].to_owned();
    }
    code + &rest
}

/// Where the item at the start of some code ends: at its `;`, or at the brace that closes its first one.
fn item_end(code: &str) -> usize {
    let mut depth = 0;
    for (at, byte) in code.bytes().enumerate() {
        match byte {
            b';' if depth == 0 => return at + 1,
            b'{' => depth += 1,
            b'}' => {
                depth -= 1;
                if depth == 0 {
                    return at + 1;
                }
            }
            _ => {}
        }
    }
    code.len()
}

/// The same text with comments and the insides of strings and characters left out.
fn blank(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let skipped = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            rest.find("*/").map_or(rest.len(), |end| end + 2)
        } else if let Some(length) = literal(rest, out.chars().last()) {
            out.push_str("\"\"");
            length
        } else {
            out.push(first);
            first.len_utf8()
        };
        rest = &rest[skipped..];
    }
    out
}

/// The length of the string or character that some code starts with.
fn literal(code: &str, before: Option<char>) -> Option<usize> {
    let in_name = before.is_some_and(|c| c.is_alphanumeric() || c == '_');
    let prefix = if in_name { "" } else { ["br", "b", "r", "c"].into_iter().find(|prefix| code.starts_with(prefix)).unwrap_or("") };
    let body = &code[prefix.len()..];
    if prefix.contains('r') {
        let hashes = body.len() - body.trim_start_matches('#').len();
        let inner = body[hashes..].strip_prefix('"')?;
        let end = inner.find(&format!("\"{}", "#".repeat(hashes)))?;
        return Some(prefix.len() + hashes + 1 + end + 1 + hashes);
    }
    let quote = body.chars().next().filter(|c| *c == '"' || *c == '\'')?;
    let mut escaped = false;
    for (at, c) in body.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            c if c == quote => return Some(prefix.len() + at + c.len_utf8()),
            // A lifetime: no character is that long.
            _ if quote == '\'' && body[..at].chars().count() > 1 && !body.starts_with("'\\") => return None,
            _ => {}
        }
    }
    None
}

#[test]
fn text_is_told_from_code() {
    let shown = code(
        "a // x\nlet b = \"panic!\\\" {\"; 'c'; '\\''; '{'; fn f<'a>(x: &'a str) {} r#\"un\"wrap\"# /* y */ z\n#[cfg(test)]\nmod t { {} }\nend",
    );
    assert_eq!(shown, "a \nlet b = \"\"; \"\"; \"\"; \"\"; fn f<'a>(x: &'a str) {} \"\"  z\n\nend");
    assert_eq!(code("#[cfg(test)]\npub(crate) mod samples;\nuse x;"), "\nuse x;");
}

#[test]
fn every_file_says_what_it_owns() {
    let silent: Vec<String> = sources().into_iter().filter(|source| !source.text.starts_with("//! ")).map(|source| source.path).collect();
    assert!(silent.is_empty(), "files that do not begin with //!: {silent:?}");
    let parts = files(&project().join("tests"));
    let silent: Vec<&String> =
        parts.iter().filter(|(path, text)| path.ends_with(".rs") && !text.starts_with(b"//! ")).map(|(path, _)| path).collect();
    assert!(silent.is_empty(), "files that do not begin with //!: {silent:?}");
}

/// The top-level module a file is of.
fn module(path: &str) -> &str {
    path.split(['/', '.']).next().unwrap_or(path)
}

/// The top-level modules that some code names.
fn used(code: &str) -> BTreeSet<String> {
    let name = |text: &str| text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
    let mut used = BTreeSet::new();
    for after in code.split("crate::").skip(1) {
        match after.strip_prefix('{') {
            Some(group) => {
                let mut depth = 0;
                let mut start = true;
                for (at, c) in group.char_indices() {
                    if start && depth == 0 && c.is_alphabetic() {
                        used.insert(name(&group[at..]));
                    }
                    match c {
                        '{' => depth += 1,
                        '}' if depth == 0 => break,
                        '}' => depth -= 1,
                        _ => {}
                    }
                    start = c == ',' || (start && c.is_whitespace());
                }
            }
            None => {
                used.insert(name(after));
            }
        }
    }
    used
}

/// Whether one module may use another.
fn may_use(user: &str, used: &str) -> bool {
    let rank = |module: &str| LAYERS.iter().position(|layer| *layer == module);
    match (user, used) {
        _ if user == used => true,
        ("lib" | "main", _) | ("cli", "simulate") | ("config", "say" | "domain" | "intake" | "geo") => true,
        ("simulate", used) => used == "domain",
        ("say" | "domain" | "config" | "watch", _) => false,
        _ => rank(user).zip(rank(used)).is_some_and(|(user, used)| used < user),
    }
}

#[test]
fn data_flows_down_and_nothing_imports_what_stands_above_it() {
    assert_eq!(used("use crate::{a, b::{c, d}, e}; crate::f::g()").into_iter().collect::<Vec<_>>(), ["a", "b", "e", "f"]);
    let mut wrong = Vec::new();
    for source in sources() {
        let user = module(&source.path);
        assert!(["lib", "main", "simulate"].contains(&user) || LAYERS.contains(&user), "{user} has no place among the layers");
        wrong.extend(used(&source.code).into_iter().filter(|used| !may_use(user, used)).map(|used| format!("{} uses {used}", source.path)));
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn each_heavy_dependency_has_one_home() {
    let homes = [("clap", "cli"), ("indicatif", "cli"), ("terminal_size", "cli"), ("polars", "tables"), ("maxminddb", "geo")];
    let mut wrong = Vec::new();
    for source in sources() {
        let words: BTreeSet<&str> = source.code.split(|c: char| !(c.is_alphanumeric() || c == '_')).collect();
        for (dependency, home) in homes {
            let named = words.iter().any(|word| *word == dependency || word.starts_with(&format!("{dependency}_")));
            if named && module(&source.path) != home {
                wrong.push(format!("{} uses {dependency}, whose home is {home}", source.path));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn nothing_but_the_command_prints_or_reads_the_environment() {
    let mut wrong = Vec::new();
    for source in sources().iter().filter(|source| module(&source.path) != "cli") {
        for word in ["println!", "eprintln!", "print!", "eprint!", "io::stdout", "io::stderr", "env::var", "env::args"] {
            // `println!` holds `print!` only behind other letters.
            let found = source.code.match_indices(word).any(|(at, _)| !source.code[..at].ends_with(|c: char| c.is_alphanumeric()));
            if found && source.path != "main.rs" {
                wrong.push(format!("{word} in {}", source.path));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn no_input_can_make_the_library_give_up() {
    let mut wrong = Vec::new();
    for source in sources() {
        for word in [".unwrap()", ".expect(", "panic!", "todo!", "unimplemented!", "unreachable!", "dbg!", "unsafe "] {
            if source.code.contains(word) {
                wrong.push(format!("{word} in {}", source.path));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn the_project_speaks_of_itself_alone() {
    // Put together here, so that this file does not hold them.
    let words = [["/wo", "rk/"], ["/fa", "rm/"], ["/tmp/bash", "_jobs"], ["/tmp/le", "ad"], ["/root", "/."]].map(|parts| parts.concat());
    let mut wrong = Vec::new();
    let folders = ["src", "tests", "docs", "fixtures", "benches", "fuzz"].map(|name| project().join(name));
    let mut texts: Vec<(String, Vec<u8>)> = folders.iter().filter(|folder| folder.is_dir()).flat_map(|folder| files(folder)).collect();
    for name in ["README.md", "CHANGELOG.md", "Cargo.toml", "clippy.toml", "rustfmt.toml", "deny.toml"] {
        texts.extend(fs::read(project().join(name)).ok().map(|text| (name.to_owned(), text)));
    }
    for (path, text) in &texts {
        let text = String::from_utf8_lossy(text);
        wrong.extend(words.iter().filter(|word| text.contains(*word)).map(|word| format!("{word} in {path}")));
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// The sub-commands, as the help lists them.
fn sub_commands() -> Vec<String> {
    let help = run(["--help"]);
    let listed = help.text().lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    let names: Vec<String> = listed
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next())
        .map(str::to_owned)
        .collect();
    assert!(names.contains(&"analyze".to_owned()), "{names:?}");
    names.into_iter().filter(|name| name != "help").collect()
}

fn assert_tells_of_all(text: &str, of: &str) {
    let untold: Vec<String> = sub_commands()
        .into_iter()
        .filter(|name| !text.contains(&format!("mailtrail {name}")) && !text.contains(&format!("`{name}`")))
        .collect();
    assert!(untold.is_empty(), "{of} does not tell of {untold:?}");
}

#[test]
fn the_manual_and_the_help_of_every_sub_command_can_be_printed() {
    let manual = run(["man"]);
    assert_eq!(manual.code, 0);
    for name in sub_commands() {
        assert!(manual.text().contains(&format!("mailtrail-{name} 1")), "the manual has no page for {name}");
        let help = run([&name, "--help"]);
        assert_eq!((help.code, help.stderr.as_str()), (0, ""), "{name}");
        assert!(help.text().contains("Usage: mailtrail "), "{name}: {}", help.text());
    }
}

#[test]
fn the_readme_tells_of_every_sub_command() {
    let readme = project().join("README.md");
    if readme.exists() {
        assert_tells_of_all(&fs::read_to_string(readme).unwrap(), "README.md");
    }
}

#[test]
fn the_docs_tell_of_every_sub_command() {
    let docs = project().join("docs");
    let pages: Vec<(String, Vec<u8>)> = if docs.is_dir() { files(&docs) } else { Vec::new() };
    let whole: String = pages.iter().filter(|(path, _)| path.ends_with(".md")).map(|(_, text)| String::from_utf8_lossy(text)).collect();
    if !whole.is_empty() {
        assert_tells_of_all(&whole, "docs");
    }
}

#[test]
fn no_test_file_is_forgotten() {
    let main = fs::read_to_string(project().join("tests/it/main.rs")).unwrap();
    for (path, _) in files(&project().join("tests/it")) {
        let name = Path::new(&path).file_stem().and_then(|stem| stem.to_str()).unwrap();
        assert!(name == "main" || main.contains(&format!("mod {name};")), "{path} is in no test binary");
    }
}
