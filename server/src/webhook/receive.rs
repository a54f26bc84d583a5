//! The receiver: `POST /api/webhooks/campus-one`.
//!
//! In the order of PROTOCOLS.md: cap, signature over the raw body, JSON, whose, how old, inbox, answer. A
//! 200 says that the delivery is stored, by this request or an earlier one with the same body.

use super::worker;
use crate::app::App;
use crate::clock;
use crate::http::client::Client;
use crate::http::refusal::Refusal;
use crate::http::request_id::RequestId;
use crate::store::deliveries::{self, DeliveryId, NewDelivery};
use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use axum::{Extension, Json};
use campus::event::Message;
use campus::instant::Instant;
use campus::reason::Reason;
use http::HeaderMap;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use serde_json::json;
use sha2::{Digest as _, Sha256};
use std::sync::Arc;
use uuid::Uuid;

/// The largest body, in bytes.
pub const BODY_LIMIT: usize = 64 * 1024;
/// How old an event may be, in seconds: senders try again for days.
pub const OLDEST_SECONDS: i64 = 7 * 86_400;
/// How far in the future an event may lie, in seconds.
pub const EARLIEST_SECONDS: i64 = 300;

/// Takes a delivery.
///
/// # Errors
/// The reason for which it is not taken, counted for the admins; or that the database does not answer, so
/// that the sender tries again.
pub async fn receive(
    State(app): State<Arc<App>>,
    Extension(RequestId(request_id)): Extension<RequestId>,
    client: Client,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Refusal> {
    let now = clock::now();
    let (body, message) = accepted(&app, &headers, body, now).await.or_else(|reason| {
        if is_forged(reason) {
            // Neither logged nor counted past the limit: a flood of forgeries must hide nothing else.
            app.rates.forgery(client)?;
        }
        tracing::warn!(reason = reason.code, "a webhook was refused");
        app.webhooks.refusals.add(reason, Some(request_id.clone()), now);
        Err(Refusal::from(reason))
    })?;
    // The request's number is the delivery's: its effects can be traced to it, whenever they come.
    let id = DeliveryId(Uuid::parse_str(&request_id).unwrap_or_else(|_| Uuid::now_v7()));
    let delivery = NewDelivery {
        id,
        body_hash: Sha256::digest(&body).into(),
        body: &body,
        event: &message.name,
        subject: message.event.user(),
        client_id: message.client_id.as_deref(),
        occurred_at: message.occurred_at,
        received_at: now,
    };
    let is_new = deliveries::store(&app.db, &delivery).await?;
    tracing::info!(event = message.name, is_new, "a webhook was accepted");
    if is_new {
        worker::at_once(&app, id).await;
    }
    Ok(Json(json!({ "ok": true, "duplicate": !is_new })).into_response())
}

/// Whether anybody could have sent what was refused for this reason.
fn is_forged(reason: Reason) -> bool {
    [Reason::WEBHOOK_UNSIGNED, Reason::WEBHOOK_SIGNATURE, Reason::TOO_LARGE].contains(&reason)
}

/// The body of a delivery that is to be stored, and what it says.
async fn accepted(
    app: &App,
    headers: &HeaderMap,
    body: Body,
    now: Instant,
) -> Result<(String, Message), Reason> {
    let Some(keys) = &app.webhooks.keys else {
        tracing::error!("a webhook came, but CAMPUS_ONE_WEBHOOK_SECRET is not set");
        return Err(Reason::WEBHOOKS_NOT_CONFIGURED);
    };
    let body = Limited::new(body, BODY_LIMIT).collect().await.map_err(|error| {
        if error.is::<LengthLimitError>() { Reason::TOO_LARGE } else { Reason::BAD_REQUEST }
    })?;
    let body = body.to_bytes();
    keys.check(headers, &body, now)?;
    let message = Message::parse(&body).map_err(|_| Reason::WEBHOOK_MALFORMED)?;
    let ours = &app.provider.settings.client_id;
    if message.client_id.as_ref().is_some_and(|client| client != ours) {
        return Err(Reason::WEBHOOK_OTHER_CLIENT);
    }
    in_time(message.occurred_at, now)?;
    // JSON is UTF-8 (RFC 8259 §8.1), and what was just parsed is JSON.
    let body = String::from_utf8(body.into()).map_err(|_| Reason::WEBHOOK_MALFORMED)?;
    Ok((body, message))
}

/// Whether an event is recent enough. There is no id of a delivery that could stop an old one from being
/// sent again for ever.
fn in_time(occurred_at: Instant, now: Instant) -> Result<(), Reason> {
    if occurred_at < now.plus_seconds(-OLDEST_SECONDS) {
        Err(Reason::WEBHOOK_TOO_OLD)
    } else if occurred_at > now.plus_seconds(EARLIEST_SECONDS) {
        Err(Reason::WEBHOOK_TOO_EARLY)
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_up_to_seven_days_old_and_at_most_five_minutes_in_the_future() {
        let now = Instant::from_seconds(1_800_000_000);
        for (seconds, expected) in [
            (0, Ok(())),
            (-7 * 86_400, Ok(())),
            (-7 * 86_400 - 1, Err(Reason::WEBHOOK_TOO_OLD)),
            (300, Ok(())),
            (301, Err(Reason::WEBHOOK_TOO_EARLY)),
        ] {
            assert_eq!(in_time(now.plus_seconds(seconds), now), expected, "{seconds} s");
        }
        assert_eq!(in_time(Instant::from_millis(i64::MIN), now), Err(Reason::WEBHOOK_TOO_OLD));
    }
}
