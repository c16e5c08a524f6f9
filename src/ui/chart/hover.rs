//! The one island of the charts: exact values of the bucket under the pointer or chosen with the arrow keys, and a selection
//! (drag, or Shift and arrows) that leads to the URL of that time. The drawing is its children, rendered by the server and
//! left alone; the island only lies over it. Positions are set through the CSSOM, which the CSP allows.

use super::{data::Series, lines::Lines};
use crate::ui::number::thousands;
use leptos::{ev, prelude::*};
use serde::{Deserialize, Serialize};

/// What the island knows of a chart.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HoverData {
    pub title: String,
    pub points: Vec<HoverPoint>,
    /// Where the last bucket ends.
    pub end: String,
    pub limit: Option<u64>,
    /// A URL with `{from}` and `{to}` in it.
    pub zoom: Option<String>,
    /// All calls of the time before, bar by bar; empty: nothing is compared.
    pub before: Vec<u64>,
    /// Only what did not pass is shown.
    pub is_of_refusals: bool,
    /// Of a chart of lines; empty: outcomes are shown.
    pub lines: Vec<HoverLine>,
}

/// A line: its name, its look, and its value in words for each bucket, if it has one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HoverLine(pub String, pub String, pub Vec<Option<String>>);

/// A bucket, short: it is serialised into the page once per bar.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HoverPoint(pub String, pub String, pub u64, pub u64, pub u64);

impl HoverData {
    pub fn of(series: &Series, zoom: Option<String>) -> Self {
        let points = series.buckets.iter().map(|b| HoverPoint(b.long_label.clone(), b.iso.clone(), b.passed, b.limited, b.refused)).collect();
        Self {
            title: series.title.clone(),
            points,
            end: series.end.clone(),
            limit: series.limit.as_ref().map(|l| l.value),
            zoom,
            before: series.before.clone(),
            is_of_refusals: series.is_of_refusals,
            lines: Vec::new(),
        }
    }

    /// Of a chart of lines, each with its look.
    pub fn of_lines(lines: &Lines, looks: &[&str], words: fn(u64) -> String, zoom: Option<String>) -> Self {
        let points = lines.long_labels.iter().zip(&lines.isos).map(|(label, iso)| HoverPoint(label.clone(), iso.clone(), 0, 0, 0)).collect();
        let line = |(line, look): (&super::lines::Line, &&str)| {
            let values = line.values.iter().map(|value| value.map(words)).collect();
            HoverLine(line.name.clone(), (*look).to_owned(), values)
        };
        Self {
            title: lines.title.clone(),
            points,
            end: lines.end.clone(),
            limit: None,
            zoom,
            before: Vec::new(),
            is_of_refusals: false,
            lines: lines.lines.iter().zip(looks).map(line).collect(),
        }
    }

    /// The URL that shows buckets `first` to `last`, both included.
    fn closer(&self, first: usize, last: usize) -> Option<String> {
        let from = &self.points.get(first)?.1;
        let to = self.points.get(last + 1).map_or(&self.end, |next| &next.1);
        let plain = |iso: &str| iso.replace('+', "%2B");
        Some(self.zoom.as_ref()?.replace("{from}", &plain(from)).replace("{to}", &plain(to)))
    }

    fn sentence(&self, i: usize) -> String {
        let HoverPoint(label, _, passed, limited, refused) = &self.points[i];
        if !self.lines.is_empty() {
            let values: Vec<String> = self.lines.iter().map(|line| format!("{} {}", line.0, line.at(i))).collect();
            return format!("{label}: {}", values.join(", "));
        }
        let passed = if self.is_of_refusals { String::new() } else { format!("{} passed, ", thousands(*passed)) };
        let before = self.before.get(i).map(|calls| format!("; before: {}", thousands(*calls))).unwrap_or_default();
        format!("{label}: {passed}{} limited, {} refused{before}", thousands(*limited), thousands(*refused))
    }
}

impl HoverLine {
    /// What it says of a bucket.
    fn at(&self, i: usize) -> String {
        self.2.get(i).cloned().flatten().unwrap_or_else(|| "none told".to_owned())
    }
}

/// What is chosen: the bar, and where a selection began.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Chosen {
    at: Option<usize>,
    anchor: Option<usize>,
}

impl Chosen {
    /// First and last bar of the selection, or of the one bar.
    fn range(self) -> Option<(usize, usize)> {
        let at = self.at?;
        let anchor = self.anchor.unwrap_or(at);
        Some((at.min(anchor), at.max(anchor)))
    }

    /// After a key; `None` for keys that mean nothing here.
    fn after(self, key: &str, shift: bool, count: usize) -> Option<Self> {
        let last = count.checked_sub(1)?;
        let at = match (key, self.at) {
            ("ArrowLeft", Some(at)) => at.saturating_sub(1),
            ("ArrowRight", Some(at)) => (at + 1).min(last),
            ("ArrowLeft" | "ArrowRight" | "End", _) => last,
            ("Home", _) => 0,
            ("Escape", Some(_)) => return Some(Self::default()),
            _ => return None,
        };
        Some(Self { at: Some(at), anchor: if shift { self.anchor.or(self.at) } else { None } })
    }
}

#[island]
pub fn ChartHover(data: HoverData, children: Children) -> impl IntoView {
    let count = data.points.len();
    let zooms = data.zoom.is_some();
    let what = if data.lines.is_empty() { "bars" } else { "values" };
    let label = match zooms {
        true => format!("{}: arrow keys read the {what}, Shift and arrows select, Enter shows the selection", data.title),
        false => format!("{}: arrow keys read the {what}", data.title),
    };
    let data = StoredValue::new(data);
    let chosen = RwSignal::new(Chosen::default());
    let said = RwSignal::new(String::new());
    // Reachable by keyboard only once the keys do something.
    let alive = RwSignal::new(false);
    Effect::new(move |_| alive.set(true));

    let go = move || {
        if let Some(url) = chosen.get_untracked().range().and_then(|(first, last)| data.with_value(|d| d.closer(first, last))) {
            let _ = location().set_href(&url);
        }
    };
    let under = move |event: &ev::PointerEvent| {
        let width = event_target::<leptos::web_sys::Element>(event).client_width().max(1);
        let x = event.offset_x().clamp(0, width - 1);
        count.checked_sub(1).map(|last| (x as usize * count / width as usize).min(last))
    };
    let on_move = move |event: ev::PointerEvent| {
        let at = under(&event);
        chosen.update(|c| c.at = at);
    };
    let on_down = move |event: ev::PointerEvent| {
        if zooms && event.button() == 0 {
            let at = under(&event);
            chosen.set(Chosen { at, anchor: at });
            let _ = event_target::<leptos::web_sys::Element>(&event).set_pointer_capture(event.pointer_id());
        }
    };
    let on_up = move |_: ev::PointerEvent| {
        let dragged = chosen.get_untracked().range().is_some_and(|(first, last)| last > first) && chosen.get_untracked().anchor.is_some();
        if dragged {
            go();
        }
        chosen.update(|c| c.anchor = None);
    };
    let on_key = move |event: ev::KeyboardEvent| {
        if event.key() == "Enter" && zooms {
            return go();
        }
        if let Some(next) = chosen.get_untracked().after(&event.key(), event.shift_key(), count) {
            event.prevent_default();
            chosen.set(next);
            said.set(next.at.map(|at| data.with_value(|d| d.sentence(at))).unwrap_or_default());
        }
    };
    let clear = move || chosen.set(Chosen::default());

    view! {
        <div
            class="plot-live"
            role="group"
            aria-label=label
            data-zoom=zooms.then_some("")
            tabindex=move || alive.get().then_some("0")
            on:pointermove=on_move
            on:pointerdown=on_down
            on:pointerup=on_up
            on:pointerleave=move |_| clear()
            on:blur=move |_| clear()
            on:keydown=on_key
        >
            {children()}
            {move || chosen.get().range().map(|(first, last)| overlay(data, count, first, last, chosen.get().at.unwrap_or(last)))}
            <p class="visually-hidden" role="status">{move || said.get()}</p>
        </div>
    }
}

/// The band over the chosen bars, the crosshair, and the tooltip beside it.
fn overlay(data: StoredValue<HoverData>, count: usize, first: usize, last: usize, at: usize) -> impl IntoView {
    let slot = 100.0 / count as f64;
    let centre = slot * (at as f64 + 0.5);
    let dragged = last > first;
    data.with_value(|d| {
        let HoverPoint(label, _, passed, limited, refused) = d.points[at].clone();
        let over = d.limit.filter(|limit| limited > 0 && passed >= *limit);
        let row = |key: &'static str, word: &'static str, calls: u64| {
            view! { <dt><span class=format!("key {key}")></span>{word}</dt><dd>{thousands(calls)}</dd> }
        };
        let rows = if d.lines.is_empty() {
            view! {
                {(!d.is_of_refusals).then(|| row("key-passed", "Passed", passed))}
                {row("key-limited", "Limited", limited)}
                {row("key-refused", "Refused", refused)}
                {d.before.get(at).map(|calls| row("key-before", "Before", *calls))}
            }
            .into_any()
        } else {
            d.lines.iter().map(|line| line_row(line, at)).collect_view().into_any()
        };
        view! {
            <div
                class="hover-band"
                class:is-dragged=dragged
                style:left=format!("{:.2}%", slot * first as f64)
                style:width=format!("{:.2}%", slot * (last - first + 1) as f64)
            ></div>
            <div class="crosshair" style:left=format!("{centre:.2}%")></div>
            <div class="chart-tip" class:is-before={centre > 50.0} style:left=format!("{centre:.2}%") aria-hidden="true">
                <p>{label}</p>
                <dl>{rows}</dl>
                {over.map(|limit| view! { <p class="over">{format!("{} over the limit of {}", thousands(limited), thousands(limit))}</p> })}
            </div>
        }
    })
}

/// A line in the tooltip: how it looks, its name, its value.
fn line_row(line: &HoverLine, at: usize) -> AnyView {
    let HoverLine(name, look, _) = line;
    view! {
        <dt><svg aria-hidden="true"><line class=look.clone() x1="0" x2="100%" y1="4" y2="4"></line></svg>{name.clone()}</dt>
        <dd>{line.at(at)}</dd>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn data() -> HoverData {
        let point = |iso: &str| HoverPoint(iso.into(), iso.into(), 1, 0, 0);
        HoverData {
            title: "Calls".into(),
            points: vec![point("2026-11-18T00:00:00+01:00"), point("2026-11-19T00:00:00+01:00")],
            end: "2026-11-20T00:00:00+01:00".into(),
            limit: None,
            zoom: Some("/usage?from={from}&to={to}".into()),
            before: vec![],
            is_of_refusals: false,
            lines: vec![],
        }
    }

    #[test]
    fn a_chart_of_lines_is_read_and_selected_too() {
        let line = HoverLine("p50".into(), "line-1".into(), vec![Some("12 ms".into()), None]);
        let lines = HoverData { lines: vec![line], ..data() };
        assert!(lines.sentence(0).ends_with(": p50 12 ms") && lines.sentence(1).ends_with(": p50 none told"));
        assert_eq!(lines.closer(0, 0), data().closer(0, 0));
    }

    #[test]
    fn a_selection_has_a_url() {
        assert_eq!(data().closer(0, 0).as_deref(), Some("/usage?from=2026-11-18T00:00:00%2B01:00&to=2026-11-19T00:00:00%2B01:00"));
        assert!(data().closer(1, 1).is_some_and(|url| url.ends_with("to=2026-11-20T00:00:00%2B01:00")));
        assert_eq!(data().closer(7, 7), None);
    }

    #[test]
    fn keys_walk_and_select() {
        let start = Chosen::default().after("ArrowRight", false, 5).expect("a key that means something");
        assert_eq!(start.at, Some(4));
        let back = start.after("ArrowLeft", true, 5).and_then(|c| c.after("ArrowLeft", true, 5)).expect("two steps");
        assert_eq!(back.range(), Some((2, 4)));
        assert_eq!(back.after("Home", false, 5).and_then(Chosen::range), Some((0, 0)));
        assert_eq!(back.after("Escape", false, 5), Some(Chosen::default()));
        assert_eq!(back.after("a", false, 5), None);
        assert_eq!(Chosen::default().after("End", false, 0), None);
    }
}
