//! Name and addresses, as the provider has them.

use crate::ui::card::{Card, Empty, fact_or_absent, freshness, wide_fact};
use campus::instant::Instant;
use campus::person::{Facts, Person, Profile};
use leptos::prelude::*;

/// The card.
pub(super) fn card(person: &Person, now: Instant) -> impl IntoView + use<> {
    let content = match &person.profile {
        Some(facts) if facts.value != Profile::default() => known(facts, now).into_any(),
        _ => {
            let text = "Campus One sent no profile for you. Sign in again; if it stays empty, ask your \
                        unit’s admin.";
            view! { <Empty text=text.to_owned() /> }.into_any()
        }
    };
    view! {
        <Card id="profile" title="Your profile".to_owned() class="card-last">
            {content}
        </Card>
    }
}

fn known(facts: &Facts<Profile>, now: Instant) -> impl IntoView + use<> {
    let profile = facts.value.clone();
    let optional =
        |name, value: Option<String>| value.map(|value| fact_or_absent(name, Some(value)));
    view! {
        <dl class="facts">
            {fact_or_absent("Name", profile.name)}
            {optional("Given name", profile.given_name)}
            {optional("Family name", profile.family_name)}
            {optional("Preferred name", profile.preferred_username)}
            {email(profile.email, profile.email_verified)}
            {optional("Phone", profile.phone_number)}
        </dl>
        {freshness(facts, now)}
    }
}

fn email(address: Option<String>, verified: Option<bool>) -> AnyView {
    let Some(address) = address else { return fact_or_absent("E-mail", None) };
    let note = verified.map(|verified| {
        let (class, text) =
            if verified { ("seal", "verified") } else { ("seal seal-open", "not verified") };
        view! { <span class=class>{text}</span> }
    });
    wide_fact("E-mail", view! { <bdi>{address}</bdi> " " {note} })
}
