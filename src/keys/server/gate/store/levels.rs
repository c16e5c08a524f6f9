//! What plans, groups, workspaces and APIs give their keys, limits and grants: read whole at a start, and of those that changed, however many
//! keys they hold.

use super::{
    super::{
        Gate,
        facts::NamedPlan,
        levels::{Given, Granted, Terms},
        limit::Policy,
        sync::within,
    },
    Which, read_keys,
    reading::{ONE_MOMENT, policy},
};
use crate::{
    keys::model::{Level, Window},
    values::{KeyId, Permission},
};
use futures_util::TryStreamExt;
use sqlx::{Connection, PgConnection};
use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::Duration,
};
use uuid::Uuid;

/// Keys of workspaces that changed are read, up to so many; of more the table knows all that a change there may change.
const FEW: i64 = 1_000;
/// So many keys are put without a pause: less than a millisecond.
const AT_ONCE: usize = 256;

/// A row for each limit, or one for who has none.
struct Row {
    id: Uuid,
    is_workspace: bool,
    slug: Option<String>,
    entitlements: Option<Vec<String>>,
    plan: Option<Uuid>,
    in_group: Option<Uuid>,
    /// `{id of an API} {permission}` each.
    grants: Option<Vec<String>>,
    name: Option<String>,
    max_calls: Option<i64>,
    kind: Option<String>,
    window_seconds: Option<i32>,
    zone: Option<String>,
    refill: Option<i64>,
    unit: Option<String>,
    over: Option<String>,
}

/// A plan, a group, a workspace or an API.
struct Holder {
    id: Uuid,
    is_workspace: bool,
    named: Option<NamedPlan>,
    /// Of a workspace or a group.
    plan: Option<Uuid>,
    /// Of a workspace.
    group: Option<Uuid>,
    grants: Vec<Granted>,
    limits: Vec<Arc<Policy>>,
}

impl Holder {
    fn new(row: &mut Row) -> Self {
        let entitlements = row.entitlements.take().unwrap_or_default();
        let named = row.slug.take().map(|slug| NamedPlan::new(&slug, &entitlements));
        let grants = row.grants.take().unwrap_or_default();
        let grants = grants
            .iter()
            .filter_map(|text| text.split_once(' '))
            .filter_map(|(api, permission)| Some((api.parse::<Uuid>().ok()?, permission.parse::<Permission>().ok()?)));
        Self { id: row.id, is_workspace: row.is_workspace, named, plan: row.plan, group: row.in_group, grants: grants.collect(), limits: Vec::new() }
    }

    fn limit(&mut self, gate: &Gate, row: Row) -> Option<()> {
        let window = Window::stored(&row.kind?, row.window_seconds?, &row.zone?, row.refill?);
        self.limits.push(gate.policies.shared(policy(row.name?, row.max_calls?, window, (&row.unit?, &row.over?))));
        Some(())
    }

    /// What is to be known of it: of a workspace only its own limits and grants.
    fn told(self) -> (Uuid, Option<Given>) {
        let is_nothing = self.is_workspace && self.limits.is_empty() && self.grants.is_empty();
        let given = Given { limits: self.limits.into(), grants: self.grants.into(), slug: self.named, plan: self.plan.filter(|_| !self.is_workspace) };
        (self.id, (!is_nothing).then_some(given))
    }
}

/// Rows follow each other by holder.
fn add(gate: &Gate, holders: &mut Vec<Holder>, mut row: Row) {
    if holders.last().is_none_or(|last| last.id != row.id) {
        holders.push(Holder::new(&mut row));
    }
    if let Some(holder) = holders.last_mut() {
        _ = holder.limit(gate, row); // none: it has none
    }
}

/// Learns of all of them.
pub async fn load_levels(gate: &Gate, conn: &mut PgConnection, patience: Duration) -> sqlx::Result<()> {
    let mut rows = sqlx::query_as!(
        Row,
        r#"select x.id as "id!", x.is_workspace as "is_workspace!", x.slug as "slug?", x.entitlements as "entitlements?", x.plan_id as "plan?", null::uuid as "in_group?",
             p.grants as "grants?", l.name as "name?", l.max_calls as "max_calls?", l.kind as "kind?", l.window_seconds as "window_seconds?", l.zone as "zone?", l.refill as "refill?", l.unit as "unit?", l.over as "over?"
           from (
             select id, false as is_workspace, null::text as slug, null::text[] as entitlements, null::uuid as plan_id from apis union all
             select id, false, slug, entitlements, null from plans union all
             select id, false, null, null, plan_id from groups union all
             select w.id, true, null, null::text[], null::uuid
             from (select workspace_id as id from workspace_limits union select workspace_id from workspace_grants) w
           ) x left join (
             select g.holder, array_agg(g.api_id || ' ' || g.permission order by g.api_id, g.permission collate "C") as grants from (
               select plan_id as holder, api_id, permission from plan_grants union all
               select workspace_id, api_id, permission from workspace_grants union all
               select group_id, api_id, permission from group_grants union all
               select api_id, api_id, permission from api_permissions where needs_grant
             ) g group by g.holder
           ) p on p.holder = x.id left join (
             select plan_id as holder, name, max_calls, kind, window_seconds, zone, refill, unit, over from plan_limits union all
             select workspace_id, name, max_calls, kind, window_seconds, zone, refill, unit, over from workspace_limits union all
             select group_id, name, max_calls, kind, window_seconds, zone, refill, unit, over from group_limits union all
             select api_id, name, max_calls, kind, window_seconds, zone, refill, unit, over from api_limits
           ) l on l.holder = x.id order by x.id, l.name"#
    )
    .fetch(conn);
    let mut holders = Vec::new();
    while let Some(row) = within(patience, rows.try_next()).await? {
        add(gate, &mut holders, row);
    }
    gate.learn(holders.into_iter().map(Holder::told).collect());
    Ok(())
}

/// Those that there are of these; shows each row.
async fn list_holders(gate: &Gate, conn: &mut PgConnection, ids: &[Uuid], patience: Duration, mut show: impl FnMut()) -> sqlx::Result<Vec<Holder>> {
    let mut rows = sqlx::query_as!(
        Row,
        r#"select x.id as "id!", x.is_workspace as "is_workspace!", x.slug as "slug?", x.entitlements as "entitlements?", x.plan_id as "plan?", x.group_id as "in_group?",
             p.grants as "grants?", l.name as "name?", l.max_calls as "max_calls?", l.kind as "kind?", l.window_seconds as "window_seconds?", l.zone as "zone?", l.refill as "refill?", l.unit as "unit?", l.over as "over?"
           from (
             select id, false as is_workspace, null::text as slug, null::text[] as entitlements, null::uuid as plan_id, null::uuid as group_id from apis where id = any($1) union all
             select id, false, slug, entitlements, null, null from plans where id = any($1) union all
             select id, false, null, null, plan_id, null from groups where id = any($1) union all
             select w.id, true, null, null, h.plan_id, m.group_id from workspaces w left join workspace_plans h on h.workspace_id = w.id
               left join group_members m on m.workspace_id = w.id where w.id = any($1)
           ) x left join (
             select g.holder, array_agg(g.api_id || ' ' || g.permission order by g.api_id, g.permission collate "C") as grants from (
               select plan_id as holder, api_id, permission from plan_grants where plan_id = any($1) union all
               select workspace_id, api_id, permission from workspace_grants where workspace_id = any($1) union all
               select group_id, api_id, permission from group_grants where group_id = any($1) union all
               select api_id, api_id, permission from api_permissions where needs_grant and api_id = any($1)
             ) g group by g.holder
           ) p on p.holder = x.id left join (
             select plan_id as holder, name, max_calls, kind, window_seconds, zone, refill, unit, over from plan_limits where plan_id = any($1) union all
             select workspace_id, name, max_calls, kind, window_seconds, zone, refill, unit, over from workspace_limits where workspace_id = any($1) union all
             select group_id, name, max_calls, kind, window_seconds, zone, refill, unit, over from group_limits where group_id = any($1) union all
             select api_id, name, max_calls, kind, window_seconds, zone, refill, unit, over from api_limits where api_id = any($1)
           ) l on l.holder = x.id order by x.id, l.name"#,
        ids,
    )
    .fetch(conn);
    let mut holders = Vec::new();
    while let Some(row) = within(patience, rows.try_next()).await? {
        show();
        add(gate, &mut holders, row);
    }
    Ok(holders)
}

/// Learns what these give, and forgets those that are gone. In the moment of the keys that name them, if they were read.
pub async fn learn(gate: &Gate, conn: &mut PgConnection, ids: &[Uuid], patience: Duration, show: impl FnMut()) -> sqlx::Result<()> {
    let holders = list_holders(gate, conn, ids, patience, show).await?;
    tell(gate, ids.iter().copied(), holders);
    Ok(())
}

fn tell(gate: &Gate, asked: impl Iterator<Item = Uuid>, holders: Vec<Holder>) {
    let mut told: HashMap<Uuid, Option<Given>> = asked.map(|id| (id, None)).collect();
    told.extend(holders.into_iter().map(Holder::told));
    gate.learn(told.into_iter().collect());
}

/// Lets all keys that these plans, groups, workspaces, APIs or bundles hold have what they give now. No key is read for a plan, a group, an
/// API or a large workspace; answers the keys that were.
pub async fn read_held(gate: &Gate, conn: &mut PgConnection, changed: &[Uuid], patience: Duration) -> sqlx::Result<HashSet<KeyId>> {
    let (mut asked, mut holders) = (HashSet::new(), Vec::new());
    let mut ask: Vec<Uuid> = changed.iter().copied().filter(|id| asked.insert(*id)).collect();
    let mut tx = within(patience, conn.begin_with(ONE_MOMENT)).await?;
    while !ask.is_empty() {
        let found = list_holders(gate, &mut tx, &ask, patience, || ()).await?;
        // A group, or a plan of one, of which no key was.
        let sharing = gate.sharing();
        let named = found.iter().flat_map(|holder| [holder.plan, holder.group]).flatten();
        ask = named.filter(|id| !sharing.levels.knows(*id) && asked.insert(*id)).collect();
        drop(sharing);
        holders.extend(found);
    }
    within(patience, tx.commit()).await?;
    let of_level: HashSet<Uuid> = holders.iter().filter(|holder| !holder.is_workspace).map(|holder| holder.id).collect();
    let workspaces: HashMap<Uuid, _> = holders.iter().filter(|holder| holder.is_workspace).map(|holder| (holder.id, (holder.plan, holder.group))).collect();
    tell(gate, asked.into_iter(), holders);

    let are_many = !workspaces.is_empty() && has_many(&mut *conn, &workspaces.keys().copied().collect::<Vec<_>>(), patience).await?;
    if are_many {
        move_keys(gate, &workspaces).await;
    }
    let is_read = |id: &&Uuid| !(of_level.contains(*id) || are_many && workspaces.contains_key(*id));
    let rest: Vec<Uuid> = changed.iter().filter(is_read).copied().collect();
    if rest.is_empty() { Ok(HashSet::new()) } else { read_keys(gate, conn, Which::HeldBy(&rest, patience)).await }
}

async fn has_many(conn: &mut PgConnection, workspaces: &[Uuid], patience: Duration) -> sqlx::Result<bool> {
    let count = sqlx::query_scalar!(r#"select count(*) as "count!" from (select from keys where workspace_id = any($1) limit $2) k"#, workspaces, FEW + 1);
    Ok(within(patience, count.fetch_one(conn)).await? > FEW)
}

/// Puts the keys of these workspaces under what these, their plans and their groups give.
async fn move_keys(gate: &Gate, workspaces: &HashMap<Uuid, (Option<Uuid>, Option<Uuid>)>) {
    for shard in 0..gate.table.shards() {
        let keys = gate.table.of_workspaces(shard, |workspace| workspaces.contains_key(&workspace.uuid()));
        for some in keys.chunks(AT_ONCE) {
            for (key, workspace, before) in some {
                let Some((workspace_plan, group)) = workspaces.get(&workspace.uuid()).copied() else { continue };
                let mut sharing = gate.sharing();
                let terms = sharing.levels.terms(Terms { workspace: Some(workspace.uuid()), workspace_plan, group, ..Terms::clone(&before.terms) });
                if terms == *before.terms {
                    continue;
                }
                let allowance = if before.level == Level::Key { sharing.levels.of_own(&terms, Arc::clone(&before.limits)) } else { sharing.levels.of(&terms) };
                drop(sharing);
                gate.table.put_under(*key, allowance);
            }
            gate.contact.is_busy();
            tokio::task::yield_now().await; // calls are answered between
        }
    }
}
