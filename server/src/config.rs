//! The settings, read once at start: from the environment, and `Leptos.toml` for what is no secret.
//!
//! Every fault is collected, so an operator learns all of them from one start. No other room reads a
//! setting from the environment (`PG_BIN_DIR`, where `embedded_db` looks for programs, is none). Any
//! variable `NAME` may be given as `NAME_FILE`, the path of a file with the value; an empty variable
//! counts as unset.

mod deployment;
mod fault;
mod kept;
mod provider;
mod reader;
mod secret;
#[cfg(test)]
mod tests;
mod vars;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use url::Url;

pub use deployment::{Deployment, ProviderLimits, ServerLimits, SessionLimits, Site};
pub use fault::{ConfigError, Fault};
pub(crate) use kept::kept_secret;
pub use provider::{
    CampusOneSettings, DjangoSsoSettings, ProviderSettings, SsojetSettings, WebhookSecrets,
};
pub use secret::Secret;

use reader::{Read, Reader, Reported, any, socket_addr, web_url};

/// The least length of `SESSION_SECRET`, in bytes.
const SESSION_SECRET_BYTES: usize = 32;
/// The deployment file, in the directory the server is started from.
const DEPLOYMENT_FILE: &str = "Leptos.toml";

/// What kind of place the server runs in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AppEnv {
    /// A developer's machine: missing settings are filled in.
    Development,
    /// Anywhere people rely on it: nothing is filled in.
    Production,
}

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// One JSON object a line.
    Json,
    /// For eyes.
    Pretty,
}

/// What is logged and how.
#[derive(Clone, Debug)]
pub struct LogSettings {
    /// How log lines look.
    pub format: LogFormat,
    /// `RUST_LOG`, checked; `None` means the default filter.
    pub filter: Option<String>,
}

/// Where the database is.
#[derive(Clone, Debug)]
pub enum DatabaseSettings {
    /// The PostgreSQL `DATABASE_URL` names.
    External(Secret),
    /// A private PostgreSQL in the data directory. Development only.
    #[cfg(feature = "embedded-db")]
    Embedded,
}

/// All settings, checked.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Development or production.
    pub env: AppEnv,
    /// The public address: scheme, host and port; the path is `/`.
    pub app_url: Url,
    /// Where the database is.
    pub database: DatabaseSettings,
    /// Seals cookies and signs cursors.
    pub session_secret: Secret,
    /// The secret before it, while a rotation is under way.
    pub session_secret_previous: Option<Secret>,
    /// Who signs people in.
    pub provider: ProviderSettings,
    /// What webhooks are signed with.
    pub webhook: WebhookSecrets,
    /// The SSOJet door, where configured.
    pub ssojet: Option<SsojetSettings>,
    /// The django-sso door, where configured.
    pub django_sso: Option<DjangoSsoSettings>,
    /// Where metrics are served, if anywhere.
    pub metrics_addr: Option<SocketAddr>,
    /// What is logged and how.
    pub log: LogSettings,
    /// Where the server keeps what it makes for itself.
    pub data_dir: PathBuf,
    /// The deployment file, with the `LEPTOS_*` variables applied.
    pub deployment: Deployment,
}

impl Settings {
    /// Reads the environment of this process and `Leptos.toml` in the current directory.
    ///
    /// # Errors
    /// Every setting that cannot be used.
    pub fn from_process() -> Result<Self, ConfigError> {
        Self::from_env(|name| {
            std::env::var_os(name).map(|value| value.to_string_lossy().into_owned())
        })
    }

    /// Reads the variables `vars` knows and `Leptos.toml` in the current directory.
    ///
    /// # Errors
    /// Every setting that cannot be used.
    pub fn from_env(vars: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        Self::read(vars, Path::new(DEPLOYMENT_FILE))
    }

    /// Reads the variables `vars` knows and the deployment file at `deployment`, if there is one.
    ///
    /// In development, secrets that are not given are made and kept in the data directory.
    ///
    /// # Errors
    /// Every setting that cannot be used.
    pub fn read(
        vars: impl Fn(&str) -> Option<String>,
        deployment: &Path,
    ) -> Result<Self, ConfigError> {
        let mut reader = Reader::new(&vars);
        match Self::collect(&mut reader, deployment) {
            Ok(settings) if reader.faults.is_empty() => Ok(settings),
            _ => Err(ConfigError { faults: reader.faults }),
        }
    }

    fn collect(reader: &mut Reader<'_>, deployment: &Path) -> Read<Self> {
        let env = read_env(reader);
        // While APP_ENV is unreadable, the lenient reading keeps its fault from causing others.
        let development = !matches!(env, Ok(AppEnv::Production));
        let data_dir = reader
            .optional(vars::CAMPUS_DATA_DIR, any)
            .map(|dir| PathBuf::from(dir.unwrap_or_else(|| ".data".to_owned())));
        let deployment = deployment::read_deployment(reader, deployment);
        let addr = deployment.as_ref().ok().map(|deployment| deployment.site.addr);

        let app_url = read_app_url(reader, development, addr);
        let database = read_database(reader, development);
        let session_secret = reader.secret(vars::SESSION_SECRET, SESSION_SECRET_BYTES);
        let session_secret_previous =
            reader.secret(vars::SESSION_SECRET_PREVIOUS, SESSION_SECRET_BYTES);
        let provider = provider::read_provider(reader, development);
        let webhook = provider::read_webhook(reader);
        let ssojet = provider::read_ssojet(reader, app_url.as_ref().ok());
        let django_sso = provider::read_django_sso(reader);
        let metrics_addr = reader.optional(vars::METRICS_ADDR, |text| {
            let metrics = socket_addr(text)?;
            if addr == Some(metrics) {
                return Err("is the site's own address; metrics are not for the public".to_owned());
            }
            Ok(metrics)
        });
        let log = read_log(reader, development);

        let session_secret = match (session_secret?, &data_dir) {
            (Some(secret), _) => Ok(secret),
            (None, Ok(dir)) if development => {
                kept(reader, vars::SESSION_SECRET, &dir.join("session-secret"))
            }
            (None, Err(reported)) if development => Err(*reported),
            (None, _) => Err(reader.fault(
                vars::SESSION_SECRET,
                format!("is missing: {SESSION_SECRET_BYTES} or more random bytes seal the cookies"),
            )),
        };
        #[cfg_attr(not(feature = "sandbox"), expect(unused_mut, reason = "only the sandbox adds"))]
        let mut webhook = webhook;
        #[cfg(feature = "sandbox")]
        if let (Ok(ProviderSettings::Sandbox { .. }), Ok(secrets), Ok(dir)) =
            (&provider, &mut webhook, &data_dir)
            && secrets.current.is_none()
        {
            let path = dir.join("webhook-secret");
            secrets.current = Some(kept(reader, vars::CAMPUS_ONE_WEBHOOK_SECRET, &path)?);
        }

        Ok(Self {
            env: env?,
            app_url: app_url?,
            database: database?,
            session_secret: session_secret?,
            session_secret_previous: session_secret_previous?,
            provider: provider?,
            webhook: webhook?,
            ssojet: ssojet?,
            django_sso: django_sso?,
            metrics_addr: metrics_addr?,
            log: log?,
            data_dir: data_dir?,
            deployment: deployment?,
        })
    }

    /// Whether this is a development server.
    #[must_use]
    pub fn is_development(&self) -> bool {
        self.env == AppEnv::Development
    }

    /// Whether people reach us over https.
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.app_url.scheme() == "https"
    }

    /// Whether cookies are `Secure` and may carry the `__Host-` prefix.
    #[must_use]
    pub fn cookie_secure(&self) -> bool {
        self.is_https()
    }

    /// Our origin, such as `https://desk.example.edu.ng`, without a trailing slash.
    #[must_use]
    pub fn origin(&self) -> String {
        self.app_url.origin().ascii_serialization()
    }
}

fn read_env(reader: &mut Reader<'_>) -> Read<AppEnv> {
    let given = reader.optional(vars::APP_ENV, |text| match text {
        "development" => Ok(AppEnv::Development),
        "production" => Ok(AppEnv::Production),
        other => Err(format!("{other:?} is neither development nor production")),
    });
    let default = if cfg!(feature = "sandbox") { AppEnv::Development } else { AppEnv::Production };
    Ok(given?.unwrap_or(default))
}

fn read_app_url(reader: &mut Reader<'_>, development: bool, addr: Option<SocketAddr>) -> Read<Url> {
    let given = reader.optional(vars::APP_URL, |text| {
        let url = web_url(text)?;
        if url.path() != "/" || url.query().is_some() {
            return Err(format!("{text:?} has a path or query; give scheme, host and port only"));
        }
        Ok(url)
    })?;
    match (given, addr) {
        (Some(url), _) => Ok(url),
        (None, Some(addr)) if development => web_url(&format!("http://localhost:{}", addr.port()))
            .map_err(|problem| reader.fault(vars::APP_URL, problem)),
        // The address it would follow is faulty, and that is already reported.
        (None, None) if development => Err(Reported),
        (None, _) => Err(reader.fault(
            vars::APP_URL,
            "is missing: it is the public address people and Campus One use",
        )),
    }
}

fn read_database(reader: &mut Reader<'_>, development: bool) -> Read<DatabaseSettings> {
    let given = reader.optional(vars::DATABASE_URL, |text| {
        // The value holds a password: no message quotes it.
        let url = Url::parse(text).map_err(|error| format!("is not a URL: {error}"))?;
        if !matches!(url.scheme(), "postgres" | "postgresql") {
            return Err(format!("begins with {}://, not with postgres://", url.scheme()));
        }
        Ok(Secret::new(text))
    })?;
    match given {
        Some(url) => Ok(DatabaseSettings::External(url)),
        #[cfg(feature = "embedded-db")]
        None if development => Ok(DatabaseSettings::Embedded),
        None => {
            let why = if development {
                "is missing: this build has no embedded database"
            } else {
                "is missing: production needs a PostgreSQL of its own"
            };
            Err(reader.fault(vars::DATABASE_URL, why))
        }
    }
}

fn read_log(reader: &mut Reader<'_>, development: bool) -> Read<LogSettings> {
    let filter =
        reader.optional(vars::RUST_LOG, |text| {
            match tracing_subscriber::EnvFilter::try_new(text) {
                Ok(_) => Ok(text.to_owned()),
                Err(error) => Err(format!("{text:?} is not a log filter: {error}")),
            }
        });
    let format = reader.optional(vars::LOG_FORMAT, |text| match text {
        "json" => Ok(LogFormat::Json),
        "pretty" => Ok(LogFormat::Pretty),
        other => Err(format!("{other:?} is neither json nor pretty")),
    });
    let default = if development { LogFormat::Pretty } else { LogFormat::Json };
    Ok(LogSettings { format: format?.unwrap_or(default), filter: filter? })
}

fn kept(reader: &mut Reader<'_>, var: vars::Var, path: &Path) -> Read<Secret> {
    kept_secret(path).map_err(|error| {
        let problem = format!("is not set, and cannot be kept in {}: {error}", path.display());
        reader.fault(var, problem)
    })
}
