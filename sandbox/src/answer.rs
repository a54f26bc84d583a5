//! The shapes of answers: redirects with better-auth's manners, OAuth errors, stylesheets and pages.

use axum::Json;
use axum::body::Body;
use axum::response::{Html, IntoResponse, Response};
use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, LOCATION};
use http::{HeaderMap, HeaderValue, StatusCode};
use serde_json::json;
use url::Url;

use crate::memory::Memory;
use crate::misbehaviour::Misbehaviour;
use crate::options::Profile;

/// A refusal in OAuth's form.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) status: StatusCode,
    pub(crate) error: &'static str,
    pub(crate) description: &'static str,
}

impl Refusal {
    pub(crate) fn new(status: StatusCode, error: &'static str, description: &'static str) -> Self {
        Self { status, error, description }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let body = json!({ "error": self.error, "error_description": self.description });
        (self.status, [(CACHE_CONTROL, "no-store")], Json(body)).into_response()
    }
}

/// A page of the sandbox.
pub(crate) fn page(status: StatusCode, html: String) -> Response {
    let policy = "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; \
                  frame-ancestors 'none'";
    let headers = [(CACHE_CONTROL, "no-store"), (CONTENT_SECURITY_POLICY, policy)];
    (status, headers, Html(html)).into_response()
}

/// Something broke inside the sandbox.
pub(crate) fn fault(error: &dyn std::error::Error) -> Response {
    tracing::error!(%error, "the sandbox failed");
    (StatusCode::INTERNAL_SERVER_ERROR, Json(json!({ "error": error.to_string() }))).into_response()
}

/// Whether the request looks like `fetch`, which better-auth answers with JSON, not a redirect.
pub(crate) fn is_fetch(headers: &HeaderMap) -> bool {
    headers.get("sec-fetch-mode").is_some_and(|mode| mode == "cors")
}

/// A redirect, or its JSON form for `fetch`.
pub(crate) fn go(url: &str, fetch: bool) -> Response {
    if fetch {
        return Json(json!({ "redirect": true, "url": url })).into_response();
    }
    // Not `Redirect`: it refuses the raw spaces that gen1 sends.
    match HeaderValue::from_bytes(url.as_bytes()) {
        Ok(location) => {
            let mut response = Response::new(Body::empty());
            *response.status_mut() = StatusCode::FOUND;
            response.headers_mut().insert(LOCATION, location);
            response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
            response
        }
        Err(error) => fault(&error),
    }
}

/// Where an authorization error goes: raw and stateless in gen1, proper in gen2.
pub(crate) fn error_url(
    memory: &Memory,
    origin: &str,
    redirect_uri: &str,
    state: Option<&str>,
    error: &str,
    description: &str,
) -> String {
    match (memory.profile, Url::parse(redirect_uri)) {
        (Profile::Gen2, Ok(mut url)) => {
            let mut query = url.query_pairs_mut();
            query.append_pair("error", error).append_pair("error_description", description);
            if let Some(state) = state {
                query.append_pair("state", state);
            }
            query.append_pair("iss", &memory.issuer(origin));
            drop(query);
            url.into()
        }
        _ => {
            let joint = if redirect_uri.contains('?') { '&' } else { '?' };
            format!("{redirect_uri}{joint}error={error}&error_description={description}")
        }
    }
}

/// Where a code goes.
pub(crate) fn code_url(
    memory: &mut Memory,
    origin: &str,
    redirect_uri: &str,
    state: Option<&str>,
    code: &str,
) -> Result<String, url::ParseError> {
    let mut url = Url::parse(redirect_uri)?;
    let state = match state {
        _ if memory.misbehaviours.take(Misbehaviour::StateMissing) => None,
        _ if memory.misbehaviours.take(Misbehaviour::StateWrong) => Some("not-your-state"),
        // better-auth writes the word when JavaScript's value is missing.
        None if memory.profile == Profile::Gen1 => Some("undefined"),
        state => state,
    };
    let issuer = issuer_parameter(memory, origin);
    let mut query = url.query_pairs_mut();
    query.append_pair("code", code);
    if let Some(state) = state {
        query.append_pair("state", state);
    }
    if let Some(issuer) = issuer {
        query.append_pair("iss", &issuer);
    }
    drop(query);
    Ok(url.into())
}

fn issuer_parameter(memory: &mut Memory, origin: &str) -> Option<String> {
    if memory.misbehaviours.take(Misbehaviour::AuthorizationIssWrong) {
        return Some("https://other-issuer.example".to_owned());
    }
    let left_out = memory.misbehaviours.take(Misbehaviour::AuthorizationIssMissing)
        || memory.misbehaviours.take(Misbehaviour::IssMissingInTokenButOk);
    (memory.profile == Profile::Gen2 && !left_out).then(|| memory.issuer(origin))
}
