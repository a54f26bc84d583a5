//! Leaving Campus Desk: what a sign-out leaves behind, and that every ended session's person reads why
//! (PROTOCOLS.md, "Sessions": the next page says why).

use crate::support::{CLIENT_ID, SESSION, SIGNED_OUT, TestApp};
use campus::audit::Actor;
use campus::person::PersonId;
use campus::reason::EndReason;
use campus_sandbox::Endpoint;
use campus_server::audit::{Cause, Verdict};
use campus_server::session::token;
use campus_server::store::{audit, sessions};
use campus_server::{clock, people};
use serde_json::json;

const ENDED: &str = "c1_ended";

async fn end(app: &TestApp, cookie: &str, reason: EndReason) {
    let hash = token::hash(cookie).unwrap();
    let mut db = app.app.db.acquire().await.unwrap();
    sessions::end(&mut db, &hash, reason, clock::now()).await.unwrap();
}

#[tokio::test]
async fn a_sign_out_is_written_down_and_other_tabs_are_told() {
    let app = TestApp::spawn().await;
    let browser = app.signed_in("user_aisha").await;
    assert_eq!(app.number("select count(*) from session_tokens").await, 1);
    browser.submit("/auth/logout").await;
    let told = "select count(*) from person_changes c join sessions s on s.id = c.session_id
                where c.kind = 'ended'";
    assert_eq!(app.number(told).await, 1);
    assert_eq!(app.number("select count(*) from session_tokens").await, 0);
    let entry = app
        .text(
            "select json_build_array(actor, actor_id = subject_id, session_id is not null,
                                     request_id is not null, rule, detail)::text
             from audit_entries where kind = 'sessions_ended'",
        )
        .await;
    let entry: serde_json::Value = serde_json::from_str(&entry.unwrap()).unwrap();
    let detail = r#"{"reason":"signed_out","sessions":1}"#;
    assert_eq!(entry, json!(["person", true, true, true, "sign-out", detail]));
    // Pressed twice, it is written down once.
    browser.put("localhost", SESSION, "AAAAAAAAAAAAAAAAAAAAAA");
    assert_eq!(browser.submit("/auth/logout").await.status, 303);
    let entries = "select count(*) from audit_entries where kind = 'sessions_ended'";
    assert_eq!(app.number(entries).await, 1);
    assert!(matches!(audit::verify(&app.app.db).await.unwrap(), Verdict::Whole { .. }));
}

/// Each reason by the next page a person opens: an end that somebody brought about has a page of its own
/// and is not undone behind their back; one that is renewed silently is a line on the page they wanted.
#[tokio::test]
async fn every_ended_sessions_person_reads_why() {
    let app = TestApp::spawn().await;
    for reason in EndReason::ALL.iter().copied() {
        for path in ["/", "/dashboard"] {
            let browser = app.signed_in("user_aisha").await;
            end(&app, &browser.cookie(SESSION).unwrap(), reason).await;
            let page = browser.follow(path).await.pop().unwrap();
            assert!(page.body.contains(reason.text()), "{reason:?} at {path}: {}", page.body);
            assert_eq!(page.url.path(), path);
            if reason.is_renewed_silently() {
                assert_eq!(page.status, 200, "{reason:?}");
                assert!(page.body.contains("signed in again"), "{}", page.body);
                assert!(page.removes(ENDED));
            } else {
                assert_eq!(page.status, 401, "{reason:?}");
                assert!(page.removes(SESSION) && page.sets(SIGNED_OUT));
                assert!(!page.body.contains("Aisha"), "{reason:?} shows who it was");
            }
            let again = browser.navigate("/").await;
            assert!(!again.body.contains(reason.text()), "{reason:?} is said once");
        }
    }
}

#[tokio::test]
async fn whoever_is_not_known_there_any_more_reads_why_too() {
    let app = TestApp::spawn().await;
    let browser = app.signed_in("user_aisha").await;
    app.execute("update sessions set seen_at = now() - interval '481 minutes'").await;
    app.sandbox.end_session(None);
    let page = browser.follow("/").await.pop().unwrap();
    assert!(page.status == 200 && page.body.contains(EndReason::Idle.text()), "{}", page.body);
    assert!(!page.body.contains("signed in again"), "{}", page.body);
    // An invented word in the cookie puts no text of its own onto the page.
    browser.put("localhost", ENDED, "<b>boo</b>");
    assert!(!browser.navigate("/").await.body.contains("boo"));
}

/// PROTOCOLS.md, "Webhooks", `user.disconnected`: tokens deleted, sessions ended, marked, audit kept; and the
/// way back leads through consent.
#[tokio::test]
async fn whoever_disconnected_comes_back_through_consent() {
    let app = TestApp::spawn().await;
    app.sandbox.set_trusted(CLIENT_ID, false).unwrap();
    let everything = ["openid", "profile", "email", "offline_access", "academic", "roles"];
    app.sandbox.give_consent("user_aisha", CLIENT_ID, &everything);
    let scopes: Vec<&str> = app.app.provider.settings.scopes.iter().map(String::as_str).collect();
    app.sandbox.give_consent("user_aisha", CLIENT_ID, &scopes);
    let browser = app.signed_in("user_aisha").await;
    let person = sqlx::query_scalar("select id from users").fetch_one(&app.app.db).await.unwrap();
    let person = PersonId(person);
    app.sandbox.disconnect("user_aisha", None).unwrap();
    let now = clock::now();
    let cause =
        Cause { actor: Actor::Provider, request_id: None, rule: "webhook user.disconnected" };
    let mut transaction = app.app.db.begin().await.unwrap();
    people::disconnect(&mut transaction, person, now, &cause, now).await.unwrap();
    transaction.commit().await.unwrap();
    let asked = app.count(Endpoint::Authorize);

    let page = browser.navigate("/dashboard").await;
    assert_eq!(page.status, 401);
    for words in ["Campus Desk is disconnected", EndReason::Disconnected.text(), "Connect again"] {
        assert!(page.body.contains(words), "{words}: {}", page.body);
    }
    assert!(page.body.contains("href=\"/auth/login?next=%2F\""), "{}", page.body);
    assert_eq!(app.count(Endpoint::Authorize), asked, "not signed in again behind their back");
    assert_eq!(app.number("select count(*) from users where disconnected_at is null").await, 0);

    let consent = browser.follow("/auth/login?next=%2F").await.pop().unwrap();
    assert_eq!((consent.status, consent.url.path()), (200, "/consent"), "{consent:?}");
    let code = consent.url.query().unwrap().split_once('=').unwrap().1.to_owned();
    let form = [("consent_code", code.as_str()), ("decision", "allow")];
    let target = consent.url.join("/consent").unwrap();
    let request = browser.request(http::Method::POST, target.as_str()).form(&form);
    let answer = browser.send(request).await;
    let home = browser.follow_from(answer).await.pop().unwrap();
    assert!(home.status == 200 && home.body.contains("Aisha"), "{home:?}");
    assert_eq!(app.number("select count(*) from users where disconnected_at is null").await, 1);
    let kept = "select count(*) from audit_entries where kind = 'disconnected'";
    assert_eq!(app.number(kept).await, 1);
}

/// No cache and no back button: what a signed-in person saw is stored nowhere.
#[tokio::test]
async fn nothing_private_may_be_kept_for_the_back_button() {
    let app = TestApp::spawn().await;
    let browser = app.signed_in("user_aisha").await;
    for path in ["/", "/dashboard", "/auth/me"] {
        let page = browser.navigate(path).await;
        assert_eq!((page.status, page.header("cache-control")), (200, "no-store"), "{path}");
    }
    let left = browser.submit("/auth/logout").await;
    left.assert_private();
    assert_eq!(left.header("clear-site-data"), "", "it would block the page for seconds");
    let page = browser.navigate("/auth/signed-out").await;
    assert_eq!(page.header("cache-control"), "no-store");
    let back = browser.navigate("/dashboard").await;
    assert_eq!((back.status, back.header("cache-control")), (401, "no-store"));
    assert!(!back.body.contains("Aisha"));
}
