//! The whole document: what every page has around its content, and the one function that renders.

use crate::assets::Assets;
use crate::markers::push_without_markers;
use crate::pages::{
    AdminPage, DashboardPage, DeliveriesPage, ErrorPage, ReportsPage, SignedOutPage, admin,
    dashboard, error, home, signed_out,
};
use crate::ui::footer::footer;
use crate::ui::header::header;
use crate::ui::ribbon::ribbon;
use crate::ui::session_watch::SessionWatch;
use crate::ui::stale::stale;
use crate::ui::term::body_class;
use crate::ui::told::told;
use campus::instant::Instant;
use campus::reason::{EndReason, Reason};
use campus::return_path::ReturnPath;
use campus::semester::Term;
use campus::viewer::Viewer;
use hydration_context::SsrSharedContext;
use leptos::prelude::*;
use std::sync::Arc;

/// What surrounds a page: everything of the request that is not the page's own.
#[derive(Clone, Debug)]
pub struct Chrome {
    /// The site's files.
    pub assets: Arc<Assets>,
    /// The nonce of this answer's content security policy.
    pub nonce: String,
    /// The path and query that were asked for.
    pub path: String,
    /// Who is looking, if anybody is signed in.
    pub viewer: Option<Viewer>,
    /// Why the session before this one ended, where the person was signed in again without a page in
    /// between.
    pub ended: Option<EndReason>,
    /// A line above every page.
    pub ribbon: Option<Ribbon>,
    /// The time of the request.
    pub now: Instant,
    /// The number of the request, for support.
    pub request_id: Option<String>,
}

/// A line above every page that says what kind of installation this is.
#[derive(Clone, Debug)]
pub struct Ribbon {
    /// What it says.
    pub text: String,
    /// Where its link leads; an address that is neither http(s) nor local is left out.
    pub href: Option<String>,
    /// The link's words.
    pub link_text: String,
}

/// The pages.
#[derive(Clone, Debug)]
pub enum Page {
    /// What Campus Desk is, or a greeting for whoever is signed in.
    Home,
    /// Everything known of the viewer.
    Dashboard(DashboardPage),
    /// What a unit admin sees first.
    Admin(AdminPage),
    /// How many people there are, by group.
    Reports(ReportsPage),
    /// What came of webhooks.
    Deliveries(DeliveriesPage),
    /// After a session ended.
    SignedOut(SignedOutPage),
    /// Something stopped the person.
    Error(ErrorPage),
}

impl Page {
    fn title(&self) -> &'static str {
        match self {
            Self::Home => "Home",
            Self::Dashboard(_) => "Dashboard",
            Self::Admin(_) => "Admin",
            Self::Reports(_) => "Reports",
            Self::Deliveries(_) => "Deliveries",
            Self::SignedOut(page) => page.title(),
            Self::Error(page) => page.reason.title,
        }
    }

    fn content(self, chrome: &Chrome) -> AnyView {
        match (self, &chrome.viewer) {
            (Self::Home, None) => home::anonymous(chrome.now),
            (Self::Home, Some(viewer)) => home::signed_in(viewer, chrome.now),
            (Self::Dashboard(page), Some(viewer)) => dashboard::dashboard(viewer, page),
            (Self::Admin(page), Some(viewer)) => admin::admin(viewer, page, chrome.now),
            (Self::Reports(page), Some(_)) => admin::reports::reports(page),
            (Self::Deliveries(page), Some(_)) => admin::deliveries::deliveries(page, chrome.now),
            // The guard lets nobody here without a session; if it ever did, nothing would be shown.
            (
                Self::Dashboard(_) | Self::Admin(_) | Self::Reports(_) | Self::Deliveries(_),
                None,
            ) => {
                let next = ReturnPath::parse(&chrome.path);
                let page = ErrorPage { reason: Reason::NOT_SIGNED_IN, next, details: Vec::new() };
                error::error(page, chrome)
            }
            (Self::SignedOut(page), _) => signed_out::signed_out(page, chrome.now),
            (Self::Error(page), _) => error::error(page, chrome),
        }
    }
}

/// Renders a whole document from plain values.
pub fn render(chrome: &Chrome, page: Page) -> String {
    let owner = Owner::new_root(Some(Arc::new(SsrSharedContext::new_islands())));
    let html = owner.with(|| document(chrome, page));
    owner.unset_with_forced_cleanup();
    html
}

fn document(chrome: &Chrome, page: Page) -> String {
    let mut html = String::with_capacity(16 * 1024);
    html.push_str("<!DOCTYPE html><html lang=\"en\"><head>");
    html.push_str(chrome.assets.head());
    push_without_markers(&mut html, &title(&page).to_html());
    chrome.assets.write_reload(&chrome.nonce, &mut html);
    // Only the pages of signed-in people have an island; the others load no script at all.
    if chrome.viewer.is_some() {
        chrome.assets.write_loader(&chrome.nonce, &mut html);
    }
    html.push_str("</head>");
    push_without_markers(&mut html, &body(chrome, page).to_html());
    html.push_str("</html>");
    html
}

fn title(page: &Page) -> impl IntoView + use<> {
    let title = match page {
        Page::Home => "Campus Desk".to_owned(),
        _ => format!("{} · Campus Desk", page.title()),
    };
    let no_index = matches!(page, Page::Error(_) | Page::SignedOut(_))
        .then(|| view! { <meta name="robots" content="noindex" /> });
    view! {
        <title>{title}</title>
        {no_index}
    }
}

fn body(chrome: &Chrome, page: Page) -> impl IntoView + use<> {
    let watch = chrome.viewer.as_ref();
    let watch = watch.map(|viewer| (viewer.person.subject.clone(), viewer.roles().version()));
    view! {
        <body class=body_class(Term::at(chrome.now))>
            <a class="skip-link" href="#content">
                "Skip to content"
            </a>
            {chrome.ribbon.as_ref().map(ribbon)}
            {header(chrome)}
            {chrome.viewer.as_ref().map(|viewer| stale(viewer.standing))}
            <main id="content" tabindex="-1">
                {chrome.ended.map(|reason| told(reason, chrome.viewer.is_some()))}
                {page.content(chrome)}
            </main>
            {footer()}
            {watch.map(|(subject, roles)| view! { <SessionWatch subject roles /> })}
        </body>
    }
}
