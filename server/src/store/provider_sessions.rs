//! Sessions at the provider of which we heard a short while ago. Whoever signs in out of one and whoever
//! ends it write the same row, so one of them waits for the other: a sign-in that is under way when the
//! provider says that it is over does not outlive it.

use super::{StoreError, to_db};
use campus::instant::Instant;
use sqlx::{PgConnection, PgPool};

/// A sign-in comes out of this session. Returns whether the provider has said that it is over. The row
/// stays locked until the transaction ends; it comes first in it.
///
/// # Errors
/// When the database does not answer.
pub async fn join(
    db: &mut PgConnection,
    issuer: &str,
    sid: &str,
    now: Instant,
) -> Result<bool, StoreError> {
    let over = sqlx::query_scalar!(
        r#"insert into provider_sessions as held (issuer, sid, touched_at) values ($1, $2, $3)
         on conflict (issuer, sid) do update set touched_at = greatest(held.touched_at, excluded.touched_at)
         returning ended_at is not null as "over!""#,
        issuer,
        sid,
        to_db(now),
    )
    .fetch_one(db)
    .await?;
    Ok(over)
}

/// The provider says that this session is over, for good: an id is never given to another.
///
/// # Errors
/// When the database does not answer.
pub async fn end(
    db: &mut PgConnection,
    issuer: &str,
    sid: &str,
    now: Instant,
) -> Result<(), StoreError> {
    sqlx::query!(
        "insert into provider_sessions (issuer, sid, touched_at, ended_at) values ($1, $2, $3, $3)
         on conflict (issuer, sid) do update
         set touched_at = excluded.touched_at, ended_at = excluded.ended_at",
        issuer,
        sid,
        to_db(now),
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Forgets sessions of which nothing was heard since an instant.
///
/// # Errors
/// When the database does not answer.
pub async fn forget(db: &PgPool, before: Instant) -> Result<u64, StoreError> {
    let forgotten =
        sqlx::query!("delete from provider_sessions where touched_at < $1", to_db(before))
            .execute(db)
            .await?;
    Ok(forgotten.rows_affected())
}
