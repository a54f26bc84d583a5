//! What a delivery does to the person it is about.

use crate::app::App;
use crate::audit::{Cause, Entry};
use crate::people;
use crate::signin::exchange::CAMPUS_ONE;
use crate::store::changes::{self, ChangeKind};
use crate::store::deliveries::Taken;
use crate::store::users::{self, Known, Learned};
use crate::store::{StoreError, audit};
use campus::audit::AuditKind;
use campus::claims::Claims;
use campus::event::{DeliveryState, Event, Message, RoleFields};
use campus::instant::Instant;
use campus::person::{Identity, Source};
use serde_json::json;
use sqlx::PgConnection;

/// What came of it: the state, and the words for the admins.
type Outcome = (DeliveryState, &'static str);

/// The rule an event is worked on by, for the audit trail.
pub(super) fn rule(event: &str) -> &'static str {
    match event {
        "user.role_changed" => "webhook user.role_changed",
        "user.disconnected" => "webhook user.disconnected",
        _ => "webhook",
    }
}

/// Brings a delivery into force, in the caller's transaction. Doing it twice changes nothing the second
/// time.
///
/// # Errors
/// When the database does not answer or a row stays locked.
pub(super) async fn apply(
    app: &App,
    db: &mut PgConnection,
    delivery: &Taken,
    cause: &Cause,
    now: Instant,
) -> Result<Outcome, StoreError> {
    let ignored = |why| Ok((DeliveryState::Ignored, why));
    let Ok(message) = Message::parse(delivery.body.as_bytes()) else {
        return ignored("the body is no event");
    };
    let user = match &message.event {
        Event::Unknown => return ignored("no rule for this event"),
        Event::NamesNobody => return ignored("it names nobody"),
        Event::RoleChanged { user, .. } | Event::Disconnected { user } => user.clone(),
    };
    let issuer = app.provider.settings.issuer.clone();
    let identity = Identity { provider: CAMPUS_ONE.to_owned(), issuer, subject: user };
    let Some(known) = users::lock(db, &identity).await? else {
        return ignored("nobody by this name has signed in here");
    };
    let person = known.person;
    let outcome = match message.event {
        Event::RoleChanged { roles, .. } => {
            // Ahead of our clock, it would make facts that no later ones can replace.
            let as_of = message.occurred_at.min(delivery.received_at);
            role_changed(db, &identity, known, roles, as_of, cause, now).await?
        }
        _ => {
            let since = ended_before(message.occurred_at, delivery.received_at, app.leeway);
            people::disconnect(db, person, since, cause, now).await?;
            "sessions from before it ended"
        }
    };
    let detail = json!({
        "delivery": delivery.id.0, "event": delivery.event,
        "occurred_at": message.occurred_at.rfc3339(), "outcome": outcome,
    });
    let kind = AuditKind::WebhookApplied;
    let entry = Entry { kind, cause, subject: Some(person), session: None, detail };
    audit::append(db, &entry, now).await?;
    Ok((DeliveryState::Applied, outcome))
}

/// The roles it tells are learnt unless newer ones are known. In any case they are read anew on the next
/// request: an event may tell nothing, or less than all.
async fn role_changed(
    db: &mut PgConnection,
    identity: &Identity,
    known: Known,
    told: RoleFields,
    as_of: Instant,
    cause: &Cause,
    now: Instant,
) -> Result<&'static str, StoreError> {
    users::mark_roles_stale(db, known.person).await?;
    // Open pages hear of it also when it tells nothing: what they then ask for is read anew.
    changes::record(db, known.person, None, ChangeKind::Roles, now).await?;
    if told.is_empty() {
        return Ok("roles are read anew");
    }
    if known.roles_as_of.is_some_and(|held| held > as_of) {
        return Ok("newer roles were known; they are read anew");
    }
    let claims = Claims { roles: Some(told.over(known.roles)), ..Claims::default() };
    let learned = Learned { identity, claims: &claims, as_of, source: Source::Webhook };
    let learnt = people::learn(db, &learned, cause, now).await?;
    Ok(if learnt.roles_changed { "roles changed" } else { "roles were known already" })
}

/// The instant, by our clock, before which a session must have begun to be ended by a disconnect.
///
/// The event's time is by the sender's clock, cut to seconds and up to the leeway away from ours. A session
/// that may have begun before the event is ended: better one sign-in too many than an access that stays.
/// What began after we heard of it cannot be meant, and neither can what began clearly later than the
/// event: there the person has consented again.
fn ended_before(occurred_at: Instant, received_at: Instant, leeway: i64) -> Instant {
    occurred_at.plus_seconds(leeway).min(received_at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disconnect_ends_what_may_have_begun_before_it_and_nothing_that_began_after_its_arrival() {
        let at = |seconds: i64| Instant::from_seconds(1_800_000_000 + seconds);
        // Told at once: everything up to its arrival.
        assert_eq!(ended_before(at(0), at(1), 60), at(1));
        // Told an hour later: what began more than the leeway after it stays.
        assert_eq!(ended_before(at(0), at(3600), 60), at(60));
        // From a clock ahead of ours: nothing that is yet to begin.
        assert_eq!(ended_before(at(200), at(0), 60), at(0));
    }
}
