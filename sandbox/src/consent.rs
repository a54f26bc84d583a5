//! The pages that ask the person: who they are, and whether the application may know.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Response};
use http::header::SET_COOKIE;
use http::{HeaderMap, HeaderValue, StatusCode};
use url::form_urlencoded;

use crate::answer::{fault, go, page};
use crate::authorize::{Step, issue, refuse};
use crate::form::Form;
use crate::memory::{Consent, Memory, Shared, now};
use crate::pages;
use crate::session::{self, ProviderSession};

/// `GET /sign-in`: the authorization request travels along in the query.
pub(crate) async fn sign_in_page(
    State(shared): State<Arc<Shared>>,
    RawQuery(query): RawQuery,
) -> Response {
    let query = query.unwrap_or_default();
    let form = Form::parse(query.as_bytes());
    let html = shared.read(|memory| {
        let client = form.get("client_id").and_then(|id| memory.client(id));
        let hint = form.get("login_hint").unwrap_or_default();
        pages::sign_in(&memory.kept.personas, client.map(|c| c.id.as_str()), hint, &query)
    });
    page(StatusCode::OK, html)
}

/// `POST /sign-in`
pub(crate) async fn sign_in(State(shared): State<Arc<Shared>>, body: Bytes) -> Response {
    let form = Form::parse(&body);
    let person = form.get("person").unwrap_or_default();
    let cookie = shared.change(|memory| {
        memory.person(person)?;
        Some(session::begin(memory, person, now()))
    });
    let Some(cookie) = cookie else {
        return Step::Refuse("There is no such person here.").into_response(false);
    };
    let origin = &shared.origin;
    let target = match form.get("query") {
        Some(query) => format!("{origin}/api/auth/oauth2/authorize?{}", after_sign_in(query)),
        None => format!("{origin}/sandbox"),
    };
    with_cookie(go(&target, false), &cookie.to_string())
}

/// The request without `prompt=login`, which has just been done. `max_age` stays and is looked at again, as
/// better-auth does: with `max_age=0` the person is asked for ever.
fn after_sign_in(query: &str) -> String {
    let mut rest = form_urlencoded::Serializer::new(String::new());
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        match &*name {
            "prompt" => {
                let left: Vec<_> = value.split_whitespace().filter(|p| *p != "login").collect();
                if !left.is_empty() {
                    rest.append_pair("prompt", &left.join(" "));
                }
            }
            _ => {
                rest.append_pair(&name, &value);
            }
        }
    }
    rest.finish()
}

/// Adds a cookie to an answer.
pub(crate) fn with_cookie(mut response: Response, cookie: &str) -> Response {
    match HeaderValue::from_str(cookie) {
        Ok(value) => {
            response.headers_mut().append(SET_COOKIE, value);
            response
        }
        Err(error) => fault(&error),
    }
}

/// `GET /consent?consent_code=…`
pub(crate) async fn consent_page(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    let form = Form::parse(query.unwrap_or_default().as_bytes());
    let code = form.get("consent_code").unwrap_or_default();
    let html = shared.read(|memory| {
        let request = memory.pending_consents.get(code)?;
        let person = memory.person(&session::of(memory, &headers)?.person)?;
        Some(pages::consent(&person.name, &request.client_id, &request.scopes, code))
    });
    match html {
        Some(html) => page(StatusCode::OK, html),
        None => Step::Refuse("This question is no longer open.").into_response(false),
    }
}

/// `POST /consent`
pub(crate) async fn consent(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let form = Form::parse(&body);
    let step = shared.change(|memory| {
        let session = session::of(memory, &headers).cloned()?;
        Some(answer_consent(memory, &shared.origin, &form, &session))
    });
    step.unwrap_or(Step::Refuse("Nobody is signed in."))
        .into_response(crate::answer::is_fetch(&headers))
        .into_response()
}

fn answer_consent(
    memory: &mut Memory,
    origin: &str,
    form: &Form,
    session: &ProviderSession,
) -> Step {
    let code = form.get("consent_code").unwrap_or_default();
    let Some(request) = memory.pending_consents.remove(code) else {
        return Step::Refuse("This question is no longer open.");
    };
    if form.get("decision") != Some("allow") {
        return refuse(memory, origin, &request, "access_denied", "User denied access");
    }
    let same = |c: &Consent| c.person == session.person && c.client == request.client_id;
    memory.kept.consents.retain(|consent| !same(consent));
    memory.kept.consents.push(Consent {
        person: session.person.clone(),
        client: request.client_id.clone(),
        scopes: request.scopes.clone(),
    });
    issue(memory, origin, &request, session, now())
}
