//! What every answer has in common: its headers, its error shapes, its limits.

use crate::support::{Answer, TestApp};
use http::Method;

fn nonce_of(answer: &Answer) -> String {
    let policy = answer.header("content-security-policy").to_owned();
    let (_, rest) = policy.split_once("'nonce-").unwrap_or_else(|| panic!("no nonce: {policy}"));
    rest.split('\'').next().unwrap().to_owned()
}

#[tokio::test]
async fn every_kind_of_answer_carries_the_security_headers() {
    let app = TestApp::spawn().await;
    let browser = app.browser();
    let answers = [
        ("a redirect to the provider", browser.navigate("/").await),
        ("a page", browser.navigate("/").await),
        ("an error page", browser.navigate("/no-such-page").await),
        ("a JSON refusal", browser.fetch("/dashboard").await),
        ("health", browser.fetch("/api/health").await),
        ("a missing file", browser.fetch("/pkg/none.js").await),
        ("the monitor's answer", browser.ask(Method::HEAD, "/auth/callback", &[]).await),
        (
            "a cross-site refusal",
            browser.ask(Method::POST, "/auth/logout", &[("sec-fetch-site", "cross-site")]).await,
        ),
        ("a wrong method", browser.ask(Method::DELETE, "/auth/me", &[]).await),
    ];
    for (what, answer) in &answers {
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
            ("cross-origin-opener-policy", "same-origin"),
            ("cross-origin-resource-policy", "same-origin"),
        ] {
            assert_eq!(answer.header(name), value, "{what}: {name}");
        }
        let policy = answer.header("content-security-policy");
        for part in
            ["default-src 'none'", "base-uri 'none'", "frame-ancestors 'none'", "style-src 'self';"]
        {
            assert!(policy.contains(part), "{what}: {policy}");
        }
        assert!(!policy.contains("unsafe-inline") && !policy.contains("'unsafe-eval'"), "{what}");
        assert!(!answer.header("permissions-policy").is_empty(), "{what}");
        assert!(!answer.header("referrer-policy").is_empty(), "{what}");
        assert!(answer.header("strict-transport-security").is_empty(), "{what}: HSTS over http");
        assert!(!answer.header("x-request-id").is_empty(), "{what}");
    }
}

#[tokio::test]
async fn the_script_nonce_is_fresh_for_each_answer_and_opens_each_script() {
    let app = TestApp::spawn().await;
    let browser = app.signed_in("user_aisha").await;
    for path in ["/", "/dashboard", "/no-such-page"] {
        let (first, second) = (browser.navigate(path).await, browser.navigate(path).await);
        assert_ne!(nonce_of(&first), nonce_of(&second), "{path}");
        for page in [&first, &second] {
            let opened = format!("<script nonce=\"{}\"", nonce_of(page));
            let scripts = page.body.matches("<script").count();
            assert_eq!(page.body.matches(&opened).count(), scripts, "{path}: {}", page.body);
            assert!(!page.body.contains(" onclick=") && !page.body.contains(" style="), "{path}");
        }
    }
}

#[tokio::test]
async fn a_request_id_of_the_client_is_not_used() {
    let app = TestApp::spawn().await;
    let answer = app.browser().ask(Method::GET, "/api/health", &[("x-request-id", "mine")]).await;
    assert_ne!(answer.header("x-request-id"), "mine");
}

#[tokio::test]
async fn a_wrong_method_is_405_and_says_which_is_right() {
    let app = TestApp::spawn().await;
    let json = app.browser().ask(Method::POST, "/auth/me", &[("accept", "application/json")]).await;
    json.assert_refused(405, "method_not_allowed");
    assert!(json.header("allow").contains("GET"), "{json:?}");
    let page = app.browser().submit("/auth/login").await;
    page.assert_refused(405, "method_not_allowed");
    assert!(page.body.contains("data-reason="));
}

#[tokio::test]
async fn a_body_that_is_too_large_is_413_and_changes_nothing() {
    let app = TestApp::spawn().await;
    let browser = app.signed_in("user_aisha").await;
    let body = "x".repeat(300 * 1024);
    let request =
        browser.request(Method::POST, "/auth/logout").header("accept", "application/json");
    let answer = browser.send(request.body(body)).await;
    answer.assert_refused(413, "too_large");
    assert_eq!(browser.fetch("/auth/me").await.status, 200);
}

#[tokio::test]
async fn strange_requests_are_refused_and_never_a_fault_of_ours() {
    let app = TestApp::spawn().await;
    let browser = app.browser();
    let long = "a".repeat(20_000);
    for target in [
        format!("/auth/callback?code={long}"),
        format!("/auth/login?next=/{long}"),
        "/auth/login?next=%ff%fe".to_owned(),
        "/auth/login?next=/a&next=/b".to_owned(),
        "/auth/callback?%ff=%fe&code=%ff".to_owned(),
        "/%ff".to_owned(),
        "/%00".to_owned(),
        "/pkg/../Cargo.toml".to_owned(),
        "/pkg/%2e%2e/%2e%2e/Cargo.toml".to_owned(),
    ] {
        let answer = browser.navigate(&target).await;
        let shown = target.chars().take(60).collect::<String>();
        assert!(answer.status < 500, "{shown}: {}", answer.status);
        assert!(!answer.body.contains("[workspace"), "{shown}");
    }
    let cookies = format!("c1_flow_x=1; c1_starts=zzz; =; ;;; campus_desk={}; c1_anon", "\u{e9}");
    let answer = browser.ask(Method::GET, "/dashboard", &[("cookie", &cookies)]).await;
    assert_eq!(answer.status, 401);
}

#[tokio::test]
async fn health_says_when_it_was_asked() {
    let app = TestApp::spawn().await;
    let answer = app.browser().fetch("/api/health").await;
    let body = answer.json();
    assert_eq!((answer.status, &body["status"]), (200, &"healthy".into()));
    assert!(body["timestamp"].as_str().is_some_and(|text| text.starts_with("20")), "{body}");
    let head = app.browser().ask(Method::HEAD, "/api/health", &[]).await;
    assert_eq!((head.status, head.body.as_str()), (200, ""));
    assert_eq!(app.browser().fetch("/api/ready").await.status, 200);
}
