//! The thread that starts the server, looks after it and stops it.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::time::{Duration, Instant};

use tokio::runtime::Runtime;

use super::binaries::Binaries;
use super::client::{self, Answer, USER};
use super::cluster::{Cluster, Lock};
use super::launch::Launcher;
use super::{DATABASE, EmbeddedDbError};
use crate::config::Secret;

/// How long a start may take, the end of a predecessor included.
const START_LIMIT: Duration = Duration::from_secs(30);
/// How long a stop may take before it is forced.
const STOP_LIMIT: Duration = Duration::from_secs(10);
/// How long we sleep between two looks.
const STEP: Duration = Duration::from_millis(10);
/// How often we look whether the server is still there.
const WATCH: Duration = Duration::from_millis(200);
/// How often a server may end instead of starting, for reasons other than a predecessor.
const ATTEMPTS: u32 = 3;

/// A server that takes connections.
pub(super) struct Server {
    pub(super) port: u16,
    pub(super) shared: bool,
    password: Secret,
}

impl Server {
    /// The address of the database. The generated password needs no escaping.
    pub(super) fn url(&self) -> Secret {
        let (password, port) = (self.password.expose(), self.port);
        Secret::new(format!(
            "postgres://{USER}:{password}@127.0.0.1:{port}/{DATABASE}?sslmode=disable"
        ))
    }
}

/// Starts or joins the server of `data_dir` and says so on `ready`. Until the other end of `stop` is
/// closed, starts it again on the same port when it ends, as a joined one does with its owner.
pub(super) fn keep(
    data_dir: &Path,
    ready: &Sender<Result<Server, EmbeddedDbError>>,
    stop: &Receiver<()>,
) {
    let up = open(data_dir).and_then(|cluster| Ok((bring_up(&cluster)?, cluster)));
    let ((server, mut child), cluster) = match up {
        Ok(up) => up,
        Err(error) => {
            // Nobody is left to hear it if this fails.
            let _ = ready.send(Err(error));
            return;
        }
    };
    let port = server.port;
    let _ = ready.send(Ok(server));
    while let Err(RecvTimeoutError::Timeout) = stop.recv_timeout(WATCH) {
        let gone = match &mut child {
            Some(child) => !matches!(child.try_wait(), Ok(None)),
            None => matches!(cluster.server_lock(), Ok(Lock::Free)),
        };
        if !gone {
            continue;
        }
        tracing::warn!("the embedded database has ended and is started again");
        match bring_up(&cluster) {
            Ok((server, again)) => {
                child = again;
                if server.port != port {
                    tracing::error!(port = server.port, "the embedded database has moved; restart");
                }
            }
            Err(error) => {
                tracing::error!(%error, "the embedded database is gone");
                return;
            }
        }
    }
    if let Some(mut child) = child {
        shut_down(&mut child);
    }
}

fn open(data_dir: &Path) -> Result<Cluster, EmbeddedDbError> {
    Cluster::open(data_dir, Binaries::find()?, Launcher::find()?)
}

/// Joins the running server or starts one; the child if it was started here.
pub(super) fn bring_up(cluster: &Cluster) -> Result<(Server, Option<Child>), EmbeddedDbError> {
    let _lock = cluster.lock()?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(EmbeddedDbError::Thread)?;
    let password = cluster.password()?;
    let data = cluster.data();
    let since = cluster.log_length();
    let deadline = Instant::now() + START_LIMIT;
    let mut attempts = 0;
    loop {
        if Instant::now() > deadline {
            return Err(cluster.start_error(since));
        }
        if let Some(port) = cluster.known_port()
            && client::ask(&runtime, port, &password, &data) == Answer::Ours
        {
            return Ok((Server { port, shared: true, password }, None));
        }
        // The server of a process that has just ended is still writing its last checkpoint.
        if cluster.server_lock()? == Lock::Held {
            std::thread::sleep(STEP);
            continue;
        }
        cluster.initialise()?;
        let port = cluster.free_port()?;
        let begun = cluster.log_length();
        let mut child = cluster.spawn(port)?;
        match wait_ready(&runtime, cluster, &mut child, port, &password, deadline) {
            Ready::Yes => {
                if let Err(error) = cluster.keep_port(port) {
                    shut_down(&mut child);
                    return Err(error);
                }
                return Ok((Server { port, shared: false, password }, Some(child)));
            }
            Ready::TooLate => {
                shut_down(&mut child);
                return Err(cluster.start_error(begun));
            }
            Ready::Ended => {
                // After a kill, the old server's workers hold its memory for a moment.
                let said = cluster.log_tail(begun);
                if !said.contains("shared memory block") && !said.contains("lock file") {
                    attempts += 1;
                }
                if attempts >= ATTEMPTS {
                    return Err(cluster.start_error(begun));
                }
                std::thread::sleep(STEP * 5);
            }
        }
    }
}

enum Ready {
    Yes,
    Ended,
    TooLate,
}

fn wait_ready(
    runtime: &Runtime,
    cluster: &Cluster,
    child: &mut Child,
    port: u16,
    password: &Secret,
    deadline: Instant,
) -> Ready {
    let data = cluster.data();
    loop {
        if !matches!(child.try_wait(), Ok(None)) {
            return Ready::Ended;
        }
        if client::ask(runtime, port, password, &data) == Answer::Ours {
            return Ready::Yes;
        }
        if Instant::now() > deadline {
            return Ready::TooLate;
        }
        std::thread::sleep(STEP);
    }
}

/// Ends the server the fast way, open connections or not, and waits; forces it after a while.
pub(super) fn shut_down(child: &mut Child) {
    // The shell's own kill is everywhere; the program is missing from small images.
    let asked = Command::new("sh")
        .args(["-c", "kill -INT \"$0\"", &child.id().to_string()])
        .stdin(Stdio::null())
        .status();
    let deadline = Instant::now() + STOP_LIMIT;
    while asked.as_ref().is_ok_and(std::process::ExitStatus::success) && Instant::now() < deadline {
        if !matches!(child.try_wait(), Ok(None)) {
            return;
        }
        std::thread::sleep(STEP);
    }
    tracing::warn!("the embedded database does not stop by itself and is killed");
    // It may have ended in between, which is what we want.
    let _ = child.kill();
    let _ = child.wait();
}
