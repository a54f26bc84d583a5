//! The command line: `campus-server` serves; its other commands look after what it keeps.

pub mod audit;

use clap::{Parser, Subcommand};

/// Campus Desk: students of Campus One are simply signed in.
///
/// Without a command it serves. Settings come from the environment and Leptos.toml; README.md lists them.
#[derive(Debug, Parser)]
#[command(name = "campus-server", version, about)]
pub struct CommandLine {
    /// What to do; serve if absent.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// The commands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Subcommand)]
pub enum Command {
    /// Serve the application (the default)
    #[default]
    Serve,
    /// Look after the audit trail
    #[command(subcommand)]
    Audit(audit::AuditCommand),
}
