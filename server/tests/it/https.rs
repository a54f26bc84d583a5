//! Behind a proxy that ends TLS: what browsers are told where people reach us over https.

use crate::support::{ANONYMOUS, Answer, SESSION, Setup, TestApp, parameter};
use http::header::SET_COOKIE;

const HSTS: &str = "strict-transport-security";

/// Every cookie but the seeds' marker is bound to the host, and all of them to TLS.
fn assert_bound(answer: &Answer) -> usize {
    let cookies = answer.headers.get_all(SET_COOKIE);
    for cookie in &cookies {
        let cookie = cookie.to_str().unwrap();
        let bound = cookie.starts_with("__Host-") || cookie.starts_with("c1_anon=");
        assert!(bound, "RFC 6265bis §4.1.3.2: {cookie}");
        for attribute in ["; Secure", "; HttpOnly", "; SameSite=Lax", "; Path=/"] {
            assert!(cookie.contains(attribute), "{attribute}: {cookie}");
        }
        assert!(!cookie.contains("Domain="), "{cookie}");
    }
    cookies.iter().count()
}

#[tokio::test]
async fn over_https_cookies_are_bound_to_the_host_and_to_tls() {
    let app = TestApp::spawn_with(Setup { https: true, ..Setup::default() }).await;
    let browser = app.browser_of("user_aisha");
    let session = format!("__Host-{SESSION}");

    // A public page leaves the marker, a protected one does not: both send the browser away.
    let public = app.browser().navigate("/").await;
    assert!(public.sets(ANONYMOUS), "{:?}", public.cookies());
    assert_eq!(assert_bound(&public), 3);
    let start = browser.navigate("/dashboard").await;
    assert_eq!(assert_bound(&start), 2);

    let mut callback =
        browser.navigate(start.location().unwrap().as_str()).await.location().unwrap();
    assert_eq!(callback.scheme(), "https", "the provider is told our public address");
    assert!(parameter(&callback, "code").is_some(), "{callback}");
    callback.set_scheme("http").unwrap();
    let signed_in = browser.navigate(callback.as_str()).await;
    assert!(signed_in.sets(&session), "{:?}", signed_in.cookies());
    assert!(assert_bound(&signed_in) >= 3);
    assert_eq!(browser.fetch("/auth/me").await.status, 200);

    // A sibling site can set the plain name only.
    let tossed = app.browser();
    tossed.put("localhost", SESSION, &browser.cookie(&session).unwrap());
    assert_eq!(tossed.fetch("/auth/me").await.status, 401);

    let out = browser.submit("/auth/logout").await;
    assert!(out.removes(&session) && out.sets("__Host-c1_signedout"), "{:?}", out.cookies());
    assert!(assert_bound(&out) >= 2);
}

#[tokio::test]
async fn over_https_every_answer_keeps_the_browser_on_https() {
    let app = TestApp::spawn_with(Setup { https: true, ..Setup::default() }).await;
    let plain = TestApp::spawn().await;
    for path in ["/", "/dashboard", "/no-such-page", "/api/health", "/auth/me", "/robots.txt"] {
        let answer = app.browser().navigate(path).await;
        assert_eq!(answer.header(HSTS), "max-age=63072000; includeSubDomains", "{path}");
        let answer = plain.browser().navigate(path).await;
        assert_eq!(answer.header(HSTS), "", "{path}: RFC 6797 §7.2 forbids it over http");
    }
}
