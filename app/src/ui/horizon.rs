//! The drawing under every heading: dunes in the dust of harmattan, ripples in the rain, hills in the
//! holidays. Decoration; it says nothing the text does not.

use campus::semester::{Semester, Term};
use leptos::prelude::*;

/// The horizon of a term.
pub(crate) fn horizon(term: Term) -> impl IntoView {
    let drawing = match term {
        Term::Running { semester: Semester::Harmattan, .. } => dunes(),
        Term::Running { semester: Semester::Rain, .. } => rain(),
        Term::Holidays { .. } => hills(),
    };
    view! {
        <svg
            class="horizon"
            viewBox="0 0 1200 150"
            preserveAspectRatio="xMaxYMax slice"
            aria-hidden="true"
        >
            {drawing}
        </svg>
    }
}

fn dunes() -> AnyView {
    view! {
        <circle class="sun" cx="960" cy="62" r="44" />
        <path class="far" d="M0 96c180-34 330-30 520-2s420 24 680-34v90H0z" />
        <path class="mid" d="M0 124c220-38 390-8 600-6s380-46 600-30v62H0z" />
        <path class="near" d="M0 142c260-22 420 6 640-2s360-34 560-18v28H0z" />
    }
    .into_any()
}

fn rain() -> AnyView {
    view! {
        <path
            class="fall"
            d="M700 6l-8 26M764 30l-9 30M820 0l-7 22M872 40l-9 30M930 12l-9 30M988 48l-7 22M1040 8l-9 30M1094 36l-8 26M1150 4l-9 30M640 44l-6 20M1180 58l-6 20"
        />
        <path class="far" d="M0 92h1200v58H0z" />
        <path class="mid" d="M0 114c200-6 400 6 600 0s400-6 600 0v36H0z" />
        <path class="near" d="M0 138c200-5 400 5 600 0s400-5 600 0v12H0z" />
        <path
            class="ripple"
            d="M800 104a46 6 0 1 0 92 0a46 6 0 1 0-92 0M1000 126a58 7 0 1 0 116 0a58 7 0 1 0-116 0M640 124a34 5 0 1 0 68 0a34 5 0 1 0-68 0"
        />
    }
    .into_any()
}

fn hills() -> AnyView {
    view! {
        <circle class="sun" cx="980" cy="52" r="34" />
        <path class="far" d="M0 104c140-40 260-40 400-10s260 20 380-10 260-30 420 10v56H0z" />
        <path class="mid" d="M0 128c180-30 340-20 520-4s360-34 680-14v40H0z" />
        <path class="near" d="M0 144c300-14 500 0 700-4s340-16 500-8v18H0z" />
    }
    .into_any()
}
