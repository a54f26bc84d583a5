//! The userinfo endpoint: claims as they are now, for whoever holds a live access token.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, StatusCode};
use serde_json::{Map, Value, json};
use time::OffsetDateTime;

use crate::answer::{Refusal, fault};
use crate::id_token::spoil_shapes;
use crate::keys::KeyError;
use crate::memory::{Memory, Shared};
use crate::misbehaviour::Misbehaviour as M;

/// `GET /api/auth/oauth2/userinfo`
pub(crate) async fn userinfo(State(shared): State<Arc<Shared>>, headers: HeaderMap) -> Response {
    let outcome = shared.change(|memory| {
        let claims = claims(memory, &shared.origin, &headers)?;
        Ok(if memory.misbehaviours.take(M::UserinfoSigned) {
            Answer::Signed(signed(memory, claims, &shared.origin))
        } else {
            Answer::Plain(claims)
        })
    });
    match outcome {
        Ok(Answer::Plain(claims)) => Json(Value::Object(claims)).into_response(),
        Ok(Answer::Signed(Ok(token))) => {
            ([(CONTENT_TYPE, "application/jwt")], token).into_response()
        }
        Ok(Answer::Signed(Err(error))) => fault(&error),
        Err(refusal) => {
            let refusal: Refusal = refusal;
            refusal.into_response()
        }
    }
}

enum Answer {
    Plain(Map<String, Value>),
    Signed(Result<String, KeyError>),
}

fn claims(
    memory: &mut Memory,
    origin: &str,
    headers: &HeaderMap,
) -> Result<Map<String, Value>, Refusal> {
    let refused = |error, why| Refusal::new(StatusCode::UNAUTHORIZED, error, why);
    let token = bearer(headers)
        .ok_or_else(|| refused("invalid_request", "authorization header not found"))?;
    if memory.misbehaviours.take(M::Userinfo401) {
        return Err(refused("invalid_token", "Invalid access token"));
    }
    let now = OffsetDateTime::now_utc();
    let grant = memory
        .kept
        .grants
        .iter()
        .find(|grant| grant.access_token == token)
        .ok_or_else(|| refused("invalid_token", "Invalid access token"))?;
    if !grant.is_live(memory, now.unix_timestamp()) {
        return Err(refused("invalid_token", "The Access Token expired"));
    }
    let person = memory
        .person(&grant.person)
        .ok_or_else(|| refused("invalid_token", "The person is gone"))?;
    let mut claims = person.claims(&grant.scopes, origin, now);
    spoil_shapes(&mut claims, &memory.misbehaviours);
    for shape in [M::LevelAsString, M::RolesAsString, M::EmailVerifiedAsString] {
        memory.misbehaviours.take(shape);
    }
    if memory.misbehaviours.take(M::UserinfoInvalidSub) {
        claims.insert("sub".to_owned(), json!("user_someone_else"));
    }
    Ok(claims)
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

fn signed(
    memory: &mut Memory,
    mut claims: Map<String, Value>,
    origin: &str,
) -> Result<String, KeyError> {
    claims.insert("iss".to_owned(), json!(memory.issuer(origin)));
    let key = memory.kept.keys.current(memory.algorithm)?;
    key.sign(&json!({ "alg": key.algorithm.as_str(), "kid": key.kid }), &Value::Object(claims))
}
