//! Tables: a caption for those who listen, columns, and bars that show a share to those who look.

use campus::instant::Instant;
use leptos::prelude::*;

/// The head of a column.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Column {
    name: &'static str,
    number: bool,
}

impl Column {
    /// A column of words. One without a name holds drawings that say nothing new.
    pub(crate) const fn text(name: &'static str) -> Self {
        Self { name, number: false }
    }

    /// A column of numbers, which stand under one another.
    pub(crate) const fn number(name: &'static str) -> Self {
        Self { name, number: true }
    }
}

/// A table. Where it is wider than its place it scrolls by itself, also by the keyboard.
pub(crate) fn table(
    caption: &'static str,
    columns: &[Column],
    rows: impl IntoView + 'static,
) -> AnyView {
    let head = columns
        .iter()
        .map(|&Column { name, number }| {
            if name.is_empty() {
                view! { <td aria-hidden="true"></td> }.into_any()
            } else if number {
                view! { <th scope="col" class="number">{name}</th> }.into_any()
            } else {
                view! { <th scope="col">{name}</th> }.into_any()
            }
        })
        .collect_view();
    view! {
        <div class="table" role="region" aria-label=caption tabindex="0">
            <table>
                <caption class="visually-hidden">{caption}</caption>
                <thead>
                    <tr>{head}</tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </div>
    }
    .into_any()
}

/// An instant in a cell.
pub(crate) fn moment(at: Instant) -> impl IntoView {
    view! { <time datetime=at.rfc3339()>{at.lagos_text()}</time> }
}

/// A share in whole percent. Something is never shown as nothing, and not quite all never as all.
pub(crate) fn percent(part: i64, whole: i64) -> i64 {
    if part <= 0 || whole <= 0 {
        return 0;
    }
    if part >= whole {
        return 100;
    }
    let (part, whole) = (i128::from(part), i128::from(whole));
    let rounded = (part * 100 + whole / 2) / whole;
    i64::try_from(rounded).unwrap_or(100).clamp(1, 99)
}

/// The same share as a bar; the number beside it says it to those who do not see it.
pub(crate) fn bar(part: i64, whole: i64) -> impl IntoView {
    view! {
        <svg class="bar" viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">
            <rect class="bar-track" width="100" height="8" />
            <rect class="bar-mark" width=percent(part, whole).to_string() height="8" />
        </svg>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_rounded_but_never_to_nothing_or_to_all() {
        for (part, whole, expected) in [
            (0, 10, 0),
            (1, 3, 33),
            (2, 3, 67),
            (1, 1000, 1),
            (999, 1000, 99),
            (5, 5, 100),
            (3, 0, 0),
            (i64::MAX - 1, i64::MAX, 99),
        ] {
            assert_eq!(percent(part, whole), expected, "{part} of {whole}");
        }
    }
}
