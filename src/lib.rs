//! The domain of Campus Desk: what claims, roles, people and access *are*.
//!
//! No framework, no I/O and no clock live here: everything is a value or a pure function, so the
//! same code serves the server and the browser and can be tested without either.

pub mod access;
pub mod audit;
pub mod claims;
pub mod event;
pub mod instant;
pub mod notice;
pub mod overview;
pub mod person;
pub mod reason;
pub mod report;
pub mod return_path;
pub mod role;
pub mod semester;
pub mod viewer;
