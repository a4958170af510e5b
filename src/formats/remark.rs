//! What a format has to say about a source as a whole: signs that an export is cut, damaged or silent about something.

/// A sign that a source does not say all it should. Each becomes a limitation of the report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Remark {
    /// A page names a following one, which the collection may lack.
    NextPage,
    /// The search that made the export failed for some records.
    QueryError,
    /// The result of a sign-in is lost: an export tool printed the name of a type in its place.
    OutcomeLost,
    /// Nested values were printed as text by a tool that goes two levels deep, or stopped in a cell of a spreadsheet.
    Degraded,
    /// A time lost its date or its hour, or could be read with the day and the month either way.
    DoubtfulTime,
    /// Times stand in the zone that was chosen when the export was made, which the file does not tell.
    UnknownZone,
    /// The provider stopped recording access to a mailbox for up to 24 hours.
    Throttled,
    /// A row may stand for several sign-ins.
    RolledUp,
    /// The heading of a table is lost; what its columns are was told by what they hold.
    NoHeading,
    /// The last row has no line end, and may have been cut within its last cell.
    UnendedTable,
    /// A row names no message; its time, sender and subject stand for one.
    NamelessMessage,
    /// The addresses of a row's recipients are lost: a shell printed the name of a type in their place.
    RecipientsLost,
    /// A request names its user by a security identifier alone.
    SidAlone,
}

impl Remark {
    /// Every remark, in the order of the report.
    pub const ALL: [Remark; 13] = [
        Remark::NextPage,
        Remark::QueryError,
        Remark::OutcomeLost,
        Remark::Degraded,
        Remark::DoubtfulTime,
        Remark::UnknownZone,
        Remark::Throttled,
        Remark::RolledUp,
        Remark::NoHeading,
        Remark::UnendedTable,
        Remark::NamelessMessage,
        Remark::RecipientsLost,
        Remark::SidAlone,
    ];
}

/// How often each remark was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Remarks([u64; Remark::ALL.len()]);

impl Remarks {
    /// Makes a remark about one more record.
    pub fn add(&mut self, remark: Remark) {
        self.0[remark as usize] += 1;
    }

    /// Adds the remarks of another piece of the same source.
    pub fn join(&mut self, other: &Remarks) {
        self.0.iter_mut().zip(other.0).for_each(|(sum, n)| *sum += n);
    }

    /// How often a remark was made.
    #[must_use]
    pub fn count(&self, remark: Remark) -> u64 {
        self.0[remark as usize]
    }
}
