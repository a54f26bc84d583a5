//! Request facts: what the headers of a request say about who asks and how.

use http::{HeaderMap, Method, header};

/// How a request was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Manner {
    /// A GET by which a person goes to a page in a window of their own.
    pub navigation: bool,
    /// Whether a document for eyes is wanted rather than data.
    pub document: bool,
}

impl Manner {
    /// Reads it from the method and the Fetch Metadata headers, or from `Accept` where a browser is too
    /// old to send those (W3C Fetch Metadata §2).
    #[must_use]
    pub fn of(method: &Method, headers: &HeaderMap) -> Self {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let html = text(header::ACCEPT.as_str()).is_some_and(|accept| accept.contains("text/html"));
        let prefetch = ["sec-purpose", "purpose", "x-moz"]
            .into_iter()
            .filter_map(text)
            .any(|purpose| purpose.contains("prefetch") || purpose.contains("prerender"));
        let (mode, dest) = (text("sec-fetch-mode"), text("sec-fetch-dest"));
        let top_level = match (mode, dest) {
            (None, None) => html,
            (mode, dest) => {
                mode.is_none_or(|mode| mode == "navigate")
                    && dest.is_none_or(|dest| dest == "document")
                    && html
            }
        };
        let document = html && mode.is_none_or(|mode| mode == "navigate");
        Self { navigation: *method == Method::GET && top_level && !prefetch, document }
    }
}

/// Whether the client asks for JSON by name, as scripts do.
#[must_use]
pub fn accepts_json(headers: &HeaderMap) -> bool {
    let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok());
    accept.is_some_and(|accept| accept.contains("application/json"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    const HTML: (&str, &str) = ("accept", "text/html,application/xhtml+xml,*/*;q=0.8");

    fn manner(method: Method, headers: &[(&'static str, &'static str)]) -> Manner {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.insert(*name, HeaderValue::from_static(value));
        }
        Manner::of(&method, &map)
    }

    #[test]
    fn only_a_persons_own_navigation_counts() {
        let navigate = ("sec-fetch-mode", "navigate");
        let document = ("sec-fetch-dest", "document");
        let yes: &[&[(&str, &str)]] = &[&[HTML], &[HTML, navigate, document], &[HTML, navigate]];
        for headers in yes {
            assert!(manner(Method::GET, headers).navigation, "{headers:?}");
            for method in [Method::HEAD, Method::POST, Method::PUT] {
                assert!(!manner(method, headers).navigation);
            }
        }
        let no: &[&[(&str, &str)]] = &[
            &[],
            &[("accept", "application/json")],
            &[("accept", "*/*"), ("sec-fetch-mode", "cors"), ("sec-fetch-dest", "empty")],
            &[HTML, ("sec-fetch-mode", "cors"), ("sec-fetch-dest", "empty")],
            &[HTML, navigate, ("sec-fetch-dest", "iframe")],
            &[HTML, navigate, document, ("sec-purpose", "prefetch")],
            &[HTML, navigate, document, ("sec-purpose", "prefetch;prerender")],
            &[HTML, ("purpose", "prefetch")],
        ];
        for headers in no {
            assert!(!manner(Method::GET, headers).navigation, "{headers:?}");
        }
    }

    #[test]
    fn a_frame_and_a_prefetch_still_want_a_document() {
        let framed = manner(
            Method::GET,
            &[HTML, ("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "iframe")],
        );
        assert!(framed.document && !framed.navigation);
        assert!(!manner(Method::GET, &[HTML, ("sec-fetch-mode", "cors")]).document);
    }
}
