//! The form of one limit, as it was typed: of a key, a workspace, an API, a plan or a group.

use serde::{Deserialize, Serialize};

/// One limit in texts, by the names of the form's fields. The server reads it (`read`) into a `LimitChange`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TypedLimit {
    /// The name of the limit that the form changes; empty: a new one.
    pub was: String,
    /// Its name from now on; empty: as `LimitChange::named` says.
    pub name: String,
    /// How many.
    pub limit: String,
    /// A choice of `Window::offered`: behind `CALLS` a window that counts calls.
    pub window: String,
    /// Of the choices that ask for them (`Window::TYPED`).
    pub seconds: String,
    /// How many credits come back each time.
    pub refill: String,
    /// What a window counts, as `LimitUnit` writes it, unless `window` says so; empty: units.
    pub unit: String,
    /// What becomes of calls beyond it: an action, its number, its end. An empty action refuses.
    pub over: String,
    pub over_per_second: String,
    pub over_until: String,
    /// What the pressed button asks for: `REMOVE`, `TRY`, or anything else for setting it.
    pub act: String,
    /// The state that it had (`KeyLimit::version_of`); empty: whatever it is.
    pub version: String,
}

impl TypedLimit {
    /// Before a window that counts calls, as its form offers it.
    pub const CALLS: &'static str = "calls:";
    /// Takes the limit away, whatever its fields say.
    pub const REMOVE: &'static str = "remove";
    /// Saves nothing, and shows who the limit would hold.
    pub const TRY: &'static str = "try";

    /// Nothing was typed, and no limit is chosen: what is there is tried as it is.
    pub fn is_blank(&self) -> bool {
        [&self.was, &self.limit, &self.seconds, &self.refill].into_iter().all(|text| text.trim().is_empty())
    }

    /// From the fields of an address; no address takes a limit away.
    pub fn of_address(get: impl Fn(&str) -> Option<String>) -> Self {
        let text = |name| get(name).unwrap_or_default();
        Self {
            was: text("set"),
            name: text("name"),
            limit: text("limit"),
            window: text("window"),
            seconds: text("seconds"),
            refill: text("refill"),
            unit: text("unit"),
            over: text("over"),
            over_per_second: text("over_per_second"),
            over_until: text("over_until"),
            version: text("version"),
            ..Self::default()
        }
    }

    /// By the names that they have in an address, which but for `set` are those of the form. The version is among them: what is tried stands
    /// for the state that its form showed, whatever is saved meanwhile.
    pub fn fields(&self) -> [(&str, &str); 11] {
        [
            ("set", self.was.as_str()),
            ("name", self.name.as_str()),
            ("limit", self.limit.as_str()),
            ("window", self.window.as_str()),
            ("seconds", self.seconds.as_str()),
            ("refill", self.refill.as_str()),
            ("unit", self.unit.as_str()),
            ("over", self.over.as_str()),
            ("over_per_second", self.over_per_second.as_str()),
            ("over_until", self.over_until.as_str()),
            ("version", self.version.as_str()),
        ]
    }
}
