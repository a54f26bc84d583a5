//! A small browser: it keeps cookies by host name, whatever the port, and follows nothing by itself.

use super::answer::Answer;
use http::Method;
use reqwest::redirect::Policy;
use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use url::Url;

/// More hops than any sign-in needs.
const MOST_HOPS: usize = 12;

type Jar = BTreeMap<String, BTreeMap<String, String>>;

/// A browser whose home is the application. A clone shares nothing but the cookies of that moment.
pub struct Browser {
    http: reqwest::Client,
    home: Url,
    jar: Arc<Mutex<Jar>>,
}

impl Clone for Browser {
    fn clone(&self) -> Self {
        let jar = self.jar.lock().unwrap().clone();
        Self { http: self.http.clone(), home: self.home.clone(), jar: Arc::new(Mutex::new(jar)) }
    }
}

impl Browser {
    /// A browser with no cookies.
    pub fn new(home: &str) -> Self {
        let http = reqwest::Client::builder()
            .redirect(Policy::none())
            // The application listens on IPv4 only; port 0 means the address's own.
            .resolve("localhost", SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))
            .build()
            .unwrap();
        Self { http, home: Url::parse(home).unwrap(), jar: Arc::default() }
    }

    /// A cookie the application would be sent.
    pub fn cookie(&self, name: &str) -> Option<String> {
        self.jar.lock().unwrap().get("localhost")?.get(name).cloned()
    }

    /// How many sign-ins are pending here.
    pub fn flows(&self) -> usize {
        let jar = self.jar.lock().unwrap();
        let names = jar.get("localhost").into_iter().flat_map(BTreeMap::keys);
        names.filter(|name| name.starts_with("c1_flow_")).count()
    }

    /// The `Cookie` header the application would be sent.
    pub fn cookie_header(&self) -> String {
        self.cookies_for(&self.home)
    }

    /// Puts a cookie into the jar of a host.
    pub fn put(&self, host: &str, name: &str, value: &str) {
        let mut jar = self.jar.lock().unwrap();
        jar.entry(host.to_owned()).or_default().insert(name.to_owned(), value.to_owned());
    }

    /// Takes a cookie of the application out of the jar.
    pub fn forget(&self, name: &str) {
        if let Some(cookies) = self.jar.lock().unwrap().get_mut("localhost") {
            cookies.remove(name);
        }
    }

    /// Signs in at the provider by the pair a `Control` hands out.
    pub fn at_provider(&self, pair: &str) {
        let (name, value) = pair.split_once('=').unwrap();
        self.put("127.0.0.1", name, value);
    }

    fn cookies_for(&self, url: &Url) -> String {
        let jar = self.jar.lock().unwrap();
        let cookies = jar.get(url.host_str().unwrap()).into_iter().flatten();
        cookies.map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ")
    }

    /// A request with this browser's cookies; nobody keeps those of the answer.
    pub fn request(&self, method: Method, target: &str) -> reqwest::RequestBuilder {
        let url = self.home.join(target).unwrap();
        let cookies = self.cookies_for(&url);
        let request = self.http.request(method, url);
        if cookies.is_empty() { request } else { request.header("cookie", cookies) }
    }

    /// Sends a request and keeps the cookies of the answer.
    pub async fn send(&self, request: reqwest::RequestBuilder) -> Answer {
        let answer = Answer::read(request.send().await.unwrap()).await.unwrap();
        self.keep(&answer);
        answer
    }

    fn keep(&self, answer: &Answer) {
        let mut jar = self.jar.lock().unwrap();
        let cookies = jar.entry(answer.url.host_str().unwrap().to_owned()).or_default();
        for (name, value, removed) in answer.cookies() {
            if removed {
                cookies.remove(&name);
            } else {
                cookies.insert(name, value);
            }
        }
    }

    /// Any request with these headers.
    pub async fn ask(&self, method: Method, target: &str, headers: &[(&str, &str)]) -> Answer {
        let mut request = self.request(method, target);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.send(request).await
    }

    /// Goes to a page as a person does.
    pub async fn navigate(&self, target: &str) -> Answer {
        self.ask(
            Method::GET,
            target,
            &[
                ("accept", "text/html,application/xhtml+xml,*/*;q=0.8"),
                ("sec-fetch-mode", "navigate"),
                ("sec-fetch-dest", "document"),
            ],
        )
        .await
    }

    /// Asks as a script of ours does.
    pub async fn fetch(&self, target: &str) -> Answer {
        let headers = [
            ("accept", "application/json"),
            ("sec-fetch-mode", "cors"),
            ("sec-fetch-dest", "empty"),
            ("sec-fetch-site", "same-origin"),
        ];
        self.ask(Method::GET, target, &headers).await
    }

    /// Presses the button of a form of ours.
    pub async fn submit(&self, target: &str) -> Answer {
        let headers = [
            ("accept", "text/html"),
            ("sec-fetch-mode", "navigate"),
            ("sec-fetch-dest", "document"),
            ("sec-fetch-site", "same-origin"),
        ];
        self.ask(Method::POST, target, &headers).await
    }

    /// Goes to a page and follows every redirect; gives all answers, the last one at the end.
    pub async fn follow(&self, target: &str) -> Vec<Answer> {
        let first = self.navigate(target).await;
        self.follow_from(first).await
    }

    /// Follows an answer's redirects.
    pub async fn follow_from(&self, first: Answer) -> Vec<Answer> {
        let mut hops = vec![first];
        while let Some(next) = hops.last().and_then(Answer::location) {
            let seen: Vec<_> = hops.iter().map(|hop| hop.url.as_str()).collect();
            assert!(hops.len() < MOST_HOPS, "going round in circles: {seen:#?}");
            let answer = self.navigate(next.as_str()).await;
            hops.push(answer);
        }
        hops
    }

    /// Chooses a person on the provider's sign-in page and follows the way back.
    pub async fn choose(&self, page: &Answer, person: &str) -> Vec<Answer> {
        assert_eq!((page.status, page.url.path()), (200, "/sign-in"), "no sign-in page: {page:?}");
        let form = [("person", person), ("query", page.url.query().unwrap())];
        let target = page.url.join("/sign-in").unwrap();
        let answer = self.send(self.request(Method::POST, target.as_str()).form(&form)).await;
        self.follow_from(answer).await
    }
}
