//! A check: the ladder from the access token to userinfo, and what its outcome changes.

use super::budget::{self, Endpoint, Permit};
use super::decision::{
    self, After401, Life, Outcome, Tried, Trouble, after_401, may_claim, outlasted,
};
use super::refresh::{Refreshed, refresh};
use super::vault::{self, Held};
use crate::app::App;
use crate::audit::Cause;
use crate::clock;
use crate::people;
use crate::session::Live;
use crate::signin::exchange::userinfo_claims;
use crate::signin::provider::Metadata;
use crate::store::checks::{self, Checks};
use crate::store::sessions::{SessionId, Sessions};
use crate::store::users::Learned;
use crate::store::{StoreError, tokens};
use campus::audit::{Actor, AuditKind};
use campus::claims::Claims;
use campus::instant::Instant;
use campus::person::{Identity, PersonId, Source};
use campus::reason::EndReason;
use serde_json::{Map, Value};
use std::time::Duration;

/// How long userinfo may take.
const USERINFO_WITHIN: Duration = Duration::from_secs(3);
/// How long a check is claimed for. One that takes longer may be joined by another: the lease keeps their
/// refreshes apart.
const CLAIM_SECONDS: i64 = 15;
/// How soon it is tried again after it failed.
const RETRY_SECONDS: i64 = 10;
/// The refresh's own part of the jitter, in seconds.
const REFRESH_JITTER_SECONDS: i64 = 60;

/// What the provider said.
enum Verdict {
    /// It confirmed the person at an instant, with these claims.
    Confirmed(Instant, Map<String, Value>),
    /// It withdrew the access, as the refusal of the tokens of this version shows.
    Disconnected(i64, &'static str),
    /// Nothing can renew the session's tokens.
    Expired,
    /// It could not be asked.
    Trouble(Trouble),
    /// It was not asked: the check is put off.
    Postponed,
}

/// Checks the person of a session, unless somebody else does or just did.
pub(super) async fn run(app: &App, live: &Live) -> Result<Outcome, StoreError> {
    let (person, began) = (live.viewer.id(), clock::now());
    let claim = began.plus_seconds(CLAIM_SECONDS);
    let mut transaction = app.db.begin().await?;
    let row = checks::lock(&mut transaction, person).await?;
    let Some(before) = row.filter(|row| may_claim(row, &live.checks, began)) else {
        return Ok(Outcome::Elsewhere);
    };
    checks::claim(&mut transaction, person, claim).await?;
    transaction.commit().await?;
    let Some(identity) = checks::identity(&app.db, person).await? else {
        return Ok(Outcome::Elsewhere);
    };
    let check = Check { app, person, session: live.id, identity: &identity, began, claim, before };
    let verdict = check.ask().await?;
    let outcome = check.settle(verdict).await?;
    tracing::debug!(?outcome, "a person was checked");
    Ok(outcome)
}

struct Check<'a> {
    app: &'a App,
    person: PersonId,
    session: SessionId,
    identity: &'a Identity,
    began: Instant,
    claim: Instant,
    /// The row before it was claimed.
    before: Checks,
}

impl Check<'_> {
    /// Climbs the ladder.
    async fn ask(&self) -> Result<Verdict, StoreError> {
        let app = self.app;
        let Some(mut held) = vault::open(app, self.session).await? else {
            return Ok(Verdict::Expired);
        };
        let metadata = match app.provider.metadata().await {
            Ok(metadata) => metadata,
            Err(error) => {
                tracing::warn!(%error, "nobody can be checked without metadata");
                return Ok(Verdict::Trouble(Trouble::Provider));
            }
        };
        if self.identity.issuer != metadata.issuer {
            // The provider goes by another name now; its old tokens are worth nothing.
            return Ok(Verdict::Expired);
        }
        let mut tried = Tried::Nothing;
        if self.is_near_end(&held) {
            match self.refresh(&metadata, &mut held).await? {
                Ok(outcome) => tried = outcome,
                Err(verdict) => return Ok(verdict),
            }
        }
        loop {
            if let Tried::Failed(trouble) = tried
                && life(&held).is_over(clock::now())
            {
                return Ok(Verdict::Trouble(trouble));
            }
            match self.userinfo(&metadata, &held).await? {
                Userinfo::Refused => {}
                Userinfo::Other(verdict) => return Ok(verdict),
            }
            match after_401(tried, held.tokens.refresh.is_some()) {
                After401::Refresh => match self.refresh(&metadata, &mut held).await? {
                    Ok(Tried::Refreshed) => tried = Tried::Refreshed,
                    Ok(Tried::Failed(trouble)) => return Ok(Verdict::Trouble(trouble)),
                    Ok(Tried::Nothing | Tried::Impossible) => return Ok(Verdict::Expired),
                    Err(verdict) => return Ok(verdict),
                },
                After401::Disconnected => {
                    return Ok(Verdict::Disconnected(held.version, "userinfo 401 after a refresh"));
                }
                After401::Expired => return Ok(Verdict::Expired),
                After401::Trouble(trouble) => return Ok(Verdict::Trouble(trouble)),
            }
        }
    }

    fn is_near_end(&self, held: &Held) -> bool {
        let every = self.app.freshness.every;
        let jitter = decision::jitter(self.session.0, None, REFRESH_JITTER_SECONDS);
        life(held).is_near_end(clock::now(), every + every / 5, jitter)
    }

    /// Refreshes the tokens in hand. The verdict, if there is one, ends the check.
    async fn refresh(
        &self,
        metadata: &Metadata,
        held: &mut Held,
    ) -> Result<Result<Tried, Verdict>, StoreError> {
        let refreshed =
            refresh(self.app, metadata, self.identity, self.session, held.version).await?;
        Ok(match refreshed {
            Refreshed::Good(fresh) => {
                *held = *fresh;
                Ok(Tried::Refreshed)
            }
            Refreshed::GrantRefused(version) => {
                Err(Verdict::Disconnected(version, "refresh invalid_grant"))
            }
            Refreshed::Impossible => Ok(Tried::Impossible),
            Refreshed::Failed(trouble) => Ok(Tried::Failed(trouble)),
            Refreshed::Gone => Err(Verdict::Expired),
        })
    }

    async fn userinfo(&self, metadata: &Metadata, held: &Held) -> Result<Userinfo, StoreError> {
        let app = self.app;
        let Some(endpoint) = &metadata.userinfo_endpoint else {
            return Ok(Userinfo::Other(Verdict::Postponed));
        };
        let unavailable = Ok(Userinfo::Other(Verdict::Trouble(Trouble::Provider)));
        match budget::ask(app, Endpoint::Userinfo).await? {
            Permit::Go => {}
            Permit::Paused => return unavailable,
            Permit::UsedUp => return Ok(Userinfo::Other(Verdict::Postponed)),
        }
        let asked = clock::now();
        let call = app.provider.client.get(endpoint, Some(held.tokens.access.expose()));
        let reply = match tokio::time::timeout(USERINFO_WITHIN, call).await {
            Ok(Ok(reply)) => reply,
            Ok(Err(error)) => {
                tracing::warn!(%error, "userinfo did not answer a check");
                return unavailable;
            }
            Err(_) => {
                tracing::warn!("userinfo took too long for a check");
                return unavailable;
            }
        };
        budget::heed(app, Endpoint::Userinfo, &reply).await?;
        match reply.status {
            401 => return Ok(Userinfo::Refused),
            200 => {}
            status => {
                tracing::warn!(status, "userinfo did not answer a check properly");
                return unavailable;
            }
        }
        let subject = &self.identity.subject;
        match userinfo_claims(&app.provider, metadata, &reply, subject).await {
            Ok(Some(claims)) => Ok(Userinfo::Other(Verdict::Confirmed(asked, claims))),
            Ok(None) => {
                tracing::warn!("userinfo answered a check with something that is no JSON object");
                unavailable
            }
            Err(reason) => {
                tracing::error!(reason = reason.code, "userinfo cannot be trusted");
                unavailable
            }
        }
    }

    /// Writes down what came of it, in one transaction.
    async fn settle(&self, verdict: Verdict) -> Result<Outcome, StoreError> {
        let now = clock::now();
        let mut transaction = self.app.db.begin().await?;
        let db = &mut *transaction;
        let outcome = match verdict {
            Verdict::Confirmed(at, claims) => {
                let claims = Claims::parse(&claims);
                let learned = Learned {
                    identity: self.identity,
                    claims: &claims,
                    as_of: at,
                    source: Source::Userinfo,
                };
                checks::confirmed(db, self.person, self.began, self.claim).await?;
                let learnt = people::learn(db, &learned, &cause("userinfo"), now).await?;
                if learnt.roles_changed { Outcome::Demoted } else { Outcome::Fresh }
            }
            Verdict::Disconnected(version, rule) => {
                self.give_back(db, now, None).await?;
                // Signing out deletes and revokes tokens too: a refusal after that says nothing.
                if tokens::lock_version(db, self.session).await? == Some(version) {
                    let cause = Cause { actor: Actor::Provider, ..cause(rule) };
                    people::disconnect(db, self.person, self.began, &cause, now).await?;
                    Outcome::Disconnected
                } else {
                    Outcome::Elsewhere
                }
            }
            Verdict::Expired => {
                self.give_back(db, now, None).await?;
                self.end_session(db, EndReason::Expired, "tokens expired", now).await?;
                Outcome::Expired
            }
            Verdict::Trouble(trouble) => {
                let next_try = now.plus_seconds(RETRY_SECONDS);
                let since = self.give_back(db, next_try, Some(now)).await?;
                if since.is_some_and(|since| outlasted(since, now, trouble)) {
                    self.end_session(db, EndReason::ProviderOutage, "outage", now).await?;
                }
                Outcome::Stale
            }
            Verdict::Postponed => {
                self.give_back(db, now.plus_seconds(RETRY_SECONDS), None).await?;
                Outcome::Postponed
            }
        };
        transaction.commit().await?;
        Ok(outcome)
    }

    /// Gives the claim back with nothing learned; gives since when the person is stale.
    async fn give_back(
        &self,
        db: &mut sqlx::PgConnection,
        next_try: Instant,
        stale: Option<Instant>,
    ) -> Result<Option<Instant>, StoreError> {
        checks::unconfirmed(db, self.person, self.claim, self.before, next_try, stale).await
    }

    async fn end_session(
        &self,
        db: &mut sqlx::PgConnection,
        reason: EndReason,
        rule: &'static str,
        now: Instant,
    ) -> Result<(), StoreError> {
        let which = Sessions::One(self.session);
        let kind = AuditKind::SessionsEnded;
        people::end_sessions(db, self.person, which, reason, kind, &cause(rule), now).await?;
        Ok(())
    }
}

/// What userinfo's answer is worth.
enum Userinfo {
    /// 401: the access token is expired or revoked.
    Refused,
    /// Everything else settles the check.
    Other(Verdict),
}

fn life(held: &Held) -> Life {
    Life { obtained: held.tokens.obtained, expires: held.tokens.access_expires }
}

/// A check belongs to no single request.
fn cause(rule: &'static str) -> Cause {
    Cause { actor: Actor::Server, request_id: None, rule }
}
