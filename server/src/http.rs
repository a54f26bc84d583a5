//! HTTP: the router, its layers, the guard and the answers.

pub mod cookies;
pub mod decision;
pub mod deliveries;
pub mod events;
pub mod facts;
pub mod guard;
pub mod health;
pub mod pages;
pub mod present;
pub mod refusal;
pub mod request_id;
pub mod respond;
pub mod router;
pub mod security;
pub mod site;
