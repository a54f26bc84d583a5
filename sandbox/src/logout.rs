//! Ending the person's Campus One session at an application's wish, in both generations' ways.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode};
use serde_json::json;
use url::Url;

use crate::answer::{Refusal, go, is_fetch};
use crate::client::Client;
use crate::consent::with_cookie;
use crate::form::Form;
use crate::keys::payload;
use crate::logout_token::{self, Notice};
use crate::memory::{Memory, Shared, now};
use crate::options::Profile;
use crate::session::{self, COOKIE_NAME};

/// `GET|POST /api/auth/oauth2/endsession`, gen1: knows the application by `client_id` only, never
/// verifies the hint, and ends all of the person's tokens everywhere.
pub(crate) async fn end_session_gen1(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
    body: Bytes,
) -> Response {
    let form = parameters(query, &body);
    let outcome = shared.change(|memory| {
        let bad = |why| Refusal::new(StatusCode::BAD_REQUEST, "invalid_request", why);
        if memory.profile != Profile::Gen1 {
            return Err(not_here());
        }
        let id = form.get("client_id").ok_or_else(|| bad("client_id is required"))?;
        let client = memory
            .client(id)
            .cloned()
            .ok_or_else(|| Refusal::new(StatusCode::BAD_REQUEST, "invalid_client", "unknown"))?;
        let target = target(&client, &form)?;
        if let Some(session) = session::of(memory, &headers).cloned() {
            memory.kept.sessions.retain(|s| s.id != session.id);
            memory.kept.grants.retain(|grant| grant.person != session.person);
        }
        Ok(target)
    });
    finish(outcome, &headers)
}

/// `GET|POST /api/auth/oauth2/end-session`, gen2: verifies the hint, ends that session, and tells the
/// applications that have a back-channel logout address.
pub(crate) async fn end_session_gen2(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
    body: Bytes,
) -> Response {
    let form = parameters(query, &body);
    let outcome = shared.change(|memory| {
        if memory.profile != Profile::Gen2 {
            return Err(not_here());
        }
        let hint = verified_hint(memory, &form, &shared.origin)?;
        let target = target(&hint.client, &form)?;
        let notices = logout_token::end_session(memory, &shared.origin, &hint.session, now());
        Ok((target, notices))
    });
    let outcome = match outcome {
        Ok((target, notices)) => {
            deliver(&shared, notices).await;
            Ok(target)
        }
        Err(refusal) => Err(refusal),
    };
    finish(outcome, &headers)
}

/// Delivers logout tokens one after the other; a receiver that fails is only noted.
pub(crate) async fn deliver(shared: &Shared, notices: Vec<Notice>) {
    for notice in notices {
        if let Err(error) = notice.send(&shared.http).await {
            tracing::warn!(%error, "a back-channel logout was not delivered");
        }
    }
}

fn parameters(query: Option<String>, body: &Bytes) -> Form {
    let mut text = query.unwrap_or_default().into_bytes();
    text.push(b'&');
    text.extend_from_slice(body);
    Form::parse(&text)
}

fn not_here() -> Refusal {
    Refusal::new(StatusCode::NOT_FOUND, "not_found", "this generation has another address")
}

struct Hint {
    client: Client,
    session: String,
}

fn verified_hint(memory: &Memory, form: &Form, origin: &str) -> Result<Hint, Refusal> {
    let refused = |why| Refusal::new(StatusCode::UNAUTHORIZED, "invalid_token", why);
    let token = form.get("id_token_hint").ok_or_else(|| refused("id_token_hint is required"))?;
    if !memory.kept.keys.has_signed(token) {
        return Err(refused("id_token_hint is not ours"));
    }
    let claims = payload(token).ok_or_else(|| refused("id_token_hint is not a token"))?;
    let text = |name: &str| claims[name].as_str();
    let client = text("aud")
        .filter(|aud| form.get("client_id").is_none_or(|id| id == *aud))
        .and_then(|aud| memory.client(aud))
        .ok_or_else(|| refused("id_token_hint is for another client"))?;
    if text("iss") != Some(memory.issuer(origin).as_str()) {
        return Err(refused("id_token_hint has another issuer"));
    }
    let session = text("sid").ok_or_else(|| refused("id_token_hint has no sid"))?;
    Ok(Hint { client: client.clone(), session: session.to_owned() })
}

/// Where the person goes afterwards, if the application asked for a registered place.
fn target(client: &Client, form: &Form) -> Result<Option<String>, Refusal> {
    let Some(wanted) = form.get("post_logout_redirect_uri") else { return Ok(None) };
    let refused =
        || Refusal::new(StatusCode::BAD_REQUEST, "invalid_request", "unregistered redirect URI");
    if !client.post_logout_redirect_uris.iter().any(|uri| uri == wanted) {
        return Err(refused());
    }
    let mut url = Url::parse(wanted).map_err(|_| refused())?;
    if let Some(state) = form.get("state") {
        url.query_pairs_mut().append_pair("state", state);
    }
    Ok(Some(url.into()))
}

fn finish(outcome: Result<Option<String>, Refusal>, headers: &HeaderMap) -> Response {
    let response = match outcome {
        Ok(Some(url)) => go(&url, is_fetch(headers)),
        Ok(None) => {
            Json(json!({ "success": true, "message": "Logout successful" })).into_response()
        }
        Err(refusal) => return refusal.into_response(),
    };
    with_cookie(response, &format!("{COOKIE_NAME}=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax"))
}
