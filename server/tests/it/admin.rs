//! The admin area: the overview, the report, and ending somebody's sessions.

use crate::support::{Browser, TestApp};
use campus::reason::EndReason;
use campus_sandbox::{Down, Endpoint, Trouble};
use http::Method;
use serde_json::{Value, json};

async fn id_of(app: &TestApp, subject: &str) -> String {
    let query = format!("select id::text from users where subject = '{subject}'");
    app.text(&query).await.unwrap()
}

async fn end_sessions(admin: &Browser, person: &str) -> crate::support::Answer {
    admin.submit(&format!("/admin/people/{person}/end-sessions")).await
}

#[tokio::test]
async fn a_unit_admin_ends_all_sessions_of_a_person() {
    let app = TestApp::spawn().await;
    let (phone, desk) = (app.signed_in("user_aisha").await, app.signed_in("user_aisha").await);
    let other = app.signed_in("user_tunde").await;
    let admin = app.confirmed("user_ngozi").await;
    let aisha = id_of(&app, "user_aisha").await;
    let page = admin.navigate("/admin").await;
    assert!(page.body.contains(&format!("action=\"/admin/people/{aisha}/end-sessions\"")));

    let done = end_sessions(&admin, &aisha).await;
    assert_eq!((done.status, done.header("location")), (303, "/admin?ended=2"));
    done.assert_private();
    let page = admin.navigate("/admin?ended=2").await;
    assert!(page.body.contains("2 sessions were ended."));
    assert!(!page.body.contains(&aisha), "whoever has no session is not listed");
    assert!(page.body.contains("<th scope=\"row\">Admin action</th>"), "{}", page.body);

    for browser in [&phone, &desk] {
        let told = browser.navigate("/dashboard").await;
        assert_eq!(told.status, 401);
        assert!(told.body.contains(EndReason::EndedByAdmin.text()));
    }
    assert_eq!(other.fetch("/auth/me").await.status, 200, "others stay");
    let entry = app
        .text(
            "select json_build_object('who', a.subject, 'whom', s.subject, 'rule', rule,
                 'request', request_id, 'detail', detail::json)::text
             from audit_entries e join users a on a.id = actor_id join users s on s.id = subject_id
             where kind = 'admin_action'",
        )
        .await
        .unwrap();
    assert_eq!(
        serde_json::from_str::<Value>(&entry).unwrap(),
        json!({
            "who": "user_ngozi", "whom": "user_aisha", "rule": "admin end-sessions",
            "request": done.header("x-request-id"),
            "detail": { "reason": "ended_by_admin", "sessions": 2 },
        })
    );
    let told =
        format!("select count(*) from person_changes where user_id = '{aisha}' and kind = 'ended'");
    assert_eq!(app.number(&told).await, 2, "open pages are told");

    let again = end_sessions(&admin, &aisha).await;
    assert_eq!(again.header("location"), "/admin?ended=0");
    let entries = "select count(*) from audit_entries where kind = 'admin_action'";
    assert_eq!(app.number(entries).await, 1);
}

#[tokio::test]
async fn nobody_is_ended_who_is_not_known_or_by_whom_it_may_not() {
    let app = TestApp::spawn().await;
    let admin = app.confirmed("user_ngozi").await;
    let student = app.signed_in("user_aisha").await;
    for unknown in ["x", "0193a000-0000-7000-8000-000000000000", "%27%20or%201=1"] {
        end_sessions(&admin, unknown).await.assert_refused(404, "not_found");
    }
    let me = id_of(&app, "user_ngozi").await;
    assert_eq!(end_sessions(&student, &me).await.status, 403);
    assert_eq!(admin.fetch("/auth/me").await.status, 200);
    // A link cannot end anything.
    let target = format!("/admin/people/{me}/end-sessions");
    assert_eq!(admin.navigate(&target).await.status, 405);

    let headers = [("accept", "application/json"), ("sec-fetch-site", "same-origin")];
    let aisha = id_of(&app, "user_aisha").await;
    let target = format!("/admin/people/{aisha}/end-sessions");
    let answer = admin.ask(Method::POST, &target, &headers).await;
    assert_eq!((answer.status, answer.json()), (200, json!({ "ok": true, "ended": 1 })));
}

#[tokio::test]
async fn the_overview_counts_what_there_is() {
    let app = TestApp::spawn().await;
    for person in ["user_aisha", "user_aisha", "user_tunde", "user_chinedu", "user_bello"] {
        app.signed_in(person).await;
    }
    let session_of = |subject: &str, change: &str| {
        format!(
            "update sessions set {change} where user_id = (select id from users where subject = '{subject}')"
        )
    };
    // Over, though no sweep has come by; and revoked though its row does not say so.
    app.execute(&session_of("user_tunde", "seen_at = now() - interval '481 minutes'")).await;
    app.execute(&session_of("user_chinedu", "expires_at = now()")).await;
    app.execute(
        "update users set revoked_before = now() + interval '1 hour' where subject = 'user_bello'",
    )
    .await;
    for (number, state) in ["pending", "pending", "dead", "applied"].iter().enumerate() {
        app.execute(&format!(
            "insert into deliveries (id, body_hash, body, event, occurred_at, received_at, state, next_try_at)
             values (gen_random_uuid(), '\\x0{number}', '{{}}', 'x', now(), now(), '{state}', 'infinity')"
        ))
        .await;
    }
    for (hours, times) in [(1, 3), (20, 4), (30, 50)] {
        app.execute(&format!(
            "insert into refused_deliveries (reason, hour, times, last_at)
             values ('bad_signature', date_trunc('hour', now()) - interval '{hours} hours', {times}, now())"
        ))
        .await;
    }
    let admin = app.signed_in("user_ngozi").await;
    let page = admin.navigate("/admin?ended=not-a-number").await;
    assert_eq!((page.status, page.header("cache-control")), (200, "no-store"));
    assert!(!page.body.contains("class=\"done\""), "an address says nothing of its own");
    for (name, count) in [
        ("People", 5),
        ("Signed in now", 2),
        ("Live sessions", 3),
        ("Deliveries waiting", 2),
        ("Deliveries given up", 1),
        ("Deliveries refused, 24 hours", 7),
    ] {
        let fact = format!("<dt>{name}</dt><dd>{count}</dd>");
        assert!(page.body.contains(&fact), "{fact} in {}", page.body);
    }
    assert_eq!(page.body.matches("/end-sessions").count(), 1, "aisha only, and not oneself");
    assert!(page.body.contains("This is you"));
}

#[tokio::test]
async fn the_report_counts_people_and_names_nobody() {
    let app = TestApp::spawn().await;
    let people = app.sandbox.people();
    for person in &people {
        app.signed_in(&person.id).await;
    }
    for change in [
        "signed_in_at = now() - interval '3 days', stale_since = now() where subject = 'user_tunde'",
        "signed_in_at = now() - interval '20 days', roles_stale = true where subject = 'user_zainab'",
        "signed_in_at = now() - interval '31 days', disconnected_at = now() where subject = 'user_chinedu'",
        "role = null where subject = 'user_aisha'",
        "custom_roles = '{editor,editor}' where subject = 'user_zainab'",
    ] {
        assert_eq!(app.execute(&format!("update users set {change}")).await, 1);
    }
    let staff = app.signed_in("user_ifeoma").await;
    let answer = staff.fetch("/admin/reports").await;
    assert_eq!(answer.header("content-type"), "application/json");
    answer.assert_private();
    let mut report = answer.json();
    assert!(report["as_of"].take().is_string());
    let count = |name: Value, people: i64| json!({ "name": name, "people": people });
    assert_eq!(
        report,
        json!({
            "as_of": null,
            "people": 7,
            "roles": [
                count("student".into(), 3),
                count("staff".into(), 2),
                count("admin".into(), 1),
                count(Value::Null, 1),
            ],
            "custom_roles": [
                count("editor".into(), 2),
                count("moderator".into(), 1),
                count("unit_admin".into(), 1),
            ],
            "students": 4,
            "faculties": [
                count("fac_arts".into(), 1),
                count("fac_computing".into(), 1),
                count("fac_eng".into(), 1),
                count("fac_law".into(), 1),
            ],
            "levels": [
                count("100".into(), 1),
                count("200".into(), 1),
                count("300".into(), 1),
                count("500".into(), 1),
            ],
            "final_year": 1,
            "signed_in_today": 4,
            "signed_in_7_days": 5,
            "signed_in_30_days": 6,
            "stale": 2,
            "disconnected": 1,
        })
    );
    let page = staff.navigate("/admin/reports").await;
    assert_eq!((page.status, page.header("cache-control")), (200, "no-store"));
    assert!(page.body.contains("<dt>In 30 days</dt><dd>6</dd>"), "{}", page.body);
    for person in people.iter().filter(|person| person.id != "user_ifeoma") {
        for personal in [&person.id, &person.name, &person.email] {
            assert!(!page.body.contains(personal) && !answer.body.contains(personal), "{personal}");
        }
    }
}

/// PROTOCOLS.md, "Freshness": 0 s before a unit admin's destructive action; and the sign-in must be young.
#[tokio::test]
async fn ending_sessions_asks_who_is_there_and_whether_they_still_may() {
    let app = TestApp::spawn().await;
    let admin = app.signed_in("user_ngozi").await;
    app.signed_in("user_aisha").await;
    let aisha = id_of(&app, "user_aisha").await;

    let asked = end_sessions(&admin, &aisha).await;
    assert_eq!((asked.status, asked.header("location")), (303, "/auth/confirm?next=%2Fadmin"));
    let json = [("accept", "application/json"), ("sec-fetch-site", "same-origin")];
    let target = format!("/admin/people/{aisha}/end-sessions");
    let program = admin.ask(Method::POST, &target, &json).await;
    program.assert_refused(403, "step_up_required");
    assert_eq!(program.json()["confirm"], "/auth/confirm?next=%2Fadmin");
    let hops = admin.follow(asked.header("location")).await;
    let back = admin.choose(hops.last().unwrap(), "user_ngozi").await;
    assert_eq!(back.last().unwrap().url.path(), "/admin");

    // The role was taken away a moment ago and nobody told us: the action asks.
    app.sandbox.change_person("user_ngozi", |person| person.custom_roles.clear()).unwrap();
    end_sessions(&admin, &aisha).await.assert_refused(403, "forbidden");
    assert_eq!(app.rows().await.1, 3);
    let live = "select count(*) from sessions where ended_at is null";
    assert_eq!(app.number(live).await, 2, "nothing was ended");

    app.sandbox
        .change_person("user_ngozi", |person| person.custom_roles = vec!["unit_admin".into()])
        .unwrap();
    app.execute("update users set roles_stale = true").await;
    assert_eq!(admin.navigate("/admin").await.status, 200);
    let down = Trouble { down: Some(Down::Status), ..Trouble::default() };
    app.sandbox.set_trouble(Endpoint::Userinfo, down);
    end_sessions(&admin, &aisha).await.assert_refused(503, "roles_unconfirmed");
    assert_eq!(app.number(live).await, 2, "not on roles that nobody confirms");
    app.sandbox.behave();
    app.execute("update users set check_claimed_until = null").await;
    let done = end_sessions(&admin, &aisha).await;
    assert_eq!((done.status, done.header("location")), (303, "/admin?ended=1"));
}
