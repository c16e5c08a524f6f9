//! Bans, as operators see them.

use crate::{
    keys::model::Said,
    values::{AccountId, BanId},
};
use serde::{Deserialize, Serialize};

/// What keeps an account out for a while, or for good.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Banned {
    pub at: Said,
    pub by: String,
    pub reason: String,
    /// None: until it is lifted.
    pub until: Option<Said>,
}

/// One ban of a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BanRow {
    pub id: BanId,
    /// An address of mail, a domain, a network.
    pub what: String,
    /// Of which account, if it is one's.
    pub account: Option<AccountId>,
    pub reason: String,
    pub by: String,
    pub at: Said,
    pub until: Option<Said>,
    /// Who lifted it, and when.
    pub lifted: Option<(String, Said)>,
}

/// What `/admin/bans` shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BanList {
    pub rows: Vec<BanRow>,
    /// Those that hold nobody any more.
    pub over: bool,
    /// The time zone in which an end is typed, in words.
    pub zone: String,
}

/// How long a ban lasts, as its form offers it: the word that is sent, and what is read.
pub const LASTS: [(&str, &str); 7] =
    [("1h", "1 hour"), ("1d", "1 day"), ("7d", "7 days"), ("30d", "30 days"), ("365d", "365 days"), ("date", "Until a day"), ("always", "Until it is lifted")];

/// Why and for how long, as the fields of every ban are typed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TypedTerm {
    pub reason: String,
    /// A word of `LASTS`.
    pub lasts: String,
    /// The last day, where that is "date".
    pub until: String,
}
