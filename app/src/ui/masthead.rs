//! The top of a page: its heading under the sky of the running term.

use crate::ui::horizon::horizon;
use campus::instant::Instant;
use campus::semester::Term;
use leptos::prelude::*;

/// The heading's place.
#[component]
pub(crate) fn Masthead(now: Instant, children: Children) -> impl IntoView {
    view! {
        <div class="masthead">
            <div class="wrap">{children()}</div>
            {horizon(Term::at(now))}
        </div>
    }
}
