//! A host's own rhythm: in which hours of the day it usually writes, and which silence is too long for that.

use crate::domain::time::{DAY, HOUR, Timestamp};

/// Days a host must be known for before its rhythm means anything.
const DAYS_MIN: i64 = 3;
/// Whole silent hours below which a silence is never a gap.
const HOURS_MIN: i64 = 2;
/// The natural logarithm of a million: how improbable a silence must be.
const IMPROBABLE: f64 = 13.8;
/// The surest that an hour's use can be taken to be. Silences come in groups, so no hour alone may weigh much.
const SURE_MAX: f64 = 0.95;

/// How probable it is that a host writes in each hour of a day (of UTC).
pub(super) struct Rhythm {
    used: [f64; 24],
}

impl Rhythm {
    /// Learns the rhythm from the hours in which a host wrote; `None` if it is known for too short a time.
    pub(super) fn learn(hours: &[(Timestamp, Timestamp)]) -> Option<Rhythm> {
        let first = hours.first()?.0.0.div_euclid(HOUR);
        let last = hours.iter().map(|(_, last)| last.0.div_euclid(HOUR)).max()?;
        if (last - first) * HOUR < DAYS_MIN * DAY {
            return None;
        }
        let mut active = [0u32; 24];
        for (from, _) in hours {
            if let Some(count) = active.get_mut(from.0.div_euclid(HOUR).rem_euclid(24) as usize) {
                *count += 1;
            }
        }
        let days = (last - first + 1) as f64 / 24.0;
        // One day more in which nothing is known, so that a few days make nothing sure.
        let used = active.map(|count| ((f64::from(count) + 0.5) / (days + 1.0)).min(SURE_MAX));
        Some(Rhythm { used })
    }

    /// Whether a silence is too long for this host.
    pub(super) fn is_broken_by(&self, from: Timestamp, to: Timestamp) -> bool {
        // The hours that lie in it as a whole.
        let hours = from.0.div_euclid(HOUR) + 1..to.0.div_euclid(HOUR);
        if hours.end - hours.start < HOURS_MIN {
            return false;
        }
        let surprise = |hour: i64| self.used.get(hour.rem_euclid(24) as usize).map_or(0.0, |used| -(1.0 - used).ln());
        let mut sum = 0.0;
        for hour in hours {
            sum += surprise(hour);
            if sum >= IMPROBABLE {
                return true;
            }
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A host that writes in these hours of each of ten days, but for one stretch.
    fn host(hours: std::ops::Range<i64>, silent: std::ops::Range<i64>) -> Vec<(Timestamp, Timestamp)> {
        let all = (0..240).filter(|hour| hours.contains(&(hour % 24)) && !silent.contains(hour));
        all.map(|hour| (Timestamp(hour * HOUR + 5), Timestamp((hour + 1) * HOUR - 5))).collect()
    }

    fn gaps(hours: &[(Timestamp, Timestamp)]) -> Vec<(i64, i64)> {
        let rhythm = Rhythm::learn(hours).unwrap();
        let pairs = hours.windows(2).filter(|pair| rhythm.is_broken_by(pair[0].1, pair[1].0));
        pairs.map(|pair| (pair[0].1.0 / HOUR, pair[1].0.0 / HOUR)).collect()
    }

    #[test]
    fn a_busy_host_that_is_silent_for_eight_hours_has_a_gap() {
        assert_eq!(gaps(&host(0..24, 100..108)), [(99, 108)]);
        assert!(gaps(&host(0..24, 100..103)).is_empty(), "three hours are no proof");
    }

    #[test]
    fn a_host_that_sleeps_every_night_has_none() {
        assert!(gaps(&host(8..20, 0..0)).is_empty());
        assert_eq!(gaps(&host(8..20, 80..92)), [(67, 104)], "a working day is missing");
    }

    #[test]
    fn two_days_are_no_rhythm() {
        assert!(Rhythm::learn(&host(0..24, 30..240)).is_none());
    }
}
