//! mailtrail reads archived mail logs and says who logged in, what was sent, what arrived, what was blocked, and how sure that is.
//!
//! The modules stand in the order of the data's way; none imports one that stands after it.
//!
//! `domain` (shared words) → `intake` (bytes → sources) → `formats` (sources → events) → `correlate` (events → messages, recipients,
//! logins) → `ingest` (drives the three over all sources) → `tables` (the same as Parquet) → `analysis` (tables → report model) →
//! `pseudonym` (names and addresses replaced, where that is asked for) → `report` (one model, many faces) → `pipeline` (the whole job)
//! → `cli`. `simulate` writes exercise data and stands aside.

pub mod config;
pub mod domain;
pub mod geo;
pub mod say;
pub mod watch;

pub mod intake;

pub mod formats;

pub mod correlate;

pub mod ingest;

pub mod tables;

pub mod analysis;

pub mod pseudonym;

pub mod report;

pub mod pipeline;

pub mod simulate;

pub mod cli;
