//! What can be asked of the simulator: systems, stories and layouts, with their names.

use crate::domain::time::Zone;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

/// What to simulate, and where to put it.
#[derive(Clone, Debug)]
pub struct Request {
    pub system: System,
    pub story: Story,
    /// How the attackers hide.
    pub guise: Guise,
    /// The size of the story; 1.0 gives the figures it is known by.
    pub scale: f64,
    pub seed: u64,
    /// A folder that does not exist yet, or an empty one.
    pub out: PathBuf,
    pub layout: Layout,
    pub forms: Forms,
    /// The zone of the servers' clocks, and of the truth.
    pub zone: Zone,
}

/// How the logs are written.
#[derive(Clone, Copy, Debug, Default)]
pub struct Layout {
    /// Compression of rotated files; without rotation, of the only one.
    pub compress: Option<Gz>,
    pub rotate: Rotation,
    /// `None` takes what the story is known by.
    pub hosts: Option<Hosts>,
    pub envelope: Envelope,
    pub queue_ids: QueueIds,
    pub columns: Columns,
    /// Puts the logs into one `logs.tar.gz` instead of a folder `logs`.
    pub archive: bool,
}

/// The shapes in which the logs of Microsoft 365 are exported.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Forms {
    pub sign_ins: SignInForm,
    pub audit: AuditForm,
    pub trace: TraceForm,
    pub culture: Culture,
}

/// A name that is not one of a closed set.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown {what} \"{given}\"; one of: {known}")]
pub struct UnknownName {
    pub what: &'static str,
    pub given: String,
    pub known: String,
}

macro_rules! named {
    ($(#[$doc:meta])* $name:ident, $what:literal, $($(#[$variant_doc:meta])* $variant:ident = $text:literal),+) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[$variant_doc])* $variant),+ }

        impl $name {
            pub const ALL: &[$name] = &[$($name::$variant),+];

            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $($name::$variant => $text),+ }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl FromStr for $name {
            type Err = UnknownName;

            fn from_str(text: &str) -> Result<$name, UnknownName> {
                $name::ALL.iter().copied().find(|one| one.as_str() == text).ok_or_else(|| UnknownName {
                    what: $what,
                    given: text.to_owned(),
                    known: $name::ALL.iter().map(|one| one.as_str()).collect::<Vec<_>>().join(", "),
                })
            }
        }
    };
}

named!(
    /// The mail system whose logs are written.
    System, "system", Postfix = "postfix", Exchange = "exchange", M365 = "m365",
    /// Mailboxes at Microsoft 365, sending through the organisation's own Postfix server.
    Hybrid = "hybrid",
    /// Microsoft 365, from which mail to the outside leaves through the organisation's own Postfix server.
    Relay = "m365-relay"
);
named!(
    /// What happens in the logs.
    Story, "story",
    /// One account, 795 messages in one night, nearly all blocked by the own systems.
    Soka = "soka",
    /// Two accounts on a departmental server, 1.51 million messages in four days.
    Niigata = "niigata",
    /// A spray opens three accounts, one sends, mailboxes are read.
    Lateral = "lateral",
    /// Thirty messages a day for weeks from the owner's own provider, the owner active beside.
    Slowburn = "slowburn",
    /// A large mailing from its usual place: no incident.
    Newsletter = "newsletter",
    /// Internet noise alone: no incident.
    Quiet = "quiet"
);
named!(
    /// Compression of log files.
    Gz, "compression", Gzip = "gz"
);
named!(
    /// When a log file is closed and the next begun.
    #[derive(Default)]
    Rotation, "rotation", #[default] None = "none", Daily = "daily"
);
named!(
    /// Whether the department's server does all, or relays outside mail through a core server.
    Hosts, "number of hosts", One = "one", Two = "two"
);
named!(
    /// What stands before the text of each line.
    #[derive(Default)]
    Envelope, "envelope",
    /// `Oct 31 16:01:02 host tag[pid]: `
    #[default]
    Rfc3164 = "rfc3164",
    /// `2022-10-31T16:01:02.123456+09:00 host tag[pid]: `
    Iso = "iso",
    Rfc5424 = "rfc5424",
    /// One JSON object a line, as `journalctl -o json` writes them.
    JournalJson = "journal-json"
);
named!(
    /// The form of queue ids.
    #[derive(Default)]
    QueueIds, "form of queue ids", #[default] Short = "short", Long = "long"
);
named!(
    /// The shape in which sign-ins are exported.
    #[derive(Default)]
    SignInForm, "form of sign-ins",
    /// The portal's CSV downloads: interactive, non-interactive, authentication details.
    #[default]
    PortalCsv = "portal-csv",
    /// The portal's JSON downloads.
    PortalJson = "portal-json",
    /// Pages of the Graph API.
    Graph = "graph",
    /// Blobs of diagnostic settings, JSON lines by the hour.
    Diagnostic = "diagnostic",
    /// Tables of Log Analytics as CSV.
    LogAnalytics = "log-analytics",
    /// None but those in the audit log.
    AuditOnly = "audit-only"
);
named!(
    /// The container in which the audit log is exported.
    #[derive(Default)]
    AuditForm, "form of the audit log",
    /// `Search-UnifiedAuditLog | Export-Csv`.
    #[default]
    Search = "search-csv",
    /// The CSV of the Purview portal.
    Purview = "purview-csv",
    /// One record a line.
    JsonLines = "json-lines",
    /// Nobody has exported it.
    None = "none"
);
named!(
    /// The shape in which the message trace is exported.
    #[derive(Default)]
    TraceForm, "form of the message trace",
    /// `Get-MessageTrace` for all messages, `Get-MessageTraceDetail` for those that failed.
    #[default]
    Trace = "trace-csv",
    /// The historical search's summary of all messages, its extended report of those that failed.
    Summary = "summary-csv",
    /// The historical search's extended report of all messages.
    Extended = "extended-csv",
    /// Nobody has exported it.
    None = "none"
);
named!(
    /// The language in which PowerShell prints dates.
    #[derive(Default)]
    Culture, "culture", #[default] EnUs = "en-us", DeDe = "de-de", JaJp = "ja-jp"
);
named!(
    /// The version of Exchange, which decides the columns of its logs.
    #[derive(Default)]
    Columns, "version of columns",
    /// Exchange 2013.
    Old = "2013",
    /// Exchange 2019.
    #[default]
    New = "2019"
);

named!(
    /// How the attackers of a story hide; each makes the story harder to tell from honest use.
    #[derive(Default)]
    Guise, "guise",
    /// As the story is known.
    #[default]
    Plain = "plain",
    /// They come from the network that the owners' homes are in.
    Neighbour = "neighbour",
    /// Each session may come from another one of very many addresses.
    Rotating = "rotating",
    /// Their list is fresh and no filter minds: their mail arrives as honest mail does.
    CleanList = "clean-list"
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_reads_back_as_what_it_names() {
        for story in Story::ALL {
            assert_eq!(story.to_string().parse(), Ok(*story));
        }
        let error = "syslog".parse::<Envelope>().unwrap_err().to_string();
        assert!(error.contains("rfc3164, iso, rfc5424, journal-json"), "{error}");
    }
}
