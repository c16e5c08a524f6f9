//! What a limit counts: what calls cost, or the calls themselves.

use super::{LimitKind, Window, limit::grouped};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// The unit of a limit with a window. Credits are units, and calls at the same time are calls, whatever is said here. Where every call costs one
/// unit both are the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LimitUnit {
    /// A call takes what it costs.
    #[default]
    Units,
    /// A call takes one, whatever it costs. One that costs nothing takes nothing of either.
    Calls,
}

impl LimitUnit {
    pub const RULE: &'static str = "A limit counts units or calls. Write one of these words.";
    /// Of a limit without a window.
    pub const OF_WINDOWS: &'static str =
        "Only limits with a window count calls or units: credits are units, and calls at the same time are calls. Leave it at units.";

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Units => "units",
            Self::Calls => "calls",
        }
    }

    pub fn is_units(&self) -> bool {
        *self == Self::Units
    }

    pub const fn is_calls(self) -> bool {
        matches!(self, Self::Calls)
    }

    /// True of units, and of calls where there is a window to count them in.
    pub const fn suits(self, window: Window) -> bool {
        matches!(self, Self::Units) || matches!(window.kind(), LimitKind::Fixed | LimitKind::Rolling)
    }

    /// As a column holds it.
    pub fn stored(text: &str) -> Self {
        text.parse().unwrap_or_default()
    }

    /// "units", "credits", "calls": what stands behind so many of what a limit with this window counts.
    pub const fn counted(self, window: Window, n: u64) -> &'static str {
        match (self, n) {
            (Self::Units, _) => window.counted(n),
            (Self::Calls, 1) => "call",
            (Self::Calls, _) => "calls",
        }
    }

    /// "calls an hour": what a limit with this window is of.
    pub fn unit_words(self, window: Window) -> String {
        match self {
            Self::Units => window.unit_words(),
            Self::Calls => format!("calls {}", window.words()),
        }
    }

    /// "100 calls an hour": so many of it.
    pub fn limit_words(self, limit: u64, window: Window) -> String {
        match self {
            Self::Units => window.limit_words(limit),
            Self::Calls => format!("{} {} {}", grouped(limit), self.counted(window, limit), window.words()),
        }
    }
}

impl fmt::Display for LimitUnit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for LimitUnit {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.trim() {
            "units" => Ok(Self::Units),
            "calls" => Ok(Self::Calls),
            _ => Err(Self::RULE),
        }
    }
}

/// What passed, in both units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Taken {
    pub units: u64,
    pub calls: u64,
}

impl Taken {
    pub const fn of(self, unit: LimitUnit) -> u64 {
        match unit {
            LimitUnit::Units => self.units,
            LimitUnit::Calls => self.calls,
        }
    }

    pub fn add(&mut self, more: Self) {
        self.units += more.units;
        self.calls += more.calls;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_unit_reads_back_what_it_wrote_and_is_said_in_words() {
        for (unit, text) in [(LimitUnit::Units, "units"), (LimitUnit::Calls, "calls")] {
            assert_eq!((unit.to_string().as_str(), text.parse(), LimitUnit::stored(text)), (text, Ok(unit), unit));
            assert_eq!(serde_json::to_string(&unit).ok(), Some(format!("\"{text}\"")));
        }
        assert_eq!("requests".parse::<LimitUnit>(), Err(LimitUnit::RULE));
        assert_eq!(LimitUnit::Calls.limit_words(2_400, Window::MINUTE), "2,400 calls a minute");
        assert_eq!(LimitUnit::Calls.limit_words(1, Window::Rolling(3_600)), "1 call in any hour");
        assert_eq!(LimitUnit::Units.limit_words(5, Window::Month), "5 units a month");
        assert_eq!((LimitUnit::Calls.unit_words(Window::DAY), LimitUnit::Units.unit_words(Window::DAY)), ("calls a day".to_owned(), "units a day".to_owned()));
    }
}
