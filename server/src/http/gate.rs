//! The gate: whoever asks for something that is not for everybody passes here, once, before the handler
//! runs. A handler that takes a [`Call`] cannot be reached around it.
//!
//! Pages pass by way of the guard, which may also send somebody to the provider; actions and APIs never
//! redirect. Both refuse through [`forbid`], which writes it down.

use super::refusal::Refusal;
use super::request_id::RequestId;
use crate::app::App;
use crate::audit::{Cause, Entry};
use crate::clock;
use crate::freshness;
use crate::session::{Current, Live};
use crate::signin::step_up;
use crate::store::sessions::SessionId;
use crate::store::{StoreError, audit};
use axum::extract::{FromRequestParts, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use campus::access::{Access, Permission, page_of};
use campus::audit::{Actor, AuditKind};
use campus::instant::Instant;
use campus::person::PersonId;
use campus::reason::Reason;
use campus::return_path::ReturnPath;
use campus::viewer::Viewer;
use http::request::Parts;
use http::{Extensions, Method};
use serde_json::json;
use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

/// What a request asks for, as far as gates go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Demand {
    /// Who may do it.
    pub access: Access,
    /// Whether it destroys something: the person must have proven who they are a short while ago.
    pub destructive: bool,
}

/// A request of a signed-in person that passed its gate. Only this module makes one.
#[derive(Clone, Debug)]
pub struct Call {
    live: Arc<Live>,
    request_id: Option<String>,
    path: String,
}

impl Call {
    /// Who is calling.
    #[must_use]
    pub fn viewer(&self) -> &Viewer {
        &self.live.viewer
    }

    /// In which session.
    #[must_use]
    pub fn session(&self) -> SessionId {
        self.live.id
    }

    /// The cause of whatever the call does, for the audit trail.
    #[must_use]
    pub fn cause(&self, rule: &'static str) -> Cause {
        let actor = Actor::Person(self.live.viewer.id());
        Cause { actor, request_id: self.request_id.clone(), rule }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Call {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        parts.extensions.get::<Self>().cloned().ok_or_else(|| {
            tracing::error!(path = parts.uri.path(), "this address is open to everybody: no call");
            Refusal::from(Reason::INTERNAL)
        })
    }
}

/// Longest path that is written down, in characters: an address may end in anything.
const LONGEST_PATH: usize = 200;

/// What a gate looks at.
#[derive(Clone, Debug)]
pub struct Asked {
    live: Option<Arc<Live>>,
    request_id: Option<String>,
    path: String,
    changes: bool,
}

impl Asked {
    /// Gathers it from a request whose session has been found.
    #[must_use]
    pub fn of(method: &Method, path: &str, extensions: &Extensions) -> Self {
        let live = match extensions.get::<Current>() {
            Some(Current::Live(live)) => Some(live.clone()),
            _ => None,
        };
        Self {
            live,
            request_id: extensions.get::<RequestId>().map(|id| id.0.clone()),
            path: path.to_owned(),
            changes: !method.is_safe(),
        }
    }

    /// The call of somebody whom the guard has let through; `None` where nobody is signed in.
    pub(super) fn admitted(self) -> Option<Call> {
        let Self { live, request_id, path, .. } = self;
        live.map(|live| Call { live, request_id, path })
    }
}

/// The middleware of an address that is no page.
///
/// # Errors
/// See [`authorize`].
pub async fn gate(
    State((app, demand)): State<(Arc<App>, Demand)>,
    mut request: Request,
    next: Next,
) -> Result<Response, Refusal> {
    if demand.access != Access::Public {
        let asked = Asked::of(request.method(), request.uri().path(), request.extensions());
        let call = authorize(&app, asked, demand).await?;
        if demand.destructive && step_up::required(&call.live, clock::now(), &app.session_limits) {
            // The action itself is not kept: on the page it began from it is done again, by choice.
            let next = ReturnPath::parse(page_of(request.uri().path()));
            return Ok(step_up::demand(request.method(), request.headers(), &next));
        }
        request.extensions_mut().insert(call);
    }
    Ok(next.run(request).await)
}

/// Lets somebody through, or says why not.
///
/// # Errors
/// Nobody is signed in; the permission is missing; or what the demand asks beyond that is not given.
pub async fn authorize(app: &Arc<App>, asked: Asked, demand: Demand) -> Result<Call, Refusal> {
    let next = ReturnPath::parse(page_of(&asked.path));
    let refuse = |refusal: Refusal| refusal.with_next(next.clone());
    let changes = asked.changes;
    let Some(mut call) = asked.admitted() else { return Err(refuse(Reason::NOT_SIGNED_IN.into())) };
    let Access::Needs(permission) = demand.access else { return Ok(call) };
    if !call.viewer().may(permission) {
        return Err(refuse(forbid(app, &call, permission).await));
    }
    if changes && permission == Permission::RunUnit {
        // What a unit admin changes rests on roles that are zero seconds old (PROTOCOLS.md, "Freshness").
        // Only now: whoever may not do it anyway must not make us ask the provider.
        call.live = freshness::confirm_now(app, &call.live).await.map_err(refuse)?;
        if !call.viewer().may(permission) {
            return Err(refuse(forbid(app, &call, permission).await));
        }
    }
    Ok(call)
}

/// Refuses a signed-in person for want of a permission, and writes it down. The refusal stands whether or
/// not that succeeds.
pub async fn forbid(app: &App, call: &Call, permission: Permission) -> Refusal {
    let person = call.viewer().id();
    let now = clock::now();
    if app.refusals.is_news(person, permission, now)
        && let Err(error) = write_down(app, call, permission, now).await
    {
        tracing::error!(%error, "a refusal could not be written down");
        app.refusals.forget(person, permission);
    }
    tracing::info!(permission = permission.as_str(), "refused for want of a permission");
    Refusal::needs(permission)
}

async fn write_down(
    app: &App,
    call: &Call,
    permission: Permission,
    now: Instant,
) -> Result<(), StoreError> {
    let cause = call.cause(rule(permission));
    let path: String = call.path.chars().take(LONGEST_PATH).collect();
    let detail = json!({ "path": path, "permission": permission.as_str() });
    let entry = Entry {
        kind: AuditKind::AccessRefused,
        cause: &cause,
        subject: Some(call.viewer().id()),
        session: Some(call.session()),
        detail,
    };
    let mut db = app.db.begin().await?;
    audit::append(&mut db, &entry, now).await?;
    Ok(db.commit().await?)
}

const fn rule(permission: Permission) -> &'static str {
    match permission {
        Permission::RunUnit => "gate run_unit",
        Permission::ReadReports => "gate read_reports",
        Permission::WriteNotices => "gate write_notices",
        Permission::ModerateNotices => "gate moderate_notices",
    }
}

/// Whom this process refused in the running minute: one entry of a person, a rule and a minute tells as
/// much as a hundred, and nobody can fill the trail by pressing a key.
#[derive(Debug, Default)]
pub struct Refusals(Mutex<Refused>);

#[derive(Debug, Default)]
struct Refused {
    minute: i64,
    seen: HashSet<(PersonId, Permission)>,
}

impl Refusals {
    /// Whether this is the minute's first of its kind.
    fn is_news(&self, person: PersonId, permission: Permission, now: Instant) -> bool {
        let mut refused = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let minute = now.seconds().div_euclid(60);
        if refused.minute != minute {
            *refused = Refused { minute, seen: HashSet::new() };
        }
        refused.seen.insert((person, permission))
    }

    fn forget(&self, person: PersonId, permission: Permission) {
        let mut refused = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        refused.seen.remove(&(person, permission));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn a_refusal_is_news_once_a_minute_for_each_person_and_rule() {
        let refusals = Refusals::default();
        let (one, other) = (PersonId(Uuid::from_u128(1)), PersonId(Uuid::from_u128(2)));
        let at = Instant::from_seconds(600);
        let (run, read) = (Permission::RunUnit, Permission::ReadReports);
        for (person, permission, seconds, news) in [
            (one, run, 0, true),
            (one, run, 1, false),
            (one, read, 1, true),
            (other, run, 1, true),
            (one, run, 59, false),
            (one, run, 60, true),
            (other, run, 61, true),
            (other, run, 119, false),
        ] {
            let told = refusals.is_news(person, permission, at.plus_seconds(seconds));
            assert_eq!(told, news, "{person:?} {permission:?} after {seconds} s");
        }
        refusals.forget(other, run);
        assert!(refusals.is_news(other, run, at.plus_seconds(119)));
    }

    #[test]
    fn every_permission_has_a_rule_of_its_own_name() {
        for permission in Permission::ALL {
            assert_eq!(rule(*permission), format!("gate {}", permission.as_str()));
        }
    }
}
