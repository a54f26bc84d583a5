//! The footer.

use leptos::prelude::*;

/// The same on every page.
pub(crate) fn footer() -> impl IntoView {
    view! {
        <footer class="footer">
            <p class="wrap">"Campus Desk · runs on Campus One · all times are Lagos time"</p>
        </footer>
    }
}
