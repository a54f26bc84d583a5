//! Who may open what: the one table that draws the navigation, guards the router and feeds the tests.

use crate::role::{EDITOR, MODERATOR, PrimaryRole, Roles};
use serde::{Deserialize, Serialize};

/// Something a role allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Permission {
    /// Everything under `/admin`.
    RunUnit,
    /// Read the reports.
    ReadReports,
    /// Write notices.
    WriteNotices,
    /// Hide and pin notices.
    ModerateNotices,
}

impl Permission {
    /// Every permission.
    pub const ALL: &[Self] =
        &[Self::RunUnit, Self::ReadReports, Self::WriteNotices, Self::ModerateNotices];

    /// Whether these roles allow it.
    pub fn granted_to(self, roles: &Roles) -> bool {
        let primary = |wanted: PrimaryRole| roles.primary == Some(wanted);
        match self {
            Self::RunUnit => roles.is_unit_admin(),
            Self::ReadReports => {
                roles.is_unit_admin() || primary(PrimaryRole::Admin) || primary(PrimaryRole::Staff)
            }
            Self::WriteNotices => roles.is_unit_admin() || roles.has_custom(EDITOR),
            Self::ModerateNotices => roles.is_unit_admin() || roles.has_custom(MODERATOR),
        }
    }
}

/// What a path asks of the person who opens it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Anybody.
    Public,
    /// Anybody who is signed in.
    SignedIn,
    /// A signed-in person with this permission.
    Needs(Permission),
}

impl Access {
    /// Whether the given roles pass; `None` stands for nobody signed in.
    pub fn allows(self, roles: Option<&Roles>) -> bool {
        match (self, roles) {
            (Self::Public, _) | (Self::SignedIn, Some(_)) => true,
            (Self::Needs(permission), Some(roles)) => permission.granted_to(roles),
            (_, None) => false,
        }
    }
}

/// One row of the table.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    /// The path; it covers everything below it too, except where a longer row speaks. `/` is itself only.
    pub path: &'static str,
    /// What it asks.
    pub access: Access,
    /// Its name in the navigation, if it has a place there.
    pub nav: Option<&'static str>,
}

const fn rule(path: &'static str, access: Access, nav: Option<&'static str>) -> Rule {
    Rule { path, access, nav }
}

/// The table. Paths that stand in no row have no page: they are public, so that an unknown address is
/// answered 404 without a sign-in.
pub const RULES: &[Rule] = &[
    rule("/", Access::Public, Some("Home")),
    rule("/dashboard", Access::SignedIn, Some("Dashboard")),
    rule("/admin/deliveries", Access::Needs(Permission::RunUnit), Some("Deliveries")),
];

/// What the path asks for.
pub fn access_to(path: &str) -> Access {
    RULES
        .iter()
        .filter(|rule| covers(rule.path, path))
        .max_by_key(|rule| rule.path.len())
        .map_or(Access::Public, |rule| rule.access)
}

/// Whether a path is a page of this app: a silent sign-in is only worth starting for those.
pub fn is_page(path: &str) -> bool {
    RULES.iter().any(|rule| covers(rule.path, path))
}

/// The navigation for somebody with these roles (`None`: nobody signed in).
pub fn navigation(roles: Option<&Roles>) -> impl Iterator<Item = (&'static str, &'static str)> {
    RULES
        .iter()
        .filter(move |rule| rule.access.allows(roles))
        .filter_map(|rule| rule.nav.map(|name| (rule.path, name)))
}

fn covers(rule: &str, path: &str) -> bool {
    path == rule
        || (rule != "/" && path.strip_prefix(rule).is_some_and(|rest| rest.starts_with('/')))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::role::UNIT_ADMIN;

    fn roles(primary: PrimaryRole, custom: &[&str]) -> Roles {
        let custom: Vec<String> = custom.iter().map(|&role| role.to_owned()).collect();
        Roles { primary: Some(primary), all: custom.clone(), custom }
    }

    #[test]
    fn a_rule_covers_itself_and_what_is_below() {
        assert_eq!(access_to("/"), Access::Public);
        assert_eq!(access_to("/dashboard"), Access::SignedIn);
        assert_eq!(access_to("/dashboard/x"), Access::SignedIn);
        assert_eq!(access_to("/dashboards"), Access::Public);
        assert!(!is_page("/dashboards"));
    }

    #[test]
    fn permissions_follow_the_expected_table() {
        use Permission::*;
        let expected: &[(Roles, &[Permission])] = &[
            (roles(PrimaryRole::Student, &[]), &[]),
            (roles(PrimaryRole::Student, &[EDITOR]), &[WriteNotices]),
            (roles(PrimaryRole::Student, &[MODERATOR]), &[ModerateNotices]),
            (roles(PrimaryRole::Staff, &[]), &[ReadReports]),
            (roles(PrimaryRole::Admin, &[]), &[ReadReports]),
            (roles(PrimaryRole::Staff, &[UNIT_ADMIN]), Permission::ALL),
        ];
        for (roles, granted) in expected {
            for permission in Permission::ALL {
                let wanted = granted.contains(permission);
                assert_eq!(permission.granted_to(roles), wanted, "{permission:?} for {roles:?}");
            }
        }
    }

    #[test]
    fn platform_admin_is_not_unit_admin() {
        let mut platform = roles(PrimaryRole::Admin, &[]);
        platform.all.push(UNIT_ADMIN.to_owned());
        assert!(!Permission::RunUnit.granted_to(&platform));
        assert!(!Access::Needs(Permission::RunUnit).allows(Some(&platform)));
        assert!(!Access::SignedIn.allows(None));
    }

    #[test]
    fn the_navigation_shows_only_what_opens() {
        let anonymous: Vec<_> = navigation(None).collect();
        assert_eq!(anonymous, [("/", "Home")]);
        let student = roles(PrimaryRole::Student, &[]);
        assert!(navigation(Some(&student)).any(|(path, _)| path == "/dashboard"));
    }
}
