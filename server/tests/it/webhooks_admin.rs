//! `/admin/deliveries`: what unit admins see of webhooks, and what they can do.

use crate::support::{Browser, TestApp, at, disconnected, event};
use http::Method;
use serde_json::json;

const PAGE: &str = "/admin/deliveries";

async fn page(browser: &Browser, query: &str) -> String {
    let answer = browser.navigate(&format!("{PAGE}{query}")).await;
    assert_eq!((answer.status, answer.header("cache-control")), (200, "no-store"), "{answer:?}");
    answer.body
}

/// Where a link leads, by its words.
fn link(page: &str, words: &str) -> Option<String> {
    let before = page.split(words).next().filter(|before| before.len() < page.len())?;
    let href = before.rsplit("href=\"").next()?.split('"').next()?;
    Some(href.replace("&amp;", "&").trim_start_matches(PAGE).to_owned())
}

#[tokio::test]
async fn only_unit_admins_see_deliveries_or_process_them_again() {
    let app = TestApp::spawn().await;
    app.sender().accepted(event("x", at(0), &json!({}))).await;
    app.execute("update deliveries set state = 'dead'").await;
    let id = app.text("select replace(id::text, '-', '') from deliveries").await.unwrap();
    let retry = format!("{PAGE}/{id}/retry");
    for person in ["user_aisha", "user_zainab", "user_bello", "user_ifeoma"] {
        let browser = app.signed_in(person).await;
        browser.navigate(PAGE).await.assert_refused(403, "forbidden");
        browser.submit(&retry).await.assert_refused(403, "forbidden");
    }
    app.browser().submit(&retry).await.assert_refused(401, "not_signed_in");
    let hops = app.browser().follow(PAGE).await;
    assert_eq!(hops.last().unwrap().url.path(), "/sign-in");
    let admin = app.signed_in("user_ngozi").await;
    let forged = [("sec-fetch-site", "cross-site"), ("accept", "text/html")];
    admin.ask(Method::POST, &retry, &forged).await.assert_refused(403, "cross_site");
    assert_eq!(app.deliveries().await, "dead", "nobody has changed anything");
    assert!(page(&admin, "").await.contains("Process again"));
}

#[tokio::test]
async fn the_page_tells_what_came_of_each_delivery_and_nothing_of_its_body() {
    let app = TestApp::spawn().await;
    app.signed_in("user_aisha").await;
    let admin = app.signed_in("user_ngozi").await;
    let empty = page(&admin, "").await;
    assert!(
        empty.contains("Campus One has sent nothing yet.") && empty.contains("Nothing was refused")
    );
    app.sender().accepted(disconnected("user_aisha", at(-5))).await;
    app.sender().accepted(disconnected("user_unknown", at(-5))).await;
    app.sender().accepted(event("<b>odd</b>", at(0), &json!({ "secret": "s3cr3t-words" }))).await;
    app.sender().send("{}", &[]).await.assert_refused(401, "webhook_unsigned");
    app.wait_for("select sum(times)::text from refused_deliveries", "1").await;
    let shown = page(&admin, "").await;
    for part in [
        "Aisha Mohammed",
        "user_unknown",
        "&lt;b&gt;odd&lt;/b&gt;",
        "sessions from before it ended",
        "nobody by this name has signed in here",
        "Nothing to do",
        "The delivery carries no signature.",
        "webhook_unsigned",
    ] {
        assert!(shown.contains(part), "{part} in {shown}");
    }
    assert!(!shown.contains("s3cr3t") && !shown.contains("Process again"));
    let applied = page(&admin, "?state=applied").await;
    assert!(applied.contains("Aisha Mohammed") && !applied.contains("user_unknown"));
    assert!(page(&admin, "?state=dead").await.contains("There is no delivery in this state."));
    assert!(page(&admin, "?state=nonsense&older=nonsense").await.contains("user_unknown"));
}

#[tokio::test]
async fn pages_lead_to_older_and_newer_deliveries_without_gap_or_repetition() {
    let app = TestApp::spawn().await;
    let admin = app.signed_in("user_ngozi").await;
    // Some arrive within the same millisecond.
    app.execute(
        "insert into deliveries (id, body_hash, body, event, occurred_at, received_at, next_try_at, state)
         select gen_random_uuid(), sha256(n::text::bytea), '{}', 'event-' || n || '-', now(),
                date_trunc('second', now()) - (n / 7) * interval '1 second', now(),
                case when n % 3 = 0 then 'dead' else 'applied' end
         from generate_series(0, 59) n",
    )
    .await;
    for (state, expected) in [("", 60), ("dead", 20), ("applied", 40)] {
        let events = |page: &str| -> Vec<String> {
            let parts = page.split("<code>event-").skip(1);
            parts.map(|part| part.split('-').next().unwrap_or_default().to_owned()).collect()
        };
        let mut pages = vec![page(&admin, &format!("?state={state}")).await];
        assert_eq!(link(&pages[0], "Newer deliveries"), None);
        while let Some(older) = link(pages.last().unwrap(), "Older deliveries") {
            pages.push(page(&admin, &older).await);
        }
        let there: Vec<_> = pages.iter().map(|page| events(page)).collect();
        let mut all = there.concat();
        all.sort();
        all.dedup();
        assert_eq!((all.len(), there.concat().len()), (expected, expected), "{state}");
        let mut back = vec![events(pages.last().unwrap())];
        let mut newer = link(pages.last().unwrap(), "Newer deliveries");
        while let Some(query) = newer {
            let shown = page(&admin, &query).await;
            back.push(events(&shown));
            newer = link(&shown, "Newer deliveries");
        }
        back.reverse();
        assert_eq!(back.concat(), there.concat(), "the way back is the same: {state}");
    }
}

#[tokio::test]
async fn a_delivery_that_was_given_up_is_processed_again_by_a_unit_admin() {
    let app = TestApp::spawn().await;
    let aisha = app.signed_in("user_aisha").await;
    let admin = app.signed_in("user_ngozi").await;
    app.execute("alter table sessions add constraint no_end check (end_reason is distinct from 'disconnected')")
        .await;
    app.sender().accepted(disconnected("user_aisha", at(0))).await;
    app.execute("update deliveries set attempts = 7, next_try_at = now()").await;
    app.wait_for("select state from deliveries", "dead").await;
    app.execute("alter table sessions drop constraint no_end").await;
    let shown = page(&admin, "?state=dead").await;
    let action = shown.split("action=\"").find(|part| part.contains("/retry")).unwrap();
    let action = action.split('"').next().unwrap();

    let answer = admin.submit(action).await;
    assert_eq!((answer.status, answer.location().unwrap().path()), (303, PAGE));
    assert_eq!(app.deliveries().await, "applied");
    assert_eq!(aisha.fetch("/auth/me").await.status, 401, "in force when the page is back");
    let entry = "select concat(actor, ' ', u.subject) from audit_entries e join users u on u.id = e.actor_id
                 where e.kind = 'admin_action' and e.session_id is not null";
    assert_eq!(app.text(entry).await.as_deref(), Some("person user_ngozi"));

    // A second click, and what is no delivery at all.
    assert_eq!(admin.submit(action).await.status, 303);
    let actions = "select count(*) from audit_entries where kind = 'admin_action'";
    assert_eq!(app.number(actions).await, 1);
    admin.submit(&format!("{PAGE}/nonsense/retry")).await.assert_refused(404, "not_found");
}
