//! The tests of the whole command: each runs the binary as an analyst would and compares with what is known from elsewhere.
//!
//! What happened is told by `truth.json` (the simulator counts it while it invents the story, the laboratory's driver notes what it did)
//! or by a file's own bytes; no expected figure was copied from an output.

#![expect(clippy::unwrap_used, reason = "what fails here is a test, its helpers included")]

mod command;
mod compare;
mod evidence;
mod floods;
mod mmdb;

mod case_folder;
mod copies;
mod damage;
mod determinism;
mod exports;
mod hints;
mod hostile;
mod lab;
mod languages;
mod missing;
mod missing_exchange;
mod newest_first;
mod pseudonyms;
mod same;
mod server_habits;
mod shapes;
mod simulated;
mod soka;
mod tables;
mod tenant;
mod tenant_senders;
mod tidy;
mod times;
mod traps;
