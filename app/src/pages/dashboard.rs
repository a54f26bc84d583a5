//! `/dashboard`: everything known of the viewer, and how fresh it is.

use crate::ui::avatar::{Size, avatar};
use crate::ui::masthead::Masthead;
use crate::ui::term;
use campus::instant::Instant;
use campus::person::Person;
use campus::role::PrimaryRole;
use campus::viewer::Viewer;
use leptos::prelude::*;

mod academic;
mod leaving;
mod profile;
mod roles;

/// What the page needs besides the viewer.
#[derive(Clone, Copy, Debug)]
pub struct DashboardPage {
    /// The instant against which ages are told.
    pub now: Instant,
}

/// The page.
pub(crate) fn dashboard(viewer: &Viewer, page: DashboardPage) -> AnyView {
    let DashboardPage { now } = page;
    let person = &viewer.person;
    let identity = identity(person);
    view! {
        <Masthead now>{identity}</Masthead>
        <div class="wrap columns">
            <div class="column">
                {academic::card(viewer, now)}
                {profile::card(person, now)}
            </div>
            <div class="column">
                {term::card(now)}
                {roles::card(person, now)}
                {leaving::card()}
            </div>
        </div>
    }
    .into_any()
}

fn identity(person: &Person) -> impl IntoView + use<> {
    view! {
        <div class="identity">
            {avatar(person, Size::Large)}
            <div>
                <p class="eyebrow">"Your dashboard"</p>
                <h1>
                    <bdi>{person.display_name()}</bdi>
                </h1>
                <p class="lede">{standing(person)}</p>
            </div>
        </div>
    }
}

/// The primary role in a line, with the level where there is one.
fn standing(person: &Person) -> String {
    let role = primary(person).map_or("Signed in", PrimaryRole::label);
    match person.academic.as_ref().and_then(|facts| facts.value.level) {
        Some(level) => format!("{role} · {level} level"),
        None => role.to_owned(),
    }
}

fn primary(person: &Person) -> Option<PrimaryRole> {
    person.roles.as_ref().and_then(|facts| facts.value.primary)
}
