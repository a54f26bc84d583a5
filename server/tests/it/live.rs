//! Open pages: what they are told, how soon, and that listening keeps nothing alive.

use crate::support::{SESSION, TestApp, at, event};
use campus::audit::{Actor, AuditKind};
use campus::reason::EndReason;
use campus_server::audit::Cause;
use campus_server::clock;
use campus_server::people;
use campus_server::store::changes::{self, ChangeKind};
use campus_server::store::sessions::Sessions;
use http::Method;
use serde_json::json;
use std::time::{Duration, Instant};

/// An open stream and what has come of it.
struct Stream(reqwest::Response, String);

impl Stream {
    async fn open(browser: &crate::support::Browser, target: &str, last: Option<&str>) -> Self {
        let mut request =
            browser.request(Method::GET, target).header("accept", "text/event-stream");
        if let Some(last) = last {
            request = request.header("last-event-id", last);
        }
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 200);
        let kind = response.headers().get("content-type").unwrap();
        assert_eq!(kind, "text/event-stream");
        assert_eq!(response.headers().get("cache-control").unwrap(), "no-store");
        Self(response, String::new())
    }

    /// The next event's name and data; `None` when the stream has ended.
    async fn next(&mut self) -> Option<(String, String)> {
        loop {
            if let Some((event, rest)) = self.1.split_once("\n\n") {
                let field = |name: &str| {
                    let line = event.lines().find_map(|line| line.strip_prefix(name));
                    line.unwrap_or_default().trim().to_owned()
                };
                let found = (field("event:"), field("data:"));
                self.1 = rest.to_owned();
                if !found.0.is_empty() {
                    return Some(found);
                }
                continue;
            }
            let chunk = tokio::time::timeout(Duration::from_secs(5), self.0.chunk()).await;
            let chunk = chunk.unwrap().unwrap()?;
            self.1.push_str(std::str::from_utf8(&chunk).unwrap());
        }
    }
}

async fn take_roles_away(app: &TestApp, subject: &str) {
    let mut db = app.app.db.begin().await.unwrap();
    let person = person(app, subject).await;
    let statement = format!("update users set custom_roles = '{{}}' where subject = '{subject}'");
    sqlx::query(sqlx::AssertSqlSafe(statement)).execute(&mut *db).await.unwrap();
    changes::record(&mut db, person, None, ChangeKind::Roles, clock::now()).await.unwrap();
    db.commit().await.unwrap();
}

async fn person(app: &TestApp, subject: &str) -> campus::person::PersonId {
    let id = app.text(&format!("select id::text from users where subject = '{subject}'")).await;
    campus::person::PersonId(id.unwrap().parse().unwrap())
}

#[tokio::test]
async fn a_change_of_roles_reaches_an_open_page_within_two_seconds() {
    let app = TestApp::spawn().await;
    let browser = app.signed_in("user_zainab").await;
    let other = app.signed_in("user_aisha").await;
    let mut stream = Stream::open(&browser, "/auth/events", None).await;
    let mut others = Stream::open(&other, "/auth/events", None).await;
    let (name, version) = stream.next().await.unwrap();
    assert_eq!(name, "hello");
    assert_eq!(others.next().await.unwrap().0, "hello");
    let started = Instant::now();
    take_roles_away(&app, "user_zainab").await;
    let (name, now) = stream.next().await.unwrap();
    assert!(started.elapsed() < Duration::from_secs(2), "{:?}", started.elapsed());
    assert_eq!(name, "roles");
    assert_ne!(now, version);
    let nothing = tokio::time::timeout(Duration::from_secs(2), others.next()).await;
    assert!(nothing.is_err(), "news of somebody else: {nothing:?}");
}

#[tokio::test]
async fn a_page_that_comes_back_is_told_what_it_missed() {
    let app = TestApp::spawn().await;
    let browser = app.signed_in("user_zainab").await;
    let mut stream = Stream::open(&browser, "/auth/events", None).await;
    let (_, version) = stream.next().await.unwrap();
    drop(stream);
    take_roles_away(&app, "user_zainab").await;
    let mut stream = Stream::open(&browser, "/auth/events", Some(&version)).await;
    assert_eq!(stream.next().await.unwrap().0, "roles", "Last-Event-ID is the cursor");
    let made_for = format!("/auth/events?roles={version}");
    let mut stream = Stream::open(&browser, &made_for, None).await;
    let (name, now) = stream.next().await.unwrap();
    assert_eq!(name, "roles", "a change between the page and its stream is not missed");
    // The cursor of the stream wins over what the page was made for.
    let mut stream = Stream::open(&browser, &made_for, Some(&now)).await;
    assert_eq!(stream.next().await.unwrap().0, "hello");
}

#[tokio::test]
async fn the_end_of_a_session_reaches_its_page_and_no_other() {
    let app = TestApp::spawn().await;
    let (one, two) = (app.signed_in("user_aisha").await, app.signed_in("user_aisha").await);
    let mut first = Stream::open(&one, "/auth/events", None).await;
    let mut second = Stream::open(&two, "/auth/events", None).await;
    assert_eq!(first.next().await.unwrap().0, "hello");
    assert_eq!(second.next().await.unwrap().0, "hello");
    let who = person(&app, "user_aisha").await;
    let hash = campus_server::session::token::hash(&one.cookie(SESSION).unwrap()).unwrap();
    let id = campus_server::store::sessions::find(&app.app.db, &hash).await.unwrap().unwrap().id;
    let cause = Cause { actor: Actor::Server, request_id: None, rule: "test" };
    let mut db = app.app.db.begin().await.unwrap();
    let (reason, kind) = (EndReason::EndedByAdmin, AuditKind::SessionsEnded);
    let now = clock::now();
    people::end_sessions(&mut db, who, Sessions::One(id), reason, kind, &cause, now).await.unwrap();
    db.commit().await.unwrap();
    let started = Instant::now();
    assert_eq!(first.next().await.unwrap(), ("ended".to_owned(), "ended_by_admin".to_owned()));
    assert!(started.elapsed() < Duration::from_secs(2));
    assert_eq!(first.next().await, None, "nothing comes after the end");
    let nothing = tokio::time::timeout(Duration::from_secs(2), second.next()).await;
    assert!(nothing.is_err(), "{nothing:?}");
}

#[tokio::test]
async fn listening_needs_a_session_and_does_not_use_it() {
    let app = TestApp::spawn().await;
    assert_eq!(app.browser().fetch("/auth/events").await.status, 401);
    let browser = app.signed_in("user_aisha").await;
    let mut stream = Stream::open(&browser, "/auth/events", None).await;
    assert_eq!(stream.next().await.unwrap().0, "hello");
    app.execute("update sessions set seen_at = now() - interval '7 hours'").await;
    take_roles_away(&app, "user_aisha").await;
    tokio::time::sleep(Duration::from_millis(1500)).await;
    let unused = "select count(*) from sessions where seen_at < now() - interval '6 hours'";
    assert_eq!(app.number(unused).await, 1, "a listener must not keep a session from running idle");
}

/// A webhook need not carry the roles.
#[tokio::test]
async fn a_page_learns_of_roles_that_only_campus_one_knows() {
    let app = TestApp::spawn().await;
    let browser = app.signed_in("user_zainab").await;
    let mut stream = Stream::open(&browser, "/auth/events", None).await;
    assert_eq!(stream.next().await.unwrap().0, "hello");
    app.sandbox.change_person("user_zainab", |person| person.custom_roles.clear()).unwrap();
    let started = Instant::now();
    let body = event("user.role_changed", at(0), &json!({ "userId": "user_zainab" }));
    app.sender().accepted(body).await;
    assert_eq!(stream.next().await.unwrap().0, "roles");
    assert!(started.elapsed() < Duration::from_secs(2), "{:?}", started.elapsed());
}
