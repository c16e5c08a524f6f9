//! "Who would be limited?": a plan held against the usage since the first of last month (UTC).

use crate::{
    keys::model::{LimitUnit, TypedLimit},
    values::{KeyId, WorkspaceId, link},
};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

/// What a plan would have held back since the first of last month.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DryRun {
    /// Those with the most calls beyond the limit first; at most 50.
    pub limited: Vec<WouldBeLimited>,
    /// How many would have been limited, also those that `limited` leaves out.
    pub count: u64,
    /// How many of them are keys, each counted alone.
    #[serde(default)]
    pub keys: u64,
    /// Names of limits whose windows roll: held against whole quarters of an hour, as usage is kept; what was asked in one counts as if at
    /// its beginning.
    #[serde(default)]
    pub by_quarters: Vec<String>,
    /// Names of limits that were held against usage by the minute: windows of whole minutes that quarters don't fit into, and those that
    /// roll in less than an hour, of which what was asked in one minute counts as if at its beginning.
    #[serde(default)]
    pub by_minutes: Vec<String>,
    /// Names of limits that count calls.
    #[serde(default)]
    pub by_calls: Vec<String>,
    /// What `beyond` and `units` count: calls where all limits that were tried count these, else cost units.
    #[serde(default)]
    pub unit: LimitUnit,
    /// Since when usage by the minute is kept, if there are such limits: what was before is not held against them.
    #[serde(default, with = "time::serde::rfc3339::option")]
    pub minutes_since: Option<OffsetDateTime>,
    /// Names of limits that were tried; none: nothing is known.
    #[serde(default)]
    pub tried: Vec<String>,
    /// Names of limits that can't be tried: of calls at the same time, of windows that are no whole minutes, and of credits that come back more
    /// often than every hour. Usage does not say what went on within a minute.
    #[serde(default)]
    pub not_tried: Vec<String>,
    /// Those of them whose windows are no whole minutes.
    pub too_short: Vec<String>,
    /// How many keys with usage are left out, since limits of their own, or nearer ones, hold them.
    #[serde(default)]
    pub left_out: u64,
    /// What these used and asked for, in cost units.
    #[serde(default)]
    pub left_out_units: u64,
}

/// A workspace with all its keys together, or one key, as it would have fared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WouldBeLimited {
    pub workspace: WorkspaceId,
    pub name: String,
    /// If it was asked by key, or the plan is this key's alone; then `name` is the key's.
    pub key: Option<KeyId>,
    /// Windows in which something would have been refused, of all its limits; of a rolling limit, and of credits, quarters of an hour, or minutes.
    pub windows: u64,
    /// Cost units that would have been refused, each once however many limits had no room for it; calls where all limits count these.
    pub beyond: u64,
    /// Cost units at all; calls where all limits count these.
    pub units: u64,
}

/// What a plan or a group is held against the past with, as the address of its page says it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Trial {
    /// Only those who have the plan, not everybody; of a group only its members are tried anyway.
    pub of_holders: bool,
    /// Each key alone, not all keys of a workspace together; of a group it counts for nothing, as a group never holds a key alone.
    pub by_key: bool,
    /// One of its limits as it was typed, which is saved nowhere; none: all are as they are.
    pub typed: Option<TypedLimit>,
}

impl Trial {
    /// `try=1`, or `try=typed` with the fields of the limit; `of=holders`, `by=key`.
    pub fn read(get: impl Fn(&str) -> Option<String>) -> Option<Self> {
        let how = get("try")?;
        let of_holders = get("of").is_some_and(|of| of == "holders");
        let by_key = get("by").is_some_and(|by| by == "key");
        Some(Self { of_holders, by_key, typed: (how == "typed").then(|| TypedLimit::of_address(get)) })
    }

    /// The page of this plan or group, which tries it.
    pub fn link(&self, path: &str, slug: &str) -> String {
        let how = if self.typed.is_some() { "typed" } else { "1" };
        let whom = self.of_holders.then_some(("of", "holders"));
        let by = self.by_key.then_some(("by", "key"));
        let typed = self.typed.iter().flat_map(TypedLimit::fields).filter(|(_, value)| !value.is_empty());
        format!("{}#try", link(path, [("edit", slug), ("try", how)].into_iter().chain(whom).chain(by).chain(typed)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_says_what_is_tried() {
        let [was, limit, window, version] = ["day", "1000", "month", "0123abcd"].map(str::to_owned);
        let typed = TypedLimit { was, limit, window, version, ..TypedLimit::default() };
        let all = [
            Trial::default(),
            Trial { of_holders: true, ..Trial::default() },
            Trial { by_key: true, ..Trial::default() },
            Trial { of_holders: true, by_key: true, typed: Some(typed) },
        ];
        for trial in all {
            let address = trial.link("/admin/plans", "pro");
            let query = address.trim_start_matches("/admin/plans?").trim_end_matches("#try");
            let get = |name: &str| query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('=').map(str::to_owned));
            assert_eq!(Trial::read(get), Some(trial), "{address}");
        }
        assert_eq!(Trial::read(|_| None), None);
    }
}
