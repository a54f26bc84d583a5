//! The provider's metadata and its published keys.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use crate::answer::fault;
use crate::memory::{Memory, Shared, now};
use crate::misbehaviour::Misbehaviour;
use crate::options::Profile;

/// The scopes Campus One knows.
pub(crate) const SCOPES: [&str; 8] = [
    "openid",
    "profile",
    "email",
    "offline_access",
    "academic",
    "calendar",
    "notifications",
    "roles",
];

/// `GET …/.well-known/openid-configuration`
pub(crate) async fn discovery(State(shared): State<Arc<Shared>>) -> Json<Value> {
    Json(shared.change(|memory| metadata(memory, &shared.origin)))
}

fn metadata(memory: &mut Memory, origin: &str) -> Value {
    let base = format!("{origin}/api/auth");
    let mut issuer = memory.issuer(origin);
    if memory.misbehaviours.take(Misbehaviour::DiscoveryIssuerMismatch) {
        issuer.push_str("/other");
    }
    let mut document = json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{base}/oauth2/authorize"),
        "token_endpoint": format!("{base}/oauth2/token"),
        "userinfo_endpoint": format!("{base}/oauth2/userinfo"),
        "jwks_uri": format!("{base}/jwks"),
        "registration_endpoint": format!("{base}/oauth2/register"),
        "scopes_supported": SCOPES,
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code", "refresh_token"],
        "acr_values_supported": ["urn:mace:incommon:iap:silver", "urn:mace:incommon:iap:bronze"],
        "subject_types_supported": ["public"],
        "code_challenge_methods_supported": ["S256"],
        "claims_supported":
            ["sub", "iss", "aud", "exp", "nbf", "iat", "jti", "email", "email_verified", "name"],
    });
    match memory.profile {
        Profile::Gen1 => {
            document["end_session_endpoint"] = json!(format!("{base}/oauth2/endsession"));
            // better-auth's fixed text, whatever the keys are.
            document["id_token_signing_alg_values_supported"] = json!(["RS256", "EdDSA"]);
            document["token_endpoint_auth_methods_supported"] =
                json!(["client_secret_basic", "client_secret_post", "none"]);
        }
        Profile::Gen2 => {
            document["end_session_endpoint"] = json!(format!("{base}/oauth2/end-session"));
            document["revocation_endpoint"] = json!(format!("{base}/oauth2/revoke"));
            document["id_token_signing_alg_values_supported"] = json!([memory.algorithm.as_str()]);
            document["token_endpoint_auth_methods_supported"] = json!(["client_secret_post"]);
            document["backchannel_logout_supported"] = json!(true);
            document["backchannel_logout_session_supported"] = json!(true);
        }
    }
    if memory.misbehaviours.is_on(Misbehaviour::ClientSecretBasicOnly) {
        document["token_endpoint_auth_methods_supported"] = json!(["client_secret_basic"]);
    }
    let promised = memory.profile == Profile::Gen2
        && !memory.misbehaviours.is_on(Misbehaviour::IssMissingInTokenButOk);
    if promised || memory.misbehaviours.is_on(Misbehaviour::AuthorizationIssMissing) {
        document["authorization_response_iss_parameter_supported"] = json!(true);
    }
    document
}

/// `GET /api/auth/jwks`
pub(crate) async fn jwks(State(shared): State<Arc<Shared>>) -> Response {
    let keys = shared.change(|memory| {
        memory.kept.keys.current(memory.algorithm)?;
        memory.kept.keys.jwks(now())
    });
    match keys {
        Ok(keys) => Json(keys).into_response(),
        Err(error) => fault(&error),
    }
}
