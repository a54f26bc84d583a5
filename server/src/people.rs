//! What happens to a person as a whole: something is learned of them, or their access ends. Whoever brings
//! the news (a sign-in, userinfo, a webhook, an admin), the rows, the audit trail and the open pages are
//! dealt with here, in the caller's transaction.

use crate::audit::{Cause, Entry};
use crate::store::changes::{self, ChangeKind};
use crate::store::provider_sessions;
use crate::store::sessions::{self, SessionId, Sessions, Swept, TokenHash};
use crate::store::users::{self, Learned};
use crate::store::{StoreError, audit};
use campus::audit::{Actor, AuditKind};
use campus::instant::Instant;
use campus::person::PersonId;
use campus::reason::EndReason;
use campus::role::Roles;
use serde_json::json;
use sqlx::{PgConnection, PgPool};
use std::collections::HashMap;

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
    let before = users::lock(db, learned.identity).await?;
    let person = users::merge(db, learned, now).await?;
    let Some(before) = before else { return Ok(Learnt { person, roles_changed: false }) };
    let (before, after) = (before.roles, users::roles(db, person).await?);
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
    let session = if let Sessions::One(id) = which { Some(id) } else { None };
    told_and_written(db, person, &ended, session, reason, kind, cause, now).await?;
    Ok(ended.len() as u64)
}

/// A person signs out of this browser: the session ends, its tokens are deleted, the pages that are open
/// in it are told, and it is written down. Returns which session it was, if it was live.
///
/// # Errors
/// When the database does not answer.
pub async fn sign_out(
    db: &mut PgConnection,
    token_hash: &TokenHash,
    request_id: Option<String>,
    now: Instant,
) -> Result<Option<SessionId>, StoreError> {
    let reason = EndReason::SignedOut;
    let Some((session, person)) = sessions::end(db, token_hash, reason, now).await? else {
        return Ok(None);
    };
    let cause = Cause { actor: Actor::Person(person), request_id, rule: "sign-out" };
    let kind = AuditKind::SessionsEnded;
    told_and_written(db, person, &[session], Some(session), reason, kind, &cause, now).await?;
    Ok(Some(session))
}

/// A session at the provider ended: the sessions here that came of it end too, also those about to be
/// stored by a sign-in under way, and those of `subject` only if one is named. Returns how many were live.
///
/// # Errors
/// When the database does not answer.
pub async fn end_provider_session(
    db: &mut PgConnection,
    issuer: &str,
    sid: &str,
    subject: Option<&str>,
    cause: &Cause,
    now: Instant,
) -> Result<u64, StoreError> {
    let reason = EndReason::SignedOutAtProvider;
    provider_sessions::end(db, issuer, sid, now).await?;
    let ended = sessions::end_by_sid(db, issuer, sid, subject, reason, now).await?;
    let mut by_person: HashMap<PersonId, Vec<SessionId>> = HashMap::new();
    for (session, person) in &ended {
        by_person.entry(*person).or_default().push(*session);
    }
    for (person, sessions) in by_person {
        let only = if let [only] = sessions[..] { Some(only) } else { None };
        let kind = AuditKind::SessionsEnded;
        told_and_written(db, person, &sessions, only, reason, kind, cause, now).await?;
    }
    Ok(ended.len() as u64)
}

/// Tells the open pages of sessions that ended, and writes it down; `session` is the one the entry names.
async fn told_and_written(
    db: &mut PgConnection,
    person: PersonId,
    ended: &[SessionId],
    session: Option<SessionId>,
    reason: EndReason,
    kind: AuditKind,
    cause: &Cause,
    now: Instant,
) -> Result<(), StoreError> {
    for session in ended {
        changes::record(db, person, Some(*session), ChangeKind::Ended, now).await?;
    }
    let detail = json!({ "reason": reason.as_str(), "sessions": ended.len() });
    let entry = Entry { kind, cause, subject: Some(person), session, detail };
    audit::append(db, &entry, now).await
}

/// Ends sessions past their limits, in one transaction with an entry that says how many, and forgets those
/// that ended long ago.
///
/// # Errors
/// When the database does not answer.
pub async fn sweep(
    db: &PgPool,
    idle_since: Instant,
    forget_before: Instant,
    now: Instant,
) -> Result<Swept, StoreError> {
    let mut transaction = db.begin().await?;
    let swept = sessions::sweep(&mut transaction, now, idle_since, forget_before).await?;
    if swept.idle + swept.expired > 0 {
        let cause = Cause { actor: Actor::Server, request_id: None, rule: "session limits" };
        let kind = AuditKind::SessionsEnded;
        let detail = json!({ "idle": swept.idle, "expired": swept.expired });
        let entry = Entry { kind, cause: &cause, subject: None, session: None, detail };
        audit::append(&mut transaction, &entry, now).await?;
    }
    transaction.commit().await?;
    Ok(swept)
}
