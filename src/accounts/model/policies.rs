//! How long sessions and keys last: what roles and plans say of it, and what holds for one account.

use crate::values::Version;
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// What a role or a plan says. None: nothing, so that the next one decides. Seconds; 0 is "never".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Policy {
    /// A session ends when it was not used for so long: 60 to 34,560,000 (400 days).
    pub idle_seconds: Option<u32>,
    /// A session ends so long after sign-in: 60 to 34,560,000.
    pub max_seconds: Option<u32>,
    /// Sessions at once: 1 to 200.
    pub session_count: Option<u32>,
    /// The longest life of a key: 3,600 to 316,224,000 (3,660 days).
    pub key_max_seconds: Option<u32>,
}

/// What says it; in text `role:operator` or `plan:pro`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum PolicyHolder {
    Role(String),
    Plan(String),
}

impl PolicyHolder {
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Role(_) => "role",
            Self::Plan(_) => "plan",
        }
    }

    pub fn slug(&self) -> &str {
        match self {
            Self::Role(slug) | Self::Plan(slug) => slug,
        }
    }

    /// The slug of a role, and that of a plan: one of them.
    pub fn columns(&self) -> (Option<&str>, Option<&str>) {
        match self {
            Self::Role(slug) => (Some(slug), None),
            Self::Plan(slug) => (None, Some(slug)),
        }
    }
}

impl fmt::Display for PolicyHolder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.kind(), self.slug())
    }
}

impl FromStr for PolicyHolder {
    type Err = &'static str;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once(':') {
            Some(("role", slug)) => Ok(Self::Role(slug.to_owned())),
            Some(("plan", slug)) => Ok(Self::Plan(slug.to_owned())),
            _ => Err("Choose a role or a plan."),
        }
    }
}

/// The form of what one role or plan says: `8h`, `30d`, `never`, or empty.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct PolicyForm {
    /// A `PolicyHolder`.
    pub of: String,
    pub idle: String,
    pub max: String,
    pub count: String,
    pub key_max: String,
}

impl PolicyForm {
    /// Of what it shows; that nothing is said is a state, too.
    pub fn version(&self) -> Version {
        Version::of(self)
    }
}

/// A role or a plan on `/admin/sessions`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyRow {
    pub holder: PolicyHolder,
    pub name: String,
    /// As its form shows it.
    pub form: PolicyForm,
}

/// What `/admin/sessions` shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyPage {
    /// Roles, then plans.
    pub rows: Vec<PolicyRow>,
    /// What the configuration says.
    pub default: PolicyForm,
    /// What "never" is for a session, in words.
    pub cap: String,
    pub may_change: bool,
}

/// A value that holds for an account, in words, and where it comes from: `8 hours`, `role Operator`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InForce {
    pub value: String,
    /// None: the default of the site.
    pub origin: Option<String>,
}

impl InForce {
    /// `8 hours (role Operator)`.
    pub fn in_full(&self) -> String {
        format!("{} ({})", self.value, self.origin.as_deref().unwrap_or("default"))
    }
}

/// How long the sessions and keys of one account last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lasting {
    /// Without use.
    pub idle: InForce,
    /// After sign-in, used or not.
    pub max: InForce,
    /// Sessions at once.
    pub count: InForce,
    /// The longest life of a key.
    pub key_max: InForce,
}
