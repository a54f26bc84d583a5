//! The line above every page of an installation that is not the real one.

use crate::document::Ribbon;
use crate::ui::link::Link;
use leptos::prelude::*;

/// The line, with its link where the address is acceptable.
pub(crate) fn ribbon(ribbon: &Ribbon) -> impl IntoView + use<> {
    let words = ribbon.link_text.clone();
    let link = ribbon.href.as_deref().and_then(Link::parse);
    view! {
        <aside class="ribbon" aria-label="About this installation">
            <p class="wrap">
                <span>{ribbon.text.clone()}</span>
                {link.map(|href| view! { <a href=href.into_string()>{words}</a> })}
            </p>
        </aside>
    }
}
