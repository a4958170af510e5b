//! Measures the judgement on simulated incidents: writes exercises, analyses them in the same process, and compares with their truth.
//!
//! `cargo run --release --example evaluate -- --seeds 1-20` makes the table of `docs/METHOD.md`. What is compared in full is what the
//! tests compare; precision and recall tell how far off a run is that differs.

#[path = "../tests/it/compare.rs"]
#[allow(dead_code)]
mod compare;

use clap::Parser;
use mailtrail::config::{Config, Overrides, Settings};
use mailtrail::domain::time::Zone;
use mailtrail::pipeline::{self, Watch};
use mailtrail::simulate::{self, Forms, Guise, Layout, Request, Story, System};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::fmt::Write as _;
use std::path::Path;

/// Measure the judgement on simulated incidents
#[derive(Parser)]
struct Arguments {
    /// Seeds, first to last
    #[arg(long, default_value = "1-10", value_parser = seeds)]
    seeds: (u64, u64),
    /// Only these stories; all by default
    #[arg(long, value_delimiter = ',')]
    story: Vec<Story>,
    /// The mail systems whose logs are written; all by default
    #[arg(long, value_delimiter = ',')]
    system: Vec<System>,
    /// How the attackers hide
    #[arg(long, default_value_t = Guise::Plain)]
    guise: Guise,
    /// Size of the stories; niigata is written at a hundredth of it
    #[arg(long, default_value_t = 1.0)]
    scale: f64,
    /// Threads that read
    #[arg(long, default_value_t = 2)]
    threads: usize,
}

/// Differences shown of a run, and characters of each.
const DIFFERENCES: usize = 8;
const DIFFERENCE: usize = 2000;

fn seeds(text: &str) -> Result<(u64, u64), String> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    match (first.parse(), last.parse()) {
        (Ok(first), Ok(last)) if first <= last => Ok((first, last)),
        _ => Err("give seeds as 1-20 or 7".to_owned()),
    }
}

/// Reads without telling anybody.
struct Silent;

impl Watch for Silent {
    fn listed(&self, _sources: u64, _bytes: Option<u64>) {}
    fn advanced(&self, _bytes: u64, _lines: u64) {}
    fn warn(&self, _message: &str) {}
    fn stage(&self, _name: &str) {}
    fn stopped(&self) -> bool {
        false
    }
}

/// What was found, what there was, and what of it is the same.
#[derive(Clone, Copy, Default)]
struct Hits {
    found: u64,
    truth: u64,
    both: u64,
}

impl Hits {
    fn sets(found: &BTreeSet<String>, truth: &BTreeSet<String>) -> Hits {
        Hits { found: found.len() as u64, truth: truth.len() as u64, both: found.intersection(truth).count() as u64 }
    }

    /// Counts by name; of each the smaller number is what agrees.
    fn counts(found: &BTreeMap<String, u64>, truth: &BTreeMap<String, u64>) -> Hits {
        let both = found.iter().map(|(name, n)| (*n).min(truth.get(name).copied().unwrap_or(0))).sum();
        Hits { found: found.values().sum(), truth: truth.values().sum(), both }
    }

    fn add(&mut self, other: Hits) {
        self.found += other.found;
        self.truth += other.truth;
        self.both += other.both;
    }

    /// Precision and recall; a dash where there is nothing to divide by. Only what is whole is written as 1.
    fn shown(self) -> String {
        let share = |of: u64| match of {
            0 => "-".to_owned(),
            of if of == self.both => "1".to_owned(),
            of => format!("{:.4}", (self.both as f64 / of as f64).min(0.9999)),
        };
        format!("{} / {}", share(self.found), share(self.truth))
    }
}

/// The results of one story on one system.
#[derive(Default)]
struct Score {
    runs: u64,
    exact: u64,
    first_logins: (u64, u64),
    false_alarms: u64,
    accounts: Hits,
    origins: Hits,
    messages: Hits,
    /// The scores of the incidents found, by verdict.
    verdicts: BTreeMap<String, Vec<f64>>,
    differing: Vec<String>,
}

impl Score {
    /// Each verdict with how many incidents have it and their lowest and highest score.
    fn verdict(&self) -> String {
        let one = |(verdict, scores): (&String, &Vec<f64>)| {
            let (low, high) = scores.iter().fold((1.0_f64, 0.0_f64), |(low, high), s| (low.min(*s), high.max(*s)));
            let scores_shown = if low == high { format!("{low:.2}") } else { format!("{low:.2} to {high:.2}") };
            format!("{verdict} {}, {scores_shown}", scores.len())
        };
        let all: Vec<String> = self.verdicts.iter().map(one).collect();
        if all.is_empty() { "no incident".to_owned() } else { all.join("; ") }
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments = Arguments::parse();
    let stories = if arguments.story.is_empty() { Story::ALL.to_vec() } else { arguments.story.clone() };
    let systems = if arguments.system.is_empty() { System::ALL.to_vec() } else { arguments.system.clone() };
    let mut table = String::from(
        "| system | story | runs | as in the truth | first login exact | accounts P / R | origins P / R | messages P / R | false alarms | verdicts |\n\
         | --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | --- |\n",
    );
    let mut differing = Vec::new();
    for &system in &systems {
        for &story in &stories {
            let mut score = Score::default();
            for seed in arguments.seeds.0..=arguments.seeds.1 {
                run(&arguments, system, story, seed, &mut score)?;
            }
            writeln!(
                table,
                "| {system} | `{story}` | {} | {} | {} of {} | {} | {} | {} | {} | {} |",
                score.runs,
                score.exact,
                score.first_logins.0,
                score.first_logins.1,
                score.accounts.shown(),
                score.origins.shown(),
                score.messages.shown(),
                score.false_alarms,
                score.verdict()
            )?;
            differing.append(&mut score.differing);
        }
    }
    say(&table, &differing);
    Ok(())
}

#[allow(clippy::print_stdout)]
fn say(table: &str, differing: &[String]) {
    println!("{table}");
    for difference in differing {
        println!("{difference}");
    }
}

fn run(arguments: &Arguments, system: System, story: Story, seed: u64, score: &mut Score) -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let zone = Zone::parse("Asia/Tokyo")?;
    let scale = if story == Story::Niigata { arguments.scale / 100.0 } else { arguments.scale };
    let request = Request {
        system,
        story,
        guise: arguments.guise,
        scale,
        seed,
        out: folder.path().to_owned(),
        layout: Layout::default(),
        forms: Forms::default(),
        zone,
    };
    simulate::simulate(&request, &mut |_| {})?;
    let truth: Value = serde_json::from_slice(&std::fs::read(folder.path().join("truth.json"))?)?;
    let found = analyse(&folder.path().join("logs"), zone, arguments.threads)?;
    let mut differences = compare::report(&found, &truth);
    score.runs += 1;
    score.exact += u64::from(differences.is_empty());
    count(&found, &truth, score);
    if !differences.is_empty() {
        differences.truncate(DIFFERENCES);
        let differences: Vec<String> = differences.iter().map(|d| d.chars().take(DIFFERENCE).collect()).collect();
        score.differing.push(format!("{system} {story} seed {seed}:\n    {}", differences.join("\n    ")));
    }
    Ok(())
}

fn analyse(logs: &Path, zone: Zone, threads: usize) -> Result<Value, Box<dyn Error>> {
    let overrides = Overrides { report_zone: Some(zone), threads, ..Overrides::default() };
    let settings = Settings::from_parts(Config::default(), overrides)?;
    let case = pipeline::analyze(&[logs.to_owned()], &settings, &Silent)?;
    Ok(serde_json::to_value(&case.report)?)
}

fn count(found: &Value, truth: &Value, score: &mut Score) {
    let (found, truth) = (incidents(found), incidents(truth));
    let accounts = |all: &[Value]| -> BTreeSet<String> {
        all.iter().flat_map(|i| compare::set(&i["accounts"]).into_iter().map(str::to_owned).collect::<Vec<_>>()).collect()
    };
    let attackers = |all: &[Value], of: fn(&Value) -> u64| -> BTreeMap<String, u64> {
        let origins = all.iter().flat_map(|i| i["origins"].as_array().cloned().unwrap_or_default());
        let attackers = origins.filter(|o| o["verdict"] == "attacker");
        attackers.map(|o| (o["ip"].as_str().unwrap_or_default().to_owned(), of(&o))).collect()
    };
    let names = |all: &[Value]| -> BTreeSet<String> { attackers(all, |_| 0).into_keys().collect() };
    let sent = |all: &[Value]| attackers(all, |o| o["messages"].as_u64().unwrap_or(0));
    score.accounts.add(Hits::sets(&accounts(found), &accounts(truth)));
    score.origins.add(Hits::sets(&names(found), &names(truth)));
    score.messages.add(Hits::counts(&sent(found), &sent(truth)));
    let in_truth = accounts(truth);
    let touched = |i: &Value| compare::set(&i["accounts"]).into_iter().any(|a| in_truth.contains(a));
    score.false_alarms += found.iter().filter(|i| !touched(i)).count() as u64;
    for wanted in truth {
        let login = |i: &Value| compare::to_the_second(i["first_login"]["time"].clone());
        score.first_logins.0 += u64::from(found.iter().any(|i| login(i) == login(wanted)));
        score.first_logins.1 += 1;
    }
    for incident in found {
        let verdict = incident["verdict"].as_str().unwrap_or_default().to_owned();
        score.verdicts.entry(verdict).or_default().extend(incident["score"].as_f64());
    }
}

fn incidents(of: &Value) -> &[Value] {
    of["incidents"].as_array().map(Vec::as_slice).unwrap_or_default()
}
