//! A fresh database for each test, on a server that is named or private.

use campus_server::config::Secret;
use campus_server::embedded_db::EmbeddedDatabase;
use campus_server::store;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, PgPool};
use std::sync::{Arc, Mutex, Weak};
use tempfile::TempDir;
use url::Url;
use uuid::Uuid;

/// A private server; the field order stops it before its files go.
struct PrivateServer {
    database: EmbeddedDatabase,
    _files: TempDir,
}

/// The private server of this process, as long as a test needs it.
static PRIVATE: Mutex<Weak<PrivateServer>> = Mutex::new(Weak::new());

/// A database of its own. It is removed in the end.
pub struct TestDatabase {
    server: Url,
    name: String,
    private: Option<Arc<PrivateServer>>,
}

impl TestDatabase {
    /// Makes one, empty; on the given server, or on the one of the tests.
    pub async fn create(server: Option<Url>) -> Self {
        let named = std::env::var("TEST_DATABASE_URL").map(|url| Url::parse(&url).unwrap());
        let (server, private) = match server.map_or(named, Ok) {
            Ok(server) => (server, None),
            Err(_) => {
                let private = tokio::task::spawn_blocking(private_server).await.unwrap();
                let url = Url::parse(private.database.url().expose()).unwrap();
                (url, Some(private))
            }
        };
        let name = format!("campus_it_{}", Uuid::now_v7().simple());
        execute(&server, &format!("create database {name} template template0")).await.unwrap();
        Self { server, name, private }
    }

    /// Its address.
    pub fn url(&self) -> Secret {
        let mut url = self.server.clone();
        url.set_path(&self.name);
        Secret::new(url.as_str())
    }

    /// A pool on it, migrated.
    pub async fn pool(&self) -> PgPool {
        let pool = store::open(self.url().expose()).unwrap();
        store::migrate(&pool).await.unwrap();
        pool
    }

    /// Takes it away from under everybody who uses it.
    pub async fn take_away(&self) {
        execute(&self.server, &self.removal()).await.unwrap();
    }

    fn removal(&self) -> String {
        format!("drop database if exists {} with (force)", self.name)
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        if self.private.is_some() {
            return;
        }
        let (server, removal) = (self.server.clone(), self.removal());
        // Dropping cannot wait for a future, so a thread of its own does.
        let removing = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.map(|runtime| runtime.block_on(execute(&server, &removal)))
        });
        // A database that is left behind fails no test.
        let _ = removing.join();
    }
}

fn private_server() -> Arc<PrivateServer> {
    let mut held = PRIVATE.lock().unwrap();
    if let Some(server) = held.upgrade() {
        return server;
    }
    let files = tempfile::tempdir().unwrap();
    let database = EmbeddedDatabase::start(files.path()).unwrap();
    let server = Arc::new(PrivateServer { database, _files: files });
    *held = Arc::downgrade(&server);
    server
}

async fn execute(server: &Url, statement: &str) -> Result<(), sqlx::Error> {
    let mut connection = PgConnection::connect(server.as_str()).await?;
    // The names in it are made here.
    sqlx::raw_sql(AssertSqlSafe(statement.to_owned())).execute(&mut connection).await?;
    connection.close().await
}
