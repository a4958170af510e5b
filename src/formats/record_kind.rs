//! Kinds of records of a tenant's exports that can be missing as a whole, because of what was exported, of a licence or of a setting. A
//! source tells how many of each it holds, so that none of a kind is seen to be a kind that was not recorded, and not that nothing happened.

/// What a record is an instance of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RecordKind {
    /// A person signed in by a password or another factor.
    InteractiveSignIn,
    /// A program signed in on a person's behalf, as a rule by a token.
    NonInteractiveSignIn,
    /// A service principal or a managed identity signed in.
    ApplicationSignIn,
    /// A sign-in whose record does not say which of these it is, as in the portal's tables.
    UntoldSignIn,
    /// One of the latter that used a refresh token, as non-interactive ones do.
    RefreshedSignIn,
    /// `MailItemsAccessed`.
    MailAccess,
    /// `Send`, `SendAs`, `SendOnBehalf`.
    MailboxSend,
    /// `SearchQueryInitiatedExchange` and `…SharePoint`.
    MailSearch,
    /// A recipient whose message was handed to the outside, by a record that does not say to whom.
    HandedToNobody,
    /// A hit of a search that numbers its hits.
    Hit,
    /// So many hits were found by the searches whose first hit is there, or whose last one is.
    FoundByFirst,
    FoundByLast,
    /// Came by way of another system (a workspace, an event stream, a storage account), which keeps records as long as it likes.
    Forwarded,
}

const KINDS: usize = RecordKind::Forwarded as usize + 1;

/// How many records there are of each kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RecordKinds([u64; KINDS]);

impl RecordKinds {
    /// Counts one more record.
    pub fn add(&mut self, kind: RecordKind) {
        self.add_many(kind, 1);
    }

    /// Counts so many more.
    pub fn add_many(&mut self, kind: RecordKind, n: u64) {
        let count = &mut self.0[kind as usize];
        *count = count.saturating_add(n);
    }

    /// Adds the records of another piece of the same source.
    pub fn join(&mut self, other: &RecordKinds) {
        self.0.iter_mut().zip(other.0).for_each(|(sum, n)| *sum += n);
    }

    /// How many records are of a kind.
    #[must_use]
    pub fn count(&self, kind: RecordKind) -> u64 {
        self.0[kind as usize]
    }
}
