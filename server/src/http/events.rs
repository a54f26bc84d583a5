//! `GET /auth/events`: tells an open page what happens to its person, as server-sent events (HTML Living
//! Standard §9.2).
//!
//! The id of an event is the version of the roles it speaks of, so a page that comes back with
//! `Last-Event-ID` is told of what it missed without anybody keeping a log for it.

use super::refusal::Refusal;
use crate::app::App;
use crate::live::{Listener, News};
use crate::session::Current;
use axum::Extension;
use axum::extract::{Query, State};
use axum::http::HeaderMap;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse as _, Response};
use campus::reason::Reason;
use http::HeaderValue;
use http::header::CACHE_CONTROL;
use serde::Deserialize;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

/// How long a browser waits before it comes back.
const COME_BACK_AFTER: Duration = Duration::from_secs(3);
/// How often a silent stream says that it is alive: proxies cut silent ones after a minute.
const ALIVE_EVERY: Duration = Duration::from_secs(25);

/// What the page knows.
#[derive(Debug, Deserialize)]
pub struct Known {
    /// The version of the roles it was made for.
    roles: Option<String>,
}

/// The stream.
///
/// # Errors
/// 401 where nobody is signed in; the browser does not come back after that.
pub async fn events(
    State(app): State<Arc<App>>,
    Extension(current): Extension<Current>,
    Query(known): Query<Known>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let live = current.live().ok_or(Reason::NOT_SIGNED_IN)?;
    let last = headers.get("last-event-id").and_then(|id| id.to_str().ok()).map(str::to_owned);
    let listener = Listener::new(app.clone(), live, last.or(known.roles));
    let stream = futures::stream::unfold(listener, |mut listener| async move {
        let news = listener.next().await?;
        Some((Ok::<_, Infallible>(event(&news)), listener))
    });
    let mut response =
        Sse::new(stream).keep_alive(KeepAlive::new().interval(ALIVE_EVERY)).into_response();
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // nginx would hold events back in its buffer.
    response.headers_mut().insert("x-accel-buffering", HeaderValue::from_static("no"));
    Ok(response)
}

fn event(news: &News) -> Event {
    match news {
        News::Roles { version, changed } => {
            let name = if *changed { "roles" } else { "hello" };
            Event::default().event(name).id(version).data(version).retry(COME_BACK_AFTER)
        }
        News::Ended(reason) => {
            Event::default().event("ended").data(reason.map_or("unknown", |reason| reason.as_str()))
        }
    }
}
