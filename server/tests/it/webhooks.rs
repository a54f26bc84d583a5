//! Webhooks that are accepted (PROTOCOLS.md, "Webhooks").

use crate::support::{
    CLIENT_ID, TestApp, WEBHOOK_SECRET, WEBHOOK_SECRET_PREVIOUS, at, disconnected, event, hex,
    hmac, role_changed,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use campus_sandbox::{Signature, Webhook};
use campus_server::config::{ProviderSettings, Settings};
use campus_server::sandbox;
use campus_server::serve::Application;
use serde_json::json;
use std::collections::BTreeMap;
use tokio::net::TcpListener;

/// The headers of Standard Webhooks.
fn standard(key: &[u8], body: &str, signed_at: i64, before: &str) -> [(&'static str, String); 3] {
    let signed = format!("msg_1.{signed_at}.{body}");
    let signature = format!("{before}v1,{}", STANDARD.encode(hmac(key, signed.as_bytes())));
    [
        ("webhook-id", "msg_1".to_owned()),
        ("webhook-timestamp", signed_at.to_string()),
        ("webhook-signature", signature),
    ]
}

#[tokio::test]
async fn both_forms_of_the_signature_are_accepted_in_either_case_with_both_secrets() {
    let app = TestApp::spawn().await;
    let sender = app.sender();
    let forms: [fn(&str) -> String; 5] = [
        |digits| format!("sha256={digits}"),
        str::to_owned,
        |digits| format!("sha256={}", digits.to_uppercase()),
        str::to_uppercase,
        |digits| format!("  {digits}"),
    ];
    let mut sent = 0;
    for secret in [WEBHOOK_SECRET, WEBHOOK_SECRET_PREVIOUS] {
        for form in forms {
            sent += 1;
            let body = event("test.form", at(0), &json!({ "number": sent }));
            let digits = hex(&hmac(secret.as_bytes(), body.as_bytes()));
            let header = ("x-campus-one-signature", form(&digits));
            let answer = sender.send(body, &[(header.0, &header.1)]).await;
            assert_eq!((answer.status, answer.json()["duplicate"].as_bool()), (200, Some(false)));
        }
    }
    assert_eq!(app.number("select count(*) from deliveries").await, sent);
}

#[tokio::test]
async fn standard_webhooks_are_accepted_with_several_signatures_and_both_secrets() {
    let app = TestApp::spawn().await;
    let now = at(0).seconds();
    let previous = STANDARD.decode("dGhlIHNlY3JldCBiZWZvcmU=").unwrap();
    let rows: [(&[u8], i64, &str); 4] = [
        (WEBHOOK_SECRET.as_bytes(), now, ""),
        (WEBHOOK_SECRET.as_bytes(), now - 280, "v1,AAAA v1a,BBBB "),
        (WEBHOOK_SECRET.as_bytes(), now + 280, ""),
        (&previous, now, "v1,bm90IHRoaXM= "),
    ];
    for (number, (key, signed_at, before)) in rows.into_iter().enumerate() {
        let body = event("test.standard", at(0), &json!({ "number": number }));
        let headers = standard(key, &body, signed_at, before);
        let headers = headers.each_ref().map(|(name, value)| (*name, value.as_str()));
        let answer = app.sender().send(body, &headers).await;
        assert_eq!(answer.status, 200, "row {number}: {answer:?}");
    }
}

#[tokio::test]
async fn both_addresses_take_deliveries_and_ask_for_no_session() {
    let app = TestApp::spawn().await;
    let mut sender = app.sender();
    sender.accepted(event("one", at(0), &json!({}))).await;
    sender.url = format!("{}/webhooks/campus-one", app.origin);
    // A session cookie would be looked up, and refused, anywhere else.
    let body = event("two", at(0), &json!({ "clientId": CLIENT_ID }));
    let digits = hex(&hmac(WEBHOOK_SECRET.as_bytes(), body.as_bytes()));
    let headers = [("x-campus-one-signature", digits.as_str()), ("cookie", "campus_desk=x")];
    assert_eq!(sender.send(body, &headers).await.status, 200);
    assert_eq!(app.browser().navigate("/webhooks/campus-one").await.status, 405);
}

#[tokio::test]
async fn a_body_of_64_kib_and_an_event_of_seven_days_or_five_minutes_ahead_are_accepted() {
    let app = TestApp::spawn().await;
    let rest = event("test.large", at(0), &json!({ "fill": "" })).len();
    let full = event("test.large", at(0), &json!({ "fill": "x".repeat(64 * 1024 - rest) }));
    assert_eq!(full.len(), 64 * 1024);
    app.sender().accepted(full).await;
    app.sender().accepted(event("test.old", at(-7 * 86_400 + 30), &json!({}))).await;
    app.sender().accepted(event("test.early", at(270), &json!({}))).await;
}

#[tokio::test]
async fn a_duplicate_answers_200_and_does_nothing() {
    let app = TestApp::spawn().await;
    let browser = app.signed_in("user_aisha").await;
    let body = disconnected("user_aisha", at(0));
    app.sender().accepted(body.clone()).await;
    assert_eq!(browser.fetch("/auth/me").await.status, 401);
    let again = app.signed_in("user_aisha").await;
    let entries = app.number("select count(*) from audit_entries").await;
    for _ in 0..3 {
        let answer = app.sender().signed(body.clone()).await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.json(), json!({ "ok": true, "duplicate": true }));
    }
    assert_eq!(again.fetch("/auth/me").await.status, 200);
    assert_eq!(app.deliveries().await, "applied");
    assert_eq!(app.number("select count(*) from audit_entries").await, entries);
}

#[tokio::test]
async fn twenty_copies_at_the_same_time_are_one_row_and_one_effect() {
    let app = TestApp::spawn().await;
    let other = app.another(&[]).await;
    app.signed_in("user_aisha").await;
    let body = disconnected("user_aisha", at(0));
    let copies = (0..20).map(|number| {
        let origin = if number % 2 == 0 { &app.origin } else { &other.origin };
        let (sender, body) = (crate::support::Sender::to(origin), body.clone());
        async move { sender.signed(body).await }
    });
    let answers = futures::future::join_all(copies).await;
    assert!(answers.iter().all(|answer| answer.status == 200), "{answers:?}");
    let new = answers.iter().filter(|answer| answer.json()["duplicate"] == false).count();
    assert_eq!((new, app.deliveries().await), (1, "applied".to_owned()));
    for kind in ["disconnected", "webhook_applied"] {
        let entries = format!("select count(*) from audit_entries where kind = '{kind}'");
        assert_eq!(app.number(&entries).await, 1, "{kind}");
    }
    assert_eq!(app.number("select attempts::bigint from deliveries").await, 1);
}

#[tokio::test]
async fn unknown_events_and_those_about_nobody_are_kept_and_ignored() {
    let app = TestApp::spawn().await;
    let sender = app.sender();
    sender.accepted(event("user.updated", at(0), &json!({ "userId": "user_aisha" }))).await;
    sender.accepted(event("user.disconnected", at(0), &json!({}))).await;
    sender.accepted(event("user.role_changed", at(0), &json!({ "userId": "\u{0}" }))).await;
    sender.accepted(event("\u{0}odd\u{7}", at(0), &json!(null))).await;
    sender.accepted(disconnected("user_nobody", at(0))).await;
    sender.accepted(role_changed("user_nobody", at(0), json!({ "role": "admin" }))).await;
    assert_eq!(app.deliveries().await, ["ignored"; 6].join(","));
    assert_eq!(app.number("select count(*) from users").await, 0, "nobody is made by a webhook");
    let outcomes = "select string_agg(distinct outcome, '; ' order by outcome) from deliveries";
    assert_eq!(
        app.text(outcomes).await.as_deref(),
        Some("it names nobody; no rule for this event; nobody by this name has signed in here")
    );
}

#[tokio::test]
async fn every_form_the_sandbox_sends_is_accepted() {
    let app = TestApp::spawn().await;
    for (signature, status) in [
        (Signature::Prefixed, 200),
        (Signature::Bare, 200),
        (Signature::Standard, 200),
        (Signature::Wrong, 401),
        (Signature::Missing, 401),
    ] {
        let event = format!("test.{signature:?}");
        let webhook = Webhook { event, signature, ..Webhook::default() };
        assert_eq!(app.sandbox.send_webhook(webhook).await.unwrap(), status, "{signature:?}");
    }
}

#[tokio::test]
async fn in_development_the_sandbox_delivers_to_us() {
    let files = tempfile::tempdir().unwrap();
    let database = crate::support::TestDatabase::create(None).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://localhost:{}", listener.local_addr().unwrap().port());
    let vars = BTreeMap::from([
        ("APP_URL", origin),
        ("DATABASE_URL", database.url().expose().to_owned()),
        ("CAMPUS_DATA_DIR", files.path().display().to_string()),
    ]);
    let deployment = files.path().join("Leptos.toml");
    let settings = Settings::read(|name| vars.get(name).cloned(), &deployment).unwrap();
    assert!(matches!(settings.provider, ProviderSettings::Sandbox { .. }));
    let running =
        sandbox::start(&settings, "127.0.0.1:0".parse().unwrap(), campus_sandbox::Profile::Gen1)
            .await
            .unwrap();
    let control = running.sandbox.control();
    let client = control.client(&running.campus_one.client_id).unwrap();
    assert_eq!(client.webhook_secret, settings.webhook.current.as_ref().unwrap().expose());
    let (url, assets) = (database.url(), campus_app::Assets::for_tests());
    let campus_one = running.campus_one.clone();
    let application =
        Application::build(&settings, listener, &url, campus_one, None, assets).await.unwrap();
    let server = tokio::spawn(application.run_until(std::future::pending()));
    for signature in [Signature::Prefixed, Signature::Standard] {
        let event = "user.role_changed".to_owned();
        let person = Some("user_aisha".to_owned());
        let webhook = Webhook { event, person, signature, ..Webhook::default() };
        assert_eq!(control.send_webhook(webhook).await.unwrap(), 200);
    }
    server.abort();
}
