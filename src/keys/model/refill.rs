//! What comes back of credits, and lengths of time in words.

/// What comes back of credits: so many units every so many seconds (at multiples of that since 1970), never more than the limit by that.
/// None every 0 seconds is prepaid: only an operator adds some.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Refill {
    pub units: u32,
    pub seconds: u32,
}

impl Refill {
    pub const PREPAID: Self = Self { units: 0, seconds: 0 };

    pub const fn is_prepaid(self) -> bool {
        self.units == 0
    }

    /// "+100 every hour", "prepaid".
    pub fn words(self) -> String {
        if self.is_prepaid() { "prepaid".to_owned() } else { format!("+{} every {}", super::limit::grouped(self.units.into()), lasting(self.seconds)) }
    }
}

/// "hour", "10 minutes": what stands behind "every".
pub(super) fn lasting(seconds: u32) -> String {
    match seconds {
        1 => "second".to_owned(),
        60 => "minute".to_owned(),
        3_600 => "hour".to_owned(),
        86_400 => "day".to_owned(),
        604_800 => "week".to_owned(),
        s if s % 86_400 == 0 => format!("{} days", s / 86_400),
        s if s % 3_600 == 0 => format!("{} hours", s / 3_600),
        s if s % 60 == 0 => format!("{} minutes", s / 60),
        s => format!("{s} seconds"),
    }
}

/// "30 seconds", "1 minute", "1 hour": for how long a call counts that nobody says has ended.
pub fn hold_words(seconds: u32) -> String {
    match seconds {
        1 => "1 second".to_owned(),
        60 => "1 minute".to_owned(),
        3_600 => "1 hour".to_owned(),
        s if s % 60 == 0 => format!("{} minutes", s / 60),
        s => format!("{s} seconds"),
    }
}
