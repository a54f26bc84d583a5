//! Rate limits: how often one address may do what costs us something.
//!
//! Generous to a campus behind one address, and in the memory of one instance: a limit shared by all of
//! them would put a write into every request it is meant to keep cheap. `governor` keeps every key it has
//! seen until it is told to tidy up; here an attacker with many addresses must cost a fixed amount of
//! memory, which is the whole of this module.

use super::client::Client;
use super::refusal::Refusal;
use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Most keys that are remembered for one limit.
const MOST_KEYS: usize = 50_000;

/// A token bucket for each key: it holds `burst` tokens and regains one every `interval`.
///
/// Kept as the time at which a bucket is full again (the "virtual scheduling" form of ITU-T I.371's
/// generic cell rate algorithm), so that a bucket that is full again is the same as none.
#[derive(Debug)]
pub struct Limit<K> {
    interval: Duration,
    burst: u32,
    most_keys: usize,
    full_at: Mutex<HashMap<K, Duration>>,
}

impl<K: Eq + Hash + Copy> Limit<K> {
    /// A limit of so many a second over time, and `burst` at once.
    #[must_use]
    pub fn per_second(rate: u32, burst: u32) -> Self {
        let interval = Duration::from_secs(1) / rate.max(1);
        Self { interval, burst: burst.max(1), most_keys: MOST_KEYS, full_at: Mutex::default() }
    }

    /// Takes a token at `now`, a time since any fixed point.
    ///
    /// # Errors
    /// How long it is until there is one.
    pub fn take(&self, key: K, now: Duration) -> Result<(), Duration> {
        // A panic elsewhere cannot leave the map half-written.
        let mut full_at = self.full_at.lock().unwrap_or_else(PoisonError::into_inner);
        let full = full_at.get(&key).copied().unwrap_or(now).max(now);
        let after = full + self.interval;
        let capacity = self.interval * self.burst;
        if let Some(wait) = (after - now).checked_sub(capacity).filter(|wait| !wait.is_zero()) {
            return Err(wait);
        }
        if full_at.len() >= self.most_keys && !full_at.contains_key(&key) {
            make_room(&mut full_at, now, self.most_keys / 2);
        }
        full_at.insert(key, after);
        Ok(())
    }
}

/// Forgets the buckets that are full again, and of the others those that will be so soonest, until `most`
/// are left. Half at a time, so that a flood of addresses does not make each request go through them all.
fn make_room<K: Eq + Hash + Copy>(full_at: &mut HashMap<K, Duration>, now: Duration, most: usize) {
    full_at.retain(|_, full| *full > now);
    if full_at.len() > most {
        let mut entries: Vec<_> = full_at.drain().collect();
        entries.sort_unstable_by_key(|(_, full)| std::cmp::Reverse(*full));
        entries.truncate(most);
        full_at.extend(entries);
    }
}

/// The limits of this instance, each for one address.
#[derive(Debug)]
pub struct Rates {
    since: Instant,
    sign_ins: Limit<Client>,
    callbacks: Limit<Client>,
    forgeries: Limit<Client>,
}

impl Default for Rates {
    fn default() -> Self {
        // A first lecture: a thousand phones open the app within seconds, all behind the campus's address.
        Self {
            since: Instant::now(),
            sign_ins: Limit::per_second(50, 1000),
            callbacks: Limit::per_second(50, 1000),
            forgeries: Limit::per_second(10, 100),
        }
    }
}

impl Rates {
    /// Before a browser is sent to the provider.
    ///
    /// # Errors
    /// `Reason::TOO_MANY_REQUESTS`, with the time to wait.
    pub fn sign_in(&self, client: Client) -> Result<(), Refusal> {
        self.sign_ins.take(client, self.since.elapsed()).map_err(too_many)
    }

    /// Before the provider's answer is looked at.
    ///
    /// # Errors
    /// `Reason::TOO_MANY_REQUESTS`, with the time to wait.
    pub fn callback(&self, client: Client) -> Result<(), Refusal> {
        self.callbacks.take(client, self.since.elapsed()).map_err(too_many)
    }

    /// After a message of a server turned out not to be signed by the provider. Counted only then: what is
    /// signed always gets through, whoever else sends from the same address.
    ///
    /// # Errors
    /// `Reason::TOO_MANY_REQUESTS`, with the time to wait.
    pub fn forgery(&self, client: Client) -> Result<(), Refusal> {
        self.forgeries.take(client, self.since.elapsed()).map_err(too_many)
    }
}

fn too_many(wait: Duration) -> Refusal {
    tracing::debug!(?wait, "too many requests from one address");
    let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
    Refusal::too_many(seconds.max(1))
}

#[cfg(test)]
mod tests {
    use super::super::refusal::Detail;
    use super::*;

    const fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    #[test]
    fn a_burst_passes_and_then_one_for_each_interval() {
        let limit = Limit::per_second(10, 3);
        for (at, expected) in [
            (0, Ok(())),
            (0, Ok(())),
            (0, Ok(())),
            (0, Err(ms(100))),
            (40, Err(ms(60))),
            (99, Err(ms(1))),
            (100, Ok(())),
            (100, Err(ms(100))),
            (300, Ok(())),
            (300, Ok(())),
            (300, Err(ms(100))),
            // However long nobody came, no more than the burst is there.
            (60_000, Ok(())),
            (60_000, Ok(())),
            (60_000, Ok(())),
            (60_000, Err(ms(100))),
        ] {
            assert_eq!(limit.take('a', ms(at)), expected, "at {at} ms");
        }
        assert_eq!(limit.take('b', ms(60_000)), Ok(()), "another key has its own bucket");
    }

    #[test]
    fn the_wait_that_is_told_is_true() {
        let limit = Limit::per_second(50, 1000);
        let mut now = ms(5);
        for _ in 0..1000 {
            limit.take((), now).unwrap_or_else(|wait| panic!("{wait:?}"));
        }
        for _ in 0..20 {
            let Err(wait) = limit.take((), now) else { panic!("nothing is left at {now:?}") };
            assert!(limit.take((), now + wait - Duration::from_nanos(1)).is_err());
            now += wait;
            assert_eq!(limit.take((), now), Ok(()));
        }
    }

    #[test]
    fn a_clock_that_stands_still_gives_nothing_away() {
        let limit = Limit::per_second(1, 1);
        assert_eq!(limit.take((), ms(1000)), Ok(()));
        assert_eq!(limit.take((), ms(500)), Err(ms(1500)));
    }

    #[test]
    fn memory_is_bounded_and_those_who_took_most_are_remembered() {
        let limit = Limit { most_keys: 100, ..Limit::per_second(10, 10) };
        for _ in 0..10 {
            limit.take(u32::MAX, ms(0)).unwrap_or_else(|wait| panic!("{wait:?}"));
        }
        for key in 0..10_000 {
            limit.take(key, ms(0)).unwrap_or_else(|wait| panic!("{wait:?}"));
            let held = limit.full_at.lock().unwrap_or_else(PoisonError::into_inner).len();
            assert!(held <= 100, "{held} keys");
        }
        assert!(limit.take(u32::MAX, ms(0)).is_err(), "a flood of addresses empties no bucket");
    }

    #[test]
    fn the_answer_says_whole_seconds_and_never_too_few() {
        for (wait, seconds) in [(ms(1), 1), (ms(1000), 1), (ms(1001), 2), (ms(0), 1)] {
            assert_eq!(too_many(wait).detail, Detail::Wait(seconds), "{wait:?}");
        }
    }
}
