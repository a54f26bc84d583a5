//! Refreshing tokens (PROTOCOLS.md, "Freshness" and the table of gen1 and gen2): once, whoever asks and
//! whoever dies; and what each answer of the token endpoint means.

use crate::support::{CLIENT_ID, CLIENT_SECRET, ServerProcess, Setup, TestApp};
use campus::viewer::Standing;
use campus_sandbox::{Client, Down, Endpoint, Misbehaviour, Profile, Trouble};
use campus_server::app::App;
use campus_server::freshness::refresh::{Refreshed, refresh};
use campus_server::store::checks;
use std::time::Duration;

const BANNER: &str = "Campus One cannot be reached.";

fn gen1() -> Setup {
    Setup::default()
}

fn gen2() -> Setup {
    Setup { profile: Profile::Gen2, ..Setup::default() }
}

async fn version(app: &TestApp) -> i64 {
    app.number("select version from session_tokens").await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_requests_at_expiry_on_two_instances_are_one_token_call() {
    for setup in [gen1(), gen2()] {
        let app = TestApp::spawn_with(setup).await;
        let other = app.another(&[]).await;
        let browser = app.signed_in("user_aisha").await;
        app.access_tokens_expire().await;
        app.sandbox.reset_counts();
        let origins = [app.origin.as_str(), other.origin.as_str()];
        let requests = (0..50).map(|n| {
            let (browser, url) = (browser.clone(), format!("{}/auth/me", origins[n % 2]));
            async move { browser.fetch(&url).await.status }
        });
        assert_eq!(futures::future::join_all(requests).await, [200; 50]);
        assert_eq!((app.count(Endpoint::Token), app.count(Endpoint::Userinfo)), (1, 1));
        assert_eq!((version(&app).await, app.sandbox.reuses()), (2, 0));
    }
}

async fn refreshed(app: &App, test: &TestApp) -> Refreshed {
    let metadata = app.provider.metadata().await.unwrap();
    let person = test.live().await.viewer.id();
    let identity = checks::identity(&app.db, person).await.unwrap().unwrap();
    refresh(app, &metadata, &identity, test.session_id().await, 1).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn those_who_come_second_use_what_the_first_one_brought() {
    let app = TestApp::spawn_with(gen2()).await;
    let other = app.another(&[]).await;
    app.signed_in("user_aisha").await;
    app.sandbox.reset_counts();
    // Longer than a lease lasts without being renewed.
    app.sandbox.set_trouble(Endpoint::Token, Trouble { slow_ms: 6000, ..Trouble::default() });
    let all = (0..10).map(|n| refreshed(if n % 2 == 0 { &app.app } else { &other.app }, &app));
    let mut tokens = Vec::new();
    for refreshed in futures::future::join_all(all).await {
        let Refreshed::Good(held) = refreshed else { panic!("{refreshed:?}") };
        assert_eq!(held.version, 2);
        tokens.push(held.tokens.access.expose().to_owned());
    }
    tokens.dedup();
    assert_eq!((tokens.len(), app.count(Endpoint::Token), app.sandbox.reuses()), (1, 1, 0));
}

#[tokio::test]
async fn an_access_token_is_refreshed_before_its_end() {
    let app = TestApp::spawn().await;
    let browser = app.signed_in("user_aisha").await;
    app.access_tokens_near_their_end().await;
    app.sandbox.reset_counts();
    assert_eq!(browser.fetch("/auth/me").await.status, 200);
    assert_eq!((app.count(Endpoint::Token), app.count(Endpoint::Userinfo)), (1, 1));
    let kept = "select count(*) from session_tokens where version = 2 and id_token is not null
                and access_expires_at > now() + interval '59 minutes' and sent_at is null
                and lease_holder is null";
    assert_eq!(app.number(kept).await, 1, "the ID token of the sign-in is kept");
}

/// A process that dies while its refresh token is under way: the provider has used it, nobody has the answer.
async fn killed_in_mid_call(app: &TestApp, browser: &crate::support::Browser) {
    let mut process = ServerProcess::spawn(app, &[]).await;
    app.access_tokens_near_their_end().await;
    app.sandbox.reset_counts();
    app.sandbox.set_trouble(Endpoint::Token, Trouble { hold_ms: 60_000, ..Trouble::default() });
    let url = format!("{}/auth/me", process.origin);
    let asking = browser.request(http::Method::GET, &url).send();
    let dying = async {
        app.until_asked(Endpoint::Token, 1).await;
        tokio::time::sleep(Duration::from_millis(300)).await;
        process.kill9();
    };
    let (answer, ()) = tokio::join!(asking, dying);
    assert!(answer.is_err(), "it died before it answered");
    app.sandbox.behave();
    let sent = "select count(*) from session_tokens where sent_at is not null and version = 1";
    assert_eq!(app.number(sent).await, 1);
    // The dead one's claim to the check runs out as well; that of the lease is waited for.
    app.execute("update users set check_claimed_until = null").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_holder_killed_in_mid_call_costs_no_session() {
    let app = TestApp::spawn().await;
    let browser = app.signed_in("user_aisha").await;
    killed_in_mid_call(&app, &browser).await;
    assert_eq!(browser.fetch("/auth/me").await.status, 200, "nobody waits for the dead for long");
    for _ in 0..100 {
        if version(&app).await == 2 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!((version(&app).await, app.count(Endpoint::Token)), (2, 2), "it was sent again");
    assert_eq!(browser.fetch("/auth/me").await.status, 200);
    assert_eq!(app.live().await.standing(), Standing::Fresh);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn gen2_a_holder_killed_in_mid_call_makes_nobody_send_a_used_token_again() {
    let app = TestApp::spawn_with(gen2()).await;
    let (browser, phone) = (app.signed_in("user_aisha").await, app.browser_of("user_aisha"));
    killed_in_mid_call(&app, &browser).await;
    tokio::time::sleep(Duration::from_millis(5200)).await;
    phone.follow("/auth/login").await;
    app.sandbox.reset_counts();
    app.checks_are_due().await;
    assert_eq!(
        browser.fetch("/auth/me").await.status,
        200,
        "the access token serves while it lives"
    );
    assert_eq!((app.count(Endpoint::Token), app.count(Endpoint::Userinfo)), (0, 1));

    app.access_tokens_expire().await;
    let hops = browser.follow("/dashboard").await;
    let landed = hops.last().unwrap();
    assert_eq!((landed.status, landed.url.path()), (200, "/dashboard"));
    assert!(hops.iter().all(|hop| hop.url.path() != "/sign-in"), "nobody was asked anything");
    assert_eq!(app.sandbox.reuses(), 0);
    assert_eq!(phone.fetch("/auth/me").await.status, 200, "the other devices stay");
    let expired = "select count(*) from sessions where end_reason = 'expired'";
    assert_eq!(app.number(expired).await, 1);
}

#[tokio::test]
async fn an_answer_that_never_came_is_asked_for_again_only_where_that_is_safe() {
    for (setup, calls) in [(gen1(), 2), (gen2(), 1)] {
        let app = TestApp::spawn_with(setup).await;
        let browser = app.signed_in("user_aisha").await;
        app.sandbox.reset_counts();
        let cut = Trouble { down: Some(Down::Drop), ..Trouble::default() };
        app.sandbox.set_trouble(Endpoint::Token, cut);
        app.access_tokens_near_their_end().await;
        let page = browser.navigate("/dashboard").await;
        assert!(!page.body.contains(BANNER), "the access token still serves");
        app.sandbox.behave();
        app.checks_are_due().await;
        assert_eq!(browser.fetch("/auth/me").await.status, 200);
        assert_eq!((app.count(Endpoint::Token), app.sandbox.reuses()), (calls, 0));
        assert_eq!(app.live().await.standing(), Standing::Fresh);
    }
}

#[tokio::test]
async fn gen2_garbled_tokens_leave_their_refresh_token_in_doubt() {
    let app = TestApp::spawn_with(gen2()).await;
    let browser = app.signed_in("user_aisha").await;
    app.sandbox.misbehave(Misbehaviour::GarbageJson);
    app.access_tokens_near_their_end().await;
    assert_eq!(browser.fetch("/auth/me").await.status, 200);
    app.checks_are_due().await;
    assert_eq!(browser.fetch("/auth/me").await.status, 200);
    assert_eq!((version(&app).await, app.sandbox.reuses()), (1, 0));
}

#[tokio::test]
async fn a_429_is_stale_and_its_pause_is_heeded() {
    for setup in [gen1(), gen2()] {
        let app = TestApp::spawn_with(setup).await;
        let browser = app.signed_in("user_aisha").await;
        app.sandbox.reset_counts();
        let limited = Trouble { rate_limit: 1, retry_after: 120, ..Trouble::default() };
        app.sandbox.set_trouble(Endpoint::Token, limited);
        app.access_tokens_expire().await;
        for _ in 0..3 {
            let page = browser.navigate("/dashboard").await;
            assert!(page.status == 200 && page.body.contains(BANNER));
            app.execute("update users set check_claimed_until = null").await;
        }
        assert_eq!(app.count(Endpoint::Token), 1, "no further call before the pause is over");
        let pause = "select (extract(epoch from paused_until - now()) + 10)::bigint
                     from provider_pauses where endpoint = 'token'";
        assert!((120..=130).contains(&app.number(pause).await));
        app.execute("update provider_pauses set paused_until = now()").await;
        assert!(!browser.navigate("/dashboard").await.body.contains(BANNER));
        assert_eq!((app.count(Endpoint::Token), app.sandbox.reuses()), (2, 0));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn invalid_client_is_an_operators_alarm_and_no_sign_out() {
    let app = TestApp::spawn().await;
    let browser = app.signed_in("user_aisha").await;
    let process = ServerProcess::spawn(&app, &[]).await;
    let secret = |secret: &str| {
        let known = app.sandbox.client(CLIENT_ID).unwrap();
        app.sandbox.set_client(Client { secret: secret.to_owned(), ..known });
    };
    secret("another one");
    app.access_tokens_expire().await;
    let page = browser.navigate(&format!("{}/dashboard", process.origin)).await;
    assert!(page.status == 200 && page.body.contains(BANNER), "{}", page.body);
    let alarm = process.log();
    let alarm = alarm.lines().find(|line| line.contains("refuses this app's client id or secret"));
    assert!(alarm.is_some_and(|line| line.contains("ERROR")), "{}", process.log());
    app.execute(
        "update users set stale_since = stale_since - interval '1 day', check_claimed_until = null",
    )
    .await;
    assert_eq!(browser.navigate("/dashboard").await.status, 200, "however long it lasts");
    secret(CLIENT_SECRET);
    app.execute("update users set check_claimed_until = null").await;
    assert!(!browser.navigate("/dashboard").await.body.contains(BANNER));
}

#[tokio::test]
async fn a_used_up_budget_puts_checks_off_and_keeps_no_sign_in_out() {
    let used_up = "insert into provider_calls (endpoint, minute, calls)
        select endpoint, date_trunc('minute', now()) + minute * interval '1 minute', 1000
        from unnest(array['token', 'userinfo']) endpoint, generate_series(0, 2) minute
        on conflict (endpoint, minute) do update set calls = 1000";
    let app = TestApp::spawn().await;
    let counted = "select min(calls)::bigint from provider_calls";
    let browser = app.signed_in("user_aisha").await;
    assert_eq!(app.number(counted).await, 1, "a sign-in counts");
    app.execute(used_up).await;
    app.sandbox.reset_counts();

    app.checks_are_due().await;
    let page = browser.navigate("/dashboard").await;
    assert!(page.status == 200 && !page.body.contains(BANNER), "simply put off");
    let refusal = campus_server::freshness::confirm_now(&app.app, &app.live().await).await;
    assert_eq!(refusal.unwrap_err().reason.code, "roles_unconfirmed");
    app.access_tokens_expire().await;
    let page = browser.navigate("/dashboard").await;
    assert!(page.status == 200 && page.body.contains(BANNER), "the token ran out");
    assert_eq!((app.count(Endpoint::Token), app.count(Endpoint::Userinfo)), (0, 0));

    app.signed_in("user_chinedu").await;
    let most = app.number("select max(calls)::bigint from provider_calls").await;
    assert_eq!(most, 1001, "sign-ins count and are never held back");
}

#[tokio::test]
async fn oidcc_client_test_refresh_token() {
    for setup in [gen1(), gen2()] {
        let app = TestApp::spawn_with(setup).await;
        let browser = app.signed_in("user_aisha").await;
        for version in 2..5 {
            app.access_tokens_expire().await;
            assert_eq!(browser.fetch("/auth/me").await.json()["sub"], "user_aisha");
            assert_eq!(self::version(&app).await, version);
        }
        assert_eq!(app.live().await.standing(), Standing::Fresh);
        assert_eq!(app.sandbox.reuses(), 0);
    }
}

async fn refuses_the_refreshed(misbehaviour: Misbehaviour) {
    for setup in [gen1(), gen2()] {
        let app = TestApp::spawn_with(setup).await;
        let browser = app.signed_in("user_aisha").await;
        let tokens = "select access_token || refresh_token from session_tokens";
        let before = app.text(tokens).await;
        app.sandbox.misbehave(misbehaviour);
        app.access_tokens_expire().await;
        app.sandbox.reset_counts();
        let page = browser.navigate("/dashboard").await;
        assert!(page.status == 200 && page.body.contains(BANNER), "{}", page.body);
        assert_eq!((version(&app).await, app.text(tokens).await), (1, before));
        let calls = (app.count(Endpoint::Token), app.count(Endpoint::Userinfo));
        assert_eq!(calls, (1, 0), "the new access token is not used");
        assert_eq!(app.rows().await, (1, 1));
    }
}

#[tokio::test]
async fn oidcc_client_test_refresh_token_invalid_issuer() {
    refuses_the_refreshed(Misbehaviour::RefreshInvalidIssuer).await;
}

#[tokio::test]
async fn oidcc_client_test_refresh_token_invalid_sub() {
    refuses_the_refreshed(Misbehaviour::RefreshInvalidSub).await;
}

#[tokio::test]
async fn a_refreshed_id_token_must_be_signed() {
    let app = TestApp::spawn_with(gen2()).await;
    let browser = app.signed_in("user_aisha").await;
    app.sandbox.misbehave(Misbehaviour::SigNone);
    app.access_tokens_expire().await;
    assert!(browser.navigate("/dashboard").await.body.contains(BANNER));
    assert_eq!(version(&app).await, 1);
}
