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
mod attacks_claims;
mod attacks_csrf;
mod attacks_keys;
mod attacks_requests;
mod attacks_sign_in;
mod audit;
mod backchannel;
mod callback_codes;
mod callback_errors;
mod faults_database;
mod faults_process;
mod faults_provider;
mod freshness;
mod freshness_refresh;
mod freshness_tokens;
mod gates;
mod guard;
mod guard_refusals;
mod hammer;
mod https;
mod leaving;
mod leaving_provider;
mod live;
mod merge;
mod outage;
mod policy;
mod profiles;
mod rates;
mod secrets;
mod seed_defects;
mod session_end;
mod sessions;
mod step_up;
mod support;
mod tokens_accepted;
mod tokens_refused;
mod webhooks;
mod webhooks_admin;
mod webhooks_effects;
mod webhooks_kept;
mod webhooks_refused;
