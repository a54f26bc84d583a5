//! `/admin/reports`: how many people the unit serves, by group. Tables with a bar in each row; nobody is
//! named.

use crate::ui::card::{Card, Empty, fact};
use crate::ui::masthead::Masthead;
use crate::ui::table::{Column, bar, moment, percent, table};
use campus::instant::Instant;
use campus::report::{Count, Report};
use campus::role::{EDITOR, MODERATOR, PrimaryRole, UNIT_ADMIN};
use leptos::prelude::*;

/// What the page needs.
#[derive(Clone, Debug)]
pub struct ReportsPage {
    /// The figures.
    pub report: Report,
    /// Of which moment they are.
    pub as_of: Instant,
}

/// The page.
pub(crate) fn reports(page: ReportsPage) -> AnyView {
    let ReportsPage { report, as_of } = page;
    let (people, students) = (report.people, report.students);
    let by_role = rows(&report.roles, people, primary_role);
    let by_custom_role = rows(&report.custom_roles, people, custom_role);
    let by_level = rows(&report.levels, students, plain);
    let by_faculty =
        rows(&report.faculties, students, |word| view! { <code>{word}</code> }.into_any());
    let final_year = report.final_year;
    let figures = people_figures(&report);
    view! {
        <Masthead now=as_of>
            <p class="eyebrow">"Your unit"</p>
            <h1>"Reports"</h1>
            <p class="lede">
                "How many people Campus Desk serves, by what Campus One says of them. Figures only; \
                 nobody is named."
            </p>
        </Masthead>
        <div class="wrap columns">
            <div class="column">
                <Card id="people" title="People".to_owned()>
                    {figures}
                    <p class="fresh">"as of " {moment(as_of)}</p>
                </Card>
                {breakdown("by-role", "By primary role", by_role)}
                {breakdown("by-custom-role", "By custom role", by_custom_role)}
            </div>
            <div class="column">
                <Card id="students" title="Students".to_owned()>
                    <dl class="facts facts-large">
                        {fact("With a standing", students)} {fact("Final year", final_year)}
                    </dl>
                    <p class="hint">"Shares below are of these."</p>
                </Card>
                {breakdown("by-level", "By level", by_level)}
                {breakdown("by-faculty", "By faculty", by_faculty)}
            </div>
        </div>
    }
    .into_any()
}

fn people_figures(report: &Report) -> impl IntoView + use<> {
    let Report { signed_in_today, signed_in_7_days, signed_in_30_days, .. } = *report;
    view! {
        <dl class="facts facts-large">
            {fact("All", report.people)} {fact("Signed in today", signed_in_today)}
            {fact("In 7 days", signed_in_7_days)} {fact("In 30 days", signed_in_30_days)}
        </dl>
        <dl class="facts">
            {fact("Details to be confirmed", report.stale)}
            {fact("Disconnected", report.disconnected)}
        </dl>
    }
}

/// One breakdown as a card with its table.
fn breakdown(id: &'static str, title: &'static str, rows: Vec<AnyView>) -> impl IntoView {
    let content = if rows.is_empty() {
        view! { <Empty text="Nobody yet.".to_owned() /> }.into_any()
    } else {
        let columns = [
            Column::text("Group"),
            Column::number("People"),
            Column::number("Share"),
            Column::text(""),
        ];
        table(title, &columns, rows)
    };
    view! {
        <Card id=id title=title.to_owned()>
            {content}
        </Card>
    }
}

fn rows(counts: &[Count], of: i64, label: fn(String) -> AnyView) -> Vec<AnyView> {
    let row = |Count { name, people }: &Count| {
        let name = match name {
            Some(word) => label(word.clone()),
            None => view! { <span class="absent">"not sent"</span> }.into_any(),
        };
        view! {
            <tr>
                <th scope="row">{name}</th>
                <td class="number">{*people}</td>
                <td class="number">{format!("{} %", percent(*people, of))}</td>
                <td class="bar-cell">{bar(*people, of)}</td>
            </tr>
        }
        .into_any()
    };
    counts.iter().map(row).collect()
}

fn plain(word: String) -> AnyView {
    view! { <bdi>{word}</bdi> }.into_any()
}

fn primary_role(word: String) -> AnyView {
    plain(PrimaryRole::parse(&word).map_or(word, |role| role.label().to_owned()))
}

fn custom_role(word: String) -> AnyView {
    match word.as_str() {
        UNIT_ADMIN => plain("Unit admin".to_owned()),
        EDITOR => plain("Editor".to_owned()),
        MODERATOR => plain("Moderator".to_owned()),
        _ => plain(word),
    }
}
