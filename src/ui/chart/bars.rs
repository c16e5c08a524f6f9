//! Stacked bars: passed solid, limited hatched, refused solid red on top; the limit as the striped bar on its post.

use super::{
    axis::{grid, labels, percent, px},
    data::{Limit, Series},
    hover::{ChartHover, HoverData},
    scale::{Part, Scale, fill, stack},
};
use crate::ui::number::short;
use leptos::prelude::*;

/// The free strip above the plot, in pixels; the crosshair and the island's band begin here too.
const TOP: f64 = 20.0;
/// The strip below the axis for its labels.
const FOOT: f64 = 24.0;

/// The pattern of what was limited; `id` must be unique on the page.
#[component]
pub fn Hatch(#[prop(into)] id: String) -> impl IntoView {
    view! {
        <pattern id=id width="5" height="5" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
            <rect class="hatch-bg" width="5" height="5"></rect>
            <path class="hatch-line" d="M1 0v5"></path>
        </pattern>
    }
}

/// The drawing alone, without head, legend and table: for a [`UsageChart`](super::UsageChart), or a picture on the landing page.
#[component]
pub fn Plot(
    series: Series,
    /// 192 instead of 256 pixels high.
    #[prop(optional)]
    small: bool,
    /// Numbers at the side.
    #[prop(default = true)]
    numbers: bool,
    /// Exact values under the pointer; with a `zoom` template also dragging. Off, nothing of the chart needs WASM.
    #[prop(optional)]
    live: bool,
    /// The URL of a shorter time, with `{from}` and `{to}` in it.
    #[prop(optional, into)]
    zoom: Option<String>,
) -> impl IntoView {
    let height = if small { 192.0 } else { 256.0 };
    let scale = Scale::new(series.peak(), height - TOP - FOOT, height - FOOT);
    let y_axis = numbers.then(|| y_axis(&scale));
    let hover = live.then(|| HoverData::of(&series, zoom));
    let drawing = drawing(&series, &scale, numbers);
    let drawing = match hover {
        Some(data) => view! { <ChartHover data>{drawing}</ChartHover> }.into_any(),
        None => drawing,
    };
    view! { <div class=if small { "plot plot-sm" } else { "plot" }>{y_axis}<div class="plot-area">{drawing}</div></div> }.into_any()
}

fn y_axis(scale: &Scale) -> AnyView {
    let numbers = scale.ticks.iter().map(|tick| view! { <text x="0" y=px(scale.y(*tick) + 4.0)>{short(*tick)}</text> }).collect_view();
    view! { <svg class="plot-y" aria-hidden="true">{numbers}</svg> }.into_any()
}

fn drawing(series: &Series, scale: &Scale, lines: bool) -> AnyView {
    let hatch = format!("{}-hatch", series.id);
    let below: Vec<&str> = series.buckets.iter().map(|bucket| bucket.label.as_str()).collect();
    let empty =
        series.is_empty().then(|| view! { <text class="no-data" x="50%" y=px(scale.base() / 2.0 + TOP) text-anchor="middle">"No calls in this time"</text> });
    view! {
        <svg class="plot-x" role="img" aria-label=series.sentence()>
            <defs><Hatch id=hatch.clone()/></defs>
            {grid(scale, lines)}
            {bars(series, scale, &hatch)}
            {before(series, scale)}
            {series.limit.as_ref().map(|limit| if series.near_limit().is_some() { limit_line(limit, scale) } else { limit_above(limit) })}
            {empty}
            {labels(&below, scale.base())}
        </svg>
    }
    .into_any()
}

fn bars(series: &Series, scale: &Scale, hatch: &str) -> AnyView {
    let count = series.buckets.len();
    let slot = 100.0 / count.max(1) as f64;
    let width = slot * fill(count);
    let rect = |class: &'static str, x: f64, part: Part, fill: Option<String>| {
        view! { <rect class=class x=percent(x) y=px(part.y) width=percent(width) height=px(part.height) fill=fill></rect> }
    };
    series
        .buckets
        .iter()
        .enumerate()
        .map(|(i, bucket)| {
            let x = slot * i as f64 + (slot - width) / 2.0;
            let bar = stack(scale, bucket);
            (
                bar.passed.map(|part| rect("s-passed", x, part, None)),
                bar.limited.map(|part| rect("s-limited", x, part, Some(format!("url(#{hatch})")))),
                bar.refused.map(|part| rect("s-refused", x, part, None)),
            )
        })
        .collect_view()
        .into_any()
}

/// A mark across each slot, as high as the bar before was.
fn before(series: &Series, scale: &Scale) -> AnyView {
    let slot = 100.0 / series.buckets.len().max(1) as f64;
    let mark = |(i, calls): (usize, &u64)| {
        let y = px(scale.y(*calls));
        view! { <line class="before-mark" x1=percent(slot * i as f64) x2=percent(slot * (i + 1) as f64) y1=y.clone() y2=y></line> }
    };
    series.before.iter().enumerate().filter(|(i, _)| *i < series.buckets.len()).map(mark).collect_view().into_any()
}

/// Where the line would be far above all bars.
fn limit_above(limit: &Limit) -> AnyView {
    view! { <text class="limit-text" x="0" y=px(TOP - 8.0)>{format!("Limit {}, above this chart", limit.label)}</text> }.into_any()
}

fn limit_line(limit: &Limit, scale: &Scale) -> AnyView {
    let y = scale.y(limit.value);
    view! {
        <line class="limit-line" x1="5" x2="100%" y1=px(y) y2=px(y)></line>
        <rect class="limit-post" x="0" y=px(y - 4.0) width="4" height="14" rx="1"></rect>
        <text class="limit-text" x="9" y=px(y - 7.0)>{limit.label.clone()}</text>
    }
    .into_any()
}
