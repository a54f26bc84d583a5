//! Leaving at the provider: its refresh token is revoked, and the person is sent to its own sign-out.

use crate::app::App;
use crate::config::Secret;
use crate::freshness::vault;
use crate::http::cookies::{self, Cookies};
use crate::signin::flow::random_text;
use crate::signin::provider::{Metadata, Provider};
use crate::store::StoreError;
use crate::store::sessions::SessionId;
use campus_app::AtProvider;
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;
use url::Url;

/// Longest a revocation may take.
const REVOKING: Duration = Duration::from_secs(5);
/// Longest a person who signs out waits for a sign of life of the provider.
const ALIVE_WITHIN: Duration = Duration::from_secs(3);
/// How long a person may stay at the provider's sign-out, in seconds.
const LEAVING_SECONDS: i64 = 600;

/// What is held of a session's tokens when it ends.
#[derive(Clone, Debug, Default)]
pub struct HeldTokens {
    /// To be revoked.
    pub refresh_token: Option<Secret>,
    /// Tells the provider which session to end.
    pub id_token: Option<Secret>,
}

/// The tokens of a session, to be read before its end deletes them.
///
/// # Errors
/// When the database does not answer.
pub async fn held_tokens(
    app: &App,
    db: &mut PgConnection,
    session: SessionId,
) -> Result<HeldTokens, StoreError> {
    let tokens = vault::peek(db, &app.freshness.keys, session).await?;
    Ok(tokens.map_or_else(HeldTokens::default, |tokens| HeldTokens {
        refresh_token: tokens.refresh,
        id_token: tokens.id_token,
    }))
}

/// Revokes a refresh token in the background: whoever signs out does not wait for it, and is signed out
/// whatever comes of it.
pub fn revoke_later(app: Arc<App>, refresh_token: Secret) {
    let revoking = async move {
        match timeout(REVOKING, revoke(&app.provider, &refresh_token)).await {
            Ok(outcome) => tracing::info!(?outcome, "a refresh token was to be revoked"),
            Err(_) => tracing::warn!("the revocation endpoint took too long"),
        }
    };
    tokio::spawn(tracing::Instrument::in_current_span(revoking));
}

/// What came of a revocation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Revocation {
    /// The provider took it back.
    Done,
    /// The provider has no address for it, as gen1.
    NoEndpoint,
    /// It did not answer, or refused.
    Failed,
}

/// Revokes a refresh token (RFC 7009 §2.1).
pub async fn revoke(provider: &Provider, refresh_token: &Secret) -> Revocation {
    let Ok(metadata) = provider.metadata().await else { return Revocation::Failed };
    let Some(endpoint) = &metadata.revocation_endpoint else { return Revocation::NoEndpoint };
    let form = [("token", refresh_token.expose()), ("token_type_hint", "refresh_token")];
    match provider.post_as_client(&metadata, endpoint, &form).await {
        Ok(reply) if reply.status == 200 => Revocation::Done,
        Ok(reply) => {
            tracing::warn!(status = reply.status, "a refresh token was not revoked");
            Revocation::Failed
        }
        Err(error) => {
            tracing::warn!(%error, "the revocation endpoint did not answer");
            Revocation::Failed
        }
    }
}

/// The address of the provider's own sign-out (OpenID Connect RP-Initiated Logout 1.0 §2). `None` where it
/// has none, or would refuse us for want of a hint.
#[must_use]
pub fn end_session_url(
    metadata: &Metadata,
    client_id: &str,
    id_token_hint: Option<&Secret>,
    post_logout_redirect_uri: &str,
    state: &str,
) -> Option<Url> {
    let mut url = metadata.end_session_endpoint.clone()?;
    if id_token_hint.is_none() && metadata.back_channel_logout {
        return None;
    }
    let mut query = url.query_pairs_mut();
    query.append_pair("client_id", client_id);
    if let Some(hint) = id_token_hint {
        query.append_pair("id_token_hint", hint.expose());
    }
    query
        .append_pair("post_logout_redirect_uri", post_logout_redirect_uri)
        .append_pair("state", state);
    drop(query);
    Some(url)
}

/// A person on the way to the provider's sign-out, as their browser remembers it.
#[derive(Debug, Serialize, Deserialize)]
struct Leaving {
    /// What must come back; `None` if the provider could not be asked.
    state: Option<String>,
}

/// Where a person goes who wants to be signed out at the provider too, and the `Set-Cookie` value that
/// remembers it.
pub struct Departure {
    /// The provider's sign-out; `None` if it cannot be asked.
    pub url: Option<Url>,
    /// The browser's memory of it.
    pub set_cookie: String,
}

/// Makes ready for the provider's sign-out.
pub async fn depart(app: &App, id_token_hint: Option<&Secret>, return_to: &str) -> Departure {
    let state = random_text();
    let url = match is_alive(&app.provider).await {
        Some(metadata) => {
            let client_id = &app.provider.settings.client_id;
            end_session_url(&metadata, client_id, id_token_hint, return_to, &state)
        }
        None => None,
    };
    let leaving = Leaving { state: url.is_some().then_some(state) };
    let plain = serde_json::to_vec(&leaving).unwrap_or_default();
    let sealed = app.flow_keys.seal(cookies::LEAVING, &plain);
    let set_cookie = app.cookies.set(cookies::LEAVING, &sealed, LEAVING_SECONDS);
    Departure { url, set_cookie }
}

/// The provider's metadata if it answers at this moment: held metadata would send a person to a host that
/// is away, from where they do not come back.
async fn is_alive(provider: &Provider) -> Option<Arc<Metadata>> {
    let asked = async {
        let metadata = provider.metadata().await.ok()?;
        let reply = provider.client.get(&provider.settings.discovery_url, None).await.ok()?;
        (reply.status < 500).then_some(metadata)
    };
    timeout(ALIVE_WITHIN, asked).await.ok().flatten()
}

/// What is known of the sign-out at the provider when the browser shows the signed-out page. Only the state
/// that this browser left with confirms it.
#[must_use]
pub fn at_provider(app: &App, cookies: &Cookies, state: Option<&str>) -> AtProvider {
    let leaving = cookies
        .get(cookies::LEAVING)
        .and_then(|sealed| app.flow_keys.open(cookies::LEAVING, sealed))
        .and_then(|plain| serde_json::from_slice::<Leaving>(&plain).ok());
    match (leaving, state) {
        (None, None) => AtProvider::NotAsked,
        (Some(Leaving { state: None }), None) => AtProvider::Unreachable,
        (Some(Leaving { state: Some(left_with) }), Some(state)) if left_with == state => {
            AtProvider::SignedOut
        }
        _ => AtProvider::Unconfirmed,
    }
}

/// Where a person finds the provider itself.
#[must_use]
pub fn home(app: &App) -> Option<String> {
    let issuer = Url::parse(&app.provider.settings.issuer).ok()?;
    Some(format!("{}/", issuer.origin().ascii_serialization()))
}
