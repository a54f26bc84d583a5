//! `/api/articles`: notices written by programs and forms.

use crate::support::{Answer, Browser, TestApp};
use http::Method;
use serde_json::{Value, json};

async fn send(browser: &Browser, kind: &str, accept: &str, body: String) -> Answer {
    let request = browser.request(Method::POST, "/api/articles").header("content-type", kind);
    browser.send(request.header("accept", accept).body(body)).await
}

async fn post(browser: &Browser, body: &Value) -> Answer {
    send(browser, "application/json", "application/json", body.to_string()).await
}

#[tokio::test]
async fn an_article_becomes_a_notice_that_everybody_signed_in_can_read() {
    let app = TestApp::spawn().await;
    let editor = app.signed_in("user_zainab").await;
    let text = "<b>Bring</b> your ID.\n\tHall 2 – ọjọ́ Ajé";
    let created = post(&editor, &json!({ "title": " Exams moved ", "body": text, "x": 1 })).await;
    assert_eq!(created.status, 201);
    created.assert_private();
    let body = created.json();
    let id = body["id"].as_str().unwrap();
    let location = format!("/api/articles/{id}");
    assert_eq!(created.header("location"), location);
    assert_eq!(body["title"], "Exams moved");
    assert_eq!(body["message"], "Article created successfully!");

    let read = app.signed_in("user_aisha").await.fetch(&location).await;
    assert_eq!(
        read.json(),
        json!({ "id": id, "title": "Exams moved", "body": text, "created_at": body["created_at"] })
    );
    read.assert_private();
    app.browser().fetch(&location).await.assert_refused(401, "not_signed_in");
    for other in ["x", "0193a000-0000-7000-8000-000000000000", "1%00"] {
        let target = format!("/api/articles/{other}");
        editor.fetch(&target).await.assert_refused(404, "not_found");
    }

    let entry = "select e.detail::json->>'notice' from audit_entries e join users u on u.id = e.actor_id
                 join notices n on n.author_id = u.id and n.created_at = e.at
                 where e.kind = 'notice_created' and e.rule = 'api articles' and u.subject = 'user_zainab'";
    assert_eq!(app.text(entry).await.as_deref(), Some(id));
}

#[tokio::test]
async fn a_form_is_taken_like_json() {
    let app = TestApp::spawn().await;
    let editor = app.signed_in("user_zainab").await;
    let body = "title=Exams+moved&body=One%0D%0Atwo".to_owned();
    let created = send(&editor, "application/x-www-form-urlencoded", "text/html", body).await;
    assert_eq!(created.status, 201);
    assert_eq!(app.text("select body from notices").await.as_deref(), Some("One\ntwo"));
}

#[tokio::test]
async fn what_cannot_be_taken_is_named_field_by_field_and_keeps_nothing() {
    let app = TestApp::spawn().await;
    let editor = app.signed_in("user_zainab").await;
    let answer = post(&editor, &json!({ "title": " ", "body": "x".repeat(20_001) })).await;
    answer.assert_refused(422, "invalid_fields");
    assert_eq!(
        answer.json()["fields"],
        json!({ "title": "must not be empty", "body": "must have at most 20,000 characters" })
    );
    let json = "application/json";
    send(&editor, json, json, "{".to_owned()).await.assert_refused(400, "bad_request");
    let plain = send(&editor, "text/plain", json, "title=a&body=b".to_owned()).await;
    plain.assert_refused(415, "unsupported_media_type");
    let long = json!({ "title": "a", "body": "x".repeat(300 * 1024) });
    post(&editor, &long).await.assert_refused(413, "too_large");

    let form = "application/x-www-form-urlencoded";
    let page = send(&editor, form, "text/html", "body=b".to_owned()).await;
    page.assert_refused(422, "invalid_fields");
    assert!(page.body.contains("<p>The title is missing.</p>"), "{}", page.body);
    assert_eq!(app.number("select count(*) from notices").await, 0);
    let written = "select count(*) from audit_entries where kind = 'notice_created'";
    assert_eq!(app.number(written).await, 0);
}
