//! Sessions as the table keeps them: hashed, never revived, and no stronger than the person's row.

use crate::support::{SESSION, TestApp};
use campus::instant::Instant;
use campus::person::PersonId;
use campus::reason::EndReason;
use campus_server::clock;
use campus_server::session::token;
use campus_server::store::sessions::{self, Authentication, NewSession, Sessions, TokenHash};
use uuid::Uuid;

async fn person(app: &TestApp) -> PersonId {
    PersonId(sqlx::query_scalar("select id from users").fetch_one(&app.app.db).await.unwrap())
}

async fn insert(app: &TestApp, person: PersonId, now: Instant) -> TokenHash {
    let token_hash = token::hash(&token::fresh()).unwrap();
    let expires = now.plus_seconds(3600);
    let session = NewSession {
        token_hash,
        person,
        sid: None,
        user_agent: None,
        authentication: Authentication::default(),
        now,
        expires,
    };
    let mut db = app.app.db.acquire().await.unwrap();
    sessions::create(&mut db, &session).await.unwrap();
    token_hash
}

#[tokio::test]
async fn the_cookies_value_is_stored_nowhere() {
    let app = TestApp::spawn().await;
    let browser = app.signed_in("user_aisha").await;
    let token = browser.cookie(SESSION).unwrap();
    let row = app.text("select row_to_json(s)::text from sessions s").await.unwrap();
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let raw = {
        use base64::Engine as _;
        base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(&token).unwrap()
    };
    assert!(!row.contains(&token) && !row.contains(&hex(&raw)), "{row}");
    assert!(row.contains(&hex(&token::hash(&token).unwrap())), "its hash is: {row}");
    assert!(
        app.text("select row_to_json(u)::text from users u")
            .await
            .is_some_and(|row| !row.contains(&token))
    );
}

#[tokio::test]
async fn a_touch_cannot_revive_a_session_that_ended_meanwhile() {
    let app = TestApp::spawn().await;
    let browser = app.signed_in("user_aisha").await;
    let hash = token::hash(&browser.cookie(SESSION).unwrap()).unwrap();
    let loaded = sessions::find(&app.app.db, &hash).await.unwrap().unwrap();
    assert_eq!(loaded.ended, None);
    let now = clock::now();
    let mut db = app.app.db.acquire().await.unwrap();
    assert!(sessions::end(&mut db, &hash, EndReason::EndedByAdmin, now).await.unwrap().is_some());
    let later = now.plus_seconds(120);
    assert!(!sessions::touch(&app.app.db, loaded.id, later).await.unwrap());
    let stored = sessions::find(&app.app.db, &hash).await.unwrap().unwrap();
    assert_eq!((stored.ended, stored.seen), (Some(EndReason::EndedByAdmin), loaded.seen));
}

#[tokio::test]
async fn a_touch_makes_no_session_and_never_goes_back_in_time() {
    let app = TestApp::spawn().await;
    let browser = app.signed_in("user_aisha").await;
    let unknown = sessions::SessionId(Uuid::now_v7());
    assert!(!sessions::touch(&app.app.db, unknown, clock::now()).await.unwrap());
    assert_eq!(app.rows().await, (1, 1));
    let hash = token::hash(&browser.cookie(SESSION).unwrap()).unwrap();
    let stored = sessions::find(&app.app.db, &hash).await.unwrap().unwrap();
    let earlier = stored.seen.plus_seconds(-500);
    assert!(sessions::touch(&app.app.db, stored.id, earlier).await.unwrap());
    let again = sessions::find(&app.app.db, &hash).await.unwrap().unwrap();
    assert_eq!(again.seen, stored.seen);
}

#[tokio::test]
async fn an_end_keeps_the_first_reason() {
    let app = TestApp::spawn().await;
    let browser = app.signed_in("user_aisha").await;
    let hash = token::hash(&browser.cookie(SESSION).unwrap()).unwrap();
    let mut db = app.app.db.acquire().await.unwrap();
    let now = clock::now();
    assert!(sessions::end(&mut db, &hash, EndReason::Disconnected, now).await.unwrap().is_some());
    assert!(sessions::end(&mut db, &hash, EndReason::SignedOut, now).await.unwrap().is_none());
    let all = (person(&app).await, Sessions::All, EndReason::RoleChange);
    let all = sessions::end_of_person(&mut db, all.0, all.1, all.2, now).await;
    assert!(all.unwrap().is_empty());
    drop(db);
    browser.submit("/auth/logout").await;
    let reason = app.text("select end_reason from sessions").await;
    assert_eq!(reason.as_deref(), Some("disconnected"));
}

#[tokio::test]
async fn ending_all_also_revokes_what_was_created_before_but_stored_after() {
    let app = TestApp::spawn().await;
    let browser = app.signed_in("user_aisha").await;
    let who = person(&app).await;
    let cut = clock::now().plus_seconds(1);
    let mut db = app.app.db.acquire().await.unwrap();
    let reason = EndReason::EndedByAdmin;
    let ended = sessions::end_of_person(&mut db, who, Sessions::All, reason, cut).await.unwrap();
    assert_eq!(ended.len(), 1);
    drop(db);
    assert_eq!(browser.fetch("/auth/me").await.status, 401);

    // A sign-in that was under way: its session is older than the cut and arrives after it.
    let late = insert(&app, who, cut.plus_seconds(-1)).await;
    let stored = sessions::find(&app.app.db, &late).await.unwrap().unwrap();
    assert!(stored.revoked && stored.ended.is_none());
    assert!(!sessions::touch(&app.app.db, stored.id, cut.plus_seconds(90)).await.unwrap());

    let fresh = insert(&app, who, cut.plus_seconds(1)).await;
    let stored = sessions::find(&app.app.db, &fresh).await.unwrap().unwrap();
    assert!(!stored.revoked, "a sign-in after the cut counts");
}

#[tokio::test]
async fn the_cut_of_ending_all_never_moves_back() {
    let app = TestApp::spawn().await;
    app.signed_in("user_aisha").await;
    let who = person(&app).await;
    let now = clock::now();
    let mut db = app.app.db.acquire().await.unwrap();
    for at in [now.plus_seconds(100), now] {
        let reason = EndReason::RoleChange;
        sessions::end_of_person(&mut db, who, Sessions::All, reason, at).await.unwrap();
    }
    drop(db);
    let between = insert(&app, who, now.plus_seconds(50)).await;
    assert!(sessions::find(&app.app.db, &between).await.unwrap().unwrap().revoked);
}

#[tokio::test]
async fn an_ordinary_request_writes_at_most_once_a_minute() {
    let app = TestApp::spawn().await;
    let browser = app.signed_in("user_aisha").await;
    let seen = "select seen_at::text from sessions";
    let first = app.text(seen).await;
    browser.navigate("/dashboard").await;
    assert_eq!(app.text(seen).await, first, "within a minute nothing is written");
    app.execute("update sessions set seen_at = seen_at - interval '2 minutes'").await;
    assert_eq!(browser.navigate("/dashboard").await.status, 200);
    assert!(app.text(seen).await > first);
}

#[tokio::test]
async fn a_role_change_is_in_force_on_the_next_request() {
    let app = TestApp::spawn().await;
    let browser = app.signed_in("user_aisha").await;
    let token = browser.cookie(SESSION);
    assert_eq!(browser.fetch("/auth/me").await.json()["role"], "student");
    app.execute("update users set role = 'staff', custom_roles = '{unit_admin}'").await;
    let me = browser.fetch("/auth/me").await.json();
    assert_eq!(
        (&me["role"], &me["custom_roles"]),
        (&"staff".into(), &serde_json::json!(["unit_admin"]))
    );
    assert_eq!((browser.cookie(SESSION), app.rows().await), (token, (1, 1)));
    app.execute("update users set custom_roles = '{}'").await;
    assert_eq!(browser.fetch("/auth/me").await.json()["custom_roles"], serde_json::json!([]));
}

#[tokio::test]
async fn two_browsers_of_one_person_are_one_row_and_two_sessions() {
    let app = TestApp::spawn().await;
    let (phone, desk) = (app.signed_in("user_aisha").await, app.signed_in("user_aisha").await);
    assert_eq!(app.rows().await, (1, 2));
    phone.submit("/auth/logout").await;
    assert_eq!(phone.fetch("/auth/me").await.status, 401);
    assert_eq!(desk.fetch("/auth/me").await.status, 200, "the other one stays");
}
