//! The island that keeps private pages from outliving the session: a page that is shown again, from
//! the back/forward cache or after its tab was hidden, asks whether the same person is still signed
//! in, and is loaded anew if not.

use leptos::prelude::*;

#[cfg(all(feature = "hydrate", target_arch = "wasm32"))]
mod browser;

/// Watches for `subject`; shows nothing.
#[island]
pub(crate) fn SessionWatch(
    /// The subject of the person this page was made for.
    subject: String,
) -> impl IntoView {
    #[cfg(all(feature = "hydrate", target_arch = "wasm32"))]
    browser::watch(subject);
    #[cfg(not(all(feature = "hydrate", target_arch = "wasm32")))]
    drop(subject);
}
