//! A point in time, as it travels: whole milliseconds since the Unix epoch.

use serde::{Deserialize, Serialize};
use time::format_description::well_known::Rfc3339;
use time::{Date, OffsetDateTime, UtcOffset};

/// Milliseconds since 1970-01-01T00:00:00Z. The domain never asks a clock; callers pass the time in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Instant(i64);

impl Instant {
    /// From milliseconds since the epoch.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// From whole seconds since the epoch, as JSON Web Tokens carry them (RFC 7519 §2, `NumericDate`).
    pub const fn from_seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(1000))
    }

    /// Reads the text of RFC 3339 (`2026-05-21T18:41:23Z`), with any offset and fraction.
    pub fn parse_rfc3339(text: &str) -> Option<Self> {
        let at = OffsetDateTime::parse(text.trim(), &Rfc3339).ok()?;
        i64::try_from(at.unix_timestamp_nanos().div_euclid(1_000_000)).ok().map(Self)
    }

    /// Milliseconds since the epoch.
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// Whole seconds since the epoch, rounded down.
    pub const fn seconds(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// This instant moved by a number of seconds, which may be negative.
    pub const fn plus_seconds(self, seconds: i64) -> Self {
        Self(self.0.saturating_add(seconds.saturating_mul(1000)))
    }

    /// This instant moved by a number of milliseconds, which may be negative.
    pub const fn plus_millis(self, millis: i64) -> Self {
        Self(self.0.saturating_add(millis))
    }

    /// Seconds from `earlier` to this instant; negative when `earlier` is later.
    pub const fn seconds_since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0).div_euclid(1000)
    }

    /// The calendar day in Africa/Lagos, where the university is: UTC+1 all year.
    pub fn lagos_date(self) -> Date {
        self.lagos().date()
    }

    /// Day, month, year and minute in Lagos, for people: `24 Nov 2026, 06:34`.
    pub fn lagos_text(self) -> String {
        let at = self.lagos();
        format!("{}, {:02}:{:02}", day_text(at.date()), at.hour(), at.minute())
    }

    /// The same in the form of HTML's `datetime` attribute, in UTC.
    pub fn rfc3339(self) -> String {
        let at = self.utc();
        format!(
            "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z",
            at.year(),
            u8::from(at.month()),
            at.day(),
            at.hour(),
            at.minute(),
            at.second()
        )
    }

    fn utc(self) -> OffsetDateTime {
        // Outside years ±9999 there is nothing to show; the epoch stands in for such values.
        OffsetDateTime::from_unix_timestamp(self.seconds()).unwrap_or(OffsetDateTime::UNIX_EPOCH)
    }

    fn lagos(self) -> OffsetDateTime {
        let offset = UtcOffset::from_hms(1, 0, 0).unwrap_or(UtcOffset::UTC);
        self.utc().checked_to_offset(offset).unwrap_or(OffsetDateTime::UNIX_EPOCH)
    }
}

/// A day for people: `24 Nov 2026`.
pub fn day_text(day: Date) -> String {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let month = MONTHS[usize::from(u8::from(day.month())) - 1];
    format!("{} {month} {}", day.day(), day.year())
}

/// How long ago, in words that stay true for a while: `just now`, `5 minutes ago`, `3 days ago`.
pub fn ago(then: Instant, now: Instant) -> String {
    let seconds = now.seconds_since(then).max(0);
    let (count, unit) = match seconds {
        0..60 => return "just now".to_owned(),
        60..3600 => (seconds / 60, "minute"),
        3600..86_400 => (seconds / 3600, "hour"),
        _ => (seconds / 86_400, "day"),
    };
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {unit}{plural} ago")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lagos_is_one_hour_ahead_of_utc() {
        let at = Instant::from_seconds(1_795_503_600);
        assert_eq!(at.rfc3339(), "2026-11-24T07:00:00Z");
        assert_eq!(at.lagos_text(), "24 Nov 2026, 08:00");
    }

    #[test]
    fn rfc_3339_is_read_with_offset_and_fraction() {
        let at = |text| Instant::parse_rfc3339(text).map(Instant::millis);
        assert_eq!(at("2026-11-24T07:00:00Z"), Some(1_795_503_600_000));
        assert_eq!(at("2026-11-24T08:00:00.2509+01:00"), Some(1_795_503_600_250));
        assert_eq!(at("2026-11-24t07:00:00z"), Some(1_795_503_600_000));
        for text in ["", "2026-11-24", "2026-11-24 07:00", "2026-13-24T07:00:00Z", "1795503600"] {
            assert_eq!(at(text), None, "{text}");
        }
    }

    #[test]
    fn an_instant_beyond_the_calendar_does_not_panic() {
        assert_eq!(Instant::from_millis(i64::MAX).rfc3339(), "1970-01-01T00:00:00Z");
        assert!(!Instant::from_millis(i64::MIN).lagos_text().is_empty());
    }

    #[test]
    fn ages_are_said_in_words() {
        let now = Instant::from_seconds(1_000_000);
        for (age, text) in
            [(-5, "just now"), (59, "just now"), (60, "1 minute ago"), (7200, "2 hours ago")]
        {
            assert_eq!(ago(now.plus_seconds(-age), now), text);
        }
        assert_eq!(ago(now.plus_seconds(-3 * 86_400), now), "3 days ago");
    }
}
