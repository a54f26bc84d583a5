//! Signed tokens: a compact JWS (RFC 7515 §7.1) is checked against a key set, and only then read.
//!
//! Algorithms are pinned to EdDSA, RS256 and ES256 and never taken from the provider's metadata; `none`
//! and HS256 are refused whatever the key set holds (PROTOCOLS.md rule 2).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk};
use jsonwebtoken::{Algorithm, DecodingKey};
use serde::Deserialize;
use serde_json::{Map, Value};

/// Longest token that is looked at, in bytes.
const LONGEST_TOKEN: usize = 32 * 1024;
/// Most keys that are kept of a set: a provider publishes a handful.
const MOST_KEYS: usize = 32;

/// Why a token was not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JwsError {
    /// It is not a compact JWS with a JSON object in it.
    #[error("the token is malformed")]
    Malformed,
    /// Its algorithm is not one of ours.
    #[error("the token's algorithm is not allowed")]
    Algorithm,
    /// It is signed with a secret that both sides know. That is better-auth without its `jwt` plugin, and
    /// its operator's matter: no person can do anything about it.
    #[error(
        "the token is signed with the client secret (HS256), which proves nothing to us: Campus One must \
         sign with a published key (better-auth: add the jwt plugin and set useJWTPlugin)"
    )]
    SharedSecret,
    /// No key of the set is meant by it: the set may be old.
    #[error("no key matches the token")]
    NoKey,
    /// The signature is wrong: the set may be old.
    #[error("the token's signature is wrong")]
    Signature,
}

impl JwsError {
    /// Whether a newer key set could change the answer.
    #[must_use]
    pub const fn may_be_stale_keys(self) -> bool {
        matches!(self, Self::NoKey | Self::Signature)
    }
}

struct Key {
    kid: Option<String>,
    algorithm: Algorithm,
    key: DecodingKey,
}

/// The public keys of a provider.
#[derive(Default)]
pub struct KeySet(Vec<Key>);

impl KeySet {
    /// Reads a JSON Web Key Set (RFC 7517 §5). Keys of other kinds, and malformed ones, are passed over.
    #[must_use]
    pub fn parse(document: &Value) -> Self {
        let keys = document.get("keys").and_then(Value::as_array).map(Vec::as_slice);
        let usable = keys.unwrap_or_default().iter().filter_map(read_key).take(MOST_KEYS);
        Self(usable.collect())
    }

    /// How many keys can be used.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Checks the signature and returns the claims. A token without `kid` is tried against every key of
    /// its algorithm.
    ///
    /// # Errors
    /// See [`JwsError`].
    pub fn verify(&self, token: &str) -> Result<Map<String, Value>, JwsError> {
        let (signed, signature) = split(token)?;
        let (header, payload) = signed.split_once('.').ok_or(JwsError::Malformed)?;
        let header: Header = decode(header)?;
        if header.crit.is_some() {
            // RFC 7515 §4.1.11: extensions that are not understood must not be passed over.
            return Err(JwsError::Malformed);
        }
        let algorithm = header.algorithm()?;
        let meant = |key: &&Key| {
            key.algorithm == algorithm && (header.kid.is_none() || header.kid == key.kid)
        };
        let mut candidates = self.0.iter().filter(meant).peekable();
        if candidates.peek().is_none() {
            return Err(JwsError::NoKey);
        }
        let matches = |key: &Key| {
            jsonwebtoken::crypto::verify(signature, signed.as_bytes(), &key.key, algorithm)
                .unwrap_or(false)
        };
        if candidates.any(matches) { decode(payload) } else { Err(JwsError::Signature) }
    }
}

/// The `typ` of a token's header (RFC 7515 §4.1.9), if it has one. It deserves no more trust than the token:
/// verify that first.
///
/// # Errors
/// When it is no token, or its type is no text.
pub fn token_type(token: &str) -> Result<Option<String>, JwsError> {
    #[derive(Deserialize)]
    struct Typed {
        typ: Option<String>,
    }
    let (signed, _) = split(token)?;
    let (header, _) = signed.split_once('.').ok_or(JwsError::Malformed)?;
    Ok(decode::<Typed>(header)?.typ)
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    crit: Option<Value>,
}

impl Header {
    fn algorithm(&self) -> Result<Algorithm, JwsError> {
        match self.alg.as_str() {
            "EdDSA" => Ok(Algorithm::EdDSA),
            "RS256" => Ok(Algorithm::RS256),
            "ES256" => Ok(Algorithm::ES256),
            "HS256" | "HS384" | "HS512" => Err(JwsError::SharedSecret),
            _ => Err(JwsError::Algorithm),
        }
    }
}

fn split(token: &str) -> Result<(&str, &str), JwsError> {
    if token.len() > LONGEST_TOKEN || token.bytes().filter(|byte| *byte == b'.').count() != 2 {
        return Err(JwsError::Malformed);
    }
    token.rsplit_once('.').ok_or(JwsError::Malformed)
}

fn decode<T: serde::de::DeserializeOwned>(part: &str) -> Result<T, JwsError> {
    let bytes = URL_SAFE_NO_PAD.decode(part).map_err(|_| JwsError::Malformed)?;
    serde_json::from_slice(&bytes).map_err(|_| JwsError::Malformed)
}

fn read_key(value: &Value) -> Option<Key> {
    // A key that says it is for encryption is not for signatures; Campus One's say nothing.
    if value.get("use").and_then(Value::as_str).is_some_and(|purpose| purpose != "sig") {
        return None;
    }
    let jwk: Jwk = serde_json::from_value(value.clone()).ok()?;
    let algorithm = match &jwk.algorithm {
        AlgorithmParameters::OctetKeyPair(key) if key.curve == EllipticCurve::Ed25519 => {
            Algorithm::EdDSA
        }
        AlgorithmParameters::RSA(_) => Algorithm::RS256,
        AlgorithmParameters::EllipticCurve(key) if key.curve == EllipticCurve::P256 => {
            Algorithm::ES256
        }
        _ => return None,
    };
    let stated = value.get("alg").and_then(Value::as_str);
    if stated.is_some_and(|stated| stated != format!("{algorithm:?}")) {
        return None;
    }
    let key = DecodingKey::from_jwk(&jwk).ok()?;
    Some(Key { kid: jwk.common.key_id, algorithm, key })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// RFC 8037 appendix A: an Ed25519 key and a signature by it.
    const KEY: &str =
        r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;

    fn set() -> KeySet {
        KeySet::parse(&json!({ "keys": [serde_json::from_str::<Value>(KEY).expect("json")] }))
    }

    fn token(header: &Value, payload: &Value, signature: &[u8]) -> String {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        format!("{}.{}.{}", part(header), part(payload), URL_SAFE_NO_PAD.encode(signature))
    }

    #[test]
    fn keys_of_other_kinds_are_passed_over() {
        let set = KeySet::parse(&json!({ "keys": [
            serde_json::from_str::<Value>(KEY).expect("json"),
            {"kty": "oct", "k": "c2VjcmV0"}, {"kty": "OKP"}, 7, null,
            {"kty": "OKP", "crv": "Ed25519", "use": "enc", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"},
        ]}));
        assert_eq!(set.len(), 1);
        assert!(KeySet::parse(&json!("nonsense")).is_empty());
    }

    #[test]
    fn algorithms_outside_the_pin_are_refused_before_any_key_is_tried() {
        for alg in ["none", "None", "hs256", "RS384", "PS256", "ES384", ""] {
            let forged = token(&json!({ "alg": alg }), &json!({ "sub": "x" }), b"");
            assert_eq!(set().verify(&forged), Err(JwsError::Algorithm), "{alg}");
        }
    }

    #[test]
    fn a_shared_secret_is_refused_by_its_name() {
        for alg in ["HS256", "HS384", "HS512"] {
            let forged = token(&json!({ "alg": alg }), &json!({ "sub": "x" }), b"");
            assert_eq!(set().verify(&forged), Err(JwsError::SharedSecret), "{alg}");
        }
    }

    #[test]
    fn the_type_is_read_where_there_is_one() {
        let typed = |header: Value| token_type(&token(&header, &json!({}), b""));
        let logout = typed(json!({"alg": "EdDSA", "typ": "logout+jwt"}));
        assert_eq!(logout, Ok(Some("logout+jwt".to_owned())));
        assert_eq!(typed(json!({"alg": "EdDSA"})), Ok(None));
        assert_eq!(typed(json!({"alg": "EdDSA", "typ": 7})), Err(JwsError::Malformed));
    }

    #[test]
    fn forgeries_and_garbage_are_told_apart() {
        let forged = token(&json!({"alg": "EdDSA"}), &json!({"sub": "x"}), &[7; 64]);
        assert_eq!(set().verify(&forged), Err(JwsError::Signature));
        let unknown = token(&json!({"alg": "EdDSA", "kid": "k"}), &json!({"sub": "x"}), &[7; 64]);
        assert_eq!(set().verify(&unknown), Err(JwsError::NoKey));
        let crit = token(&json!({"alg": "EdDSA", "crit": ["x"]}), &json!({}), &[7; 64]);
        for malformed in ["", ".", "..", "a.b.c", "a.b", "a.b.c.d", &crit] {
            assert_eq!(set().verify(malformed), Err(JwsError::Malformed), "{malformed}");
        }
    }
}
