//! The chart of calls as a card: title, time and zone, legend with sums, drawing, and the table behind it. Chart and Table,
//! and the switches of the legend, are plain inputs that CSS reads: they work without JavaScript.

use super::{
    bars::Plot,
    data::{Bucket, Series},
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
    let legend = legend(&series);
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

fn legend(series: &Series) -> AnyView {
    let sums = series.sums();
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
    let passed = (!series.is_of_refusals).then(|| entry("t-passed", "Passed", sums.passed, solid("s-passed")));
    let before = (!series.before.is_empty()).then(|| {
        view! {
            <span class="line-key push"><svg aria-hidden="true"><line class="before-mark" x1="0" x2="100%" y1="6" y2="6"></line></svg>"before "<b>{thousands(series.before.iter().sum())}</b></span>
        }
    });
    let limit = series.near_limit().is_some().then(|| {
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
            {passed}
            {entry("t-limited", "Limited", sums.limited, hatched.into_any())}
            {entry("t-refused", "Refused", sums.refused, solid("s-refused"))}
            {before}
            {limit}
        </div>
    }
    .into_any()
}

/// The same numbers, newest first.
fn table(series: &Series) -> AnyView {
    let sums = series.sums();
    let shows = Columns { passed: !series.is_of_refusals, before: !series.before.is_empty() };
    let before = |i: usize| series.before.get(i).copied();
    let rows = series.buckets.iter().enumerate().rev().map(|(i, bucket)| row(bucket, before(i), shows)).collect_view();
    view! {
        <div class="chart-table" tabindex="0" role="region" aria-label=format!("{}, as a table", series.title)>
            <table class="table table-sm">
                <caption class="visually-hidden">{format!("{}, newest first", series.title)}</caption>
                <thead>
                    <tr>
                        <th scope="col">{series.unit.clone()}</th>
                        {shows.passed.then(|| view! { <th scope="col" class="num">"Passed"</th> })}
                        <th scope="col" class="num">"Limited"</th>
                        <th scope="col" class="num">"Refused"</th>
                        {shows.before.then(|| view! { <th scope="col" class="num">"Before"</th> })}
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
                <tfoot>
                    <tr>
                        <th scope="row">"Total"</th>
                        {shows.passed.then(|| view! { <td class="num">{thousands(sums.passed)}</td> })}
                        <td class="num">{thousands(sums.limited)}</td>
                        <td class="num">{thousands(sums.refused)}</td>
                        {shows.before.then(|| view! { <td class="num">{thousands(series.before.iter().sum())}</td> })}
                    </tr>
                </tfoot>
            </table>
        </div>
    }
    .into_any()
}

/// The columns that not every chart has.
#[derive(Clone, Copy)]
struct Columns {
    passed: bool,
    before: bool,
}

/// A bar that goes on may have none before it.
fn row(bucket: &Bucket, before: Option<u64>, shows: Columns) -> AnyView {
    let name = match &bucket.href {
        Some(href) => view! { <a class="row-link" href=href.clone()>{bucket.label.clone()}</a> }.into_any(),
        None => bucket.label.clone().into_any(),
    };
    view! {
        <tr>
            <th scope="row">{name}</th>
            {shows.passed.then(|| view! { <td class="num">{thousands(bucket.passed)}</td> })}
            <td class="num">{thousands(bucket.limited)}</td>
            <td class="num">{thousands(bucket.refused)}</td>
            {shows.before.then(|| view! { <td class="num">{before.map(thousands)}</td> })}
        </tr>
    }
    .into_any()
}
