//! Roles as badges.

use campus::role::{EDITOR, MODERATOR, PrimaryRole, Roles, UNIT_ADMIN};
use leptos::prelude::*;

/// What kind of role a word stands for; only the first two mean something in this app.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Primary,
    Custom,
    Listed,
}

/// All roles of a person, each once, the primary one first.
pub(crate) fn role_badges(roles: &Roles) -> impl IntoView + use<> {
    let badges = roles
        .listed()
        .into_iter()
        .map(|word| {
            let (kind, label) = described(roles, word);
            let class = match kind {
                Kind::Primary => "badge badge-primary",
                Kind::Custom => "badge badge-custom",
                Kind::Listed => "badge",
            };
            view! {
                <li class=class data-role=word.to_owned()>
                    {label}
                </li>
            }
        })
        .collect_view();
    view! { <ul class="badges">{badges}</ul> }
}

/// The words for people exist for roles in force; a role that is merely listed is shown as sent, so
/// that nobody is told they are a unit admin when they are not.
fn described(roles: &Roles, word: &str) -> (Kind, String) {
    if let Some(primary) = roles.primary.filter(|role| role.as_str() == word) {
        return (Kind::Primary, primary.label().to_owned());
    }
    if !roles.has_custom(word) {
        let label = PrimaryRole::parse(word).map_or(word, |role| role.label());
        return (Kind::Listed, label.to_owned());
    }
    let label = match word {
        UNIT_ADMIN => "Unit admin",
        EDITOR => "Editor",
        MODERATOR => "Moderator",
        other => other,
    };
    (Kind::Custom, label.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_roles_in_force_get_their_name() {
        let roles = Roles {
            primary: Some(PrimaryRole::Staff),
            all: vec!["staff".into(), "unit_admin".into(), "editor".into()],
            custom: vec!["editor".into(), "lab_keeper".into()],
        };
        let described = |word| described(&roles, word);
        assert_eq!(described("staff"), (Kind::Primary, "Staff".into()));
        assert_eq!(described("editor"), (Kind::Custom, "Editor".into()));
        assert_eq!(described("lab_keeper"), (Kind::Custom, "lab_keeper".into()));
        assert_eq!(described("unit_admin"), (Kind::Listed, "unit_admin".into()));
    }
}
