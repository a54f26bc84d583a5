//! Claims: what a provider says of a subject, parsed leniently and then held in types that cannot be wrong.
//!
//! A wrongly typed claim is dropped and named; it never fails a sign-in (PROTOCOLS.md rule 4).

use crate::person::{Academic, Profile};
use crate::role::{PrimaryRole, Roles};
use crate::semester::Semester;
use serde_json::{Map, Value};

/// The claims of one subject, in the groups in which they are stored. A group is `None` when the
/// provider said nothing of it, which is not the same as saying that it is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Claims {
    /// `name`, `email`, `picture` and their kin.
    pub profile: Option<Profile>,
    /// `role`, `roles`, `custom_roles`.
    pub roles: Option<Roles>,
    /// The `academic` scope.
    pub academic: Option<Academic>,
    /// Names of claims that were dropped because of their type or value.
    pub dropped: Vec<&'static str>,
}

/// Longest text taken from a claim, in characters: names of people are shorter.
const LONGEST_TEXT: usize = 256;
const LONGEST_URL: usize = 2048;
const MOST_ROLES: usize = 64;

impl Claims {
    /// Reads claims; `issued` values that are absent stay absent.
    pub fn parse(claims: &Map<String, Value>) -> Self {
        let mut reader = Reader { claims, dropped: Vec::new() };
        let profile = Profile {
            name: reader.text("name"),
            given_name: reader.text("given_name"),
            family_name: reader.text("family_name"),
            preferred_username: reader.text("preferred_username"),
            email: reader.text("email"),
            email_verified: reader.flag("email_verified"),
            // Campus One's ID token carries the avatar as `profile`, userinfo as `picture`.
            picture: reader.picture("picture").or_else(|| reader.picture("profile")),
            phone_number: reader.text("phone_number"),
        };
        let roles = Roles {
            primary: reader.parsed("role", PrimaryRole::parse),
            all: reader.words("roles"),
            custom: reader.words("custom_roles"),
        };
        let academic = Academic {
            student_id: reader.text("student_id"),
            study_level: reader.text("study_level"),
            level: reader.level("level"),
            final_year: reader.flag("final_year"),
            faculty_id: reader.text("faculty_id"),
            department_id: reader.text("department_id"),
            academic_session: reader.text("academic_session"),
            semester: reader.parsed("semester", |word| {
                Semester::parse(word).map(|semester| semester.as_str().to_owned())
            }),
        };
        let said = |names: &[&str]| names.iter().any(|&name| claims.contains_key(name));
        Self {
            profile: (profile != Profile::default()).then_some(profile),
            roles: said(&["role", "roles", "custom_roles"]).then_some(roles),
            academic: (academic != Academic::default()).then_some(academic),
            dropped: reader.dropped,
        }
    }
}

/// The claims of an ID token with those of userinfo laid over them; `null` in userinfo says nothing.
pub fn merge(mut id_token: Map<String, Value>, userinfo: Map<String, Value>) -> Map<String, Value> {
    id_token.extend(userinfo.into_iter().filter(|(_, value)| !value.is_null()));
    id_token
}

struct Reader<'a> {
    claims: &'a Map<String, Value>,
    dropped: Vec<&'static str>,
}

impl Reader<'_> {
    fn get(&self, name: &str) -> Option<&Value> {
        self.claims.get(name).filter(|value| !value.is_null())
    }

    fn read<T>(&mut self, name: &'static str, read: impl FnOnce(&Value) -> Option<T>) -> Option<T> {
        let value = read(self.get(name)?);
        if value.is_none() && !self.dropped.contains(&name) {
            self.dropped.push(name);
        }
        value
    }

    fn text(&mut self, name: &'static str) -> Option<String> {
        self.read(name, |value| clean(value.as_str()?, LONGEST_TEXT).map(Some))?
    }

    fn flag(&mut self, name: &'static str) -> Option<bool> {
        self.read(name, |value| match value {
            Value::Bool(flag) => Some(*flag),
            Value::String(word) if word.eq_ignore_ascii_case("true") => Some(true),
            Value::String(word) if word.eq_ignore_ascii_case("false") => Some(false),
            _ => None,
        })
    }

    fn level(&mut self, name: &'static str) -> Option<i32> {
        self.read(name, |value| {
            let level = match value {
                Value::Number(number) => number.as_i64().or_else(|| whole(number.as_f64()?)),
                Value::String(text) => text.trim().parse().ok(),
                _ => None,
            };
            level
                .and_then(|level| i32::try_from(level).ok())
                .filter(|level| (0..=9999).contains(level))
        })
    }

    fn parsed<T>(&mut self, name: &'static str, parse: impl Fn(&str) -> Option<T>) -> Option<T> {
        self.read(name, |value| parse(value.as_str()?.trim()))
    }

    /// A list of words: an array, one word, a comma list, or nothing.
    fn words(&mut self, name: &'static str) -> Vec<String> {
        let words = self.read(name, |value| match value {
            Value::String(list) => Some(list.split(',').map(str::to_owned).collect::<Vec<_>>()),
            Value::Array(items) => {
                Some(items.iter().filter_map(Value::as_str).map(str::to_owned).collect())
            }
            _ => None,
        });
        let mut clean_words: Vec<String> = Vec::new();
        for word in words.unwrap_or_default() {
            let word = clean(&word, 64).unwrap_or_default();
            if !word.is_empty() && !clean_words.contains(&word) && clean_words.len() < MOST_ROLES {
                clean_words.push(word);
            }
        }
        clean_words
    }

    fn picture(&mut self, name: &'static str) -> Option<String> {
        self.read(name, |value| {
            let url = url::Url::parse(value.as_str()?).ok()?;
            let local = matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
            let safe = url.scheme() == "https" || (url.scheme() == "http" && local);
            (safe && url.as_str().len() <= LONGEST_URL).then(|| url.to_string())
        })
    }
}

fn whole(number: f64) -> Option<i64> {
    #[allow(clippy::cast_possible_truncation, reason = "checked to be a small whole number")]
    (number.fract() == 0.0 && number.abs() < 1e9).then_some(number as i64)
}

/// Whether a character changes the direction of the text around it (Unicode Standard Annex 9 §2).
pub(crate) const fn is_direction(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Text without control and direction-changing characters, trimmed; `None` when it is too long or
/// nothing is left.
fn clean(text: &str, longest: usize) -> Option<String> {
    let text: String = text.chars().filter(|c| !c.is_control() && !is_direction(*c)).collect();
    let text = text.trim();
    (!text.is_empty() && text.chars().count() <= longest).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn parse(value: Value) -> Claims {
        Claims::parse(value.as_object().unwrap_or(&Map::new()))
    }

    #[test]
    fn the_seeds_payload_is_read_whole() {
        let claims = parse(json!({
            "iss": "https://auth.campusone.com.ng", "sub": "user_abc123",
            "email": "256240001@nileuniversity.edu.ng", "email_verified": true,
            "name": "Aisha Mohammed", "role": "student", "roles": ["student", "mentor"],
            "student_id": "256240001", "study_level": "undergraduate", "level": 300,
            "final_year": false, "faculty_id": "fac_eng", "department_id": "dept_cs",
            "academic_session": "2025/2026", "semester": "harmattan",
        }));
        assert_eq!(claims.dropped, Vec::<&str>::new());
        let academic = claims.academic.unwrap_or_default();
        assert_eq!((academic.level, academic.final_year), (Some(300), Some(false)));
        assert_eq!(academic.semester.as_deref(), Some("harmattan"));
        let roles = claims.roles.unwrap_or_default();
        assert_eq!(roles.primary, Some(PrimaryRole::Student));
        assert_eq!(roles.all, ["student", "mentor"]);
    }

    #[test]
    fn rule_4_lenient_types() {
        let claims = parse(json!({
            "level": "400", "roles": "student, editor", "custom_roles": null,
            "email_verified": "true", "final_year": "false", "role": "student",
        }));
        assert_eq!(claims.academic.as_ref().and_then(|a| a.level), Some(400));
        assert_eq!(claims.academic.and_then(|a| a.final_year), Some(false));
        assert_eq!(claims.profile.and_then(|p| p.email_verified), Some(true));
        let roles = claims.roles.unwrap_or_default();
        assert_eq!((roles.all, roles.custom), (vec!["student".into(), "editor".into()], vec![]));
        assert!(claims.dropped.is_empty());
    }

    #[test]
    fn rule_4_wrong_types_are_dropped_and_named() {
        let claims = parse(json!({
            "name": 7, "level": {"is": 300}, "roles": 5, "role": "wizard", "email_verified": 1,
            "picture": "javascript:alert(1)", "semester": "monsoon", "student_id": "256240001",
        }));
        assert_eq!(
            claims.dropped,
            ["name", "email_verified", "picture", "role", "roles", "level", "semester"]
        );
        assert_eq!(claims.academic.and_then(|a| a.student_id).as_deref(), Some("256240001"));
        assert_eq!(claims.roles, Some(Roles::default()));
    }

    #[test]
    fn the_avatar_may_come_as_profile_and_null() {
        let avatar = parse(json!({"profile": "https://cdn.example/a.png"}));
        let picture = avatar.profile.and_then(|p| p.picture);
        assert_eq!(picture.as_deref(), Some("https://cdn.example/a.png"));
        assert_eq!(parse(json!({"profile": null})), Claims::default());
    }

    #[test]
    fn userinfo_lies_over_the_id_token_and_null_says_nothing() {
        let object = |value: Value| value.as_object().cloned().unwrap_or_default();
        let merged = merge(
            object(json!({"name": "Old", "role": "student", "nonce": "n"})),
            object(json!({"name": "New", "role": null, "level": 200})),
        );
        assert_eq!(
            Value::Object(merged),
            json!({"name": "New", "role": "student", "nonce": "n", "level": 200})
        );
    }

    #[test]
    fn direction_overrides_and_controls_are_taken_out_of_names() {
        let claims = parse(json!({"name": " Ada\u{202e}\u{0} Obi "}));
        assert_eq!(claims.profile.and_then(|p| p.name).as_deref(), Some("Ada Obi"));
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            ".*".prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 16, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::hash_map(".*", inner, 0..4)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn no_value_fails_or_grows(values in prop::collection::vec(any_json(), 18)) {
            const NAMES: [&str; 18] = ["name", "given_name", "family_name", "preferred_username", "email",
                "email_verified", "picture", "profile", "phone_number", "role", "roles", "custom_roles",
                "student_id", "study_level", "level", "final_year", "faculty_id", "semester"];
            let map: Map<String, Value> = NAMES.iter().map(|&n| n.to_owned()).zip(values).collect();
            let claims = Claims::parse(&map);
            if let Some(roles) = claims.roles {
                prop_assert!(roles.all.len() <= MOST_ROLES && roles.custom.len() <= MOST_ROLES);
            }
            let name = claims.profile.and_then(|p| p.name).unwrap_or_default();
            prop_assert!(name.chars().count() <= LONGEST_TEXT && !name.chars().any(char::is_control));
        }
    }
}
