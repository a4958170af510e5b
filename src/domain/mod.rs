//! The words every stage shares: instants, places in the evidence, outcomes, reasons, accounts and the rows of the tables.
//!
//! Nothing here reads, parses or prints; nothing here knows a log format.

pub mod account;
pub mod action;
pub mod outcome;
pub mod place;
pub mod rows;
pub mod text;
pub(crate) mod text_set;
pub mod time;
