//! Logout tokens that were used: each counts once (OpenID Connect Back-Channel Logout 1.0 §2.6).

use super::{StoreError, to_db};
use campus::instant::Instant;
use sha2::{Digest as _, Sha256};
use sqlx::{PgConnection, PgPool};

/// Uses a logout token, in the transaction that does what it asks. Returns whether it was new. One that
/// another instance is using at this moment is waited for.
///
/// # Errors
/// When the database does not answer.
pub async fn spend(db: &mut PgConnection, jti: &str, expires: Instant) -> Result<bool, StoreError> {
    let hash: [u8; 32] = Sha256::digest(jti).into();
    let spent = sqlx::query!(
        "insert into used_logout_tokens (jti_hash, expires_at) values ($1, $2)
         on conflict (jti_hash) do nothing",
        &hash[..],
        to_db(expires),
    )
    .execute(db)
    .await?;
    Ok(spent.rows_affected() == 1)
}

/// Forgets tokens that expired before an instant: they would be refused anyway.
///
/// # Errors
/// When the database does not answer.
pub async fn forget(db: &PgPool, before: Instant) -> Result<u64, StoreError> {
    let forgotten =
        sqlx::query!("delete from used_logout_tokens where expires_at < $1", to_db(before))
            .execute(db)
            .await?;
    Ok(forgotten.rows_affected())
}
