//! A quiet line for somebody who was signed in again without noticing: why that was needed.

use campus::reason::EndReason;
use leptos::prelude::*;

/// The line.
pub(crate) fn told(reason: EndReason, signed_in: bool) -> impl IntoView {
    let now = signed_in.then_some(" Campus One knew you, so you are signed in again.");
    view! { <p class="wrap told">{reason.text()} {now}</p> }
}
