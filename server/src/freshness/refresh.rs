//! The refresh of one session's tokens: by one holder of the lease, whatever process it is in; everybody
//! else waits and uses what it brought.

use super::budget::{self, Endpoint, Permit};
use super::decision::{TokenVerdict, Trouble, token_verdict};
use super::vault::{self, Held};
use crate::app::App;
use crate::clock;
use crate::config::Secret;
use crate::signin::client::ClientError;
use crate::signin::id_token::{Expected, IdToken};
use crate::signin::provider::Metadata;
use crate::signin::tokens::Tokens;
use crate::store::StoreError;
use crate::store::sessions::SessionId;
use crate::store::tokens;
use campus::person::Identity;
use serde_json::Value;
use std::future::Future;
use std::time::Duration;
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep};
use uuid::Uuid;

/// How long a lease holds unless it is renewed: so long after a crash others go on.
const LEASE_SECONDS: f64 = 5.0;
/// How often it is renewed while the provider is silent.
const RENEW_EVERY: Duration = Duration::from_millis(1500);
/// How often the others look, give or take a half.
const LOOK_EVERY_MS: u64 = 100;
/// How long the others wait: longer than a call may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// What came of a refresh.
#[derive(Debug)]
pub enum Refreshed {
    /// Newer tokens, by this refresh or by somebody else's.
    Good(Box<Held>),
    /// The grant is over. The tokens that were refused are of this version.
    GrantRefused(i64),
    /// There is no refresh token that may be sent.
    Impossible,
    /// It could not be done now.
    Failed(Trouble),
    /// The session's tokens are gone: it has ended.
    Gone,
}

/// Refreshes a session's tokens, unless they are newer than the version `seen`.
///
/// # Errors
/// When the database does not answer.
pub async fn refresh(
    app: &App,
    metadata: &Metadata,
    identity: &Identity,
    session: SessionId,
    seen: i64,
) -> Result<Refreshed, StoreError> {
    let deadline = Instant::now() + PATIENCE;
    while Instant::now() < deadline {
        let Some(held) = vault::open(app, session).await? else { return Ok(Refreshed::Gone) };
        if held.version > seen {
            return Ok(Refreshed::Good(Box::new(held)));
        }
        let Some(refresh_token) = &held.tokens.refresh else { return Ok(Refreshed::Impossible) };
        if held.leased {
            sleep(Duration::from_millis(LOOK_EVERY_MS / 2 + rand::random_range(0..LOOK_EVERY_MS)))
                .await;
            continue;
        }
        if held.sent.is_some() && metadata.promises_iss {
            tracing::warn!("a refresh token was sent without an answer; it is never sent again");
            tokens::forget_refresh(&app.db, session, held.version).await?;
            return Ok(Refreshed::Impossible);
        }
        // The answer may hold an ID token, and a token that cannot be checked is lost.
        if let Err(error) = app.provider.ensure_keys().await {
            tracing::warn!(%error, "no keys to check an ID token with; nothing is refreshed");
            return Ok(Refreshed::Failed(Trouble::Provider));
        }
        let holder = Uuid::now_v7();
        if !tokens::lease(&app.db, session, held.version, holder, LEASE_SECONDS).await? {
            continue;
        }
        let lease = Lease { app, session, holder };
        if let Some(refreshed) = lease.use_up(metadata, identity, &held, refresh_token).await? {
            return Ok(refreshed);
        }
    }
    Ok(Refreshed::Failed(Trouble::Provider))
}

/// A lease that is held.
struct Lease<'a> {
    app: &'a App,
    session: SessionId,
    holder: Uuid,
}

impl Lease<'_> {
    /// Sends the refresh token and stores what comes back. `None` if somebody else was faster.
    async fn use_up(
        &self,
        metadata: &Metadata,
        identity: &Identity,
        held: &Held,
        refresh_token: &Secret,
    ) -> Result<Option<Refreshed>, StoreError> {
        let app = self.app;
        let before = held.sent.is_some();
        let trouble = match budget::ask(app, Endpoint::Token).await? {
            Permit::Go => None,
            Permit::Paused => Some(Trouble::Provider),
            Permit::UsedUp => Some(Trouble::Budget),
        };
        if let Some(trouble) = trouble {
            self.release(before).await?;
            return Ok(Some(Refreshed::Failed(trouble)));
        }
        let asked = clock::now();
        if !tokens::set_sent(&app.db, self.session, self.holder, asked).await? {
            return Ok(None);
        }
        let form = [("grant_type", "refresh_token"), ("refresh_token", refresh_token.expose())];
        let call = app.provider.post_as_client(metadata, &metadata.token_endpoint, &form);
        let reply = match self.while_held(call).await {
            Ok(reply) => reply,
            Err(error) => {
                tracing::warn!(%error, "the token endpoint did not answer a refresh");
                let sent = !matches!(error, ClientError::NotSent(_));
                self.release(sent || before).await?;
                return Ok(Some(Refreshed::Failed(Trouble::Provider)));
            }
        };
        let answer = reply.json().unwrap_or_default();
        let error = answer.get("error").and_then(Value::as_str).unwrap_or_default();
        let fresh = Tokens::parse(&answer, asked);
        let in_doubt = match (token_verdict(reply.status, error, fresh.is_some()), fresh) {
            (TokenVerdict::Tokens, Some(fresh)) => {
                if self.is_about(&fresh, identity).await {
                    return self.store(held, fresh).await;
                }
                true
            }
            (TokenVerdict::GrantRefused, _) => {
                self.release(false).await?;
                return Ok(Some(Refreshed::GrantRefused(held.version)));
            }
            (TokenVerdict::ClientRefused, _) => {
                tracing::error!(
                    status = reply.status,
                    "Campus One refuses this app's client id or secret at a refresh"
                );
                self.release(false).await?;
                return Ok(Some(Refreshed::Failed(Trouble::Client)));
            }
            (TokenVerdict::Unavailable { in_doubt }, _) => {
                tracing::warn!(status = reply.status, "a refresh was not answered properly");
                in_doubt
            }
            (TokenVerdict::Tokens, None) => true,
        };
        self.release(in_doubt || before).await?;
        budget::heed(app, Endpoint::Token, &reply).await?;
        Ok(Some(Refreshed::Failed(Trouble::Provider)))
    }

    /// Waits for an answer and keeps the lease meanwhile.
    async fn while_held<T>(&self, call: impl Future<Output = T>) -> T {
        let mut renewal = interval_at(Instant::now() + RENEW_EVERY, RENEW_EVERY);
        renewal.set_missed_tick_behavior(MissedTickBehavior::Delay);
        tokio::pin!(call);
        loop {
            tokio::select! {
                answer = &mut call => return answer,
                _ = renewal.tick() => {
                    let Self { app, session, holder } = self;
                    let renewed =
                        tokens::renew_lease(&app.db, *session, *holder, LEASE_SECONDS).await;
                    if let Err(error) = renewed {
                        tracing::warn!(%error, "a lease could not be renewed");
                    }
                }
            }
        }
    }

    /// Whether the ID token that came along, if one did, is of the same issuer and about the same subject
    /// (OpenID Connect Core §12.2). It has no nonce.
    async fn is_about(&self, tokens: &Tokens, identity: &Identity) -> bool {
        let Some(id_token) = &tokens.id_token else { return true };
        let provider = &self.app.provider;
        let claims = match provider.verify(id_token.expose()).await {
            Ok(claims) => claims,
            Err(error) => {
                tracing::error!(%error, "the ID token of a refresh was refused");
                return false;
            }
        };
        let expected = Expected {
            issuer: &identity.issuer,
            client_id: &provider.settings.client_id,
            nonce: None,
            access_token: tokens.access.expose(),
            now: clock::now(),
            leeway: self.app.leeway,
        };
        match IdToken::validate(claims, expected) {
            Ok(id_token) if id_token.subject == identity.subject => true,
            Ok(_) => {
                tracing::error!("the ID token of a refresh is about another subject");
                false
            }
            Err(reason) => {
                tracing::error!(reason = reason.code, "the ID token of a refresh was refused");
                false
            }
        }
    }

    /// Writes new tokens over those they came for; what the answer left out stays.
    async fn store(&self, held: &Held, fresh: Tokens) -> Result<Option<Refreshed>, StoreError> {
        let old = &held.tokens;
        let tokens = Tokens {
            refresh: fresh.refresh.or_else(|| old.refresh.clone()),
            id_token: fresh.id_token.or_else(|| old.id_token.clone()),
            ..fresh
        };
        let sealed = vault::seal(&self.app.freshness.keys, self.session, &tokens);
        if !tokens::replace(&self.app.db, self.session, held.version, &sealed).await? {
            return Ok(None);
        }
        tracing::debug!("tokens were refreshed");
        let version = held.version + 1;
        Ok(Some(Refreshed::Good(Box::new(Held { tokens, version, leased: false, sent: None }))))
    }

    async fn release(&self, in_doubt: bool) -> Result<(), StoreError> {
        tokens::release(&self.app.db, self.session, self.holder, in_doubt).await
    }
}
