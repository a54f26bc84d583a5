//! The inbox of webhooks: what was accepted, and what became of it. What was refused is only counted, in
//! [`super::refused`].

use super::{StoreError, from_db, to_db};
use campus::event::DeliveryState;
use campus::instant::Instant;
use sqlx::{PgConnection, PgPool};
use time::OffsetDateTime;
use uuid::Uuid;

/// The handle of a delivery: the number of the request that brought it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct DeliveryId(pub Uuid);

/// A delivery that was accepted, about to be stored.
#[derive(Clone, Debug)]
pub struct NewDelivery<'a> {
    /// Its handle.
    pub id: DeliveryId,
    /// SHA-256 of the raw body.
    pub body_hash: [u8; 32],
    /// The raw body.
    pub body: &'a str,
    /// The event's name.
    pub event: &'a str,
    /// Whom it is about, at the provider.
    pub subject: Option<&'a str>,
    /// The application it names.
    pub client_id: Option<&'a str>,
    /// When it happened, by the sender's clock.
    pub occurred_at: Instant,
    /// When it arrived, by ours.
    pub received_at: Instant,
}

/// Stores a delivery. Returns whether it is new: the same body twice is one delivery.
///
/// # Errors
/// When the database does not answer.
pub async fn store(db: &PgPool, delivery: &NewDelivery<'_>) -> Result<bool, StoreError> {
    let stored = sqlx::query!(
        "insert into deliveries
             (id, body_hash, body, event, subject, client_id, occurred_at, received_at, next_try_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $8)
         on conflict on constraint deliveries_body_hash_key do nothing",
        delivery.id.0,
        &delivery.body_hash[..],
        delivery.body,
        delivery.event,
        delivery.subject,
        delivery.client_id,
        to_db(delivery.occurred_at),
        to_db(delivery.received_at),
    )
    .execute(db)
    .await?;
    Ok(stored.rows_affected() == 1)
}

/// Which delivery to work on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// This one.
    One(DeliveryId),
    /// The one whose turn it has been for longest.
    Due,
}

/// A delivery whose row is locked until the transaction ends.
#[derive(Clone, Debug)]
pub struct Taken {
    /// Its handle.
    pub id: DeliveryId,
    /// The raw body.
    pub body: String,
    /// The event's name.
    pub event: String,
    /// When it arrived.
    pub received_at: Instant,
    /// How often it was tried before.
    pub attempts: i32,
}

/// Lets this transaction wait only briefly for a row that somebody else holds: who waits holds a connection,
/// and a delivery can be tried again.
///
/// # Errors
/// When the database does not answer.
pub async fn wait_briefly(db: &mut PgConnection) -> Result<(), StoreError> {
    sqlx::query!("set local lock_timeout = '1500ms'").execute(db).await?;
    Ok(())
}

/// Takes a delivery that is pending and due, unless somebody else holds it.
///
/// # Errors
/// When the database does not answer.
pub async fn take(
    db: &mut PgConnection,
    which: Which,
    now: Instant,
) -> Result<Option<Taken>, StoreError> {
    let id = if let Which::One(id) = which { Some(id.0) } else { None };
    let row = sqlx::query!(
        "select id, body, event, received_at, attempts from deliveries
         where state = 'pending' and next_try_at <= $1 and ($2::uuid is null or id = $2)
         order by next_try_at limit 1 for update skip locked",
        to_db(now),
        id,
    )
    .fetch_optional(db)
    .await?;
    Ok(row.map(|row| Taken {
        id: DeliveryId(row.id),
        body: row.body,
        event: row.event,
        received_at: from_db(row.received_at),
        attempts: row.attempts,
    }))
}

/// What an attempt came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attempt {
    /// It is done with, in this state.
    Finished(DeliveryState),
    /// It is tried again at this instant.
    Again(Instant),
}

/// Writes down an attempt at a delivery that was taken.
///
/// # Errors
/// When the database does not answer.
pub async fn record(
    db: &mut PgConnection,
    id: DeliveryId,
    attempt: Attempt,
    outcome: &str,
    now: Instant,
) -> Result<(), StoreError> {
    let (state, next_try, finished) = match attempt {
        Attempt::Finished(state) => (state, now, Some(now)),
        Attempt::Again(at) => (DeliveryState::Pending, at, None),
    };
    sqlx::query!(
        "update deliveries
         set state = $2, attempts = attempts + 1, next_try_at = $3, finished_at = $4, outcome = $5
         where id = $1",
        id.0,
        state.as_str(),
        to_db(next_try),
        finished.map(to_db),
        outcome,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Puts a delivery that was given up back in line, with all its attempts before it. Returns its event if
/// it was given up.
///
/// # Errors
/// When the database does not answer.
pub async fn revive(
    db: &mut PgConnection,
    id: DeliveryId,
    now: Instant,
) -> Result<Option<String>, StoreError> {
    let event = sqlx::query_scalar!(
        "update deliveries
         set state = 'pending', attempts = 0, next_try_at = $2, finished_at = null
         where id = $1 and state = 'dead' returning event",
        id.0,
        to_db(now),
    )
    .fetch_optional(db)
    .await?;
    Ok(event)
}

/// A delivery as the list shows it.
#[derive(Clone, Debug)]
pub struct Listed {
    /// Its handle.
    pub id: DeliveryId,
    /// The event's name.
    pub event: String,
    /// Whom it is about, at the provider.
    pub subject: Option<String>,
    /// That person's name, if they are known.
    pub name: Option<String>,
    /// When it happened.
    pub occurred_at: Instant,
    /// When it arrived.
    pub received_at: Instant,
    /// What became of it.
    pub state: DeliveryState,
    /// How often it was tried.
    pub attempts: i32,
    /// What came of it, or why the last attempt failed.
    pub outcome: Option<String>,
}

/// A place in the list: a delivery by its arrival.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// When it arrived.
    pub received_at: Instant,
    /// Which it is.
    pub id: DeliveryId,
}

/// Which deliveries are listed.
#[derive(Clone, Copy, Debug)]
pub struct Filter<'a> {
    /// The kind of provider whose people are named.
    pub provider: &'a str,
    /// Its issuer.
    pub issuer: &'a str,
    /// Only those of this state.
    pub state: Option<DeliveryState>,
    /// At most so many.
    pub limit: i64,
}

/// The deliveries that arrived before the one at a place, or the newest; newest first.
///
/// # Errors
/// When the database does not answer.
pub async fn older(
    db: &PgPool,
    filter: Filter<'_>,
    than: Option<Place>,
) -> Result<Vec<Listed>, StoreError> {
    let rows = sqlx::query_as!(
        ListedRow,
        r#"select d.id, event, d.subject, occurred_at, received_at, state, attempts, outcome,
               coalesce(u.name, u.preferred_username) as name
         from deliveries d
         left join users u on u.provider = $1 and u.issuer = $2 and u.subject = d.subject
         where ($3::text is null or state = $3)
           and ($4::timestamptz is null or (received_at, d.id) < ($4, $5::uuid))
         order by received_at desc, d.id desc limit $6"#,
        filter.provider,
        filter.issuer,
        filter.state.map(DeliveryState::as_str),
        than.map(|place| to_db(place.received_at)),
        than.map(|place| place.id.0),
        filter.limit,
    )
    .fetch_all(db)
    .await?;
    Ok(rows.into_iter().map(Listed::from).collect())
}

/// The deliveries that arrived just after the one at a place; newest first.
///
/// # Errors
/// When the database does not answer.
pub async fn newer(
    db: &PgPool,
    filter: Filter<'_>,
    than: Place,
) -> Result<Vec<Listed>, StoreError> {
    let rows = sqlx::query_as!(
        ListedRow,
        r#"select d.id, event, d.subject, occurred_at, received_at, state, attempts, outcome,
               coalesce(u.name, u.preferred_username) as name
         from deliveries d
         left join users u on u.provider = $1 and u.issuer = $2 and u.subject = d.subject
         where ($3::text is null or state = $3) and (received_at, d.id) > ($4, $5)
         order by received_at, d.id limit $6"#,
        filter.provider,
        filter.issuer,
        filter.state.map(DeliveryState::as_str),
        to_db(than.received_at),
        than.id.0,
        filter.limit,
    )
    .fetch_all(db)
    .await?;
    Ok(rows.into_iter().rev().map(Listed::from).collect())
}

struct ListedRow {
    id: Uuid,
    event: String,
    subject: Option<String>,
    occurred_at: OffsetDateTime,
    received_at: OffsetDateTime,
    state: String,
    attempts: i32,
    outcome: Option<String>,
    name: Option<String>,
}

impl From<ListedRow> for Listed {
    fn from(row: ListedRow) -> Self {
        Self {
            id: DeliveryId(row.id),
            event: row.event,
            subject: row.subject,
            name: row.name,
            occurred_at: from_db(row.occurred_at),
            received_at: from_db(row.received_at),
            // The table's check allows the four words only.
            state: DeliveryState::parse(&row.state).unwrap_or(DeliveryState::Pending),
            attempts: row.attempts,
            outcome: row.outcome,
        }
    }
}

/// Forgets deliveries that are applied or ignored and arrived before an instant.
///
/// # Errors
/// When the database does not answer.
pub async fn forget(db: &PgPool, before: Instant) -> Result<u64, StoreError> {
    let forgotten = sqlx::query!(
        "delete from deliveries where state in ('applied', 'ignored') and received_at < $1",
        to_db(before),
    )
    .execute(db)
    .await?;
    Ok(forgotten.rows_affected())
}
