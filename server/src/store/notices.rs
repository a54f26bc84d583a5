//! The notices table.

use super::{StoreError, from_db, to_db};
use campus::instant::Instant;
use campus::notice::{Draft, Notice, NoticeId};
use campus::person::PersonId;
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

/// Keeps a new notice.
///
/// # Errors
/// When the database does not answer.
pub async fn create(
    db: &mut PgConnection,
    author: PersonId,
    draft: &Draft,
    now: Instant,
) -> Result<Notice, StoreError> {
    let id = Uuid::now_v7();
    sqlx::query!(
        "insert into notices (id, author_id, title, body, created_at) values ($1, $2, $3, $4, $5)",
        id,
        author.0,
        draft.title(),
        draft.body(),
        to_db(now),
    )
    .execute(db)
    .await?;
    let (title, body) = (draft.title().to_owned(), draft.body().to_owned());
    Ok(Notice { id: NoticeId(id), title, body, created: now })
}

/// Finds one.
///
/// # Errors
/// When the database does not answer.
pub async fn find(db: &PgPool, id: NoticeId) -> Result<Option<Notice>, StoreError> {
    let row = sqlx::query!("select title, body, created_at from notices where id = $1", id.0)
        .fetch_optional(db)
        .await?;
    Ok(row.map(|row| Notice {
        id,
        title: row.title,
        body: row.body,
        created: from_db(row.created_at),
    }))
}
