//! The kinds of mail, and one of them opened.

use crate::values::Language;
use serde::{Deserialize, Serialize};

/// What `/admin/templates` asks for, as it stands in its URL.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TemplateQuery {
    /// The name of a kind; none: the list alone.
    pub kind: Option<String>,
    /// A tag; none: English.
    pub language: Option<String>,
    /// Which made-up facts; none: the usual ones.
    pub sample: Option<String>,
}

impl TemplateQuery {
    /// Reads a query; `get` gives a parameter. An empty one is none.
    pub fn read(get: impl Fn(&str) -> Option<String>) -> Self {
        let get = |name| get(name).map(|v| v.trim().to_owned()).filter(|v| !v.is_empty());
        Self { kind: get("kind"), language: get("language"), sample: get("sample") }
    }
}

/// A kind in the list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TemplateRow {
    pub name: String,
    /// Who gets it, and when.
    pub about: String,
    /// In English, with the usual facts.
    pub subject: String,
}

/// A kind as one reader would get it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TemplateView {
    pub name: String,
    pub about: String,
    pub language: Language,
    /// The value of a sample, and of all with their names.
    pub sample: String,
    pub samples: Vec<(String, String)>,
    pub subject: String,
    pub text: String,
}

/// What `/admin/templates` shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TemplateList {
    /// How mails leave: "By SMTP over mail.example.com".
    pub channel: String,
    /// The sender.
    pub from: String,
    /// Of mails to who has not chosen one.
    pub language: Language,
    /// Where a test would go.
    pub email: String,
    pub may_send: bool,
    pub rows: Vec<TemplateRow>,
    pub open: Option<TemplateView>,
}
