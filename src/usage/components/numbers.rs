//! The columns of counts in a table that takes a report apart: calls, passed, limited, refused, share. What passed is left out where only
//! errors are shown.

use crate::{
    ui::number::{share, thousands},
    values::Counts,
};
use leptos::prelude::*;

/// Their heads; rows are in the order of the calls.
pub fn heads(of_errors: bool) -> AnyView {
    view! {
        <th scope="col" class="num" aria-sort="descending">"Calls"</th>
        {(!of_errors).then(|| view! { <th scope="col" class="num col-2">"Passed"</th> })}
        <th scope="col" class="num col-2">"Limited"</th>
        <th scope="col" class="num col-2">"Refused"</th>
        <th scope="col" class="num">"Share"</th>
    }
    .into_any()
}

/// Their cells in one row; the calls may be a link.
pub fn numbers(counts: Counts, total: Counts, of_errors: bool, href: Option<String>) -> AnyView {
    let cell = |calls: u64| match calls {
        0 => view! { <td class="num col-2"><span class="faint">"0"</span></td> }.into_any(),
        _ => view! { <td class="num col-2">{thousands(calls)}</td> }.into_any(),
    };
    view! {
        <td class="num">{linked(thousands(counts.total()), href)}</td>
        {(!of_errors).then(|| cell(counts.passed))}
        {cell(counts.limited)}
        {cell(counts.refused)}
        <td class="num">{share(counts.total(), total.total())}</td>
    }
    .into_any()
}

/// The same for the end of the first cell, where it is too narrow for the columns.
pub fn facts(counts: Counts, of_errors: bool) -> Vec<(u8, &'static str, AnyView)> {
    let all = [("Passed", counts.passed), ("Limited", counts.limited), ("Refused", counts.refused)];
    all.into_iter().skip(usize::from(of_errors)).map(|(head, calls)| (2, head, thousands(calls).into_any())).collect()
}

/// Words that may be a link.
pub fn linked(words: String, href: Option<String>) -> AnyView {
    match href {
        Some(href) => view! { <a href=href>{words}</a> }.into_any(),
        None => words.into_any(),
    }
}
