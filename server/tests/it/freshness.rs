//! The re-validation ladder (PROTOCOLS.md, "Freshness"): when a person is checked, and its outcomes.

use crate::support::{SESSION, Setup, TestApp};
use campus::reason::{EndReason, Reason};
use campus::viewer::Standing;
use campus_sandbox::{Down, Endpoint, Misbehaviour, Profile, Trouble};
use campus_server::freshness;
use serde_json::json;
use std::time::{Duration, Instant};

fn gen2() -> Setup {
    Setup { profile: Profile::Gen2, ..Setup::default() }
}

async fn reason(app: &TestApp) -> Option<String> {
    app.text("select end_reason from sessions order by created_at limit 1").await
}

#[tokio::test]
async fn at_most_every_five_minutes_and_a_check_changes_every_group_of_claims() {
    let app = TestApp::spawn().await;
    let browser = app.signed_in("user_aisha").await;
    let signed_in = "select signed_in_at::text from users";
    let at = app.text(signed_in).await;
    app.sandbox.reset_counts();
    app.sandbox
        .change_person("user_aisha", |person| {
            person.name = "Aisha Bello".to_owned();
            if let Some(academic) = &mut person.academic {
                academic.level = 400;
            }
        })
        .unwrap();
    for _ in 0..3 {
        assert_eq!(browser.fetch("/auth/me").await.json()["name"], "Aisha Mohammed");
    }
    assert_eq!(app.count(Endpoint::Userinfo), 0, "a sign-in is a confirmation");
    app.checks_are_due().await;
    for _ in 0..3 {
        assert_eq!(browser.fetch("/auth/me").await.json()["name"], "Aisha Bello");
    }
    assert_eq!((app.count(Endpoint::Userinfo), app.count(Endpoint::Token)), (1, 0));
    assert_eq!(app.text(signed_in).await, at, "a check is no sign-in");
    assert_eq!(app.number("select level::bigint from users").await, 400);
    assert_eq!(app.text("select academic_source from users").await.as_deref(), Some("userinfo"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_requests_of_one_person_are_one_userinfo_call() {
    let app = TestApp::spawn().await;
    let other = app.another(&[]).await;
    let browser = app.signed_in("user_aisha").await;
    app.sandbox.reset_counts();
    let slow = Trouble { slow_ms: 150, ..Trouble::default() };
    app.sandbox.set_trouble(Endpoint::Userinfo, slow);
    app.checks_are_due().await;
    let origins = [app.origin.as_str(), other.origin.as_str()];
    let requests = (0..50).map(|n| {
        let (browser, url) = (browser.clone(), format!("{}/auth/me", origins[n % 2]));
        async move { browser.fetch(&url).await.status }
    });
    let statuses = futures::future::join_all(requests).await;
    assert_eq!(statuses, [200; 50]);
    assert_eq!((app.count(Endpoint::Userinfo), app.count(Endpoint::Token)), (1, 0));
}

#[tokio::test]
async fn a_lost_role_is_gone_at_the_next_check_without_a_sign_out() {
    let app = TestApp::spawn().await;
    let browser = app.signed_in("user_zainab").await;
    let token = browser.cookie(SESSION);
    app.sandbox.change_person("user_zainab", |person| person.custom_roles.clear()).unwrap();
    app.checks_are_due().await;
    let me = browser.fetch("/auth/me").await.json();
    assert_eq!((&me["custom_roles"], &me["roles"]), (&json!([]), &json!(["student"])));
    assert_eq!((browser.cookie(SESSION), app.rows().await), (token, (1, 1)));
    let entry =
        "select kind || ' ' || actor || ' ' || rule from audit_entries order by seq desc limit 1";
    assert_eq!(app.text(entry).await.as_deref(), Some("roles_changed server userinfo"));
    assert_eq!(app.number("select count(*) from person_changes where kind = 'roles'").await, 1);
}

#[tokio::test]
async fn a_webhooks_mark_makes_the_check_due_at_once() {
    let app = TestApp::spawn().await;
    let browser = app.signed_in("user_zainab").await;
    app.sandbox.change_person("user_zainab", |person| person.custom_roles.clear()).unwrap();
    app.execute("update users set roles_stale = true").await;
    assert_eq!(browser.fetch("/auth/me").await.json()["custom_roles"], json!([]));
    assert_eq!(app.number("select count(*) from users where roles_stale").await, 0);
}

#[tokio::test]
async fn a_mark_that_comes_during_a_check_and_one_whose_check_failed_stay() {
    let app = TestApp::spawn().await;
    let browser = app.signed_in("user_zainab").await;
    app.sandbox.reset_counts();
    let marked = "select count(*) from users where roles_stale and checked_at is not null";
    let trouble = |trouble| app.sandbox.set_trouble(Endpoint::Userinfo, trouble);
    trouble(Trouble { slow_ms: 500, ..Trouble::default() });
    app.execute("update users set roles_stale = true").await;
    let during = async {
        app.until_asked(Endpoint::Userinfo, 1).await;
        app.execute("update users set roles_stale = true").await;
    };
    tokio::join!(browser.fetch("/auth/me"), during);
    assert_eq!(app.count(Endpoint::Userinfo), 2, "it may be newer than the first answer");
    app.execute("update users set roles_stale = true").await;
    trouble(Trouble { down: Some(Down::Status), ..Trouble::default() });
    assert_eq!(browser.fetch("/auth/me").await.status, 200);
    assert_eq!(app.count(Endpoint::Userinfo), 3);
    assert_eq!(app.number(marked).await, 1, "nothing was read");
}

#[tokio::test]
async fn disconnected_without_a_webhook_ends_the_next_request() {
    for setup in [Setup::default(), gen2()] {
        for expired in [true, false] {
            let app = TestApp::spawn_with(setup.clone()).await;
            let (browser, other) =
                (app.signed_in("user_aisha").await, app.signed_in("user_aisha").await);
            app.sandbox.disconnect("user_aisha", None).unwrap();
            if expired {
                app.access_tokens_expire().await;
            } else {
                app.checks_are_due().await;
            }
            let page = browser.navigate("/dashboard").await;
            assert!(page.status == 401 && page.body.contains(EndReason::Disconnected.text()));
            assert_eq!(other.fetch("/auth/me").await.status, 401, "everywhere");
            assert_eq!(reason(&app).await.as_deref(), Some("disconnected"));
            assert_eq!(app.number("select count(*) from session_tokens").await, 0);
            assert_eq!(
                app.number("select count(*) from users where disconnected_at is null").await,
                0
            );
            let entry =
                "select actor || ' ' || rule from audit_entries where kind = 'disconnected'";
            assert_eq!(app.text(entry).await.as_deref(), Some("provider refresh invalid_grant"));
        }
    }
}

#[tokio::test]
async fn a_401_right_after_a_good_refresh_is_a_disconnection() {
    let app = TestApp::spawn().await;
    let browser = app.signed_in("user_aisha").await;
    app.sandbox.misbehave_times(Misbehaviour::Userinfo401, Some(2));
    app.checks_are_due().await;
    assert_eq!(browser.fetch("/auth/me").await.status, 401);
    assert_eq!(reason(&app).await.as_deref(), Some("disconnected"));
}

#[tokio::test]
async fn a_401_is_refreshed_once_and_asked_again() {
    let app = TestApp::spawn().await;
    let browser = app.signed_in("user_aisha").await;
    app.sandbox.reset_counts();
    app.sandbox.misbehave(Misbehaviour::Userinfo401);
    app.checks_are_due().await;
    assert_eq!(browser.fetch("/auth/me").await.status, 200);
    assert_eq!((app.count(Endpoint::Token), app.count(Endpoint::Userinfo)), (1, 2));
    assert_eq!(app.live().await.standing(), Standing::Fresh);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sign_in_made_while_a_disconnection_is_found_survives() {
    let app = TestApp::spawn().await;
    let browser = app.signed_in("user_aisha").await;
    app.sandbox.reset_counts();
    app.sandbox.disconnect("user_aisha", None).unwrap();
    app.access_tokens_expire().await;
    let slow = Trouble { slow_ms: 1500, ..Trouble::default() };
    app.sandbox.set_trouble(Endpoint::Token, slow);
    let meanwhile = async {
        app.until_asked(Endpoint::Token, 1).await;
        app.sandbox.behave();
        let new = app.signed_in("user_aisha").await;
        assert_eq!(app.number("select count(*) from sessions where ended_at is null").await, 2);
        new
    };
    let (old, new) = tokio::join!(browser.fetch("/auth/me"), meanwhile);
    assert_eq!(old.status, 401);
    assert_eq!(new.fetch("/auth/me").await.status, 200);
    assert_eq!(app.number("select count(*) from users where disconnected_at is not null").await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refusal_that_follows_from_a_sign_out_disconnects_nobody() {
    let app = TestApp::spawn().await;
    let (phone, desk) = (app.signed_in("user_aisha").await, app.signed_in("user_aisha").await);
    app.sandbox.reset_counts();
    app.sandbox.disconnect("user_aisha", None).unwrap();
    app.access_tokens_expire().await;
    app.sandbox.set_trouble(Endpoint::Token, Trouble { slow_ms: 500, ..Trouble::default() });
    let leave = async {
        app.until_asked(Endpoint::Token, 1).await;
        phone.clone().submit("/auth/logout").await
    };
    let (answer, _) = tokio::join!(phone.fetch("/auth/me"), leave);
    assert_eq!(answer.status, 401);
    assert_eq!(reason(&app).await.as_deref(), Some("signed_out"));
    assert_eq!(app.number("select count(*) from users where disconnected_at is not null").await, 0);
    drop(desk);
}

#[tokio::test]
async fn without_a_refresh_token_an_expired_session_is_renewed_without_a_word() {
    let app = TestApp::spawn().await;
    app.sandbox.misbehave(Misbehaviour::NoRefreshToken);
    let browser = app.signed_in("user_aisha").await;
    app.access_tokens_expire().await;
    assert_eq!(browser.fetch("/auth/me").await.status, 401);
    assert_eq!(reason(&app).await.as_deref(), Some("expired"));
    let hops = browser.follow("/dashboard").await;
    let landed = hops.last().unwrap();
    assert_eq!((landed.status, landed.url.path()), (200, "/dashboard"));
    assert!(hops.iter().all(|hop| hop.url.path() != "/sign-in"), "nobody was asked anything");
}

#[tokio::test]
async fn an_outage_is_said_on_every_page_and_ends_the_session_after_fifteen_minutes() {
    let words = "Campus One cannot be reached.";
    for down in [Down::Status, Down::Drop] {
        let app = TestApp::spawn().await;
        let browser = app.signed_in("user_aisha").await;
        let down = Trouble { down: Some(down), ..Trouble::default() };
        app.sandbox.set_trouble(Endpoint::Userinfo, down);
        app.checks_are_due().await;
        app.sandbox.reset_counts();
        for path in ["/dashboard", "/", "/dashboard"] {
            let page = browser.navigate(path).await;
            assert!(page.status == 200 && page.body.contains(words), "{}", page.body);
        }
        assert_eq!(app.count(Endpoint::Userinfo), 1, "not on every click");

        app.sandbox.behave();
        app.execute("update users set check_claimed_until = null").await;
        assert!(!browser.navigate("/dashboard").await.body.contains(words), "it is back");

        app.sandbox.set_trouble(Endpoint::Userinfo, down);
        app.checks_are_due().await;
        assert!(browser.navigate("/dashboard").await.body.contains(words));
        app.execute(
            "update users set stale_since = stale_since - interval '901 seconds',
                 check_claimed_until = null",
        )
        .await;
        let page = browser.navigate("/dashboard").await;
        assert!(page.status == 401 && page.body.contains(EndReason::ProviderOutage.text()));
        assert_eq!(reason(&app).await.as_deref(), Some("provider_outage"));
    }
}

#[tokio::test]
async fn whoever_comes_back_after_the_outage_is_not_signed_out_for_it() {
    let app = TestApp::spawn().await;
    let browser = app.signed_in("user_aisha").await;
    app.execute("update users set stale_since = now() - interval '2 hours'").await;
    assert_eq!(browser.fetch("/auth/me").await.status, 200);
    assert_eq!(app.live().await.standing(), Standing::Fresh);
}

#[tokio::test]
async fn what_cannot_be_read_is_an_outage_and_no_answer() {
    for misbehaviour in [Misbehaviour::UserinfoInvalidSub, Misbehaviour::UserinfoSigned] {
        let app = TestApp::spawn().await;
        let browser = app.signed_in("user_aisha").await;
        app.sandbox.misbehave(misbehaviour);
        app.checks_are_due().await;
        assert_eq!(browser.fetch("/auth/me").await.json()["sub"], "user_aisha");
        let stale = misbehaviour == Misbehaviour::UserinfoInvalidSub;
        assert_eq!(app.live().await.standing() != Standing::Fresh, stale, "{misbehaviour:?}");
    }
}

#[tokio::test]
async fn a_slow_provider_is_a_stale_page_and_no_slow_one() {
    let app = TestApp::spawn().await;
    let browser = app.signed_in("user_aisha").await;
    app.access_tokens_expire().await;
    let slow = Trouble { slow_ms: 5000, ..Trouble::default() };
    app.sandbox.set_trouble(Endpoint::Token, slow);
    let began = Instant::now();
    let page = browser.navigate("/dashboard").await;
    assert!(page.status == 200 && page.body.contains("Campus One cannot be reached."));
    assert!(began.elapsed() < Duration::from_millis(4500), "{:?}", began.elapsed());
    let began = Instant::now();
    assert_eq!(browser.navigate("/dashboard").await.status, 200);
    assert!(began.elapsed() < Duration::from_millis(1000), "one waits, not everybody");
    let began = Instant::now();
    assert_eq!(browser.submit("/auth/logout").await.status, 303);
    assert!(began.elapsed() < Duration::from_millis(1000), "nobody waits to sign out");
}

#[tokio::test]
async fn a_destructive_action_is_confirmed_now_or_refused() {
    let app = TestApp::spawn().await;
    app.signed_in("user_ngozi").await;
    app.sandbox.reset_counts();
    let confirmed = freshness::confirm_now(&app.app, &app.live().await).await.unwrap();
    assert!(confirmed.viewer.roles().is_unit_admin());
    assert_eq!(app.count(Endpoint::Userinfo), 1, "however recent the last check was");

    app.sandbox.change_person("user_ngozi", |person| person.custom_roles.clear()).unwrap();
    let demoted = freshness::confirm_now(&app.app, &app.live().await).await.unwrap();
    assert!(!demoted.viewer.roles().is_unit_admin(), "the caller sees the roles of now");

    let down = Trouble { down: Some(Down::Status), ..Trouble::default() };
    app.sandbox.set_trouble(Endpoint::Userinfo, down);
    for _ in 0..2 {
        let refusal = freshness::confirm_now(&app.app, &app.live().await).await.unwrap_err();
        assert_eq!(refusal.reason, Reason::ROLES_UNCONFIRMED);
        assert_eq!(refusal.reason.status, 503);
    }
    app.sandbox.behave();
    app.sandbox.disconnect("user_ngozi", None).unwrap();
    app.execute("update users set check_claimed_until = null").await;
    let refusal = freshness::confirm_now(&app.app, &app.live().await).await.unwrap_err();
    assert_eq!(refusal.reason, Reason::NOT_SIGNED_IN);
}

#[tokio::test]
async fn academic_claims_are_withheld_past_a_semesters_turn_until_they_are_read_again() {
    let app = TestApp::spawn().await;
    let browser = app.signed_in("user_aisha").await;
    app.execute(
        "update users set academic_as_of = now() - interval '200 days',
             checked_at = now() - interval '200 days'",
    )
    .await;
    let down = Trouble { down: Some(Down::Status), ..Trouble::default() };
    app.sandbox.set_trouble(Endpoint::Userinfo, down);
    let page = browser.navigate("/dashboard").await;
    assert!(page.body.contains("has not confirmed your level"), "{}", page.body);
    assert!(!page.body.contains("300 level") && !page.body.contains("Student ID"));
    assert_eq!(browser.fetch("/auth/me").await.json()["student_id"], json!(null));
    app.sandbox.behave();
    app.execute("update users set check_claimed_until = null").await;
    assert_eq!(browser.fetch("/auth/me").await.json()["student_id"], "256240001");
    assert!(browser.navigate("/dashboard").await.body.contains("300 level"));
}

#[tokio::test]
async fn a_unit_admins_session_ends_after_thirty_idle_minutes() {
    let app = TestApp::spawn().await;
    let (admin, student) = (app.signed_in("user_ngozi").await, app.signed_in("user_aisha").await);
    app.execute("update sessions set seen_at = seen_at - interval '31 minutes'").await;
    assert_eq!(admin.fetch("/auth/me").await.status, 401);
    assert_eq!(student.fetch("/auth/me").await.status, 200);
}
