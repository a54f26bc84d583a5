//! No secret of a sign-in reaches the log, at any level of ours.

use crate::support::{Browser, CLIENT_SECRET, SESSION, Setup, TestApp, parameter};
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use campus_server::clock;
use campus_server::http::cookies::Cookies;
use campus_server::signin::flow::Pending;
use http::HeaderValue;
use serde_json::Value;
use std::io::Write;
use std::sync::{Arc, Mutex};
use tokio::net::TcpListener;
use tracing::subscriber::NoSubscriber;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

/// Everything of ours, and of the others what an operator would turn on to find a fault.
const FILTER: &str =
    "debug,campus_server=trace,campus_app=trace,campus=trace,tower_http=trace,campus_sandbox=off";

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// Stands between the application and the provider's token endpoint and remembers the tokens.
#[derive(Clone)]
struct Eavesdropper {
    own: String,
    provider: Arc<Mutex<String>>,
    heard: Arc<Mutex<Option<Value>>>,
}

async fn metadata(State(ear): State<Eavesdropper>) -> Response {
    let origin = ear.provider.lock().unwrap().clone();
    let url = format!("{origin}/.well-known/openid-configuration");
    let mut document: Value = reqwest::get(url).await.unwrap().json().await.unwrap();
    document["token_endpoint"] = format!("{}/token", ear.own).into();
    axum::Json(document).into_response()
}

async fn token(State(ear): State<Eavesdropper>, headers: HeaderMap, body: Bytes) -> Response {
    let origin = ear.provider.lock().unwrap().clone();
    let request = reqwest::Client::new().post(format!("{origin}/api/auth/oauth2/token"));
    let kind = headers.get(header::CONTENT_TYPE).cloned();
    let kind = kind.unwrap_or(HeaderValue::from_static("application/x-www-form-urlencoded"));
    let answer = request.header(header::CONTENT_TYPE, kind).body(body).send().await.unwrap();
    let status = StatusCode::from_u16(answer.status().as_u16()).unwrap();
    let tokens: Value = answer.json().await.unwrap();
    *ear.heard.lock().unwrap() = Some(tokens.clone());
    (status, axum::Json(tokens)).into_response()
}

async fn eavesdropper() -> Eavesdropper {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let own = format!("http://{}", listener.local_addr().unwrap());
    let ear = Eavesdropper { own, provider: Arc::default(), heard: Arc::default() };
    let router = Router::new()
        .route("/metadata", axum::routing::get(metadata))
        .route("/token", axum::routing::post(token))
        .with_state(ear.clone());
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    ear
}

fn nonce_and_verifier(app: &TestApp, browser: &Browser, state: &str) -> [String; 2] {
    let mut headers = HeaderMap::new();
    headers.insert(header::COOKIE, HeaderValue::from_str(&browser.cookie_header()).unwrap());
    let cookies = Cookies::read(&headers, app.app.cookies);
    let pending = Pending::read(&cookies, &app.app.flow_keys, clock::now());
    let flow = pending.by_state(state).unwrap();
    [flow.nonce.clone(), flow.code_verifier.clone()]
}

// On one thread, and with a subscriber of this thread only: all tasks log into it, and no other test does.
#[tokio::test(flavor = "current_thread")]
async fn no_secret_of_a_sign_in_reaches_the_log() {
    // While there is one subscriber alone, a line that another test's thread reaches first is switched off
    // for all threads.
    let _second = tracing::Dispatch::new(tracing_subscriber::registry());
    let log = Log::default();
    // While there is one dispatcher, tracing-core asks that of the thread which first comes by a place in
    // the code, and remembers the answer: a test beside this one would silence the place for good.
    let _second = tracing::Dispatch::new(NoSubscriber::default());
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(FILTER))
        .with_writer(log.clone())
        .with_ansi(false)
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);

    let ear = eavesdropper().await;
    let discovery_url = Some(format!("{}/metadata", ear.own));
    let app = TestApp::spawn_with(Setup { discovery_url, ..Setup::default() }).await;
    *ear.provider.lock().unwrap() = app.sandbox.origin().to_owned();

    let browser = app.browser_of("user_aisha");
    let start = browser.navigate("/auth/login?next=/dashboard").await.location().unwrap();
    let state = parameter(&start, "state").unwrap();
    let [nonce, verifier] = nonce_and_verifier(&app, &browser, &state);
    let flow_cookies = browser.cookie_header();
    let callback = browser.navigate(start.as_str()).await.location().unwrap();
    let code = parameter(&callback, "code").unwrap();
    assert_eq!(browser.navigate(callback.as_str()).await.status, 303);
    let session = browser.cookie(SESSION).unwrap();
    let tokens = ear.heard.lock().unwrap().clone().unwrap();
    app.access_tokens_expire().await;
    assert_eq!(browser.navigate("/dashboard").await.status, 200);
    let refreshed = ear.heard.lock().unwrap().clone().unwrap();
    assert_ne!(tokens["access_token"], refreshed["access_token"]);
    // Refusals log more than successes do.
    let other = app.browser();
    other.navigate(callback.as_str()).await;
    other
        .navigate(&format!("/auth/callback?error=x&error_description=s3cr3t-words&state={state}"))
        .await;
    browser.submit("/auth/logout").await;

    let token = |name: &str| tokens[name].as_str().unwrap().to_owned();
    let newer = |name: &str| refreshed[name].as_str().unwrap().to_owned();
    let text = log.text();
    assert!(text.contains("signed in") && text.contains("a sign-in starts"), "no log: {text}");
    let sealed = flow_cookies.split("; ").find_map(|pair| pair.strip_prefix("c1_flow_")).unwrap();
    let secrets = [
        ("code", code),
        ("state", state),
        ("nonce", nonce),
        ("code verifier", verifier),
        ("access token", token("access_token")),
        ("refresh token", token("refresh_token")),
        ("ID token", token("id_token")),
        ("refreshed access token", newer("access_token")),
        ("new refresh token", newer("refresh_token")),
        ("client secret", CLIENT_SECRET.to_owned()),
        ("session cookie", session),
        ("flow cookie", sealed.split_once('=').unwrap().1.to_owned()),
        ("the provider's words", "s3cr3t-words".to_owned()),
        ("session secret", "a session secret that only the tests know".to_owned()),
        ("e-mail address", "256240001@nileuniversity.edu.ng".to_owned()),
    ];
    for (what, secret) in secrets {
        assert!(secret.len() > 8, "{what} is too short to be looked for");
        let line = text.lines().find(|line| line.contains(&secret));
        assert_eq!(line, None, "the {what} is in the log");
    }
}
