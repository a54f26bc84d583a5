//! Roles as Campus One names them: one primary role, and the custom roles of this app.

use serde::{Deserialize, Serialize};
use std::fmt;

/// The reserved custom role of the head of a unit (seed OpenID Connect §10). It counts only where it
/// stands in `custom_roles`; the same word in `roles` or as primary role means nothing.
pub const UNIT_ADMIN: &str = "unit_admin";
/// The custom role whose holders write notices (the seed's own example).
pub const EDITOR: &str = "editor";
/// The custom role whose holders hide and pin notices.
pub const MODERATOR: &str = "moderator";

macro_rules! primary_roles {
    ($($variant:ident => $name:literal, $label:literal;)+) => {
        /// A person's primary role: the `role` claim, one of eleven words (seed OpenID Connect §3).
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "lowercase")]
        pub enum PrimaryRole {
            $(
                #[doc = concat!("The claim value `", $name, "`.")]
                $variant,
            )+
        }

        impl PrimaryRole {
            /// Every primary role, in the order of the seed.
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// The word in the claim.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }

            /// The word for people.
            pub const fn label(self) -> &'static str {
                match self { $(Self::$variant => $label,)+ }
            }

            /// Reads the claim's word; `None` for a word that is not one of the eleven.
            pub fn parse(word: &str) -> Option<Self> {
                match word { $($name => Some(Self::$variant),)+ _ => None }
            }
        }
    };
}

primary_roles! {
    Admin => "admin", "Platform admin";
    Student => "student", "Student";
    Staff => "staff", "Staff";
    Developer => "developer", "Developer";
    Employer => "employer", "Employer";
    Consultant => "consultant", "Consultant";
    Therapist => "therapist", "Therapist";
    Founder => "founder", "Founder";
    Mentor => "mentor", "Mentor";
    Alumni => "alumni", "Alumni";
    Auditor => "auditor", "Auditor";
}

impl fmt::Display for PrimaryRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a person is, as far as roles go. `custom` decides what they may do in this app.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Roles {
    /// The `role` claim.
    pub primary: Option<PrimaryRole>,
    /// The `roles` claim: primary role and custom roles merged, as sent.
    pub all: Vec<String>,
    /// The `custom_roles` claim: this app's own roles.
    pub custom: Vec<String>,
}

impl Roles {
    /// Whether the custom role is held.
    pub fn has_custom(&self, role: &str) -> bool {
        self.custom.iter().any(|held| held == role)
    }

    /// Whether this is a unit admin of this app.
    pub fn is_unit_admin(&self) -> bool {
        self.has_custom(UNIT_ADMIN)
    }

    /// A short text that differs when the roles differ: by it an open page knows whether it shows them as
    /// they are. FNV-1a, since it must be the same in every process and nobody gains by a collision.
    pub fn version(&self) -> String {
        let primary = self.primary.map_or("", PrimaryRole::as_str);
        let all = self.all.iter().map(String::as_str);
        let custom = self.custom.iter().map(String::as_str);
        // No role word holds a line feed or a zero, so the parts cannot run into each other.
        let words = [primary, "\n"].into_iter().chain(all).chain(["\n"]).chain(custom);
        let bytes = words.flat_map(|word| word.bytes().chain([0]));
        let hash = bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        format!("{hash:016x}")
    }

    /// All role words once each, the primary one first: what a person sees listed.
    pub fn listed(&self) -> Vec<&str> {
        let mut listed: Vec<&str> = Vec::new();
        let words = self.primary.iter().map(|role| role.as_str());
        for word in words.chain(self.all.iter().chain(&self.custom).map(String::as_str)) {
            if !listed.contains(&word) {
                listed.push(word);
            }
        }
        listed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_primary_role_survives_its_own_word() {
        assert_eq!(PrimaryRole::ALL.len(), 11);
        for role in PrimaryRole::ALL {
            assert_eq!(PrimaryRole::parse(role.as_str()), Some(*role));
        }
        assert_eq!(PrimaryRole::parse("unit_admin"), None);
        assert_eq!(PrimaryRole::parse("Student"), None);
    }

    #[test]
    fn the_version_tells_roles_apart() {
        let all = |word: &str| Roles { all: vec![word.into()], ..Roles::default() };
        let custom = Roles { custom: vec![UNIT_ADMIN.into()], ..Roles::default() };
        let versions =
            [Roles::default(), all(UNIT_ADMIN), all(EDITOR), custom].map(|r| r.version());
        for (index, version) in versions.iter().enumerate() {
            assert!(!versions[index + 1..].contains(version), "{versions:?}");
        }
        assert_eq!(all(EDITOR).version(), all(EDITOR).version());
    }

    #[test]
    fn unit_admin_counts_only_in_custom_roles() {
        let merely_listed = Roles {
            primary: Some(PrimaryRole::Admin),
            all: vec!["admin".into(), UNIT_ADMIN.into()],
            custom: vec![],
        };
        assert!(!merely_listed.is_unit_admin());
        let held = Roles { custom: vec![UNIT_ADMIN.into()], ..merely_listed };
        assert!(held.is_unit_admin());
        assert_eq!(held.listed(), ["admin", "unit_admin"]);
    }
}
