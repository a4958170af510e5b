//! Which of a server's services wrote a log, where several write logs of one format and each tells what no other does.

/// A service of Exchange 2013 or later with logs of its own; before that, one service wrote what the last four of them write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Service {
    /// The front end's receive log: logins for sending, and those that failed.
    FrontEnd,
    /// The hub transport's receive log: what was refused after the login.
    Hub,
    /// The transport service's tracking: what was taken in by SMTP, sent out, blocked and bounced.
    Transport,
    /// Tracking of what mailboxes sent.
    Submission,
    /// Tracking of what was put into mailboxes.
    Delivery,
}

impl Service {
    /// Every service, in the order of a message's way.
    pub const ALL: [Service; 5] = [Service::FrontEnd, Service::Hub, Service::Transport, Service::Submission, Service::Delivery];
}

/// The services whose rows a source holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Services(u8);

impl Services {
    /// Notes that a row is of a service.
    pub fn add(&mut self, service: Service) {
        self.0 |= 1 << service as u8;
    }

    /// Adds those of another piece of the same source.
    pub fn join(&mut self, other: Services) {
        self.0 |= other.0;
    }

    /// Whether any row is of a service.
    #[must_use]
    pub fn has(self, service: Service) -> bool {
        self.0 & (1 << service as u8) != 0
    }
}
