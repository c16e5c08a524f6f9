//! Counters that the keys of a workspace share: what a customer may call is counted for all of the customer's keys together.
//!
//! A group lives as long as a key's record holds it. All limits of a key have one owner (the key, or its workspace), so one lock of the
//! owner is enough to charge them together.

use super::limit::Counter;
use crate::{keys::model::Window, values::WorkspaceId};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
};

/// By the name of the limit and its window.
type Counters = HashMap<(Arc<str>, Window), Arc<Counter>>;

/// The counters of one workspace.
#[derive(Debug, Default)]
pub struct Group {
    /// Held while several limits are charged together.
    pub together: Arc<Mutex<()>>,
    counters: Mutex<Counters>,
}

impl Group {
    /// The counter of a limit, and whether it begins now.
    pub fn counter(&self, name: &Arc<str>, window: Window) -> (Arc<Counter>, bool) {
        let mut counters = lock(&self.counters);
        let before = counters.len();
        let counter = Arc::clone(counters.entry((Arc::clone(name), window)).or_default());
        (counter, counters.len() > before)
    }
}

/// The groups that live, by workspace.
#[derive(Debug, Default)]
pub struct Groups(Mutex<HashMap<WorkspaceId, Weak<Group>>>);

impl Groups {
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
