//! Tables, where people compare. Write `<thead>` (or `heads`) and `<tbody>` yourself (always both); classes: `num` end-aligned, `col-2`,
//! `col-3`, `col-4` leave when it gets narrow (52, 68, 84 rem), `cell-status` and `cell-more` hug their content; in a row
//! `<th scope="row">` with a `row-link`, `cell-2` for two lines, `is-off`, `is-current`. What leaves with a column comes back as a line of
//! the first cell (`folded`): nothing is lost on a phone but drawings, whose sums stand there in words. Lists of things with a state are `cards`
//! there: name and state on one line, all else below.

use super::{Icon, IconView};
use leptos::prelude::*;

/// A table in its frame. `caption` says what it lists and in which order, for screen readers.
#[component]
pub fn Table(
    #[prop(into)] caption: String,
    /// Rows of 32 px, for many short rows.
    #[prop(optional)]
    small: bool,
    /// Inside a card, which already draws the frame.
    #[prop(optional)]
    bare: bool,
    /// On a phone each row is a card. Its cells: `cell-check` if any, the `<th>` with a `cell-2`, columns that leave, `cell-status`,
    /// `cell-more` if any.
    #[prop(optional)]
    cards: bool,
    /// On a phone each row has two lines: when it was and what came of it; below, whose it was and all else. Its cells: those three, then
    /// columns that leave.
    #[prop(optional)]
    lines: bool,
    children: Children,
) -> impl IntoView {
    let class = match (small, cards, lines) {
        (true, _, true) => "table table-sm table-lines",
        (false, _, true) => "table table-lines",
        (true, _, false) => "table table-sm",
        (false, true, false) => "table table-cards",
        (false, false, false) => "table",
    };
    let table = view! {
        <table class=class>
            <caption class="visually-hidden">{caption}</caption>
            {children()}
        </table>
    };
    if bare { table.into_any() } else { view! { <div class="table-wrap">{table}</div> }.into_any() }
}

/// Instead of classes: the words of this column are only read out.
pub const UNSEEN: &str = "visually-hidden";
/// The column of acts.
pub const ACT: (&str, &str) = ("Act", UNSEEN);

/// The `<thead>` of plain columns: the words and the classes of each.
pub fn heads(columns: &[(&'static str, &'static str)]) -> AnyView {
    let cells = columns.iter().map(|&(words, class)| {
        if class == UNSEEN {
            return view! { <td><span class="visually-hidden">{words}</span></td> }.into_any();
        }
        let class = (!class.is_empty()).then_some(class);
        view! { <th scope="col" class=class>{words}</th> }.into_any()
    });
    view! { <thead><tr>{cells.collect_view()}</tr></thead> }.into_any()
}

/// What the cells say that leave, for the end of the first cell, or of another wide one: the number of each column's class (2 for `col-2`), its
/// head (or nothing, where the fact says it by itself) and what it shows. Seen only while the column is not.
pub fn folded(facts: Vec<(u8, &'static str, AnyView)>) -> AnyView {
    let facts = facts.into_iter().map(|(column, head, fact)| {
        let head = (!head.is_empty()).then(|| view! { <span class="fold-head">{head}" "</span> });
        view! { <span class=format!("fold fold-{column}")>{head}{fact}</span> }
    });
    view! { <span class="folded">{facts.collect_view()}</span> }.into_any()
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sort {
    Ascending,
    Descending,
}

/// The head of a column one can sort by: a link; `sort` says how the list is sorted by it now.
#[component]
pub fn SortHeader(
    #[prop(into)] label: String,
    #[prop(into)] href: String,
    #[prop(optional_no_strip)] sort: Option<Sort>,
    /// Classes of the column: `num`, `col-2` …
    #[prop(optional)]
    class: &'static str,
) -> impl IntoView {
    let (word, icon) = match sort {
        Some(Sort::Ascending) => (Some("ascending"), Some(Icon::ArrowUp)),
        Some(Sort::Descending) => (Some("descending"), Some(Icon::ArrowDown)),
        None => (None, None),
    };
    view! {
        <th scope="col" class=class aria-sort=word>
            <a href=href>{label}{icon.map(|icon| view! { " "<IconView icon/> })}</a>
        </th>
    }
}

/// Where one is in a long list, and the ways on. `summary` is e.g. "25 of 184 keys"; a missing link is shown disabled.
#[component]
pub fn Pagination(
    #[prop(into)] summary: String,
    #[prop(optional_no_strip)] newer: Option<String>,
    #[prop(optional_no_strip)] older: Option<String>,
) -> impl IntoView {
    let ways = newer.is_some() || older.is_some();
    view! {
        <nav class="pagination" aria-label="Pages of the list">
            <span>{summary}</span>
            {ways.then(|| view! { <span class="push">{page_link("Newer", "prev", newer)}{page_link("Older", "next", older)}</span> })}
        </nav>
    }
    .into_any()
}

fn page_link(word: &'static str, rel: &'static str, href: Option<String>) -> impl IntoView {
    let disabled = href.is_none();
    view! {
        <a class="btn btn-secondary btn-sm" href=href rel=rel role=disabled.then_some("link") aria-disabled=disabled.then_some("true")>{word}</a>
    }
}
