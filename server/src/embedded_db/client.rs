//! What is asked of the server over its port: is it ours.

use std::path::Path;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgConnection, PgSslMode};
use sqlx::{ConnectOptions as _, Connection as _};
use tokio::runtime::Runtime;

use super::DATABASE;
use crate::config::Secret;

/// The user, a superuser as `initdb` makes it.
pub(super) const USER: &str = "campus";
/// A stranger on our port may keep silent.
const PATIENCE: Duration = Duration::from_secs(2);

/// Who answers on a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// The server of our data directory; it takes connections.
    Ours,
    /// Nobody, somebody else, or a server that is starting up or shutting down.
    Other,
}

/// Asks on `port` for the server whose files are in `data`.
pub(super) fn ask(runtime: &Runtime, port: u16, password: &Secret, data: &Path) -> Answer {
    runtime.block_on(async {
        let asked = tokio::time::timeout(PATIENCE, connect(port, password)).await;
        let Ok(Ok((connection, served))) = asked else { return Answer::Other };
        // It served its purpose; how it ends is no matter.
        let _ = connection.close().await;
        // A copied data directory has the same password: only the path tells them apart.
        if Path::new(&served) == data { Answer::Ours } else { Answer::Other }
    })
}

/// A connection and the data directory its server names.
async fn connect(port: u16, password: &Secret) -> Result<(PgConnection, String), sqlx::Error> {
    let mut connection = options(port, password).connect().await?;
    let served = sqlx::query_scalar("show data_directory").fetch_one(&mut connection).await?;
    Ok((connection, served))
}

fn options(port: u16, password: &Secret) -> PgConnectOptions {
    PgConnectOptions::new_without_pgpass()
        .host("127.0.0.1")
        .port(port)
        .username(USER)
        .password(password.expose())
        .database(DATABASE)
        .ssl_mode(PgSslMode::Disable)
}
