//! Back-channel logout: what the provider may end here, and what it must be refused (OpenID Connect
//! Back-Channel Logout 1.0; the conformance suite's names stand in the tests' names).

use crate::support::{Answer, Browser, CLIENT_ID, SESSION, SIGNED_OUT, Setup, TestApp, parameter};
use campus::reason::EndReason;
use campus_sandbox::{Algorithm, Down, Endpoint, Misbehaviour, Profile, Trouble};
use campus_server::clock;
use campus_server::store::logout_tokens;
use http::Method;
use serde_json::json;

const RECEIVER: &str = "/auth/backchannel-logout";
const AISHA: &str = "user_aisha";

fn gen2() -> Setup {
    Setup { profile: Profile::Gen2, ..Setup::default() }
}

/// Posts a logout token as the provider does: a server, without cookies and without the headers of a
/// browser.
async fn post(app: &TestApp, token: &str) -> Answer {
    let provider = app.browser();
    let form = [("logout_token", token)];
    provider.send(provider.request(Method::POST, RECEIVER).form(&form)).await
}

async fn live(app: &TestApp) -> i64 {
    app.number("select count(*) from sessions where ended_at is null").await
}

fn assert_believed(answer: &Answer) {
    assert_eq!((answer.status, answer.body.as_str()), (200, ""), "{answer:?}");
    answer.assert_private();
    assert_eq!(answer.cookies(), []);
}

fn assert_refused(answer: &Answer) {
    assert_eq!(answer.status, 400, "{answer:?}");
    assert_eq!(answer.json()["error"], "invalid_request");
    assert_eq!(answer.header("content-type"), "application/json");
    answer.assert_private();
}

async fn refused(setup: Setup, misbehaviour: Misbehaviour) {
    let app = TestApp::spawn_with(setup).await;
    let browser = app.signed_in(AISHA).await;
    app.sandbox.misbehave(misbehaviour);
    assert_refused(&post(&app, &app.sandbox.logout_token(AISHA, CLIENT_ID).unwrap()).await);
    assert_eq!(browser.fetch("/auth/me").await.status, 200, "{misbehaviour:?} ended a session");
    let traces = "select (select count(*) from used_logout_tokens)
                       + (select count(*) from audit_entries where kind = 'sessions_ended')";
    assert_eq!(app.number(traces).await, 0);
    // The next one, a good one, is not spoilt by this one.
    assert_believed(&post(&app, &app.sandbox.logout_token(AISHA, CLIENT_ID).unwrap()).await);
    assert_eq!(live(&app).await, 0);
}

macro_rules! refused {
    ($($name:ident: $misbehaviour:ident;)+) => {$(
        #[tokio::test]
        async fn $name() {
            refused(gen2(), Misbehaviour::$misbehaviour).await;
        }
    )+};
}

refused! {
    oidcc_client_test_rp_backchannel_rpinitlogout_alg_none: LogoutAlgNone;
    oidcc_client_test_rp_backchannel_rpinitlogout_wrong_alg: LogoutWrongAlg;
    oidcc_client_test_rp_backchannel_rpinitlogout_wrong_iss: LogoutWrongIss;
    oidcc_client_test_rp_backchannel_rpinitlogout_wrong_aud: LogoutWrongAud;
    oidcc_client_test_rp_backchannel_rpinitlogout_no_event: LogoutNoEvent;
    oidcc_client_test_rp_backchannel_rpinitlogout_wrong_event: LogoutWrongEvent;
    oidcc_client_test_rp_backchannel_rpinitlogout_with_nonce: LogoutWithNonce;
}

/// Two browsers share one session at the provider. One signs out at the provider, as another app's sign-out
/// does; the provider tells us, and the other is out too.
#[tokio::test]
async fn oidcc_client_test_rp_backchannel_rpinitlogout() {
    for algorithm in [Algorithm::EdDsa, Algorithm::Rs256, Algorithm::Es256] {
        let app = TestApp::spawn_with(Setup { algorithm, ..gen2() }).await;
        let browser = app.signed_in(AISHA).await;
        let elsewhere = app.signed_in(AISHA).await;
        // A second sign-in in the first browser's provider session.
        let twin = browser.clone();
        twin.forget(SESSION);
        twin.follow("/auth/login").await;
        assert_eq!(live(&app).await, 3);

        let (hint, _) = sandbox_tokens_of(&app, &browser).await;
        let target = format!(
            "{}/api/auth/oauth2/end-session?id_token_hint={hint}&client_id={CLIENT_ID}",
            app.sandbox.origin()
        );
        assert_eq!(browser.navigate(&target).await.status, 200);

        for out in [&browser, &twin] {
            let page = out.navigate("/dashboard").await;
            assert_eq!(page.status, 401);
            assert!(page.body.contains(EndReason::SignedOutAtProvider.text()), "{}", page.body);
            assert!(page.sets(SIGNED_OUT), "nobody is signed in silently after that");
        }
        assert_eq!(elsewhere.fetch("/auth/me").await.status, 200, "another session there stays");
    }
}

/// The ID token of the provider session that a browser holds: that of its own newest sign-in.
async fn sandbox_tokens_of(app: &TestApp, browser: &Browser) -> (String, String) {
    browser.follow("/auth/login").await;
    app.sandbox.tokens(AISHA, CLIENT_ID).unwrap()
}

#[tokio::test]
async fn a_session_is_ended_on_every_instance_and_its_end_is_written_down() {
    let app = TestApp::spawn_with(gen2()).await;
    let browser = app.signed_in(AISHA).await;
    let instance = app.another(&[]).await;
    let elsewhere = Browser::new(&instance.origin);
    elsewhere.put("localhost", SESSION, &browser.cookie(SESSION).unwrap());
    assert_eq!(elsewhere.fetch("/auth/me").await.status, 200, "both serve one session");
    assert_eq!(app.number("select count(*) from session_tokens").await, 1);

    assert_eq!(app.sandbox.send_logout(AISHA, CLIENT_ID).await.unwrap(), 200);

    assert_eq!(browser.fetch("/auth/me").await.status, 401);
    assert_eq!(elsewhere.fetch("/auth/me").await.status, 401);
    assert_eq!(app.number("select count(*) from session_tokens").await, 0);
    let told = "select count(*) from person_changes c join sessions s on s.id = c.session_id
                where c.kind = 'ended'";
    assert_eq!(app.number(told).await, 1);
    let entry = app
        .text(
            "select json_build_array(actor, rule, detail, session_id is not null)::text
             from audit_entries where kind = 'sessions_ended'",
        )
        .await
        .unwrap();
    let entry: serde_json::Value = serde_json::from_str(&entry).unwrap();
    let detail = r#"{"reason":"signed_out_at_provider","sessions":1}"#;
    assert_eq!(entry, json!(["provider", "back-channel logout", detail, true]));
}

#[tokio::test]
async fn a_token_without_a_sid_ends_all_sessions_of_the_person_and_of_nobody_else() {
    // gen1's ID tokens have no sid, and without a session at the provider the logout token has none either.
    let app = TestApp::spawn_with(gen2()).await;
    let (phone, desk) = (app.signed_in(AISHA).await, app.signed_in(AISHA).await);
    let other = app.signed_in("user_zainab").await;
    app.sandbox.end_session(Some(AISHA));
    assert_believed(&post(&app, &app.sandbox.logout_token(AISHA, CLIENT_ID).unwrap()).await);
    for out in [phone, desk] {
        assert_eq!(out.fetch("/auth/me").await.status, 401);
    }
    assert_eq!(other.fetch("/auth/me").await.status, 200);
    let detail = "select detail from audit_entries where kind = 'sessions_ended'";
    let expected = r#"{"reason":"signed_out_at_provider","sessions":2}"#;
    assert_eq!(app.text(detail).await.as_deref(), Some(expected));
}

#[tokio::test]
async fn a_sid_of_another_person_ends_nothing() {
    let app = TestApp::spawn_with(gen2()).await;
    let browser = app.signed_in("user_zainab").await;
    app.signed_in(AISHA).await;
    // Aisha's token, with the session id that Zainab's row holds.
    app.execute(
        "update sessions set sid = (select sid from sessions s join users u on u.id = s.user_id
                                    where u.subject = 'user_aisha')
         where user_id = (select id from users where subject = 'user_zainab')",
    )
    .await;
    assert_believed(&post(&app, &app.sandbox.logout_token(AISHA, CLIENT_ID).unwrap()).await);
    assert_eq!(browser.fetch("/auth/me").await.status, 200);
    assert_eq!(live(&app).await, 1);
}

#[tokio::test]
async fn a_person_or_session_that_is_not_known_here_is_no_fault() {
    for with_session in [true, false] {
        let app = TestApp::spawn_with(gen2()).await;
        let browser = app.signed_in("user_zainab").await;
        if with_session {
            app.sandbox.sign_in(AISHA).unwrap();
        }
        assert_believed(&post(&app, &app.sandbox.logout_token(AISHA, CLIENT_ID).unwrap()).await);
        assert_eq!(browser.fetch("/auth/me").await.status, 200);
    }
}

#[tokio::test]
async fn a_replayed_token_is_refused_and_ends_nothing() {
    let app = TestApp::spawn_with(gen2()).await;
    app.signed_in(AISHA).await;
    app.sandbox.end_session(Some(AISHA));
    let token = app.sandbox.logout_token(AISHA, CLIENT_ID).unwrap();
    assert_believed(&post(&app, &token).await);
    let back = app.signed_in(AISHA).await;
    assert_refused(&post(&app, &token).await);
    assert_eq!(back.fetch("/auth/me").await.status, 200, "the new session stays");
    let now = clock::now();
    assert_eq!(logout_tokens::forget(&app.app.db, now).await.unwrap(), 0, "kept while it is good");
    let later = now.plus_seconds(86_400);
    assert_eq!(logout_tokens::forget(&app.app.db, later).await.unwrap(), 1);
}

#[tokio::test]
async fn of_many_at_once_one_is_believed() {
    let app = TestApp::spawn_with(gen2()).await;
    app.signed_in(AISHA).await;
    let token = app.sandbox.logout_token(AISHA, CLIENT_ID).unwrap();
    let answers = futures::future::join_all((0..8).map(|_| post(&app, &token))).await;
    let believed = answers.iter().filter(|answer| answer.status == 200).count();
    let refused = answers.iter().filter(|answer| answer.status == 400).count();
    assert_eq!((believed, refused), (1, 7));
}

#[tokio::test]
async fn an_id_token_is_no_logout_token() {
    let app = TestApp::spawn_with(gen2()).await;
    let browser = app.signed_in(AISHA).await;
    let (id_token, _) = app.sandbox.tokens(AISHA, CLIENT_ID).unwrap();
    assert_refused(&post(&app, &id_token).await);
    assert_eq!(browser.fetch("/auth/me").await.status, 200);
}

#[tokio::test]
async fn what_is_no_form_with_one_token_is_refused() {
    let app = TestApp::spawn_with(gen2()).await;
    app.signed_in(AISHA).await;
    let token = app.sandbox.logout_token(AISHA, CLIENT_ID).unwrap();
    let twice = format!("logout_token={token}&logout_token={token}");
    for body in ["", "logout_token=", "logout_token=a.b.c", "{}", "token=x", &twice] {
        let browser = app.browser();
        let request = browser.request(Method::POST, RECEIVER).body(body.to_owned());
        assert_refused(&browser.send(request).await);
    }
    assert_eq!(app.browser().navigate(RECEIVER).await.status, 405);
    assert_eq!(live(&app).await, 1);
}

/// Not a word on the token while it cannot be judged: the provider may send it again.
#[tokio::test]
async fn while_there_are_no_keys_a_token_is_neither_believed_nor_spent() {
    let app = TestApp::spawn_with(gen2()).await;
    app.signed_in(AISHA).await;
    // An instance that has just started holds no keys yet.
    let instance = app.another(&[]).await;
    let fresh = Browser::new(&instance.origin);
    let down = Trouble { down: Some(Down::Status), ..Trouble::default() };
    app.sandbox.set_trouble(Endpoint::Jwks, down);
    let token = app.sandbox.logout_token(AISHA, CLIENT_ID).unwrap();
    let form = [("logout_token", token.as_str())];
    let answer = fresh.send(fresh.request(Method::POST, RECEIVER).form(&form)).await;
    assert_eq!((answer.status, live(&app).await), (503, 1));
    assert_believed(&post(&app, &token).await);
}

#[tokio::test]
async fn after_a_rotation_the_new_key_counts() {
    let app = TestApp::spawn_with(gen2()).await;
    app.signed_in(AISHA).await;
    app.sandbox.rotate_keys().unwrap();
    assert_believed(&post(&app, &app.sandbox.logout_token(AISHA, CLIENT_ID).unwrap()).await);
    assert_eq!(live(&app).await, 0);
}

/// The whole way of gen2: our button, its sign-out, its word to us, and back.
#[tokio::test]
async fn the_sign_out_of_gen2_reaches_us_by_both_channels() {
    let app = TestApp::spawn_with(gen2()).await;
    let browser = app.signed_in(AISHA).await;
    let twin = browser.clone();
    twin.forget(SESSION);
    twin.follow("/auth/login").await;
    let metadata = app.app.provider.metadata().await.unwrap();
    let (hint, _) = app.sandbox.tokens(AISHA, CLIENT_ID).unwrap();
    let url = campus_server::signin::leave_provider::end_session_url(
        &metadata,
        CLIENT_ID,
        Some(&campus_server::config::Secret::new(hint)),
        &format!("{}/auth/signed-out", app.origin),
        "a-state",
    );
    browser.submit("/auth/logout").await;
    let hops = browser.follow(url.unwrap().as_str()).await;
    let landed = hops.last().unwrap();
    assert_eq!((landed.status, landed.url.path()), (200, "/auth/signed-out"));
    assert_eq!(parameter(&landed.url, "state").as_deref(), Some("a-state"));
    assert_eq!(
        twin.fetch("/auth/me").await.status,
        401,
        "the logout token came before the redirect"
    );
}

/// PROTOCOLS.md, "Sessions": what is under way must not revive what a logout ended.
#[tokio::test]
async fn a_sign_in_under_way_does_not_outlive_its_session_at_the_provider() {
    for with_sid in [true, false] {
        let app = TestApp::spawn_with(gen2()).await;
        // Somebody who was here before: a logout token without a sid finds their row.
        app.signed_in(AISHA).await;
        let browser = app.browser_of(AISHA);
        app.sandbox.reset_counts();
        let slow = Trouble { slow_ms: 1500, ..Trouble::default() };
        app.sandbox.set_trouble(Endpoint::Userinfo, slow);
        let signing_in = browser.follow("/auth/login?next=%2Fdashboard");
        let leaving = async {
            while app.count(Endpoint::Userinfo) == 0 {
                tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            }
            if !with_sid {
                app.sandbox.end_session(Some(AISHA));
            }
            app.sandbox.send_logout(AISHA, CLIENT_ID).await.unwrap()
        };
        let (hops, status) = tokio::join!(signing_in, leaving);
        assert_eq!(status, 200);
        let page = hops.last().unwrap();
        assert_eq!(browser.fetch("/auth/me").await.status, 401);
        if with_sid {
            assert_eq!(page.status, 401);
            assert!(page.body.contains(EndReason::SignedOutAtProvider.text()), "{}", page.body);
        } else {
            // Nobody is signed in there any more, so they are asked.
            assert_eq!(page.url.path(), "/sign-in");
        }
    }
}
