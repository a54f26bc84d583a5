//! A link that looks like a button: the page's main way on.

use crate::ui::link::Link;
use leptos::prelude::*;

/// The main action of a page.
#[component]
pub(crate) fn ButtonLink(href: Link, label: &'static str) -> impl IntoView {
    view! {
        <a class="button" href=href.into_string()>
            {label}
        </a>
    }
}

/// An action beside the main one.
#[component]
pub(crate) fn QuietLink(href: Link, label: &'static str) -> impl IntoView {
    view! {
        <a class="quiet-link" href=href.into_string()>
            {label}
        </a>
    }
}
