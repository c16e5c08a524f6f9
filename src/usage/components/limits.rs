//! "Used of limit, resets at": one limit at full width, or several in a list.

use crate::{
    keys::model::OverAction,
    ui::{
        Bar, BarLook, Gate, GateGlyph, QuotaMeter,
        number::{count, share, thousands},
    },
    usage::model::LimitMeter,
};
use leptos::prelude::*;

/// One limit of one key.
#[component]
pub fn LimitCard(
    meter: LimitMeter,
    /** Unique on the page. */
    #[prop(into)]
    id: String,
) -> impl IntoView {
    let heading = format!("{id}-title");
    let hatch = format!("{id}-hatch");
    let title = match meter.given_name() {
        Some(name) => format!("Limit of {}: {name}", meter.key_name),
        None => format!("Limit of {}", meter.key_name),
    };
    let expected = meter.forecast.as_ref().map(|f| f.expected);
    let ends = meter.forecast.as_ref().map_or_else(|| meter.resets_at.clone(), |f| f.by.clone());
    let unit = if meter.is_credits { "credits used," } else { meter.unit.as_str() };
    view! {
        <section class="card" aria-labelledby=heading.clone()>
            <div class="card-head"><h2 id=heading.clone()>{title}</h2><span class="push muted">{meter.resets()}</span></div>
            <div class="card-body stack">
                <div class="row-between">
                    <span><b class="figure-inline">{thousands(meter.used)}</b><span class="muted">{format!(" of {} {unit} {}", thousands(meter.limit), meter.window)}</span></span>
                    <span class="muted">{share(meter.used, meter.limit)}</span>
                </div>
                <QuotaMeter id=hatch used=meter.used limit=meter.limit nostrip:expected=expected ends=ends here="now"/>
                <p class="row note-inline">{words(&meter)}</p>
            </div>
        </section>
    }
    .into_any()
}

/// What will happen next: nothing more passes, or until when something will, at the present pace.
fn words(meter: &LimitMeter) -> AnyView {
    let resets = meter.resets_at.clone();
    let left = amount(meter, meter.limit.saturating_sub(meter.used));
    let code = if meter.is_quota { "QUOTA_EXCEEDED" } else { "RATE_LIMITED" };
    if meter.is_credits {
        return credits(meter);
    }
    match meter.forecast.as_ref().map(|f| (f.expected, f.used_up.clone())) {
        _ if meter.used >= meter.limit && meter.over != OverAction::Refuse => {
            view! { <GateGlyph position=Gate::Limited tinted=true/><span>{beyond(meter)}</span> }.into_any()
        }
        _ if meter.used >= meter.limit => {
            view! { <GateGlyph position=Gate::Limited tinted=true/><span>"Calls are answered "<code>{code}</code>" until "{resets}"."</span> }.into_any()
        }
        Some((_, Some(used_up))) if meter.over != OverAction::Refuse => view! {
            <GateGlyph position=Gate::Limited tinted=true/>
            <span>"At this pace it is used up at "<b class="strong">{used_up}</b>". "{later(meter.over)}</span>
        }
        .into_any(),
        Some((_, Some(used_up))) if meter.is_rolling => view! {
            <GateGlyph position=Gate::Limited tinted=true/>
            <span>"At this pace it is used up at "<b class="strong">{used_up}</b>". After that, calls pass only as earlier use expires; others are answered "<code>{code}</code>"."</span>
        }
        .into_any(),
        Some((_, Some(used_up))) => view! {
            <GateGlyph position=Gate::Limited tinted=true/>
            <span>"At this pace it is used up at "<b class="strong">{used_up}</b>". Later calls are answered "<code>{code}</code>" until "{resets}"."</span>
        }
        .into_any(),
        Some((expected, None)) if meter.is_rolling => view! {
            <GateGlyph position=Gate::Passed tinted=true/><span>{format!("{left} left. At this pace, about {} are used {}.", thousands(expected), meter.window)}</span>
        }
        .into_any(),
        Some((expected, None)) => view! {
            <GateGlyph position=Gate::Passed tinted=true/><span>{format!("{left} left. At this pace, about {} will be used by the reset at {resets}.", thousands(expected))}</span>
        }
        .into_any(),
        None if meter.is_rolling => {
            let back = if meter.used == 0 { "left.".to_owned() } else { format!("left. Use starts to come back at {resets}.") };
            view! { <GateGlyph position=Gate::Passed tinted=true/><span>{format!("{left} {back}")}</span> }.into_any()
        }
        None => view! { <GateGlyph position=Gate::Passed tinted=true/><span>{format!("{left} left until {resets}.")}</span> }.into_any(),
    }
}

/// "1 unit", "20 calls": so much of what it counts.
pub(super) fn amount(meter: &LimitMeter, n: u64) -> String {
    if meter.unit.is_calls() { count(n, "call", "calls") } else { count(n, "unit", "units") }
}

/// What is left of credits, when some come back, and until when they last.
fn credits(meter: &LimitMeter) -> AnyView {
    let is_short = meter.remaining == 0 || meter.lasts.as_ref().is_some_and(|lasts| lasts.is_soon);
    let gate = if is_short { Gate::Limited } else { Gate::Passed };
    let left = match meter.remaining {
        0 => "Used up".to_owned(),
        left => format!("{} left of {}", thousands(left), thousands(meter.limit)),
    };
    let back = match meter.reset_after {
        0 => "prepaid; an operator can add more".to_owned(),
        _ => format!("{}, the next at {}", meter.window, meter.resets_at),
    };
    let next = match (meter.remaining, meter.used_up_at()) {
        (0, _) => without_any(meter).map(IntoAny::into_any),
        (_, Some(used_up)) => {
            let used_up = used_up.to_owned();
            Some(view! { <span>" At the pace of the last seven days, they are used up at "<b class="strong">{used_up}</b>"."</span> }.into_any())
        }
        (_, None) => meter.lasts.as_ref().map(|_| " At the pace of the last seven days, they last for more than half a year.".to_owned().into_any()),
    };
    view! { <GateGlyph position=gate tinted=true/><span>{format!("{left}, {back}.")}{next}</span> }.into_any()
}

/// What passes although no credits are left; nothing where they refuse.
fn without_any(meter: &LimitMeter) -> Option<String> {
    let passed = amount(meter, meter.beyond());
    match meter.over {
        OverAction::Refuse => None,
        OverAction::Mark => Some(format!(" {passed} passed without credits, marked. Calls keep passing.")),
        OverAction::Throttle { per_second } => {
            Some(format!(" {passed} passed without credits, at most {} a second.", count(per_second.into(), "call", "calls")))
        }
    }
}

/// What becomes of calls beyond a limit that lets them pass, before there are any.
fn later(over: OverAction) -> String {
    match over {
        OverAction::Throttle { per_second } => format!("Later calls pass more slowly, {} a second.", thousands(per_second.into())),
        OverAction::Refuse | OverAction::Mark => "Later calls pass and are marked.".to_owned(),
    }
}

/// A limit that is used up, and lets calls pass beyond it.
fn beyond(meter: &LimitMeter) -> String {
    let passed = amount(meter, meter.beyond());
    match meter.over {
        OverAction::Throttle { per_second } => {
            format!("{passed} passed beyond the limit, at most {} a second until {}.", count(per_second.into(), "call", "calls"), meter.resets_at)
        }
        OverAction::Refuse | OverAction::Mark => format!("{passed} passed beyond the limit, marked. Calls keep passing."),
    }
}

/// The keys nearest to their limit.
#[component]
pub fn LimitList(meters: Vec<LimitMeter>) -> impl IntoView {
    let items = meters
        .into_iter()
        .map(|meter| {
            let (is_used_up, resets) = (meter.is_used_up(), meter.resets());
            let named = meter.given_name().map(|name| format!(" ({name})"));
            let foreseen = meter.used_up_at().map(|at| format!("used up at {at} at this pace, "));
            let used = match meter.is_credits {
                true => format!(" has {} left of {} credits", thousands(meter.remaining), thousands(meter.limit)),
                false => format!(" used {} of {} {}", thousands(meter.used), amount(&meter, meter.limit), meter.window),
            };
            let (gate, look) = if is_used_up { (Gate::Limited, BarLook::Limited) } else { (Gate::Passed, BarLook::Passed) };
            #[allow(clippy::cast_precision_loss, reason = "the width of a bar")]
            let percent = meter.taken() as f64 * 100.0 / meter.limit.max(1) as f64;
            let taken = share(meter.taken(), meter.limit);
            view! {
                <li>
                    <GateGlyph position=gate tinted=true/>
                    <div class="cell-2">
                        <span><a class="row-link" href=format!("/usage?key={}&range=24h", meter.key)>{meter.key_name}</a>{used}{named}</span>
                        <span>{foreseen}{resets}</span>
                    </div>
                    <div class="cell-bar"><Bar percent look/><span class="muted">{taken}</span></div>
                </li>
            }
        })
        .collect_view();
    view! {
        <section class="card" aria-labelledby="h-limits">
            <div class="card-head"><h2 id="h-limits">"Nearest to their limit"</h2></div>
            <ul class="list">{items}</ul>
        </section>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_passes_later_is_said_of_limits_that_do_not_refuse() {
        assert_eq!(later(OverAction::Mark), "Later calls pass and are marked.");
        assert_eq!(later(OverAction::Throttle { per_second: 2_000 }), "Later calls pass more slowly, 2,000 a second.");
    }
}
