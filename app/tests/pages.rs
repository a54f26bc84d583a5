//! What every page promises: landmarks, safety under a strict content security policy, escaping, and
//! no script where nobody is signed in.
#![cfg(feature = "ssr")]

mod fixture;

use campus::event::DeliveryState;
use campus::overview::Overview;
use campus::reason::{EndReason, Reason};
use campus::report::Report;
use campus::return_path::ReturnPath;
use campus::role::PrimaryRole;
use campus::viewer::Standing;
use campus_app::{
    AdminPage, AtProvider, DashboardPage, DeliveriesPage, ErrorPage, Page, ReportsPage, Ribbon,
    SignedOutPage, render,
};
use fixture::{
    NASTY, NONCE, anonymous, hostile, now, on, overview, person, report, signed_in, student,
};

fn left(reason: Option<EndReason>, at_provider: AtProvider) -> SignedOutPage {
    SignedOutPage { reason, at_provider, provider: Some("https://auth.campusone.com.ng/".into()) }
}

/// Every kind of page for every kind of viewer, with a name for messages.
fn all_pages() -> Vec<(String, String)> {
    let mut pages = Vec::new();
    for (who, chrome) in [
        ("nobody", anonymous("/")),
        ("student", signed_in(student())),
        ("staff", signed_in(person(PrimaryRole::Staff))),
        ("hostile", signed_in(hostile())),
    ] {
        let mut add =
            |name: &str, page| pages.push((format!("{name} for {who}"), render(&chrome, page)));
        add("home", Page::Home);
        add("dashboard", Page::Dashboard(DashboardPage { now: now() }));
        for (overview, report) in [(overview(), report()), (Overview::default(), Report::default())]
        {
            for ended in [None, Some(0), Some(1), Some(2)] {
                add("admin", Page::Admin(AdminPage { overview: overview.clone(), ended }));
            }
            add("reports", Page::Reports(ReportsPage { report, as_of: now() }));
        }
        add("no deliveries", Page::Deliveries(DeliveriesPage::default()));
        add("deliveries", Page::Deliveries(fixture::deliveries()));
        for reason in EndReason::ALL.iter().copied().map(Some).chain([None]) {
            for at_provider in [
                AtProvider::NotAsked,
                AtProvider::SignedOut,
                AtProvider::Unconfirmed,
                AtProvider::Unreachable,
            ] {
                let provider = Some("https://auth.campusone.com.ng/".to_owned());
                let page = SignedOutPage { reason, at_provider, provider };
                add("signed out", Page::SignedOut(page));
            }
        }
        for &reason in Reason::ALL {
            let next = ReturnPath::parse("/dashboard?q=a&b");
            let details = vec!["It is for unit admins.".to_owned()];
            add(reason.code, Page::Error(ErrorPage { reason, next, details }));
        }
    }
    pages
}

#[test]
fn every_page_is_a_whole_document_with_landmarks() {
    for (name, html) in all_pages() {
        let count = |part: &str| html.matches(part).count();
        assert!(html.starts_with("<!DOCTYPE html><html lang=\"en\"><head><meta charset"), "{name}");
        assert!(html.ends_with("</body></html>"), "{name}");
        for once in [
            "<h1",
            "<title>",
            "<main id=\"content\"",
            "<header",
            "<footer",
            "<nav aria-label=\"Main\"",
            "href=\"#content\"",
            "rel=\"stylesheet\"",
        ] {
            assert_eq!(count(once), 1, "{once} on {name}");
        }
        assert!(html.contains("<body class=\"term-harmattan\">"), "{name}");
    }
}

#[test]
fn every_page_obeys_a_strict_content_security_policy() {
    let nonce = format!("<script nonce=\"{NONCE}\"");
    for (name, html) in all_pages() {
        assert_eq!(html.matches("<script").count(), html.matches(&nonce).count(), "{name}");
        for attribute in attribute_names(&html) {
            let allowed = attribute != "style" && !attribute.starts_with("on");
            assert!(allowed, "{attribute} on {name}");
        }
        assert!(!html.contains("javascript:"), "{name}");
        assert!(!html.contains("<style"), "{name}");
    }
}

#[test]
fn pages_of_nobody_load_no_script() {
    for page in [Page::Home, Page::SignedOut(left(None, AtProvider::SignedOut))] {
        let html = render(&anonymous("/"), page);
        for part in ["<script", ".wasm", "modulepreload", "leptos-island"] {
            assert!(!html.contains(part), "{part}");
        }
    }
    let html = render(&signed_in(student()), Page::Home);
    assert_eq!(html.matches("<leptos-island").count(), 1);
    assert!(html.contains(".wasm"));
}

#[test]
fn nothing_a_person_sends_becomes_markup() {
    let mut chrome = signed_in(hostile());
    chrome.request_id = Some(NASTY.to_owned());
    chrome.path = format!("/{NASTY}");
    chrome.ribbon = Some(Ribbon {
        text: NASTY.to_owned(),
        href: Some("javascript:alert(1)".to_owned()),
        link_text: NASTY.to_owned(),
    });
    let next = ReturnPath::parse(&format!("/x?{NASTY}"));
    let pages = [
        Page::Home,
        Page::Dashboard(DashboardPage { now: now() }),
        Page::Admin(AdminPage { overview: overview(), ended: None }),
        Page::Reports(ReportsPage { report: report(), as_of: now() }),
        Page::Deliveries(fixture::deliveries()),
        error(Reason::TIMEOUT, &next),
        error(Reason::NOT_SIGNED_IN, &next),
    ];
    for page in pages {
        let name = format!("{page:?}");
        let html = render(&chrome, page);
        for part in ["<script>", "<img src=x", "</textarea>", "javascript:"] {
            assert!(!html.contains(part), "{part} on {name}");
        }
        assert!(html.contains("&lt;/textarea&gt;&lt;script&gt;"), "{name}");
    }
    let dashboard = render(&chrome, Page::Dashboard(DashboardPage { now: now() }));
    // Name, given and family name, preferred name, e-mail, phone, roles and all academic fields.
    assert!(dashboard.matches("&lt;script&gt;").count() >= 15, "every field is shown, escaped");
}

#[test]
fn the_dashboard_shows_all_that_is_known() {
    let html = render(&signed_in(student()), Page::Dashboard(DashboardPage { now: now() }));
    for part in [
        "Aisha Mohammed",
        "aisha@nile.example",
        ">verified<",
        "Student",
        "Editor",
        "200",
        "Undergraduate",
        "256240001",
        "<code>fac_eng</code>",
        "<code>dep_cpe</code>",
        "2026/2027",
        "Harmattan semester",
        "Week 13",
        "1 Sep 2026",
        "14 Feb 2027",
        "<progress",
        "5 minutes ago · from sign-in token",
        "<time datetime=\"2026-11-24T05:34:00Z\">24 Nov 2026, 06:34</time>",
        "Picture of Aisha Mohammed",
        "referrerpolicy=\"no-referrer\"",
        "width=\"96\"",
        "2 hours ago · from Campus One",
    ] {
        assert!(html.contains(part), "{part} in {html}");
    }
}

#[test]
fn the_dashboard_has_words_for_what_is_missing() {
    let dashboard =
        |person| render(&signed_in(person), Page::Dashboard(DashboardPage { now: now() }));
    let staff = dashboard(person(PrimaryRole::Staff));
    assert!(staff.contains("You are here as Staff, so there is nothing missing."));
    assert!(!staff.contains("Student ID"));
    let bare = dashboard(fixture::bare());
    for part in ["sent no study details", "sent no roles", "sent no profile", "Somebody"] {
        assert!(bare.contains(part), "{part}");
    }
    assert!(!bare.contains("<img"));
    let mut partly = student();
    if let Some(facts) = &mut partly.academic {
        facts.value.level = None;
    }
    assert!(dashboard(partly).contains("not sent"));
}

#[test]
fn details_from_before_the_term_are_withheld() {
    let words = "has not confirmed your level";
    let mut old = student();
    let fresh = render(&signed_in(old.clone()), Page::Dashboard(DashboardPage { now: now() }));
    assert!(!fresh.contains(words) && fresh.contains("256240001"));
    if let Some(facts) = &mut old.academic {
        facts.as_of = now().plus_seconds(-100 * 86_400);
    }
    let withheld = render(&signed_in(old), Page::Dashboard(DashboardPage { now: now() }));
    assert!(withheld.contains(words));
    assert!(!withheld.contains("256240001") && !withheld.contains("200 level"));
}

#[test]
fn a_stale_viewer_reads_so_on_every_page() {
    let words = "Campus One cannot be reached.";
    for confirmed in [None, Some(now().plus_seconds(-600))] {
        let mut chrome = signed_in(student());
        if let Some(viewer) = &mut chrome.viewer {
            viewer.standing = Standing::Stale { since: now().plus_seconds(-60), confirmed };
        }
        let next = ReturnPath::parse("/dashboard");
        for page in [
            Page::Home,
            Page::Dashboard(DashboardPage { now: now() }),
            error(Reason::NOT_FOUND, &next),
        ] {
            let html = render(&chrome, page);
            assert!(html.contains("<div role=\"status\" class=\"stale\">"), "{html}");
            assert!(html.contains(words), "{html}");
            assert_eq!(html.contains(">24 Nov 2026, 06:29</time>"), confirmed.is_some(), "{html}");
        }
    }
    assert!(!render(&signed_in(student()), Page::Home).contains(words));
}

#[test]
fn pictures_come_only_from_acceptable_addresses() {
    for (address, shown) in [
        ("https://cdn.example/a.png", true),
        ("/pictures/a.png", true),
        ("javascript:alert(1)", false),
        ("data:image/svg+xml,x", false),
        ("//evil.example/a.png", false),
    ] {
        let mut person = student();
        if let Some(facts) = &mut person.profile {
            facts.value.picture = Some(address.to_owned());
        }
        let html = render(&signed_in(person), Page::Dashboard(DashboardPage { now: now() }));
        assert_eq!(html.contains("<img"), shown, "{address}");
        assert!(html.contains(">AM</span>"), "initials lie under every picture");
    }
}

#[test]
fn the_navigation_shows_only_what_opens_and_where_one_is() {
    let nobody = render(&anonymous("/"), Page::Home);
    assert!(nobody.contains("<a href=\"/\" aria-current=\"page\">Home</a>"));
    assert!(!nobody.contains("href=\"/dashboard\""));
    assert!(!nobody.contains("Sign out"));
    let mut chrome = signed_in(student());
    chrome.path = "/dashboard?from=mail".to_owned();
    let html = render(&chrome, Page::Dashboard(DashboardPage { now: now() }));
    assert!(html.contains("<a href=\"/dashboard\" aria-current=\"page\">Dashboard</a>"));
    assert!(html.contains("<a href=\"/\">Home</a>"));
    assert!(html.contains("<form method=\"post\" action=\"/auth/logout\">"));
}

#[test]
fn signing_in_leads_back() {
    let html = render(&anonymous("/notices?page=2&x"), Page::Home);
    assert!(html.contains("href=\"/auth/login?next=%2Fnotices%3Fpage%3D2%26x\""));
    assert!(html.contains("href=\"/auth/login?next=%2Fdashboard\" class=\"button\""));
    let callback = render(&anonymous("/auth/callback?code=x"), Page::Home);
    assert!(callback.contains("href=\"/auth/login?next=%2F\" class=\"button button-quiet\""));
    let page = Page::SignedOut(left(None, AtProvider::NotAsked));
    assert!(
        render(&anonymous("/"), page).contains("href=\"/auth/login?next=%2F\" class=\"button\"")
    );
}

#[test]
fn errors_say_what_to_do_and_what_to_tell() {
    let mut chrome = anonymous("/dashboard");
    chrome.request_id = Some("0199-req".to_owned());
    for &reason in Reason::ALL {
        let next = ReturnPath::parse("/dashboard");
        let html = render(&chrome, error(reason, &next));
        let code = format!("<p data-reason=\"{0}\">Reason code: <code>{0}</code></p>", reason.code);
        assert!(html.contains(&code), "{}", reason.code);
        assert!(html.contains("Request number: <code>0199-req</code>"));
        let way = match reason.way_on {
            campus::reason::WayOn::SignIn => {
                "href=\"/auth/login?next=%2Fdashboard\" class=\"button\""
            }
            campus::reason::WayOn::TryAgain => "href=\"/dashboard\" class=\"button\"",
            campus::reason::WayOn::Home => "href=\"/\" class=\"button\"",
        };
        assert!(html.contains(way), "{}", reason.code);
    }
}

#[test]
fn a_dashboard_without_a_viewer_shows_nothing_private() {
    let html = render(&anonymous("/dashboard"), Page::Dashboard(DashboardPage { now: now() }));
    assert!(html.contains("data-reason=\"not_signed_in\""));
}

#[test]
fn admin_pages_without_a_viewer_show_nothing() {
    for page in [
        Page::Admin(AdminPage { overview: overview(), ended: Some(3) }),
        Page::Reports(ReportsPage { report: report(), as_of: now() }),
    ] {
        let html = render(&anonymous("/admin"), page);
        assert!(html.contains("data-reason=\"not_signed_in\"") && !html.contains("<table"));
    }
}

#[test]
fn the_admin_page_says_who_is_there_and_what_happened() {
    let page = AdminPage { overview: overview(), ended: Some(2) };
    let html = render(&signed_in(student()), Page::Admin(page));
    for part in [
        "<p role=\"status\" class=\"done\">2 sessions were ended.</p>",
        "<dt>Live sessions</dt><dd>7</dd>",
        "<dt>Deliveries given up</dt><dd>1</dd>",
        "<dt>Deliveries refused, 24 hours</dt><dd>4</dd>",
        "The 3 who were here last, of 5.",
        "action=\"/admin/people/01939b1c-0000-7000-8000-000000000002/end-sessions\"",
        "End all sessions<span class=\"visually-hidden\"> of <bdi>Chinedu Okafor</bdi></span>",
        "5 minutes ago",
        "<th scope=\"row\">Access refused</th>",
        "<code>gate run_unit</code>",
        "Somebody no longer known",
        "<bdi>Campus One</bdi>",
        "href=\"/admin/reports\"",
        "href=\"/admin/deliveries\"",
    ] {
        assert!(html.contains(part), "{part} in {html}");
    }
    // Whoever looks has no button against themselves.
    assert_eq!(html.matches("/end-sessions").count(), 2);
    assert!(html.contains("This is you"));
}

#[test]
fn every_bar_of_a_report_has_its_figure_beside_it() {
    let page = ReportsPage { report: report(), as_of: now() };
    let html = render(&signed_in(student()), Page::Reports(page));
    for part in [
        "<dt>Signed in today</dt><dd>3</dd>",
        "<th scope=\"row\"><bdi>Platform admin</bdi></th><td class=\"number\">1</td><td class=\"number\">10 %</td>",
        "<bdi>Unit admin</bdi>",
        "<code>fac_eng</code>",
        "<span class=\"absent\">not sent</span>",
        "<rect width=\"10\" height=\"8\" class=\"bar-mark\">",
        "as of <time datetime=\"2026-11-24T05:39:00Z\">",
    ] {
        assert!(html.contains(part), "{part} in {html}");
    }
    let rows = html.matches("<th scope=\"row\">").count();
    assert_eq!((html.matches(" class=\"bar\"").count(), html.matches("<table").count()), (rows, 4));
}

#[test]
fn an_error_says_what_else_is_known_of_it() {
    let details = vec![format!("The title {NASTY}."), "It is for editors.".to_owned()];
    let page = ErrorPage { reason: Reason::FORBIDDEN, next: ReturnPath::home(), details };
    let html = render(&signed_in(student()), Page::Error(page));
    assert!(
        html.contains("<p>It is for editors.</p>") && html.contains("<p>The title &lt;/textarea")
    );
}

#[test]
fn deliveries_tell_what_came_of_them_and_those_given_up_have_a_button() {
    let page = DeliveriesPage { state: Some(DeliveryState::Dead), ..fixture::deliveries() };
    let html = render(&signed_in(person(PrimaryRole::Staff)), Page::Deliveries(page.clone()));
    for part in [
        "<option value=\"dead\" selected>Given up</option>",
        "<form method=\"get\" action=\"/admin/deliveries\" class=\"filter\">",
        "<form method=\"post\" action=\"/admin/deliveries/0d/retry\">",
        "Process again<span class=\"visually-hidden\">",
        "href=\"/admin/deliveries?state=dead&amp;newer=2-a\"",
        "href=\"/admin/deliveries?state=dead&amp;older=1-b\"",
        "<th scope=\"col\">",
        "24 Nov 2026, 06:34",
        "<td class=\"number\">41</td>",
        "(5 minutes ago)",
    ] {
        assert!(html.contains(part), "{part} in {html}");
    }
    assert_eq!(html.matches("Process again").count(), 1, "only what was given up");
    assert!(html.contains("24 Nov 2026, 04:34") && html.matches("happened ").count() == 1, "late");
    assert_eq!(html.matches("tabindex=\"0\"").count(), 2, "tables can be moved by keyboard");
    let all = DeliveriesPage { newer: None, older: None, ..page };
    let html = render(&signed_in(person(PrimaryRole::Staff)), Page::Deliveries(all));
    assert!(!html.contains("class=\"ways\""));
    let nobody = render(&anonymous("/admin/deliveries"), Page::Deliveries(fixture::deliveries()));
    assert!(nobody.contains("data-reason=\"not_signed_in\"") && !nobody.contains("Process again"));
}

#[test]
fn the_term_tints_the_page() {
    for (date, class) in
        [((2026, 11), "term-harmattan"), ((2027, 4), "term-rain"), ((2027, 8), "term-holidays")]
    {
        let mut chrome = signed_in(student());
        chrome.now = on(date.0, date.1);
        let page = DashboardPage { now: chrome.now };
        let html = render(&chrome, Page::Dashboard(page));
        assert!(html.contains(&format!("<body class=\"{class}\">")));
        assert_eq!(html.contains("<progress"), class != "term-holidays");
    }
}

#[test]
fn the_signed_out_page_says_no_more_than_is_known() {
    let html = |reason, at_provider| {
        render(&anonymous("/auth/signed-out"), Page::SignedOut(left(reason, at_provider)))
    };
    let link = "href=\"https://auth.campusone.com.ng/\"";
    for (at_provider, words, linked) in [
        (AtProvider::NotAsked, "may still be signed in to Campus One itself", true),
        (AtProvider::SignedOut, "signed out of Campus One in this browser, too", false),
        (AtProvider::Unconfirmed, "did not confirm", true),
        (AtProvider::Unreachable, "could not be asked", true),
    ] {
        let html = html(Some(EndReason::SignedOut), at_provider);
        assert!(html.contains(words) && html.contains(link) == linked, "{at_provider:?}: {html}");
    }
    let disconnected = html(Some(EndReason::Disconnected), AtProvider::NotAsked);
    for words in ["<h1>Campus Desk is disconnected</h1>", "Connect again", "consent", "audit trail"]
    {
        assert!(disconnected.contains(words), "{words}: {disconnected}");
    }
    let misled = SignedOutPage {
        provider: Some("javascript:alert(1)".into()),
        ..left(Some(EndReason::SignedOut), AtProvider::NotAsked)
    };
    assert!(!render(&anonymous("/"), Page::SignedOut(misled)).contains("javascript"));
}

#[test]
fn whoever_was_signed_in_again_reads_why_that_was_needed() {
    let mut chrome = signed_in(student());
    chrome.ended = Some(EndReason::Idle);
    let html = render(&chrome, Page::Home);
    assert!(html.contains(EndReason::Idle.text()) && html.contains("signed in again"), "{html}");
    chrome.viewer = None;
    let html = render(&chrome, Page::Home);
    assert!(html.contains(EndReason::Idle.text()) && !html.contains("signed in again"), "{html}");
}

#[test]
fn the_dashboard_has_both_ways_out() {
    let html = render(&signed_in(student()), Page::Dashboard(DashboardPage { now: now() }));
    for action in ["/auth/logout", "/auth/logout/campus-one"] {
        assert!(html.contains(&format!("<form method=\"post\" action=\"{action}\">")), "{action}");
    }
}

fn error(reason: Reason, next: &ReturnPath) -> Page {
    Page::Error(ErrorPage { reason, next: next.clone(), details: Vec::new() })
}

/// The names of all attributes of a document's tags. Values stand in double quotes, escaped.
fn attribute_names(html: &str) -> impl Iterator<Item = &str> {
    html.split('<')
        .filter_map(|part| part.split_once('>'))
        .filter(|(tag, _)| tag.starts_with(|c: char| c.is_ascii_alphabetic()))
        .flat_map(|(tag, _)| tag.split('"').step_by(2))
        .flat_map(str::split_whitespace)
        .filter_map(|word| word.strip_suffix('='))
}
