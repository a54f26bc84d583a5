//! Small answers that many handlers give.

use axum::response::{IntoResponse as _, Response};
use http::header::{CACHE_CONTROL, LOCATION, REFERRER_POLICY, SET_COOKIE};
use http::{HeaderName, HeaderValue, StatusCode};

/// 303 to an address, with cookies, stored nowhere and without a referrer: the address of the page that
/// redirects may hold a code.
#[must_use]
pub fn see_other(location: &str, set_cookies: Vec<String>) -> Response {
    let mut response = StatusCode::SEE_OTHER.into_response();
    // Locations are URLs we serialised or return paths without control characters.
    let location = HeaderValue::from_str(location).unwrap_or(HeaderValue::from_static("/"));
    response.headers_mut().insert(LOCATION, location);
    private(&mut response);
    add_cookies(&mut response, set_cookies);
    response
}

/// Marks an answer as one that no cache may keep and no referrer may name.
pub fn private(response: &mut Response) {
    let headers: [(HeaderName, &str); 2] =
        [(CACHE_CONTROL, "no-store"), (REFERRER_POLICY, "no-referrer")];
    for (name, value) in headers {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
}

/// Adds `Set-Cookie` headers. What several parts of an answer say alike is said once: two headers of one
/// name are not meant to be (RFC 6265 §4.1.1).
pub fn add_cookies(response: &mut Response, set_cookies: Vec<String>) {
    for cookie in set_cookies {
        // Names and values of ours are plain ASCII.
        let Ok(value) = HeaderValue::from_str(&cookie) else { continue };
        if !response.headers().get_all(SET_COOKIE).iter().any(|said| said == value) {
            response.headers_mut().append(SET_COOKIE, value);
        }
    }
}
