//! Measures how long the private PostgreSQL takes to start: on an empty directory, and again on the same.
//!
//! `scripts/bench embedded-db` runs it. No test does: how long a start takes says more of what else the
//! machine is at than of the code.

#![allow(clippy::print_stdout, reason = "the figures are for the person at the terminal")]

use campus_server::embedded_db::{EmbeddedDatabase, EmbeddedDbError};
use std::error::Error;
use std::path::Path;
use std::time::Instant;

/// How often each start is measured.
const ROUNDS: usize = 7;

fn main() -> Result<(), Box<dyn Error>> {
    let (mut first, mut again) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let dir = tempfile::tempdir()?;
        first.push(milliseconds(dir.path())?);
        again.push(milliseconds(dir.path())?);
    }
    report("first start", first);
    report("later start", again);
    Ok(())
}

fn milliseconds(dir: &Path) -> Result<u128, EmbeddedDbError> {
    let since = Instant::now();
    let database = EmbeddedDatabase::start(dir)?;
    let took = since.elapsed().as_millis();
    database.stop();
    Ok(took)
}

fn report(name: &str, mut took: Vec<u128>) {
    took.sort_unstable();
    let (least, middle, most) = (took[0], took[took.len() / 2], took[took.len() - 1]);
    println!("{name}: {middle} ms (least {least}, most {most}, of {})", took.len());
}
