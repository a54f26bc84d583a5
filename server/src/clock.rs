//! The clock: the one place where the server asks what time it is.

use campus::instant::Instant;
use std::time::{SystemTime, UNIX_EPOCH};

/// Now, to the millisecond.
#[must_use]
pub fn now() -> Instant {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Instant::from_millis(i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX))
}
