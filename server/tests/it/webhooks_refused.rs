//! Webhooks that are refused: nothing of them is stored but a counter (PROTOCOLS.md, "Webhooks").

use crate::support::{Setup, TestApp, WEBHOOK_SECRET, at, disconnected, event, hex, hmac};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::json;

/// Asserts that nothing was stored but one count for each reason.
async fn assert_only_counted(app: &TestApp, reasons: &[&str]) {
    let mut counts: Vec<String> = Vec::new();
    for reason in reasons {
        let times = reasons.iter().filter(|other| *other == reason).count();
        counts.push(format!("{reason}={times}"));
    }
    counts.sort();
    counts.dedup();
    let query = "select string_agg(reason || '=' || times, ',' order by reason) from (
                     select reason, sum(times) as times from refused_deliveries group by reason) c";
    app.wait_for(query, &counts.join(",")).await;
    assert_eq!(app.number("select count(*) from deliveries").await, 0);
    let named = "select count(*) from refused_deliveries where length(last_request_id) = 32";
    assert!(app.number(named).await > 0, "the last request is named");
}

#[tokio::test]
async fn a_missing_or_wrong_signature_is_401_and_only_counted() {
    let app = TestApp::spawn().await;
    let browser = app.signed_in("user_aisha").await;
    let sender = app.sender();
    let body = disconnected("user_aisha", at(0));
    let right = hex(&hmac(WEBHOOK_SECRET.as_bytes(), body.as_bytes()));
    let other_secret = hex(&hmac(b"another secret", body.as_bytes()));
    let other_body =
        hex(&hmac(WEBHOOK_SECRET.as_bytes(), body.replace("aisha", "tunde").as_bytes()));
    let mut reasons = vec!["webhook_unsigned"];
    sender.send(body.clone(), &[]).await.assert_refused(401, "webhook_unsigned");
    for signature in [other_secret, other_body, right[1..].to_owned(), String::new()] {
        let answer = sender.send(body.clone(), &[("x-campus-one-signature", &signature)]).await;
        answer.assert_refused(401, "webhook_signature");
        answer.assert_private();
        reasons.push("webhook_signature");
    }
    // One more space is another body.
    let answer = sender.send(body.clone() + " ", &[("x-campus-one-signature", &right)]).await;
    answer.assert_refused(401, "webhook_signature");
    reasons.push("webhook_signature");
    assert_only_counted(&app, &reasons).await;
    assert_eq!(browser.fetch("/auth/me").await.status, 200);
}

#[tokio::test]
async fn a_standard_signature_of_another_time_or_id_is_401() {
    let app = TestApp::spawn().await;
    let body = disconnected("user_aisha", at(0));
    let sign = |id: &str, seconds: i64| {
        let signed = format!("{id}.{seconds}.{body}");
        format!("v1,{}", STANDARD.encode(hmac(WEBHOOK_SECRET.as_bytes(), signed.as_bytes())))
    };
    let now = at(0).seconds();
    let rows = [
        (now - 310, sign("msg_1", now - 310), "webhook_signature_time"),
        (now + 310, sign("msg_1", now + 310), "webhook_signature_time"),
        (now, sign("msg_1", now - 310), "webhook_signature"),
        (now, sign("msg_2", now), "webhook_signature"),
        (now, sign("msg_1", now).replace("v1,", ""), "webhook_signature"),
    ];
    for (seconds, signature, reason) in &rows {
        let seconds = seconds.to_string();
        let headers = [
            ("webhook-id", "msg_1"),
            ("webhook-timestamp", seconds.as_str()),
            ("webhook-signature", signature.as_str()),
        ];
        app.sender().send(body.clone(), &headers).await.assert_refused(401, reason);
    }
    assert_only_counted(&app, &rows.map(|(_, _, reason)| reason)).await;
}

#[tokio::test]
async fn what_is_signed_but_cannot_be_used_is_refused_by_its_own_reason() {
    let app = TestApp::spawn().await;
    let large = event("x", at(0), &json!({ "fill": "x".repeat(64 * 1024) }));
    let rows: Vec<(Vec<u8>, u16, &str)> = vec![
        (large.into_bytes(), 413, "too_large"),
        (vec![b'x'; 64 * 1024 + 1], 413, "too_large"),
        (b"not json".to_vec(), 400, "webhook_malformed"),
        (b"[]".to_vec(), 400, "webhook_malformed"),
        (b"\xff\xfe".to_vec(), 400, "webhook_malformed"),
        (Vec::new(), 400, "webhook_malformed"),
        ("[".repeat(60_000).into_bytes(), 400, "webhook_malformed"),
        (json!({ "event": "x" }).to_string().into_bytes(), 400, "webhook_malformed"),
        (
            json!({ "timestamp": at(0).rfc3339() }).to_string().into_bytes(),
            400,
            "webhook_malformed",
        ),
        (event("x", at(0), &json!({ "clientId": "other" })).into(), 403, "webhook_other_client"),
        (event("x", at(0), &json!({ "clientId": 7 })).into(), 403, "webhook_other_client"),
        (event("x", at(-7 * 86_400 - 30), &json!({})).into(), 400, "webhook_too_old"),
        (event("x", at(330), &json!({})).into(), 400, "webhook_too_early"),
    ];
    let mut reasons = Vec::new();
    for (body, status, reason) in rows {
        let answer = app.sender().signed(body).await;
        answer.assert_refused(status, reason);
        assert_eq!(answer.header("content-type"), "application/json");
        reasons.push(reason);
    }
    assert_only_counted(&app, &reasons).await;
}

#[tokio::test]
async fn the_signature_is_checked_before_anything_of_the_body_is_believed() {
    let app = TestApp::spawn().await;
    for body in
        ["not json".to_owned(), event("x", at(-9 * 86_400), &json!({ "clientId": "other" }))]
    {
        let answer = app.sender().send(body, &[("x-campus-one-signature", "00")]).await;
        answer.assert_refused(401, "webhook_signature");
    }
    // And the size before the signature.
    let large = app.sender().send(vec![b'x'; 64 * 1024 + 1], &[]).await;
    large.assert_refused(413, "too_large");
}

#[tokio::test]
async fn without_a_secret_every_delivery_is_503() {
    let setup = Setup { no_webhook_secret: true, ..Setup::default() };
    let app = TestApp::spawn_with(setup).await;
    for answer in [
        app.sender().signed(disconnected("user_aisha", at(0))).await,
        app.sender().send("{}", &[]).await,
    ] {
        answer.assert_refused(503, "webhooks_not_configured");
    }
    assert_only_counted(&app, &["webhooks_not_configured"; 2]).await;
}

#[tokio::test]
async fn a_delivery_that_cannot_be_stored_is_503_so_that_the_sender_tries_again() {
    let app = TestApp::spawn().await;
    app.database.take_away().await;
    let answer = app.sender().signed(disconnected("user_aisha", at(0))).await;
    answer.assert_refused(503, "store_unavailable");
    assert_eq!(answer.header("retry-after"), "60");
    // What is forged is not even looked up.
    app.sender().send("{}", &[]).await.assert_refused(401, "webhook_unsigned");
}

#[tokio::test]
async fn refusals_of_an_hour_are_one_row_for_each_reason() {
    let app = TestApp::spawn().await;
    for _ in 0..5 {
        app.sender().send("{}", &[]).await.assert_refused(401, "webhook_unsigned");
    }
    app.wait_for("select sum(times)::text from refused_deliveries", "5").await;
    app.execute("update refused_deliveries set hour = hour - interval '1 hour'").await;
    app.sender().send("{}", &[]).await.assert_refused(401, "webhook_unsigned");
    app.wait_for(
        "select string_agg(times::text, ',' order by hour) from refused_deliveries",
        "5,1",
    )
    .await;
}

/// For arbitrary bodies and signatures that were not made with the secret, the answer is never 200.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_was_not_made_with_the_secret_is_ever_200() {
    let app = TestApp::spawn().await;
    let sender = app.sender();
    let runtime = tokio::runtime::Handle::current();
    let real = disconnected("user_aisha", at(0));
    let body = prop_oneof![Just(real.into_bytes()), prop::collection::vec(any::<u8>(), 0..300)];
    let given = (body, "[ -~]{0,90}", "[a-z ]{0,20}", 0..5_u8);
    let work = move || {
        let mut runner = TestRunner::new(Config::with_cases(200));
        runner.run(&given, |(body, noise, key, form)| {
            let made = hmac(key.as_bytes(), &body);
            let now = at(0).seconds().to_string();
            let signature = match form {
                0 => noise,
                1 => hex(&made),
                2 => format!("sha256={}", hex(&made)),
                _ => format!("v1,{}", STANDARD.encode(made)),
            };
            let campus_one = [("x-campus-one-signature", signature.as_str())];
            let standard = [
                ("webhook-id", "m"),
                ("webhook-timestamp", now.as_str()),
                ("webhook-signature", signature.as_str()),
            ];
            let headers: &[(&str, &str)] = if form < 4 { &campus_one } else { &standard };
            let answer = runtime.block_on(sender.send(body, headers));
            // Forgeries are limited too, after each has been looked at.
            prop_assert!(matches!(answer.status, 401 | 429), "{}", answer.status);
            Ok(())
        })
    };
    tokio::task::spawn_blocking(work).await.unwrap().unwrap();
    assert_eq!(app.number("select count(*) from deliveries").await, 0);
}
