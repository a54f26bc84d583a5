//! Live changes: an open page learns within two seconds that its person's roles changed or that its session
//! ended, whichever instance did it.
//!
//! Every instance reads the table of changes twice a second while pages are open at it. A change is only a
//! hint to look: what is sent comes from the session and the person as they are now. So a hint that is seen
//! late, twice or out of order does no harm, and nothing depends on `LISTEN`.

use crate::app::App;
use crate::clock;
use crate::freshness::{self, Demand};
use crate::session::{self, Current};
use crate::store::changes::{self, Change};
use crate::store::sessions::{SessionId, TokenHash};
use campus::person::PersonId;
use campus::reason::EndReason;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{broadcast, watch};
use tokio::time::{MissedTickBehavior, interval};

/// How often the table is read.
const READ_EVERY: Duration = Duration::from_millis(500);
/// How far back each reading goes, in seconds: a change may be committed after a later one.
const OVERLAP_SECONDS: i64 = 20;
/// Without a hint, a listener looks all the same: a session may run out.
const LOOK_EVERY: Duration = Duration::from_secs(30);
/// Hints that may wait for a slow listener; one that misses some looks anyway.
const WAITING_HINTS: usize = 256;

/// The changes this instance has read, and whether it is about to stop.
pub struct Feed {
    changes: broadcast::Sender<Change>,
    stopping: watch::Sender<bool>,
}

impl Default for Feed {
    fn default() -> Self {
        Self { changes: broadcast::Sender::new(WAITING_HINTS), stopping: watch::Sender::new(false) }
    }
}

impl Feed {
    /// Ends all streams, so that open pages do not hold up a stop; they come back to another instance.
    pub fn stop(&self) {
        self.stopping.send_replace(true);
    }
}

/// Reads changes for as long as the task lives.
pub async fn follow(app: Arc<App>) {
    let mut ticks = interval(READ_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut seen = VecDeque::<Change>::new();
    loop {
        ticks.tick().await;
        if app.live.changes.receiver_count() == 0 {
            continue;
        }
        let since = clock::now().plus_seconds(-OVERLAP_SECONDS);
        seen.retain(|change| change.at >= since);
        match changes::since(&app.db, since).await {
            Ok(found) => {
                for change in found {
                    if !seen.iter().any(|known| known.id == change.id) {
                        seen.push_back(change);
                        // Nobody listening any more is no fault.
                        let _ = app.live.changes.send(change);
                    }
                }
            }
            Err(error) => tracing::warn!(%error, "changes could not be read"),
        }
    }
}

/// What an open page is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum News {
    /// The roles as they are now, by their version.
    Roles {
        /// See [`campus::role::Roles::version`].
        version: String,
        /// Whether they differ from those the page was made for.
        changed: bool,
    },
    /// The session is over; nothing more comes.
    Ended(Option<EndReason>),
}

/// An open page that listens.
pub struct Listener {
    app: Arc<App>,
    token_hash: TokenHash,
    session: SessionId,
    person: PersonId,
    /// The roles the page knows of.
    version: Option<String>,
    hints: broadcast::Receiver<Change>,
    stopping: watch::Receiver<bool>,
    started: bool,
    over: bool,
}

impl Listener {
    /// Listens for a live session, whose page was made for the roles of this version.
    #[must_use]
    pub fn new(app: Arc<App>, live: &session::Live, version: Option<String>) -> Self {
        let (hints, stopping) = (app.live.changes.subscribe(), app.live.stopping.subscribe());
        Self {
            token_hash: live.token_hash,
            session: live.id,
            person: live.viewer.id(),
            version,
            hints,
            stopping,
            started: false,
            over: false,
            app,
        }
    }

    /// The next news; `None` when there will be none.
    pub async fn next(&mut self) -> Option<News> {
        loop {
            if self.over {
                return None;
            }
            if self.started && !self.hint().await {
                return None;
            }
            if let Some(news) = self.look().await {
                return Some(news);
            }
        }
    }

    /// Waits until there may be something to see; `false` when the server stops.
    async fn hint(&mut self) -> bool {
        let wait = tokio::time::sleep(LOOK_EVERY);
        tokio::pin!(wait);
        loop {
            tokio::select! {
                () = &mut wait => return true,
                _ = self.stopping.wait_for(|stopping| *stopping) => return false,
                hint = self.hints.recv() => match hint {
                    Ok(change) if concerns(&change, self.person, self.session) => return true,
                    Ok(_) => {}
                    Err(RecvError::Lagged(_)) => return true,
                    Err(RecvError::Closed) => return false,
                },
            }
        }
    }

    /// Looks at the session without using it: an open page must not keep a session from running idle.
    async fn look(&mut self) -> Option<News> {
        let current = match session::peek(&self.app, &self.token_hash).await {
            Ok(current) => current,
            Err(error) => {
                tracing::warn!(%error, "a listener could not look");
                self.started = true;
                return None;
            }
        };
        // A webhook need not say which roles: then Campus One is asked, as by a click.
        let current = match current {
            Current::Live(live) if live.checks.roles_stale => self.asked(live).await,
            current => current,
        };
        let reason = match &current {
            Current::Live(live) => return self.roles(live),
            Current::Ended(reason) => Some(*reason),
            Current::None => None,
        };
        self.over = true;
        Some(News::Ended(reason))
    }

    async fn asked(&self, live: Arc<session::Live>) -> Current {
        match freshness::ensure(&self.app, &live, Demand::Routine).await {
            Ok(current) => current,
            Err(error) => {
                tracing::warn!(%error, "a listener could not ask");
                Current::Live(live)
            }
        }
    }

    fn roles(&mut self, live: &session::Live) -> Option<News> {
        let now = live.viewer.roles().version();
        let changed = self.version.as_ref().is_some_and(|known| *known != now);
        let first = !std::mem::replace(&mut self.started, true);
        if !changed && !first {
            return None;
        }
        self.version = Some(now.clone());
        Some(News::Roles { version: now, changed })
    }
}

fn concerns(change: &Change, person: PersonId, session: SessionId) -> bool {
    change.person == person && change.session.is_none_or(|one| one == session)
}
