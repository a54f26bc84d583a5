//! Serving: the application as a whole, from its settings to its last answer.

use crate::app::App;
use crate::config::{CampusOneSettings, Secret, Settings, Site};
use crate::http::router;
use crate::signin::client::ClientError;
use crate::store::{self, StoreError};
use crate::webhook::worker;
use crate::{jobs, live};
use axum::Router;
use axum::serve::ListenerExt as _;
use campus_app::{Assets, AssetsError, Ribbon};
use leptos::config::LeptosOptions;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinSet;

/// How long a stop waits for connections of the database to close.
const CLOSE_WITHIN: Duration = Duration::from_secs(2);

/// Why the application could not be built.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// The database cannot be reached or migrated.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The built site is incomplete.
    #[error(transparent)]
    Assets(#[from] AssetsError),
    /// The HTTP client cannot be made.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// The listener has no address.
    #[error("listening failed: {0}")]
    Listen(#[from] io::Error),
}

/// The application, ready to run.
pub struct Application {
    /// Its state, for those who run it inside a test.
    pub app: Arc<App>,
    listener: TcpListener,
    router: Router,
    answers_within: Duration,
}

impl Application {
    /// Migrates the database and builds the application around a listener.
    ///
    /// # Errors
    /// See [`BuildError`].
    pub async fn build(
        settings: &Settings,
        listener: TcpListener,
        database_url: &Secret,
        campus_one: CampusOneSettings,
        ribbon: Option<Ribbon>,
        assets: Assets,
    ) -> Result<Self, BuildError> {
        let db = store::open(database_url.expose())?;
        store::migrate(&db).await?;
        let app = Arc::new(App::new(settings, campus_one, db, assets, ribbon)?);
        let router = router::build(app.clone(), &settings.deployment);
        let answers_within = settings.deployment.server.request_timeout();
        Ok(Self { app, listener, router, answers_within })
    }

    /// Where it listens.
    ///
    /// # Errors
    /// When the listener has no address.
    pub fn addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Serves until `stopped` is ready, then finishes the answers under way, for as long as an answer may
    /// take: whoever is connected after that asks for nothing, or reads nothing, and would keep the process
    /// alive for good.
    ///
    /// # Errors
    /// When the listener fails for good.
    pub async fn run_until(
        self,
        stopped: impl Future<Output = ()> + Send + 'static,
    ) -> io::Result<()> {
        let mut jobs = JoinSet::new();
        jobs.spawn(jobs::tidy(self.app.db.clone(), self.app.session_limits));
        jobs.spawn(live::follow(self.app.clone()));
        jobs.spawn(worker::run(self.app.clone()));
        let app = self.app.clone();
        let (stopping, stop_seen) = oneshot::channel::<()>();
        let stopped = async move {
            stopped.await;
            app.live.stop();
            // Nobody waits for it any more where serving has failed meanwhile.
            let _ = stopping.send(());
        };
        let patience = async move {
            // An error means that the listener failed: then serving ends by itself.
            if stop_seen.await.is_err() {
                std::future::pending::<()>().await;
            }
            tokio::time::sleep(self.answers_within).await;
        };
        // Nagle's algorithm would hold back the end of an answer for 40 ms.
        let listener = self.listener.tap_io(|stream| {
            if let Err(error) = stream.set_nodelay(true) {
                tracing::debug!(%error, "no-delay could not be set");
            }
        });
        let service = self.router.into_make_service_with_connect_info::<SocketAddr>();
        tokio::select! {
            served = axum::serve(listener, service).with_graceful_shutdown(stopped) => served?,
            () = patience => tracing::warn!("stopped with connections still open"),
        }
        jobs.shutdown().await;
        if tokio::time::timeout(CLOSE_WITHIN, self.app.db.close()).await.is_err() {
            tracing::warn!("stopped without the database's goodbye");
        }
        Ok(())
    }
}

/// Reads the names of the built site's files.
///
/// # Errors
/// When the site was built with hashes in its file names and they are not written beside the binary.
pub fn assets(site: &Site) -> Result<Assets, AssetsError> {
    let options = LeptosOptions::builder()
        .output_name(site.output_name.clone())
        .site_root(site.root.display().to_string())
        .site_pkg_dir(site.pkg_dir.display().to_string())
        .site_addr(site.addr)
        .hash_files(site.hash_files)
        .build();
    Assets::new(&options)
}
