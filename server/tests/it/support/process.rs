//! The server as a process of its own, for what only a real death shows.

use super::test_app::TestApp;
use std::fs::File;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A running `campus-server`, on the database and provider of a test.
pub struct ServerProcess {
    /// Its own origin.
    pub origin: String,
    port: u16,
    child: Child,
    log: PathBuf,
}

impl ServerProcess {
    /// Starts it with the test's settings, or others where given, and waits until it answers.
    pub async fn spawn(app: &TestApp, changes: &[(&str, &str)]) -> Self {
        // The port is free a moment later too: the kernel gives out others first.
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        Self::spawn_at(app, port, changes).await
    }

    /// Starts it at a port.
    pub async fn spawn_at(app: &TestApp, port: u16, changes: &[(&str, &str)]) -> Self {
        let origin = format!("http://localhost:{port}");
        let log = app.files.path().join(format!("{port}.log"));
        let child = Command::new(env!("CARGO_BIN_EXE_campus-server"))
            .current_dir(app.files.path())
            .env_clear()
            .envs(&app.vars)
            .env("APP_URL", &origin)
            .env("LEPTOS_SITE_ADDR", format!("127.0.0.1:{port}"))
            .env("LEPTOS_SITE_ROOT", app.files.path())
            .env("LEPTOS_HASH_FILES", "false")
            .env("RUST_LOG", "warn")
            .envs(changes.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(File::options().create(true).append(true).open(&log).unwrap())
            .spawn()
            .unwrap();
        let mut process = Self { origin, port, child, log };
        process.wait_until_ready(port).await;
        process
    }

    async fn wait_until_ready(&mut self, port: u16) {
        let url = format!("http://127.0.0.1:{port}/api/ready");
        for _ in 0..200 {
            if reqwest::get(&url).await.is_ok_and(|answer| answer.status() == 200) {
                return;
            }
            assert!(self.child.try_wait().unwrap().is_none(), "the server did not start");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("the server is not ready after ten seconds");
    }

    /// What it logged so far: warnings and errors.
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap()
    }

    /// Where it listens.
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Asks it to stop, as a deployment does (SIGTERM), and waits until it has; gives how long it took.
    pub async fn stop(&mut self) -> Duration {
        let began = Instant::now();
        let asked = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status();
        assert!(asked.unwrap().success());
        while began.elapsed() < Duration::from_secs(60) {
            if let Some(status) = self.child.try_wait().unwrap() {
                assert!(status.success(), "{status}");
                return began.elapsed();
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("it still runs a minute after SIGTERM");
    }

    /// Kills it with SIGKILL: it finishes nothing.
    pub fn kill9(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        // It may be dead already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
