//! The callback's rows for codes: redeemed once, by the browser that asked, whatever happens meanwhile.

use crate::support::{ANONYMOUS, Browser, CALLBACKS, SESSION, SIGNED_OUT, TestApp};
use campus_sandbox::{Endpoint, Trouble};
use std::time::Duration;
use url::Url;

/// Goes to the provider and comes back with a code that is not delivered yet.
async fn with_code(browser: &Browser, target: &str) -> Url {
    let start = browser.navigate(target).await.location().unwrap();
    let callback = browser.navigate(start.as_str()).await.location().unwrap();
    assert!(callback.query().unwrap().contains("code="), "{callback}");
    callback
}

fn slow(app: &TestApp, endpoint: Endpoint, slow_ms: u64) {
    app.sandbox.set_trouble(endpoint, Trouble { slow_ms, ..Trouble::default() });
}

#[tokio::test]
async fn a_sign_in_clears_the_markers_and_sets_a_session_of_seven_days() {
    let app = TestApp::spawn().await;
    let browser = app.browser_of("user_aisha");
    browser.put("localhost", ANONYMOUS, "1");
    browser.put("localhost", SIGNED_OUT, "signed_out");
    let callback = with_code(&browser, "/auth/login?next=/dashboard").await;
    let answer = browser.navigate(callback.as_str()).await;
    assert_eq!((answer.status, answer.location().unwrap().path()), (303, "/dashboard"));
    answer.assert_private();
    assert!(answer.removes("c1_flow_") && answer.removes(ANONYMOUS) && answer.removes(SIGNED_OUT));
    let header = answer.headers.get_all("set-cookie").iter();
    let header = header.filter_map(|v| v.to_str().ok()).find(|v| v.starts_with(SESSION)).unwrap();
    for attribute in ["HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=604800"] {
        assert!(header.contains(attribute), "{attribute}: {header}");
    }
    assert!(!header.contains("Domain="), "{header}");
    let token = browser.cookie(SESSION).unwrap();
    assert_eq!(token.len(), 22, "128 bits in base64url");
}

#[tokio::test]
async fn both_callback_paths_finish_a_sign_in() {
    for path in CALLBACKS {
        let app = TestApp::spawn().await;
        let browser = app.browser_of("user_aisha");
        let start = browser.navigate("/auth/login").await.location().unwrap();
        let pairs: Vec<(String, String)> = start.query_pairs().into_owned().collect();
        let asked = pairs.iter().find(|(name, _)| name == "redirect_uri").unwrap();
        assert_eq!(
            asked.1,
            format!("{}{}", app.origin, CALLBACKS[0]),
            "the canonical path is asked"
        );
        let mut callback = browser.navigate(start.as_str()).await.location().unwrap();
        callback.set_path(path);
        browser.navigate(callback.as_str()).await;
        assert!(browser.cookie(SESSION).is_some(), "{path}");
    }
}

#[tokio::test]
async fn ten_parallel_answers_redeem_a_code_exactly_once() {
    let app = TestApp::spawn().await;
    slow(&app, Endpoint::Token, 150);
    let browser = app.browser_of("user_aisha");
    let callback = with_code(&browser, "/auth/login?next=/dashboard").await;
    let copies: Vec<_> = (0..10).map(|_| browser.clone()).collect();
    let answers = futures::future::join_all(
        copies.iter().map(|copy| async { copy.navigate(callback.as_str()).await }),
    )
    .await;
    let mut tokens = Vec::new();
    for (answer, copy) in answers.iter().zip(&copies) {
        assert_eq!((answer.status, answer.location().unwrap().path()), (303, "/dashboard"));
        tokens.push(copy.cookie(SESSION).unwrap());
    }
    tokens.dedup();
    assert_eq!(tokens.len(), 1, "all get the same session");
    assert_eq!((app.count(Endpoint::Token), app.count(Endpoint::Userinfo)), (1, 1));
    assert_eq!(app.rows().await, (1, 1));
}

#[tokio::test]
async fn a_browser_that_goes_away_meanwhile_finds_its_session_on_the_second_try() {
    let app = TestApp::spawn().await;
    slow(&app, Endpoint::Token, 400);
    let browser = app.browser_of("user_aisha");
    let callback = with_code(&browser, "/auth/login").await;
    let impatient = browser
        .request(http::Method::GET, callback.as_str())
        .header("accept", "text/html")
        .timeout(Duration::from_millis(120))
        .send()
        .await;
    assert!(impatient.unwrap_err().is_timeout());
    let answer = browser.navigate(callback.as_str()).await;
    assert_eq!(answer.status, 303);
    assert_eq!(browser.fetch("/auth/me").await.json()["sub"], "user_aisha");
    assert_eq!((app.count(Endpoint::Token), app.rows().await), (1, (1, 1)));
}

#[tokio::test]
async fn a_reload_or_the_back_button_after_a_sign_in_redeems_nothing() {
    let app = TestApp::spawn().await;
    let browser = app.browser_of("user_aisha");
    let callback = with_code(&browser, "/auth/login?next=/dashboard").await;
    let late = browser.clone();
    browser.navigate(callback.as_str()).await;
    let session = browser.cookie(SESSION);
    for _ in 0..2 {
        let again = browser.navigate(callback.as_str()).await;
        assert_eq!(again.status, 303);
        again.assert_private();
        assert!(again.location().unwrap().as_str().starts_with(&app.origin));
    }
    assert_eq!(browser.cookie(SESSION), session);
    // A tab that still holds the flow cookie beside the new session.
    late.put("localhost", SESSION, &session.unwrap());
    let tab = late.navigate(callback.as_str()).await;
    assert_eq!((tab.status, tab.location().unwrap().path()), (303, "/dashboard"));
    assert!(tab.removes("c1_flow_"));
    assert_eq!((app.count(Endpoint::Token), app.rows().await), (1, (1, 1)));
}

#[tokio::test]
async fn a_code_stolen_from_another_browser_is_not_redeemed() {
    let app = TestApp::spawn().await;
    let victim = app.browser_of("user_aisha");
    let callback = with_code(&victim, "/auth/login").await;
    let thief = app.browser();
    let answer = thief.navigate(callback.as_str()).await;
    assert_eq!((answer.status, thief.cookie(SESSION)), (303, None));
    assert_eq!((app.count(Endpoint::Token), app.rows().await), (0, (0, 0)));
    // With a flow of their own it is no different: the state is not theirs.
    thief.navigate("/auth/login").await;
    thief.navigate(callback.as_str()).await;
    assert_eq!((thief.cookie(SESSION), app.count(Endpoint::Token)), (None, 0));
}

#[tokio::test]
async fn a_flow_cookie_that_was_tampered_with_is_no_flow() {
    let app = TestApp::spawn().await;
    let browser = app.browser_of("user_aisha");
    let callback = with_code(&browser, "/auth/login").await;
    let header = browser.cookie_header();
    let flow = header.split("; ").find(|pair| pair.starts_with("c1_flow_")).unwrap();
    let (name, value) = flow.split_once('=').unwrap();
    let changed = if value.ends_with('A') { "B" } else { "A" };
    browser.put("localhost", name, &format!("{}{changed}", &value[..value.len() - 1]));
    let answer = browser.navigate(callback.as_str()).await;
    assert!(answer.removes(name) || answer.status >= 400, "{answer:?}");
    assert_eq!((browser.cookie(SESSION), app.count(Endpoint::Token)), (None, 0));
}

#[tokio::test]
async fn signing_in_over_a_session_gives_a_new_one_and_ends_the_old() {
    let app = TestApp::spawn().await;
    let browser = app.signed_in("user_aisha").await;
    let old = browser.cookie(SESSION).unwrap();
    for (person, users) in [("user_aisha", 1), ("user_chinedu", 2)] {
        let before = browser.cookie(SESSION).unwrap();
        browser.at_provider(&app.sandbox.sign_in(person).unwrap());
        browser.follow("/auth/login").await;
        assert_ne!(browser.cookie(SESSION).unwrap(), before);
        assert_eq!(browser.fetch("/auth/me").await.json()["sub"], person);
        let live = app.number("select count(*) from sessions where ended_at is null").await;
        assert_eq!((live, app.rows().await.0), (1, users));
    }
    let reasons =
        "select string_agg(distinct end_reason, ',') from sessions where ended_at is not null";
    assert_eq!(app.text(reasons).await.as_deref(), Some("switched_user"));
    let stolen = app.browser();
    stolen.put("localhost", SESSION, &old);
    assert_eq!(stolen.fetch("/auth/me").await.status, 401, "the old cookie is worth nothing");
}

#[tokio::test]
async fn a_refused_code_makes_no_session_and_may_be_started_again() {
    let app = TestApp::spawn().await;
    let browser = app.browser_of("user_aisha");
    let callback = with_code(&browser, "/auth/login").await;
    let state = crate::support::parameter(&callback, "state").unwrap();
    let page = browser.navigate(&format!("/auth/callback?code=made-up&state={state}")).await;
    page.assert_refused(401, "code_refused");
    page.assert_private();
    assert!(page.removes("c1_flow_"));
    assert_eq!((app.rows().await, app.count(Endpoint::Userinfo)), ((0, 0), 0));
    browser.follow("/auth/login").await;
    assert!(browser.cookie(SESSION).is_some());
}

#[tokio::test]
async fn every_way_out_is_private_and_removes_its_flow() {
    let app = TestApp::spawn().await;
    for (target, query) in [
        ("/", "error=login_required"),
        ("/dashboard", "error=login_required"),
        ("/auth/login", "error=access_denied"),
        ("/auth/login", "code=made-up"),
        ("/auth/login", "code=a&iss=https://other.example"),
        ("/auth/login", "error=server_error"),
    ] {
        let browser = app.browser();
        let start = browser.navigate(target).await;
        start.assert_private();
        let state = crate::support::parameter(&start.location().unwrap(), "state").unwrap();
        let name = start.cookies().into_iter().find(|(n, ..)| n.starts_with("c1_flow_")).unwrap().0;
        let exit = browser.navigate(&format!("/auth/callback?{query}&state={state}")).await;
        exit.assert_private();
        assert!(exit.status == 303 || exit.status >= 400, "{target} {query}");
        assert!(exit.removes(&name), "{target} {query}: {:?}", exit.cookies());
    }
}
