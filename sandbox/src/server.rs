//! Starting and stopping a sandbox, and its table of addresses.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use http::StatusCode;
use http::header::CONTENT_TYPE;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::connection::{CuttableListener, Line};
use crate::control::Control;
use crate::memory::Shared;
use crate::options::Options;
use crate::state_file::StateFileError;
use crate::{
    api, authorize, consent, discovery, endpoint, logout, refresh, roster, token, userinfo,
};

/// How long open connections may take to end when the sandbox is stopped.
const PATIENCE: Duration = Duration::from_secs(2);

/// A sandbox could not be started.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// The address is taken or not ours.
    #[error("the sandbox cannot listen on {addr}: {source}")]
    Listen {
        /// The address.
        addr: SocketAddr,
        /// The reason.
        source: io::Error,
    },
    /// The state of an earlier process cannot be read.
    #[error("the sandbox cannot read its state: {0}")]
    State(#[from] StateFileError),
    /// There is no HTTP client for webhooks.
    #[error("the sandbox cannot send webhooks: {0}")]
    Http(#[from] reqwest::Error),
}

/// A running Campus One. It stops when dropped.
pub struct Sandbox {
    control: Control,
    addr: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<()>,
}

impl Sandbox {
    /// Starts a sandbox; it answers from the moment this returns.
    pub async fn start(options: Options) -> Result<Self, SandboxError> {
        let failed = |source| SandboxError::Listen { addr: options.addr, source };
        let listener = TcpListener::bind(options.addr).await.map_err(failed)?;
        let addr = listener.local_addr().map_err(failed)?;
        let origin = format!("http://{}:{}", options.public_host, addr.port());
        let http = reqwest::Client::builder()
            .timeout(Duration::from_secs(10))
            .redirect(reqwest::redirect::Policy::none())
            .build()?;
        let shared = Arc::new(Shared::new(options, origin, http)?);
        let service = router(Arc::clone(&shared)).into_make_service_with_connect_info::<Line>();
        let (stop, stopped) = oneshot::channel::<()>();
        let task = tokio::spawn(async move {
            let serving = axum::serve(CuttableListener(listener), service)
                .with_graceful_shutdown(async {
                    // A dropped sender means the same as a message.
                    let _ = stopped.await;
                })
                .await;
            if let Err(error) = serving {
                tracing::error!(%error, "the sandbox stopped serving");
            }
        });
        Ok(Self { control: Control { shared }, addr, stop: Some(stop), task })
    }

    /// The issuer of the current generation.
    #[must_use]
    pub fn issuer(&self) -> String {
        self.control.issuer()
    }

    /// The address it listens on.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Where Campus One's discovery document is.
    #[must_use]
    pub fn discovery_url(&self) -> String {
        format!("{}/api/auth/.well-known/openid-configuration", self.control.origin())
    }

    /// The handle that rules it.
    #[must_use]
    pub fn control(&self) -> Control {
        self.control.clone()
    }

    /// Stops it and waits until its address is free.
    pub async fn stop(mut self) {
        drop(self.stop.take());
        if tokio::time::timeout(PATIENCE, &mut self.task).await.is_err() {
            self.task.abort();
        }
    }
}

fn router(shared: Arc<Shared>) -> Router {
    let oauth = "/api/auth/oauth2";
    let gen1 = get(logout::end_session_gen1).post(logout::end_session_gen1);
    let gen2 = get(logout::end_session_gen2).post(logout::end_session_gen2);
    Router::new()
        .route("/", get(async || Redirect::to("/sandbox")))
        .route("/.well-known/openid-configuration", get(discovery::discovery))
        .route("/api/auth/.well-known/openid-configuration", get(discovery::discovery))
        .route("/api/auth/jwks", get(discovery::jwks))
        .route(&format!("{oauth}/authorize"), get(authorize::authorize))
        .route(&format!("{oauth}/token"), post(token::token))
        .route(&format!("{oauth}/userinfo"), get(userinfo::userinfo))
        .route(&format!("{oauth}/endsession"), gen1)
        .route(&format!("{oauth}/end-session"), gen2)
        .route(&format!("{oauth}/revoke"), post(refresh::revoke))
        .route("/sign-in", get(consent::sign_in_page).post(consent::sign_in))
        .route("/consent", get(consent::consent_page).post(consent::consent))
        .route("/avatars/{file}", get(avatar))
        .route("/sandbox", get(api::control_page))
        .route("/sandbox/style.css", get(style))
        .route("/sandbox/do/{command}", post(api::command_form))
        .route("/sandbox/api/state", get(api::state))
        .route("/sandbox/api/session", post(api::session))
        .route("/sandbox/api/{command}", post(api::command))
        .layer(axum::middleware::from_fn_with_state(Arc::clone(&shared), endpoint::troubles))
        .with_state(shared)
}

async fn style() -> Response {
    ([(CONTENT_TYPE, "text/css; charset=utf-8")], include_str!("style.css")).into_response()
}

async fn avatar(State(shared): State<Arc<Shared>>, Path(file): Path<String>) -> Response {
    let id = file.strip_suffix(".svg").unwrap_or_default();
    match shared.read(|memory| memory.person(id).map(roster::avatar)) {
        Some(drawing) => ([(CONTENT_TYPE, "image/svg+xml")], drawing).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}
