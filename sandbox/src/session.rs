//! The person's session at Campus One itself, and its cookie.

use cookie::{Cookie, SameSite};
use http::HeaderMap;
use http::header::COOKIE;
use serde::{Deserialize, Serialize};

use crate::grant::random_letters;
use crate::memory::Memory;

/// The cookie's name.
pub(crate) const COOKIE_NAME: &str = "sandbox_session";

/// A sign-in at the provider.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct ProviderSession {
    pub(crate) id: String,
    pub(crate) person: String,
    /// When the person signed in, in Unix seconds.
    pub(crate) created: i64,
}

/// Signs a person in and gives the session's cookie.
pub(crate) fn begin(memory: &mut Memory, person: &str, now: i64) -> Cookie<'static> {
    let id = random_letters(32);
    let session = ProviderSession { id: id.clone(), person: person.to_owned(), created: now };
    memory.kept.sessions.push(session);
    Cookie::build((COOKIE_NAME, id))
        .path("/")
        .http_only(true)
        .same_site(SameSite::Lax)
        .max_age(time::Duration::days(7))
        .build()
}

/// The live session a request carries.
pub(crate) fn of<'a>(memory: &'a Memory, headers: &HeaderMap) -> Option<&'a ProviderSession> {
    headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|text| Cookie::split_parse(text.to_owned()).flatten())
        .filter(|cookie| cookie.name() == COOKIE_NAME)
        .find_map(|cookie| memory.session(cookie.value()))
}
