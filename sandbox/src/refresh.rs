//! Refreshing: generous in gen1, rotating with reuse detection in gen2. Revocation is here as well,
//! for it is the other thing one does with a refresh token.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode};
use serde_json::Value;

use crate::answer::Refusal;
use crate::form::Form;
use crate::id_token::{self, Occasion};
use crate::memory::{Memory, Shared};
use crate::misbehaviour::Misbehaviour;
use crate::options::Profile;
use crate::token::{TokenError, answer, authenticate};

/// New tokens for a refresh token.
pub(crate) fn refresh(
    memory: &mut Memory,
    origin: &str,
    headers: &HeaderMap,
    form: &Form,
    now: i64,
) -> Result<Value, TokenError> {
    let gen2 = memory.profile == Profile::Gen2;
    let status = if gen2 { StatusCode::BAD_REQUEST } else { StatusCode::UNAUTHORIZED };
    let invalid = |why| TokenError::from(Refusal::new(status, "invalid_grant", why));
    let client = authenticate(memory, headers, form)?;
    let token = form.get("refresh_token").ok_or_else(|| {
        Refusal::new(StatusCode::BAD_REQUEST, "invalid_request", "refresh_token is required")
    })?;
    let found =
        memory.kept.grants.iter_mut().find(|grant| {
            grant.client == client.id && grant.refresh_token.as_deref() == Some(token)
        });
    let Some(grant) = found else { return Err(invalid("invalid refresh token")) };
    if grant.rotated {
        memory.reuses += 1;
        let person = grant.person.clone();
        memory.kept.grants.retain(|g| g.person != person || g.client != client.id);
        return Err(invalid("the refresh token was used before"));
    }
    if grant.refresh_expires <= now {
        return Err(invalid("refresh token expired"));
    }
    grant.rotated = gen2;
    let old = grant.clone();
    let renewed = old.renewed(memory.access_seconds, now);
    let forced = memory.misbehaviours.is_on(Misbehaviour::RefreshInvalidIssuer)
        || memory.misbehaviours.is_on(Misbehaviour::RefreshInvalidSub);
    let id_token = if (gen2 || forced) && renewed.has_scope("openid") {
        Some(id_token::build(memory, origin, &client, &renewed, &Occasion::Refresh, now)?)
    } else {
        None
    };
    Ok(answer(memory, renewed, id_token, now))
}

/// `POST /api/auth/oauth2/revoke`, in gen2 only.
pub(crate) async fn revoke(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let form = Form::parse(&body);
    let outcome = shared.change(|memory| {
        if memory.profile == Profile::Gen1 {
            return Err(Refusal::new(StatusCode::NOT_FOUND, "not_found", "there is no revocation"));
        }
        let client = authenticate(memory, &headers, &form)?;
        let token = form.get("token").unwrap_or_default();
        memory.kept.grants.retain(|grant| {
            grant.client != client.id
                || (grant.access_token != token && grant.refresh_token.as_deref() != Some(token))
        });
        Ok(())
    });
    match outcome {
        Ok(()) => StatusCode::OK.into_response(),
        Err(refusal) => refusal.into_response(),
    }
}
