//! Step-up: the provider is asked to ask again, what its answer must show, and what is written down.

use crate::support::{Answer, Browser, SESSION, Setup, TestApp, parameter};
use campus_sandbox::{Down, Endpoint, Misbehaviour, Profile, Trouble};
use campus_server::clock;
use campus_server::session::{self, Live, token};
use campus_server::signin::step_up::required;
use http::HeaderMap;

const NGOZI: &str = "user_ngozi";

fn generation(profile: Profile) -> Setup {
    Setup { profile, ..Setup::default() }
}

/// The session of a browser, as a handler meets it.
async fn live(app: &TestApp, browser: &Browser) -> Live {
    let mut headers = HeaderMap::new();
    headers.insert("cookie", browser.cookie_header().parse().unwrap());
    let cookies = campus_server::http::cookies::Cookies::read(&headers, app.app.cookies);
    session::load(&app.app, &cookies).await.unwrap().live().unwrap().clone()
}

async fn is_required(app: &TestApp, browser: &Browser) -> bool {
    required(&live(app, browser).await, clock::now(), &app.app.session_limits)
}

/// Starts a step-up and confirms as somebody on the provider's page.
async fn confirm_as(browser: &Browser, person: &str) -> Vec<Answer> {
    let hops = browser.follow("/auth/confirm?next=%2Fdashboard%3Fa%3Db").await;
    browser.choose(hops.last().unwrap(), person).await
}

async fn entries(app: &TestApp, kind: &str) -> Vec<String> {
    let query = "select detail from audit_entries where kind = $1 order by seq";
    sqlx::query_scalar(query).bind(kind).fetch_all(&app.app.db).await.unwrap()
}

#[tokio::test]
async fn a_silent_sign_in_of_gen1_must_step_up_and_one_of_gen2_says_when() {
    for (profile, needs) in [(Profile::Gen1, true), (Profile::Gen2, false)] {
        let app = TestApp::spawn_with(generation(profile)).await;
        let browser = app.browser_of(NGOZI);
        browser.follow("/dashboard").await;
        assert_eq!(is_required(&app, &browser).await, needs, "{profile:?}");
        let session = live(&app, &browser).await.authentication;
        assert_eq!((session.at.is_some(), session.proven), (!needs, !needs), "{profile:?}");
    }
}

#[tokio::test]
async fn an_old_sign_in_at_the_provider_is_old_here_too() {
    let app = TestApp::spawn_with(generation(Profile::Gen2)).await;
    let browser = app.browser_of(NGOZI);
    app.sandbox.age_sessions(NGOZI, 16 * 60);
    browser.follow("/auth/login").await;
    assert!(is_required(&app, &browser).await, "signed in here just now, there long ago");
}

#[tokio::test]
async fn after_a_quarter_of_an_hour_a_sign_in_is_too_old() {
    let app = TestApp::spawn().await;
    let browser = app.signed_in(NGOZI).await;
    assert!(is_required(&app, &browser).await, "they may not have been asked for a password");
    confirm_as(&browser, NGOZI).await;
    assert!(!is_required(&app, &browser).await);
    app.execute("update sessions set authenticated_at = authenticated_at - interval '15 minutes'")
        .await;
    assert!(is_required(&app, &browser).await);
}

#[tokio::test]
async fn the_provider_is_asked_to_ask_again_in_both_generations() {
    for profile in [Profile::Gen1, Profile::Gen2] {
        let proven = profile == Profile::Gen2;
        let app = TestApp::spawn_with(generation(profile)).await;
        let browser = app.browser_of(NGOZI);
        app.sandbox.age_sessions(NGOZI, 3600);
        browser.follow("/dashboard").await;
        assert!(is_required(&app, &browser).await);
        let before = browser.cookie(SESSION).unwrap();

        let asked = browser.navigate("/auth/confirm?next=%2Fdashboard").await;
        asked.assert_private();
        let url = asked.location().unwrap();
        assert_eq!(parameter(&url, "prompt").as_deref(), Some("login"));
        assert_eq!(parameter(&url, "max_age").as_deref(), Some("60"));

        let hops = confirm_as(&browser, NGOZI).await;
        let landed = hops.last().unwrap();
        assert_eq!((landed.status, landed.url.path()), (200, "/dashboard"), "{landed:?}");
        assert_eq!(landed.url.query(), Some("a=b"));
        assert!(!is_required(&app, &browser).await, "{profile:?}");
        assert_eq!(live(&app, &browser).await.authentication.proven, proven);
        // A new session id, and the old one is worth nothing.
        let after = browser.cookie(SESSION).unwrap();
        assert_ne!(token::hash(&before), token::hash(&after));
        let replay = app.browser();
        replay.put("localhost", SESSION, &before);
        assert_eq!(replay.fetch("/auth/me").await.status, 401);
        let written = entries(&app, "stepped_up").await;
        assert_eq!(written.len(), 1, "{profile:?}");
        assert!(written[0].contains(&format!("\"proven\":{proven}")), "{written:?}");
    }
}

/// gen2 says when somebody signed in: an answer without a fresh sign-in is refused. gen1 says nothing, and
/// what it did not say is not made up.
#[tokio::test]
async fn a_provider_that_did_not_ask_again_is_refused_where_it_can_be_seen() {
    for (profile, seen) in [(Profile::Gen2, true), (Profile::Gen1, false)] {
        let app = TestApp::spawn_with(generation(profile)).await;
        let browser = app.browser_of(NGOZI);
        app.sandbox.age_sessions(NGOZI, 3600);
        browser.follow("/dashboard").await;
        let (before, userinfo) = (browser.cookie(SESSION), app.count(Endpoint::Userinfo));
        app.sandbox.misbehave(Misbehaviour::FreshSignInIgnored);
        let page = browser.follow("/auth/confirm?next=%2Fdashboard").await.pop().unwrap();
        if seen {
            page.assert_refused(403, "step_up_unproven");
            assert_eq!(browser.cookie(SESSION), before, "still signed in as before");
            assert_eq!((browser.flows(), app.count(Endpoint::Userinfo)), (0, userinfo));
            assert!(is_required(&app, &browser).await);
            assert_eq!(entries(&app, "stepped_up").await, Vec::<String>::new());
            assert!(page.body.contains("href=\"/dashboard\""), "the way back: {}", page.body);
        } else {
            assert_eq!(page.status, 200);
            assert!(!live(&app, &browser).await.authentication.proven);
        }
    }
}

#[tokio::test]
async fn whoever_comes_back_as_somebody_else_has_switched_and_not_stepped_up() {
    for profile in [Profile::Gen1, Profile::Gen2] {
        let app = TestApp::spawn_with(generation(profile)).await;
        let browser = app.signed_in(NGOZI).await;
        confirm_as(&browser, "user_aisha").await;
        assert_eq!(browser.fetch("/auth/me").await.json()["sub"], "user_aisha");
        assert_eq!(entries(&app, "stepped_up").await, Vec::<String>::new());
        assert_eq!(entries(&app, "signed_in").await.len(), 2);
        let old = "select end_reason from sessions where ended_at is not null";
        assert_eq!(app.text(old).await.as_deref(), Some("switched_user"));
    }
}

#[tokio::test]
async fn whoever_says_no_is_told_so_and_stays_signed_in() {
    let app = TestApp::spawn_with(generation(Profile::Gen2)).await;
    let browser = app.signed_in(NGOZI).await;
    let asked = browser.navigate("/auth/confirm?next=%2Fdashboard").await;
    let state = parameter(&asked.location().unwrap(), "state").unwrap();
    let iss: String =
        url::form_urlencoded::byte_serialize(app.sandbox.issuer().as_bytes()).collect();
    let answer = format!("/auth/callback?error=access_denied&state={state}&iss={iss}");
    browser.navigate(&answer).await.assert_refused(403, "step_up_declined");
    assert_eq!(browser.fetch("/auth/me").await.status, 200);
}

#[tokio::test]
async fn only_somebody_who_is_signed_in_can_confirm_and_only_by_going_there() {
    let app = TestApp::spawn().await;
    app.browser().navigate("/auth/confirm").await.assert_refused(401, "not_signed_in");
    let browser = app.signed_in(NGOZI).await;
    browser.fetch("/auth/confirm").await.assert_refused(401, "not_signed_in");
    assert_eq!(browser.flows(), 0);
    let hops = browser.follow("/auth/confirm?next=https%3A%2F%2Fevil.example%2F").await;
    let landed = browser.choose(hops.last().unwrap(), NGOZI).await.pop().unwrap();
    assert_eq!(landed.url.as_str(), format!("{}/", app.origin));
}

#[tokio::test]
async fn while_the_provider_is_away_nobody_is_taken_for_confirmed() {
    let app = TestApp::spawn().await;
    let browser = app.signed_in(NGOZI).await;
    let down = Trouble { down: Some(Down::Status), ..Trouble::default() };
    app.sandbox.set_trouble(Endpoint::Discovery, down);
    // An instance that knows no metadata yet.
    let instance = app.another(&[]).await;
    let fresh = Browser::new(&instance.origin);
    fresh.put("localhost", SESSION, &browser.cookie(SESSION).unwrap());
    let page = fresh.navigate("/auth/confirm?next=%2Fdashboard").await;
    page.assert_refused(503, "provider_unreachable");
    assert_eq!(fresh.fetch("/auth/me").await.status, 200);
}
