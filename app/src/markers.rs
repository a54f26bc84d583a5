//! Takes hydration's markers out of the parts of a page that are never hydrated.
//!
//! Rendering leaves an empty comment (`<!>`) wherever a live page would need to find a place again. With
//! islands only the islands do; everywhere else these are bytes on a phone's data plan, and malformed
//! comments to a validator. Text and attributes are escaped, so a marker cannot come from data.

const MARKER: &str = "<!>";
const ISLAND: &str = "<leptos-island";
const ISLAND_END: &str = "</leptos-island";

/// Appends `html` to `out` without the markers outside islands.
pub(crate) fn push_without_markers(out: &mut String, html: &str) {
    let (mut rest, mut islands) = (html, 0_usize);
    while let Some(start) = rest.find('<') {
        let (text, tag) = rest.split_at(start);
        out.push_str(text);
        if islands == 0 && tag.starts_with(MARKER) {
            rest = &tag[MARKER.len()..];
            continue;
        }
        if tag.starts_with(ISLAND) {
            islands += 1;
        } else if tag.starts_with(ISLAND_END) {
            islands = islands.saturating_sub(1);
        }
        out.push('<');
        rest = &tag[1..];
    }
    out.push_str(rest);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markers_stay_inside_islands_only() {
        let html = "<p>a<!></p><leptos-island x><!><leptos-island y><!></leptos-island><!></leptos-island><!>ọ";
        let mut out = String::new();
        push_without_markers(&mut out, html);
        assert_eq!(
            out,
            "<p>a</p><leptos-island x><!><leptos-island y><!></leptos-island><!></leptos-island>ọ"
        );
    }
}
