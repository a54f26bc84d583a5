//! A person as the users table knows them: three groups of facts, each with its age and its source.

use crate::instant::Instant;
use crate::role::Roles;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The key of a person's row; never the subject at a provider and never an e-mail address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PersonId(pub Uuid);

/// Who somebody is at a provider: the identity key (PROTOCOLS.md rule 6).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Identity {
    /// The kind of provider, e.g. `campus-one`.
    pub provider: String,
    /// The provider's issuer identifier.
    pub issuer: String,
    /// The subject at that issuer.
    pub subject: String,
}

/// Where a fact was learned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// A verified ID token.
    IdToken,
    /// The userinfo endpoint.
    Userinfo,
    /// A signed webhook.
    Webhook,
}

impl Source {
    /// The word that is stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::IdToken => "id_token",
            Self::Userinfo => "userinfo",
            Self::Webhook => "webhook",
        }
    }

    /// The words for people.
    pub const fn label(self) -> &'static str {
        match self {
            Self::IdToken => "sign-in token",
            Self::Userinfo => "Campus One",
            Self::Webhook => "Campus One's message",
        }
    }

    /// Reads the stored word.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::IdToken, Self::Userinfo, Self::Webhook].into_iter().find(|s| s.as_str() == word)
    }
}

/// A group of facts with the instant at which they were true and where they came from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts<T> {
    /// The facts.
    pub value: T,
    /// When they were true.
    pub as_of: Instant,
    /// Where they were learned.
    pub source: Source,
}

impl<T> Facts<T> {
    /// The newer of two: an older fact never overwrites a newer one; of two equally old ones the later
    /// arrival stands, so that a correction within the same instant is not lost.
    pub fn merged(held: Option<Self>, arriving: Self) -> Self {
        match held {
            Some(held) if held.as_of > arriving.as_of => held,
            _ => arriving,
        }
    }
}

/// Name, address and picture.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    /// The whole name.
    pub name: Option<String>,
    /// The given name.
    pub given_name: Option<String>,
    /// The family name.
    pub family_name: Option<String>,
    /// The short name the person prefers.
    pub preferred_username: Option<String>,
    /// The e-mail address: for showing, never a key.
    pub email: Option<String>,
    /// Whether the provider has verified the address.
    pub email_verified: Option<bool>,
    /// The address of a picture, https or loopback http only.
    pub picture: Option<String>,
    /// A telephone number.
    pub phone_number: Option<String>,
}

/// A student's standing, as of the running semester.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Academic {
    /// The matriculation number.
    pub student_id: Option<String>,
    /// For instance `undergraduate`.
    pub study_level: Option<String>,
    /// 100 to 500 and above.
    pub level: Option<i32>,
    /// Whether the level is the department's last.
    pub final_year: Option<bool>,
    /// The faculty's id.
    pub faculty_id: Option<String>,
    /// The department's id.
    pub department_id: Option<String>,
    /// For instance `2025/2026`.
    pub academic_session: Option<String>,
    /// `harmattan` or `rain`.
    pub semester: Option<String>,
}

/// Everything the users table holds of a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// The row's key.
    pub id: PersonId,
    /// The subject at the provider.
    pub subject: String,
    /// Name, address and picture.
    pub profile: Option<Facts<Profile>>,
    /// Roles.
    pub roles: Option<Facts<Roles>>,
    /// Standing; `None` for those who are no students.
    pub academic: Option<Facts<Academic>>,
}

impl Person {
    /// The name to show: the whole name, else the parts, else the preferred name, else the e-mail
    /// address, else a neutral word.
    pub fn display_name(&self) -> String {
        let Some(Facts { value: profile, .. }) = &self.profile else {
            return "Somebody".to_owned();
        };
        let parts = [&profile.given_name, &profile.family_name]
            .into_iter()
            .flatten()
            .map(String::as_str)
            .collect::<Vec<_>>()
            .join(" ");
        let parts = (!parts.is_empty()).then_some(parts);
        (profile.name.clone().or(parts))
            .or_else(|| profile.preferred_username.clone())
            .or_else(|| profile.email.clone())
            .unwrap_or_else(|| "Somebody".to_owned())
    }

    /// The name to greet with.
    pub fn given_name(&self) -> String {
        let given = self.profile.as_ref().and_then(|facts| facts.value.given_name.clone());
        given.unwrap_or_else(|| {
            let name = self.display_name();
            name.split_whitespace().next().unwrap_or("there").to_owned()
        })
    }
}

/// One or two capital letters that stand in for a missing picture.
pub fn initials(name: &str) -> String {
    let mut words =
        name.split_whitespace().filter_map(|word| word.chars().find(|c| c.is_alphanumeric()));
    let first = words.next();
    let last = words.next_back();
    let letters: String = first.into_iter().chain(last).flat_map(char::to_uppercase).collect();
    if letters.is_empty() { "?".to_owned() } else { letters }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(value: &str, at: i64) -> Facts<String> {
        Facts { value: value.into(), as_of: Instant::from_millis(at), source: Source::Userinfo }
    }

    #[test]
    fn an_older_fact_never_overwrites_a_newer_one() {
        assert_eq!(Facts::merged(Some(facts("new", 2)), facts("old", 1)).value, "new");
        assert_eq!(Facts::merged(Some(facts("old", 1)), facts("new", 2)).value, "new");
        assert_eq!(Facts::merged(Some(facts("first", 1)), facts("second", 1)).value, "second");
        assert_eq!(Facts::merged(None, facts("only", 0)).value, "only");
    }

    #[test]
    fn initials_are_taken_from_first_and_last_name() {
        for (name, expected) in [
            ("Aisha Mohammed", "AM"),
            ("aisha", "A"),
            ("Ngozi Ada Okafor", "NO"),
            ("  ", "?"),
            ("\u{202e}Ọlá (x)", "ỌX"),
        ] {
            assert_eq!(initials(name), expected);
        }
    }

    #[test]
    fn names_fall_back_until_something_can_be_said() {
        let mut person = Person {
            id: PersonId(Uuid::nil()),
            subject: "user_1".into(),
            profile: None,
            roles: None,
            academic: None,
        };
        assert_eq!(person.display_name(), "Somebody");
        let profile = Profile { email: Some("a@nile.example".into()), ..Profile::default() };
        let as_of = Instant::from_millis(0);
        person.profile = Some(Facts { value: profile, as_of, source: Source::IdToken });
        assert_eq!(person.display_name(), "a@nile.example");
        if let Some(facts) = &mut person.profile {
            facts.value.name = Some("Aisha Mohammed".into());
        }
        assert_eq!(
            (person.display_name(), person.given_name()),
            ("Aisha Mohammed".into(), "Aisha".into())
        );
    }
}
