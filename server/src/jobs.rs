//! Jobs: what the server does by itself from time to time. Any instance may do it at any time; doing it
//! twice does no harm.

use crate::clock;
use crate::config::SessionLimits;
use crate::people;
use crate::store::{
    StoreError, calls, changes, deliveries, logout_tokens, provider_sessions, refused,
};
use sqlx::PgPool;
use std::fmt::Debug;
use std::time::Duration;
use tokio::time::{MissedTickBehavior, interval};

/// How often things are put in order.
const TIDY_EVERY: Duration = Duration::from_secs(300);
/// How long the reason of an ended session is kept, in seconds.
const REASONS_KEPT_SECONDS: i64 = 30 * 86_400;
/// How long changes are kept for open pages, in seconds.
const CHANGES_KEPT_SECONDS: i64 = 3600;
/// How long logouts at the provider are remembered, in seconds: neither a logout token that is still good
/// nor a sign-in under way is that old.
const LOGOUTS_KEPT_SECONDS: i64 = 86_400;
/// How long it is known how often the provider was called, in seconds.
const CALLS_KEPT_SECONDS: i64 = 86_400;

/// How long a delivery is kept that is done with, in seconds. Longer than the age at which it would be
/// accepted again.
const DELIVERIES_KEPT_SECONDS: i64 = 90 * 86_400;
/// How long refused deliveries are counted, in seconds.
const REFUSED_KEPT_SECONDS: i64 = 30 * 86_400;

/// Ends what is past its limits and forgets what was kept long enough, until the task is dropped.
pub async fn tidy(db: PgPool, limits: SessionLimits) {
    let mut ticks = interval(TIDY_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let idle = i64::try_from(limits.idle().as_secs()).unwrap_or(i64::MAX);
    loop {
        ticks.tick().await;
        let now = clock::now();
        let ago = |seconds: i64| now.plus_seconds(-seconds);
        report("sessions", people::sweep(&db, ago(idle), ago(REASONS_KEPT_SECONDS), now).await);
        report("changes", changes::forget(&db, ago(CHANGES_KEPT_SECONDS)).await);
        report("logout tokens", logout_tokens::forget(&db, ago(LOGOUTS_KEPT_SECONDS)).await);
        let ended = provider_sessions::forget(&db, ago(LOGOUTS_KEPT_SECONDS)).await;
        report("provider sessions", ended);
        report("calls", calls::forget(&db, ago(CALLS_KEPT_SECONDS)).await);
        report("deliveries", deliveries::forget(&db, ago(DELIVERIES_KEPT_SECONDS)).await);
        report("refused deliveries", refused::forget(&db, ago(REFUSED_KEPT_SECONDS)).await);
    }
}

fn report(what: &str, done: Result<impl Debug, StoreError>) {
    match done {
        Ok(done) => tracing::debug!(what, ?done, "put in order"),
        Err(error) => tracing::warn!(what, %error, "could not be put in order"),
    }
}
