//! `campus-server`: reads the command line and the settings, starts what a development build brings along,
//! and does what it was told: serve, unless another command is given.

#![allow(clippy::print_stderr, reason = "faults of the start are for the person at the terminal")]

use campus_server::commands::{self, Command, CommandLine};
use campus_server::config::{
    CampusOneSettings, DatabaseSettings, ProviderSettings, Secret, Settings,
};
use campus_server::serve::{self, Application};
use campus_server::{store, telemetry};
use clap::Parser as _;
use std::error::Error;
use std::process::ExitCode;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

/// `EX_CONFIG` of sysexits.h.
const BAD_SETTINGS: u8 = 78;

fn main() -> ExitCode {
    let command = CommandLine::parse().command.unwrap_or_default();
    let settings = match Settings::from_process() {
        Ok(settings) => settings,
        Err(faults) => {
            eprintln!("{faults}");
            return ExitCode::from(BAD_SETTINGS);
        }
    };
    match run(&settings, command) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("campus-server cannot go on: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(settings: &Settings, command: Command) -> Result<ExitCode, Box<dyn Error>> {
    if command == Command::Serve {
        telemetry::init(settings.log.format, settings.log.filter.as_deref())?;
    }
    // Held until the end: dropping the private database stops it.
    #[cfg(feature = "embedded-db")]
    let mut private_database = None;
    let database_url = match &settings.database {
        DatabaseSettings::External(url) => url.clone(),
        #[cfg(feature = "embedded-db")]
        DatabaseSettings::Embedded => {
            let database = campus_server::embedded_db::EmbeddedDatabase::start(&settings.data_dir)?;
            tracing::info!(
                port = database.port(),
                "using a private PostgreSQL in the data directory"
            );
            private_database.insert(database).url().clone()
        }
    };
    let threads = std::thread::available_parallelism().map_or(4, |cores| cores.get().max(4));
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(threads).enable_all().build()?;
    runtime.block_on(async {
        match command {
            Command::Serve => serve(settings, &database_url).await.map(|()| ExitCode::SUCCESS),
            Command::Audit(command) => {
                let db = store::open(database_url.expose())?;
                store::migrate(&db).await?;
                Ok(commands::audit::run(command, &db).await?)
            }
        }
    })
}

async fn serve(settings: &Settings, database_url: &Secret) -> Result<(), Box<dyn Error>> {
    let assets = serve::assets(&settings.deployment.site)?;
    let listener = TcpListener::bind(settings.deployment.site.addr).await?;
    match &settings.provider {
        ProviderSettings::CampusOne(campus_one) => {
            announce(settings, campus_one, "");
            let application = Application::build(
                settings,
                listener,
                database_url,
                campus_one.clone(),
                None,
                assets,
            );
            application.await?.run_until(asked_to_stop()).await?;
        }
        #[cfg(feature = "sandbox")]
        ProviderSettings::Sandbox { addr, profile } => {
            let running = campus_server::sandbox::start(settings, *addr, *profile).await?;
            let personas = campus_server::sandbox::personas_text(&running.sandbox);
            let application = Application::build(
                settings,
                listener,
                database_url,
                running.campus_one.clone(),
                Some(running.ribbon),
                assets,
            )
            .await?;
            announce(settings, &running.campus_one, &personas);
            application.run_until(asked_to_stop()).await?;
            running.sandbox.stop().await;
        }
    }
    Ok(())
}

/// Tells the person at the terminal where to go.
fn announce(settings: &Settings, campus_one: &CampusOneSettings, personas: &str) {
    tracing::info!(
        address = %settings.app_url,
        issuer = campus_one.issuer,
        sandbox = !personas.is_empty(),
        "Campus Desk serves",
    );
    if !personas.is_empty() {
        eprintln!(
            "\nCampus Desk is at {}\nSandbox Campus One is at {}\n\n{personas}",
            settings.app_url, campus_one.issuer
        );
    }
}

async fn asked_to_stop() {
    let Ok(mut terminate) = signal(SignalKind::terminate()) else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = tokio::signal::ctrl_c() => {}
    }
    tracing::info!("stopping: answers under way are finished first");
}
