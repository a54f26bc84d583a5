//! The store: every query of the server, one file per table.
//!
//! Outside this room nothing speaks SQL. Instants cross the border as [`campus::instant::Instant`].

pub mod audit;
pub mod calls;
pub mod changes;
pub mod checks;
pub mod deliveries;
pub mod logout_tokens;
pub mod notices;
pub mod overview;
pub mod pauses;
pub mod provider_sessions;
pub mod refused;
pub mod reports;
pub mod sessions;
pub mod tokens;
pub mod users;

use campus::instant::Instant;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{ConnectOptions as _, PgPool};
use std::str::FromStr as _;
use std::time::Duration;
use time::OffsetDateTime;

/// What can go wrong at the database. Clients learn only that it does not answer.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The query failed or the database cannot be reached.
    #[error("database: {0}")]
    Database(#[from] sqlx::Error),
    /// A migration failed.
    #[error("migration: {0}")]
    Migration(#[from] sqlx::migrate::MigrateError),
}

impl StoreError {
    /// What may be shown to admins: the kind of the fault, and nothing of the data it is about.
    #[must_use]
    pub fn in_brief(&self) -> String {
        match self {
            Self::Database(sqlx::Error::Database(error)) => match error.code() {
                // https://www.postgresql.org/docs/current/errcodes-appendix.html
                Some(code) if code == "55P03" => "the person’s row was in use".to_owned(),
                Some(code) => format!("the database refused it (code {code})"),
                None => "the database refused it".to_owned(),
            },
            _ => "the database did not answer".to_owned(),
        }
    }
}

/// Opens a pool; connections are made when they are needed.
///
/// # Errors
/// When the address cannot be read.
pub fn open(url: &str) -> Result<PgPool, StoreError> {
    let options = PgConnectOptions::from_str(url)?
        .application_name("campus-desk")
        .log_slow_statements(tracing::log::LevelFilter::Warn, Duration::from_millis(250));
    Ok(PgPoolOptions::new()
        .max_connections(16)
        .acquire_timeout(Duration::from_secs(5))
        .connect_lazy_with(options))
}

/// Brings the schema up to date; several instances may try at once.
///
/// # Errors
/// When the database cannot be reached or a migration fails.
pub async fn migrate(pool: &PgPool) -> Result<(), StoreError> {
    Ok(sqlx::migrate!("./migrations").run(pool).await?)
}

/// Whether the database answers.
pub async fn answers(pool: &PgPool) -> bool {
    sqlx::query_scalar!("select 1").fetch_one(pool).await.is_ok()
}

/// An instant as the database keeps it.
fn to_db(at: Instant) -> OffsetDateTime {
    let nanos = i128::from(at.millis()) * 1_000_000;
    // Beyond the year 9999 there is nothing to keep; such a value can only come from a forged claim.
    OffsetDateTime::from_unix_timestamp_nanos(nanos).unwrap_or(OffsetDateTime::UNIX_EPOCH)
}

/// An instant as the domain knows it.
fn from_db(at: OffsetDateTime) -> Instant {
    let millis = at.unix_timestamp_nanos().div_euclid(1_000_000);
    Instant::from_millis(i64::try_from(millis).unwrap_or(i64::MAX))
}
