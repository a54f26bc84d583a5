use super::*;
use crate::config::Secret;
use crate::http::cookies::{CookieStyle, Cookies};
use crate::seal::KeyRing;
use campus::instant::Instant;
use http::{HeaderMap, HeaderValue, header::COOKIE};

const ISSUER: &str = "https://auth.campusone.com.ng";
const SILENT: Mode = Mode::Silent { then_interactive: false };
const SILENT_FIRST: Mode = Mode::Silent { then_interactive: true };

fn flow(mode: Mode, second: i64) -> Flow {
    let now = Instant::from_seconds(1_000_000 + second);
    Flow::begin(mode, ReturnPath::parse("/dashboard?tab=1"), false, now)
}

/// The flows as a browser holds them: sealed, sent and opened again.
fn pending(flows: &[&Flow]) -> Pending {
    let style = CookieStyle { secure: false };
    let keys = KeyRing::derive(&Secret::new("s"), None, "flow");
    let pairs: Vec<String> = flows
        .iter()
        .flat_map(|flow| Pending::default().keep(flow, &keys, style))
        .filter_map(|set| set.split(';').next().map(str::to_owned))
        .collect();
    let mut headers = HeaderMap::new();
    headers.insert(COOKIE, HeaderValue::from_str(&pairs.join("; ")).expect("ascii"));
    Pending::read(&Cookies::read(&headers, style), &keys, Instant::from_seconds(1_000_100))
}

fn known(pending: &Pending) -> Known<'_> {
    Known { pending, has_session: false, signed_out: false, issuer: ISSUER, promises_iss: false }
}

fn answer(query: &str) -> Answer {
    Answer::parse(Some(query)).expect("readable").expect("not empty")
}

#[test]
fn row_1_an_empty_query_is_no_answer() {
    assert_eq!(Answer::parse(None), Ok(None));
    assert_eq!(Answer::parse(Some("")), Ok(None));
}

#[test]
fn row_2_contradictions_are_rejected() {
    for query in ["code=a&code=b", "code=a&error=b", "state=a&state=b&code=c", "error=a&error=a"] {
        assert_eq!(Answer::parse(Some(query)), Err(Reason::DUPLICATE_PARAMETERS), "{query}");
    }
    for query in ["state=a", "code=", "utm_source=x"] {
        assert_eq!(Answer::parse(Some(query)), Err(Reason::BAD_REQUEST), "{query}");
    }
    let long = format!("code={}", "x".repeat(9000));
    assert_eq!(Answer::parse(Some(&long)), Err(Reason::BAD_REQUEST));
}

#[test]
fn row_3_a_wrong_or_missing_issuer_is_rejected() {
    let flow = flow(Mode::Interactive, 0);
    let pending = pending(&[&flow]);
    let with = |iss: &str| answer(&format!("code=c&state={}{iss}", flow.state));
    let rejected = Outcome::Reject(Reason::ISSUER_MISMATCH, Some(flow.clone()));
    let wrong = with("&iss=https%3A%2F%2Fevil.example");
    let right = with("&iss=https%3A%2F%2Fauth.campusone.com.ng");
    let redeemed = Outcome::Redeem(flow.clone(), "c".into());
    assert_eq!(decide(&wrong, known(&pending)), rejected);
    assert_eq!(decide(&right, known(&pending)), redeemed);
    assert_eq!(decide(&with(""), known(&pending)), redeemed);
    let promising = Known { promises_iss: true, ..known(&pending) };
    assert_eq!(decide(&with(""), promising), rejected);
    assert_eq!(decide(&right, promising), redeemed);
    let slash = with("&iss=https%3A%2F%2Fauth.campusone.com.ng%2F");
    assert_eq!(decide(&slash, known(&pending)), rejected, "issuers are compared as strings");
}

#[test]
fn row_4_silent_errors_in_a_known_flow() {
    for error in SILENT_ERRORS {
        for (mode, interactive) in [(SILENT, false), (SILENT_FIRST, true)] {
            let flow = flow(mode, 0);
            let pending = pending(&[&flow]);
            let outcome =
                decide(&answer(&format!("error={error}&state={}", flow.state)), known(&pending));
            let expected =
                if interactive { Outcome::Interactive(flow) } else { Outcome::Anonymous(flow) };
            assert_eq!(outcome, expected, "{error}");
        }
        let flow = flow(Mode::Interactive, 0);
        let pending = pending(&[&flow]);
        let outcome =
            decide(&answer(&format!("error={error}&state={}", flow.state)), known(&pending));
        assert_eq!(outcome, Outcome::Reject(Reason::PROVIDER_REFUSED, Some(flow)));
    }
}

#[test]
fn row_4_other_errors_are_pages_with_our_own_words() {
    let silent = flow(SILENT, 0);
    let pending = pending(&[&silent]);
    for (error, reason) in [
        ("access_denied", Reason::ACCESS_DENIED),
        ("server_error", Reason::PROVIDER_UNREACHABLE),
        ("invalid_scope", Reason::PROVIDER_REFUSED),
        ("%3Cscript%3E", Reason::PROVIDER_REFUSED),
    ] {
        let query = format!("error={error}&error_description=%3Cb%3E&state={}", silent.state);
        let outcome = decide(&answer(&query), known(&pending));
        assert_eq!(outcome, Outcome::Reject(reason, Some(silent.clone())));
    }
}

#[test]
fn row_5_a_stateless_error_ends_the_newest_silent_flow_only() {
    let (older, newer, interactive) =
        (flow(SILENT, 0), flow(SILENT, 5), flow(Mode::Interactive, 9));
    let held = pending(&[&older, &newer, &interactive]);
    for query in ["error=login_required", "error=login_required&state=undefined"] {
        assert_eq!(decide(&answer(query), known(&held)), Outcome::Anonymous(newer.clone()));
    }
    let first = flow(SILENT_FIRST, 20);
    let held = pending(&[&older, &first]);
    let outcome = decide(&answer("error=consent_required"), known(&held));
    assert_eq!(outcome, Outcome::Interactive(first));
}

#[test]
fn row_5_with_only_an_interactive_flow_the_flow_ends() {
    let flow = flow(Mode::Interactive, 0);
    let held = pending(&[&flow]);
    let outcome = decide(&answer("error=access_denied"), known(&held));
    assert_eq!(outcome, Outcome::Reject(Reason::ACCESS_DENIED, Some(flow)));
    let none = Pending::default();
    let outcome = decide(&answer("error=login_required"), known(&none));
    assert_eq!(outcome, Outcome::Reject(Reason::PROVIDER_REFUSED, None));
}

#[test]
fn row_5_an_error_with_a_foreign_state_touches_no_flow() {
    for mode in [SILENT, Mode::Interactive] {
        let held = pending(&[&flow(mode, 0)]);
        for error in ["login_required", "access_denied", "server_error"] {
            let foreign = answer(&format!("error={error}&state=other"));
            let outcome = decide(&foreign, known(&held));
            assert_eq!(outcome, Outcome::Reject(Reason::STATE_UNKNOWN, None), "{error}");
            let signed_in = Known { has_session: true, ..known(&held) };
            assert_eq!(decide(&foreign, signed_in), Outcome::AlreadyIn(ReturnPath::home(), None));
        }
    }
}

#[test]
fn row_6_a_code_is_redeemed_unless_there_is_a_session() {
    let flow = flow(Mode::Interactive, 0);
    let held = pending(&[&flow]);
    let code = answer(&format!("code=c&state={}", flow.state));
    assert_eq!(decide(&code, known(&held)), Outcome::Redeem(flow.clone(), "c".into()));
    let signed_in = Known { has_session: true, ..known(&held) };
    let next = ReturnPath::parse("/dashboard?tab=1");
    assert_eq!(decide(&code, signed_in), Outcome::AlreadyIn(next, Some(flow)));
}

#[test]
fn row_6_a_click_while_signed_in_takes_the_sessions_place() {
    let flow = Flow { replaces_session: true, ..flow(Mode::Interactive, 0) };
    let held = pending(&[&flow]);
    let code = answer(&format!("code=c&state={}", flow.state));
    let signed_in = Known { has_session: true, ..known(&held) };
    assert_eq!(decide(&code, signed_in), Outcome::Redeem(flow, "c".into()));
}

#[test]
fn row_6_a_silent_flow_does_not_undo_a_sign_out() {
    let (silent, clicked) = (flow(SILENT_FIRST, 0), flow(Mode::Interactive, 1));
    let held = pending(&[&silent, &clicked]);
    let signed_out = Known { signed_out: true, ..known(&held) };
    let code = |flow: &Flow| answer(&format!("code=c&state={}", flow.state));
    assert_eq!(decide(&code(&silent), signed_out), Outcome::Anonymous(silent));
    assert_eq!(decide(&code(&clicked), signed_out), Outcome::Redeem(clicked, "c".into()));
}

#[test]
fn an_answer_that_comes_after_ten_minutes_is_said_to_be_late() {
    let flow = flow(Mode::Interactive, -501);
    let held = pending(&[&flow]);
    for query in ["code=c", "error=access_denied"] {
        let late = answer(&format!("{query}&state={}", flow.state));
        let expected = Outcome::Reject(Reason::FLOW_EXPIRED, Some(flow.clone()));
        assert_eq!(decide(&late, known(&held)), expected, "{query}");
    }
}

#[test]
fn row_7_an_unknown_state_starts_afresh_once() {
    let held = Pending::default();
    let signed_in = Known { has_session: true, ..known(&held) };
    let unknown = answer("code=c&state=other");
    assert_eq!(decide(&unknown, signed_in), Outcome::AlreadyIn(ReturnPath::home(), None));
    assert_eq!(decide(&unknown, known(&held)), Outcome::FreshStart);
    assert_eq!(decide(&answer("code=c"), known(&held)), Outcome::FreshStart);
    let stopped = Outcome::Reject(Reason::STATE_UNKNOWN, None);
    let again = Flow::begin(SILENT, ReturnPath::home(), true, Instant::from_seconds(0));
    let second = answer(&format!("code=c&state={}", again.state));
    assert_eq!(decide(&second, known(&held)), stopped);
    let signed_out = Known { signed_out: true, ..known(&held) };
    assert_eq!(decide(&unknown, signed_out), stopped);
}

#[test]
fn whoever_was_to_confirm_who_they_are_does_not_come_back_as_if_they_had() {
    let flow = Flow { replaces_session: true, ..flow(Mode::StepUp, 0) };
    let held = pending(&[&flow]);
    for has_session in [true, false] {
        let known = Known { has_session, ..known(&held) };
        for (error, reason) in [
            ("access_denied", Reason::STEP_UP_DECLINED),
            ("login_required", Reason::STEP_UP_DECLINED),
            ("server_error", Reason::PROVIDER_UNREACHABLE),
        ] {
            let refused = decide(&answer(&format!("error={error}&state={}", flow.state)), known);
            assert_eq!(refused, Outcome::Reject(reason, Some(flow.clone())), "{error}");
        }
        let code = answer(&format!("code=c&state={}", flow.state));
        assert_eq!(decide(&code, known), Outcome::Redeem(flow.clone(), "c".into()));
    }
}
