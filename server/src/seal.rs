//! Sealing: what a browser carries for us but must neither read nor change, and what a copy of the database
//! must not give away.
//!
//! XChaCha20-Poly1305 under keys derived from `SESSION_SECRET` by HKDF-SHA-256 (RFC 5869). The name under
//! which a value is stored is bound to it, so a sealed value works in no other place. New values are sealed
//! with the current secret; the previous one still opens old ones, so a rotation signs nobody out.

use crate::config::Secret;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};
use hkdf::Hkdf;
use sha2::Sha256;

const NONCE_BYTES: usize = 24;

/// The keys that seal and open.
#[derive(Clone)]
pub struct KeyRing {
    current: XChaCha20Poly1305,
    previous: Option<XChaCha20Poly1305>,
}

impl KeyRing {
    /// Derives the keys of one purpose; keys of different purposes do not open each other's values.
    #[must_use]
    pub fn derive(current: &Secret, previous: Option<&Secret>, purpose: &'static str) -> Self {
        let cipher = |secret: &Secret| {
            let mut key = [0_u8; 32];
            let expanded = Hkdf::<Sha256>::new(Some(b"campus-desk"), secret.expose().as_bytes())
                .expand(purpose.as_bytes(), &mut key);
            // HKDF refuses only outputs beyond 255 hash lengths; 32 bytes are one.
            debug_assert!(expanded.is_ok());
            XChaCha20Poly1305::new(&Key::from(key))
        };
        Self { current: cipher(current), previous: previous.map(cipher) }
    }

    /// Seals bytes under a name, as text fit for a cookie.
    #[must_use]
    pub fn seal(&self, name: &str, plain: &[u8]) -> String {
        let nonce: [u8; NONCE_BYTES] = rand::random();
        let payload = Payload { msg: plain, aad: name.as_bytes() };
        let mut sealed = nonce.to_vec();
        // The cipher refuses only messages of 256 GiB and more; ours fit in a cookie.
        sealed.extend(self.current.encrypt(&XNonce::from(nonce), payload).unwrap_or_default());
        URL_SAFE_NO_PAD.encode(sealed)
    }

    /// Opens what was sealed under the same name; `None` for anything else.
    #[must_use]
    pub fn open(&self, name: &str, sealed: &str) -> Option<Vec<u8>> {
        self.open_noting(name, sealed).map(|opened| opened.plain)
    }

    /// The same, and says which secret it took: what lies in the database is sealed anew after a rotation.
    #[must_use]
    pub fn open_noting(&self, name: &str, sealed: &str) -> Option<Opened> {
        let sealed = URL_SAFE_NO_PAD.decode(sealed).ok()?;
        let (nonce, body) = sealed.split_first_chunk::<NONCE_BYTES>()?;
        let open = |cipher: &XChaCha20Poly1305| {
            let payload = Payload { msg: body, aad: name.as_bytes() };
            cipher.decrypt(&XNonce::from(*nonce), payload).ok()
        };
        let current = open(&self.current).map(|plain| Opened { plain, outdated: false });
        let previous = || self.previous.as_ref().and_then(open);
        current.or_else(|| previous().map(|plain| Opened { plain, outdated: true }))
    }
}

/// What was under a seal.
pub struct Opened {
    /// The bytes.
    pub plain: Vec<u8>,
    /// Whether it took the previous secret.
    pub outdated: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ring(secret: &str, previous: Option<&str>) -> KeyRing {
        let previous = previous.map(Secret::new);
        KeyRing::derive(&Secret::new(secret), previous.as_ref(), "test")
    }

    #[test]
    fn a_sealed_value_opens_only_under_its_name_and_key() {
        let keys = ring("one", None);
        let sealed = keys.seal("a", b"secret");
        assert_eq!(keys.open("a", &sealed).as_deref(), Some(&b"secret"[..]));
        assert_eq!(keys.open("b", &sealed), None);
        assert_eq!(ring("two", None).open("a", &sealed), None);
        assert_eq!(keys.open("a", &sealed.replacen(&sealed[40..41], "_", 1)), None);
        for garbage in ["", "x", "%%%", "AAAA"] {
            assert_eq!(keys.open("a", garbage), None);
        }
        assert!(!sealed.contains("secret"));
    }

    #[test]
    fn the_previous_secret_still_opens() {
        let sealed = ring("old", None).seal("a", b"x");
        assert_eq!(ring("new", Some("old")).open("a", &sealed).as_deref(), Some(&b"x"[..]));
        assert_eq!(ring("newest", Some("new")).open("a", &sealed), None);
    }

    #[test]
    fn purposes_do_not_open_each_other() {
        let secret = Secret::new("one");
        let sealed = KeyRing::derive(&secret, None, "flow").seal("a", b"x");
        assert_eq!(KeyRing::derive(&secret, None, "cursor").open("a", &sealed), None);
    }
}
