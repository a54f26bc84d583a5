//! HTTP: the routes, their layers, guard and gate, and the answers.

pub mod admin;
pub mod articles;
pub mod client;
pub mod cookies;
pub mod decision;
pub mod deliveries;
pub mod events;
pub mod facts;
pub mod gate;
pub mod guard;
pub mod health;
pub mod pages;
pub mod present;
pub mod rate;
pub mod refusal;
pub mod request_id;
pub mod respond;
pub mod router;
pub mod routes;
pub mod security;
pub mod site;
