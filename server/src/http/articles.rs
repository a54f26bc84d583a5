//! `/api/articles`: the seed's own example of a gate by custom role (OpenID Connect §10). An article here is
//! a notice.

use super::gate::Call;
use super::refusal::Refusal;
use crate::app::App;
use crate::audit::Entry;
use crate::clock;
use crate::store::{audit, notices};
use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Response};
use campus::audit::AuditKind;
use campus::notice::{Draft, FieldFault, Notice, NoticeId};
use campus::reason::Reason;
use http::header::{CONTENT_TYPE, LOCATION};
use http::{HeaderMap, HeaderValue, StatusCode};
use serde_json::{Value, json};
use std::borrow::Cow;
use std::sync::Arc;
use uuid::Uuid;

/// `POST /api/articles`: writes a notice. Takes JSON or a form with `title` and `body`; other fields are
/// passed over, as the seed's own server does.
///
/// # Errors
/// 415 for other media types, 400 for what cannot be read, 422 with every field that cannot be taken.
pub async fn create(
    State(app): State<Arc<App>>,
    call: Call,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Refusal> {
    let draft = read(&headers, &body)?;
    let now = clock::now();
    let mut db = app.db.begin().await.map_err(Refusal::from_database)?;
    let notice = notices::create(&mut db, call.viewer().id(), &draft, now).await?;
    let cause = call.cause("api articles");
    let entry = Entry {
        kind: AuditKind::NoticeCreated,
        cause: &cause,
        subject: None,
        session: Some(call.session()),
        detail: json!({ "notice": notice.id }),
    };
    audit::append(&mut db, &entry, now).await?;
    db.commit().await.map_err(Refusal::from_database)?;
    let body = json!({
        "message": "Article created successfully!",
        "id": notice.id,
        "title": notice.title,
        "created_at": notice.created.rfc3339(),
    });
    let mut response = (StatusCode::CREATED, Json(body)).into_response();
    // An id is plain ASCII.
    if let Ok(location) = HeaderValue::from_str(&format!("/api/articles/{}", notice.id.0)) {
        response.headers_mut().insert(LOCATION, location);
    }
    Ok(response)
}

/// `GET /api/articles/{id}`: one notice, for whoever is signed in.
///
/// # Errors
/// 404 when there is no such notice.
pub async fn show(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
) -> Result<Response, Refusal> {
    let id = Uuid::try_parse(&id).map_err(|_| Reason::NOT_FOUND)?;
    let notice = notices::find(&app.db, NoticeId(id)).await?.ok_or(Reason::NOT_FOUND)?;
    let Notice { id, title, body, created } = notice;
    let body = json!({ "id": id, "title": title, "body": body, "created_at": created.rfc3339() });
    Ok(Json(body).into_response())
}

fn read(headers: &HeaderMap, body: &[u8]) -> Result<Draft, Refusal> {
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let media_type = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    match media_type.as_str() {
        "application/json" => read_json(body),
        "application/x-www-form-urlencoded" => read_form(body),
        _ => Err(Reason::UNSUPPORTED_MEDIA.into()),
    }
}

fn read_json(body: &[u8]) -> Result<Draft, Refusal> {
    let Ok(Value::Object(fields)) = serde_json::from_slice(body) else {
        return Err(Reason::BAD_REQUEST.into());
    };
    let sent = |name| fields.get(name).filter(|value| !value.is_null());
    let no_text = |field| {
        let other = sent(field).is_some_and(|value| !value.is_string());
        other.then_some(FieldFault { field, text: "must be text" })
    };
    let text = |name| sent(name).and_then(Value::as_str);
    let wrong: Vec<_> = ["title", "body"].into_iter().filter_map(no_text).collect();
    Draft::parse(text("title"), text("body")).map_err(|mut faults| {
        for fault in &mut faults {
            // A field of another type is not missing.
            if let Some(wrong) = wrong.iter().find(|wrong| wrong.field == fault.field) {
                *fault = *wrong;
            }
        }
        Refusal::fields(faults)
    })
}

fn read_form(body: &[u8]) -> Result<Draft, Refusal> {
    let fields: Vec<(Cow<'_, str>, Cow<'_, str>)> = url::form_urlencoded::parse(body).collect();
    let text = |wanted| {
        let mut named = fields.iter().filter(|(name, _)| name == wanted).map(|(_, value)| &**value);
        // Which of two is meant nobody can know.
        named.next().filter(|_| named.next().is_none())
    };
    Draft::parse(text("title"), text("body")).map_err(Refusal::fields)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::refusal::Detail;

    fn sent(kind: &'static str, body: &str) -> Result<(String, String), (u16, Vec<String>)> {
        let headers = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static(kind))]);
        let draft = read(&headers, body.as_bytes()).map_err(|refusal| {
            let Detail::Fields(faults) = refusal.detail else {
                return (refusal.reason.status, Vec::new());
            };
            let faults = faults.iter().map(|fault| format!("{} {}", fault.field, fault.text));
            (refusal.reason.status, faults.collect())
        })?;
        Ok((draft.title().to_owned(), draft.body().to_owned()))
    }

    #[test]
    fn json_and_forms_are_read_alike() {
        let expected = Ok(("A & b".to_owned(), "One\ntwo".to_owned()));
        for (kind, body) in [
            ("application/json", r#"{"title":"A & b","body":"One\ntwo","draft":true}"#),
            ("application/json; charset=utf-8", r#"{"body":"One\r\ntwo","title":" A & b"}"#),
            ("application/x-www-form-urlencoded", "title=A+%26+b&body=One%0D%0Atwo&x=y"),
        ] {
            assert_eq!(sent(kind, body), expected, "{body}");
        }
    }

    #[test]
    fn what_cannot_be_taken_is_named() {
        const JSON: &str = "application/json";
        const FORM: &str = "application/x-www-form-urlencoded";
        for (kind, body, status, faults) in [
            ("text/plain", "title=a&body=b", 415, vec![]),
            ("multipart/form-data; boundary=x", "", 415, vec![]),
            (JSON, "{", 400, vec![]),
            (JSON, "[]", 400, vec![]),
            (JSON, "", 400, vec![]),
            (JSON, "{}", 422, vec!["title is missing", "body is missing"]),
            (JSON, r#"{"title":null,"body":"x"}"#, 422, vec!["title is missing"]),
            (
                JSON,
                r#"{"title":["x"],"body":1}"#,
                422,
                vec!["title must be text", "body must be text"],
            ),
            (
                JSON,
                r#"{"title":7,"body":""}"#,
                422,
                vec!["title must be text", "body must not be empty"],
            ),
            (
                JSON,
                r#"{"title":"a\u0000","body":"b"}"#,
                422,
                vec!["title must not contain control characters"],
            ),
            (FORM, "title=a&title=b&body=c", 422, vec!["title is missing"]),
            (FORM, "", 422, vec!["title is missing", "body is missing"]),
        ] {
            let faults = faults.into_iter().map(str::to_owned).collect();
            assert_eq!(sent(kind, body), Err((status, faults)), "{kind}: {body}");
        }
    }
}
