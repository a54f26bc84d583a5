//! The life of a private PostgreSQL, with a real one. Skipped where none is installed.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use sqlx::{Connection as _, Executor as _, PgConnection};

use super::cluster::Cluster;
use super::*;

/// Set in the child process of the test that kills one.
const VICTIM_DIR: &str = "EMBEDDED_DB_TEST_VICTIM_DIR";

fn installed() -> bool {
    binaries::Binaries::find().is_ok()
}

fn query(url: &str, statement: &'static str) -> Result<Option<i32>, sqlx::Error> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut connection = PgConnection::connect(url).await?;
        if !statement.starts_with("select") {
            connection.execute(statement).await?;
            return Ok(None);
        }
        sqlx::query_scalar(statement).fetch_optional(&mut connection).await
    })
}

/// Like [`query`], with patience while a server passes from one owner to the next.
fn query_soon(url: &str, statement: &'static str) -> Option<i32> {
    let deadline = Instant::now() + Duration::from_secs(15);
    loop {
        match query(url, statement) {
            Ok(value) => return value,
            Err(error) => assert!(Instant::now() < deadline, "{error}"),
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn home(data_dir: &Path) -> PathBuf {
    let binaries = binaries::Binaries::find().unwrap();
    data_dir.join(format!("pg{}", binaries.major))
}

#[test]
fn a_server_is_started_shared_stopped_and_started_again() {
    if !installed() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let first = EmbeddedDatabase::start(dir.path()).unwrap();
    assert!(!first.is_shared());
    query(first.url().expose(), "create table kept as select 7 as n").unwrap();

    let second = EmbeddedDatabase::start(dir.path()).unwrap();
    assert!(second.is_shared());
    assert_eq!(second.url().expose(), first.url().expose());
    second.stop();
    assert_eq!(query(first.url().expose(), "select n from kept").unwrap(), Some(7));

    let (url, port) = (first.url().clone(), first.port());
    first.stop();
    assert!(query(url.expose(), "select n from kept").is_err());
    assert!(!home(dir.path()).join("data/postmaster.pid").exists());

    let again = EmbeddedDatabase::start(dir.path()).unwrap();
    assert!(!again.is_shared());
    assert_eq!(again.port(), port, "a free port is kept");
    assert_eq!(query(again.url().expose(), "select n from kept").unwrap(), Some(7));
    assert_eq!(
        query(
            again.url().expose(),
            "select 1 where current_setting('synchronous_commit') = 'off' and \
             current_setting('fsync') = 'on' and current_setting('unix_socket_directories') = '' \
             and current_setting('listen_addresses') = '127.0.0.1' and \
             current_setting('server_encoding') = 'UTF8'"
        )
        .unwrap(),
        Some(1)
    );
    let wrong = again.url().expose().replace("campus:", "campus:x");
    assert!(query(&wrong, "select 1").is_err(), "the password is asked for");
}

#[test]
fn who_shares_a_server_takes_it_over() {
    if !installed() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let owner = EmbeddedDatabase::start(dir.path()).unwrap();
    query(owner.url().expose(), "create table kept as select 9 as n").unwrap();
    let guest = EmbeddedDatabase::start(dir.path()).unwrap();
    assert!(guest.is_shared());
    owner.stop();
    assert_eq!(query_soon(guest.url().expose(), "select n from kept"), Some(9));
}

#[test]
fn a_half_made_directory_is_made_anew() {
    if !installed() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let data = home(dir.path()).join("data");
    std::fs::create_dir_all(&data).unwrap();
    std::fs::write(data.join("PG_VERSION"), "1").unwrap();
    // A stale lock too, with the number of a process that is no PostgreSQL.
    let lock = format!("{}\n{}\n", std::process::id(), data.display());
    std::fs::write(data.join("postmaster.pid"), lock).unwrap();
    let database = EmbeddedDatabase::start(dir.path()).unwrap();
    assert_eq!(query(database.url().expose(), "select 1").unwrap(), Some(1));
}

#[test]
fn a_taken_port_and_a_stale_lock_do_not_stop_a_start() {
    if !installed() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let first = EmbeddedDatabase::start(dir.path()).unwrap();
    let port = first.port();
    first.stop();
    let _taken = std::net::TcpListener::bind(("127.0.0.1", port)).unwrap();
    let lock = home(dir.path()).join("data/postmaster.pid");
    std::fs::write(&lock, format!("{}\n", std::process::id())).unwrap();
    let again = EmbeddedDatabase::start(dir.path()).unwrap();
    assert_ne!(again.port(), port);
    assert!(!again.is_shared());
}

#[test]
fn starts_at_the_same_moment_agree() {
    if !installed() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path();
    let databases: Vec<EmbeddedDatabase> = std::thread::scope(|scope| {
        let starts: Vec<_> =
            (0..3).map(|_| scope.spawn(|| EmbeddedDatabase::start(path).unwrap())).collect();
        starts.into_iter().map(|start| start.join().unwrap()).collect()
    });
    assert_eq!(databases.iter().filter(|database| !database.is_shared()).count(), 1);
    assert!(databases.iter().all(|database| database.port() == databases[0].port()));
}

#[test]
fn a_copied_directory_is_not_taken_for_its_original() {
    if !installed() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let (original, copy) = (dir.path().join("original"), dir.path().join("copy"));
    EmbeddedDatabase::start(&original).unwrap().stop();
    let copied = Command::new("cp").arg("-a").arg(&original).arg(&copy).status().unwrap();
    assert!(copied.success());
    let first = EmbeddedDatabase::start(&original).unwrap();
    let second = EmbeddedDatabase::start(&copy).unwrap();
    assert!(!second.is_shared());
    assert_ne!(first.port(), second.port());
}

#[test]
fn a_server_that_does_not_start_shows_its_log() {
    if !installed() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    EmbeddedDatabase::start(dir.path()).unwrap().stop();
    let conf = home(dir.path()).join("data/postgresql.conf");
    std::fs::write(conf, "no_such_setting = 1\n").unwrap();
    let error = EmbeddedDatabase::start(dir.path()).unwrap_err();
    assert!(error.to_string().contains("no_such_setting"), "{error}");
}

/// Not a test of its own: the process that [`a_killed_process_leaves_no_server`] kills.
#[test]
fn victim() {
    let Some(dir) = std::env::var_os(VICTIM_DIR) else { return };
    let database = EmbeddedDatabase::start(Path::new(&dir)).unwrap();
    writeln!(std::io::stdout(), "\nurl {}", database.url().expose()).unwrap();
    std::thread::sleep(Duration::from_secs(60));
}

#[test]
fn a_killed_process_leaves_no_server() {
    if !installed() || !Path::new("/usr/bin/setpriv").exists() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let mut victim = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "embedded_db::tests::victim", "--nocapture"])
        .env(VICTIM_DIR, dir.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(victim.stdout.take().unwrap()).lines();
    let url = lines
        .map_while(Result::ok)
        .find_map(|line| Some(line.strip_prefix("url ")?.to_owned()))
        .expect("the victim starts a server");
    assert_eq!(query(&url, "select 1").unwrap(), Some(1));
    query(&url, "create table kept as select 8 as n").unwrap();
    victim.kill().unwrap();

    // As a watcher does: the next process starts while the old server is still on its way out.
    let next = EmbeddedDatabase::start(dir.path()).unwrap();
    victim.wait().unwrap();
    assert_eq!(query_soon(next.url().expose(), "select n from kept"), Some(8));
    next.stop();
    let lock = home(dir.path()).join("data/postmaster.pid");
    let deadline = Instant::now() + Duration::from_secs(10);
    while lock.exists() && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(!lock.exists(), "no server is left");
}

/// The way for machines that refuse user namespaces. Only root has to leave root.
#[test]
fn root_can_drop_to_an_ordinary_user() {
    let Ok(binaries) = binaries::Binaries::find() else { return };
    let Ok(launcher) = launch::Launcher::dropping() else { return };
    // The user must be able to walk to the data directory.
    let dir = tempfile::Builder::new().prefix("campus").tempdir_in("/tmp").unwrap();
    let walkable = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(dir.path(), walkable).unwrap();
    let cluster = Cluster::open(dir.path(), binaries, launcher).unwrap();
    let (server, child) = keeper::bring_up(&cluster).unwrap();
    assert_eq!(query(server.url().expose(), "select 1").unwrap(), Some(1));
    keeper::shut_down(&mut child.unwrap());
    // And back again: the files change hands.
    let database = EmbeddedDatabase::start(dir.path()).unwrap();
    assert_eq!(query(database.url().expose(), "select 1").unwrap(), Some(1));
}
