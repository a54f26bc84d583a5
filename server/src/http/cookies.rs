//! Cookies: their names and attributes, in one place.
//!
//! Over https every cookie of ours is `Secure` and carries the `__Host-` prefix, so no sibling sub-domain
//! can set it (RFC 6265bis §4.1.3.2); over http, which settings allow on loopback only, the plain name
//! stands. `c1_anon` keeps the seeds' name everywhere: outside tools look for it, and it holds no secret.

use cookie::{Cookie, SameSite};
use http::HeaderMap;
use http::header::COOKIE;
use std::borrow::Cow;

/// The anonymous marker of the seeds: a silent attempt was made a short while ago.
pub const ANONYMOUS: &str = "c1_anon";
/// The marker of an explicit sign-out; its value is the reason the last session ended.
pub const SIGNED_OUT: &str = "c1_signedout";
/// The person is on the way to the provider's own sign-out; its value is sealed.
pub const LEAVING: &str = "c1_leaving";
/// Why the last session ended, where the person is signed in again without a page in between.
pub const ENDED: &str = "c1_ended";
/// When this browser was last sent to the provider.
pub const STARTS: &str = "c1_starts";
/// One pending sign-in; the state's fingerprint follows.
pub const FLOW: &str = "c1_flow_";
/// The session.
pub const SESSION: &str = "campus_desk";

/// Longest a browser keeps the marker of a sign-out, in seconds.
pub const SIGNED_OUT_SECONDS: i64 = 365 * 24 * 3600;

/// How long the reason of a session that is being renewed waits for its page, in seconds: as long as a
/// sign-in may take.
pub const ENDED_SECONDS: i64 = 600;

/// How this deployment's cookies look.
#[derive(Clone, Copy, Debug)]
pub struct CookieStyle {
    /// Whether people reach us over https.
    pub secure: bool,
}

impl CookieStyle {
    /// The name under which a cookie is sent.
    #[must_use]
    pub fn name(self, base: &str) -> Cow<'_, str> {
        if self.secure && base != ANONYMOUS {
            Cow::Owned(format!("__Host-{base}"))
        } else {
            Cow::Borrowed(base)
        }
    }

    /// A `Set-Cookie` value. `seconds` is how long the browser keeps it.
    #[must_use]
    pub fn set(self, base: &str, value: &str, seconds: i64) -> String {
        Cookie::build((self.name(base), value))
            .path("/")
            .http_only(true)
            .secure(self.secure)
            .same_site(SameSite::Lax)
            .max_age(cookie::time::Duration::seconds(seconds))
            .to_string()
    }

    /// A `Set-Cookie` value that removes a cookie.
    #[must_use]
    pub fn remove(self, base: &str) -> String {
        // Some clients, curl among them, pass over `Max-Age=0` but understand a date long past.
        format!("{}; Expires=Thu, 01 Jan 1970 00:00:00 GMT", self.set(base, "", 0))
    }
}

/// The cookies of a request.
#[derive(Clone, Debug, Default)]
pub struct Cookies {
    style: Option<CookieStyle>,
    pairs: Vec<(String, String)>,
}

impl Cookies {
    /// Reads the request's cookies; unreadable ones are passed over.
    #[must_use]
    pub fn read(headers: &HeaderMap, style: CookieStyle) -> Self {
        let pairs = headers
            .get_all(COOKIE)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(';'))
            .filter_map(|pair| pair.split_once('='))
            .map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned()))
            .collect();
        Self { style: Some(style), pairs }
    }

    /// The value of one of our cookies.
    #[must_use]
    pub fn get(&self, base: &str) -> Option<&str> {
        let name = self.style?.name(base);
        self.pairs.iter().find(|(held, _)| *held == name).map(|(_, value)| value.as_str())
    }

    /// The value of one of our cookies, unless the browser sent several that differ. A sibling site can put
    /// its own beside ours and in front of it (RFC 6265bis §8.6), where a prefix does not prevent that: of
    /// two sessions none is taken, rather than the one that somebody else has chosen.
    #[must_use]
    pub fn only(&self, base: &str) -> Option<&str> {
        let name = self.style?.name(base);
        let mut values = self.pairs.iter().filter(|(held, _)| *held == name);
        let (_, first) = values.next()?;
        values.all(|(_, value)| value == first).then_some(first)
    }

    /// Our cookies whose base name starts like this, with what follows and their values.
    pub fn starting<'a>(&'a self, base: &str) -> impl Iterator<Item = (&'a str, &'a str)> {
        let prefix = self.style.map(|style| style.name(base).into_owned());
        self.pairs.iter().filter_map(move |(name, value)| {
            Some((name.strip_prefix(prefix.as_deref()?)?, value.as_str()))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    #[test]
    fn over_https_names_are_bound_to_the_host() {
        let secure = CookieStyle { secure: true };
        let set = secure.set(SESSION, "v", 60);
        assert!(
            set.starts_with("__Host-campus_desk=v; HttpOnly; SameSite=Lax; Secure; Path=/"),
            "{set}"
        );
        assert!(secure.set(ANONYMOUS, "1", 300).starts_with("c1_anon=1;"));
        assert!(!CookieStyle { secure: false }.set(SESSION, "v", 60).contains("Secure"));
        assert!(secure.remove(SESSION).contains("Max-Age=0"));
    }

    #[test]
    fn cookies_are_read_by_base_name() {
        let mut headers = HeaderMap::new();
        let value = "__Host-campus_desk=a; __Host-c1_flow_x=1; c1_flow_y=2; c1_anon=1; junk";
        headers.insert(COOKIE, HeaderValue::from_static(value));
        headers.append(COOKIE, HeaderValue::from_static("__Host-c1_flow_z=3"));
        let cookies = Cookies::read(&headers, CookieStyle { secure: true });
        assert_eq!(cookies.get(SESSION), Some("a"));
        assert_eq!(cookies.get(ANONYMOUS), Some("1"));
        assert_eq!(cookies.starting(FLOW).collect::<Vec<_>>(), [("x", "1"), ("z", "3")]);
        let plain = Cookies::read(&headers, CookieStyle { secure: false });
        assert_eq!(plain.get(SESSION), None, "a cookie without the prefix may be a sibling's toss");
    }
}
