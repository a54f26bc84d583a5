//! `GET|HEAD /api/auth/callback/campus-one`: performs what [`super::answer`] decides.

use super::answer::{self, Answer, Known, Outcome};
use super::flow::{Flow, Mode, Pending};
use super::redemption::{self, Request};
use super::start::{Occasion, Start, anonymous_marker, start};
use crate::app::App;
use crate::audit::{Cause, Entry};
use crate::clock;
use crate::http::client::Client;
use crate::http::cookies::{self, Cookies};
use crate::http::refusal::Refusal;
use crate::http::request_id::RequestId;
use crate::http::respond::see_other;
use crate::session::{Current, token};
use crate::store::{StoreError, audit};
use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse as _, Response};
use axum::{Extension, http::HeaderMap};
use campus::audit::{Actor, AuditKind};
use campus::reason::Reason;
use campus::return_path::ReturnPath;
use http::header;
use serde_json::json;
use std::sync::Arc;

/// Longest description of a browser that is kept.
const LONGEST_USER_AGENT: usize = 300;

/// Answers the provider's redirect, and Campus One's health monitor with 200 and nothing else.
///
/// # Errors
/// A reason page for every answer that cannot be used.
pub async fn callback(
    State(app): State<Arc<App>>,
    Extension(current): Extension<Current>,
    Extension(request_id): Extension<RequestId>,
    client: Client,
    headers: HeaderMap,
    method: http::Method,
    RawQuery(query): RawQuery,
) -> Result<Response, Refusal> {
    if method == http::Method::HEAD {
        return Ok(().into_response());
    }
    let Some(answer) = Answer::parse(query.as_deref())? else { return Ok(().into_response()) };
    app.rates.callback(client)?;

    let cookies = Cookies::read(&headers, app.cookies);
    let pending = Pending::read(&cookies, &app.flow_keys, clock::now());
    let metadata = app.provider.metadata().await.ok();
    let outcome = answer::decide(
        &answer,
        Known {
            pending: &pending,
            has_session: current.live().is_some(),
            signed_out: cookies.get(cookies::SIGNED_OUT).is_some(),
            issuer: &app.provider.settings.issuer,
            promises_iss: metadata.is_some_and(|metadata| metadata.promises_iss),
        },
    );
    let request_id = request_id.0;
    let exit = Exit { app: &app, cookies: &cookies, pending: &pending, request_id: &request_id };
    match outcome {
        Outcome::Reject(reason, flow) => Err(exit.refuse(reason, flow.as_ref()).await),
        Outcome::Anonymous(flow) => {
            let mut set = exit.without(Some(&flow));
            set.push(anonymous_marker(&app));
            Ok(see_other(flow.next.as_str(), set))
        }
        Outcome::Interactive(flow) => exit.go_interactive(&flow).await,
        Outcome::AlreadyIn(next, flow) => Ok(see_other(next.as_str(), exit.without(flow.as_ref()))),
        Outcome::FreshStart => {
            let mode = Mode::Silent { then_interactive: false };
            let occasion = Occasion::StateUnknown;
            let again = Start { occasion, ..Start::new(mode, ReturnPath::home()) };
            Ok(start(&app, &cookies, again).await?)
        }
        Outcome::Redeem(flow, code) => {
            let request = Request {
                flow: flow.clone(),
                code,
                previous: cookies.get(cookies::SESSION).and_then(token::hash),
                user_agent: user_agent(&headers),
                request_id: Some(request_id.clone()),
            };
            match redemption::redeem(app.clone(), request).await {
                Ok(signed_in) => Ok(exit.sign_in(&flow, &signed_in.token)),
                Err(reason) => Err(exit.refuse(reason, Some(&flow)).await),
            }
        }
    }
}

/// The ways out of the callback; each removes the flow it ends.
struct Exit<'a> {
    app: &'a App,
    cookies: &'a Cookies,
    pending: &'a Pending,
    request_id: &'a str,
}

impl Exit<'_> {
    fn without(&self, flow: Option<&Flow>) -> Vec<String> {
        let ended = flow.map(|flow| self.app.cookies.remove(&flow.cookie_name()));
        ended.into_iter().chain(self.pending.removals(self.app.cookies)).collect()
    }

    /// The refusal stands whether or not it can be written down.
    async fn refuse(&self, reason: Reason, flow: Option<&Flow>) -> Refusal {
        tracing::info!(reason = reason.code, "a sign-in was not completed");
        if let Some(flow) = flow
            && self.app.strangers.admit(clock::now())
            && let Err(error) = self.write_down(reason, flow).await
        {
            tracing::error!(%error, "a refused sign-in could not be written down");
        }
        let next = flow.map_or_else(ReturnPath::home, |flow| flow.next.clone());
        Refusal::from(reason).with_next(next).with_cookies(self.without(flow))
    }

    async fn write_down(&self, reason: Reason, flow: &Flow) -> Result<(), StoreError> {
        let request_id = Some(self.request_id.to_owned());
        let cause = Cause { actor: Actor::Nobody, request_id, rule: reason.code };
        let kind = AuditKind::SignInRefused;
        let detail = json!({ "mode": flow.mode.as_str() });
        let entry = Entry { kind, cause: &cause, subject: None, session: None, detail };
        let mut transaction = self.app.db.begin().await?;
        audit::append(&mut transaction, &entry, clock::now()).await?;
        Ok(transaction.commit().await?)
    }

    /// The one interactive flow after a silent one found nobody.
    async fn go_interactive(&self, flow: &Flow) -> Result<Response, Refusal> {
        let occasion = Occasion::NobodyFound;
        let interactive = Start { occasion, ..Start::new(Mode::Interactive, flow.next.clone()) };
        let mut response = match start(self.app, self.cookies, interactive).await {
            Ok(response) => response,
            Err(reason) => return Err(self.refuse(reason, Some(flow)).await),
        };
        let mut set = self.without(Some(flow));
        set.push(anonymous_marker(self.app));
        crate::http::respond::add_cookies(&mut response, set);
        Ok(response)
    }

    /// Signed in: a new session id, and the markers of the time before are gone.
    fn sign_in(&self, flow: &Flow, token: &str) -> Response {
        let style = self.app.cookies;
        let seconds = self.app.session_limits.absolute().as_secs();
        let mut set = self.without(Some(flow));
        let seconds = i64::try_from(seconds).unwrap_or(i64::MAX);
        set.push(style.set(cookies::SESSION, token, seconds));
        set.push(style.remove(cookies::ANONYMOUS));
        set.push(style.remove(cookies::SIGNED_OUT));
        see_other(flow.next.as_str(), set)
    }
}

fn user_agent(headers: &HeaderMap) -> Option<String> {
    let text = headers.get(header::USER_AGENT)?.to_str().ok()?;
    Some(text.chars().take(LONGEST_USER_AGENT).collect())
}
