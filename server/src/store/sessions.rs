//! The sessions table. Rows are made by a sign-in, moved forward only while they live, and kept for a
//! while after their end with its reason.
//!
//! No query here can turn an ended session into a live one: every write is an update that asks for
//! `ended_at is null` and for a session younger than the person's `revoked_before`.

use super::checks::Checks;
use super::users::UserRow;
use super::{StoreError, from_db, to_db};
use campus::instant::Instant;
use campus::person::{Person, PersonId};
use campus::reason::EndReason;
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

/// The handle of a session: safe to show and to log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SessionId(pub Uuid);

/// SHA-256 of a session cookie's value.
pub type TokenHash = [u8; 32];

/// When a person last proved to the provider who they are, as far as is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Authentication {
    /// When; `None` if nothing is known of it.
    pub at: Option<Instant>,
    /// Whether the provider itself said so (`auth_time`), or only this app's own clock.
    pub proven: bool,
}

/// A new session, about to be stored.
#[derive(Clone, Debug)]
pub struct NewSession<'a> {
    /// SHA-256 of the cookie's value.
    pub token_hash: TokenHash,
    /// Whose it is.
    pub person: PersonId,
    /// The provider's session id.
    pub sid: Option<&'a str>,
    /// The browser's own description.
    pub user_agent: Option<&'a str>,
    /// When the person proved who they are.
    pub authentication: Authentication,
    /// When it begins.
    pub now: Instant,
    /// When it ends at the latest.
    pub expires: Instant,
}

/// A stored session with the person it belongs to, in one row.
#[derive(Clone, Debug)]
pub struct Stored {
    /// Its handle.
    pub id: SessionId,
    /// When it began.
    pub created: Instant,
    /// When it was last used, to the minute.
    pub seen: Instant,
    /// When it ends at the latest.
    pub expires: Instant,
    /// Why it ended, if it did.
    pub ended: Option<EndReason>,
    /// Whether the person's sessions of its age were revoked together.
    pub revoked: bool,
    /// When the person proved who they are.
    pub authentication: Authentication,
    /// When the provider confirmed the person.
    pub checks: Checks,
    /// Whose it is.
    pub person: Person,
}

/// Stores a new session.
///
/// # Errors
/// When the database does not answer.
pub async fn create(
    db: &mut PgConnection,
    session: &NewSession<'_>,
) -> Result<SessionId, StoreError> {
    let id = Uuid::now_v7();
    sqlx::query!(
        "insert into sessions (id, token_hash, user_id, sid, user_agent, created_at, seen_at, expires_at,
                               authenticated_at, auth_proven)
         values ($1, $2, $3, $4, $5, $6, $6, $7, $8, $9)",
        id,
        &session.token_hash[..],
        session.person.0,
        session.sid,
        session.user_agent,
        to_db(session.now),
        to_db(session.expires),
        session.authentication.at.map(to_db),
        session.authentication.proven,
    )
    .execute(db)
    .await?;
    Ok(SessionId(id))
}

/// Finds a session and its person, live or not, by one indexed query.
///
/// # Errors
/// When the database does not answer.
pub async fn find(db: &PgPool, token_hash: &TokenHash) -> Result<Option<Stored>, StoreError> {
    let row = sqlx::query!(
        r#"
select s.id as session_id, s.created_at, s.seen_at, s.expires_at, s.end_reason,
       s.authenticated_at, s.auth_proven,
       coalesce(s.created_at < u.revoked_before, false) as "revoked!",
       u.checked_at, u.check_claimed_until, u.stale_since, u.roles_stale,
       u.id, u.subject,
       u.name, u.given_name, u.family_name, u.preferred_username,
       u.email, u.email_verified, u.picture, u.phone_number, u.profile_as_of, u.profile_source,
       u.role, u.roles, u.custom_roles, u.roles_as_of, u.roles_source,
       u.student_id, u.study_level, u.level, u.final_year,
       u.faculty_id, u.department_id, u.academic_session, u.semester, u.academic_as_of, u.academic_source
from sessions s join users u on u.id = s.user_id
where s.token_hash = $1
"#,
        &token_hash[..],
    )
    .fetch_optional(db)
    .await?;
    Ok(row.map(|row| Stored {
        id: SessionId(row.session_id),
        created: from_db(row.created_at),
        seen: from_db(row.seen_at),
        expires: from_db(row.expires_at),
        ended: row.end_reason.as_deref().and_then(EndReason::parse),
        revoked: row.revoked,
        authentication: Authentication {
            at: row.authenticated_at.map(from_db),
            proven: row.auth_proven,
        },
        checks: Checks {
            checked: row.checked_at.map(from_db),
            claimed_until: row.check_claimed_until.map(from_db),
            stale_since: row.stale_since.map(from_db),
            roles_stale: row.roles_stale,
        },
        person: Person::from(UserRow {
            id: row.id,
            subject: row.subject,
            name: row.name,
            given_name: row.given_name,
            family_name: row.family_name,
            preferred_username: row.preferred_username,
            email: row.email,
            email_verified: row.email_verified,
            picture: row.picture,
            phone_number: row.phone_number,
            profile_as_of: row.profile_as_of,
            profile_source: row.profile_source,
            role: row.role,
            roles: row.roles,
            custom_roles: row.custom_roles,
            roles_as_of: row.roles_as_of,
            roles_source: row.roles_source,
            student_id: row.student_id,
            study_level: row.study_level,
            level: row.level,
            final_year: row.final_year,
            faculty_id: row.faculty_id,
            department_id: row.department_id,
            academic_session: row.academic_session,
            semester: row.semester,
            academic_as_of: row.academic_as_of,
            academic_source: row.academic_source,
        }),
    }))
}

/// Moves a live session's last use forward. Returns whether it was live: an ended or revoked session
/// is not touched, so a request that was under way when it ended cannot bring it back.
///
/// # Errors
/// When the database does not answer.
pub async fn touch(db: &PgPool, id: SessionId, now: Instant) -> Result<bool, StoreError> {
    let touched = sqlx::query!(
        "update sessions s set seen_at = greatest(s.seen_at, $2)
         from users u
         where s.id = $1 and s.ended_at is null and u.id = s.user_id
           and (u.revoked_before is null or s.created_at >= u.revoked_before)",
        id.0,
        to_db(now),
    )
    .execute(db)
    .await?;
    Ok(touched.rows_affected() == 1)
}

/// Ends a live session and deletes its tokens; one that has ended keeps its first reason. Returns whose
/// it was, if it was live.
///
/// # Errors
/// When the database does not answer.
pub async fn end(
    db: &mut PgConnection,
    token_hash: &TokenHash,
    reason: EndReason,
    now: Instant,
) -> Result<Option<(SessionId, PersonId)>, StoreError> {
    let ended = sqlx::query!(
        "with ended as (
             update sessions set ended_at = $3, end_reason = $2
             where token_hash = $1 and ended_at is null returning id, user_id
         ), forgotten as (
             delete from session_tokens t using ended where t.session_id = ended.id
         )
         select id, user_id from ended",
        &token_hash[..],
        reason.as_str(),
        to_db(now),
    )
    .fetch_optional(db)
    .await?;
    Ok(ended.map(|row| (SessionId(row.id), PersonId(row.user_id))))
}

/// Ends the live sessions here that belong to one session at the provider, of this subject if one is
/// named, and deletes their tokens. Returns which were live, and whose.
///
/// # Errors
/// When the database does not answer.
pub async fn end_by_sid(
    db: &mut PgConnection,
    issuer: &str,
    sid: &str,
    subject: Option<&str>,
    reason: EndReason,
    now: Instant,
) -> Result<Vec<(SessionId, PersonId)>, StoreError> {
    let ended = sqlx::query!(
        "with ended as (
             update sessions s set ended_at = $5, end_reason = $4
             from users u
             where s.sid = $2 and s.ended_at is null and u.id = s.user_id and u.issuer = $1
               and ($3::text is null or u.subject = $3)
             returning s.id, s.user_id
         ), forgotten as (
             delete from session_tokens t using ended where t.session_id = ended.id
         )
         select id, user_id from ended",
        issuer,
        sid,
        subject,
        reason.as_str(),
        to_db(now),
    )
    .fetch_all(db)
    .await?;
    Ok(ended.into_iter().map(|row| (SessionId(row.id), PersonId(row.user_id))).collect())
}

/// Which sessions of a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sessions {
    /// All, those about to be stored by a sign-in under way included.
    All,
    /// Those that began before this instant, stored or about to be.
    Before(Instant),
    /// This one.
    One(SessionId),
    /// All but this one.
    Except(SessionId),
}

/// Ends live sessions of a person, deletes their tokens and returns which were live.
///
/// # Errors
/// When the database does not answer.
pub async fn end_of_person(
    db: &mut PgConnection,
    person: PersonId,
    which: Sessions,
    reason: EndReason,
    now: Instant,
) -> Result<Vec<SessionId>, StoreError> {
    let boundary = match which {
        Sessions::All => Some(now),
        Sessions::Before(since) => Some(since),
        Sessions::One(_) | Sessions::Except(_) => None,
    };
    if let Some(boundary) = boundary {
        sqlx::query!(
            "update users set revoked_before = greatest(revoked_before, $2) where id = $1",
            person.0,
            to_db(boundary),
        )
        .execute(&mut *db)
        .await?;
    }
    let before = if let Sessions::Before(since) = which { Some(to_db(since)) } else { None };
    let one = if let Sessions::One(id) = which { Some(id.0) } else { None };
    let except = if let Sessions::Except(id) = which { Some(id.0) } else { None };
    let ended = sqlx::query_scalar!(
        "with ended as (
             update sessions set ended_at = $3, end_reason = $2
             where user_id = $1 and ended_at is null
               and ($4::timestamptz is null or created_at < $4)
               and ($5::uuid is null or id = $5)
               and ($6::uuid is null or id <> $6)
             returning id
         ), forgotten as (
             delete from session_tokens t using ended where t.session_id = ended.id
         )
         select id from ended",
        person.0,
        reason.as_str(),
        to_db(now),
        before,
        one,
        except,
    )
    .fetch_all(&mut *db)
    .await?;
    Ok(ended.into_iter().map(SessionId).collect())
}

/// What a sweep did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Sessions that were found unused for too long and were ended.
    pub idle: i64,
    /// Sessions that were found too old and were ended.
    pub expired: i64,
    /// Ended sessions whose reason has been kept long enough.
    pub removed: u64,
}

/// Ends sessions past their limits and removes those that ended before `forget_before`.
///
/// # Errors
/// When the database does not answer.
pub async fn sweep(
    db: &mut PgConnection,
    now: Instant,
    idle_since: Instant,
    forget_before: Instant,
) -> Result<Swept, StoreError> {
    let ended = sqlx::query!(
        r#"with ended as (
             update sessions
             set ended_at = $1, end_reason = case when expires_at <= $1 then 'expired' else 'idle' end
             where ended_at is null and (expires_at <= $1 or seen_at <= $2) returning id, end_reason
         ), forgotten as (
             delete from session_tokens t using ended where t.session_id = ended.id
         )
         select count(*) filter (where end_reason = 'idle') as "idle!",
                count(*) filter (where end_reason = 'expired') as "expired!"
         from ended"#,
        to_db(now),
        to_db(idle_since),
    )
    .fetch_one(&mut *db)
    .await?;
    let removed = sqlx::query!("delete from sessions where ended_at <= $1", to_db(forget_before))
        .execute(db)
        .await?;
    Ok(Swept { idle: ended.idle, expired: ended.expired, removed: removed.rows_affected() })
}
