//! `/`: what Campus Desk is, or a greeting.

use crate::ui::badge::role_badges;
use crate::ui::button::ButtonLink;
use crate::ui::card::{Card, Empty};
use crate::ui::link::Link;
use crate::ui::masthead::Masthead;
use crate::ui::term;
use campus::instant::Instant;
use campus::return_path::ReturnPath;
use campus::role::Roles;
use campus::viewer::Viewer;
use leptos::prelude::*;

/// For somebody who is not signed in.
pub(crate) fn anonymous(now: Instant) -> AnyView {
    let sign_in = Link::sign_in(&ReturnPath::parse("/dashboard"));
    view! {
        <Masthead now>
            <p class="eyebrow">{term::line(now)}</p>
            <h1>"Your unit’s desk on Campus One"</h1>
            <p class="lede">
                "Campus Desk shows you where you stand this semester and which roles you hold here, \
                 straight from Campus One."
            </p>
            <p class="actions">
                <ButtonLink href=sign_in label="Sign in" />
                <span class="aside">"With your Campus One account. No new password."</span>
            </p>
        </Masthead>
        <section class="wrap offers" aria-labelledby="offers">
            <h2 id="offers">"What you get"</h2>
            <ul>
                {offer(
                    "Where you stand",
                    "Your level, faculty, department and semester on one page, as your university has them.",
                )}
                {offer(
                    "How fresh it is",
                    "Every fact says when it was true and where it came from, so you know what to rely on.",
                )}
                {offer(
                    "Roles that count at once",
                    "A role given or taken away in Campus One is in force here on your next click.",
                )}
            </ul>
        </section>
    }
    .into_any()
}

fn offer(title: &'static str, text: &'static str) -> impl IntoView {
    view! {
        <li>
            <h3>{title}</h3>
            <p>{text}</p>
        </li>
    }
}

/// For the viewer.
pub(crate) fn signed_in(viewer: &Viewer, now: Instant) -> AnyView {
    let name = viewer.person.given_name();
    let roles = roles(&viewer.roles());
    view! {
        <Masthead now>
            <p class="eyebrow">{term::line(now)}</p>
            <h1>"Hello, " <bdi>{name}</bdi></h1>
            <p class="lede">"Your desk is ready: where you stand, and what you may do here."</p>
            <p class="actions">
                <ButtonLink href=Link::local("/dashboard") label="Open your dashboard" />
            </p>
        </Masthead>
        <div class="wrap columns">
            <Card id="roles" title="Your roles here".to_owned()>
                {roles}
            </Card>
            {term::card(now)}
        </div>
    }
    .into_any()
}

fn roles(roles: &Roles) -> AnyView {
    if roles.listed().is_empty() {
        let text = "Campus One sent no roles for you. If that is wrong, ask your unit’s admin.";
        return view! { <Empty text=text.to_owned() /> }.into_any();
    }
    let hint = "Roles are given in Campus One. A change there counts here on your next click.";
    view! {
        {role_badges(roles)}
        <p class="hint">{hint}</p>
    }
    .into_any()
}
