//! Rate limits of an address: 429 with a true `Retry-After`, a page for people, and recovery.

use crate::support::{ANONYMOUS, Answer, Browser, TestApp, at, disconnected};
use axum::extract::ConnectInfo;
use campus_server::app::App;
use campus_server::http::client::Client;
use campus_server::http::rate::Rates;
use http::{Extensions, HeaderMap, HeaderValue, Method};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::task::JoinSet;

const HTML: (&str, &str) = ("accept", "text/html");
/// How often the flood comes: far more often than a limit gains anything.
const PAUSE: Duration = Duration::from_micros(200);

/// Somebody at the same address who takes all there is, for as long as this is held.
struct Flood {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Flood {
    /// By whoever sends this in `X-Forwarded-For` from this machine.
    fn of(app: &Arc<App>, forwarded: &'static str, take: fn(&Rates, Client) -> bool) -> Self {
        let mut extensions = Extensions::new();
        extensions.insert(ConnectInfo(SocketAddr::from(([127, 0, 0, 1], 1))));
        let mut headers = HeaderMap::new();
        headers.insert("x-forwarded-for", HeaderValue::from_static(forwarded));
        let client = Client::of(app, &extensions, &headers);
        while take(&app.rates, client) {}
        let stop = Arc::new(AtomicBool::new(false));
        let (app, stopped) = (app.clone(), stop.clone());
        let thread = std::thread::spawn(move || {
            while !stopped.load(Ordering::Relaxed) {
                take(&app.rates, client);
                std::thread::sleep(PAUSE);
            }
        });
        Self { stop, thread: Some(thread) }
    }
}

impl Drop for Flood {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.take().unwrap().join().unwrap();
    }
}

fn sign_in(rates: &Rates, client: Client) -> bool {
    rates.sign_in(client).is_ok()
}

fn callback(rates: &Rates, client: Client) -> bool {
    rates.callback(client).is_ok()
}

fn forgery(rates: &Rates, client: Client) -> bool {
    rates.forgery(client).is_ok()
}

/// Asks beside a flood. Now and then a request is there before the flood is: a few tries are enough.
async fn refused(browser: &Browser, target: &str, forwarded: &str) -> Answer {
    for _ in 0..30 {
        let headers = [HTML, ("x-forwarded-for", forwarded)];
        let answer = browser.clone().ask(Method::GET, target, &headers).await;
        if answer.status == 429 {
            return answer;
        }
    }
    panic!("{target} was never too much");
}

fn seconds(answer: &Answer) -> u64 {
    answer.header("retry-after").parse().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn too_many_starts_are_a_page_and_work_again_when_it_says_so() {
    let app = TestApp::spawn().await;
    let signed_in = app.signed_in("user_aisha").await;
    let flood = Flood::of(&app.app, "203.0.113.1", sign_in);
    // Nobody is trusted: what a client says of its address is no other bucket.
    for (target, forwarded) in [
        ("/auth/login?next=/dashboard", "203.0.113.2"),
        ("/dashboard", "127.0.0.1"),
        ("/dashboard", "2001:db8::1"),
    ] {
        let page = refused(&app.browser(), target, forwarded).await;
        page.assert_refused(429, "too_many_requests");
        page.assert_private();
        assert!(page.body.contains("It works again in a second."), "{}", page.body);
        assert_eq!((seconds(&page), page.cookies()), (1, vec![]), "{target}");
    }
    refused(&signed_in, "/auth/confirm", "203.0.113.2").await;
    // Whoever is in works on, a public page is there for everybody, and what starts nothing is free.
    assert_eq!(signed_in.navigate("/dashboard").await.status, 200);
    app.browser().follow("/").await;
    assert_eq!(app.browser().fetch("/auth/login").await.status, 401);
    drop(flood);
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(app.browser().navigate("/auth/login").await.status, 303);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_word_of_a_trusted_proxy_tells_clients_apart() {
    let app = TestApp::spawn().await;
    let file = app.files.path().join("Leptos.toml");
    std::fs::write(file, "[server]\ntrusted_proxies = [\"127.0.0.0/8\"]\n").unwrap();
    let behind = app.another(&[]).await;
    let browser = Browser::new(&behind.origin);
    let _flood = Flood::of(&behind.app, "203.0.113.1", sign_in);
    // What stands left of what the proxy wrote is the client's own word.
    refused(&browser, "/auth/login", "198.51.100.7, 203.0.113.1").await;
    for address in ["198.51.100.7", "203.0.113.1, 203.0.113.2", "2001:db8::1"] {
        let headers = [HTML, ("x-forwarded-for", address)];
        let login = browser.ask(Method::GET, "/auth/login", &headers).await;
        assert_eq!(login.status, 303, "{address}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_of_the_provider_are_limited_and_its_monitor_is_not() {
    let app = TestApp::spawn().await;
    let flood = Flood::of(&app.app, "203.0.113.1", callback);
    let page = refused(&app.browser(), "/auth/callback?code=a&state=b", "203.0.113.1").await;
    page.assert_refused(429, "too_many_requests");
    assert_eq!(app.browser().navigate("/auth/callback").await.status, 200);
    let head = app.browser().ask(Method::HEAD, "/auth/callback", &[]).await;
    assert_eq!(head.status, 200);
    let home = app.browser();
    home.put("localhost", ANONYMOUS, "1");
    assert_eq!(home.navigate("/").await.status, 200);
    drop(flood);
    tokio::time::sleep(Duration::from_secs(seconds(&page))).await;
    app.signed_in("user_aisha").await;
}

/// Forgeries are limited; what is signed gets through from the same address in the same moment.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn forged_messages_are_limited_and_hold_no_real_one_up() {
    let app = TestApp::spawn().await;
    let sender = app.sender();
    let mut logout = app.sender();
    logout.url = format!("{}/auth/backchannel-logout", app.origin);
    let flood = Flood::of(&app.app, "203.0.113.1", forgery);
    for (to, body) in [(&sender, "{}"), (&logout, "logout_token=x")] {
        let mut statuses = Vec::new();
        for _ in 0..30 {
            let answer = to.send(body, &[]).await;
            if answer.status == 429 {
                assert_eq!((answer.reason().as_str(), seconds(&answer)), ("too_many_requests", 1));
            }
            statuses.push(answer.status);
        }
        assert!(statuses.contains(&429), "{statuses:?}");
    }
    sender.accepted(disconnected("user_nobody", at(0))).await;
    drop(flood);
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
