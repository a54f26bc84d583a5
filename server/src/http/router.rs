//! The router: addresses, and the layers around them from outermost to innermost.

use super::refusal::Refusal;
use super::routes::{RouteInfo, Routes, Verb};
use super::{
    admin, articles, deliveries, events, guard, health, pages, present, request_id, security,
};
use crate::app::{App, CALLBACK};
use crate::config::Deployment;
use crate::signin::{backchannel, callback, leave, login, step_up};
use crate::webhook;
use axum::extract::Request;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use axum::{Router, body::Body};
use campus::access::{Access, Permission};
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

    let (with_session, without_session, _) = routes(app.clone(), deployment).into_parts();
    let with_session = with_session
        .fallback(|| async { Refusal::from(Reason::NOT_FOUND) })
        .layer(from_fn_with_state(app.clone(), guard::find_session));
    without_session.merge(with_session).layer(layers).with_state(app)
}

/// Every address, with what it asks of those who come.
#[must_use]
pub fn list(app: Arc<App>, deployment: &Deployment) -> Vec<RouteInfo> {
    routes(app, deployment).into_parts().2
}

fn routes(app: Arc<App>, deployment: &Deployment) -> Routes {
    const RUN_UNIT: Access = Access::Needs(Permission::RunUnit);
    const WRITE_NOTICES: Access = Access::Needs(Permission::WriteNotices);
    Routes::new(app)
        .health("/api/health", health::health)
        .health("/api/ready", health::ready)
        .files(&deployment.site)
        .page("/", pages::home)
        .page("/dashboard", pages::dashboard)
        .page("/admin", admin::overview)
        .page("/admin/reports", admin::reports)
        .page(deliveries::PATH, deliveries::list)
        .action("/admin/deliveries/{id}/retry", RUN_UNIT, deliveries::retry)
        .destructive_action(
            "/admin/people/{id}/end-sessions",
            Permission::RunUnit,
            admin::end_sessions,
        )
        .api(Verb::Post, "/api/articles", WRITE_NOTICES, articles::create)
        .api(Verb::Get, "/api/articles/{id}", Access::SignedIn, articles::show)
        // It answers whoever asks, with 401 in the seed's words where nobody is there.
        .api(Verb::Get, "/auth/me", Access::Public, leave::me)
        .protocol(Verb::Get, "/auth/login", login::login)
        .protocol(Verb::Get, CALLBACK, callback::callback)
        .protocol(Verb::Get, "/auth/callback", callback::callback)
        // A stream answers 401 by itself; a browser does not come back after that.
        .api(Verb::Get, "/auth/events", Access::Public, events::events)
        .protocol(Verb::Post, "/auth/logout", leave::logout)
        .protocol(Verb::Post, "/auth/logout/campus-one", leave::logout_of_campus_one)
        .protocol(Verb::Get, step_up::CONFIRM_PATH, step_up::confirm)
        .message(backchannel::BACKCHANNEL_PATH, backchannel::receive)
        .message(webhook::PATH, webhook::receive::receive)
        .message(webhook::ALIAS, webhook::receive::receive)
        .protocol(Verb::Get, leave::SIGNED_OUT_PATH, leave::signed_out)
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
