//! The users table: people as the provider describes them, merged by freshness.

use super::{StoreError, from_db, to_db};
use campus::claims::Claims;
use campus::instant::Instant;
use campus::person::{Academic, Facts, Identity, Person, PersonId, Profile, Source};
use campus::role::{PrimaryRole, Roles};
use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

/// What was learned of a person at one moment.
#[derive(Clone, Debug)]
pub struct Learned<'a> {
    /// Who it is.
    pub identity: &'a Identity,
    /// What was said.
    pub claims: &'a Claims,
    /// When it was true.
    pub as_of: Instant,
    /// Who said it.
    pub source: Source,
}

/// Writes what was learned into the person's row, which is made if there is none. Group by group, an
/// older fact never overwrites a newer one (PROTOCOLS.md, "Freshness"); a group of which nothing was said
/// stays as it is.
///
/// # Errors
/// When the database does not answer.
pub async fn merge(
    db: &mut PgConnection,
    learned: &Learned<'_>,
    now: Instant,
) -> Result<PersonId, StoreError> {
    let Learned { identity, claims, as_of, source } = learned;
    let (profile, roles) = (claims.profile.as_ref(), claims.roles.as_ref());
    let academic = claims.academic.as_ref();
    let stamp = |said: bool| said.then(|| to_db(*as_of));
    let from = |said: bool| said.then(|| source.as_str());
    let id = sqlx::query_scalar!(
        r#"
insert into users as held (
    id, provider, issuer, subject,
    name, given_name, family_name, preferred_username,
    email, email_verified, picture, phone_number, profile_as_of, profile_source,
    role, roles, custom_roles, roles_as_of, roles_source,
    student_id, study_level, level, final_year,
    faculty_id, department_id, academic_session, semester, academic_as_of, academic_source,
    created_at, signed_in_at
)
values (
    $1, $2, $3, $4,
    $5, $6, $7, $8, $9, $10, $11, $12, $13, $14,
    $15, $16, $17, $18, $19,
    $20, $21, $22, $23, $24, $25, $26, $27, $28, $29,
    $30, $30
)
on conflict on constraint users_identity_key do update set
    (name, given_name, family_name, preferred_username,
     email, email_verified, picture, phone_number, profile_as_of, profile_source) = (
        select (n).name, (n).given_name, (n).family_name, (n).preferred_username,
               (n).email, (n).email_verified, (n).picture, (n).phone_number, (n).profile_as_of, (n).profile_source
        from (select case when excluded.profile_as_of is null or held.profile_as_of > excluded.profile_as_of
                          then held else excluded end as n) as newer),
    (role, roles, custom_roles, roles_as_of, roles_source) = (
        select (n).role, (n).roles, (n).custom_roles, (n).roles_as_of, (n).roles_source
        from (select case when excluded.roles_as_of is null or held.roles_as_of > excluded.roles_as_of
                          then held else excluded end as n) as newer),
    (student_id, study_level, level, final_year,
     faculty_id, department_id, academic_session, semester, academic_as_of, academic_source) = (
        select (n).student_id, (n).study_level, (n).level, (n).final_year,
               (n).faculty_id, (n).department_id, (n).academic_session, (n).semester, (n).academic_as_of, (n).academic_source
        from (select case when excluded.academic_as_of is null or held.academic_as_of > excluded.academic_as_of
                          then held else excluded end as n) as newer)
returning id
"#,
        Uuid::now_v7(),
        identity.provider,
        identity.issuer,
        identity.subject,
        profile.and_then(|p| p.name.as_deref()),
        profile.and_then(|p| p.given_name.as_deref()),
        profile.and_then(|p| p.family_name.as_deref()),
        profile.and_then(|p| p.preferred_username.as_deref()),
        profile.and_then(|p| p.email.as_deref()),
        profile.and_then(|p| p.email_verified),
        profile.and_then(|p| p.picture.as_deref()),
        profile.and_then(|p| p.phone_number.as_deref()),
        stamp(profile.is_some()),
        from(profile.is_some()),
        roles.and_then(|r| r.primary).map(PrimaryRole::as_str),
        roles.map_or(&[][..], |r| &r.all),
        roles.map_or(&[][..], |r| &r.custom),
        stamp(roles.is_some()),
        from(roles.is_some()),
        academic.and_then(|a| a.student_id.as_deref()),
        academic.and_then(|a| a.study_level.as_deref()),
        academic.and_then(|a| a.level),
        academic.and_then(|a| a.final_year),
        academic.and_then(|a| a.faculty_id.as_deref()),
        academic.and_then(|a| a.department_id.as_deref()),
        academic.and_then(|a| a.academic_session.as_deref()),
        academic.and_then(|a| a.semester.as_deref()),
        stamp(academic.is_some()),
        from(academic.is_some()),
        to_db(now),
    )
    .fetch_one(db)
    .await?;
    Ok(PersonId(id))
}

/// What is known of a person whose row is locked until the transaction ends.
#[derive(Clone, Debug)]
pub struct Known {
    /// Whose row it is.
    pub person: PersonId,
    /// Their roles.
    pub roles: Roles,
    /// When these were true; `None` if nothing was ever said of them.
    pub roles_as_of: Option<Instant>,
}

/// A person who is known, whose row stays locked until the transaction ends.
///
/// # Errors
/// When the database does not answer.
pub async fn lock(db: &mut PgConnection, identity: &Identity) -> Result<Option<Known>, StoreError> {
    let row = sqlx::query!(
        "select id, role, roles, custom_roles, roles_as_of from users
         where provider = $1 and issuer = $2 and subject = $3 for update",
        identity.provider,
        identity.issuer,
        identity.subject,
    )
    .fetch_optional(db)
    .await?;
    Ok(row.map(|row| Known {
        person: PersonId(row.id),
        roles: as_roles(row.role, row.roles, row.custom_roles),
        roles_as_of: row.roles_as_of.map(from_db),
    }))
}

/// Marks a person's roles as stale: they are read anew on the next request.
///
/// # Errors
/// When the database does not answer.
pub async fn mark_roles_stale(db: &mut PgConnection, person: PersonId) -> Result<(), StoreError> {
    sqlx::query!("update users set roles_stale = true where id = $1", person.0).execute(db).await?;
    Ok(())
}

/// The roles of a person.
///
/// # Errors
/// When the database does not answer.
pub async fn roles(db: &mut PgConnection, person: PersonId) -> Result<Roles, StoreError> {
    let row = sqlx::query!("select role, roles, custom_roles from users where id = $1", person.0)
        .fetch_one(db)
        .await?;
    Ok(as_roles(row.role, row.roles, row.custom_roles))
}

/// Whether there is such a person.
///
/// # Errors
/// When the database does not answer.
pub async fn exists(db: &mut PgConnection, person: PersonId) -> Result<bool, StoreError> {
    let found = sqlx::query_scalar!("select 1 from users where id = $1", person.0);
    Ok(found.fetch_optional(db).await?.is_some())
}

/// Marks a person as disconnected since an instant; an earlier mark stands, and so does a later sign-in.
///
/// # Errors
/// When the database does not answer.
pub async fn set_disconnected(
    db: &mut PgConnection,
    person: PersonId,
    since: Instant,
) -> Result<(), StoreError> {
    sqlx::query!(
        "update users set disconnected_at = coalesce(disconnected_at, $2)
         where id = $1 and signed_in_at <= $2",
        person.0,
        to_db(since),
    )
    .execute(db)
    .await?;
    Ok(())
}

/// A sign-in: the provider, asked at this instant, confirmed the person. What came later stands: a
/// disconnection, and roles that a webhook called stale.
///
/// # Errors
/// When the database does not answer.
pub async fn confirm(
    db: &mut PgConnection,
    person: PersonId,
    asked: Instant,
) -> Result<(), StoreError> {
    sqlx::query!(
        "update users
         set signed_in_at = greatest(signed_in_at, $2),
             checked_at = greatest(checked_at, $2), check_claimed_until = null, stale_since = null,
             disconnected_at = case when disconnected_at > $2 then disconnected_at end
         where id = $1",
        person.0,
        to_db(asked),
    )
    .execute(db)
    .await?;
    Ok(())
}

fn as_roles(role: Option<String>, roles: Vec<String>, custom_roles: Vec<String>) -> Roles {
    let primary = role.as_deref().and_then(PrimaryRole::parse);
    Roles { primary, all: roles, custom: custom_roles }
}

/// A person's columns, as they come out of any query that joins `users`.
pub(super) struct UserRow {
    pub id: Uuid,
    pub subject: String,
    pub name: Option<String>,
    pub given_name: Option<String>,
    pub family_name: Option<String>,
    pub preferred_username: Option<String>,
    pub email: Option<String>,
    pub email_verified: Option<bool>,
    pub picture: Option<String>,
    pub phone_number: Option<String>,
    pub profile_as_of: Option<OffsetDateTime>,
    pub profile_source: Option<String>,
    pub role: Option<String>,
    pub roles: Vec<String>,
    pub custom_roles: Vec<String>,
    pub roles_as_of: Option<OffsetDateTime>,
    pub roles_source: Option<String>,
    pub student_id: Option<String>,
    pub study_level: Option<String>,
    pub level: Option<i32>,
    pub final_year: Option<bool>,
    pub faculty_id: Option<String>,
    pub department_id: Option<String>,
    pub academic_session: Option<String>,
    pub semester: Option<String>,
    pub academic_as_of: Option<OffsetDateTime>,
    pub academic_source: Option<String>,
}

impl From<UserRow> for Person {
    fn from(row: UserRow) -> Self {
        Self {
            id: PersonId(row.id),
            subject: row.subject,
            profile: facts(
                Profile {
                    name: row.name,
                    given_name: row.given_name,
                    family_name: row.family_name,
                    preferred_username: row.preferred_username,
                    email: row.email,
                    email_verified: row.email_verified,
                    picture: row.picture,
                    phone_number: row.phone_number,
                },
                row.profile_as_of,
                row.profile_source,
            ),
            roles: facts(
                as_roles(row.role, row.roles, row.custom_roles),
                row.roles_as_of,
                row.roles_source,
            ),
            academic: facts(
                Academic {
                    student_id: row.student_id,
                    study_level: row.study_level,
                    level: row.level,
                    final_year: row.final_year,
                    faculty_id: row.faculty_id,
                    department_id: row.department_id,
                    academic_session: row.academic_session,
                    semester: row.semester,
                },
                row.academic_as_of,
                row.academic_source,
            ),
        }
    }
}

/// A group of which nothing was ever said has no instant and is no group.
fn facts<T>(value: T, as_of: Option<OffsetDateTime>, source: Option<String>) -> Option<Facts<T>> {
    let source = Source::parse(source?.as_str())?;
    Some(Facts { value, as_of: from_db(as_of?), source })
}
