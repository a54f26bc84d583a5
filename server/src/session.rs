//! The session of a request: found by its cookie in one query together with the person, and never written
//! on an ordinary request.

pub mod token;

use crate::app::App;
use crate::clock;
use crate::config::SessionLimits;
use crate::http::cookies::{self, Cookies};
use crate::store::StoreError;
use crate::store::checks::Checks;
use crate::store::sessions::{self, Authentication, SessionId, Stored, TokenHash};
use campus::instant::Instant;
use campus::person::Person;
use campus::reason::EndReason;
use campus::role::Roles;
use campus::viewer::{Standing, Viewer};
use std::sync::Arc;

/// How far a session's last use may lag behind, in seconds: a write a minute at most.
const TOUCH_EVERY_SECONDS: i64 = 60;

/// What a request's session cookie stands for.
#[derive(Clone, Debug, Default)]
pub enum Current {
    /// Nothing: no cookie, or one that was never given out or is long forgotten.
    #[default]
    None,
    /// A session that ended.
    Ended(EndReason),
    /// A valid session.
    Live(Arc<Live>),
}

/// A valid session and its person.
#[derive(Clone, Debug)]
pub struct Live {
    /// The session's handle.
    pub id: SessionId,
    /// SHA-256 of the cookie's value.
    pub token_hash: TokenHash,
    /// When the person proved to the provider who they are.
    pub authentication: Authentication,
    /// Who is looking.
    pub viewer: Viewer,
    /// When the provider confirmed them.
    pub checks: Checks,
    /// The age of their academic claims, also of those the viewer goes without.
    pub academic_as_of: Option<Instant>,
}

impl Live {
    fn of(stored: Stored, token_hash: TokenHash, now: Instant) -> Self {
        let Stored { id, authentication, checks, person, .. } = stored;
        let academic_as_of = person.academic.as_ref().map(|facts| facts.as_of);
        let viewer = Viewer::at(person, standing(&checks), now);
        Self { id, token_hash, authentication, viewer, checks, academic_as_of }
    }

    /// How far what is known of the viewer can be relied on.
    #[must_use]
    pub const fn standing(&self) -> Standing {
        self.viewer.standing
    }
}

impl Current {
    /// The live session.
    #[must_use]
    pub fn live(&self) -> Option<&Live> {
        match self {
            Self::Live(live) => Some(live),
            Self::None | Self::Ended(_) => None,
        }
    }
}

/// Finds the session of a request. A request without a session cookie asks nothing of the database.
///
/// # Errors
/// When the database does not answer.
pub async fn load(app: &App, cookies: &Cookies) -> Result<Current, StoreError> {
    let Some(token_hash) = cookies.only(cookies::SESSION).and_then(token::hash) else {
        return Ok(Current::None);
    };
    find(app, &token_hash).await
}

/// Finds a session by the hash of its token.
///
/// # Errors
/// When the database does not answer.
pub async fn find(app: &App, token_hash: &TokenHash) -> Result<Current, StoreError> {
    let Some(stored) = sessions::find(&app.db, token_hash).await? else {
        return Ok(Current::None);
    };
    let now = clock::now();
    if let Some(reason) = why_over(&stored, now, &app.session_limits) {
        return Ok(Current::Ended(reason));
    }
    if now.seconds_since(stored.seen) >= TOUCH_EVERY_SECONDS
        && !sessions::touch(&app.db, stored.id, now).await?
    {
        // It ended while this request was under way.
        return Ok(Current::None);
    }
    Ok(Current::Live(Arc::new(Live::of(stored, *token_hash, now))))
}

/// Looks at a session without using it.
///
/// # Errors
/// When the database does not answer.
pub async fn peek(app: &App, token_hash: &TokenHash) -> Result<Current, StoreError> {
    let Some(stored) = sessions::find(&app.db, token_hash).await? else {
        return Ok(Current::None);
    };
    let now = clock::now();
    Ok(match why_over(&stored, now, &app.session_limits) {
        Some(reason) => Current::Ended(reason),
        None => Current::Live(Arc::new(Live::of(stored, *token_hash, now))),
    })
}

/// A person is stale from the first check that failed until one succeeds.
fn standing(checks: &Checks) -> Standing {
    let confirmed = checks.checked;
    checks.stale_since.map_or(Standing::Fresh, |since| Standing::Stale { since, confirmed })
}

/// Why a stored session is over, if it is.
fn why_over(stored: &Stored, now: Instant, limits: &SessionLimits) -> Option<EndReason> {
    let idle = if is_unit_admin(&stored.person) { limits.admin_idle() } else { limits.idle() };
    let idle = i64::try_from(idle.as_secs()).unwrap_or(i64::MAX);
    if let Some(reason) = stored.ended {
        Some(reason)
    } else if stored.revoked || now >= stored.expires {
        Some(EndReason::Expired)
    } else if now.seconds_since(stored.seen) >= idle {
        Some(EndReason::Idle)
    } else {
        None
    }
}

/// A unit admin's shorter limit holds for all of the session: if it held for admin pages alone, a look at
/// any other page would open them again.
fn is_unit_admin(person: &Person) -> bool {
    person.roles.as_ref().is_some_and(|facts| Roles::is_unit_admin(&facts.value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use campus::person::{Facts, PersonId, Source};
    use campus::role::UNIT_ADMIN;
    use uuid::Uuid;

    fn stored() -> Stored {
        let at = Instant::from_seconds(1_000_000);
        Stored {
            id: SessionId(Uuid::nil()),
            created: at,
            seen: at,
            expires: at.plus_seconds(7 * 86_400),
            ended: None,
            revoked: false,
            authentication: Authentication::default(),
            checks: Checks::default(),
            person: Person {
                id: PersonId(Uuid::nil()),
                subject: "s".into(),
                profile: None,
                roles: None,
                academic: None,
            },
        }
    }

    #[test]
    fn a_session_lasts_eight_idle_hours_and_seven_days() {
        let limits = SessionLimits::default();
        let session = stored();
        let after = |seconds| why_over(&session, session.created.plus_seconds(seconds), &limits);
        assert_eq!(after(0), None);
        assert_eq!(after(8 * 3600 - 1), None);
        assert_eq!(after(8 * 3600), Some(EndReason::Idle));
        assert_eq!(after(7 * 86_400), Some(EndReason::Expired));
        let used = Stored { seen: session.expires.plus_seconds(-1), ..stored() };
        assert_eq!(why_over(&used, session.expires, &limits), Some(EndReason::Expired));
    }

    #[test]
    fn a_unit_admins_session_lasts_thirty_idle_minutes() {
        let limits = SessionLimits::default();
        let mut session = stored();
        let roles = Roles { custom: vec![UNIT_ADMIN.to_owned()], ..Roles::default() };
        let as_of = session.created;
        session.person.roles = Some(Facts { value: roles, as_of, source: Source::Userinfo });
        let after = |seconds| why_over(&session, session.created.plus_seconds(seconds), &limits);
        assert_eq!(after(30 * 60 - 1), None);
        assert_eq!(after(30 * 60), Some(EndReason::Idle));
    }

    #[test]
    fn an_ended_or_revoked_session_is_over_whatever_its_age() {
        let limits = SessionLimits::default();
        let ended = Stored { ended: Some(EndReason::EndedByAdmin), revoked: true, ..stored() };
        assert_eq!(why_over(&ended, ended.created, &limits), Some(EndReason::EndedByAdmin));
        let revoked = Stored { revoked: true, ..stored() };
        assert_eq!(why_over(&revoked, revoked.created, &limits), Some(EndReason::Expired));
    }
}
