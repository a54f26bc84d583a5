//! How sessions end, and what the next page says.

use crate::support::{SESSION, SIGNED_OUT, TestApp};
use campus::reason::EndReason;
use campus_sandbox::Endpoint;
use campus_server::session::token;
use campus_server::store::sessions::{self, Swept};
use campus_server::{clock, people};

async fn sweep(app: &TestApp) -> Swept {
    let now = clock::now();
    let (idle_since, forget) = (now.plus_seconds(-8 * 3600), now.plus_seconds(-30 * 86_400));
    people::sweep(&app.app.db, idle_since, forget, now).await.unwrap()
}

#[tokio::test]
async fn the_sweep_ends_idle_and_expired_sessions_and_forgets_old_ones() {
    let app = TestApp::spawn().await;
    for _ in 0..3 {
        app.signed_in("user_aisha").await;
    }
    assert_eq!(sweep(&app).await, Swept::default(), "live sessions stay");
    let one = "(select id from sessions where ended_at is null order by id limit 1)";
    let idle =
        format!("update sessions set seen_at = now() - interval '481 minutes' where id = {one}");
    app.execute(&idle).await;
    assert_eq!(sweep(&app).await, Swept { idle: 1, ..Swept::default() });
    let expired =
        format!("update sessions set expires_at = now() - interval '1 second' where id = {one}");
    app.execute(&expired).await;
    assert_eq!(sweep(&app).await, Swept { expired: 1, ..Swept::default() });
    let reasons = "select string_agg(end_reason, ',' order by end_reason) from sessions";
    assert_eq!(app.text(reasons).await.as_deref(), Some("expired,idle"));
    app.execute(
        "update sessions set ended_at = now() - interval '31 days' where end_reason = 'idle'",
    )
    .await;
    assert_eq!(sweep(&app).await, Swept { removed: 1, ..Swept::default() });
    assert_eq!(app.rows().await, (1, 2));
}

#[tokio::test]
async fn an_idle_or_expired_session_is_over_before_any_sweep() {
    for change in ["seen_at = now() - interval '481 minutes'", "expires_at = now()"] {
        let app = TestApp::spawn().await;
        let browser = app.signed_in("user_aisha").await;
        app.execute(&format!("update sessions set {change}")).await;
        assert_eq!(browser.fetch("/auth/me").await.status, 401, "{change}");
        // It ran out by itself: the provider still knows them, so they are back without a word.
        let hops = browser.follow("/dashboard").await;
        let landed = hops.last().unwrap();
        assert_eq!((landed.status, landed.url.path()), (200, "/dashboard"), "{change}");
        assert_eq!(app.rows().await, (1, 2));
    }
}

#[tokio::test]
async fn whoever_was_signed_out_by_an_admin_reads_so_once() {
    for path in ["/", "/dashboard"] {
        let app = TestApp::spawn().await;
        let browser = app.signed_in("user_aisha").await;
        let hash = token::hash(&browser.cookie(SESSION).unwrap()).unwrap();
        let mut db = app.app.db.acquire().await.unwrap();
        sessions::end(&mut db, &hash, EndReason::EndedByAdmin, clock::now()).await.unwrap();
        drop(db);
        let asked = app.count(Endpoint::Authorize);

        let page = browser.navigate(path).await;
        assert_eq!(page.status, 401, "{path}");
        assert!(page.body.contains(EndReason::EndedByAdmin.text()), "{path}: {}", page.body);
        assert!(page.removes(SESSION) && page.sets(SIGNED_OUT));
        page.assert_private();

        let home = browser.navigate("/").await;
        assert_eq!(home.status, 200);
        assert!(!home.body.contains(EndReason::EndedByAdmin.text()), "said once is enough");
        assert_eq!(app.count(Endpoint::Authorize), asked, "not signed in again behind their back");
    }
}

#[tokio::test]
async fn every_end_somebody_else_brought_about_is_said() {
    let app = TestApp::spawn().await;
    for reason in [
        EndReason::SignedOut,
        EndReason::Disconnected,
        EndReason::RoleChange,
        EndReason::EndedElsewhere,
        EndReason::ProviderOutage,
    ] {
        let browser = app.signed_in("user_aisha").await;
        let hash = token::hash(&browser.cookie(SESSION).unwrap()).unwrap();
        let mut db = app.app.db.acquire().await.unwrap();
        sessions::end(&mut db, &hash, reason, clock::now()).await.unwrap();
        drop(db);
        let page = browser.navigate("/dashboard").await;
        assert!(page.status == 401 && page.body.contains(reason.text()), "{reason:?}");
        let fetched = browser.fetch("/dashboard").await;
        fetched.assert_refused(401, "not_signed_in");
    }
}

#[tokio::test]
async fn the_page_shown_after_signing_out_is_not_for_those_who_are_signed_in() {
    let app = TestApp::spawn().await;
    let browser = app.signed_in("user_aisha").await;
    let answer = browser.navigate("/auth/signed-out").await;
    assert_eq!((answer.status, answer.location().unwrap().path()), (303, "/"));
    browser.submit("/auth/logout").await;
    let page = browser.navigate("/auth/signed-out").await;
    assert_eq!(page.status, 200);
    assert!(page.body.contains(EndReason::SignedOut.text()));
    // A marker with an invented word puts no text of its own onto the page.
    browser.put("localhost", SIGNED_OUT, "<b>boo</b>");
    assert!(!browser.navigate("/auth/signed-out").await.body.contains("boo"));
}
