use super::*;
use std::collections::HashSet;

const NOW: Instant = Instant::from_seconds(1_795_498_740);

fn ago(seconds: i64) -> Instant {
    NOW.plus_seconds(-seconds)
}

fn checked(seconds_ago: i64) -> Checks {
    Checks { checked: Some(ago(seconds_ago)), ..Checks::default() }
}

#[test]
fn a_person_is_checked_at_most_every_five_minutes() {
    for (age, due) in [(0, false), (299, false), (300, true), (86_400, true)] {
        assert_eq!(is_due(&checked(age), None, Demand::Routine, NOW, 300), due, "{age}");
    }
    assert!(is_due(&Checks::default(), None, Demand::Routine, NOW, 300), "never checked");
}

#[test]
fn before_a_destructive_action_nothing_is_recent_enough() {
    assert!(is_due(&checked(1), None, Demand::Now, NOW, 300));
    assert!(!is_due(&checked(0), None, Demand::Now, NOW, 300), "confirmed since it was demanded");
}

#[test]
fn a_webhook_and_a_failed_check_make_it_due_at_once() {
    let told = Checks { roles_stale: true, ..checked(0) };
    let stale = Checks { stale_since: Some(ago(10)), ..checked(0) };
    for checks in [told, stale] {
        for demand in [Demand::Routine, Demand::Now] {
            assert!(is_due(&checks, None, demand, NOW, 300), "{checks:?}");
        }
    }
}

#[test]
fn academic_claims_are_never_trusted_past_a_semesters_turn() {
    let began = Term::at(NOW).began();
    let now = began.plus_seconds(60);
    let checks = Checks { checked: Some(began.plus_seconds(-60)), ..Checks::default() };
    let due = |checks: &Checks, as_of| is_due(checks, as_of, Demand::Routine, now, 300);
    assert!(due(&checks, Some(began.plus_seconds(-60))));
    assert!(!due(&checks, Some(began)));
    assert!(!due(&checks, None), "somebody who is no student");
    // Asked since, and nothing was said: the claims stay withheld, but nobody asks on every click.
    let asked = Checks { checked: Some(began), ..Checks::default() };
    assert!(!due(&asked, Some(began.plus_seconds(-60))));
}

#[test]
fn a_check_is_claimed_by_one() {
    let seen = checked(400);
    let claimed = |until| Checks { claimed_until: Some(until), ..seen };
    assert!(may_claim(&seen, &seen, NOW));
    assert!(!may_claim(&claimed(NOW.plus_seconds(1)), &seen, NOW), "somebody has it");
    assert!(may_claim(&claimed(NOW), &seen, NOW), "somebody died with it");
    assert!(!may_claim(&checked(0), &seen, NOW), "somebody finished it");
    assert!(!may_claim(&checked(0), &Checks::default(), NOW), "somebody finished the first one");
    assert!(may_claim(&Checks { roles_stale: true, ..checked(0) }, &seen, NOW), "told anew");
    assert!(may_claim(&Checks::default(), &seen, NOW));
}

#[test]
fn jitter_spreads_and_stays() {
    let all: HashSet<i64> = (0..200).map(|n| jitter(Uuid::from_u128(n), Some(NOW), 60)).collect();
    assert!(all.len() > 30 && all.iter().all(|jitter| (0..60).contains(jitter)), "{all:?}");
    assert_eq!(jitter(Uuid::nil(), Some(NOW), 60), jitter(Uuid::nil(), Some(NOW), 60));
    assert_eq!(jitter(Uuid::nil(), None, 0), 0);
}

#[test]
fn an_access_token_is_refreshed_before_the_check_that_would_come_too_late() {
    let life =
        |left: i64| Life { obtained: ago(3600 - left), expires: Some(NOW.plus_seconds(left)) };
    for (left, near, over) in [
        (3600, false, false),
        (481, false, false),
        (480, true, false),
        (1, true, false),
        (0, true, true),
    ] {
        let life = life(left);
        assert_eq!((life.is_near_end(NOW, 360, 0), life.is_over(NOW)), (near, over), "{left}");
    }
    assert!(life(500).is_near_end(NOW, 360, 30), "with jitter");
    let short = Life { obtained: NOW, expires: Some(NOW.plus_seconds(60)) };
    assert!(!short.is_near_end(NOW, 360, 0), "not on every check");
    assert!(short.is_near_end(NOW.plus_seconds(45), 360, 0));
    let unsaid = Life { obtained: ago(86_400), expires: None };
    assert!(!unsaid.is_near_end(NOW, 360, 0) && !unsaid.is_over(NOW));
}

#[test]
fn the_token_endpoints_answers_are_told_apart() {
    use TokenVerdict::{ClientRefused, GrantRefused, Tokens, Unavailable};
    let (doubt, none) = (Unavailable { in_doubt: true }, Unavailable { in_doubt: false });
    for (status, error, has_tokens, verdict) in [
        (200, "", true, Tokens),
        (200, "", false, doubt),
        (401, "invalid_grant", false, GrantRefused),
        (400, "invalid_grant", false, GrantRefused),
        (401, "invalid_client", false, ClientRefused),
        (400, "invalid_client", false, ClientRefused),
        (400, "unauthorized_client", false, ClientRefused),
        (400, "unsupported_grant_type", false, ClientRefused),
        // 429, 5xx and what cannot be read only ever mean that time must pass.
        (429, "", false, none),
        (429, "invalid_grant", false, none),
        (503, "", false, none),
        (500, "invalid_grant", false, doubt),
        (502, "", false, doubt),
        (504, "", false, doubt),
        (401, "", false, doubt),
        (403, "", false, doubt),
        (302, "", false, doubt),
    ] {
        assert_eq!(token_verdict(status, error, has_tokens), verdict, "{status} {error}");
    }
}

#[test]
fn a_401_of_userinfo_means_what_was_tried_before() {
    for (tried, has_refresh_token, after) in [
        (Tried::Nothing, true, After401::Refresh),
        (Tried::Nothing, false, After401::Expired),
        (Tried::Refreshed, true, After401::Disconnected),
        (Tried::Refreshed, false, After401::Disconnected),
        (Tried::Impossible, false, After401::Expired),
        (Tried::Failed(Trouble::Provider), true, After401::Trouble(Trouble::Provider)),
        (Tried::Failed(Trouble::Client), true, After401::Trouble(Trouble::Client)),
        (Tried::Failed(Trouble::Budget), true, After401::Trouble(Trouble::Budget)),
    ] {
        assert_eq!(after_401(tried, has_refresh_token), after, "{tried:?}");
    }
}

#[test]
fn only_the_providers_own_silence_ends_a_session_and_only_after_fifteen_minutes() {
    for (age, trouble, over) in [
        (899, Trouble::Provider, false),
        (900, Trouble::Provider, true),
        (86_400, Trouble::Client, false),
        (86_400, Trouble::Budget, false),
    ] {
        assert_eq!(outlasted(ago(age), NOW, trouble), over, "{age} {trouble:?}");
    }
}
