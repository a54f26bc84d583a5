//! Presenting refusals: the one place where an error becomes something a client sees, as a page for people
//! or as JSON for programs, with the reason code and nothing from inside.

use super::facts::Manner;
use super::pages::Rendering;
use super::refusal::{Detail, Refusal};
use super::request_id::RequestId;
use crate::app::App;
use crate::session::Current;
use axum::Json;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use campus::reason::{Reason, WayOn};
use campus_app::{ErrorPage, Page};
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, Method, StatusCode};
use serde_json::json;
use std::sync::Arc;

/// Gives refusals, and the bare error answers of other layers, their body.
pub async fn present(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let manner = Manner::of(request.method(), request.headers());
    let is_head = request.method() == Method::HEAD;
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str()).to_owned();
    let extensions = request.extensions().clone();
    let response = next.run(request).await;
    let Some(refusal) = refusal_of(&response) else { return response };

    let current = response.extensions().get::<Current>();
    let viewer = current.and_then(Current::live).map(|live| live.viewer.clone());
    let id = extensions.get::<RequestId>().map(|id| id.0.as_str());
    let mut body = if manner.document {
        let details = details(&refusal.detail);
        let page = ErrorPage { reason: refusal.reason, next: refusal.next.clone(), details };
        Rendering::new(&app, &extensions, path, viewer).page(Page::Error(page))
    } else {
        Json(as_json(&refusal, id)).into_response()
    };
    super::respond::private(&mut body);
    let (mut parts, _) = response.into_parts();
    parts.headers.remove(CONTENT_LENGTH);
    parts.headers.remove(CONTENT_TYPE);
    for (name, value) in body.headers() {
        parts.headers.insert(name, value.clone());
    }
    if refusal.reason.status == StatusCode::UNAUTHORIZED.as_u16() {
        // RFC 9110 §11.6.1 asks for a challenge; there is no scheme for "go to the sign-in page".
        parts.headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Cookie"));
    }
    if matches!(refusal.reason.status, 429 | 503) {
        let seconds = if let Detail::Wait(seconds) = refusal.detail { seconds } else { 60 };
        parts.headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    let body = if is_head { axum::body::Body::empty() } else { body.into_body() };
    Response::from_parts(parts, body)
}

/// The refusal an answer stands for, if it is one. Layers that know nothing of refusals answer with a bare
/// status and perhaps a line of text.
fn refusal_of(response: &Response) -> Option<Refusal> {
    if let Some(refusal) = response.extensions().get::<Refusal>() {
        return Some(refusal.clone());
    }
    let bare = response
        .headers()
        .get(CONTENT_TYPE)
        .is_none_or(|kind| kind.as_bytes().starts_with(b"text/plain"));
    let reason = match response.status().as_u16() {
        400 => Reason::BAD_REQUEST,
        403 => Reason::CROSS_SITE,
        404 => Reason::NOT_FOUND,
        405 => Reason::METHOD_NOT_ALLOWED,
        408 => Reason::TIMEOUT,
        413 => Reason::TOO_LARGE,
        429 => Reason::TOO_MANY_REQUESTS,
        503 => Reason::TIMEOUT,
        500 => Reason::INTERNAL,
        _ => return None,
    };
    bare.then(|| Refusal::from(reason))
}

/// The detail in sentences for people.
fn details(detail: &Detail) -> Vec<String> {
    match detail {
        Detail::None => Vec::new(),
        Detail::Needs(permission) => vec![format!("It is for {}.", permission.holders_text())],
        Detail::Wait(1) => vec!["It works again in a second.".to_owned()],
        Detail::Wait(seconds) => vec![format!("It works again in {seconds} seconds.")],
        Detail::Fields(faults) => {
            faults.iter().map(|fault| format!("The {} {}.", fault.field, fault.text)).collect()
        }
    }
}

fn as_json(refusal: &Refusal, request_id: Option<&str>) -> serde_json::Value {
    let Reason { code, title, text, way_on, .. } = refusal.reason;
    if let Detail::Needs(permission) = refusal.detail {
        // The seed's body, to the letter (OpenID Connect §10).
        return json!({ "error": "Forbidden", "message": permission.requirement() });
    }
    // The seed's own word for this one; programs compare it.
    let error = if refusal.reason == Reason::NOT_SIGNED_IN { "Not signed in" } else { title };
    let mut body =
        json!({ "error": error, "reason": code, "message": text, "request": request_id });
    if way_on == WayOn::SignIn {
        let next: String =
            url::form_urlencoded::byte_serialize(refusal.next.as_str().as_bytes()).collect();
        body["sign_in"] = json!(format!("/auth/login?next={next}"));
    }
    if let Detail::Fields(faults) = &refusal.detail {
        let fields = faults.iter().map(|fault| (fault.field.to_owned(), json!(fault.text)));
        body["fields"] = fields.collect::<serde_json::Map<_, _>>().into();
    }
    body
}
