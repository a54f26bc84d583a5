//! The line on every page of a viewer whom the provider could not confirm for a while.

use campus::viewer::Standing;
use leptos::prelude::*;

/// The line; nothing for somebody who is confirmed.
pub(crate) fn stale(standing: Standing) -> Option<impl IntoView + use<>> {
    let Standing::Stale { confirmed, .. } = standing else { return None };
    let when = confirmed.map(|at| {
        view! {
            "What you see was confirmed at "
            <time datetime=at.rfc3339()>{at.lagos_text()}</time>
            " and may have changed since. "
        }
    });
    Some(view! {
        <div class="stale" role="status">
            <p class="wrap">
                <strong>"Campus One cannot be reached. "</strong>
                {when}
                "Actions that need a confirmed role wait until it answers."
            </p>
        </div>
    })
}
