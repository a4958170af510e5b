//! How a long run tells what it is doing, without knowing who listens.

/// Hears how far a run has come. All methods may be called from any thread.
pub trait Watch: Sync {
    /// The evidence was listed: bytes that will be read, or `None` where that cannot be known.
    fn listed(&self, sources: u64, bytes: Option<u64>);
    /// This many more bytes (as they lie in the evidence) and lines were done.
    fn advanced(&self, bytes: u64, lines: u64);
    /// Something the analyst should see at once, though the report says it too.
    fn warn(&self, message: &str);
    /// A stage begins, in a word or two.
    fn stage(&self, name: &str);
    /// Whether the run should stop (the user interrupted it).
    fn stopped(&self) -> bool;
}
