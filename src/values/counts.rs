//! Calls by what became of them.

use super::{Outcome, OutcomeGroup};
use serde::{Deserialize, Serialize};
use std::{iter::Sum, ops::AddAssign};

/// Calls by what became of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    pub passed: u64,
    pub limited: u64,
    pub refused: u64,
}

impl Counts {
    pub const fn total(self) -> u64 {
        self.passed + self.limited + self.refused
    }

    pub const fn of(self, group: OutcomeGroup) -> u64 {
        match group {
            OutcomeGroup::Passed => self.passed,
            OutcomeGroup::Limited => self.limited,
            OutcomeGroup::Refused => self.refused,
        }
    }

    pub fn add(&mut self, outcome: Outcome, calls: u64) {
        match outcome.group() {
            OutcomeGroup::Passed => self.passed += calls,
            OutcomeGroup::Limited => self.limited += calls,
            OutcomeGroup::Refused => self.refused += calls,
        }
    }

    /// What is left when `part` is taken away.
    #[must_use]
    pub const fn less(self, part: Self) -> Self {
        Self {
            passed: self.passed.saturating_sub(part.passed),
            limited: self.limited.saturating_sub(part.limited),
            refused: self.refused.saturating_sub(part.refused),
        }
    }
}

impl Sum for Counts {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::default(), |mut sum, one| {
            sum += one;
            sum
        })
    }
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.limited += other.limited;
        self.refused += other.refused;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_outcome_counts_once() {
        let mut counts = Counts::default();
        for outcome in Outcome::ALL {
            counts.add(outcome, 2);
        }
        assert_eq!(counts.total(), 2 * Outcome::ALL.len() as u64);
        assert_eq!((counts.passed, counts.limited), (2, 4));
        assert_eq!(counts.less(Counts { passed: 5, limited: 1, refused: 0 }), Counts { passed: 0, limited: 3, ..counts });
    }
}
