//! The gates: what they say to those who may not pass, and what is written down.

use crate::support::{Answer, Browser, TestApp};
use campus_server::audit::Verdict;
use campus_server::store::audit;
use http::Method;
use serde_json::{Value, json};

const REFUSED: &str = "select count(*) from audit_entries where kind = 'access_refused'";

async fn post(browser: &Browser, target: &str, body: &Value) -> Answer {
    let request = browser.request(Method::POST, target).header("sec-fetch-site", "same-origin");
    let request = request.header("content-type", "application/json").body(body.to_string());
    browser.send(request).await
}

fn article() -> Value {
    json!({ "title": "Exams moved", "body": "To Monday." })
}

/// Does it within one minute of the clock, however slow the machine is.
async fn within_a_minute<T>(app: &TestApp, mut work: impl AsyncFnMut() -> T) -> T {
    loop {
        let minute = "select floor(extract(epoch from clock_timestamp()) / 60)::bigint";
        let (before, done, after) =
            (app.number(minute).await, work().await, app.number(minute).await);
        if before == after {
            return done;
        }
    }
}

/// The seed's example (OpenID Connect §10), to the letter.
#[tokio::test]
async fn an_article_needs_the_custom_role_editor_and_says_so_in_the_seeds_words() {
    let app = TestApp::spawn().await;
    for person in ["user_aisha", "user_tunde", "user_bello", "user_ifeoma"] {
        let answer = post(&app.signed_in(person).await, "/api/articles", &article()).await;
        assert_eq!((answer.status, answer.header("content-type")), (403, "application/json"));
        let expected =
            r#"{"error":"Forbidden","message":"This action requires the custom app role: editor"}"#;
        assert_eq!(answer.body, expected, "{person}");
        answer.assert_private();
    }
    assert_eq!(app.number("select count(*) from notices").await, 0);
    for person in ["user_zainab", "user_ngozi"] {
        let answer = post(&app.signed_in(person).await, "/api/articles", &article()).await;
        assert_eq!(answer.status, 201, "{person}");
    }
}

/// The seed's Flask example: `require_role("admin", "staff")`.
#[tokio::test]
async fn reports_are_for_the_primary_roles_admin_and_staff() {
    let app = TestApp::spawn().await;
    for (person, status) in
        [("user_bello", 200), ("user_ifeoma", 200), ("user_ngozi", 200), ("user_zainab", 403)]
    {
        let answer = app.signed_in(person).await.fetch("/admin/reports").await;
        assert_eq!(answer.status, status, "{person}");
        if status == 403 {
            let message = "This action requires the primary role: admin or staff";
            assert_eq!(answer.json(), json!({ "error": "Forbidden", "message": message }));
        }
    }
}

#[tokio::test]
async fn nobody_signed_in_is_told_where_to_sign_in() {
    let app = TestApp::spawn().await;
    for (target, sign_in) in [
        ("/api/articles", "/auth/login?next=%2F"),
        ("/admin/people/x/end-sessions", "/auth/login?next=%2Fadmin"),
    ] {
        let answer = post(&app.browser(), target, &article()).await;
        answer.assert_refused(401, "not_signed_in");
        let body = answer.json();
        assert_eq!((&body["error"], &body["sign_in"]), (&json!("Not signed in"), &json!(sign_in)));
        assert_eq!((answer.cookies(), answer.location()), (vec![], None));
        let page = app.browser().submit(target).await;
        page.assert_refused(401, "not_signed_in");
        assert!(page.body.contains(&format!("href=\"{sign_in}\"")), "{}", page.body);
    }
    assert_eq!(app.number(REFUSED).await, 0, "nobody is no person to be written down");
}

/// PROTOCOLS, "Freshness": a role change is in force on the very next request.
#[tokio::test]
async fn a_role_given_or_taken_counts_on_the_next_request() {
    let app = TestApp::spawn().await;
    let browser = app.signed_in("user_aisha").await;
    for (custom, status) in [("{}", 403), ("{editor}", 201), ("{}", 403), ("{unit_admin}", 201)] {
        app.execute(&format!("update users set custom_roles = '{custom}'")).await;
        assert_eq!(post(&browser, "/api/articles", &article()).await.status, status, "{custom}");
    }
    assert_eq!(browser.navigate("/admin").await.status, 200);
    // The word in the other two claims opens nothing.
    app.execute(
        "update users set custom_roles = '{}', role = 'admin', roles = '{unit_admin,editor}'",
    )
    .await;
    assert_eq!(post(&browser, "/api/articles", &article()).await.status, 403);
    assert_eq!(browser.navigate("/admin").await.status, 403);
    assert_eq!(browser.navigate("/admin/reports").await.status, 200);
}

#[tokio::test]
async fn a_refusal_is_written_down_once_a_minute_for_each_person_and_rule() {
    let app = TestApp::spawn().await;
    let (aisha, tunde) = (app.signed_in("user_aisha").await, app.signed_in("user_tunde").await);
    let entries = within_a_minute(&app, async || {
        let before = app.number(REFUSED).await;
        for _ in 0..3 {
            assert_eq!(aisha.navigate("/admin").await.status, 403);
            assert_eq!(aisha.fetch("/admin").await.status, 403);
            assert_eq!(post(&aisha, "/admin/people/x/end-sessions", &json!({})).await.status, 403);
            assert_eq!(post(&aisha, "/api/articles", &article()).await.status, 403);
            assert_eq!(tunde.navigate("/admin").await.status, 403);
        }
        app.number(REFUSED).await - before
    })
    .await;
    assert_eq!(entries, 3, "aisha by two rules, tunde by one");
    assert!(matches!(audit::verify(&app.app.db).await.unwrap(), Verdict::Whole { .. }));
}

#[tokio::test]
async fn a_refusal_says_who_where_and_by_which_rule() {
    let app = TestApp::spawn().await;
    let browser = app.signed_in("user_aisha").await;
    let refused = browser.navigate("/admin?secret=in-a-query").await;
    let entry = app
        .text(
            "select json_build_object('actor', actor, 'who', u.subject, 'same', actor_id = subject_id,
                 'session', session_id = s.id, 'request', request_id, 'rule', rule,
                 'detail', detail::json)::text
             from audit_entries e join users u on u.id = e.actor_id join sessions s on s.user_id = u.id
             where e.kind = 'access_refused'",
        )
        .await
        .unwrap();
    assert_eq!(
        serde_json::from_str::<Value>(&entry).unwrap(),
        json!({
            "actor": "person", "who": "user_aisha", "same": true, "session": true,
            "request": refused.header("x-request-id"), "rule": "gate run_unit",
            "detail": { "path": "/admin", "permission": "run_unit" },
        })
    );
}

#[tokio::test]
async fn a_refusal_stands_when_it_cannot_be_written_down_and_is_tried_again() {
    let app = TestApp::spawn().await;
    let browser = app.signed_in("user_aisha").await;
    app.execute("alter table audit_head rename to audit_head_away").await;
    assert_eq!(browser.navigate("/admin").await.status, 403);
    app.execute("alter table audit_head_away rename to audit_head").await;
    assert_eq!(browser.navigate("/admin").await.status, 403);
    assert_eq!(app.number(REFUSED).await, 1);
}

#[tokio::test]
async fn another_site_cannot_use_somebodys_roles() {
    let app = TestApp::spawn().await;
    let browser = app.signed_in("user_ngozi").await;
    let me = app.text("select id::text from users").await.unwrap();
    for target in ["/api/articles".to_owned(), format!("/admin/people/{me}/end-sessions")] {
        let headers = [("sec-fetch-site", "cross-site"), ("accept", "application/json")];
        browser.ask(Method::POST, &target, &headers).await.assert_refused(403, "cross_site");
    }
    assert_eq!(browser.fetch("/auth/me").await.status, 200);
    assert_eq!(app.number("select count(*) from notices").await, 0);
}
