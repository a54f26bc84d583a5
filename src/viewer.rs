//! The viewer: the person who is looking, as every page and gate sees them.

use crate::access::Permission;
use crate::instant::Instant;
use crate::person::{Person, PersonId};
use crate::role::Roles;
use crate::semester::Term;

/// How far what is known of the viewer can be relied on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Standing {
    /// The provider confirmed it within the usual time.
    #[default]
    Fresh,
    /// The provider could not be asked: kept for a while, with a word on every page (PROTOCOLS.md,
    /// "Freshness").
    Stale {
        /// Since when it could not.
        since: Instant,
        /// When it last confirmed this person, if that is known.
        confirmed: Option<Instant>,
    },
}

/// The signed-in person of this request, read from the users row at its start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Viewer {
    /// Everything known of them, without what is not to be trusted any more.
    pub person: Person,
    /// How far that can be relied on.
    pub standing: Standing,
    /// Academic claims are held, but they are from before the running term and not confirmed since.
    pub academic_unconfirmed: bool,
}

impl Viewer {
    /// The viewer at an instant. Academic claims from before the running term are withheld: levels and
    /// semesters change with it (PROTOCOLS.md, "Freshness").
    pub fn at(mut person: Person, standing: Standing, now: Instant) -> Self {
        let began = Term::at(now).began();
        let outdated = person.academic.take_if(|facts| facts.as_of < began);
        Self { person, standing, academic_unconfirmed: outdated.is_some() }
    }

    /// The row's key.
    pub const fn id(&self) -> PersonId {
        self.person.id
    }

    /// Their roles; somebody of whom no roles are known has none.
    pub fn roles(&self) -> Roles {
        self.person.roles.as_ref().map(|facts| facts.value.clone()).unwrap_or_default()
    }

    /// Whether they may do it.
    pub fn may(&self, permission: Permission) -> bool {
        self.person.roles.as_ref().is_some_and(|facts| permission.granted_to(&facts.value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::person::{Academic, Facts, Source};
    use uuid::Uuid;

    #[test]
    fn academic_claims_do_not_outlive_a_semester() {
        // Midnight in Lagos between 14 and 15 February 2027: harmattan ends, rain begins.
        let turn = Instant::from_seconds(1_802_646_000);
        assert_eq!(Term::at(turn).began(), turn);
        let viewer = |as_of: Instant, now: Instant| {
            let academic = Facts { value: Academic::default(), as_of, source: Source::Userinfo };
            let person = Person {
                id: PersonId(Uuid::nil()),
                subject: "s".into(),
                profile: None,
                roles: None,
                academic: Some(academic),
            };
            let viewer = Viewer::at(person, Standing::Fresh, now);
            (viewer.person.academic.is_some(), viewer.academic_unconfirmed)
        };
        let (before, after) = (turn.plus_seconds(-1), turn.plus_seconds(1));
        assert_eq!(viewer(before, before), (true, false));
        assert_eq!(viewer(before, turn), (false, true));
        assert_eq!(viewer(turn, after), (true, false));
    }
}
