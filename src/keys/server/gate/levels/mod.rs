//! Who gives limits to keys, each once: plans, groups, workspaces and APIs. Of those that may give a key limits the first that has any holds it, as
//! `limit_levels` (0064) decides it (tested); what comes out is an allowance, once for all keys of the same terms.
//!
//! They also grant permissions that an API gives only by grant. There it is not the first that counts but what any of them grants, as
//! `withheld_permissions` (0065) decides it (tested); what nobody grants is withheld from all keys of the terms.
//!
//! When one of them gives something else, every allowance that is another by it ends and names the one that holds from then on: as many
//! steps as there are allowances, however many keys hold them, and no key is read. A key finds the other one at its next call, or when it is its
//! turn (`renewal`); what was counted goes on, since its record is made anew from the one that it had.

use super::{
    facts::{Allowance, NamedPlan, Withheld},
    limit::Limits,
    sharing::Shared,
};
use crate::{keys::model::Level, values::Permission};
use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Weak},
};
use uuid::Uuid;

/// Who may give limits to a key beside the key itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Terms {
    pub api: Uuid,
    /// Tollgate's own API is nobody's product: what a workspace may call does not count there.
    pub is_own_api: bool,
    pub key_plan: Option<Uuid>,
    /// Only one that has limits or grants of its own: all others have the same terms.
    pub workspace: Option<Uuid>,
    pub workspace_plan: Option<Uuid>,
    pub group: Option<Uuid>,
}

impl Terms {
    /// The plans that may give the key limits, and its name to the plan: the first of them.
    fn plans(&self, given: &HashMap<Uuid, Given>) -> [Option<Uuid>; 3] {
        [self.key_plan, self.workspace_plan, self.group.and_then(|group| given.get(&group)?.plan)]
    }

    fn names_any(&self, holders: &HashSet<Uuid>, given: &HashMap<Uuid, Given>) -> bool {
        let [key_plan, workspace_plan, group_plan] = self.plans(given);
        [Some(self.api), key_plan, self.workspace, workspace_plan, self.group, group_plan].into_iter().flatten().any(|holder| holders.contains(&holder))
    }

    fn resolve(&self, given: &HashMap<Uuid, Given>, default: &Limits) -> Resolved {
        let [key_plan, workspace_plan, group_plan] = self.plans(given);
        let plan = [key_plan, workspace_plan, group_plan].into_iter().flatten().find_map(|plan| given.get(&plan)?.slug.clone());
        let of_workspace = |holder: Option<Uuid>| holder.filter(|_| !self.is_own_api);
        let holders = [
            (Level::KeyPlan, key_plan),
            (Level::Workspace, of_workspace(self.workspace)),
            (Level::Group, of_workspace(self.group)),
            (Level::WorkspacePlan, of_workspace(workspace_plan)),
            (Level::GroupPlan, of_workspace(group_plan)),
            (Level::Api, Some(self.api)),
        ];
        let first = |(level, holder): (Level, Option<Uuid>)| {
            let given = given.get(&holder?).filter(|given| !given.limits.is_empty())?;
            Some((level, Arc::clone(&given.limits)))
        };
        let (level, limits) = holders.into_iter().find_map(first).unwrap_or_else(|| (Level::Default, Arc::clone(default)));
        Resolved { plan, level, limits, withheld: self.withheld(given) }
    }

    /// What the API gives by grant only, and none of those who may grant it does.
    fn withheld(&self, given: &HashMap<Uuid, Given>) -> Option<Withheld> {
        let needing = given.get(&self.api).map(|api| &api.grants).filter(|needing| !needing.is_empty() && !self.is_own_api)?;
        let [key_plan, workspace_plan, group_plan] = self.plans(given);
        let granting: Vec<&Given> =
            [key_plan, self.workspace, self.group, workspace_plan, group_plan].into_iter().flatten().filter_map(|id| given.get(&id)).collect();
        let is_granted = |grant: &Granted| granting.iter().any(|given| given.grants.contains(grant));
        let withheld: Withheld = needing.iter().filter(|grant| !is_granted(grant)).map(|(_, permission)| permission.clone()).collect();
        (!withheld.is_empty()).then_some(withheld)
    }
}

/// What holds a key that has no limits of its own.
struct Resolved {
    plan: Option<NamedPlan>,
    level: Level,
    limits: Limits,
    withheld: Option<Withheld>,
}

/// A permission of this API.
pub type Granted = (Uuid, Permission);

/// What one of them gives.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Given {
    pub limits: Limits,
    /// What a plan, a group or a workspace grants, of whatever APIs; of an API what it gives by grant only.
    pub grants: Box<[Granted]>,
    /// Of a plan.
    pub slug: Option<NamedPlan>,
    /// The plan of a group.
    pub plan: Option<Uuid>,
}

/// What a change made of the allowances.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Change {
    /// Some ended.
    pub ends: bool,
    /// By some that took their place something begins to be counted.
    pub begins: bool,
}

#[derive(Debug)]
pub struct Levels {
    default: Limits,
    given: HashMap<Uuid, Given>,
    lines: HashMap<Arc<Terms>, Line>,
    /// Of keys with limits of their own.
    own: Shared<Allowance>,
}

/// The present allowances of the same terms. They live as long as a key's record holds them.
#[derive(Debug, Default)]
struct Line {
    common: Weak<Allowance>,
    /// Of keys with limits of their own, which only learn of what their plan is called, and of grants.
    own: Vec<Weak<Allowance>>,
}

impl Line {
    fn is_held(&self) -> bool {
        self.common.strong_count() > 0 || self.own.iter().any(|own| own.strong_count() > 0)
    }

    fn renew(&mut self, terms: &Arc<Terms>, now: &Resolved, change: &mut Change) {
        let mut next = |before: &Allowance, level, limits: &Limits| {
            let next = Arc::new(Allowance::new(Arc::clone(terms), now.plan.clone(), level, Arc::clone(limits)).withholding(now.withheld.clone()));
            change.ends = true;
            change.begins |= next.begins_after(before);
            before.end(Arc::clone(&next));
            Arc::downgrade(&next)
        };
        if let Some(before) = self.common.upgrade()
            && (before.plan != now.plan || before.level != now.level || before.limits != now.limits || before.withheld() != now.withheld.as_ref())
        {
            self.common = next(&before, now.level, &now.limits);
        }
        for own in &mut self.own {
            if let Some(before) = own.upgrade()
                && (before.plan != now.plan || before.withheld() != now.withheld.as_ref())
            {
                *own = next(&before, before.level, &before.limits);
            }
        }
    }
}

impl Levels {
    pub fn new(default: Limits) -> Self {
        Self { default, given: HashMap::new(), lines: HashMap::new(), own: Shared::default() }
    }

    /// True if what it gives is known.
    pub fn knows(&self, holder: Uuid) -> bool {
        self.given.contains_key(&holder)
    }

    /// The terms of a key, whose workspace is named.
    pub fn terms(&self, named: Terms) -> Terms {
        Terms { workspace: named.workspace.filter(|workspace| self.knows(*workspace)), ..named }
    }

    /// The allowance of keys without limits of their own.
    pub fn of(&mut self, terms: &Terms) -> Arc<Allowance> {
        if let Some(known) = self.lines.get(terms).and_then(|line| line.common.upgrade()) {
            return known;
        }
        let Resolved { plan, level, limits, withheld } = terms.resolve(&self.given, &self.default);
        let allowance = Arc::new(Allowance::new(self.shared(terms), plan, level, limits).withholding(withheld));
        self.line(&allowance.terms).common = Arc::downgrade(&allowance);
        allowance
    }

    /// That of a key with limits of its own.
    pub fn of_own(&mut self, terms: &Terms, limits: Limits) -> Arc<Allowance> {
        let Resolved { plan, withheld, .. } = terms.resolve(&self.given, &self.default);
        let allowance = Allowance::new(self.shared(terms), plan, Level::Key, limits).withholding(withheld);
        if let Some(known) = self.own.find(&allowance).filter(|known| !known.is_over()) {
            return known;
        }
        let allowance = self.own.keep(allowance);
        let line = self.line(&allowance.terms);
        if line.own.len() == line.own.capacity() {
            line.own.retain(|own| own.strong_count() > 0); // before it grows
        }
        line.own.push(Arc::downgrade(&allowance));
        allowance
    }

    /// They give this from now on; none: nothing.
    pub fn change(&mut self, news: impl IntoIterator<Item = (Uuid, Option<Given>)>) -> Change {
        let mut changed = HashSet::new();
        for (holder, now) in news {
            if self.given.get(&holder) == now.as_ref() {
                continue;
            }
            changed.insert(holder);
            match now {
                Some(now) => _ = self.given.insert(holder, now),
                None => _ = self.given.remove(&holder),
            }
        }
        let mut change = Change::default();
        if !changed.is_empty() {
            let (given, default) = (&self.given, &self.default);
            self.lines.retain(|terms, line| {
                if terms.names_any(&changed, given) {
                    line.renew(terms, &terms.resolve(given, default), &mut change);
                }
                line.is_held()
            });
        }
        change
    }

    fn shared(&self, terms: &Terms) -> Arc<Terms> {
        self.lines.get_key_value(terms).map_or_else(|| Arc::new(terms.clone()), |(known, _)| Arc::clone(known))
    }

    fn line(&mut self, terms: &Arc<Terms>) -> &mut Line {
        if self.lines.len() == self.lines.capacity() {
            self.lines.retain(|_, line| line.is_held()); // before it grows
        }
        self.lines.entry(Arc::clone(terms)).or_default()
    }
}

#[cfg(test)]
mod tests;
