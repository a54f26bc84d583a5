//! A card: a heading, facts, and how fresh they are.

use campus::instant::{Instant, ago};
use campus::person::Facts;
use leptos::prelude::*;

/// A section with a heading; `id` names the heading for those who do not see the frame.
#[component]
pub(crate) fn Card(
    id: &'static str,
    title: String,
    #[prop(optional)] class: &'static str,
    children: Children,
) -> impl IntoView {
    let class = format!("card {class}");
    view! {
        <section class=class.trim_end().to_owned() aria-labelledby=id>
            <h2 id=id>{title}</h2>
            {children()}
        </section>
    }
}

/// One fact of a card's list.
pub(crate) fn fact(name: &'static str, value: impl IntoView + 'static) -> AnyView {
    view! { <div>{name_and_value(name, value)}</div> }.into_any()
}

/// One fact that needs the whole width.
pub(crate) fn wide_fact(name: &'static str, value: impl IntoView + 'static) -> AnyView {
    view! { <div class="fact-wide">{name_and_value(name, value)}</div> }.into_any()
}

fn name_and_value(name: &'static str, value: impl IntoView + 'static) -> impl IntoView {
    view! {
        <dt>{name}</dt>
        <dd>{value}</dd>
    }
}

/// One fact that may not have been sent.
pub(crate) fn fact_or_absent(name: &'static str, value: Option<String>) -> AnyView {
    match value {
        Some(value) => fact(name, view! { <bdi>{value}</bdi> }),
        None => fact(name, view! { <span class="absent">"not sent"</span> }),
    }
}

/// When facts were true and where they were learned.
pub(crate) fn freshness<T>(facts: &Facts<T>, now: Instant) -> impl IntoView + use<T> {
    let at = facts.as_of;
    let rest = format!(" · {} · from {}", ago(at, now), facts.source.label());
    view! {
        <p class="fresh">
            "as of " <time datetime=at.rfc3339()>{at.lagos_text()}</time> {rest}
        </p>
    }
}

/// What a card says when there is nothing to show.
#[component]
pub(crate) fn Empty(text: String) -> impl IntoView {
    view! { <p class="empty">{text}</p> }
}
