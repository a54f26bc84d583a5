//! What still works while the database is away.

use crate::support::{ANONYMOUS, SESSION, TestApp};
use campus_sandbox::Endpoint;
use http::Method;

#[tokio::test]
async fn health_answers_while_the_database_is_away_and_readiness_does_not() {
    let app = TestApp::spawn().await;
    app.database.take_away().await;
    for method in [Method::HEAD, Method::GET] {
        let answer = app.browser().ask(method, "/api/health", &[]).await;
        assert_eq!(answer.status, 200);
    }
    let ready = app.browser().fetch("/api/ready").await;
    assert_eq!((ready.status, &ready.json()["database"]), (503, &false.into()));
    for path in crate::support::CALLBACKS {
        assert_eq!(app.browser().ask(Method::HEAD, path, &[]).await.status, 200);
    }
}

#[tokio::test]
async fn without_a_session_cookie_nobody_needs_the_database() {
    let app = TestApp::spawn().await;
    app.database.take_away().await;
    let browser = app.browser();
    assert_eq!(browser.follow("/").await.last().unwrap().status, 200);
    assert!(browser.cookie(ANONYMOUS).is_some());
    assert_eq!(browser.fetch("/auth/me").await.status, 401);
}

#[tokio::test]
async fn a_session_that_cannot_be_looked_up_is_an_outage_and_no_sign_out() {
    let app = TestApp::spawn().await;
    let browser = app.signed_in("user_aisha").await;
    app.database.take_away().await;
    for path in ["/", "/dashboard"] {
        let page = browser.navigate(path).await;
        page.assert_refused(503, "store_unavailable");
        assert_eq!(page.header("retry-after"), "60");
        assert!(!page.body.contains("postgres"), "nothing from inside: {}", page.body);
    }
    let out = browser.submit("/auth/logout").await;
    out.assert_refused(503, "store_unavailable");
    assert!(browser.cookie(SESSION).is_some(), "the person must know they are still signed in");
}

#[tokio::test]
async fn a_sign_in_that_cannot_be_stored_is_no_sign_in() {
    let app = TestApp::spawn().await;
    let browser = app.browser_of("user_aisha");
    app.database.take_away().await;
    let hops = browser.follow("/auth/login").await;
    let page = hops.last().unwrap();
    page.assert_refused(503, "store_unavailable");
    page.assert_private();
    assert_eq!((browser.cookie(SESSION), app.count(Endpoint::Token)), (None, 1));
}
