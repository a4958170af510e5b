//! mailtrail reads archived mail logs and says who logged in, what was sent, what arrived, what was blocked, and how sure that is.
//!
//! The modules stand in the order of the data's way; none imports one that stands after it.
//!
//! `domain` (shared words) → `intake` (bytes → sources) → `formats` (sources → events) → `correlate` (events → messages, recipients,
//! logins) → `tables` (the same as Parquet) → `analysis` (tables → report model) → `report` (one model, many faces) → `cli`.

pub mod analysis;
pub mod config;
pub mod domain;
pub mod formats;
pub mod intake;
pub mod pipeline;
pub mod simulate;
