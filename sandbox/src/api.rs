//! The control page and the JSON API over HTTP.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, StatusCode};
use serde_json::{Map, Value, json};

use crate::answer::{go, page};
use crate::command::Command;
use crate::consent::with_cookie;
use crate::control::{Control, ControlError};
use crate::control_page;
use crate::form::Form;
use crate::memory::Shared;

/// `GET /sandbox`
pub(crate) async fn control_page(State(shared): State<Arc<Shared>>) -> Response {
    page(StatusCode::OK, shared.read(|memory| control_page::render(memory, &shared.origin)))
}

/// `GET /sandbox/api/state`
pub(crate) async fn state(State(shared): State<Arc<Shared>>) -> Json<Value> {
    Json(Control { shared }.state())
}

/// `POST /sandbox/api/session` with `{"person"}`: the provider's session cookie without a page.
pub(crate) async fn session(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    Json(body): Json<Value>,
) -> Response {
    if is_foreign(&headers) {
        return StatusCode::FORBIDDEN.into_response();
    }
    let person = body["person"].as_str().unwrap_or_default();
    match (Control { shared }).session_cookie(person) {
        Ok(cookie) => {
            let answer = json!({ "ok": true, "cookie": cookie.stripped().to_string() });
            with_cookie(Json(answer).into_response(), &cookie.to_string())
        }
        Err(error) => refusal(&error),
    }
}

/// `POST /sandbox/api/{command}`
pub(crate) async fn command(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    Path(name): Path<String>,
    body: Bytes,
) -> Response {
    let is_json = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.starts_with("application/json"));
    if is_foreign(&headers) || !(is_json || body.is_empty()) {
        return refusal(&ControlError::Command("JSON from this origin only".to_owned()));
    }
    let fields = match body.is_empty() {
        true => Ok(Map::new()),
        false => serde_json::from_slice(&body),
    };
    let outcome = match fields.map_err(|error| ControlError::Command(error.to_string())) {
        Ok(fields) => run(shared, &name, fields).await,
        Err(error) => Err(error),
    };
    match outcome {
        Ok(answer) => Json(answer).into_response(),
        Err(error) => refusal(&error),
    }
}

/// `POST /sandbox/do/{command}`: the same from a form of the control page.
pub(crate) async fn command_form(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    Path(name): Path<String>,
    body: Bytes,
) -> Response {
    if is_foreign(&headers) {
        return StatusCode::FORBIDDEN.into_response();
    }
    let target = format!("{}/sandbox", shared.origin);
    match run(shared, &name, fields(&Form::parse(&body))).await {
        Ok(_) => go(&target, false),
        Err(error) => page(StatusCode::BAD_REQUEST, control_page::failure(&error.to_string())),
    }
}

async fn run(
    shared: Arc<Shared>,
    name: &str,
    mut fields: Map<String, Value>,
) -> Result<Value, ControlError> {
    fields.insert("command".to_owned(), json!(name));
    let command: Command = serde_json::from_value(Value::Object(fields))
        .map_err(|error| ControlError::Command(error.to_string()))?;
    Control { shared }.perform(command).await
}

/// Form fields as JSON: lists by comma, numbers and truth values by their look, nothing for nothing.
fn fields(form: &Form) -> Map<String, Value> {
    let mut fields = Map::new();
    for (name, value) in form.iter() {
        let json = match name {
            "roles" | "custom_roles" => {
                let list = value.split(',').map(str::trim).filter(|role| !role.is_empty());
                json!(list.collect::<Vec<_>>())
            }
            _ if value.is_empty() => continue,
            _ => match serde_json::from_str::<Value>(value) {
                Ok(scalar @ (Value::Bool(_) | Value::Number(_))) => scalar,
                _ => json!(value),
            },
        };
        fields.insert(name.to_owned(), json);
    }
    fields
}

/// Whether a page of another site is behind the request.
fn is_foreign(headers: &HeaderMap) -> bool {
    headers.get("sec-fetch-site").is_some_and(|site| site != "same-origin" && site != "none")
}

fn refusal(error: &ControlError) -> Response {
    let body = Json(json!({ "ok": false, "error": error.to_string() }));
    (StatusCode::BAD_REQUEST, body).into_response()
}
