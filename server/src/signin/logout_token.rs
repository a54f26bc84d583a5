//! Logout tokens: what a provider says about a session that ended there, validated after OpenID Connect
//! Back-Channel Logout 1.0 §2.4 and §2.6, on claims whose signature has been checked.

use super::id_token::{is_audience, is_subject, numeric_date};
use campus::instant::Instant;
use serde_json::{Map, Value};

/// The one event that is understood (§2.4).
const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";
/// Longest `jti` and `sid` that are looked at, in bytes.
const LONGEST_ID: usize = 512;

/// What a logout token is held against.
#[derive(Clone, Copy, Debug)]
pub struct Expected<'a> {
    /// The issuer, compared as a string.
    pub issuer: &'a str,
    /// Our client id.
    pub client_id: &'a str,
    /// Now.
    pub now: Instant,
    /// How far clocks may be apart, in seconds, both ways.
    pub leeway: i64,
}

/// Why a logout token is not believed. The words are for the provider's log; nothing secret is in them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The form has no token, or several.
    #[error("there must be exactly one logout_token")]
    Form,
    /// Not a signed token of an allowed algorithm and a known key.
    #[error("the token's signature or form is not acceptable")]
    Signature,
    /// `typ` names another kind of token (§2.4).
    #[error("typ is not logout+jwt")]
    Type,
    /// `iss`.
    #[error("iss is another issuer")]
    Issuer,
    /// `aud` or `azp`.
    #[error("aud is not this client alone")]
    Audience,
    /// `iat` or `exp`.
    #[error("iat or exp is missing or out of range")]
    Time,
    /// `jti` is missing.
    #[error("jti is missing")]
    TokenId,
    /// `events` lacks the event.
    #[error("events lacks the back-channel logout event")]
    Event,
    /// There is a `nonce`: it could be an ID token.
    #[error("nonce must not be present")]
    Nonce,
    /// Neither `sub` nor `sid`, or one that is no text.
    #[error("sub and sid are missing or malformed")]
    Whom,
    /// It was used before.
    #[error("jti was used before")]
    Replayed,
}

/// Whom a logout token is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Whom {
    /// Every session of this subject.
    Subject(String),
    /// What came of one session at the provider.
    Session {
        /// Its id there.
        sid: String,
        /// Its subject, where the token names one too.
        subject: Option<String>,
    },
}

/// A logout token that passed every check but the one for a replay, which needs the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogoutToken {
    /// Whom it is about.
    pub whom: Whom,
    /// Its own id.
    pub jti: String,
    /// From then on it is refused for its age.
    pub expires: Instant,
}

impl LogoutToken {
    /// Validates type and claims.
    ///
    /// # Errors
    /// The first check that failed.
    pub fn validate(
        typ: Option<&str>,
        claims: &Map<String, Value>,
        expected: Expected<'_>,
    ) -> Result<Self, Fault> {
        if !typ.is_none_or(is_type) {
            return Err(Fault::Type);
        }
        if claims.get("iss").and_then(Value::as_str) != Some(expected.issuer) {
            return Err(Fault::Issuer);
        }
        let azp = claims.get("azp").filter(|value| !value.is_null());
        let for_us = azp.is_none_or(|azp| azp.as_str() == Some(expected.client_id));
        if !for_us || !is_audience(claims.get("aud"), expected.client_id, azp.is_some()) {
            return Err(Fault::Audience);
        }
        let expires = check_times(claims, expected)?;
        if claims.contains_key("nonce") {
            return Err(Fault::Nonce);
        }
        if !claims.get("events").and_then(|events| events.get(EVENT)).is_some_and(Value::is_object)
        {
            return Err(Fault::Event);
        }
        let jti = claims.get("jti").and_then(id_text).ok_or(Fault::TokenId)?;
        Ok(Self { whom: whom(claims)?, jti, expires })
    }
}

/// `logout+jwt` is the type (§2.4); providers from before it say `JWT`. RFC 7515 §4.1.9 compares without
/// case and allows the prefix.
fn is_type(typ: &str) -> bool {
    let typ = typ.to_ascii_lowercase();
    matches!(typ.strip_prefix("application/").unwrap_or(&typ), "logout+jwt" | "jwt")
}

/// Gives the instant from which the token is too old. Its own `exp` rules that: §2.4 makes it required.
fn check_times(claims: &Map<String, Value>, expected: Expected<'_>) -> Result<Instant, Fault> {
    let Expected { now, leeway, .. } = expected;
    let required = |name| numeric_date(claims, name).ok().flatten().ok_or(Fault::Time);
    let (expires, issued) = (required("exp")?.plus_seconds(leeway), required("iat")?);
    if expires <= now || issued > now.plus_seconds(leeway) {
        return Err(Fault::Time);
    }
    Ok(expires)
}

fn whom(claims: &Map<String, Value>) -> Result<Whom, Fault> {
    let subject = match claims.get("sub") {
        None => None,
        Some(sub) => {
            Some(sub.as_str().filter(|sub| is_subject(sub)).ok_or(Fault::Whom)?.to_owned())
        }
    };
    let sid = match claims.get("sid") {
        None => None,
        Some(sid) => Some(id_text(sid).ok_or(Fault::Whom)?),
    };
    match (sid, subject) {
        (Some(sid), subject) => Ok(Whom::Session { sid, subject }),
        (None, Some(subject)) => Ok(Whom::Subject(subject)),
        (None, None) => Err(Fault::Whom),
    }
}

fn id_text(value: &Value) -> Option<String> {
    let fits = |text: &&str| (1..=LONGEST_ID).contains(&text.len()) && !text.contains('\0');
    value.as_str().filter(fits).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const NOW: i64 = 1_800_000_000;

    fn validate(typ: Option<&str>, claims: &Value) -> Result<LogoutToken, Fault> {
        let expected = Expected {
            issuer: "https://auth.campusone.com.ng",
            client_id: "desk",
            now: Instant::from_seconds(NOW),
            leeway: 60,
        };
        LogoutToken::validate(typ, claims.as_object().expect("an object"), expected)
    }

    fn good() -> Value {
        json!({
            "iss": "https://auth.campusone.com.ng", "aud": "desk", "sub": "user_abc123", "sid": "s-1",
            "iat": NOW - 5, "exp": NOW + 115, "jti": "j-1", "events": { EVENT: {} },
        })
    }

    fn with(name: &str, value: Value) -> Result<LogoutToken, Fault> {
        let mut claims = good();
        claims[name] = value;
        validate(None, &claims)
    }

    fn without(names: &[&str]) -> Result<LogoutToken, Fault> {
        let mut claims = good();
        for name in names {
            claims.as_object_mut().map(|claims| claims.remove(*name));
        }
        validate(None, &claims)
    }

    #[test]
    fn a_good_token_says_whom_it_is_about() {
        let token = validate(Some("logout+jwt"), &good()).expect("valid");
        let subject = || "user_abc123".to_owned();
        let sid = || "s-1".to_owned();
        assert_eq!(token.whom, Whom::Session { sid: sid(), subject: Some(subject()) });
        assert_eq!((token.jti.as_str(), token.expires), ("j-1", Instant::from_seconds(NOW + 175)));
        let whom = |names| without(names).map(|token| token.whom);
        assert_eq!(whom(&["sid"]), Ok(Whom::Subject(subject())));
        assert_eq!(whom(&["sub"]), Ok(Whom::Session { sid: sid(), subject: None }));
        assert_eq!(whom(&["sub", "sid"]), Err(Fault::Whom));
    }

    #[test]
    fn each_claim_is_checked() {
        let rows: &[(&str, Value, Fault)] = &[
            ("iss", json!("https://auth.campusone.com.ng/"), Fault::Issuer),
            ("aud", json!("other"), Fault::Audience),
            ("aud", json!(["desk", "other"]), Fault::Audience),
            ("azp", json!("other"), Fault::Audience),
            ("iat", json!(NOW + 61), Fault::Time),
            ("iat", json!("now"), Fault::Time),
            ("exp", json!(NOW - 60), Fault::Time),
            ("exp", json!(null), Fault::Time),
            ("nonce", json!("n"), Fault::Nonce),
            ("nonce", json!(null), Fault::Nonce),
            ("events", json!({}), Fault::Event),
            ("events", json!([EVENT]), Fault::Event),
            ("events", json!(EVENT), Fault::Event),
            ("events", json!({ EVENT: null }), Fault::Event),
            ("events", json!({ "http://schemas.openid.net/event/other": {} }), Fault::Event),
            ("jti", json!(""), Fault::TokenId),
            ("jti", json!(7), Fault::TokenId),
            ("jti", json!("x".repeat(513)), Fault::TokenId),
            ("sub", json!(""), Fault::Whom),
            ("sub", json!(null), Fault::Whom),
            ("sid", json!(7), Fault::Whom),
            ("sid", json!("a\0b"), Fault::Whom),
        ];
        for (name, value, fault) in rows {
            assert_eq!(with(name, value.clone()), Err(*fault), "{name}: {value}");
        }
        for (name, fault) in [
            ("iss", Fault::Issuer),
            ("aud", Fault::Audience),
            ("iat", Fault::Time),
            ("exp", Fault::Time),
            ("jti", Fault::TokenId),
            ("events", Fault::Event),
        ] {
            assert_eq!(without(&[name]), Err(fault), "{name} missing");
        }
        assert!(with("aud", json!(["desk"])).is_ok());
        // Another event beside ours takes nothing away.
        assert!(with("events", json!({ EVENT: {}, "urn:x": {} })).is_ok());
    }

    #[test]
    fn the_type_may_be_missing_or_old_but_not_another() {
        for typ in ["logout+jwt", "LOGOUT+JWT", "application/logout+jwt", "JWT"] {
            assert!(validate(Some(typ), &good()).is_ok(), "{typ}");
        }
        for typ in ["at+jwt", "logout", "", "secevent+jwt"] {
            assert_eq!(validate(Some(typ), &good()), Err(Fault::Type), "{typ}");
        }
    }
}
