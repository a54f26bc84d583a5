//! The audit trail's tables: entries that are added and never changed, and the end of their chain.

use super::{StoreError, from_db, to_db};
use crate::audit::{Entry, Hash, Recorded, Verdict};
use campus::instant::Instant;
use futures::TryStreamExt as _;
use sqlx::{PgConnection, PgPool};

/// Adds an entry. The chain's end stays locked until the transaction ends, so this comes last in it.
///
/// # Errors
/// When the database does not answer.
pub async fn append(
    db: &mut PgConnection,
    entry: &Entry<'_>,
    now: Instant,
) -> Result<(), StoreError> {
    let head =
        sqlx::query!("select seq, hash from audit_head for update").fetch_one(&mut *db).await?;
    let recorded = Recorded {
        seq: head.seq + 1,
        at: now,
        kind: entry.kind.as_str().to_owned(),
        actor: entry.cause.actor.as_str().to_owned(),
        actor_id: entry.cause.actor.person().map(|id| id.0),
        subject_id: entry.subject.map(|id| id.0),
        session_id: entry.session.map(|id| id.0),
        request_id: entry.cause.request_id.clone(),
        rule: entry.cause.rule.to_owned(),
        detail: entry.detail.to_string(),
    };
    let hash = recorded.hash(&as_hash(&head.hash));
    sqlx::query!(
        "insert into audit_entries
             (seq, at, kind, actor, actor_id, subject_id, session_id, request_id, rule, detail, previous, hash)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
        recorded.seq,
        to_db(recorded.at),
        recorded.kind,
        recorded.actor,
        recorded.actor_id,
        recorded.subject_id,
        recorded.session_id,
        recorded.request_id,
        recorded.rule,
        recorded.detail,
        &head.hash,
        &hash[..],
    )
    .execute(&mut *db)
    .await?;
    sqlx::query!("update audit_head set seq = $1, hash = $2", recorded.seq, &hash[..])
        .execute(db)
        .await?;
    Ok(())
}

/// Walks along the whole chain.
///
/// # Errors
/// When the database does not answer.
pub async fn verify(db: &PgPool) -> Result<Verdict, StoreError> {
    // One snapshot: entries may be added meanwhile.
    let mut transaction = db.begin().await?;
    sqlx::query!("set transaction isolation level repeatable read, read only")
        .execute(&mut *transaction)
        .await?;
    let head =
        sqlx::query!("select seq, hash from audit_head").fetch_one(&mut *transaction).await?;
    let (mut seq, mut previous): (i64, Hash) = (0, [0; 32]);
    let mut rows = sqlx::query!(
        "select seq, at, kind, actor, actor_id, subject_id, session_id, request_id, rule, detail, previous, hash
         from audit_entries order by seq"
    )
    .fetch(&mut *transaction);
    while let Some(row) = rows.try_next().await? {
        seq += 1;
        let entry = Recorded {
            seq: row.seq,
            at: from_db(row.at),
            kind: row.kind,
            actor: row.actor,
            actor_id: row.actor_id,
            subject_id: row.subject_id,
            session_id: row.session_id,
            request_id: row.request_id,
            rule: row.rule,
            detail: row.detail,
        };
        let hash = entry.hash(&previous);
        if entry.seq != seq || row.previous != previous || row.hash != hash {
            return Ok(Verdict::Broken { seq });
        }
        previous = hash;
    }
    if head.seq != seq || head.hash != previous {
        return Ok(Verdict::Broken { seq: seq + 1 });
    }
    Ok(Verdict::Whole { entries: seq, head: previous })
}

/// A stored hash; one of another length is none of ours and fits no entry.
fn as_hash(bytes: &[u8]) -> Hash {
    Hash::try_from(bytes).unwrap_or_default()
}
