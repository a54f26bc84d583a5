//! The manners in which a Campus One may be set up (PROTOCOLS.md, table of gen1 and gen2): a person's whole
//! stay, from the silent sign-in to the disconnection, is the same under each of them.

use crate::support::{Browser, CLIENT_ID, SESSION, SIGNED_OUT, ServerProcess, Setup, TestApp};
use campus::reason::EndReason;
use campus_sandbox::{Algorithm, Client, Endpoint, Misbehaviour, Profile, Webhook};
use serde_json::json;

/// Open to unit admins and to nobody below.
const GATED: &str = "/admin/deliveries";

/// One manner of being set up.
#[derive(Default)]
struct Manner {
    setup: Setup,
    /// What the provider does differently, for as long as it runs.
    always: &'static [Misbehaviour],
    /// The issuer, where it is not the provider's bare origin: what comes after that.
    issuer_path: &'static str,
    /// Whether the provider grants no refresh token.
    no_refresh_token: bool,
}

fn gen1(algorithm: Algorithm) -> Manner {
    Manner { setup: Setup { algorithm, ..Setup::default() }, ..Manner::default() }
}

fn gen2() -> Manner {
    let setup = Setup { profile: Profile::Gen2, ..Setup::default() };
    Manner { setup, issuer_path: "/api/auth", ..Manner::default() }
}

fn gen2_with_pinned_issuer() -> Manner {
    let setup = Setup { pinned_issuer: Some("{origin}/campus"), ..gen2().setup };
    Manner { setup, issuer_path: "/campus", ..Manner::default() }
}

fn always(always: &'static [Misbehaviour]) -> Manner {
    Manner { always, ..Manner::default() }
}

fn without_refresh_token() -> Manner {
    Manner { no_refresh_token: true, ..always(&[Misbehaviour::NoRefreshToken]) }
}

/// A test for each manner.
macro_rules! stays {
    ($($name:ident: $manner:expr;)+) => {$(
        #[tokio::test]
        async fn $name() {
            stay($manner).await;
        }
    )+};
}

stays! {
    gen1_eddsa: gen1(Algorithm::EdDsa);
    gen1_rs256: gen1(Algorithm::Rs256);
    gen1_es256: gen1(Algorithm::Es256);
    gen2_as_it_comes: gen2();
    gen2_pinned_issuer: gen2_with_pinned_issuer();
    claims_only_in_userinfo: always(&[Misbehaviour::ClaimsOnlyInUserinfo]);
    no_refresh_token_granted: without_refresh_token();
    signed_userinfo: always(&[Misbehaviour::UserinfoSigned]);
}

async fn stay(manner: Manner) {
    let app = TestApp::spawn_with(manner.setup.clone()).await;
    for misbehaviour in manner.always {
        app.sandbox.misbehave_times(*misbehaviour, None);
    }
    let zainab = signs_in_silently(&app).await;
    signs_in_by_hand(&app).await;
    claims_arrive(&app, &zainab, &manner).await;
    tokens_end(&app, &zainab, &manner).await;
    roles_change(&app, &zainab).await;
    signs_out(&app).await;
    is_disconnected(&app, &zainab).await;
}

async fn signs_in_silently(app: &TestApp) -> Browser {
    let browser = app.browser_of("user_zainab");
    let hops = browser.follow("/auth/login?prompt=none&next=%2Fdashboard").await;
    let landed = hops.last().unwrap();
    assert_eq!((landed.status, landed.url.path()), (200, "/dashboard"), "{hops:?}");
    assert!(hops.iter().all(|hop| hop.url.path() != "/sign-in"), "nobody was asked anything");
    browser
}

async fn signs_in_by_hand(app: &TestApp) {
    let browser = app.browser();
    let hops = browser.follow("/auth/login?next=%2Fdashboard").await;
    let hops = browser.choose(hops.last().unwrap(), "user_aisha").await;
    let landed = hops.last().unwrap();
    assert_eq!((landed.status, landed.url.path()), (200, "/dashboard"), "{hops:?}");
    let me = browser.fetch("/auth/me").await.json();
    assert_eq!((&me["sub"], &me["name"]), (&json!("user_aisha"), &json!("Aisha Mohammed")));
    let level = "select level::bigint from users where subject = 'user_aisha'";
    assert_eq!(app.number(level).await, 300);
}

async fn claims_arrive(app: &TestApp, zainab: &Browser, manner: &Manner) {
    let me = zainab.fetch("/auth/me").await.json();
    assert_eq!(me["sub"], "user_zainab");
    assert_eq!((&me["role"], &me["custom_roles"]), (&json!("student"), &json!(["editor"])));
    let issuer = format!("{}{}", app.sandbox.origin(), manner.issuer_path);
    assert_eq!(app.text("select distinct issuer from users").await, Some(issuer));
    let without = "select count(*) from session_tokens where refresh_token is null";
    let expected = if manner.no_refresh_token { 2 } else { 0 };
    assert_eq!(app.number(without).await, expected);
}

/// PROTOCOLS.md, "Freshness": the tokens are refreshed, or the session is over and the next page renews it
/// without a word.
async fn tokens_end(app: &TestApp, zainab: &Browser, manner: &Manner) {
    app.access_tokens_expire().await;
    app.sandbox.reset_counts();
    let me = zainab.fetch("/auth/me").await;
    if !manner.no_refresh_token {
        assert_eq!((me.status, app.count(Endpoint::Token)), (200, 1));
        assert_eq!(app.count(Endpoint::Userinfo), 1, "the new access token is used");
        return;
    }
    assert_eq!((me.status, app.count(Endpoint::Token)), (401, 0));
    let hops = zainab.follow("/dashboard").await;
    let landed = hops.last().unwrap();
    assert_eq!((landed.status, landed.url.path()), (200, "/dashboard"), "{hops:?}");
    assert!(hops.iter().all(|hop| hop.url.path() != "/sign-in"), "nobody was asked anything");
}

async fn roles_change(app: &TestApp, zainab: &Browser) {
    let at_provider = |roles: &[&str]| {
        let roles = roles.iter().map(|role| (*role).to_owned()).collect();
        app.sandbox.change_person("user_zainab", |person| person.custom_roles = roles).unwrap();
    };
    assert_eq!(zainab.navigate(GATED).await.status, 403);
    at_provider(&["unit_admin"]);
    send(app, "user.role_changed").await;
    assert_eq!(zainab.navigate(GATED).await.status, 200, "the webhook gave the role");
    // No webhook this time: the next check reads it.
    at_provider(&[]);
    app.checks_are_due().await;
    assert_eq!(zainab.navigate(GATED).await.status, 403, "the check took the role");
    assert_eq!(zainab.fetch("/auth/me").await.json()["custom_roles"], json!([]));
}

async fn signs_out(app: &TestApp) {
    let browser = app.signed_in("user_tunde").await;
    let held = browser.cookie(SESSION).unwrap();
    assert_eq!(browser.fetch("/auth/me").await.status, 200);
    browser.submit("/auth/logout").await;
    assert!(browser.cookie(SESSION).is_none() && browser.cookie(SIGNED_OUT).is_some());
    browser.put("localhost", SESSION, &held);
    assert_eq!(browser.fetch("/auth/me").await.status, 401, "the old cookie is worth nothing");
}

async fn is_disconnected(app: &TestApp, zainab: &Browser) {
    app.sandbox.disconnect("user_zainab", None).unwrap();
    send(app, "user.disconnected").await;
    let page = zainab.navigate("/dashboard").await;
    assert_eq!(page.status, 401);
    assert!(page.body.contains(EndReason::Disconnected.text()), "{}", page.body);
    let left = "select count(*) from session_tokens t join sessions s on s.id = t.session_id
                join users u on u.id = s.user_id where u.subject = 'user_zainab'";
    assert_eq!(app.number(left).await, 0, "the tokens are gone");
}

async fn send(app: &TestApp, event: &str) {
    let person = Some("user_zainab".to_owned());
    let webhook = Webhook { event: event.to_owned(), person, ..Webhook::default() };
    assert_eq!(app.sandbox.send_webhook(webhook).await.unwrap(), 200);
}

/// PROTOCOLS.md rule 2. better-auth without its `jwt` plugin signs with the client secret and names no
/// issuer. The person reads that it cannot be believed, the operator what to do about it.
#[tokio::test]
async fn gen1_without_the_jwt_plugin_is_refused_and_the_operator_is_told() {
    let app = TestApp::spawn().await;
    let process = ServerProcess::spawn(&app, &[]).await;
    let known = app.sandbox.client(CLIENT_ID).unwrap();
    let redirect_uris = vec![format!("{}/api/auth/callback/campus-one", process.origin)];
    app.sandbox.set_client(Client { redirect_uris, ..known });
    for misbehaviour in [Misbehaviour::Hs256, Misbehaviour::MissingIss] {
        app.sandbox.misbehave_times(misbehaviour, None);
    }
    let browser = Browser::new(&process.origin);
    browser.at_provider(&app.sandbox.sign_in("user_aisha").unwrap());
    let hops = browser.follow("/auth/login").await;
    hops.last().unwrap().assert_refused(401, "id_token_signature");
    assert_eq!((app.rows().await, browser.cookie(SESSION)), ((0, 0), None));
    assert_eq!((app.count(Endpoint::Token), app.count(Endpoint::Userinfo)), (1, 0));
    let log = process.log();
    let told = log.lines().find(|line| line.contains("add the jwt plugin and set useJWTPlugin"));
    assert!(told.is_some_and(|line| line.contains("ERROR")), "{log}");
}
