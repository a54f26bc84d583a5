//! Jobs: what the server does by itself from time to time. Any instance may do it at any time; doing it
//! twice does no harm.

use crate::clock;
use crate::config::SessionLimits;
use crate::store::{StoreError, deliveries, refused, sessions};
use sqlx::PgPool;
use std::time::Duration;
use tokio::time::{MissedTickBehavior, interval};

/// How often sessions are swept.
const SWEEP_EVERY: Duration = Duration::from_secs(300);
/// How long the reason of an ended session is kept, in seconds.
const REASONS_KEPT_SECONDS: i64 = 30 * 86_400;

/// How often old deliveries are looked for.
const FORGET_EVERY: Duration = Duration::from_secs(3600);
/// How long a delivery is kept that is done with, in seconds. Longer than the age at which it would be
/// accepted again.
const DELIVERIES_KEPT_SECONDS: i64 = 90 * 86_400;
/// How long refused deliveries are counted, in seconds.
const REFUSED_KEPT_SECONDS: i64 = 30 * 86_400;

/// Sweeps sessions until the task is dropped.
pub async fn sweep_sessions(db: PgPool, limits: SessionLimits) {
    let mut ticks = interval(SWEEP_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let now = clock::now();
        let idle = i64::try_from(limits.idle().as_secs()).unwrap_or(i64::MAX);
        let idle_since = now.plus_seconds(-idle);
        let forget_before = now.plus_seconds(-REASONS_KEPT_SECONDS);
        match sessions::sweep(&db, now, idle_since, forget_before).await {
            Ok(swept) => tracing::debug!(?swept, "sessions were swept"),
            Err(error) => tracing::warn!(%error, "sessions could not be swept"),
        }
    }
}

/// Forgets old deliveries until the task is dropped.
pub async fn forget_deliveries(db: PgPool) {
    let mut ticks = interval(FORGET_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let now = clock::now();
        let forgotten = async {
            let done = deliveries::forget(&db, now.plus_seconds(-DELIVERIES_KEPT_SECONDS)).await?;
            let refused = refused::forget(&db, now.plus_seconds(-REFUSED_KEPT_SECONDS)).await?;
            Ok::<_, StoreError>((done, refused))
        };
        match forgotten.await {
            Ok((done, refused)) => tracing::debug!(done, refused, "deliveries were forgotten"),
            Err(error) => tracing::warn!(%error, "deliveries could not be forgotten"),
        }
    }
}
