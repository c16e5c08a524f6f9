//! The nouns of usage, for both sides: what is asked (`UsageQuery`, which is the query of the page's URL) and what is answered.
//! Labels are made on the server, in the person's time zone; nothing here knows a calendar.

use crate::values::{ApiId, KeyId, Outcome, OutcomeGroup};
use serde::{Deserialize, Serialize};
use std::ops::AddAssign;

/// Calls by what became of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    pub passed: u64,
    pub limited: u64,
    pub refused: u64,
}

impl Counts {
    pub const fn total(self) -> u64 {
        self.passed + self.limited + self.refused
    }

    pub const fn of(self, group: OutcomeGroup) -> u64 {
        match group {
            OutcomeGroup::Passed => self.passed,
            OutcomeGroup::Limited => self.limited,
            OutcomeGroup::Refused => self.refused,
        }
    }

    pub fn add(&mut self, outcome: Outcome, calls: u64) {
        match outcome.group() {
            OutcomeGroup::Passed => self.passed += calls,
            OutcomeGroup::Limited => self.limited += calls,
            OutcomeGroup::Refused => self.refused += calls,
        }
    }

    /// What is left when `part` is taken away.
    #[must_use]
    pub const fn less(self, part: Self) -> Self {
        Self {
            passed: self.passed.saturating_sub(part.passed),
            limited: self.limited.saturating_sub(part.limited),
            refused: self.refused.saturating_sub(part.refused),
        }
    }
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.limited += other.limited;
        self.refused += other.refused;
    }
}

/// How wide a bar is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BucketSize {
    Minute,
    Hour,
    Day,
    Week,
    Month,
}

impl BucketSize {
    pub const ALL: [Self; 5] = [Self::Minute, Self::Hour, Self::Day, Self::Week, Self::Month];

    /// The word in a URL and in "by day".
    pub const fn word(self) -> &'static str {
        match self {
            Self::Minute => "minute",
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|size| size.word() == text)
    }
}

/// The stretch of time that is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Range {
    /// The last 24 hours, this one included.
    Day,
    /// The last 7 days, today included.
    Week,
    /// The last 30 days, today included.
    Days30,
    /// This calendar month until today.
    Month,
    /// The last 53 weeks, this one included.
    Year,
    /// From one moment to another.
    Between,
}

impl Range {
    /// Those that the page offers, with the word of each in a URL and on the page.
    pub const OFFERED: [(Self, &'static str, &'static str); 5] =
        [(Self::Day, "24h", "24 h"), (Self::Week, "7d", "7 d"), (Self::Days30, "30d", "30 d"), (Self::Month, "month", "Month"), (Self::Year, "year", "Year")];

    pub fn parse(text: &str) -> Option<Self> {
        Self::OFFERED.into_iter().find(|(_, word, _)| *word == text).map(|(range, ..)| range)
    }
}

/// What is asked for, as it stands in the URL: all texts, checked by the operation.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct UsageQuery {
    /// `24h`, `7d`, `30d` (also when absent), `month`, `year`.
    pub range: Option<String>,
    /// `hour`, `day`, `week`, `month`; absent: what suits the range.
    pub bucket: Option<String>,
    /// In place of `range`: a day, a local time or an RFC 3339 instant.
    pub from: Option<String>,
    /// A day is meant as a whole; absent: now.
    pub to: Option<String>,
    pub key: Option<String>,
    /// The API's slug.
    pub api: Option<String>,
    pub route: Option<String>,
}

impl UsageQuery {
    /// Reads a query; `get` gives a parameter. An empty one is none, as forms send them.
    pub fn read(get: impl Fn(&str) -> Option<String>) -> Self {
        let get = |name| get(name).map(|v| v.trim().to_owned()).filter(|v| !v.is_empty());
        Self { range: get("range"), bucket: get("bucket"), from: get("from"), to: get("to"), key: get("key"), api: get("api"), route: get("route") }
    }

    /// The parameters that are set, in a fixed order.
    pub fn pairs(&self) -> Vec<(&'static str, &str)> {
        let all = [
            ("range", &self.range),
            ("bucket", &self.bucket),
            ("from", &self.from),
            ("to", &self.to),
            ("key", &self.key),
            ("api", &self.api),
            ("route", &self.route),
        ];
        all.into_iter().filter_map(|(name, value)| value.as_deref().map(|v| (name, v))).collect()
    }

    /// The address that shows this: `path` and the query.
    pub fn link(&self, path: &str) -> String {
        link(path, self.pairs())
    }

    /// The same filters over another range.
    #[must_use]
    pub fn over(&self, range: &str) -> Self {
        Self { range: Some(range.to_owned()), bucket: None, from: None, to: None, ..self.clone() }
    }

    /// The same over the same range in other steps.
    #[must_use]
    pub fn by(&self, size: BucketSize) -> Self {
        Self { bucket: Some(size.word().to_owned()), ..self.clone() }
    }

    /// True if a key, an API or a route is chosen.
    pub fn is_filtered(&self) -> bool {
        self.key.is_some() || self.api.is_some() || self.route.is_some()
    }
}

fn link<'a>(path: &str, pairs: impl IntoIterator<Item = (&'static str, &'a str)>) -> String {
    let mut link = path.to_owned();
    for (name, value) in pairs {
        link.push(if link.contains('?') { '&' } else { '?' });
        link.push_str(name);
        link.push('=');
        encode(value, &mut link);
    }
    link
}

/// Percent-encodes a value of a query (RFC 3986: all but the unreserved characters).
fn encode(value: &str, out: &mut String) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push('%');
            out.push(char::from(HEX[usize::from(byte >> 4)]));
            out.push(char::from(HEX[usize::from(byte & 15)]));
        }
    }
}

/// One bar.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bucket {
    /// Where it begins, RFC 3339 in UTC: what `from` and `to` of a URL take.
    pub at: String,
    /// Under the bar: "18 Nov".
    pub label: String,
    /// Beside the bar: "Wednesday, 18 Nov".
    pub full: String,
    pub counts: Counts,
}

/// A line across the chart: what is above it did not pass.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LimitLine {
    pub calls: u64,
    /// "an hour".
    pub window: String,
}

/// How much of a limit a key has used in the present window.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LimitMeter {
    pub key: KeyId,
    pub key_name: String,
    /// "an hour", "10 minutes".
    pub window: String,
    pub used: u64,
    pub limit: u64,
    /// In the person's time zone: "15:00", "Mon 23 Nov, 01:00".
    pub resets_at: String,
    /// Seconds until then.
    pub reset_after: u64,
}

/// One row of "By key".
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyUsage {
    pub key: KeyId,
    pub name: String,
    pub counts: Counts,
    /// Over the same time, at most 62 steps.
    pub spark: Vec<Counts>,
}

/// One row of "By route".
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RouteUsage {
    pub route: String,
    pub calls: u64,
}

/// A key of the workspace, for the filter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyChoice {
    pub id: KeyId,
    pub name: String,
    pub api: ApiId,
    pub api_slug: String,
    pub api_name: String,
}

/// What `/usage` shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UsageReport {
    pub query: UsageQuery,
    pub range: Range,
    pub bucket: BucketSize,
    /// The sizes that suit this stretch of time.
    pub sizes: Vec<BucketSize>,
    /// "22 Oct to 20 Nov, Stockholm time; today is not over".
    pub period: String,
    /// "Stockholm time".
    pub zone: String,
    pub buckets: Vec<Bucket>,
    /// Where the last bucket ends, RFC 3339 in UTC.
    pub end: String,
    pub totals: Counts,
    /// By code, most frequent first; codes without calls are left out.
    pub codes: Vec<(Outcome, u64)>,
    /// The busiest, most calls first; what they leave of `totals` is of the other keys.
    pub keys: Vec<KeyUsage>,
    pub key_count: u64,
    /// The busiest of those that the filters leave, most calls first.
    pub routes: Vec<RouteUsage>,
    /// Every route that the other filters leave, busiest first, for the filter.
    pub route_choices: Vec<String>,
    pub key_choices: Vec<KeyChoice>,
    pub limit: Option<LimitLine>,
    pub meters: Vec<LimitMeter>,
    /// False if no call of this workspace was ever counted.
    pub has_history: bool,
    /// A first call to try, as a line for a shell.
    pub example: String,
}

impl UsageReport {
    /// The key that the filter names.
    pub fn chosen_key(&self) -> Option<&KeyChoice> {
        self.query.key.as_deref().and_then(|id| self.key_choices.iter().find(|k| k.id.to_string() == id))
    }

    /// The bucket with the most calls of a group, if there was one.
    pub fn peak(&self, group: OutcomeGroup) -> Option<&Bucket> {
        self.buckets.iter().max_by_key(|b| b.counts.of(group)).filter(|b| b.counts.of(group) > 0)
    }
}

/// A refusal in detail. These are samples: at most one per key, code and minute is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefusalSample {
    /// Opaque; continues the list after this row.
    pub cursor: String,
    /// "15:38:52" today, "18 Nov, 15:38:52" before.
    pub time: String,
    /// RFC 3339, UTC.
    pub at: String,
    pub key: Option<KeyId>,
    pub key_name: Option<String>,
    pub code: Outcome,
    pub route: String,
    pub address: String,
    pub request_id: String,
    pub detail: String,
}

/// Attempts with secrets that no key has, from one address for one reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttemptsFrom {
    /// IPv4, or the /64 of IPv6.
    pub address: String,
    pub reason: Outcome,
    pub calls: u64,
}

/// What `/requests` asks for, as it stands in its URL.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefusalQuery {
    pub code: Option<String>,
    pub key: Option<String>,
    /// Only those before this cursor.
    pub before: Option<String>,
}

impl RefusalQuery {
    pub fn read(get: impl Fn(&str) -> Option<String>) -> Self {
        let get = |name| get(name).filter(|v| !v.is_empty());
        Self { code: get("code"), key: get("key"), before: get("before") }
    }

    /// The address that shows this.
    pub fn link(&self, path: &str) -> String {
        let all = [("code", &self.code), ("key", &self.key), ("before", &self.before)];
        link(path, all.into_iter().filter_map(|(name, value)| value.as_deref().map(|v| (name, v))))
    }
}

/// What `/requests` shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefusalList {
    pub query: RefusalQuery,
    pub samples: Vec<RefusalSample>,
    /// The cursor of the next page.
    pub older: Option<String>,
    /// Exact counts of the last 30 days by code, whatever filter is set.
    pub codes: Vec<(Outcome, u64)>,
    pub key_choices: Vec<KeyChoice>,
    pub zone: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_reads_back_as_the_query_it_was_made_of() {
        let query = UsageQuery { range: Some("7d".into()), route: Some("GET /orders/{id}?a&b=ü".into()), ..UsageQuery::default() };
        assert_eq!(query.link("/usage"), "/usage?range=7d&route=GET%20%2Forders%2F%7Bid%7D%3Fa%26b%3D%C3%BC");
        assert_eq!(query.over("24h").link("/usage").split('&').next(), Some("/usage?range=24h"));
        assert_eq!(UsageQuery::default().link("/usage"), "/usage");
    }

    #[test]
    fn an_empty_parameter_is_none() {
        let query = UsageQuery::read(|name| Some(if name == "key" { "  ".to_owned() } else { String::new() }));
        assert_eq!(query, UsageQuery::default());
    }

    #[test]
    fn every_outcome_counts_once() {
        let mut counts = Counts::default();
        for outcome in Outcome::ALL {
            counts.add(outcome, 2);
        }
        assert_eq!(counts, Counts { passed: 2, limited: 4, refused: 18 });
        assert_eq!(counts.total(), 24);
        assert_eq!(counts.less(Counts { passed: 5, limited: 1, refused: 0 }), Counts { passed: 0, limited: 3, refused: 18 });
    }
}
