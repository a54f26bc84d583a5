//! Troubles of single endpoints (slow, down, rate limited) and how often each was asked.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::{ConnectInfo, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::connection::Line;
use crate::memory::Shared;

/// An endpoint of the provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Endpoint {
    /// The discovery documents.
    Discovery,
    /// The published keys.
    Jwks,
    /// The authorization endpoint.
    Authorize,
    /// The token endpoint.
    Token,
    /// The userinfo endpoint.
    Userinfo,
    /// Both forms of the end-session endpoint.
    EndSession,
    /// The revocation endpoint.
    Revoke,
}

impl Endpoint {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Discovery,
        Self::Jwks,
        Self::Authorize,
        Self::Token,
        Self::Userinfo,
        Self::EndSession,
        Self::Revoke,
    ];

    fn at(path: &str) -> Option<Self> {
        Some(match path {
            "/.well-known/openid-configuration" | "/api/auth/.well-known/openid-configuration" => {
                Self::Discovery
            }
            "/api/auth/jwks" => Self::Jwks,
            "/api/auth/oauth2/authorize" => Self::Authorize,
            "/api/auth/oauth2/token" => Self::Token,
            "/api/auth/oauth2/userinfo" => Self::Userinfo,
            "/api/auth/oauth2/endsession" | "/api/auth/oauth2/end-session" => Self::EndSession,
            "/api/auth/oauth2/revoke" => Self::Revoke,
            _ => return None,
        })
    }
}

/// How an endpoint is down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Down {
    /// It answers 503.
    Status,
    /// The connection breaks before a byte is answered.
    Drop,
}

/// The troubles of one endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Trouble {
    /// How long each request waits before it is worked on.
    pub slow_ms: u64,
    /// How long each answer is held back after the work is done.
    pub hold_ms: u64,
    /// Whether and how it is down.
    pub down: Option<Down>,
    /// How many of the next requests are answered 429.
    pub rate_limit: u32,
    /// The seconds in `X-Retry-After` of those answers.
    pub retry_after: u64,
}

/// Troubles and counters of all endpoints.
#[derive(Debug, Default)]
pub(crate) struct Endpoints {
    troubles: BTreeMap<Endpoint, Trouble>,
    counts: BTreeMap<Endpoint, u64>,
}

impl Endpoints {
    pub(crate) fn set(&mut self, endpoint: Endpoint, trouble: Trouble) {
        self.troubles.insert(endpoint, trouble);
    }

    pub(crate) fn clear_troubles(&mut self) {
        self.troubles.clear();
    }

    pub(crate) fn trouble(&self, endpoint: Endpoint) -> Trouble {
        self.troubles.get(&endpoint).copied().unwrap_or_default()
    }

    pub(crate) fn count(&self, endpoint: Endpoint) -> u64 {
        self.counts.get(&endpoint).copied().unwrap_or_default()
    }

    pub(crate) fn reset_counts(&mut self) {
        self.counts.clear();
    }

    /// Counts one request and says what happens to it.
    fn arrive(&mut self, endpoint: Endpoint) -> Trouble {
        *self.counts.entry(endpoint).or_default() += 1;
        let trouble = self.trouble(endpoint);
        if trouble.rate_limit > 0 {
            self.set(endpoint, Trouble { rate_limit: trouble.rate_limit - 1, ..trouble });
        }
        trouble
    }
}

/// The layer that counts requests and makes the troubles happen.
pub(crate) async fn troubles(
    State(shared): State<Arc<Shared>>,
    ConnectInfo(line): ConnectInfo<Line>,
    request: Request,
    next: Next,
) -> Response {
    let Some(endpoint) = Endpoint::at(request.uri().path()) else {
        return next.run(request).await;
    };
    let trouble = shared.change(|memory| memory.endpoints.arrive(endpoint));
    if trouble.slow_ms > 0 {
        tokio::time::sleep(Duration::from_millis(trouble.slow_ms)).await;
    }
    match trouble.down {
        Some(Down::Drop) => {
            line.cut();
            return StatusCode::SERVICE_UNAVAILABLE.into_response();
        }
        Some(Down::Status) => return StatusCode::SERVICE_UNAVAILABLE.into_response(),
        None => {}
    }
    if trouble.rate_limit > 0 {
        let body = Json(json!({ "message": "Too many requests. Please try again later." }));
        let retry = [("x-retry-after", trouble.retry_after.to_string())];
        return (StatusCode::TOO_MANY_REQUESTS, retry, body).into_response();
    }
    let response = next.run(request).await;
    if trouble.hold_ms > 0 {
        tokio::time::sleep(Duration::from_millis(trouble.hold_ms)).await;
    }
    response
}
