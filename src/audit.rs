//! The audit trail's words: what happened, and who did it.

use crate::person::PersonId;
use serde::{Deserialize, Serialize};

macro_rules! kinds {
    ($($(#[$doc:meta])+ $variant:ident => $word:literal, $label:literal;)+) => {
        /// What an audit entry is about.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum AuditKind {
            $($(#[$doc])+ $variant,)+
        }

        impl AuditKind {
            /// Every kind.
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// The word that is stored.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)+ }
            }

            /// The words for people.
            pub const fn label(self) -> &'static str {
                match self { $(Self::$variant => $label,)+ }
            }

            /// Reads the stored word.
            pub fn parse(word: &str) -> Option<Self> {
                match word { $($word => Some(Self::$variant),)+ _ => None }
            }
        }
    };
}

kinds! {
    /// A session began.
    SignedIn => "signed_in", "Signed in";
    /// A sign-in was begun and refused.
    SignInRefused => "sign_in_refused", "Sign-in refused";
    /// A signed-in person was refused by a gate.
    AccessRefused => "access_refused", "Access refused";
    /// A person's roles are others than before.
    RolesChanged => "roles_changed", "Roles changed";
    /// One or all sessions of a person ended.
    SessionsEnded => "sessions_ended", "Sessions ended";
    /// The person took away this app's access, or the provider says so.
    Disconnected => "disconnected", "Disconnected";
    /// A webhook was worked on.
    WebhookApplied => "webhook_applied", "Webhook applied";
    /// A webhook could not be worked on and was given up.
    WebhookDead => "webhook_dead", "Webhook given up";
    /// The person was asked to prove themselves again, and did.
    SteppedUp => "stepped_up", "Identity confirmed again";
    /// An action of a unit admin.
    AdminAction => "admin_action", "Admin action";
    /// A notice was written.
    NoticeCreated => "notice_created", "Notice written";
}

/// Who did it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Actor {
    /// A signed-in person.
    Person(PersonId),
    /// The provider, by a webhook or an answer.
    Provider,
    /// This server by itself.
    Server,
    /// Somebody at the command line.
    Operator,
    /// Somebody who is not known.
    Nobody,
}

impl Actor {
    /// The word that is stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Person(_) => "person",
            Self::Provider => "provider",
            Self::Server => "server",
            Self::Operator => "operator",
            Self::Nobody => "nobody",
        }
    }

    /// The person, if it is one.
    pub const fn person(self) -> Option<PersonId> {
        match self {
            Self::Person(id) => Some(id),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_survive_being_stored() {
        for kind in AuditKind::ALL {
            assert_eq!(AuditKind::parse(kind.as_str()), Some(*kind));
        }
    }
}
