//! Redemption: a code is redeemed exactly once, whoever asks and whoever goes away meanwhile.
//!
//! A double GET of the callback joins the redemption under way and gets its result. The work runs in a
//! task of its own: a browser that closes the connection does not burn the code halfway.

use super::exchange::{self, Proven};
use super::flow::{Flow, Mode};
use super::step_up;
use crate::app::App;
use crate::audit::{Cause, Entry};
use crate::clock;
use crate::freshness::{budget, vault};
use crate::people;
use crate::session::token;
use crate::store::sessions::{NewSession, TokenHash};
use crate::store::users::Learned;
use crate::store::{StoreError, audit, provider_sessions, sessions, users};
use campus::audit::{Actor, AuditKind};
use campus::instant::Instant;
use campus::reason::{EndReason, Reason};
use serde_json::json;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::OnceCell;

/// How long a result is kept for a second GET of the same callback.
const KEPT_FOR: Duration = Duration::from_secs(60);

/// A session that was just made: the value of its cookie.
#[derive(Clone)]
pub struct SignedIn {
    /// The cookie's value.
    pub token: String,
}

type Cell = Arc<OnceCell<Result<SignedIn, Reason>>>;

/// Codes that are being redeemed or were a moment ago, by their flow's state.
#[derive(Default)]
pub struct Redemptions(Mutex<HashMap<String, (std::time::Instant, Cell)>>);

impl Redemptions {
    fn cell(&self, state: &str) -> Cell {
        // A panic elsewhere cannot leave the map half-written.
        let mut cells = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        cells.retain(|_, (since, _)| since.elapsed() < KEPT_FOR);
        cells
            .entry(state.to_owned())
            .or_insert_with(|| (std::time::Instant::now(), Cell::default()))
            .1
            .clone()
    }
}

/// What a redemption needs to know of the request.
#[derive(Clone, Debug)]
pub struct Request {
    /// The flow.
    pub flow: Flow,
    /// The code.
    pub code: String,
    /// The session this browser had, which ends.
    pub previous: Option<TokenHash>,
    /// The browser's own description.
    pub user_agent: Option<String>,
    /// The request's id, for the audit trail.
    pub request_id: Option<String>,
}

/// Redeems the code, or joins the redemption under way.
///
/// # Errors
/// The reason for the page.
pub async fn redeem(app: Arc<App>, request: Request) -> Result<SignedIn, Reason> {
    let cell = app.redemptions.cell(&request.flow.state);
    let work =
        async move { cell.get_or_init(|| async { sign_in(&app, &request).await }).await.clone() };
    tokio::spawn(tracing::Instrument::in_current_span(work)).await.unwrap_or_else(|error| {
        tracing::error!(%error, "a redemption broke off");
        Err(Reason::INTERNAL)
    })
}

async fn sign_in(app: &App, request: &Request) -> Result<SignedIn, Reason> {
    let Request { flow, code, .. } = request;
    // The session is as old as the answer it rests on: what ends all sessions while that is being looked
    // at ends this one too.
    let began = clock::now();
    let exchange = exchange::redeem(&app.provider, flow, code, &app.redirect_uri, app.leeway);
    let (proven, ()) = tokio::join!(exchange, budget::count_sign_in(app));
    let proven = proven?;
    let signed_in = store(app, request, &proven, began).await.map_err(|error| {
        tracing::error!(%error, "a sign-in could not be stored");
        Reason::STORE_UNAVAILABLE
    })?;
    tracing::info!(mode = ?flow.mode, source = proven.source.as_str(), "signed in");
    Ok(signed_in)
}

/// The person's row, the new session and the end of the previous one: all or nothing.
async fn store(
    app: &App,
    request: &Request,
    proven: &Proven,
    began: Instant,
) -> Result<SignedIn, StoreError> {
    let now = clock::now();
    let fresh = token::fresh();
    let seconds = i64::try_from(app.session_limits.absolute().as_secs()).unwrap_or(i64::MAX);
    let mut transaction = app.db.begin().await?;
    let over = match &proven.sid {
        Some(sid) => {
            provider_sessions::join(&mut transaction, &proven.identity.issuer, sid, now).await?
        }
        None => false,
    };
    // Before the person's row is touched: the audit trail comes after all locks, and a change of roles is
    // written down at once.
    let mut replaced = None;
    if let Some(previous) = &request.previous {
        replaced = sessions::end(&mut transaction, previous, EndReason::SwitchedUser, now).await?;
    }
    let learned = Learned {
        identity: &proven.identity,
        claims: &proven.claims,
        as_of: proven.as_of,
        source: proven.source,
    };
    let provider =
        Cause { actor: Actor::Provider, request_id: request.request_id.clone(), rule: "sign-in" };
    let person = people::learn(&mut transaction, &learned, &provider, now).await?.person;
    users::confirm(&mut transaction, person, began).await?;
    let mode = request.flow.mode;
    let authentication = step_up::authentication(mode, proven.auth_time, now);
    // A fresh token always has a hash.
    let token_hash = token::hash(&fresh).unwrap_or_default();
    let session = sessions::create(
        &mut transaction,
        &NewSession {
            token_hash,
            person,
            sid: proven.sid.as_deref(),
            user_agent: request.user_agent.as_deref(),
            authentication,
            now: began,
            expires: began.plus_seconds(seconds),
        },
    )
    .await?;
    vault::keep(&mut transaction, &app.freshness.keys, session, &proven.tokens).await?;
    if over {
        // The person reads why on the page to which the sign-in leads.
        let reason = EndReason::SignedOutAtProvider;
        sessions::end(&mut transaction, &token_hash, reason, now).await?;
    }
    // Whoever comes back as somebody else has signed in over the other's session, and no more.
    let same_person = replaced.is_some_and(|(_, before)| before == person);
    let stepped_up = mode == Mode::StepUp && same_person;
    let cause = Cause { actor: Actor::Person(person), ..provider };
    let entry = Entry {
        kind: if stepped_up { AuditKind::SteppedUp } else { AuditKind::SignedIn },
        cause: &cause,
        subject: Some(person),
        session: Some(session),
        detail: json!({
            "mode": mode.as_str(),
            "proven": authentication.proven,
            "over": over,
            "source": proven.source.as_str(),
            "replaced": replaced.map(|(id, _)| id.0),
        }),
    };
    audit::append(&mut transaction, &entry, now).await?;
    transaction.commit().await?;
    Ok(SignedIn { token: fresh })
}
