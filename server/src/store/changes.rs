//! What open pages of a person are told: short-lived rows that every instance reads on.

use super::sessions::SessionId;
use super::{StoreError, from_db, to_db};
use campus::instant::Instant;
use campus::person::PersonId;
use sqlx::{PgConnection, PgPool};

/// What changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangeKind {
    /// The person's roles.
    Roles,
    /// Sessions ended.
    Ended,
}

impl ChangeKind {
    /// The word that is stored and sent.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Roles => "roles",
            Self::Ended => "ended",
        }
    }

    fn parse(word: &str) -> Option<Self> {
        [Self::Roles, Self::Ended].into_iter().find(|kind| kind.as_str() == word)
    }
}

/// A change that was recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    /// Its number. Numbers grow, but a smaller one may be seen after a larger one.
    pub id: i64,
    /// Whose.
    pub person: PersonId,
    /// Of which session; all of them if `None`.
    pub session: Option<SessionId>,
    /// What.
    pub kind: ChangeKind,
    /// When.
    pub at: Instant,
}

/// Records a change, in the transaction that makes it.
///
/// # Errors
/// When the database does not answer.
pub async fn record(
    db: &mut PgConnection,
    person: PersonId,
    session: Option<SessionId>,
    kind: ChangeKind,
    now: Instant,
) -> Result<(), StoreError> {
    sqlx::query!(
        "insert into person_changes (user_id, session_id, kind, at) values ($1, $2, $3, $4)",
        person.0,
        session.map(|id| id.0),
        kind.as_str(),
        to_db(now),
    )
    .execute(db)
    .await?;
    Ok(())
}

/// The changes since an instant, oldest first.
///
/// # Errors
/// When the database does not answer.
pub async fn since(db: &PgPool, at: Instant) -> Result<Vec<Change>, StoreError> {
    let rows = sqlx::query!(
        "select id, user_id, session_id, kind, at from person_changes where at >= $1 order by id",
        to_db(at),
    )
    .fetch_all(db)
    .await?;
    let change = |id, person, session: Option<uuid::Uuid>, kind: &str, at| {
        Some(Change {
            id,
            person: PersonId(person),
            session: session.map(SessionId),
            kind: ChangeKind::parse(kind)?,
            at: from_db(at),
        })
    };
    Ok(rows
        .into_iter()
        .filter_map(|row| change(row.id, row.user_id, row.session_id, &row.kind, row.at))
        .collect())
}

/// Forgets changes from before an instant.
///
/// # Errors
/// When the database does not answer.
pub async fn forget(db: &PgPool, before: Instant) -> Result<u64, StoreError> {
    let forgotten =
        sqlx::query!("delete from person_changes where at < $1", to_db(before)).execute(db).await?;
    Ok(forgotten.rows_affected())
}
