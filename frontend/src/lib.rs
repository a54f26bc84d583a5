//! The WebAssembly entry: makes the islands of `campus_app` live in the browser, and nothing else.

// The islands are reached from the browser through their exported names; this keeps them linked.
#[allow(unused_imports)]
use campus_app as _;

/// Called by the page once the module is loaded; each island is then hydrated by name.
#[wasm_bindgen::prelude::wasm_bindgen]
pub fn hydrate() {
    leptos::mount::hydrate_islands();
}
