//! The guard's decision: what happens to a request, as a pure function of what is known of it.
//!
//! The order of the rules is PROTOCOLS.md, "Guard, in order"; the tests name its rows.

use crate::signin::flow::MOST_STARTS;
use campus::access::{Access, Permission};
use campus::reason::EndReason;
use campus::role::Roles;

/// What is known of the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestFacts {
    /// What the path asks for.
    pub access: Access,
    /// Whether the path is a page of this app.
    pub is_page: bool,
    /// A GET by which a person goes to a page in a window of their own: not a fetch, a frame, a
    /// prefetch, a HEAD or a form.
    pub navigation: bool,
    /// The `c1_anon` marker: a silent attempt was made a short while ago.
    pub anonymous: bool,
    /// The `c1_signedout` marker, with the reason the last session ended.
    pub signed_out: Option<EndReason>,
    /// Sign-in starts of this browser within the last minute.
    pub starts: usize,
}

/// What is known of the session.
#[derive(Clone, Copy, Debug)]
pub enum SessionFacts<'a> {
    /// There is none.
    None,
    /// There was one, and this is why it ended.
    Ended(EndReason),
    /// It is valid, and these are the person's roles as of now.
    Live(&'a Roles),
}

/// What happens to the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Serve it to the viewer.
    Serve,
    /// Signed in, but without this permission: 403.
    Forbid(Permission),
    /// Serve the public page's anonymous view.
    ServeAnonymous,
    /// Refuse with 401; nothing is redirected.
    Unauthorized,
    /// The signed-out page with its button, and the reason.
    SignedOut(EndReason),
    /// The page that breaks a loop.
    LoopStopped,
    /// Ask the provider without a page; nobody there means the anonymous view.
    StartSilent,
    /// Ask the provider without a page; nobody there means one interactive flow.
    StartSilentThenInteractive,
    /// Send the person to the provider.
    StartInteractive,
}

/// Decides.
#[must_use]
pub fn decide(request: &RequestFacts, session: SessionFacts<'_>) -> Decision {
    let public = request.access == Access::Public;
    // Row 1.
    if let SessionFacts::Live(roles) = session {
        return match request.access {
            Access::Needs(permission) if !permission.granted_to(roles) => {
                Decision::Forbid(permission)
            }
            _ => Decision::Serve,
        };
    }
    // Row 2.
    if !request.navigation {
        return if public { Decision::ServeAnonymous } else { Decision::Unauthorized };
    }
    // An address without a page is answered as such, not with a sign-in.
    if !request.is_page {
        return Decision::ServeAnonymous;
    }
    // Row 3; a session that somebody ended on purpose is said so first and counts as a sign-out.
    let told = match session {
        SessionFacts::Ended(reason) if !reason.is_renewed_silently() => Some(reason),
        _ => request.signed_out,
    };
    if let Some(reason) = told {
        let silent_end = request.signed_out.is_none();
        return if public && !silent_end {
            Decision::ServeAnonymous
        } else {
            Decision::SignedOut(reason)
        };
    }
    // Row 4, first half.
    if public && request.anonymous {
        return Decision::ServeAnonymous;
    }
    // Row 6.
    if request.starts >= MOST_STARTS {
        return Decision::LoopStopped;
    }
    match (public, request.anonymous) {
        (true, _) => Decision::StartSilent,
        (false, false) => Decision::StartSilentThenInteractive,
        (false, true) => Decision::StartInteractive,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use campus::role::{PrimaryRole, UNIT_ADMIN};

    const PUBLIC: RequestFacts = RequestFacts {
        access: Access::Public,
        is_page: true,
        navigation: true,
        anonymous: false,
        signed_out: None,
        starts: 0,
    };
    const PROTECTED: RequestFacts = RequestFacts { access: Access::SignedIn, ..PUBLIC };
    const ADMIN: RequestFacts =
        RequestFacts { access: Access::Needs(Permission::RunUnit), ..PUBLIC };

    fn without_session(request: RequestFacts) -> Decision {
        decide(&request, SessionFacts::None)
    }

    #[test]
    fn row_1_a_valid_session_is_served() {
        let student = Roles { primary: Some(PrimaryRole::Student), ..Roles::default() };
        let admin = Roles { custom: vec![UNIT_ADMIN.into()], ..Roles::default() };
        for request in [PUBLIC, PROTECTED] {
            assert_eq!(decide(&request, SessionFacts::Live(&student)), Decision::Serve);
        }
        let forbidden = Decision::Forbid(Permission::RunUnit);
        assert_eq!(decide(&ADMIN, SessionFacts::Live(&student)), forbidden);
        assert_eq!(decide(&ADMIN, SessionFacts::Live(&admin)), Decision::Serve);
        // Markers and counters do not matter to somebody who is signed in.
        let marked = RequestFacts {
            anonymous: true,
            signed_out: Some(EndReason::SignedOut),
            starts: 9,
            navigation: false,
            ..PROTECTED
        };
        assert_eq!(decide(&marked, SessionFacts::Live(&student)), Decision::Serve);
    }

    #[test]
    fn row_2_what_is_no_navigation_is_never_redirected() {
        for (anonymous, signed_out) in [(false, None), (true, Some(EndReason::SignedOut))] {
            let no_navigation = |request| RequestFacts {
                navigation: false,
                anonymous,
                signed_out,
                starts: 9,
                ..request
            };
            assert_eq!(without_session(no_navigation(PUBLIC)), Decision::ServeAnonymous);
            assert_eq!(without_session(no_navigation(PROTECTED)), Decision::Unauthorized);
            assert_eq!(without_session(no_navigation(ADMIN)), Decision::Unauthorized);
        }
    }

    #[test]
    fn row_3_after_a_sign_out_nothing_is_silent() {
        let signed_out = Some(EndReason::SignedOut);
        let public = RequestFacts { signed_out, ..PUBLIC };
        let protected = RequestFacts { signed_out, ..PROTECTED };
        assert_eq!(without_session(public), Decision::ServeAnonymous);
        assert_eq!(without_session(protected), Decision::SignedOut(EndReason::SignedOut));
        let marked = RequestFacts { anonymous: true, starts: 9, ..protected };
        assert_eq!(without_session(marked), Decision::SignedOut(EndReason::SignedOut));
    }

    #[test]
    fn row_3_a_session_ended_on_purpose_is_told_once() {
        for reason in EndReason::ALL {
            let decision = decide(&PUBLIC, SessionFacts::Ended(*reason));
            let expected = match reason {
                EndReason::Idle | EndReason::Expired | EndReason::SwitchedUser => {
                    Decision::StartSilent
                }
                told => Decision::SignedOut(*told),
            };
            assert_eq!(decision, expected, "{reason:?}");
        }
        let told = RequestFacts { signed_out: Some(EndReason::EndedByAdmin), ..PUBLIC };
        let again = decide(&told, SessionFacts::Ended(EndReason::EndedByAdmin));
        assert_eq!(again, Decision::ServeAnonymous);
    }

    #[test]
    fn row_4_a_public_path_tries_once() {
        assert_eq!(without_session(PUBLIC), Decision::StartSilent);
        let anonymous = RequestFacts { anonymous: true, ..PUBLIC };
        assert_eq!(without_session(anonymous), Decision::ServeAnonymous);
    }

    #[test]
    fn row_5_a_protected_path_tries_silently_first() {
        for request in [PROTECTED, ADMIN] {
            assert_eq!(without_session(request), Decision::StartSilentThenInteractive);
            let anonymous = RequestFacts { anonymous: true, ..request };
            assert_eq!(without_session(anonymous), Decision::StartInteractive);
        }
    }

    #[test]
    fn row_6_the_fourth_start_in_a_minute_is_a_loop() {
        for (starts, stopped) in [(2, false), (3, true), (4, true)] {
            for request in [PUBLIC, PROTECTED, RequestFacts { anonymous: true, ..PROTECTED }] {
                let decision = without_session(RequestFacts { starts, ..request });
                assert_eq!(decision == Decision::LoopStopped, stopped);
            }
        }
        // Where no redirect would follow, there is no loop to break.
        let anonymous = RequestFacts { anonymous: true, starts: 9, ..PUBLIC };
        assert_eq!(without_session(anonymous), Decision::ServeAnonymous);
    }

    #[test]
    fn an_unknown_address_starts_no_sign_in() {
        let unknown = RequestFacts { is_page: false, ..PUBLIC };
        assert_eq!(without_session(unknown), Decision::ServeAnonymous);
        let fetched = RequestFacts { navigation: false, ..unknown };
        assert_eq!(without_session(fetched), Decision::ServeAnonymous);
    }
}
