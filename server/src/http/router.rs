//! The router: addresses, and the layers around them from outermost to innermost.

use super::refusal::Refusal;
use super::{deliveries, events, guard, health, pages, present, request_id, security, site};
use crate::app::{App, CALLBACK};
use crate::config::Deployment;
use crate::signin::{backchannel, callback, leave, login, step_up};
use crate::webhook;
use axum::extract::Request;
use axum::middleware::{from_fn, from_fn_with_state, map_response};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use axum::{Router, body::Body};
use campus::reason::Reason;
use http::StatusCode;
use std::sync::Arc;
use tower::ServiceBuilder;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::csrf::CsrfLayer;
use tower_http::limit::RequestBodyLimitLayer;
use tower_http::timeout::TimeoutLayer;
use tower_http::trace::{DefaultOnResponse, TraceLayer};
use tracing::Level;

/// Builds the router.
pub fn build(app: Arc<App>, deployment: &Deployment) -> Router {
    let limits = &deployment.server;
    let body_limit = usize::try_from(limits.body_limit_bytes).unwrap_or(usize::MAX);
    let layers = ServiceBuilder::new()
        .layer(from_fn(request_id::assign))
        .layer(
            TraceLayer::new_for_http()
                .make_span_with(span)
                .on_request(())
                .on_response(DefaultOnResponse::new().level(Level::INFO)),
        )
        .layer(from_fn_with_state(app.clone(), security::headers))
        .layer(CompressionLayer::new())
        .layer(from_fn_with_state(app.clone(), present::present))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(TimeoutLayer::with_status_code(
            StatusCode::SERVICE_UNAVAILABLE,
            limits.request_timeout(),
        ))
        .layer(RequestBodyLimitLayer::new(body_limit))
        .layer(CsrfLayer::new());

    Router::new()
        .route("/api/health", get(health::health))
        .route("/api/ready", get(health::ready))
        .route(backchannel::BACKCHANNEL_PATH, post(backchannel::receive))
        .route(webhook::PATH, post(webhook::receive::receive))
        .route(webhook::ALIAS, post(webhook::receive::receive))
        .merge(site::routes(&deployment.site))
        .merge(with_session(&app))
        .layer(layers)
        .with_state(app)
}

/// The addresses that ask who is there.
fn with_session(app: &Arc<App>) -> Router<Arc<App>> {
    let pages = Router::new()
        .route("/", get(pages::home))
        .route("/dashboard", get(pages::dashboard))
        .route(deliveries::PATH, get(deliveries::list))
        .route("/admin/deliveries/{id}/retry", post(deliveries::retry))
        .route_layer(from_fn_with_state(app.clone(), guard::guard));
    let signin = Router::new()
        .route("/auth/login", get(login::login))
        .route(CALLBACK, get(callback::callback))
        .route("/auth/callback", get(callback::callback))
        .route("/auth/logout", post(leave::logout))
        .route("/auth/logout/campus-one", post(leave::logout_of_campus_one))
        .route(step_up::CONFIRM_PATH, get(step_up::confirm))
        .route(leave::SIGNED_OUT_PATH, get(leave::signed_out))
        .route("/auth/me", get(leave::me))
        .route("/auth/events", get(events::events))
        .layer(map_response(private));
    pages
        .merge(signin)
        .fallback(|| async { Refusal::from(Reason::NOT_FOUND) })
        .layer(from_fn_with_state(app.clone(), guard::find_session))
}

async fn private(mut response: Response) -> Response {
    super::respond::private(&mut response);
    response
}

/// A log span without the query, which may hold a code, and without headers.
fn span(request: &Request<Body>) -> tracing::Span {
    let id = request.extensions().get::<request_id::RequestId>().map(|id| id.0.as_str());
    tracing::info_span!("request", id, method = %request.method(), path = request.uri().path())
}

#[allow(clippy::needless_pass_by_value, reason = "the layer's signature")]
fn panicked(panic: Box<dyn std::any::Any + Send>) -> Response {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no message");
    tracing::error!(panic = text, "a handler panicked");
    Refusal::from(Reason::INTERNAL).into_response()
}
