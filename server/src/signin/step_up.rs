//! Step-up: before an action that cannot be undone, a person whose sign-in is too old is sent to the
//! provider to prove again who they are.
//!
//! gen2 says when that was (`auth_time`), and an answer that shows an earlier time is refused. gen1 never
//! says: it is asked to ask (`prompt=login`), its answer is accepted, and session and audit trail say that
//! it is not proven.

use super::flow::Mode;
use super::start::{Occasion, Start, start};
use crate::app::App;
use crate::config::SessionLimits;
use crate::http::client::Client;
use crate::http::cookies::Cookies;
use crate::http::facts::Manner;
use crate::http::refusal::Refusal;
use crate::http::respond::{private, see_other};
use crate::session::{Current, Live};
use crate::store::sessions::Authentication;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::{Extension, Json};
use campus::instant::Instant;
use campus::reason::Reason;
use campus::return_path::ReturnPath;
use serde::Deserialize;
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;

/// Where a person confirms that it is them.
pub const CONFIRM_PATH: &str = "/auth/confirm";

/// Whether the person must prove again who they are before an action that cannot be undone.
#[must_use]
pub fn required(live: &Live, now: Instant, limits: &SessionLimits) -> bool {
    is_too_old(live.authentication.at, now, limits.step_up())
}

/// A sign-in of unknown age counts as too old, and so does one from the future, which only a broken clock
/// can make.
fn is_too_old(authenticated: Option<Instant>, now: Instant, limit: Duration) -> bool {
    let limit = i64::try_from(limit.as_secs()).unwrap_or(i64::MAX);
    authenticated.is_none_or(|at| !(-60..limit).contains(&now.seconds_since(at)))
}

/// What a sign-in says of when the person proved who they are. Where the provider does not say, only one at
/// which it was told to ask again counts, as of now by this app's own clock. Any other says nothing: whoever
/// was signed in at the provider already was asked for no password.
#[must_use]
pub fn authentication(mode: Mode, auth_time: Option<Instant>, now: Instant) -> Authentication {
    match (auth_time, mode) {
        (Some(at), _) => Authentication { at: Some(at.min(now)), proven: true },
        (None, Mode::StepUp) => Authentication { at: Some(now), proven: false },
        (None, Mode::Interactive | Mode::Silent { .. }) => Authentication::default(),
    }
}

/// Checks the answer to a step-up that began at `begun`: where the provider says when the person proved
/// who they are, that must not lie before (OpenID Connect Core §3.1.2.1, `max_age`). `leeway` in seconds.
///
/// # Errors
/// [`Reason::STEP_UP_UNPROVEN`].
pub fn check(auth_time: Option<Instant>, begun: Instant, leeway: i64) -> Result<(), Reason> {
    if auth_time.is_some_and(|at| at < begun.plus_seconds(-leeway)) {
        tracing::warn!("the provider did not ask a person again although it was told to");
        return Err(Reason::STEP_UP_UNPROVEN);
    }
    Ok(())
}

/// The answer to an action for which the sign-in is too old. A form of ours leads to the provider and back
/// to `next`, a page from which the action can be done again; a program is told where a person would go.
#[must_use]
pub fn demand(method: &Method, headers: &HeaderMap, next: &ReturnPath) -> Response {
    let confirm = confirm_link(next);
    if Manner::of(method, headers).document {
        return see_other(&confirm, Vec::new());
    }
    let Reason { code, title, text, .. } = Reason::STEP_UP_REQUIRED;
    let body = json!({ "error": title, "reason": code, "message": text, "confirm": confirm });
    let mut response = (StatusCode::FORBIDDEN, Json(body)).into_response();
    private(&mut response);
    response
}

fn confirm_link(next: &ReturnPath) -> String {
    let next: String = url::form_urlencoded::byte_serialize(next.as_str().as_bytes()).collect();
    format!("{CONFIRM_PATH}?next={next}")
}

/// The query of `/auth/confirm`.
#[derive(Debug, Default, Deserialize)]
pub struct ConfirmQuery {
    next: Option<String>,
}

/// `GET /auth/confirm[?next=]`: sends a signed-in person to the provider to prove again who they are.
///
/// # Errors
/// A reason page for somebody who is not signed in, for a request that is no navigation, or when the
/// provider cannot be used.
pub async fn confirm(
    State(app): State<Arc<App>>,
    Extension(current): Extension<Current>,
    client: Client,
    method: Method,
    headers: HeaderMap,
    query: Result<Query<ConfirmQuery>, axum::extract::rejection::QueryRejection>,
) -> Result<Response, Refusal> {
    let Query(query) = query.map_err(|_| Reason::BAD_REQUEST)?;
    let next = ReturnPath::parse(query.next.as_deref().unwrap_or("/"));
    let refuse = |reason: Reason| Refusal::from(reason).with_next(next.clone());
    if current.live().is_none() || !Manner::of(&method, &headers).navigation {
        return Err(refuse(Reason::NOT_SIGNED_IN));
    }
    app.rates.sign_in(client).map_err(|refusal| refusal.with_next(next.clone()))?;
    let cookies = Cookies::read(&headers, app.cookies);
    let occasion = Occasion::Session;
    let asked = Start { occasion, ..Start::new(Mode::StepUp, next.clone()) };
    start(&app, &cookies, asked).await.map_err(refuse)
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::{HeaderValue, header};

    const NOW: Instant = Instant::from_seconds(1_800_000_000);

    #[test]
    fn a_sign_in_counts_for_a_quarter_of_an_hour() {
        let limit = SessionLimits::default().step_up();
        for (age, too_old) in
            [(0, false), (899, false), (900, true), (86_400, true), (-60, false), (-61, true)]
        {
            let at = Some(NOW.plus_seconds(-age));
            assert_eq!(is_too_old(at, NOW, limit), too_old, "{age} seconds");
        }
        assert!(is_too_old(None, NOW, limit), "an unknown age is no young one");
    }

    #[test]
    fn a_silent_sign_in_of_gen1_proves_nothing() {
        let silent = Mode::Silent { then_interactive: true };
        let earlier = NOW.plus_seconds(-3600);
        let by = |at, proven| Authentication { at: Some(at), proven };
        for (mode, auth_time, expected) in [
            (silent, None, Authentication::default()),
            (silent, Some(earlier), by(earlier, true)),
            (Mode::Interactive, None, Authentication::default()),
            (Mode::Interactive, Some(earlier), by(earlier, true)),
            (Mode::StepUp, None, by(NOW, false)),
            (Mode::StepUp, Some(NOW), by(NOW, true)),
            // A provider whose clock runs ahead makes no sign-in from the future.
            (Mode::StepUp, Some(NOW.plus_seconds(30)), by(NOW, true)),
        ] {
            assert_eq!(authentication(mode, auth_time, NOW), expected, "{mode:?} {auth_time:?}");
        }
    }

    #[test]
    fn an_old_auth_time_is_refused_and_none_is_not_held_against_gen1() {
        for (auth_time, fine) in [
            (None, true),
            (Some(NOW.plus_seconds(5)), true),
            (Some(NOW.plus_seconds(-60)), true),
            (Some(NOW.plus_seconds(-61)), false),
        ] {
            assert_eq!(check(auth_time, NOW, 60).is_ok(), fine, "{auth_time:?}");
        }
    }

    #[test]
    fn a_form_is_led_to_the_provider_and_a_program_is_told_where() {
        let next = ReturnPath::parse("/admin/people?q=a&b");
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT, HeaderValue::from_static("text/html"));
        let form = demand(&Method::POST, &headers, &next);
        assert_eq!(form.status(), StatusCode::SEE_OTHER);
        assert_eq!(
            form.headers()[header::LOCATION],
            "/auth/confirm?next=%2Fadmin%2Fpeople%3Fq%3Da%26b"
        );
        headers.insert(header::ACCEPT, HeaderValue::from_static("application/json"));
        assert_eq!(demand(&Method::POST, &headers, &next).status(), StatusCode::FORBIDDEN);
    }
}
