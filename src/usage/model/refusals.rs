//! Calls in detail, refused or passed: what is asked, one sample, and one opened.

use super::{Gatepost, KeyChoice, LimitMeter, Percentiles, Told};
use crate::{
    keys::model::{Ground, LimitKind, LimitLeft, OverAction},
    values::{KeyId, Outcome, link},
};
use serde::{Deserialize, Serialize};

/// A refusal in detail, or a call that passed. These are samples (`/docs/requests#refusals`, `passed_sampling`).
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
    /// What exactly refused it; of a call that passed it means nothing.
    pub ground: Ground,
    /// An earlier version kept it: the ground is what its code most likely means.
    pub is_guessed: bool,
    /// The name of the limit that refused it; else empty.
    pub limit: String,
    pub route: String,
    pub address: String,
    pub request_id: String,
    pub detail: String,
    /// What is known of a call that passed; none: it did not.
    pub passed: Option<Passage>,
}

/// What is known of a call that passed, beside what is known of a refusal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Passage {
    /// Units that it was charged.
    pub cost: u64,
    /// It is one of so many.
    pub one_in: u32,
    /// Where each limit stood after it.
    pub limits: Vec<LimitLeft>,
}

/// What is kept of calls that passed, as pages say it: "1 in 100 of calls of Orders that passed, …"; `keys::server::meter::passed` does it.
pub fn passed_sampling(of: &[(String, u32)]) -> String {
    if of.is_empty() {
        return "samples of calls that passed, kept earlier. No API keeps any now.".to_owned();
    }
    let each: Vec<String> = of.iter().map(|(api, one_in)| format!("1 in {} of {api}", thousands(*one_in))).collect();
    format!(
        "samples of calls that passed: {}. At most 10 a minute per key on each server, kept for 30 days unless the operator chose otherwise.",
        each.join(", ")
    )
}

fn thousands(n: u32) -> String {
    crate::values::Language::En.thousands(u64::from(n))
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
    /// Whatever somebody typed to look for it; the server puts it where it belongs, so it stands in no link.
    pub search: Option<String>,
    pub code: Option<String>,
    pub key: Option<String>,
    /// Part of the name, start or id of a key that is looked for: one that has it is taken, several are offered.
    pub named: Option<String>,
    pub route: Option<String>,
    /// As it stands in the list.
    pub address: Option<String>,
    /// That the call needed and its key had not.
    pub permission: Option<String>,
    /// The API's slug.
    pub api: Option<String>,
    /// The id of the request.
    pub request: Option<String>,
    /// The name of the limit that refused it.
    pub limit: Option<String>,
    /// The word of a [`Ground`].
    pub rule: Option<String>,
    /// The address of the person whose keys they are: for operators.
    pub owner: Option<String>,
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
    /// Word in the URL and words on the page. They begin where the same ranges of Usage and Errors do.
    pub const RANGES: [(&'static str, &'static str); 4] = [("1h", "Last hour"), ("24h", "Last 24 hours"), ("7d", "Last 7 days"), ("30d", "Last 30 days")];

    /// Reads a query; `get` gives a parameter. An empty one is none, as forms send them.
    pub fn read(get: impl Fn(&str) -> Option<String>) -> Self {
        let get = |name| get(name).map(|v| v.trim().to_owned()).filter(|v| !v.is_empty());
        Self {
            search: get("q"),
            code: get("code"),
            key: get("key"),
            named: get("named"),
            route: get("route"),
            address: get("address"),
            permission: get("permission"),
            api: get("api"),
            request: get("request"),
            limit: get("limit"),
            rule: get("rule"),
            owner: get("owner"),
            range: get("range"),
            from: get("from"),
            to: get("to"),
            before: get("before"),
            open: get("open"),
        }
    }

    /// The parameters that are set, in a fixed order; what is looked for is none of them.
    pub fn pairs(&self) -> Vec<(&'static str, &str)> {
        let all = [
            ("code", &self.code),
            ("key", &self.key),
            ("named", &self.named),
            ("route", &self.route),
            ("address", &self.address),
            ("permission", &self.permission),
            ("api", &self.api),
            ("request", &self.request),
            ("limit", &self.limit),
            ("rule", &self.rule),
            ("owner", &self.owner),
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

    /// True if calls that passed are asked for, in place of those that did not.
    pub fn is_of_passed(&self) -> bool {
        self.code.as_deref() == Some(Outcome::Valid.as_str())
    }

    /// The same of calls that passed: without what only refusals have.
    #[must_use]
    pub fn of_passed(&self) -> Self {
        Self { code: Some(Outcome::Valid.to_string()), permission: None, limit: None, rule: None, ..self.filters() }
    }

    /// True if one is chosen that counts don't know: they are by key, API, route, code and time.
    pub const fn is_beyond_counts(&self) -> bool {
        self.address.is_some() || self.permission.is_some() || self.request.is_some() || self.limit.is_some() || self.rule.is_some()
    }

    /// What a file is of: what is looked for is no filter.
    fn of_file(&self) -> Self {
        Self { named: None, ..self.filters() }
    }

    /// The address where a file of what these filters leave is prepared.
    pub fn prepare(&self) -> String {
        link("/exports?of=refusals", self.of_file().pairs())
    }

    /// The same of everybody's, for operators.
    pub fn prepare_all(&self) -> String {
        link("/exports?of=all-refusals", self.of_file().pairs())
    }

    /// The address of the export of what these filters leave.
    pub fn export(&self, format: &str) -> String {
        let filters = self.of_file();
        link("/api/v1/usage/refusals/export", filters.pairs().into_iter().chain([("format", format)]))
    }

    /// The same of everybody's, for operators.
    pub fn export_all(&self, format: &str) -> String {
        let filters = self.of_file();
        link("/api/v1/usage/refusals/all/export", filters.pairs().into_iter().chain([("format", format)]))
    }

    /// The address of the exact counts by code that stand beside these samples, as a file.
    pub fn export_codes(&self, format: &str) -> String {
        link("/api/v1/usage/refusals/codes/export", self.of_counts().pairs().into_iter().chain([("format", format)]))
    }

    /// The same of everybody's, for operators.
    pub fn export_all_codes(&self, format: &str) -> String {
        link("/api/v1/usage/refusals/all/codes/export", self.of_counts().pairs().into_iter().chain([("format", format)]))
    }

    /// Counts are told of all codes, whichever is chosen.
    fn of_counts(&self) -> Self {
        let code = self.code.clone().filter(|_| self.is_of_passed());
        Self { code, ..self.of_file() }
    }
}

/// What `/requests` shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefusalList {
    pub query: RefusalQuery,
    pub samples: Vec<RefusalSample>,
    /// The cursor of the next page.
    pub older: Option<String>,
    /// Exact counts of the same time, key, API and route by code of what did not pass, whatever code is chosen; or of what passed, if that is
    /// asked for. None if something is chosen that counts don't know (`is_beyond_counts`).
    pub codes: Option<Vec<(Outcome, u64)>>,
    /// The APIs that keep samples of calls that pass, with the n of their 1 in n.
    pub sampling: Vec<(String, u32)>,
    /// Routes with such calls in this time, the most first.
    pub routes: Vec<String>,
    /// Those used or made last and the chosen one; of everybody those with samples; where one is looked for, those that are found.
    pub key_choices: Vec<KeyChoice>,
    /// There are more keys than are offered.
    pub has_more_keys: bool,
    /// "Since Thu 19 Nov, 14:00, Stockholm time".
    pub period: String,
    /// Begin and end on the person's clock, as a date field takes them: `2026-11-18T14:00`.
    pub local: (String, String),
    pub zone: String,
    pub opened: Option<RefusalDetail>,
}

/// One sample, opened.
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
    /// What kind of limit held it, and what becomes of calls beyond it, where it is still there.
    pub held_by: Option<(LimitKind, OverAction)>,
    /// Of a call that did not pass.
    pub told: Option<Told>,
    /// How long calls of this key to this route took in its quarter of an hour, where services tell it; of calls that passed.
    pub took: Option<Percentiles>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_export_has_the_filters_and_not_the_page() {
        let query = RefusalQuery { code: Some("FORBIDDEN".into()), before: Some("x".into()), open: Some("y".into()), ..RefusalQuery::default() };
        assert_eq!(query.export("csv"), "/api/v1/usage/refusals/export?code=FORBIDDEN&format=csv");
        assert_eq!(query.link("/requests"), "/requests?code=FORBIDDEN&before=x&open=y");
        assert_eq!(query.export_codes("csv"), "/api/v1/usage/refusals/codes/export?format=csv", "of all codes");
        assert_eq!(query.of_passed().export_all_codes("json"), "/api/v1/usage/refusals/all/codes/export?code=VALID&format=json");
    }

    #[test]
    fn calls_that_passed_have_no_rule_and_are_said_to_be_samples() {
        let query = RefusalQuery { rule: Some("limit".into()), key: Some("k".into()), before: Some("x".into()), ..RefusalQuery::default() };
        assert_eq!(query.of_passed().link("/requests"), "/requests?code=VALID&key=k");
        assert!(query.of_passed().is_of_passed() && !query.is_of_passed());
        assert!(
            passed_sampling(&[("Orders".into(), 10_000), ("Demo".into(), 1)])
                .starts_with("samples of calls that passed: 1 in 10,000 of Orders, 1 in 1 of Demo.")
        );
    }
}
