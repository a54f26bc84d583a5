//! Flights: the checks under way in this process. Requests of a person who is being checked wait for the
//! same one.

use super::check;
use super::decision::Outcome;
use crate::app::App;
use crate::session::Live;
use campus::person::PersonId;
use futures::FutureExt as _;
use futures::future::{BoxFuture, Shared};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::time::Instant;
use tracing::Instrument as _;

/// A check under way.
#[derive(Clone)]
pub(super) struct Flight {
    /// When it began.
    pub since: Instant,
    landing: Shared<BoxFuture<'static, Outcome>>,
}

impl Flight {
    /// What came of it; `None` if nothing did in time. It goes on all the same.
    pub async fn outcome(&self, deadline: Instant) -> Option<Outcome> {
        tokio::time::timeout_at(deadline, self.landing.clone()).await.ok()
    }
}

/// The checks under way, by person.
#[derive(Default)]
pub(super) struct Flights(Mutex<HashMap<PersonId, Flight>>);

impl Flights {
    /// The check of a person.
    pub fn find(&self, person: PersonId) -> Option<Flight> {
        self.held().get(&person).cloned()
    }

    fn held(&self) -> MutexGuard<'_, HashMap<PersonId, Flight>> {
        // A panic elsewhere cannot leave the map half-written.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Joins the check of this person, or begins one in a task of its own.
pub(super) fn join(app: &Arc<App>, live: &Arc<Live>) -> Flight {
    let person = live.viewer.id();
    let mut flights = app.freshness.flights.held();
    if let Some(flight) = flights.get(&person) {
        return flight.clone();
    }
    let (of, subject) = (Landing { app: app.clone(), person }, live.clone());
    let work = async move {
        check::run(&of.app, &subject).await.unwrap_or_else(|error| {
            tracing::error!(%error, "a check could not be written down");
            Outcome::Postponed
        })
    };
    let task = tokio::spawn(work.in_current_span());
    // A check that panicked has told nothing.
    let landing = task.map(|outcome| outcome.unwrap_or(Outcome::Postponed)).boxed().shared();
    let flight = Flight { since: Instant::now(), landing };
    flights.insert(person, flight.clone());
    flight
}

/// Takes a check off the list, however it ends.
struct Landing {
    app: Arc<App>,
    person: PersonId,
}

impl Drop for Landing {
    fn drop(&mut self) {
        self.app.freshness.flights.held().remove(&self.person);
    }
}
