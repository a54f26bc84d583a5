//! The budget: the provider counts the calls of our one address, so all instances together keep below its
//! limits and heed its pauses (PROTOCOLS.md §1, rate limits: token 20 and userinfo 60 a minute).
//!
//! Sign-ins count but are never held back: they are what the rest of the limit is for.

use crate::app::App;
use crate::clock;
use crate::signin::client::Reply;
use crate::store::{StoreError, calls, pauses};

/// An endpoint whose calls are limited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Endpoint {
    /// The token endpoint.
    Token,
    /// The userinfo endpoint.
    Userinfo,
}

impl Endpoint {
    /// The word that is stored.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::Userinfo => "userinfo",
        }
    }

    /// How many calls a minute checks may leave behind them. The provider's limit is higher; what is
    /// between is for sign-ins.
    #[must_use]
    pub const fn share(self) -> i32 {
        match self {
            Self::Token => 15,
            Self::Userinfo => 50,
        }
    }
}

/// Whether a call may be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Permit {
    /// It may, and it is counted.
    Go,
    /// The provider asked for a pause that is not over.
    Paused,
    /// There were as many calls in this minute as checks may make.
    UsedUp,
}

/// Asks for a call.
///
/// # Errors
/// When the database does not answer.
pub async fn ask(app: &App, endpoint: Endpoint) -> Result<Permit, StoreError> {
    let (now, name) = (clock::now(), endpoint.as_str());
    if pauses::until(&app.db, name).await?.is_some_and(|until| until > now) {
        return Ok(Permit::Paused);
    }
    let taken = calls::take(&app.db, name, now, endpoint.share()).await?;
    Ok(if taken { Permit::Go } else { Permit::UsedUp })
}

/// Counts the calls of a sign-in. That they cannot be counted keeps nobody out.
pub async fn count_sign_in(app: &App) {
    for endpoint in [Endpoint::Token, Endpoint::Userinfo] {
        let counted = calls::take(&app.db, endpoint.as_str(), clock::now(), i32::MAX).await;
        if let Err(error) = counted {
            tracing::debug!(%error, "a sign-in's calls were not counted");
        }
    }
}

/// How long the provider is left alone if it asks for a pause without saying how long: its own window.
const PAUSE_SECONDS: i64 = 60;
/// Longest pause that is believed.
const LONGEST_PAUSE_SECONDS: i64 = 900;

/// Notes the pause an answer asks for, if it does.
///
/// # Errors
/// When the database does not answer.
pub async fn heed(app: &App, endpoint: Endpoint, reply: &Reply) -> Result<(), StoreError> {
    if let Some(seconds) = pause_of(reply.status, reply.retry_after) {
        tracing::warn!(endpoint = endpoint.as_str(), seconds, "the provider asks for a pause");
        pauses::set(&app.db, endpoint.as_str(), clock::now().plus_seconds(seconds)).await?;
    }
    Ok(())
}

/// The pause that a status and its `Retry-After` ask for, in seconds.
fn pause_of(status: u16, retry_after: Option<i64>) -> Option<i64> {
    let seconds = match (status, retry_after) {
        (429, None) => PAUSE_SECONDS,
        (429 | 503, Some(seconds)) => seconds,
        _ => return None,
    };
    Some(seconds.min(LONGEST_PAUSE_SECONDS))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_is_heeded_where_it_is_asked_for() {
        for (status, retry_after, pause) in [
            (429, Some(7), Some(7)),
            (429, None, Some(60)),
            (429, Some(86_400), Some(900)),
            (503, Some(7), Some(7)),
            (503, None, None),
            (200, Some(7), None),
            (500, Some(7), None),
        ] {
            assert_eq!(pause_of(status, retry_after), pause, "{status} {retry_after:?}");
        }
    }

    #[test]
    fn checks_leave_room_for_sign_ins() {
        assert!(Endpoint::Token.share() < 20 && Endpoint::Userinfo.share() < 60);
    }
}
