//! Effective permissions of an account, with where each comes from.

use crate::values::{CATALOGUE, Permission};
use serde::{Deserialize, Serialize};

/// A permission that an account has, and by which of its roles.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldPermission {
    pub permission: Permission,
    /// The names of the roles that give it, sorted; one at least.
    pub roles: Vec<String>,
}

impl HeldPermission {
    /// What it allows; empty for one that the catalogue does not know.
    pub fn words(&self) -> &'static str {
        CATALOGUE.iter().find(|(known, _)| *known == self.permission).map_or("", |(_, words)| *words)
    }
}
