//! Reading keys with everything the gate needs of them, while it answers: it goes by sets, some thousand keys with their secrets and their
//! own limits by one statement, which sees one moment, then the limits of those who hold them by another. Which limits hold a key is
//! decided here as `limit_levels` (0025) decides it: of the levels the first that has any (tested). The whole table is read faster at a
//! start, when nobody asks yet (`loading`); what is known of a key is the same (tested).
//!
//! What many keys have in common they share in memory (`sharing`).

use super::super::{
    Gate,
    facts::{Allowance, End, Home, KeyFacts, Origin, Rare, Rights, Salted, SecretFacts, Seen, Standing},
    limit::{Limits, Policy},
    record::Record,
    sync::within,
    verify::digest_of_sha512,
};
use crate::{
    keys::{
        model::{Api, Level, Over, Window},
        server::signing::signer,
    },
    values::{AccountId, ApiId, KeyId, SecretId, WorkspaceId},
};
use futures_util::TryStreamExt;
use sqlx::PgConnection;
use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::Duration,
};
use time::OffsetDateTime;
use uuid::Uuid;

/// After so many rows questions are answered on, from what is known up to there.
const MANY: usize = 1_000;

/// One read of keys, in as many chunks as it takes.
pub struct Reading<'a> {
    gate: &'a Gate,
    /// For so long it waits between two rows.
    patience: Duration,
    /// Nobody waits for these keys in particular.
    is_open: bool,
    rows: usize,
    seen: HashSet<KeyId>,
    /// The limits of plans, workspaces, groups and APIs that were asked for already.
    held: HashMap<Uuid, Limits>,
}

/// Those who may give a key its limits, from the first level on.
pub type Holders = [(Level, Option<Uuid>); 6];

/// The first level that gives any.
pub fn first_of(holders: Holders, held: &HashMap<Uuid, Limits>, default: &Limits) -> (Level, Limits) {
    let given = |(level, holder): (Level, Option<Uuid>)| held.get(&holder?).filter(|limits| !limits.is_empty()).map(|limits| (level, Arc::clone(limits)));
    holders.into_iter().find_map(given).unwrap_or_else(|| (Level::Default, Arc::clone(default)))
}

/// Facts whose limits, but for their own ones, are not known yet.
struct Waiting {
    facts: KeyFacts,
    plan: Option<Arc<str>>,
    own: Option<Limits>,
    holders: Holders,
}

impl<'a> Reading<'a> {
    pub fn new(gate: &'a Gate, patience: Duration, is_open: bool, keys: usize) -> Self {
        Self { gate, patience, is_open, rows: 0, seen: HashSet::with_capacity(keys), held: HashMap::new() }
    }

    /// Which keys there were.
    pub fn done(self) -> HashSet<KeyId> {
        self.seen
    }

    /// Reads these keys, in order, and puts each into the table.
    pub async fn read(&mut self, conn: &mut PgConnection, ids: &[Uuid]) -> sqlx::Result<()> {
        let keys = self.read_facts(conn, ids).await?;
        let holders = keys.iter().filter(|key| key.own.is_none()).flat_map(|key| key.holders.iter().filter_map(|(_, holder)| *holder));
        let unknown: HashSet<Uuid> = holders.filter(|holder| !self.held.contains_key(holder)).collect();
        if !unknown.is_empty() {
            self.read_holders(conn, &unknown.into_iter().collect::<Vec<_>>()).await?;
        }
        let gate = self.gate;
        for Waiting { mut facts, plan, own, holders } in keys {
            let (level, limits) = match own {
                Some(own) => (Level::Key, own),
                None => first_of(holders, &self.held, &gate.default),
            };
            facts.allowance = gate.sharing().allowances.of(Allowance { plan, level, limits });
            gate.table.put(facts.key, |replaced| Record::new(facts, &gate.groups, replaced, |key, counter| gate.begun().add(key, counter)));
        }
        Ok(())
    }

    fn row(&mut self) {
        self.rows += 1;
        if self.is_open && self.rows.is_multiple_of(MANY) {
            self.gate.contact.is_busy();
        }
    }

    async fn read_holders(&mut self, conn: &mut PgConnection, holders: &[Uuid]) -> sqlx::Result<()> {
        let mut rows = sqlx::query!(
            r#"select l.holder as "holder!", l.name as "name!", l.max_calls as "max_calls!", l.window_seconds as "window_seconds!", l.zone as "zone!", l.over as "over!"
               from (
                 select plan_id as holder, name, max_calls, window_seconds, zone, over from plan_limits where plan_id = any($1) union all
                 select workspace_id, name, max_calls, window_seconds, zone, over from workspace_limits where workspace_id = any($1) union all
                 select group_id, name, max_calls, window_seconds, zone, over from group_limits where group_id = any($1) union all
                 select api_id, name, max_calls, window_seconds, zone, over from api_limits where api_id = any($1)
               ) l order by l.holder, l.name"#,
            holders,
        )
        .fetch(conn);
        let mut given = HashMap::<Uuid, Vec<Arc<Policy>>>::new();
        while let Some(row) = within(self.patience, rows.try_next()).await? {
            self.row();
            let policy = policy(row.name, row.max_calls, row.window_seconds, &row.zone, &row.over);
            given.entry(row.holder).or_default().push(self.gate.policies.shared(policy));
        }
        for holder in holders {
            self.held.insert(*holder, given.remove(holder).unwrap_or_default().into());
        }
        Ok(())
    }

    async fn read_facts(&mut self, conn: &mut PgConnection, ids: &[Uuid]) -> sqlx::Result<Vec<Waiting>> {
        let (first, last) = ends(ids);
        let mut rows = sqlx::query!(
            r#"select k.id as "id!", k.workspace_id as "workspace_id!", k.api_id as "api_id!", a.slug as "slug!", k.state as "state!", k.expires_at, w.personal_of as owner,
                 case when exists (select from account_disablements d where d.account_id = w.personal_of)
                     or exists (select from account_departures g where g.account_id = w.personal_of)
                   then 9223372036854775807 else b.until end as "banned_until?",
                 case when a.slug <> 'tollgate' then given.permissions else array(
                   select p from unnest(given.permissions) p
                   where p in (select rp.permission from account_roles ar join role_permissions rp on rp.role = ar.role where ar.account_id = w.personal_of)
                 ) end as "permissions!",
                 k.addresses::text[] as "addresses!", k.origins as "web_origins!", g.public_key as "public_key?", g.sealed_secret as "sealed_secret?", g.fingerprint as "fingerprint?",
                 coalesce(kp.slug, wp.slug, gp.slug) as "plan?", k.plan_id, h.plan_id as "workspace_plan?", gm.group_id as "group_id?", gr.plan_id as "group_plan?",
                 coalesce(s.ids, '{}') as "secret_ids!", coalesce(s.hashes, '{}') as "hashes!: Vec<Vec<u8>>", coalesce(s.origins, '{}') as "origins!",
                 coalesce(s.ends, '{}') as "secret_ends!: Vec<Option<OffsetDateTime>>", coalesce(s.awaits, false) as "awaits_first_use!",
                 l.names as "limit_names?", l.calls as "limit_calls?", l.windows as "limit_windows?", l.zones as "limit_zones?", l.overs as "limit_overs?"
               from keys k join apis a on a.id = k.api_id join workspaces w on w.id = k.workspace_id
                 cross join lateral (
                   select case when exists (select from key_bundles h where h.key_id = k.id) then key_permissions(k) else k.permissions end as permissions
                 ) given
                 left join (
                   -- Of a salted one how it begins and its salted hash, a line each.
                   select o.key_id, array_agg(o.id order by o.id) as ids,
                     array_agg(coalesce(convert_to(o.start || chr(10) || o.phc, 'UTF8'), o.hash) order by o.id) as hashes,
                     array_agg(o.origin order by o.id) as origins, array_agg(o.expires_at order by o.id) as ends, bool_or(o.until_first_use) as awaits
                   from key_secrets o where o.key_id = any($1) and o.key_id between $2 and $3 group by o.key_id
                 ) s on s.key_id = k.id
                 left join (
                   select f.key_id, array_agg(f.name order by f.name) as names, array_agg(f.max_calls order by f.name) as calls,
                     array_agg(f.window_seconds order by f.name) as windows, array_agg(f.zone order by f.name) as zones, array_agg(f.over order by f.name) as overs
                   from key_limits f where f.key_id = any($1) and f.key_id between $2 and $3 group by f.key_id
                 ) l on l.key_id = k.id
                 left join key_signings g on g.key_id = k.id
                 left join workspace_plans h on h.workspace_id = k.workspace_id
                 left join (
                   select account_id, max(coalesce((extract(epoch from until) * 1000000)::bigint, 9223372036854775807)) as until
                   from bans where account_id is not null and lifted_at is null and ended_at is null group by account_id
                 ) b on b.account_id = w.personal_of
                 left join plans kp on kp.id = k.plan_id left join plans wp on wp.id = h.plan_id
                 left join group_members gm on gm.workspace_id = k.workspace_id left join groups gr on gr.id = gm.group_id left join plans gp on gp.id = gr.plan_id
               where k.id = any($1) and k.id between $2 and $3"#,
            ids,
            first,
            last,
        )
        .fetch(conn);
        let mut keys = Vec::with_capacity(ids.len());
        while let Some(row) = within(self.patience, rows.try_next()).await? {
            self.row();
            let key = KeyId::new(row.id);
            self.seen.insert(key);
            let (mut secrets, mut salted) = (Vec::new(), Vec::new());
            for ((id, (hash, origin)), ends) in row.secret_ids.into_iter().zip(row.hashes.iter().zip(&row.origins)).zip(row.secret_ends) {
                match secret(SecretId::new(id), origin, hash, ends.map(micros)) {
                    Some(Secret::Known(secret)) => secrets.push(secret),
                    Some(Secret::Salted(secret)) => salted.push(secret),
                    None => {}
                }
            }
            let (calls, windows) = (row.limit_calls.unwrap_or_default(), row.limit_windows.unwrap_or_default());
            let (zones, overs) = (row.limit_zones.unwrap_or_default(), row.limit_overs.unwrap_or_default());
            let own: Option<Limits> = row.limit_names.map(|names| {
                let shapes = windows.into_iter().zip(zones.iter().zip(&overs));
                let policies =
                    names.into_iter().zip(calls).zip(shapes).map(|((name, max), (window, (zone, over)))| Arc::new(policy(name, max, window, zone, over)));
                policies.collect()
            });
            let holders = holders(&row.slug, row.plan_id, [Some(row.workspace_id), row.workspace_plan, row.group_id, row.group_plan], row.api_id);
            let signer = row.fingerprint.map(|print| Arc::new(signer(&self.gate.vault, key, row.public_key.as_deref(), row.sealed_secret.as_deref(), &print)));
            let home = Home {
                owner: row.owner.map_or_else(|| AccountId::new(Uuid::nil()), AccountId::new),
                workspace: WorkspaceId::new(row.workspace_id),
                api: ApiId::new(row.api_id),
                api_slug: self.gate.api(&row.slug).map_or_else(|| row.slug.as_str().into(), |api| api.slug),
                banned_until: row.banned_until,
            };
            let rights = Rights {
                permissions: row.permissions.iter().filter_map(|p| p.parse().ok()).collect(),
                addresses: row.addresses.iter().filter_map(|a| a.parse().ok()).collect(),
                origins: row.web_origins.into_iter().map(Into::into).collect(),
            };
            let allowance = Allowance { plan: None, level: Level::Default, limits: Arc::clone(&self.gate.default) };
            let (home, rights, allowance) = self.gate.shared(home, rights, allowance);
            let facts = KeyFacts {
                key,
                home,
                rights,
                allowance,
                expires: End::of(row.expires_at.map(micros)),
                secrets: secrets.into(),
                rare: Rare::of(signer, salted),
                standing: Standing::stored(&row.state),
                awaits_first_use: row.awaits_first_use,
            };
            keys.push(Waiting { facts, plan: row.plan.map(Into::into), own, holders });
        }
        Ok(keys)
    }
}

pub fn policy(name: impl Into<Arc<str>>, max: i64, window_seconds: i32, zone: &str, over: &str) -> Policy {
    let window = Window::stored_in(window_seconds, zone);
    Policy { name: name.into(), max: u64::try_from(max).unwrap_or(0), window, over: Over::stored(over) }
}

/// Who may give limits to a key; `of_workspace`: its workspace, the plan of it, its group and the plan of that.
pub fn holders(slug: &str, key_plan: Option<Uuid>, of_workspace: [Option<Uuid>; 4], api: Uuid) -> Holders {
    // Tollgate's own API is nobody's product: what a workspace may call does not count there.
    let [workspace, workspace_plan, group, group_plan] = of_workspace.map(|holder| holder.filter(|_| slug != Api::OWN));
    [
        (Level::KeyPlan, key_plan),
        (Level::Workspace, workspace),
        (Level::WorkspacePlan, workspace_plan),
        (Level::Group, group),
        (Level::GroupPlan, group_plan),
        (Level::Api, Some(api)),
    ]
}

/// A secret that is looked up, or one that is tried.
pub enum Secret {
    Known(SecretFacts),
    Salted(Salted),
}

/// `hash`: of a salted one how it begins and its salted hash, a line each. None if it is not what it should be.
pub fn secret(id: SecretId, origin: &str, hash: &[u8], expires_at: Option<i64>) -> Option<Secret> {
    let (origin, hash) = match origin {
        "salted" => {
            let (start, phc) = std::str::from_utf8(hash).ok()?.split_once('\n')?;
            return Some(Secret::Salted(Salted { id, start: start.into(), phc: phc.into(), expires_at }));
        }
        "sha512" => (Origin::Sha512, digest_of_sha512(hash)),
        "sha256" => (Origin::Sha256, hash.try_into().ok()?),
        _ => (Origin::Own, hash.try_into().ok()?),
    };
    Some(Secret::Known(SecretFacts { id, hash, ends: End::of(expires_at), origin, seen: Seen::default() }))
}

/// The first and the last of a sorted list: with them an index is read as a range, where the list alone would have the whole table read.
fn ends(ids: &[Uuid]) -> (Uuid, Uuid) {
    (ids.first().copied().unwrap_or_default(), ids.last().copied().unwrap_or_default())
}

fn micros(at: OffsetDateTime) -> i64 {
    i64::try_from(at.unix_timestamp_nanos() / 1000).unwrap_or(i64::MAX)
}
