//! An application and its browser in one, for driving a sandbox over HTTP.

#![allow(dead_code, reason = "each test file uses its own part of this")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use campus_sandbox::{Client, Control, Options, Profile, Sandbox};
use reqwest::redirect::Policy;
use reqwest::{Response, StatusCode};
use serde_json::Value;
use sha2::{Digest, Sha256};
use url::Url;

pub const CALLBACK: &str = "http://127.0.0.1:9/api/auth/callback/campus-one";
pub const SCOPES: &str = "openid profile email academic roles offline_access";
pub const VERIFIER: &str = "a-verifier-that-is-long-enough-for-the-standard-0123";

pub struct Browser {
    pub sandbox: Sandbox,
    pub control: Control,
    pub http: reqwest::Client,
}

pub fn client() -> Client {
    Client {
        id: "desk".to_owned(),
        secret: "s3cret/+".to_owned(),
        redirect_uris: vec![CALLBACK.to_owned()],
        post_logout_redirect_uris: vec!["http://127.0.0.1:9/".to_owned()],
        trusted: true,
        webhook_secret: "hook".to_owned(),
        ..Client::default()
    }
}

pub async fn browser(profile: Profile) -> Browser {
    let options = Options { clients: vec![client()], profile, ..Options::default() };
    let sandbox = Sandbox::start(options).await.unwrap();
    let http = reqwest::Client::builder().redirect(Policy::none()).build().unwrap();
    Browser { control: sandbox.control(), sandbox, http }
}

pub fn location(response: &Response) -> String {
    String::from_utf8(response.headers()["location"].as_bytes().to_vec()).unwrap()
}

pub fn parameter(url: &str, name: &str) -> Option<String> {
    let url = Url::parse(url).unwrap();
    url.query_pairs().find(|(n, _)| n == name).map(|(_, value)| value.into_owned())
}

impl Browser {
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.control.origin())
    }

    pub fn authorize_url(&self, extra: &[(&str, &str)]) -> Url {
        let mut url = Url::parse(&self.url("/api/auth/oauth2/authorize")).unwrap();
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(VERIFIER));
        url.query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("client_id", "desk")
            .append_pair("redirect_uri", CALLBACK)
            .append_pair("scope", SCOPES)
            .append_pair("code_challenge", &challenge)
            .append_pair("code_challenge_method", "S256")
            .extend_pairs(extra);
        url
    }

    pub async fn authorize(&self, cookie: &str, extra: &[(&str, &str)]) -> Response {
        let url = self.authorize_url(extra);
        self.http.get(url).header("cookie", cookie).send().await.unwrap()
    }

    pub async fn code(&self, cookie: &str) -> String {
        let answer = self.authorize(cookie, &[("state", "s"), ("nonce", "n")]).await;
        parameter(&location(&answer), "code").unwrap()
    }

    pub async fn post_token(&self, fields: &[(&str, &str)]) -> (StatusCode, Value) {
        let mut form = vec![("client_id", "desk"), ("client_secret", "s3cret/+")];
        form.extend_from_slice(fields);
        let request = self.http.post(self.url("/api/auth/oauth2/token")).form(&form);
        let answer = request.send().await.unwrap();
        (answer.status(), answer.json().await.unwrap_or(Value::Null))
    }

    pub async fn redeem(&self, code: &str) -> (StatusCode, Value) {
        self.post_token(&[
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", CALLBACK),
            ("code_verifier", VERIFIER),
        ])
        .await
    }

    pub async fn refresh(&self, token: &Value) -> (StatusCode, Value) {
        let token = token.as_str().unwrap();
        self.post_token(&[("grant_type", "refresh_token"), ("refresh_token", token)]).await
    }

    pub async fn tokens(&self, person: &str) -> Value {
        let cookie = self.control.sign_in(person).unwrap();
        let (status, tokens) = self.redeem(&self.code(&cookie).await).await;
        assert_eq!(status, 200, "{tokens}");
        tokens
    }

    pub async fn userinfo(&self, tokens: &Value) -> (StatusCode, Value) {
        let request = self.http.get(self.url("/api/auth/oauth2/userinfo"));
        let request = request.bearer_auth(tokens["access_token"].as_str().unwrap());
        let answer = request.send().await.unwrap();
        (answer.status(), answer.json().await.unwrap_or(Value::Null))
    }

    pub async fn jwks(&self) -> Value {
        let answer = self.http.get(self.url("/api/auth/jwks")).send().await.unwrap();
        answer.json().await.unwrap()
    }
}

pub fn part(token: &Value, index: usize) -> Value {
    let part = token.as_str().unwrap().split('.').nth(index).unwrap().to_owned();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

pub fn verified(token: &Value, jwks: &Value) -> bool {
    let kid = part(token, 0)["kid"].clone();
    let Some(jwk) = jwks["keys"].as_array().unwrap().iter().find(|key| key["kid"] == kid) else {
        return false;
    };
    let jwk: jsonwebtoken::jwk::Jwk = serde_json::from_value(jwk.clone()).unwrap();
    let key = jsonwebtoken::DecodingKey::from_jwk(&jwk).unwrap();
    let algorithm = match part(token, 0)["alg"].as_str().unwrap() {
        "EdDSA" => jsonwebtoken::Algorithm::EdDSA,
        "RS256" => jsonwebtoken::Algorithm::RS256,
        _ => jsonwebtoken::Algorithm::ES256,
    };
    let (input, signature) = token.as_str().unwrap().rsplit_once('.').unwrap();
    jsonwebtoken::crypto::verify(signature, input.as_bytes(), &key, algorithm).unwrap()
}
