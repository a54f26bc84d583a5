//! The running term: its name, its tint, and its weeks as a drawing.

use crate::ui::card::Card;
use campus::instant::{Instant, day_text};
use campus::semester::{Progress, Semester, Term};
use leptos::prelude::*;
use std::fmt::Write;
use std::ops::RangeInclusive;

/// The class that tints the whole page.
pub(crate) const fn body_class(term: Term) -> &'static str {
    match term {
        Term::Running { semester: Semester::Harmattan, .. } => "term-harmattan",
        Term::Running { semester: Semester::Rain, .. } => "term-rain",
        Term::Holidays { .. } => "term-holidays",
    }
}

/// The term's name.
const fn name(term: Term) -> &'static str {
    match term {
        Term::Running { semester, .. } => semester.label(),
        Term::Holidays { .. } => "Holidays",
    }
}

/// The term in a line: `Harmattan semester · week 13 of 24`.
pub(crate) fn line(now: Instant) -> String {
    let term = Term::at(now);
    match (term, term.progress(now)) {
        (Term::Holidays { until }, _) => {
            format!("Holidays · harmattan semester begins on {}", day_text(until))
        }
        (_, Some(Progress { week, weeks, .. })) => {
            format!("{} · week {week} of {weeks}", name(term))
        }
        (_, None) => name(term).to_owned(),
    }
}

/// The term as a card.
pub(crate) fn card(now: Instant) -> impl IntoView {
    let term = Term::at(now);
    let content = match (term, term.progress(now)) {
        (Term::Holidays { until }, _) => {
            let text = format!("Harmattan semester begins on {}.", day_text(until));
            view! { <p>{text}</p> }.into_any()
        }
        (_, Some(progress)) => progress_bar(term, &progress).into_any(),
        (_, None) => ().into_any(),
    };
    view! {
        <Card id="semester" title=name(term).to_owned()>
            {content}
        </Card>
    }
}

/// How far the semester has come: a progress element for those who listen, its weeks as strokes for
/// those who look.
fn progress_bar(term: Term, progress: &Progress) -> impl IntoView + use<> {
    let Progress { percent, week, weeks, first, last } = progress.clone();
    let rain = matches!(term, Term::Running { semester: Semester::Rain, .. });
    let past = strokes(rain, 1..=week - 1);
    let current = strokes(rain, week..=week);
    let future = strokes(rain, week + 1..=weeks);
    view! {
        <p class="term-week">
            <strong>{format!("Week {week}")}</strong>
            {format!(" of {weeks}")}
        </p>
        <svg class="weeks" viewBox=format!("0 0 {} 48", weeks * 10) aria-hidden="true">
            <path class="week-future" d=future />
            <path class="week-past" d=past />
            <path class="week-current" d=current />
        </svg>
        <p class="term-days">
            <span>{first}</span>
            <span>{last}</span>
        </p>
        <p class="term-share">
            <label for="term-progress">"Semester passed"</label>
            <progress id="term-progress" max="100" value=percent.to_string()></progress>
            <span>{format!("{percent} %")}</span>
        </p>
    }
}

/// One stroke a week: the crest of a dune line, or slanted rain.
fn strokes(rain: bool, weeks: RangeInclusive<i64>) -> String {
    const DUNES: [i64; 12] = [12, 15, 20, 27, 33, 36, 34, 28, 21, 16, 13, 11];
    const RAIN: [(i64, i64); 6] = [(6, 24), (14, 26), (4, 30), (18, 22), (9, 28), (12, 30)];
    let mut path = String::new();
    for week in weeks {
        let (middle, number) = (week * 10 - 5, week.unsigned_abs() as usize);
        // Writing to a String does not fail.
        let _ = if rain {
            let (top, length) = RAIN[number % RAIN.len()];
            write!(path, "M{} {top}l-4 {length}", middle + 2)
        } else {
            write!(path, "M{middle} 45v-{}", DUNES[number % DUNES.len()])
        };
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_week_has_one_stroke() {
        for rain in [false, true] {
            let count = |first, last| strokes(rain, first..=last).matches('M').count();
            assert_eq!((count(1, 24), count(1, 0), count(3, 3)), (24, 0, 1));
        }
    }

    #[test]
    fn the_line_names_term_and_week() {
        let november = Instant::from_seconds(1_795_503_600);
        assert_eq!(line(november), "Harmattan semester · week 13 of 24");
        let august = november.plus_seconds(-100 * 86_400);
        assert_eq!(line(august), "Holidays · harmattan semester begins on 1 Sep 2026");
    }
}
