//! `POST /auth/backchannel-logout`: the provider says that a session ended there, and what came of it ends
//! here, on every instance at once (OpenID Connect Back-Channel Logout 1.0 §2.5 to §2.8).

use super::exchange::CAMPUS_ONE;
use super::jws::token_type;
use super::logout_token::{Expected, Fault, LogoutToken, Whom};
use crate::app::App;
use crate::audit::Cause;
use crate::clock;
use crate::http::client::Client;
use crate::http::request_id::RequestId;
use crate::http::respond::private;
use crate::people;
use crate::store::sessions::Sessions;
use crate::store::users::Known;
use crate::store::{StoreError, logout_tokens, users};
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use axum::{Extension, Json};
use campus::audit::{Actor, AuditKind};
use campus::person::Identity;
use campus::reason::EndReason;
use serde_json::json;
use std::sync::Arc;

/// The receiver's address, as it is registered with the provider.
pub const BACKCHANNEL_PATH: &str = "/auth/backchannel-logout";

/// Why nothing was done.
enum Failure {
    /// The token is at fault.
    Token(Fault),
    /// We are, or the provider's keys cannot be had: the same token may be sent again.
    NotNow,
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        Self::Token(fault)
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        tracing::error!(%error, "the store failed during a back-channel logout");
        Self::NotNow
    }
}

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Self {
        Self::from(StoreError::from(error))
    }
}

/// Receives a logout token. 200 says that it was believed, also where nobody had a session; 400 that it was
/// not; 503 that it could not be looked at. The provider is the only one who reads the answer.
pub async fn receive(
    State(app): State<Arc<App>>,
    Extension(request_id): Extension<RequestId>,
    client: Client,
    body: Bytes,
) -> Response {
    let refused = |status: StatusCode, error: &str, text: &str| {
        tracing::warn!(reason = text, "a back-channel logout was refused");
        (status, Json(json!({ "error": error, "error_description": text }))).into_response()
    };
    let mut response = match log_out(&app, &body, request_id.0).await {
        Ok(ended) => {
            tracing::info!(ended, "a back-channel logout");
            StatusCode::OK.into_response()
        }
        Err(Failure::Token(fault)) => {
            if let Err(refusal) = app.rates.forgery(client) {
                return refusal.into_response();
            }
            refused(StatusCode::BAD_REQUEST, "invalid_request", &fault.to_string())
        }
        Err(Failure::NotNow) => {
            let text = "the token cannot be looked at now";
            refused(StatusCode::SERVICE_UNAVAILABLE, "temporarily_unavailable", text)
        }
    };
    private(&mut response);
    response
}

/// Checks the token and does what it says, both or neither. Returns how many sessions were live.
async fn log_out(app: &App, body: &[u8], request_id: String) -> Result<u64, Failure> {
    let token = the_token(body)?;
    let metadata = app.provider.metadata().await.map_err(|_| Failure::NotNow)?;
    app.provider.ensure_keys().await.map_err(|_| Failure::NotNow)?;
    let claims = app.provider.verify_message(&token).await.map_err(|_| Fault::Signature)?;
    let typ = token_type(&token).map_err(|_| Fault::Type)?;
    let now = clock::now();
    let expected = Expected {
        issuer: &metadata.issuer,
        client_id: &app.provider.settings.client_id,
        now,
        leeway: app.leeway,
    };
    let token = LogoutToken::validate(typ.as_deref(), &claims, expected)?;

    let rule = "back-channel logout";
    let cause = Cause { actor: Actor::Provider, request_id: Some(request_id), rule };
    let mut transaction = app.db.begin().await?;
    if !logout_tokens::spend(&mut transaction, &token.jti, token.expires).await? {
        return Err(Fault::Replayed.into());
    }
    let db = &mut transaction;
    let ended = match token.whom {
        Whom::Session { sid, subject } => {
            let (issuer, subject) = (&metadata.issuer, subject.as_deref());
            people::end_provider_session(db, issuer, &sid, subject, &cause, now).await?
        }
        Whom::Subject(subject) => {
            let (provider, issuer) = (CAMPUS_ONE.to_owned(), metadata.issuer.clone());
            let identity = Identity { provider, issuer, subject };
            match users::lock(db, &identity).await? {
                Some(Known { person, .. }) => {
                    let (all, reason) = (Sessions::All, EndReason::SignedOutAtProvider);
                    let kind = AuditKind::SessionsEnded;
                    people::end_sessions(db, person, all, reason, kind, &cause, now).await?
                }
                None => 0,
            }
        }
    };
    transaction.commit().await?;
    Ok(ended)
}

/// The form's `logout_token`, which comes exactly once (§2.5).
fn the_token(body: &[u8]) -> Result<String, Fault> {
    let mut tokens = url::form_urlencoded::parse(body).filter(|(name, _)| name == "logout_token");
    match (tokens.next(), tokens.next()) {
        (Some((_, token)), None) => Ok(token.into_owned()),
        _ => Err(Fault::Form),
    }
}
