//! The provider: its metadata and keys, fetched when needed and kept (PROTOCOLS.md rules 1 and 2).

use super::client::{Client, ClientError};
use super::client_auth::ClientAuth;
use super::jws::{JwsError, KeySet};
use crate::config::CampusOneSettings;
use serde_json::{Map, Value};
use std::sync::{Arc, RwLock};
use std::time::{Duration, Instant};
use tokio::sync::Mutex;
use url::Url;

/// How long metadata is good for.
const METADATA_FOR: Duration = Duration::from_secs(3600);
/// How soon a failed discovery is tried again: people wait, so soon, but not on every click.
const RETRY_AFTER: Duration = Duration::from_secs(2);
/// Held keys are fetched anew at most this often, however many tokens name unknown ones.
const KEYS_EVERY: Duration = Duration::from_secs(60);

/// Why the provider could not be used.
#[derive(Debug, thiserror::Error)]
pub enum ProviderError {
    /// No answer, or an unreadable one.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// Discovery failed a short while ago and is not tried again yet.
    #[error("discovery failed a moment ago: {0}")]
    Recent(String),
    /// The metadata is not that of the configured issuer, or names unsafe addresses.
    #[error("the provider's metadata is not acceptable: {0}")]
    Metadata(String),
    /// The provider answered with an error status.
    #[error("the provider answered {0}")]
    Status(u16),
}

/// What we use of the metadata document (OpenID Connect Discovery §3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metadata {
    /// The issuer: equal to the configured one.
    pub issuer: String,
    /// Where browsers are sent.
    pub authorization_endpoint: Url,
    /// Where codes are redeemed.
    pub token_endpoint: Url,
    /// Where claims are live.
    pub userinfo_endpoint: Option<Url>,
    /// Where the keys are.
    pub jwks_uri: Url,
    /// Where people sign out of the provider (OpenID Connect RP-Initiated Logout §2.1).
    pub end_session_endpoint: Option<Url>,
    /// Whether it tells apps of a sign-out (OpenID Connect Back-Channel Logout §2.1). Such a provider, gen2,
    /// must know which session to end and refuses a request without a hint; gen1 never looks at one.
    pub back_channel_logout: bool,
    /// Where tokens are revoked (RFC 7009, RFC 8414 §2).
    pub revocation_endpoint: Option<Url>,
    /// How this app proves itself there.
    pub client_auth: ClientAuth,
    /// Whether every authorization response carries `iss` (RFC 9207 §3).
    pub promises_iss: bool,
}

impl Metadata {
    /// Reads and checks a metadata document.
    ///
    /// # Errors
    /// When the issuer differs in any character, or an address is missing, or is plain http beyond
    /// loopback.
    pub fn parse(document: &Value, issuer: &str) -> Result<Self, ProviderError> {
        let refuse = |what: String| ProviderError::Metadata(what);
        let stated = document.get("issuer").and_then(Value::as_str).unwrap_or_default();
        if stated != issuer {
            return Err(refuse(format!("it is of issuer {stated:?}, not of {issuer:?}")));
        }
        let optional = |name: &str| -> Result<Option<Url>, ProviderError> {
            let Some(text) = document.get(name).and_then(Value::as_str) else { return Ok(None) };
            let url = Url::parse(text).ok().filter(is_safe);
            url.map(Some).ok_or_else(|| refuse(format!("{name} is not an https address")))
        };
        let required =
            |name: &str| optional(name)?.ok_or_else(|| refuse(format!("{name} is missing")));
        let flag = |name: &str| document.get(name).and_then(Value::as_bool).unwrap_or(false);
        Ok(Self {
            issuer: stated.to_owned(),
            authorization_endpoint: required("authorization_endpoint")?,
            token_endpoint: required("token_endpoint")?,
            userinfo_endpoint: optional("userinfo_endpoint")?,
            jwks_uri: required("jwks_uri")?,
            end_session_endpoint: optional("end_session_endpoint")?,
            revocation_endpoint: optional("revocation_endpoint")?,
            back_channel_logout: flag("backchannel_logout_supported"),
            client_auth: ClientAuth::of(document),
            promises_iss: flag("authorization_response_iss_parameter_supported"),
        })
    }
}

fn is_safe(url: &Url) -> bool {
    let loopback = match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(url::Host::Ipv4(ip)) => ip.is_loopback(),
        Some(url::Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    };
    url.scheme() == "https" || (url.scheme() == "http" && loopback)
}

/// The last try at something that is fetched and kept.
struct Kept<T> {
    value: Option<Arc<T>>,
    tried: Option<Instant>,
    fault: String,
}

impl<T> Default for Kept<T> {
    fn default() -> Self {
        Self { value: None, tried: None, fault: String::new() }
    }
}

impl<T> Kept<T> {
    fn within(&self, limit: Duration) -> bool {
        self.tried.is_some_and(|tried| tried.elapsed() < limit)
    }
}

/// When keys were fetched last. The first fetch does not delay the next: a provider may rotate right after
/// it.
#[derive(Default)]
struct KeyFetches {
    first: Option<Instant>,
    for_sign_ins: Option<Instant>,
    for_messages: Option<Instant>,
}

/// Where a token came from whose key is not known.
#[derive(Clone, Copy)]
enum Origin {
    /// The provider's token endpoint, which we asked.
    Answer,
    /// Anybody: a message that claims to be the provider's.
    Message,
}

/// A provider of the standard kind.
pub struct Provider {
    /// How this app is known there.
    pub settings: CampusOneSettings,
    /// The way there.
    pub client: Client,
    metadata: Mutex<Kept<Metadata>>,
    keys: RwLock<Arc<KeySet>>,
    key_fetches: Mutex<KeyFetches>,
}

impl Provider {
    /// A provider of which nothing is known yet.
    #[must_use]
    pub fn new(settings: CampusOneSettings, client: Client) -> Self {
        Self {
            settings,
            client,
            metadata: Mutex::default(),
            keys: RwLock::default(),
            key_fetches: Mutex::default(),
        }
    }

    /// The metadata: kept for an hour, and for longer while a newer copy cannot be had.
    ///
    /// # Errors
    /// When there is no copy and none can be had.
    pub async fn metadata(&self) -> Result<Arc<Metadata>, ProviderError> {
        let mut kept = self.metadata.lock().await;
        if let Some(value) = &kept.value
            && kept.within(METADATA_FOR)
        {
            return Ok(value.clone());
        }
        if kept.value.is_none() && kept.within(RETRY_AFTER) {
            return Err(ProviderError::Recent(kept.fault.clone()));
        }
        let fetched = self.fetch_metadata().await;
        kept.tried = Some(Instant::now());
        match fetched {
            Ok(metadata) => {
                let metadata = Arc::new(metadata);
                kept.value = Some(metadata.clone());
                Ok(metadata)
            }
            Err(error) => {
                tracing::warn!(%error, "discovery failed");
                kept.fault = error.to_string();
                kept.value.clone().ok_or(error)
            }
        }
    }

    async fn fetch_metadata(&self) -> Result<Metadata, ProviderError> {
        let reply = self.client.get(&self.settings.discovery_url, None).await?;
        if reply.status != 200 {
            return Err(ProviderError::Status(reply.status));
        }
        Metadata::parse(&reply.json()?, &self.settings.issuer)
    }

    /// Makes sure that there are keys before a code is spent.
    ///
    /// # Errors
    /// When there are none and none can be had.
    pub async fn ensure_keys(&self) -> Result<(), ProviderError> {
        let known = self.held_keys();
        if known.is_empty() {
            self.fetch_keys(&known, Origin::Answer).await?;
        }
        if self.held_keys().is_empty() {
            return Err(ProviderError::Recent("there are no usable keys".to_owned()));
        }
        Ok(())
    }

    /// Checks a token's signature; where newer keys could help, they are fetched and tried once.
    ///
    /// # Errors
    /// See [`JwsError`].
    pub async fn verify(&self, token: &str) -> Result<Map<String, Value>, JwsError> {
        self.verify_from(token, Origin::Answer).await
    }

    /// The same for a token that anybody may have sent. Unknown keys in these are looked for on an account
    /// of their own: a forged one must not use up the fetch that a sign-in needs after a rotation.
    ///
    /// # Errors
    /// See [`JwsError`].
    pub async fn verify_message(&self, token: &str) -> Result<Map<String, Value>, JwsError> {
        self.verify_from(token, Origin::Message).await
    }

    async fn verify_from(
        &self,
        token: &str,
        origin: Origin,
    ) -> Result<Map<String, Value>, JwsError> {
        let known = self.held_keys();
        match known.verify(token) {
            Err(error) if error.may_be_stale_keys() => {
                if let Err(fault) = self.fetch_keys(&known, origin).await {
                    tracing::warn!(error = %fault, "the keys could not be fetched; the old ones stay");
                }
                self.held_keys().verify(token)
            }
            other => other,
        }
    }

    fn held_keys(&self) -> Arc<KeySet> {
        // A panic while the lock is held cannot leave a half-written Arc behind.
        self.keys.read().unwrap_or_else(std::sync::PoisonError::into_inner).clone()
    }

    /// Fetches keys newer than the `known` ones, unless that was tried a short while ago; the old ones stay
    /// when it fails.
    async fn fetch_keys(&self, known: &Arc<KeySet>, origin: Origin) -> Result<(), ProviderError> {
        let metadata = self.metadata().await?;
        let mut fetches = self.key_fetches.lock().await;
        if !Arc::ptr_eq(known, &self.held_keys()) {
            // Somebody fetched them while this task waited for its turn.
            return Ok(());
        }
        let (last, pause) = if known.is_empty() {
            (&mut fetches.first, RETRY_AFTER)
        } else {
            let last = match origin {
                Origin::Answer => &mut fetches.for_sign_ins,
                Origin::Message => &mut fetches.for_messages,
            };
            (last, KEYS_EVERY)
        };
        if last.is_some_and(|at| at.elapsed() < pause) {
            return Ok(());
        }
        *last = Some(Instant::now());
        let reply = self.client.get(&metadata.jwks_uri, None).await?;
        if reply.status != 200 {
            return Err(ProviderError::Status(reply.status));
        }
        let keys = KeySet::parse(&reply.json()?);
        tracing::info!(keys = keys.len(), "the provider's keys were fetched");
        if !keys.is_empty() {
            let mut held = self.keys.write().unwrap_or_else(std::sync::PoisonError::into_inner);
            *held = Arc::new(keys);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn document() -> Value {
        json!({
            "issuer": "https://auth.campusone.com.ng",
            "authorization_endpoint": "https://auth.campusone.com.ng/api/auth/oauth2/authorize",
            "token_endpoint": "https://auth.campusone.com.ng/api/auth/oauth2/token",
            "userinfo_endpoint": "https://auth.campusone.com.ng/api/auth/oauth2/userinfo",
            "jwks_uri": "https://auth.campusone.com.ng/api/auth/jwks",
            "id_token_signing_alg_values_supported": ["RS256", "EdDSA", "none"],
        })
    }

    #[test]
    fn rule_1_the_issuer_is_compared_as_a_string() {
        let issuer = "https://auth.campusone.com.ng";
        assert!(Metadata::parse(&document(), issuer).is_ok());
        for other in ["https://auth.campusone.com.ng/", "https://AUTH.campusone.com.ng", ""] {
            assert!(Metadata::parse(&document(), other).is_err(), "{other}");
        }
    }

    #[test]
    fn rule_1_endpoints_are_https_or_loopback() {
        let issuer = "https://auth.campusone.com.ng";
        let with = |url: &str| {
            let mut document = document();
            document["token_endpoint"] = json!(url);
            Metadata::parse(&document, issuer).is_ok()
        };
        for fine in
            ["https://x.example/t", "http://localhost:9/t", "http://127.0.0.1/t", "http://[::1]/t"]
        {
            assert!(with(fine), "{fine}");
        }
        for bad in
            ["http://x.example/t", "http://localhost.evil.example/t", "ftp://localhost/t", "t", ""]
        {
            assert!(!with(bad), "{bad}");
        }
        let mut missing = document();
        missing.as_object_mut().map(|map| map.remove("jwks_uri"));
        assert!(Metadata::parse(&missing, issuer).is_err());
    }
}
