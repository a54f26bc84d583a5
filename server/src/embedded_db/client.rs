//! What is asked of the server over its port: is it ours, and is the database there.

use std::path::Path;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgConnection, PgSslMode};
use sqlx::{ConnectOptions as _, Connection as _};
use tokio::runtime::Runtime;

use super::{DATABASE, EmbeddedDbError};
use crate::config::Secret;

/// The user, a superuser as `initdb` makes it.
pub(super) const USER: &str = "campus";
/// The database every server has.
const MAINTENANCE: &str = "postgres";
/// A stranger on our port may keep silent.
const PATIENCE: Duration = Duration::from_secs(2);

/// Who answers on a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// The server of our data directory; it takes connections and the database is there.
    Ours,
    /// Nobody, somebody else, or a server that is starting up or shutting down.
    Other,
}

/// Asks on `port` for the server whose files are in `data`, and makes the database unless it is
/// there.
pub(super) fn ask(
    runtime: &Runtime,
    port: u16,
    password: &Secret,
    data: &Path,
) -> Result<Answer, EmbeddedDbError> {
    runtime.block_on(async {
        let asked = tokio::time::timeout(PATIENCE, connect(port, password)).await;
        let Ok(Ok((mut connection, served))) = asked else { return Ok(Answer::Other) };
        // A copied data directory has the same password: only the path tells them apart.
        if Path::new(&served) != data {
            return Ok(Answer::Other);
        }
        ensure_database(&mut connection)
            .await
            .map_err(|error| EmbeddedDbError::Database(error.to_string()))?;
        // It served its purpose; how it ends is no matter.
        let _ = connection.close().await;
        Ok(Answer::Ours)
    })
}

/// A connection and the data directory its server names.
async fn connect(port: u16, password: &Secret) -> Result<(PgConnection, String), sqlx::Error> {
    let mut connection = options(port, password).connect().await?;
    let served = sqlx::query_scalar("show data_directory").fetch_one(&mut connection).await?;
    Ok((connection, served))
}

async fn ensure_database(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    let there: bool =
        sqlx::query_scalar("select exists (select from pg_database where datname = $1)")
            .bind(DATABASE)
            .fetch_one(&mut *connection)
            .await?;
    if !there {
        sqlx::query("create database campus_desk").execute(connection).await?;
    }
    Ok(())
}

fn options(port: u16, password: &Secret) -> PgConnectOptions {
    PgConnectOptions::new_without_pgpass()
        .host("127.0.0.1")
        .port(port)
        .username(USER)
        .password(password.expose())
        .database(MAINTENANCE)
        .ssl_mode(PgSslMode::Disable)
}
