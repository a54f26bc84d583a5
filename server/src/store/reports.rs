//! What the users table says of all people together. Figures only.

use super::{StoreError, to_db};
use campus::report::{Count, Report, Since};
use sqlx::PgPool;

/// The figures, all of one moment, so that they add up.
///
/// # Errors
/// When the database does not answer.
pub async fn read(db: &PgPool, since: Since) -> Result<Report, StoreError> {
    let mut transaction = db.begin().await?;
    sqlx::query!("set transaction isolation level repeatable read, read only")
        .execute(&mut *transaction)
        .await?;
    let totals = sqlx::query!(
        r#"
select count(*) as "people!",
       count(*) filter (where academic_as_of is not null) as "students!",
       count(*) filter (where academic_as_of is not null and final_year) as "final_year!",
       count(*) filter (where signed_in_at >= $1) as "today!",
       count(*) filter (where signed_in_at >= $2) as "week!",
       count(*) filter (where signed_in_at >= $3) as "month!",
       count(*) filter (where stale_since is not null or roles_stale) as "stale!",
       count(*) filter (where disconnected_at is not null) as "disconnected!"
from users
"#,
        to_db(since.today),
        to_db(since.week),
        to_db(since.month),
    )
    .fetch_one(&mut *transaction)
    .await?;
    let roles = sqlx::query_as!(
        Count,
        r#"select role as name, count(*) as "people!" from users group by role
           order by count(*) desc, role"#
    )
    .fetch_all(&mut *transaction)
    .await?;
    let custom_roles = sqlx::query_as!(
        Count,
        r#"select held as name, count(*) as "people!"
           from (select distinct id, unnest(custom_roles) as held from users) as holders
           group by held order by count(*) desc, held"#
    )
    .fetch_all(&mut *transaction)
    .await?;
    let faculties = sqlx::query_as!(
        Count,
        r#"select faculty_id as name, count(*) as "people!" from users
           where academic_as_of is not null group by faculty_id
           order by count(*) desc, faculty_id"#
    )
    .fetch_all(&mut *transaction)
    .await?;
    let levels = sqlx::query_as!(
        Count,
        r#"select level::text as name, count(*) as "people!" from users
           where academic_as_of is not null group by level order by level"#
    )
    .fetch_all(&mut *transaction)
    .await?;
    transaction.commit().await?;
    Ok(Report {
        people: totals.people,
        roles,
        custom_roles,
        students: totals.students,
        faculties,
        levels,
        final_year: totals.final_year,
        signed_in_today: totals.today,
        signed_in_7_days: totals.week,
        signed_in_30_days: totals.month,
        stale: totals.stale,
        disconnected: totals.disconnected,
    })
}
