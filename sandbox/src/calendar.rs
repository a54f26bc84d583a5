//! The academic calendar of the campus, computed from a date.

use serde::{Deserialize, Serialize};
use time::{Month, OffsetDateTime, UtcOffset};

/// The two semesters of an academic session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Semester {
    /// First semester, September to mid-February.
    Harmattan,
    /// Second semester, mid-February to mid-July; the break after it still counts to it.
    Rain,
}

impl Semester {
    /// The word in the claim.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Harmattan => "harmattan",
            Self::Rain => "rain",
        }
    }
}

/// An academic session and the semester in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Period {
    /// For example `2026/2027`.
    pub session: String,
    /// The semester.
    pub semester: Semester,
}

impl Period {
    /// The period an instant falls into, by the clock in Lagos.
    #[must_use]
    pub fn at(instant: OffsetDateTime) -> Self {
        let lagos = UtcOffset::from_hms(1, 0, 0).unwrap_or(UtcOffset::UTC);
        let date = instant.to_offset(lagos).date();
        let (month, day) = (date.month(), date.day());
        let first_year =
            if month as u8 >= Month::September as u8 { date.year() } else { date.year() - 1 };
        let harmattan = month as u8 >= Month::September as u8
            || month == Month::January
            || (month == Month::February && day < 15);
        Self {
            session: format!("{first_year}/{}", first_year + 1),
            semester: if harmattan { Semester::Harmattan } else { Semester::Rain },
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
mod tests {
    use super::*;

    fn at(year: i32, month: Month, day: u8, hour: u8) -> Period {
        let date = time::Date::from_calendar_date(year, month, day).unwrap();
        Period::at(date.with_hms(hour, 30, 0).unwrap().assume_utc())
    }

    #[test]
    fn session_turns_with_september_in_lagos() {
        assert_eq!(at(2026, Month::August, 31, 22).session, "2025/2026");
        assert_eq!(at(2026, Month::August, 31, 23).session, "2026/2027");
        assert_eq!(at(2026, Month::September, 1, 12).semester, Semester::Harmattan);
    }

    #[test]
    fn semester_turns_in_mid_february() {
        assert_eq!(at(2027, Month::February, 14, 12).semester, Semester::Harmattan);
        assert_eq!(at(2027, Month::February, 15, 12).semester, Semester::Rain);
        assert_eq!(at(2027, Month::July, 30, 12).semester, Semester::Rain);
        assert_eq!(at(2027, Month::February, 15, 12).session, "2026/2027");
    }
}
