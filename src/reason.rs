//! Why a person was stopped, in the words they see: one table of reason codes for every error page,
//! and one of reasons for which a session ends.

use serde::{Deserialize, Serialize};

/// What a person can do next from an error page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WayOn {
    /// Start a sign-in by a click.
    SignIn,
    /// Try the same address again after a while.
    TryAgain,
    /// Go back to the home page.
    Home,
}

/// One reason for an error page or error answer: everything a client may learn of a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reason {
    /// The code, stable for logs, support and tests.
    pub code: &'static str,
    /// The HTTP status.
    pub status: u16,
    /// The page's heading.
    pub title: &'static str,
    /// What happened, in a sentence or two.
    pub text: &'static str,
    /// What to do next.
    pub way_on: WayOn,
}

const fn reason(
    code: &'static str,
    status: u16,
    title: &'static str,
    text: &'static str,
    way_on: WayOn,
) -> Reason {
    Reason { code, status, title, text, way_on }
}

/// A sign-in answer that failed one of the checks; the code says which.
const fn unproven(code: &'static str) -> Reason {
    reason(
        code,
        401,
        "That sign-in could not be trusted",
        "Campus One's answer did not pass a security check, so nobody was signed in. \
         If it happens again, tell your unit's admin the reason code below.",
        WayOn::SignIn,
    )
}

/// A webhook that was not accepted; programs read it, and admins on their page of deliveries.
const fn undelivered(code: &'static str, status: u16, text: &'static str) -> Reason {
    reason(code, status, "That delivery was not accepted", text, WayOn::Home)
}

macro_rules! reasons {
    ($($(#[$doc:meta])+ $name:ident = $value:expr;)+) => {
        impl Reason {
            $($(#[$doc])+ pub const $name: Self = $value;)+
            /// Every reason, for the tests that hold the table together.
            pub const ALL: &[Self] = &[$(Self::$name,)+];

            /// The reason with this code.
            pub fn by_code(code: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|reason| reason.code == code)
            }
        }
    };
}

reasons! {
    /// A protected page or API without a session.
    NOT_SIGNED_IN = reason("not_signed_in", 401, "Please sign in",
        "This page is for people who are signed in.", WayOn::SignIn);
    /// Signed in, but without the permission.
    FORBIDDEN = reason("forbidden", 403, "This page is not for your role",
        "You are signed in, but your role does not open this page. Roles are given in Campus One; \
         a change there counts here on your next click.", WayOn::Home);
    /// No such page.
    NOT_FOUND = reason("not_found", 404, "Page not found",
        "There is nothing at this address. The link may be old or mistyped.", WayOn::Home);
    /// The address exists, the method does not.
    METHOD_NOT_ALLOWED = reason("method_not_allowed", 405, "That does not work here",
        "This address cannot be used in that way.", WayOn::Home);
    /// A request that changes something came from another site.
    CROSS_SITE = reason("cross_site", 403, "That request came from another site",
        "For your safety, actions are only accepted from Campus Desk's own pages. Nothing was changed.",
        WayOn::Home);
    /// The body is over the limit.
    TOO_LARGE = reason("too_large", 413, "That was too much at once",
        "What was sent is larger than this address accepts. Nothing was changed.", WayOn::Home);
    /// Malformed request.
    BAD_REQUEST = reason("bad_request", 400, "That request could not be read",
        "Something in the request was malformed. Nothing was changed.", WayOn::Home);
    /// The request can be read, but what stands in it cannot be taken.
    INVALID_FIELDS = reason("invalid_fields", 422, "Some of that cannot be taken as it is",
        "At least one field needs another look. Nothing was changed.", WayOn::Home);
    /// The body is neither JSON nor a form.
    UNSUPPORTED_MEDIA = reason("unsupported_media_type", 415, "That form of data is not understood here",
        "Send JSON or an HTML form. Nothing was changed.", WayOn::Home);
    /// The sign-in attempt is too old or was already used.
    FLOW_EXPIRED = reason("flow_expired", 409, "That sign-in is no longer open",
        "It was finished already, or took longer than ten minutes. Start again; it is quick.",
        WayOn::SignIn);
    /// The authorization response names a state this browser does not hold, and a fresh start failed too.
    STATE_UNKNOWN = reason("state_unknown", 409, "That sign-in did not start here",
        "This browser has no open sign-in that matches. It may have been started in another browser, \
         or cookies are switched off.", WayOn::SignIn);
    /// A parameter came twice, or `code` and `error` together (RFC 6749 §3.1).
    DUPLICATE_PARAMETERS = reason("duplicate_parameters", 400, "That sign-in answer was malformed",
        "The answer contradicts itself, so it was not used.", WayOn::SignIn);
    /// RFC 9207: the `iss` parameter is wrong or promised and absent.
    ISSUER_MISMATCH = unproven("issuer_mismatch");
    /// The person said no on the consent page.
    ACCESS_DENIED = reason("access_denied", 403, "You chose not to share your details",
        "Campus Desk can only sign you in with your consent in Campus One. You can change your mind at any time.",
        WayOn::SignIn);
    /// Any other error of the authorization endpoint.
    PROVIDER_REFUSED = reason("provider_refused", 502, "Campus One did not complete the sign-in",
        "It answered with an error. Trying again often helps.", WayOn::SignIn);
    /// The provider cannot be reached, timed out or answered 5xx or 429.
    PROVIDER_UNREACHABLE = reason("provider_unreachable", 503, "Campus One cannot be reached right now",
        "Campus Desk is fine, but the sign-in service does not answer. Please try again in a minute.",
        WayOn::TryAgain);
    /// An action for which roles are confirmed first, while the provider cannot be asked.
    ROLES_UNCONFIRMED = reason("roles_unconfirmed", 503, "Campus One cannot confirm your role right now",
        "This action needs a role that Campus One has just confirmed, and it does not answer. Nothing was \
         changed. Please try again in a minute.", WayOn::TryAgain);
    /// The provider refused the code.
    CODE_REFUSED = reason("code_refused", 401, "Campus One did not accept the sign-in",
        "The one-time code was refused; it may have been used already. Start again.", WayOn::SignIn);
    /// The provider refused this app's own credentials: for the operator.
    CLIENT_REFUSED = reason("client_refused", 503, "Campus Desk is set up wrongly",
        "Campus One does not recognise this app. Your unit's admin has been told in the log.", WayOn::TryAgain);
    /// The provider's answer is not what the standard says.
    PROVIDER_ANSWER = reason("provider_answer_invalid", 502, "Campus One's answer could not be read",
        "Nobody was signed in. Trying again often helps.", WayOn::SignIn);
    /// ID token: no or wrong signature, or an algorithm that is not allowed.
    ID_TOKEN_SIGNATURE = unproven("id_token_signature");
    /// ID token: not a token at all, or claims missing.
    ID_TOKEN_MALFORMED = unproven("id_token_malformed");
    /// ID token: `iss`.
    ID_TOKEN_ISSUER = unproven("id_token_issuer");
    /// ID token: `aud` or `azp`.
    ID_TOKEN_AUDIENCE = unproven("id_token_audience");
    /// ID token: `exp`, `nbf` or `iat`.
    ID_TOKEN_TIME = unproven("id_token_time");
    /// ID token: `nonce`.
    ID_TOKEN_NONCE = unproven("id_token_nonce");
    /// ID token: `sub`.
    ID_TOKEN_SUBJECT = unproven("id_token_subject");
    /// ID token: `at_hash`.
    ID_TOKEN_AT_HASH = unproven("id_token_at_hash");
    /// Userinfo speaks of somebody else (OpenID Connect Core §5.3.2).
    USERINFO_SUBJECT = unproven("userinfo_subject");
    /// An action that cannot be undone, and a sign-in that is too old for it or of an unknown age.
    STEP_UP_REQUIRED = reason("step_up_required", 403, "Please confirm that it is you",
        "This action needs a fresh sign-in. Confirm in Campus One that it is you, then do it again. \
         Nothing was changed.", WayOn::TryAgain);
    /// Asked to ask the person again, the provider says that it did not (OpenID Connect Core §3.1.2.1).
    STEP_UP_UNPROVEN = reason("step_up_unproven", 403, "Campus One did not ask you again",
        "Its answer says that you signed in there earlier, so it does not confirm that it is you now. \
         You are still signed in here, and nothing was changed.", WayOn::TryAgain);
    /// Asked to confirm that it is them, the person said no, or the provider did.
    STEP_UP_DECLINED = reason("step_up_declined", 403, "It was not confirmed that it is you",
        "Campus One came back without a fresh sign-in. You are still signed in here, and nothing was changed.",
        WayOn::TryAgain);
    /// Too many sign-in starts from one browser within a minute: the loop breaker.
    LOOP_STOPPED = reason("sign_in_loop", 429, "Signing in keeps going round in circles",
        "Your browser was sent to Campus One several times within a minute without arriving, so we stopped. \
         Check that cookies are allowed for this site, then try again.", WayOn::SignIn);
    /// Rate limit.
    TOO_MANY_REQUESTS = reason("too_many_requests", 429, "A little too fast",
        "There were too many requests from here. Please wait a moment.", WayOn::TryAgain);
    /// The request took longer than allowed.
    TIMEOUT = reason("timeout", 503, "That took too long",
        "The server did not finish in time. Please try again.", WayOn::TryAgain);
    /// The database does not answer.
    STORE_UNAVAILABLE = reason("store_unavailable", 503, "Campus Desk is catching its breath",
        "Our database does not answer right now. Please try again in a minute.", WayOn::TryAgain);
    /// Webhook: no secret is set, so nothing can be checked.
    WEBHOOKS_NOT_CONFIGURED = undelivered("webhooks_not_configured", 503,
        "No webhook secret is set here, so no delivery can be checked.");
    /// Webhook: no signature at all.
    WEBHOOK_UNSIGNED = undelivered("webhook_unsigned", 401, "The delivery carries no signature.");
    /// Webhook: no signature is one of our secrets over this very body.
    WEBHOOK_SIGNATURE = undelivered("webhook_signature", 401,
        "The signature does not fit the body and this app's secret.");
    /// Webhook: the signed time of a Standard Webhooks signature is off.
    WEBHOOK_SIGNATURE_TIME = undelivered("webhook_signature_time", 401,
        "The delivery was signed more than five minutes ago, or in the future.");
    /// Webhook: no JSON object with `event` and `timestamp`.
    WEBHOOK_MALFORMED = undelivered("webhook_malformed", 400,
        "The body is no JSON event with a name and an RFC 3339 timestamp.");
    /// Webhook: `data.clientId` is not ours.
    WEBHOOK_OTHER_CLIENT = undelivered("webhook_other_client", 403,
        "The delivery is for another application.");
    /// Webhook: the event is older than seven days.
    WEBHOOK_TOO_OLD = undelivered("webhook_too_old", 400, "The event is more than seven days old.");
    /// Webhook: the event lies in the future.
    WEBHOOK_TOO_EARLY = undelivered("webhook_too_early", 400,
        "The event is more than five minutes in the future.");
    /// Everything unexpected.
    INTERNAL = reason("internal", 500, "Something went wrong on our side",
        "It has been noted. Please try again; if it stays, tell your unit's admin the request number.",
        WayOn::TryAgain);
}

/// Why a session ended; kept for a while so that the next page can say it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndReason {
    /// Signed out by the person.
    SignedOut,
    /// Signed out by the person at the provider.
    SignedOutAtProvider,
    /// Another sign-in in the same browser took its place.
    SwitchedUser,
    /// Not used for too long.
    Idle,
    /// Older than the absolute limit.
    Expired,
    /// Access was withdrawn in Campus One.
    Disconnected,
    /// Roles changed in a way that needs a new sign-in.
    RoleChange,
    /// Ended by a unit admin.
    EndedByAdmin,
    /// Ended by the person from another device.
    EndedElsewhere,
    /// Campus One was away for longer than the grace.
    ProviderOutage,
}

impl EndReason {
    /// Every reason.
    pub const ALL: &[Self] = &[
        Self::SignedOut,
        Self::SignedOutAtProvider,
        Self::SwitchedUser,
        Self::Idle,
        Self::Expired,
        Self::Disconnected,
        Self::RoleChange,
        Self::EndedByAdmin,
        Self::EndedElsewhere,
        Self::ProviderOutage,
    ];

    /// The word that is stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SignedOut => "signed_out",
            Self::SignedOutAtProvider => "signed_out_at_provider",
            Self::SwitchedUser => "switched_user",
            Self::Idle => "idle",
            Self::Expired => "expired",
            Self::Disconnected => "disconnected",
            Self::RoleChange => "role_change",
            Self::EndedByAdmin => "ended_by_admin",
            Self::EndedElsewhere => "ended_elsewhere",
            Self::ProviderOutage => "provider_outage",
        }
    }

    /// Reads the stored word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|reason| reason.as_str() == word)
    }

    /// Whether the session ran out by itself or made room for another: whoever comes back is signed in
    /// again without a page in between, and reads why on the page they wanted.
    pub const fn is_renewed_silently(self) -> bool {
        matches!(self, Self::Idle | Self::Expired | Self::SwitchedUser)
    }

    /// The sentence a person reads.
    pub const fn text(self) -> &'static str {
        match self {
            Self::SignedOut => {
                "You signed out. You stay signed out here until you sign in again yourself."
            }
            Self::SignedOutAtProvider => {
                "You signed out of Campus One, so you were signed out here too."
            }
            Self::SwitchedUser => {
                "Somebody else signed in with this browser, so your session here ended."
            }
            Self::Idle => {
                "You were away for a while, so we signed you out to keep your details safe."
            }
            Self::Expired => "Your session reached its longest life of seven days.",
            Self::Disconnected => {
                "Campus Desk was disconnected from your account in Campus One. Signing in again asks for your consent."
            }
            Self::RoleChange => "Your roles changed in Campus One, so a new sign-in is needed.",
            Self::EndedByAdmin => "A unit admin ended your session.",
            Self::EndedElsewhere => "You ended this session from another device.",
            Self::ProviderOutage => "Campus One was away for too long to vouch for you.",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn reason_codes_are_unique_and_errors() {
        let codes: HashSet<_> = Reason::ALL.iter().map(|r| r.code).collect();
        assert_eq!(codes.len(), Reason::ALL.len());
        assert!(Reason::ALL.iter().all(|r| (400..600).contains(&r.status)));
    }

    #[test]
    fn every_reason_is_found_by_its_code() {
        for reason in Reason::ALL {
            assert_eq!(Reason::by_code(reason.code), Some(*reason));
        }
        assert_eq!(Reason::by_code("nothing_of_the_kind"), None);
    }

    #[test]
    fn end_reasons_survive_being_stored() {
        for reason in EndReason::ALL {
            assert_eq!(EndReason::parse(reason.as_str()), Some(*reason));
        }
    }
}
