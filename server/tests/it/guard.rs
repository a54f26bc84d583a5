//! The guard's table, end to end: who is sent to the provider, how often, and what they find afterwards.

use crate::support::{ANONYMOUS, SESSION, SIGNED_OUT, TestApp, parameter};
use campus::reason::EndReason;
use campus_sandbox::{Down, Endpoint, Misbehaviour, Trouble};

#[tokio::test]
async fn nobody_signed_in_costs_a_public_page_one_silent_redirect() {
    let app = TestApp::spawn().await;
    let browser = app.browser();
    let hops = browser.follow("/").await;
    let paths: Vec<_> = hops.iter().map(|hop| (hop.status, hop.url.path().to_owned())).collect();
    let expected = [
        (303, "/"),
        (302, "/api/auth/oauth2/authorize"),
        (303, "/api/auth/callback/campus-one"),
        (200, "/"),
    ];
    assert_eq!(paths, expected.map(|(status, path)| (status, path.to_owned())));
    assert_eq!(parameter(&hops[1].url, "prompt").as_deref(), Some("none"));
    assert!(hops[0].sets(ANONYMOUS), "the marker must stand before the attempt");
    assert!(browser.cookie(ANONYMOUS).is_some() && browser.flows() == 0);

    let again = browser.navigate("/").await;
    assert_eq!((again.status, again.location()), (200, None));
    assert_eq!(app.count(Endpoint::Authorize), 1);
    assert_eq!(app.rows().await, (0, 0));
}

#[tokio::test]
async fn the_anonymous_marker_lasts_300_seconds_give_or_take_a_fifth() {
    let app = TestApp::spawn().await;
    let mut ages = Vec::new();
    for _ in 0..12 {
        let answer = app.browser().navigate("/").await;
        let headers = answer.headers.get_all("set-cookie").iter();
        let text = headers
            .filter_map(|value| value.to_str().ok())
            .find(|text| text.starts_with("c1_anon="))
            .unwrap();
        let (_, age) = text.split_once("Max-Age=").unwrap();
        ages.push(age.split(';').next().unwrap().parse::<i64>().unwrap());
        assert!(text.contains("HttpOnly") && text.contains("SameSite=Lax"), "{text}");
    }
    assert!(ages.iter().all(|age| (240..=360).contains(age)), "{ages:?}");
    assert!(ages.iter().any(|age| age != &ages[0]), "not spread: {ages:?}");
}

#[tokio::test]
async fn a_provider_session_signs_in_silently_on_a_public_page() {
    let app = TestApp::spawn().await;
    let browser = app.browser_of("user_aisha");
    let hops = browser.follow("/").await;
    let last = hops.last().unwrap();
    assert_eq!((last.status, last.url.path()), (200, "/"));
    assert!(hops[2].sets(SESSION) && hops[2].removes(ANONYMOUS));
    assert_eq!((browser.cookie(ANONYMOUS), browser.flows()), (None, 0));
    assert_eq!(app.rows().await, (1, 1));
    assert_eq!(app.text("select subject from users").await.as_deref(), Some("user_aisha"));
    assert_eq!((app.count(Endpoint::Token), app.count(Endpoint::Userinfo)), (1, 1));
    assert_eq!(browser.fetch("/auth/me").await.json()["sub"], "user_aisha");
}

#[tokio::test]
async fn a_protected_page_asks_silently_and_then_once_interactively() {
    let app = TestApp::spawn().await;
    let browser = app.browser();
    let hops = browser.follow("/dashboard?week=3").await;
    let prompts: Vec<_> = hops
        .iter()
        .filter(|hop| hop.url.path() == "/api/auth/oauth2/authorize")
        .map(|hop| parameter(&hop.url, "prompt"))
        .collect();
    assert_eq!(prompts, [Some("none".to_owned()), None]);

    let back = browser.choose(hops.last().unwrap(), "user_aisha").await;
    let landed = back.last().unwrap();
    assert_eq!((landed.status, landed.url.path()), (200, "/dashboard"));
    assert_eq!(landed.url.query(), Some("week=3"), "the return path keeps its query");
    assert_eq!((app.rows().await, browser.flows()), ((1, 1), 0));
}

#[tokio::test]
async fn other_silent_errors_lead_to_one_interactive_flow_too() {
    for misbehaviour in [Misbehaviour::InteractionRequired, Misbehaviour::AccountSelectionRequired]
    {
        let app = TestApp::spawn().await;
        app.sandbox.misbehave(misbehaviour);
        let browser = app.browser_of("user_aisha");
        let hops = browser.follow("/dashboard").await;
        let landed = hops.last().unwrap();
        assert_eq!((landed.status, landed.url.path()), (200, "/dashboard"), "{misbehaviour:?}");
        assert_eq!(app.count(Endpoint::Authorize), 2);
    }
}

#[tokio::test]
async fn a_protected_page_with_the_anonymous_marker_asks_interactively_at_once() {
    let app = TestApp::spawn().await;
    let browser = app.browser();
    browser.put("localhost", ANONYMOUS, "1");
    let first = browser.navigate("/dashboard").await.location().unwrap();
    assert_eq!(first.path(), "/api/auth/oauth2/authorize");
    assert_eq!(parameter(&first, "prompt"), None);
}

#[tokio::test]
async fn nobody_is_signed_in_silently_after_signing_out() {
    let app = TestApp::spawn().await;
    let browser = app.signed_in("user_aisha").await;
    let out = browser.submit("/auth/logout").await;
    assert_eq!(out.location().unwrap().path(), "/auth/signed-out");
    assert!(out.sets(SIGNED_OUT) && browser.cookie(SESSION).is_none());
    let asked = app.count(Endpoint::Authorize);

    assert_eq!(browser.navigate("/").await.status, 200);
    let page = browser.navigate("/dashboard").await;
    assert_eq!(page.status, 401);
    assert!(page.body.contains(EndReason::SignedOut.text()), "{}", page.body);
    assert!(page.body.contains("/auth/login"), "there must be a way back in");
    assert_eq!(app.count(Endpoint::Authorize), asked, "nothing may be asked behind their back");

    let hops = browser.follow("/auth/login?next=/dashboard").await;
    let landed = hops.last().unwrap();
    assert_eq!((landed.status, landed.url.path()), (200, "/dashboard"));
    assert!(browser.cookie(SIGNED_OUT).is_none() && browser.cookie(SESSION).is_some());
}

#[tokio::test]
async fn a_silent_attempt_on_demand_respects_a_sign_out() {
    let app = TestApp::spawn().await;
    let browser = app.signed_in("user_aisha").await;
    browser.submit("/auth/logout").await;
    let answer = browser.navigate("/auth/login?prompt=none&next=/").await;
    assert_eq!(answer.location().unwrap().path(), "/");
    assert!(browser.cookie(SESSION).is_none() && browser.flows() == 0);
}

#[tokio::test]
async fn a_silent_flow_under_way_during_a_sign_out_does_not_undo_it() {
    let app = TestApp::spawn().await;
    let browser = app.browser_of("user_aisha");
    let start = browser.navigate("/").await.location().unwrap();
    let callback = browser.navigate(start.as_str()).await.location().unwrap();
    browser.submit("/auth/logout").await;
    let answer = browser.navigate(callback.as_str()).await;
    assert_eq!((answer.status, browser.cookie(SESSION)), (303, None));
    assert_eq!((app.rows().await, app.count(Endpoint::Token)), ((0, 0), 0));
}

#[tokio::test]
async fn the_fourth_start_within_a_minute_is_a_page() {
    let app = TestApp::spawn().await;
    let browser = app.browser();
    for _ in 0..3 {
        assert_eq!(browser.navigate("/dashboard").await.status, 303);
    }
    let stopped = browser.navigate("/dashboard").await;
    stopped.assert_refused(429, "sign_in_loop");
    assert_eq!(stopped.location(), None);
    assert!(stopped.body.contains("/auth/login"), "there must be a link to go on");
    browser.put("localhost", ANONYMOUS, "1");
    assert_eq!(browser.navigate("/").await.status, 200, "a public page is served all the same");
    assert_eq!(browser.navigate("/auth/login").await.status, 303, "a click is no loop");
}

#[tokio::test]
async fn a_browser_keeps_at_most_five_flows() {
    let app = TestApp::spawn().await;
    let browser = app.browser();
    for _ in 0..8 {
        browser.navigate("/auth/login").await;
        assert!(browser.flows() <= 5, "{} flows", browser.flows());
    }
    assert_eq!(browser.flows(), 5);
}

#[tokio::test]
async fn while_the_provider_is_down_public_pages_are_served() {
    let app = TestApp::spawn().await;
    let down = Trouble { down: Some(Down::Drop), ..Trouble::default() };
    app.sandbox.set_trouble(Endpoint::Discovery, down);
    let browser = app.browser();
    let public = browser.navigate("/").await;
    assert_eq!((public.status, public.location()), (200, None));
    assert!(public.sets(ANONYMOUS), "the provider must not be asked on every click");

    let protected = browser.navigate("/dashboard").await;
    protected.assert_refused(503, "provider_unreachable");
    assert_eq!(protected.header("retry-after"), "60");
    protected.assert_private();
}

/// OpenID Connect Core §4: somebody else sends a browser here to be signed in.
#[tokio::test]
async fn oidcc_client_test_3rd_party_init_login() {
    let app = TestApp::spawn().await;
    let encoded =
        |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let target = |iss: &str, link: &str| {
        format!(
            "/auth/login?iss={}&login_hint=aisha&target_link_uri={}",
            encoded(iss),
            encoded(link)
        )
    };
    let ours = app.sandbox.issuer();
    let link = format!("{}/dashboard?week=3", app.origin);
    let start = app.browser().navigate(&target(&ours, &link)).await;
    let url = start.location().unwrap();
    assert_eq!(parameter(&url, "login_hint").as_deref(), Some("aisha"));
    let hops = app.browser_of("user_aisha").follow(&target(&ours, &link)).await;
    assert_eq!(hops.last().unwrap().url.as_str(), link);

    // Another provider is not asked, and nobody is led away from here.
    let asked = app.count(Endpoint::Authorize);
    app.browser()
        .navigate(&target("https://other.example", &link))
        .await
        .assert_refused(401, "issuer_mismatch");
    assert_eq!(app.count(Endpoint::Authorize), asked);
    for elsewhere in
        ["https://evil.example/dashboard", "//evil.example", "javascript:alert(1)", "x"]
    {
        let hops = app.browser_of("user_aisha").follow(&target(&ours, elsewhere)).await;
        assert_eq!(hops.last().unwrap().url.as_str(), format!("{}/", app.origin), "{elsewhere}");
    }
}
