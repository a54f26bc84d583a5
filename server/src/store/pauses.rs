//! The table of pauses: until when the provider asked to be left alone, for each endpoint.

use super::{StoreError, from_db, to_db};
use campus::instant::Instant;
use sqlx::PgPool;

/// Notes a pause; one that lasts longer stands.
///
/// # Errors
/// When the database does not answer.
pub async fn set(db: &PgPool, endpoint: &str, until: Instant) -> Result<(), StoreError> {
    sqlx::query!(
        "insert into provider_pauses as held (endpoint, paused_until) values ($1, $2)
         on conflict (endpoint) do update
         set paused_until = greatest(held.paused_until, excluded.paused_until)",
        endpoint,
        to_db(until),
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Until when an endpoint is to be left alone.
///
/// # Errors
/// When the database does not answer.
pub async fn until(db: &PgPool, endpoint: &str) -> Result<Option<Instant>, StoreError> {
    let until = sqlx::query_scalar!(
        "select paused_until from provider_pauses where endpoint = $1",
        endpoint
    )
    .fetch_optional(db)
    .await?;
    Ok(until.map(from_db))
}
