//! An application registered with the sandbox.

use serde::{Deserialize, Serialize};

/// A registered application.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Client {
    /// The `client_id`.
    pub id: String,
    /// The `client_secret`.
    pub secret: String,
    /// Redirect addresses, compared as exact strings.
    pub redirect_uris: Vec<String>,
    /// Where a person may be sent after signing out.
    pub post_logout_redirect_uris: Vec<String>,
    /// Where a gen2 provider posts back-channel logout tokens.
    pub backchannel_logout_uri: Option<String>,
    /// A trusted application skips consent.
    pub trusted: bool,
    /// The key of the webhook signatures.
    pub webhook_secret: String,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client")
            .field("id", &self.id)
            .field("redirect_uris", &self.redirect_uris)
            .field("trusted", &self.trusted)
            .finish_non_exhaustive()
    }
}
