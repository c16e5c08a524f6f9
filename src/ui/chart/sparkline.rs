//! Thirty days in a cell: one bar a day, the same three meanings, a dot of grey where nothing happened.

use crate::ui::number::thousands;
use leptos::prelude::*;

const WIDTH: f64 = 120.0;
const HEIGHT: f64 = 24.0;

/// `points` are (passed, limited, refused), oldest first; `name` is whose they are.
#[component]
pub fn Sparkline(
    #[prop(into)] name: String,
    points: Vec<(u64, u64, u64)>,
    /// The time in words.
    #[prop(default = "last 30 days")]
    time: &'static str,
    /// 72 instead of 120 pixels wide.
    #[prop(optional)]
    small: bool,
) -> impl IntoView {
    let (p, l, r) = points.iter().fold((0_u64, 0_u64, 0_u64), |s, d| (s.0.saturating_add(d.0), s.1.saturating_add(d.1), s.2.saturating_add(d.2)));
    let words = format!("{name}, {time}: {} passed, {} limited, {} refused", thousands(p), thousands(l), thousands(r));
    let top = points.iter().map(|(p, l, r)| p.saturating_add(*l).saturating_add(*r)).max().unwrap_or(0);
    let slot = WIDTH / points.len().max(1) as f64;
    let bars = points
        .into_iter()
        .enumerate()
        .flat_map(|(i, point)| parts(point, top).map(move |(class, y, height)| (class, slot * i as f64, y, height)))
        .filter(|(.., height)| *height > 0.0)
        .map(|(class, x, y, height)| {
            view! { <rect class=class x=format!("{x:.1}") y=format!("{y:.1}") width=format!("{:.1}", slot * 0.75) height=format!("{height:.1}")></rect> }
        })
        .collect_view();
    let class = if small { "spark spark-sm" } else { "spark" };
    view! { <svg class=class viewBox="0 0 120 24" preserveAspectRatio="none" role="img" aria-label=words>{bars}</svg> }.into_any()
}

/// Class, upper edge and height of each part of a day; what happened at all is at least one pixel high.
fn parts((passed, limited, refused): (u64, u64, u64), top: u64) -> [(&'static str, f64, f64); 4] {
    // Two pixels stay free for the minimum heights of limited and refused.
    let unit = (HEIGHT - 2.0) / top.max(1) as f64;
    let mut foot = HEIGHT;
    let mut part = |class, calls: u64| {
        let height = if calls > 0 { (calls as f64 * unit).max(1.0) } else { 0.0 };
        foot -= height;
        (class, foot, height)
    };
    let idle = if passed == 0 && limited == 0 && refused == 0 { 1.0 } else { 0.0 };
    [part("s-passed", passed), part("s-limited", limited), part("s-refused", refused), ("s-idle", HEIGHT - idle, idle)]
}

#[cfg(test)]
mod tests {
    use super::parts;

    #[test]
    fn the_tallest_day_fits_and_an_idle_one_shows() {
        let tallest = parts((1_000, 1, 1), 1_002);
        assert!(tallest.iter().all(|(_, y, _)| *y >= 0.0));
        assert_eq!(parts((0, 0, 0), 0)[3], ("s-idle", 23.0, 1.0));
        assert_eq!(parts((1, 0, 0), 1_000_000)[0].2, 1.0);
    }
}
