//! Jobs: what the server does by itself from time to time. Any instance may do it at any time; doing it
//! twice does no harm.

use crate::clock;
use crate::config::SessionLimits;
use crate::store::{logout_tokens, provider_sessions, sessions};
use sqlx::PgPool;
use std::time::Duration;
use tokio::time::{MissedTickBehavior, interval};

/// How often sessions are swept.
const SWEEP_EVERY: Duration = Duration::from_secs(300);
/// How long the reason of an ended session is kept, in seconds.
const REASONS_KEPT_SECONDS: i64 = 30 * 86_400;

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
        // Neither a logout token that is still good nor a sign-in under way is that old.
        let yesterday = now.plus_seconds(-86_400);
        if let Err(error) = logout_tokens::forget(&db, yesterday).await {
            tracing::warn!(%error, "used logout tokens could not be forgotten");
        }
        if let Err(error) = provider_sessions::forget(&db, yesterday).await {
            tracing::warn!(%error, "the provider's sessions could not be forgotten");
        }
    }
}
