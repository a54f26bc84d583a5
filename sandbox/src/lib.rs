//! A Campus One to develop and test against: an OpenID Provider with the manners of the real one,
//! personas to sign in as, and misbehaviour on demand.
//!
//! Boundary: only development builds and tests use this crate. It knows nothing of Campus Desk; all
//! it shares with it is the protocol.

mod answer;
mod api;
mod authorize;
mod calendar;
mod client;
mod command;
mod connection;
mod consent;
mod control;
mod control_page;
mod discovery;
mod endpoint;
mod form;
mod grant;
mod id_token;
mod keys;
mod logout;
mod logout_token;
mod memory;
mod misbehaviour;
mod options;
mod pages;
mod persona;
mod refresh;
mod roster;
mod server;
mod session;
mod state_file;
mod token;
mod userinfo;
mod webhook;

pub use calendar::{Period, Semester};
pub use client::Client;
pub use command::{Command, PersonChange};
pub use control::{Control, ControlError};
pub use endpoint::{Down, Endpoint, Trouble};
pub use keys::Algorithm;
pub use misbehaviour::Misbehaviour;
pub use options::{Options, Profile};
pub use persona::{Academic, Persona};
pub use server::{Sandbox, SandboxError};
pub use webhook::{Signature, Webhook};
