//! Refused deliveries, counted here and written down by the worker: whoever sends thousands of forged
//! deliveries costs one small write a second, and counting goes on while the database is away.

use crate::store::refused::{self, Refused};
use campus::instant::Instant;
use campus::reason::Reason;
use sqlx::PgPool;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// Counts that are not written down yet, by the reason's code.
#[derive(Default)]
pub(super) struct Refusals(Mutex<HashMap<&'static str, Refused>>);

impl Refusals {
    /// Counts a refusal.
    pub(super) fn add(&self, reason: Reason, request_id: Option<String>, now: Instant) {
        let refused = Refused {
            reason: reason.code.to_owned(),
            times: 1,
            last_at: now,
            last_request_id: request_id,
        };
        self.put(reason.code, refused);
    }

    fn put(&self, code: &'static str, added: Refused) {
        // A panic elsewhere cannot leave the map half-written.
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match counts.get_mut(code) {
            Some(held) => {
                held.times += added.times;
                if added.last_at >= held.last_at {
                    held.last_at = added.last_at;
                    held.last_request_id = added.last_request_id;
                }
            }
            None => {
                counts.insert(code, added);
            }
        }
    }

    /// Writes the counts down. Those that cannot be written stay.
    pub(super) async fn flush(&self, db: &PgPool) {
        let counts = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        let mut away = false;
        for (code, count) in counts {
            if !away && let Err(error) = refused::count(db, &count).await {
                tracing::debug!(%error, "refused deliveries are counted later");
                away = true;
            }
            if away {
                self.put(code, count);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_are_added_up_by_reason_and_the_latest_is_named() {
        let refusals = Refusals::default();
        for (seconds, request) in [(5, "b"), (9, "c"), (2, "a")] {
            let at = Instant::from_seconds(seconds);
            refusals.add(Reason::WEBHOOK_SIGNATURE, Some(request.to_owned()), at);
        }
        refusals.add(Reason::WEBHOOK_UNSIGNED, None, Instant::from_seconds(1));
        let counts = refusals.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = &counts[Reason::WEBHOOK_SIGNATURE.code];
        assert_eq!((count.times, count.last_request_id.as_deref()), (3, Some("c")));
        assert_eq!((counts.len(), counts[Reason::WEBHOOK_UNSIGNED.code].times), (2, 1));
    }
}
