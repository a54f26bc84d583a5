//! What a sandbox is started with. Everything here except the address and the file can be changed
//! later through `Control`.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use url::Url;

use crate::client::Client;
use crate::keys::Algorithm;

/// Which generation of better-auth the sandbox imitates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Profile {
    /// better-auth 1.4 to 1.6 with `oidcProvider` and `jwt`: today's Campus One.
    #[default]
    Gen1,
    /// `@better-auth/oauth-provider` on better-auth 1.7 and later.
    Gen2,
}

/// How to start a sandbox.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where to listen; port 0 takes a free one.
    pub addr: SocketAddr,
    /// The host name in the issuer and all endpoints, for example `127.0.0.1` or `localhost`.
    pub public_host: String,
    /// The applications registered from the start.
    pub clients: Vec<Client>,
    /// The generation to imitate.
    pub profile: Profile,
    /// An issuer that does not follow the generation, as gen2's `jwt.issuer` sets it. `{origin}` stands
    /// for the sandbox's own origin.
    pub pinned_issuer: Option<String>,
    /// The algorithm of new ID tokens.
    pub algorithm: Algorithm,
    /// Where webhooks go.
    pub webhook_url: Option<Url>,
    /// Keys, consents, sessions, tokens and changed personas survive a restart in this JSON file.
    pub state_file: Option<PathBuf>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            addr: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            public_host: "127.0.0.1".to_owned(),
            clients: Vec::new(),
            profile: Profile::default(),
            pinned_issuer: None,
            algorithm: Algorithm::default(),
            webhook_url: None,
            state_file: None,
        }
    }
}
