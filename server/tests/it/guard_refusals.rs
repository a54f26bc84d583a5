//! What the guard does to requests that are no navigation, and the pages that refuse.

use crate::support::{ANONYMOUS, SESSION, TestApp};
use campus_sandbox::Endpoint;
use http::Method;

const HTML: (&str, &str) = ("accept", "text/html");
const NAVIGATE: (&str, &str) = ("sec-fetch-mode", "navigate");
const DOCUMENT: (&str, &str) = ("sec-fetch-dest", "document");

#[tokio::test]
async fn head_fetch_and_prefetch_of_a_protected_page_never_redirect() {
    let app = TestApp::spawn().await;
    let browser = app.browser();
    let manners: [(Method, &[(&str, &str)]); 6] = [
        (Method::HEAD, &[HTML, NAVIGATE, DOCUMENT]),
        (
            Method::GET,
            &[("accept", "*/*"), ("sec-fetch-mode", "cors"), ("sec-fetch-dest", "empty")],
        ),
        (Method::GET, &[HTML, ("sec-fetch-mode", "cors")]),
        (Method::GET, &[HTML, NAVIGATE, DOCUMENT, ("sec-purpose", "prefetch")]),
        (Method::GET, &[HTML, NAVIGATE, ("sec-fetch-dest", "iframe")]),
        (Method::GET, &[("accept", "application/json")]),
    ];
    for (method, headers) in manners {
        let answer = browser.ask(method.clone(), "/dashboard", headers).await;
        assert_eq!((answer.status, answer.location()), (401, None), "{method} {headers:?}");
        assert_eq!(answer.cookies(), [], "{method} {headers:?}");
        assert_eq!(method == Method::HEAD, answer.body.is_empty());
        answer.assert_private();
    }
    assert_eq!((app.count(Endpoint::Authorize), app.count(Endpoint::Discovery)), (0, 0));
}

#[tokio::test]
async fn a_program_is_told_in_json_where_to_sign_in() {
    let app = TestApp::spawn().await;
    let answer = app.browser().fetch("/dashboard?week=3").await;
    assert_eq!((answer.status, answer.header("content-type")), (401, "application/json"));
    let body = answer.json();
    assert_eq!(
        (&body["error"], &body["reason"]),
        (&"Not signed in".into(), &"not_signed_in".into())
    );
    assert_eq!(body["sign_in"], "/auth/login?next=%2Fdashboard%3Fweek%3D3");
    assert!(!answer.header("www-authenticate").is_empty(), "RFC 9110 asks 401 for a challenge");
}

#[tokio::test]
async fn a_post_is_never_sent_to_the_provider() {
    let app = TestApp::spawn().await;
    let (anonymous, signed_in) = (app.browser(), app.signed_in("user_aisha").await);
    let asked = app.count(Endpoint::Authorize);
    let json = [("accept", "application/json"), ("sec-fetch-site", "same-origin")];
    for (browser, path, status, reason) in [
        (&anonymous, "/", 405, "method_not_allowed"),
        (&anonymous, "/dashboard", 401, "not_signed_in"),
        (&signed_in, "/", 405, "method_not_allowed"),
        (&signed_in, "/dashboard", 405, "method_not_allowed"),
    ] {
        let form = browser.submit(path).await;
        assert!(form.header("content-type").starts_with("text/html"), "{path}: for a person");
        let program = browser.ask(Method::POST, path, &json).await;
        assert_eq!(program.header("content-type"), "application/json", "{path}: for a program");
        let sign_in = (status == 401).then_some("/auth/login?next=%2Fdashboard");
        assert_eq!(program.json()["sign_in"].as_str(), sign_in, "{path}");
        for answer in [form, program] {
            answer.assert_refused(status, reason);
            assert_eq!((answer.location(), answer.cookies()), (None, Vec::new()), "{path}");
        }
    }
    assert_eq!(app.count(Endpoint::Authorize), asked);
}

#[tokio::test]
async fn whoever_is_no_navigation_gets_the_public_page_anonymously() {
    let app = TestApp::spawn().await;
    let browser = app.browser_of("user_aisha");
    let manners: [(Method, &[(&str, &str)]); 3] = [
        (Method::HEAD, &[HTML]),
        (Method::GET, &[("accept", "*/*"), ("sec-fetch-mode", "cors")]),
        (Method::GET, &[HTML, NAVIGATE, DOCUMENT, ("sec-purpose", "prefetch;prerender")]),
    ];
    for (method, headers) in manners {
        let answer = browser.ask(method, "/", headers).await;
        assert_eq!((answer.status, answer.cookies()), (200, Vec::new()), "{headers:?}");
    }
    assert_eq!(app.count(Endpoint::Authorize), 0);
}

#[tokio::test]
async fn an_address_without_a_page_is_404_without_a_sign_in() {
    let app = TestApp::spawn().await;
    let page = app.browser().navigate("/no-such-page").await;
    page.assert_refused(404, "not_found");
    assert_eq!(page.cookies(), []);
    let json = app.browser().fetch("/api/no-such-thing").await;
    json.assert_refused(404, "not_found");
    assert_eq!(json.header("content-type"), "application/json");
    assert_eq!(app.count(Endpoint::Discovery), 0);
}

#[tokio::test]
async fn a_bogus_session_cookie_is_nobody() {
    let app = TestApp::spawn().await;
    for bogus in ["AAAAAAAAAAAAAAAAAAAAAA", "x", "%00", "a.b.c", "", &"A".repeat(3000)] {
        let browser = app.browser();
        browser.put("localhost", SESSION, bogus);
        assert_eq!(browser.fetch("/auth/me").await.status, 401, "{bogus}");
        let answer = browser.navigate("/").await;
        assert_eq!(answer.location().unwrap().path(), "/api/auth/oauth2/authorize", "{bogus}");
        browser.put("localhost", ANONYMOUS, "1");
        assert_eq!(browser.navigate("/").await.status, 200, "{bogus}");
    }
    assert_eq!(app.rows().await, (0, 0));
}

#[tokio::test]
async fn a_signed_in_page_is_stored_nowhere() {
    let app = TestApp::spawn().await;
    let browser = app.signed_in("user_aisha").await;
    for path in ["/", "/dashboard", "/auth/me", "/no-such-page"] {
        let answer = browser.navigate(path).await;
        assert_eq!(answer.header("cache-control"), "no-store", "{path}");
        assert_eq!(answer.cookies(), [], "{path}: an ordinary request sets no cookie");
    }
    let anonymous = app.browser();
    anonymous.put("localhost", ANONYMOUS, "1");
    assert_eq!(anonymous.navigate("/").await.header("cache-control"), "private, no-cache");
}

#[tokio::test]
async fn each_refusal_page_names_its_reason() {
    let app = TestApp::spawn().await;
    let browser = app.browser();
    for (target, status, reason) in [
        ("/no-such-page", 404, "not_found"),
        ("/auth/callback?code=a&code=b", 400, "duplicate_parameters"),
        ("/auth/callback?nothing=useful", 400, "bad_request"),
        ("/auth/callback?code=a&state=again-x", 409, "state_unknown"),
        ("/auth/callback?error=server_error&state=unknown", 409, "state_unknown"),
        ("/auth/callback?error=access_denied", 403, "access_denied"),
        ("/auth/callback?error=server_error", 503, "provider_unreachable"),
        ("/auth/callback?error=unauthorized_client", 503, "client_refused"),
        ("/auth/callback?error=something_new", 502, "provider_refused"),
    ] {
        let page = browser.navigate(target).await;
        page.assert_refused(status, reason);
        assert!(page.body.contains("data-reason="), "{target}: no page");
        assert!(!page.header("x-request-id").is_empty(), "{target}");
        assert!(page.body.contains(page.header("x-request-id")), "{target}: no request number");
    }
    assert_eq!(app.rows().await, (0, 0));
}
