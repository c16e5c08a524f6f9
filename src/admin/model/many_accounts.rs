//! One act on many accounts, looked at first.

use super::{AccountQuery, AccountRow};
use crate::accounts::model::AccountAct;
use serde::{Deserialize, Serialize};

/// The query of `/admin/accounts/many`, and the fields of its form.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ManyAccountsQuery {
    /// A word of `AccountAct`.
    pub act: String,
    /// Ids of accounts.
    pub accounts: Vec<String>,
    /// Every account that `filters` leave, in place of `accounts`.
    pub all: bool,
    pub filters: AccountQuery,
}

impl ManyAccountsQuery {
    /// Reads a query; `get` gives a parameter, `accounts` those called `account`.
    pub fn read(get: impl Fn(&str) -> Option<String>, accounts: Vec<String>) -> Self {
        let all = get("all").is_some_and(|all| !all.is_empty());
        let act = get("act").map(|act| act.trim().to_owned()).unwrap_or_default();
        Self { act, accounts, all, filters: AccountQuery { older: None, newer: None, ..AccountQuery::read(get) } }
    }
}

/// What the page shows before the act: bounded, however many accounts it is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ManyAccountsPreview {
    pub act: AccountAct,
    /// How many accounts change, and the first of them.
    pub changes: u64,
    pub changed: Vec<AccountRow>,
    pub skipped: Vec<SkippedAccounts>,
    /// Ids that no account has.
    pub missing: u64,
    /// More match than one request takes.
    pub has_more: bool,
    /// What ends with it: sessions, and keys that pass until now.
    pub sessions: u64,
    pub keys: u64,
    /// "Stockholm time".
    pub zone: String,
}

/// Accounts that stay as they are for one reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SkippedAccounts {
    /// "is disabled already".
    pub why: String,
    pub count: u64,
    /// The addresses of the first of them.
    pub emails: Vec<String>,
}
