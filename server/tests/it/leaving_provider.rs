//! Signing out of Campus One too (OpenID Connect RP-Initiated Logout 1.0), and what becomes of the refresh
//! token (RFC 7009).

use crate::support::{Answer, Browser, CLIENT_ID, SESSION, SIGNED_OUT, Setup, TestApp, parameter};
use campus_sandbox::{Down, Endpoint, Profile, Trouble};
use campus_server::config::Secret;
use campus_server::signin::leave_provider::{Revocation, end_session_url, revoke};
use std::time::{Duration, Instant};

const BOTH: &str = "/auth/logout/campus-one";
const CONFIRMED: &str = "You are signed out of Campus One in this browser, too.";
const UNCONFIRMED: &str = "Campus One did not confirm";
const UNREACHABLE: &str = "Campus One could not be asked";

fn gen2() -> Setup {
    Setup { profile: Profile::Gen2, ..Setup::default() }
}

async fn signed_out_at_provider(browser: &Browser) -> bool {
    browser.forget(SIGNED_OUT);
    let hops = browser.follow("/auth/login?prompt=none").await;
    hops.last().unwrap().url.path() == "/" && browser.cookie(SESSION).is_none()
}

fn assert_page(page: &Answer, words: &str) {
    assert_eq!((page.status, page.url.path()), (200, "/auth/signed-out"), "{page:?}");
    assert!(page.body.contains("You are signed out"), "{}", page.body);
    for text in [CONFIRMED, UNCONFIRMED, UNREACHABLE] {
        assert_eq!(page.body.contains(text), text == words, "{text}: {}", page.body);
    }
}

/// PROTOCOLS.md, table, gen1: `endsession` needs `client_id` and looks at no hint.
#[tokio::test]
async fn oidcc_client_test_rp_init_logout() {
    let app = TestApp::spawn().await;
    let browser = app.signed_in("user_aisha").await;
    let answer = browser.submit(BOTH).await;
    answer.assert_private();
    assert!(answer.removes(SESSION) && answer.sets(SIGNED_OUT));
    let url = answer.location().unwrap();
    assert_eq!((answer.status, url.path()), (303, "/api/auth/oauth2/endsession"));
    assert_eq!(parameter(&url, "client_id").as_deref(), Some(CLIENT_ID));
    let return_to = format!("{}/auth/signed-out", app.origin);
    assert_eq!(parameter(&url, "post_logout_redirect_uri"), Some(return_to));
    assert!(parameter(&url, "state").is_some_and(|state| state.len() >= 43));
    let live = "select count(*) from sessions where ended_at is null";
    assert_eq!(app.number(live).await, 0, "signed out here before the provider is asked");

    let hops = browser.follow_from(answer).await;
    assert_page(hops.last().unwrap(), CONFIRMED);
    // Looking at the page again says the same.
    assert_page(&browser.navigate(hops.last().unwrap().url.as_str()).await, CONFIRMED);
    assert!(signed_out_at_provider(&browser).await);
}

#[tokio::test]
async fn oidcc_client_test_rp_init_logout_no_state() {
    let app = TestApp::spawn().await;
    let browser = app.signed_in("user_aisha").await;
    browser.submit(BOTH).await;
    assert_page(&browser.navigate("/auth/signed-out").await, UNCONFIRMED);
}

#[tokio::test]
async fn oidcc_client_test_rp_init_logout_other_state() {
    let app = TestApp::spawn().await;
    let browser = app.signed_in("user_aisha").await;
    let left = browser.submit(BOTH).await;
    let state = parameter(&left.location().unwrap(), "state").unwrap();
    for other in ["", "other", &format!("{state}x"), "%ff"] {
        let page = browser.navigate(&format!("/auth/signed-out?state={other}")).await;
        assert_page(&page, UNCONFIRMED);
    }
    // A state that nobody here left with, in a browser that asked for nothing.
    let page = app.browser().navigate(&format!("/auth/signed-out?state={state}")).await;
    assert_page(&page, UNCONFIRMED);
    assert_page(&browser.navigate(&format!("/auth/signed-out?state={state}")).await, CONFIRMED);
}

#[tokio::test]
async fn an_ordinary_sign_out_claims_nothing_of_the_provider() {
    let app = TestApp::spawn().await;
    let browser = app.signed_in("user_aisha").await;
    // Of an earlier sign-out that was broken off, nothing is left to be misread.
    browser.submit(BOTH).await;
    browser.follow("/auth/login").await;
    assert!(browser.cookie(SESSION).is_some());
    browser.submit("/auth/logout").await;
    let page = browser.navigate("/auth/signed-out").await;
    assert_page(&page, "");
    assert!(page.body.contains("You may still be signed in to Campus One itself"));
    assert!(page.body.contains(&format!("href=\"{}/\"", app.sandbox.origin())));
    assert!(!signed_out_at_provider(&browser).await);
}

#[tokio::test]
async fn while_the_provider_is_away_one_is_signed_out_here_and_told_so() {
    for down in [Down::Status, Down::Drop] {
        let app = TestApp::spawn().await;
        let browser = app.signed_in("user_aisha").await;
        let trouble = Trouble { down: Some(down), ..Trouble::default() };
        app.sandbox.set_trouble(Endpoint::Discovery, trouble);
        let answer = browser.submit(BOTH).await;
        assert_eq!(answer.location().unwrap().path(), "/auth/signed-out");
        assert!(answer.removes(SESSION) && answer.sets(SIGNED_OUT));
        let page = browser.follow_from(answer).await.pop().unwrap();
        assert_page(&page, UNREACHABLE);
        assert!(page.body.contains(&format!("href=\"{}/\"", app.sandbox.origin())));
        let live = "select count(*) from sessions where ended_at is null";
        assert_eq!(app.number(live).await, 0);
        app.sandbox.behave();
        assert!(!signed_out_at_provider(&browser).await, "as the page said");
    }
}

#[tokio::test]
async fn a_slow_provider_does_not_hold_a_sign_out_back() {
    let app = TestApp::spawn().await;
    let browser = app.signed_in("user_aisha").await;
    let trouble = Trouble { slow_ms: 8000, ..Trouble::default() };
    app.sandbox.set_trouble(Endpoint::Discovery, trouble);
    let begun = Instant::now();
    let answer = browser.submit(BOTH).await;
    assert_eq!(answer.location().unwrap().path(), "/auth/signed-out");
    assert!(begun.elapsed() < Duration::from_secs(6));
}

#[tokio::test]
async fn without_a_session_the_provider_is_asked_all_the_same() {
    let app = TestApp::spawn().await;
    let browser = app.browser_of("user_aisha");
    let hops = browser.follow_from(browser.submit(BOTH).await).await;
    assert_page(hops.last().unwrap(), CONFIRMED);
    assert!(signed_out_at_provider(&browser).await);
    assert_eq!(browser.navigate(BOTH).await.status, 405);
}

#[tokio::test]
async fn another_site_can_sign_nobody_out_of_campus_one() {
    let app = TestApp::spawn().await;
    let browser = app.signed_in("user_aisha").await;
    let headers = [("sec-fetch-site", "cross-site"), ("accept", "application/json")];
    let answer = browser.ask(http::Method::POST, BOTH, &headers).await;
    answer.assert_refused(403, "cross_site");
    assert_eq!(browser.fetch("/auth/me").await.status, 200);
    assert_eq!(app.count(Endpoint::EndSession), 0);
}

/// PROTOCOLS.md, table, gen2: a verified hint. Without one it would leave the person in front of an error.
#[tokio::test]
async fn gen2_is_asked_with_a_hint_and_not_without() {
    let app = TestApp::spawn_with(gen2()).await;
    let browser = app.signed_in("user_aisha").await;
    let metadata = app.app.provider.metadata().await.unwrap();
    let return_to = format!("{}/auth/signed-out", app.origin);
    let url = |hint: Option<&Secret>| {
        end_session_url(&metadata, CLIENT_ID, hint, &return_to, "the-state")
    };
    assert_eq!(url(None), None);
    let (hint, _) = app.sandbox.tokens("user_aisha", CLIENT_ID).unwrap();
    let url = url(Some(&Secret::new(hint.clone()))).unwrap();
    assert_eq!(url.path(), "/api/auth/oauth2/end-session");
    assert_eq!(parameter(&url, "id_token_hint"), Some(hint));
    let back = browser.navigate(url.as_str()).await.location().unwrap();
    assert_eq!(back.as_str(), format!("{return_to}?state=the-state"));
    assert!(signed_out_at_provider(&browser).await);
}

#[tokio::test]
async fn a_refresh_token_is_revoked_where_there_is_an_address_for_it() {
    let app = TestApp::spawn_with(gen2()).await;
    app.signed_in("user_aisha").await;
    let (_, refresh_token) = app.sandbox.tokens("user_aisha", CLIENT_ID).unwrap();
    let refresh_token = Secret::new(refresh_token);
    let down = Trouble { down: Some(Down::Status), ..Trouble::default() };
    app.sandbox.set_trouble(Endpoint::Revoke, down);
    assert_eq!(revoke(&app.app.provider, &refresh_token).await, Revocation::Failed);
    app.sandbox.behave();
    assert_eq!(revoke(&app.app.provider, &refresh_token).await, Revocation::Done);
    assert!(app.sandbox.tokens("user_aisha", CLIENT_ID).is_err(), "the grant is gone");

    let gen1 = TestApp::spawn().await;
    assert_eq!(revoke(&gen1.app.provider, &refresh_token).await, Revocation::NoEndpoint);
}
