//! What webhooks do, and that it is in force on the very next request (PROTOCOLS.md, "Webhooks").

use crate::support::{Browser, SESSION, TestApp, at, disconnected, event, role_changed};
use campus::reason::EndReason;
use campus_sandbox::Webhook;
use serde_json::{Value, json};

const PAGE: &str = "/admin/deliveries";

async fn send(app: &TestApp, event: &str, person: &str) {
    let (event, person) = (event.to_owned(), Some(person.to_owned()));
    let webhook = Webhook { event, person, ..Webhook::default() };
    assert_eq!(app.sandbox.send_webhook(webhook).await.unwrap(), 200);
}

async fn page_on(browser: &Browser, origin: &str, path: &str) -> u16 {
    browser.navigate(&format!("{origin}{path}")).await.status
}

#[tokio::test]
async fn a_role_change_acts_on_the_very_next_request_of_every_session_on_every_instance() {
    let app = TestApp::spawn().await;
    let other = app.another(&[]).await;
    let (one, two) = (app.signed_in("user_aisha").await, app.signed_in("user_aisha").await);
    for (custom_roles, status) in
        [(vec!["unit_admin"], 200), (vec![], 403), (vec!["unit_admin"], 200)]
    {
        let custom_roles: Vec<String> = custom_roles.into_iter().map(str::to_owned).collect();
        app.sandbox
            .change_person("user_aisha", |person| person.custom_roles = custom_roles)
            .unwrap();
        send(&app, "user.role_changed", "user_aisha").await;
        for origin in [&other.origin, &app.origin] {
            for browser in [&one, &two] {
                assert_eq!(page_on(browser, origin, PAGE).await, status, "{origin}");
            }
        }
    }
    let entries = "select count(*) from audit_entries e join users u on u.id = e.subject_id
                   where kind = 'roles_changed' and actor = 'provider' and length(request_id) = 32
                     and rule = 'webhook user.role_changed' and detail like '%\"before\"%'";
    assert_eq!(app.number(entries).await, 3);
}

#[tokio::test]
async fn a_disconnect_ends_every_session_on_every_instance_and_says_why() {
    let app = TestApp::spawn().await;
    let other = app.another(&[]).await;
    let (one, two) = (app.signed_in("user_aisha").await, app.signed_in("user_aisha").await);
    let bystander = app.signed_in("user_tunde").await;
    app.sandbox.disconnect("user_aisha", None).unwrap();
    send(&app, "user.disconnected", "user_aisha").await;
    let stolen = app.browser();
    stolen.put("localhost", SESSION, &one.cookie(SESSION).unwrap());
    for origin in [&app.origin, &other.origin] {
        let me = stolen.fetch(&format!("{origin}/auth/me")).await;
        assert_eq!(me.status, 401, "the cookie is worth nothing on {origin}");
    }
    for (browser, origin) in [(&one, &app.origin), (&two, &other.origin)] {
        let page = browser.navigate(&format!("{origin}/dashboard")).await;
        assert_eq!(page.status, 401);
        assert!(page.body.contains(EndReason::Disconnected.text()), "{}", page.body);
    }
    assert_eq!(bystander.fetch("/auth/me").await.status, 200);
    let known =
        "select count(*) from users where disconnected_at is not null and subject = 'user_aisha'";
    assert_eq!(app.number(known).await, 1, "the person is still known");
    assert_eq!(
        app.number(
            "select count(*) from session_tokens t join sessions s on s.id = t.session_id
                           where s.ended_at is not null"
        )
        .await,
        0,
        "their tokens are gone"
    );
    let entries = "select string_agg(kind, ',' order by seq) from audit_entries
                   where actor = 'provider' and rule = 'webhook user.disconnected'";
    assert_eq!(app.text(entries).await.as_deref(), Some("disconnected,webhook_applied"));
}

#[tokio::test]
async fn whoever_consented_again_since_stays_signed_in() {
    let app = TestApp::spawn().await;
    let before = app.signed_in("user_aisha").await;
    app.execute("update sessions set created_at = now() - interval '2 hours'").await;
    let since = app.signed_in("user_aisha").await;
    // It took the sender an hour to reach us.
    app.sender().accepted(disconnected("user_aisha", at(-3600))).await;
    assert_eq!(before.fetch("/auth/me").await.status, 401);
    assert_eq!(since.fetch("/auth/me").await.status, 200);
    let marked = "select count(*) from users where disconnected_at is not null";
    assert_eq!(app.number(marked).await, 0, "they are connected");
}

#[tokio::test]
async fn clocks_that_differ_by_seconds_leave_no_session_of_before_and_take_none_of_after() {
    for ahead in [-50, 0, 50] {
        let app = TestApp::spawn().await;
        let before = app.signed_in("user_aisha").await;
        app.sender().accepted(disconnected("user_aisha", at(ahead))).await;
        assert_eq!(before.fetch("/auth/me").await.status, 401, "{ahead} s");
        let after = app.signed_in("user_aisha").await;
        assert_eq!(after.fetch("/auth/me").await.status, 200, "{ahead} s");
    }
}

#[tokio::test]
async fn an_older_event_never_overwrites_newer_facts_in_any_order() {
    let app = TestApp::spawn().await;
    app.signed_in("user_aisha").await;
    let custom = "select array_to_string(custom_roles, ',') || ' ' || roles_source from users";
    let now = app.text(custom).await.unwrap();
    app.sender()
        .accepted(role_changed("user_aisha", at(-600), json!({ "custom_roles": ["old"] })))
        .await;
    assert_eq!(app.text(custom).await.as_deref(), Some(now.as_str()), "older than the sign-in");
    app.execute("update users set roles_as_of = now() - interval '1 hour'").await;
    for (seconds, role) in [(-30, "newest"), (-60, "older"), (-90, "oldest")] {
        let data = json!({ "custom_roles": [role] });
        app.sender().accepted(role_changed("user_aisha", at(seconds), data)).await;
        assert_eq!(app.text(custom).await.as_deref(), Some("newest webhook"), "{role}");
    }
    assert_eq!(app.deliveries().await, ["applied"; 4].join(","));
}

#[tokio::test]
async fn an_event_from_a_clock_ahead_makes_no_fact_that_later_ones_cannot_replace() {
    let app = TestApp::spawn().await;
    app.signed_in("user_aisha").await;
    app.sender().accepted(role_changed("user_aisha", at(240), json!({ "role": "alumni" }))).await;
    let ahead = "select count(*) from users where roles_as_of > now() or roles_source <> 'webhook'";
    assert_eq!(app.number(ahead).await, 0);
}

#[tokio::test]
async fn only_what_an_event_tells_changes_and_roles_are_read_anew_in_any_case() {
    let app = TestApp::spawn().await;
    app.signed_in("user_zainab").await;
    let roles = "select concat(role, ' ', array_to_string(roles, ','), ' ', array_to_string(custom_roles, ','),
                        ' ', roles_stale) from users";
    let held = "student student,editor editor";
    let rows: [(Value, String); 6] = [
        (json!({}), format!("{held} t")),
        (json!({ "role": null, "roles": 7, "custom_roles": { "a": 1 } }), format!("{held} t")),
        (json!({ "role": "wizard" }), format!("{held} t")),
        (json!({ "role": "alumni" }), "alumni student,editor editor t".to_owned()),
        (json!({ "custom_roles": "moderator" }), "alumni student,editor moderator t".to_owned()),
        (json!({ "roles": [], "custom_roles": [] }), "alumni   t".to_owned()),
    ];
    for (data, expected) in rows {
        app.execute("update users set roles_stale = false").await;
        let told = data.to_string();
        // Each event is another body, whatever it tells.
        let mut data = data;
        data["number"] = json!(told);
        app.sender().accepted(role_changed("user_zainab", at(1), data)).await;
        assert_eq!(app.text(roles).await.as_deref(), Some(expected.as_str()), "{told}");
    }
    app.execute("update users set roles_stale = false").await;
    app.sender().accepted(role_changed("user_zainab", at(-3600), json!({}))).await;
    assert_eq!(
        app.number("select count(*) from users where roles_stale").await,
        1,
        "also by an old one"
    );
    let told =
        app.number("select count(distinct id) from person_changes where kind = 'roles'").await;
    assert!(told >= 7, "open pages are told: {told}");
}

#[tokio::test]
async fn a_webhook_is_no_sign_in() {
    let app = TestApp::spawn().await;
    app.signed_in("user_aisha").await;
    app.execute("update users set signed_in_at = '2026-01-01'").await;
    app.sender().accepted(role_changed("user_aisha", at(0), json!({ "role": "alumni" }))).await;
    let moved = "select count(*) from users where signed_in_at > '2026-01-01'";
    assert_eq!(app.number(moved).await, 0);
    app.signed_in("user_aisha").await;
    assert_eq!(app.number(moved).await, 1);
}

#[tokio::test]
async fn another_providers_person_of_the_same_subject_is_left_alone() {
    let app = TestApp::spawn().await;
    let browser = app.signed_in("user_aisha").await;
    app.execute("update users set issuer = 'https://other.example'").await;
    app.sender().accepted(disconnected("user_aisha", at(0))).await;
    assert_eq!(browser.fetch("/auth/me").await.status, 200);
    assert_eq!(app.deliveries().await, "ignored");
}

#[tokio::test]
async fn processing_again_changes_nothing_the_second_time() {
    let app = TestApp::spawn().await;
    app.signed_in("user_aisha").await;
    app.execute("update users set roles_as_of = now() - interval '1 hour'").await;
    app.sender().accepted(disconnected("user_aisha", at(0))).await;
    let data = json!({ "custom_roles": ["tutor"] });
    app.sender().accepted(role_changed("user_aisha", at(0), data)).await;
    let facts = "select concat(disconnected_at, revoked_before, custom_roles, roles_as_of,
                     (select string_agg(concat(ended_at, end_reason), ',') from sessions)) from users";
    let before = app.text(facts).await;
    app.execute("update deliveries set state = 'pending'").await;
    app.wait_for("select string_agg(distinct state, ',') from deliveries", "applied").await;
    assert_eq!(app.text(facts).await, before);
    let changes = "select count(*) from audit_entries where kind = 'roles_changed'";
    assert_eq!(app.number(changes).await, 1);
}

#[tokio::test]
async fn the_order_of_arrival_does_not_matter() {
    let mut ends = Vec::new();
    for reversed in [false, true] {
        let app = TestApp::spawn().await;
        app.signed_in("user_aisha").await;
        app.execute(
            "update users set roles_as_of = now() - interval '1 hour',
                 signed_in_at = now() - interval '1 hour'",
        )
        .await;
        app.execute("update sessions set created_at = now() - interval '1 hour'").await;
        let mut bodies = vec![
            role_changed("user_aisha", at(-120), json!({ "custom_roles": ["tutor"] })),
            disconnected("user_aisha", at(-60)),
            role_changed("user_aisha", at(-10), json!({ "custom_roles": ["editor"] })),
            event("user.updated", at(-5), &json!({})),
        ];
        if reversed {
            bodies.reverse();
        }
        for body in bodies {
            app.sender().accepted(body).await;
        }
        let end = "select concat(array_to_string(custom_roles, ','), ' ', roles_stale, ' ',
                       disconnected_at is not null, ' ', (select string_agg(end_reason, ',') from sessions))
                   from users";
        ends.push(app.text(end).await.unwrap());
    }
    assert_eq!(ends, ["editor t t disconnected"; 2]);
}
