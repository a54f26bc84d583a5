//! Jobs: what the server does by itself from time to time. Any instance may do it at any time; doing it
//! twice does no harm.

use crate::clock;
use crate::config::SessionLimits;
use crate::store::{calls, sessions};
use sqlx::PgPool;
use std::time::Duration;
use tokio::time::{MissedTickBehavior, interval};

/// How often sessions are swept.
const SWEEP_EVERY: Duration = Duration::from_secs(300);
/// How long the reason of an ended session is kept, in seconds.
const REASONS_KEPT_SECONDS: i64 = 30 * 86_400;
/// How long it is known how often the provider was called, in seconds.
const CALLS_KEPT_SECONDS: i64 = 86_400;

/// Sweeps sessions, and what else grows, until the task is dropped.
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
        if let Err(error) = calls::forget(&db, now.plus_seconds(-CALLS_KEPT_SECONDS)).await {
            tracing::warn!(%error, "old counts of calls could not be forgotten");
        }
    }
}
