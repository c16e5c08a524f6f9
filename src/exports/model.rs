//! The nouns of exports, for both sides.

use crate::values::{ExportId, JobState, link};
use serde::{Deserialize, Serialize};

/// What a file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Subject {
    Usage,
    Refusals,
    /// Everybody's, for operators.
    AllRefusals,
    Keys,
}

impl Subject {
    pub const ALL: [Self; 4] = [Self::Usage, Self::Refusals, Self::AllRefusals, Self::Keys];

    /// The word in a URL, in REST and in the name of the file.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Usage => "usage",
            Self::Refusals => "refusals",
            Self::AllRefusals => "all-refusals",
            Self::Keys => "keys",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|subject| subject.as_str() == text)
    }

    /// Which filters it knows: those of its page.
    pub const fn filters(self) -> &'static [&'static str] {
        match self {
            Self::Usage => &["range", "bucket", "from", "to", "key", "api", "route", "outcome", "address", "permission", "by", "compare", "tz"],
            Self::Refusals => &["code", "key", "api", "route", "address", "permission", "request", "limit", "rule", "range", "from", "to"],
            Self::AllRefusals => &["code", "key", "api", "route", "address", "permission", "request", "limit", "rule", "owner", "range", "from", "to"],
            Self::Keys => &["q", "api", "status", "review", "tag", "external_id", "owner", "everywhere", "hash"],
        }
    }

    /// The page whose view it is.
    pub const fn page(self) -> &'static str {
        match self {
            Self::Usage => "/usage",
            Self::Refusals => "/requests",
            Self::AllRefusals => "/admin/refusals",
            Self::Keys => "/keys",
        }
    }
}

/// What `/exports` is asked for: nothing, or a file to prepare, with the filters of the page that led there.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExportQuery {
    /// A word of `Subject`.
    pub of: Option<String>,
    /// `csv` or `json`.
    pub format: Option<String>,
    /// Each by its name, in the order of `Subject::filters`.
    pub filters: Vec<(String, String)>,
}

impl ExportQuery {
    /// Reads a query; `get` gives a parameter. An empty one is none.
    pub fn read(get: impl Fn(&str) -> Option<String>) -> Self {
        let get = |name: &str| get(name).map(|v| v.trim().to_owned()).filter(|v| !v.is_empty());
        let of = get("of");
        let known = of.as_deref().and_then(Subject::parse).map_or(&[][..], Subject::filters);
        Self { format: get("format"), filters: known.iter().filter_map(|name| Some(((*name).to_owned(), get(name)?))).collect(), of }
    }

    /// The filters as one text, for a hidden field.
    pub fn text(&self) -> String {
        link("", self.filters.iter().map(|(name, value)| (name.as_str(), value.as_str())))
    }
}

/// A file as the page shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExportView {
    pub id: ExportId,
    pub subject: Subject,
    /// `csv` or `json`.
    pub format: String,
    /// "Usage by day, 22 Oct to 20 Nov, Stockholm time".
    pub words: String,
    pub state: JobState,
    pub problem: Option<String>,
    pub rows_written: u64,
    /// About how many it will have, once that is known.
    pub rows_expected: Option<u64>,
    /// Bytes.
    pub size: u64,
    /// "today, 14:03".
    pub asked: String,
    /// "tomorrow, 14:05", of a file that is done.
    pub until: String,
}

impl ExportView {
    /// 0 to 100; none while nobody knows.
    pub fn percent(&self) -> Option<u64> {
        let expected = self.rows_expected?;
        Some((self.rows_written * 100).checked_div(expected).map_or(100, |percent| percent.min(100)))
    }
}

/// A file that could be prepared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offer {
    pub subject: Subject,
    pub words: String,
    pub query: ExportQuery,
}

/// What `/exports` shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExportPage {
    pub offer: Option<Offer>,
    /// The newest first.
    pub exports: Vec<ExportView>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_has_the_filters_of_its_subject_only() {
        let given = [("of", "keys"), ("format", "json"), ("tag", "prod"), ("route", "GET /"), ("q", " ")];
        let query = ExportQuery::read(|name| given.iter().find(|(n, _)| *n == name).map(|(_, v)| (*v).to_owned()));
        assert_eq!((query.filters.len(), query.text().as_str(), query.format.as_deref()), (1, "?tag=prod", Some("json")));
        assert_eq!(ExportQuery::read(|_| None), ExportQuery::default());
    }
}
