//! The academic calendar of the seed: harmattan September to February, rain mid-February to mid-July.

use crate::instant::{Instant, day_text};
use serde::{Deserialize, Serialize};
use time::{Date, Month};

/// One of the two semesters of an academic session (seed OpenID Connect §3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Semester {
    /// First semester, named after the dry, dusty wind: September to mid-February.
    Harmattan,
    /// Second semester: mid-February to mid-July.
    Rain,
}

impl Semester {
    /// The word in the claim.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Harmattan => "harmattan",
            Self::Rain => "rain",
        }
    }

    /// The word for people.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Harmattan => "Harmattan semester",
            Self::Rain => "Rain semester",
        }
    }

    /// Reads the claim's word.
    pub fn parse(word: &str) -> Option<Self> {
        match word.to_ascii_lowercase().as_str() {
            "harmattan" => Some(Self::Harmattan),
            "rain" => Some(Self::Rain),
            _ => None,
        }
    }
}

/// Where a day lies in the academic year.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Term {
    /// In a semester.
    Running {
        /// Which one.
        semester: Semester,
        /// Its first day.
        first: Date,
        /// Its last day.
        last: Date,
    },
    /// Between mid-July and September.
    Holidays {
        /// The first day of the next harmattan semester.
        until: Date,
    },
}

impl Term {
    /// The term of the given instant, by the calendar in Lagos.
    pub fn at(now: Instant) -> Self {
        let today = now.lagos_date();
        let year = today.year();
        let rain_first = day(year, Month::February, 15);
        let rain_last = day(year, Month::July, 15);
        let harmattan_first = day(year, Month::September, 1);
        if today < rain_first {
            let first = day(year - 1, Month::September, 1);
            let last = day(year, Month::February, 14);
            Self::Running { semester: Semester::Harmattan, first, last }
        } else if today <= rain_last {
            Self::Running { semester: Semester::Rain, first: rain_first, last: rain_last }
        } else if today < harmattan_first {
            Self::Holidays { until: harmattan_first }
        } else {
            let last = day(year + 1, Month::February, 14);
            Self::Running { semester: Semester::Harmattan, first: harmattan_first, last }
        }
    }

    /// The first instant of this term: academic claims that are older are not trusted any more.
    pub fn began(self) -> Instant {
        let first = match self {
            Self::Running { first, .. } => first,
            Self::Holidays { until } => day(until.year(), Month::July, 16),
        };
        Instant::from_seconds(first.midnight().assume_utc().unix_timestamp() - 3600)
    }

    /// How much of the term has passed on `now`'s day; `None` in the holidays.
    pub fn progress(self, now: Instant) -> Option<Progress> {
        let Self::Running { first, last, .. } = self else { return None };
        let length = (last - first).whole_days() + 1;
        let day = ((now.lagos_date() - first).whole_days() + 1).clamp(1, length);
        let weeks = (length + 6) / 7;
        Some(Progress {
            percent: u8::try_from(day * 100 / length).unwrap_or(100),
            week: (day - 1) / 7 + 1,
            weeks,
            first: day_text(first),
            last: day_text(last),
        })
    }
}

/// A semester's progress, ready to be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Whole percent of the days that have come, today included.
    pub percent: u8,
    /// The running week, from 1.
    pub week: i64,
    /// How many weeks the semester has.
    pub weeks: i64,
    /// The first day, for people.
    pub first: String,
    /// The last day, for people.
    pub last: String,
}

fn day(year: i32, month: Month, day: u8) -> Date {
    // Every day asked for here exists in every year the calendar covers.
    Date::from_calendar_date(year, month, day).unwrap_or(Date::MIN)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn on(year: i32, month: Month, d: u8) -> Instant {
        Instant::from_seconds(day(year, month, d).midnight().assume_utc().unix_timestamp())
    }

    #[test]
    fn the_calendar_turns_where_the_seed_says() {
        let semester = |at| match Term::at(at) {
            Term::Running { semester, .. } => Some(semester),
            Term::Holidays { .. } => None,
        };
        assert_eq!(semester(on(2026, Month::September, 1)), Some(Semester::Harmattan));
        assert_eq!(semester(on(2026, Month::December, 31)), Some(Semester::Harmattan));
        assert_eq!(semester(on(2027, Month::February, 14)), Some(Semester::Harmattan));
        assert_eq!(semester(on(2027, Month::February, 15)), Some(Semester::Rain));
        assert_eq!(semester(on(2027, Month::July, 15)), Some(Semester::Rain));
        assert_eq!(semester(on(2027, Month::July, 16)), None);
        assert_eq!(semester(on(2027, Month::August, 31)), None);
    }

    #[test]
    fn midnight_is_lagos_midnight() {
        let last_second = on(2027, Month::July, 15).plus_seconds(23 * 3600 - 1);
        assert!(matches!(Term::at(last_second), Term::Running { .. }));
        assert!(matches!(Term::at(last_second.plus_seconds(1)), Term::Holidays { .. }));
        let turn = Term::at(last_second.plus_seconds(1)).began();
        assert_eq!(turn, last_second.plus_seconds(1));
    }

    #[test]
    fn progress_runs_from_first_to_last_day() {
        let first = on(2026, Month::September, 1);
        let progress = Term::at(first).progress(first);
        assert_eq!(progress.map(|p| (p.percent, p.week, p.weeks)), Some((0, 1, 24)));
        let last = on(2027, Month::February, 14);
        let progress = Term::at(last).progress(last);
        assert_eq!(progress.map(|p| (p.percent, p.week)), Some((100, 24)));
        let holidays = on(2027, Month::August, 1);
        assert_eq!(Term::at(holidays).progress(holidays), None);
    }
}
