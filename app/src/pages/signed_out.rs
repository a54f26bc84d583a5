//! After a session ended: why, what is known of the provider, and the way back.

use crate::ui::button::{ButtonLink, QuietLink};
use crate::ui::link::Link;
use crate::ui::masthead::Masthead;
use campus::instant::Instant;
use campus::reason::EndReason;
use campus::return_path::ReturnPath;
use leptos::prelude::*;

/// What is known of the sign-out at the provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AtProvider {
    /// Nobody asked for it.
    NotAsked,
    /// The provider sent the person back from its own sign-out.
    SignedOut,
    /// The person came back, but not with the provider's confirmation.
    Unconfirmed,
    /// The provider could not be asked.
    Unreachable,
}

/// What the page says.
#[derive(Clone, Debug)]
pub struct SignedOutPage {
    /// Why the session ended, if that is known.
    pub reason: Option<EndReason>,
    /// What is known of the sign-out at the provider.
    pub at_provider: AtProvider,
    /// The provider's own address; one that is not http(s) is left out.
    pub provider: Option<String>,
}

impl SignedOutPage {
    /// The page's heading.
    pub(crate) fn title(&self) -> &'static str {
        match self.reason {
            Some(EndReason::Disconnected) => "Campus Desk is disconnected",
            _ => "You are signed out",
        }
    }

    /// What there is to say of the provider, and whether the person should look there.
    fn of_provider(&self) -> Option<(&'static str, bool)> {
        match (self.at_provider, self.reason) {
            (AtProvider::SignedOut, _) => {
                Some(("You are signed out of Campus One in this browser, too.", false))
            }
            (AtProvider::Unconfirmed, _) => Some((
                "Campus One did not confirm that you are signed out there, too. On a shared computer, \
                 open it and see.",
                true,
            )),
            (AtProvider::Unreachable, _) => Some((
                "Campus One could not be asked to sign you out, so you may still be signed in there. On \
                 a shared computer, sign out there yourself, or close the browser.",
                true,
            )),
            (AtProvider::NotAsked, Some(EndReason::SignedOut)) => Some((
                "You may still be signed in to Campus One itself. On a shared computer, sign out there \
                 too, or close the browser.",
                true,
            )),
            (AtProvider::NotAsked, Some(EndReason::Disconnected)) => Some((
                "You are signed out of Campus Desk on every device, and it can no longer ask Campus One \
                 about you. What was recorded while you used it is kept in your unit’s audit trail.",
                false,
            )),
            (AtProvider::NotAsked, _) => None,
        }
    }
}

/// The page.
pub(crate) fn signed_out(page: SignedOutPage, now: Instant) -> AnyView {
    let text = page.reason.map_or("Your session here is over.", EndReason::text);
    let (label, title) = match page.reason {
        Some(EndReason::Disconnected) => ("Connect again", page.title()),
        _ => ("Sign in", page.title()),
    };
    let provider = page.of_provider().map(|(text, look)| {
        let href = page.provider.as_deref().filter(|_| look).and_then(Link::parse);
        let link = href.map(|href| {
            view! {
                <p>
                    <QuietLink href label="Open Campus One" />
                </p>
            }
        });
        view! {
            <div class="wrap notice">
                <p>{text}</p>
                {link}
            </div>
        }
    });
    view! {
        <Masthead now>
            <h1>{title}</h1>
            <p class="lede">{text}</p>
            <p class="actions">
                <ButtonLink href=Link::sign_in(&ReturnPath::home()) label />
            </p>
        </Masthead>
        {provider}
    }
    .into_any()
}
