//! The nouns of notices, for both sides.

use crate::{
    usage::model::KeyChoice,
    values::{AlertRuleId, KeyId, Version},
};
use serde::{Deserialize, Serialize};

/// What an account wants to be told by mail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoticeSettings {
    /// When a limit is nearly used up.
    pub limits: bool,
    /// At how many per cent of it: ascending, 1 to 100, at most `MOST_THRESHOLDS`.
    pub thresholds: Vec<u8>,
    /// Before a key expires.
    pub expiry: bool,
}

impl Default for NoticeSettings {
    fn default() -> Self {
        Self { limits: true, thresholds: vec![80, 100], expiry: true }
    }
}

impl NoticeSettings {
    pub const MOST_THRESHOLDS: usize = 5;

    /// Of what its form shows.
    pub fn version(&self) -> Version {
        Version::of(self)
    }

    /// "80, 100".
    pub fn thresholds_text(&self) -> String {
        self.thresholds.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
    }

    /// Reads "80, 100" or "50 80 100 %".
    pub fn read_thresholds(text: &str) -> Result<Vec<u8>, &'static str> {
        const WORDS: &str = "Enter one to five whole numbers from 1 to 100, such as 80, 100.";
        let words = text.split([',', ' ', ';', '%']).filter(|word| !word.is_empty());
        let mut all = words.map(|word| word.parse::<u8>().ok().filter(|n| (1..=100).contains(n))).collect::<Option<Vec<u8>>>().ok_or(WORDS)?;
        all.sort_unstable();
        all.dedup();
        if all.is_empty() || all.len() > Self::MOST_THRESHOLDS { Err(WORDS) } else { Ok(all) }
    }
}

/// What `/settings/notifications` shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoticePage {
    pub settings: NoticeSettings,
    /// Where the mails go.
    pub email: String,
    /// What was told last, newest first.
    pub told: Vec<ToldNotice>,
    pub rules: Vec<AlertRule>,
    /// Leaked keys of the workspace are disabled at once.
    pub disables_leaked: bool,
    /// To choose from in a new rule.
    pub keys: Vec<KeyChoice>,
    /// The workspace has more.
    pub has_more_keys: bool,
    /// What a new rule is offered for; of keys one of those to choose from.
    pub offer: RuleOffer,
}

/// What a new rule is offered for: the filters of the page Errors that a rule knows.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleOffer {
    pub key: Option<String>,
    /// The API's slug.
    pub api: Option<String>,
    pub route: Option<String>,
    /// One of those that a rule may be about; another one is no offer.
    pub code: Option<String>,
}

impl RuleOffer {
    /// Reads a query; `get` gives a parameter. An empty one is none.
    pub fn read(get: impl Fn(&str) -> Option<String>) -> Self {
        let get = |name| get(name).map(|v| v.trim().to_owned()).filter(|v| !v.is_empty());
        Self { key: get("key"), api: get("api"), route: get("route"), code: get("code") }
    }
}

/// A notice that was sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToldNotice {
    /// None: of what all keys of a workspace share.
    pub key: Option<KeyId>,
    /// "checkout service used 80 % of 100 units an hour".
    pub words: String,
    /// RFC 3339, UTC.
    pub at: String,
    /// "today, 14:03".
    pub when: String,
}

/// More than so many calls that did not pass, in so many minutes: a mail, then silence for a while.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlertRule {
    pub id: AlertRuleId,
    pub key: Option<KeyId>,
    /// "More than 10 calls answered FORBIDDEN in 15 minutes, checkout service, GET /orders".
    pub words: String,
    /// "Silent for 1 hour after a mail".
    pub quiet: String,
    /// "today, 14:03", if it ever fired.
    pub fired: Option<String>,
}

/// A rule as a form gives it: all texts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewAlertRule {
    pub key: Option<String>,
    /// The API's slug.
    pub api: Option<String>,
    pub route: Option<String>,
    pub codes: Vec<String>,
    pub more_than: String,
    /// Of all calls; none: whatever the others are.
    pub percent: Option<String>,
    pub minutes: String,
    pub quiet_minutes: String,
}

/// What is changed of a rule; what is none stays.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlertRuleEdit {
    /// None within: every key.
    pub key: Option<Option<String>>,
    /// The API's slug; none within: every API.
    pub api: Option<Option<String>>,
    /// None within: every route.
    pub route: Option<Option<String>>,
    pub codes: Option<Vec<String>>,
    pub more_than: Option<String>,
    /// None within: whatever the other calls are.
    pub percent: Option<Option<String>>,
    pub minutes: Option<String>,
    pub quiet_minutes: Option<String>,
}

/// What is changed of what an account is told; what is none stays.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoticeEdit {
    pub limits: Option<bool>,
    /// "80, 100".
    pub thresholds: Option<String>,
    pub expiry: Option<bool>,
    /// Which state was seen (`NoticeSettings::version`): another one is not overwritten. None: whatever it is.
    pub seen: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thresholds_are_read_as_people_write_them() {
        assert_eq!(NoticeSettings::read_thresholds("100, 80"), Ok(vec![80, 100]));
        assert_eq!(NoticeSettings::read_thresholds(" 50% 50 90 "), Ok(vec![50, 90]));
        for wrong in ["", "0", "101", "80 percent", "-5", "1,2,3,4,5,6", "80.5"] {
            assert!(NoticeSettings::read_thresholds(wrong).is_err(), "{wrong}");
        }
        assert_eq!(NoticeSettings::default().thresholds_text(), "80, 100");
    }
}
