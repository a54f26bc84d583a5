//! The pages, by area.

pub(crate) mod admin;
pub(crate) mod dashboard;
pub(crate) mod error;
pub(crate) mod home;
pub(crate) mod signed_out;

pub use admin::AdminPage;
pub use admin::deliveries::{DeliveriesPage, Delivery, RefusedDeliveries};
pub use admin::reports::ReportsPage;
pub use dashboard::DashboardPage;
pub use error::ErrorPage;
pub use signed_out::{AtProvider, SignedOutPage};
