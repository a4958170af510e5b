//! Where a fact stands in the evidence: a source and a line (or record) in it.

/// One stream of log records: a file, or one member of an archive.
///
/// The number is the source's rank by path, so that it does not depend on the order of the arguments; it is shown as `E1`, `E2`, …
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourceId(pub u32);

impl std::fmt::Display for SourceId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "E{}", self.0 + 1)
    }
}

/// A line (or record) of a source, counted from 1. Packed, because there are several for each message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(Rust, packed(4))]
pub struct Place {
    pub source: SourceId,
    pub line: u64,
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Place { source, line } = *self;
        write!(f, "{source}:{line}")
    }
}
