//! The header: the way home, what the viewer may open, who is signed in, and the way out.

use crate::document::Chrome;
use crate::ui::avatar::{Size, avatar};
use crate::ui::link::Link;
use campus::access::navigation;
use campus::return_path::ReturnPath;
use campus::viewer::Viewer;
use leptos::prelude::*;

/// The header of this request.
pub(crate) fn header(chrome: &Chrome) -> impl IntoView + use<> {
    let roles = chrome.viewer.as_ref().map(Viewer::roles);
    let current = chrome.path.split(['?', '#']).next().unwrap_or_default();
    let places = navigation(roles.as_ref())
        .map(|(path, name)| {
            let here = (path == current).then_some("page");
            view! {
                <li>
                    <a href=path aria-current=here>
                        {name}
                    </a>
                </li>
            }
        })
        .collect_view();
    let end = match &chrome.viewer {
        Some(viewer) => signed_in(viewer),
        None => signed_out(&chrome.path),
    };
    view! {
        <header class="header">
            <div class="wrap">
                <a class="brand" href="/">
                    {mark()}
                    "Campus Desk"
                </a>
                <nav aria-label="Main">
                    <ul>{places}</ul>
                </nav>
                {end}
            </div>
        </header>
    }
}

fn signed_in(viewer: &Viewer) -> AnyView {
    view! {
        <div class="session">
            <p class="viewer">
                {avatar(&viewer.person, Size::Chip)}
                <span class="visually-hidden">"Signed in as "</span>
                <bdi class="viewer-name">{viewer.person.display_name()}</bdi>
            </p>
            <form method="post" action="/auth/logout">
                <button class="button button-quiet" type="submit">
                    "Sign out"
                </button>
            </form>
        </div>
    }
    .into_any()
}

fn signed_out(path: &str) -> AnyView {
    let href = Link::sign_in(&ReturnPath::parse(path)).into_string();
    view! {
        <div class="session">
            <a class="button button-quiet" href=href>
                "Sign in"
            </a>
        </div>
    }
    .into_any()
}

/// The sun over a desk's edge: dust above, water below.
fn mark() -> impl IntoView {
    view! {
        <svg class="mark" viewBox="0 0 24 24" width="28" height="28" aria-hidden="true">
            <path class="mark-sun" d="M4 13a8 8 0 0 1 16 0z" />
            <path class="mark-desk" d="M2 16h20M6 20h12" />
        </svg>
    }
}
