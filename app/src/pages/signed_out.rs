//! After a session ended: why, and the way back.

use crate::ui::button::ButtonLink;
use crate::ui::link::Link;
use crate::ui::masthead::Masthead;
use campus::instant::Instant;
use campus::reason::EndReason;
use campus::return_path::ReturnPath;
use leptos::prelude::*;

/// What the page says.
#[derive(Clone, Copy, Debug)]
pub struct SignedOutPage {
    /// Why the session ended, if that is known.
    pub reason: Option<EndReason>,
    /// Whether the person was signed out of the provider too.
    pub provider_sign_out: bool,
}

/// The page.
pub(crate) fn signed_out(page: SignedOutPage, now: Instant) -> AnyView {
    let text = page.reason.map_or("Your session here is over.", EndReason::text);
    let provider = match (page.provider_sign_out, page.reason) {
        (true, _) => Some("You are signed out of Campus One in this browser, too."),
        (false, Some(EndReason::SignedOut)) => Some(
            "You may still be signed in to Campus One itself. On a shared computer, sign out there \
             too, or close the browser.",
        ),
        (false, _) => None,
    };
    let sign_in = Link::sign_in(&ReturnPath::home());
    view! {
        <Masthead now>
            <h1>"You are signed out"</h1>
            <p class="lede">{text}</p>
            <p class="actions">
                <ButtonLink href=sign_in label="Sign in" />
            </p>
        </Masthead>
        {provider.map(|text| {
            view! {
                <div class="wrap notice">
                    <p>{text}</p>
                </div>
            }
        })}
    }
    .into_any()
}
