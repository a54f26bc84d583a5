//! The two ways out.

use crate::ui::card::Card;
use leptos::prelude::*;

/// The card.
pub(super) fn card() -> impl IntoView {
    view! {
        <Card id="leaving" title="Signing out".to_owned()>
            <p>
                "The button at the top signs you out of Campus Desk in this browser. On a shared computer, \
                 sign out of Campus One as well."
            </p>
            <form method="post" action="/auth/logout/campus-one">
                <button class="button" type="submit" aria-describedby="leaving-help">
                    "Sign out of Campus One too"
                </button>
            </form>
            <p class="hint" id="leaving-help">
                "Campus One may then also sign you out of its other apps, and on your other devices."
            </p>
        </Card>
    }
}
