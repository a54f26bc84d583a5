//! The island that keeps private pages true. A page that is shown again, from the back/forward cache or
//! after its tab was hidden, asks whether the same person is still signed in, and is loaded anew if not.
//! While it is visible it listens: when the person's roles change it says so, and when the session ends it
//! is loaded anew, which shows why.

use leptos::prelude::*;

#[cfg(all(feature = "hydrate", target_arch = "wasm32"))]
mod browser;

/// Watches for `subject`; shows nothing until there is something to say.
#[island]
pub(crate) fn SessionWatch(
    /// The subject of the person this page was made for.
    subject: String,
    /// The version of the roles it was made for.
    roles: String,
) -> impl IntoView {
    let changed = RwSignal::new(false);
    #[cfg(all(feature = "hydrate", target_arch = "wasm32"))]
    browser::watch(subject, &roles, changed);
    #[cfg(not(all(feature = "hydrate", target_arch = "wasm32")))]
    drop((subject, roles));
    view! {
        <div class="news" role="status">
            {move || {
                changed
                    .get()
                    .then(|| {
                        view! {
                            <p>
                                "Your roles in Campus One have changed. "
                                <a href="">"Show this page as it is now"</a>
                            </p>
                        }
                    })
            }}
        </div>
    }
}
