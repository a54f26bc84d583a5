//! The handle by which tests and the control page rule a running sandbox.

use std::sync::Arc;

use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use url::Url;

use crate::client::Client;
use crate::endpoint::{Endpoint, Trouble};
use crate::id_token::{self, Occasion};
use crate::keys::Algorithm;
use crate::logout_token;
use crate::memory::{Consent, Memory, Shared, now};
use crate::misbehaviour::Misbehaviour;
use crate::options::Profile;
use crate::persona::Persona;
use crate::webhook::{self, Webhook};

/// Why something asked of the sandbox did not happen.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    /// No such person.
    #[error("there is no person {0:?}")]
    NoPerson(String),
    /// No such application.
    #[error("there is no client {0:?}")]
    NoClient(String),
    /// Webhooks have nowhere to go.
    #[error("no webhook address is set")]
    NoWebhookUrl,
    /// The application has no address for back-channel logout.
    #[error("client {0:?} has no backchannel_logout_uri")]
    NoLogoutUri(String),
    /// The command is not one of the sandbox's.
    #[error("not a command: {0}")]
    Command(String),
    /// A key could not be made or used.
    #[error("{0}")]
    Key(String),
    /// A message could not be delivered.
    #[error("not delivered: {0}")]
    Delivery(#[from] reqwest::Error),
}

/// Rules one sandbox. Cheap to clone.
#[derive(Clone)]
pub struct Control {
    pub(crate) shared: Arc<Shared>,
}

impl Control {
    /// The scheme, host and port.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.shared.origin
    }

    /// The issuer of the current generation.
    #[must_use]
    pub fn issuer(&self) -> String {
        self.shared.read(|memory| memory.issuer(&self.shared.origin))
    }

    /// Adds a client, or replaces the one with the same id.
    pub fn set_client(&self, client: Client) {
        self.shared.change(|memory| {
            match memory.clients.iter_mut().find(|known| known.id == client.id) {
                Some(known) => *known = client,
                None => memory.clients.push(client),
            }
        });
    }

    /// A registered client.
    #[must_use]
    pub fn client(&self, id: &str) -> Option<Client> {
        self.shared.read(|memory| memory.client(id).cloned())
    }

    /// Makes a client trusted, or no longer so.
    pub fn set_trusted(&self, client: &str, trusted: bool) -> Result<(), ControlError> {
        self.shared.change(|memory| {
            let known = memory.clients.iter_mut().find(|known| known.id == client);
            known.ok_or_else(|| ControlError::NoClient(client.to_owned()))?.trusted = trusted;
            Ok(())
        })
    }

    /// Everybody who can sign in, as they are now.
    #[must_use]
    pub fn people(&self) -> Vec<Persona> {
        self.shared.read(|memory| memory.kept.personas.clone())
    }

    /// A person as they are now.
    #[must_use]
    pub fn person(&self, id: &str) -> Option<Persona> {
        self.shared.read(|memory| memory.person(id).cloned())
    }

    /// Changes a person.
    pub fn change_person(
        &self,
        id: &str,
        change: impl FnOnce(&mut Persona),
    ) -> Result<Persona, ControlError> {
        self.shared.change(|memory| {
            let person =
                memory.person_mut(id).ok_or_else(|| ControlError::NoPerson(id.to_owned()))?;
            change(person);
            person.updated_at = now();
            Ok(person.clone())
        })
    }

    /// Adds a person, or replaces the one with the same id.
    pub fn set_person(&self, person: Persona) {
        self.shared.change(|memory| match memory.person_mut(&person.id) {
            Some(known) => *known = person,
            None => memory.kept.personas.push(person),
        });
    }

    /// Signs a person in at the provider; gives `sandbox_session=…` for a `Cookie` header.
    pub fn sign_in(&self, person: &str) -> Result<String, ControlError> {
        Ok(self.session_cookie(person)?.stripped().to_string())
    }

    pub(crate) fn session_cookie(
        &self,
        person: &str,
    ) -> Result<cookie::Cookie<'static>, ControlError> {
        self.shared.change(|memory| {
            known_person(memory, person)?;
            Ok(crate::session::begin(memory, person, now()))
        })
    }

    /// Lets a person's sign-ins at the provider be older than they are.
    pub fn age_sessions(&self, person: &str, seconds: i64) {
        self.shared.change(|memory| {
            for session in memory.kept.sessions.iter_mut().filter(|s| s.person == person) {
                session.created -= seconds;
            }
        });
    }

    /// An ID token and the refresh token of a person's newest sign-in at a client, as the client got them.
    pub fn tokens(&self, person: &str, client: &str) -> Result<(String, String), ControlError> {
        self.shared.change(|memory| {
            let client = known_client(memory, Some(client))?;
            let mut grants = memory.kept.grants.iter().rev();
            let grant = grants.find(|g| g.person == person && g.client == client.id).cloned();
            let grant = grant.ok_or_else(|| ControlError::NoPerson(person.to_owned()))?;
            let (origin, occasion) = (&self.shared.origin, Occasion::Refresh);
            let id_token = id_token::build(memory, origin, &client, &grant, &occasion, now())
                .map_err(|error| ControlError::Key(error.to_string()))?;
            Ok((id_token, grant.refresh_token.unwrap_or_default()))
        })
    }

    /// Ends the provider's sessions of one person, or of all, telling no application.
    pub fn end_session(&self, person: Option<&str>) {
        self.shared.change(|memory| {
            memory.kept.sessions.retain(|s| person.is_some_and(|person| person != s.person));
        });
    }

    /// What the person's "Disconnect" does: consents and tokens are gone at one client, or at all.
    /// The webhook is separate.
    pub fn disconnect(&self, person: &str, client: Option<&str>) -> Result<(), ControlError> {
        self.shared.change(|memory| {
            known_person(memory, person)?;
            memory.disconnect(person, client);
            Ok(())
        })
    }

    /// Gives a consent without asking.
    pub fn give_consent(&self, person: &str, client: &str, scopes: &[&str]) {
        let scopes = scopes.iter().map(|scope| (*scope).to_owned()).collect();
        let (person, client) = (person.to_owned(), client.to_owned());
        self.shared.change(|memory| {
            memory.kept.consents.retain(|c| c.person != person || c.client != client);
            memory.kept.consents.push(Consent { person, client, scopes });
        });
    }

    /// Forgets consents, of one person or of all; tokens stay.
    pub fn clear_consents(&self, person: Option<&str>) {
        self.shared.change(|memory| {
            memory.kept.consents.retain(|c| person.is_some_and(|person| person != c.person));
        });
    }

    /// Lets the access tokens of one person, or of all, expire now.
    pub fn expire_access_tokens(&self, person: Option<&str>) {
        self.shared.change(|memory| {
            for grant in &mut memory.kept.grants {
                if person.is_none_or(|person| person == grant.person) {
                    grant.access_expires = now() - 1;
                }
            }
        });
    }

    /// How long new access tokens live.
    pub fn set_access_seconds(&self, seconds: i64) {
        self.shared.change(|memory| memory.access_seconds = seconds);
    }

    /// Sets the clock by which ID tokens are dated: seconds ahead of ours, or behind where negative.
    pub fn set_clock_ahead(&self, seconds: i64) {
        self.shared.change(|memory| memory.clock_ahead = seconds);
    }

    /// Rotates the signing key in use; the old one stays published.
    pub fn rotate_keys(&self) -> Result<(), ControlError> {
        self.shared
            .change(|memory| memory.kept.keys.rotate(memory.algorithm, now()))
            .map_err(|error| ControlError::Key(error.to_string()))
    }

    /// Changes the algorithm of new ID tokens.
    pub fn set_algorithm(&self, algorithm: Algorithm) {
        self.shared.change(|memory| memory.algorithm = algorithm);
    }

    /// Changes the generation, and with it the issuer.
    pub fn set_profile(&self, profile: Profile) {
        self.shared.change(|memory| memory.profile = profile);
    }

    /// Where webhooks go.
    pub fn set_webhook_url(&self, url: Option<Url>) {
        self.shared.change(|memory| memory.webhook_url = url);
    }

    /// Gives an endpoint its troubles; `Trouble::default()` takes them away.
    pub fn set_trouble(&self, endpoint: Endpoint, trouble: Trouble) {
        self.shared.change(|memory| memory.endpoints.set(endpoint, trouble));
    }

    /// Misbehaves once.
    pub fn misbehave(&self, misbehaviour: Misbehaviour) {
        self.misbehave_times(misbehaviour, Some(1));
    }

    /// Misbehaves a number of times, or with `None` until told otherwise.
    pub fn misbehave_times(&self, misbehaviour: Misbehaviour, times: Option<u32>) {
        self.shared.change(|memory| memory.misbehaviours.set(misbehaviour, times));
    }

    /// Behaves: no misbehaviour and no trouble any more.
    pub fn behave(&self) {
        self.shared.change(|memory| {
            memory.misbehaviours.clear();
            memory.endpoints.clear_troubles();
        });
    }

    /// How often an endpoint was asked, refused requests included.
    #[must_use]
    pub fn count(&self, endpoint: Endpoint) -> u64 {
        self.shared.read(|memory| memory.endpoints.count(endpoint))
    }

    /// How often a used refresh token was sent again, which gen2 punishes.
    #[must_use]
    pub fn reuses(&self) -> u64 {
        self.shared.read(|memory| memory.reuses)
    }

    /// Every access and refresh token that was given out and not forgotten.
    #[must_use]
    pub fn all_tokens(&self) -> Vec<String> {
        self.shared.read(|memory| {
            let grants = memory.kept.grants.iter();
            grants
                .flat_map(|grant| [Some(&grant.access_token), grant.refresh_token.as_ref()])
                .flatten()
                .cloned()
                .collect()
        })
    }

    /// Starts counting anew.
    pub fn reset_counts(&self) {
        self.shared.change(|memory| memory.endpoints.reset_counts());
    }

    /// Sends a webhook and gives the status of the answer.
    pub async fn send_webhook(&self, webhook: Webhook) -> Result<u16, ControlError> {
        let (url, body, headers) = self.shared.read(|memory| prepare_webhook(memory, &webhook))?;
        let mut request =
            self.shared.http.post(url).header("content-type", "application/json").body(body);
        for (name, value) in headers {
            request = request.header(name, value);
        }
        Ok(request.send().await?.status().as_u16())
    }

    /// A signed logout token, with the logout misbehaviours that are on. The `sid` is that of the
    /// person's newest session, if there is one.
    pub fn logout_token(&self, person: &str, client: &str) -> Result<String, ControlError> {
        self.shared.change(|memory| {
            let client = known_client(memory, Some(client))?;
            let session = newest_session(memory, person);
            let origin = &self.shared.origin;
            logout_token::build(memory, origin, &client, person, session.as_deref(), now())
                .map_err(|error| ControlError::Key(error.to_string()))
        })
    }

    /// Posts a logout token to a client and gives the status of the answer.
    pub async fn send_logout(&self, person: &str, client: &str) -> Result<u16, ControlError> {
        let notice = self.shared.change(|memory| {
            let client = known_client(memory, Some(client))?;
            let session = newest_session(memory, person);
            let origin = &self.shared.origin;
            logout_token::notice(memory, origin, &client, person, session.as_deref(), now())
                .map_err(|error| ControlError::Key(error.to_string()))
        })?;
        let notice = notice.ok_or_else(|| ControlError::NoLogoutUri(client.to_owned()))?;
        Ok(notice.send(&self.shared.http).await?)
    }

    /// Everything worth seeing, as JSON. No secrets and no tokens.
    #[must_use]
    pub fn state(&self) -> Value {
        self.shared.read(|memory| {
            let counts: serde_json::Map<_, _> = Endpoint::ALL
                .iter()
                .map(|e| (name(e), json!(memory.endpoints.count(*e))))
                .collect();
            let troubles: serde_json::Map<_, _> = Endpoint::ALL
                .iter()
                .map(|e| (name(e), json!(memory.endpoints.trouble(*e))))
                .collect();
            let misbehaviours: serde_json::Map<_, _> = memory
                .misbehaviours
                .list()
                .iter()
                .map(|(m, times)| (name(m), json!(times)))
                .collect();
            json!({
                "issuer": memory.issuer(&self.shared.origin),
                "profile": memory.profile,
                "algorithm": memory.algorithm,
                "webhook_url": memory.webhook_url.as_ref().map(Url::as_str),
                "access_seconds": memory.access_seconds,
                "clients": memory.clients.iter().map(|client| json!({
                    "id": client.id,
                    "trusted": client.trusted,
                    "redirect_uris": client.redirect_uris,
                })).collect::<Vec<_>>(),
                "people": memory.kept.personas,
                "sessions": memory.kept.sessions.iter().map(|s| json!({
                    "person": s.person,
                    "created": s.created,
                })).collect::<Vec<_>>(),
                "consents": memory.kept.consents,
                "tokens": memory.kept.grants.len(),
                "misbehaviours": misbehaviours,
                "troubles": troubles,
                "counts": counts,
            })
        })
    }
}

/// The serde name of a unit variant.
pub(crate) fn name(value: &impl serde::Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(Value::String(name)) => name,
        _ => String::new(),
    }
}

fn known_person<'a>(memory: &'a Memory, id: &str) -> Result<&'a Persona, ControlError> {
    memory.person(id).ok_or_else(|| ControlError::NoPerson(id.to_owned()))
}

fn known_client(memory: &Memory, id: Option<&str>) -> Result<Client, ControlError> {
    let client = match id {
        Some(id) => memory.client(id),
        None => memory.clients.first(),
    };
    client.cloned().ok_or_else(|| ControlError::NoClient(id.unwrap_or_default().to_owned()))
}

fn newest_session(memory: &Memory, person: &str) -> Option<String> {
    memory.kept.sessions.iter().rev().find(|s| s.person == person).map(|s| s.id.clone())
}

fn prepare_webhook(
    memory: &Memory,
    webhook: &Webhook,
) -> Result<(Url, String, webhook::Headers), ControlError> {
    let url = memory.webhook_url.clone().ok_or(ControlError::NoWebhookUrl)?;
    let client = known_client(memory, webhook.client.as_deref())?;
    let data = match (&webhook.data, &webhook.person) {
        (Some(data), _) => data.clone(),
        (None, Some(person)) => {
            let person = known_person(memory, person)?;
            let mut data = json!({ "userId": person.id, "clientId": client.id });
            if webhook.event == "user.role_changed" {
                data["role"] = json!(person.role);
                data["roles"] = json!(person.all_roles());
                data["custom_roles"] = json!(person.custom_roles);
            }
            data
        }
        (None, None) => json!({ "clientId": client.id }),
    };
    let text = || OffsetDateTime::now_utc().format(&Rfc3339).unwrap_or_default();
    let timestamp = webhook.timestamp.clone().unwrap_or_else(text);
    let body = webhook::body(&webhook.event, &timestamp, &data);
    let secret = &client.webhook_secret;
    let headers = webhook::sign(body.as_bytes(), secret, webhook.signature, now());
    Ok((url, body, headers))
}
