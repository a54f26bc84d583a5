//! The admin area: what a unit admin sees first, the report, and the end of somebody's sessions.

use super::facts::{Manner, accepts_json};
use super::gate::Call;
use super::pages::Rendering;
use super::refusal::Refusal;
use super::respond::see_other;
use crate::app::App;
use crate::clock;
use crate::people;
use crate::store::sessions::Sessions;
use crate::store::{overview, reports, users};
use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse as _, Response};
use campus::audit::AuditKind;
use campus::person::PersonId;
use campus::reason::{EndReason, Reason};
use campus::report::Since;
use campus_app::{AdminPage, Page, ReportsPage};
use http::{HeaderMap, Method};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;
use uuid::Uuid;

/// The query of `/admin`: what an action before has done.
#[derive(Debug, Default, Deserialize)]
pub struct OverviewQuery {
    ended: Option<u32>,
}

/// `GET /admin`
///
/// # Errors
/// When the database does not answer.
pub async fn overview(
    State(app): State<Arc<App>>,
    rendering: Rendering,
    query: Result<Query<OverviewQuery>, QueryRejection>,
) -> Result<Response, Refusal> {
    let now = rendering.now();
    let idle = i64::try_from(app.session_limits.idle().as_secs()).unwrap_or(i64::MAX);
    let overview = overview::read(&app.db, now, now.plus_seconds(-idle)).await?;
    // What an address says beyond that is no reason to refuse the page.
    let ended = query.ok().and_then(|Query(query)| query.ended);
    Ok(rendering.page(Page::Admin(AdminPage { overview, ended })))
}

/// `GET /admin/reports`, the seed's example of a gate by primary role: a page, or JSON for programs.
///
/// # Errors
/// When the database does not answer.
pub async fn reports(
    State(app): State<Arc<App>>,
    rendering: Rendering,
    method: Method,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let as_of = rendering.now();
    let report = reports::read(&app.db, Since::at(as_of)).await?;
    if accepts_json(&headers) && !Manner::of(&method, &headers).document {
        let mut body = json!(report);
        if let Value::Object(fields) = &mut body {
            fields.insert("as_of".to_owned(), json!(as_of.rfc3339()));
        }
        let mut response = Json(body).into_response();
        super::respond::private(&mut response);
        return Ok(response);
    }
    Ok(rendering.page(Page::Reports(ReportsPage { report, as_of })))
}

/// `POST /admin/people/{id}/end-sessions`: ends every session of a person, and tells how many there were.
///
/// # Errors
/// 404 for somebody who is not known, or when the database does not answer.
pub async fn end_sessions(
    State(app): State<Arc<App>>,
    call: Call,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let person = PersonId(Uuid::try_parse(&id).map_err(|_| Reason::NOT_FOUND)?);
    let now = clock::now();
    let mut db = app.db.begin().await.map_err(Refusal::from_database)?;
    if !users::exists(&mut db, person).await? {
        return Err(Reason::NOT_FOUND.into());
    }
    let ended = people::end_sessions(
        &mut db,
        person,
        Sessions::All,
        EndReason::EndedByAdmin,
        AuditKind::AdminAction,
        &call.cause("admin end-sessions"),
        now,
    )
    .await?;
    db.commit().await.map_err(Refusal::from_database)?;
    tracing::info!(ended, "a unit admin ended all sessions of a person");
    if accepts_json(&headers) {
        return Ok(Json(json!({ "ok": true, "ended": ended })).into_response());
    }
    Ok(see_other(&format!("/admin?ended={ended}"), Vec::new()))
}
