//! What is usual in the organisation, for accounts that have too little history of their own.

use super::profile::Profiles;

/// Accounts that sent, below which nothing is said about what is usual.
const ACCOUNTS_MIN: usize = 5;
/// Recipients an account needs before its share of refusals counts.
const RECIPIENTS_MIN: u64 = 10;
/// The share of refused recipients that is assumed where there are too few accounts: slips of the pen and full mailboxes.
const REFUSED_SHARE: f64 = 0.05;

/// The organisation's own measure, by quantiles, which a few abused accounts do not move.
#[derive(Clone, Copy, Debug)]
pub(super) struct Peers {
    /// Recipients in the busiest hour, of nine accounts in ten no more than this; `None` with too few accounts.
    pub(super) busiest_hour: Option<u64>,
    /// Share of recipients blocked or bounced, of three accounts in four no more than this.
    pub(super) refused_share: f64,
}

impl Peers {
    pub(super) fn new(profiles: &Profiles) -> Peers {
        let mut hours: Vec<u64> = Vec::new();
        let mut shares: Vec<f64> = Vec::new();
        for (_, profile) in profiles.iter() {
            let sent = || profile.origins.iter().map(|o| &o.sent);
            hours.extend(sent().filter_map(|s| s.busiest_hour()).map(|(n, _)| n).max());
            let (recipients, refused) = sent().fold((0, 0), |(all, no), s| (all + s.recipients, no + s.refused));
            if recipients >= RECIPIENTS_MIN {
                shares.push(refused as f64 / recipients as f64);
            }
        }
        hours.sort_unstable();
        shares.sort_unstable_by(f64::total_cmp);
        Peers {
            busiest_hour: quantile(&hours, 9, 10),
            refused_share: quantile(&shares, 3, 4).map_or(REFUSED_SHARE, |share| share.max(REFUSED_SHARE / 5.0)),
        }
    }

    /// Whether so many refusals among so many recipients are more than chance at the organisation's own share. The bound is
    /// Chernoff's: the probability is below `exp(-n D)`, `D` the divergence of the share seen from the usual one.
    pub(super) fn beyond_chance(&self, refused: u64, recipients: u64) -> bool {
        /// The natural logarithm of ten thousand: one such origin in ten thousand.
        const RARE: f64 = 9.21;
        let (usual, seen) = (self.refused_share, refused as f64 / recipients.max(1) as f64);
        let part = |seen: f64, usual: f64| if seen > 0.0 { seen * (seen / usual).ln() } else { 0.0 };
        seen > usual && recipients as f64 * (part(seen, usual) + part(1.0 - seen, 1.0 - usual)) >= RARE
    }
}

pub(super) fn quantile<T: Copy>(sorted: &[T], part: usize, of: usize) -> Option<T> {
    if sorted.len() < ACCOUNTS_MIN { None } else { sorted.get((sorted.len() - 1) * part / of).copied() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_refusals_among_a_dozen_are_chance_and_half_of_forty_are_not() {
        let peers = Peers { busiest_hour: None, refused_share: 0.05 };
        assert!(!peers.beyond_chance(3, 11) && !peers.beyond_chance(3, 12) && !peers.beyond_chance(0, 500));
        assert!(peers.beyond_chance(20, 40) && peers.beyond_chance(784, 795) && peers.beyond_chance(10, 10));
        assert!(!Peers { refused_share: 0.5, ..peers }.beyond_chance(20, 40));
    }
}
