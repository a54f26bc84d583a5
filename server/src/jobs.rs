//! Jobs: what the server does by itself from time to time. Any instance may do it at any time; doing it
//! twice does no harm.

use crate::clock;
use crate::config::SessionLimits;
use crate::store::{changes, sessions};
use sqlx::PgPool;
use std::time::Duration;
use tokio::time::{MissedTickBehavior, interval};

/// How often sessions are swept.
const SWEEP_EVERY: Duration = Duration::from_secs(300);
/// How long the reason of an ended session is kept, in seconds.
const REASONS_KEPT_SECONDS: i64 = 30 * 86_400;

/// How long changes are kept for open pages, in seconds.
const CHANGES_KEPT_SECONDS: i64 = 3600;

/// Sweeps sessions and changes until the task is dropped.
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
        let forget_before = now.plus_seconds(-CHANGES_KEPT_SECONDS);
        if let Err(error) = changes::forget(&db, forget_before).await {
            tracing::warn!(%error, "changes could not be forgotten");
        }
    }
}
