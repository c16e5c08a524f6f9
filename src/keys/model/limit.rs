//! Limits: so many calls in a window.

use serde::{Deserialize, Serialize};

/// A limit of a key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyLimit {
    pub name: String,
    /// Calls in one window.
    pub limit: u64,
    /// Seconds.
    pub window: u32,
}

impl KeyLimit {
    /// The name of a key's only limit.
    pub const DEFAULT: &'static str = "default";
    /// The longest window, 31 days.
    pub const MAX_WINDOW: u32 = 2_678_400;
    /// The most calls in a window; what the gate's counter holds.
    pub const MAX_CALLS: u64 = u32::MAX as u64;
    /// The most limits of a key.
    pub const MAX_COUNT: usize = 5;

    /// "100 calls an hour".
    pub fn words(&self) -> String {
        let calls = if self.limit == 1 { "call" } else { "calls" };
        format!("{} {calls} {}", grouped(self.limit), per_window(self.window))
    }
}

/// A limit with where it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LimitView {
    pub name: String,
    /// "an hour".
    pub per: String,
    pub limit: u64,
    pub used: u64,
    pub remaining: u64,
    /// "at 16:00", in the person's time zone.
    pub resets: String,
    /// Seconds.
    pub window: u32,
}

/// "a minute", "an hour", "a day", "in 10 minutes": what stands behind a number of calls.
pub fn per_window(seconds: u32) -> String {
    match seconds {
        1 => "a second".to_owned(),
        60 => "a minute".to_owned(),
        3_600 => "an hour".to_owned(),
        86_400 => "a day".to_owned(),
        604_800 => "a week".to_owned(),
        s if s % 86_400 == 0 => format!("in {} days", s / 86_400),
        s if s % 3_600 == 0 => format!("in {} hours", s / 3_600),
        s if s % 60 == 0 => format!("in {} minutes", s / 60),
        s => format!("in {s} seconds"),
    }
}

/// 2400 as "2,400".
pub(super) fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_said_in_words() {
        let words = |limit, window| KeyLimit { name: String::new(), limit, window }.words();
        assert_eq!(words(100, 3_600), "100 calls an hour");
        assert_eq!(words(2_400, 60), "2,400 calls a minute");
        assert_eq!(words(1, 600), "1 call in 10 minutes");
        assert_eq!(words(5, 172_800), "5 calls in 2 days");
        assert_eq!(words(5, 90), "5 calls in 90 seconds");
    }
}
