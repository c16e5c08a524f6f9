//! Grants: permissions of an API that keys have only where a plan, a group or a workspace grants them.

use crate::values::{Permission, Slug};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// A permission of an API, granted. As text `orders/reports:export`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Grant {
    pub api: Slug,
    pub permission: Permission,
}

impl Grant {
    /// How many a plan, a group or a workspace has at most.
    pub const MAX_COUNT: usize = 200;
}

impl fmt::Display for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.api, self.permission)
    }
}

impl FromStr for Grant {
    type Err = &'static str;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (api, permission) = text.split_once('/').ok_or("Write the slug of an API, a slash and a permission: orders/reports:export.")?;
        Ok(Self { api: api.parse()?, permission: permission.parse()? })
    }
}
impl TryFrom<String> for Grant {
    type Error = &'static str;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}
impl From<Grant> for String {
    fn from(grant: Grant) -> Self {
        grant.to_string()
    }
}

/// A permission that needs a grant, for operators to choose.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GrantChoice {
    pub grant: Grant,
    /// The name of its API.
    pub api_name: String,
    pub description: String,
}

/// A permission that needs a grant, where there is none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Withheld {
    pub permission: Permission,
    /// Names of plans that grant it, some of them.
    pub plans: Vec<String>,
}

impl Withheld {
    /// How to come by it.
    pub fn next_step(&self) -> String {
        match self.plans.as_slice() {
            [] => "Ask an operator for it.".to_owned(),
            [one] => format!("The plan {one} grants it: ask an operator."),
            [others @ .., last] => format!("The plans {} and {last} grant it: ask an operator.", others.join(", ")),
        }
    }

    /// Why a key can't be given it.
    pub fn words(&self) -> String {
        format!("{} needs a grant, and this workspace has none. {}", self.permission, self.next_step())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grant_is_one_word() {
        let grant: Result<Grant, _> = "orders/reports:export".parse();
        assert_eq!(grant.map(|grant| (grant.to_string(), grant.api.to_string())), Ok(("orders/reports:export".to_owned(), "orders".to_owned())));
        for wrong in ["reports:export", "Orders/reports:export", "orders/reports", "orders/a/b:c", ""] {
            assert!(wrong.parse::<Grant>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn who_grants_it_is_said() {
        let words = |plans: &[&str]| {
            let permission = "reports:export".parse::<Permission>().ok();
            permission.map(|permission| Withheld { permission, plans: plans.iter().map(|p| (*p).to_owned()).collect() }.words())
        };
        assert_eq!(words(&[]).as_deref(), Some("reports:export needs a grant, and this workspace has none. Ask an operator for it."));
        assert_eq!(words(&["Pro"]).as_deref(), Some("reports:export needs a grant, and this workspace has none. The plan Pro grants it: ask an operator."));
        assert!(words(&["A", "B", "C"]).is_some_and(|words| words.ends_with("The plans A, B and C grant it: ask an operator.")));
    }
}
