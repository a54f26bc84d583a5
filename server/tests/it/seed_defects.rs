//! The seed's own defects, each reproduced on its code, and what happens here instead.

use crate::support::{ANONYMOUS, SESSION, TestApp, at, disconnected, hex, hmac};
use campus_sandbox::Endpoint;
use http::Method;

/// The seed keeps 500 sessions, one for each start: 600 anonymous starts signed out everybody.
#[tokio::test]
async fn six_hundred_anonymous_starts_sign_nobody_out_and_are_stored_nowhere() {
    let app = TestApp::spawn().await;
    let aisha = app.signed_in("user_aisha").await;
    let browser = app.browser();
    for _ in 0..600 {
        assert_eq!(browser.clone().navigate("/dashboard").await.status, 303);
    }
    assert_eq!(aisha.navigate("/dashboard").await.status, 200);
    assert_eq!(app.rows().await, (1, 1));
}

/// In the seed, any value of the cookie opened the dashboard, with "Hello ()".
#[tokio::test]
async fn a_bogus_cookie_opens_no_dashboard() {
    let app = TestApp::spawn().await;
    for bogus in ["x", "AAAAAAAAAAAAAAAAAAAAAA", "undefined", "null", "{}"] {
        let browser = app.browser();
        browser.put("localhost", SESSION, bogus);
        let page = browser.navigate("/dashboard").await;
        assert_eq!((page.status, page.body.as_str()), (303, ""), "{bogus}");
        assert_eq!(browser.fetch("/dashboard").await.status, 401, "{bogus}");
        browser.put("localhost", ANONYMOUS, "1");
        let home = browser.navigate("/").await;
        assert!(home.status == 200 && !home.body.contains("Hello"), "{bogus}: {}", home.body);
    }
}

/// In the seed, a signature that is not ASCII was a 500.
#[tokio::test]
async fn a_signature_that_is_not_ascii_is_a_wrong_one() {
    let app = TestApp::spawn().await;
    let sender = app.sender();
    let url = sender.url.clone();
    for value in [&b"sha256=\xc3\xa9"[..], b"\xff\xfe", "sha256=\u{1f511}".as_bytes()] {
        for header in ["x-campus-one-signature", "webhook-signature"] {
            let value = http::HeaderValue::from_bytes(value).unwrap();
            let browser = app.browser();
            let request = browser.request(Method::POST, &url).header(header, value).body("{}");
            assert_eq!(browser.send(request).await.status, 401, "{header}");
        }
    }
}

/// In the seed, a signed delivery without a JSON content type was a 415 and lost.
#[tokio::test]
async fn a_signed_delivery_is_read_whatever_its_type_says() {
    let app = TestApp::spawn().await;
    let kinds =
        [None, Some("text/plain"), Some("application/octet-stream"), Some("a/b; c"), Some("")];
    let began = at(-1);
    for (number, kind) in kinds.into_iter().enumerate() {
        let body = disconnected("user_nobody", began.plus_seconds(-i64::try_from(number).unwrap()));
        let signature = hex(&hmac(crate::support::WEBHOOK_SECRET.as_bytes(), body.as_bytes()));
        let browser = app.browser();
        let mut request = browser
            .request(Method::POST, "/api/webhooks/campus-one")
            .header("x-campus-one-signature", signature);
        if let Some(kind) = kind {
            request = request.header("content-type", kind);
        }
        assert_eq!(browser.send(request.body(body)).await.status, 200, "{kind:?}");
    }
    assert_eq!(app.number("select count(*) from deliveries").await, 5);
}

/// In the seed, `next` led anywhere.
#[tokio::test]
async fn next_leads_nowhere_else() {
    let app = TestApp::spawn().await;
    for next in ["https://evil.example/", "//evil.example", "/\\evil.example", "https:evil.example"]
    {
        let encoded: String = url::form_urlencoded::byte_serialize(next.as_bytes()).collect();
        let browser = app.browser_of("user_aisha");
        for hop in browser.follow(&format!("/auth/login?next={encoded}")).await {
            assert!(
                ["localhost", "127.0.0.1"].contains(&hop.url.host_str().unwrap()),
                "{}",
                hop.url
            );
        }
    }
}

/// In the seed, whoever signed out was signed in again by the next page, without a click.
#[tokio::test]
async fn whoever_signed_out_stays_out_until_they_click() {
    let app = TestApp::spawn().await;
    let browser = app.signed_in("user_aisha").await;
    browser.submit("/auth/logout").await;
    let asked = app.count(Endpoint::Authorize);
    for path in ["/", "/dashboard", "/", "/auth/login?prompt=none&next=/dashboard"] {
        browser.follow(path).await;
        assert_eq!(browser.fetch("/auth/me").await.status, 401, "{path}");
    }
    assert_eq!(app.count(Endpoint::Authorize), asked, "nobody was sent there");
    browser.follow("/auth/login").await;
    assert_eq!(browser.fetch("/auth/me").await.status, 200);
}
