//! The database is slow, full or gone: nobody hangs, nobody gets in who may not, and all is well again
//! as soon as it is, without a restart. What is accepted meanwhile is held by `webhooks_kept`.

use crate::support::{SESSION, TestApp, at, disconnected};
use http::Method;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use std::time::{Duration, Instant};

async fn outside(app: &TestApp) -> PgConnection {
    PgConnection::connect(app.database.url().expose()).await.unwrap()
}

async fn run(db: &mut PgConnection, statement: String) {
    // The statements are those written in the tests.
    sqlx::raw_sql(AssertSqlSafe(statement)).execute(db).await.unwrap();
}

/// A pool without a free connection is an outage that says so after five seconds, not an endless wait.
#[tokio::test]
async fn out_of_connections_is_said_after_five_seconds_and_heals_by_itself() {
    let app = TestApp::spawn().await;
    let browser = app.signed_in("user_aisha").await;
    let mut held = Vec::new();
    while let Ok(Ok(connection)) =
        tokio::time::timeout(Duration::from_secs(1), app.app.db.acquire()).await
    {
        held.push(connection);
    }
    assert!(held.len() >= 8, "the pool gave only {}", held.len());
    let began = Instant::now();
    let (page, stranger) = tokio::join!(browser.navigate("/dashboard"), async {
        app.browser().fetch("/auth/me").await
    });
    page.assert_refused(503, "store_unavailable");
    assert_eq!(stranger.status, 401, "nobody is nobody, with or without a database");
    assert!(began.elapsed() < Duration::from_secs(9), "{:?}", began.elapsed());
    assert!(browser.cookie(SESSION).is_some());
    let unlucky = disconnected("user_aisha", at(0));
    app.sender().signed(unlucky.clone()).await.assert_refused(503, "store_unavailable");
    assert_eq!(app.browser().fetch("/api/health").await.status, 200);
    drop(held);
    assert_eq!(browser.navigate("/dashboard").await.status, 200);
    // The sender tries again, as senders do after a 503: it counts as new.
    app.sender().accepted(unlucky).await;
}

/// A server that accepts nobody and throws out who is there, as while PostgreSQL restarts.
#[tokio::test]
async fn a_database_that_comes_back_is_used_again_without_a_restart() {
    let app = TestApp::spawn().await;
    let browser = app.signed_in("user_aisha").await;
    let name = app.text("select current_database()::text").await.unwrap();
    let mut url = url::Url::parse(app.database.url().expose()).unwrap();
    url.set_path("postgres");
    let mut server = PgConnection::connect(url.as_str()).await.unwrap();
    run(&mut server, format!("alter database {name} allow_connections false")).await;
    let everybody =
        format!("select pg_terminate_backend(pid) from pg_stat_activity where datname = '{name}'");
    run(&mut server, everybody).await;

    let began = Instant::now();
    browser.navigate("/dashboard").await.assert_refused(503, "store_unavailable");
    let hops = app.browser_of("user_chinedu").follow("/auth/login").await;
    hops.last().unwrap().assert_refused(503, "store_unavailable");
    assert!(began.elapsed() < Duration::from_secs(15), "{:?}", began.elapsed());
    assert_eq!(app.browser().fetch("/api/ready").await.status, 503);

    run(&mut server, format!("alter database {name} allow_connections true")).await;
    assert_eq!(browser.navigate("/dashboard").await.status, 200);
    assert_eq!(app.browser().fetch("/api/ready").await.status, 200);
    app.signed_in("user_chinedu").await;
    assert_eq!(app.rows().await, (2, 2), "the sign-in that failed left nothing");
}

/// A table that is locked for as long as it likes, as by a careless migration.
#[tokio::test]
async fn a_slow_database_ends_in_a_page_that_says_so() {
    let app = TestApp::spawn().await;
    let browser = app.signed_in("user_aisha").await;
    let limits = "[server]\nrequest_timeout_seconds = 2\n";
    std::fs::write(app.files.path().join("Leptos.toml"), limits).unwrap();
    let hurried = app.another(&[]).await;
    let page = format!("{}/dashboard", hurried.origin);
    assert_eq!(browser.navigate(&page).await.status, 200);

    let mut db = outside(&app).await;
    let mut transaction = db.begin().await.unwrap();
    run(&mut transaction, "lock table sessions in access exclusive mode".to_owned()).await;
    let began = Instant::now();
    // More than the pool has connections: none of them may be lost to the wait.
    let waiting = (0..24).map(|_| browser.navigate(&page));
    for answer in futures::future::join_all(waiting).await {
        assert_eq!(answer.status, 503, "{answer:?}");
        assert!(["timeout", "store_unavailable"].contains(&answer.reason().as_str()), "{answer:?}");
        assert_eq!(answer.header("retry-after"), "60");
        assert!(!answer.removes(SESSION), "a slow database signs nobody out");
    }
    assert!(began.elapsed() < Duration::from_secs(6), "{:?}", began.elapsed());
    let health = format!("{}/api/health", hurried.origin);
    assert_eq!(browser.ask(Method::GET, &health, &[]).await.status, 200);
    transaction.rollback().await.unwrap();
    assert_eq!(browser.navigate(&page).await.status, 200);
}
