//! Attacks on a sign-in under way: whose account it ends in, and where it leads (RFC 9700 §4).

use crate::support::{ANONYMOUS, Browser, SESSION, Setup, TestApp, parameter};
use campus_sandbox::{Endpoint, Profile};
use campus_server::clock;
use campus_server::http::cookies::Cookies;
use campus_server::signin::flow::Pending;
use http::{HeaderMap, HeaderValue, header};
use proptest::test_runner::{Config, TestRunner};
use std::collections::BTreeSet;
use std::sync::Arc;
use url::Url;

/// Goes to the provider and comes back with a code that is not delivered yet.
async fn with_code(browser: &Browser, target: &str) -> Url {
    let start = browser.navigate(target).await.location().unwrap();
    let callback = browser.navigate(start.as_str()).await.location().unwrap();
    assert!(parameter(&callback, "code").is_some(), "{callback}");
    callback
}

fn swap_code(callback: &Url, code: &str) -> Url {
    let mut swapped = callback.clone();
    let pairs: Vec<_> = callback
        .query_pairs()
        .map(|(name, value)| {
            let value = if name == "code" { code.to_owned() } else { value.into_owned() };
            (name.into_owned(), value)
        })
        .collect();
    swapped.query_pairs_mut().clear().extend_pairs(pairs);
    swapped
}

async fn who(browser: &Browser) -> Option<String> {
    let me = browser.fetch("/auth/me").await;
    (me.status == 200).then(|| me.json()["sub"].as_str().unwrap().to_owned())
}

/// Login CSRF (RFC 6749 §10.12): the attacker's own answer, delivered by somebody else's browser.
#[tokio::test]
async fn nobody_is_signed_in_to_the_attackers_account() {
    let app = TestApp::spawn().await;
    let attacker = app.browser_of("user_tunde");
    let stranger = app.browser();
    let waiting = app.browser_of("user_aisha");
    waiting.navigate("/auth/login").await;
    let signed_in = app.signed_in("user_aisha").await;
    let asked = app.count(Endpoint::Token);
    for victim in [&stranger, &waiting, &signed_in] {
        let forged = with_code(&attacker, "/auth/login").await;
        let before = who(victim).await;
        victim.navigate(forged.as_str()).await;
        assert_eq!(who(victim).await, before, "{forged}");
    }
    assert_eq!(app.count(Endpoint::Token), asked, "a code of another browser is not even sent");
}

/// Session fixation: what the cookie held before a sign-in is worth nothing after it.
#[tokio::test]
async fn a_session_that_somebody_planted_is_not_the_one_signed_in_to() {
    let app = TestApp::spawn().await;
    let attacker = app.signed_in("user_tunde").await;
    for planted in [attacker.cookie(SESSION).unwrap(), "A".repeat(22)] {
        let victim = app.browser_of("user_aisha");
        victim.put("localhost", SESSION, &planted);
        victim.follow("/auth/login").await;
        assert_ne!(victim.cookie(SESSION).unwrap(), planted);
        assert_eq!(who(&victim).await.as_deref(), Some("user_aisha"));
        let fixed = app.browser();
        fixed.put("localhost", SESSION, &planted);
        assert_eq!(who(&fixed).await, None, "the planted value is nobody's");
    }
}

/// Code injection (RFC 9700 §4.5): a code that leaked, put into a sign-in of the attacker's own. PKCE and
/// the nonce bind it to the flow that asked, in both generations.
#[tokio::test]
async fn a_leaked_code_is_of_no_use_in_another_flow() {
    for profile in [Profile::Gen1, Profile::Gen2] {
        let app = TestApp::spawn_with(Setup { profile, ..Setup::default() }).await;
        let leaked = with_code(&app.browser_of("user_aisha"), "/auth/login").await;
        let attacker = app.browser_of("user_tunde");
        let own = with_code(&attacker, "/auth/login").await;
        let injected = swap_code(&own, &parameter(&leaked, "code").unwrap());
        let answer = attacker.navigate(injected.as_str()).await;
        assert_eq!(answer.status, 401, "{answer:?}");
        assert_eq!((attacker.cookie(SESSION), app.rows().await), (None, (0, 0)));
    }
}

/// Answers of several tabs, each delivered with the code of the next, and then each again.
#[tokio::test]
async fn answers_crossed_between_tabs_sign_nobody_in_and_spoil_no_other_tab() {
    let app = TestApp::spawn().await;
    let browser = app.browser_of("user_aisha");
    let mut answers = Vec::new();
    for _ in 0..4 {
        answers.push(with_code(&browser, "/auth/login?next=/dashboard").await);
    }
    let states: BTreeSet<_> = answers.iter().map(|url| parameter(url, "state")).collect();
    assert_eq!((states.len(), browser.flows()), (4, 4));
    let crossed = swap_code(&answers[0], &parameter(&answers[1], "code").unwrap());
    assert_eq!(browser.navigate(crossed.as_str()).await.status, 401);
    assert_eq!((browser.cookie(SESSION), browser.flows()), (None, 3));
    // The state of an ended flow is spent, with whatever code.
    browser.navigate(answers[0].as_str()).await;
    assert_eq!(browser.cookie(SESSION), None);
    browser.navigate(answers[3].as_str()).await;
    assert_eq!(who(&browser).await.as_deref(), Some("user_aisha"));
    let session = browser.cookie(SESSION);
    for late in &answers {
        assert_eq!(browser.navigate(late.as_str()).await.status, 303);
    }
    assert_eq!((browser.cookie(SESSION), app.rows().await), (session, (1, 1)));
}

/// A flow cookie copied into another browser opens the attacker's own code no more than theirs does, and
/// without a code nothing at all.
#[tokio::test]
async fn a_stolen_flow_cookie_is_no_session() {
    let app = TestApp::spawn().await;
    let victim = app.browser_of("user_aisha");
    let start = victim.navigate("/auth/login").await.location().unwrap();
    let thief = victim.clone();
    thief.at_provider(&app.sandbox.sign_in("user_tunde").unwrap());
    let state = parameter(&start, "state").unwrap();
    let own = with_code(&thief, "/auth/login").await;
    let code = parameter(&own, "code").unwrap();
    let forged = format!("/auth/callback?code={code}&state={state}");
    assert_eq!(thief.navigate(&forged).await.status, 401);
    assert_eq!((thief.cookie(SESSION), who(&victim).await, app.rows().await), (None, None, (0, 0)));
}

/// Cookie tossing: a sibling host can put a cookie of our name in front of ours. Over https the prefix
/// keeps it out; over http two that differ are nobody, rather than whomever the attacker chose.
#[tokio::test]
async fn a_session_tossed_in_by_a_sibling_is_nobody() {
    let app = TestApp::spawn().await;
    let own = app.signed_in("user_aisha").await.cookie(SESSION).unwrap();
    let tossed = app.signed_in("user_tunde").await.cookie(SESSION).unwrap();
    for (cookies, status) in [
        (format!("{SESSION}={tossed}; {SESSION}={own}"), 401),
        (format!("{SESSION}={own}; {SESSION}={tossed}"), 401),
        (format!("{SESSION}={own}; {SESSION}={own}"), 200),
        (format!("__Host-{SESSION}={tossed}; {SESSION}={own}"), 200),
    ] {
        let asked = [("cookie", cookies.as_str()), ("accept", "application/json")];
        let me = app.browser().ask(http::Method::GET, "/auth/me", &asked).await;
        assert_eq!(me.status, status, "{cookies}");
        assert!(!me.body.contains("user_tunde"));
    }
    let secure = TestApp::spawn_with(Setup { https: true, ..Setup::default() }).await;
    let own = secure.signed_in_over_https("user_aisha").await;
    let asked = format!("{SESSION}={own}; campus_desk=x; __Host-{SESSION}={own}");
    let me = secure.browser().ask(http::Method::GET, "/auth/me", &[("cookie", &asked)]).await;
    assert_eq!(me.json()["sub"], "user_aisha");
}

/// Session ids are guessed in vain: 128 random bits, and every wrong one is answered alike and writes
/// nothing.
#[tokio::test]
async fn guessed_sessions_are_all_nobody_and_cost_no_write() {
    let app = TestApp::spawn().await;
    let real = app.signed_in("user_aisha").await.cookie(SESSION).unwrap();
    let rows = "select (select coalesce(sum(xmin::text::bigint), 0)::bigint from sessions)
                     + (select coalesce(sum(xmin::text::bigint), 0)::bigint from users)";
    let before = app.number(rows).await;
    let mut answers = BTreeSet::new();
    for number in 0..100_u8 {
        let mut guess = real.clone().into_bytes();
        let place = usize::from(number) % 21;
        guess[place] = if guess[place] == b'x' { b'y' } else { b'x' };
        let cookie = format!("{SESSION}={}", String::from_utf8(guess).unwrap());
        let headers = [("cookie", cookie.as_str()), ("accept", "application/json")];
        let me = app.browser().ask(http::Method::GET, "/auth/me", &headers).await;
        assert_eq!(me.cookies(), []);
        answers.insert((me.status, me.body));
    }
    assert_eq!(answers.len(), 1, "{answers:?}");
    assert_eq!(app.number(rows).await, before);
}

fn next_of(app: &TestApp, browser: &Browser, start: &Url) -> String {
    let mut headers = HeaderMap::new();
    headers.insert(header::COOKIE, HeaderValue::from_str(&browser.cookie_header()).unwrap());
    let cookies = Cookies::read(&headers, app.app.cookies);
    let pending = Pending::read(&cookies, &app.app.flow_keys, clock::now());
    let state = parameter(start, "state").unwrap();
    pending.by_state(&state).unwrap().next.as_str().to_owned()
}

/// For every string, `next` leads into this app (PROTOCOLS.md, "Return path"), and no other header of the
/// answer is of its making.
#[tokio::test(flavor = "multi_thread")]
async fn whatever_next_says_the_way_leads_into_this_app() {
    let app = Arc::new(TestApp::spawn().await);
    let person = app.signed_in("user_aisha").await;
    let runtime = tokio::runtime::Handle::current();
    let asked = "(/|//|\\\\|https:|javascript:|%2f|%5c|%0d%0a|\r\nset-cookie: a=b|@|\\?|#|\\.\\.|evil\\.example|\\PC|.){0,8}";
    let inside = app.clone();
    let work = move || {
        let mut runner = TestRunner::new(Config::with_cases(120));
        runner.run(&asked, |next| {
            let next: String = url::form_urlencoded::byte_serialize(next.as_bytes()).collect();
            runtime.block_on(async {
                let app = &inside;
                // Whoever was asked a short while ago is sent straight on.
                let browser = app.browser();
                browser.put("localhost", ANONYMOUS, "1");
                let answer =
                    browser.navigate(&format!("/auth/login?prompt=none&next={next}")).await;
                let onward = answer.location().unwrap();
                assert_eq!((answer.status, answer.cookies()), (303, vec![]), "{next}");
                assert!(onward.as_str().starts_with(&format!("{}/", app.origin)), "{onward}");
                assert!(!onward.path().starts_with("/auth"), "{onward}");
                // Whoever confirms that it is them comes back to what the flow holds.
                let browser = person.clone();
                let start = browser.navigate(&format!("/auth/confirm?next={next}")).await;
                let start = start.location().unwrap();
                assert!(start.as_str().starts_with(app.sandbox.origin()), "{start}");
                let home = Url::parse(&app.origin).unwrap();
                let onward = home.join(&next_of(app, &browser, &start)).unwrap();
                assert_eq!(onward.origin(), home.origin(), "{next}");
            });
            Ok(())
        })
    };
    tokio::task::spawn_blocking(work).await.unwrap().unwrap();
}
