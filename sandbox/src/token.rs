//! The token endpoint: client authentication, the code exchange, and the answer's shape. Refreshing
//! lives in `refresh`.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use http::header::{AUTHORIZATION, CACHE_CONTROL, PRAGMA};
use http::{HeaderMap, StatusCode};
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::answer::{Refusal, fault};
use crate::client::Client;
use crate::form::Form;
use crate::grant::{Grant, REFRESH_SECONDS, random_letters};
use crate::id_token::{self, Occasion};
use crate::keys::KeyError;
use crate::memory::{Memory, Shared, now};
use crate::misbehaviour::Misbehaviour;
use crate::options::Profile;
use crate::refresh::refresh;

/// Why there are no tokens.
pub(crate) enum TokenError {
    Refused(Refusal),
    Broken(KeyError),
}

impl From<Refusal> for TokenError {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<KeyError> for TokenError {
    fn from(error: KeyError) -> Self {
        Self::Broken(error)
    }
}

/// `POST /api/auth/oauth2/token`
pub(crate) async fn token(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let form = Form::parse(&body);
    let outcome = shared.change(|memory| match form.get("grant_type") {
        Some("authorization_code") => exchange(memory, &shared.origin, &headers, &form, now()),
        Some("refresh_token") => refresh(memory, &shared.origin, &headers, &form, now()),
        _ => Err(Refusal::new(
            StatusCode::BAD_REQUEST,
            "unsupported_grant_type",
            "the grant_type is missing or unsupported",
        )
        .into()),
    });
    match outcome {
        Ok(body) => {
            let headers = [(CACHE_CONTROL, "no-store"), (PRAGMA, "no-cache")];
            if shared.change(|memory| memory.misbehaviours.take(Misbehaviour::GarbageJson)) {
                return (headers, "{\"access_token\": oh no").into_response();
            }
            (headers, Json(body)).into_response()
        }
        Err(TokenError::Refused(refusal)) => refusal.into_response(),
        Err(TokenError::Broken(error)) => fault(&error),
    }
}

/// Which application is asking, and whether it can prove it.
pub(crate) fn authenticate(
    memory: &Memory,
    headers: &HeaderMap,
    form: &Form,
) -> Result<Client, Refusal> {
    let refused = |why| Refusal::new(StatusCode::UNAUTHORIZED, "invalid_client", why);
    let (id, secret) = match basic(headers) {
        Some(_) if memory.profile == Profile::Gen2 => {
            return Err(refused("this client is registered for client_secret_post"));
        }
        Some(pair) => pair,
        None if memory.misbehaviours.is_on(Misbehaviour::ClientSecretBasicOnly) => {
            return Err(refused("this client is registered for client_secret_basic"));
        }
        None => {
            let owned = |name| form.get(name).unwrap_or_default().to_owned();
            (owned("client_id"), owned("client_secret"))
        }
    };
    let client = memory.client(&id).ok_or_else(|| refused("invalid client_id"))?;
    if bool::from(client.secret.as_bytes().ct_eq(secret.as_bytes())) {
        Ok(client.clone())
    } else {
        Err(refused("invalid client_secret"))
    }
}

/// The pair of an HTTP Basic header; both halves are form-encoded first.
fn basic(headers: &HeaderMap) -> Option<(String, String)> {
    let (scheme, value) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let pair = String::from_utf8(STANDARD.decode(value.trim()).ok()?).ok()?;
    let (id, secret) = pair.split_once(':')?;
    let decode =
        |text: &str| percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned();
    Some((decode(id), decode(secret)))
}

fn exchange(
    memory: &mut Memory,
    origin: &str,
    headers: &HeaderMap,
    form: &Form,
    now: i64,
) -> Result<Value, TokenError> {
    let status = match memory.profile {
        Profile::Gen1 => StatusCode::UNAUTHORIZED,
        Profile::Gen2 => StatusCode::BAD_REQUEST,
    };
    let value = form.get("code").ok_or_else(|| {
        Refusal::new(StatusCode::BAD_REQUEST, "invalid_request", "code is required")
    })?;
    // Taken out first: whatever goes wrong below, the code is burnt.
    let Some(code) = memory.codes.remove(value).filter(|code| code.expires > now) else {
        if memory.profile == Profile::Gen2 {
            memory.kept.grants.retain(|grant| grant.code != value);
        }
        return Err(Refusal::new(status, "invalid_grant", "invalid code").into());
    };
    let client = authenticate(memory, headers, form)?;
    if code.client != client.id {
        let why = "the code belongs to another client";
        return Err(Refusal::new(status, "invalid_client", why).into());
    }
    if form.get("redirect_uri") != Some(&code.redirect_uri) {
        return Err(Refusal::new(status, "invalid_client", "redirect_uri mismatch").into());
    }
    let verifier = form.get("code_verifier").unwrap_or_default();
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes()));
    if !bool::from(challenge.as_bytes().ct_eq(code.challenge.as_bytes())) {
        return Err(Refusal::new(status, "invalid_request", "code verification failed").into());
    }
    let first = Grant {
        client: client.id.clone(),
        person: code.person,
        session: code.session,
        auth_time: code.auth_time,
        scopes: code.scopes,
        code: value.to_owned(),
        access_token: random_letters(32),
        access_expires: 0,
        refresh_token: None,
        refresh_expires: now + REFRESH_SECONDS,
        rotated: false,
    };
    let grant = first.renewed(memory.access_seconds, now);
    let occasion = Occasion::SignIn { nonce: code.nonce };
    let id_token = if grant.has_scope("openid") {
        Some(id_token::build(memory, origin, &client, &grant, &occasion, now)?)
    } else {
        None
    };
    Ok(answer(memory, grant, id_token, now))
}

/// Keeps a grant and writes the answer that hands it out.
pub(crate) fn answer(
    memory: &mut Memory,
    grant: Grant,
    id_token: Option<String>,
    now: i64,
) -> Value {
    let faults = &mut memory.misbehaviours;
    let mut body = json!({
        "access_token": grant.access_token,
        "token_type":
            if faults.take(Misbehaviour::TokenTypeCase) { "bEaReR" } else { "Bearer" },
        "scope": grant.scopes.join(" "),
    });
    if !faults.take(Misbehaviour::NoExpiresIn) {
        body["expires_in"] = json!(grant.access_expires - now);
    }
    if let Some(token) = &grant.refresh_token
        && !faults.take(Misbehaviour::NoRefreshToken)
    {
        body["refresh_token"] = json!(token);
    }
    if let Some(token) = id_token {
        body["id_token"] = json!(token);
    }
    memory.kept.grants.retain(|old| old.access_expires > now || old.refresh_expires > now);
    memory.kept.grants.push(grant);
    body
}
