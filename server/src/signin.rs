//! Sign-in: from "nobody" to a session, by way of the provider.
//!
//! `flow` is one pending sign-in, `answer` decides what a provider's answer means, `exchange` turns a code
//! into proven claims and `tokens`, `redemption` does that once, and the handlers in `start`, `callback` and `leave`
//! perform what was decided.

pub mod answer;
pub mod callback;
pub mod client;
pub mod exchange;
pub mod flow;
pub mod id_token;
pub mod jws;
pub mod leave;
pub mod login;
pub mod provider;
pub mod redemption;
pub mod start;
pub mod tokens;
