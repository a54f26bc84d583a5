//! Pages: handlers that read their data first and then render it whole.

use super::cookies::{self, CookieStyle, Cookies};
use super::request_id::RequestId;
use super::respond::add_cookies;
use super::security::ScriptNonce;
use crate::app::App;
use crate::clock;
use crate::session::Current;
use axum::extract::{FromRef, FromRequestParts};
use axum::response::{Html, IntoResponse as _, Response};
use campus::instant::Instant;
use campus::reason::EndReason;
use campus::viewer::Viewer;
use campus_app::{Chrome, DashboardPage, Page};
use http::header::CACHE_CONTROL;
use http::request::Parts;
use http::{Extensions, HeaderValue};
use std::convert::Infallible;
use std::sync::Arc;

/// Everything around a page that comes from the request.
pub struct Rendering {
    chrome: Chrome,
    cookies: CookieStyle,
}

impl Rendering {
    /// Gathers it.
    #[must_use]
    pub fn new(app: &App, extensions: &Extensions, path: String, viewer: Option<Viewer>) -> Self {
        let nonce = extensions.get::<ScriptNonce>().map(|nonce| nonce.0.clone());
        let chrome = Chrome {
            assets: app.assets.clone(),
            nonce: nonce.unwrap_or_default(),
            path,
            viewer,
            ended: None,
            ribbon: app.ribbon.clone(),
            now: clock::now(),
            request_id: extensions.get::<RequestId>().map(|id| id.0.clone()),
        };
        Self { chrome, cookies: app.cookies }
    }

    /// The time of the request.
    #[must_use]
    pub fn now(&self) -> Instant {
        self.chrome.now
    }

    /// Renders a page. Nothing personal is stored anywhere; what is not personal still depends on
    /// cookies, so it is asked for again each time.
    #[must_use]
    pub fn page(&self, page: Page) -> Response {
        let mut response = Html(campus_app::render(&self.chrome, page)).into_response();
        let personal = self.chrome.viewer.is_some();
        let cache = if personal { "no-store" } else { "private, no-cache" };
        response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static(cache));
        if self.chrome.ended.is_some() {
            // Once is enough.
            add_cookies(&mut response, vec![self.cookies.remove(cookies::ENDED)]);
        }
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
        let mut rendering = Self::new(&app, &parts.extensions, path, viewer);
        let ended = Cookies::read(&parts.headers, app.cookies);
        rendering.chrome.ended = ended.get(cookies::ENDED).and_then(EndReason::parse);
        Ok(rendering)
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
