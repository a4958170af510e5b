//! From tables to findings: which accounts were abused, since when, by whom, and how sure that is.

pub mod model;
