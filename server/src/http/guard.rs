//! The guard: middleware that finds the session and performs what [`super::decision`] decides. It redirects
//! before a page is rendered, so nothing of a page can leak to somebody who may not see it.

use super::client::Client;
use super::cookies::{self, Cookies};
use super::decision::{Decision, RequestFacts, SessionFacts, decide};
use super::facts::Manner;
use super::gate::{Asked, forbid};
use super::pages::Rendering;
use super::refusal::Refusal;
use super::respond::{add_cookies, private};
use crate::app::{App, CALLBACK};
use crate::clock;
use crate::freshness::{self, Demand};
use crate::session::{self, Current};
use crate::signin::flow::{Mode, Starts};
use crate::signin::leave_provider;
use crate::signin::start::{Start, anonymous_marker, start};
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use campus::access::{access_to, is_page};
use campus::reason::{EndReason, Reason};
use campus::return_path::ReturnPath;
use campus_app::{AtProvider, Page, SignedOutPage};
use http::StatusCode;
use std::sync::Arc;

/// Finds the session of a request, has its person confirmed where that is due, and hands it on; error pages
/// learn from it who is looking.
///
/// # Errors
/// When there is a session cookie and the database does not answer.
pub async fn find_session(
    State(app): State<Arc<App>>,
    mut request: Request,
    next: Next,
) -> Result<Response, Refusal> {
    let cookies = Cookies::read(request.headers(), app.cookies);
    let mut current = session::load(&app, &cookies).await?;
    if let Current::Live(live) = &current
        && shows_something(request.uri().path())
    {
        current = freshness::ensure(&app, live, Demand::Routine).await?;
    }
    request.extensions_mut().insert(current.clone());
    let mut response = next.run(request).await;
    if response.extensions().get::<Refusal>().is_some() {
        response.extensions_mut().insert(current);
    }
    Ok(response)
}

/// Whether the answer shows or does something that rests on what is known of the person. The ways in and
/// out do not, and a slow provider must keep nobody from signing out.
fn shows_something(path: &str) -> bool {
    let way = path == CALLBACK || path.starts_with("/auth/");
    !way || path == "/auth/me"
}

/// Lets a request through, or answers in its place.
///
/// # Errors
/// Whatever the decision refuses.
pub async fn guard(
    State(app): State<Arc<App>>,
    mut request: Request,
    next: Next,
) -> Result<Response, Refusal> {
    let current = request.extensions().get::<Current>().cloned().unwrap_or_default();
    let cookies = Cookies::read(request.headers(), app.cookies);
    let path = request.uri().path();
    let facts = RequestFacts {
        access: access_to(path),
        is_page: is_page(path),
        navigation: Manner::of(request.method(), request.headers()).navigation,
        anonymous: cookies.get(cookies::ANONYMOUS).is_some(),
        signed_out: cookies.get(cookies::SIGNED_OUT).map(signed_out_reason),
        starts: Starts::read(&cookies, &app.flow_keys, clock::now()).count(),
    };
    let roles = current.live().map(|live| live.viewer.roles());
    let session = match (&current, &roles) {
        (Current::Live(_), Some(roles)) => SessionFacts::Live(roles),
        (Current::Ended(reason), _) => SessionFacts::Ended(*reason),
        _ => SessionFacts::None,
    };
    let decision = decide(&facts, session);
    tracing::debug!(?decision, "guard");

    let asked = request.uri().path_and_query().map_or("/", |path| path.as_str());
    let return_to = ReturnPath::parse(asked);
    let refuse = |reason: Reason| Refusal::from(reason).with_next(return_to.clone());
    let call = Asked::of(request.method(), request.uri().path(), request.extensions()).admitted();
    let silent = |then_interactive| Mode::Silent { then_interactive };
    let mode = match decision {
        Decision::ServeAnonymous => return Ok(next.run(request).await),
        Decision::Serve => {
            if let Some(call) = call {
                request.extensions_mut().insert(call);
            }
            return Ok(next.run(request).await);
        }
        Decision::Forbid(permission) => {
            let refusal = match &call {
                Some(call) => forbid(&app, call, permission).await,
                None => Refusal::needs(permission),
            };
            return Err(refusal.with_next(return_to));
        }
        Decision::Unauthorized => return Err(refuse(Reason::NOT_SIGNED_IN)),
        Decision::LoopStopped => return Err(refuse(Reason::LOOP_STOPPED)),
        Decision::SignedOut(reason) => return Ok(signed_out(&app, &request, reason)),
        Decision::StartSilent => silent(false),
        Decision::StartSilentThenInteractive => silent(true),
        Decision::StartInteractive => Mode::Interactive,
    };
    let client = Client::of(&app, request.extensions(), request.headers());
    let started = match app.rates.sign_in(client) {
        Ok(()) => start(&app, &cookies, Start::new(mode, return_to.clone())).await.map_err(refuse),
        Err(refusal) => Err(refusal.with_next(return_to.clone())),
    };
    match started {
        Ok(mut response) => {
            if let Current::Ended(reason) = current {
                // Told on the page to which the renewal leads.
                let word = reason.as_str();
                let told = app.cookies.set(cookies::ENDED, word, cookies::ENDED_SECONDS);
                add_cookies(&mut response, vec![told]);
            }
            Ok(response)
        }
        // A public page is there for everybody, also while the provider is not.
        Err(refusal) if decision == Decision::StartSilent => {
            tracing::warn!(
                reason = refusal.reason.code,
                "no silent sign-in; the anonymous view is served"
            );
            let mut response = next.run(request).await;
            add_cookies(&mut response, vec![anonymous_marker(&app)]);
            Ok(response)
        }
        Err(refusal) => Err(refusal),
    }
}

/// The signed-out page in place of the page that was asked for. It also leaves the marker: whoever reads
/// why their session ended is not signed in again behind their back.
fn signed_out(app: &App, request: &Request, reason: EndReason) -> Response {
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str()).to_owned();
    let rendering = Rendering::new(app, request.extensions(), path, None);
    let provider = leave_provider::home(app);
    let page = SignedOutPage { reason: Some(reason), at_provider: AtProvider::NotAsked, provider };
    let mut response = rendering.page(Page::SignedOut(page));
    *response.status_mut() = StatusCode::UNAUTHORIZED;
    private(&mut response);
    let marker = app.cookies.set(cookies::SIGNED_OUT, reason.as_str(), cookies::SIGNED_OUT_SECONDS);
    add_cookies(&mut response, vec![marker, app.cookies.remove(cookies::SESSION)]);
    response
}

/// The marker counts whatever it holds; an unknown word is an ordinary sign-out.
fn signed_out_reason(word: &str) -> EndReason {
    EndReason::parse(word).unwrap_or(EndReason::SignedOut)
}
