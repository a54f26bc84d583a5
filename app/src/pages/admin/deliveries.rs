//! `/admin/deliveries`: what came of webhooks.

use crate::ui::card::{Card, Empty};
use crate::ui::masthead::Masthead;
use crate::ui::table::{Column, moment, table};
use campus::event::DeliveryState;
use campus::instant::{Instant, ago};
use leptos::prelude::*;

const PATH: &str = "/admin/deliveries";
/// From so many seconds on it is worth saying that an event arrived late.
const LATE_SECONDS: i64 = 60;

/// What the page shows.
#[derive(Clone, Debug, Default)]
pub struct DeliveriesPage {
    /// The state that is asked for; all if `None`.
    pub state: Option<DeliveryState>,
    /// Newest first.
    pub deliveries: Vec<Delivery>,
    /// Where the newer ones begin, if there are any.
    pub newer: Option<String>,
    /// Where the older ones begin, if there are any.
    pub older: Option<String>,
    /// The counters of what was refused, latest first.
    pub refused: Vec<RefusedDeliveries>,
}

/// A delivery that was accepted.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// Its handle, of hexadecimal digits.
    pub id: String,
    /// The event's name.
    pub event: String,
    /// The person it is about, by name or else by subject.
    pub person: Option<String>,
    /// When it happened.
    pub occurred_at: Instant,
    /// When it arrived.
    pub received_at: Instant,
    /// What became of it.
    pub state: DeliveryState,
    /// How often it was tried.
    pub attempts: i32,
    /// What came of it, or why the last attempt failed.
    pub outcome: Option<String>,
}

/// Deliveries that were refused for one reason.
#[derive(Clone, Debug)]
pub struct RefusedDeliveries {
    /// The reason's code.
    pub reason: String,
    /// What it means.
    pub text: &'static str,
    /// How often in the last 30 days.
    pub times: i64,
    /// When last.
    pub last_at: Instant,
    /// In which request last.
    pub last_request_id: Option<String>,
}

/// The page.
pub(crate) fn deliveries(page: DeliveriesPage, now: Instant) -> AnyView {
    let DeliveriesPage { state, deliveries, newer, older, refused } = page;
    let list = if deliveries.is_empty() {
        let text = match state {
            None => "Campus One has sent nothing yet.",
            Some(_) => "There is no delivery in this state.",
        };
        view! { <Empty text=text.to_owned() /> }.into_any()
    } else {
        accepted(deliveries)
    };
    view! {
        <Masthead now>
            <p class="eyebrow">"Webhooks"</p>
            <h1>"Deliveries"</h1>
            <p class="lede">
                "What Campus One told this app of people’s roles and consent, and what came of it."
            </p>
        </Masthead>
        <div class="wrap stack">
            <Card id="accepted" title="Accepted".to_owned()>
                {filter(state)}
                {list}
                {ways(state, newer, older)}
            </Card>
            <Card id="refused" title="Refused".to_owned()>
                {refusals(refused, now)}
            </Card>
        </div>
    }
    .into_any()
}

fn filter(chosen: Option<DeliveryState>) -> impl IntoView {
    let options = DeliveryState::ALL
        .iter()
        .map(|state| {
            view! {
                <option value=state.as_str() selected=chosen == Some(*state)>
                    {state.label()}
                </option>
            }
        })
        .collect_view();
    view! {
        <form class="filter" method="get" action=PATH>
            <label for="state">"Show"</label>
            <select id="state" name="state">
                <option value="" selected=chosen.is_none()>
                    "All"
                </option>
                {options}
            </select>
            <button class="button button-quiet" type="submit">
                "Filter"
            </button>
        </form>
    }
}

fn accepted(deliveries: Vec<Delivery>) -> AnyView {
    let rows = deliveries.into_iter().map(row).collect_view();
    let columns = [
        Column::text("Arrived"),
        Column::text("Event"),
        Column::text("Person"),
        Column::text("State"),
        Column::number("Attempts"),
        Column::text("Outcome"),
    ];
    table("Accepted deliveries", &columns, rows)
}

fn row(delivery: Delivery) -> impl IntoView {
    let Delivery { id, event, person, occurred_at, received_at, state, attempts, outcome } =
        delivery;
    let person = match person {
        Some(person) => view! { <bdi>{person}</bdi> }.into_any(),
        None => view! { <span class="absent">"nobody"</span> }.into_any(),
    };
    let class = match state {
        DeliveryState::Applied => "seal",
        DeliveryState::Dead => "seal seal-open",
        DeliveryState::Pending | DeliveryState::Ignored => "seal seal-plain",
    };
    let again = (state == DeliveryState::Dead).then(|| {
        view! {
            <form method="post" action=format!("{PATH}/{id}/retry")>
                <button class="button button-quiet" type="submit">
                    "Process again"
                    <span class="visually-hidden">
                        {format!(": {event}, arrived {}", received_at.lagos_text())}
                    </span>
                </button>
            </form>
        }
    });
    let late = (received_at.seconds_since(occurred_at) >= LATE_SECONDS).then(|| {
        view! {
            <span class="aside">
                "happened "
                {moment(occurred_at)}
            </span>
        }
    });
    view! {
        <tr>
            <td>
                {moment(received_at)}
                {late}
            </td>
            <td>
                <code>{event}</code>
            </td>
            <td>{person}</td>
            <td>
                <span class=class>{state.label()}</span>
            </td>
            <td class="number">{attempts.to_string()}</td>
            <td>{outcome.unwrap_or_default()} {again}</td>
        </tr>
    }
}

fn ways(
    state: Option<DeliveryState>,
    newer: Option<String>,
    older: Option<String>,
) -> Option<impl IntoView> {
    if newer.is_none() && older.is_none() {
        return None;
    }
    let state = state.map_or("", DeliveryState::as_str);
    let way = |direction: &str, place: Option<String>, label: &'static str| {
        place.map(|place| {
            let href = format!("{PATH}?state={state}&{direction}={place}");
            view! {
                <a class="quiet-link" href=href>
                    {label}
                </a>
            }
        })
    };
    Some(view! {
        <nav class="ways" aria-label="Pages of deliveries">
            {way("newer", newer, "Newer deliveries")}
            {way("older", older, "Older deliveries")}
        </nav>
    })
}

fn refusals(refused: Vec<RefusedDeliveries>, now: Instant) -> AnyView {
    if refused.is_empty() {
        let text = "Nothing was refused in the last 30 days.".to_owned();
        return view! { <Empty text /> }.into_any();
    }
    let rows = refused
        .into_iter()
        .map(|refused| {
            let RefusedDeliveries { reason, text, times, last_at, last_request_id } = refused;
            let last = format!("{} ({})", last_at.lagos_text(), ago(last_at, now));
            view! {
                <tr>
                    <td>
                        {text} <span class="aside">
                            <code>{reason}</code>
                        </span>
                    </td>
                    <td class="number">{times.to_string()}</td>
                    <td>
                        <time datetime=last_at.rfc3339()>{last}</time>
                    </td>
                    <td>
                        <code>{last_request_id.unwrap_or_default()}</code>
                    </td>
                </tr>
            }
        })
        .collect_view();
    let columns = [
        Column::text("Why"),
        Column::number("Times"),
        Column::text("Last"),
        Column::text("Last request"),
    ];
    view! {
        <p class="hint">
            "Counted for 30 days; nothing of them is kept. A few may be forged, many mean that a secret is wrong."
        </p>
        {table("Refused deliveries", &columns, rows)}
    }
    .into_any()
}
