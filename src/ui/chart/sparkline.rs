//! Thirty days in a cell: one bar a day, the same three meanings, a dot of grey where nothing happened. All bars of one meaning are one
//! path with whole coordinates: a list of fifty keys has fifteen hundred bars. The dots are pieces of one line, since most days of most keys
//! are idle and each piece takes half of what a bar takes.

use crate::ui::number::thousands;
use leptos::prelude::*;
use std::fmt::Write;

/// In tenths of a pixel.
const WIDTH: u64 = 1200;
const HEIGHT: u64 = 240;
/// The least that shows: a pixel.
const LEAST: u64 = 10;
const CLASSES: [&str; 4] = ["s-passed", "s-limited", "s-refused", "s-idle"];

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
    let slot = WIDTH / points.len().max(1) as u64;
    let bar = slot * 3 / 4;
    let (mut paths, mut dots): ([String; 3], String) = Default::default();
    let mut was_idle = false;
    for (i, point) in points.into_iter().enumerate() {
        let x = slot * i as u64;
        let is_idle = point == (0, 0, 0);
        for ((y, height), path) in parts(point, top).into_iter().zip(&mut paths).filter(|((_, height), _)| *height > 0) {
            // Writing to a String does not fail.
            let _ = write!(path, "M{x} {y}h{bar}v{height}h-{bar}z");
        }
        let _ = match (is_idle, was_idle) {
            (true, true) => write!(dots, "m{} 0h{bar}", slot - bar),
            (true, false) => write!(dots, "M{x} {}h{bar}", HEIGHT - LEAST / 2),
            (false, _) => Ok(()),
        };
        was_idle = is_idle;
    }
    let [passed, limited, refused] = paths;
    let paths = [passed, limited, refused, dots]
        .into_iter()
        .zip(CLASSES)
        .filter(|(path, _)| !path.is_empty())
        .map(|(d, class)| view! { <path class=class d=d></path> })
        .collect_view();
    let class = if small { "spark spark-sm" } else { "spark" };
    view! { <svg class=class viewBox="0 0 1200 240" preserveAspectRatio="none" role="img" aria-label=words>{paths}</svg> }.into_any()
}

/// Upper edge and height of each part of a day; what happened at all is at least one pixel high.
fn parts((passed, limited, refused): (u64, u64, u64), top: u64) -> [(u64, u64); 3] {
    // Two pixels stay free for the minimum heights of limited and refused.
    let room = u128::from(HEIGHT - 2 * LEAST);
    let mut foot = HEIGHT;
    let mut part = |calls: u64| {
        let share = u64::try_from(u128::from(calls) * room / u128::from(top.max(1))).unwrap_or(HEIGHT);
        let height = if calls > 0 { share.max(LEAST) } else { 0 };
        foot = foot.saturating_sub(height);
        (foot, height)
    };
    [part(passed), part(limited), part(refused)]
}

#[cfg(test)]
mod tests {
    use super::parts;

    #[test]
    fn the_tallest_day_fits() {
        let [passed, limited, refused] = parts((1_000, 1, 1), 1_002);
        assert_eq!((passed.0 + passed.1, limited.0 + limited.1, refused.0 + refused.1), (240, passed.0, limited.0), "one stands on the other");
        assert_eq!(parts((1, 0, 0), 1_000_000)[0], (230, 10));
        assert_eq!(parts((u64::MAX, 0, 0), u64::MAX)[0], (20, 220));
    }
}
