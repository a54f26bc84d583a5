//! The authorization endpoint: from a request to a code, an error, or a page that asks the person.

use std::sync::Arc;

use axum::extract::{RawQuery, State};
use axum::response::Response;
use http::{HeaderMap, StatusCode};

use crate::answer::{code_url, error_url, go, is_fetch, page};
use crate::discovery::SCOPES;
use crate::form::{Form, words};
use crate::grant::{CODE_SECONDS, Code, random_letters};
use crate::memory::{Memory, Shared, now};
use crate::misbehaviour::Misbehaviour;
use crate::pages;
use crate::session::{self, ProviderSession};

/// An authorization request, as it came.
#[derive(Debug, Clone, Default)]
pub(crate) struct AuthorizeRequest {
    pub(crate) client_id: String,
    pub(crate) redirect_uri: String,
    pub(crate) response_type: String,
    pub(crate) scopes: Vec<String>,
    pub(crate) state: Option<String>,
    nonce: Option<String>,
    challenge: Option<String>,
    challenge_method: Option<String>,
    prompt: Vec<String>,
    max_age: Option<i64>,
}

impl AuthorizeRequest {
    pub(crate) fn parse(query: &str) -> Self {
        let form = Form::parse(query.as_bytes());
        let owned = |name: &str| form.get(name).map(str::to_owned);
        let list = |name: &str| form.get(name).map(words).unwrap_or_default();
        let mut scopes = list("scope");
        if scopes.is_empty() {
            scopes.push("openid".to_owned());
        }
        Self {
            client_id: owned("client_id").unwrap_or_default(),
            redirect_uri: owned("redirect_uri").unwrap_or_default(),
            response_type: owned("response_type").unwrap_or_default(),
            scopes,
            state: owned("state"),
            nonce: owned("nonce"),
            challenge: owned("code_challenge"),
            challenge_method: owned("code_challenge_method"),
            prompt: list("prompt"),
            max_age: form.get("max_age").and_then(|age| age.parse().ok()),
        }
    }

    fn prompts(&self, word: &str) -> bool {
        self.prompt.iter().any(|p| p == word)
    }

    /// What is wrong with the request itself.
    fn error(&self) -> Option<(&'static str, String)> {
        if self.response_type != "code" {
            return Some(("unsupported_response_type", "unsupported response type".to_owned()));
        }
        let unknown: Vec<_> =
            self.scopes.iter().filter(|s| !SCOPES.contains(&s.as_str())).cloned().collect();
        if !unknown.is_empty() {
            let list = unknown.join(", ");
            return Some(("invalid_scope", format!("The following scopes are invalid: {list}")));
        }
        match (&self.challenge, self.challenge_method.as_deref()) {
            (Some(_), Some("S256" | "s256")) => None,
            (Some(_), Some(_)) => {
                Some(("invalid_request", "invalid code_challenge method".to_owned()))
            }
            _ => Some(("invalid_request", "pkce is required".to_owned())),
        }
    }

    fn needs_fresh_sign_in(&self, session: &ProviderSession, now: i64) -> bool {
        let too_old = |age: i64| age == 0 || now - session.created > age;
        self.prompts("login") || self.max_age.is_some_and(too_old)
    }
}

/// What happens with a request.
pub(crate) enum Step {
    Go(String),
    Refuse(&'static str),
}

impl Step {
    pub(crate) fn into_response(self, fetch: bool) -> Response {
        match self {
            Self::Go(url) => go(&url, fetch),
            Self::Refuse(reason) => page(StatusCode::BAD_REQUEST, pages::refusal(reason)),
        }
    }
}

/// `GET /api/auth/oauth2/authorize`
pub(crate) async fn authorize(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    let query = query.unwrap_or_default();
    let request = AuthorizeRequest::parse(&query);
    let step = shared.change(|memory| {
        let session = session::of(memory, &headers).cloned();
        decide(memory, &shared.origin, &request, session.as_ref(), &query, now())
    });
    step.into_response(is_fetch(&headers))
}

fn decide(
    memory: &mut Memory,
    origin: &str,
    request: &AuthorizeRequest,
    session: Option<&ProviderSession>,
    query: &str,
    now: i64,
) -> Step {
    let Some(client) = memory.client(&request.client_id).cloned() else {
        return Step::Refuse("This application is not registered (invalid_client).");
    };
    if !client.redirect_uris.contains(&request.redirect_uri) {
        return Step::Refuse("Invalid redirect URI.");
    }
    let silent = request.prompts("none");
    if silent && let Some(error) = forced_silent_error(memory) {
        return refuse(memory, origin, request, error, "Interaction is needed but prompt is none");
    }
    let sign_in = || Step::Go(format!("{origin}/sign-in?{query}"));
    let Some(session) = session else {
        if silent {
            let why = "Authentication required but prompt is none";
            return refuse(memory, origin, request, "login_required", why);
        }
        return sign_in();
    };
    if let Some((error, description)) = request.error() {
        return refuse(memory, origin, request, error, &description);
    }
    if request.needs_fresh_sign_in(session, now)
        && !memory.misbehaviours.take(Misbehaviour::FreshSignInIgnored)
    {
        if silent {
            let why = "Authentication required due to max_age";
            return refuse(memory, origin, request, "login_required", why);
        }
        return sign_in();
    }
    let consented = memory.kept.consents.iter().any(|consent| {
        consent.person == session.person
            && consent.client == client.id
            && request.scopes.iter().all(|scope| consent.scopes.contains(scope))
    });
    if (!consented || request.prompts("consent")) && !client.trusted {
        if silent {
            let why = "Consent required but prompt is none";
            return refuse(memory, origin, request, "consent_required", why);
        }
        let consent_code = random_letters(32);
        let url = format!("{origin}/consent?consent_code={consent_code}");
        memory.pending_consents.insert(consent_code, request.clone());
        return Step::Go(url);
    }
    issue(memory, origin, request, session, now)
}

fn forced_silent_error(memory: &mut Memory) -> Option<&'static str> {
    if memory.misbehaviours.take(Misbehaviour::InteractionRequired) {
        return Some("interaction_required");
    }
    let select = memory.misbehaviours.take(Misbehaviour::AccountSelectionRequired);
    select.then_some("account_selection_required")
}

/// Sends the person back with an error.
pub(crate) fn refuse(
    memory: &Memory,
    origin: &str,
    request: &AuthorizeRequest,
    error: &str,
    description: &str,
) -> Step {
    let state = request.state.as_deref();
    Step::Go(error_url(memory, origin, &request.redirect_uri, state, error, description))
}

/// Sends the person back with a code.
pub(crate) fn issue(
    memory: &mut Memory,
    origin: &str,
    request: &AuthorizeRequest,
    session: &ProviderSession,
    now: i64,
) -> Step {
    let code = random_letters(32);
    memory.codes.retain(|_, code| code.expires > now);
    memory.codes.insert(
        code.clone(),
        Code {
            client: request.client_id.clone(),
            person: session.person.clone(),
            session: session.id.clone(),
            auth_time: session.created,
            redirect_uri: request.redirect_uri.clone(),
            scopes: request.scopes.clone(),
            nonce: request.nonce.clone(),
            challenge: request.challenge.clone().unwrap_or_default(),
            expires: now + CODE_SECONDS,
        },
    );
    match code_url(memory, origin, &request.redirect_uri, request.state.as_deref(), &code) {
        Ok(url) => Step::Go(url),
        Err(_) => Step::Refuse("The registered redirect URI is not an address."),
    }
}
