//! Leaving: `POST /auth/logout`, the signed-out page, and `GET /auth/me`, which says whether somebody is
//! still there.

use crate::app::App;
use crate::clock;
use crate::http::cookies::{self, Cookies};
use crate::http::facts::accepts_json;
use crate::http::pages::Rendering;
use crate::http::refusal::Refusal;
use crate::http::respond::{add_cookies, see_other};
use crate::session::{Current, token};
use crate::store::sessions;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::{Extension, Json};
use campus::reason::EndReason;
use campus_app::{Page, SignedOutPage};
use serde_json::json;
use std::sync::Arc;

/// The page after a sign-out.
pub const SIGNED_OUT_PATH: &str = "/auth/signed-out";

/// Ends the session here. Nobody is signed in silently after this until they click to sign in.
///
/// # Errors
/// When the database does not answer: the person must know that they are still signed in.
pub async fn logout(State(app): State<Arc<App>>, headers: HeaderMap) -> Result<Response, Refusal> {
    let cookies = Cookies::read(&headers, app.cookies);
    if let Some(token_hash) = cookies.get(cookies::SESSION).and_then(token::hash) {
        let mut db = app.db.acquire().await.map_err(Refusal::from_database)?;
        let ended = sessions::end(&mut db, &token_hash, EndReason::SignedOut, clock::now()).await?;
        tracing::info!(ended = ended.is_some(), "signed out");
    }
    let reason = EndReason::SignedOut.as_str();
    let set = vec![
        app.cookies.remove(cookies::SESSION),
        app.cookies.set(cookies::SIGNED_OUT, reason, cookies::SIGNED_OUT_SECONDS),
    ];
    if accepts_json(&headers) {
        let mut response = Json(json!({ "ok": true })).into_response();
        add_cookies(&mut response, set);
        return Ok(response);
    }
    Ok(see_other(SIGNED_OUT_PATH, set))
}

/// The signed-out page; somebody who is signed in has no business there.
pub async fn signed_out(
    Extension(current): Extension<Current>,
    rendering: Rendering,
    headers: HeaderMap,
    State(app): State<Arc<App>>,
) -> Response {
    if current.live().is_some() {
        return see_other("/", Vec::new());
    }
    let cookies = Cookies::read(&headers, app.cookies);
    let reason = cookies.get(cookies::SIGNED_OUT).and_then(EndReason::parse);
    rendering.page(Page::SignedOut(SignedOutPage { reason, provider_sign_out: false }))
}

/// The viewer as JSON, in the seed's words.
pub async fn me(Extension(current): Extension<Current>) -> Response {
    let Some(live) = current.live() else {
        let body = Json(json!({ "error": "Not signed in" }));
        return (StatusCode::UNAUTHORIZED, body).into_response();
    };
    let person = &live.viewer.person;
    let roles = live.viewer.roles();
    let profile = person.profile.as_ref().map(|facts| &facts.value);
    let academic = person.academic.as_ref().map(|facts| &facts.value);
    Json(json!({
        "sub": person.subject,
        "email": profile.and_then(|profile| profile.email.as_deref()),
        "name": profile.and_then(|profile| profile.name.as_deref()),
        "role": roles.primary.map(|role| role.as_str()),
        "roles": roles.all,
        "custom_roles": roles.custom,
        "student_id": academic.and_then(|academic| academic.student_id.as_deref()),
    }))
    .into_response()
}
