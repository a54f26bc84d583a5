//! The file in which the sandbox's state survives a restart.

use std::path::PathBuf;
use std::{fs, io};

use crate::memory::Kept;

/// The state file could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum StateFileError {
    /// The file system said no.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// The reason.
        source: io::Error,
    },
    /// The content is not what the sandbox writes.
    #[error("{path} is not a sandbox state: {source}")]
    Json {
        /// The file.
        path: PathBuf,
        /// The reason.
        source: serde_json::Error,
    },
}

/// A JSON file, written only when the content differs and replaced as a whole.
pub(crate) struct StateFile {
    path: PathBuf,
    written: Vec<u8>,
}

impl StateFile {
    pub(crate) fn new(path: PathBuf) -> Self {
        Self { path, written: Vec::new() }
    }

    /// What an earlier process kept; nothing when there is no file.
    pub(crate) fn read(&self) -> Result<Kept, StateFileError> {
        match fs::read(&self.path) {
            Ok(bytes) => serde_json::from_slice(&bytes).map_err(|source| self.json(source)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Kept::default()),
            Err(source) => Err(self.io(source)),
        }
    }

    pub(crate) fn write(&mut self, kept: &Kept) -> Result<(), StateFileError> {
        let bytes = serde_json::to_vec(kept).map_err(|source| self.json(source))?;
        if bytes == self.written {
            return Ok(());
        }
        let draft = self.path.with_extension("draft");
        write_private(&draft, &bytes).map_err(|source| self.io(source))?;
        fs::rename(&draft, &self.path).map_err(|source| self.io(source))?;
        self.written = bytes;
        Ok(())
    }

    fn io(&self, source: io::Error) -> StateFileError {
        StateFileError::Io { path: self.path.clone(), source }
    }

    fn json(&self, source: serde_json::Error) -> StateFileError {
        StateFileError::Json { path: self.path.clone(), source }
    }
}

/// The file holds private keys, so that only its owner may read it.
fn write_private(path: &std::path::Path, bytes: &[u8]) -> io::Result<()> {
    use std::io::Write;
    let mut open = fs::OpenOptions::new();
    open.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut open, 0o600);
    open.open(path)?.write_all(bytes)
}
