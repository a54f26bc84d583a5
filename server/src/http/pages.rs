//! Pages: handlers that read their data first and then render it whole.

use super::request_id::RequestId;
use super::security::ScriptNonce;
use crate::app::App;
use crate::clock;
use crate::session::Current;
use axum::extract::{FromRef, FromRequestParts};
use axum::response::{Html, IntoResponse as _, Response};
use campus::instant::Instant;
use campus::viewer::Viewer;
use campus_app::{Chrome, DashboardPage, Page};
use http::header::CACHE_CONTROL;
use http::request::Parts;
use http::{Extensions, HeaderValue};
use std::convert::Infallible;
use std::sync::Arc;

/// Everything around a page that comes from the request.
pub struct Rendering(Chrome);

impl Rendering {
    /// Gathers it.
    #[must_use]
    pub fn new(app: &App, extensions: &Extensions, path: String, viewer: Option<Viewer>) -> Self {
        let nonce = extensions.get::<ScriptNonce>().map(|nonce| nonce.0.clone());
        Self(Chrome {
            assets: app.assets.clone(),
            nonce: nonce.unwrap_or_default(),
            path,
            viewer,
            ribbon: app.ribbon.clone(),
            now: clock::now(),
            request_id: extensions.get::<RequestId>().map(|id| id.0.clone()),
        })
    }

    /// The time of the request.
    #[must_use]
    pub fn now(&self) -> Instant {
        self.0.now
    }

    /// Renders a page. Nothing personal is stored anywhere; what is not personal still depends on
    /// cookies, so it is asked for again each time.
    #[must_use]
    pub fn page(&self, page: Page) -> Response {
        let mut response = Html(campus_app::render(&self.0, page)).into_response();
        let personal = self.0.viewer.is_some();
        let cache = if personal { "no-store" } else { "private, no-cache" };
        response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static(cache));
        response
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Rendering
where
    Arc<App>: FromRef<S>,
{
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Infallible> {
        let app = Arc::from_ref(state);
        let current = parts.extensions.get::<Current>();
        let viewer = current.and_then(Current::live).map(|live| live.viewer.clone());
        let path = parts.uri.path_and_query().map_or("/", |path| path.as_str()).to_owned();
        Ok(Self::new(&app, &parts.extensions, path, viewer))
    }
}

/// `GET /`
pub async fn home(rendering: Rendering) -> Response {
    rendering.page(Page::Home)
}

/// `GET /dashboard`
pub async fn dashboard(rendering: Rendering) -> Response {
    let now = rendering.now();
    rendering.page(Page::Dashboard(DashboardPage { now }))
}
