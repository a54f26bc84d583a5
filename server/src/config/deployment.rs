//! `Leptos.toml`, the deployment file read at run time: what differs between places and is no secret.
//!
//! Unknown keys are refused, so a secret or a misspelt key in it stops the start. The `LEPTOS_*`
//! variables win over the file; without a file the defaults hold.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ipnet::IpNet;
use serde::Deserialize;

use super::fault::Fault;
use super::reader::{Read, Reader, Reported, any, boolean, socket_addr};
use super::vars;

/// Everything the deployment file can say, with the `LEPTOS_*` variables applied.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Deployment {
    /// Where the built site lies and where the server listens.
    pub site: Site,
    /// Limits of one request.
    pub server: ServerLimits,
    /// How long a session lasts.
    pub session: SessionLimits,
    /// How the provider is called and its tokens are checked.
    pub provider: ProviderLimits,
}

/// The part shared with `[[workspace.metadata.leptos]]` in the workspace's `Cargo.toml`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Site {
    /// The project's name for cargo-leptos.
    pub name: String,
    /// The stem of the files in the package directory.
    pub output_name: String,
    /// The directory of the built site.
    #[serde(rename = "site-root")]
    pub root: PathBuf,
    /// The directory below it that holds scripts and style.
    #[serde(rename = "site-pkg-dir")]
    pub pkg_dir: PathBuf,
    /// Where the server listens.
    #[serde(rename = "site-addr")]
    pub addr: SocketAddr,
    /// Whether the files of the package directory carry a hash in their names.
    pub hash_files: bool,
}

impl Default for Site {
    fn default() -> Self {
        Self {
            name: "campus-desk".to_owned(),
            output_name: "campus-desk".to_owned(),
            root: PathBuf::from("target/site"),
            pkg_dir: PathBuf::from("pkg"),
            addr: SocketAddr::from(([127, 0, 0, 1], 3000)),
            hash_files: true,
        }
    }
}

/// `[server]`: limits of one request, and who stands in front of the server.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ServerLimits {
    /// After this the answer is 503 or 408.
    pub request_timeout_seconds: u64,
    /// The largest body accepted.
    pub body_limit_bytes: u64,
    /// The networks of the proxies in front: from these, `X-Forwarded-For` says who is asking.
    pub trusted_proxies: Vec<IpNet>,
}

impl Default for ServerLimits {
    fn default() -> Self {
        Self {
            request_timeout_seconds: 30,
            body_limit_bytes: 256 * 1024,
            trusted_proxies: Vec::new(),
        }
    }
}

impl ServerLimits {
    /// The time-out of a request.
    #[must_use]
    pub const fn request_timeout(&self) -> Duration {
        Duration::from_secs(self.request_timeout_seconds)
    }
}

/// `[session]`: how long a session lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SessionLimits {
    /// A session unused for this long is over.
    pub idle_minutes: u64,
    /// A session is over this long after sign-in, however much it is used.
    pub absolute_days: u64,
    /// The idle limit of unit admins.
    pub admin_idle_minutes: u64,
    /// An action that cannot be undone asks for a sign-in that is no older than this.
    pub step_up_minutes: u64,
}

impl Default for SessionLimits {
    fn default() -> Self {
        Self { idle_minutes: 480, absolute_days: 7, admin_idle_minutes: 30, step_up_minutes: 15 }
    }
}

impl SessionLimits {
    /// The idle limit.
    #[must_use]
    pub const fn idle(&self) -> Duration {
        Duration::from_secs(self.idle_minutes * 60)
    }

    /// The absolute limit.
    #[must_use]
    pub const fn absolute(&self) -> Duration {
        Duration::from_secs(self.absolute_days * 24 * 60 * 60)
    }

    /// The idle limit of unit admins.
    #[must_use]
    pub const fn admin_idle(&self) -> Duration {
        Duration::from_secs(self.admin_idle_minutes * 60)
    }

    /// How old a sign-in may be for an action that cannot be undone.
    #[must_use]
    pub const fn step_up(&self) -> Duration {
        Duration::from_secs(self.step_up_minutes * 60)
    }
}

/// `[provider]`: how the provider is called and its tokens are checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ProviderLimits {
    /// The time-out of one call.
    pub timeout_seconds: u64,
    /// How far the provider's clock may be off.
    pub leeway_seconds: u64,
    /// A person who is here is confirmed by the provider at most this often.
    pub revalidate_seconds: u64,
}

impl Default for ProviderLimits {
    fn default() -> Self {
        Self { timeout_seconds: 10, leeway_seconds: 60, revalidate_seconds: 300 }
    }
}

impl ProviderLimits {
    /// The time-out of one call.
    #[must_use]
    pub const fn timeout(&self) -> Duration {
        Duration::from_secs(self.timeout_seconds)
    }

    /// How far the provider's clock may be off.
    #[must_use]
    pub const fn leeway(&self) -> Duration {
        Duration::from_secs(self.leeway_seconds)
    }

    /// How often a person who is here is confirmed.
    #[must_use]
    pub const fn revalidate(&self) -> Duration {
        Duration::from_secs(self.revalidate_seconds)
    }
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct File {
    workspace: Workspace,
    server: ServerLimits,
    session: SessionLimits,
    provider: ProviderLimits,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Workspace {
    metadata: Metadata,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Metadata {
    leptos: Vec<Site>,
}

/// Reads the file and lets the `LEPTOS_*` variables win over it.
pub(super) fn read_deployment(reader: &mut Reader<'_>, path: &Path) -> Read<Deployment> {
    let file = match std::fs::read_to_string(path) {
        Ok(text) => parse(reader, path, &text),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Deployment::default()),
        Err(error) => Err(fault(reader, path, "", format!("cannot be read: {error}"), EXAMPLE)),
    };
    // Read before the file's outcome is looked at, so that their faults are reported with it.
    let output_name = reader.optional(vars::LEPTOS_OUTPUT_NAME, any);
    let root = reader.optional(vars::LEPTOS_SITE_ROOT, any);
    let pkg_dir = reader.optional(vars::LEPTOS_SITE_PKG_DIR, any);
    let addr = reader.optional(vars::LEPTOS_SITE_ADDR, socket_addr);
    let hash_files = reader.optional(vars::LEPTOS_HASH_FILES, boolean);

    let mut deployment = file?;
    let site = &mut deployment.site;
    site.output_name = output_name?.unwrap_or_else(|| site.output_name.clone());
    site.root = root?.map_or_else(|| site.root.clone(), PathBuf::from);
    site.pkg_dir = pkg_dir?.map_or_else(|| site.pkg_dir.clone(), PathBuf::from);
    site.addr = addr?.unwrap_or(site.addr);
    site.hash_files = hash_files?.unwrap_or(site.hash_files);
    Ok(deployment)
}

const EXAMPLE: &str = "[session] with idle_minutes = 480";

fn parse(reader: &mut Reader<'_>, path: &Path, text: &str) -> Read<Deployment> {
    let file: File = toml::from_str(text).map_err(|error| {
        let line = error.span().map_or(1, |span| {
            text.get(..span.start).map_or(1, |before| before.matches('\n').count() + 1)
        });
        // The error's own Display quotes the line, which may hold what should not be logged.
        let problem = format!("line {line}: {}", error.message().trim());
        fault(reader, path, "", problem, EXAMPLE)
    })?;
    let mut sites = file.workspace.metadata.leptos.into_iter();
    let site = sites.next().unwrap_or_default();
    let before = reader.faults.len();
    if sites.next().is_some() {
        let problem = "has [[workspace.metadata.leptos]] more than once; keep one".to_owned();
        fault(reader, path, "", problem, EXAMPLE);
    }
    check_ranges(reader, path, &file.server, &file.session, &file.provider);
    if reader.faults.len() > before {
        return Err(Reported);
    }
    Ok(Deployment { site, server: file.server, session: file.session, provider: file.provider })
}

fn check_ranges(
    reader: &mut Reader<'_>,
    path: &Path,
    server: &ServerLimits,
    session: &SessionLimits,
    provider: &ProviderLimits,
) {
    let ranges = [
        ("[server] request_timeout_seconds", server.request_timeout_seconds, 1, 600),
        ("[server] body_limit_bytes", server.body_limit_bytes, 1024, 64 * 1024 * 1024),
        ("[session] idle_minutes", session.idle_minutes, 1, 365 * 24 * 60),
        ("[session] absolute_days", session.absolute_days, 1, 365),
        ("[session] admin_idle_minutes", session.admin_idle_minutes, 1, 365 * 24 * 60),
        ("[session] step_up_minutes", session.step_up_minutes, 1, 24 * 60),
        ("[provider] timeout_seconds", provider.timeout_seconds, 1, 60),
        ("[provider] leeway_seconds", provider.leeway_seconds, 0, 300),
        ("[provider] revalidate_seconds", provider.revalidate_seconds, 10, 3600),
    ];
    for (key, value, least, most) in ranges {
        if !(least..=most).contains(&value) {
            let problem = format!("{value} is not between {least} and {most}");
            let name = key.rsplit(' ').next().unwrap_or(key);
            fault(reader, path, key, problem, &format!("{name} = {least}"));
        }
    }
    if session.admin_idle_minutes > session.idle_minutes {
        let problem = format!("is longer than idle_minutes ({})", session.idle_minutes);
        let example = "admin_idle_minutes = 30";
        fault(reader, path, "[session] admin_idle_minutes", problem, example);
    }
    if session.idle_minutes > session.absolute_days.saturating_mul(24 * 60) {
        let problem = format!("is longer than absolute_days ({})", session.absolute_days);
        fault(reader, path, "[session] idle_minutes", problem, "idle_minutes = 480");
    }
}

fn fault(
    reader: &mut Reader<'_>,
    path: &Path,
    key: &str,
    problem: String,
    example: &str,
) -> Reported {
    let name = format!("{} {key}", path.display()).trim_end().to_owned();
    reader.faults.push(Fault { name, problem, example: example.to_owned() });
    Reported
}
