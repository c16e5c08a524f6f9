//! Bundles: named sets of an API's permissions, which keys hold beside single ones.

use super::{Api, Key};
use crate::values::{Permission, Slug, Version};
use serde::{Deserialize, Serialize};

/// A bundle as the catalogue of its API has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bundle {
    /// It stays, and no other bundle of the API has it.
    pub name: Slug,
    pub description: String,
    /// Those that it names itself, sorted.
    pub permissions: Vec<Permission>,
    /// Other bundles of the API that it includes, sorted; never itself, over whatever others.
    pub includes: Vec<Slug>,
    /// Everything that it gives: its own permissions and those of what it includes, at any depth; sorted.
    pub gives: Vec<Permission>,
}

impl Bundle {
    /// How many an API has at most.
    pub const MAX_COUNT: usize = 100;

    /// Of what its form shows; what it gives follows from it and from others.
    pub fn version(&self) -> Version {
        Version::of(&(&self.description, &self.permissions, &self.includes))
    }
}

/// A bundle that somebody describes. Texts as they were typed; the operation checks them.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct NewBundle {
    pub name: String,
    pub description: String,
    pub permissions: Vec<String>,
    /// Names of other bundles of the API.
    pub includes: Vec<String>,
    /// Which state of the one that it replaces was seen (`Bundle::version`): another one is not overwritten. None: whatever it is.
    pub seen: Option<String>,
}

impl Api {
    pub fn bundle(&self, name: &str) -> Option<&Bundle> {
        self.bundles.iter().find(|bundle| bundle.name.as_str() == name)
    }

    /// By which of its bundles a key has this permission.
    pub fn bundles_giving(&self, key: &Key, permission: &Permission) -> Vec<Slug> {
        let gives = |bundle: &&Bundle| key.bundles.contains(&bundle.name) && bundle.gives.contains(permission);
        self.bundles.iter().filter(gives).map(|bundle| bundle.name.clone()).collect()
    }
}

impl Key {
    /// Takes a bundle that it holds into account.
    pub fn hold(&mut self, bundle: Slug, gives: Vec<Permission>) {
        self.bundles.push(bundle);
        self.effective.extend(gives);
        self.effective.sort();
        self.effective.dedup();
    }
}

/// "the bundle a", "the bundles a and b".
pub fn bundle_words(names: &[Slug]) -> String {
    let names: Vec<&str> = names.iter().map(Slug::as_str).collect();
    match names.as_slice() {
        [] => String::new(),
        [one] => format!("the bundle {one}"),
        [others @ .., last] => format!("the bundles {} and {last}", others.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bundles_are_named_in_words() {
        let words = |names: &[&str]| bundle_words(&names.iter().filter_map(|name| name.parse().ok()).collect::<Vec<Slug>>());
        assert_eq!([words(&[]), words(&["a"]), words(&["a", "b"])], ["", "the bundle a", "the bundles a and b"]);
        assert_eq!(words(&["a", "b", "c"]), "the bundles a, b and c");
    }
}
