//! The sandbox over HTTP: what an application meets in each generation.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod browser;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use browser::{CALLBACK, SCOPES, VERIFIER, browser, client, location, parameter, part, verified};
use campus_sandbox::{Endpoint, Profile};
use serde_json::{Value, json};

#[tokio::test]
async fn discovery_of_gen1_has_a_bare_issuer_and_fixed_algorithms() {
    let b = browser(Profile::Gen1).await;
    let document: Value =
        b.http.get(b.sandbox.discovery_url()).send().await.unwrap().json().await.unwrap();
    assert_eq!(document["issuer"], b.control.origin());
    assert_eq!(document["id_token_signing_alg_values_supported"], json!(["RS256", "EdDSA"]));
    assert!(document.get("authorization_response_iss_parameter_supported").is_none());
    assert_eq!(b.control.count(Endpoint::Discovery), 1);
}

#[tokio::test]
async fn discovery_of_gen2_tells_the_truth() {
    let b = browser(Profile::Gen2).await;
    let document: Value =
        b.http.get(b.sandbox.discovery_url()).send().await.unwrap().json().await.unwrap();
    assert_eq!(document["issuer"], format!("{}/api/auth", b.control.origin()));
    assert_eq!(document["id_token_signing_alg_values_supported"], json!(["EdDSA"]));
    assert_eq!(document["authorization_response_iss_parameter_supported"], true);
}

#[tokio::test]
async fn silent_error_of_gen1_is_stateless_with_raw_spaces() {
    let b = browser(Profile::Gen1).await;
    let answer = b.authorize("", &[("state", "s"), ("prompt", "none")]).await;
    assert_eq!(answer.status(), 302);
    let expected =
        "?error=login_required&error_description=Authentication required but prompt is none";
    assert_eq!(location(&answer), format!("{CALLBACK}{expected}"));
}

#[tokio::test]
async fn silent_error_of_gen2_has_state_and_iss() {
    let b = browser(Profile::Gen2).await;
    let url = location(&b.authorize("", &[("state", "s"), ("prompt", "none")]).await);
    assert_eq!(parameter(&url, "error").unwrap(), "login_required");
    assert_eq!(parameter(&url, "state").unwrap(), "s");
    assert_eq!(parameter(&url, "iss").unwrap(), b.sandbox.issuer());
    assert!(!url.contains(' '));
}

#[tokio::test]
async fn fetch_gets_json_and_a_stateless_request_gets_undefined() {
    let b = browser(Profile::Gen1).await;
    let cookie = b.control.sign_in("user_aisha").unwrap();
    let request = b.http.get(b.authorize_url(&[])).header("cookie", &cookie);
    let answer = request.header("sec-fetch-mode", "cors").send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let body: Value = answer.json().await.unwrap();
    assert_eq!(body["redirect"], true);
    let url = body["url"].as_str().unwrap();
    assert_eq!(parameter(url, "state").unwrap(), "undefined");
    assert_eq!(parameter(url, "iss"), None);
}

#[tokio::test]
async fn unknown_redirect_uri_and_missing_pkce_are_refused() {
    let b = browser(Profile::Gen1).await;
    let mut stranger = client();
    stranger.redirect_uris.clear();
    b.control.set_client(stranger);
    assert_eq!(b.authorize("", &[]).await.status(), 400);
    b.control.set_client(client());
    let cookie = b.control.sign_in("user_aisha").unwrap();
    let answer = b.authorize(&cookie, &[("code_challenge", "")]).await;
    assert!(location(&answer).contains("error=invalid_request&error_description=pkce is required"));
    let answer = b.authorize(&cookie, &[("code_challenge_method", "plain")]).await;
    assert!(location(&answer).contains("error=invalid_request"));
}

#[tokio::test]
async fn a_person_signs_in_and_consents_through_the_pages() {
    let b = browser(Profile::Gen1).await;
    b.control.set_trusted("desk", false).unwrap();
    let answer = b.authorize("", &[("state", "s"), ("prompt", "login")]).await;
    let sign_in = location(&answer);
    let page = b.http.get(&sign_in).send().await.unwrap().text().await.unwrap();
    assert!(page.contains(">Aisha Mohammed</button>") && page.contains("<h1>Sign in</h1>"));

    let query = sign_in.split_once('?').unwrap().1;
    let form = [("person", "user_aisha"), ("query", query)];
    let answer = b.http.post(b.url("/sign-in")).form(&form).send().await.unwrap();
    let set_cookie = answer.headers()["set-cookie"].to_str().unwrap().to_owned();
    assert!(set_cookie.contains("HttpOnly") && set_cookie.contains("SameSite=Lax"));
    let cookie = set_cookie.split(';').next().unwrap();
    let again = location(&answer);
    assert!(!again.contains("prompt=login"));

    let ask = location(&b.http.get(&again).header("cookie", cookie).send().await.unwrap());
    let consent_code = parameter(&ask, "consent_code").unwrap();
    let page =
        b.http.get(&ask).header("cookie", cookie).send().await.unwrap().text().await.unwrap();
    assert!(page.contains(">Allow</button>") && page.contains(">Deny</button>"));
    let form = [("consent_code", consent_code.as_str()), ("decision", "allow")];
    let request = b.http.post(b.url("/consent")).header("cookie", cookie).form(&form);
    let url = location(&request.send().await.unwrap());
    assert_eq!(parameter(&url, "state").unwrap(), "s");
    assert_eq!(b.redeem(&parameter(&url, "code").unwrap()).await.0, 200);

    let answer = b.authorize(cookie, &[("state", "s"), ("prompt", "none")]).await;
    assert!(location(&answer).contains("code="));
}

#[tokio::test]
async fn denial_of_gen1_is_stateless() {
    let b = browser(Profile::Gen1).await;
    b.control.set_trusted("desk", false).unwrap();
    let cookie = b.control.sign_in("user_aisha").unwrap();
    let ask = location(&b.authorize(&cookie, &[("state", "s")]).await);
    let consent_code = parameter(&ask, "consent_code").unwrap();
    let form = [("consent_code", consent_code.as_str()), ("decision", "deny")];
    let request = b.http.post(b.url("/consent")).header("cookie", &cookie).form(&form);
    let url = location(&request.send().await.unwrap());
    assert_eq!(url, format!("{CALLBACK}?error=access_denied&error_description=User denied access"));
}

#[tokio::test]
async fn tokens_of_gen1_have_the_claims_listed() {
    let b = browser(Profile::Gen1).await;
    let tokens = b.tokens("user_aisha").await;
    assert_eq!(tokens["token_type"], "Bearer");
    assert_eq!(tokens["expires_in"], 3600);
    let access = tokens["access_token"].as_str().unwrap();
    assert!(access.len() == 32 && access.chars().all(|c| c.is_ascii_alphabetic()));
    assert!(verified(&tokens["id_token"], &b.jwks().await));
    assert!(b.jwks().await["keys"][0].get("use").is_none());

    let claims = part(&tokens["id_token"], 1);
    assert_eq!(claims["iss"], b.control.origin());
    assert_eq!(claims["aud"], "desk");
    assert_eq!(claims["nonce"], "n");
    assert_eq!(claims["role"], "student");
    assert_eq!(claims["level"], 300);
    assert_eq!(claims["roles"], json!(["student"]));
    assert_eq!(claims["custom_roles"], json!([]));
    assert!(claims["updated_at"].as_str().unwrap().ends_with(".000Z"));
    assert!(claims["profile"].as_str().unwrap().ends_with("/avatars/user_aisha.svg"));
    for absent in ["auth_time", "at_hash", "azp", "sid"] {
        assert!(claims.get(absent).is_none(), "{absent}");
    }
    let claims = part(&b.tokens("user_ifeoma").await["id_token"], 1);
    assert!(claims["profile"].is_null() && claims.get("student_id").is_none());
    let claims = part(&b.tokens("user_chinedu").await["id_token"], 1);
    assert_eq!(claims["roles"], json!(["student", "mentor"]));
    let claims = part(&b.tokens("user_ngozi").await["id_token"], 1);
    assert_eq!(claims["custom_roles"], json!(["unit_admin", "editor"]));
}

#[tokio::test]
async fn a_failed_exchange_burns_the_code() {
    let b = browser(Profile::Gen1).await;
    let cookie = b.control.sign_in("user_aisha").unwrap();
    let code = b.code(&cookie).await;
    let fields = [("grant_type", "authorization_code"), ("code", code.as_str())];
    assert_eq!(b.post_token(&fields).await.0, 401);
    let (status, body) = b.redeem(&code).await;
    assert_eq!((status.as_u16(), &body["error"]), (401, &json!("invalid_grant")));
}

#[tokio::test]
async fn basic_authentication_is_for_gen1_only() {
    for (profile, status) in [(Profile::Gen1, 200), (Profile::Gen2, 401)] {
        let b = browser(profile).await;
        let cookie = b.control.sign_in("user_aisha").unwrap();
        let code = b.code(&cookie).await;
        let form = [
            ("grant_type", "authorization_code"),
            ("code", code.as_str()),
            ("redirect_uri", CALLBACK),
            ("code_verifier", VERIFIER),
        ];
        let basic = format!("Basic {}", STANDARD.encode("desk:s3cret%2F%2B"));
        let request = b.http.post(b.url("/api/auth/oauth2/token")).form(&form);
        let answer = request.header("authorization", basic).send().await.unwrap();
        assert_eq!(answer.status(), status);
    }
}

#[tokio::test]
async fn refresh_of_gen1_keeps_the_old_token_and_brings_no_id_token() {
    let b = browser(Profile::Gen1).await;
    let first = b.tokens("user_aisha").await;
    let (_, second) = b.refresh(&first["refresh_token"]).await;
    assert_ne!(first["refresh_token"], second["refresh_token"]);
    assert!(second.get("id_token").is_none());
    assert_eq!(b.refresh(&first["refresh_token"]).await.0, 200);
    let (status, body) = b.refresh(&json!("unknown")).await;
    assert_eq!((status.as_u16(), &body["error"]), (401, &json!("invalid_grant")));
}

#[tokio::test]
async fn refresh_of_gen2_rotates_and_punishes_reuse() {
    let b = browser(Profile::Gen2).await;
    let first = b.tokens("user_aisha").await;
    let claims = part(&first["id_token"], 1);
    assert!(claims["auth_time"].is_i64() && claims["at_hash"].is_string());
    assert!(claims["sid"].is_string());
    let (_, second) = b.refresh(&first["refresh_token"]).await;
    assert!(part(&second["id_token"], 1).get("nonce").is_none());
    let (status, body) = b.refresh(&first["refresh_token"]).await;
    assert_eq!((status.as_u16(), &body["error"]), (400, &json!("invalid_grant")));
    assert_eq!(b.refresh(&second["refresh_token"]).await.0, 400);
    assert_eq!(b.userinfo(&second).await.0, 401);
}

#[tokio::test]
async fn userinfo_is_live_get_only_and_ends_with_the_gen2_session() {
    let b = browser(Profile::Gen2).await;
    let tokens = b.tokens("user_tunde").await;
    b.control.change_person("user_tunde", |p| p.custom_roles.clear()).unwrap();
    let (status, claims) = b.userinfo(&tokens).await;
    assert_eq!((status.as_u16(), &claims["roles"]), (200, &json!(["student"])));
    let post = b.http.post(b.url("/api/auth/oauth2/userinfo")).send().await.unwrap();
    assert_eq!(post.status(), 405);
    b.control.end_session(Some("user_tunde"));
    let (_, renewed) = b.refresh(&tokens["refresh_token"]).await;
    assert_eq!(b.userinfo(&renewed).await.0, 401);
}

#[tokio::test]
async fn disconnect_takes_everything_back() {
    let b = browser(Profile::Gen1).await;
    b.control.set_trusted("desk", false).unwrap();
    let scopes: Vec<_> = SCOPES.split(' ').collect();
    b.control.give_consent("user_aisha", "desk", &scopes);
    let tokens = b.tokens("user_aisha").await;
    assert_eq!(b.userinfo(&tokens).await.0, 200);
    b.control.disconnect("user_aisha", Some("desk")).unwrap();
    assert_eq!(b.userinfo(&tokens).await.0, 401);
    assert_eq!(b.refresh(&tokens["refresh_token"]).await.1["error"], "invalid_grant");
    let cookie = b.control.sign_in("user_aisha").unwrap();
    let answer = b.authorize(&cookie, &[("prompt", "none"), ("state", "s")]).await;
    assert!(location(&answer).contains("error=consent_required&"));
    assert!(!location(&answer).contains("state="));
}

#[tokio::test]
async fn signing_out_differs_between_the_generations() {
    let b = browser(Profile::Gen1).await;
    let cookie = b.control.sign_in("user_aisha").unwrap();
    let (_, tokens) = b.redeem(&b.code(&cookie).await).await;
    let url = b.url("/api/auth/oauth2/endsession");
    assert_eq!(b.http.get(&url).send().await.unwrap().status(), 400);
    let url = format!("{url}?client_id=desk&post_logout_redirect_uri=http://127.0.0.1:9/&state=x");
    let answer = b.http.get(url).header("cookie", &cookie).send().await.unwrap();
    assert_eq!(location(&answer), "http://127.0.0.1:9/?state=x");
    assert_eq!(b.userinfo(&tokens).await.0, 401);

    let b = browser(Profile::Gen2).await;
    let tokens = b.tokens("user_aisha").await;
    let url = b.url("/api/auth/oauth2/end-session");
    let forged = format!("{url}?id_token_hint=a.b.c");
    assert_eq!(b.http.get(forged).send().await.unwrap().status(), 401);
    let url = format!("{url}?id_token_hint={}", tokens["id_token"].as_str().unwrap());
    assert_eq!(b.http.get(url).send().await.unwrap().status(), 200);
    assert_eq!(b.userinfo(&tokens).await.0, 401);
}
