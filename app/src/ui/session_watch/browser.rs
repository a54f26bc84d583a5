//! The browser's half: listens, asks `/auth/me`, loads anew. Without an answer nothing happens.

use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{
    PageTransitionEvent, RequestCache, RequestInit, Response, VisibilityState, Window, window,
};

/// Starts listening; the listeners live as long as the page.
pub(super) fn watch(subject: String) {
    let Some(window) = window() else { return };
    let Some(document) = window.document() else { return };
    let wanted = subject.clone();
    listen(&window, "pageshow", move |event| {
        let event = event.dyn_into::<PageTransitionEvent>();
        if event.is_ok_and(|event| event.persisted()) {
            check(wanted.clone());
        }
    });
    let page = document.clone();
    listen(&document, "visibilitychange", move |_| {
        if page.visibility_state() == VisibilityState::Visible {
            check(subject.clone());
        }
    });
}

fn listen(target: &web_sys::EventTarget, event: &str, then: impl Fn(JsValue) + 'static) {
    let listener = Closure::<dyn Fn(JsValue)>::new(then);
    // Adding a listener only throws for a target that does not exist.
    let _ = target.add_event_listener_with_callback(event, listener.as_ref().unchecked_ref());
    listener.forget();
}

fn check(subject: String) {
    spawn_local(async move {
        let Some(window) = window() else { return };
        let answer = ask(&window).await;
        if answer.is_ok_and(|signed_in| signed_in.is_none_or(|somebody| somebody != subject)) {
            // A reload only fails where the page is already going away.
            let _ = window.location().reload();
        }
    });
}

/// Who is signed in now; an error says nothing of that (no network, the server is away).
async fn ask(window: &Window) -> Result<Option<String>, JsValue> {
    let request = RequestInit::new();
    request.set_cache(RequestCache::NoStore);
    let answer = JsFuture::from(window.fetch_with_str_and_init("/auth/me", &request)).await?;
    let answer = answer.dyn_into::<Response>()?;
    match answer.status() {
        401 => Ok(None),
        200 => {
            let person = JsFuture::from(answer.json()?).await?;
            js_sys::Reflect::get(&person, &"sub".into())?.as_string().map(Some).ok_or(JsValue::NULL)
        }
        _ => Err(JsValue::NULL),
    }
}
