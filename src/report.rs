//! The report: how many people a unit serves, and who they are by group. It counts; it names nobody.

use crate::instant::Instant;
use serde::Serialize;

/// How many people share something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Count {
    /// What they share, as the provider words it; `None` for those of whom it is not known.
    pub name: Option<String>,
    /// How many they are.
    pub people: i64,
}

/// The figures, all of one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Everybody who ever signed in.
    pub people: i64,
    /// Everybody, by primary role.
    pub roles: Vec<Count>,
    /// By custom role; somebody may hold several, or none.
    pub custom_roles: Vec<Count>,
    /// How many have an academic standing: the following three speak of these only.
    pub students: i64,
    /// By faculty.
    pub faculties: Vec<Count>,
    /// By level, the lowest first.
    pub levels: Vec<Count>,
    /// In their department's last level.
    pub final_year: i64,
    /// Whose last sign-in was today.
    pub signed_in_today: i64,
    /// Whose last sign-in was within seven days.
    pub signed_in_7_days: i64,
    /// Whose last sign-in was within thirty days.
    pub signed_in_30_days: i64,
    /// Whose details the provider could not confirm, or whose roles must be read anew.
    pub stale: i64,
    /// Who took away this app's access.
    pub disconnected: i64,
}

/// From when on sign-ins count for each figure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Since {
    /// The beginning of the day in Lagos.
    pub today: Instant,
    /// Seven days ago.
    pub week: Instant,
    /// Thirty days ago.
    pub month: Instant,
}

impl Since {
    /// As seen at an instant.
    pub fn at(now: Instant) -> Self {
        const DAY: i64 = 86_400;
        const LAGOS_AHEAD: i64 = 3600;
        let into_the_day = (now.seconds() + LAGOS_AHEAD).rem_euclid(DAY);
        Self {
            today: Instant::from_seconds(now.seconds() - into_the_day),
            week: now.plus_seconds(-7 * DAY),
            month: now.plus_seconds(-30 * DAY),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn today_begins_at_midnight_in_lagos() {
        let midnight = Instant::from_seconds(1_795_474_800);
        assert_eq!(midnight.lagos_text(), "24 Nov 2026, 00:00");
        for seconds in [0, 1, 3600, 86_399] {
            assert_eq!(Since::at(midnight.plus_seconds(seconds)).today, midnight);
        }
        let before = Since::at(midnight.plus_seconds(-1));
        assert_eq!(before.today, midnight.plus_seconds(-86_400));
        assert_eq!(before.week, midnight.plus_seconds(-1 - 7 * 86_400));
    }
}
