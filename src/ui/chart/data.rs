//! What a chart is made of: buckets of equal length, oldest first, without gaps, labelled in the person's time zone.

use crate::ui::number::thousands;
use serde::{Deserialize, Serialize};

/// The calls of one bucket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bucket {
    /// Under the axis and in the table: "18 Nov", "13:00".
    pub label: String,
    /// In the tooltip: "Wednesday, 18 Nov", "Today, 13:00 to 14:00".
    pub long_label: String,
    /// Its beginning as RFC 3339, for URLs.
    pub iso: String,
    pub passed: u64,
    pub limited: u64,
    pub refused: u64,
    /// A closer look at this bucket.
    pub href: Option<String>,
}

impl Bucket {
    pub const fn total(&self) -> u64 {
        self.passed.saturating_add(self.limited).saturating_add(self.refused)
    }
}

/// A limit may stretch the axis to so many times the highest bar.
const FARTHEST: u64 = 3;

/// The limit in force for one bucket: the line across the chart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limit {
    pub value: u64,
    /// "2,400 an hour".
    pub label: String,
}

/// One chart.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Series {
    /// Unique on the page; the ids inside the chart begin with it.
    pub id: String,
    /// "Calls by day".
    pub title: String,
    /// Time and zone: "22 Oct to 20 Nov, Stockholm time; today is not over".
    pub note: String,
    /// The head of the table's first column: "Day", "Hour".
    pub unit: String,
    pub buckets: Vec<Bucket>,
    /// Where the last bucket ends, as RFC 3339.
    pub end: String,
    pub limit: Option<Limit>,
    /// All calls of the time before, bucket by bucket: a faint mark across each bar. Empty: nothing is compared.
    pub before: Vec<u64>,
    /// Only what did not pass is in the buckets: the legend and the table leave out what did.
    pub is_of_refusals: bool,
}

/// Calls by outcome, over a whole series.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sums {
    pub passed: u64,
    pub limited: u64,
    pub refused: u64,
}

impl Series {
    pub fn sums(&self) -> Sums {
        self.buckets.iter().fold(Sums::default(), |s, b| Sums {
            passed: s.passed.saturating_add(b.passed),
            limited: s.limited.saturating_add(b.limited),
            refused: s.refused.saturating_add(b.refused),
        })
    }

    /// The highest thing that must be seen: a bar, or a limit near enough.
    pub fn peak(&self) -> u64 {
        self.highest().max(self.near_limit().map_or(0, |limit| limit.value))
    }

    fn highest(&self) -> u64 {
        self.buckets.iter().map(Bucket::total).chain(self.before.iter().copied()).max().unwrap_or(0)
    }

    /// The limit, if its line leaves room for the bars: one far above them would press them flat, and is told in words.
    pub fn near_limit(&self) -> Option<&Limit> {
        let highest = self.highest();
        self.limit.as_ref().filter(|limit| highest == 0 || limit.value <= highest.saturating_mul(FARTHEST))
    }

    pub fn is_empty(&self) -> bool {
        self.buckets.iter().all(|b| b.total() == 0) && self.before.iter().all(|n| *n == 0)
    }

    /// The chart in one sentence, for those who cannot see it.
    pub fn sentence(&self) -> String {
        let Sums { passed, limited, refused } = self.sums();
        let passed = if self.is_of_refusals { String::new() } else { format!("{} passed, ", thousands(passed)) };
        let mut text = format!("{}, {}: {passed}{} limited, {} refused.", self.title, self.note, thousands(limited), thousands(refused));
        if !self.before.is_empty() {
            text.push_str(&format!(" Compared period: {} calls.", thousands(self.before.iter().sum())));
        }
        if let Some(limit) = &self.limit {
            let at: Vec<_> = self.buckets.iter().filter(|b| b.passed >= limit.value && b.limited > 0).map(|b| b.label.as_str()).collect();
            match at.as_slice() {
                [] => text.push_str(&format!(" The limit of {} was not reached.", limit.label)),
                few @ ([_] | [_, _] | [_, _, _]) => text.push_str(&format!(" The limit of {} was reached: {}.", limit.label, few.join(", "))),
                many => text.push_str(&format!(" The limit of {} was reached {} times.", limit.label, many.len())),
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bucket(label: &str, passed: u64, limited: u64) -> Bucket {
        Bucket { label: label.into(), long_label: label.into(), iso: String::new(), passed, limited, refused: 0, href: None }
    }

    fn series(buckets: Vec<Bucket>, limit: Option<u64>) -> Series {
        let limit = limit.map(|value| Limit { value, label: format!("{value} an hour") });
        Series { id: "c".into(), title: "Calls".into(), note: "today".into(), unit: "Hour".into(), buckets, limit, ..Series::default() }
    }

    #[test]
    fn the_sentence_says_where_the_limit_was_reached() {
        let chart = series(vec![bucket("12:00", 100, 3), bucket("13:00", 100, 0), bucket("14:00", 20, 0)], Some(100));
        assert_eq!(chart.sentence(), "Calls, today: 220 passed, 3 limited, 0 refused. The limit of 100 an hour was reached: 12:00.");
    }

    #[test]
    fn the_limit_is_seen_above_low_bars() {
        assert_eq!(series(vec![bucket("a", 17, 0)], Some(50)).peak(), 50);
        assert_eq!(series(vec![bucket("a", 0, 0)], Some(50)).peak(), 50);
        assert_eq!(series(vec![bucket("a", 70, 9)], Some(50)).peak(), 79);
        assert_eq!(series(vec![], None).peak(), 0);
        let far = series(vec![bucket("a", 16, 0)], Some(50));
        assert_eq!((far.peak(), far.near_limit()), (16, None), "a limit far above presses no bar flat");
        assert!(series(vec![bucket("a", 0, 0)], None).is_empty());
    }
}
