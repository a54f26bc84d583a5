//! Nothing that was accepted is lost: not to a busy row, a killed process or a database that goes away.

use crate::support::{
    Sender, ServerProcess, Setup, TestApp, at, disconnected, event, role_changed,
};
use campus::reason::EndReason;
use campus_server::embedded_db::EmbeddedDatabase;
use campus_server::store::{deliveries, refused};
use serde_json::json;
use sqlx::{Connection as _, PgConnection, Postgres, Transaction};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// Holds the person's row, so that no work on it can be done.
async fn hold<'c>(db: &'c mut PgConnection, person: &str) -> Transaction<'c, Postgres> {
    let mut transaction = db.begin().await.unwrap();
    let held = sqlx::query("select from users where subject = $1 for update").bind(person);
    assert_eq!(held.fetch_all(&mut *transaction).await.unwrap().len(), 1);
    transaction
}

async fn connection(app: &TestApp) -> PgConnection {
    PgConnection::connect(app.database.url().expose()).await.unwrap()
}

#[tokio::test]
async fn an_answer_waits_two_seconds_at_most_and_the_work_is_done_later() {
    let app = TestApp::spawn().await;
    let browser = app.signed_in("user_aisha").await;
    let mut db = connection(&app).await;
    let held = hold(&mut db, "user_aisha").await;
    let began = Instant::now();
    app.sender().accepted(disconnected("user_aisha", at(0))).await;
    assert!(began.elapsed() < Duration::from_millis(2500), "{:?}", began.elapsed());
    let waiting = "select concat(state, ' ', attempts, ' ', outcome) from deliveries";
    app.wait_for(waiting, "pending 1 the person’s row was in use").await;
    assert_eq!(browser.fetch("/auth/me").await.status, 200);
    held.rollback().await.unwrap();
    app.wait_for("select state from deliveries", "applied").await;
    assert_eq!(browser.fetch("/auth/me").await.status, 401);
}

#[tokio::test]
async fn a_delivery_is_given_up_after_eight_attempts_and_audited() {
    let app = TestApp::spawn().await;
    let browser = app.signed_in("user_aisha").await;
    // A fault in the data that no waiting heals: effects fail, and are rolled back as a whole.
    app.execute("alter table sessions add constraint no_end check (end_reason is distinct from 'disconnected')")
        .await;
    app.sender().accepted(disconnected("user_aisha", at(0))).await;
    let state = "select concat(state, ' ', attempts, ' ', outcome) from deliveries";
    assert_eq!(
        app.text(state).await.as_deref(),
        Some("pending 1 the database refused it (code 23514)")
    );
    let grows =
        "select count(*) from deliveries where next_try_at > received_at + interval '500 ms'";
    assert_eq!(app.number(grows).await, 1, "the next attempt is later");
    app.execute("update deliveries set attempts = 7, next_try_at = now()").await;
    app.wait_for(state, "dead 8 the database refused it (code 23514)").await;
    assert_eq!(browser.fetch("/auth/me").await.status, 200);
    let marked = "select count(*) from users where disconnected_at is not null";
    assert_eq!(app.number(marked).await, 0, "half an effect is none");
    let entries = "select string_agg(kind || ' ' || actor, ',') from audit_entries where kind like 'webhook%'";
    assert_eq!(app.text(entries).await.as_deref(), Some("webhook_dead provider"));
}

#[tokio::test]
async fn nothing_accepted_is_lost_when_the_process_is_killed_between_answer_and_work() {
    let app = TestApp::spawn().await;
    let browser = app.signed_in("user_aisha").await;
    app.stop_serving();
    let mut first = ServerProcess::spawn(&app, &[]).await;
    let mut db = connection(&app).await;
    let held = hold(&mut db, "user_aisha").await;
    Sender::to(&first.origin).accepted(disconnected("user_aisha", at(0))).await;
    first.kill9();
    assert_eq!(app.deliveries().await, "pending");
    held.rollback().await.unwrap();
    let live = "select count(*) from sessions where ended_at is null";
    assert_eq!(app.number(live).await, 1, "nobody is left to do the work");

    let second = ServerProcess::spawn(&app, &[]).await;
    app.wait_for("select state from deliveries", "applied").await;
    let page = browser.navigate(&format!("{}/dashboard", second.origin)).await;
    assert_eq!(page.status, 401);
    assert!(page.body.contains(EndReason::Disconnected.text()));
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_accepted_is_lost_when_the_process_is_killed_in_a_burst() {
    let app = TestApp::spawn().await;
    app.signed_in("user_aisha").await;
    app.stop_serving();
    let mut first = ServerProcess::spawn(&app, &[]).await;
    let accepted = Arc::new(AtomicUsize::new(0));
    let mut senders = tokio::task::JoinSet::new();
    for number in 0..120 {
        let (sender, accepted) = (Sender::to(&first.origin), accepted.clone());
        senders.spawn(async move {
            let custom_roles = json!({ "custom_roles": [format!("role{number}")] });
            let body = role_changed("user_aisha", at(number - 600), custom_roles);
            let signature = crate::support::hex(&crate::support::hmac(
                crate::support::WEBHOOK_SECRET.as_bytes(),
                body.as_bytes(),
            ));
            let answer =
                sender.try_send(body.clone(), &[("x-campus-one-signature", &signature)]).await;
            let stored = answer.is_ok_and(|answer| answer.status == 200);
            stored.then(|| {
                accepted.fetch_add(1, Ordering::SeqCst);
                body
            })
        });
    }
    while accepted.load(Ordering::SeqCst) < 20 {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    first.kill9();
    let bodies: Vec<String> = senders.join_all().await.into_iter().flatten().collect();
    assert!(bodies.len() >= 20, "{}", bodies.len());
    let _second = ServerProcess::spawn(&app, &[]).await;
    app.wait_for("select string_agg(distinct state, ',') from deliveries", "applied").await;
    for body in bodies {
        let stored = format!("select count(*) from deliveries where body = '{body}'");
        assert_eq!(app.number(&stored).await, 1, "{body}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_accepted_is_lost_when_the_database_restarts() {
    let files = tempfile::tempdir().unwrap();
    let start = || {
        let dir = files.path().to_owned();
        tokio::task::spawn_blocking(move || EmbeddedDatabase::start(&dir).unwrap())
    };
    let server = start().await.unwrap();
    let url = url::Url::parse(server.url().expose()).unwrap();
    let setup = Setup { database_server: Some(url), ..Setup::default() };
    let app = TestApp::spawn_with(setup).await;
    let browser = app.signed_in("user_aisha").await;

    let mut db = connection(&app).await;
    let held = hold(&mut db, "user_aisha").await;
    app.sender().accepted(disconnected("user_aisha", at(0))).await;
    tokio::task::spawn_blocking(move || server.stop()).await.unwrap();
    drop(held);
    let unlucky = event("test.again", at(0), &json!({}));
    let answer = app.sender().signed(unlucky.clone()).await;
    answer.assert_refused(503, "store_unavailable");

    let _server = start().await.unwrap();
    app.wait_for("select state from deliveries where event = 'user.disconnected'", "applied").await;
    assert_eq!(browser.fetch("/auth/me").await.status, 401);
    app.sender().accepted(unlucky).await;
    assert_eq!(app.deliveries().await, "applied,ignored");
    drop(app);
}

#[tokio::test]
async fn what_another_instance_left_behind_is_found() {
    let app = TestApp::spawn().await;
    app.signed_in("user_aisha").await;
    let body = disconnected("user_aisha", at(0));
    let insert = format!(
        "insert into deliveries (id, body_hash, body, event, occurred_at, received_at, next_try_at)
         values (gen_random_uuid(), sha256('{body}'), '{body}', 'user.disconnected', now(), now(), now())"
    );
    app.execute(&insert).await;
    app.wait_for("select state from deliveries", "applied").await;
    let answer = app.sender().signed(body).await;
    assert_eq!(answer.json()["duplicate"], true);
}

#[tokio::test]
async fn deliveries_are_forgotten_after_90_days_and_counters_after_30_unless_given_up() {
    let app = TestApp::spawn().await;
    // The application does the same in its own time.
    app.stop_serving();
    for state in ["pending", "applied", "ignored", "dead"] {
        for days in [89, 91] {
            let insert = format!(
                "insert into deliveries (id, body_hash, body, event, occurred_at, received_at, next_try_at, state)
                 values (gen_random_uuid(), sha256('{state}{days}'), '{{}}', 'x', now(),
                         now() - interval '{days} days', 'infinity', '{state}')"
            );
            app.execute(&insert).await;
        }
    }
    for days in [29, 31] {
        let insert = format!(
            "insert into refused_deliveries (reason, hour, times, last_at)
             values ('webhook_unsigned', now() - interval '{days} days', 1, now())"
        );
        app.execute(&insert).await;
    }
    let day = 86_400;
    assert_eq!(deliveries::forget(&app.app.db, at(-90 * day)).await.unwrap(), 2);
    let left = "select string_agg(state, ',' order by state) from deliveries
                where received_at < now() - interval '90 days'";
    assert_eq!(app.text(left).await.as_deref(), Some("dead,pending"));
    assert_eq!(refused::forget(&app.app.db, at(-30 * day)).await.unwrap(), 1);
}
