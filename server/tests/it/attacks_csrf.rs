//! Cross-site request forgery: every address that changes something, from every place that is not ours
//! (Fetch Metadata §2.3; OWASP ASVS 3.5.1).

use crate::support::{SESSION, TestApp};
use campus_server::config::Deployment;
use campus_server::http::router;
use campus_server::http::routes::Verb;
use http::Method;

/// What another site, a sibling host, and a browser without Fetch Metadata send with a form.
const FORGED: [&[(&str, &str)]; 5] = [
    &[("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate"), ("accept", "text/html")],
    &[("sec-fetch-site", "same-site"), ("sec-fetch-mode", "navigate"), ("accept", "text/html")],
    &[("sec-fetch-site", "cross-site"), ("accept", "application/json")],
    &[("origin", "https://evil.example"), ("accept", "text/html")],
    &[("origin", "null"), ("accept", "text/html")],
];

#[tokio::test]
async fn no_address_that_changes_something_takes_it_from_another_site() {
    let app = TestApp::spawn().await;
    let admin = app.confirmed("user_ngozi").await;
    let victim = app.signed_in("user_aisha").await;
    let person = app.text("select id::text from users where subject = 'user_aisha'").await.unwrap();
    let audited = app.number("select count(*) from audit_entries").await;
    let all = router::list(app.app.clone(), &Deployment::default());
    let posts: Vec<_> = all.iter().filter(|route| route.verb == Verb::Post).collect();
    assert!(posts.len() >= 8, "{posts:?}");
    for route in posts {
        let target = route.path.replace("{id}", &person);
        for headers in FORGED {
            let answer = admin.ask(Method::POST, &target, headers).await;
            answer.assert_refused(403, "cross_site");
            assert_eq!((answer.location(), answer.cookies()), (None, vec![]), "{target}");
        }
    }
    assert_eq!(app.number("select count(*) from audit_entries").await, audited);
    for browser in [&admin, &victim] {
        assert_eq!(browser.fetch("/auth/me").await.status, 200);
    }
}

/// No address is asked to change something by a GET: an image on another site would be enough.
#[tokio::test]
async fn a_get_changes_nothing_where_a_post_would() {
    let app = TestApp::spawn().await;
    let admin = app.signed_in("user_ngozi").await;
    let session = admin.cookie(SESSION);
    let all = router::list(app.app.clone(), &Deployment::default());
    for route in all.iter().filter(|route| route.verb == Verb::Post) {
        let target = route.path.replace("{id}", "x");
        assert_eq!(admin.navigate(&target).await.status, 405, "{target}");
    }
    assert_eq!(admin.cookie(SESSION), session);
    assert_eq!(app.number("select count(*) from sessions where ended_at is null").await, 1);
}
