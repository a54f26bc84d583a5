//! Codes and tokens: what they stand for and how they come to be.

use rand::distr::{Alphabetic, SampleString};
use serde::{Deserialize, Serialize};

use crate::memory::Memory;
use crate::options::Profile;

/// How long a code may wait to be redeemed.
pub(crate) const CODE_SECONDS: i64 = 600;
/// How long a refresh token lives.
pub(crate) const REFRESH_SECONDS: i64 = 7 * 24 * 3600;

/// An authorization code.
#[derive(Debug, Clone)]
pub(crate) struct Code {
    pub(crate) client: String,
    pub(crate) person: String,
    pub(crate) session: String,
    pub(crate) auth_time: i64,
    pub(crate) redirect_uri: String,
    pub(crate) scopes: Vec<String>,
    pub(crate) nonce: Option<String>,
    pub(crate) challenge: String,
    pub(crate) expires: i64,
}

/// An access token with its refresh token, if it has one.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Grant {
    pub(crate) client: String,
    pub(crate) person: String,
    pub(crate) session: String,
    pub(crate) auth_time: i64,
    pub(crate) scopes: Vec<String>,
    /// The code all this began with, so that its replay can undo it.
    pub(crate) code: String,
    pub(crate) access_token: String,
    pub(crate) access_expires: i64,
    pub(crate) refresh_token: Option<String>,
    pub(crate) refresh_expires: i64,
    /// A rotated refresh token is remembered to notice its reuse.
    pub(crate) rotated: bool,
}

impl Grant {
    /// Whether the access token opens anything now.
    pub(crate) fn is_live(&self, memory: &Memory, now: i64) -> bool {
        let session_counts = memory.profile == Profile::Gen2;
        self.access_expires > now && (!session_counts || memory.session(&self.session).is_some())
    }

    /// New tokens for the same standing.
    pub(crate) fn renewed(&self, access_seconds: i64, now: i64) -> Self {
        Self {
            access_token: random_letters(32),
            access_expires: now + access_seconds,
            refresh_token: self.has_scope("offline_access").then(|| random_letters(32)),
            refresh_expires: now + REFRESH_SECONDS,
            rotated: false,
            ..self.clone()
        }
    }

    pub(crate) fn has_scope(&self, scope: &str) -> bool {
        self.scopes.iter().any(|s| s == scope)
    }
}

/// An opaque value of letters, as better-auth makes its tokens.
pub(crate) fn random_letters(length: usize) -> String {
    Alphabetic.sample_string(&mut rand::rng(), length)
}
