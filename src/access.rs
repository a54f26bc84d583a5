//! Who may open what: the one table that draws the navigation, guards the router and feeds the tests.

use crate::role::{EDITOR, MODERATOR, PrimaryRole, Roles, UNIT_ADMIN};
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

/// Who has a permission besides unit admins, who have every one. The `roles` claim is not asked: it merges
/// words of several meanings (seed OpenID Connect §10), so it grants nothing.
struct Holders {
    /// The custom role that grants it.
    custom: Option<&'static str>,
    /// The primary roles that grant it.
    primary: &'static [PrimaryRole],
}

impl Permission {
    /// Every permission.
    pub const ALL: &[Self] =
        &[Self::RunUnit, Self::ReadReports, Self::WriteNotices, Self::ModerateNotices];

    /// The word for logs and the audit trail.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::RunUnit => "run_unit",
            Self::ReadReports => "read_reports",
            Self::WriteNotices => "write_notices",
            Self::ModerateNotices => "moderate_notices",
        }
    }

    const fn holders(self) -> Holders {
        match self {
            Self::RunUnit => Holders { custom: None, primary: &[] },
            Self::ReadReports => {
                Holders { custom: None, primary: &[PrimaryRole::Admin, PrimaryRole::Staff] }
            }
            Self::WriteNotices => Holders { custom: Some(EDITOR), primary: &[] },
            Self::ModerateNotices => Holders { custom: Some(MODERATOR), primary: &[] },
        }
    }

    /// Whether these roles allow it.
    pub fn granted_to(self, roles: &Roles) -> bool {
        let Holders { custom, primary } = self.holders();
        roles.is_unit_admin()
            || custom.is_some_and(|role| roles.has_custom(role))
            || roles.primary.is_some_and(|role| primary.contains(&role))
    }

    /// What an action says to those who lack it: for a custom role the seed's own sentence
    /// (OpenID Connect §10), which programs compare.
    pub fn requirement(self) -> String {
        let Holders { custom, primary } = self.holders();
        if primary.is_empty() {
            let role = custom.unwrap_or(UNIT_ADMIN);
            return format!("This action requires the custom app role: {role}");
        }
        let words: Vec<_> = primary.iter().map(|role| role.as_str()).collect();
        format!("This action requires the primary role: {}", words.join(" or "))
    }

    /// For whom it is, in words for people.
    pub const fn holders_text(self) -> &'static str {
        match self {
            Self::RunUnit => "unit admins",
            Self::ReadReports => "platform admins, staff and unit admins",
            Self::WriteNotices => "editors and unit admins",
            Self::ModerateNotices => "moderators and unit admins",
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
    rule("/admin", Access::Needs(Permission::RunUnit), Some("Admin")),
    rule("/admin/deliveries", Access::Needs(Permission::RunUnit), Some("Deliveries")),
    rule("/admin/reports", Access::Needs(Permission::ReadReports), Some("Reports")),
];

/// What the path asks for.
pub fn access_to(path: &str) -> Access {
    rule_of(path).map_or(Access::Public, |rule| rule.access)
}

/// The page to which an address belongs: where somebody goes on who was stopped there, since an action's
/// own address shows nothing.
pub fn page_of(path: &str) -> &'static str {
    rule_of(path).map_or("/", |rule| rule.path)
}

/// Whether a path is a page of this app: a silent sign-in is only worth starting for those.
pub fn is_page(path: &str) -> bool {
    rule_of(path).is_some()
}

/// The navigation for somebody with these roles (`None`: nobody signed in).
pub fn navigation(roles: Option<&Roles>) -> impl Iterator<Item = (&'static str, &'static str)> {
    RULES
        .iter()
        .filter(move |rule| rule.access.allows(roles))
        .filter_map(|rule| rule.nav.map(|name| (rule.path, name)))
}

/// The row that speaks for a path: the longest one that covers it.
fn rule_of(path: &str) -> Option<&'static Rule> {
    RULES.iter().filter(|rule| covers(rule.path, path)).max_by_key(|rule| rule.path.len())
}

fn covers(rule: &str, path: &str) -> bool {
    path == rule
        || (rule != "/" && path.strip_prefix(rule).is_some_and(|rest| rest.starts_with('/')))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::claims::Claims;
    use proptest::prelude::*;
    use serde_json::{Value, json};

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
    fn of_two_rows_that_cover_a_path_the_longer_one_speaks() {
        let (run, read) = (Permission::RunUnit, Permission::ReadReports);
        for (path, access, page) in [
            ("/admin", Access::Needs(run), "/admin"),
            ("/admin/people/1/end-sessions", Access::Needs(run), "/admin"),
            ("/admin/reports", Access::Needs(read), "/admin/reports"),
            ("/admin/reports/x", Access::Needs(read), "/admin/reports"),
            ("/admin/reportsx", Access::Needs(run), "/admin"),
            ("/administration", Access::Public, "/"),
        ] {
            assert_eq!((access_to(path), page_of(path)), (access, page), "{path}");
        }
    }

    #[test]
    fn what_a_permission_asks_for_is_said_in_the_seeds_words() {
        for (permission, sentence) in [
            (Permission::WriteNotices, "This action requires the custom app role: editor"),
            (Permission::ModerateNotices, "This action requires the custom app role: moderator"),
            (Permission::RunUnit, "This action requires the custom app role: unit_admin"),
            (Permission::ReadReports, "This action requires the primary role: admin or staff"),
        ] {
            assert_eq!(permission.requirement(), sentence);
        }
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
            (roles(PrimaryRole::Staff, &[EDITOR]), &[ReadReports, WriteNotices]),
            (roles(PrimaryRole::Student, &[UNIT_ADMIN]), Permission::ALL),
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

    /// Role words as they might be sent, the dangerous ones often among them.
    fn words() -> impl Strategy<Value = Vec<String>> {
        let word = prop_oneof![
            Just(UNIT_ADMIN.to_owned()),
            Just(EDITOR.to_owned()),
            Just(MODERATOR.to_owned()),
            Just("admin".to_owned()),
            Just("staff".to_owned()),
            "[a-zA-Z_, ]{0,12}",
            any::<String>(),
        ];
        prop::collection::vec(word, 0..6)
    }

    /// `roles` and `role` in every form in which they are read.
    fn sent() -> impl Strategy<Value = Value> {
        words().prop_flat_map(|words| {
            let one = words.first().cloned().unwrap_or_default();
            prop_oneof![Just(json!(words)), Just(json!(words.join(","))), Just(json!(one))]
        })
    }

    proptest! {
        /// PROTOCOLS, "Freshness": `unit_admin` counts only in `custom_roles`. Whatever the other two
        /// claims say, they make nobody a unit admin, editor or moderator.
        #[test]
        fn without_custom_roles_nobody_runs_the_unit(role in sent(), roles in sent()) {
            let claims = json!({ "sub": "s", "role": role, "roles": roles });
            let held = Claims::parse(claims.as_object().ok_or(TestCaseError::reject("no object"))?);
            let held = held.roles.unwrap_or_default();
            for permission in [Permission::RunUnit, Permission::WriteNotices, Permission::ModerateNotices] {
                prop_assert!(!permission.granted_to(&held), "{permission:?} for {held:?}");
            }
        }

        /// The `roles` claim changes no permission at all.
        #[test]
        fn the_merged_list_grants_nothing(custom in words(), all in words(), number in 0..11_usize) {
            let without = Roles { primary: Some(PrimaryRole::ALL[number]), all: vec![], custom };
            let with = Roles { all, ..without.clone() };
            for permission in Permission::ALL {
                prop_assert_eq!(permission.granted_to(&with), permission.granted_to(&without));
            }
        }
    }

    #[test]
    fn the_navigation_shows_only_what_opens() {
        let anonymous: Vec<_> = navigation(None).collect();
        assert_eq!(anonymous, [("/", "Home")]);
        let names =
            |roles: &Roles| navigation(Some(roles)).map(|(_, name)| name).collect::<Vec<_>>();
        assert_eq!(names(&roles(PrimaryRole::Student, &[EDITOR])), ["Home", "Dashboard"]);
        assert_eq!(names(&roles(PrimaryRole::Staff, &[])), ["Home", "Dashboard", "Reports"]);
        assert_eq!(names(&roles(PrimaryRole::Admin, &[])), ["Home", "Dashboard", "Reports"]);
        let unit_admin = roles(PrimaryRole::Consultant, &[UNIT_ADMIN]);
        let all = ["Home", "Dashboard", "Admin", "Deliveries", "Reports"];
        assert_eq!(names(&unit_admin), all);
    }
}
