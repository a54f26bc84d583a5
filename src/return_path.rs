//! The return path (`next`): where a sign-in leads back to, always inside this app.

use serde::{Deserialize, Serialize};
use std::fmt;

/// A local path with its query, safe to redirect to (PROTOCOLS.md, "Return path").
///
/// One leading `/`, not `//`, not `/\`, no control characters, checked as written and after decoding
/// once and twice, and not under `/auth` or the callback: those would start a sign-in again.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ReturnPath(String);

const LONGEST: usize = 2048;

impl ReturnPath {
    /// The home page: the answer to every return path that is not acceptable.
    pub fn home() -> Self {
        Self("/".to_owned())
    }

    /// Takes what a request asked for; anything doubtful becomes [`ReturnPath::home`].
    pub fn parse(asked: &str) -> Self {
        let decoded = percent_decode(asked);
        let twice = percent_decode(&decoded);
        if [asked, &decoded, &twice].iter().all(|form| is_local(form)) {
            Self(asked.to_owned())
        } else {
            Self::home()
        }
    }

    /// The path and query.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The path alone.
    pub fn path(&self) -> &str {
        self.0.split(['?', '#']).next().unwrap_or("/")
    }
}

impl fmt::Display for ReturnPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn percent_decode(text: &str) -> String {
    percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned()
}

fn is_local(path: &str) -> bool {
    let mut bytes = path.bytes();
    let starts_once = bytes.next() == Some(b'/') && !matches!(bytes.next(), Some(b'/' | b'\\'));
    let plain = path.len() <= LONGEST
        && !path.chars().any(|c| c.is_control() || c == '\\' || c == '\u{fffd}');
    // Browsers resolve dot segments before they ask, so `/x/../auth` is `/auth` and `/.//host` keeps
    // two slashes: paths with dot or empty segments are not something this app ever links to.
    let bare = path.split(['?', '#']).next().unwrap_or_default();
    let segments_plain = bare.split('/').all(|s| s != "." && s != "..") && !bare.contains("//");
    let under = |root: &str| bare == root || bare.starts_with(&format!("{root}/"));
    starts_once && plain && segments_plain && !under("/auth") && !under("/api") && bare != "/login"
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn local_paths_are_kept() {
        for path in
            ["/", "/dashboard", "/notices/1?q=a%20b", "/a?next=/b", "/authors", "/caf%C3%A9"]
        {
            assert_eq!(ReturnPath::parse(path).as_str(), path);
        }
    }

    #[test]
    fn everything_else_becomes_home() {
        let bad = [
            "",
            "dashboard",
            "//evil.example",
            "/\\evil.example",
            "/%2F/evil",
            "/%2fevil.example",
            "/%5Cevil",
            "/%255Cevil",
            "/%252Fevil",
            "https://evil.example",
            "/a\r\nb",
            "/a%0d%0ab",
            "/a%250ab",
            "/auth",
            "/auth/login",
            "/%61uth/login",
            "/x/../auth/login",
            "/./auth",
            "/.//evil",
            "/api/auth/callback/campus-one",
            "\t//evil",
            "/\t/evil",
            "/login",
        ];
        for path in bad {
            assert_eq!(ReturnPath::parse(path), ReturnPath::home(), "{path:?}");
        }
    }

    proptest! {
        #[test]
        fn every_string_yields_a_same_origin_path(asked in ".*") {
            let base = url::Url::parse("https://desk.example").map_err(|_| ());
            let Ok(base) = base else { return Err(TestCaseError::fail("base")) };
            let path = ReturnPath::parse(&asked);
            let joined = base.join(path.as_str()).map_err(|e| TestCaseError::fail(e.to_string()))?;
            prop_assert_eq!(joined.origin(), base.origin());
            prop_assert!(!joined.path().starts_with("/auth/"));
        }

        #[test]
        fn slashes_and_escapes_yield_a_same_origin_path(asked in "[/\\\\.%25fFcC@:#?a-e\t]{0,12}") {
            let base = url::Url::parse("https://desk.example").map_err(|_| ());
            let Ok(base) = base else { return Err(TestCaseError::fail("base")) };
            let joined = base.join(ReturnPath::parse(&asked).as_str());
            prop_assert_eq!(joined.map(|u| u.origin()).ok(), Some(base.origin()));
        }
    }
}
