//! A line of a file, of usage and of refusals: the same as JSON and as a row of a spreadsheet.

use crate::{platform::csv, usage::model::RefusalSample};
use serde::Serialize;
use std::borrow::Cow;

/// Calls of one key to one route, or from one address, with one outcome in one bucket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct UsageLine {
    /// Where the bucket begins, RFC 3339, UTC.
    pub at: String,
    /// In the person's time zone, without an offset: what a spreadsheet reads as a date.
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
    /// From where the calls came, IPv6 by its /64; empty in other lines.
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

/// One call that did not pass. These are samples: in a minute each server keeps one for each key, code, rule and address, at most 8 of a
/// key and a code.
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
            rule: sample.ground.to_string(),
            limit: sample.limit,
        }
    }
}

impl csv::Row for RefusalLine {
    const HEAD: &'static [&'static str] = &["at", "code", "detail", "key_id", "key", "route", "address", "request_id", "rule", "limit"];

    fn cells(&self) -> Vec<Cow<'_, str>> {
        let (key_id, key) = (self.key_id.as_deref().unwrap_or_default(), self.key.as_deref().unwrap_or_default());
        let texts = [&*self.at, &self.code, &self.detail, key_id, key, &self.route, &self.address, &self.request_id, &self.rule, &self.limit];
        texts.into_iter().map(Cow::Borrowed).collect()
    }
}
