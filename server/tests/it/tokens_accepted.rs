//! What a provider may do differently without anybody being turned away.

use crate::support::{SESSION, Setup, TestApp};
use campus_sandbox::{Algorithm, Down, Endpoint, Misbehaviour, Profile, Trouble};

/// One test for each permitted deviation; each must still end in exactly one session.
macro_rules! accepted {
    ($($name:ident: $misbehaviours:expr, $setup:expr;)+) => {$(
        #[tokio::test]
        async fn $name() {
            let app = TestApp::spawn_with($setup).await;
            let misbehaviours: &[Misbehaviour] = &$misbehaviours;
            for misbehaviour in misbehaviours {
                app.sandbox.misbehave(*misbehaviour);
            }
            let browser = app.signed_in("user_aisha").await;
            let me = browser.fetch("/auth/me").await.json();
            assert_eq!((&me["sub"], &me["role"]), (&"user_aisha".into(), &"student".into()));
            assert_eq!(me["email"], "256240001@nileuniversity.edu.ng");
            assert_eq!(app.rows().await, (1, 1));
        }
    )+};
}

fn signed(algorithm: Algorithm) -> Setup {
    Setup { algorithm, ..Setup::default() }
}

fn gen1() -> Setup {
    Setup::default()
}

fn gen2() -> Setup {
    Setup { profile: Profile::Gen2, ..Setup::default() }
}

accepted! {
    oidcc_client_test: [], gen1();
    the_second_generation: [], gen2();
    oidcc_client_test_idtoken_sig_rs256: [], signed(Algorithm::Rs256);
    idtoken_sig_es256: [], signed(Algorithm::Es256);
    oidcc_client_test_kid_absent_single_jwks: [Misbehaviour::KidAbsent], gen1();
    oidcc_client_test_kid_absent_multiple_jwks: [Misbehaviour::KidAbsentMultiple], gen1();
    oidcc_client_test_valid_aud_as_array: [Misbehaviour::AudAsArray], gen1();
    oidcc_client_test_token_type_case_insensitivity: [Misbehaviour::TokenTypeCase], gen1();
    oidcc_client_test_token_response_without_expires_in: [Misbehaviour::NoExpiresIn], gen1();
    no_refresh_token: [Misbehaviour::NoRefreshToken], gen1();
    oidcc_client_test_scope_userinfo_claims: [Misbehaviour::ClaimsOnlyInUserinfo], gen2();
    oidcc_client_test_userinfo_signed: [Misbehaviour::UserinfoSigned], gen1();
    userinfo_refused: [Misbehaviour::Userinfo401], gen1();
    oidcc_client_test_signing_key_rotation_just_before_signing:
        [Misbehaviour::RotateJustBeforeSigning], gen1();
}

#[tokio::test]
async fn oidcc_client_test_signing_key_rotation() {
    let app = TestApp::spawn().await;
    app.signed_in("user_aisha").await;
    assert_eq!(app.count(Endpoint::Jwks), 1);
    app.sandbox.rotate_keys().unwrap();
    app.signed_in("user_chinedu").await;
    assert_eq!(app.count(Endpoint::Jwks), 2, "an unknown key is worth one look");
    app.signed_in("user_zainab").await;
    assert_eq!(app.count(Endpoint::Jwks), 2, "known keys are not fetched again");
}

#[tokio::test]
async fn oidcc_client_test_discovery_openid_config() {
    let app = TestApp::spawn().await;
    app.signed_in("user_aisha").await;
    // The metadata was asked for once, and each of its endpoints with it.
    assert_eq!(app.count(Endpoint::Discovery), 1);
    for endpoint in [Endpoint::Authorize, Endpoint::Token, Endpoint::Userinfo] {
        assert_eq!(app.count(endpoint), 1, "{endpoint:?}");
    }
    assert_eq!(app.rows().await, (1, 1));
}

#[tokio::test]
async fn oidcc_client_test_discovery_jwks_uri_keys() {
    let app = TestApp::spawn().await;
    app.signed_in("user_aisha").await;
    assert_eq!((app.count(Endpoint::Jwks), app.rows().await), (1, (1, 1)));
    // Without the keys nothing is believed.
    let app = TestApp::spawn().await;
    let down = Trouble { down: Some(Down::Status), ..Trouble::default() };
    app.sandbox.set_trouble(Endpoint::Jwks, down);
    let browser = app.browser_of("user_aisha");
    let page = browser.follow("/auth/login").await.pop().unwrap();
    page.assert_refused(503, "provider_unreachable");
    assert_eq!((browser.cookie(SESSION), app.rows().await), (None, (0, 0)));
    assert_eq!(app.count(Endpoint::Token), 0);
}

/// The sandbox takes the access token from the `Authorization` header alone (RFC 6750 §2.1).
#[tokio::test]
async fn oidcc_client_test_userinfo_bearer_header() {
    let app = TestApp::spawn().await;
    app.signed_in("user_aisha").await;
    assert_eq!(app.count(Endpoint::Userinfo), 1);
    let source = app.text("select profile_source from users").await;
    assert_eq!(source.as_deref(), Some("userinfo"));
}

#[tokio::test]
async fn oidcc_client_test_client_secret_basic() {
    let app = TestApp::spawn().await;
    app.sandbox.misbehave_times(Misbehaviour::ClientSecretBasicOnly, None);
    let browser = app.signed_in("user_aisha").await;
    assert_eq!(app.rows().await, (1, 1));
    app.access_tokens_expire().await;
    assert_eq!(browser.fetch("/auth/me").await.status, 200);
    assert_eq!(app.count(Endpoint::Token), 2, "a refresh authenticates the same way");
}

#[tokio::test]
async fn strange_keys_do_not_make_us_fetch_on_every_sign_in() {
    let app = TestApp::spawn().await;
    app.signed_in("user_aisha").await;
    app.sandbox.misbehave_times(Misbehaviour::InvalidSig, None);
    for _ in 0..4 {
        let hops = app.browser_of("user_aisha").follow("/auth/login").await;
        hops.last().unwrap().assert_refused(401, "id_token_signature");
    }
    assert!(app.count(Endpoint::Jwks) <= 2, "{} fetches", app.count(Endpoint::Jwks));
}

#[tokio::test]
async fn the_id_token_stands_alone_while_userinfo_is_away() {
    for trouble in [
        Trouble { down: Some(Down::Status), ..Trouble::default() },
        Trouble { down: Some(Down::Drop), ..Trouble::default() },
        Trouble { rate_limit: 1, ..Trouble::default() },
    ] {
        let app = TestApp::spawn().await;
        app.sandbox.set_trouble(Endpoint::Userinfo, trouble);
        let browser = app.signed_in("user_aisha").await;
        assert_eq!(browser.fetch("/auth/me").await.json()["name"], "Aisha Mohammed");
        let source = app.text("select profile_source from users").await;
        assert_eq!(source.as_deref(), Some("id_token"), "{trouble:?}");
    }
}

#[tokio::test]
async fn userinfo_is_the_source_where_it_speaks() {
    let app = TestApp::spawn().await;
    app.signed_in("user_aisha").await;
    let sources =
        "select distinct concat_ws(',', profile_source, roles_source, academic_source) from users";
    assert_eq!(app.text(sources).await.as_deref(), Some("userinfo,userinfo,userinfo"));
}

#[tokio::test]
async fn a_level_given_as_a_string_is_a_number() {
    let app = TestApp::spawn().await;
    app.sandbox.misbehave(Misbehaviour::LevelAsString);
    app.signed_in("user_aisha").await;
    assert_eq!(app.number("select level::bigint from users").await, 300);
}

#[tokio::test]
async fn roles_given_as_a_string_are_a_list() {
    let app = TestApp::spawn().await;
    app.sandbox.misbehave(Misbehaviour::RolesAsString);
    let browser = app.signed_in("user_ngozi").await;
    let me = browser.fetch("/auth/me").await.json();
    assert_eq!(me["roles"], serde_json::json!(["staff", "unit_admin", "editor"]));
    assert_eq!(me["custom_roles"], serde_json::json!(["unit_admin", "editor"]));
}

#[tokio::test]
async fn a_verified_address_given_as_a_string_is_a_flag() {
    let app = TestApp::spawn().await;
    app.sandbox.misbehave(Misbehaviour::EmailVerifiedAsString);
    app.signed_in("user_aisha").await;
    assert_eq!(app.number("select count(*) from users where email_verified").await, 1);
}

#[tokio::test]
async fn custom_claims_of_any_shape_never_fail_a_sign_in() {
    let app = TestApp::spawn().await;
    let strange = serde_json::json!({
        "level": { "no": "number" }, "roles": 7, "custom_roles": null, "email_verified": [],
        "student_id": false, "picture": "javascript:alert(1)", "name": ["x"], "semester": "summer",
    });
    let person = app.sandbox.change_person("user_aisha", |person| {
        person.extra = strange.as_object().cloned().unwrap_or_default();
    });
    person.unwrap();
    let browser = app.signed_in("user_aisha").await;
    assert_eq!(browser.fetch("/auth/me").await.json()["role"], "student");
    let page = browser.navigate("/dashboard").await;
    assert_eq!(page.status, 200);
    assert!(!page.body.contains("javascript:"), "{}", page.body);
}

#[tokio::test]
async fn gen2_tells_its_session_id_and_it_is_kept() {
    let app = TestApp::spawn_with(gen2()).await;
    app.signed_in("user_aisha").await;
    assert!(app.text("select sid from sessions").await.is_some());
    assert_eq!(app.text("select issuer from users").await, Some(app.sandbox.issuer()));
}
