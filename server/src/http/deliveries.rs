//! `/admin/deliveries`: what came of webhooks, for unit admins.

use super::gate::Call;
use super::pages::Rendering;
use super::refusal::Refusal;
use super::respond::see_other;
use crate::app::App;
use crate::audit::Entry;
use crate::clock;
use crate::signin::exchange::CAMPUS_ONE;
use crate::store::deliveries::{self, DeliveryId, Filter, Listed, Place};
use crate::store::{audit, refused};
use crate::webhook::worker;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use campus::audit::AuditKind;
use campus::event::DeliveryState;
use campus::instant::Instant;
use campus::reason::Reason;
use campus_app::{DeliveriesPage, Delivery, Page, RefusedDeliveries};
use serde::Deserialize;
use serde_json::json;
use std::sync::Arc;
use uuid::Uuid;

/// The page.
pub const PATH: &str = "/admin/deliveries";
/// Deliveries on one page.
const PAGE_SIZE: usize = 25;

/// What part of the list is asked for. A value that means nothing is passed over.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Asked {
    state: String,
    older: String,
    newer: String,
}

/// `GET /admin/deliveries`
///
/// # Errors
/// When the database does not answer.
pub async fn list(
    State(app): State<Arc<App>>,
    Query(asked): Query<Asked>,
    rendering: Rendering,
) -> Result<Response, Refusal> {
    let filter = Filter {
        provider: CAMPUS_ONE,
        issuer: &app.provider.settings.issuer,
        state: DeliveryState::parse(&asked.state),
        // One more than is shown tells whether there is another page.
        limit: PAGE_SIZE as i64 + 1,
    };
    let (mut listed, newer, older);
    if let Some(place) = parse_place(&asked.newer) {
        listed = deliveries::newer(&app.db, filter, place).await?;
        newer = listed.len() > PAGE_SIZE;
        if newer {
            listed.remove(0);
        }
        older = true;
    } else {
        let place = parse_place(&asked.older);
        listed = deliveries::older(&app.db, filter, place).await?;
        older = listed.len() > PAGE_SIZE;
        listed.truncate(PAGE_SIZE);
        newer = place.is_some();
    }
    let end = |there: bool, row: Option<&Listed>| row.filter(|_| there).map(place_of);
    let refused = refused::by_reason(&app.db).await?;
    Ok(rendering.page(Page::Deliveries(DeliveriesPage {
        state: filter.state,
        newer: end(newer, listed.first()),
        older: end(older, listed.last()),
        deliveries: listed.into_iter().map(shown).collect(),
        refused: refused
            .into_iter()
            .map(|refused| RefusedDeliveries {
                text: Reason::by_code(&refused.reason).map_or("", |reason| reason.text),
                reason: refused.reason,
                times: refused.times,
                last_at: refused.last_at,
                last_request_id: refused.last_request_id,
            })
            .collect(),
    })))
}

/// `POST /admin/deliveries/{id}/retry`: a delivery that was given up is worked on again, at once.
///
/// # Errors
/// When the viewer may not, there is no such delivery, or the database does not answer.
pub async fn retry(
    State(app): State<Arc<App>>,
    call: Call,
    Path(id): Path<String>,
) -> Result<Response, Refusal> {
    let id = Uuid::parse_str(&id).map_err(|_| Refusal::from(Reason::NOT_FOUND))?;
    let (id, now) = (DeliveryId(id), clock::now());
    let mut transaction = app.db.begin().await.map_err(Refusal::from_database)?;
    // One that is no longer given up was processed again by somebody else meanwhile.
    if let Some(event) = deliveries::revive(&mut transaction, id, now).await? {
        let cause = call.cause("admin process again");
        let entry = Entry {
            kind: AuditKind::AdminAction,
            cause: &cause,
            subject: None,
            session: Some(call.session()),
            detail: json!({ "action": "process again", "delivery": id.0, "event": event }),
        };
        audit::append(&mut transaction, &entry, now).await?;
        transaction.commit().await.map_err(Refusal::from_database)?;
        worker::at_once(&app, id).await;
    }
    Ok(see_other(PATH, Vec::new()))
}

fn shown(listed: Listed) -> Delivery {
    Delivery {
        id: listed.id.0.simple().to_string(),
        event: listed.event,
        person: listed.name.or(listed.subject),
        occurred_at: listed.occurred_at,
        received_at: listed.received_at,
        state: listed.state,
        attempts: listed.attempts,
        outcome: listed.outcome,
    }
}

/// A place in the list as text for an address.
fn place_of(listed: &Listed) -> String {
    format!("{}-{}", listed.received_at.millis(), listed.id.0.simple())
}

fn parse_place(text: &str) -> Option<Place> {
    let (millis, id) = text.split_once('-')?;
    let received_at = Instant::from_millis(millis.parse().ok()?);
    Some(Place { received_at, id: DeliveryId(Uuid::parse_str(id).ok()?) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_survives_the_address_and_nonsense_is_none() {
        let id = DeliveryId(Uuid::from_u128(7));
        let place = parse_place(&format!("1795503600123-{}", id.0.simple()));
        assert_eq!(place, Some(Place { received_at: Instant::from_millis(1_795_503_600_123), id }));
        for text in ["", "-", "1", "x-y", "1-2", "9999999999999999999999-0"] {
            assert_eq!(parse_place(text), None, "{text}");
        }
    }
}
