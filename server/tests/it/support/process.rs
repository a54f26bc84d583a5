//! A real server process, to be killed.

use super::test_app::TestApp;
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// A running `campus-server` on the database of a test.
pub struct ServerProcess {
    /// Its origin.
    pub origin: String,
    child: Child,
    _files: TempDir,
}

impl ServerProcess {
    /// Starts one with the settings of an application, and waits until it answers.
    pub async fn spawn(app: &TestApp) -> Self {
        // Free a moment ago; nobody else on this machine takes ports by number.
        let addr = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let origin = format!("http://localhost:{}", addr.port());
        let files = tempfile::tempdir().unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_campus-server"))
            .current_dir(files.path())
            .env_clear()
            .envs(app.vars_at(&origin))
            .env("CAMPUS_DATA_DIR", files.path())
            .env("LEPTOS_SITE_ADDR", addr.to_string())
            .env("RUST_LOG", "warn")
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        let mut process = Self { origin, child, _files: files };
        process.wait_until_it_answers(&format!("http://{addr}/api/health")).await;
        process
    }

    async fn wait_until_it_answers(&mut self, health: &str) {
        let deadline = Instant::now() + Duration::from_secs(30);
        while reqwest::get(health).await.is_err() {
            assert!(self.child.try_wait().unwrap().is_none(), "the server ended");
            assert!(Instant::now() < deadline, "the server does not answer");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// SIGKILL: it gets no chance to finish anything.
    pub fn kill9(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        // It may have been killed already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
