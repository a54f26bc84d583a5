//! The ladder's decisions, as pure functions of what is known (PROTOCOLS.md, "Freshness"); the tests name
//! its rules.

use crate::store::checks::Checks;
use campus::instant::Instant;
use campus::semester::Term;
use uuid::Uuid;

/// How long a session outlives the provider's silence, in seconds.
pub const GRACE_SECONDS: i64 = 15 * 60;
/// An access token is refreshed this long before the check that could come too late, in seconds.
const REFRESH_AHEAD_SECONDS: i64 = 120;

/// How fresh it must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Demand {
    /// Confirmed within the usual time.
    Routine,
    /// Confirmed since this was demanded.
    Now,
}

/// What came of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The provider confirmed the person; nothing of their roles changed.
    Fresh,
    /// The provider confirmed the person, with other roles.
    Demoted,
    /// The provider could not be asked. What is known is kept for a while.
    Stale,
    /// The check was put off: the calls of this minute are used up.
    Postponed,
    /// The person took away this app's access.
    Disconnected,
    /// The session's tokens are over: a sign-in is needed.
    Expired,
    /// Another instance has checked, or is checking.
    Elsewhere,
}

/// Whether a check is due: routinely after `every` seconds; at once while the last one failed, when a
/// webhook spoke of roles, and at a semester's turn if nothing was confirmed since.
#[must_use]
pub fn is_due(
    checks: &Checks,
    academic_as_of: Option<Instant>,
    demand: Demand,
    now: Instant,
    every: i64,
) -> bool {
    let Some(checked) = checks.checked else { return true };
    let began = Term::at(now).began();
    let turned = academic_as_of.is_some_and(|as_of| as_of < began) && checked < began;
    let old = match demand {
        Demand::Routine => now.seconds_since(checked) >= every,
        Demand::Now => checked < now,
    };
    old || turned || checks.roles_stale || checks.stale_since.is_some()
}

/// A number below `most` that differs between people and times, and not between two looks at the same:
/// people who signed in together are not checked together.
#[must_use]
pub fn jitter(id: Uuid, at: Option<Instant>, most: i64) -> i64 {
    // The low half of a UUIDv7 is random.
    let random = id.as_u64_pair().1 ^ at.map_or(0, Instant::millis).unsigned_abs();
    let spread = random.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 33;
    i64::try_from(spread).unwrap_or(0) % most.max(1)
}

/// Whether the check may be claimed by somebody who saw the row as `seen` a moment ago: nobody else has
/// it, and nobody finished it meanwhile.
#[must_use]
pub fn may_claim(row: &Checks, seen: &Checks, now: Instant) -> bool {
    let free = row.claimed_until.is_none_or(|until| until <= now);
    free && (row.roles_stale || row.checked <= seen.checked)
}

/// How long an access token lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Life {
    /// When it was given out.
    pub obtained: Instant,
    /// When it ends, where the provider said so.
    pub expires: Option<Instant>,
}

impl Life {
    /// Whether it is over.
    #[must_use]
    pub fn is_over(self, now: Instant) -> bool {
        self.expires.is_some_and(|expires| expires <= now)
    }

    /// Whether it should be refreshed before it is used: the next check, up to `every` seconds away, must
    /// find it alive. A token of a short life is refreshed in its last quarter.
    #[must_use]
    pub fn is_near_end(self, now: Instant, every: i64, jitter: i64) -> bool {
        let Some(expires) = self.expires else { return false };
        let ahead = REFRESH_AHEAD_SECONDS + every + jitter;
        expires.seconds_since(now) <= ahead.min(expires.seconds_since(self.obtained) / 4)
    }
}

/// Why the provider could not be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// It does not answer, or asks for a pause.
    Provider,
    /// It refuses this app's own credentials: an operator's business.
    Client,
    /// Our own share of calls is used up.
    Budget,
}

/// What the token endpoint's answer to a refresh means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenVerdict {
    /// New tokens.
    Tokens,
    /// The grant is over: the person took away the access.
    GrantRefused,
    /// This app is refused.
    ClientRefused,
    /// Only time helps.
    Unavailable {
        /// Whether the refresh token may have been used up all the same.
        in_doubt: bool,
    },
}

/// Reads the token endpoint's answer: its status, the `error` in it, and whether there are tokens in it.
/// The first generation refuses a grant with 401, the second with 400.
#[must_use]
pub fn token_verdict(status: u16, error: &str, has_tokens: bool) -> TokenVerdict {
    match (status, error) {
        (200, _) if has_tokens => TokenVerdict::Tokens,
        // Neither was worked on: the limit comes first, and 503 says that nobody was there to do it.
        (429 | 503, _) => TokenVerdict::Unavailable { in_doubt: false },
        (400 | 401, "invalid_grant") => TokenVerdict::GrantRefused,
        (400..=499, error) if !error.is_empty() => TokenVerdict::ClientRefused,
        _ => TokenVerdict::Unavailable { in_doubt: true },
    }
}

/// What was tried before userinfo was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tried {
    /// Nothing: the access token seemed good.
    Nothing,
    /// A refresh, and it brought a new access token.
    Refreshed,
    /// A refresh, in vain.
    Failed(Trouble),
    /// There is no refresh token that may be sent.
    Impossible,
}

/// What follows when userinfo refuses the access token with 401, which means both expired and revoked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum After401 {
    /// Refresh once, then ask again.
    Refresh,
    /// Refused right after a good refresh: the access is gone.
    Disconnected,
    /// Nothing can renew it: sign in again.
    Expired,
    /// It cannot be told apart now.
    Trouble(Trouble),
}

/// Decides it.
#[must_use]
pub const fn after_401(tried: Tried, has_refresh_token: bool) -> After401 {
    match tried {
        Tried::Refreshed => After401::Disconnected,
        Tried::Failed(trouble) => After401::Trouble(trouble),
        Tried::Nothing if has_refresh_token => After401::Refresh,
        Tried::Nothing | Tried::Impossible => After401::Expired,
    }
}

/// Whether a stale session is over. Only the provider's own silence ends one: our budget and our
/// credentials are no fault of the person.
#[must_use]
pub fn outlasted(since: Instant, now: Instant, trouble: Trouble) -> bool {
    trouble == Trouble::Provider && now.seconds_since(since) >= GRACE_SECONDS
}

#[cfg(test)]
#[path = "decision_tests.rs"]
mod tests;
