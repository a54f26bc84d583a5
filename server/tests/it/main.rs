//! The server from outside: a browser, the application, the sandbox provider and a real PostgreSQL.
//!
//! The rules under test are those of the guard, the gates, the callback, the token checks, the merge of
//! claims and the sessions. A server to make databases on is named by `TEST_DATABASE_URL`; without it each process
//! starts a private one.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod account;
mod admin;
mod answers;
mod articles;
mod callback_codes;
mod callback_errors;
mod gates;
mod guard;
mod guard_refusals;
mod hammer;
mod merge;
mod outage;
mod policy;
mod secrets;
mod session_end;
mod sessions;
mod support;
mod tokens_accepted;
mod tokens_refused;
