//! Webhooks: Campus One tells us that something happened to a person (PROTOCOLS.md, "Webhooks").
//!
//! ```text
//! delivery → signature → message → inbox row → at once: effect, in a transaction of its own → 200
//!                                     └────── or later: the worker, until it is done or given up
//! ```
//!
//! What is answered with 200 is stored, and nearly always in force too: the receiver works on the row it
//! has just stored before it answers. Only if that takes longer than two seconds, or fails, the answer goes
//! first and the worker follows. Nothing depends on the process that took the delivery: any instance
//! may work on any row, and each row is worked on in one transaction by one of them.

mod apply;
pub mod receive;
mod refusals;
pub mod signature;
pub mod worker;

use crate::config::WebhookSecrets;
use refusals::Refusals;
use signature::Keys;
use std::time::Duration;
use tokio::sync::{Notify, Semaphore};

/// The canonical address.
pub const PATH: &str = "/api/webhooks/campus-one";
/// The same by the name the seeds' Flask example gives it.
pub const ALIAS: &str = "/webhooks/campus-one";

/// How long an answer waits for the effect.
const AT_ONCE: Duration = Duration::from_secs(2);
/// How many deliveries one instance works on at the same time: a burst of them must leave connections
/// for pages.
const HANDS: usize = 4;

/// What the receiver and the worker share.
pub struct Webhooks {
    keys: Option<Keys>,
    refusals: Refusals,
    hands: Semaphore,
    wake: Notify,
}

impl Webhooks {
    /// With the secrets that deliveries are signed with.
    #[must_use]
    pub fn new(secrets: &WebhookSecrets) -> Self {
        Self {
            keys: Keys::new(secrets),
            refusals: Refusals::default(),
            hands: Semaphore::new(HANDS),
            wake: Notify::new(),
        }
    }
}
