//! The application with its provider and its database, listening.

use super::browser::Browser;
use super::database::TestDatabase;
use campus_app::Assets;
use campus_sandbox::{Algorithm, Client, Control, Endpoint, Options, Profile, Sandbox};
use campus_server::app::App;
use campus_server::config::{ProviderSettings, Secret, Settings};
use campus_server::serve::Application;
use campus_server::webhook;
use sqlx::AssertSqlSafe;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use url::Url;

/// Our id at the provider.
pub const CLIENT_ID: &str = "campus-desk-tests";
/// Our secret there.
pub const CLIENT_SECRET: &str = "a-client-secret-of-the-tests/+";

/// What webhooks are signed with.
pub const WEBHOOK_SECRET: &str = "the webhook secret of the tests";
/// What they were signed with before.
pub const WEBHOOK_SECRET_PREVIOUS: &str = "whsec_dGhlIHNlY3JldCBiZWZvcmU=";

/// How a test's world differs from the usual one.
#[derive(Clone, Debug, Default)]
pub struct Setup {
    /// The provider's generation.
    pub profile: Profile,
    /// An issuer that does not follow the generation; `{origin}` stands for the provider's own.
    pub pinned_issuer: Option<&'static str>,
    /// How ID tokens are signed.
    pub algorithm: Algorithm,
    /// Another address for the provider's metadata: `{provider}` stands for the provider's origin.
    pub discovery_url: Option<String>,
    /// Whether people reach it over https, as behind a proxy that ends TLS.
    pub https: bool,
    /// Without a secret for webhooks.
    pub no_webhook_secret: bool,
    /// The server to make the database on.
    pub database_server: Option<Url>,
}

/// A running application.
pub struct TestApp {
    /// Its state.
    pub app: Arc<App>,
    /// Where it listens, as the tests' browsers name it.
    pub origin: String,
    /// Rules the provider.
    pub sandbox: Control,
    /// Its database.
    pub database: TestDatabase,
    /// The settings it was started with.
    pub vars: Vars,
    /// A folder of its own.
    pub files: TempDir,
    instance: Instance,
    _provider: Sandbox,
}

/// Settings by name.
pub type Vars = BTreeMap<&'static str, String>;

/// Another instance of an application, on the same database and provider.
pub struct Instance {
    /// Its state.
    pub app: Arc<App>,
    /// Its own origin.
    pub origin: String,
    server: JoinHandle<()>,
}

impl Instance {
    async fn start(vars: &Vars, deployment: &Path, listener: TcpListener) -> Self {
        let settings = Settings::read(|name| vars.get(name).cloned(), deployment).unwrap();
        let ProviderSettings::CampusOne(campus_one) = settings.provider.clone() else {
            panic!("a client is configured, so the provider is Campus One");
        };
        let url = Secret::new(&vars["DATABASE_URL"]);
        let assets = Assets::for_tests();
        let application =
            Application::build(&settings, listener, &url, campus_one, None, assets).await.unwrap();
        let app = application.app.clone();
        let server = tokio::spawn(async move {
            application.run_until(std::future::pending()).await.unwrap();
        });
        Self { app, origin: vars["APP_URL"].clone(), server }
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl TestApp {
    /// The usual one: gen1, EdDSA, a trusted client.
    pub async fn spawn() -> Self {
        Self::spawn_with(Setup::default()).await
    }

    /// One that differs.
    pub async fn spawn_with(setup: Setup) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://localhost:{}", listener.local_addr().unwrap().port());
        let scheme = if setup.https { "https" } else { "http" };
        let public = origin.replacen("http", scheme, 1);
        let provider = Sandbox::start(Options {
            clients: vec![Client {
                id: CLIENT_ID.to_owned(),
                secret: CLIENT_SECRET.to_owned(),
                redirect_uris: super::CALLBACKS.map(|path| format!("{public}{path}")).to_vec(),
                post_logout_redirect_uris: vec![format!("{public}/auth/signed-out")],
                backchannel_logout_uri: Some(format!("{origin}/auth/backchannel-logout")),
                trusted: true,
                webhook_secret: WEBHOOK_SECRET.to_owned(),
            }],
            profile: setup.profile,
            pinned_issuer: setup.pinned_issuer.map(str::to_owned),
            algorithm: setup.algorithm,
            webhook_url: Url::parse(&format!("{origin}{}", webhook::PATH)).ok(),
            ..Options::default()
        })
        .await
        .unwrap();
        let sandbox = provider.control();
        let discovery_url = setup.discovery_url.unwrap_or_else(|| provider.discovery_url());
        let database = TestDatabase::create(setup.database_server).await;
        let files = tempfile::tempdir().unwrap();
        let mut vars = BTreeMap::from([
            ("APP_ENV", "development".to_owned()),
            ("APP_URL", public),
            ("SESSION_SECRET", "a session secret that only the tests know".to_owned()),
            ("DATABASE_URL", database.url().expose().to_owned()),
            ("CAMPUS_DATA_DIR", files.path().display().to_string()),
            ("CAMPUS_ONE_ISSUER", provider.issuer()),
            ("CAMPUS_ONE_DISCOVERY_URL", discovery_url.replace("{provider}", sandbox.origin())),
            ("CAMPUS_ONE_CLIENT_ID", CLIENT_ID.to_owned()),
            ("CAMPUS_ONE_CLIENT_SECRET", CLIENT_SECRET.to_owned()),
            ("CAMPUS_ONE_WEBHOOK_SECRET", WEBHOOK_SECRET.to_owned()),
            ("CAMPUS_ONE_WEBHOOK_SECRET_PREVIOUS", WEBHOOK_SECRET_PREVIOUS.to_owned()),
        ]);
        if setup.no_webhook_secret {
            vars.retain(|name, _| !name.starts_with("CAMPUS_ONE_WEBHOOK"));
        }
        let deployment = files.path().join("Leptos.toml");
        let instance = Instance::start(&vars, &deployment, listener).await;
        let app = instance.app.clone();
        Self { app, origin, sandbox, database, vars, files, instance, _provider: provider }
    }

    /// Serves no more and works no more; everything else stays.
    pub fn stop_serving(&self) {
        self.instance.server.abort();
    }

    /// Another instance beside this one, with other settings where given.
    pub async fn another(&self, changes: &[(&'static str, &str)]) -> Instance {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let mut vars = self.vars.clone();
        vars.insert("APP_URL", format!("http://localhost:{port}"));
        vars.extend(changes.iter().map(|(name, value)| (*name, (*value).to_owned())));
        Instance::start(&vars, &self.files.path().join("Leptos.toml"), listener).await
    }

    /// A browser nobody has used.
    pub fn browser(&self) -> Browser {
        Browser::new(&self.origin)
    }

    /// A browser whose person is signed in at the provider only.
    pub fn browser_of(&self, person: &str) -> Browser {
        let browser = self.browser();
        browser.at_provider(&self.sandbox.sign_in(person).unwrap());
        browser
    }

    /// A browser whose person is signed in here too.
    pub async fn signed_in(&self, person: &str) -> Browser {
        let browser = self.browser_of(person);
        let hops = browser.follow("/auth/login").await;
        assert_eq!(hops.last().unwrap().status, 200, "{hops:?}");
        assert!(browser.cookie(super::SESSION).is_some(), "{hops:?}");
        browser
    }

    /// The session cookie's value of a person who signed in as behind a proxy that ends TLS.
    pub async fn signed_in_over_https(&self, person: &str) -> String {
        let browser = self.browser_of(person);
        let start = browser.navigate("/auth/login").await.location().unwrap();
        let mut callback = browser.navigate(start.as_str()).await.location().unwrap();
        callback.set_scheme("http").unwrap();
        browser.navigate(callback.as_str()).await;
        browser.cookie(&format!("__Host-{}", super::SESSION)).unwrap()
    }

    /// A browser whose person is signed in and has just proved again who they are.
    pub async fn confirmed(&self, person: &str) -> Browser {
        let browser = self.signed_in(person).await;
        let hops = browser.follow("/auth/confirm").await;
        browser.choose(hops.last().unwrap(), person).await;
        browser
    }

    /// How often an endpoint of the provider was asked.
    pub fn count(&self, endpoint: Endpoint) -> u64 {
        self.sandbox.count(endpoint)
    }

    /// One number from the database.
    pub async fn number(&self, query: &str) -> i64 {
        // The queries are those written in the tests.
        sqlx::query_scalar(AssertSqlSafe(query.to_owned())).fetch_one(&self.app.db).await.unwrap()
    }

    /// One text from the database.
    pub async fn text(&self, query: &str) -> Option<String> {
        sqlx::query_scalar(AssertSqlSafe(query.to_owned())).fetch_one(&self.app.db).await.unwrap()
    }

    /// Changes rows; gives how many.
    pub async fn execute(&self, statement: &str) -> u64 {
        let done = sqlx::query(AssertSqlSafe(statement.to_owned())).execute(&self.app.db).await;
        done.unwrap().rows_affected()
    }

    /// Rows of users and of sessions.
    pub async fn rows(&self) -> (i64, i64) {
        let users = self.number("select count(*) from users").await;
        (users, self.number("select count(*) from sessions").await)
    }
}
