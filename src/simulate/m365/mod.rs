//! Microsoft 365: not written yet.
