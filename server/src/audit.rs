//! The audit trail: what is written into it, and the chain that shows whether it was changed afterwards.
//!
//! Every entry's hash covers its content and the hash of the entry before. Whoever changes or removes an
//! entry in the database breaks the chain from there on; `campus-server audit verify` finds the place. The
//! chain does not stop somebody who rewrites all of it: keep the head that the command prints elsewhere.

use crate::store::sessions::SessionId;
use campus::audit::{Actor, AuditKind};
use campus::instant::Instant;
use campus::person::PersonId;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use std::sync::{Mutex, PoisonError};

/// A SHA-256.
pub type Hash = [u8; 32];

/// Why something is done: what an audit entry says besides what happened.
#[derive(Clone, Debug)]
pub struct Cause {
    /// Who does it.
    pub actor: Actor,
    /// The request in which it is done.
    pub request_id: Option<String>,
    /// The rule that demands or allows it, e.g. `webhook user.disconnected`.
    pub rule: &'static str,
}

/// An entry before it has its place in the chain.
#[derive(Clone, Debug)]
pub struct Entry<'a> {
    /// What it is about.
    pub kind: AuditKind,
    /// Who did it, in which request, by which rule.
    pub cause: &'a Cause,
    /// The person it happened to.
    pub subject: Option<PersonId>,
    /// The session it happened to or in.
    pub session: Option<SessionId>,
    /// Whatever else is worth knowing; never a token, a code or a cookie.
    pub detail: Value,
}

/// An entry as it stands in the chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// Its place, from 1 on without gaps.
    pub seq: i64,
    /// When.
    pub at: Instant,
    /// What, as the stored word.
    pub kind: String,
    /// Who, as the stored word.
    pub actor: String,
    /// The person who did it.
    pub actor_id: Option<uuid::Uuid>,
    /// The person it happened to.
    pub subject_id: Option<uuid::Uuid>,
    /// The session.
    pub session_id: Option<uuid::Uuid>,
    /// The request.
    pub request_id: Option<String>,
    /// The rule.
    pub rule: String,
    /// The detail, as JSON text.
    pub detail: String,
}

impl Recorded {
    /// The hash of this entry after the given one.
    #[must_use]
    pub fn hash(&self, previous: &Hash) -> Hash {
        let mut hash = Sha256::new();
        hash.update(previous);
        hash.update(self.seq.to_be_bytes());
        hash.update(self.at.millis().to_be_bytes());
        let ids = [self.actor_id, self.subject_id, self.session_id];
        let ids = ids.map(|id| id.map(|id| id.to_string()).unwrap_or_default());
        let request_id = self.request_id.as_deref().unwrap_or_default();
        let texts = [&self.kind, &self.actor, &ids[0], &ids[1], &ids[2], &self.rule, &self.detail];
        // Each text goes in with its length: none can be moved into its neighbour.
        for text in texts.into_iter().map(String::as_str).chain([request_id]) {
            hash.update((text.len() as u64).to_be_bytes());
            hash.update(text);
        }
        hash.finalize().into()
    }
}

/// Entries a minute that somebody without a session can bring about, in one process.
const STRANGERS_A_MINUTE: u32 = 60;

/// Keeps strangers from filling the audit trail: beyond a number a minute, what they bring about is in the
/// log only.
#[derive(Debug, Default)]
pub struct Strangers(Mutex<(i64, u32)>);

impl Strangers {
    /// Whether one more entry may be written.
    pub fn admit(&self, now: Instant) -> bool {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let minute = now.seconds().div_euclid(60);
        if held.0 != minute {
            *held = (minute, 0);
        }
        held.1 = held.1.saturating_add(1);
        held.1 <= STRANGERS_A_MINUTE
    }
}

/// What a walk along the chain found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Every entry follows from the one before, and the last is the head.
    Whole {
        /// How many entries there are.
        entries: i64,
        /// The hash of the last one.
        head: Hash,
    },
    /// The chain breaks at this entry: it, or one before it, was changed, removed or put in.
    Broken {
        /// The first entry that does not fit.
        seq: i64,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recorded() -> Recorded {
        Recorded {
            seq: 1,
            at: Instant::from_millis(1),
            kind: "signed_in".into(),
            actor: "person".into(),
            actor_id: None,
            subject_id: None,
            session_id: None,
            request_id: None,
            rule: "ab".into(),
            detail: "c".into(),
        }
    }

    #[test]
    fn strangers_write_sixty_entries_a_minute() {
        let strangers = Strangers::default();
        let at = Instant::from_seconds(600);
        assert_eq!((0..100).filter(|_| strangers.admit(at)).count(), 60);
        assert!(!strangers.admit(at.plus_seconds(59)));
        assert!(strangers.admit(at.plus_seconds(60)));
    }

    #[test]
    fn every_part_of_an_entry_counts() {
        let entry = recorded();
        let hash = entry.hash(&[0; 32]);
        let id = Some(uuid::Uuid::from_u128(7));
        let others = [
            Recorded { seq: 2, ..entry.clone() },
            Recorded { at: Instant::from_millis(2), ..entry.clone() },
            Recorded { kind: "x".into(), ..entry.clone() },
            Recorded { actor: "x".into(), ..entry.clone() },
            Recorded { actor_id: id, ..entry.clone() },
            Recorded { subject_id: id, ..entry.clone() },
            Recorded { session_id: id, ..entry.clone() },
            Recorded { request_id: Some("x".into()), ..entry.clone() },
            Recorded { rule: "a".into(), detail: "bc".into(), ..entry.clone() },
        ];
        for other in others {
            assert_ne!(other.hash(&[0; 32]), hash, "{other:?}");
        }
        assert_ne!(entry.hash(&[1; 32]), hash);
    }
}
