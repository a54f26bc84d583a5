//! The browser's half: listens, asks `/auth/me`, loads anew. Without an answer nothing happens.

use leptos::prelude::{RwSignal, Set as _};
use std::cell::RefCell;
use std::rc::Rc;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{
    Document, EventSource, PageTransitionEvent, RequestCache, RequestInit, Response,
    VisibilityState, Window, window,
};

/// Starts listening; the listeners live as long as the page.
pub(super) fn watch(subject: String, roles: &str, changed: RwSignal<bool>) {
    let Some(window) = window() else { return };
    let Some(document) = window.document() else { return };
    let wanted = subject.clone();
    listen(&window, "pageshow", move |event| {
        let event = event.dyn_into::<PageTransitionEvent>();
        if event.is_ok_and(|event| event.persisted()) {
            check(wanted.clone());
        }
    });
    // Role versions are hexadecimal; nothing needs escaping.
    let stream = Rc::new(Stream::new(format!("/auth/events?roles={roles}"), changed));
    stream.follow(&document);
    // The page is on its way: that its own sign-out ended the session must not call it back.
    let leaving = stream.clone();
    listen(&document, "submit", move |_| leaving.close());
    let page = document.clone();
    listen(&document, "visibilitychange", move |_| {
        stream.follow(&page);
        if is_visible(&page) {
            check(subject.clone());
        }
    });
}

fn is_visible(page: &Document) -> bool {
    page.visibility_state() == VisibilityState::Visible
}

/// The stream of news. Only a visible page holds one: a browser opens six connections to a site, and tabs in
/// the background must not use them up.
struct Stream {
    address: String,
    changed: RwSignal<bool>,
    open: Rc<RefCell<Option<EventSource>>>,
}

impl Stream {
    fn new(address: String, changed: RwSignal<bool>) -> Self {
        Self { address, changed, open: Rc::default() }
    }

    fn close(&self) {
        if let Some(source) = self.open.borrow_mut().take() {
            source.close();
        }
    }

    /// Opens the stream of a visible page and closes that of a hidden one.
    fn follow(&self, page: &Document) {
        if !is_visible(page) {
            self.close();
            return;
        }
        let mut open = self.open.borrow_mut();
        if open.as_ref().is_some_and(|source| source.ready_state() != EventSource::CLOSED) {
            return;
        }
        let Ok(source) = EventSource::new(&self.address) else { return };
        let changed = self.changed;
        listen(&source, "roles", move |_| changed.set(true));
        listen(&source, "ended", |_| {
            if let Some(window) = window() {
                let _ = window.location().reload();
            }
        });
        *open = Some(source);
    }
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
