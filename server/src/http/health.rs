//! Health: whether the process answers, and whether it is ready to serve.

use crate::app::App;
use crate::clock;
use crate::store;
use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;
use serde_json::json;
use std::sync::Arc;

/// `GET|HEAD /api/health`, as Campus One's monitor asks (seed OpenID Connect §8). Never touches the
/// database: a slow one must not make the process look dead.
pub async fn health() -> Response {
    let timestamp = clock::now().rfc3339();
    Json(json!({ "status": "healthy", "timestamp": timestamp })).into_response()
}

/// `GET /api/ready`: whether the database answers; for load balancers.
pub async fn ready(State(app): State<Arc<App>>) -> Response {
    let database = store::answers(&app.db).await;
    let status = if database { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(json!({ "ready": database, "database": database }))).into_response()
}
