//! Logs: one subscriber for the whole process, set once at start.
//!
//! Lines go to stderr, so that what a command prints on stdout stays readable by other programs.

use std::io::IsTerminal as _;

use tracing_subscriber::EnvFilter;

use crate::config::LogFormat;

/// What is logged unless `RUST_LOG` says otherwise.
pub const DEFAULT_FILTER: &str = "info,sqlx=warn,tower_http=info,hyper=warn";

/// The log could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// The filter is not one.
    #[error("the log filter {filter:?} cannot be read: {reason}")]
    Filter {
        /// The filter as given.
        filter: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A subscriber is already there.
    #[error("the log is already set up: {0}")]
    AlreadySet(String),
}

/// Starts logging in `format`, filtered by `filter` or [`DEFAULT_FILTER`].
///
/// # Errors
/// The filter cannot be read, or logging has already been started in this process.
pub fn init(format: LogFormat, filter: Option<&str>) -> Result<(), TelemetryError> {
    let filter = parse_filter(filter.unwrap_or(DEFAULT_FILTER))?;
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let outcome = match format {
        LogFormat::Json => builder.json().flatten_event(true).with_span_list(false).try_init(),
        LogFormat::Pretty => builder.with_ansi(std::io::stderr().is_terminal()).try_init(),
    };
    outcome.map_err(|error| TelemetryError::AlreadySet(error.to_string()))
}

fn parse_filter(filter: &str) -> Result<EnvFilter, TelemetryError> {
    EnvFilter::try_new(filter).map_err(|error| TelemetryError::Filter {
        filter: filter.to_owned(),
        reason: error.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_filter_can_be_read() {
        assert!(parse_filter(DEFAULT_FILTER).is_ok());
    }

    #[test]
    fn a_bad_filter_is_refused_and_a_second_start_too() {
        let bad = init(LogFormat::Pretty, Some("campus_server=loud"));
        assert!(matches!(bad, Err(TelemetryError::Filter { .. })));
        // Another test of this process may have been first.
        let _ = init(LogFormat::Json, None);
        assert!(matches!(init(LogFormat::Json, None), Err(TelemetryError::AlreadySet(_))));
    }
}
