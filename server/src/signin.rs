//! Sign-in: from "nobody" to a session, by way of the provider.
//!
//! `flow` is one pending sign-in, `answer` decides what a provider's answer means, `exchange` turns a code
//! into proven claims and `tokens`, `redemption` does that once, and the handlers in `start`, `callback` and
//! `leave` perform what was decided. `leave_provider` and `backchannel` are the two directions in which a
//! sign-out travels, `step_up` asks the provider to ask a person again.

pub mod answer;
pub mod backchannel;
pub mod callback;
pub mod client;
pub mod client_auth;
pub mod exchange;
pub mod flow;
pub mod id_token;
pub mod jws;
pub mod leave;
pub mod leave_provider;
pub mod login;
pub mod logout_token;
pub mod provider;
pub mod redemption;
pub mod start;
pub mod step_up;
pub mod tokens;
