//! What whoever runs the server may lock: operators then change nothing of it on pages and over REST, only the server's command line does.

use serde::{Deserialize, Serialize};
use std::fmt;

/// A part of what operators make this site out of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Area {
    /// APIs: their names, permissions, routes, bundles and limits.
    Apis,
    /// Fields of profiles.
    Fields,
    /// Plans and groups, and what they allow; who has a plan, be it a group, and who is in a group stays open.
    Plans,
    /// The rules that block by themselves, and the networks that no block holds.
    Rules,
    /// How long sessions and keys last.
    Sessions,
}

impl Area {
    pub const ALL: [Self; 5] = [Self::Apis, Self::Fields, Self::Plans, Self::Rules, Self::Sessions];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Apis => "apis",
            Self::Fields => "fields",
            Self::Plans => "plans",
            Self::Rules => "rules",
            Self::Sessions => "sessions",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|area| area.as_str() == text)
    }

    /// Why nothing of it is changed here, and the next step: the same on pages, over REST and on the command line.
    pub fn locked(self) -> String {
        let what = match self {
            Self::Apis => "The descriptions of APIs",
            Self::Fields => "The fields of profiles",
            Self::Plans => "Plans and groups",
            Self::Rules => "The rules of blocks",
            Self::Sessions => "The rules of sessions",
        };
        format!("{what} are locked in the server's configuration. Who runs the server changes them there, or unlocks them: tollgate config unlock {self}")
    }
}

impl fmt::Display for Area {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_area_is_read_by_its_name() {
        for area in Area::ALL {
            assert_eq!(Area::parse(area.as_str()), Some(area));
            assert!(area.locked().ends_with(area.as_str()));
        }
        assert_eq!(Area::parse("branding"), None);
    }
}
