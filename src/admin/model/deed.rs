//! What somebody did, from the events.

use crate::keys::model::Said;
use serde::{Deserialize, Serialize};

/// One event in words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deed {
    pub at: Said,
    /// The name at that time, `cli` or `system`.
    pub actor: String,
    /// The rest of the sentence: "disabled Ilse Brandt".
    pub words: String,
    /// Why, as the person said it; often empty.
    pub reason: String,
    pub mark: Mark,
}

/// What stands beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mark {
    /// Something passes again.
    Opened,
    /// Something passes no more, until somebody does something.
    Closed,
    /// For good.
    Ended,
    Person,
    Key,
    Api,
    /// A plan, or a limit.
    Plan,
    Job,
    Other,
}
