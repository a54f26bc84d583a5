//! A person's picture, with their initials where there is none or where it does not load.

use crate::ui::link::Link;
use campus::person::{Person, initials};
use leptos::prelude::*;

/// How large the picture is, and whether it says something the text beside it does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Size {
    /// In the header beside the name: decoration.
    Chip,
    /// On the dashboard.
    Large,
}

/// The picture over the initials: where it cannot load, they show.
pub(crate) fn avatar(person: &Person, size: Size) -> impl IntoView + use<> {
    let name = person.display_name();
    let letters = initials(&name);
    let (class, pixels, alt) = match size {
        Size::Chip => ("avatar", "32", String::new()),
        Size::Large => ("avatar avatar-large", "96", format!("Picture of {name}")),
    };
    let address = person.profile.as_ref().and_then(|facts| facts.value.picture.as_deref());
    let picture = address.and_then(Link::parse).map(|src| {
        view! {
            <img
                src=src.into_string()
                alt=alt
                width=pixels
                height=pixels
                referrerpolicy="no-referrer"
                decoding="async"
                data-initials=letters.clone()
            />
        }
    });
    view! {
        <span class=class>
            <span aria-hidden="true">{letters}</span>
            {picture}
        </span>
    }
}
