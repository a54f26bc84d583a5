//! Refused deliveries: counted by reason and hour. Nothing of them is kept.

use super::{StoreError, from_db, to_db};
use campus::instant::Instant;
use sqlx::PgPool;

/// How often deliveries were refused for one reason, and when last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// The reason's code.
    pub reason: String,
    /// How often.
    pub times: i64,
    /// When last.
    pub last_at: Instant,
    /// In which request last.
    pub last_request_id: Option<String>,
}

/// Adds to the counter of the hour in which these refusals happened last.
///
/// # Errors
/// When the database does not answer.
pub async fn count(db: &PgPool, refused: &Refused) -> Result<(), StoreError> {
    sqlx::query!(
        "insert into refused_deliveries as held (reason, hour, times, last_at, last_request_id)
         values ($1, date_trunc('hour', $3::timestamptz, 'UTC'), $2, $3, $4)
         on conflict (reason, hour) do update set
             times = held.times + excluded.times,
             last_request_id = case when excluded.last_at >= held.last_at
                                    then excluded.last_request_id else held.last_request_id end,
             last_at = greatest(held.last_at, excluded.last_at)",
        refused.reason,
        refused.times,
        to_db(refused.last_at),
        refused.last_request_id,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// All counters, one row for each reason, the latest first.
///
/// # Errors
/// When the database does not answer.
pub async fn by_reason(db: &PgPool) -> Result<Vec<Refused>, StoreError> {
    let rows = sqlx::query!(
        r#"select reason, sum(times)::bigint as "times!", max(last_at) as "last_at!",
               (array_agg(last_request_id order by last_at desc))[1] as last_request_id
         from refused_deliveries group by reason order by max(last_at) desc, reason"#
    )
    .fetch_all(db)
    .await?;
    let refused = rows.into_iter().map(|row| Refused {
        reason: row.reason,
        times: row.times,
        last_at: from_db(row.last_at),
        last_request_id: row.last_request_id,
    });
    Ok(refused.collect())
}

/// Forgets counters of hours that began before an instant.
///
/// # Errors
/// When the database does not answer.
pub async fn forget(db: &PgPool, before: Instant) -> Result<u64, StoreError> {
    let forgotten = sqlx::query!("delete from refused_deliveries where hour < $1", to_db(before))
        .execute(db)
        .await?;
    Ok(forgotten.rows_affected())
}
