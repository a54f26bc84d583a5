//! The table of calls to the provider, counted by all instances together: endpoint by endpoint, minute by
//! minute.

use super::{StoreError, to_db};
use campus::instant::Instant;
use sqlx::PgPool;

/// Counts a call, unless there were `most` in this minute. Returns whether it may be made.
///
/// # Errors
/// When the database does not answer.
pub async fn take(
    db: &PgPool,
    endpoint: &str,
    now: Instant,
    most: i32,
) -> Result<bool, StoreError> {
    let taken = sqlx::query!(
        "insert into provider_calls as counted (endpoint, minute, calls)
         values ($1, date_trunc('minute', $2::timestamptz), 1)
         on conflict (endpoint, minute) do update set calls = counted.calls + 1
         where counted.calls < $3",
        endpoint,
        to_db(now),
        most,
    )
    .execute(db)
    .await?;
    Ok(taken.rows_affected() == 1)
}

/// Forgets minutes before an instant.
///
/// # Errors
/// When the database does not answer.
pub async fn forget(db: &PgPool, before: Instant) -> Result<u64, StoreError> {
    let forgotten = sqlx::query!("delete from provider_calls where minute < $1", to_db(before))
        .execute(db)
        .await?;
    Ok(forgotten.rows_affected())
}
