//! `GET /auth/login[?prompt=none][&next=][&login_hint=]`: a sign-in by a click, or a silent attempt on
//! demand. With `iss` and `target_link_uri` it is the address at which others may begin one.

use super::flow::{MOST_STARTS, Mode, Starts};
use super::start::{Occasion, Start, start};
use crate::app::App;
use crate::clock;
use crate::http::client::Client;
use crate::http::cookies::{self, Cookies};
use crate::http::facts::Manner;
use crate::http::refusal::Refusal;
use crate::http::respond::see_other;
use crate::session::Current;
use axum::Extension;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, Method};
use axum::response::Response;
use campus::reason::Reason;
use campus::return_path::ReturnPath;
use serde::Deserialize;
use std::sync::Arc;

/// The query of `/auth/login`.
#[derive(Debug, Default, Deserialize)]
pub struct LoginQuery {
    prompt: Option<String>,
    next: Option<String>,
    login_hint: Option<String>,
    /// Who is to be asked, when somebody else sends a browser here (OpenID Connect Core §4).
    iss: Option<String>,
    /// Where they want it to arrive then.
    target_link_uri: Option<String>,
}

/// Longest `login_hint` that is passed on.
const LONGEST_HINT: usize = 254;

/// Sends the browser to the provider.
///
/// # Errors
/// A reason page when the provider cannot be used, or for a request that is no navigation.
pub async fn login(
    State(app): State<Arc<App>>,
    Extension(current): Extension<Current>,
    client: Client,
    method: Method,
    headers: HeaderMap,
    query: Result<Query<LoginQuery>, axum::extract::rejection::QueryRejection>,
) -> Result<Response, Refusal> {
    let Query(query) = query.map_err(|_| Reason::BAD_REQUEST)?;
    let linked = query.target_link_uri.as_deref().and_then(|link| link.strip_prefix(&app.origin));
    let next = ReturnPath::parse(query.next.as_deref().or(linked).unwrap_or("/"));
    let refuse = |reason: Reason| Refusal::from(reason).with_next(next.clone());
    // A prefetch or a fetch must never be led to the provider.
    if !Manner::of(&method, &headers).navigation {
        return Err(refuse(Reason::NOT_SIGNED_IN));
    }
    if query.iss.is_some_and(|iss| iss != app.provider.settings.issuer) {
        return Err(refuse(Reason::ISSUER_MISMATCH));
    }
    let cookies = Cookies::read(&headers, app.cookies);
    let silent = query.prompt.as_deref() == Some("none");
    let signed_in = current.live().is_some();
    if silent {
        let given_up = cookies.get(cookies::SIGNED_OUT).or(cookies.get(cookies::ANONYMOUS));
        if signed_in || given_up.is_some() {
            return Ok(see_other(next.as_str(), Vec::new()));
        }
        // A click is no loop; a silent attempt may be part of one.
        if Starts::read(&cookies, &app.flow_keys, clock::now()).count() >= MOST_STARTS {
            return Err(refuse(Reason::LOOP_STOPPED));
        }
    }
    let mode = if silent { Mode::Silent { then_interactive: false } } else { Mode::Interactive };
    let login_hint = query.login_hint.filter(|hint| {
        hint.len() <= LONGEST_HINT && !hint.is_empty() && !hint.chars().any(char::is_control)
    });
    app.rates.sign_in(client).map_err(|refusal| refusal.with_next(next.clone()))?;
    let occasion = if signed_in { Occasion::Session } else { Occasion::NoSession };
    let asked = Start { mode, next: next.clone(), occasion, login_hint };
    start(&app, &cookies, asked).await.map_err(refuse)
}
