//! The table of the provider's tokens, sealed, one row for each live session, with the lease of whoever is
//! refreshing them.
//!
//! The lease goes by the database's clock, so that instances whose clocks differ agree on it.

use super::sessions::SessionId;
use super::{StoreError, from_db, to_db};
use campus::instant::Instant;
use sqlx::{PgConnection, PgExecutor, PgPool};
use uuid::Uuid;

/// Tokens as they are stored: under a seal.
#[derive(Clone, Debug)]
pub struct SealedTokens {
    /// The access token.
    pub access: String,
    /// The refresh token, where there is one.
    pub refresh: Option<String>,
    /// The ID token: the hint for signing out at the provider.
    pub id_token: Option<String>,
    /// When the access token ends, where the provider said so.
    pub access_expires: Option<Instant>,
    /// When these were given out.
    pub obtained: Instant,
}

/// A session's row.
#[derive(Clone, Debug)]
pub struct Row {
    /// The tokens.
    pub tokens: SealedTokens,
    /// Grows with every refresh.
    pub version: i64,
    /// Somebody is refreshing at this moment.
    pub leased: bool,
    /// When the refresh token was sent without an answer so far.
    pub sent: Option<Instant>,
}

/// Keeps the tokens of a new session.
///
/// # Errors
/// When the database does not answer.
pub async fn create(
    db: &mut PgConnection,
    session: SessionId,
    tokens: &SealedTokens,
) -> Result<(), StoreError> {
    sqlx::query!(
        "insert into session_tokens
             (session_id, access_token, refresh_token, id_token, access_expires_at, obtained_at)
         values ($1, $2, $3, $4, $5, $6)",
        session.0,
        tokens.access,
        tokens.refresh,
        tokens.id_token,
        tokens.access_expires.map(to_db),
        to_db(tokens.obtained),
    )
    .execute(db)
    .await?;
    Ok(())
}

/// The row of a session.
///
/// # Errors
/// When the database does not answer.
pub async fn find(db: impl PgExecutor<'_>, session: SessionId) -> Result<Option<Row>, StoreError> {
    let row = sqlx::query!(
        r#"select access_token, refresh_token, id_token, access_expires_at, obtained_at, version, sent_at,
                  coalesce(lease_until > clock_timestamp(), false) as "leased!"
           from session_tokens where session_id = $1"#,
        session.0,
    )
    .fetch_optional(db)
    .await?;
    Ok(row.map(|row| Row {
        tokens: SealedTokens {
            access: row.access_token,
            refresh: row.refresh_token,
            id_token: row.id_token,
            access_expires: row.access_expires_at.map(from_db),
            obtained: from_db(row.obtained_at),
        },
        version: row.version,
        leased: row.leased,
        sent: row.sent_at.map(from_db),
    }))
}

/// The version of a live session's tokens; both rows stay locked until the transaction ends.
///
/// # Errors
/// When the database does not answer.
pub async fn lock_version(
    db: &mut PgConnection,
    session: SessionId,
) -> Result<Option<i64>, StoreError> {
    Ok(sqlx::query_scalar!(
        "select t.version from sessions s join session_tokens t on t.session_id = s.id
         where s.id = $1 and s.ended_at is null for update",
        session.0,
    )
    .fetch_optional(db)
    .await?)
}

/// Seals the same tokens anew; their version stays, and tokens that were refreshed meanwhile too.
///
/// # Errors
/// When the database does not answer.
pub async fn reseal(
    db: &PgPool,
    session: SessionId,
    version: i64,
    tokens: &SealedTokens,
) -> Result<(), StoreError> {
    sqlx::query!(
        "update session_tokens set access_token = $3, id_token = $5,
             refresh_token = case when refresh_token is null then null else $4 end
         where session_id = $1 and version = $2",
        session.0,
        version,
        tokens.access,
        tokens.refresh,
        tokens.id_token,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Takes the lease on tokens of this version, unless somebody holds it. Returns whether it was taken.
///
/// # Errors
/// When the database does not answer.
pub async fn lease(
    db: &PgPool,
    session: SessionId,
    version: i64,
    holder: Uuid,
    seconds: f64,
) -> Result<bool, StoreError> {
    let taken = sqlx::query!(
        "update session_tokens
         set lease_holder = $3, lease_until = clock_timestamp() + make_interval(secs => $4)
         where session_id = $1 and version = $2
           and (lease_until is null or lease_until <= clock_timestamp())",
        session.0,
        version,
        holder,
        seconds,
    )
    .execute(db)
    .await?;
    Ok(taken.rows_affected() == 1)
}

/// Keeps the lease for longer, as long as it is still held.
///
/// # Errors
/// When the database does not answer.
pub async fn renew_lease(
    db: &PgPool,
    session: SessionId,
    holder: Uuid,
    seconds: f64,
) -> Result<(), StoreError> {
    sqlx::query!(
        "update session_tokens set lease_until = clock_timestamp() + make_interval(secs => $3)
         where session_id = $1 and lease_holder = $2",
        session.0,
        holder,
        seconds,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Notes that the refresh token is about to be sent. Returns whether the lease is still held: only then
/// may it be.
///
/// # Errors
/// When the database does not answer.
pub async fn set_sent(
    db: &PgPool,
    session: SessionId,
    holder: Uuid,
    now: Instant,
) -> Result<bool, StoreError> {
    let noted = sqlx::query!(
        "update session_tokens set sent_at = $3
         where session_id = $1 and lease_holder = $2 and lease_until > clock_timestamp()",
        session.0,
        holder,
        to_db(now),
    )
    .execute(db)
    .await?;
    Ok(noted.rows_affected() == 1)
}

/// Gives the lease back. Unless `in_doubt`, the refresh token is as if it had never been sent.
///
/// # Errors
/// When the database does not answer.
pub async fn release(
    db: &PgPool,
    session: SessionId,
    holder: Uuid,
    in_doubt: bool,
) -> Result<(), StoreError> {
    sqlx::query!(
        "update session_tokens set lease_holder = null, lease_until = null,
             sent_at = case when $3 then sent_at end
         where session_id = $1 and lease_holder = $2",
        session.0,
        holder,
        in_doubt,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Writes refreshed tokens over those of `version`. Returns whether they were still those.
///
/// # Errors
/// When the database does not answer.
pub async fn replace(
    db: &PgPool,
    session: SessionId,
    version: i64,
    tokens: &SealedTokens,
) -> Result<bool, StoreError> {
    let replaced = sqlx::query!(
        "update session_tokens
         set access_token = $3, refresh_token = $4, id_token = $5, access_expires_at = $6,
             obtained_at = $7, version = version + 1,
             lease_holder = null, lease_until = null, sent_at = null
         where session_id = $1 and version = $2",
        session.0,
        version,
        tokens.access,
        tokens.refresh,
        tokens.id_token,
        tokens.access_expires.map(to_db),
        to_db(tokens.obtained),
    )
    .execute(db)
    .await?;
    Ok(replaced.rows_affected() == 1)
}

/// Forgets a refresh token that must not be sent again; an answer that is still under way may bring
/// another.
///
/// # Errors
/// When the database does not answer.
pub async fn forget_refresh(
    db: &PgPool,
    session: SessionId,
    version: i64,
) -> Result<(), StoreError> {
    sqlx::query!(
        "update session_tokens set refresh_token = null where session_id = $1 and version = $2",
        session.0,
        version,
    )
    .execute(db)
    .await?;
    Ok(())
}
