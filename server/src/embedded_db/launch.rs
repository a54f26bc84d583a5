//! Under which user PostgreSQL's programs run, and what ends them with us.
//!
//! PostgreSQL refuses root. As root it runs in a user namespace in which root has another number;
//! where namespaces are refused, under an ordinary user. `setpriv` makes the kernel interrupt it
//! when the thread that started it ends, whatever ended it.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::path::Path;
use std::process::{Command, Stdio};

use super::EmbeddedDbError;

const UNSHARE: &[&str] = &["/usr/bin/unshare", "--user", "--map-user=1000", "--map-group=1000"];
const SETPRIV: &str = "/usr/bin/setpriv";
/// The users to drop to, in this order.
const USERS: &[&str] = &["postgres", "nobody"];

/// How the programs are started.
#[derive(Clone, Debug)]
pub(super) struct Launcher {
    /// What stands before the program to leave root.
    leave_root: Vec<OsString>,
    /// What stands before it to tie it to the starting thread.
    tie: Vec<OsString>,
    /// Who must own the files; `None` where that is nobody's question.
    owner: Option<Owner>,
}

/// A user and a group by number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Owner {
    uid: u32,
    gid: u32,
}

impl Launcher {
    /// Finds out what this machine allows.
    pub(super) fn find() -> Result<Self, EmbeddedDbError> {
        if !is_root() {
            return Ok(Self { leave_root: Vec::new(), tie: tie(), owner: None });
        }
        if succeeds(UNSHARE, "true") {
            return Ok(Self {
                leave_root: UNSHARE.iter().map(OsString::from).collect(),
                tie: tie(),
                // In the namespace, root's files are the mapped user's own.
                owner: Some(Owner { uid: 0, gid: 0 }),
            });
        }
        Self::dropping()
    }

    /// As root, drops to an ordinary user.
    pub(super) fn dropping() -> Result<Self, EmbeddedDbError> {
        let passwd = fs::read_to_string("/etc/passwd").unwrap_or_default();
        let owner = USERS.iter().find_map(|name| find_user(&passwd, name));
        let owner = owner.ok_or(EmbeddedDbError::Root)?;
        let leave_root: Vec<OsString> = [
            SETPRIV.to_owned(),
            format!("--reuid={}", owner.uid),
            format!("--regid={}", owner.gid),
            "--clear-groups".to_owned(),
        ]
        .into_iter()
        .map(OsString::from)
        .collect();
        if !succeeds(&leave_root, "true") {
            return Err(EmbeddedDbError::Root);
        }
        Ok(Self { leave_root, tie: tie(), owner: Some(owner) })
    }

    /// A program that runs to its end while we wait.
    pub(super) fn run(&self, program: &Path) -> Command {
        command(self.leave_root.iter().map(OsString::as_os_str), program)
    }

    /// A program that ends with the thread that starts it, as far as the machine allows.
    pub(super) fn run_tied(&self, program: &Path) -> Command {
        // The tie comes last: a change of user would undo it.
        command(self.leave_root.iter().chain(&self.tie).map(OsString::as_os_str), program)
    }

    /// Gives `dir` and all below it to the user the programs run under.
    pub(super) fn own(&self, dir: &Path) -> io::Result<()> {
        match self.owner {
            Some(owner) => chown_tree(dir, owner),
            None => Ok(()),
        }
    }
}

fn command<'a>(prefix: impl Iterator<Item = &'a OsStr>, program: &'a Path) -> Command {
    let mut words = prefix.chain([program.as_os_str()]);
    let mut command = Command::new(words.next().unwrap_or_default());
    command.args(words).stdin(Stdio::null());
    command
}

fn tie() -> Vec<OsString> {
    let tie = [SETPRIV, "--pdeathsig", "INT"];
    if succeeds(&tie, "true") { tie.iter().map(OsString::from).collect() } else { Vec::new() }
}

/// Whether `program` runs to success behind `prefix`.
fn succeeds(prefix: &[impl AsRef<OsStr>], program: &str) -> bool {
    command(prefix.iter().map(AsRef::as_ref), Path::new(program))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

fn is_root() -> bool {
    Command::new("id")
        .arg("-u")
        .stdin(Stdio::null())
        .output()
        .is_ok_and(|output| String::from_utf8_lossy(&output.stdout).trim() == "0")
}

/// The numbers of the user `name` in the text of `/etc/passwd`.
fn find_user(passwd: &str, name: &str) -> Option<Owner> {
    passwd.lines().find_map(|line| {
        let mut fields = line.split(':');
        if fields.next() != Some(name) {
            return None;
        }
        let mut number = |skip| fields.nth(skip).and_then(|text| text.parse().ok());
        Some(Owner { uid: number(1)?, gid: number(0)? })
    })
}

fn chown_tree(path: &Path, owner: Owner) -> io::Result<()> {
    use std::os::unix::fs::MetadataExt as _;

    let metadata = fs::symlink_metadata(path)?;
    if (metadata.uid(), metadata.gid()) != (owner.uid, owner.gid) {
        std::os::unix::fs::lchown(path, Some(owner.uid), Some(owner.gid))?;
    }
    if metadata.is_dir() {
        for entry in fs::read_dir(path)? {
            chown_tree(&entry?.path(), owner)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_are_found_by_their_whole_name() {
        let passwd = "postgresql:x:7:8::/:/bin/sh\npostgres:x:101:104:PostgreSQL:/:/bin/bash\n";
        assert_eq!(find_user(passwd, "postgres"), Some(Owner { uid: 101, gid: 104 }));
        assert_eq!(find_user(passwd, "nobody"), None);
    }

    #[test]
    fn the_tie_stands_right_before_the_program() {
        let launcher = Launcher {
            leave_root: vec!["leave".into()],
            tie: vec!["tie".into(), "INT".into()],
            owner: None,
        };
        let command = launcher.run_tied(Path::new("postgres"));
        assert_eq!(command.get_program(), "leave");
        let args: Vec<_> = command.get_args().collect();
        assert_eq!(args, ["tie", "INT", "postgres"]);
        assert_eq!(launcher.run(Path::new("initdb")).get_args().count(), 1);
    }
}
