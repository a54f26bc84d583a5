//! What happens to a person as a whole: something is learned of them, or their access ends. Whoever brings
//! the news (a sign-in, userinfo, a webhook, an admin), the rows, the audit trail and the open pages are
//! dealt with here, in the caller's transaction.

use crate::audit::{Cause, Entry};
use crate::store::changes::{self, ChangeKind};
use crate::store::sessions::{self, Sessions};
use crate::store::users::{self, Learned};
use crate::store::{StoreError, audit};
use campus::audit::AuditKind;
use campus::instant::Instant;
use campus::person::PersonId;
use campus::reason::EndReason;
use campus::role::Roles;
use serde_json::json;
use sqlx::PgConnection;

/// What came of learning something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Learnt {
    /// Whose row it is.
    pub person: PersonId,
    /// Whether their roles are others than before. A person who is new has none before.
    pub roles_changed: bool,
}

/// Merges what was learned into the person's row. A change of roles is audited with before and after, and
/// open pages of the person are told.
///
/// # Errors
/// When the database does not answer.
pub async fn learn(
    db: &mut PgConnection,
    learned: &Learned<'_>,
    cause: &Cause,
    now: Instant,
) -> Result<Learnt, StoreError> {
    let before = users::lock_roles(db, learned.identity).await?;
    let person = users::merge(db, learned, now).await?;
    let Some(before) = before else { return Ok(Learnt { person, roles_changed: false }) };
    let after = users::roles(db, person).await?;
    let roles_changed = before != after;
    if roles_changed {
        changes::record(db, person, None, ChangeKind::Roles, now).await?;
        let detail = json!({
            "before": as_json(&before),
            "after": as_json(&after),
            "source": learned.source.as_str(),
        });
        let kind = AuditKind::RolesChanged;
        let entry = Entry { kind, cause, subject: Some(person), session: None, detail };
        audit::append(db, &entry, now).await?;
    }
    Ok(Learnt { person, roles_changed })
}

fn as_json(roles: &Roles) -> serde_json::Value {
    json!({
        "role": roles.primary.map(|role| role.as_str()),
        "roles": roles.all,
        "custom_roles": roles.custom,
    })
}

/// The person is disconnected: the tokens are deleted, the sessions that began before `since` are ended,
/// and the row says so. Returns how many sessions were live. Doing it twice does no harm.
///
/// # Errors
/// When the database does not answer.
pub async fn disconnect(
    db: &mut PgConnection,
    person: PersonId,
    since: Instant,
    cause: &Cause,
    now: Instant,
) -> Result<u64, StoreError> {
    users::set_disconnected(db, person, since).await?;
    let kind = AuditKind::Disconnected;
    end_sessions(db, person, Sessions::Before(since), EndReason::Disconnected, kind, cause, now)
        .await
}

/// Ends sessions of a person, deletes their tokens, tells their open pages and writes it down. Returns how
/// many were live; if none was, only the boundary moves and nothing is written down.
///
/// # Errors
/// When the database does not answer.
pub async fn end_sessions(
    db: &mut PgConnection,
    person: PersonId,
    which: Sessions,
    reason: EndReason,
    kind: AuditKind,
    cause: &Cause,
    now: Instant,
) -> Result<u64, StoreError> {
    let ended = sessions::end_of_person(db, person, which, reason, now).await?;
    if ended.is_empty() && kind != AuditKind::Disconnected {
        return Ok(0);
    }
    for session in &ended {
        changes::record(db, person, Some(*session), ChangeKind::Ended, now).await?;
    }
    let count = ended.len() as u64;
    let session = if let Sessions::One(id) = which { Some(id) } else { None };
    let detail = json!({ "reason": reason.as_str(), "sessions": count });
    let entry = Entry { kind, cause, subject: Some(person), session, detail };
    audit::append(db, &entry, now).await?;
    Ok(count)
}
