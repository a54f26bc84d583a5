//! Secrets a development server makes for itself and keeps in the data directory.

use std::fs;
use std::io::{self, Write as _};
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::secret::Secret;

/// The secret kept in `path`; made on the first call, readable by its owner only.
///
/// Processes that call this at the same moment get the same secret.
///
/// # Errors
/// The directory or the file cannot be made or read, or the file is empty.
pub(crate) fn kept_secret(path: &Path) -> io::Result<Secret> {
    match read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        known => return known,
    }
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    let draft = path.with_extension(format!("draft-{:016x}", rand::random::<u64>()));
    let value = URL_SAFE_NO_PAD.encode(rand::random::<[u8; 36]>());
    private_file(&draft)?.write_all(value.as_bytes())?;
    // A link appears with its whole content and never replaces what another process made first.
    let linked = fs::hard_link(&draft, path);
    let placed = match linked {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => fs::rename(&draft, path),
        _ => fs::remove_file(&draft),
    };
    placed?;
    read(path)
}

fn read(path: &Path) -> io::Result<Secret> {
    let text = fs::read_to_string(path)?;
    let text = text.trim();
    if text.is_empty() {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "the file is empty"));
    }
    Ok(Secret::new(text))
}

/// A new file that only its owner may read.
fn private_file(path: &Path) -> io::Result<fs::File> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}
