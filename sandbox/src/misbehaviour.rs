//! The ways in which the sandbox can be made to break the protocol, and which of them are on.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// One way to misbehave. The names follow the conformance suite's where it has one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Misbehaviour {
    /// The metadata offers `client_secret_basic` alone, and the token endpoint takes nothing else.
    ClientSecretBasicOnly,
    /// The ID token names another issuer.
    InvalidIss,
    /// The ID token has no `sub`.
    MissingSub,
    /// The ID token is for another application.
    InvalidAud,
    /// The ID token has no `aud`.
    MissingAud,
    /// The ID token has no `iat`.
    MissingIat,
    /// The ID token has no `exp`.
    MissingExp,
    /// The ID token has no `iss`.
    MissingIss,
    /// The ID token expired an hour ago.
    ExpiredExp,
    /// The ID token has no `nonce` though the request had one.
    MissingNonce,
    /// The ID token has another `nonce`.
    InvalidNonce,
    /// `aud` lists a second, unknown application.
    SecondaryAud,
    /// `aud` is an array with the one right value; allowed.
    AudAsArray,
    /// `at_hash` belongs to another access token.
    InvalidAthash,
    /// The ID token's header has no `kid`.
    KidAbsent,
    /// No `kid`, and a second key of the same algorithm is published first.
    KidAbsentMultiple,
    /// `alg` is `none` and there is no signature.
    SigNone,
    /// The signature is wrong.
    InvalidSig,
    /// The ID token is signed with the client secret.
    Hs256,
    /// `alg` is null.
    NullAlg,
    /// Userinfo is about someone else.
    UserinfoInvalidSub,
    /// Userinfo answers with a signed token.
    UserinfoSigned,
    /// Userinfo refuses a good access token.
    Userinfo401,
    /// Discovery names another issuer.
    DiscoveryIssuerMismatch,
    /// The authorization answer's `iss` is wrong.
    AuthorizationIssWrong,
    /// The authorization answer has no `iss` though the metadata promises it.
    AuthorizationIssMissing,
    /// The authorization answer has no `iss` and the metadata does not promise it; allowed.
    IssMissingInTokenButOk,
    /// The authorization answer has another `state`.
    StateWrong,
    /// The authorization answer has no `state`.
    StateMissing,
    /// `token_type` is `bEaReR`; allowed.
    TokenTypeCase,
    /// The token answer has no `expires_in`; allowed.
    NoExpiresIn,
    /// The ID token has only protocol claims; allowed.
    ClaimsOnlyInUserinfo,
    /// The token answer has no refresh token.
    NoRefreshToken,
    /// `azp` is another application.
    ForeignAzp,
    /// `iat` lies an hour in the future.
    FutureIat,
    /// The keys are rotated just before the ID token is signed; allowed.
    RotateJustBeforeSigning,
    /// A refresh brings an ID token of another issuer.
    RefreshInvalidIssuer,
    /// A refresh brings an ID token about someone else.
    RefreshInvalidSub,
    /// `level` is a string; to be tolerated.
    LevelAsString,
    /// `roles` is a comma-separated string; to be tolerated.
    RolesAsString,
    /// `email_verified` is a string; to be tolerated.
    EmailVerifiedAsString,
    /// The token answer is not JSON.
    GarbageJson,
    /// `prompt=none` answers `interaction_required`.
    InteractionRequired,
    /// `prompt=none` answers `account_selection_required`.
    AccountSelectionRequired,
    /// `prompt=login` and `max_age` are passed over: whoever is signed in is not asked again.
    FreshSignInIgnored,
    /// The logout token is unsigned.
    LogoutAlgNone,
    /// The logout token is signed with the client secret.
    LogoutWrongAlg,
    /// The logout token names another issuer.
    LogoutWrongIss,
    /// The logout token is for another application.
    LogoutWrongAud,
    /// The logout token has no `events`.
    LogoutNoEvent,
    /// The logout token's event is another one.
    LogoutWrongEvent,
    /// The logout token has a `nonce`.
    LogoutWithNonce,
}

/// Which misbehaviours are on, and how many times each.
#[derive(Debug, Default)]
pub(crate) struct Misbehaviours {
    on: BTreeMap<Misbehaviour, Option<u32>>,
}

impl Misbehaviours {
    /// Turns one on: for a number of times, or with `None` until further notice.
    pub(crate) fn set(&mut self, misbehaviour: Misbehaviour, times: Option<u32>) {
        if times == Some(0) {
            self.on.remove(&misbehaviour);
        } else {
            self.on.insert(misbehaviour, times);
        }
    }

    /// Whether one is on, without using it up.
    pub(crate) fn is_on(&self, misbehaviour: Misbehaviour) -> bool {
        self.on.contains_key(&misbehaviour)
    }

    /// Whether one is on; uses up one time.
    pub(crate) fn take(&mut self, misbehaviour: Misbehaviour) -> bool {
        match self.on.get_mut(&misbehaviour) {
            None => false,
            Some(None) => true,
            Some(Some(left)) => {
                *left = left.saturating_sub(1);
                if *left == 0 {
                    self.on.remove(&misbehaviour);
                }
                true
            }
        }
    }

    /// Turns all off.
    pub(crate) fn clear(&mut self) {
        self.on.clear();
    }

    /// What is on, for the control page.
    pub(crate) fn list(&self) -> Vec<(Misbehaviour, Option<u32>)> {
        self.on.iter().map(|(m, times)| (*m, *times)).collect()
    }
}
