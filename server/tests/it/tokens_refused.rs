//! Tokens that must not be believed: no session, no row, no further question, a page with the reason.

use crate::support::{SESSION, Setup, TestApp};
use campus_sandbox::{Algorithm, Down, Endpoint, Misbehaviour, Profile, Trouble};

async fn refused(setup: Setup, misbehaviour: Misbehaviour, reason: &str) {
    let app = TestApp::spawn_with(setup).await;
    app.sandbox.misbehave(misbehaviour);
    let browser = app.browser_of("user_aisha");
    let hops = browser.follow("/auth/login").await;
    let page = hops.last().unwrap();
    page.assert_refused(401, reason);
    page.assert_private();
    assert!(page.body.contains("data-reason="), "no page: {}", page.body);
    assert_eq!((browser.cookie(SESSION), browser.flows()), (None, 0));
    assert_eq!(app.rows().await, (0, 0));
    let asked_further = u64::from(reason == "userinfo_subject");
    assert_eq!(app.count(Endpoint::Userinfo), asked_further);
    assert_eq!(app.count(Endpoint::Token), 1);
    // The next try is not spoilt by this one.
    browser.follow("/auth/login").await;
    assert!(browser.cookie(SESSION).is_some());
}

/// One test for each misbehaviour, named as the conformance suite names it.
macro_rules! refused {
    ($($name:ident: $misbehaviour:ident => $reason:literal, $setup:expr;)+) => {$(
        #[tokio::test]
        async fn $name() {
            refused($setup, Misbehaviour::$misbehaviour, $reason).await;
        }
    )+};
}

fn gen1() -> Setup {
    Setup::default()
}

fn gen2() -> Setup {
    Setup { profile: Profile::Gen2, ..Setup::default() }
}

fn signed(algorithm: Algorithm) -> Setup {
    Setup { algorithm, ..Setup::default() }
}

refused! {
    oidcc_client_test_invalid_iss: InvalidIss => "id_token_issuer", gen1();
    oidcc_client_test_missing_iss: MissingIss => "id_token_issuer", gen1();
    oidcc_client_test_missing_sub: MissingSub => "id_token_subject", gen1();
    oidcc_client_test_invalid_aud: InvalidAud => "id_token_audience", gen1();
    oidcc_client_test_missing_aud: MissingAud => "id_token_audience", gen1();
    oidcc_client_test_invalid_secondary_aud: SecondaryAud => "id_token_audience", gen1();
    foreign_azp: ForeignAzp => "id_token_audience", gen1();
    oidcc_client_test_missing_iat: MissingIat => "id_token_time", gen1();
    iat_in_the_future: FutureIat => "id_token_time", gen1();
    oidcc_client_test_missing_exp: MissingExp => "id_token_time", gen1();
    oidcc_client_test_invalid_expired_exp: ExpiredExp => "id_token_time", gen1();
    oidcc_client_test_nonce_invalid: InvalidNonce => "id_token_nonce", gen1();
    oidcc_client_test_missing_nonce: MissingNonce => "id_token_nonce", gen1();
    oidcc_client_test_idtoken_sig_none: SigNone => "id_token_signature", gen1();
    invalid_sig_eddsa: InvalidSig => "id_token_signature", gen1();
    oidcc_client_test_invalid_sig_rs256: InvalidSig => "id_token_signature", signed(Algorithm::Rs256);
    oidcc_client_test_invalid_sig_es256: InvalidSig => "id_token_signature", signed(Algorithm::Es256);
    oidcc_client_test_invalid_sig_hs256: Hs256 => "id_token_signature", gen1();
    oidcc_client_test_invalid_athash: InvalidAthash => "id_token_at_hash", gen2();
    gen2_invalid_iss: InvalidIss => "id_token_issuer", gen2();
    oidcc_client_test_userinfo_invalid_sub: UserinfoInvalidSub => "userinfo_subject", gen1();
}

#[tokio::test]
async fn oidcc_client_test_invalid_null_alg() {
    let app = TestApp::spawn().await;
    app.sandbox.misbehave(Misbehaviour::NullAlg);
    let browser = app.browser_of("user_aisha");
    let hops = browser.follow("/auth/login").await;
    hops.last().unwrap().assert_refused(401, "id_token_malformed");
    assert_eq!((browser.cookie(SESSION), browser.flows()), (None, 0));
    assert_eq!((app.rows().await, app.count(Endpoint::Userinfo)), ((0, 0), 0));
}

#[tokio::test]
async fn a_token_answer_that_is_no_json_is_refused() {
    let app = TestApp::spawn().await;
    app.sandbox.misbehave(Misbehaviour::GarbageJson);
    let hops = app.browser_of("user_aisha").follow("/auth/login").await;
    hops.last().unwrap().assert_refused(502, "provider_answer_invalid");
    assert_eq!((app.rows().await, app.count(Endpoint::Userinfo)), ((0, 0), 0));
}

#[tokio::test]
async fn oidcc_client_test_discovery_issuer_mismatch() {
    let app = TestApp::spawn().await;
    app.sandbox.misbehave_times(Misbehaviour::DiscoveryIssuerMismatch, None);
    let page = app.browser_of("user_aisha").navigate("/auth/login").await;
    page.assert_refused(502, "provider_answer_invalid");
    assert_eq!((app.count(Endpoint::Authorize), app.rows().await), (0, (0, 0)));
}

#[tokio::test]
async fn a_token_endpoint_in_trouble_is_not_the_persons_fault() {
    for trouble in [
        Trouble { down: Some(Down::Status), ..Trouble::default() },
        Trouble { down: Some(Down::Drop), ..Trouble::default() },
        Trouble { rate_limit: 1, retry_after: 3, ..Trouble::default() },
    ] {
        let app = TestApp::spawn().await;
        app.sandbox.set_trouble(Endpoint::Token, trouble);
        let hops = app.browser_of("user_aisha").follow("/auth/login").await;
        hops.last().unwrap().assert_refused(503, "provider_unreachable");
        assert_eq!(app.rows().await, (0, 0));
    }
}

#[tokio::test]
async fn a_client_secret_the_provider_does_not_know_is_the_operators_matter() {
    let app = TestApp::spawn().await;
    let mut client = app.sandbox.client(crate::support::CLIENT_ID).unwrap();
    client.secret = "changed".to_owned();
    app.sandbox.set_client(client);
    let hops = app.browser_of("user_aisha").follow("/auth/login").await;
    hops.last().unwrap().assert_refused(503, "client_refused");
    assert_eq!(app.rows().await, (0, 0));
}

#[tokio::test]
async fn without_keys_no_code_is_spent() {
    let app = TestApp::spawn().await;
    let down = Trouble { down: Some(Down::Status), ..Trouble::default() };
    app.sandbox.set_trouble(Endpoint::Jwks, down);
    let hops = app.browser_of("user_aisha").follow("/auth/login").await;
    hops.last().unwrap().assert_refused(503, "provider_unreachable");
    assert_eq!(app.count(Endpoint::Token), 0, "a failed exchange would burn the code");
}
