//! Every error page: what happened, what to do next, and what to tell those who can help.

use crate::document::Chrome;
use crate::ui::button::{ButtonLink, QuietLink};
use crate::ui::link::Link;
use crate::ui::masthead::Masthead;
use campus::reason::{Reason, WayOn};
use campus::return_path::ReturnPath;
use leptos::prelude::*;

/// What the page says.
#[derive(Clone, Debug)]
pub struct ErrorPage {
    /// What happened.
    pub reason: Reason,
    /// Where the person was going.
    pub next: ReturnPath,
    /// What else is known of it, in sentences.
    pub details: Vec<String>,
}

/// The page.
pub(crate) fn error(page: ErrorPage, chrome: &Chrome) -> AnyView {
    let ErrorPage { reason, next, details } = page;
    let (href, label) = match reason.way_on {
        WayOn::SignIn => (Link::sign_in(&next), "Sign in"),
        WayOn::TryAgain => (Link::from(&next), "Try again"),
        WayOn::Home => (Link::local("/"), "Go to the home page"),
    };
    let home = (reason.way_on != WayOn::Home)
        .then(|| view! { <QuietLink href=Link::local("/") label="Go to the home page" /> });
    let number = chrome.request_id.clone().map(|number| {
        view! {
            <p>
                "Request number: " <code>{number}</code>
            </p>
        }
    });
    view! {
        <Masthead now=chrome.now>
            <h1>{reason.title}</h1>
            <p class="lede">{reason.text}</p>
            <p class="actions">
                <ButtonLink href label />
                {home}
            </p>
        </Masthead>
        <div class="wrap notice support">
            {details.into_iter().map(|detail| view! { <p>{detail}</p> }).collect_view()}
            <p data-reason=reason.code>"Reason code: " <code>{reason.code}</code></p>
            {number}
        </div>
    }
    .into_any()
}
