//! Webhooks as the seeds describe them: a JSON event, signed over its bytes. Standard Webhooks
//! (standardwebhooks.com) is what the seeds do not show and a later Campus One may send.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::Sha256;

/// The header of the seeds' signature.
const SIGNATURE_HEADER: &str = "x-campus-one-signature";

/// The form of the signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Signature {
    /// `sha256=` and the digits.
    #[default]
    Prefixed,
    /// The digits alone.
    Bare,
    /// The three headers of Standard Webhooks.
    Standard,
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

/// Headers by name.
pub(crate) type Headers = Vec<(&'static str, String)>;

/// The headers that sign a body sent at a time in Unix seconds.
pub(crate) fn sign(body: &[u8], secret: &str, form: Signature, now: i64) -> Headers {
    let seeds = |value| vec![(SIGNATURE_HEADER, value)];
    match form {
        Signature::Prefixed => seeds(format!("sha256={}", hex(&digest(body, secret.as_bytes())))),
        Signature::Bare => seeds(hex(&digest(body, secret.as_bytes()))),
        Signature::Wrong => seeds(format!("sha256={}", hex(&digest(body, b"some-other-secret")))),
        Signature::Standard => standard(body, secret, now),
        Signature::Missing => Vec::new(),
    }
}

/// `webhook-signature` covers `id.timestamp.body`; a secret with `whsec_` is the key in Base64.
fn standard(body: &[u8], secret: &str, now: i64) -> Headers {
    let key = secret.strip_prefix("whsec_").and_then(|key| STANDARD.decode(key).ok());
    let key = key.unwrap_or_else(|| secret.as_bytes().to_vec());
    let id = format!("msg_{}", &hex(&digest(body, b"id"))[..24]);
    let signed = [format!("{id}.{now}.").as_bytes(), body].concat();
    let signature = format!("v1,{}", STANDARD.encode(digest(&signed, &key)));
    vec![
        ("webhook-id", id),
        ("webhook-timestamp", now.to_string()),
        ("webhook-signature", signature),
    ]
}

fn digest(body: &[u8], key: &[u8]) -> Vec<u8> {
    #[allow(clippy::expect_used, reason = "HMAC takes keys of every length")]
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("any key length");
    mac.update(body);
    mac.finalize().into_bytes().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signature(body: &[u8], secret: &str, form: Signature) -> String {
        let headers = sign(body, secret, form, 1_614_265_330);
        headers.into_iter().next_back().map(|(_, value)| value).unwrap_or_default()
    }

    #[test]
    fn signature_is_the_known_one() {
        let known = "f7bc83f430538424b13298e6aa6fb143ef4d59a14946175997479dbc2d1a3cd8";
        let body = b"The quick brown fox jumps over the lazy dog";
        assert_eq!(signature(body, "key", Signature::Bare), known);
        assert_eq!(signature(body, "key", Signature::Prefixed), format!("sha256={known}"));
        assert_ne!(signature(body, "key", Signature::Wrong), format!("sha256={known}"));
        assert_eq!(sign(body, "key", Signature::Missing, 0), Vec::new());
    }

    #[test]
    fn a_standard_signature_covers_id_time_and_body() {
        let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
        let headers = sign(b"{}", secret, Signature::Standard, 1_614_265_330);
        let [(_, id), (_, time), (_, signature)] = &headers[..] else { panic!("{headers:?}") };
        let key = STANDARD.decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap_or_default();
        let signed = format!("{id}.1614265330.{{}}");
        assert_eq!(time, "1614265330");
        assert_eq!(*signature, format!("v1,{}", STANDARD.encode(digest(signed.as_bytes(), &key))));
    }
}
