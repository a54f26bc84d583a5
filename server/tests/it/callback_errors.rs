//! The callback's rows for answers from which nothing is redeemed.

use crate::support::{ANONYMOUS, Answer, Browser, CALLBACKS, SESSION, Setup, TestApp, parameter};
use campus::instant::Instant;
use campus::return_path::ReturnPath;
use campus_sandbox::{Endpoint, Misbehaviour, Profile};
use campus_server::clock;
use campus_server::signin::flow::{FLOW_SECONDS, Flow, Mode};
use http::Method;

/// Starts a sign-in and gives its state.
async fn started(browser: &Browser, target: &str) -> String {
    let location = browser.navigate(target).await.location().unwrap();
    parameter(&location, "state").unwrap()
}

/// Gives a browser a flow that began at `since`; the cookie's name and the state.
fn begun(app: &TestApp, browser: &Browser, mode: Mode, since: Instant) -> (String, String) {
    let flow = Flow::begin(mode, ReturnPath::parse("/dashboard?week=3"), false, since);
    let name = flow.cookie_name();
    let sealed = app.app.flow_keys.seal(&name, &serde_json::to_vec(&flow).unwrap());
    browser.put("localhost", &name, &sealed);
    (name, flow.state)
}

/// How often an answer names a cookie.
fn times(answer: &Answer, name: &str) -> usize {
    answer.cookies().iter().filter(|(set, ..)| set == name).count()
}

#[tokio::test]
async fn the_health_monitor_gets_200_and_nothing_else() {
    let app = TestApp::spawn().await;
    let busy = app.browser();
    busy.navigate("/").await;
    let flows = busy.flows();
    for path in CALLBACKS {
        for browser in [&app.browser(), &busy] {
            for (method, query) in [
                (Method::HEAD, ""),
                (Method::GET, ""),
                (Method::GET, "?"),
                (Method::HEAD, "?code=a&state=b"),
            ] {
                let target = format!("{path}{query}");
                let answer = browser.ask(method.clone(), &target, &[]).await;
                assert_eq!((answer.status, answer.body.as_str()), (200, ""), "{method} {target}");
                assert_eq!(answer.cookies(), [], "{method} {target}");
            }
        }
    }
    assert_eq!(busy.flows(), flows, "a monitor ends nobody's sign-in");
    assert_eq!((app.rows().await, app.count(Endpoint::Token)), ((0, 0), 0));
}

#[tokio::test]
async fn duplicate_parameters_and_code_beside_error_are_rejected() {
    let app = TestApp::spawn().await;
    let browser = app.browser_of("user_aisha");
    let state = started(&browser, "/").await;
    for query in [
        format!("code=a&code=a&state={state}"),
        format!("code=a&state={state}&state={state}"),
        format!("code=a&error=login_required&state={state}"),
        format!("error=login_required&error=access_denied&state={state}"),
        format!("code=a&state={state}&iss=x&iss=x"),
    ] {
        for path in CALLBACKS {
            let page = browser.navigate(&format!("{path}?{query}")).await;
            page.assert_refused(400, "duplicate_parameters");
            page.assert_private();
        }
    }
    assert_eq!((app.rows().await, app.count(Endpoint::Token)), ((0, 0), 0));
}

#[tokio::test]
async fn oidcc_client_test_invalid_authorization_response_iss() {
    for profile in [Profile::Gen1, Profile::Gen2] {
        let app = TestApp::spawn_with(Setup { profile, ..Setup::default() }).await;
        let browser = app.browser_of("user_aisha");
        app.sandbox.misbehave(Misbehaviour::AuthorizationIssWrong);
        let hops = browser.follow("/auth/login").await;
        let page = hops.last().unwrap();
        page.assert_refused(401, "issuer_mismatch");
        assert!(page.removes("c1_flow_") && browser.flows() == 0);
        assert_eq!((app.rows().await, app.count(Endpoint::Token)), ((0, 0), 0), "{profile:?}");
    }
}

#[tokio::test]
async fn oidcc_client_test_remove_authorization_response_iss() {
    let app = TestApp::spawn_with(Setup { profile: Profile::Gen2, ..Setup::default() }).await;
    let browser = app.browser_of("user_aisha");
    app.sandbox.misbehave(Misbehaviour::AuthorizationIssMissing);
    let hops = browser.follow("/auth/login").await;
    hops.last().unwrap().assert_refused(401, "issuer_mismatch");
    assert_eq!((app.rows().await, app.count(Endpoint::Token)), ((0, 0), 0));
}

#[tokio::test]
async fn an_issuer_nobody_promised_may_be_missing() {
    let app = TestApp::spawn_with(Setup { profile: Profile::Gen2, ..Setup::default() }).await;
    app.sandbox.misbehave_times(Misbehaviour::IssMissingInTokenButOk, None);
    app.signed_in("user_aisha").await;
    assert_eq!(app.rows().await, (1, 1));
}

#[tokio::test]
async fn a_stateless_error_ends_the_newest_silent_flow_and_no_interactive_one() {
    let app = TestApp::spawn().await;
    let browser = app.browser();
    let interactive = started(&browser, "/auth/login?next=/dashboard").await;
    started(&browser, "/?from=silent").await;
    assert_eq!(browser.flows(), 2);
    let answer = browser.navigate("/auth/callback?error=login_required").await;
    let back = answer.location().unwrap();
    assert_eq!((answer.status, back.path(), back.query()), (303, "/", Some("from=silent")));
    assert!(answer.removes("c1_flow_") && answer.sets(ANONYMOUS));
    answer.assert_private();
    assert_eq!(browser.flows(), 1, "the interactive flow stays");

    // And it can still be finished.
    browser.at_provider(&app.sandbox.sign_in("user_aisha").unwrap());
    let denied = format!("/auth/callback?error=access_denied&state={interactive}");
    browser.navigate(&denied).await.assert_refused(403, "access_denied");
    assert_eq!(browser.flows(), 0);
}

#[tokio::test]
async fn a_stateless_error_with_only_an_interactive_flow_ends_that_flow() {
    let app = TestApp::spawn().await;
    let browser = app.browser();
    started(&browser, "/auth/login").await;
    let page = browser.navigate("/auth/callback?error=login_required").await;
    page.assert_refused(502, "provider_refused");
    assert!(page.removes("c1_flow_") && browser.flows() == 0);
    page.assert_private();
}

#[tokio::test]
async fn a_stateless_error_does_nothing_to_somebody_who_is_signed_in() {
    let app = TestApp::spawn().await;
    let browser = app.signed_in("user_aisha").await;
    let answer = browser.navigate("/auth/callback?error=access_denied").await;
    assert_eq!((answer.status, answer.location().unwrap().path()), (303, "/"));
    assert_eq!(browser.fetch("/auth/me").await.status, 200);
}

#[tokio::test]
async fn an_error_with_an_unknown_state_leaves_pending_flows_alone() {
    let app = TestApp::spawn().await;
    let browser = app.browser();
    started(&browser, "/").await;
    started(&browser, "/auth/login").await;
    for error in ["login_required", "access_denied", "server_error"] {
        let target = format!("/auth/callback?error={error}&state=somebody-elses");
        let page = browser.navigate(&target).await;
        page.assert_refused(409, "state_unknown");
        page.assert_private();
        assert_eq!((page.cookies(), browser.flows()), (Vec::new(), 2), "{error}");
    }
}

#[tokio::test]
async fn an_answer_after_ten_minutes_is_said_to_be_late_and_leads_on() {
    let app = TestApp::spawn().await;
    let now = clock::now();
    for query in ["code=c", "error=access_denied"] {
        let browser = app.browser_of("user_aisha");
        let since = now.plus_seconds(-FLOW_SECONDS);
        let (name, state) = begun(&app, &browser, Mode::Interactive, since);
        let page = browser.navigate(&format!("/auth/callback?{query}&state={state}")).await;
        page.assert_refused(409, "flow_expired");
        page.assert_private();
        assert!(page.body.contains("/auth/login?next=%2Fdashboard%3Fweek%3D3"), "{}", page.body);
        assert!(page.removes(&name), "{:?}", page.cookies());
        assert_eq!((times(&page, &name), browser.flows()), (1, 0), "RFC 6265 §4.1.1: set once");
    }
    assert_eq!((app.rows().await, app.count(Endpoint::Token)), ((0, 0), 0));

    // A minute less, and it is only a matter of the code.
    let browser = app.browser();
    let since = now.plus_seconds(60 - FLOW_SECONDS);
    let (_, state) = begun(&app, &browser, Mode::Interactive, since);
    let page = browser.navigate(&format!("/auth/callback?code=c&state={state}")).await;
    page.assert_refused(401, "code_refused");
}

#[tokio::test]
async fn what_is_left_of_an_old_sign_in_is_removed_once_on_the_way_to_a_new_one() {
    let app = TestApp::spawn().await;
    let browser = app.browser();
    let now = clock::now();
    let (old, _) = begun(&app, &browser, Mode::Interactive, now.plus_seconds(-FLOW_SECONDS));
    let silent = Mode::Silent { then_interactive: true };
    let (asked, state) = begun(&app, &browser, silent, now);
    let target = format!("/auth/callback?error=login_required&state={state}");
    let answer = browser.navigate(&target).await;
    assert_eq!(answer.location().unwrap().path(), "/api/auth/oauth2/authorize");
    assert_eq!((times(&answer, &old), times(&answer, &asked), browser.flows()), (1, 1, 1));
}

#[tokio::test]
async fn a_denied_consent_is_a_403_page() {
    for profile in [Profile::Gen1, Profile::Gen2] {
        let app = TestApp::spawn_with(Setup { profile, ..Setup::default() }).await;
        app.sandbox.set_trusted(crate::support::CLIENT_ID, false).unwrap();
        let browser = app.browser_of("user_aisha");
        let hops = browser.follow("/auth/login?next=/dashboard").await;
        let question = hops.last().unwrap();
        assert_eq!((question.status, question.url.path()), (200, "/consent"));
        let code = parameter(&question.url, "consent_code").unwrap();
        let target = question.url.join("/consent").unwrap();
        let form = [("consent_code", code.as_str()), ("decision", "deny")];
        let request = browser.request(Method::POST, target.as_str()).form(&form);
        let answer = browser.send(request).await;
        let hops = browser.follow_from(answer).await;
        let page = hops.last().unwrap();
        page.assert_refused(403, "access_denied");
        assert!(page.body.contains("/auth/login?next="), "a way on: {}", page.body);
        assert_eq!((app.rows().await, browser.flows()), ((0, 0), 0), "{profile:?}");
    }
}

#[tokio::test]
async fn the_providers_own_words_are_never_shown() {
    let app = TestApp::spawn().await;
    let browser = app.browser();
    let state = started(&browser, "/auth/login").await;
    let words = "%3Cscript%3Ealert(417)%3C%2Fscript%3E";
    for query in [
        format!("error={words}&error_description={words}&state={words}"),
        format!(
            "error=access_denied&error_description={words}&error_uri=https://evil.example&state={state}"
        ),
    ] {
        let page = browser.navigate(&format!("/auth/callback?{query}")).await;
        assert!(page.status >= 400, "{query}");
        assert!(!page.body.contains("alert(417)"), "{}", page.body);
        assert!(!page.body.contains("evil.example"), "{}", page.body);
    }
}

#[tokio::test]
async fn a_code_with_an_unknown_state_goes_home_where_there_is_a_session() {
    let app = TestApp::spawn().await;
    let browser = app.signed_in("user_aisha").await;
    let session = browser.cookie(SESSION);
    let answer = browser.navigate("/auth/callback?code=a&state=unknown").await;
    assert_eq!((answer.status, answer.location().unwrap().path()), (303, "/"));
    answer.assert_private();
    assert_eq!((browser.cookie(SESSION), app.count(Endpoint::Token)), (session, 1));
}

#[tokio::test]
async fn a_code_with_an_unknown_state_gets_one_fresh_start_and_then_a_page() {
    let app = TestApp::spawn().await;
    let browser = app.browser();
    let fresh = browser.navigate("/auth/callback?code=a&state=unknown").await;
    assert_eq!(fresh.status, 303);
    fresh.assert_private();
    let state = parameter(&fresh.location().unwrap(), "state").unwrap();
    assert_eq!(browser.flows(), 1);

    // A browser that keeps no cookies comes back with that state and nothing else.
    let again = app.browser().navigate(&format!("/auth/callback?code=a&state={state}")).await;
    again.assert_refused(409, "state_unknown");
    assert_eq!((again.location(), app.count(Endpoint::Token)), (None, 0));

    // One that keeps them is signed in.
    browser.at_provider(&app.sandbox.sign_in("user_aisha").unwrap());
    browser.follow_from(fresh).await;
    assert!(browser.cookie(SESSION).is_some());
}

#[tokio::test]
async fn oidcc_client_test_ensure_authorization_response_with_invalid_state_fails() {
    for misbehaviour in [Misbehaviour::StateWrong, Misbehaviour::StateMissing] {
        let app = TestApp::spawn().await;
        app.sandbox.misbehave_times(misbehaviour, None);
        let browser = app.browser_of("user_aisha");
        let start = browser.navigate("/auth/login").await.location().unwrap();
        let callback = browser.navigate(start.as_str()).await.location().unwrap();
        let answer = browser.navigate(callback.as_str()).await;
        assert!(answer.status == 303 || answer.status >= 400, "{answer:?}");
        assert_eq!((app.rows().await, app.count(Endpoint::Token)), ((0, 0), 0), "{misbehaviour:?}");
    }
}
