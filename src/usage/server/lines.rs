//! A line of a file, of usage, of refusals, of latencies and of limits: the same as JSON and as a row of a spreadsheet.

use crate::{keys::model::LimitLeft, platform::csv, usage::model::RefusalSample};
use serde::Serialize;
use std::borrow::Cow;

/// Calls of one key to one route, or from one address, with one outcome in one bucket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct UsageLine {
    /// Where the bucket begins, RFC 3339, UTC.
    pub at: String,
    /// In the time zone of the query, without an offset: what a spreadsheet reads as a date.
    #[serde(skip)]
    pub local: String,
    pub key_id: String,
    pub key: String,
    /// The slug of the API.
    pub api: String,
    /// Empty in lines by address or by permission.
    pub route: String,
    pub code: String,
    pub calls: u64,
    /// Cost units of the calls that passed. Null in lines by address or by permission: of these they are not known.
    pub units: Option<u64>,
    /// What the units are worth at the price of the plan that the key has today, to six decimals: an estimate, never a bill. Null where
    /// no plan has a price.
    #[schema(example = "0.000500")]
    pub estimated_cost: Option<String>,
    /// Of the estimated cost.
    #[schema(example = "EUR")]
    pub currency: Option<String>,
    /// From where the calls came, IPv6 by its /64; `Others or unknown` of those of which no address is kept. Empty in other lines.
    #[schema(example = "203.0.113.7")]
    pub address: String,
    /// What the calls needed; empty in other lines. A call that needed two is in two lines.
    #[schema(example = "orders:read")]
    pub permission: String,
    /// `shown`; `compared` in the lines of an earlier time that was asked for, too.
    #[schema(example = "shown")]
    pub period: String,
}

impl csv::Row for UsageLine {
    const HEAD: &'static [&'static str] =
        &["at", "local_time", "key_id", "key", "api", "route", "code", "calls", "units", "estimated_cost", "currency", "address", "permission", "period"];

    fn cells(&self) -> Vec<Cow<'_, str>> {
        let given = |text: &Option<String>| -> Cow<'static, str> { Cow::Owned(text.clone().unwrap_or_default()) };
        let texts = [&self.at, &self.local, &self.key_id, &self.key, &self.api, &self.route, &self.code];
        let mut cells: Vec<Cow<'_, str>> = texts.into_iter().map(|text| Cow::Borrowed(text.as_str())).collect();
        let units = self.units.map(|units| units.to_string());
        cells.extend([
            Cow::Owned(self.calls.to_string()),
            given(&units),
            given(&self.estimated_cost),
            given(&self.currency),
            Cow::Borrowed(&self.address),
            Cow::Borrowed(&self.permission),
            Cow::Borrowed(&self.period),
        ]);
        cells
    }
}

/// One call. These are samples: of calls that did not pass each server keeps in a minute one for each key, code, rule and address, at most 8
/// of a key and a code; of those that passed (`VALID`) one in `one_in`, at most 10 of a key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct RefusalLine {
    /// RFC 3339, UTC.
    pub at: String,
    pub code: String,
    /// Why, in words.
    pub detail: String,
    pub key_id: Option<String>,
    pub key: Option<String>,
    pub route: String,
    pub address: String,
    pub request_id: String,
    /// What exactly refused it: `permission`, `signature`, `route`, `origin`, `key_blocked` and so on.
    #[schema(example = "permission")]
    pub rule: String,
    /// The name of the limit that refused it; empty if none did.
    pub limit: String,
    /// Units that a call that passed was charged; null for others.
    pub cost: Option<u64>,
    /// A call that passed is one of so many; null for others.
    #[schema(example = 100)]
    pub one_in: Option<u32>,
    /// Where each limit stood after a call that passed; empty for others.
    #[schema(example = "default: 99 of 100")]
    pub left: String,
}

impl From<RefusalSample> for RefusalLine {
    fn from(sample: RefusalSample) -> Self {
        Self {
            at: sample.at,
            code: sample.code.to_string(),
            detail: sample.detail,
            key_id: sample.key.map(|key| key.to_string()),
            key: sample.key_name,
            route: sample.route,
            address: sample.address,
            request_id: sample.request_id,
            rule: if sample.passed.is_some() { String::new() } else { sample.ground.to_string() },
            limit: sample.limit,
            cost: sample.passed.as_ref().map(|passed| passed.cost),
            one_in: sample.passed.as_ref().map(|passed| passed.one_in),
            left: sample.passed.as_ref().map(|passed| left(&passed.limits)).unwrap_or_default(),
        }
    }
}

/// "default: 99 of 100; day: 4,000 of 5,000" without separators, as programs read numbers.
fn left(limits: &[LimitLeft]) -> String {
    limits.iter().map(|at| format!("{}: {} of {}", at.name, at.remaining, at.limit)).collect::<Vec<_>>().join("; ")
}

impl csv::Row for RefusalLine {
    const HEAD: &'static [&'static str] =
        &["at", "code", "detail", "key_id", "key", "route", "address", "request_id", "rule", "limit", "cost", "one_in", "left"];

    fn cells(&self) -> Vec<Cow<'_, str>> {
        let (key_id, key) = (self.key_id.as_deref().unwrap_or_default(), self.key.as_deref().unwrap_or_default());
        let texts = [&*self.at, &self.code, &self.detail, key_id, key, &self.route, &self.address, &self.request_id, &self.rule, &self.limit];
        let cost = self.cost.map(|cost| cost.to_string()).unwrap_or_default();
        let one_in = self.one_in.map(|one_in| one_in.to_string()).unwrap_or_default();
        let of_passed: [Cow<'_, str>; 3] = [Cow::Owned(cost), Cow::Owned(one_in), Cow::Borrowed(&self.left)];
        texts.into_iter().map(Cow::Borrowed).chain(of_passed).collect()
    }
}

/// Calls with one code, counted exactly.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct CodeLine {
    #[schema(example = "FORBIDDEN")]
    pub code: String,
    pub calls: u64,
}

impl csv::Row for CodeLine {
    const HEAD: &'static [&'static str] = &["code", "calls"];

    fn cells(&self) -> Vec<Cow<'_, str>> {
        vec![Cow::Borrowed(&self.code), Cow::Owned(self.calls.to_string())]
    }
}

/// How long the calls of one bucket took, in milliseconds, each at most 10 % off.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct LatencyLine {
    /// Where the bucket begins, RFC 3339, UTC.
    pub at: String,
    /// In the person's time zone, without an offset.
    #[serde(skip)]
    pub local: String,
    pub p50: f64,
    pub p95: f64,
    pub p99: f64,
    /// Of how many calls it was told.
    pub count: u64,
    /// `shown`; `compared` in the lines of an earlier time that was asked for, too.
    #[schema(example = "shown")]
    pub period: &'static str,
}

impl csv::Row for LatencyLine {
    const HEAD: &'static [&'static str] = &["at", "local_time", "p50_ms", "p95_ms", "p99_ms", "calls", "period"];

    fn cells(&self) -> Vec<Cow<'_, str>> {
        let numbers: [Cow<'_, str>; 4] = [self.p50.to_string(), self.p95.to_string(), self.p99.to_string(), self.count.to_string()].map(Cow::Owned);
        let texts: [Cow<'_, str>; 2] = [Cow::Borrowed(&self.at), Cow::Borrowed(&self.local)];
        texts.into_iter().chain(numbers).chain([Cow::Borrowed(self.period)]).collect()
    }
}

/// How much of a limit is used in its present window.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct UsedLimit {
    pub key_id: String,
    pub key: String,
    /// Of the limit.
    #[schema(example = "default")]
    pub name: String,
    #[schema(example = "an hour")]
    pub window: String,
    /// `units`, `calls` or `credits`.
    #[schema(example = "units")]
    pub unit: &'static str,
    /// In this unit, as all numbers here; more than the limit where calls beyond it passed.
    pub used: u64,
    pub limit: u64,
    pub remaining: u64,
    /// Seconds until it resets, or until the first of it comes back.
    pub reset_after: u64,
    /// Counted for all keys of the workspace together: `key_id` is one of them.
    pub is_shared: bool,
    /// Used by the end of the window if it goes on as the last quarter of its length went; of windows from an hour on.
    pub expected: Option<u64>,
    /// When it is used up then, on the person's clock; of credits at the pace of the last seven days, with what comes back.
    #[schema(example = "Fri 27 Nov, 20:00")]
    pub used_up: Option<String>,
}

impl csv::Row for UsedLimit {
    const HEAD: &'static [&'static str] =
        &["key_id", "key", "name", "window", "unit", "used", "limit", "remaining", "reset_after", "is_shared", "expected", "used_up"];

    fn cells(&self) -> Vec<Cow<'_, str>> {
        let numbers: [Cow<'_, str>; 4] = [self.used, self.limit, self.remaining, self.reset_after].map(|number| Cow::Owned(number.to_string()));
        let expected = self.expected.map(|calls| calls.to_string()).unwrap_or_default();
        let texts: [Cow<'_, str>; 5] = [self.key_id.as_str(), &self.key, &self.name, &self.window, self.unit].map(Cow::Borrowed);
        let rest: [Cow<'_, str>; 3] =
            [Cow::Owned(self.is_shared.to_string()), Cow::Owned(expected), Cow::Borrowed(self.used_up.as_deref().unwrap_or_default())];
        texts.into_iter().chain(numbers).chain(rest).collect()
    }
}

/// Calls with secrets that no key has, from one address for one reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct AttemptLine {
    /// IPv4, or the /64 of IPv6.
    pub address: String,
    #[schema(example = "UNKNOWN")]
    pub reason: String,
    pub calls: u64,
}

impl csv::Row for AttemptLine {
    const HEAD: &'static [&'static str] = &["address", "reason", "calls"];

    fn cells(&self) -> Vec<Cow<'_, str>> {
        vec![Cow::Borrowed(&self.address), Cow::Borrowed(&self.reason), Cow::Owned(self.calls.to_string())]
    }
}
