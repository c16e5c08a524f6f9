//! The arithmetic of axes: nice numbers on y, few enough labels on x, and pixels for a stack of calls.

use super::data::Bucket;

/// Free room above the highest thing, so that the limit's words and a tall bar have air.
const HEADROOM: f64 = 1.1;
/// At most about so many lines across the chart, the axis not counted.
const LINES: u64 = 5;
/// At most so many labels under the axis.
const LABELS: usize = 10;
/// Steps between labels that people find natural: hours, weeks, months.
const STEPS: [usize; 26] = [1, 2, 3, 4, 5, 6, 7, 10, 12, 14, 15, 24, 28, 30, 31, 48, 60, 72, 96, 120, 168, 240, 336, 360, 720, 1440];

/// The y axis: from zero to `top` calls over `height` pixels, ending at pixel `base`.
#[derive(Debug, Clone, PartialEq)]
pub struct Scale {
    top: f64,
    height: f64,
    base: f64,
    /// The numbers that get a line, from 0 up.
    pub ticks: Vec<u64>,
}

impl Scale {
    pub fn new(peak: u64, height: f64, base: f64) -> Self {
        let top = (peak as f64 * HEADROOM).max(1.0);
        let step = nice_step(top);
        let ticks = (0..).map(|i: u64| i.saturating_mul(step)).take_while(|t| *t as f64 <= top && (peak > 0 || *t == 0)).take(12).collect();
        Self { top, height, base, ticks }
    }

    /// The pixel of a number of calls.
    pub fn y(&self, calls: u64) -> f64 {
        self.base - self.length(calls)
    }

    /// How many pixels a number of calls is high.
    pub fn length(&self, calls: u64) -> f64 {
        calls as f64 / self.top * self.height
    }

    pub const fn base(&self) -> f64 {
        self.base
    }
}

/// The next of 1, 2, 5 · 10ⁿ that needs no more than about [`LINES`] lines.
fn nice_step(top: f64) -> u64 {
    let rough = top / LINES as f64;
    let mut step = 1_u64;
    loop {
        for factor in [1, 2, 5] {
            let candidate = step.saturating_mul(factor);
            if candidate as f64 >= rough || candidate == u64::MAX {
                return candidate;
            }
        }
        step = step.saturating_mul(10);
    }
}

/// One drawn part of a bar: its upper pixel and its height.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Part {
    pub y: f64,
    pub height: f64,
}

/// A bar from the axis up: passed, a hair of air, limited, refused. Whatever happened at all is at least one pixel high.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stack {
    pub passed: Option<Part>,
    pub limited: Option<Part>,
    pub refused: Option<Part>,
}

pub fn stack(scale: &Scale, bucket: &Bucket) -> Stack {
    let mut foot = scale.base();
    let mut part = |calls: u64, air: f64| {
        (calls > 0).then(|| {
            let height = (scale.length(calls) - air).max(1.0);
            let y = foot - air - height;
            foot = y;
            Part { y, height }
        })
    };
    let passed = part(bucket.passed, 0.0);
    let limited = part(bucket.limited, if bucket.passed > 0 { 1.0 } else { 0.0 });
    let refused = part(bucket.refused, 0.0);
    Stack { passed, limited, refused }
}

/// A label under the axis: of which bucket, and whether it leaves when it gets narrow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tick {
    pub index: usize,
    pub is_minor: bool,
}

/// Which buckets get a label: the last one always, then backwards in a natural step.
pub fn ticks(count: usize) -> Vec<Tick> {
    let step = STEPS.into_iter().find(|step| step * LABELS >= count).unwrap_or(count.div_ceil(LABELS)).max(1);
    let total = count.div_ceil(step);
    let keep = if total > 5 { 3 } else { 1 };
    let mut ticks: Vec<_> = (0..total).map(|i| Tick { index: count - 1 - i * step, is_minor: i % keep != 0 }).collect();
    ticks.reverse();
    ticks
}

/// How much of its slot a bar fills: air between few bars, none between many.
pub const fn fill(count: usize) -> f64 {
    match count {
        0..=60 => 0.72,
        61..=120 => 0.84,
        _ => 1.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scale(peak: u64) -> Scale {
        Scale::new(peak, 212.0, 232.0)
    }

    fn bucket(passed: u64, limited: u64, refused: u64) -> Bucket {
        Bucket { label: String::new(), long_label: String::new(), iso: String::new(), passed, limited, refused, href: None }
    }

    #[test]
    fn lines_stand_at_nice_numbers() {
        assert_eq!(scale(0).ticks, [0]);
        assert_eq!(scale(1).ticks, [0, 1]);
        assert_eq!(scale(3).ticks, [0, 1, 2, 3]);
        assert_eq!(scale(7).ticks, [0, 2, 4, 6]);
        assert_eq!(scale(3_145).ticks, [0, 1_000, 2_000, 3_000]);
        assert_eq!(scale(84_483).ticks, [0, 20_000, 40_000, 60_000, 80_000]);
        assert_eq!(scale(10).ticks, [0, 5, 10]);
    }

    #[test]
    fn huge_numbers_stay_inside_the_chart() {
        let s = scale(u64::MAX);
        assert!(s.ticks.len() >= 2 && s.ticks.len() <= 12);
        assert!(s.y(u64::MAX) >= 20.0 && s.y(u64::MAX) < 232.0);
    }

    #[test]
    fn a_single_refusal_is_still_seen() {
        let bar = stack(&scale(1_000_000), &bucket(900_000, 0, 1));
        let (passed, refused) = (bar.passed.expect("drawn"), bar.refused.expect("drawn"));
        assert_eq!(refused.height, 1.0);
        assert_eq!(refused.y + refused.height, passed.y);
        assert_eq!(bar.limited, None);
    }

    #[test]
    fn limited_begins_above_what_passed() {
        let s = scale(100);
        let bar = stack(&s, &bucket(80, 20, 0));
        let (passed, limited) = (bar.passed.expect("drawn"), bar.limited.expect("drawn"));
        assert_eq!(passed.y, s.y(80));
        assert_eq!(limited.y + limited.height, passed.y - 1.0);
        assert!((limited.y - s.y(100)).abs() < 1e-9);
        assert_eq!(stack(&s, &bucket(0, 0, 0)), Stack { passed: None, limited: None, refused: None });
    }

    #[test]
    fn labels_end_at_the_last_bucket() {
        let at = |count| ticks(count).iter().map(|t| t.index).collect::<Vec<_>>();
        assert_eq!(at(0), Vec::<usize>::new());
        assert_eq!(at(1), [0]);
        assert_eq!(at(7), [0, 1, 2, 3, 4, 5, 6]);
        assert_eq!(at(24), [2, 5, 8, 11, 14, 17, 20, 23]);
        assert_eq!(at(30).len(), 10);
        let year = at(365);
        assert_eq!(year.last(), Some(&364));
        assert!(year.len() <= 10);
    }

    #[test]
    fn when_it_is_narrow_every_third_label_stays() {
        let ticks = ticks(30);
        assert!(!ticks.last().expect("ten labels").is_minor);
        assert_eq!(ticks.iter().filter(|t| !t.is_minor).count(), 4);
    }
}
