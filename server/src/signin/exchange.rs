//! The exchange: a code becomes tokens, tokens become claims that can be trusted.

use super::client::{ClientError, Reply};
use super::flow::{Flow, Mode};
use super::id_token::{Expected, IdToken, is_subject};
use super::jws::JwsError;
use super::provider::{Metadata, Provider, ProviderError};
use super::step_up;
use super::tokens::Tokens;
use crate::clock;
use campus::claims::{self, Claims};
use campus::instant::Instant;
use campus::person::{Identity, Source};
use campus::reason::Reason;
use serde_json::{Map, Value};

/// The provider's word in the identity key.
pub const CAMPUS_ONE: &str = "campus-one";

/// `max_age` of a step-up, in seconds. Nought would be the word for "ask now", but better-auth 1.4 to 1.6
/// looks at it again after it has asked, finds the sign-in a few milliseconds old, and asks for ever.
const STEP_UP_MAX_AGE: &str = "60";

/// Who somebody proved to be.
#[derive(Clone, Debug)]
pub struct Proven {
    /// Who it is.
    pub identity: Identity,
    /// The provider's session id.
    pub sid: Option<String>,
    /// When they proved it, where the provider says so.
    pub auth_time: Option<Instant>,
    /// What is said of them.
    pub claims: Claims,
    /// When that was true.
    pub as_of: Instant,
    /// Who said it.
    pub source: Source,
    /// The tokens by which it can be asked again.
    pub tokens: Tokens,
}

/// Turns provider faults into what a person reads; the details go to the log.
#[must_use]
pub fn reason_of(error: &ProviderError) -> Reason {
    match error {
        ProviderError::Client(ClientError::Unreadable(_)) | ProviderError::Metadata(_) => {
            Reason::PROVIDER_ANSWER
        }
        ProviderError::Client(ClientError::NotSent(_) | ClientError::Unreachable(_))
        | ProviderError::Recent(_)
        | ProviderError::Status(_) => Reason::PROVIDER_UNREACHABLE,
    }
}

/// The address that starts a flow at the provider (OpenID Connect Core §3.1.2.1).
#[must_use]
pub fn authorization_url(
    provider: &Provider,
    metadata: &Metadata,
    flow: &Flow,
    redirect_uri: &str,
    login_hint: Option<&str>,
) -> url::Url {
    let mut url = metadata.authorization_endpoint.clone();
    let mut query = url.query_pairs_mut();
    query
        .append_pair("response_type", "code")
        .append_pair("client_id", &provider.settings.client_id)
        .append_pair("redirect_uri", redirect_uri)
        .append_pair("scope", &provider.settings.scopes.join(" "))
        .append_pair("state", &flow.state)
        .append_pair("nonce", &flow.nonce)
        .append_pair("code_challenge", &flow.code_challenge())
        .append_pair("code_challenge_method", "S256");
    match flow.mode {
        Mode::Silent { .. } => {
            query.append_pair("prompt", "none");
        }
        Mode::StepUp => {
            // `max_age` makes the provider say when it asked (OpenID Connect Core §3.1.2.1).
            query.append_pair("prompt", "login").append_pair("max_age", STEP_UP_MAX_AGE);
        }
        Mode::Interactive => {}
    }
    if let Some(hint) = login_hint {
        query.append_pair("login_hint", hint);
    }
    drop(query);
    url
}

/// Redeems a code and proves who came.
///
/// What can be known before the code is spent is made sure of first: a failed exchange burns the code.
///
/// # Errors
/// The reason for the page; every detail that helps an operator is in the log.
pub async fn redeem(
    provider: &Provider,
    flow: &Flow,
    code: &str,
    redirect_uri: &str,
    leeway: i64,
) -> Result<Proven, Reason> {
    let metadata = provider.metadata().await.map_err(|error| reason_of(&error))?;
    provider.ensure_keys().await.map_err(|error| {
        tracing::warn!(%error, "no keys to check an ID token with");
        reason_of(&error)
    })?;
    let tokens = fetch_tokens(provider, &metadata, flow, code, redirect_uri).await?;
    let id_token = tokens.id_token.as_ref().map_or("", |token| token.expose());
    let claims = provider.verify(id_token).await.map_err(|error| {
        if error == JwsError::SharedSecret {
            tracing::error!(%error, "an ID token was refused");
        } else {
            tracing::warn!(%error, "an ID token was refused");
        }
        match error {
            JwsError::Malformed => Reason::ID_TOKEN_MALFORMED,
            JwsError::Algorithm
            | JwsError::SharedSecret
            | JwsError::NoKey
            | JwsError::Signature => Reason::ID_TOKEN_SIGNATURE,
        }
    })?;
    let now = clock::now();
    let id_token = IdToken::validate(
        claims,
        Expected {
            issuer: &metadata.issuer,
            client_id: &provider.settings.client_id,
            nonce: Some(&flow.nonce),
            access_token: tokens.access.expose(),
            now,
            leeway,
        },
    )
    .inspect_err(|reason| tracing::warn!(reason = reason.code, "an ID token was refused"))?;

    if flow.mode == Mode::StepUp {
        step_up::check(id_token.auth_time, flow.issued_at, leeway)?;
    }
    let userinfo = fetch_userinfo(provider, &metadata, &tokens, &id_token.subject).await?;
    let (source, as_of) = match userinfo {
        Some(_) => (Source::Userinfo, now),
        // A clock that runs ahead must not make facts that no later ones can replace.
        None => (Source::IdToken, id_token.issued_at.min(now)),
    };
    let merged = claims::merge(id_token.claims, userinfo.unwrap_or_default());
    let claims = Claims::parse(&merged);
    if !claims.dropped.is_empty() {
        tracing::warn!(claims = ?claims.dropped, "claims of the wrong type were dropped");
    }
    let identity = Identity {
        provider: CAMPUS_ONE.to_owned(),
        issuer: metadata.issuer.clone(),
        subject: id_token.subject,
    };
    let IdToken { sid, auth_time, .. } = id_token;
    Ok(Proven { identity, sid, auth_time, claims, as_of, source, tokens })
}

async fn fetch_tokens(
    provider: &Provider,
    metadata: &Metadata,
    flow: &Flow,
    code: &str,
    redirect_uri: &str,
) -> Result<Tokens, Reason> {
    let form = [
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", redirect_uri),
        ("code_verifier", &flow.code_verifier),
    ];
    let asked = clock::now();
    let asking = provider.post_as_client(metadata, &metadata.token_endpoint, &form);
    let reply = asking.await.map_err(|error| {
        tracing::warn!(%error, "the token endpoint did not answer");
        Reason::PROVIDER_UNREACHABLE
    })?;
    let answer = reply.json().unwrap_or_default();
    if reply.status != 200 {
        let error = answer.get("error").and_then(Value::as_str).unwrap_or_default();
        return Err(refused(&reply, error));
    }
    let tokens = Tokens::parse(&answer, asked).filter(|tokens| tokens.id_token.is_some());
    tokens.ok_or_else(|| {
        tracing::warn!("the token endpoint's answer lacks a token or is of another type");
        Reason::PROVIDER_ANSWER
    })
}

fn refused(reply: &Reply, error: &str) -> Reason {
    let reason = match error {
        _ if reply.is_transient() => Reason::PROVIDER_UNREACHABLE,
        "invalid_client" | "unauthorized_client" => Reason::CLIENT_REFUSED,
        "invalid_grant" | "invalid_request" => Reason::CODE_REFUSED,
        _ => Reason::PROVIDER_REFUSED,
    };
    if reason == Reason::CLIENT_REFUSED {
        tracing::error!(status = reply.status, "Campus One refuses this app's client id or secret");
    } else {
        tracing::warn!(status = reply.status, reason = reason.code, "a code was refused");
    }
    reason
}

/// Userinfo, once after each exchange. Only its claims may be missing: when it is away the ID token
/// stands alone; when it speaks of somebody else, nobody is signed in (OpenID Connect Core §5.3.2).
async fn fetch_userinfo(
    provider: &Provider,
    metadata: &Metadata,
    tokens: &Tokens,
    subject: &str,
) -> Result<Option<Map<String, Value>>, Reason> {
    let Some(endpoint) = &metadata.userinfo_endpoint else { return Ok(None) };
    let reply = match provider.client.get(endpoint, Some(tokens.access.expose())).await {
        Ok(reply) if reply.status == 200 => reply,
        Ok(reply) => {
            tracing::warn!(
                status = reply.status,
                "userinfo was refused; the ID token stands alone"
            );
            return Ok(None);
        }
        Err(error) => {
            tracing::warn!(%error, "userinfo did not answer; the ID token stands alone");
            return Ok(None);
        }
    };
    let claims = userinfo_claims(provider, metadata, &reply, subject).await?;
    if claims.is_none() {
        tracing::warn!("userinfo is no JSON object; the ID token stands alone");
    }
    Ok(claims)
}

/// The claims of a good answer of userinfo; `None` if it is no JSON object.
///
/// # Errors
/// When a signed answer is not properly signed, or the subject is another one.
pub async fn userinfo_claims(
    provider: &Provider,
    metadata: &Metadata,
    reply: &Reply,
    subject: &str,
) -> Result<Option<Map<String, Value>>, Reason> {
    let claims = if reply.is_jwt {
        signed_userinfo(provider, metadata, reply).await?
    } else {
        let Ok(Value::Object(claims)) = reply.json() else { return Ok(None) };
        claims
    };
    let sub = claims.get("sub").and_then(Value::as_str).unwrap_or_default();
    if is_subject(sub) && sub == subject {
        Ok(Some(claims))
    } else {
        tracing::warn!("userinfo speaks of another subject");
        Err(Reason::USERINFO_SUBJECT)
    }
}

/// Signed userinfo (OpenID Connect Core §5.3.2): the issuer and, where given, the audience must be right.
async fn signed_userinfo(
    provider: &Provider,
    metadata: &Metadata,
    reply: &Reply,
) -> Result<Map<String, Value>, Reason> {
    let token = std::str::from_utf8(&reply.body).unwrap_or_default().trim();
    let claims = provider.verify(token).await.map_err(|error| {
        tracing::warn!(%error, "signed userinfo was refused");
        Reason::ID_TOKEN_SIGNATURE
    })?;
    let text = |name: &str| claims.get(name).and_then(Value::as_str);
    let ours = match claims.get("aud") {
        None => true,
        Some(Value::Array(auds)) => {
            auds.iter().any(|aud| aud.as_str() == Some(&provider.settings.client_id))
        }
        Some(aud) => aud.as_str() == Some(&provider.settings.client_id),
    };
    if text("iss").is_none_or(|iss| iss == metadata.issuer) && ours {
        Ok(claims)
    } else {
        Err(Reason::ID_TOKEN_ISSUER)
    }
}
