//! Where a student stands; for everybody else, why there is nothing to show.

use super::primary;
use crate::ui::card::{Card, Empty, fact, fact_or_absent, freshness};
use campus::instant::Instant;
use campus::person::{Academic, Facts};
use campus::role::PrimaryRole;
use campus::semester::Semester;
use campus::viewer::Viewer;
use leptos::prelude::*;

/// The card.
pub(super) fn card(viewer: &Viewer, now: Instant) -> impl IntoView + use<> {
    let person = &viewer.person;
    let content = match &person.academic {
        None if viewer.academic_unconfirmed => unconfirmed().into_any(),
        Some(facts) if facts.value != Academic::default() => standing(facts, now).into_any(),
        Some(_) => view! { <Empty text=nothing_sent() /> }.into_any(),
        None => view! { <Empty text=explanation(primary(person)) /> }.into_any(),
    };
    view! {
        <Card id="academic" title="Where you stand".to_owned()>
            {content}
        </Card>
    }
}

fn unconfirmed() -> impl IntoView {
    let text = "A new term began, and Campus One has not confirmed your level and semester yet. They \
                are asked for again while you are here, and shown once they are certain.";
    view! { <p class="warning">{text}</p> }
}

fn standing(facts: &Facts<Academic>, now: Instant) -> impl IntoView + use<> {
    let academic = facts.value.clone();
    let level = academic.level.map(|level| level.to_string());
    let final_year = academic.final_year.map(|last| if last { "Yes" } else { "No" }.to_owned());
    let semester = academic.semester.map(|word| {
        Semester::parse(&word).map_or(word, |known| capitalised(known.as_str().to_owned()))
    });
    view! {
        <dl class="facts facts-large">
            {fact_or_absent("Level", level)}
            {fact_or_absent("Session", academic.academic_session)}
            {fact_or_absent("Student ID", academic.student_id)}
        </dl>
        <dl class="facts">
            {fact_or_absent("Semester", semester)}
            {fact_or_absent("Study level", academic.study_level.map(capitalised))}
            {fact_or_absent("Final year", final_year)}
            {id_or_absent("Faculty", academic.faculty_id)}
            {id_or_absent("Department", academic.department_id)}
        </dl>
        {freshness(facts, now)}
    }
}

/// Ids are shown as they are stored: Campus One sends no names for them.
fn id_or_absent(name: &'static str, id: Option<String>) -> AnyView {
    match id {
        Some(id) => fact(name, view! { <code>{id}</code> }),
        None => fact_or_absent(name, None),
    }
}

fn capitalised(word: String) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

fn nothing_sent() -> String {
    "Campus One sent no study details for you. If you are a student, ask your faculty’s office to \
     check your record there."
        .to_owned()
}

fn explanation(primary: Option<PrimaryRole>) -> String {
    match primary {
        Some(PrimaryRole::Student) | None => nothing_sent(),
        Some(role) => format!(
            "Level, faculty and department are kept for students. You are here as {}, so there is \
             nothing missing.",
            role.label()
        ),
    }
}
