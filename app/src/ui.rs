//! The shared components. What the browser needs is the islands; the rest is drawn on the server.

pub(crate) mod session_watch;

#[cfg(feature = "ssr")]
pub(crate) mod avatar;
#[cfg(feature = "ssr")]
pub(crate) mod badge;
#[cfg(feature = "ssr")]
pub(crate) mod button;
#[cfg(feature = "ssr")]
pub(crate) mod card;
#[cfg(feature = "ssr")]
pub(crate) mod footer;
#[cfg(feature = "ssr")]
pub(crate) mod header;
#[cfg(feature = "ssr")]
pub(crate) mod horizon;
#[cfg(feature = "ssr")]
pub(crate) mod link;
#[cfg(feature = "ssr")]
pub(crate) mod masthead;
#[cfg(feature = "ssr")]
pub(crate) mod ribbon;
#[cfg(feature = "ssr")]
pub(crate) mod stale;
#[cfg(feature = "ssr")]
pub(crate) mod table;
#[cfg(feature = "ssr")]
pub(crate) mod term;
#[cfg(feature = "ssr")]
pub(crate) mod told;
