//! What a unit admin sees first: how much there is of everything, who is signed in, and what happened last.

use crate::instant::Instant;
use crate::person::PersonId;
use crate::role::PrimaryRole;

/// All of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Overview {
    /// How much there is of everything.
    pub counts: Counts,
    /// Who is signed in, whoever was seen last first; not more than a page can show.
    pub holders: Vec<Holder>,
    /// What happened, the newest first.
    pub entries: Vec<AuditLine>,
}

/// How much there is of everything.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Everybody who ever signed in.
    pub people: i64,
    /// People with a live session.
    pub signed_in: i64,
    /// Live sessions.
    pub sessions: i64,
    /// Deliveries that wait to be worked on.
    pub pending_deliveries: i64,
    /// Deliveries that were given up.
    pub dead_deliveries: i64,
    /// Deliveries that were refused within 24 hours, to the hour.
    pub refused_deliveries: i64,
}

/// A person with live sessions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// Whose row it is.
    pub id: PersonId,
    /// What they are called, if anything is known.
    pub name: Option<String>,
    /// Their primary role.
    pub role: Option<PrimaryRole>,
    /// How many sessions.
    pub sessions: i64,
    /// When one of them was last used.
    pub seen: Instant,
}

/// An audit entry as a line of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditLine {
    /// When.
    pub at: Instant,
    /// What, as the stored word (see [`crate::audit::AuditKind`]).
    pub kind: String,
    /// Who, as the stored word (see [`crate::audit::Actor`]).
    pub actor: String,
    /// What the person who did it is called, if they are still known.
    pub actor_name: Option<String>,
    /// What the person it happened to is called, if they are still known.
    pub subject_name: Option<String>,
    /// By which rule.
    pub rule: String,
}
