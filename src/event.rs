//! Events: what a webhook of Campus One says, parsed leniently about what is there and strictly about what
//! is used (PROTOCOLS.md, "Webhooks"; seed OpenID Connect §9 B).

use crate::claims::Claims;
use crate::claims::is_direction;
use crate::instant::Instant;
use crate::role::{PrimaryRole, Roles};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Longest event name that is kept, in characters; what is longer is cut.
const LONGEST_NAME: usize = 100;
/// Longest subject (OpenID Connect Core §2).
const LONGEST_SUBJECT: usize = 255;

/// The body of a webhook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// The event's name, printable and cut to a length that can be shown.
    pub name: String,
    /// When it happened, by the sender's clock.
    pub occurred_at: Instant,
    /// The application it was sent to, where it says so. Of a wrong type it names nobody we know.
    pub client_id: Option<String>,
    /// What happened.
    pub event: Event,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// `user.role_changed`: somebody's roles are others than before.
    RoleChanged {
        /// The subject.
        user: String,
        /// The roles it tells, if any.
        roles: RoleFields,
    },
    /// `user.disconnected`: somebody took away this app's access.
    Disconnected {
        /// The subject.
        user: String,
    },
    /// An event that is known but names nobody.
    NamesNobody,
    /// An event of another name.
    Unknown,
}

/// The parts of somebody's roles that an event tells; what it does not tell stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RoleFields {
    /// `role`
    pub primary: Option<PrimaryRole>,
    /// `roles`
    pub all: Option<Vec<String>>,
    /// `custom_roles`
    pub custom: Option<Vec<String>>,
}

impl RoleFields {
    /// Reads the fields of `data`. One that is absent, null or of the wrong type tells nothing.
    fn parse(data: &Map<String, Value>) -> Self {
        let custom = data.get("custom_roles").or_else(|| data.get("customRoles"));
        let fields = [("role", data.get("role")), ("roles", data.get("roles"))];
        let fields: Map<String, Value> = fields
            .into_iter()
            .chain([("custom_roles", custom)])
            .filter_map(|(name, value)| Some((name.to_owned(), value?.clone())))
            .filter(|(_, value)| !value.is_null())
            .collect();
        let claims = Claims::parse(&fields);
        let told = |name: &str| fields.contains_key(name) && !claims.dropped.contains(&name);
        let roles = claims.roles.clone().unwrap_or_default();
        Self {
            primary: roles.primary,
            all: told("roles").then_some(roles.all),
            custom: told("custom_roles").then_some(roles.custom),
        }
    }

    /// Whether nothing is told.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// These fields laid over the roles that are held.
    pub fn over(self, held: Roles) -> Roles {
        Roles {
            primary: self.primary.or(held.primary),
            all: self.all.unwrap_or(held.all),
            custom: self.custom.unwrap_or(held.custom),
        }
    }
}

/// A body that is no message: it is no JSON object, or has no name or no time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the body is no event with a name and a time")]
pub struct NoMessage;

impl Message {
    /// Reads a body.
    ///
    /// # Errors
    /// When it is no JSON object, or `event` or `timestamp` is missing or unreadable.
    pub fn parse(body: &[u8]) -> Result<Self, NoMessage> {
        let Ok(Value::Object(body)) = serde_json::from_slice(body) else { return Err(NoMessage) };
        let text = |name: &str| body.get(name).and_then(Value::as_str);
        let name: String = text("event")
            .unwrap_or_default()
            .trim()
            .chars()
            .filter(|c| !c.is_control() && !is_direction(*c))
            .take(LONGEST_NAME)
            .collect();
        let occurred_at = text("timestamp").and_then(Instant::parse_rfc3339).ok_or(NoMessage)?;
        if name.is_empty() {
            return Err(NoMessage);
        }
        let empty = Map::new();
        let data = body.get("data").and_then(Value::as_object).unwrap_or(&empty);
        let client_id = data
            .get("clientId")
            .filter(|value| !value.is_null())
            .map(|value| value.as_str().unwrap_or_default().to_owned());
        let event = Event::parse(&name, data);
        Ok(Self { name, occurred_at, client_id, event })
    }
}

impl Event {
    fn parse(name: &str, data: &Map<String, Value>) -> Self {
        let user = data.get("userId").and_then(Value::as_str).filter(|user| is_subject(user));
        match (name, user.map(str::to_owned)) {
            ("user.role_changed", Some(user)) => {
                Self::RoleChanged { user, roles: RoleFields::parse(data) }
            }
            ("user.disconnected", Some(user)) => Self::Disconnected { user },
            ("user.role_changed" | "user.disconnected", None) => Self::NamesNobody,
            _ => Self::Unknown,
        }
    }

    /// Whom it is about, if it is acted upon.
    pub fn user(&self) -> Option<&str> {
        match self {
            Self::RoleChanged { user, .. } | Self::Disconnected { user } => Some(user),
            Self::NamesNobody | Self::Unknown => None,
        }
    }
}

fn is_subject(text: &str) -> bool {
    (1..=LONGEST_SUBJECT).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// What became of a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryState {
    /// Stored; its turn comes, for the first time or again.
    Pending,
    /// Its effect is in force.
    Applied,
    /// There was nothing to do.
    Ignored,
    /// Given up after too many attempts; somebody must look at it.
    Dead,
}

impl DeliveryState {
    /// Every state.
    pub const ALL: &[Self] = &[Self::Pending, Self::Applied, Self::Ignored, Self::Dead];

    /// The word that is stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Applied => "applied",
            Self::Ignored => "ignored",
            Self::Dead => "dead",
        }
    }

    /// The word for people.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Pending => "Waiting",
            Self::Applied => "Applied",
            Self::Ignored => "Nothing to do",
            Self::Dead => "Given up",
        }
    }

    /// Reads the stored word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|state| state.as_str() == word)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn parse(body: &Value) -> Result<Message, NoMessage> {
        Message::parse(body.to_string().as_bytes())
    }

    fn role_changed(data: Value) -> RoleFields {
        let mut data = data;
        data["userId"] = json!("user_abc123");
        let body = json!({ "event": "user.role_changed", "timestamp": "2026-05-21T18:41:23Z", "data": data });
        match parse(&body).map(|message| message.event) {
            Ok(Event::RoleChanged { roles, .. }) => roles,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_seeds_body_is_read_whole() {
        let message = parse(&json!({
            "event": "user.disconnected", "timestamp": "2026-05-21T18:41:23Z",
            "data": { "userId": "user_abc123", "clientId": "your-client-id" },
        }));
        assert_eq!(
            message,
            Ok(Message {
                name: "user.disconnected".into(),
                occurred_at: Instant::from_seconds(1_779_388_883),
                client_id: Some("your-client-id".into()),
                event: Event::Disconnected { user: "user_abc123".into() },
            })
        );
    }

    #[test]
    fn a_body_without_name_or_time_is_no_message() {
        let time = "2026-05-21T18:41:23Z";
        for body in [
            json!([]),
            json!("user.disconnected"),
            json!({ "event": "user.disconnected" }),
            json!({ "event": "user.disconnected", "timestamp": 1_779_388_883 }),
            json!({ "event": "user.disconnected", "timestamp": "yesterday" }),
            json!({ "timestamp": time }),
            json!({ "event": "", "timestamp": time }),
            json!({ "event": "\u{0}\n", "timestamp": time }),
            json!({ "event": 7, "timestamp": time }),
        ] {
            assert_eq!(parse(&body), Err(NoMessage), "{body}");
        }
        assert_eq!(Message::parse(b"{"), Err(NoMessage));
        assert_eq!(Message::parse(b"\xff{}"), Err(NoMessage));
    }

    #[test]
    fn what_names_nobody_and_what_is_unknown_are_told_apart() {
        let event = |name: &str, data: Value| {
            let body = json!({ "event": name, "timestamp": "2026-05-21T18:41:23Z", "data": data });
            parse(&body).map(|message| message.event)
        };
        for data in
            [json!({}), json!(null), json!([]), json!({ "userId": 7 }), json!({ "userId": "" })]
        {
            assert_eq!(event("user.disconnected", data.clone()), Ok(Event::NamesNobody), "{data}");
            assert_eq!(event("user.role_changed", data.clone()), Ok(Event::NamesNobody), "{data}");
        }
        let nul = json!({ "userId": "user\u{0}" });
        assert_eq!(event("user.disconnected", nul), Ok(Event::NamesNobody));
        let known = json!({ "userId": "user_abc123" });
        assert_eq!(event("user.updated", known.clone()), Ok(Event::Unknown));
        assert_eq!(event("USER.DISCONNECTED", known), Ok(Event::Unknown));
    }

    #[test]
    fn a_client_id_of_a_wrong_type_is_nobodys() {
        let client = |value: Value| {
            let data = json!({ "clientId": value });
            let body = json!({ "event": "x", "timestamp": "2026-05-21T18:41:23Z", "data": data });
            parse(&body).ok().and_then(|message| message.client_id)
        };
        assert_eq!(client(json!("desk")).as_deref(), Some("desk"));
        assert_eq!(client(json!(null)), None);
        assert_eq!(client(json!(7)).as_deref(), Some(""));
    }

    #[test]
    fn only_the_role_fields_that_are_told_replace_what_is_held() {
        let held = Roles {
            primary: Some(PrimaryRole::Student),
            all: vec!["student".into(), "editor".into()],
            custom: vec!["editor".into()],
        };
        let told = |data| role_changed(data).over(held.clone());
        assert_eq!(told(json!({})), held);
        assert_eq!(told(json!({ "role": null, "roles": 7, "custom_roles": {} })), held);
        assert_eq!(told(json!({ "role": "wizard" })), held);
        let staff = Roles { primary: Some(PrimaryRole::Staff), ..held.clone() };
        assert_eq!(told(json!({ "role": "staff" })), staff);
        let none = Roles { custom: vec![], ..held.clone() };
        assert_eq!(told(json!({ "custom_roles": [] })), none);
        let moderator = Roles { custom: vec!["moderator".into()], ..held.clone() };
        assert_eq!(told(json!({ "customRoles": "moderator" })), moderator);
        assert!(role_changed(json!({ "role": null, "level": 300 })).is_empty());
        assert!(!role_changed(json!({ "roles": [] })).is_empty());
    }

    #[test]
    fn states_survive_being_stored() {
        for state in DeliveryState::ALL {
            assert_eq!(DeliveryState::parse(state.as_str()), Some(*state));
        }
    }

    proptest! {
        #[test]
        fn no_body_panics(body in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = Message::parse(&body);
        }

        #[test]
        fn names_and_subjects_can_be_stored(name in ".*", user in ".*") {
            let data = json!({ "userId": user });
            let body = json!({ "event": name, "timestamp": "2026-05-21T18:41:23Z", "data": data });
            if let Ok(message) = parse(&body) {
                prop_assert!(message.name.chars().count() <= LONGEST_NAME);
                prop_assert!(!message.name.contains('\0'));
                prop_assert!(message.event.user().is_none_or(|user| !user.contains('\0')));
            }
        }
    }
}
