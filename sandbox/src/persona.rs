//! A person of the sandbox and the claims made about them. Who there is lives in `roster`.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use time::OffsetDateTime;

use crate::calendar::Period;

/// The academic standing of a student.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Academic {
    /// The matriculation number.
    pub student_id: String,
    /// `undergraduate` or `postgraduate`.
    pub study_level: String,
    /// 100 to 500.
    pub level: u16,
    /// Whether the level is the department's last.
    pub final_year: bool,
    /// The faculty.
    pub faculty_id: String,
    /// The department.
    pub department_id: String,
}

/// A person who can sign in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Persona {
    /// The `sub`, for example `user_aisha`.
    pub id: String,
    /// The full name.
    pub name: String,
    /// What the sign-in page says about them.
    pub description: String,
    /// The e-mail address.
    pub email: String,
    /// Whether the address is verified.
    pub email_verified: bool,
    /// Whether there is an avatar.
    pub avatar: bool,
    /// The telephone number.
    pub phone_number: Option<String>,
    /// The primary role.
    pub role: String,
    /// Further roles of the platform.
    pub roles: Vec<String>,
    /// The roles an application gave them; the sandbox gives every application the same.
    pub custom_roles: Vec<String>,
    /// The academic standing, for students.
    pub academic: Option<Academic>,
    /// Claims that replace or, when null, remove what would be said otherwise.
    pub extra: Map<String, Value>,
    /// When the person last changed, in Unix seconds.
    pub updated_at: i64,
}

impl Persona {
    /// Where the avatar is, if there is one.
    pub(crate) fn picture(&self, origin: &str) -> Option<String> {
        self.avatar.then(|| format!("{origin}/avatars/{}.svg", self.id))
    }

    /// Every role: primary, further ones and custom ones, each once.
    #[must_use]
    pub fn all_roles(&self) -> Vec<String> {
        let mut all: Vec<String> = Vec::new();
        for role in std::iter::once(&self.role).chain(&self.roles).chain(&self.custom_roles) {
            if !all.contains(role) {
                all.push(role.clone());
            }
        }
        all
    }

    /// The claims userinfo gives for these scopes. The ID token adds a few of its own.
    pub(crate) fn claims(
        &self,
        scopes: &[String],
        origin: &str,
        now: OffsetDateTime,
    ) -> Map<String, Value> {
        let granted = |scope: &str| scopes.iter().any(|s| s == scope);
        let mut claims = Map::new();
        let mut say = |name: &str, value: Value| {
            claims.insert(name.to_owned(), value);
        };
        say("sub", json!(self.id));
        if granted("profile") {
            say("name", json!(self.name));
            let mut parts = self.name.split_whitespace();
            if let Some(given) = parts.next() {
                say("given_name", json!(given));
            }
            if let Some(family) = parts.next() {
                say("family_name", json!(family));
            }
            if let Some(picture) = self.picture(origin) {
                say("picture", json!(picture));
            }
            let username = self.email.split('@').next().unwrap_or(&self.email);
            say("preferred_username", json!(username));
            if let Some(phone) = &self.phone_number {
                say("phone_number", json!(phone));
            }
        }
        if granted("email") {
            say("email", json!(self.email));
            say("email_verified", json!(self.email_verified));
        }
        say("role", json!(self.role));
        if granted("roles") {
            say("roles", json!(self.all_roles()));
            say("custom_roles", json!(self.custom_roles));
        }
        if let (true, Some(academic)) = (granted("academic"), &self.academic) {
            let period = Period::at(now);
            say("student_id", json!(academic.student_id));
            say("study_level", json!(academic.study_level));
            say("level", json!(academic.level));
            say("final_year", json!(academic.final_year));
            say("faculty_id", json!(academic.faculty_id));
            say("department_id", json!(academic.department_id));
            say("academic_session", json!(period.session));
            say("semester", json!(period.semester.as_str()));
        }
        for (name, value) in &self.extra {
            if value.is_null() {
                claims.remove(name);
            } else {
                claims.insert(name.clone(), value.clone());
            }
        }
        claims
    }
}
