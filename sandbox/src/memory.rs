//! What the sandbox knows, behind one lock. The part in `Kept` survives a restart.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use url::Url;

use crate::authorize::AuthorizeRequest;
use crate::client::Client;
use crate::endpoint::Endpoints;
use crate::grant::{Code, Grant};
use crate::keys::{Algorithm, KeyRing};
use crate::misbehaviour::Misbehaviours;
use crate::options::{Options, Profile};
use crate::persona::Persona;
use crate::roster;
use crate::session::ProviderSession;
use crate::state_file::{StateFile, StateFileError};

/// How long an access token lives unless a test says otherwise.
const ACCESS_SECONDS: i64 = 3600;

/// A person's consent to an application.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Consent {
    pub(crate) person: String,
    pub(crate) client: String,
    pub(crate) scopes: Vec<String>,
}

/// What survives a restart.
#[derive(Default, Serialize, Deserialize)]
pub(crate) struct Kept {
    pub(crate) keys: KeyRing,
    pub(crate) personas: Vec<Persona>,
    pub(crate) sessions: Vec<ProviderSession>,
    pub(crate) consents: Vec<Consent>,
    pub(crate) grants: Vec<Grant>,
}

/// Everything the sandbox knows.
pub(crate) struct Memory {
    pub(crate) kept: Kept,
    pub(crate) clients: Vec<Client>,
    pub(crate) profile: Profile,
    pub(crate) pinned_issuer: Option<String>,
    pub(crate) algorithm: Algorithm,
    pub(crate) codes: HashMap<String, Code>,
    pub(crate) pending_consents: HashMap<String, AuthorizeRequest>,
    pub(crate) misbehaviours: Misbehaviours,
    pub(crate) endpoints: Endpoints,
    pub(crate) webhook_url: Option<Url>,
    pub(crate) access_seconds: i64,
    /// How many seconds the clock that ID tokens are dated by is ahead.
    pub(crate) clock_ahead: i64,
    /// How often a refresh token that was used up came again.
    pub(crate) reuses: u64,
}

impl Memory {
    fn new(options: Options, mut kept: Kept) -> Self {
        for person in roster::personas() {
            if !kept.personas.iter().any(|p| p.id == person.id) {
                kept.personas.push(person);
            }
        }
        Self {
            kept,
            clients: options.clients,
            profile: options.profile,
            pinned_issuer: options.pinned_issuer,
            algorithm: options.algorithm,
            codes: HashMap::new(),
            pending_consents: HashMap::new(),
            misbehaviours: Misbehaviours::default(),
            endpoints: Endpoints::default(),
            webhook_url: options.webhook_url,
            access_seconds: ACCESS_SECONDS,
            clock_ahead: 0,
            reuses: 0,
        }
    }

    /// The issuer of this generation.
    pub(crate) fn issuer(&self, origin: &str) -> String {
        if let Some(pinned) = &self.pinned_issuer {
            return pinned.replace("{origin}", origin);
        }
        match self.profile {
            Profile::Gen1 => origin.to_owned(),
            Profile::Gen2 => format!("{origin}/api/auth"),
        }
    }

    pub(crate) fn client(&self, id: &str) -> Option<&Client> {
        self.clients.iter().find(|client| client.id == id)
    }

    pub(crate) fn person(&self, id: &str) -> Option<&Persona> {
        self.kept.personas.iter().find(|person| person.id == id)
    }

    pub(crate) fn person_mut(&mut self, id: &str) -> Option<&mut Persona> {
        self.kept.personas.iter_mut().find(|person| person.id == id)
    }

    pub(crate) fn session(&self, id: &str) -> Option<&ProviderSession> {
        self.kept.sessions.iter().find(|session| session.id == id)
    }

    /// Forgets a person's consents and tokens at one application, or at all.
    pub(crate) fn disconnect(&mut self, person: &str, client: Option<&str>) {
        let hit = |p: &str, c: &str| p == person && client.is_none_or(|client| client == c);
        self.kept.consents.retain(|consent| !hit(&consent.person, &consent.client));
        self.kept.grants.retain(|grant| !hit(&grant.person, &grant.client));
        self.codes.retain(|_, code| !hit(&code.person, &code.client));
    }
}

/// What all handlers share.
pub(crate) struct Shared {
    memory: Mutex<(Memory, Option<StateFile>)>,
    /// The scheme, host and port of all addresses.
    pub(crate) origin: String,
    /// For webhooks and back-channel logout.
    pub(crate) http: reqwest::Client,
}

impl Shared {
    pub(crate) fn new(
        options: Options,
        origin: String,
        http: reqwest::Client,
    ) -> Result<Self, StateFileError> {
        let file = options.state_file.clone().map(StateFile::new);
        let kept = file.as_ref().map(StateFile::read).transpose()?.unwrap_or_default();
        Ok(Self { memory: Mutex::new((Memory::new(options, kept), file)), origin, http })
    }

    /// Looks at the memory.
    pub(crate) fn read<T>(&self, look: impl FnOnce(&Memory) -> T) -> T {
        look(&self.memory.lock().unwrap_or_else(PoisonError::into_inner).0)
    }

    /// Changes the memory and keeps what must survive.
    pub(crate) fn change<T>(&self, change: impl FnOnce(&mut Memory) -> T) -> T {
        let mut guard = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        let (memory, file) = &mut *guard;
        let outcome = change(memory);
        if let Some(file) = file
            && let Err(error) = file.write(&memory.kept)
        {
            tracing::warn!(%error, "the sandbox could not keep its state");
        }
        outcome
    }
}

/// The time in Unix seconds.
pub(crate) fn now() -> i64 {
    OffsetDateTime::now_utc().unix_timestamp()
}
