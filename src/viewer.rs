//! The viewer: the person who is looking, as every page and gate sees them.

use crate::access::Permission;
use crate::person::{Person, PersonId};
use crate::role::Roles;

/// The signed-in person of this request, read from the users row at its start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Viewer {
    /// Everything known of them.
    pub person: Person,
}

impl Viewer {
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
