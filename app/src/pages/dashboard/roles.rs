//! The roles a person holds, and what they rest on.

use crate::ui::badge::role_badges;
use crate::ui::card::{Card, Empty, fact_or_absent, freshness, wide_fact};
use campus::instant::Instant;
use campus::person::{Facts, Person};
use campus::role::{PrimaryRole, Roles};
use leptos::prelude::*;

/// The card.
pub(super) fn card(person: &Person, now: Instant) -> impl IntoView + use<> {
    let content = match &person.roles {
        Some(facts) if !facts.value.listed().is_empty() => held(facts, now).into_any(),
        _ => {
            let text =
                "Campus One sent no roles for you. If you should have some, ask your unit’s admin.";
            view! { <Empty text=text.to_owned() /> }.into_any()
        }
    };
    view! {
        <Card id="roles" title="Your roles".to_owned()>
            {content}
        </Card>
    }
}

fn held(facts: &Facts<Roles>, now: Instant) -> impl IntoView + use<> {
    let roles = &facts.value;
    let primary = roles.primary.map(|role| PrimaryRole::label(role).to_owned());
    view! {
        <dl class="facts">
            {fact_or_absent("Primary role", primary)}
            {wide_fact("All roles", role_badges(roles))}
        </dl>
        <p class="hint">
            "Roles are given in Campus One. A change there counts here on your next click."
        </p>
        {freshness(facts, now)}
    }
}
