//! Tokens at rest: sealed, resealed after a rotation of the secret, and gone with their session.

use crate::support::{SESSION, TestApp};
use campus_sandbox::{Endpoint, Misbehaviour};
use campus_server::freshness::vault;

const NEW_SECRET: &str = "another session secret that only the tests know";

/// Every row of every table, as text.
async fn dump(app: &TestApp) -> String {
    let tables: Vec<String> = sqlx::query_scalar(
        "select table_name::text from information_schema.tables where table_schema = 'public'",
    )
    .fetch_all(&app.app.db)
    .await
    .unwrap();
    let mut dump = String::new();
    for table in tables {
        let rows = format!("select string_agg(row::text, ' ') from \"{table}\" row");
        dump.push_str(&app.text(&rows).await.unwrap_or_default());
    }
    dump
}

#[tokio::test]
async fn a_database_dump_holds_no_usable_token() {
    let app = TestApp::spawn().await;
    let browser = app.signed_in("user_aisha").await;
    app.access_tokens_expire().await;
    assert_eq!(browser.fetch("/auth/me").await.status, 200);
    let held = vault::open(&app.app, app.session_id().await).await.unwrap().unwrap();
    let id_token = held.tokens.id_token.unwrap().expose().to_owned();
    let mut secrets = app.sandbox.all_tokens();
    assert!(secrets.len() >= 4, "of the sign-in and of the refresh");
    assert!(secrets.iter().any(|token| token == held.tokens.access.expose()));
    let mut db = app.app.db.acquire().await.unwrap();
    let keys = &app.app.freshness.keys;
    let peeked = vault::peek(&mut db, keys, app.session_id().await).await.unwrap().unwrap();
    assert_eq!(peeked.id_token.unwrap().expose(), id_token);
    secrets.push(id_token);
    secrets.push(browser.cookie(SESSION).unwrap());
    let dump = dump(&app).await;
    assert!(dump.contains("Aisha Mohammed") && dump.contains("user_aisha"));
    for secret in secrets {
        assert!(secret.len() > 16 && !dump.contains(&secret), "{secret} is in the database");
    }
}

#[tokio::test]
async fn a_rotation_of_the_secret_reseals_on_the_next_read_and_signs_nobody_out() {
    let app = TestApp::spawn().await;
    let browser = app.signed_in("user_aisha").await;
    let sealed = "select access_token || refresh_token || id_token from session_tokens";
    let before = app.text(sealed).await;
    let old = app.vars["SESSION_SECRET"].clone();
    let rotating =
        app.another(&[("SESSION_SECRET", NEW_SECRET), ("SESSION_SECRET_PREVIOUS", &old)]).await;
    app.sandbox.reset_counts();
    app.checks_are_due().await;
    assert_eq!(browser.fetch(&format!("{}/auth/me", rotating.origin)).await.status, 200);
    let after = app.text(sealed).await;
    assert_ne!(before, after);
    assert_eq!(app.number("select version from session_tokens").await, 1);

    let rotated = app.another(&[("SESSION_SECRET", NEW_SECRET)]).await;
    app.checks_are_due().await;
    assert_eq!(browser.fetch(&format!("{}/auth/me", rotated.origin)).await.status, 200);
    assert_eq!(app.text(sealed).await, after, "sealed once");
    assert_eq!((app.count(Endpoint::Userinfo), app.count(Endpoint::Token)), (2, 0));
    let live = "select count(*) from sessions where ended_at is null";
    assert_eq!(app.number(live).await, 1);
}

#[tokio::test]
async fn tokens_that_no_secret_opens_mean_a_new_sign_in_and_no_word() {
    let app = TestApp::spawn().await;
    let browser = app.signed_in("user_aisha").await;
    let forgetful = app.another(&[("SESSION_SECRET", NEW_SECRET)]).await;
    let url = format!("{}/auth/me", forgetful.origin);
    assert_eq!(browser.fetch(&url).await.status, 200, "a session does not depend on the secret");
    app.checks_are_due().await;
    assert_eq!(browser.fetch(&url).await.status, 401);
    let reason = app.text("select end_reason from sessions").await;
    assert_eq!(reason.as_deref(), Some("expired"));
}

#[tokio::test]
async fn a_value_moved_to_another_row_opens_nothing() {
    let app = TestApp::spawn().await;
    let (aisha, bello) = (app.signed_in("user_aisha").await, app.signed_in("user_bello").await);
    app.execute(
        "update session_tokens t set access_token = o.access_token
         from session_tokens o where o.session_id <> t.session_id",
    )
    .await;
    app.sandbox.reset_counts();
    app.checks_are_due().await;
    for browser in [aisha, bello] {
        assert_eq!(browser.fetch("/auth/me").await.status, 401);
    }
    assert_eq!(app.count(Endpoint::Userinfo), 0);
}

#[tokio::test]
async fn tokens_go_with_their_session_and_need_not_be_whole() {
    let app = TestApp::spawn().await;
    for misbehaviour in [Misbehaviour::NoRefreshToken, Misbehaviour::NoExpiresIn] {
        app.sandbox.misbehave(misbehaviour);
        let browser = app.signed_in("user_aisha").await;
        let (no_refresh, no_expiry) = (
            app.number("select count(*) from session_tokens where refresh_token is null").await,
            app.number("select count(*) from session_tokens where access_expires_at is null").await,
        );
        let expected = if misbehaviour == Misbehaviour::NoRefreshToken { (1, 0) } else { (0, 1) };
        assert_eq!((no_refresh, no_expiry), expected);
        app.checks_are_due().await;
        assert_eq!(browser.fetch("/auth/me").await.status, 200);
        browser.submit("/auth/logout").await;
        assert_eq!(app.number("select count(*) from session_tokens").await, 0);
    }
}
