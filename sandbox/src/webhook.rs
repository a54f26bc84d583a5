//! Webhooks as the seeds describe them: a JSON event, signed over its bytes.

use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::Sha256;

/// The header of the signature.
pub(crate) const SIGNATURE_HEADER: &str = "x-campus-one-signature";

/// The form of the signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Signature {
    /// `sha256=` and the digits.
    #[default]
    Prefixed,
    /// The digits alone.
    Bare,
    /// A signature under another key.
    Wrong,
    /// No header at all.
    Missing,
}

/// A webhook to send.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Webhook {
    /// For example `user.role_changed`, `user.disconnected`.
    pub event: String,
    /// Whom it is about; fills `data.userId`, and the roles of a `user.role_changed`.
    pub person: Option<String>,
    /// The application it is for and whose secret signs; the first registered if there is none.
    pub client: Option<String>,
    /// Replaces the whole `data`.
    pub data: Option<Value>,
    /// The time in the event, as RFC 3339; now if there is none.
    pub timestamp: Option<String>,
    /// The form of the signature.
    pub signature: Signature,
}

/// The body of a webhook.
pub(crate) fn body(event: &str, timestamp: &str, data: &Value) -> String {
    json!({ "event": event, "timestamp": timestamp, "data": data }).to_string()
}

/// The value of the signature header, if there is to be one.
pub(crate) fn sign(body: &[u8], secret: &str, form: Signature) -> Option<String> {
    match form {
        Signature::Prefixed => Some(format!("sha256={}", digest(body, secret))),
        Signature::Bare => Some(digest(body, secret)),
        Signature::Wrong => Some(format!("sha256={}", digest(body, "some-other-secret"))),
        Signature::Missing => None,
    }
}

fn digest(body: &[u8], secret: &str) -> String {
    #[allow(clippy::expect_used, reason = "HMAC takes keys of every length")]
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("any key length");
    mac.update(body);
    mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signature_is_the_known_one() {
        let known = "f7bc83f430538424b13298e6aa6fb143ef4d59a14946175997479dbc2d1a3cd8";
        let body = b"The quick brown fox jumps over the lazy dog";
        assert_eq!(sign(body, "key", Signature::Bare).as_deref(), Some(known));
        assert_eq!(sign(body, "key", Signature::Prefixed), Some(format!("sha256={known}")));
        assert_ne!(sign(body, "key", Signature::Wrong), Some(format!("sha256={known}")));
        assert_eq!(sign(body, "key", Signature::Missing), None);
    }
}
