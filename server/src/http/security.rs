//! Security headers, on every answer: a strict content security policy with a nonce for each request, and
//! its kin.

use crate::app::App;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use http::header::{
    CONTENT_SECURITY_POLICY, REFERRER_POLICY, STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS,
    X_FRAME_OPTIONS,
};
use http::{HeaderMap, HeaderName, HeaderValue};
use std::sync::Arc;

/// The nonce of a request's scripts.
#[derive(Clone, Debug)]
pub struct ScriptNonce(pub String);

const FIXED: [(HeaderName, &str); 6] = [
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (X_FRAME_OPTIONS, "DENY"),
    (REFERRER_POLICY, "same-origin"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (
        HeaderName::from_static("permissions-policy"),
        "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    ),
];

/// Makes the nonce and adds the headers.
pub async fn headers(State(app): State<Arc<App>>, mut request: Request, next: Next) -> Response {
    let nonce = STANDARD_NO_PAD.encode(rand::random::<[u8; 16]>());
    request.extensions_mut().insert(ScriptNonce(nonce.clone()));
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in FIXED {
        set_default(headers, name, HeaderValue::from_static(value));
    }
    if let Ok(policy) = HeaderValue::from_str(&policy(&app, &nonce)) {
        set_default(headers, CONTENT_SECURITY_POLICY, policy);
    }
    if app.cookies.secure {
        let two_years = HeaderValue::from_static("max-age=63072000; includeSubDomains");
        headers.insert(STRICT_TRANSPORT_SECURITY, two_years);
    }
    response
}

/// An answer's own header stands.
fn set_default(headers: &mut HeaderMap, name: HeaderName, value: HeaderValue) {
    headers.entry(name).or_insert(value);
}

fn policy(app: &App, nonce: &str) -> String {
    let issuer = url::Url::parse(&app.provider.settings.issuer).ok();
    let provider = issuer.map(|url| url.origin().ascii_serialization()).unwrap_or_default();
    // A sandbox on loopback serves its avatars over http.
    let pictures = if provider.starts_with("http://") { provider.as_str() } else { "" };
    // cargo-leptos reloads pages through a socket of its own.
    let reload = if cfg!(debug_assertions) && std::env::var_os("LEPTOS_WATCH").is_some() {
        "ws://127.0.0.1:3001 ws://localhost:3001"
    } else {
        ""
    };
    format!(
        "default-src 'none'; script-src 'self' 'nonce-{nonce}' 'wasm-unsafe-eval'; style-src 'self'; \
         connect-src 'self' {reload}; img-src 'self' data: https: {pictures}; font-src 'self'; \
         manifest-src 'self'; base-uri 'none'; form-action 'self' {provider}; frame-ancestors 'none'"
    )
}
