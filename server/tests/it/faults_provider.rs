//! The provider is down, slow, busy, talks nonsense, changes its keys or has a wrong clock: the page says
//! so, nobody gets in, and the next sign-in works without a restart.

use crate::support::{SESSION, TestApp};
use campus_sandbox::{Down, Endpoint, Misbehaviour, Trouble};

/// Signs in and expects a page with a typed reason, and nothing left behind.
async fn refused(app: &TestApp, what: &str) -> (u16, String) {
    let browser = app.browser_of("user_aisha");
    let hops = browser.follow("/auth/login").await;
    let page = hops.last().unwrap();
    assert!(matches!(page.status, 401 | 502 | 503), "{what}: {page:?}");
    assert!(!page.reason().is_empty() && page.reason() != "internal", "{what}: {page:?}");
    assert_eq!(browser.cookie(SESSION), None, "{what}");
    assert_eq!(app.rows().await, (0, 0), "{what}");
    (page.status, page.reason())
}

/// Signs in as soon as it works; a failed call is not repeated for two seconds.
async fn recovers(app: &TestApp, what: &str) {
    let began = std::time::Instant::now();
    loop {
        let browser = app.browser_of("user_aisha");
        browser.follow("/auth/login").await;
        if browser.cookie(SESSION).is_some() {
            return;
        }
        assert!(began.elapsed().as_secs() < 5, "{what}: not well again");
        tokio::time::sleep(std::time::Duration::from_millis(250)).await;
    }
}

#[tokio::test]
async fn each_trouble_of_each_endpoint_has_a_page_and_passes_without_a_restart() {
    let troubles = [
        Trouble { down: Some(Down::Status), ..Trouble::default() },
        Trouble { down: Some(Down::Drop), ..Trouble::default() },
        Trouble { rate_limit: 50, retry_after: 1, ..Trouble::default() },
    ];
    for endpoint in [Endpoint::Discovery, Endpoint::Jwks, Endpoint::Token] {
        for trouble in troubles {
            let what = format!("{endpoint:?} {trouble:?}");
            let app = TestApp::spawn().await;
            app.sandbox.set_trouble(endpoint, trouble);
            let (status, reason) = refused(&app, &what).await;
            assert!(reason.starts_with("provider_"), "{what}: {status} {reason}");
            app.sandbox.set_trouble(endpoint, Trouble::default());
            recovers(&app, &what).await;
        }
    }
}

#[tokio::test]
async fn a_provider_that_does_not_answer_in_time_holds_nobody() {
    for endpoint in [Endpoint::Discovery, Endpoint::Token] {
        let app = TestApp::spawn().await;
        let limits = "[provider]\ntimeout_seconds = 1\n";
        std::fs::write(app.files.path().join("Leptos.toml"), limits).unwrap();
        let port = url::Url::parse(&app.origin).unwrap().port().unwrap();
        app.stop_serving();
        // The listener goes with its task, a moment later.
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        // The provider knows only this address to come back to.
        let _process = crate::support::ServerProcess::spawn_at(&app, port, &[]).await;
        app.sandbox.set_trouble(endpoint, Trouble { slow_ms: 8000, ..Trouble::default() });
        let began = std::time::Instant::now();
        assert_eq!(refused(&app, "slow").await, (503, "provider_unreachable".to_owned()));
        assert!(began.elapsed().as_secs() < 6, "{endpoint:?} {:?}", began.elapsed());
        app.sandbox.set_trouble(endpoint, Trouble::default());
        recovers(&app, "slow").await;
    }
}

#[tokio::test]
async fn an_answer_that_is_no_json_is_refused_once() {
    let app = TestApp::spawn().await;
    app.sandbox.misbehave(Misbehaviour::GarbageJson);
    assert_eq!(refused(&app, "garbage").await, (502, "provider_answer_invalid".to_owned()));
    app.signed_in("user_aisha").await;
}

/// The keys change between the request and its answer; the set that was fetched before knows nothing of
/// the new one (OpenID Connect Core §10.1.1).
#[tokio::test]
async fn keys_that_change_in_mid_flow_are_fetched_again() {
    let app = TestApp::spawn().await;
    app.signed_in("user_chinedu").await;
    let browser = app.browser_of("user_aisha");
    let start = browser.navigate("/auth/login").await;
    app.sandbox.rotate_keys().unwrap();
    let hops = browser.follow_from(start).await;
    assert_eq!(hops.last().unwrap().status, 200, "{hops:?}");
    assert!(browser.cookie(SESSION).is_some());
    assert_eq!(app.count(Endpoint::Jwks), 2);
}

/// PROTOCOLS §1 rule 3: a minute of leeway, and `iat` not in the future beyond it. A provider that is
/// behind issues tokens that are still valid for most of their hour.
#[tokio::test]
async fn a_clock_that_is_off_by_more_than_a_minute_is_met_as_the_rule_says() {
    for (seconds, accepted) in
        [(45, true), (-45, true), (-90, true), (-600, true), (90, false), (600, false)]
    {
        let app = TestApp::spawn().await;
        app.sandbox.set_clock_ahead(seconds);
        if accepted {
            let browser = app.signed_in("user_aisha").await;
            assert_eq!(browser.navigate("/dashboard").await.status, 200, "{seconds}");
        } else {
            assert_eq!(refused(&app, "ahead").await.1, "id_token_time", "{seconds}");
            app.sandbox.set_clock_ahead(0);
            app.signed_in("user_aisha").await;
        }
    }
}
