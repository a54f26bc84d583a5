//! Many at once, some of whom go away in the middle: no answer may be a fault of ours.

use crate::support::{ANONYMOUS, Browser, TestApp};
use campus_sandbox::Endpoint;
use http::Method;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;

const REQUESTS: usize = 300;
const AT_ONCE: usize = 20;
const PATHS: [&str; 3] = ["/", "/dashboard", "/auth/me"];

/// Asks; every fifth goes away before the answer is there. Gives the status of those that stay.
async fn ask(browser: &Browser, path: &str, number: usize) -> Option<u16> {
    let request = browser.request(Method::GET, path).header("accept", "text/html");
    let goes_away = number.is_multiple_of(5);
    // From "not even connected" to "in the middle of the page".
    let patience =
        Duration::from_micros(if goes_away { (number as u64 % 11) * 400 } else { 30_000_000 });
    let answered = async { request.send().await.ok().map(|answer| answer.status().as_u16()) };
    match tokio::time::timeout(patience, answered).await {
        Ok(status) => {
            assert!(status.is_some(), "{path} was not answered");
            status
        }
        Err(_) => {
            assert!(goes_away, "{path} took longer than half a minute");
            None
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_hundred_requests_by_twenty_at_once_meet_no_fault() {
    let app = TestApp::spawn().await;
    let signed_in = Arc::new(app.signed_in("user_aisha").await);
    let anonymous = Arc::new(app.browser());
    anonymous.put("localhost", ANONYMOUS, "1");
    for path in PATHS {
        let mut workers = JoinSet::new();
        for worker in 0..AT_ONCE {
            let browser = if worker % 4 == 3 { anonymous.clone() } else { signed_in.clone() };
            workers.spawn(async move {
                let mut statuses = Vec::new();
                for number in (worker..REQUESTS).step_by(AT_ONCE) {
                    statuses.push(ask(&browser, path, number + worker).await);
                }
                (worker, statuses)
            });
        }
        while let Some(done) = workers.join_next().await {
            let (worker, statuses) = done.unwrap();
            for status in statuses.into_iter().flatten() {
                assert!(status < 500, "{path} answered {status}");
                if worker % 4 != 3 {
                    assert_eq!(status, 200, "{path} for somebody who is signed in");
                }
            }
        }
    }
    // Nothing was left behind that would hold up the next one.
    assert_eq!(signed_in.navigate("/dashboard").await.status, 200);
    assert_eq!(app.browser().fetch("/api/ready").await.status, 200);
    assert_eq!(app.rows().await, (1, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lecture_hall_signs_in_at_once() {
    let app = Arc::new(TestApp::spawn().await);
    let mut hall = JoinSet::new();
    for seat in 0..40 {
        let app = app.clone();
        hall.spawn(async move {
            let person = ["user_aisha", "user_chinedu", "user_zainab", "user_tunde"][seat % 4];
            let browser = app.browser_of(person);
            let hops = browser.follow("/dashboard").await;
            assert!(hops.iter().all(|hop| hop.status < 400), "{hops:?}");
            assert_eq!(browser.fetch("/auth/me").await.json()["sub"], person);
        });
    }
    while let Some(done) = hall.join_next().await {
        done.unwrap();
    }
    assert_eq!(app.rows().await, (4, 40));
    assert_eq!(
        (app.count(Endpoint::Discovery), app.count(Endpoint::Jwks)),
        (1, 1),
        "fetched once for all"
    );
}
