//! `/admin`: what a unit admin sees first.

use crate::ui::button::{ButtonLink, QuietLink};
use crate::ui::card::{Card, Empty, fact};
use crate::ui::link::Link;
use crate::ui::masthead::Masthead;
use crate::ui::table::{Column, moment, table};
use campus::audit::AuditKind;
use campus::instant::{Instant, ago};
use campus::overview::{AuditLine, Counts, Holder, Overview};
use campus::person::PersonId;
use campus::role::PrimaryRole;
use campus::viewer::Viewer;
use leptos::prelude::*;

pub(crate) mod deliveries;
pub(crate) mod reports;

/// What the page needs besides the viewer.
#[derive(Clone, Debug)]
pub struct AdminPage {
    /// What there is.
    pub overview: Overview,
    /// How many sessions the action before ended, if it was one.
    pub ended: Option<u32>,
}

/// The page.
pub(crate) fn admin(viewer: &Viewer, page: AdminPage, now: Instant) -> AnyView {
    let AdminPage { overview, ended } = page;
    let Overview { counts, holders, entries } = overview;
    let signed_in = signed_in(viewer.id(), &holders, &counts, now);
    view! {
        <Masthead now>
            <p class="eyebrow">"Your unit"</p>
            <h1>"Admin"</h1>
            <p class="lede">"Who is signed in here, and what happened last."</p>
            <p class="actions">
                <ButtonLink href=Link::local("/admin/reports") label="Reports" />
                <QuietLink href=Link::local("/admin/deliveries") label="Deliveries of Campus One" />
            </p>
        </Masthead>
        <div class="wrap stack">
            {ended.map(done)}
            <Card id="counts" title="At a glance".to_owned()>
                {at_a_glance(&counts)}
            </Card>
            <Card id="signed-in" title="Who is signed in".to_owned()>
                {signed_in}
            </Card>
            <Card id="latest" title="What happened last".to_owned()>
                {latest(&entries)}
            </Card>
        </div>
    }
    .into_any()
}

/// What an action has done. It comes by way of the address, so it is a number and nothing else.
fn done(ended: u32) -> impl IntoView {
    let text = match ended {
        0 => "There was no live session to end.".to_owned(),
        1 => "One session was ended.".to_owned(),
        _ => format!("{ended} sessions were ended."),
    };
    view! {
        <p class="done" role="status">
            {text}
        </p>
    }
}

fn at_a_glance(counts: &Counts) -> impl IntoView + use<> {
    let Counts { people, signed_in, sessions, .. } = *counts;
    view! {
        <dl class="facts facts-large">
            {fact("People", people)} {fact("Signed in now", signed_in)}
            {fact("Live sessions", sessions)}
        </dl>
        <dl class="facts">
            {fact("Deliveries waiting", counts.pending_deliveries)}
            {fact("Deliveries given up", counts.dead_deliveries)}
            {fact("Deliveries refused, 24 hours", counts.refused_deliveries)}
        </dl>
    }
}

fn signed_in(viewer: PersonId, holders: &[Holder], counts: &Counts, now: Instant) -> AnyView {
    if holders.is_empty() {
        return view! { <Empty text="Nobody is signed in.".to_owned() /> }.into_any();
    }
    let shown = i64::try_from(holders.len()).unwrap_or(i64::MAX);
    let more = (shown < counts.signed_in).then(|| {
        let text = format!("The {shown} who were here last, of {}.", counts.signed_in);
        view! { <p class="hint">{text}</p> }
    });
    let rows = holders.iter().map(|holder| holder_row(viewer, holder, now)).collect_view();
    let columns = [
        Column::text("Person"),
        Column::text("Role"),
        Column::number("Sessions"),
        Column::text("Last seen"),
        Column::text("Action"),
    ];
    view! {
        {table("People with live sessions", &columns, rows)}
        {more}
        <p class="hint">
            "Before sessions are ended, Campus One is asked to ask you again who you are, unless it did so a short while ago. Campus One does not always say when you signed in there: then we trust that it asked, and the audit trail notes it as not proven."
        </p>
    }
    .into_any()
}

fn holder_row(viewer: PersonId, holder: &Holder, now: Instant) -> impl IntoView + use<> {
    let name = holder.name.clone().unwrap_or_else(|| "Somebody".to_owned());
    let role = holder.role.map_or("none", PrimaryRole::label);
    let action = if holder.id == viewer {
        view! { <span class="aside">"This is you"</span> }.into_any()
    } else {
        end_sessions(holder.id, name.clone()).into_any()
    };
    view! {
        <tr>
            <th scope="row">
                <bdi>{name}</bdi>
            </th>
            <td>{role}</td>
            <td class="number">{holder.sessions}</td>
            <td>{ago(holder.seen, now)}</td>
            <td>{action}</td>
        </tr>
    }
}

fn end_sessions(person: PersonId, name: String) -> impl IntoView {
    view! {
        <form method="post" action=format!("/admin/people/{}/end-sessions", person.0)>
            <button class="button button-quiet" type="submit">
                "End all sessions"
                <span class="visually-hidden">" of " <bdi>{name}</bdi></span>
            </button>
        </form>
    }
}

fn latest(entries: &[AuditLine]) -> AnyView {
    if entries.is_empty() {
        return view! { <Empty text="Nothing has happened yet.".to_owned() /> }.into_any();
    }
    let columns = ["Time", "What", "Who", "Whom", "Rule"].map(Column::text);
    let rows = entries.iter().map(entry_row).collect_view();
    table("The newest audit entries", &columns, rows)
}

fn entry_row(entry: &AuditLine) -> impl IntoView + use<> {
    let what = AuditKind::parse(&entry.kind).map_or(entry.kind.clone(), |kind| kind.label().into());
    let whom = entry.subject_name.clone().unwrap_or_else(|| "–".to_owned());
    view! {
        <tr>
            <td>{moment(entry.at)}</td>
            <th scope="row">{what}</th>
            <td>
                <bdi>{who(entry)}</bdi>
            </td>
            <td>
                <bdi>{whom}</bdi>
            </td>
            <td>
                <code>{entry.rule.clone()}</code>
            </td>
        </tr>
    }
}

fn who(entry: &AuditLine) -> String {
    let word = match entry.actor.as_str() {
        "person" => entry.actor_name.as_deref().unwrap_or("Somebody no longer known"),
        "provider" => "Campus One",
        "server" => "Campus Desk",
        "operator" => "Operator",
        "nobody" => "Nobody signed in",
        other => other,
    };
    word.to_owned()
}
