//! Stored cross-site scripting and spoofed text: through every claim of a person and every field that
//! somebody can set, on every page that shows them (OWASP ASVS 1.2.1; Unicode TR 36 §2.5).

use crate::support::{TestApp, at, event, role_changed};
use http::Method;
use serde_json::{Value, json};

/// Ends whatever it may stand in, and would run.
const HOSTILE: &str =
    "</textarea></title></script><script>alert(1)</script>\"'><img src=x onerror=a>";
/// Turns the text that follows around.
const TURNED: &str = "Ada\u{202e}nimda\u{2066}\u{200f}\u{0}";

/// Every claim that is text, or should be.
const CLAIMS: [&str; 14] = [
    "name",
    "given_name",
    "family_name",
    "nickname",
    "preferred_username",
    "email",
    "phone_number",
    "picture",
    "student_id",
    "study_level",
    "faculty_id",
    "department_id",
    "locale",
    "profile",
];

fn assert_harmless(body: &str, whence: &str) {
    for raw in ["<script>alert", "<img src=x", "</textarea></title>", "\"'><img", "javascript:"] {
        assert!(!body.contains(raw), "{whence}: {raw} in {body}");
    }
    let turning = |c: char| matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\0');
    assert!(!body.contains(turning), "{whence} turns text around");
    // Whatever slips through may not run: the policy names our scripts by a nonce.
    assert!(!body.contains(" onerror=") || body.contains("&gt;"), "{whence}");
}

async fn hostile_people(app: &TestApp, words: &str) {
    for person in ["user_aisha", "user_ngozi", "user_ifeoma"] {
        let change = app.sandbox.change_person(person, |persona| {
            persona.name = format!("Ada {words}");
            for claim in CLAIMS {
                persona.extra.insert(claim.to_owned(), json!(words));
            }
            let roles = &mut persona.custom_roles;
            roles.push(words.to_owned());
            persona.roles.push(words.to_owned());
        });
        change.unwrap();
    }
}

#[tokio::test]
async fn no_claim_of_anybody_becomes_markup_on_any_page() {
    for words in [HOSTILE, TURNED, "javascript:alert(1)//", "<script>alert(1)</script>"] {
        let app = TestApp::spawn().await;
        hostile_people(&app, words).await;
        let student = app.signed_in("user_aisha").await;
        let lecturer = app.signed_in("user_ifeoma").await;
        let admin = app.signed_in("user_ngozi").await;
        for (browser, path) in [
            (&student, "/"),
            (&student, "/dashboard"),
            (&student, "/admin"),
            (&student, "/no-such-page"),
            (&lecturer, "/admin/reports"),
            (&admin, "/"),
            (&admin, "/dashboard"),
            (&admin, "/admin"),
            (&admin, "/admin/reports"),
            (&admin, "/admin/deliveries"),
        ] {
            let page = browser.navigate(path).await;
            assert!(page.header("content-security-policy").contains("'nonce-"), "{path}");
            assert!(page.header("content-type").starts_with("text/html"), "{path}");
            assert!(
                !page.body.contains("javascript:alert") || !page.body.contains("href=\"javascript")
            );
            if !words.starts_with("javascript") {
                assert_harmless(&page.body, path);
            }
            let scripts = page.body.matches("<script").count();
            assert_eq!(page.body.matches("<script nonce=\"").count(), scripts, "{path}");
        }
        let me = student.fetch("/auth/me").await;
        assert_eq!(me.header("content-type"), "application/json");
        assert_eq!(me.header("x-content-type-options"), "nosniff");
    }
}

/// What a signed message says is shown to admins: its name, whom it is about, and what it gave them.
#[tokio::test]
async fn no_message_becomes_markup_on_the_admins_pages() {
    let app = TestApp::spawn().await;
    app.signed_in("user_aisha").await;
    let admin = app.signed_in("user_ngozi").await;
    for (number, words) in [HOSTILE, TURNED].into_iter().enumerate() {
        let second = -10 - i64::try_from(number).unwrap();
        app.sender()
            .accepted(event(
                words,
                at(second),
                &json!({ "userId": words.replace(TURNED, "user_nobody") }),
            ))
            .await;
        let given =
            json!({ "role": words, "roles": [words], "customRoles": [words], "name": words });
        app.sender().accepted(role_changed("user_aisha", at(second), given)).await;
    }
    for path in ["/admin", "/admin/reports", "/admin/deliveries"] {
        let page = admin.navigate(path).await;
        assert_eq!(page.status, 200, "{path}");
        assert_harmless(&page.body, path);
    }
}

/// Words of an address are echoed nowhere: not `__err`, as Leptos writes it, not the provider's error, not
/// a reason.
#[tokio::test]
async fn nothing_of_a_query_is_echoed() {
    let app = TestApp::spawn().await;
    let signed_in = app.signed_in("user_aisha").await;
    let word = "zqxjkvbp";
    let query = format!(
        "__err={word}&__path={word}&reason={word}&error={word}&error_description={word}&state={word}\
         &message={word}&iss={word}"
    );
    for path in ["/", "/dashboard", "/auth/signed-out", "/auth/callback", "/no-such-page", "/admin"]
    {
        for browser in [&app.browser(), &signed_in] {
            browser.put("localhost", "c1_anon", "1");
            let page = browser.navigate(&format!("{path}?{query}")).await;
            let shown = page.body.replace(&format!("{path}?{}", query.replace('&', "&amp;")), "");
            let encoded = "%3D";
            let echoed = shown.split(['"', '<', ' ']).find(|part| {
                part.contains(word) && !part.contains(encoded) && !part.contains("next=")
            });
            assert_eq!(echoed, None, "{path}");
        }
    }
    // A forged marker of why a session ended says one of the known reasons, or nothing.
    let browser = app.browser();
    browser.put("localhost", "c1_signedout", word);
    browser.put("localhost", "c1_ended", word);
    for path in ["/auth/signed-out", "/dashboard", "/"] {
        let page = browser.navigate(path).await;
        assert!(!page.body.contains(word), "{path}");
    }
}

/// A field of a form or a program: kept as it is, given back as data and never as a page.
#[tokio::test]
async fn a_notice_comes_back_as_data() {
    let app = TestApp::spawn().await;
    let editor = app.signed_in("user_zainab").await;
    let body = json!({ "title": HOSTILE, "body": HOSTILE });
    let request = editor.request(Method::POST, "/api/articles").header("accept", "text/html");
    let created = editor.send(request.json(&body)).await;
    assert_eq!(created.status, 201);
    for answer in [&created, &editor.navigate(created.header("location")).await] {
        assert_eq!(answer.header("content-type"), "application/json");
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        let json: Value = answer.json();
        assert_eq!(json["title"], HOSTILE);
    }
}
