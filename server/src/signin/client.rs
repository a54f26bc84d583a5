//! The HTTP client towards the provider: no redirects, time-outs, a cap on what is read.

use serde_json::Value;
use std::time::Duration;
use url::Url;

/// Most that is read of an answer, in bytes.
const LARGEST_ANSWER: usize = 256 * 1024;

/// What can go wrong between us and the provider, before the meaning of an answer is looked at.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// No connection, so nothing was sent.
    #[error("the provider cannot be reached: {0}")]
    NotSent(String),
    /// No answer: timed out, broken off, or too large. What was sent may have arrived.
    #[error("the provider cannot be reached: {0}")]
    Unreachable(String),
    /// The answer is not what the address promises.
    #[error("the provider's answer cannot be read: {0}")]
    Unreadable(&'static str),
}

/// An answer of the provider.
#[derive(Debug)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// For how many seconds it asks to be left alone: `X-Retry-After` as better-auth sends it, or
    /// `Retry-After` (RFC 9110 §10.2.3) in its form of seconds.
    pub retry_after: Option<i64>,
    /// Whether it says that its body is a JWT.
    pub is_jwt: bool,
    /// The body.
    pub body: Vec<u8>,
}

impl Reply {
    /// The body as JSON.
    ///
    /// # Errors
    /// When it is something else.
    pub fn json(&self) -> Result<Value, ClientError> {
        serde_json::from_slice(&self.body).map_err(|_| ClientError::Unreadable("not JSON"))
    }

    /// Whether the provider is in trouble rather than of another opinion: only time helps.
    #[must_use]
    pub const fn is_transient(&self) -> bool {
        self.status == 429 || self.status >= 500
    }
}

/// The client.
#[derive(Clone, Debug)]
pub struct Client(reqwest::Client);

impl Client {
    /// A client that waits at most `timeout` for a whole answer.
    ///
    /// # Errors
    /// When the TLS library cannot be set up.
    pub fn new(timeout: Duration) -> Result<Self, ClientError> {
        reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(timeout)
            .connect_timeout(timeout.min(Duration::from_secs(5)))
            .user_agent(concat!("campus-desk/", env!("CARGO_PKG_VERSION")))
            .build()
            .map(Self)
            .map_err(unreachable)
    }

    /// GETs an address, with a bearer token if one is given (RFC 6750 §2.1).
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn get(&self, url: &Url, bearer: Option<&str>) -> Result<Reply, ClientError> {
        let mut request = self.0.get(url.clone()).header("accept", "application/json");
        if let Some(token) = bearer {
            request = request.bearer_auth(token);
        }
        read(request).await
    }

    /// POSTs a form, with a name and a secret in the header if they are given (RFC 7617).
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn post(
        &self,
        url: &Url,
        form: &[(&str, &str)],
        basic: Option<(&str, &str)>,
    ) -> Result<Reply, ClientError> {
        let mut request = self.0.post(url.clone()).header("accept", "application/json").form(form);
        if let Some((name, secret)) = basic {
            request = request.basic_auth(name, Some(secret));
        }
        read(request).await
    }
}

async fn read(request: reqwest::RequestBuilder) -> Result<Reply, ClientError> {
    let mut response = request.send().await.map_err(unreachable)?;
    let status = response.status().as_u16();
    let header = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok());
    let is_jwt = header("content-type").is_some_and(|kind| kind.starts_with("application/jwt"));
    let seconds = |name: &str| header(name)?.trim().parse().ok().filter(|seconds| *seconds >= 0);
    let retry_after = seconds("x-retry-after").or_else(|| seconds("retry-after"));
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(unreachable)? {
        if body.len() + chunk.len() > LARGEST_ANSWER {
            return Err(ClientError::Unreachable("the answer is too large".to_owned()));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Reply { status, retry_after, is_jwt, body })
}

/// The error's own text names the address, which is no secret, but a query could be one.
#[allow(clippy::needless_pass_by_value, reason = "used as a function in map_err")]
fn unreachable(error: reqwest::Error) -> ClientError {
    let sent = !error.is_connect() && !error.is_builder();
    let text = error.without_url().to_string();
    if sent { ClientError::Unreachable(text) } else { ClientError::NotSent(text) }
}
