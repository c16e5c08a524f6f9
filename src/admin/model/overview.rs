//! The overview: numbers of today, and whether everything is all right.

use super::{AccountRow, Deed, NodeRow};
use crate::{usage::model::RefusalSample, values::Counts};
use serde::{Deserialize, Serialize};

/// What `/admin` shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Overview {
    pub numbers: Numbers,
    pub parts: Vec<Part>,
    pub nodes: Vec<NodeRow>,
    pub refusals: Vec<RefusalSample>,
    pub newest: Vec<AccountRow>,
    pub deeds: Vec<Deed>,
    pub version: String,
    /// "41 days".
    pub up: String,
    /// "Stockholm time".
    pub zone: String,
}

/// How many there are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Numbers {
    pub accounts: u64,
    /// Signed up within seven days.
    pub recent_accounts: u64,
    pub keys: u64,
    /// Those that are neither disabled, revoked nor expired.
    pub live_keys: u64,
    /// Calls of today with known keys.
    pub calls: Counts,
    /// Calls of today with secrets that no key has; in none of the other numbers.
    pub attempts: u64,
}

/// How a part of the product does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Health {
    Fine,
    /// It works, and wants somebody.
    Wanting,
    Broken,
}

impl Health {
    pub const fn words(self) -> &'static str {
        match self {
            Self::Fine => "all right",
            Self::Wanting => "look at this",
            Self::Broken => "not working",
        }
    }
}

/// A part of the product with what was measured.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    pub name: String,
    pub health: Health,
    /// The one measure: "0.4 ms".
    pub now: String,
    /// What stands beside it: "3 of 10 connections".
    pub detail: String,
    /// What to do, where it is not all right.
    pub advice: Option<String>,
    /// Where to look.
    pub href: Option<String>,
}

impl Overview {
    /// The parts that want somebody, the broken ones first.
    pub fn wanting(&self) -> Vec<&Part> {
        let of = |health| self.parts.iter().filter(move |p| p.health == health);
        of(Health::Broken).chain(of(Health::Wanting)).collect()
    }

    /// The title of the page: the answer before the question.
    pub fn title(&self) -> String {
        let start = if self.parts.iter().any(|p| p.health == Health::Broken) { "Something is not working." } else { "Everything passes." };
        match self.wanting().len() {
            0 => start.to_owned(),
            1 => format!("{start} One thing needs attention."),
            n => format!("{start} {n} things need attention."),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn overview(parts: &[Health]) -> Overview {
        let part = |health: &Health| Part { name: format!("{health:?}"), health: *health, now: String::new(), detail: String::new(), advice: None, href: None };
        Overview {
            numbers: Numbers::default(),
            parts: parts.iter().map(part).collect(),
            nodes: Vec::new(),
            refusals: vec![],
            newest: vec![],
            deeds: vec![],
            version: String::new(),
            up: String::new(),
            zone: String::new(),
        }
    }

    #[test]
    fn the_title_says_whether_somebody_is_wanted() {
        assert_eq!(overview(&[Health::Fine]).title(), "Everything passes.");
        assert_eq!(overview(&[Health::Fine, Health::Wanting]).title(), "Everything passes. One thing needs attention.");
        assert_eq!(overview(&[Health::Wanting, Health::Broken]).title(), "Something is not working. 2 things need attention.");
    }

    #[test]
    fn what_is_broken_comes_first() {
        let overview = overview(&[Health::Wanting, Health::Fine, Health::Broken]);
        assert_eq!(overview.wanting().iter().map(|p| p.name.as_str()).collect::<Vec<_>>(), ["Broken", "Wanting"]);
    }
}
