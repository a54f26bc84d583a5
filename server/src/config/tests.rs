//! One test for each kind of fault, and for what is filled in when nothing is set.

use std::collections::HashMap;
use std::path::PathBuf;

use super::*;

/// An environment, a deployment file and a data directory of their own.
struct Place {
    dir: tempfile::TempDir,
    vars: HashMap<String, String>,
}

impl Place {
    fn empty() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let place = Self { dir, vars: HashMap::new() };
        let data = place.path("data");
        place.with("CAMPUS_DATA_DIR", data.to_str().unwrap())
    }

    fn production() -> Self {
        Self::empty()
            .with("APP_ENV", "production")
            .with("APP_URL", "https://desk.example.edu.ng")
            .with("DATABASE_URL", "postgres://campus:hunter2@db/campus_desk")
            .with("SESSION_SECRET", &"s".repeat(32))
            .with("CAMPUS_ONE_CLIENT_ID", "desk")
            .with("CAMPUS_ONE_CLIENT_SECRET", "client-secret-value")
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn with(mut self, name: &str, value: &str) -> Self {
        self.vars.insert(name.to_owned(), value.to_owned());
        self
    }

    fn without(mut self, name: &str) -> Self {
        self.vars.remove(name);
        self
    }

    fn with_file(self, name: &str, content: &str) -> Self {
        let path = self.path(name);
        std::fs::write(&path, content).unwrap();
        self.with(&format!("{name}_FILE"), path.to_str().unwrap())
    }

    fn deployed(self, toml: &str) -> Self {
        std::fs::write(self.path("Leptos.toml"), toml).unwrap();
        self
    }

    fn read(&self) -> Result<Settings, ConfigError> {
        Settings::read(|name| self.vars.get(name).cloned(), &self.path("Leptos.toml"))
    }

    /// The names at fault.
    fn faults(&self) -> Vec<String> {
        let error = self.read().expect_err("there is a fault");
        for fault in &error.faults {
            assert!(!fault.problem.is_empty() && !fault.example.is_empty(), "{fault:?}");
        }
        error.faults.into_iter().map(|fault| fault.name).collect()
    }

    fn problem(&self) -> String {
        let error = self.read().expect_err("there is a fault");
        assert_eq!(error.faults.len(), 1, "{error}");
        error.faults[0].problem.clone()
    }
}

fn campus_one(settings: Settings) -> CampusOneSettings {
    match settings.provider {
        ProviderSettings::CampusOne(campus_one) => campus_one,
        #[cfg(feature = "sandbox")]
        ProviderSettings::Sandbox { .. } => panic!("not the sandbox"),
    }
}

#[cfg(all(feature = "sandbox", feature = "embedded-db"))]
#[test]
fn nothing_set_is_a_whole_development_server() {
    let place = Place::empty();
    let settings = place.read().unwrap();
    assert_eq!(settings.env, AppEnv::Development);
    assert_eq!(settings.app_url.as_str(), "http://localhost:3000/");
    assert_eq!(settings.origin(), "http://localhost:3000");
    assert!(!settings.cookie_secure());
    assert!(matches!(settings.database, DatabaseSettings::Embedded));
    assert!(
        matches!(settings.provider, ProviderSettings::Sandbox { addr, .. } if addr.port() == 3010)
    );
    assert_eq!(settings.log.format, LogFormat::Pretty);
    assert!(settings.ssojet.is_none() && settings.django_sso.is_none());
    assert_eq!(settings.deployment, Deployment::default());

    let again = place.read().unwrap();
    assert_eq!(settings.session_secret.expose(), again.session_secret.expose());
    assert!(settings.session_secret.expose().len() >= SESSION_SECRET_BYTES);
    let webhook = settings.webhook.current.unwrap();
    assert_ne!(webhook.expose(), settings.session_secret.expose());
    #[cfg(unix)]
    for name in ["session-secret", "webhook-secret"] {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::metadata(place.path("data").join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}

#[test]
fn production_keeps_what_it_is_given() {
    let settings = Place::production().read().unwrap();
    assert_eq!(settings.log.format, LogFormat::Json);
    assert!(settings.is_https() && settings.cookie_secure());
    assert!(settings.webhook.current.is_none());
    let provider = campus_one(settings);
    assert_eq!(provider.issuer, "https://auth.campusone.com.ng");
    assert_eq!(
        provider.discovery_url.as_str(),
        "https://auth.campusone.com.ng/api/auth/.well-known/openid-configuration"
    );
    assert_eq!(provider.scopes, CampusOneSettings::default_scopes());
}

#[test]
fn production_fills_nothing_in_and_names_all_that_is_missing() {
    let place = Place::empty().with("APP_ENV", "production");
    assert_eq!(
        place.faults(),
        [
            "APP_URL",
            "DATABASE_URL",
            "CAMPUS_ONE_CLIENT_ID",
            "CAMPUS_ONE_CLIENT_SECRET",
            "SESSION_SECRET"
        ]
    );
    assert!(!place.path("data").exists());
    let text = place.read().unwrap_err().to_string();
    assert!(text.starts_with("5 settings are not usable:\n- APP_URL: is missing"), "{text}");
    assert!(text.contains("for example: SESSION_SECRET=$(openssl rand -base64 48)"), "{text}");
}

#[test]
fn secrets_are_in_no_print() {
    let settings = Place::production().read().unwrap();
    let print = format!("{settings:?}");
    assert!(print.contains("[secret]"));
    for secret in ["hunter2", "client-secret-value", &"s".repeat(32)] {
        assert!(!print.contains(secret), "{print}");
    }
    assert_eq!(Secret::new("x").to_string(), "[secret]");
}

#[test]
fn faults_of_a_secret_do_not_quote_it() {
    let place = Place::production()
        .with("DATABASE_URL", "mysql://campus:hunter2@db/campus_desk")
        .with("SESSION_SECRET", "hunter2");
    let error = place.read().unwrap_err();
    assert_eq!(error.faults.len(), 2);
    assert!(!error.to_string().contains("hunter2"), "{error}");
}

#[test]
fn a_file_stands_for_a_variable() {
    let place = Place::production()
        .without("CAMPUS_ONE_CLIENT_SECRET")
        .with_file("CAMPUS_ONE_CLIENT_SECRET", "from a file\r\n");
    assert_eq!(campus_one(place.read().unwrap()).client_secret.expose(), "from a file");
}

#[test]
fn a_file_that_is_missing_or_empty_or_one_too_many_is_a_fault() {
    let place = Place::production().with("CAMPUS_ONE_WEBHOOK_SECRET_FILE", "/nowhere/at/all");
    assert!(place.problem().contains("cannot be read"));
    let place = Place::production().with_file("CAMPUS_ONE_WEBHOOK_SECRET", "\n");
    assert!(place.problem().contains("empty file"));
    let place = Place::production().with_file("CAMPUS_ONE_CLIENT_SECRET", "again");
    assert!(place.problem().contains("keep one of them"));
}

#[test]
fn an_empty_variable_is_unset() {
    assert!(Place::production().with("METRICS_ADDR", "").read().unwrap().metrics_addr.is_none());
    assert_eq!(Place::production().with("SESSION_SECRET", " ").faults(), ["SESSION_SECRET"]);
}

#[test]
fn values_out_of_their_form_are_faults() {
    for (name, value) in [
        ("APP_ENV", "staging"),
        ("APP_URL", "desk.example.edu.ng"),
        ("APP_URL", "http://desk.example.edu.ng"),
        ("APP_URL", "https://desk.example.edu.ng/desk"),
        ("APP_URL", "https://desk.example.edu.ng/?a=b"),
        ("APP_URL", "https://me:pw@desk.example.edu.ng"),
        ("APP_URL", "ftp://desk.example.edu.ng"),
        ("DATABASE_URL", "campus_desk"),
        ("DATABASE_URL", "mysql://db/campus_desk"),
        ("SESSION_SECRET", "short"),
        ("SESSION_SECRET_PREVIOUS", "short"),
        ("CAMPUS_ONE_ISSUER", "http://auth.campusone.com.ng"),
        ("CAMPUS_ONE_ISSUER", "https://auth.campusone.com.ng?x=1"),
        ("CAMPUS_ONE_DISCOVERY_URL", "http://auth.campusone.com.ng/x"),
        ("CAMPUS_ONE_SCOPES", "profile email"),
        ("CAMPUS_ONE_SCOPES", "openid \"email\""),
        ("DJANGO_SSO_URL", "https://sso.example.edu.ng#x"),
        ("LEPTOS_SITE_ADDR", "localhost"),
        ("LEPTOS_HASH_FILES", "yes"),
        ("METRICS_ADDR", "9100"),
        ("METRICS_ADDR", "127.0.0.1:3000"),
        ("RUST_LOG", "campus_server=loud"),
        ("LOG_FORMAT", "xml"),
    ] {
        let mut place = Place::production().with(name, value);
        if name == "DJANGO_SSO_URL" {
            place = place.with("DJANGO_SSO_TOKEN", "token");
        }
        assert_eq!(place.faults(), [name], "{name}={value}");
    }
}

#[test]
fn plain_http_is_for_this_machine_only() {
    for url in ["http://localhost:3000", "http://127.0.0.1", "http://[::1]:8080"] {
        let place = Place::production().with("APP_URL", url).with("CAMPUS_ONE_ISSUER", url);
        let settings = place.read().unwrap();
        assert!(!settings.is_https());
        assert_eq!(campus_one(settings).issuer, url);
    }
}

#[test]
fn the_issuer_stays_letter_for_letter() {
    let place = Place::production().with("CAMPUS_ONE_ISSUER", "https://auth.example.edu.ng/");
    let provider = campus_one(place.read().unwrap());
    assert_eq!(provider.issuer, "https://auth.example.edu.ng/");
    assert_eq!(
        provider.discovery_url.as_str(),
        "https://auth.example.edu.ng/api/auth/.well-known/openid-configuration"
    );
}

#[test]
fn scopes_are_separated_by_spaces_or_commas() {
    let place = Place::production().with("CAMPUS_ONE_SCOPES", "openid, email,roles email");
    assert_eq!(campus_one(place.read().unwrap()).scopes, ["openid", "email", "roles"]);
}

#[test]
fn half_a_client_is_a_fault_in_development_too() {
    let place = Place::empty()
        .with("APP_ENV", "development")
        .with("DATABASE_URL", "postgres://db/campus_desk");
    let with_id = Place { vars: place.vars.clone(), dir: tempfile::tempdir().unwrap() }
        .with("CAMPUS_ONE_CLIENT_ID", "desk");
    assert_eq!(with_id.faults(), ["CAMPUS_ONE_CLIENT_SECRET"]);
    let with_secret = place.with("CAMPUS_ONE_CLIENT_SECRET", "secret");
    assert!(with_secret.problem().contains("CAMPUS_ONE_CLIENT_SECRET is set"));
}

#[test]
fn doors_are_whole_or_absent() {
    let ssojet = Place::production()
        .with("SSOJET_ISSUER_URL", "https://auth.ssojet.com")
        .with("SSOJET_REDIRECT_URI", "https://desk.example.edu.ng/auth/callback");
    assert_eq!(ssojet.faults(), ["SSOJET_CLIENT_ID", "SSOJET_CLIENT_SECRET"]);
    let ssojet = ssojet.with("SSOJET_CLIENT_ID", "id").with("SSOJET_CLIENT_SECRET", "secret");
    assert!(ssojet.read().unwrap().ssojet.is_some());
    let elsewhere = ssojet.with("SSOJET_REDIRECT_URI", "https://other.example/auth/callback");
    assert!(elsewhere.problem().contains("not an address of APP_URL"));

    let django = Place::production().with("DJANGO_SSO_TOKEN", "token");
    assert_eq!(django.faults(), ["DJANGO_SSO_URL"]);
    let django = django.with("DJANGO_SSO_URL", "https://sso.example.edu.ng");
    assert!(django.read().unwrap().django_sso.is_some());
}

#[test]
fn a_previous_webhook_secret_needs_a_current_one() {
    let place = Place::production().with("CAMPUS_ONE_WEBHOOK_SECRET_PREVIOUS", "old");
    assert_eq!(place.faults(), ["CAMPUS_ONE_WEBHOOK_SECRET"]);
}

#[cfg(feature = "sandbox")]
#[test]
fn the_sandbox_stays_on_this_machine() {
    let place = Place::empty()
        .with("DATABASE_URL", "postgres://db/campus_desk")
        .with("SANDBOX_ADDR", "0.0.0.0:3010");
    assert_eq!(place.faults(), ["SANDBOX_ADDR"]);
}

#[cfg(feature = "sandbox")]
#[test]
fn the_sandbox_imitates_either_generation() {
    let place = Place::empty().with("DATABASE_URL", "postgres://db/campus_desk");
    let profile = |place: &Place| match place.read().unwrap().provider {
        ProviderSettings::Sandbox { profile, .. } => profile,
        ProviderSettings::CampusOne(_) => panic!("no client is configured"),
    };
    assert_eq!(profile(&place), campus_sandbox::Profile::Gen1);
    let place = place.with("SANDBOX_PROFILE", "gen2");
    assert_eq!(profile(&place), campus_sandbox::Profile::Gen2);
    assert_eq!(place.with("SANDBOX_PROFILE", "gen3").faults(), ["SANDBOX_PROFILE"]);
}

#[test]
fn a_data_directory_that_cannot_be_made_is_a_fault_of_the_secret() {
    let place = Place::production().with("APP_ENV", "development").without("SESSION_SECRET");
    std::fs::write(place.path("data"), "a file, not a directory").unwrap();
    assert!(place.problem().contains("cannot be kept in"));
}

#[test]
fn the_app_url_follows_the_site_address_in_development() {
    let place = Place::production()
        .with("APP_ENV", "development")
        .without("APP_URL")
        .with("LEPTOS_SITE_ADDR", "127.0.0.1:4000");
    assert_eq!(place.read().unwrap().origin(), "http://localhost:4000");
    // One fault, not a second one for what would follow from it.
    assert_eq!(place.with("LEPTOS_SITE_ADDR", "x").faults(), ["LEPTOS_SITE_ADDR"]);
}

#[test]
fn variables_win_over_the_deployment_file() {
    let file = "[session]\nidle_minutes = 60\n[[workspace.metadata.leptos]]\nsite-addr = \
                \"127.0.0.1:4001\"\nsite-root = \"site\"\n";
    let place = Place::production().deployed(file).with("LEPTOS_SITE_ADDR", "0.0.0.0:80");
    let deployment = place.read().unwrap().deployment;
    assert_eq!(deployment.site.addr.to_string(), "0.0.0.0:80");
    assert_eq!(deployment.site.root, PathBuf::from("site"));
    assert_eq!(deployment.session.idle().as_secs(), 3600);
    assert_eq!(deployment.session.admin_idle_minutes, 30);
    assert_eq!(deployment.provider, ProviderLimits::default());
}

#[test]
fn the_deployment_file_takes_no_unknown_key_and_no_secret() {
    for file in [
        "[server]\ntimeout = 3\n",
        "[database]\nurl = \"postgres://x\"\n",
        "[provider]\nclient_secret = \"hunter2\"\n",
        "[[workspace.metadata.leptos]]\nsession-secret = \"hunter2\"\n",
        "[server\nhunter2",
    ] {
        let place = Place::production().deployed(file);
        let problem = place.problem();
        assert!(problem.starts_with("line "), "{problem}");
        assert!(!problem.contains("hunter2"), "{problem}");
        assert!(place.faults()[0].ends_with("Leptos.toml"));
    }
}

#[test]
fn the_deployment_file_keeps_its_numbers_in_range() {
    let file = "[server]\nrequest_timeout_seconds = 0\nbody_limit_bytes = 1\n[session]\n\
                idle_minutes = 20000\nabsolute_days = 1\nadmin_idle_minutes = 30000\n[provider]\n\
                timeout_seconds = 61\nleeway_seconds = 301\nrevalidate_seconds = 9\n";
    // A faulty variable joins the same list.
    let faults = Place::production().deployed(file).with("LOG_FORMAT", "xml").faults();
    let keys: Vec<&str> =
        faults.iter().map(|name| name.rsplit(' ').next().unwrap_or(name)).collect();
    assert_eq!(
        keys,
        [
            "request_timeout_seconds",
            "body_limit_bytes",
            "timeout_seconds",
            "leeway_seconds",
            "revalidate_seconds",
            "admin_idle_minutes",
            "idle_minutes",
            "LOG_FORMAT"
        ]
    );
}

fn repository_file(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(name);
    std::fs::read_to_string(&path).unwrap()
}

#[test]
fn the_deployment_file_agrees_with_the_workspace() {
    let leptos = |file: &str| -> toml::Table {
        let table: toml::Table = repository_file(file).parse().unwrap();
        table["workspace"]["metadata"]["leptos"][0].as_table().unwrap().clone()
    };
    let workspace = leptos("Cargo.toml");
    for (key, value) in leptos("Leptos.toml") {
        assert_eq!(workspace.get(&key), Some(&value), "{key}");
    }
    let deployed = Place::production().deployed(&repository_file("Leptos.toml")).read().unwrap();
    assert_eq!(deployed.deployment, Deployment::default(), "the file shows the defaults");
}

#[test]
fn the_example_names_every_variable() {
    let example = repository_file(".env.example");
    for var in vars::ALL {
        assert!(var.example.starts_with(var.name));
        let line = format!("#{}=", var.name);
        assert!(example.lines().any(|text| text.starts_with(&line)), "{}", var.name);
    }
}
