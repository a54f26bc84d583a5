//! Leaving: `POST /auth/logout`, the same with Campus One too, the signed-out page, and `GET /auth/me`,
//! which says whether somebody is still there.

use super::leave_provider::{self, HeldTokens, at_provider, depart, held_tokens, revoke_later};
use crate::app::App;
use crate::clock;
use crate::http::cookies::{self, Cookies};
use crate::http::facts::accepts_json;
use crate::http::pages::Rendering;
use crate::http::refusal::Refusal;
use crate::http::request_id::RequestId;
use crate::http::respond::{add_cookies, see_other};
use crate::people;
use crate::session::{Current, token};
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::{Extension, Json};
use campus::reason::EndReason;
use campus_app::{Page, SignedOutPage};
use serde::Deserialize;
use serde_json::json;
use std::sync::Arc;

/// The page after a sign-out, which is also where the provider sends people back to after its own.
pub const SIGNED_OUT_PATH: &str = "/auth/signed-out";

/// Ends the session here. Nobody is signed in silently after this until they click to sign in.
///
/// # Errors
/// When the database does not answer: the person must know that they are still signed in.
pub async fn logout(
    State(app): State<Arc<App>>,
    Extension(current): Extension<Current>,
    Extension(request_id): Extension<RequestId>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    end_here(&app, &current, request_id, &headers).await?;
    let mut set = marks(&app);
    set.push(app.cookies.remove(cookies::LEAVING));
    if accepts_json(&headers) {
        let mut response = Json(json!({ "ok": true })).into_response();
        add_cookies(&mut response, set);
        return Ok(response);
    }
    Ok(see_other(SIGNED_OUT_PATH, set))
}

/// Ends the session here and then sends the person to Campus One's own sign-out (OpenID Connect
/// RP-Initiated Logout 1.0). Where Campus One cannot be asked, the signed-out page says so.
///
/// # Errors
/// When the database does not answer: the person must know that they are still signed in.
pub async fn logout_of_campus_one(
    State(app): State<Arc<App>>,
    Extension(current): Extension<Current>,
    Extension(request_id): Extension<RequestId>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let held = end_here(&app, &current, request_id, &headers).await?;
    let return_to = format!("{}{SIGNED_OUT_PATH}", app.origin);
    let departure = depart(&app, held.id_token.as_ref(), &return_to).await;
    let mut set = marks(&app);
    set.push(departure.set_cookie);
    let target = departure.url.as_ref().map_or(SIGNED_OUT_PATH, |url| url.as_str());
    if accepts_json(&headers) {
        let mut response = Json(json!({ "ok": true, "continue": target })).into_response();
        add_cookies(&mut response, set);
        return Ok(response);
    }
    Ok(see_other(target, set))
}

/// Ends the session of this browser, and gives what was held of its tokens.
async fn end_here(
    app: &Arc<App>,
    current: &Current,
    request_id: RequestId,
    headers: &HeaderMap,
) -> Result<HeldTokens, Refusal> {
    let cookies = Cookies::read(headers, app.cookies);
    let Some(token_hash) = cookies.get(cookies::SESSION).and_then(token::hash) else {
        return Ok(HeldTokens::default());
    };
    let mut transaction = app.db.begin().await.map_err(Refusal::from_database)?;
    let held = match current.live() {
        Some(live) => held_tokens(app, &mut transaction, live.id).await?,
        None => HeldTokens::default(),
    };
    let id = Some(request_id.0);
    let ended = people::sign_out(&mut transaction, &token_hash, id, clock::now()).await?;
    transaction.commit().await.map_err(Refusal::from_database)?;
    tracing::info!(ended = ended.is_some(), "signed out");
    if let Some(refresh_token) = held.refresh_token.clone() {
        revoke_later(app.clone(), refresh_token);
    }
    Ok(held)
}

/// The `Set-Cookie` values of every sign-out.
fn marks(app: &App) -> Vec<String> {
    let reason = EndReason::SignedOut.as_str();
    vec![
        app.cookies.remove(cookies::SESSION),
        app.cookies.set(cookies::SIGNED_OUT, reason, cookies::SIGNED_OUT_SECONDS),
    ]
}

/// The query with which the provider sends people back.
#[derive(Debug, Default, Deserialize)]
pub struct SignedOutQuery {
    state: Option<String>,
}

/// The signed-out page; somebody who is signed in has no business there.
pub async fn signed_out(
    Extension(current): Extension<Current>,
    rendering: Rendering,
    headers: HeaderMap,
    State(app): State<Arc<App>>,
    query: Result<Query<SignedOutQuery>, axum::extract::rejection::QueryRejection>,
) -> Response {
    if current.live().is_some() {
        return see_other("/", Vec::new());
    }
    let cookies = Cookies::read(&headers, app.cookies);
    let reason = cookies.get(cookies::SIGNED_OUT).and_then(EndReason::parse);
    // An unreadable query holds no state that could be ours.
    let state = query.map_or_else(|_| Some(String::new()), |Query(query)| query.state);
    rendering.page(Page::SignedOut(SignedOutPage {
        reason,
        at_provider: at_provider(&app, &cookies, state.as_deref()),
        provider: leave_provider::home(&app),
    }))
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
