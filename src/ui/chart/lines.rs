//! Up to three lines over the same time, as a card with its table: a value a bucket, a gap where there is none. Lines differ by their
//! dashes, not only by colour. With script the values of a bucket are told, and dragging shows a shorter time, as on bars.

use super::{
    axis::{grid, labels, percent, px},
    hover::{ChartHover, HoverData},
    scale::Scale,
};
use leptos::prelude::*;

const HEIGHT: f64 = 192.0;
/// The strips above and below the plot, as in `bars`.
const TOP: f64 = 20.0;
const FOOT: f64 = 24.0;
/// The looks of the lines, in order.
const LOOKS: [&str; 3] = ["line-1", "line-2", "line-3"];

/// One line: its name and a value for each bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    pub name: String,
    pub values: Vec<Option<u64>>,
}

/// One chart of lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lines {
    /// Unique on the page; the ids inside the chart begin with it.
    pub id: String,
    /// "How long calls took by day, in milliseconds".
    pub title: String,
    /// Time and zone.
    pub note: String,
    /// The head of the table's first column: "Day", "Hour".
    pub unit: String,
    /// Of each bucket, oldest first.
    pub labels: Vec<String>,
    /// In the tooltip: "Wednesday, 18 Nov".
    pub long_labels: Vec<String>,
    /// Where each begins as RFC 3339, for URLs.
    pub isos: Vec<String>,
    /// Where the last one ends, as RFC 3339.
    pub end: String,
    /// At most three.
    pub lines: Vec<Line>,
}

impl Lines {
    fn peak(&self) -> u64 {
        self.lines.iter().flat_map(|line| &line.values).flatten().copied().max().unwrap_or(0)
    }

    /// The chart in one sentence, for those who cannot see it: of each line the lowest and the highest value.
    fn sentence(&self, words: fn(u64) -> String) -> String {
        let one = |line: &Line| {
            let values = || line.values.iter().flatten().copied();
            let (low, high) = (values().min()?, values().max()?);
            Some(format!("{} from {} to {}", line.name, words(low), words(high)))
        };
        let lines: Vec<String> = self.lines.iter().filter_map(one).collect();
        format!("{}, {}: {}.", self.title, self.note, lines.join("; "))
    }
}

/// `words` says a value in the table, `axis` a number beside a line of the grid.
#[component]
pub fn LineChart(
    lines: Lines,
    words: fn(u64) -> String,
    axis: fn(u64) -> String,
    /// The URL of a shorter time, with `{from}` and `{to}` in it.
    #[prop(optional, into)]
    zoom: Option<String>,
) -> impl IntoView {
    let heading = format!("{}-title", lines.id);
    let view_name = format!("{}-view", lines.id);
    let switch = view! {
        <div class="segmented" role="radiogroup" aria-label="Show as">
            <label><input type="radio" name=view_name.clone() checked=true autocomplete="off"/>"Chart"</label>
            <label><input type="radio" name=view_name class="view-table" autocomplete="off"/>"Table"</label>
        </div>
    };
    let scale = Scale::new(lines.peak(), HEIGHT - TOP - FOOT, HEIGHT - FOOT);
    let numbers = scale.ticks.iter().map(|tick| view! { <text x="0" y=px(scale.y(*tick) + 4.0)>{axis(*tick)}</text> }).collect_view();
    let title = view! { <div class="chart-title"><h2 id=heading.clone()>{lines.title.clone()}</h2><p>{lines.note.clone()}</p></div> };
    let legend = lines
        .lines
        .iter()
        .zip(LOOKS)
        .map(|(line, look)| view! { <span class="line-key"><svg aria-hidden="true"><line class=look x1="0" x2="100%" y1="6" y2="6"></line></svg>{line.name.clone()}</span> })
        .collect_view();
    let data = HoverData::of_lines(&lines, &LOOKS, words, zoom);
    let drawing = drawing(&lines, &scale, words);
    view! {
        <figure class="card chart-card" id=lines.id.clone() aria-labelledby=heading>
            <div class="chart-head">
                {title}
                {switch}
            </div>
            <div class="legend">{legend}</div>
            <div class="plot plot-sm"><svg class="plot-y" aria-hidden="true">{numbers}</svg><div class="plot-area"><ChartHover data>{drawing}</ChartHover></div></div>
            {table(&lines, words)}
        </figure>
    }
    .into_any()
}

fn drawing(lines: &Lines, scale: &Scale, words: fn(u64) -> String) -> AnyView {
    let below: Vec<&str> = lines.labels.iter().map(String::as_str).collect();
    let drawn = lines.lines.iter().zip(LOOKS).map(|(line, look)| drawn(line, look, scale)).collect_view();
    view! { <svg class="plot-x" role="img" aria-label=lines.sentence(words)>{grid(scale, true)}{drawn}{labels(&below, scale.base())}</svg> }.into_any()
}

/// A stroke between neighbours that both have a value, a dot where a value stands alone.
fn drawn(line: &Line, look: &'static str, scale: &Scale) -> AnyView {
    let slot = 100.0 / line.values.len().max(1) as f64;
    let x = |i: usize| percent(slot * (i as f64 + 0.5));
    let at = |i: usize| line.values.get(i).copied().flatten();
    let strokes = (1..line.values.len())
        .filter_map(|i| Some((i, at(i - 1)?, at(i)?)))
        .map(|(i, from, to)| view! { <line class=look x1=x(i - 1) x2=x(i) y1=px(scale.y(from)) y2=px(scale.y(to))></line> })
        .collect_view();
    let is_alone = |i: usize| at(i + 1).is_none() && i.checked_sub(1).and_then(at).is_none();
    let dots = (0..line.values.len())
        .filter_map(|i| Some((i, at(i).filter(|_| is_alone(i))?)))
        .map(|(i, value)| view! { <circle class=look cx=x(i) cy=px(scale.y(value)) r="2"></circle> })
        .collect_view();
    view! { {strokes}{dots} }.into_any()
}

/// The same values, newest first.
fn table(lines: &Lines, words: fn(u64) -> String) -> AnyView {
    let heads = lines.lines.iter().map(|line| view! { <th scope="col" class="num">{line.name.clone()}</th> }).collect_view();
    let rows = lines
        .labels
        .iter()
        .enumerate()
        .rev()
        .map(|(i, label)| {
            let cell = |line: &Line| match line.values.get(i).copied().flatten() {
                Some(value) => view! { <td class="num">{words(value)}</td> }.into_any(),
                None => view! { <td class="num"><span class="faint">"none told"</span></td> }.into_any(),
            };
            view! { <tr><th scope="row">{label.clone()}</th>{lines.lines.iter().map(cell).collect_view()}</tr> }
        })
        .collect_view();
    view! {
        <div class="chart-table" tabindex="0" role="region" aria-label=format!("{}, as a table", lines.title)>
            <table class="table table-sm">
                <caption class="visually-hidden">{format!("{}, newest first", lines.title)}</caption>
                <thead><tr><th scope="col">{lines.unit.clone()}</th>{heads}</tr></thead>
                <tbody>{rows}</tbody>
            </table>
        </div>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sentence_tells_the_range_of_each_line() {
        let line = |name: &str, values: &[Option<u64>]| Line { name: name.into(), values: values.to_vec() };
        let lines = Lines {
            id: "l".into(),
            title: "How long".into(),
            note: "today".into(),
            unit: "Hour".into(),
            labels: vec!["1".into(), "2".into()],
            long_labels: vec!["1".into(), "2".into()],
            isos: vec!["2026-11-20T01:00:00Z".into(), "2026-11-20T02:00:00Z".into()],
            end: "2026-11-20T03:00:00Z".into(),
            lines: vec![line("p50", &[Some(3), Some(1)]), line("p99", &[None, None])],
        };
        assert_eq!((lines.sentence(|n| n.to_string()).as_str(), lines.peak()), ("How long, today: p50 from 1 to 3.", 3));
        let hover = HoverData::of_lines(&lines, &LOOKS, |n| format!("{n} ms"), None);
        assert_eq!((hover.points.len(), hover.lines[0].2.clone()), (2, vec![Some("3 ms".to_owned()), Some("1 ms".to_owned())]));
    }
}
