//! Counters that the keys of a workspace share: what a customer may call is counted for all of the customer's keys together.
//!
//! A group here is the counters of one workspace (not the groups of workspaces that operators make, which only say how much each of their
//! workspaces may). It lives as long as a key's record holds it. All limits of a key have one owner (the key, or its workspace), so one lock of the
//! owner is enough to charge them together.

use super::{limit::Counter, record::Counted};
use crate::{
    keys::model::Window,
    values::{KeyId, WorkspaceId},
};
use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
};

/// By the name of the limit and its window. One lives while a key's record has it: a limit that comes back begins anew and is resumed.
type Counters = HashMap<(Arc<str>, Window), Shared>;

#[derive(Debug)]
struct Shared {
    counter: Weak<Counter>,
    /// Whose usage it counts.
    joined: HashSet<KeyId>,
}

/// The counters of one workspace.
#[derive(Debug, Default)]
pub struct Group {
    /// Held while several limits are charged together.
    pub together: Arc<Mutex<()>>,
    counters: Mutex<Counters>,
    /// What its keys count by, while one of them holds it: hardly ever do they have different limits.
    alike: Mutex<Weak<Counted>>,
}

impl Group {
    /// What keys with these limits count by: kept once.
    pub fn alike(&self, counted: Counted) -> Arc<Counted> {
        let mut alike = lock(&self.alike);
        if let Some(known) = alike.upgrade().filter(|known| known.is_alike(&counted)) {
            return known;
        }
        let counted = Arc::new(counted);
        *alike = Arc::downgrade(&counted);
        counted
    }

    /// What its keys count by now; none while no call of them was asked about.
    pub fn present(&self) -> Option<Arc<Counted>> {
        lock(&self.alike).upgrade()
    }

    /// The keys that count by its counters, and some that did.
    pub fn joined(&self) -> HashSet<KeyId> {
        let counters = lock(&self.counters);
        counters.values().filter(|shared| shared.counter.strong_count() > 0).flat_map(|shared| shared.joined.iter().copied()).collect()
    }

    /// The counter of a limit, and whether it counts this key from now on only.
    pub fn counter(&self, key: KeyId, name: &Arc<str>, window: Window) -> (Arc<Counter>, bool) {
        let mut counters = lock(&self.counters);
        let slot = (Arc::clone(name), window);
        if let Some(shared) = counters.get_mut(&slot)
            && let Some(counter) = shared.counter.upgrade()
        {
            return (counter, shared.joined.insert(key));
        }
        counters.retain(|_, shared| shared.counter.strong_count() > 0);
        let counter = Arc::default();
        counters.insert(slot, Shared { counter: Arc::downgrade(&counter), joined: HashSet::from([key]) });
        (counter, true)
    }
}

/// The groups that live, by workspace.
#[derive(Debug, Default)]
pub struct Groups(Mutex<HashMap<WorkspaceId, Weak<Group>>>);

impl Groups {
    /// The group of a workspace that has one.
    pub fn find(&self, workspace: WorkspaceId) -> Option<Arc<Group>> {
        lock(&self.0).get(&workspace).and_then(Weak::upgrade)
    }

    /// The group of a workspace; a new one if no key holds it.
    pub fn of(&self, workspace: WorkspaceId) -> Arc<Group> {
        let mut groups = lock(&self.0);
        if let Some(group) = groups.get(&workspace).and_then(Weak::upgrade) {
            return group;
        }
        if groups.len() == groups.capacity() {
            groups.retain(|_, group| group.strong_count() > 0); // before it grows
        }
        let group = Arc::default();
        groups.insert(workspace, Arc::downgrade(&group));
        group
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
