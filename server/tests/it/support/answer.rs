//! An answer as a browser sees it.

use http::HeaderMap;
use http::header::{LOCATION, SET_COOKIE};
use serde_json::Value;
use url::Url;

/// One answer, read to its end.
#[derive(Debug)]
pub struct Answer {
    /// What was asked.
    pub url: Url,
    /// The HTTP status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body as text.
    pub body: String,
}

impl Answer {
    /// Reads a response.
    pub async fn read(response: reqwest::Response) -> reqwest::Result<Self> {
        let (url, status) = (response.url().clone(), response.status().as_u16());
        let headers = response.headers().clone();
        Ok(Self { url, status, headers, body: response.text().await? })
    }

    /// A header's text, or nothing.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap_or_default())
    }

    /// Where it leads, as an absolute address.
    pub fn location(&self) -> Option<Url> {
        // gen1 leaves spaces as they are.
        let text = String::from_utf8(self.headers.get(LOCATION)?.as_bytes().to_vec()).unwrap();
        Some(self.url.join(&text).unwrap())
    }

    /// The reason code of an error page, or of a JSON refusal.
    pub fn reason(&self) -> String {
        if let Some((_, rest)) = self.body.split_once("data-reason=\"") {
            return rest.split('"').next().unwrap_or_default().to_owned();
        }
        let json: Value = serde_json::from_str(&self.body).unwrap_or_default();
        json["reason"].as_str().unwrap_or_default().to_owned()
    }

    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("no JSON: {}", self.body))
    }

    /// Each cookie it sets: name, value, and whether it is removed.
    pub fn cookies(&self) -> Vec<(String, String, bool)> {
        let all = self.headers.get_all(SET_COOKIE).iter();
        all.map(|header| {
            let text = header.to_str().unwrap();
            let (pair, attributes) = text.split_once(';').unwrap_or((text, ""));
            let (name, value) = pair.split_once('=').unwrap();
            let removed = attributes.split(';').any(|attribute| attribute.trim() == "Max-Age=0");
            (name.to_owned(), value.to_owned(), removed)
        })
        .collect()
    }

    /// Whether it sets this cookie to something.
    pub fn sets(&self, name: &str) -> bool {
        self.cookies().iter().any(|(set, _, removed)| set == name && !removed)
    }

    /// Whether it removes a cookie whose name starts like this.
    pub fn removes(&self, prefix: &str) -> bool {
        self.cookies().iter().any(|(set, _, removed)| set.starts_with(prefix) && *removed)
    }

    /// Asserts that no cache keeps it and no referrer names it.
    pub fn assert_private(&self) {
        assert_eq!(self.header("cache-control"), "no-store", "{self:?}");
        assert_eq!(self.header("referrer-policy"), "no-referrer", "{self:?}");
    }

    /// Asserts a page or JSON with this status and reason code.
    pub fn assert_refused(&self, status: u16, reason: &str) {
        assert_eq!((self.status, self.reason().as_str()), (status, reason), "{self:?}");
    }
}

/// A query parameter of an address.
pub fn parameter(url: &Url, name: &str) -> Option<String> {
    url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}
