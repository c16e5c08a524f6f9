//! The chart of calls as a card: title, time and zone, legend with sums, drawing, and the table behind it. Chart and Table,
//! and the switches of the legend, are plain inputs that CSS reads: they work without JavaScript.

use super::{
    bars::Plot,
    data::{Bucket, Series, Sums},
};
use crate::ui::number::thousands;
use leptos::prelude::*;

/// `zoom` is the URL of a shorter time with `{from}` and `{to}` in it.
#[component]
pub fn UsageChart(series: Series, #[prop(optional, into)] zoom: Option<String>, #[prop(optional)] small: bool) -> impl IntoView {
    let heading = format!("{}-title", series.id);
    let view_name = format!("{}-view", series.id);
    let head = view! {
        <div class="chart-head">
            <div class="chart-title"><h2 id=heading.clone()>{series.title.clone()}</h2><p>{series.note.clone()}</p></div>
            <div class="segmented" role="radiogroup" aria-label="Show as">
                <label><input type="radio" name=view_name.clone() checked=true autocomplete="off"/>"Chart"</label>
                <label><input type="radio" name=view_name class="view-table" autocomplete="off"/>"Table"</label>
            </div>
        </div>
    };
    let legend = legend(series.sums(), series.limit.is_some());
    let table = table(&series);
    let id = series.id.clone();
    view! {
        <figure class="card chart-card" id=id aria-labelledby=heading>
            {head}
            {legend}
            <Plot series small live=true nostrip:zoom=zoom/>
            {table}
        </figure>
    }
    .into_any()
}

fn legend(sums: Sums, has_limit: bool) -> AnyView {
    let entry = |class: &'static str, word: &'static str, sum: u64, key: AnyView| {
        view! {
            <label>
                <input type="checkbox" class=class checked=true autocomplete="off"/>
                <svg class="key" viewBox="0 0 12 12" aria-hidden="true">{key}</svg>
                {word}" "<b>{thousands(sum)}</b>
            </label>
        }
    };
    let solid = |class: &'static str| view! { <rect class=class width="12" height="12" rx="2"></rect> }.into_any();
    let hatched = view! {
        <rect class="hatch-bg" width="12" height="12" rx="2"></rect>
        <path class="hatch-line" d="m0 6 6-6M0 12 12 0M6 12l6-6"></path>
    };
    let limit = has_limit.then(|| {
        view! {
            <span class="line-key push">
                <svg aria-hidden="true">
                    <line class="limit-line" x1="4" x2="100%" y1="6" y2="6"></line>
                    <rect class="limit-post" x="0" y="1" width="4" height="10" rx="1"></rect>
                </svg>
                "limit"
            </span>
        }
    });
    view! {
        <div class="legend" role="group" aria-label="Outcomes shown">
            {entry("t-passed", "Passed", sums.passed, solid("s-passed"))}
            {entry("t-limited", "Limited", sums.limited, hatched.into_any())}
            {entry("t-refused", "Refused", sums.refused, solid("s-refused"))}
            {limit}
        </div>
    }
    .into_any()
}

/// The same numbers, newest first.
fn table(series: &Series) -> AnyView {
    let sums = series.sums();
    let rows = series.buckets.iter().rev().map(row).collect_view();
    view! {
        <div class="chart-table" tabindex="0" role="region" aria-label=format!("{}, as a table", series.title)>
            <table class="table table-sm">
                <caption class="visually-hidden">{format!("{}, newest first", series.title)}</caption>
                <thead>
                    <tr>
                        <th scope="col">{series.unit.clone()}</th>
                        <th scope="col" class="num">"Passed"</th>
                        <th scope="col" class="num">"Limited"</th>
                        <th scope="col" class="num">"Refused"</th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
                <tfoot>
                    <tr>
                        <th scope="row">"Total"</th>
                        <td class="num">{thousands(sums.passed)}</td>
                        <td class="num">{thousands(sums.limited)}</td>
                        <td class="num">{thousands(sums.refused)}</td>
                    </tr>
                </tfoot>
            </table>
        </div>
    }
    .into_any()
}

fn row(bucket: &Bucket) -> AnyView {
    let name = match &bucket.href {
        Some(href) => view! { <a class="row-link" href=href.clone()>{bucket.label.clone()}</a> }.into_any(),
        None => bucket.label.clone().into_any(),
    };
    view! {
        <tr>
            <th scope="row">{name}</th>
            <td class="num">{thousands(bucket.passed)}</td>
            <td class="num">{thousands(bucket.limited)}</td>
            <td class="num">{thousands(bucket.refused)}</td>
        </tr>
    }
    .into_any()
}
