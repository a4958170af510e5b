//! Other explanations of what was seen, with what speaks for and against each.

use super::Builder;
use crate::analysis::model::{Alternative, Signal};
use crate::say::{Phrase, say};
use std::collections::BTreeSet;

/// An explanation, the signs of which any calls for it, and the signs that speak against and for it.
struct Explanation {
    text: Phrase,
    called_by: &'static [&'static str],
    against: &'static [&'static str],
    in_favour: &'static [&'static str],
}

static EXPLANATIONS: [Explanation; 7] = [
    Explanation {
        text: say!("the echo of a forged sender: others sent under the owner's address, and their notices came to one who sent nothing"),
        called_by: &["returned-flood"],
        against: &[],
        in_favour: &[],
    },
    Explanation {
        text: say!("a mailing of the owner's to an old list, or automatic replies to it"),
        called_by: &["returned-flood"],
        against: &[],
        in_favour: &[],
    },
    Explanation {
        text: say!("the owner at a new place: a journey, a new provider, a new device"),
        called_by: &["new-origin", "new-address", "new-country", "new-asn", "impossible-travel", "unusual-hours"],
        against: &[
            "burst",
            "refusals",
            "sustained-volume",
            "new-recipients",
            "send-only",
            "spray",
            "guessed",
            "two-places",
            "provider-verdict",
        ],
        in_favour: &["familiar", "well-received", "inside-address", "shared-address"],
    },
    Explanation {
        text: say!("a mailing of the owner's: an announcement, a newsletter, a program that sends for him"),
        called_by: &["burst", "sustained-volume"],
        against: &["refusals", "spray", "guessed", "provider-verdict", "new-origin", "new-country", "impossible-travel"],
        in_favour: &["well-received", "sorted-list", "familiar", "inside-address"],
    },
    Explanation {
        text: say!("an old address book: people who moved and mailboxes that are gone"),
        called_by: &["refusals"],
        against: &["new-recipients", "burst", "spray", "guessed"],
        in_favour: &["familiar"],
    },
    Explanation {
        text: say!("several people behind one address: a gateway, a VPN, a provider that shares addresses among customers"),
        called_by: &["spray", "shared-origin", "attacker-network", "under-guessing"],
        against: &["burst", "refusals", "new-recipients"],
        in_favour: &["shared-address", "inside-address"],
    },
    Explanation {
        text: say!("use that began before the logs do, so that the owner's own places look as unknown as an attacker's"),
        called_by: &["no-history"],
        against: &["refusals", "spray", "guessed", "send-only"],
        in_favour: &["familiar", "well-received", "inside-address"],
    },
];

impl Builder<'_> {
    pub(super) fn alternatives(&self, basis: &[Signal]) -> Vec<Alternative> {
        let seen: BTreeSet<&str> = basis.iter().map(|signal| signal.signal.as_str()).collect();
        let of = |names: &[&str]| names.iter().filter(|name| seen.contains(*name)).map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let fitting = EXPLANATIONS.iter().filter(|explanation| explanation.called_by.iter().any(|name| seen.contains(name)));
        fitting
            .map(|explanation| Alternative {
                text: self.facts.said(&explanation.text),
                speaks_for: of(explanation.in_favour),
                speaks_against: of(explanation.against),
            })
            .collect()
    }
}
