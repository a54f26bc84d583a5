//! Starting a flow: the redirect to the provider and the cookies that remember it.

use super::exchange::{authorization_url, reason_of};
use super::flow::{Flow, Mode, Pending, Starts};
use crate::app::App;
use crate::clock;
use crate::http::cookies::{self, Cookies};
use crate::http::respond::see_other;
use axum::response::Response;
use campus::reason::Reason;
use campus::return_path::ReturnPath;

/// How long the anonymous marker stands, in seconds, before a spread of a fifth both ways: the browsers of
/// a lecture hall must not all ask the provider again in the same second.
const ANONYMOUS_SECONDS: i64 = 300;

/// Why a flow is started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Occasion {
    /// Somebody without a session wants to be signed in.
    NoSession,
    /// Somebody with a session wants to sign in anew: the new session takes the place of theirs.
    Session,
    /// A silent flow found nobody. The two are one start: a loop comes past the guard each time round, and
    /// several tabs opened at once are no loop.
    NobodyFound,
    /// An answer came with a state that is not known here.
    StateUnknown,
}

/// What to start.
#[derive(Clone, Debug)]
pub struct Start {
    /// Silent or interactive.
    pub mode: Mode,
    /// Where the person wants to go.
    pub next: ReturnPath,
    /// Why.
    pub occasion: Occasion,
    /// Whom the provider should expect.
    pub login_hint: Option<String>,
}

impl Start {
    /// A start for somebody without a session.
    #[must_use]
    pub const fn new(mode: Mode, next: ReturnPath) -> Self {
        Self { mode, next, occasion: Occasion::NoSession, login_hint: None }
    }
}

/// Sends the browser to the provider.
///
/// # Errors
/// When the provider cannot be used.
pub async fn start(app: &App, cookies: &Cookies, start: Start) -> Result<Response, Reason> {
    let metadata = app.provider.metadata().await.map_err(|error| reason_of(&error))?;
    let now = clock::now();
    let Start { mode, next, occasion, login_hint } = start;
    let flow = Flow {
        replaces_session: occasion == Occasion::Session,
        ..Flow::begin(mode, next, occasion == Occasion::StateUnknown, now)
    };
    let hint = login_hint.as_deref();
    let url = authorization_url(&app.provider, &metadata, &flow, &app.redirect_uri, hint);

    let pending = Pending::read(cookies, &app.flow_keys, now);
    let mut set = pending.keep(&flow, &app.flow_keys, app.cookies);
    if occasion != Occasion::NobodyFound {
        let starts = Starts::read(cookies, &app.flow_keys, now);
        set.push(starts.add(now, &app.flow_keys, app.cookies));
    }
    if mode == (Mode::Silent { then_interactive: false }) {
        // Before the attempt: a provider that never answers must not be asked on every click.
        set.push(anonymous_marker(app));
    }
    tracing::info!(?mode, next = flow.next.path(), "a sign-in starts");
    Ok(see_other(url.as_str(), set))
}

/// The `Set-Cookie` value of `c1_anon`.
#[must_use]
pub fn anonymous_marker(app: &App) -> String {
    let spread = ANONYMOUS_SECONDS / 5;
    let seconds = ANONYMOUS_SECONDS + rand::random_range(-spread..=spread);
    app.cookies.set(cookies::ANONYMOUS, "1", seconds)
}
