//! What is wrong with the settings, in words an operator can act on.

use std::fmt;

/// One setting that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The variable, or the file and key.
    pub name: String,
    /// What is wrong with it. Never holds the value of a secret.
    pub problem: String,
    /// How it may look.
    pub example: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}\n    for example: {}", self.name, self.problem, self.example)
    }
}

/// Every fault found in the settings, so that one start is enough to learn them all.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct ConfigError {
    /// At least one, in the order in which the settings are read.
    pub faults: Vec<Fault>,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let noun = if self.faults.len() == 1 { "setting is" } else { "settings are" };
        write!(f, "{} {noun} not usable:", self.faults.len())?;
        for fault in &self.faults {
            write!(f, "\n- {fault}")?;
        }
        Ok(())
    }
}
