//! The Japanese of everything that is said: sentences by the part of the report they stand in, and the meanings of terms.
//!
//! Written for analysts of university CSIRTs. Sentences end in the plain form (である) or in a noun, never in です・ます; a half-width blank
//! stands between Japanese and Latin letters or figures, and around names in braces unless punctuation follows.

mod analysis;
mod evidence;
mod report;
mod terms;

use super::Entry;

pub(super) const SENTENCES: &[&[Entry]] = &[report::SENTENCES, analysis::SENTENCES, evidence::SENTENCES];

pub(super) const TERMS: &[Entry] = terms::TERMS;

/// A table of sentences: English, then Japanese below it.
macro_rules! catalogue {
    ($($english:literal => $japanese:literal,)*) => {
        pub(super) const SENTENCES: &[crate::say::Entry] = &[$(($english, $japanese)),*];
    };
}
use catalogue;
