//! The server of Campus Desk: sign-in, sessions, store and pages over HTTP.

pub mod app;
pub mod audit;
pub mod clock;
pub mod commands;
pub mod config;
#[cfg(feature = "embedded-db")]
pub mod embedded_db;
pub mod freshness;
pub mod http;
pub mod jobs;
pub mod live;
pub mod people;
#[cfg(feature = "sandbox")]
pub mod sandbox;
pub mod seal;
pub mod serve;
pub mod session;
pub mod signin;
pub mod store;
pub mod telemetry;
pub mod webhook;
