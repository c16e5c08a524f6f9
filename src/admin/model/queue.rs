//! The job queue.

use crate::{
    keys::model::Said,
    values::{JobId, JobState},
};
use serde::{Deserialize, Serialize};

/// What `/admin/jobs` asks for, as it stands in its URL.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobQuery {
    /// A word of `JobState`; none: the failed ones if there are any, else those that wait.
    pub state: Option<String>,
    /// The list continues after this job.
    pub older: Option<String>,
}

impl JobQuery {
    /// Reads a query; `get` gives a parameter. An empty one is none.
    pub fn read(get: impl Fn(&str) -> Option<String>) -> Self {
        let get = |name| get(name).map(|v| v.trim().to_owned()).filter(|v| !v.is_empty());
        Self { state: get("state"), older: get("older") }
    }
}

/// One job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobView {
    pub id: JobId,
    /// `accounts.send_reset`.
    pub kind: String,
    /// What it is about, from its payload: ids only.
    pub about: String,
    /// "3 of 10".
    pub tries: String,
    pub created: Said,
    /// When it runs or was to run.
    pub due: Said,
    pub finished: Option<Said>,
    pub last_error: Option<String>,
    /// What it did, in its own words.
    pub result: Option<String>,
}

/// What `/admin/jobs` shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobList {
    pub state: JobState,
    pub rows: Vec<JobView>,
    pub older: Option<JobId>,
    pub waiting: u64,
    pub running: u64,
    pub failed: u64,
    pub done: u64,
}
