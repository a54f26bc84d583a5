//! What every test stands on.

mod aging;
mod answer;
mod browser;
mod database;
mod delivery;
mod process;
mod test_app;

pub use answer::{Answer, parameter};
pub use browser::Browser;
pub use database::TestDatabase;
pub use delivery::{Sender, at, disconnected, event, hex, hmac, role_changed};
pub use process::ServerProcess;
pub use test_app::{
    CLIENT_ID, CLIENT_SECRET, Setup, TestApp, WEBHOOK_SECRET, WEBHOOK_SECRET_PREVIOUS,
};

/// Both addresses at which the provider's answers arrive.
pub const CALLBACKS: [&str; 2] = ["/api/auth/callback/campus-one", "/auth/callback"];
/// The session cookie's name over http.
pub const SESSION: &str = "campus_desk";
/// The anonymous marker.
pub const ANONYMOUS: &str = "c1_anon";
/// The marker of a sign-out.
pub const SIGNED_OUT: &str = "c1_signedout";
