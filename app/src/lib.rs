//! The pages, components and islands of Campus Desk.
//!
//! A page is a plain function from values to a whole document: the server reads its data first and
//! then calls [`render`]. Nothing here waits, asks a clock or opens a connection. What must move in
//! the browser is an island; the browser's build (feature `hydrate`) contains those and nothing else.

#[cfg(feature = "ssr")]
mod assets;
#[cfg(feature = "ssr")]
mod document;
#[cfg(feature = "ssr")]
mod markers;
#[cfg(feature = "ssr")]
mod pages;
mod ui;

#[cfg(feature = "ssr")]
pub use crate::{
    assets::{Assets, AssetsError},
    document::{Chrome, Page, Ribbon, render},
    pages::{
        AdminPage, AtProvider, DashboardPage, DeliveriesPage, Delivery, ErrorPage,
        RefusedDeliveries, ReportsPage, SignedOutPage,
    },
};
