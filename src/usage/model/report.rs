//! What `/usage` and `/usage/errors` show.

use super::{BucketSize, Range, UsageQuery};
use crate::{
    keys::model::{KeyLimit, LimitUnit, OverAction},
    values::{ApiId, Counts, KeyId, Outcome, OutcomeGroup},
};
use serde::{Deserialize, Serialize};

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

/// A line across the chart: where each call costs one unit, what is above it did not pass.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LimitLine {
    /// Cost units.
    pub calls: u64,
    /// "an hour".
    pub window: String,
    /// The other keys of the workspace use it up, too.
    pub is_shared: bool,
}

/// Which view has a limit's line, where the shown one has none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LimitHint {
    /// "100 units an hour".
    pub limit: String,
    /// The name of the key whose limit it is, where the view shows others, too.
    pub key: Option<String>,
    /// Its bars, and what asks for it; none: no bar is as long as the window.
    pub view: Option<(BucketSize, UsageQuery)>,
}

/// How much of a limit a key has used in the present window.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LimitMeter {
    pub key: KeyId,
    pub key_name: String,
    /// The limit's own name.
    pub name: String,
    /// "an hour", "10 minutes".
    pub window: String,
    /// More than the limit where calls beyond it passed.
    pub used: u64,
    pub limit: u64,
    /// In the person's time zone: "15:00", "Mon 23 Nov, 01:00".
    pub resets_at: String,
    /// Seconds until then.
    pub reset_after: u64,
    /// Over a day or longer.
    pub is_quota: bool,
    /// It never resets as a whole: at `resets_at` the first of what was used comes back.
    pub is_rolling: bool,
    /// Credits: `remaining` of them are left; nothing comes back by itself where `reset_after` is 0.
    pub is_credits: bool,
    /// What it counts, but for credits.
    pub unit: LimitUnit,
    pub remaining: u64,
    /// Counted for all keys of the workspace together: `key` is one of them.
    pub is_shared: bool,
    /// What becomes of calls beyond it.
    pub over: OverAction,
    /// Of windows from an hour on.
    pub forecast: Option<Forecast>,
    /// Of credits of which some are left; none where too little is known.
    pub lasts: Option<Lasts>,
}

impl LimitMeter {
    /// True if nothing is left of it.
    pub const fn is_used_up(&self) -> bool {
        if self.is_credits { self.remaining == 0 } else { self.used >= self.limit }
    }

    /// How much passed beyond it.
    pub const fn beyond(&self) -> u64 {
        let within = if self.is_credits { self.limit.saturating_sub(self.remaining) } else { self.limit };
        self.used.saturating_sub(within)
    }

    /// How near it is to its end: a dear call that passed beyond credits took nothing of them.
    pub const fn taken(&self) -> u64 {
        if self.is_credits { self.limit.saturating_sub(self.remaining) } else { self.used }
    }

    /// Its name, unless it is the one that a limit has by default.
    pub fn given_name(&self) -> Option<&str> {
        Some(self.name.as_str()).filter(|name| *name != KeyLimit::DEFAULT)
    }

    /// When it will be used up at the present pace, if that is foreseen.
    pub fn used_up_at(&self) -> Option<&str> {
        let of_window = self.forecast.as_ref().and_then(|forecast| forecast.used_up.as_deref());
        of_window.or_else(|| self.lasts.as_ref().and_then(|lasts| lasts.used_up.as_deref()))
    }

    /// "resets at 15:00", "comes back from 15:00 on", "+100 every hour, the next at 15:00"; nothing where nothing is to come back.
    pub fn resets(&self) -> String {
        if self.is_credits {
            return if self.reset_after == 0 { "prepaid".to_owned() } else { format!("{}, the next at {}", self.window, self.resets_at) };
        }
        match (self.is_rolling, self.used) {
            (false, _) => format!("resets at {}", self.resets_at),
            (true, 0) => String::new(),
            (true, _) => format!("starts to come back at {}", self.resets_at),
        }
    }
}

/// Where a window ends if it goes on as the last quarter of its length went.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Forecast {
    /// Used by the end of the window; of a rolling one in any window then.
    pub expected: u64,
    /// When that is: the end of the window, or one length of a rolling one from now.
    pub by: String,
    /// When the limit is reached, where it is: "Fri 27 Nov, 20:00".
    pub used_up: Option<String>,
}

/// How long credits last at the pace of the last seven days, with what comes back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lasts {
    /// When they are used up: "Fri 27 Nov, 20:00"; none: not within half a year.
    pub used_up: Option<String>,
    /// Within a week: somebody should act.
    pub is_soon: bool,
}

/// What units are worth at a plan's price: an estimate, never a bill.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Estimate {
    /// The plan's name.
    pub plan: String,
    /// "0.50 EUR for 1,000 units".
    pub price: String,
    /// That passed.
    pub units: u64,
    /// "12.40 EUR".
    pub worth: String,
}

/// How long calls took, in microseconds, where services tell it: at most 10 % off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Percentiles {
    pub p50: u64,
    pub p95: u64,
    pub p99: u64,
    /// Of how many calls it was told.
    pub count: u64,
}

/// One row of "By key".
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyUsage {
    pub key: KeyId,
    pub name: String,
    /// False: it was deleted.
    pub is_there: bool,
    pub counts: Counts,
    /// Cost units of what passed; 0 where the report has none.
    pub units: u64,
    /// Over the same time, at most 62 steps.
    pub spark: Vec<Counts>,
}

/// One row of "By route".
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RouteUsage {
    pub route: String,
    pub calls: u64,
    /// Cost units of what passed.
    pub units: u64,
}

/// One row of "By address".
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddressUsage {
    /// IPv4 whole, IPv6 by its /64.
    pub address: String,
    pub counts: Counts,
}

impl AddressUsage {
    /// The row of calls from other addresses, or from where nobody told; also in files.
    pub const OTHERS: &'static str = "Others or unknown";
}

/// One row of "By permission": calls that needed it, which passed or which only a limit held.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PermissionUsage {
    pub permission: String,
    pub counts: Counts,
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
    /// Why the bars are wider than suits the time.
    pub wider: Option<String>,
    /// A closer look at an hour shows minutes.
    pub has_minutes: bool,
    /// "22 Oct to 20 Nov, Stockholm time; today is not over".
    pub period: String,
    /// "Stockholm time".
    pub zone: String,
    pub buckets: Vec<Bucket>,
    /// Where the last bucket ends, RFC 3339 in UTC.
    pub end: String,
    /// Begin and end on the person's clock, as a date field takes them: `2026-11-18T14:00`.
    pub local: (String, String),
    pub totals: Counts,
    /// Cost units of what passed, where they are not the number of calls.
    pub units: Option<u64>,
    /// An earlier time, if it was asked for.
    pub before: Option<Before>,
    /// By code, most frequent first; codes without calls are left out.
    pub codes: Vec<(Outcome, u64)>,
    /// The busiest, most calls first; what they leave of `totals` is of the other keys.
    pub keys: Vec<KeyUsage>,
    pub key_count: u64,
    /// The busiest of those that the filters leave, most calls first.
    pub routes: Vec<RouteUsage>,
    /// Every route that the other filters leave, busiest first, for the filter.
    pub route_choices: Vec<String>,
    /// The busiest of those that the filters leave, most calls first; what they leave of `totals` is of other addresses, or none was told.
    /// Empty where a route or a permission is chosen: calls are counted by one of them.
    pub addresses: Vec<AddressUsage>,
    /// Every address that the other filters leave, busiest first, for the filter.
    pub address_choices: Vec<String>,
    /// Those that calls needed, most calls first; no part of a sum, since a call may need two. Empty where a route or an address is chosen.
    pub permissions: Vec<PermissionUsage>,
    /// Every permission that the other filters leave, for the filter.
    pub permission_choices: Vec<String>,
    /// Those used or made last and the chosen one, oldest first; where a name is looked for, those that have it.
    pub key_choices: Vec<KeyChoice>,
    /// The workspace has more keys than are offered.
    pub has_more_keys: bool,
    pub limit: Option<LimitLine>,
    pub limit_hint: Option<LimitHint>,
    pub meters: Vec<LimitMeter>,
    /// What the units that passed are worth, by plan; empty where no plan has a price.
    pub estimates: Vec<Estimate>,
    pub latency: Option<Percentiles>,
    /// Bucket by bucket; none where nothing was told of one, empty where nothing was told at all.
    pub latencies: Vec<Option<Percentiles>>,
    /// False if no call of this workspace was ever counted.
    pub has_history: bool,
    /// A first call to try with the first key, as lines for a shell; empty where there were calls.
    pub example: String,
}

/// As many buckets of an earlier time; the last of them as far as the present one has come, so that like is compared with like. A minute that is
/// not over is compared with nothing: then there is one bucket less.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Before {
    /// "22 Sep to 21 Oct".
    pub period: String,
    pub totals: Counts,
    /// What is shown of the present, as far as it is compared with this.
    pub against: Counts,
    /// All calls, bucket by bucket.
    pub buckets: Vec<u64>,
    /// How long they took, by whole quarters of an hour; none where nothing was told.
    pub latency: Option<Percentiles>,
}

/// What `/usage/errors` shows: a report of what did not pass, and how many calls there were at all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorReport {
    pub report: UsageReport,
    pub calls: u64,
    /// All calls of the earlier time that it is compared with; none of minutes.
    pub calls_before: Option<u64>,
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
