//! Forged tokens: algorithm confusion, keys of the attacker's own, and floods of unknown keys
//! (RFC 8725 §2.1, §3.1; RFC 7515 §10.7).

use crate::support::{Answer, CLIENT_ID, CLIENT_SECRET, Setup, TestApp, hmac};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use campus_sandbox::{Algorithm, Endpoint, Profile};
use campus_server::clock;
use http::Method;
use serde_json::{Value, json};

fn base64(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// A logout token for Aisha in which nothing is wrong but how it is signed.
fn token(app: &TestApp, header: &Value, sign: impl FnOnce(&str) -> Vec<u8>) -> String {
    let now = clock::now().seconds();
    let claims = json!({
        "iss": app.sandbox.issuer(), "sub": "user_aisha", "aud": CLIENT_ID, "iat": now,
        "exp": now + 120, "jti": uuid::Uuid::now_v7().to_string(),
        "events": { "http://schemas.openid.net/event/backchannel-logout": {} },
    });
    let signed = format!(
        "{}.{}",
        base64(header.to_string().as_bytes()),
        base64(claims.to_string().as_bytes())
    );
    let signature = base64(&sign(&signed));
    format!("{signed}.{signature}")
}

async fn post(app: &TestApp, token: &str) -> Answer {
    let provider = app.browser();
    let request = provider.request(Method::POST, "/auth/backchannel-logout");
    provider.send(request.form(&[("logout_token", token)])).await
}

async fn published(app: &TestApp) -> Value {
    let metadata = format!("{}/.well-known/openid-configuration", app.sandbox.origin());
    let metadata: Value = reqwest::get(metadata).await.unwrap().json().await.unwrap();
    let keys = metadata["jwks_uri"].as_str().unwrap();
    reqwest::get(keys).await.unwrap().json().await.unwrap()
}

#[tokio::test]
async fn no_token_is_believed_that_names_its_own_algorithm_or_key() {
    for algorithm in [Algorithm::EdDsa, Algorithm::Rs256, Algorithm::Es256] {
        let profile = Profile::Gen2;
        let app = TestApp::spawn_with(Setup { profile, algorithm, ..Setup::default() }).await;
        let browser = app.signed_in("user_aisha").await;
        let keys = published(&app).await;
        let key = &keys["keys"][0];
        let (kid, alg) = (key["kid"].clone(), key["alg"].clone());
        let typ = "logout+jwt";
        let public: Vec<Vec<u8>> = vec![
            key.to_string().into_bytes(),
            key["x"].as_str().or(key["n"].as_str()).unwrap().as_bytes().to_vec(),
            URL_SAFE_NO_PAD.decode(key["x"].as_str().or(key["n"].as_str()).unwrap()).unwrap(),
            CLIENT_SECRET.as_bytes().to_vec(),
            Vec::new(),
        ];
        for secret in &public {
            let header = json!({ "alg": "HS256", "typ": typ, "kid": kid });
            let forged = token(&app, &header, |signed| hmac(secret, signed.as_bytes()));
            assert_eq!(post(&app, &forged).await.status, 400, "HS256 with what is public");
        }
        let jwks = format!("{}/jwks-of-the-attacker", app.sandbox.origin());
        let mut own = key.clone();
        own["kid"] = json!("mine");
        for header in [
            json!({ "alg": "none", "typ": typ }),
            json!({ "alg": "nOnE", "typ": typ, "kid": kid }),
            json!({ "alg": alg, "typ": typ, "kid": "../../../../dev/null" }),
            json!({ "alg": alg, "typ": typ, "kid": "' or 1=1 --" }),
            json!({ "alg": alg, "typ": typ, "kid": "mine", "jwk": own }),
            json!({ "alg": alg, "typ": typ, "kid": kid, "jku": jwks, "x5u": jwks }),
            json!({ "alg": alg, "typ": typ, "kid": 7 }),
            json!({ "alg": alg, "typ": typ, "kid": kid, "crit": ["b64"], "b64": false }),
        ] {
            for signature in [vec![], vec![0; 64], vec![1; 256]] {
                let forged = token(&app, &header, |_| signature);
                assert_eq!(post(&app, &forged).await.status, 400, "{header}");
            }
        }
        assert_eq!(browser.fetch("/auth/me").await.status, 200);
        let spent = app.number("select count(*) from used_logout_tokens").await;
        assert_eq!(spent, 0, "{algorithm:?}");
    }
}

/// Anybody can send a token with a key nobody knows. That makes us fetch once, and takes nothing away from
/// a sign-in after a rotation, whose own fetch is still there.
#[tokio::test]
async fn a_flood_of_unknown_keys_is_one_fetch_and_holds_no_sign_in_up() {
    let setup = Setup { profile: Profile::Gen2, ..Setup::default() };
    let app = TestApp::spawn_with(setup).await;
    let browser = app.signed_in("user_aisha").await;
    let held = app.count(Endpoint::Jwks);
    for number in 0..60 {
        let header = json!({ "alg": "EdDSA", "typ": "logout+jwt", "kid": format!("k{number}") });
        assert_eq!(post(&app, &token(&app, &header, |_| vec![0; 64])).await.status, 400);
    }
    assert_eq!(app.count(Endpoint::Jwks), held + 1, "one for all of them");
    app.sandbox.rotate_keys().unwrap();
    let other = app.signed_in("user_chinedu").await;
    for signed_in in [&browser, &other] {
        assert_eq!(signed_in.fetch("/auth/me").await.status, 200);
    }
    assert_eq!(app.count(Endpoint::Jwks), held + 2);
}

/// Secrets and signatures are compared in constant time: by `Mac::verify_slice` or `ConstantTimeEq`, and
/// nowhere by `==`. A timing measured in a test would say more of the machine than of the code.
#[test]
fn signatures_are_compared_by_functions_made_for_it() {
    let source = include_str!("../../src/webhook/signature.rs");
    assert!(source.contains(".verify_slice("));
    for line in source.lines().filter(|line| line.contains("==") || line.contains("!=")) {
        for secret in ["digest", "mac", "signature ==", "key."] {
            assert!(!line.contains(secret), "{line}");
        }
    }
}
