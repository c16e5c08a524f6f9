//! What is asked of usage: the query of the page's URL, all texts, checked by the operation.

use crate::values::{Outcome, OutcomeGroup, link};
use serde::{Deserialize, Serialize};

/// How wide a bar is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BucketSize {
    Minute,
    FiveMinutes,
    Hour,
    Day,
    Week,
    Month,
}

impl BucketSize {
    pub const ALL: [Self; 6] = [Self::Minute, Self::FiveMinutes, Self::Hour, Self::Day, Self::Week, Self::Month];

    /// The word in a URL.
    pub const fn word(self) -> &'static str {
        match self {
            Self::FiveMinutes => "5m",
            other => other.name(),
        }
    }

    /// As in "by day".
    pub const fn name(self) -> &'static str {
        match self {
            Self::Minute => "minute",
            Self::FiveMinutes => "5 minutes",
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
        }
    }

    /// As in "buckets of one day".
    pub const fn length(self) -> &'static str {
        match self {
            Self::Minute => "one minute",
            Self::FiveMinutes => "5 minutes",
            Self::Hour => "one hour",
            Self::Day => "one day",
            Self::Week => "one week",
            Self::Month => "one month",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|size| size.word() == text)
    }

    /// Of these counts are kept by the minute only, for some weeks.
    pub const fn is_minutes(self) -> bool {
        matches!(self, Self::Minute | Self::FiveMinutes)
    }
}

/// What calls are counted by beside their route.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PartKind {
    /// The client's address.
    Address,
    /// What the call needed.
    Permission,
}

impl PartKind {
    pub const ALL: [Self; 2] = [Self::Address, Self::Permission];

    /// The word in a URL and in "by address".
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Address => "address",
            Self::Permission => "permission",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
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
    /// `minute`, `5m`, `hour`, `day`, `week`, `month`; absent: what suits the range.
    pub bucket: Option<String>,
    /// In place of `range`: a day, a local time or an RFC 3339 instant.
    pub from: Option<String>,
    /// A day is meant as a whole; absent: now.
    pub to: Option<String>,
    pub key: Option<String>,
    /// Part of the name, start or id of a key that is looked for: one that has it is taken, several are offered.
    pub named: Option<String>,
    /// The API's slug.
    pub api: Option<String>,
    pub route: Option<String>,
    /// `passed`, `limited`, `refused`, `errors` (all that did not pass), or a code.
    pub outcome: Option<String>,
    /// A client's address as it is counted: `203.0.113.7`, `2001:db8:1:2::/64`. Not beside a route.
    pub address: Option<String>,
    /// That the call needed. Not beside a route or an address.
    pub permission: Option<String>,
    /// Beside an earlier time as long: `before`, the time just before, `year`, the same a year ago, or the moment it begins.
    pub compare: Option<String>,
    /// The IANA zone of days and of times without an offset; absent: the person's own, over REST UTC.
    pub tz: Option<String>,
    /// Of an export: `address` or `permission`, lines by that in place of by route.
    pub by: Option<String>,
}

impl UsageQuery {
    /// The words of `compare`.
    pub const BEFORE: &'static str = "before";
    pub const YEAR: &'static str = "year";
    /// The word of `outcome` for all that did not pass.
    pub const ERRORS: &'static str = "errors";

    /// Reads a query; `get` gives a parameter. An empty one is none, as forms send them.
    pub fn read(get: impl Fn(&str) -> Option<String>) -> Self {
        let get = |name| get(name).map(|v| v.trim().to_owned()).filter(|v| !v.is_empty());
        Self {
            range: get("range"),
            bucket: get("bucket"),
            from: get("from"),
            to: get("to"),
            key: get("key"),
            named: get("named"),
            api: get("api"),
            route: get("route"),
            outcome: get("outcome"),
            address: get("address"),
            permission: get("permission"),
            compare: get("compare"),
            by: get("by"),
            tz: get("tz"),
        }
    }

    /// The parameters that are set, in a fixed order.
    pub fn pairs(&self) -> Vec<(&'static str, &str)> {
        let all = [
            ("range", &self.range),
            ("bucket", &self.bucket),
            ("from", &self.from),
            ("to", &self.to),
            ("key", &self.key),
            ("named", &self.named),
            ("api", &self.api),
            ("route", &self.route),
            ("outcome", &self.outcome),
            ("address", &self.address),
            ("permission", &self.permission),
            ("compare", &self.compare),
            ("by", &self.by),
            ("tz", &self.tz),
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

    /// The same beside an earlier time, or no longer beside one.
    #[must_use]
    pub fn compared(&self, with: Option<&str>) -> Self {
        Self { compare: with.map(ToOwned::to_owned), ..self.clone() }
    }

    /// The same of one address: its routes are not kept.
    #[must_use]
    pub fn from_address(&self, address: &str) -> Self {
        Self { address: Some(address.to_owned()), route: None, permission: None, ..self.clone() }
    }

    /// The same of calls that needed one permission: their routes are not kept.
    #[must_use]
    pub fn needing(&self, permission: &str) -> Self {
        Self { permission: Some(permission.to_owned()), route: None, address: None, ..self.clone() }
    }

    /// The same as Errors takes it: an outcome that some calls there have, or none. What is no outcome at all stays, to be named.
    #[must_use]
    pub fn among_errors(&self) -> Self {
        let is_there = |word: &&String| match word.as_str() {
            Self::ERRORS | "passed" => false,
            code => !code.parse::<Outcome>().is_ok_and(|code| code.group() == OutcomeGroup::Passed),
        };
        Self { outcome: self.outcome.as_ref().filter(is_there).cloned(), ..self.clone() }
    }

    /// The same for a program: its days are those of UTC unless it names a zone.
    #[must_use]
    pub fn of_program(self) -> Self {
        Self { tz: self.tz.or_else(|| Some("UTC".to_owned())), ..self }
    }

    /// The same taken apart by address or by permission, for an export.
    #[must_use]
    pub fn taken_apart(&self, kind: PartKind) -> Self {
        Self { by: Some(kind.as_str().to_owned()), ..self.clone() }
    }

    /// By what lines are in place of by route, if they are.
    pub fn parted_by(&self) -> Option<PartKind> {
        let filtered = self.address.as_ref().map(|_| PartKind::Address).or_else(|| self.permission.as_ref().map(|_| PartKind::Permission));
        filtered.or_else(|| self.by.as_deref().and_then(PartKind::parse))
    }

    /// The address where a file of exactly this is prepared.
    pub fn prepare(&self) -> String {
        link("/exports?of=usage", self.of_file().pairs())
    }

    /// The address of the export of exactly this.
    pub fn export(&self, format: &str) -> String {
        let query = self.of_file();
        link("/api/v1/usage/export", query.pairs().into_iter().chain([("format", format)]))
    }

    /// The address of the file of how long these calls took.
    pub fn latencies(&self, format: &str) -> String {
        let query = Self { by: None, ..self.of_file() };
        link("/api/v1/usage/latencies/export", query.pairs().into_iter().chain([("format", format)]))
    }

    /// The address of the file of the limits.
    pub fn limits(&self, format: &str) -> String {
        link("/api/v1/usage/limits/export", self.key.as_deref().map(|key| ("key", key)).into_iter().chain([("format", format)]))
    }

    /// What is looked for is no filter.
    fn of_file(&self) -> Self {
        Self { named: None, ..self.clone() }
    }
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
        let query = UsageQuery { named: Some("pay".into()), route: Some("GET /".into()), ..query };
        assert_eq!(
            query.compared(Some(UsageQuery::YEAR)).export("json"),
            "/api/v1/usage/export?range=7d&route=GET%20%2F&compare=year&format=json",
            "a file is of what is shown, and looking for a key shows nothing"
        );
    }

    #[test]
    fn errors_take_an_outcome_that_did_not_pass() {
        let kept = |word: &str| UsageQuery { outcome: Some(word.into()), ..UsageQuery::default() }.among_errors().outcome;
        for word in ["limited", "refused", "FORBIDDEN", "RATE_LIMITED", "moon"] {
            assert_eq!(kept(word).as_deref(), Some(word));
        }
        for word in ["errors", "passed", "VALID"] {
            assert_eq!(kept(word), None, "{word}");
        }
    }

    #[test]
    fn an_empty_parameter_is_none() {
        let query = UsageQuery::read(|name| Some(if name == "key" { "  ".to_owned() } else { String::new() }));
        assert_eq!(query, UsageQuery::default());
    }
}
