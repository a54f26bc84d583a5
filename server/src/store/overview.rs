//! What a unit admin sees first: counts of several tables, who is signed in, and the newest audit entries.

use super::{StoreError, from_db, to_db};
use campus::instant::Instant;
use campus::overview::{AuditLine, Counts, Holder, Overview};
use campus::person::PersonId;
use campus::role::PrimaryRole;
use sqlx::PgPool;

/// Most people who are listed.
const MOST_HOLDERS: i64 = 100;
/// Most audit entries that are listed.
const MOST_ENTRIES: i64 = 20;

/// Reads all of it. A session that was not used since `idle_since` is over, whether or not it was swept.
///
/// # Errors
/// When the database does not answer.
pub async fn read(db: &PgPool, now: Instant, idle_since: Instant) -> Result<Overview, StoreError> {
    Ok(Overview {
        counts: counts(db, now, idle_since).await?,
        holders: holders(db, now, idle_since).await?,
        entries: entries(db).await?,
    })
}

async fn counts(db: &PgPool, now: Instant, idle_since: Instant) -> Result<Counts, StoreError> {
    let row = sqlx::query!(
        r#"
with live as (
    select s.user_id from sessions s join users u on u.id = s.user_id
    where s.ended_at is null and s.expires_at > $1 and s.seen_at > $2
      and (u.revoked_before is null or s.created_at >= u.revoked_before)
)
select (select count(*) from users) as "people!",
       (select count(distinct user_id) from live) as "signed_in!",
       (select count(*) from live) as "sessions!",
       (select count(*) from deliveries where state = 'pending') as "pending!",
       (select count(*) from deliveries where state = 'dead') as "dead!",
       (select coalesce(sum(times), 0)::bigint from refused_deliveries where hour > $3) as "refused!"
"#,
        to_db(now),
        to_db(idle_since),
        to_db(now.plus_seconds(-25 * 3600)),
    )
    .fetch_one(db)
    .await?;
    Ok(Counts {
        people: row.people,
        signed_in: row.signed_in,
        sessions: row.sessions,
        pending_deliveries: row.pending,
        dead_deliveries: row.dead,
        refused_deliveries: row.refused,
    })
}

async fn holders(
    db: &PgPool,
    now: Instant,
    idle_since: Instant,
) -> Result<Vec<Holder>, StoreError> {
    let rows = sqlx::query!(
        r#"
select u.id, coalesce(u.name, u.preferred_username, u.email) as name, u.role,
       count(*) as "sessions!", max(s.seen_at) as "seen!"
from sessions s join users u on u.id = s.user_id
where s.ended_at is null and s.expires_at > $1 and s.seen_at > $2
  and (u.revoked_before is null or s.created_at >= u.revoked_before)
group by u.id
order by max(s.seen_at) desc, u.id
limit $3
"#,
        to_db(now),
        to_db(idle_since),
        MOST_HOLDERS,
    )
    .fetch_all(db)
    .await?;
    let holders = rows.into_iter().map(|row| Holder {
        id: PersonId(row.id),
        name: row.name,
        role: row.role.as_deref().and_then(PrimaryRole::parse),
        sessions: row.sessions,
        seen: from_db(row.seen),
    });
    Ok(holders.collect())
}

async fn entries(db: &PgPool) -> Result<Vec<AuditLine>, StoreError> {
    let rows = sqlx::query!(
        r#"
select e.at, e.kind, e.actor, e.rule,
       coalesce(a.name, a.preferred_username, a.email) as actor_name,
       coalesce(s.name, s.preferred_username, s.email) as subject_name
from audit_entries e
left join users a on a.id = e.actor_id
left join users s on s.id = e.subject_id
order by e.seq desc
limit $1
"#,
        MOST_ENTRIES,
    )
    .fetch_all(db)
    .await?;
    let lines = rows.into_iter().map(|row| AuditLine {
        at: from_db(row.at),
        kind: row.kind,
        actor: row.actor,
        actor_name: row.actor_name,
        subject_name: row.subject_name,
        rule: row.rule,
    });
    Ok(lines.collect())
}
