//! What comes with which secret, while a key has several.

use super::Said;
use crate::values::Counts;
use serde::{Deserialize, Serialize};

/// Calls with one of several secrets of a key, whatever became of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecretCalls {
    /// The last 24 hours, oldest first. Each begins with a quarter of an hour; the last one goes on until now.
    pub hours: Vec<Counts>,
    /// Since when it is known from where; none: since the rotation.
    pub users_since: Option<Said>,
    /// From where since then, the busiest first; what is known of none of these at the end.
    pub users: Vec<SecretUser>,
}

impl SecretCalls {
    pub fn last_hour(&self) -> Counts {
        self.hours.last().copied().unwrap_or_default()
    }

    pub fn last_day(&self) -> Counts {
        self.hours.iter().copied().sum()
    }
}

/// From where a secret is used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecretUser {
    /// IPv6 by its /64; empty: nobody told.
    pub address: String,
    /// All other addresses.
    pub is_rest: bool,
    /// The busiest routes.
    pub routes: Vec<String>,
    /// How many more there are.
    pub more_routes: u64,
    pub calls: Counts,
    pub last: Said,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_hour_is_a_part_of_the_day() {
        let of = |passed| Counts { passed, ..Counts::default() };
        let calls = SecretCalls { hours: vec![of(2), of(0), of(5)], users_since: None, users: Vec::new() };
        assert_eq!((calls.last_hour(), calls.last_day()), (of(5), of(7)));
        let none = SecretCalls { hours: Vec::new(), users_since: None, users: Vec::new() };
        assert_eq!((none.last_hour(), none.last_day()), (of(0), of(0)));
    }
}
