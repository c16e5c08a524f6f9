//! Accounts: the list and one of them.

use super::{Banned, Deed};
use crate::{
    accounts::model::{AccountState, Factors, FieldValue, HeldPermission, Lasting, Linked, SessionView},
    keys::model::{Grant, GrantChoice, HoldView, KeyLimit, KeyRow, Said, WorkspaceState},
    values::{AccountId, Picture, Slug, WorkspaceId},
};
use serde::{Deserialize, Serialize};

/// What `/admin/accounts` asks for, as it stands in its URL.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountQuery {
    /// Part of a name or an address, or an id.
    pub q: Option<String>,
    /// A word of `AccountState`, or `operator`.
    pub status: Option<String>,
    /// The list continues after this account.
    pub older: Option<String>,
    /// The list ends before this account.
    pub newer: Option<String>,
}

impl AccountQuery {
    /// Reads a query; `get` gives a parameter. An empty one is none, as forms send them.
    pub fn read(get: impl Fn(&str) -> Option<String>) -> Self {
        let get = |name| get(name).map(|v| v.trim().to_owned()).filter(|v| !v.is_empty());
        Self { q: get("q"), status: get("status"), older: get("older"), newer: get("newer") }
    }

    /// True if something is left out of the list.
    pub fn is_filtered(&self) -> bool {
        self.q.is_some() || self.status.is_some()
    }
}

/// One account of a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountRow {
    pub id: AccountId,
    pub name: String,
    pub email: String,
    pub state: AccountState,
    /// The strictest block of its workspace.
    pub hold: Option<HoldView>,
    /// When the address was proven, if it was.
    pub verified: Option<Said>,
    pub is_operator: bool,
    /// Those that are not revoked.
    pub keys: u64,
    pub since: Said,
    pub last_sign_in: Option<Said>,
}

/// What `/admin/accounts` shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountList {
    pub query: AccountQuery,
    pub rows: Vec<AccountRow>,
    /// How many the filters leave.
    pub found: u64,
    pub all: u64,
    /// The cursors of the pages on either side.
    pub newer: Option<AccountId>,
    pub older: Option<AccountId>,
}

/// Who keeps an account out, since when and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Disabled {
    pub at: Said,
    pub by: Option<String>,
    pub reason: String,
}

/// What `/admin/accounts/{id}` shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountPage {
    pub account: AccountRow,
    /// What holds the calls of all its keys.
    pub state: WorkspaceState,
    /// The operator may see the blocks themselves.
    pub may_see_blocks: bool,
    pub picture: Option<Picture>,
    pub workspace: Option<WorkspaceId>,
    /// The slug of its workspace's plan; none also for an operator who may not see plans.
    pub plan: Option<Slug>,
    /// The slug of its workspace's group; likewise.
    pub group: Option<Slug>,
    /// Of all keys of its workspace together; none for the same.
    pub limits: Option<Vec<KeyLimit>>,
    /// What its workspace is granted itself, and what could be granted; none for the same.
    pub grants: Option<(Vec<Grant>, Vec<GrantChoice>)>,
    pub roles: Vec<String>,
    /// How long its sessions and keys last, and what says so.
    pub lasting: Lasting,
    /// What it may, and by which of them.
    pub permissions: Vec<HeldPermission>,
    pub factors: Factors,
    /// Sign-ins elsewhere.
    pub linked: Vec<Linked>,
    /// What the person wrote into the fields of operators.
    pub fields: Vec<FieldValue>,
    pub time_zone: String,
    pub disabled: Option<Disabled>,
    pub banned: Option<Banned>,
    /// Until when signing in waits, after many wrong passwords.
    pub locked: Option<Said>,
    /// It waits for good: only a new password ends that.
    pub is_password_stopped: bool,
    pub sessions: Vec<SessionView>,
    /// The newest, and how many there are at all, revoked ones too.
    pub keys: Vec<KeyRow>,
    pub key_count: u64,
    /// Keys that would be answered BANNED, and their calls of today that passed.
    pub live_keys: u64,
    pub passed_today: u64,
    pub history: Vec<Deed>,
    /// It is the operator's own.
    pub is_you: bool,
    /// The operator may see the product as this account: neither their own nor that of an operator, and one that can come in.
    pub may_act_as: bool,
}

impl AccountPage {
    /// There are second factors, and nobody asked yet to take them away.
    pub fn may_reset_factors(&self) -> bool {
        !self.is_you && (self.factors.app_since.is_some() || self.factors.passkeys > 0) && self.factors.reset_due.is_none()
    }
}
