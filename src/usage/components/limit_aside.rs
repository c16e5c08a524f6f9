//! Below a chart without a limit's line: which view has one.

use super::USAGE;
use crate::usage::model::UsageReport;
use leptos::prelude::*;

#[component]
pub fn LimitAside(report: UsageReport) -> impl IntoView {
    let Some(hint) = report.limit_hint else { return ().into_any() };
    let limit = hint.limit;
    match (hint.view, hint.key) {
        (Some((size, query)), Some(name)) => {
            let words = format!("Calls of {name} by {}", size.name());
            view! { <p class="help" id="limit-line">"Each key's limit is a line in its own chart. "<a href=query.link(USAGE)>{words}</a>{format!(": {limit}.")}</p> }.into_any()
        }
        (Some((size, query)), None) => {
            view! { <p class="help" id="limit-line">{format!("The limit of {limit} is a line in ")}<a href=query.link(USAGE)>{format!("calls by {}", size.name())}</a>"."</p> }.into_any()
        }
        (None, _) => view! { <p class="help" id="limit-line">{format!("No bar matches the window of {limit}. Its use is shown below.")}</p> }.into_any(),
    }
}
