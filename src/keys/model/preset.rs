//! Presets: sets of permissions that need no thought.

use super::{Api, ApiPermission};
use crate::values::Permission;
use serde::{Deserialize, Serialize};

/// What a key may, in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Preset {
    /// What most keys need: those that the operator of the API marked, else those that only read.
    Basic,
    ReadOnly,
    /// Everything that can be given.
    Admin,
}

impl Preset {
    pub const ALL: [Self; 3] = [Self::Basic, Self::ReadOnly, Self::Admin];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Basic => "basic",
            Self::ReadOnly => "read-only",
            Self::Admin => "admin",
        }
    }

    pub const fn label(self) -> &'static str {
        match self {
            Self::Basic => "Basic",
            Self::ReadOnly => "Read-only",
            Self::Admin => "Admin",
        }
    }

    /// For whom it is.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Basic => "What most programs need.",
            Self::ReadOnly => "All permissions that only read.",
            Self::Admin => "All permissions that you can give.",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|preset| preset.as_str() == text)
    }

    /// The preset that stands where permissions are listed: alone, and no permission is called so.
    pub fn named(texts: &[String]) -> Option<Self> {
        match texts {
            [text] => Self::parse(text.trim()),
            _ => None,
        }
    }

    /// Its permissions, of those that there are.
    pub fn of(self, permissions: &[ApiPermission]) -> Vec<Permission> {
        let is_marked = permissions.iter().any(|p| p.is_basic);
        let chosen = permissions.iter().filter(|p| match self {
            Self::Basic if is_marked => p.is_basic,
            Self::Basic | Self::ReadOnly => p.permission.as_str().ends_with(":read"),
            Self::Admin => true,
        });
        chosen.map(|p| p.permission.clone()).collect()
    }
}

impl Api {
    /// The permissions of a preset, of those that the API knows.
    pub fn preset(&self, preset: Preset) -> Vec<Permission> {
        preset.of(&self.permissions)
    }
}
