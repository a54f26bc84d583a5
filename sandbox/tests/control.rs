//! The sandbox under control: algorithms, misbehaviour, troubles, webhooks, and restarts.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod browser;

use std::sync::{Arc, Mutex};

use browser::{Browser, browser, client, location, parameter, part, verified};
use campus_sandbox::{
    Algorithm, Client, Command, Down, Endpoint, Misbehaviour as M, Options, Profile, Sandbox,
    Signature, Trouble, Webhook,
};
use http::HeaderMap;
use reqwest::redirect::Policy;
use serde_json::{Value, json};

type Seen = Arc<Mutex<Vec<(Option<String>, String)>>>;

#[tokio::test]
async fn every_algorithm_signs_and_rotation_keeps_the_old_key() {
    let b = browser(Profile::Gen1).await;
    for algorithm in [Algorithm::EdDsa, Algorithm::Es256, Algorithm::Rs256] {
        b.control.set_algorithm(algorithm);
        let old = b.tokens("user_aisha").await;
        b.control.rotate_keys().unwrap();
        let new = b.tokens("user_aisha").await;
        let jwks = b.jwks().await;
        assert_eq!(part(&new["id_token"], 0)["alg"], algorithm.as_str());
        assert_ne!(part(&old["id_token"], 0)["kid"], part(&new["id_token"], 0)["kid"]);
        assert!(verified(&old["id_token"], &jwks) && verified(&new["id_token"], &jwks));
    }
}

#[tokio::test]
async fn misbehaviour_is_one_shot_unless_told_otherwise() {
    let b = browser(Profile::Gen1).await;
    b.control.misbehave(M::InvalidSig);
    let spoiled = b.tokens("user_aisha").await;
    assert!(!verified(&spoiled["id_token"], &b.jwks().await));
    assert!(verified(&b.tokens("user_aisha").await["id_token"], &b.jwks().await));

    b.control.misbehave(M::SigNone);
    assert_eq!(part(&b.tokens("user_aisha").await["id_token"], 0)["alg"], "none");
    b.control.misbehave(M::NullAlg);
    assert!(part(&b.tokens("user_aisha").await["id_token"], 0)["alg"].is_null());
    b.control.misbehave(M::KidAbsentMultiple);
    assert!(part(&b.tokens("user_aisha").await["id_token"], 0).get("kid").is_none());
    assert_eq!(b.jwks().await["keys"].as_array().unwrap().len(), 2);

    b.control.misbehave_times(M::LevelAsString, None);
    let tokens = b.tokens("user_aisha").await;
    assert_eq!(part(&tokens["id_token"], 1)["level"], "300");
    assert_eq!(b.userinfo(&tokens).await.1["level"], "300");
    b.control.behave();
    assert_eq!(b.userinfo(&tokens).await.1["level"], 300);
}

#[tokio::test]
async fn endpoints_can_be_in_trouble() {
    let b = browser(Profile::Gen1).await;
    let jwks = b.url("/api/auth/jwks");
    let trouble = Trouble { rate_limit: 1, retry_after: 7, ..Trouble::default() };
    b.control.set_trouble(Endpoint::Jwks, trouble);
    let answer = b.http.get(&jwks).send().await.unwrap();
    assert_eq!(answer.status(), 429);
    assert_eq!(answer.headers()["x-retry-after"], "7");
    assert_eq!(b.http.get(&jwks).send().await.unwrap().status(), 200);
    b.control.set_trouble(Endpoint::Jwks, Trouble { down: Some(Down::Drop), ..Trouble::default() });
    assert!(b.http.get(&jwks).send().await.is_err());
    b.control
        .set_trouble(Endpoint::Jwks, Trouble { down: Some(Down::Status), ..Trouble::default() });
    assert_eq!(b.http.get(&jwks).send().await.unwrap().status(), 503);
    b.control.behave();
    assert_eq!(b.http.get(&jwks).send().await.unwrap().status(), 200);
    assert!(b.control.count(Endpoint::Jwks) >= 5);
}

#[tokio::test]
async fn the_json_api_rules_the_sandbox() {
    let b = browser(Profile::Gen1).await;
    let post = async |command: &str, body: Value| -> Value {
        let url = b.url(&format!("/sandbox/api/{command}"));
        b.http.post(url).json(&body).send().await.unwrap().json().await.unwrap()
    };
    let answer = post("person", json!({ "person": "user_tunde", "custom_roles": [] })).await;
    assert_eq!(answer["person"]["custom_roles"], json!([]));
    assert!(
        post("person", json!({ "person": "user_tunde", "academic": null })).await["ok"] == true
    );
    assert!(b.control.person("user_tunde").unwrap().academic.is_none());
    let answer = post("misbehave", json!({ "misbehaviour": "sig-none", "sticky": true })).await;
    assert_eq!(answer, json!({ "ok": true }));
    let trouble = json!({ "endpoint": "token", "slow_ms": 5, "down": "status" });
    assert_eq!(post("trouble", trouble).await["ok"], true);
    assert_eq!(post("trusted", json!({ "client": "nobody", "trusted": true })).await["ok"], false);
    assert_eq!(post("profile", json!({ "profile": "gen2" })).await["ok"], true);
    let answer = post("session", json!({ "person": "user_aisha" })).await;
    assert!(answer["cookie"].as_str().unwrap().starts_with("sandbox_session="));
    let state: Value =
        b.http.get(b.url("/sandbox/api/state")).send().await.unwrap().json().await.unwrap();
    assert_eq!(state["profile"], "gen2");
    assert_eq!(state["misbehaviours"]["sig-none"], Value::Null);
    assert_eq!(state["troubles"]["token"]["slow_ms"], 5);
    let page = b.http.get(b.url("/sandbox")).send().await.unwrap().text().await.unwrap();
    assert!(page.contains("rotate-just-before-signing") && page.contains("Ngozi Eze"));
    let form = [("person", "user_tunde"), ("role", "alumni"), ("custom_roles", "editor, tutor")];
    let answer = b.http.post(b.url("/sandbox/do/person")).form(&form).send().await.unwrap();
    assert_eq!(answer.status(), 302);
    assert_eq!(b.control.person("user_tunde").unwrap().custom_roles, ["editor", "tutor"]);
}

#[tokio::test]
async fn what_matters_survives_a_restart() {
    let file = std::env::temp_dir().join(format!("campus-sandbox-{}.json", std::process::id()));
    let start = async || {
        let state_file = Some(file.clone());
        let options = Options { clients: vec![client()], state_file, ..Options::default() };
        let sandbox = Sandbox::start(options).await.unwrap();
        let http = reqwest::Client::builder().redirect(Policy::none()).build().unwrap();
        Browser { control: sandbox.control(), sandbox, http }
    };
    let before = start().await;
    let tokens = before.tokens("user_aisha").await;
    let command = json!({ "command": "person", "person": "user_aisha", "role": "alumni" });
    let command: Command = serde_json::from_value(command).unwrap();
    before.control.perform(command).await.unwrap();
    before.sandbox.stop().await;

    let after = start().await;
    assert!(verified(&tokens["id_token"], &after.jwks().await));
    assert_eq!(after.userinfo(&tokens).await.1["role"], "alumni");
    std::fs::remove_file(&file).unwrap();
}

#[tokio::test]
async fn webhooks_and_logout_tokens_reach_the_application() {
    let b = browser(Profile::Gen2).await;
    let seen: Seen = Seen::default();
    let received = Arc::clone(&seen);
    let app = axum::Router::new().fallback(async move |headers: HeaderMap, body: String| {
        let signature = headers.get("x-campus-one-signature").cloned();
        let signature = signature.map(|value| value.to_str().unwrap().to_owned());
        received.lock().unwrap().push((signature, body));
    });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}/hook", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });

    assert!(b.control.send_webhook(Webhook::default()).await.is_err());
    b.control.set_webhook_url(Some(address.parse().unwrap()));
    let webhook = Webhook {
        event: "user.role_changed".to_owned(),
        person: Some("user_zainab".to_owned()),
        signature: Signature::Bare,
        ..Webhook::default()
    };
    assert_eq!(b.control.send_webhook(webhook).await.unwrap(), 200);
    let (signature, body) = seen.lock().unwrap().remove(0);
    let body: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(signature.unwrap().len(), 64);
    assert_eq!(body["event"], "user.role_changed");
    assert_eq!(body["data"]["custom_roles"], json!(["editor"]));

    b.control.set_client(Client { backchannel_logout_uri: Some(address), ..client() });
    let tokens = b.tokens("user_zainab").await;
    let hint = tokens["id_token"].as_str().unwrap();
    let url = b.url(&format!("/api/auth/oauth2/end-session?id_token_hint={hint}"));
    b.control.misbehave(M::LogoutWithNonce);
    assert_eq!(b.http.get(url).send().await.unwrap().status(), 200);
    let (_, body) = seen.lock().unwrap().remove(0);
    let token = json!(body.strip_prefix("logout_token=").unwrap());
    assert!(verified(&token, &b.jwks().await));
    assert_eq!(part(&token, 0)["typ"], "logout+jwt");
    assert_eq!(part(&token, 1)["sid"], part(&tokens["id_token"], 1)["sid"]);
    assert!(part(&token, 1)["nonce"].is_string());
}

#[tokio::test]
async fn every_fault_of_an_id_token_shows() {
    let b = browser(Profile::Gen2).await;
    let stranger = json!("some-other-client");
    let issuer = json!("https://other-issuer.example");
    let expected = [
        (M::MissingSub, "sub", None),
        (M::MissingAud, "aud", None),
        (M::MissingIat, "iat", None),
        (M::MissingExp, "exp", None),
        (M::MissingIss, "iss", None),
        (M::MissingNonce, "nonce", None),
        (M::InvalidIss, "iss", Some(issuer.clone())),
        (M::InvalidAud, "aud", Some(stranger.clone())),
        (M::SecondaryAud, "aud", Some(json!(["desk", "some-other-client"]))),
        (M::AudAsArray, "aud", Some(json!(["desk"]))),
        (M::ForeignAzp, "azp", Some(stranger)),
        (M::InvalidNonce, "nonce", Some(json!("not-your-nonce"))),
        (M::EmailVerifiedAsString, "email_verified", Some(json!("true"))),
        (M::RolesAsString, "roles", Some(json!("staff,unit_admin,editor"))),
        (M::ClaimsOnlyInUserinfo, "role", None),
    ];
    for (fault, claim, value) in expected {
        b.control.misbehave(fault);
        let tokens = b.tokens("user_ngozi").await;
        assert_eq!(part(&tokens["id_token"], 1).get(claim), value.as_ref(), "{fault:?}");
        b.control.behave();
    }
    let tokens = b.tokens("user_ngozi").await;
    b.control.misbehave(M::RefreshInvalidIssuer);
    let (_, renewed) = b.refresh(&tokens["refresh_token"]).await;
    assert_eq!(part(&renewed["id_token"], 1)["iss"], issuer);
    b.control.misbehave(M::Hs256);
    assert_eq!(part(&b.tokens("user_ngozi").await["id_token"], 0)["alg"], "HS256");
}

#[tokio::test]
async fn every_fault_of_the_other_answers_shows() {
    let b = browser(Profile::Gen2).await;
    let cookie = b.control.sign_in("user_ngozi").unwrap();
    let issuer = b.sandbox.issuer();
    for (fault, name, value) in [
        (M::AuthorizationIssWrong, "iss", Some("https://other-issuer.example")),
        (M::AuthorizationIssMissing, "iss", None),
        (M::StateWrong, "state", Some("not-your-state")),
        (M::StateMissing, "state", None),
        (M::TokenTypeCase, "iss", Some(issuer.as_str())),
    ] {
        b.control.misbehave(fault);
        let url = location(&b.authorize(&cookie, &[("state", "s")]).await);
        assert_eq!(parameter(&url, name).as_deref(), value, "{fault:?}");
    }
    for fault in [M::TokenTypeCase, M::NoExpiresIn, M::NoRefreshToken] {
        b.control.misbehave(fault);
    }
    let tokens = b.tokens("user_ngozi").await;
    assert_eq!(tokens["token_type"], "bEaReR");
    assert!(tokens.get("expires_in").is_none() && tokens.get("refresh_token").is_none());

    b.control.misbehave(M::UserinfoInvalidSub);
    assert_eq!(b.userinfo(&tokens).await.1["sub"], "user_someone_else");
    b.control.misbehave(M::Userinfo401);
    assert_eq!(b.userinfo(&tokens).await.0, 401);
    b.control.misbehave(M::UserinfoSigned);
    assert_eq!(b.userinfo(&tokens).await, (reqwest::StatusCode::OK, Value::Null));
    b.control.misbehave(M::GarbageJson);
    let code = b.code(&cookie).await;
    assert_eq!(b.redeem(&code).await, (reqwest::StatusCode::OK, Value::Null));
    b.control.misbehave(M::InteractionRequired);
    let url = location(&b.authorize(&cookie, &[("prompt", "none")]).await);
    assert_eq!(parameter(&url, "error").unwrap(), "interaction_required");
}
