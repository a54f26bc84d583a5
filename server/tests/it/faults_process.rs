//! The process ends: at once, in the middle of a sign-in, or when it is asked to.

use crate::support::{ServerProcess, TestApp};
use campus_sandbox::{Endpoint, Trouble};
use http::Method;
use std::time::Duration;
use tokio::io::AsyncWriteExt as _;
use url::Url;

/// A process at the very address the provider knows.
async fn process(app: &TestApp) -> ServerProcess {
    app.stop_serving();
    let port = Url::parse(&app.origin).unwrap().port().unwrap();
    // The listener of the test goes with its task, a moment later.
    tokio::time::sleep(Duration::from_millis(100)).await;
    ServerProcess::spawn_at(app, port, &[]).await
}

async fn killed_and_started_again(app: &TestApp, mut process: ServerProcess) -> ServerProcess {
    process.kill9();
    let port = process.port();
    drop(process);
    ServerProcess::spawn_at(app, port, &[]).await
}

/// A pending sign-in lives in the browser alone, so a death between its steps is not even noticed.
#[tokio::test]
async fn killed_between_the_steps_of_a_sign_in_the_sign_in_goes_on() {
    let app = TestApp::spawn().await;
    let first = process(&app).await;
    let browser = app.browser_of("user_aisha");
    let start = browser.navigate("/auth/login").await;
    let second = killed_and_started_again(&app, first).await;
    let at_provider = browser.navigate(start.location().unwrap().as_str()).await;
    let third = killed_and_started_again(&app, second).await;
    let hops = browser.follow_from(at_provider).await;
    assert_eq!(hops.last().unwrap().status, 200, "{hops:?}");
    let _fourth = killed_and_started_again(&app, third).await;
    assert_eq!(browser.navigate("/dashboard").await.status, 200);
    assert_eq!(app.rows().await, (1, 1));
}

/// Killed while the code is being redeemed: the code may be spent, nobody is half signed in, and the way
/// on is a page or a new sign-in.
#[tokio::test]
async fn killed_while_a_code_is_redeemed_nobody_is_half_signed_in() {
    for trouble in [
        Trouble { slow_ms: 1500, ..Trouble::default() },
        Trouble { hold_ms: 1500, ..Trouble::default() },
    ] {
        let app = TestApp::spawn().await;
        let first = process(&app).await;
        let browser = app.browser_of("user_aisha");
        let start = browser.navigate("/auth/login").await.location().unwrap();
        let callback = browser.navigate(start.as_str()).await.location().unwrap();
        app.sandbox.set_trouble(Endpoint::Token, trouble);
        let delivered = browser.request(Method::GET, callback.as_str()).send();
        let broken = tokio::spawn(delivered);
        while app.count(Endpoint::Token) == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let _second = killed_and_started_again(&app, first).await;
        assert!(broken.await.unwrap().is_err(), "nobody was left to answer");
        app.sandbox.set_trouble(Endpoint::Token, Trouble::default());
        assert_eq!(app.rows().await, (0, 0));
        // What a person does: they load the page again.
        let hops = browser.follow_from(browser.navigate(callback.as_str()).await).await;
        let page = hops.last().unwrap();
        assert!(page.status < 500 || !page.reason().is_empty(), "{page:?}");
        let hops = browser.follow("/dashboard").await;
        assert_eq!(hops.last().unwrap().status, 200, "{hops:?}");
        assert_eq!(app.rows().await.0, 1);
    }
}

/// An open stream is no answer under way that a stop would have to wait for.
#[tokio::test]
async fn open_streams_do_not_delay_a_stop() {
    let app = TestApp::spawn().await;
    let browser = app.signed_in("user_aisha").await;
    let mut process = ServerProcess::spawn(&app, &[]).await;
    let target = format!("{}/auth/events", process.origin);
    let mut streams = Vec::new();
    for _ in 0..3 {
        let mut stream = browser.request(Method::GET, &target).send().await.unwrap();
        assert_eq!(stream.status(), 200);
        assert!(stream.chunk().await.unwrap().is_some());
        streams.push(stream);
    }
    let took = process.stop().await;
    assert!(took < Duration::from_secs(3), "{took:?}");
}

/// Somebody who begins a request and never ends it must not keep a stopped process alive.
#[tokio::test]
async fn a_request_that_never_ends_does_not_keep_the_process_alive() {
    let app = TestApp::spawn().await;
    let limits = "[server]\nrequest_timeout_seconds = 2\n";
    std::fs::write(app.files.path().join("Leptos.toml"), limits).unwrap();
    let mut process = ServerProcess::spawn(&app, &[]).await;
    let mut half = tokio::net::TcpStream::connect(("127.0.0.1", process.port())).await.unwrap();
    half.write_all(b"GET / HTTP/1.1\r\nhost: localhost\r\nx-half").await.unwrap();
    tokio::time::sleep(Duration::from_millis(200)).await;
    let took = process.stop().await;
    assert!(took < Duration::from_secs(8), "{took:?}");
}
