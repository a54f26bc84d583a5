//! The sandbox provider beside a development server: a Campus One on a port of its own, so that everything
//! can be tried without an account anywhere.

use crate::app::CALLBACK;
use crate::config::{CampusOneSettings, Secret, Settings};
use crate::signin::backchannel::BACKCHANNEL_PATH;
use crate::signin::leave::SIGNED_OUT_PATH;
use campus_app::Ribbon;
use campus_sandbox::{Client, Options, Profile, Sandbox, SandboxError};
use std::net::SocketAddr;
use url::Url;

/// How this app is known to its sandbox. The secret protects nothing: the sandbox signs in whoever clicks.
const CLIENT_ID: &str = "campus-desk";
const CLIENT_SECRET: &str = "sandbox-client-secret";

/// A running sandbox and how to use it as Campus One.
pub struct RunningSandbox {
    /// The provider.
    pub sandbox: Sandbox,
    /// The settings that point at it.
    pub campus_one: CampusOneSettings,
    /// What every page says.
    pub ribbon: Ribbon,
}

/// Starts the sandbox. Its keys, sessions and consents survive our restarts in the data directory.
///
/// # Errors
/// When it cannot listen or its state cannot be read.
pub async fn start(
    settings: &Settings,
    addr: SocketAddr,
    profile: Profile,
) -> Result<RunningSandbox, SandboxError> {
    let origin = settings.origin();
    let webhook_secret = settings.webhook.current.as_ref().map_or("", |secret| secret.expose());
    let client = Client {
        id: CLIENT_ID.to_owned(),
        secret: CLIENT_SECRET.to_owned(),
        redirect_uris: vec![format!("{origin}{CALLBACK}"), format!("{origin}/auth/callback")],
        post_logout_redirect_uris: vec![format!("{origin}{SIGNED_OUT_PATH}")],
        backchannel_logout_uri: Some(format!("{origin}{BACKCHANNEL_PATH}")),
        trusted: false,
        webhook_secret: webhook_secret.to_owned(),
    };
    // Cookies do not know ports: on the app's own host name, the provider's cookie would be the app's too.
    let app_is_localhost = settings.app_url.host_str() == Some("localhost");
    let public_host = if app_is_localhost { addr.ip().to_string() } else { "localhost".to_owned() };
    let sandbox = Sandbox::start(Options {
        addr,
        profile,
        public_host,
        clients: vec![client],
        webhook_url: Url::parse(&format!("{origin}/api/webhooks/campus-one")).ok(),
        state_file: Some(settings.data_dir.join("sandbox.json")),
        ..Options::default()
    })
    .await?;
    let issuer = sandbox.issuer();
    // The sandbox made this address from the issuer, so it is one.
    let discovery_url = Url::parse(&sandbox.discovery_url()).unwrap_or(settings.app_url.clone());
    let control_page = sandbox.control().origin().to_owned() + "/sandbox";
    let campus_one = CampusOneSettings {
        issuer,
        discovery_url,
        client_id: CLIENT_ID.to_owned(),
        client_secret: Secret::new(CLIENT_SECRET),
        scopes: CampusOneSettings::default_scopes(),
    };
    let ribbon = Ribbon {
        text: "Sandbox: people and sign-in here are made up.".to_owned(),
        href: Some(control_page),
        link_text: "Control the sandbox".to_owned(),
    };
    Ok(RunningSandbox { sandbox, campus_one, ribbon })
}

/// The personas, one a line, for the terminal.
#[must_use]
pub fn personas_text(sandbox: &Sandbox) -> String {
    let personas = sandbox.control().people();
    let lines =
        personas.iter().map(|person| format!("  {:<18} {}", person.name, person.description));
    format!("People to sign in as:\n{}\n", lines.collect::<Vec<_>>().join("\n"))
}
