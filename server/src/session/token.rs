//! Session tokens: the opaque values in session cookies, and what is kept of them.

use crate::store::sessions::TokenHash;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

const TOKEN_BYTES: usize = 16;

/// A fresh token: 128 random bits.
#[must_use]
pub fn fresh() -> String {
    URL_SAFE_NO_PAD.encode(rand::random::<[u8; TOKEN_BYTES]>())
}

/// What is stored of a token. `None` for text that cannot be one of ours, which saves the database a
/// look.
#[must_use]
pub fn hash(token: &str) -> Option<TokenHash> {
    let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
    (bytes.len() == TOKEN_BYTES).then(|| Sha256::digest(&bytes).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_looks_like_a_token_is_hashed() {
        let token = fresh();
        assert_ne!(token, fresh());
        assert!(hash(&token).is_some());
        for bad in ["", "x", "%", "AAAAAAAAAAAAAAAAAAAAAAAAAAAA", "ünïcode"] {
            assert_eq!(hash(bad), None, "{bad}");
        }
    }
}
