//! Permissions are strings `resource:action`. Those of Tollgate itself stand in one catalogue; an API may define its own.

use serde::{Deserialize, Serialize};
use std::{borrow::Cow, fmt, str::FromStr};

/// A permission, `resource:action`, lower case, at most 64 bytes.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Permission(Cow<'static, str>);

impl Permission {
    const fn named(name: &'static str) -> Self {
        Self(Cow::Borrowed(name))
    }
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The permissions of Tollgate itself, by name.
pub mod names {
    use super::Permission;
    pub const ACCOUNT_READ: Permission = Permission::named("account:read");
    pub const ACCOUNT_WRITE: Permission = Permission::named("account:write");
    pub const KEYS_READ: Permission = Permission::named("keys:read");
    pub const KEYS_WRITE: Permission = Permission::named("keys:write");
    /// A service asks whether a key may pass.
    pub const KEYS_VERIFY: Permission = Permission::named("keys:verify");
    /// Limits of keys, and keys of others.
    pub const KEYS_MANAGE: Permission = Permission::named("keys:manage");
    pub const USAGE_READ: Permission = Permission::named("usage:read");
    /// Open the admin pages.
    pub const ADMIN_READ: Permission = Permission::named("admin:read");
    pub const ACCOUNTS_MANAGE: Permission = Permission::named("accounts:manage");
    /// Be in the account of somebody else for a while; never in that of an operator.
    pub const ACCOUNTS_ACT_AS: Permission = Permission::named("accounts:act-as");
    pub const APIS_MANAGE: Permission = Permission::named("apis:manage");
    /// Describe plans, set limits of workspaces and APIs, assign plans to workspaces.
    pub const PLANS_MANAGE: Permission = Permission::named("plans:manage");
    /// Block addresses, keys and workspaces, lift blocks, set the rules that make them.
    pub const BLOCKS_MANAGE: Permission = Permission::named("blocks:manage");
    pub const JOBS_MANAGE: Permission = Permission::named("jobs:manage");
}

/// Every permission of Tollgate with what it allows, for forms and docs.
pub const CATALOGUE: &[(Permission, &str)] = &[
    (names::ACCOUNT_READ, "Read your account and sessions"),
    (names::ACCOUNT_WRITE, "Change your account, end sessions"),
    (names::KEYS_READ, "List and read keys"),
    (names::KEYS_WRITE, "Create, rename, disable and revoke keys"),
    (names::KEYS_VERIFY, "Verify keys for a service"),
    (names::KEYS_MANAGE, "Set limits of keys, and manage keys of others"),
    (names::USAGE_READ, "Read usage"),
    (names::ADMIN_READ, "Open the admin pages"),
    (names::ACCOUNTS_MANAGE, "Disable accounts and end their sessions"),
    (names::ACCOUNTS_ACT_AS, "See the product as somebody else, for an hour at most"),
    (names::APIS_MANAGE, "Describe APIs"),
    (names::PLANS_MANAGE, "Make plans, set limits and assign them"),
    (names::BLOCKS_MANAGE, "Block addresses, keys and workspaces"),
    (names::JOBS_MANAGE, "Retry jobs"),
];

impl FromStr for Permission {
    type Err = &'static str;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let word = |w: &str| {
            w.starts_with(|c: char| c.is_ascii_lowercase()) && w.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_')
        };
        match text.split_once(':') {
            Some((resource, action)) if text.len() <= 64 && word(resource) && word(action) => Ok(Self(Cow::Owned(text.to_owned()))),
            _ => Err("A permission looks like orders:read: lower-case letters, digits, - and _, with one colon."),
        }
    }
}
impl TryFrom<String> for Permission {
    type Error = &'static str;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}
impl From<Permission> for String {
    fn from(p: Permission) -> Self {
        p.0.into_owned()
    }
}
impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_catalogue_obeys_its_own_rule() {
        for (permission, words) in CATALOGUE {
            assert_eq!(permission.as_str().parse::<Permission>().as_ref(), Ok(permission));
            assert!(!words.is_empty());
        }
    }

    #[test]
    fn other_shapes_are_refused() {
        for text in ["", "orders", "orders:", ":read", "Orders:read", "orders:read:all", "orders read:x"] {
            assert!(text.parse::<Permission>().is_err(), "{text}");
        }
    }
}
