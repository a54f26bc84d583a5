//! Freshness: what is known of a person is confirmed by the provider while they are here (PROTOCOLS.md,
//! "Freshness").
//!
//! A request whose person was not confirmed for a while begins a *check*: the access token is refreshed if
//! it is near its end, userinfo is asked, and what it says is learned. At most one check of a person is
//! under way: requests in the same process wait for it, other instances go on with the row. It runs in a
//! task of its own, so that neither a closed connection nor a slow provider breaks it off halfway; a request
//! waits for three seconds and then goes on with what is known, as stale. What came of a check stands in the
//! rows, so afterwards the session is simply read again.
//!
//! `decision` holds the rules as pure functions, `check` performs them, `refresh` is the refresh of one
//! session's tokens, `vault` keeps those sealed, and `budget` shares out the calls among all instances.
//!
//! ## A refresh token whose answer never came
//!
//! An instance can die, or a connection break, after a refresh token was sent and before the answer was
//! stored. Nobody can tell whether the provider has used it up. A provider of the first generation keeps old
//! refresh tokens valid, so it is sent again. One of the second generation takes a used token for a stolen
//! one and deletes *all* of the person's tokens at this app: one crash would sign the person out everywhere.
//! There the doubtful token is never sent again. The access token serves as long as it lives, which is why
//! it is refreshed well before its end; then the session ends as expired, and the guard's silent sign-in
//! brings a new one without the person noticing. The generations are told apart by their metadata: only the
//! second promises `iss` in authorization responses.

pub mod budget;
mod check;
pub mod decision;
mod flights;
pub mod refresh;
pub mod vault;

use crate::app::App;
use crate::clock;
use crate::http::refusal::Refusal;
use crate::seal::KeyRing;
use crate::session::{self, Current, Live};
use crate::store::StoreError;
use campus::instant::Instant;
use campus::reason::Reason;
use campus::viewer::Standing;
pub use decision::{Demand, Outcome};
use flights::{Flight, Flights};
use std::sync::Arc;
use std::time::Duration;

/// How long a request waits for a check.
const PATIENCE: Duration = Duration::from_secs(3);
/// How often a request looks whether another instance's check is over.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// What checks need, and those under way.
pub struct Freshness {
    /// Seals tokens.
    pub keys: KeyRing,
    /// How often a person is checked, in seconds.
    pub every: i64,
    flights: Flights,
}

impl Freshness {
    /// Nobody is being checked.
    #[must_use]
    pub fn new(keys: KeyRing, every: Duration) -> Self {
        let every = i64::try_from(every.as_secs()).unwrap_or(i64::MAX);
        Self { keys, every, flights: Flights::default() }
    }
}

/// Makes sure that what is known of a person is as fresh as demanded, if the provider lets it, and gives
/// the session as it is afterwards: still live, perhaps with other roles or marked as stale, or ended.
///
/// # Errors
/// When the database does not answer.
pub async fn ensure(
    app: &Arc<App>,
    live: &Arc<Live>,
    demand: Demand,
) -> Result<Current, StoreError> {
    let asked = clock::now();
    let deadline = tokio::time::Instant::now() + PATIENCE;
    let mut live = live.clone();
    while is_due(app, &live, demand, asked) {
        let Some(flight) = flight(app, &live) else {
            // Another instance asks, or one of them waits before it asks again.
            if demand == Demand::Routine {
                break;
            }
            if live.standing() != Standing::Fresh || !pause(deadline).await {
                return Ok(Current::Live(in_doubt(&live)));
            }
            match session::find(app, &live.token_hash).await? {
                Current::Live(again) => live = again,
                over => return Ok(over),
            }
            continue;
        };
        let Some(outcome) = flight.outcome(deadline.min(flight.since + PATIENCE)).await else {
            return Ok(Current::Live(in_doubt(&live)));
        };
        match session::find(app, &live.token_hash).await? {
            Current::Live(again) => live = again,
            over => return Ok(over),
        }
        // A webhook may have come after the provider was asked.
        if demand == Demand::Routine && !live.checks.roles_stale {
            break;
        }
        let failed = matches!(outcome, Outcome::Stale | Outcome::Postponed);
        if is_due(app, &live, demand, asked) && (failed || !pause(deadline).await) {
            return Ok(Current::Live(in_doubt(&live)));
        }
    }
    Ok(Current::Live(live))
}

/// For an action that must not rest on old roles: the provider confirms the person now. The answer holds
/// the roles as they are; whether they still allow the action is for the caller to look at again.
///
/// # Errors
/// [`Reason::ROLES_UNCONFIRMED`] while the provider cannot be asked, [`Reason::NOT_SIGNED_IN`] if the
/// session turned out to be over, or when the database does not answer.
pub async fn confirm_now(app: &Arc<App>, live: &Arc<Live>) -> Result<Arc<Live>, Refusal> {
    match ensure(app, live, Demand::Now).await? {
        Current::Live(live) if live.standing() == Standing::Fresh => Ok(live),
        Current::Live(_) => Err(Refusal::from(Reason::ROLES_UNCONFIRMED)),
        Current::Ended(_) | Current::None => Err(Refusal::from(Reason::NOT_SIGNED_IN)),
    }
}

fn is_due(app: &App, live: &Live, demand: Demand, asked: Instant) -> bool {
    let every = app.freshness.every;
    let jitter = decision::jitter(live.viewer.id().0, live.checks.checked, every / 5);
    decision::is_due(&live.checks, live.academic_as_of, demand, asked, every + jitter)
}

/// The check of this person that is under way here, or a new one; `None` while somebody else has it.
fn flight(app: &Arc<App>, live: &Arc<Live>) -> Option<Flight> {
    let claimed = live.checks.claimed_until.is_some_and(|until| until > clock::now());
    let person = live.viewer.id();
    if claimed { app.freshness.flights.find(person) } else { Some(flights::join(app, live)) }
}

/// Waits a moment, unless the time is up.
async fn pause(deadline: tokio::time::Instant) -> bool {
    tokio::time::sleep(LOOK_EVERY).await;
    tokio::time::Instant::now() < deadline
}

/// The same viewer, of whom this request could not learn whether anything changed.
fn in_doubt(live: &Arc<Live>) -> Arc<Live> {
    if live.standing() != Standing::Fresh {
        return live.clone();
    }
    let mut doubtful = Live::clone(live);
    doubtful.viewer.standing =
        Standing::Stale { since: clock::now(), confirmed: live.checks.checked };
    Arc::new(doubtful)
}
