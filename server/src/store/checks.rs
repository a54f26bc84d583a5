//! The columns of the users table that say when a person was last confirmed by the provider, and who is
//! asking about them.

use super::{StoreError, from_db, to_db};
use campus::instant::Instant;
use campus::person::{Identity, PersonId};
use sqlx::{PgConnection, PgPool};

/// What is known of a person's confirmation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Checks {
    /// When the provider last confirmed the person: the beginning of the check.
    pub checked: Option<Instant>,
    /// Somebody is asking about them, or waits to, until then.
    pub claimed_until: Option<Instant>,
    /// Since when the provider could not be asked.
    pub stale_since: Option<Instant>,
    /// A webhook said that roles changed.
    pub roles_stale: bool,
}

/// A person's confirmation; the row stays locked until the transaction ends.
///
/// # Errors
/// When the database does not answer.
pub async fn lock(db: &mut PgConnection, person: PersonId) -> Result<Option<Checks>, StoreError> {
    let row = sqlx::query!(
        "select checked_at, check_claimed_until, stale_since, roles_stale
         from users where id = $1 for update",
        person.0,
    )
    .fetch_optional(db)
    .await?;
    Ok(row.map(|row| Checks {
        checked: row.checked_at.map(from_db),
        claimed_until: row.check_claimed_until.map(from_db),
        stale_since: row.stale_since.map(from_db),
        roles_stale: row.roles_stale,
    }))
}

/// Who a person is at the provider.
///
/// # Errors
/// When the database does not answer.
pub async fn identity(db: &PgPool, person: PersonId) -> Result<Option<Identity>, StoreError> {
    let row = sqlx::query!("select provider, issuer, subject from users where id = $1", person.0)
        .fetch_optional(db)
        .await?;
    Ok(row.map(|row| Identity { provider: row.provider, issuer: row.issuer, subject: row.subject }))
}

/// Claims the check of a person whose row is locked.
///
/// The mark of a webhook is taken off here and not at the end, so that one which comes during the check
/// stays. For the case that this instance dies on the way, a person who had the mark counts as never
/// confirmed.
///
/// # Errors
/// When the database does not answer.
pub async fn claim(
    db: &mut PgConnection,
    person: PersonId,
    until: Instant,
) -> Result<(), StoreError> {
    sqlx::query!(
        "update users set check_claimed_until = $2, roles_stale = false,
             checked_at = case when roles_stale then null else checked_at end
         where id = $1",
        person.0,
        to_db(until),
    )
    .execute(db)
    .await?;
    Ok(())
}

/// The provider confirmed the person at an instant.
///
/// # Errors
/// When the database does not answer.
pub async fn confirmed(
    db: &mut PgConnection,
    person: PersonId,
    at: Instant,
    claim: Instant,
) -> Result<(), StoreError> {
    sqlx::query!(
        "update users set checked_at = greatest(checked_at, $2), stale_since = null,
             check_claimed_until = nullif(check_claimed_until, $3)
         where id = $1",
        person.0,
        to_db(at),
        to_db(claim),
    )
    .execute(db)
    .await?;
    Ok(())
}

/// The provider could not be asked: nobody tries again before `next_try`, and what was known before the
/// claim is known again. With `stale`, the person is so from now on, if not already. Returns since when;
/// `None` if the person was confirmed otherwise meanwhile.
///
/// # Errors
/// When the database does not answer.
pub async fn unconfirmed(
    db: &mut PgConnection,
    person: PersonId,
    claim: Instant,
    before: Checks,
    next_try: Instant,
    stale: Option<Instant>,
) -> Result<Option<Instant>, StoreError> {
    let since = sqlx::query_scalar!(
        "update users set check_claimed_until = $3, checked_at = coalesce(checked_at, $4),
             roles_stale = roles_stale or $5, stale_since = coalesce(stale_since, $6)
         where id = $1 and check_claimed_until = $2
         returning stale_since",
        person.0,
        to_db(claim),
        to_db(next_try),
        before.checked.map(to_db),
        before.roles_stale,
        stale.map(to_db),
    )
    .fetch_optional(db)
    .await?;
    Ok(since.flatten().map(from_db))
}
