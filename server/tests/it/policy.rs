//! Every address × every kind of viewer, against a table that is written here by hand (PROTOCOLS.md,
//! "Freshness": role gates). An address without a row fails, and so does a row without an address.

use crate::support::{Answer, Browser, TestApp};
use campus::access::RULES;
use campus::role::PrimaryRole;
use campus_server::config::Deployment;
use campus_server::http::router;
use campus_server::http::routes::{Kind, RouteInfo, Verb};
use http::Method;
use std::collections::BTreeSet;
use std::path::Path;

/// What each group of viewers gets.
struct Row {
    verb: Verb,
    path: &'static str,
    nobody: u16,
    anyone: u16,
    /// The primary roles `admin` and `staff`.
    officer: u16,
    editor: u16,
    moderator: u16,
    unit_admin: u16,
}

const fn row(verb: Verb, path: &'static str, statuses: [u16; 6]) -> Row {
    let [nobody, anyone, officer, editor, moderator, unit_admin] = statuses;
    Row { verb, path, nobody, anyone, officer, editor, moderator, unit_admin }
}

/// A status for everybody.
const fn all(verb: Verb, path: &'static str, status: u16) -> Row {
    row(verb, path, [status; 6])
}

/// Columns: nobody, anyone, officer, editor, moderator, unit admin.
const EXPECTED: &[Row] = &[
    all(Verb::Get, "/api/health", 200),
    all(Verb::Get, "/api/ready", 200),
    // No site is built for these tests: the files are open, and not there.
    all(Verb::Get, "/pkg/{*file}", 404),
    all(Verb::Get, "/favicon.svg", 404),
    all(Verb::Get, "/manifest.webmanifest", 404),
    all(Verb::Get, "/robots.txt", 404),
    all(Verb::Get, "/", 200),
    row(Verb::Get, "/dashboard", [401, 200, 200, 200, 200, 200]),
    row(Verb::Get, "/admin", [401, 403, 403, 403, 403, 200]),
    row(Verb::Get, "/admin/reports", [401, 403, 200, 403, 403, 200]),
    row(Verb::Get, "/admin/deliveries", [401, 403, 403, 403, 403, 200]),
    // A delivery that does not exist.
    row(Verb::Post, "/admin/deliveries/{id}/retry", [401, 403, 403, 403, 403, 303]),
    // Whoever may is asked to prove again who they are.
    row(Verb::Post, "/admin/people/{id}/end-sessions", [401, 403, 403, 403, 403, 303]),
    row(Verb::Post, "/api/articles", [401, 403, 403, 201, 403, 201]),
    row(Verb::Get, "/api/articles/{id}", [401, 200, 200, 200, 200, 200]),
    row(Verb::Get, "/auth/me", [401, 200, 200, 200, 200, 200]),
    // A stream that begins.
    row(Verb::Get, "/auth/events", [401, 200, 200, 200, 200, 200]),
    // Their signature is what lets messages in, and none of these viewers makes one.
    all(Verb::Post, "/api/webhooks/campus-one", 401),
    all(Verb::Post, "/webhooks/campus-one", 401),
    all(Verb::Post, "/auth/backchannel-logout", 400),
    row(Verb::Get, "/auth/confirm", [401, 303, 303, 303, 303, 303]),
    // A click that leads to the provider, whoever makes it.
    all(Verb::Get, "/auth/login", 303),
    // Without a query these are the provider's monitor.
    all(Verb::Get, "/api/auth/callback/campus-one", 200),
    all(Verb::Get, "/auth/callback", 200),
    row(Verb::Get, "/auth/signed-out", [200, 303, 303, 303, 303, 303]),
    all(Verb::Post, "/auth/logout", 303),
    all(Verb::Post, "/auth/logout/campus-one", 303),
];

/// A group of the table.
type Group = fn(&Row) -> u16;

/// Somebody who comes.
struct Viewer {
    name: String,
    group: Group,
    browser: Browser,
}

async fn signed_in(app: &TestApp, role: &str, roles: &[&str], custom: &[&str]) -> Browser {
    let words = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect::<Vec<_>>();
    let mut person = app.sandbox.person("user_ifeoma").unwrap();
    person.id = format!("viewer_{role}_{}_{}", roles.join("_"), custom.join("_"));
    (person.role, person.roles, person.custom_roles) = (role.into(), words(roles), words(custom));
    let id = person.id.clone();
    app.sandbox.set_person(person);
    app.signed_in(&id).await
}

async fn viewers(app: &TestApp) -> Vec<Viewer> {
    let mut viewers = Vec::new();
    let mut add = |name: &str, group: Group, browser| {
        viewers.push(Viewer { name: name.to_owned(), group, browser });
    };
    add("nobody", |row| row.nobody, app.browser());
    for role in PrimaryRole::ALL {
        let officer = matches!(role, PrimaryRole::Admin | PrimaryRole::Staff);
        let group: Group = if officer { |row| row.officer } else { |row| row.anyone };
        add(role.as_str(), group, signed_in(app, role.as_str(), &[], &[]).await);
    }
    add("editor", |row| row.editor, signed_in(app, "student", &[], &["editor"]).await);
    add("moderator", |row| row.moderator, signed_in(app, "student", &[], &["moderator"]).await);
    add("unit admin", |row| row.unit_admin, signed_in(app, "student", &[], &["unit_admin"]).await);
    let listed = ["unit_admin", "editor", "moderator"];
    let platform = signed_in(app, "admin", &listed, &[]).await;
    add("platform admin with unit_admin in roles only", |row| row.officer, platform);
    let student = signed_in(app, "student", &listed, &[]).await;
    add("student with unit_admin in roles only", |row| row.anyone, student);
    let word = signed_in(app, "unit_admin", &[], &[]).await;
    add("unit_admin as primary role", |row| row.anyone, word);
    for (name, change) in [
        ("expired", "expires_at = now()"),
        ("idle", "seen_at = now() - interval '9 hours'"),
        ("ended", "ended_at = now(), end_reason = 'ended_by_admin'"),
    ] {
        let browser = signed_in(app, "staff", &[], &["unit_admin", name]).await;
        let mine = format!("select id from users where '{name}' = any(custom_roles)");
        let update = format!("update sessions set {change} where user_id = ({mine})");
        assert_eq!(app.execute(&update).await, 1);
        add(name, |row| row.nobody, browser);
    }
    viewers
}

fn routes(app: &TestApp) -> Vec<RouteInfo> {
    let mut routes = router::list(app.app.clone(), &Deployment::default());
    // They end the session with which the others are asked.
    routes.sort_by_key(|route| route.path.starts_with("/auth/logout"));
    routes
}

/// Asks as it is meant to be asked: pages and APIs as a script does, so that nothing is redirected to the
/// provider, and the rest as a person does.
async fn ask(browser: &Browser, route: &RouteInfo, target: &str) -> u16 {
    // A clone: what one address sets must not change what the next one sees.
    let browser = browser.clone();
    let answer: Answer = match (route.verb, route.kind) {
        // What comes after its head never ends.
        (Verb::Get, Kind::Api) if target == "/auth/events" => {
            let stream = browser.request(Method::GET, target).send().await.unwrap();
            return stream.status().as_u16();
        }
        (Verb::Post, Kind::Api) => {
            let body = r#"{"title":"Exams moved","body":"To Monday."}"#;
            let request = browser.request(Method::POST, target);
            let request = request.header("content-type", "application/json").body(body);
            browser.send(request.header("sec-fetch-site", "same-origin")).await
        }
        (Verb::Post, _) => browser.submit(target).await,
        (Verb::Get, Kind::Protocol) => browser.navigate(target).await,
        (Verb::Get, _) => browser.fetch(target).await,
    };
    answer.status
}

#[tokio::test]
async fn every_address_asks_of_every_kind_of_viewer_what_the_table_says() {
    let app = TestApp::spawn().await;
    let somebody = "select id::text from users where subject = 'user_aisha'";
    app.signed_in("user_aisha").await;
    let somebody = app.text(somebody).await.unwrap();
    let author = signed_in(&app, "student", &[], &["editor", "author"]).await;
    let form = [("title", "A notice"), ("body", "To be read.")];
    let written = author.send(author.request(Method::POST, "/api/articles").form(&form)).await;
    let notice = written.json()["id"].as_str().unwrap().to_owned();
    let target = |path: &str| {
        let id = if path.starts_with("/api/articles") { &notice } else { &somebody };
        path.replace("{id}", id).replace("{*file}", "campus-desk.css")
    };

    let (routes, mut wrong) = (routes(&app), Vec::new());
    for viewer in viewers(&app).await {
        for route in &routes {
            let row = EXPECTED.iter().find(|row| (row.verb, row.path) == (route.verb, &route.path));
            let row = row.unwrap_or_else(|| panic!("no row for {route:?}"));
            let status = ask(&viewer.browser, route, &target(&route.path)).await;
            let expected = (viewer.group)(row);
            if status != expected {
                let RouteInfo { verb, path, .. } = route;
                wrong
                    .push(format!("{verb:?} {path} for {}: {status}, not {expected}", viewer.name));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    let held: BTreeSet<_> = routes.iter().map(|route| route.path.as_str()).collect();
    let stale: Vec<_> =
        EXPECTED.iter().filter(|row| !held.contains(row.path)).map(|r| r.path).collect();
    assert!(stale.is_empty(), "rows without an address: {stale:?}");
}

#[tokio::test]
async fn a_page_that_is_refused_to_a_person_is_a_page_with_a_reason() {
    let app = TestApp::spawn().await;
    let browser = app.signed_in("user_aisha").await;
    for (path, holders) in
        [("/admin", "unit admins"), ("/admin/reports", "platform admins, staff and unit admins")]
    {
        let page = browser.navigate(path).await;
        page.assert_refused(403, "forbidden");
        page.assert_private();
        assert!(page.body.contains(&format!("It is for {holders}.")), "{path}: {}", page.body);
        assert!(!page.body.contains(&format!("href=\"{path}\"")), "the navigation offers {path}");
    }
}

/// "unit_admin as primary role" and its kin never see a way in either.
#[tokio::test]
async fn the_navigation_offers_only_what_opens() {
    let app = TestApp::spawn().await;
    for (person, admin, reports) in [
        ("user_aisha", false, false),
        ("user_zainab", false, false),
        ("user_ifeoma", false, true),
        ("user_bello", false, true),
        ("user_ngozi", true, true),
    ] {
        let home = app.signed_in(person).await.navigate("/").await;
        assert_eq!(home.body.contains("href=\"/admin\""), admin, "{person}");
        assert_eq!(home.body.contains("href=\"/admin/reports\""), reports, "{person}");
    }
}

#[tokio::test]
async fn no_address_answers_to_a_method_that_is_not_on_the_list() {
    let app = TestApp::spawn().await;
    let browser = app.signed_in("user_ngozi").await;
    let same_origin = [("sec-fetch-site", "same-origin"), ("accept", "application/json")];
    for route in routes(&app) {
        let target = route.path.replace("{id}", "x").replace("{*file}", "x");
        for method in [Method::PUT, Method::PATCH, Method::DELETE] {
            let answer = browser.ask(method.clone(), &target, &same_origin).await;
            assert_eq!(answer.status, 405, "{method} {target}");
        }
    }
}

/// The access table draws the navigation and the router: neither may know a page the other does not.
#[tokio::test]
async fn pages_and_the_access_table_are_the_same() {
    let app = TestApp::spawn().await;
    let pages: BTreeSet<String> = routes(&app)
        .into_iter()
        .filter(|route| route.kind == Kind::Page)
        .map(|route| route.path.split("/{").next().unwrap().to_owned())
        .collect();
    let rules: BTreeSet<String> = RULES.iter().map(|rule| rule.path.to_owned()).collect();
    assert_eq!(pages, rules);
}

/// What is open to everybody says so by its kind: a page or an API without a demand is rare and named.
#[tokio::test]
async fn what_asks_for_nobody_is_known() {
    let app = TestApp::spawn().await;
    let open: Vec<_> = routes(&app)
        .into_iter()
        .filter(|route| matches!(route.kind, Kind::Page | Kind::Api | Kind::Action))
        .filter(|route| route.access == campus::access::Access::Public)
        .map(|route| route.path)
        .collect();
    assert_eq!(open, ["/", "/auth/me", "/auth/events"]);
}

/// The sources of a crate, with their names.
fn sources(folder: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                found.push((path.display().to_string(), std::fs::read_to_string(path).unwrap()));
            }
        }
    }
    assert!(found.len() > 10, "{folder}");
    found
}

#[test]
fn addresses_are_registered_in_one_place() {
    for (name, source) in sources("server/src") {
        let may = ["/http/routes.rs", "/http/site.rs"].iter().any(|file| name.ends_with(file));
        for call in [".route(", ".route_service(", ".nest_service(", ".nest("] {
            assert!(may || !source.contains(call), "{call} in {name}");
        }
    }
}

/// Leptos runs a server function's body for whoever posts to it: one that is added needs a gate in its
/// body and a row above.
#[test]
fn there_are_no_server_functions() {
    for (name, source) in sources("app/src") {
        assert!(!source.contains("#[server"), "{name}");
    }
}
