//! Rate limits of an address: 429 with a true `Retry-After`, a page for people, and recovery.

use crate::support::{ANONYMOUS, Answer, Browser, TestApp};
use http::Method;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

const HTML: (&str, &str) = ("accept", "text/html");
/// More than a burst and all that comes back meanwhile.
const MOST: usize = 4000;

fn seconds(answer: &Answer) -> u64 {
    answer.header("retry-after").parse().unwrap()
}

/// Asks until it is too much, as somebody who says each time that they are somebody else.
async fn exhaust(browser: &Browser, target: &str) -> Answer {
    exhaust_as(browser, target, |number| format!("203.0.113.{}", number % 250)).await
}

async fn exhaust_as(browser: &Browser, target: &str, who: impl Fn(usize) -> String) -> Answer {
    for round in 0..MOST / 40 {
        let asked = (0..40).map(|number| {
            let request = browser.request(Method::GET, target).header(HTML.0, HTML.1);
            let request = request.header("x-forwarded-for", who(round * 40 + number));
            async { Answer::read(request.send().await.unwrap()).await.unwrap() }
        });
        let answers = futures::future::join_all(asked).await;
        assert!(answers.iter().all(|answer| answer.status < 500));
        if let Some(refused) = answers.into_iter().find(|answer| answer.status == 429) {
            return refused;
        }
    }
    panic!("{target} was never too much");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn too_many_starts_are_a_page_and_work_again_when_it_says_so() {
    let app = TestApp::spawn().await;
    let signed_in = app.signed_in("user_aisha").await;
    let refused = exhaust(&app.browser(), "/auth/login?next=/dashboard").await;
    refused.assert_refused(429, "too_many_requests");
    refused.assert_private();
    assert!(refused.body.contains("It works again in"), "{}", refused.body);
    assert_eq!((seconds(&refused), refused.cookies()), (1, vec![]));
    // Whoever is in works on, and a public page is there for everybody.
    assert_eq!(signed_in.navigate("/dashboard").await.status, 200);
    assert_eq!(app.browser().fetch("/auth/login").await.status, 401, "what starts nothing is free");
    tokio::time::sleep(Duration::from_secs(seconds(&refused))).await;
    assert_eq!(app.browser().navigate("/auth/login").await.status, 303);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_word_of_a_trusted_proxy_tells_clients_apart() {
    let app = TestApp::spawn().await;
    let file = app.files.path().join("Leptos.toml");
    std::fs::write(file, "[server]\ntrusted_proxies = [\"127.0.0.0/8\"]\n").unwrap();
    let behind = app.another(&[]).await;
    let browser = Browser::new(&behind.origin);
    // What stands left of what the proxy wrote is the client's own word.
    let who = |number| format!("198.51.100.{}, 203.0.113.1", number % 250);
    exhaust_as(&browser, "/auth/login", who).await;
    for address in ["198.51.100.7", "203.0.113.1, 203.0.113.2", "2001:db8::1"] {
        let headers = [HTML, ("x-forwarded-for", address)];
        let login = browser.ask(Method::GET, "/auth/login", &headers).await;
        assert_eq!(login.status, 303, "{address}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_of_the_provider_are_limited_and_its_monitor_is_not() {
    let app = TestApp::spawn().await;
    let refused = exhaust(&app.browser(), "/auth/callback?code=a&state=b").await;
    refused.assert_refused(429, "too_many_requests");
    assert_eq!(app.browser().navigate("/auth/callback").await.status, 200);
    let head = app.browser().ask(Method::HEAD, "/auth/callback", &[]).await;
    assert_eq!(head.status, 200);
    let home = app.browser();
    home.put("localhost", ANONYMOUS, "1");
    assert_eq!(home.navigate("/").await.status, 200);
}

/// Forgeries are limited; what is signed gets through from the same address in the same moment.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn forged_messages_are_limited_and_hold_no_real_one_up() {
    let app = TestApp::spawn().await;
    let sender = app.sender();
    let mut logout = app.sender();
    logout.url = format!("{}/auth/backchannel-logout", app.origin);
    let began = Instant::now();
    let mut refused = None;
    for _ in 0..1000 {
        let answer = sender.send("{}", &[]).await;
        if answer.status == 429 {
            refused = Some(answer);
            break;
        }
        answer.assert_refused(401, "webhook_unsigned");
    }
    let refused = refused.unwrap();
    assert_eq!((refused.reason().as_str(), seconds(&refused)), ("too_many_requests", 1));
    assert!(began.elapsed() < Duration::from_secs(60));
    assert!([400, 429].contains(&logout.send("logout_token=x", &[]).await.status));
    sender.accepted(crate::support::disconnected("user_nobody", crate::support::at(0))).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    sender.send("{}", &[]).await.assert_refused(401, "webhook_unsigned");
}

/// A campus is one address: three hundred people sign in through it at once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lecture_hall_of_three_hundred_signs_in_from_one_address() {
    let app = Arc::new(TestApp::spawn().await);
    let mut hall = JoinSet::new();
    for row in 0..20 {
        let app = app.clone();
        hall.spawn(async move {
            for seat in 0..15 {
                let person = ["user_aisha", "user_chinedu", "user_zainab"][(row + seat) % 3];
                let hops = app.browser_of(person).follow("/dashboard").await;
                assert!(hops.iter().all(|hop| hop.status < 400), "{hops:?}");
            }
        });
    }
    while let Some(done) = hall.join_next().await {
        done.unwrap();
    }
    assert_eq!(app.rows().await, (3, 300));
}
