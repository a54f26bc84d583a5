//! The audit trail: what is written, that it cannot be changed unseen, and the command that looks.

use crate::support::TestApp;
use campus_sandbox::Misbehaviour;
use campus_server::audit::Verdict;
use campus_server::store::audit::verify;
use campus_server::{clock, people};
use sqlx::AssertSqlSafe;

async fn kinds(app: &TestApp) -> Vec<String> {
    let query = "select kind from audit_entries order by seq";
    sqlx::query_scalar(AssertSqlSafe(query)).fetch_all(&app.app.db).await.unwrap()
}

#[tokio::test]
async fn sign_ins_and_changes_of_roles_are_written_down_with_before_and_after() {
    let app = TestApp::spawn().await;
    app.signed_in("user_zainab").await;
    assert_eq!(kinds(&app).await, ["signed_in"]);
    app.sandbox.change_person("user_zainab", |person| person.custom_roles.clear()).unwrap();
    app.signed_in("user_zainab").await;
    assert_eq!(kinds(&app).await, ["signed_in", "roles_changed", "signed_in"]);
    let query = "select detail from audit_entries where kind = 'roles_changed'";
    let detail: serde_json::Value = serde_json::from_str(&app.text(query).await.unwrap()).unwrap();
    assert_eq!(detail["before"]["custom_roles"], serde_json::json!(["editor"]));
    assert_eq!(detail["after"]["custom_roles"], serde_json::json!([]));
    let asked = "select count(*) from audit_entries where request_id is null";
    assert_eq!(app.number(asked).await, 0, "each entry names its request");
}

#[tokio::test]
async fn entries_written_at_once_make_one_chain() {
    let app = TestApp::spawn().await;
    let people = ["user_aisha", "user_chinedu", "user_zainab", "user_tunde"];
    let sign_ins = people.iter().cycle().take(16).map(|person| app.signed_in(person));
    futures::future::join_all(sign_ins).await;
    let Verdict::Whole { entries, .. } = verify(&app.app.db).await.unwrap() else {
        panic!("the chain is broken")
    };
    assert_eq!(entries, 16);
}

#[tokio::test]
async fn rows_cannot_be_changed_or_removed() {
    let app = TestApp::spawn().await;
    app.signed_in("user_aisha").await;
    for statement in [
        "update audit_entries set rule = 'other'",
        "delete from audit_entries",
        "truncate audit_entries",
    ] {
        let tried = sqlx::query(AssertSqlSafe(statement)).execute(&app.app.db).await;
        assert!(tried.is_err(), "{statement}");
    }
}

/// Somebody who rules the database can do without the triggers; the chain shows it.
#[tokio::test]
async fn the_chain_shows_what_was_changed_removed_or_put_in() {
    for (statement, broken_at) in [
        ("update audit_entries set detail = '{}' where seq = 2", 2),
        ("update audit_entries set at = at + interval '1 second' where seq = 1", 1),
        ("delete from audit_entries where seq = 2", 2),
        ("delete from audit_entries where seq = 3", 3),
        (
            "insert into audit_entries select 4, at, kind, actor, actor_id, subject_id, session_id, \
          request_id, rule, detail, previous, hash from audit_entries where seq = 3",
            4,
        ),
    ] {
        let app = TestApp::spawn().await;
        for person in ["user_aisha", "user_chinedu", "user_zainab"] {
            app.signed_in(person).await;
        }
        app.execute("alter table audit_entries disable trigger all").await;
        assert_eq!(app.execute(statement).await, 1, "{statement}");
        let verdict = verify(&app.app.db).await.unwrap();
        assert_eq!(verdict, Verdict::Broken { seq: broken_at }, "{statement}");
    }
}

#[tokio::test]
async fn the_command_says_whether_the_chain_is_whole() {
    let app = TestApp::spawn().await;
    app.signed_in("user_aisha").await;
    let files = tempfile::tempdir().unwrap();
    let verify = || {
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_campus-server"))
            .args(["audit", "verify"])
            .env("DATABASE_URL", app.database.url().expose())
            .env("CAMPUS_DATA_DIR", files.path())
            .current_dir(files.path())
            .output()
            .unwrap();
        (output.status.code(), String::from_utf8(output.stdout).unwrap())
    };
    let (code, text) = verify();
    assert_eq!(code, Some(0), "{text}");
    assert!(text.starts_with("The audit trail is whole: 1 entries"), "{text}");
    app.execute("alter table audit_entries disable trigger all").await;
    app.execute("update audit_entries set rule = 'other'").await;
    let (code, text) = verify();
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("BROKEN at entry 1"), "{text}");
}

#[tokio::test]
async fn refused_sign_ins_and_sessions_past_their_limits_are_written_down() {
    let app = TestApp::spawn().await;
    app.sandbox.misbehave(Misbehaviour::InvalidNonce);
    let page = app.browser_of("user_aisha").follow("/dashboard").await.pop().unwrap();
    page.assert_refused(401, "id_token_nonce");
    let query = "select actor || ' ' || rule || ' ' || detail from audit_entries";
    let entry = app.text(query).await;
    assert_eq!(entry.as_deref(), Some("nobody id_token_nonce {\"mode\":\"silent\"}"));
    // Nobody there is no refusal, and an answer to nothing is no sign-in.
    app.browser().follow("/").await;
    app.browser().navigate("/auth/callback?code=x&state=y").await;
    app.browser().navigate("/auth/callback?error=server_error&state=y").await;
    assert_eq!(kinds(&app).await, ["sign_in_refused"]);

    app.signed_in("user_aisha").await;
    app.execute("update sessions set seen_at = now() - interval '9 hours'").await;
    let now = clock::now();
    let swept = people::sweep(&app.app.db, now.plus_seconds(-8 * 3600), now, now).await.unwrap();
    assert_eq!((swept.idle, swept.expired), (1, 0));
    assert_eq!(kinds(&app).await, ["sign_in_refused", "signed_in", "sessions_ended"]);
}
