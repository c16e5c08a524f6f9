//! Limits: so many calls in a window, and the levels that they come from.

use super::{LimitUnit, Over, Window};
use crate::values::Version;
use serde::{Deserialize, Serialize};

/// A limit of a key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyLimit {
    pub name: String,
    /// Units (a call costs one, unless its route or the asking service says otherwise) or calls in one window; credits that there are at most.
    pub limit: u64,
    pub window: Window,
    /// What it counts; left out of JSON where that is units.
    #[serde(default, skip_serializing_if = "LimitUnit::is_units")]
    pub unit: LimitUnit,
    /// What becomes of calls beyond it; left out of JSON where it refuses.
    #[serde(default, skip_serializing_if = "Over::is_refuse")]
    pub over: Over,
}

impl KeyLimit {
    /// The name of a key's only limit.
    pub const DEFAULT: &'static str = "default";
    /// The most calls in a window; what the gate's counter holds.
    pub const MAX_CALLS: u64 = u32::MAX as u64;
    /// The most calls at the same time; what a node keeps in memory.
    pub const MAX_AT_ONCE: u64 = 10_000;
    /// Of the kind alone.
    pub const AT_ONCE_IS_NOT_SLOWED: &'static str =
        "Calls beyond a limit of calls at the same time can't be slowed down, as none waits for a place. Choose refuse, mark, or a window.";
    /// The most limits of a key, a plan, a group, a workspace or an API: what the gate tells apart in one word (`gate::charging::Places`). Each
    /// is one more counter to charge in every call.
    pub const MAX_COUNT: usize = 32;

    /// A limit of units that refuses what is beyond it.
    pub fn new(name: impl Into<String>, limit: u64, window: Window) -> Self {
        Self { name: name.into(), limit, window, unit: LimitUnit::Units, over: Over::REFUSE }
    }

    /// Of what its form shows; that there is none is a state, too.
    pub fn version_of(limit: Option<&Self>) -> Version {
        Version::of(&limit)
    }

    /// "100 units an hour", "100 calls an hour, then 5 calls a second".
    pub fn words(&self) -> String {
        format!("{}{}", self.unit.limit_words(self.limit, self.window), self.over.words())
    }
}

/// Where a limit stood after a call that passed, as samples keep it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LimitLeft {
    pub name: String,
    pub limit: u64,
    pub remaining: u64,
}

/// A change of one limit among those of a key, a workspace, an API, a plan or a group; the others stay as they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LimitChange {
    /// The name that it had; none: it is new.
    pub was: Option<String>,
    /// What it is from now on, maybe without a name (`named`); none: it is taken away.
    pub now: Option<KeyLimit>,
    /// Which state it was seen in (`KeyLimit::version_of`): another one is not overwritten. None: whatever it is.
    pub seen: Option<String>,
}

impl LimitChange {
    pub const TAKEN: &'static str = "Another limit here has this name. Choose another one, or change that limit.";

    /// Sets the limit of this name, whether or not there is one among these.
    pub fn set(before: &[KeyLimit], now: KeyLimit) -> Self {
        let was = before.iter().any(|limit| limit.name == now.name).then(|| now.name.clone());
        Self { was, now: Some(now), seen: None }
    }

    /// For whoever made it.
    pub const fn done_words(&self) -> &'static str {
        match self.now {
            Some(_) => "The limit applies from now on.",
            None => "The limit is removed.",
        }
    }

    /// What it is from now on, with its name: without one it keeps the one that it had, and a new one is called `default`, or as its window is
    /// where another limit has that name.
    pub fn named(&self, before: &[KeyLimit]) -> Option<KeyLimit> {
        let now = self.now.clone()?;
        if !now.name.is_empty() {
            return Some(now);
        }
        let name = match &self.was {
            Some(was) => was.clone(),
            None => {
                let is_other = |other: &KeyLimit| other.name == KeyLimit::DEFAULT && *other != KeyLimit { name: other.name.clone(), ..now.clone() };
                if before.iter().any(is_other) { now.window.usual_name() } else { KeyLimit::DEFAULT.to_owned() }
            }
        };
        Some(KeyLimit { name, ..now })
    }

    /// Those after it, by name. Done a second time it changes nothing. `Err`: the new name is that of another limit.
    pub fn of(&self, before: &[KeyLimit]) -> Result<Vec<KeyLimit>, &'static str> {
        let mut after: Vec<KeyLimit> = before.iter().filter(|limit| self.was.as_ref() != Some(&limit.name)).cloned().collect();
        if let Some(now) = self.named(before) {
            match after.iter().find(|limit| limit.name == now.name) {
                None => after.push(now),
                // Sent twice: what it was is gone, and what it becomes is there.
                Some(other) if *other == now && after.len() == before.len() => {}
                Some(_) => return Err(Self::TAKEN),
            }
        }
        after.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(after)
    }
}

/// A limit with where it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LimitView {
    pub name: String,
    /// "units an hour", "credits, prepaid", "3 of 5 calls at the same time now".
    pub per: String,
    pub limit: u64,
    /// More than the limit where calls beyond it passed.
    pub used: u64,
    pub remaining: u64,
    /// "at 16:00", in the person's time zone.
    pub resets: String,
    pub window: Window,
    pub unit: LimitUnit,
}

impl LimitView {
    /// What `resets` is where nothing has to.
    pub const UNUSED: &str = "Nothing used";
}

/// Where the limits of a key come from. The first level that has any limit holds the key, by all of its limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    Key,
    KeyPlan,
    Workspace,
    /// That of the workspace (`plans::model::Group`): each of its workspaces by itself.
    Group,
    WorkspacePlan,
    GroupPlan,
    Api,
    /// That of the configuration.
    Default,
}

impl Level {
    pub const ALL: [Self; 8] = [Self::Key, Self::KeyPlan, Self::Workspace, Self::Group, Self::WorkspacePlan, Self::GroupPlan, Self::Api, Self::Default];

    /// As the function `limit_levels` numbers them, from 1.
    pub fn numbered(number: i32) -> Self {
        usize::try_from(number - 1).ok().and_then(|at| Self::ALL.get(at).copied()).unwrap_or(Self::Default)
    }

    /// True where all keys of the workspace are counted together.
    pub const fn is_shared(self) -> bool {
        matches!(self, Self::Workspace | Self::WorkspacePlan) || self.is_of_group()
    }

    /// True where only workspaces in a group have it.
    pub const fn is_of_group(self) -> bool {
        matches!(self, Self::Group | Self::GroupPlan)
    }

    pub const fn words(self) -> &'static str {
        match self {
            Self::Key => "This key",
            Self::KeyPlan => "Plan of this key",
            Self::Workspace => "Workspace",
            Self::WorkspacePlan => "Plan of the workspace",
            Self::Group => "Group of the workspace",
            Self::GroupPlan => "Plan of the group",
            Self::Api => "API",
            Self::Default => "Default",
        }
    }
}

/// A level with what it would give, if it were the first that gives anything.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LevelView {
    pub level: Level,
    /// Whose: the plan's, the workspace's or the API's name; empty where the level says it.
    pub name: String,
    /// By name; empty: it gives nothing.
    pub limits: Vec<KeyLimit>,
    pub is_in_force: bool,
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
        let words = |limit, window| KeyLimit::new("", limit, window).words();
        assert_eq!(words(100, Window::HOUR), "100 units an hour");
        assert_eq!(words(2_400, Window::MINUTE), "2,400 units a minute");
        assert_eq!(words(1, Window::Seconds(600)), "1 unit in 10 minutes");
        assert_eq!(words(5, Window::Seconds(172_800)), "5 units in 2 days");
        assert_eq!(words(5, Window::Seconds(90)), "5 units in 90 seconds");
        assert_eq!(words(10_000, Window::Month), "10,000 units a month");
        assert_eq!(words(100, Window::Rolling(3_600)), "100 units in any hour");
        assert_eq!(words(5, Window::Rolling(2_592_000)), "5 units in any 30 days");
        let marked = KeyLimit { over: Over::MARK, ..KeyLimit::new("", 5, Window::DAY) };
        assert_eq!(marked.words(), "5 units a day, more are marked");
        let of_calls = KeyLimit { unit: LimitUnit::Calls, ..marked };
        assert_eq!(of_calls.words(), "5 calls a day, more are marked");
    }

    #[test]
    fn a_change_touches_one_limit_and_is_safe_to_send_twice() {
        let limit = |name: &str, limit| KeyLimit::new(name, limit, Window::HOUR);
        let before = [limit("burst", 5), limit("day", 100)];
        let change = |was: Option<&str>, now: Option<KeyLimit>| LimitChange { was: was.map(str::to_owned), now, seen: None };
        for (change, after) in [
            (change(None, Some(limit("calls", 7))), vec![limit("burst", 5), limit("calls", 7), limit("day", 100)]),
            (change(Some("burst"), Some(limit("burst", 6))), vec![limit("burst", 6), limit("day", 100)]),
            (change(Some("burst"), Some(limit("zoom", 5))), vec![limit("day", 100), limit("zoom", 5)]),
            (change(Some("day"), None), vec![limit("burst", 5)]),
            (LimitChange::set(&before, limit("day", 9)), vec![limit("burst", 5), limit("day", 9)]),
            (LimitChange::set(&before, limit("week", 9)), vec![limit("burst", 5), limit("day", 100), limit("week", 9)]),
        ] {
            assert_eq!(change.of(&before).as_ref(), Ok(&after));
            assert_eq!(change.of(&after), Ok(after), "twice");
        }
        for (was, now, name) in [(None, limit("", 7), "default"), (Some("day"), limit("", 7), "day"), (None, KeyLimit::new("", 7, Window::MINUTE), "default")] {
            assert_eq!(change(was, Some(now)).named(&before).map(|now| now.name).as_deref(), Some(name), "without a name");
        }
        let with_default = [limit("default", 5)];
        let second = change(None, Some(KeyLimit::new("", 7, Window::MINUTE)));
        let after = [limit("default", 5), KeyLimit::new("minute", 7, Window::MINUTE)].to_vec();
        assert_eq!((second.of(&with_default), second.of(&after)), (Ok(after.clone()), Ok(after.clone())), "the second one is called as its window");
        assert_eq!(change(None, Some(limit("", 5))).of(&with_default), Ok(with_default.to_vec()), "sent twice");
        for clash in [change(None, Some(limit("day", 7))), change(Some("burst"), Some(limit("day", 100)))] {
            assert_eq!(clash.of(&before), Err(LimitChange::TAKEN));
        }
    }

    #[test]
    fn levels_are_numbered_as_the_database_does() {
        let numbered = [1, 2, 4, 5, 7, 8, 0].map(Level::numbered);
        assert_eq!(numbered, [Level::Key, Level::KeyPlan, Level::Group, Level::WorkspacePlan, Level::Api, Level::Default, Level::Default]);
        assert_eq!(Level::ALL.map(Level::is_shared), [false, false, true, true, true, true, false, false]);
    }
}
