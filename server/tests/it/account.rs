//! `/auth/me`, `/auth/logout`, cross-site requests, and where a sign-in may lead.

use crate::support::{SESSION, SIGNED_OUT, TestApp};
use campus_sandbox::Endpoint;
use http::Method;
use serde_json::json;

#[tokio::test]
async fn me_has_the_seeds_shape() {
    let app = TestApp::spawn().await;
    let browser = app.signed_in("user_zainab").await;
    let answer = browser.fetch("/auth/me").await;
    assert_eq!((answer.status, answer.header("content-type")), (200, "application/json"));
    assert_eq!(
        answer.json(),
        json!({
            "sub": "user_zainab",
            "email": "266240112@nileuniversity.edu.ng",
            "name": "Zainab Bello",
            "role": "student",
            "roles": ["student", "editor"],
            "custom_roles": ["editor"],
            "student_id": "266240112",
        })
    );
    answer.assert_private();
    let staff = app.signed_in("user_ifeoma").await.fetch("/auth/me").await.json();
    assert_eq!(staff["student_id"], json!(null));
}

#[tokio::test]
async fn me_without_a_session_is_401_with_exactly_the_seeds_body() {
    let app = TestApp::spawn().await;
    for answer in [app.browser().fetch("/auth/me").await, app.browser().navigate("/auth/me").await]
    {
        assert_eq!((answer.status, answer.body.as_str()), (401, r#"{"error":"Not signed in"}"#));
        answer.assert_private();
    }
}

#[tokio::test]
async fn logout_answers_programs_in_json_and_people_with_a_page() {
    let app = TestApp::spawn().await;
    for json_wanted in [true, false] {
        let browser = app.signed_in("user_aisha").await;
        let token = browser.cookie(SESSION).unwrap();
        let accept = if json_wanted { "application/json" } else { "text/html" };
        let headers = [("accept", accept), ("sec-fetch-site", "same-origin")];
        let answer = browser.ask(Method::POST, "/auth/logout", &headers).await;
        if json_wanted {
            assert_eq!((answer.status, answer.body.as_str()), (200, r#"{"ok":true}"#));
        } else {
            assert_eq!(
                (answer.status, answer.location().unwrap().path()),
                (303, "/auth/signed-out")
            );
        }
        answer.assert_private();
        assert!(answer.removes(SESSION) && answer.sets(SIGNED_OUT));
        let replay = app.browser();
        replay.put("localhost", SESSION, &token);
        assert_eq!(replay.fetch("/auth/me").await.status, 401, "the cookie is worth nothing now");
    }
    let live = "select count(*) from sessions where ended_at is null or end_reason <> 'signed_out'";
    assert_eq!(app.number(live).await, 0);
}

#[tokio::test]
async fn logout_without_a_session_is_no_error_and_get_does_nothing() {
    let app = TestApp::spawn().await;
    let answer = app.browser().submit("/auth/logout").await;
    assert_eq!(answer.status, 303);
    let browser = app.signed_in("user_aisha").await;
    assert_eq!(browser.navigate("/auth/logout").await.status, 405);
    assert_eq!(browser.fetch("/auth/me").await.status, 200);
}

#[tokio::test]
async fn another_site_cannot_sign_anybody_out() {
    let app = TestApp::spawn().await;
    let browser = app.signed_in("user_aisha").await;
    let forged: [&[(&str, &str)]; 4] = [
        &[("sec-fetch-site", "cross-site"), ("accept", "application/json")],
        &[("sec-fetch-site", "same-site"), ("accept", "application/json")],
        &[
            ("sec-fetch-site", "cross-site"),
            ("accept", "text/html"),
            ("sec-fetch-mode", "navigate"),
        ],
        &[("origin", "https://evil.example"), ("accept", "application/json")],
    ];
    for headers in forged {
        let answer = browser.ask(Method::POST, "/auth/logout", headers).await;
        answer.assert_refused(403, "cross_site");
        assert_eq!(answer.cookies(), [], "{headers:?}");
        assert_eq!(browser.fetch("/auth/me").await.status, 200, "{headers:?}");
    }
    let live = app.number("select count(*) from sessions where ended_at is null").await;
    assert_eq!(live, 1);
}

#[tokio::test]
async fn a_sign_in_leads_nowhere_but_here() {
    let app = TestApp::spawn().await;
    let browser = app.browser_of("user_aisha");
    for next in [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example",
        "/%2f%2fevil.example",
        "/%252f%252fevil.example",
        "/%5cevil.example",
        "\\\\evil.example",
        "javascript:alert(1)",
        "/a%0d%0aset-cookie:%20x=y",
        "/auth/logout",
        "/auth/login?next=/auth/login",
        "evil.example",
    ] {
        let encoded: String = url::form_urlencoded::byte_serialize(next.as_bytes()).collect();
        let hops = browser.follow(&format!("/auth/login?next={encoded}")).await;
        let landed = hops.last().unwrap();
        assert_eq!(landed.url.as_str(), format!("{}/", app.origin), "{next}");
        browser.forget(SESSION);
    }
    let hops = browser.follow("/auth/login?next=%2Fdashboard%3Fa%3Db").await;
    assert!(hops.last().unwrap().url.as_str().ends_with("/dashboard?a=b"));
}

#[tokio::test]
async fn a_guarded_address_that_looks_like_another_host_is_no_redirect_there() {
    let app = TestApp::spawn().await;
    let browser = app.browser_of("user_aisha");
    for path in ["//evil.example/dashboard", "/dashboard//evil.example", "/\\evil.example"] {
        let target = format!("{}{path}", app.origin);
        for hop in browser.follow(&target).await {
            let host = hop.url.host_str().unwrap_or_default();
            assert!(["localhost", "127.0.0.1"].contains(&host), "{path} led to {}", hop.url);
        }
    }
}

#[tokio::test]
async fn a_fetch_of_the_sign_in_page_is_refused() {
    let app = TestApp::spawn().await;
    let answer = app.browser().fetch("/auth/login?next=/dashboard").await;
    answer.assert_refused(401, "not_signed_in");
    assert_eq!(answer.json()["sign_in"], "/auth/login?next=%2Fdashboard");
    assert_eq!((answer.cookies(), app.count(Endpoint::Discovery)), (Vec::new(), 0));
}

#[tokio::test]
async fn a_login_hint_is_passed_on_unless_it_is_nonsense() {
    let app = TestApp::spawn().await;
    let hinted = |query: String| {
        let browser = app.browser();
        async move {
            let location = browser.navigate(&format!("/auth/login?{query}")).await.location();
            crate::support::parameter(&location.unwrap(), "login_hint")
        }
    };
    let hint = hinted("login_hint=a%2Bb%40nile.example".to_owned()).await;
    assert_eq!(hint.as_deref(), Some("a+b@nile.example"));
    for nonsense in [
        "login_hint=".to_owned(),
        "login_hint=a%00b".to_owned(),
        format!("login_hint={}", "x".repeat(300)),
    ] {
        assert_eq!(hinted(nonsense.clone()).await, None, "{nonsense}");
    }
}
