//! One gate, four positions: the mark of the product, and the glyph that stands beside every word about an outcome.
//! Up is passed, half is limited, down on both posts is refused, no bar is idle: readable without colour.

use crate::values::OutcomeGroup;
use leptos::prelude::*;

/// The position of the gate: the same four meanings everywhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gate {
    Passed,
    Limited,
    Refused,
    Idle,
}

impl Gate {
    pub const ALL: [Self; 4] = [Self::Passed, Self::Limited, Self::Refused, Self::Idle];

    /// The word that stands beside the glyph, and the end of its class names (`badge-passed`, `passed-fg`).
    pub const fn word(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Limited => "limited",
            Self::Refused => "refused",
            Self::Idle => "idle",
        }
    }

    const fn path(self) -> &'static str {
        match self {
            Self::Passed => "M2.5 14V9M13.5 14V9M2.5 8 6.25 1.75",
            Self::Limited => "M2.5 14V9M13.5 14V9M2.5 8l9.25-4.5",
            Self::Refused => "M2.5 14V8h11v6",
            Self::Idle => "M2.5 14V8M13.5 14V8M6.5 8h.01M9.5 8h.01",
        }
    }
}

impl From<OutcomeGroup> for Gate {
    fn from(group: OutcomeGroup) -> Self {
        match group {
            OutcomeGroup::Passed => Self::Passed,
            OutcomeGroup::Limited => Self::Limited,
            OutcomeGroup::Refused => Self::Refused,
        }
    }
}

/// The glyph. `tinted` gives it the colour of its meaning where the text around it has none.
#[component]
pub fn GateGlyph(#[prop(into)] position: Gate, #[prop(optional)] tinted: bool) -> impl IntoView {
    let class = if tinted { format!("gate {}-fg", position.word()) } else { "gate".to_owned() };
    view! { <svg class=class viewBox="0 0 16 16" aria-hidden="true"><path d=position.path()></path></svg> }
}

/// The small mark: a post and a striped bar, half raised.
#[component]
pub fn Mark() -> impl IntoView {
    view! {
        <svg class="mark" viewBox="0 0 24 24" aria-hidden="true">
            <rect class="post" x="1" y="8" width="6" height="14" rx="1.5"></rect>
            <g class="bar" transform="rotate(-22 4 11.5)">
                <rect x="8.5" y="8.5" width="6.5" height="6" rx="1.25"></rect>
                <rect x="16.5" y="8.5" width="7.5" height="6" rx="1.25"></rect>
            </g>
        </svg>
    }
}

/// The large mark of sign-in (down) and sign-up (`raised`), and of first visits; nowhere else.
#[component]
pub fn LargeMark(#[prop(optional)] raised: bool) -> impl IntoView {
    let turn = if raised { "rotate(-24 4.5 20)" } else { "rotate(0 4.5 20)" };
    view! {
        <svg class="mark-lg" viewBox="0 0 72 40" aria-hidden="true">
            <rect class="post" x="0" y="14" width="9" height="26" rx="2"></rect>
            <g class="bar" transform=turn>
                <rect x="11" y="16" width="13" height="8" rx="1.5"></rect>
                <rect x="26" y="16" width="13" height="8" rx="1.5"></rect>
                <rect x="41" y="16" width="13" height="8" rx="1.5"></rect>
                <rect x="56" y="16" width="13" height="8" rx="1.5"></rect>
            </g>
        </svg>
    }
}

/// Mark and name, a link to the start page.
#[component]
pub fn Wordmark() -> impl IntoView {
    view! { <a class="wordmark" href="/"><Mark/>"Tollgate"</a> }
}
