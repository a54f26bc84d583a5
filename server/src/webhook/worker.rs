//! The worker: takes deliveries out of the inbox and brings them into force.
//!
//! A delivery is worked on in one transaction that holds its row: the effects, the audit entries and the
//! state of the row are there together or not at all, whatever dies in between. The effects stand in a
//! savepoint, so that a failure can be written down where they would have been.

use super::{AT_ONCE, apply};
use crate::app::App;
use crate::audit::{Cause, Entry};
use crate::clock;
use crate::store::deliveries::{self, Attempt, DeliveryId, Taken, Which};
use crate::store::{StoreError, audit};
use campus::audit::{Actor, AuditKind};
use campus::event::DeliveryState;
use campus::instant::Instant;
use rand::RngExt as _;
use serde_json::json;
use sqlx::Acquire as _;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{sleep, timeout};
use tracing::Instrument as _;

/// How often a delivery is tried before it is given up.
const MOST_ATTEMPTS: i32 = 8;
/// How long an idle worker sleeps: what another instance left behind is found after that.
const IDLE: Duration = Duration::from_secs(1);
/// How long a worker sleeps while the database is away, at most.
const AWAY: Duration = Duration::from_secs(15);

/// Works until the task is dropped.
pub async fn run(app: Arc<App>) {
    let mut pause = IDLE;
    loop {
        app.webhooks.refusals.flush(&app.db).await;
        match work(&app, Which::Due).await {
            Ok(true) => continue,
            Ok(false) => pause = IDLE,
            Err(error) => {
                tracing::warn!(%error, "deliveries wait for the database");
                pause = (pause * 2).min(AWAY);
            }
        }
        tokio::select! {
            () = app.webhooks.wake.notified() => {}
            () = sleep(pause.mul_f64(rand::rng().random_range(0.8..1.2))) => {}
        }
    }
}

/// Works on a delivery that was stored just now, and waits for the effect as long as an answer may wait.
/// The work does not end with the wait, nor with the connection of whoever waits.
pub(crate) async fn at_once(app: &Arc<App>, id: DeliveryId) {
    let task = {
        let app = app.clone();
        async move { work(&app, Which::One(id)).await }
    };
    match timeout(AT_ONCE, tokio::spawn(task.in_current_span())).await {
        Ok(Ok(Ok(_))) => return,
        Ok(Ok(Err(error))) => tracing::warn!(%error, "a delivery waits for the worker"),
        Ok(Err(error)) => tracing::error!(%error, "work on a delivery broke off"),
        Err(_) => tracing::warn!("the answer goes before the effect of a delivery"),
    }
    app.webhooks.wake.notify_one();
}

/// Works on one delivery, if there is one to be had. Returns whether there was.
///
/// # Errors
/// When the database does not answer; then nothing has happened.
async fn work(app: &App, which: Which) -> Result<bool, StoreError> {
    // The semaphore is never closed.
    let _hand = app.webhooks.hands.acquire().await;
    let now = clock::now();
    let mut transaction = app.db.begin().await?;
    deliveries::wait_briefly(&mut transaction).await?;
    let Some(delivery) = deliveries::take(&mut transaction, which, now).await? else {
        return Ok(false);
    };
    let cause = Cause {
        actor: Actor::Provider,
        request_id: Some(delivery.id.0.simple().to_string()),
        rule: apply::rule(&delivery.event),
    };
    let mut effects = transaction.begin().await?;
    let id = delivery.id.0;
    match apply::apply(app, &mut effects, &delivery, &cause, now).await {
        Ok((state, outcome)) => {
            effects.commit().await?;
            deliveries::record(
                &mut transaction,
                delivery.id,
                Attempt::Finished(state),
                outcome,
                now,
            )
            .await?;
            tracing::info!(delivery = %id, event = delivery.event, state = state.as_str(), outcome, "a webhook was worked on");
        }
        Err(error) => {
            effects.rollback().await?;
            tracing::warn!(delivery = %id, event = delivery.event, %error, "a webhook could not be worked on");
            failed(&mut transaction, &delivery, &error, &cause, now).await?;
        }
    }
    transaction.commit().await?;
    Ok(true)
}

/// Writes down that an attempt failed: the delivery is tried again later, or given up.
async fn failed(
    db: &mut sqlx::PgConnection,
    delivery: &Taken,
    error: &StoreError,
    cause: &Cause,
    now: Instant,
) -> Result<(), StoreError> {
    let attempts = delivery.attempts.saturating_add(1);
    let outcome = error.in_brief();
    if attempts < MOST_ATTEMPTS {
        let jitter = rand::rng().random_range(0.8..1.2);
        let next = Attempt::Again(now.plus_millis(delay(attempts, jitter)));
        return deliveries::record(db, delivery.id, next, &outcome, now).await;
    }
    tracing::error!(delivery = %delivery.id.0, event = delivery.event, "a webhook was given up");
    let dead = Attempt::Finished(DeliveryState::Dead);
    deliveries::record(db, delivery.id, dead, &outcome, now).await?;
    let detail = json!({
        "delivery": delivery.id.0, "event": delivery.event, "attempts": attempts, "error": outcome,
    });
    let kind = AuditKind::WebhookDead;
    audit::append(db, &Entry { kind, cause, subject: None, session: None, detail }, now).await
}

/// How long to wait after so many failed attempts, in milliseconds: one second, then four times as long
/// each time. The eighth attempt comes after about an hour and a half.
fn delay(attempts: i32, jitter: f64) -> i64 {
    let seconds = 4_i64.pow(attempts.clamp(1, MOST_ATTEMPTS).unsigned_abs() - 1);
    #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "a few hours")]
    let millis = (seconds as f64 * 1000.0 * jitter) as i64;
    millis
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attempts_grow_apart_and_span_more_than_an_hour() {
        let delays: Vec<i64> = (1..MOST_ATTEMPTS).map(|attempts| delay(attempts, 1.0)).collect();
        assert_eq!(delays, [1000, 4000, 16_000, 64_000, 256_000, 1_024_000, 4_096_000]);
        assert!(delays.iter().sum::<i64>() > 3600 * 1000);
        assert_eq!((delay(1, 0.8), delay(2, 1.2)), (800, 4800));
    }
}
