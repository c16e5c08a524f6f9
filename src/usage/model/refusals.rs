//! Refusals in detail: what is asked, one sample, and one opened.

use super::{KeyChoice, LimitMeter};
use crate::values::link;
use crate::values::{KeyId, Outcome};
use serde::{Deserialize, Serialize};

/// A refusal in detail. These are samples: at most one per key, code and minute is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefusalSample {
    /// Opaque; continues the list after this row, or opens it (`open`).
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
    pub route: Option<String>,
    /// As it stands in the list.
    pub address: Option<String>,
    /// That the call needed and its key had not.
    pub permission: Option<String>,
    /// A word of `RANGES`; absent: 30 days, as long as samples are kept.
    pub range: Option<String>,
    /// In place of `range`: a day, a local time or an RFC 3339 instant.
    pub from: Option<String>,
    /// A day is meant as a whole; absent: now.
    pub to: Option<String>,
    /// Only those before this cursor.
    pub before: Option<String>,
    /// The cursor of the sample that is shown in detail.
    pub open: Option<String>,
}

impl RefusalQuery {
    /// Word in the URL, words on the page, hours.
    pub const RANGES: [(&'static str, &'static str, i64); 4] =
        [("1h", "Last hour", 1), ("24h", "Last 24 hours", 24), ("7d", "Last 7 days", 168), ("30d", "Last 30 days", 720)];

    /// Reads a query; `get` gives a parameter. An empty one is none, as forms send them.
    pub fn read(get: impl Fn(&str) -> Option<String>) -> Self {
        let get = |name| get(name).map(|v| v.trim().to_owned()).filter(|v| !v.is_empty());
        Self {
            code: get("code"),
            key: get("key"),
            route: get("route"),
            address: get("address"),
            permission: get("permission"),
            range: get("range"),
            from: get("from"),
            to: get("to"),
            before: get("before"),
            open: get("open"),
        }
    }

    /// The parameters that are set, in a fixed order.
    pub fn pairs(&self) -> Vec<(&'static str, &str)> {
        let all = [
            ("code", &self.code),
            ("key", &self.key),
            ("route", &self.route),
            ("address", &self.address),
            ("permission", &self.permission),
            ("range", &self.range),
            ("from", &self.from),
            ("to", &self.to),
            ("before", &self.before),
            ("open", &self.open),
        ];
        all.into_iter().filter_map(|(name, value)| value.as_deref().map(|v| (name, v))).collect()
    }

    /// The address that shows this.
    pub fn link(&self, path: &str) -> String {
        link(path, self.pairs())
    }

    /// The filters alone: the beginning of the list, nothing opened.
    #[must_use]
    pub fn filters(&self) -> Self {
        Self { before: None, open: None, ..self.clone() }
    }

    /// The address where a file of what these filters leave is prepared.
    pub fn prepare(&self) -> String {
        link("/exports?of=refusals", self.filters().pairs())
    }

    /// The address of the export of what these filters leave.
    pub fn export(&self, format: &str) -> String {
        let filters = self.filters();
        link("/api/v1/usage/refusals/export", filters.pairs().into_iter().chain([("format", format)]))
    }
}

/// What `/requests` shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefusalList {
    pub query: RefusalQuery,
    pub samples: Vec<RefusalSample>,
    /// The cursor of the next page.
    pub older: Option<String>,
    /// Exact counts of the same time, key and route by code, whatever code is chosen. Counts know no address
    /// and no permission: none if one is chosen.
    pub codes: Option<Vec<(Outcome, u64)>>,
    /// Routes with refusals in this time, the most first.
    pub routes: Vec<String>,
    pub key_choices: Vec<KeyChoice>,
    /// "Since Thu 19 Nov, 14:00, Stockholm time".
    pub period: String,
    pub zone: String,
    pub opened: Option<RefusalDetail>,
}

/// One refusal, opened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefusalDetail {
    pub sample: RefusalSample,
    /// "20 Nov 2026, 13:59:58.412".
    pub moment: String,
    /// The API's name, where it is known.
    pub api: Option<String>,
    /// What the gate asks, in its order, up to what decided and beyond.
    pub posts: Vec<Gatepost>,
    /// How many calls of this key to this route ended so in that minute, exactly; none where no key is known.
    pub alike: Option<u64>,
    /// The limits of the key as they stand now, for calls that a limit held.
    pub meters: Vec<LimitMeter>,
}

/// One question of the gate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Gatepost {
    Passed(Question),
    Decided(Question),
    NotReached(Question),
}

/// What the gate asks of every call, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Question {
    Form,
    Key,
    State,
    Address,
    Api,
    Permission,
    Limits,
}

impl Question {
    const ALL: [Self; 7] = [Self::Form, Self::Key, Self::State, Self::Address, Self::Api, Self::Permission, Self::Limits];

    /// As the panel asks it.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Form => "Is it a key",
            Self::Key => "Whose is it",
            Self::State => "May it be used",
            Self::Address => "From this address",
            Self::Api => "For this API",
            Self::Permission => "With the permission",
            Self::Limits => "Within its limits",
        }
    }

    /// The question that this code answers.
    pub const fn of(code: Outcome) -> Self {
        match code {
            Outcome::Malformed => Self::Form,
            Outcome::Unknown => Self::Key,
            Outcome::IpDenied => Self::Address,
            Outcome::WrongApi => Self::Api,
            Outcome::Forbidden => Self::Permission,
            Outcome::RateLimited | Outcome::QuotaExceeded | Outcome::Valid => Self::Limits,
            _ => Self::State,
        }
    }
}

impl Gatepost {
    /// The questions in their order, up to the one that this code answers and beyond.
    pub fn chain(code: Outcome) -> Vec<Self> {
        let decided = Question::of(code);
        let post = |question: Question| match (question as u8).cmp(&(decided as u8)) {
            std::cmp::Ordering::Less => Self::Passed(question),
            std::cmp::Ordering::Equal => Self::Decided(question),
            std::cmp::Ordering::Greater => Self::NotReached(question),
        };
        Question::ALL.into_iter().map(post).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_chain_ends_where_it_was_decided() {
        let chain = Gatepost::chain(Outcome::IpDenied);
        assert_eq!(chain[2], Gatepost::Passed(Question::State));
        assert_eq!(chain[3], Gatepost::Decided(Question::Address));
        assert_eq!(chain[4], Gatepost::NotReached(Question::Api));
        assert_eq!(Gatepost::chain(Outcome::RateLimited).last(), Some(&Gatepost::Decided(Question::Limits)));
    }

    #[test]
    fn an_export_has_the_filters_and_not_the_page() {
        let query = RefusalQuery { code: Some("FORBIDDEN".into()), before: Some("x".into()), open: Some("y".into()), ..RefusalQuery::default() };
        assert_eq!(query.export("csv"), "/api/v1/usage/refusals/export?code=FORBIDDEN&format=csv");
        assert_eq!(query.link("/requests"), "/requests?code=FORBIDDEN&before=x&open=y");
    }
}
