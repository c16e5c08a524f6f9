//! What every chart over time draws alike: its grid, the labels under its axis, and lengths as SVG takes them.

use super::scale::{Scale, ticks};
use leptos::prelude::*;

/// The axis, and with `lines` one at every other tick, too.
pub fn grid(scale: &Scale, lines: bool) -> AnyView {
    scale
        .ticks
        .iter()
        .filter(|tick| lines || **tick == 0)
        .map(|tick| {
            let y = px(scale.y(*tick));
            view! { <line class=if *tick == 0 { "axis" } else { "grid-line" } x1="0" x2="100%" y1=y.clone() y2=y></line> }
        })
        .collect_view()
        .into_any()
}

/// The labels under the axis at `base`, one a bucket as far as there is room.
pub fn labels(of: &[&str], base: f64) -> AnyView {
    let count = of.len();
    let slot = 100.0 / count.max(1) as f64;
    ticks(count)
        .into_iter()
        .map(|tick| {
            let centre = slot * (tick.index as f64 + 0.5);
            // At the edges a centred word would hang out of the chart.
            let (x, anchor) = match (tick.index + 1 == count && slot < 12.0, centre < 3.0) {
                (true, _) => (100.0, "end"),
                (_, true) => (0.0, "start"),
                _ => (centre, "middle"),
            };
            let label = of[tick.index].to_owned();
            view! { <text class=tick.is_minor.then_some("tick-minor") x=percent(x) y=px(base + 18.0) text-anchor=anchor>{label}</text> }
        })
        .collect_view()
        .into_any()
}

/// Pixels.
pub fn px(n: f64) -> String {
    format!("{n:.1}")
}

/// Of the chart's width.
pub fn percent(n: f64) -> String {
    format!("{n:.2}%")
}
