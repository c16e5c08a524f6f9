//! A bar for a share, and the meter of a quota: used, expected, and the post where it ends.

use super::{
    chart::Hatch,
    number::{short, thousands},
};
use leptos::prelude::*;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum BarLook {
    /// Progress of an act.
    #[default]
    Accent,
    /// A share among others, in a table.
    Share,
    Passed,
    Limited,
    Refused,
}

/// `percent` of the width; words beside it say the number.
#[component]
pub fn Bar(percent: f64, #[prop(optional)] look: BarLook) -> impl IntoView {
    let class = match look {
        BarLook::Accent => "fill",
        BarLook::Share => "share",
        BarLook::Passed => "passed",
        BarLook::Limited => "limited",
        BarLook::Refused => "refused",
    };
    let width = format!("{:.1}%", percent.clamp(0.0, 100.0));
    view! {
        <svg class="bar" aria-hidden="true">
            <rect class="track" width="100%" height="100%"></rect>
            <rect class=class width=width height="100%"></rect>
        </svg>
    }
}

/// A quota as the gate sees it: what is used, what the forecast adds, and the post. What is beyond the post is hatched: it will not pass, or
/// passed although it was too much.
#[component]
pub fn QuotaMeter(
    /// Unique on the page.
    #[prop(into)]
    id: String,
    used: u64,
    limit: u64,
    /// What will be used by the end at the present pace.
    #[prop(optional)]
    expected: Option<u64>,
    /// The end of the period in words: "30 Nov".
    #[prop(optional, into)]
    ends: String,
    /// What stands below the end of what is used.
    #[prop(default = "today")]
    here: &'static str,
) -> impl IntoView {
    let expected = expected.unwrap_or(used).max(used);
    let full = limit.max(expected).max(1);
    // A hundredth is left free, so that the post at the very end stays visible.
    let x = move |n: u64| n as f64 * 99.0 / full as f64;
    let percent = move |n: u64| format!("{:.2}%", x(n));
    let beyond = (expected > limit).then(|| {
        view! { <rect x=percent(limit) y="18" width=format!("{:.2}%", x(expected) - x(limit)) height="10" fill=format!("url(#{id})")></rect> }
    });
    let words = format!(
        "{} of {} used{}",
        thousands(used),
        thousands(limit),
        match expected > used {
            true => format!(", about {} expected by {ends}", thousands(expected)),
            false => String::new(),
        }
    );
    // The word under the bar hangs to the side where there is room.
    let side = |n: u64, room: f64| if x(n) > room { "end" } else { "start" };
    let (limit_side, today_side) = (side(limit, 20.0), side(used, 12.0));
    // Words with a day and a time are half as long as a narrow bar.
    let forecast_side = side(expected, 50.0);
    let forecast = (expected > used).then(|| {
        view! { <text x=percent(expected) y="43" text-anchor=forecast_side>{format!("{} by {ends}", short(expected))}</text> }
    });
    let has_today = used > 0 && (expected == used || x(expected) - x(used) > 30.0);
    view! {
        <div class="meter">
            <svg role="img" aria-label=words>
                <defs><Hatch id=id/></defs>
                <rect class="track" x="0" y="18" width="99%" height="10"></rect>
                <rect class="rest" x="0" y="18" width=percent(expected.min(limit)) height="10"></rect>
                {beyond}
                <rect class="used" x="0" y="18" width=percent(used.min(limit)) height="10"></rect>
                <svg x=percent(limit) y="0" overflow="visible"><rect class="limit-post" x="-1.5" y="13" width="3" height="20" rx="1"></rect></svg>
                <text class="limit-text" x=percent(limit) y="10" text-anchor=limit_side>{format!("limit {}", thousands(limit))}</text>
                {has_today.then(|| view! { <text class="tick-minor" x=percent(used) y="43" text-anchor=today_side>{here}</text> })}
                {forecast}
            </svg>
        </div>
    }
    .into_any()
}
