//! The signs that speak for or against a takeover: their names, weights and techniques, in one table.
//!
//! `docs/METHOD.md` gives the reason and the limits of each; a test holds the two together. Technique ids are those of MITRE ATT&CK
//! (<https://attack.mitre.org/techniques/enterprise/>).

use super::model::Signal;
use crate::say::{Lang, Phrase};

/// One kind of sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Sign {
    NewOrigin,
    NewAddress,
    NoHistory,
    NewCountry,
    NewNetworkOwner,
    ImpossibleTravel,
    UnusualHours,
    TwoPlaces,
    Burst,
    SustainedVolume,
    SendOnly,
    Refusals,
    NewRecipients,
    SortedList,
    AccountChanged,
    ProviderVerdict,
    Spray,
    Guessed,
    UnderGuessing,
    Companion,
    AttackerNetwork,
    SharedOrigin,
    Familiar,
    WellReceived,
    ReturnedFlood,
    SharedAddress,
    InsideAddress,
    Hint,
}

/// The name of a sign in the report, its weight, and the technique it is a sign of.
type Entry = (Sign, &'static str, f64, Option<&'static str>);

/// All signs. Weights add up; negative ones speak for the owner.
pub(super) const SIGNS: [Entry; 28] = [
    (Sign::NewOrigin, "new-origin", 0.25, Some("T1078")),
    (Sign::NewAddress, "new-address", 0.15, Some("T1078")),
    (Sign::NoHistory, "no-history", 0.10, Some("T1078")),
    (Sign::NewCountry, "new-country", 0.15, Some("T1078")),
    (Sign::NewNetworkOwner, "new-asn", 0.05, Some("T1078")),
    (Sign::ImpossibleTravel, "impossible-travel", 0.15, Some("T1078")),
    (Sign::UnusualHours, "unusual-hours", 0.10, None),
    (Sign::TwoPlaces, "two-places", 0.05, None),
    (Sign::Burst, "burst", 0.30, None),
    (Sign::SustainedVolume, "sustained-volume", 0.20, None),
    (Sign::SendOnly, "send-only", 0.10, None),
    (Sign::Refusals, "refusals", 0.30, None),
    (Sign::NewRecipients, "new-recipients", 0.15, None),
    (Sign::SortedList, "sorted-list", 0.10, None),
    (Sign::AccountChanged, "account-changed", 0.30, Some("T1098")),
    (Sign::ProviderVerdict, "provider-verdict", 0.40, None),
    (Sign::Spray, "spray", 0.35, Some("T1110.003")),
    (Sign::Guessed, "guessed", 0.20, Some("T1110.001")),
    (Sign::UnderGuessing, "under-guessing", 0.10, Some("T1110")),
    (Sign::Companion, "companion", 0.30, None),
    (Sign::AttackerNetwork, "attacker-network", 0.30, None),
    (Sign::SharedOrigin, "shared-origin", 0.35, Some("T1078")),
    (Sign::ReturnedFlood, "returned-flood", 0.50, None),
    (Sign::Familiar, "familiar", -0.30, None),
    (Sign::WellReceived, "well-received", -0.10, None),
    (Sign::SharedAddress, "shared-address", -0.20, None),
    (Sign::InsideAddress, "inside-address", -0.20, None),
    (Sign::Hint, "hint", 1.00, None),
];

impl Sign {
    fn entry(self) -> Entry {
        SIGNS.into_iter().find(|(sign, ..)| *sign == self).unwrap_or((self, "", 0.0, None))
    }

    /// This sign as it was seen.
    pub(super) fn seen(self, lang: Lang, what: &Phrase, evidence: Vec<String>) -> Signal {
        let (_, name, weight, technique) = self.entry();
        Signal { signal: name.to_owned(), weight, text: what.to(lang), evidence, technique: technique.map(str::to_owned) }
    }
}

/// The sum of the weights, from 0 to 1.
pub(super) fn score(basis: &[Signal]) -> f64 {
    let hundredths: i64 = basis.iter().map(|signal| (signal.weight * 100.0).round() as i64).sum();
    hundredths.clamp(0, 100) as f64 / 100.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sign_is_in_the_table_once_and_in_the_method() {
        let method = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/METHOD.md")).unwrap();
        for (sign, name, weight, _) in SIGNS {
            assert_eq!(SIGNS.iter().filter(|(other, ..)| *other == sign).count(), 1, "{name}");
            let row = method.lines().find(|line| line.starts_with(&format!("| `{name}` |"))).unwrap_or_else(|| panic!("{name} has no row"));
            assert!(row.contains(&format!("| {weight:.2} |")), "{name} weighs {weight} here: {row}");
        }
    }

    #[test]
    fn a_score_is_a_sum_of_hundredths_between_none_and_all() {
        let seen = |sign: Sign| sign.seen(Lang::En, &Phrase::verbatim(""), Vec::new());
        assert!((score(&[seen(Sign::NewOrigin), seen(Sign::Burst), seen(Sign::Familiar)]) - 0.25).abs() < 1e-12);
        assert!(score(&[seen(Sign::Familiar)]).abs() < 1e-12);
        assert!((score(&[seen(Sign::Hint), seen(Sign::Spray)]) - 1.0).abs() < 1e-12);
    }
}
