//! The authorization response: what the provider sent a browser back with, and what follows from it.
//!
//! Parsing and deciding are pure; the order of the rules is PROTOCOLS.md, "Callback, in order".

use super::flow::{Flow, Mode, Pending, is_second_try};
use campus::reason::Reason;
use campus::return_path::ReturnPath;
use std::collections::HashMap;

/// The errors that say no more than "not without a page" (OpenID Connect Core §3.1.2.6).
const SILENT_ERRORS: [&str; 4] =
    ["login_required", "interaction_required", "consent_required", "account_selection_required"];
/// What gen1 writes where the request had no state.
const NO_STATE: &str = "undefined";
/// Longest query that is looked at, in bytes.
const LONGEST_QUERY: usize = 8 * 1024;

/// The parameters of an authorization response, each at most once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    code: Option<String>,
    error: Option<String>,
    state: Option<String>,
    iss: Option<String>,
}

impl Answer {
    /// Reads a query; `None` when it is empty, as Campus One's health monitor sends it.
    ///
    /// # Errors
    /// [`Reason::DUPLICATE_PARAMETERS`] when a parameter comes twice, or `code` beside `error`;
    /// [`Reason::BAD_REQUEST`] when it is too long or neither is there.
    pub fn parse(query: Option<&str>) -> Result<Option<Self>, Reason> {
        let Some(query) = query.filter(|query| !query.is_empty()) else { return Ok(None) };
        if query.len() > LONGEST_QUERY {
            return Err(Reason::BAD_REQUEST);
        }
        let mut given: HashMap<String, String> = HashMap::new();
        for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
            if given.insert(name.into_owned(), value.into_owned()).is_some() {
                return Err(Reason::DUPLICATE_PARAMETERS);
            }
        }
        let mut take = |name: &str| given.remove(name).filter(|value| !value.is_empty());
        let answer = Self {
            code: take("code"),
            error: take("error"),
            state: take("state").filter(|state| state != NO_STATE),
            iss: take("iss"),
        };
        match (&answer.code, &answer.error) {
            (Some(_), Some(_)) => Err(Reason::DUPLICATE_PARAMETERS),
            (None, None) => Err(Reason::BAD_REQUEST),
            _ => Ok(Some(answer)),
        }
    }
}

/// What is known when an answer arrives.
#[derive(Clone, Copy, Debug)]
pub struct Known<'a> {
    /// This browser's pending flows.
    pub pending: &'a Pending,
    /// Whether it has a valid session.
    pub has_session: bool,
    /// Whether its person signed out on purpose and has not signed in again.
    pub signed_out: bool,
    /// The issuer that is expected.
    pub issuer: &'a str,
    /// Whether the provider's metadata promises `iss` in every answer (RFC 9207 §3).
    pub promises_iss: bool,
}

/// What follows from an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// An error page; the flow, if one is named, is ended.
    Reject(Reason, Option<Flow>),
    /// Nobody is signed in at the provider: back to the return path, anonymously.
    Anonymous(Flow),
    /// Nobody is signed in at the provider, and the path needs somebody: the one interactive flow.
    Interactive(Flow),
    /// Redeem the code.
    Redeem(Flow, String),
    /// There is a session already: to the return path, nothing is redeemed.
    AlreadyIn(ReturnPath, Option<Flow>),
    /// A code nobody here asked for: a fresh start, once.
    FreshStart,
}

/// Decides what follows.
#[must_use]
pub fn decide(answer: &Answer, known: Known<'_>) -> Outcome {
    let flow = answer.state.as_deref().and_then(|state| known.pending.by_state(state)).cloned();
    // Row 3. An error answer may lack `iss`: gen1 never sends it, and nothing is redeemed from an error.
    let wrong = answer.iss.as_deref().is_some_and(|iss| iss != known.issuer);
    let missing = answer.iss.is_none() && answer.code.is_some() && known.promises_iss;
    if wrong || missing {
        return Outcome::Reject(Reason::ISSUER_MISMATCH, flow);
    }
    match (&answer.error, &answer.code, flow) {
        (Some(error), _, Some(flow)) => error_in_flow(error, flow, known),
        (Some(error), _, None) if answer.state.is_none() => stateless_error(error, known),
        (None, Some(_), Some(flow)) if known.has_session && !flow.replaces_session => {
            Outcome::AlreadyIn(flow.next.clone(), Some(flow))
        }
        // A silent flow that was under way during a sign-out must not undo it.
        (None, Some(_), Some(flow)) if known.signed_out && flow.mode.is_silent() => {
            Outcome::Anonymous(flow)
        }
        // Row 6.
        (None, Some(code), Some(flow)) => Outcome::Redeem(flow, code.clone()),
        (_, _, None) | (None, None, Some(_)) => without_flow(answer, known),
    }
}

/// Row 4.
fn error_in_flow(error: &str, flow: Flow, known: Known<'_>) -> Outcome {
    match flow.mode {
        // Whoever was to confirm that it is them must not come back as if they had.
        Mode::StepUp => Outcome::Reject(step_up_reason(error), Some(flow)),
        _ if known.has_session => Outcome::AlreadyIn(flow.next.clone(), Some(flow)),
        Mode::Silent { then_interactive } if SILENT_ERRORS.contains(&error) => {
            if then_interactive {
                Outcome::Interactive(flow)
            } else {
                Outcome::Anonymous(flow)
            }
        }
        _ => Outcome::Reject(reason_for(error), Some(flow)),
    }
}

/// Row 5. Anybody can send a browser here with an error, so the most it can do is what an anonymous
/// visitor may do anyway.
fn stateless_error(error: &str, known: Known<'_>) -> Outcome {
    if known.has_session {
        return Outcome::AlreadyIn(ReturnPath::home(), None);
    }
    if let Some(silent) = known.pending.newest_silent() {
        return error_in_flow(error, silent.clone(), known);
    }
    Outcome::Reject(reason_for(error), known.pending.newest().cloned())
}

/// Row 7, and an error with a state that this browser does not hold: it speaks of no sign-in of ours, so
/// nothing of what it says is believed.
fn without_flow(answer: &Answer, known: Known<'_>) -> Outcome {
    if known.has_session {
        return Outcome::AlreadyIn(ReturnPath::home(), None);
    }
    let state = answer.state.as_deref().unwrap_or_default();
    if let Some(flow) = known.pending.expired(state) {
        return Outcome::Reject(Reason::FLOW_EXPIRED, Some(flow.clone()));
    }
    // Only a code shows that somebody signed in and wants to arrive; that is worth another start.
    if answer.code.is_none() || known.signed_out || is_second_try(state) {
        Outcome::Reject(Reason::STATE_UNKNOWN, None)
    } else {
        Outcome::FreshStart
    }
}

fn step_up_reason(error: &str) -> Reason {
    match reason_for(error) {
        reason @ (Reason::PROVIDER_UNREACHABLE | Reason::CLIENT_REFUSED) => reason,
        _ => Reason::STEP_UP_DECLINED,
    }
}

/// The provider's word, mapped to one of ours; its own text is never shown.
fn reason_for(error: &str) -> Reason {
    match error {
        "access_denied" => Reason::ACCESS_DENIED,
        "temporarily_unavailable" | "server_error" => Reason::PROVIDER_UNREACHABLE,
        "unauthorized_client" | "invalid_client" => Reason::CLIENT_REFUSED,
        _ => Reason::PROVIDER_REFUSED,
    }
}

#[cfg(test)]
#[path = "answer_tests.rs"]
mod tests;
