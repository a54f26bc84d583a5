//! The signing keys: making, rotating, publishing, and signing with them. What is signed, and which
//! faults it carries, is decided elsewhere.

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::EncodingKey;
use jsonwebtoken::jwk::Jwk;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256, Sha512};

/// Rotated keys stay published this long, as better-auth does it.
const GRACE_SECONDS: i64 = 30 * 24 * 3600;

/// The algorithm of ID tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub enum Algorithm {
    /// Ed25519, better-auth's default.
    #[default]
    #[serde(rename = "EdDSA")]
    EdDsa,
    /// RSA PKCS #1 with SHA-256.
    #[serde(rename = "RS256")]
    Rs256,
    /// ECDSA on P-256 with SHA-256.
    #[serde(rename = "ES256")]
    Es256,
}

impl Algorithm {
    /// The name in a JOSE header.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::EdDsa => "EdDSA",
            Self::Rs256 => "RS256",
            Self::Es256 => "ES256",
        }
    }

    fn jose(self) -> jsonwebtoken::Algorithm {
        match self {
            Self::EdDsa => jsonwebtoken::Algorithm::EdDSA,
            Self::Rs256 => jsonwebtoken::Algorithm::RS256,
            Self::Es256 => jsonwebtoken::Algorithm::ES256,
        }
    }

    /// The `at_hash` of an access token under this algorithm.
    pub(crate) fn at_hash(self, access_token: &str) -> String {
        let digest = match self {
            Self::EdDsa => Sha512::digest(access_token.as_bytes()).to_vec(),
            Self::Rs256 | Self::Es256 => Sha256::digest(access_token.as_bytes()).to_vec(),
        };
        URL_SAFE_NO_PAD.encode(&digest[..digest.len() / 2])
    }
}

/// A key could not be made, read or used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum KeyError {
    #[error("a signing key could not be generated")]
    Generate,
    #[error("a signing key could not be used: {0}")]
    Use(#[from] jsonwebtoken::errors::Error),
    #[error("a token could not be written: {0}")]
    Write(#[from] serde_json::Error),
}

/// One signing key.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Key {
    pub(crate) kid: String,
    pub(crate) algorithm: Algorithm,
    pem: String,
    retired: Option<i64>,
}

impl Key {
    fn generate(algorithm: Algorithm) -> Result<Self, KeyError> {
        let random = SystemRandom::new();
        let der = match algorithm {
            Algorithm::EdDsa => Ed25519KeyPair::generate_pkcs8v1(&random)
                .map_err(|_| KeyError::Generate)?
                .as_ref()
                .to_vec(),
            Algorithm::Es256 => {
                EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random)
                    .map_err(|_| KeyError::Generate)?
                    .as_ref()
                    .to_vec()
            }
            Algorithm::Rs256 => {
                let pair = KeyPair::generate(KeySize::Rsa2048).map_err(|_| KeyError::Generate)?;
                let der: Pkcs8V1Der<'static> = pair.as_der().map_err(|_| KeyError::Generate)?;
                der.as_ref().to_vec()
            }
        };
        let pem = format!(
            "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n",
            STANDARD.encode(&der)
        );
        Ok(Self { kid: crate::grant::random_letters(32), algorithm, pem, retired: None })
    }

    fn encoding_key(&self) -> Result<EncodingKey, KeyError> {
        let pem = self.pem.as_bytes();
        Ok(match self.algorithm {
            Algorithm::EdDsa => EncodingKey::from_ed_pem(pem)?,
            Algorithm::Rs256 => EncodingKey::from_rsa_pem(pem)?,
            Algorithm::Es256 => EncodingKey::from_ec_pem(pem)?,
        })
    }

    /// The public half, without `use`, as better-auth publishes it.
    fn jwk(&self) -> Result<Value, KeyError> {
        let jwk = Jwk::from_encoding_key(&self.encoding_key()?, self.algorithm.jose())?;
        let mut value = serde_json::to_value(jwk)?;
        value["kid"] = json!(self.kid);
        Ok(value)
    }

    /// Signs a header and a payload as they are.
    pub(crate) fn sign(&self, header: &Value, payload: &Value) -> Result<String, KeyError> {
        let input = signing_input(header, payload)?;
        let signature = jsonwebtoken::crypto::sign(
            input.as_bytes(),
            &self.encoding_key()?,
            self.algorithm.jose(),
        )?;
        Ok(format!("{input}.{signature}"))
    }

    /// Whether a token was signed with this key. Only the signature is looked at.
    pub(crate) fn has_signed(&self, token: &str) -> bool {
        let Some((input, signature)) = token.rsplit_once('.') else { return false };
        let verify = || -> Result<bool, KeyError> {
            let jwk: Jwk = serde_json::from_value(self.jwk()?)?;
            let key = jsonwebtoken::DecodingKey::from_jwk(&jwk)?;
            let algorithm = self.algorithm.jose();
            Ok(jsonwebtoken::crypto::verify(signature, input.as_bytes(), &key, algorithm)?)
        };
        verify().unwrap_or(false)
    }
}

/// Signs with a shared secret, which no provider with public keys should do.
pub(crate) fn sign_with_secret(
    header: &Value,
    payload: &Value,
    secret: &str,
) -> Result<String, KeyError> {
    let input = signing_input(header, payload)?;
    let key = EncodingKey::from_secret(secret.as_bytes());
    let signature =
        jsonwebtoken::crypto::sign(input.as_bytes(), &key, jsonwebtoken::Algorithm::HS256)?;
    Ok(format!("{input}.{signature}"))
}

/// The two encoded parts before the signature.
pub(crate) fn signing_input(header: &Value, payload: &Value) -> Result<String, KeyError> {
    let header = URL_SAFE_NO_PAD.encode(serde_json::to_vec(header)?);
    let payload = URL_SAFE_NO_PAD.encode(serde_json::to_vec(payload)?);
    Ok(format!("{header}.{payload}"))
}

/// The payload of a token, unverified.
pub(crate) fn payload(token: &str) -> Option<Value> {
    let part = token.split('.').nth(1)?;
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok()
}

/// All keys, the newest last.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(crate) struct KeyRing {
    keys: Vec<Key>,
}

impl KeyRing {
    /// The key in use for an algorithm, made when there is none.
    pub(crate) fn current(&mut self, algorithm: Algorithm) -> Result<Key, KeyError> {
        let in_use = |key: &&Key| key.algorithm == algorithm && key.retired.is_none();
        if let Some(key) = self.keys.iter().rev().find(in_use) {
            return Ok(key.clone());
        }
        let key = Key::generate(algorithm)?;
        self.keys.push(key.clone());
        Ok(key)
    }

    /// Retires the keys of an algorithm and makes a new one; the old stay published.
    pub(crate) fn rotate(&mut self, algorithm: Algorithm, now: i64) -> Result<(), KeyError> {
        let fresh = Key::generate(algorithm)?;
        for key in self.keys.iter_mut().filter(|key| key.algorithm == algorithm) {
            key.retired.get_or_insert(now);
        }
        self.keys.push(fresh);
        Ok(())
    }

    /// Publishes a second key of the algorithm, listed before the one in use.
    pub(crate) fn add_decoy(&mut self, algorithm: Algorithm, now: i64) -> Result<(), KeyError> {
        if self.keys.iter().filter(|key| key.algorithm == algorithm).count() < 2 {
            let decoy = Key { retired: Some(now), ..Key::generate(algorithm)? };
            self.keys.insert(0, decoy);
        }
        Ok(())
    }

    /// Whether any known key signed this token.
    pub(crate) fn has_signed(&self, token: &str) -> bool {
        self.keys.iter().any(|key| key.has_signed(token))
    }

    /// The published set.
    pub(crate) fn jwks(&self, now: i64) -> Result<Value, KeyError> {
        let published = self
            .keys
            .iter()
            .filter(|key| key.retired.is_none_or(|since| now - since < GRACE_SECONDS))
            .map(Key::jwk)
            .collect::<Result<Vec<_>, _>>()?;
        Ok(json!({ "keys": published }))
    }
}
