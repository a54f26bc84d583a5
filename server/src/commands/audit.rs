//! `campus-server audit verify`: walks along the audit trail's chain.

use crate::audit::Verdict;
use crate::store::{self, StoreError};
use clap::Subcommand;
use sqlx::PgPool;
use std::process::ExitCode;

/// What can be done with the audit trail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Subcommand)]
pub enum AuditCommand {
    /// Check that no entry was changed, removed or put in
    ///
    /// Prints how many entries there are and the hash of the last one, and exits with 1 where the chain
    /// is broken. The chain cannot show that all of it was written anew: keep the printed hash in another
    /// place and compare.
    Verify,
}

/// Does it and says what came of it on standard output.
///
/// # Errors
/// When the database does not answer.
pub async fn run(command: AuditCommand, db: &PgPool) -> Result<ExitCode, StoreError> {
    let AuditCommand::Verify = command;
    let verdict = store::audit::verify(db).await?;
    #[allow(clippy::print_stdout, reason = "this is what the command is for")]
    {
        println!("{}", text(&verdict));
    }
    Ok(if matches!(verdict, Verdict::Whole { .. }) { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn text(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Whole { entries, head } => {
            let head: String = head.iter().map(|byte| format!("{byte:02x}")).collect();
            format!("The audit trail is whole: {entries} entries, the last one is {head}.")
        }
        Verdict::Broken { seq } => format!(
            "The audit trail is BROKEN at entry {seq}: it or its neighbours were changed, removed or put in."
        ),
    }
}
