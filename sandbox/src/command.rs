//! The commands of the JSON API, each one a call of `Control`.

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value, json};
use url::Url;

use crate::client::Client;
use crate::control::{Control, ControlError};
use crate::endpoint::{Endpoint, Trouble};
use crate::keys::Algorithm;
use crate::misbehaviour::Misbehaviour;
use crate::options::Profile;
use crate::persona::{Academic, Persona};
use crate::webhook::{Signature, Webhook};

/// What can be asked by `POST /sandbox/api/{command}`; the fields are the JSON body.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "kebab-case")]
pub enum Command {
    /// Changes a person.
    Person(PersonChange),
    /// Forgets consents and tokens, and sends `user.disconnected` if wished.
    Disconnect {
        /// Who.
        person: String,
        /// Where; everywhere if absent.
        client: Option<String>,
        /// Whether the webhook follows.
        #[serde(default)]
        webhook: bool,
        /// Its signature.
        #[serde(default)]
        signature: Signature,
    },
    /// Ends the Campus One sessions of a person, or of all.
    EndSession {
        /// Who.
        person: Option<String>,
    },
    /// Makes a new signing key.
    RotateKeys {},
    /// Changes the algorithm.
    Algorithm {
        /// The new one.
        algorithm: Algorithm,
    },
    /// Changes the generation.
    Profile {
        /// The new one.
        profile: Profile,
    },
    /// Adds or replaces an application.
    Client(Client),
    /// Makes an application trusted or not.
    Trusted {
        /// Which.
        client: String,
        /// Whether.
        trusted: bool,
    },
    /// Forgets consents.
    ClearConsents {
        /// Whose; everyone's if absent.
        person: Option<String>,
    },
    /// Sends a webhook.
    Webhook(Webhook),
    /// Sets where webhooks go.
    WebhookUrl {
        /// The address.
        url: Option<String>,
    },
    /// Gives an endpoint its troubles.
    Trouble {
        /// Which.
        endpoint: Endpoint,
        /// What.
        #[serde(flatten)]
        trouble: Trouble,
    },
    /// Misbehaves.
    Misbehave {
        /// How.
        misbehaviour: Misbehaviour,
        /// How often; once if absent, and 0 turns it off.
        times: Option<u32>,
        /// Until told otherwise.
        #[serde(default)]
        sticky: bool,
    },
    /// Ends all misbehaviour and trouble.
    Behave {},
    /// Sets the counters to nought.
    ResetCounts {},
    /// Lets access tokens expire.
    ExpireAccessTokens {
        /// Whose; everyone's if absent.
        person: Option<String>,
    },
    /// How long new access tokens live.
    AccessSeconds {
        /// The seconds.
        seconds: i64,
    },
    /// Posts a logout token.
    BackchannelLogout {
        /// About whom.
        person: String,
        /// To whom.
        client: String,
    },
}

/// A change to a person; what is absent stays.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct PersonChange {
    /// Who.
    pub person: String,
    /// The new name.
    pub name: Option<String>,
    /// The new address.
    pub email: Option<String>,
    /// Whether it is verified.
    pub email_verified: Option<bool>,
    /// The new primary role.
    pub role: Option<String>,
    /// The new further roles.
    pub roles: Option<Vec<String>>,
    /// The new custom roles.
    pub custom_roles: Option<Vec<String>>,
    /// The new academic standing; null takes it away.
    #[serde(deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub academic: Option<Option<Academic>>,
    /// Claims to replace; a null value removes the claim.
    pub extra: Option<Map<String, Value>>,
    /// Whether `user.role_changed` follows.
    pub webhook: bool,
    /// Its signature.
    pub signature: Signature,
}

/// Tells an absent field from one that is null.
fn present<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Option<Academic>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

impl PersonChange {
    fn apply(self, person: &mut Persona) {
        fn set<T>(place: &mut T, value: Option<T>) {
            if let Some(value) = value {
                *place = value;
            }
        }
        set(&mut person.name, self.name);
        set(&mut person.email, self.email);
        set(&mut person.email_verified, self.email_verified);
        set(&mut person.role, self.role);
        set(&mut person.roles, self.roles);
        set(&mut person.custom_roles, self.custom_roles);
        set(&mut person.academic, self.academic);
        set(&mut person.extra, self.extra);
    }
}

impl Control {
    /// Carries out a command and says what came of it.
    pub async fn perform(&self, command: Command) -> Result<Value, ControlError> {
        match command {
            Command::Person(change) => return self.perform_change(change).await,
            Command::Disconnect { person, client, webhook, signature } => {
                self.disconnect(&person, client.as_deref())?;
                if webhook {
                    return self.announce("user.disconnected", person, client, signature).await;
                }
            }
            Command::EndSession { person } => self.end_session(person.as_deref()),
            Command::RotateKeys {} => self.rotate_keys()?,
            Command::Algorithm { algorithm } => self.set_algorithm(algorithm),
            Command::Profile { profile } => self.set_profile(profile),
            Command::Client(client) => self.set_client(client),
            Command::Trusted { client, trusted } => self.set_trusted(&client, trusted)?,
            Command::ClearConsents { person } => self.clear_consents(person.as_deref()),
            Command::Webhook(webhook) => {
                return Ok(json!({ "ok": true, "status": self.send_webhook(webhook).await? }));
            }
            Command::WebhookUrl { url } => {
                let url = url.as_deref().map(Url::parse).transpose();
                self.set_webhook_url(url.map_err(|e| ControlError::Command(e.to_string()))?);
            }
            Command::Trouble { endpoint, trouble } => self.set_trouble(endpoint, trouble),
            Command::Misbehave { misbehaviour, times, sticky } => {
                let times = if sticky { None } else { Some(times.unwrap_or(1)) };
                self.misbehave_times(misbehaviour, times);
            }
            Command::Behave {} => self.behave(),
            Command::ResetCounts {} => self.reset_counts(),
            Command::ExpireAccessTokens { person } => self.expire_access_tokens(person.as_deref()),
            Command::AccessSeconds { seconds } => self.set_access_seconds(seconds),
            Command::BackchannelLogout { person, client } => {
                let status = self.send_logout(&person, &client).await?;
                return Ok(json!({ "ok": true, "status": status }));
            }
        }
        Ok(json!({ "ok": true }))
    }

    async fn perform_change(&self, change: PersonChange) -> Result<Value, ControlError> {
        let (id, webhook, signature) = (change.person.clone(), change.webhook, change.signature);
        let person = self.change_person(&id, |person| change.apply(person))?;
        if webhook {
            return self.announce("user.role_changed", id, None, signature).await;
        }
        Ok(json!({ "ok": true, "person": person }))
    }

    async fn announce(
        &self,
        event: &str,
        person: String,
        client: Option<String>,
        signature: Signature,
    ) -> Result<Value, ControlError> {
        let event = event.to_owned();
        let webhook =
            Webhook { event, person: Some(person), client, signature, ..Webhook::default() };
        Ok(json!({ "ok": true, "status": self.send_webhook(webhook).await? }))
    }
}
