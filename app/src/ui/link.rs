//! Addresses that may stand in a page: http(s) or local, and nothing that runs or misleads.

use campus::return_path::ReturnPath;
use std::fmt::Write;

/// An address for `href` and `src`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Link(String);

impl Link {
    /// Takes an address out of data; `None` unless it is http(s) or a path of this site.
    pub(crate) fn parse(address: &str) -> Option<Self> {
        let plain =
            !address.chars().any(|c| c.is_control() || c.is_whitespace() || c == '\\' || c == '"');
        let absolute = |scheme: &str| {
            let (head, rest) = address.split_at_checked(scheme.len()).unwrap_or_default();
            head.eq_ignore_ascii_case(scheme)
                && rest.starts_with(|c: char| c.is_alphanumeric() || c == '[')
        };
        let local = address.starts_with('/') && !address.starts_with("//");
        (plain && (local || absolute("https://") || absolute("http://")))
            .then(|| Self(address.to_owned()))
    }

    /// A path of this site, written in the source.
    pub(crate) fn local(path: &'static str) -> Self {
        debug_assert!(Self::parse(path).is_some(), "{path} is no local path");
        Self(path.to_owned())
    }

    /// Where a click starts a sign-in that leads back to `next`.
    pub(crate) fn sign_in(next: &ReturnPath) -> Self {
        Self(format!("/auth/login?next={}", query_value(next.as_str())))
    }

    /// The address.
    pub(crate) fn into_string(self) -> String {
        self.0
    }
}

impl From<&ReturnPath> for Link {
    fn from(path: &ReturnPath) -> Self {
        Self(path.as_str().to_owned())
    }
}

/// Percent-encodes everything but the unreserved characters (RFC 3986 §2.3).
fn query_value(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len() + 8);
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            // Writing to a String does not fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn http_and_local_addresses_are_taken() {
        for address in [
            "https://cdn.example/a.png",
            "HTTP://127.0.0.1:4000/p/1.svg",
            "/a?b=c",
            "/",
            "http://[::1]/",
        ] {
            assert_eq!(Link::parse(address).map(Link::into_string).as_deref(), Some(address));
        }
    }

    #[test]
    fn everything_else_is_left_out() {
        for address in [
            "",
            "a",
            "//evil.example",
            "/\\evil.example",
            "javascript:alert(1)",
            " javascript:alert(1)",
            "java\nscript:alert(1)",
            "data:text/html,x",
            "https:",
            "https://",
            "https:///x",
            "https://a\" onerror=\"x",
            "ọọọọọọọ",
        ] {
            assert_eq!(Link::parse(address), None, "{address:?}");
        }
    }

    #[test]
    fn the_return_path_is_one_query_value() {
        let next = ReturnPath::parse("/dashboard?q=a&b=ọ");
        let link = Link::sign_in(&next).into_string();
        assert_eq!(link, "/auth/login?next=%2Fdashboard%3Fq%3Da%26b%3D%E1%BB%8D");
    }
}
