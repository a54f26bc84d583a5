//! ID token validation: OpenID Connect Core §3.1.3.7 and PROTOCOLS.md rule 3, on claims whose signature
//! has been checked.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use campus::instant::Instant;
use campus::reason::Reason;
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256, Sha512};
use subtle::ConstantTimeEq as _;

/// What an ID token is held against.
#[derive(Clone, Copy, Debug)]
pub struct Expected<'a> {
    /// The issuer, compared as a string.
    pub issuer: &'a str,
    /// Our client id.
    pub client_id: &'a str,
    /// The flow's nonce; `None` for a refreshed token, which carries none.
    pub nonce: Option<&'a str>,
    /// The access token that came along, for `at_hash`.
    pub access_token: &'a str,
    /// Now.
    pub now: Instant,
    /// How far clocks may be apart, in seconds, both ways.
    pub leeway: i64,
}

/// An ID token that passed every check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdToken {
    /// The subject at the issuer.
    pub subject: String,
    /// When it was issued.
    pub issued_at: Instant,
    /// The provider's session id, where it tells one.
    pub sid: Option<String>,
    /// When the person last proved who they are; gen1 does not say.
    pub auth_time: Option<Instant>,
    /// All claims.
    pub claims: Map<String, Value>,
}

impl IdToken {
    /// Validates the claims.
    ///
    /// # Errors
    /// The reason of the first check that failed.
    pub fn validate(claims: Map<String, Value>, expected: Expected<'_>) -> Result<Self, Reason> {
        let text = |name: &str| claims.get(name).and_then(Value::as_str);
        if text("iss") != Some(expected.issuer) {
            return Err(Reason::ID_TOKEN_ISSUER);
        }
        let azp = claims.get("azp").filter(|value| !value.is_null());
        let for_us = azp.is_none_or(|azp| azp.as_str() == Some(expected.client_id));
        if !for_us || !is_audience(claims.get("aud"), expected.client_id, azp.is_some()) {
            return Err(Reason::ID_TOKEN_AUDIENCE);
        }
        let issued_at = check_times(&claims, expected)?;
        if let Some(nonce) = expected.nonce {
            let given = text("nonce").unwrap_or_default();
            if !bool::from(given.as_bytes().ct_eq(nonce.as_bytes())) {
                return Err(Reason::ID_TOKEN_NONCE);
            }
        }
        let subject = text("sub").filter(|sub| is_subject(sub)).ok_or(Reason::ID_TOKEN_SUBJECT)?;
        if let Some(at_hash) = claims.get("at_hash").filter(|value| !value.is_null()) {
            let given = at_hash.as_str().unwrap_or_default();
            let bound = at_hashes(expected.access_token.as_bytes())
                .iter()
                .any(|right| bool::from(given.as_bytes().ct_eq(right.as_bytes())));
            if !bound {
                return Err(Reason::ID_TOKEN_AT_HASH);
            }
        }
        let subject = subject.to_owned();
        let sid = text("sid").map(str::to_owned);
        let auth_time = numeric_date(&claims, "auth_time").ok().flatten();
        Ok(Self { subject, issued_at, sid, auth_time, claims })
    }
}

/// Whether a subject is one: not empty, ASCII, at most 255 characters (OpenID Connect Core §2).
#[must_use]
pub fn is_subject(sub: &str) -> bool {
    (1..=255).contains(&sub.len()) && sub.bytes().all(|byte| byte.is_ascii_graphic())
}

/// The audience must name us. Further audiences are strangers who could replay the token to us, so they
/// are trusted only where `azp` says that the token was made for us (§3.1.3.7, 3 to 5).
pub(super) fn is_audience(aud: Option<&Value>, client_id: &str, azp_is_us: bool) -> bool {
    match aud {
        Some(Value::String(aud)) => aud == client_id,
        Some(Value::Array(auds)) => {
            let ours = auds.iter().any(|aud| aud.as_str() == Some(client_id));
            ours && (auds.len() == 1 || azp_is_us)
        }
        _ => false,
    }
}

fn check_times(claims: &Map<String, Value>, expected: Expected<'_>) -> Result<Instant, Reason> {
    let Expected { now, leeway, .. } = expected;
    let required = |name| numeric_date(claims, name)?.ok_or(Reason::ID_TOKEN_TIME);
    let (expires, issued) = (required("exp")?, required("iat")?);
    let not_before = numeric_date(claims, "nbf")?;
    let over = expires.plus_seconds(leeway) <= now;
    let ahead = |at: Instant| at > now.plus_seconds(leeway);
    if over || ahead(issued) || not_before.is_some_and(ahead) {
        return Err(Reason::ID_TOKEN_TIME);
    }
    Ok(issued)
}

/// Seconds since the epoch (RFC 7519 §2); values too large to be seconds are milliseconds, as some
/// better-auth versions write `auth_time`.
pub(super) fn numeric_date(
    claims: &Map<String, Value>,
    name: &str,
) -> Result<Option<Instant>, Reason> {
    const MILLIS_FROM: f64 = 1e11;
    let Some(value) = claims.get(name).filter(|value| !value.is_null()) else { return Ok(None) };
    let number = value.as_f64().filter(|n| n.is_finite() && (0.0..1e15).contains(n));
    let number = number.ok_or(Reason::ID_TOKEN_TIME)?;
    #[allow(clippy::cast_possible_truncation, reason = "checked to be below 10^15")]
    let whole = number as i64;
    Ok(Some(if number >= MILLIS_FROM {
        Instant::from_millis(whole)
    } else {
        Instant::from_seconds(whole)
    }))
}

/// `at_hash`: the left half of the access token's hash (OpenID Connect Core §3.1.3.6). RS256 and ES256
/// mean SHA-256; for EdDSA the standard names no hash and providers differ, so SHA-512 counts too. Either
/// binds the two tokens.
fn at_hashes(access_token: &[u8]) -> [String; 2] {
    [
        URL_SAFE_NO_PAD.encode(&Sha256::digest(access_token)[..16]),
        URL_SAFE_NO_PAD.encode(&Sha512::digest(access_token)[..32]),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const NOW: i64 = 1_800_000_000;

    fn expected() -> Expected<'static> {
        Expected {
            issuer: "https://auth.campusone.com.ng",
            client_id: "desk",
            nonce: Some("n-1"),
            access_token: "opaque",
            now: Instant::from_seconds(NOW),
            leeway: 60,
        }
    }

    fn good() -> Map<String, Value> {
        json!({
            "iss": "https://auth.campusone.com.ng", "aud": "desk", "sub": "user_abc123",
            "iat": NOW - 5, "exp": NOW + 3600, "nonce": "n-1", "updated_at": "2026-11-01T00:00:00.000Z",
        })
        .as_object()
        .cloned()
        .expect("an object")
    }

    fn with(name: &str, value: Value) -> Result<IdToken, Reason> {
        let mut claims = good();
        claims.insert(name.to_owned(), value);
        IdToken::validate(claims, expected())
    }

    fn without(name: &str) -> Result<IdToken, Reason> {
        let mut claims = good();
        claims.remove(name);
        IdToken::validate(claims, expected())
    }

    #[test]
    fn gen1s_token_passes() {
        let token = IdToken::validate(good(), expected()).expect("valid");
        assert_eq!(
            (token.subject.as_str(), token.sid, token.auth_time),
            ("user_abc123", None, None)
        );
        assert!(with("aud", json!(["desk"])).is_ok());
        assert!(with("azp", json!("desk")).is_ok());
    }

    #[test]
    fn each_claim_is_checked() {
        let mut both = good();
        both.insert("aud".into(), json!(["desk", "other"]));
        assert_eq!(IdToken::validate(both.clone(), expected()), Err(Reason::ID_TOKEN_AUDIENCE));
        both.insert("azp".into(), json!("desk"));
        assert!(IdToken::validate(both, expected()).is_ok());

        let rows: &[(&str, Value, Reason)] = &[
            ("iss", json!("https://auth.campusone.com.ng/"), Reason::ID_TOKEN_ISSUER),
            ("iss", json!(7), Reason::ID_TOKEN_ISSUER),
            ("aud", json!("other"), Reason::ID_TOKEN_AUDIENCE),
            ("aud", json!([]), Reason::ID_TOKEN_AUDIENCE),
            ("aud", json!(null), Reason::ID_TOKEN_AUDIENCE),
            ("azp", json!("other"), Reason::ID_TOKEN_AUDIENCE),
            ("exp", json!(NOW - 60), Reason::ID_TOKEN_TIME),
            ("exp", json!("soon"), Reason::ID_TOKEN_TIME),
            ("iat", json!(NOW + 61), Reason::ID_TOKEN_TIME),
            ("nbf", json!(NOW + 61), Reason::ID_TOKEN_TIME),
            ("nonce", json!("n-2"), Reason::ID_TOKEN_NONCE),
            ("nonce", json!(""), Reason::ID_TOKEN_NONCE),
            ("sub", json!(""), Reason::ID_TOKEN_SUBJECT),
            ("sub", json!("Ṅ"), Reason::ID_TOKEN_SUBJECT),
            ("sub", json!("a b"), Reason::ID_TOKEN_SUBJECT),
            ("sub", json!("x".repeat(256)), Reason::ID_TOKEN_SUBJECT),
            ("at_hash", json!("wrong"), Reason::ID_TOKEN_AT_HASH),
            ("at_hash", json!(1), Reason::ID_TOKEN_AT_HASH),
        ];
        for (name, value, reason) in rows {
            assert_eq!(with(name, value.clone()), Err(*reason), "{name}: {value}");
        }
        for (name, reason) in [
            ("iss", Reason::ID_TOKEN_ISSUER),
            ("aud", Reason::ID_TOKEN_AUDIENCE),
            ("exp", Reason::ID_TOKEN_TIME),
            ("iat", Reason::ID_TOKEN_TIME),
            ("nonce", Reason::ID_TOKEN_NONCE),
            ("sub", Reason::ID_TOKEN_SUBJECT),
        ] {
            assert_eq!(without(name), Err(reason), "{name} missing");
        }
    }

    #[test]
    fn clocks_may_be_a_minute_apart_both_ways() {
        assert!(with("exp", json!(NOW - 59)).is_ok());
        assert!(with("iat", json!(NOW + 60)).is_ok());
        assert!(with("nbf", json!(NOW + 60)).is_ok());
    }

    #[test]
    fn at_hash_is_checked_where_it_is_given() {
        for right in at_hashes(b"opaque") {
            assert!(with("at_hash", json!(right)).is_ok());
        }
        assert!(with("at_hash", json!(at_hashes(b"other")[0])).is_err());
        // OpenID Connect Core appendix A.4.
        let standard = at_hashes(b"jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y");
        assert_eq!(standard[0], "77QmUPtjPfzWtF2AnpK9RQ");
    }

    #[test]
    fn auth_time_in_milliseconds_is_normalised() {
        for value in [json!(NOW), json!(NOW * 1000)] {
            let token = with("auth_time", value).expect("valid");
            assert_eq!(token.auth_time, Some(Instant::from_seconds(NOW)));
        }
        assert!(with("auth_time", json!("yesterday")).expect("valid").auth_time.is_none());
    }

    #[test]
    fn a_refreshed_token_needs_no_nonce() {
        let mut claims = good();
        claims.remove("nonce");
        let refreshed = Expected { nonce: None, ..expected() };
        assert!(IdToken::validate(claims, refreshed).is_ok());
    }
}
