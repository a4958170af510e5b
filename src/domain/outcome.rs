//! What became of a recipient and of a message, and why.

use serde::Serialize;

/// The final fate of one recipient of one message. Each recipient has exactly one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The last hop said yes: a mailbox, or a host outside the organisation.
    Delivered,
    /// A security or policy control refused it.
    Blocked,
    /// Failed for good for any other reason.
    Bounced,
    /// Retried until the queue lifetime ended.
    Expired,
    /// Still waiting when the evidence ends.
    Deferred,
    /// Dropped silently by our own system, or deleted from the queue by its operator.
    Discarded,
    /// Kept for an administrator and not released.
    Held,
    /// Handed to a host of ours whose logs are not in evidence.
    Relayed,
    /// The evidence does not say.
    Unknown,
}

impl Outcome {
    /// Every outcome, in the order of the report, which also breaks ties of a message's outcome.
    pub const ALL: [Outcome; 9] = [
        Outcome::Delivered,
        Outcome::Blocked,
        Outcome::Bounced,
        Outcome::Expired,
        Outcome::Deferred,
        Outcome::Discarded,
        Outcome::Held,
        Outcome::Relayed,
        Outcome::Unknown,
    ];

    /// The word used in reports and tables.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Outcome::Delivered => "delivered",
            Outcome::Blocked => "blocked",
            Outcome::Bounced => "bounced",
            Outcome::Expired => "expired",
            Outcome::Deferred => "deferred",
            Outcome::Discarded => "discarded",
            Outcome::Held => "held",
            Outcome::Relayed => "relayed",
            Outcome::Unknown => "unknown",
        }
    }
}

/// The outcome of a whole message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MessageOutcome {
    /// All recipients share this outcome, or it is the most frequent one of a message that nobody received.
    Whole(Outcome),
    /// Some recipients got it, others did not.
    PartlyDelivered,
}

impl MessageOutcome {
    /// Settles a message's outcome from the number of its recipients by outcome (indexed as [`Outcome::ALL`]).
    ///
    /// All delivered is `delivered`, some delivered is `partly_delivered`; otherwise the most frequent outcome, ties broken
    /// in the order of [`Outcome::ALL`]. A message without known recipients is `unknown`.
    #[must_use]
    pub fn settle(counts: &[u64; 9]) -> MessageOutcome {
        let total: u64 = counts.iter().sum();
        let delivered = counts[0];
        if total == 0 {
            return MessageOutcome::Whole(Outcome::Unknown);
        }
        if delivered == total {
            return MessageOutcome::Whole(Outcome::Delivered);
        }
        if delivered > 0 {
            return MessageOutcome::PartlyDelivered;
        }
        let mut best = Outcome::Unknown;
        let mut most = 0;
        for (outcome, &count) in Outcome::ALL.iter().zip(counts) {
            if count > most {
                best = *outcome;
                most = count;
            }
        }
        MessageOutcome::Whole(best)
    }

    /// The word used in reports and tables.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            MessageOutcome::Whole(outcome) => outcome.as_str(),
            MessageOutcome::PartlyDelivered => "partly_delivered",
        }
    }
}

/// Who refused: the organisation's own systems or the receiving side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum By {
    Own,
    Remote,
}

impl By {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            By::Own => "own",
            By::Remote => "remote",
        }
    }
}

/// Why a recipient did not get the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    Reputation,
    RateLimit,
    Content,
    Authentication,
    RecipientInvalid,
    MailboxFull,
    RelayRefused,
    Policy,
    Network,
    Other,
}

impl Reason {
    /// The word used in reports and tables.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Reason::Reputation => "reputation",
            Reason::RateLimit => "rate-limit",
            Reason::Content => "content",
            Reason::Authentication => "authentication",
            Reason::RecipientInvalid => "recipient-invalid",
            Reason::MailboxFull => "mailbox-full",
            Reason::RelayRefused => "relay-refused",
            Reason::Policy => "policy",
            Reason::Network => "network",
            Reason::Other => "other",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settle(pairs: &[(Outcome, u64)]) -> &'static str {
        let mut counts = [0; 9];
        for (outcome, n) in pairs {
            counts[*outcome as usize] = *n;
        }
        MessageOutcome::settle(&counts).as_str()
    }

    #[test]
    fn a_message_is_delivered_only_if_all_its_recipients_are() {
        assert_eq!(settle(&[(Outcome::Delivered, 3)]), "delivered");
        assert_eq!(settle(&[(Outcome::Delivered, 1), (Outcome::Bounced, 9)]), "partly_delivered");
    }

    #[test]
    fn otherwise_the_most_frequent_outcome_wins_and_ties_go_by_the_stated_order() {
        assert_eq!(settle(&[(Outcome::Bounced, 2), (Outcome::Blocked, 1)]), "bounced");
        assert_eq!(settle(&[(Outcome::Bounced, 2), (Outcome::Blocked, 2)]), "blocked");
        assert_eq!(settle(&[(Outcome::Held, 1), (Outcome::Relayed, 1), (Outcome::Unknown, 1)]), "held");
        assert_eq!(settle(&[]), "unknown");
    }
}
