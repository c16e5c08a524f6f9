//! Operators in the account of somebody else: what the bar on every page says, and what the account's owner reads of it.

use serde::{Deserialize, Serialize};

/// For how many minutes an operator may act as an account; nobody for longer than an hour (R67).
pub const ACTING_MINUTES: [u16; 3] = [15, 30, 60];

/// What the bar above every page says while an operator acts as somebody; in the context of the page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActingBar {
    /// Who the account is.
    pub name: String,
    /// In full, in the operator's time zone.
    pub until: String,
    /// Nothing is done as that account any more, and nothing else until the operator has gone back.
    pub is_over: bool,
}

/// Whether a page, a file or a server function is answered while an operator acts as somebody, by its path; beside the bar in the context of
/// the page, so that no menu offers what is refused.
#[derive(Clone, Copy)]
pub struct ShownWhileActing(pub fn(&str) -> bool);

/// One time that an operator was in an account, for its owner. Who it was is the operators' own business.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acted {
    /// When it began, in words.
    pub began: String,
    /// How long it could last.
    pub minutes: u16,
    pub reason: String,
    pub is_running: bool,
}
