//! Reads single variables, remembers every fault, and goes on.

use std::net::SocketAddr;

use url::{Host, Url};

use super::fault::Fault;
use super::secret::Secret;
use super::vars::Var;

/// Says that a fault has been recorded and there is no value to work with.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reported;

/// What reading one setting gives.
pub(super) type Read<T> = Result<T, Reported>;

/// Looks variables up, also as `<NAME>_FILE`, and collects the faults.
pub(super) struct Reader<'a> {
    vars: &'a dyn Fn(&str) -> Option<String>,
    pub(super) faults: Vec<Fault>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(vars: &'a dyn Fn(&str) -> Option<String>) -> Self {
        Self { vars, faults: Vec::new() }
    }

    /// Records a fault; the return value is for `return Err(…)`.
    pub(super) fn fault(&mut self, var: Var, problem: impl Into<String>) -> Reported {
        self.faults.push(Fault {
            name: var.name.to_owned(),
            problem: problem.into(),
            example: var.example.to_owned(),
        });
        Reported
    }

    /// The text of a variable. Empty counts as unset, as an `.env` file with blanks expects.
    pub(super) fn text(&mut self, var: Var) -> Read<Option<String>> {
        let direct = (self.vars)(var.name).filter(|value| !value.trim().is_empty());
        let file_name = format!("{}_FILE", var.name);
        let file = (self.vars)(&file_name).filter(|value| !value.trim().is_empty());
        match (direct, file) {
            (Some(_), Some(_)) => {
                Err(self.fault(var, format!("is set, and {file_name} too; keep one of them")))
            }
            (None, Some(path)) => match std::fs::read_to_string(&path) {
                Ok(content) => {
                    let value = content.trim_end_matches(['\n', '\r']);
                    if value.trim().is_empty() {
                        return Err(self.fault(var, format!("{file_name} names an empty file")));
                    }
                    Ok(Some(value.to_owned()))
                }
                Err(error) => Err(self
                    .fault(var, format!("{file_name} names a file that cannot be read: {error}"))),
            },
            (direct, None) => Ok(direct),
        }
    }

    /// A variable turned into a value by `parse`, which says what is wrong with it.
    pub(super) fn optional<T>(
        &mut self,
        var: Var,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Read<Option<T>> {
        match self.text(var)? {
            None => Ok(None),
            Some(text) => match parse(text.trim()) {
                Ok(value) => Ok(Some(value)),
                Err(problem) => Err(self.fault(var, problem)),
            },
        }
    }

    /// A secret of at least `min` bytes, kept byte for byte.
    pub(super) fn secret(&mut self, var: Var, min: usize) -> Read<Option<Secret>> {
        match self.text(var)? {
            Some(text) if text.len() < min => {
                Err(self
                    .fault(var, format!("is {} bytes long, at least {min} are needed", text.len())))
            }
            text => Ok(text.map(Secret::new)),
        }
    }
}

/// Any text.
pub(super) fn any(text: &str) -> Result<String, String> {
    Ok(text.to_owned())
}

/// A socket address such as `127.0.0.1:3000`.
pub(super) fn socket_addr(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| format!("{text:?} is not an IP address with a port"))
}

/// `true` or `false`.
pub(super) fn boolean(text: &str) -> Result<bool, String> {
    text.parse().map_err(|_| format!("{text:?} is neither true nor false"))
}

/// An address for the web: https, or http where the host is this machine.
pub(super) fn web_url(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|error| format!("{text:?} is not a URL: {error}"))?;
    if !matches!(url.scheme(), "https" | "http") || url.host().is_none() {
        return Err(format!("{text:?} is not an https URL"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("holds a user name or password; remove them".to_owned());
    }
    if url.scheme() == "http" && !is_loopback(&url) {
        return Err(format!("{text:?} is plain http; only this machine (localhost) may be"));
    }
    if url.fragment().is_some() {
        return Err(format!("{text:?} has a fragment (#…); remove it"));
    }
    Ok(url)
}

/// Whether the host of `url` is this machine.
pub(super) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    }
}
