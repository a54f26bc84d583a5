//! Who signs people in: Campus One, its sandbox, and the two other doors.

#[cfg(feature = "sandbox")]
use std::net::SocketAddr;

use url::Url;

use super::reader::{Read, Reader, any, web_url};
use super::secret::Secret;
use super::vars::{self, Var};

const DEFAULT_ISSUER: &str = "https://auth.campusone.com.ng";
const DISCOVERY_PATH: &str = "/api/auth/.well-known/openid-configuration";
const DEFAULT_SCOPES: &[&str] =
    &["openid", "profile", "email", "academic", "roles", "offline_access"];

/// The provider people are signed in by.
#[derive(Clone, Debug)]
pub enum ProviderSettings {
    /// The Campus One this app is registered with.
    CampusOne(CampusOneSettings),
    /// The sandbox, started by this server on its own address. Development only.
    #[cfg(feature = "sandbox")]
    Sandbox {
        /// Where the sandbox listens.
        addr: SocketAddr,
        /// Which generation of Campus One it imitates.
        profile: campus_sandbox::Profile,
    },
}

/// How to reach Campus One and who we are there.
#[derive(Clone, Debug)]
pub struct CampusOneSettings {
    /// The expected issuer, exactly as given: it is compared as a string.
    pub issuer: String,
    /// Where the provider's metadata is fetched.
    pub discovery_url: Url,
    /// Our client id.
    pub client_id: String,
    /// Our client secret.
    pub client_secret: Secret,
    /// The scopes asked for; `openid` is among them.
    pub scopes: Vec<String>,
}

impl CampusOneSettings {
    /// The scopes asked for unless `CAMPUS_ONE_SCOPES` says otherwise.
    #[must_use]
    pub fn default_scopes() -> Vec<String> {
        DEFAULT_SCOPES.iter().map(|scope| (*scope).to_owned()).collect()
    }
}

/// The signing secrets of Campus One's webhooks. With none, webhooks are refused.
#[derive(Clone, Debug, Default)]
pub struct WebhookSecrets {
    /// The secret in force.
    pub current: Option<Secret>,
    /// The secret before it, while a rotation is under way.
    pub previous: Option<Secret>,
}

/// The SSOJet door: a standard OpenID provider beside a password form.
#[derive(Clone, Debug)]
pub struct SsojetSettings {
    /// The expected issuer, exactly as given.
    pub issuer: String,
    /// Our client id.
    pub client_id: String,
    /// Our client secret.
    pub client_secret: Secret,
    /// Our callback address, on `APP_URL`.
    pub redirect_uri: Url,
}

/// The django-sso door.
#[derive(Clone, Debug)]
pub struct DjangoSsoSettings {
    /// The gateway's base address.
    pub url: Url,
    /// The token this service and the gateway share.
    pub token: Secret,
}

#[cfg(feature = "sandbox")]
fn sandbox_profile(text: &str) -> Result<campus_sandbox::Profile, String> {
    match text {
        "gen1" => Ok(campus_sandbox::Profile::Gen1),
        "gen2" => Ok(campus_sandbox::Profile::Gen2),
        _ => Err("is neither gen1 nor gen2".to_owned()),
    }
}

/// Reads the provider. With `sandbox_allowed` and no client given it is the sandbox.
pub(super) fn read_provider(
    reader: &mut Reader<'_>,
    sandbox_allowed: bool,
) -> Read<ProviderSettings> {
    let client_id = reader.optional(vars::CAMPUS_ONE_CLIENT_ID, any);
    let client_secret = reader.secret(vars::CAMPUS_ONE_CLIENT_SECRET, 1);

    #[cfg(feature = "sandbox")]
    {
        let addr = reader.optional(vars::SANDBOX_ADDR, super::reader::socket_addr);
        let profile = reader.optional(vars::SANDBOX_PROFILE, sandbox_profile);
        if sandbox_allowed && matches!((&client_id, &client_secret), (Ok(None), Ok(None))) {
            let addr = addr?.unwrap_or(SocketAddr::from(([127, 0, 0, 1], 3010)));
            if !addr.ip().is_loopback() {
                return Err(reader.fault(
                    vars::SANDBOX_ADDR,
                    "is not a loopback address; the sandbox lets anybody in as anybody",
                ));
            }
            let profile = profile?.unwrap_or_default();
            return Ok(ProviderSettings::Sandbox { addr, profile });
        }
    }
    #[cfg(not(feature = "sandbox"))]
    let _ = sandbox_allowed;

    let needed = |reader: &mut Reader<'_>, var: Var, other: &str, half: bool| {
        let why = if half {
            format!("is missing, but {other} is set; both are needed")
        } else {
            "is missing: without it nobody can sign in".to_owned()
        };
        reader.fault(var, why)
    };
    let half_given = matches!(client_id, Ok(Some(_))) || matches!(client_secret, Ok(Some(_)));
    let client_id = match client_id {
        Ok(Some(id)) => Ok(id),
        Ok(None) => {
            Err(needed(reader, vars::CAMPUS_ONE_CLIENT_ID, "CAMPUS_ONE_CLIENT_SECRET", half_given))
        }
        Err(reported) => Err(reported),
    };
    let client_secret = match client_secret {
        Ok(Some(secret)) => Ok(secret),
        Ok(None) => {
            Err(needed(reader, vars::CAMPUS_ONE_CLIENT_SECRET, "CAMPUS_ONE_CLIENT_ID", half_given))
        }
        Err(reported) => Err(reported),
    };
    let issuer = reader.optional(vars::CAMPUS_ONE_ISSUER, issuer);
    let discovery_url = reader.optional(vars::CAMPUS_ONE_DISCOVERY_URL, web_url);
    let scopes = reader.optional(vars::CAMPUS_ONE_SCOPES, scopes);

    let issuer = issuer?.unwrap_or_else(|| DEFAULT_ISSUER.to_owned());
    let discovery_url = match discovery_url? {
        Some(url) => url,
        None => web_url(&format!("{}{DISCOVERY_PATH}", issuer.trim_end_matches('/')))
            .map_err(|problem| reader.fault(vars::CAMPUS_ONE_DISCOVERY_URL, problem))?,
    };
    Ok(ProviderSettings::CampusOne(CampusOneSettings {
        issuer,
        discovery_url,
        client_id: client_id?,
        client_secret: client_secret?,
        scopes: scopes?.unwrap_or_else(CampusOneSettings::default_scopes),
    }))
}

/// Reads the webhook secrets.
pub(super) fn read_webhook(reader: &mut Reader<'_>) -> Read<WebhookSecrets> {
    let current = reader.secret(vars::CAMPUS_ONE_WEBHOOK_SECRET, 1);
    let previous = reader.secret(vars::CAMPUS_ONE_WEBHOOK_SECRET_PREVIOUS, 1);
    if let (Ok(None), Ok(Some(_))) = (&current, &previous) {
        return Err(reader.fault(
            vars::CAMPUS_ONE_WEBHOOK_SECRET,
            "is missing, but CAMPUS_ONE_WEBHOOK_SECRET_PREVIOUS is set",
        ));
    }
    Ok(WebhookSecrets { current: current?, previous: previous? })
}

/// Reads the SSOJet door: all four settings or none.
pub(super) fn read_ssojet(
    reader: &mut Reader<'_>,
    app_url: Option<&Url>,
) -> Read<Option<SsojetSettings>> {
    let issuer = reader.optional(vars::SSOJET_ISSUER_URL, issuer);
    let client_id = reader.optional(vars::SSOJET_CLIENT_ID, any);
    let client_secret = reader.secret(vars::SSOJET_CLIENT_SECRET, 1);
    let redirect_uri = reader.optional(vars::SSOJET_REDIRECT_URI, |text| {
        let url = web_url(text)?;
        match app_url {
            Some(app) if app.origin() != url.origin() => {
                Err(format!("{text:?} is not an address of APP_URL ({app})"))
            }
            _ => Ok(url),
        }
    });
    all_or_none(
        reader,
        &[
            (vars::SSOJET_ISSUER_URL, absent(&issuer)),
            (vars::SSOJET_CLIENT_ID, absent(&client_id)),
            (vars::SSOJET_CLIENT_SECRET, absent(&client_secret)),
            (vars::SSOJET_REDIRECT_URI, absent(&redirect_uri)),
        ],
    )?;
    Ok(match (issuer?, client_id?, client_secret?, redirect_uri?) {
        (Some(issuer), Some(client_id), Some(client_secret), Some(redirect_uri)) => {
            Some(SsojetSettings { issuer, client_id, client_secret, redirect_uri })
        }
        _ => None,
    })
}

/// Reads the django-sso door: both settings or none.
pub(super) fn read_django_sso(reader: &mut Reader<'_>) -> Read<Option<DjangoSsoSettings>> {
    let url = reader.optional(vars::DJANGO_SSO_URL, web_url);
    let token = reader.secret(vars::DJANGO_SSO_TOKEN, 1);
    all_or_none(
        reader,
        &[(vars::DJANGO_SSO_URL, absent(&url)), (vars::DJANGO_SSO_TOKEN, absent(&token))],
    )?;
    Ok(match (url?, token?) {
        (Some(url), Some(token)) => Some(DjangoSsoSettings { url, token }),
        _ => None,
    })
}

fn absent<T>(value: &Read<Option<T>>) -> bool {
    matches!(value, Ok(None))
}

/// Faults every absent member of a group of which another member is present.
fn all_or_none(reader: &mut Reader<'_>, group: &[(Var, bool)]) -> Read<()> {
    let Some((present, _)) = group.iter().find(|(_, absent)| !absent) else { return Ok(()) };
    let mut outcome = Ok(());
    for (var, _) in group.iter().filter(|(_, absent)| *absent) {
        let problem = format!("is missing, but {} is set; they go together", present.name);
        outcome = Err(reader.fault(*var, problem));
    }
    outcome
}

/// An issuer: a web address without a query, kept as the exact text.
fn issuer(text: &str) -> Result<String, String> {
    let url = web_url(text)?;
    if url.query().is_some() {
        return Err(format!("{text:?} has a query (?…); an issuer has none"));
    }
    Ok(text.to_owned())
}

fn scopes(text: &str) -> Result<Vec<String>, String> {
    let mut scopes: Vec<String> = Vec::new();
    for scope in text.split([' ', ',', '\t', '\n']).filter(|scope| !scope.is_empty()) {
        // RFC 6749, section 3.3: printable ASCII without the quote and the backslash.
        if !scope.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\\')) {
            return Err(format!("{scope:?} is not a scope"));
        }
        if !scopes.iter().any(|known| known == scope) {
            scopes.push(scope.to_owned());
        }
    }
    if !scopes.iter().any(|scope| scope == "openid") {
        return Err("does not contain openid".to_owned());
    }
    Ok(scopes)
}
