//! The files of one private PostgreSQL, and the programs that work on them.

use std::fs::{self, File};
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use super::EmbeddedDbError;
use super::binaries::Binaries;
use super::client::USER;
use super::launch::Launcher;
use crate::config::{Secret, kept_secret};

/// The log is begun anew when it is longer than this.
const LOG_LIMIT: u64 = 1024 * 1024;
/// How much of the log's end an error shows.
const TAIL: u64 = 2000;
/// The second is for machines without the first; sorting is by bytes in both.
const LOCALES: &[&str] = &["C.UTF-8", "C"];

/// One data directory with what lies beside it.
#[derive(Debug)]
pub(super) struct Cluster {
    home: PathBuf,
    binaries: Binaries,
    launcher: Launcher,
}

/// What `postmaster.pid` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lock {
    /// No server holds the data directory.
    Free,
    /// A server holds it, perhaps on its way out.
    Held,
}

impl Cluster {
    /// Makes `<data_dir>/pg<major>`.
    pub(super) fn open(
        data_dir: &Path,
        binaries: Binaries,
        launcher: Launcher,
    ) -> Result<Self, EmbeddedDbError> {
        let home = data_dir.join(format!("pg{}", binaries.major));
        fs::create_dir_all(&home).map_err(at(&home))?;
        // PostgreSQL gets an absolute path, and gives it back when asked what it serves.
        let home = fs::canonicalize(&home).map_err(at(&home))?;
        Ok(Self { home, binaries, launcher })
    }

    /// Waits until no other process is starting a server here; held until dropped.
    pub(super) fn lock(&self) -> Result<File, EmbeddedDbError> {
        let path = self.home.join("lock");
        let file = File::options().create(true).append(true).open(&path).map_err(at(&path))?;
        file.lock().map_err(at(&path))?;
        Ok(file)
    }

    /// The data directory proper.
    pub(super) fn data(&self) -> PathBuf {
        self.home.join("data")
    }

    /// The server's log.
    pub(super) fn log(&self) -> PathBuf {
        self.home.join("server.log")
    }

    fn marker(&self) -> PathBuf {
        self.home.join("complete")
    }

    fn password_file(&self) -> PathBuf {
        self.home.join("password")
    }

    /// The password, generated the first time.
    pub(super) fn password(&self) -> Result<Secret, EmbeddedDbError> {
        let path = self.password_file();
        kept_secret(&path).map_err(at(&path))
    }

    /// The port of the last start.
    pub(super) fn known_port(&self) -> Option<u16> {
        fs::read_to_string(self.home.join("port")).ok()?.trim().parse().ok()
    }

    /// Keeps the port for whoever comes next.
    pub(super) fn keep_port(&self, port: u16) -> Result<(), EmbeddedDbError> {
        let path = self.home.join("port");
        fs::write(&path, port.to_string()).map_err(at(&path))
    }

    /// A free port: the last one if it still is.
    pub(super) fn free_port(&self) -> Result<u16, EmbeddedDbError> {
        let free = |port| TcpListener::bind((Ipv4Addr::LOCALHOST, port))?.local_addr();
        self.known_port()
            .and_then(|port| free(port).ok())
            .map_or_else(|| free(0), Ok)
            .map(|addr| addr.port())
            .map_err(at(Path::new("127.0.0.1")))
    }

    /// Makes the data directory unless it is whole; a half-made one is removed first.
    pub(super) fn initialise(&self) -> Result<(), EmbeddedDbError> {
        self.launcher.own(&self.home).map_err(at(&self.home))?;
        let data = self.data();
        if self.marker().is_file() && data.join("PG_VERSION").is_file() {
            return Ok(());
        }
        let mut output = String::new();
        for locale in LOCALES {
            remove(&self.marker(), |path| fs::remove_file(path))?;
            remove(&data, |path| fs::remove_dir_all(path))?;
            match self.initdb(locale)? {
                None => return fs::write(self.marker(), "").map_err(at(&self.marker())),
                Some(said) => output.push_str(&said),
            }
        }
        Err(EmbeddedDbError::InitDb { output })
    }

    /// Runs `initdb`; what it said if it failed.
    fn initdb(&self, locale: &str) -> Result<Option<String>, EmbeddedDbError> {
        let program = self.binaries.initdb();
        let output = self
            .launcher
            .run(&program)
            .arg("-D")
            .arg(self.data())
            .args(["-U", USER, "-E", "UTF8", "-A", "scram-sha-256", "--no-sync"])
            .arg("--no-instructions")
            .arg(format!("--locale={locale}"))
            .arg(format!("--pwfile={}", self.password_file().display()))
            // Otherwise initdb compares every time zone there is with the machine's.
            .env("TZ", "UTC")
            .output()
            .map_err(|source| EmbeddedDbError::Run { program, source })?;
        if output.status.success() {
            return Ok(None);
        }
        Ok(Some(String::from_utf8_lossy(&output.stderr).into_owned()))
    }

    /// Starts the server on `port`, tied to the calling thread.
    pub(super) fn spawn(&self, port: u16) -> Result<Child, EmbeddedDbError> {
        let log_path = self.log();
        let log = File::options().create(true).append(true).open(&log_path).and_then(|log| {
            if log.metadata()?.len() > LOG_LIMIT {
                log.set_len(0)?;
            }
            Ok(log)
        });
        let log = log.map_err(at(&log_path))?;
        let program = self.binaries.postgres();
        let mut command = self.launcher.run_tied(&program);
        command.arg("-D").arg(self.data()).args(["-p", &port.to_string()]);
        for setting in [
            "listen_addresses=127.0.0.1",
            "unix_socket_directories=",
            "shared_buffers=32MB",
            // At most the last instants are lost in a crash, never consistency.
            "synchronous_commit=off",
        ] {
            command.args(["-c", setting]);
        }
        // A Ctrl-C in the terminal is for the server, which still needs the database to finish.
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        command
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .map_err(|source| EmbeddedDbError::Run { program, source })
    }

    /// Whether a server holds the data directory. A stale lock whose number now belongs to another
    /// program is removed: PostgreSQL would take that one for its predecessor and refuse to start.
    pub(super) fn server_lock(&self) -> Result<Lock, EmbeddedDbError> {
        let path = self.data().join("postmaster.pid");
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Lock::Free),
            Err(source) => return Err(EmbeddedDbError::File { path, source }),
        };
        let pid = text.lines().next().and_then(|line| line.trim().parse::<u32>().ok());
        // The lock of a dead process stays: it tells PostgreSQL which shared memory must be unused.
        let Some(words) = pid.and_then(command_line) else { return Ok(Lock::Free) };
        if words.contains(&*self.data().to_string_lossy()) {
            return Ok(Lock::Held);
        }
        remove(&path, |path| fs::remove_file(path))?;
        Ok(Lock::Free)
    }

    /// The end of the log, from `since` on.
    pub(super) fn log_tail(&self, since: u64) -> String {
        let read = || -> io::Result<String> {
            let mut log = File::open(self.log())?;
            let length = log.metadata()?.len();
            // Begun anew since then.
            let since = if since > length { 0 } else { since };
            log.seek(SeekFrom::Start(since.max(length.saturating_sub(TAIL))))?;
            let mut bytes = Vec::new();
            log.read_to_end(&mut bytes)?;
            Ok(String::from_utf8_lossy(&bytes).trim().to_owned())
        };
        read().unwrap_or_else(|error| error.to_string())
    }

    /// How long the log is now.
    pub(super) fn log_length(&self) -> u64 {
        fs::metadata(self.log()).map_or(0, |metadata| metadata.len())
    }

    /// The failure of a start whose log begins at `since`.
    pub(super) fn start_error(&self, since: u64) -> EmbeddedDbError {
        EmbeddedDbError::Start { log: self.log(), tail: self.log_tail(since) }
    }
}

/// With which words a running process was started; `None` if there is no such process.
fn command_line(pid: u32) -> Option<String> {
    if Path::new("/proc/self/cmdline").exists() {
        let words = fs::read(format!("/proc/{pid}/cmdline")).ok()?;
        return Some(String::from_utf8_lossy(&words).replace('\0', " "));
    }
    let output = Command::new("ps")
        .args(["-o", "command=", "-p", &pid.to_string()])
        .stdin(Stdio::null())
        .output()
        .ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

fn remove(path: &Path, how: impl FnOnce(&Path) -> io::Result<()>) -> Result<(), EmbeddedDbError> {
    match how(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(at(path)(error)),
        _ => Ok(()),
    }
}

fn at(path: &Path) -> impl Fn(io::Error) -> EmbeddedDbError {
    let path = path.to_path_buf();
    move |source| EmbeddedDbError::File { path: path.clone(), source }
}
