//! Signatures of webhooks: HMAC-SHA-256 over the raw body, in the three forms in which Campus One may send
//! it, against the current secret and the one before it.
//!
//! `X-Campus-One-Signature` holds the digits, with or without `sha256=` (the seeds show both). Standard
//! Webhooks (standardwebhooks.com, "Verifying signatures") signs `id.timestamp.body`, with the time against
//! replays. Every comparison takes constant time.

use crate::config::WebhookSecrets;
use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use campus::instant::Instant;
use campus::reason::Reason;
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::HeaderMap;
use sha2::Sha256;

/// Our own header.
pub const CAMPUS_ONE: &str = "x-campus-one-signature";
/// The headers of Standard Webhooks.
pub const STANDARD_HEADERS: [&str; 3] = ["webhook-id", "webhook-timestamp", "webhook-signature"];

/// How far the signed time may be off, in seconds, both ways.
const STANDARD_TOLERANCE_SECONDS: u64 = 300;
/// More signatures than a rotation of keys needs are not looked at.
const MOST_SIGNATURES: usize = 8;

/// Padding is optional: secrets are copied by hand.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The keys of one secret.
struct Key {
    /// The secret's own bytes, as the seeds sign with them.
    plain: Vec<u8>,
    /// What Standard Webhooks may mean by the same secret.
    standard: Vec<Vec<u8>>,
}

impl Key {
    fn new(secret: &str) -> Self {
        let plain = secret.as_bytes().to_vec();
        let decoded = |text| BASE64.decode(text).into_iter().filter(|key| !key.is_empty());
        let standard = match secret.strip_prefix("whsec_") {
            Some(encoded) => decoded(encoded).collect(),
            // The reference libraries decode such a secret too; others sign with it as it is.
            None => decoded(secret).chain([plain.clone()]).collect(),
        };
        Self { plain, standard }
    }
}

/// The keys deliveries are checked with.
pub struct Keys(Vec<Key>);

impl Keys {
    /// From the secrets; `None` if there are none.
    #[must_use]
    pub fn new(secrets: &WebhookSecrets) -> Option<Self> {
        let secrets = [&secrets.current, &secrets.previous];
        let keys: Vec<Key> =
            secrets.into_iter().flatten().map(|secret| Key::new(secret.expose())).collect();
        (!keys.is_empty()).then_some(Self(keys))
    }

    /// Checks that one of the signatures was made with one of our secrets over this very body.
    ///
    /// # Errors
    /// [`Reason::WEBHOOK_UNSIGNED`], [`Reason::WEBHOOK_SIGNATURE`] or, where only the signed time is
    /// wrong, [`Reason::WEBHOOK_SIGNATURE_TIME`].
    pub fn check(&self, headers: &HeaderMap, body: &[u8], now: Instant) -> Result<(), Reason> {
        let campus_one = values(headers, CAMPUS_ONE);
        let [id, timestamp, signatures] = STANDARD_HEADERS.map(|name| values(headers, name));
        if campus_one.is_empty() && signatures.is_empty() {
            return Err(Reason::WEBHOOK_UNSIGNED);
        }
        let digests = campus_one.iter().filter_map(|value| from_hex(value));
        if self.made(&[body], |key| std::slice::from_ref(&key.plain), digests) {
            return Ok(());
        }
        let (&[id], &[timestamp]) = (id.as_slice(), timestamp.as_slice()) else {
            return Err(Reason::WEBHOOK_SIGNATURE);
        };
        let digests = signatures
            .iter()
            .flat_map(|list| list.split(' '))
            .filter_map(|signature| BASE64.decode(signature.strip_prefix("v1,")?).ok());
        let signed: [&[u8]; 5] = [id.as_bytes(), b".", timestamp.as_bytes(), b".", body];
        if !self.made(&signed, |key| &key.standard, digests) {
            return Err(Reason::WEBHOOK_SIGNATURE);
        }
        let signed_at = timestamp.parse::<i64>().ok().map(Instant::from_seconds);
        let near = |at: Instant| now.seconds_since(at).unsigned_abs() <= STANDARD_TOLERANCE_SECONDS;
        signed_at.filter(|at| near(*at)).map(|_| ()).ok_or(Reason::WEBHOOK_SIGNATURE_TIME)
    }

    /// Whether one of the digests is that of the parts under one of our keys.
    fn made<'k>(
        &'k self,
        parts: &[&[u8]],
        meaning: impl Fn(&'k Key) -> &'k [Vec<u8>],
        digests: impl Iterator<Item = Vec<u8>>,
    ) -> bool {
        let digests: Vec<_> = digests.take(MOST_SIGNATURES).collect();
        if digests.is_empty() {
            return false;
        }
        self.0.iter().flat_map(meaning).any(|key| {
            // HMAC takes keys of every length.
            let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { return false };
            parts.iter().for_each(|part| mac.update(part));
            digests.iter().any(|digest| mac.clone().verify_slice(digest).is_ok())
        })
    }
}

fn values<'h>(headers: &'h HeaderMap, name: &str) -> Vec<&'h str> {
    headers.get_all(name).iter().filter_map(|value| Some(value.to_str().ok()?.trim())).collect()
}

/// The bytes of `sha256=<digits>` or of the digits alone, in either case.
fn from_hex(value: &str) -> Option<Vec<u8>> {
    let digits = value.strip_prefix("sha256=").unwrap_or(value);
    if digits.len() != 64 {
        return None;
    }
    let digit = |digit: u8| char::from(digit).to_digit(16);
    let byte = |pair: &[u8]| u8::try_from(digit(pair[0])? * 16 + digit(pair[1])?).ok();
    digits.as_bytes().chunks_exact(2).map(byte).collect()
}

#[cfg(test)]
mod tests;
