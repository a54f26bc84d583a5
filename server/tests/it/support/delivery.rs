//! Deliveries of webhooks, signed by hand.

use super::answer::Answer;
use super::test_app::{CLIENT_ID, TestApp, WEBHOOK_SECRET};
use campus::instant::Instant;
use campus_server::{clock, webhook};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

/// An instant so many seconds from now.
pub fn at(seconds: i64) -> Instant {
    clock::now().plus_seconds(seconds)
}

/// The body of an event.
pub fn event(name: &str, at: Instant, data: &Value) -> String {
    json!({ "event": name, "timestamp": at.rfc3339(), "data": data }).to_string()
}

/// `user.disconnected`, as the seed shows it.
pub fn disconnected(person: &str, at: Instant) -> String {
    event("user.disconnected", at, &json!({ "userId": person, "clientId": CLIENT_ID }))
}

/// `user.role_changed` with these fields.
pub fn role_changed(person: &str, at: Instant, mut data: Value) -> String {
    data["userId"] = json!(person);
    event("user.role_changed", at, &data)
}

/// HMAC-SHA-256.
pub fn hmac(key: &[u8], message: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(message);
    mac.finalize().into_bytes().to_vec()
}

/// Digits.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Somebody who sends webhooks.
#[derive(Clone)]
pub struct Sender {
    http: reqwest::Client,
    /// Where to.
    pub url: String,
}

impl Sender {
    /// One that sends to an instance.
    pub fn to(origin: &str) -> Self {
        let http = reqwest::Client::builder()
            .resolve("localhost", SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))
            .build()
            .unwrap();
        Self { http, url: format!("{origin}{}", webhook::PATH) }
    }

    /// Sends a body with these headers; `Err` if no answer came.
    pub async fn try_send(
        &self,
        body: impl Into<Vec<u8>>,
        headers: &[(&str, &str)],
    ) -> reqwest::Result<Answer> {
        let mut request = self.http.post(&self.url).header("content-type", "application/json");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        Answer::read(request.body(body.into()).send().await?).await
    }

    /// Sends a body with these headers.
    pub async fn send(&self, body: impl Into<Vec<u8>>, headers: &[(&str, &str)]) -> Answer {
        self.try_send(body, headers).await.unwrap()
    }

    /// Sends a body signed as the seeds do.
    pub async fn signed(&self, body: impl Into<Vec<u8>>) -> Answer {
        let body = body.into();
        let signature = format!("sha256={}", hex(&hmac(WEBHOOK_SECRET.as_bytes(), &body)));
        self.send(body, &[("x-campus-one-signature", &signature)]).await
    }

    /// Sends a body signed as the seeds do, and expects it to be accepted as new.
    pub async fn accepted(&self, body: impl Into<Vec<u8>>) {
        let answer = self.signed(body).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        assert_eq!(answer.json(), json!({ "ok": true, "duplicate": false }));
    }
}

impl TestApp {
    /// Somebody who sends webhooks here.
    pub fn sender(&self) -> Sender {
        Sender::to(&self.origin)
    }

    /// The states of all deliveries in the order of their arrival.
    pub async fn deliveries(&self) -> String {
        let states = "select string_agg(state, ',' order by received_at, id) from deliveries";
        self.text(states).await.unwrap_or_default()
    }

    /// Waits until a query gives this text.
    pub async fn wait_for(&self, query: &str, expected: &str) {
        let mut last = None;
        for _ in 0..300 {
            last = self.text(query).await;
            if last.as_deref() == Some(expected) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("{query} never gave {expected}, but {last:?}");
    }
}
