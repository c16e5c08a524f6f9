//! Reading keys with everything the gate needs of them. A million are read at a start, so it goes by sets: some thousand keys with their
//! secrets and their own limits by one statement, which sees one moment, then the limits of those who hold them by another. Which limits
//! hold a key is decided here as `limit_levels` (0025) decides it: of the levels the first that has any (tested).
//!
//! What many keys have in common they share in memory: permissions, and limits.

use super::super::{
    Gate, KeyFacts,
    limit::Policy,
    record::{Origin, Record, Salted, SecretFacts, Standing},
    sync::within,
    verify::digest_of_sha512,
};
use crate::{
    keys::{
        model::{Api, Level, Over, Window},
        server::signing::signer,
    },
    values::{AccountId, ApiId, KeyId, Permission, SecretId, WorkspaceId},
};
use futures_util::TryStreamExt;
use sqlx::PgConnection;
use std::{
    collections::{HashMap, HashSet},
    hash::Hash,
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
    permissions: Shared<Permission>,
    limits: Shared<Arc<Policy>>,
    plans: HashSet<Arc<str>>,
}

type Limits = Arc<[Arc<Policy>]>;

/// Equal lists, once each.
struct Shared<T>(HashSet<Arc<[T]>>);

impl<T: Eq + Hash> Shared<T> {
    fn of(&mut self, list: Vec<T>) -> Arc<[T]> {
        if let Some(known) = self.0.get(list.as_slice()) {
            return Arc::clone(known);
        }
        let list: Arc<[T]> = list.into();
        self.0.insert(Arc::clone(&list));
        list
    }
}

/// Facts that want their limits yet, and who may give them.
struct Waiting {
    facts: KeyFacts,
    own: Option<Limits>,
    holders: [(Level, Option<Uuid>); 6],
}

impl<'a> Reading<'a> {
    pub fn new(gate: &'a Gate, patience: Duration, is_open: bool, keys: usize) -> Self {
        let (permissions, limits) = (Shared(HashSet::new()), Shared(HashSet::new()));
        Self { gate, patience, is_open, rows: 0, seen: HashSet::with_capacity(keys), held: HashMap::new(), permissions, limits, plans: HashSet::new() }
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
        for Waiting { mut facts, own, holders } in keys {
            (facts.level, facts.limits) = match own {
                Some(own) => (Level::Key, own),
                None => self.of_holders(holders),
            };
            let gate = self.gate;
            gate.table.put(facts.key, |replaced| Record::new(facts, &gate.default, &gate.groups, replaced, |key, counter| gate.begun().add(key, counter)));
        }
        Ok(())
    }

    /// The first level that gives any.
    fn of_holders(&self, holders: [(Level, Option<Uuid>); 6]) -> (Level, Limits) {
        let given =
            |(level, holder): (Level, Option<Uuid>)| self.held.get(&holder?).filter(|limits| !limits.is_empty()).map(|limits| (level, Arc::clone(limits)));
        holders.into_iter().find_map(given).unwrap_or_else(|| (Level::Default, Arc::default()))
    }

    fn plan(&mut self, slug: &str) -> Arc<str> {
        if let Some(known) = self.plans.get(slug) {
            return Arc::clone(known);
        }
        let slug: Arc<str> = slug.into();
        self.plans.insert(Arc::clone(&slug));
        slug
    }

    fn row(&mut self) {
        self.rows += 1;
        if self.is_open && self.rows.is_multiple_of(MANY) {
            self.gate.contact.is_busy();
        }
    }

    async fn read_holders(&mut self, conn: &mut PgConnection, holders: &[Uuid]) -> sqlx::Result<()> {
        let mut rows = sqlx::query!(
            r#"select l.holder as "holder!", l.name as "name!", l.max_calls as "max_calls!", l.kind as "kind!", l.window_seconds as "window_seconds!",
                 l.zone as "zone!", l.refill as "refill!", l.over as "over!"
               from (
                 select plan_id as holder, name, max_calls, kind, window_seconds, zone, refill, over from plan_limits where plan_id = any($1) union all
                 select workspace_id, name, max_calls, kind, window_seconds, zone, refill, over from workspace_limits where workspace_id = any($1) union all
                 select group_id, name, max_calls, kind, window_seconds, zone, refill, over from group_limits where group_id = any($1) union all
                 select api_id, name, max_calls, kind, window_seconds, zone, refill, over from api_limits where api_id = any($1)
               ) l order by l.holder, l.name"#,
            holders,
        )
        .fetch(conn);
        let mut given = HashMap::<Uuid, Vec<Arc<Policy>>>::new();
        while let Some(row) = within(self.patience, rows.try_next()).await? {
            self.row();
            let policy = policy(row.name, row.max_calls, Window::stored(&row.kind, row.window_seconds, &row.zone, row.refill), &row.over);
            given.entry(row.holder).or_default().push(self.gate.policies.shared(policy));
        }
        for holder in holders {
            let limits = given.remove(holder).unwrap_or_default();
            let limits = self.limits.of(limits);
            self.held.insert(*holder, limits);
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
                 l.names as "limit_names?", l.calls as "limit_calls?", l.kinds as "limit_kinds?", l.windows as "limit_windows?", l.zones as "limit_zones?", l.refills as "limit_refills?", l.overs as "limit_overs?"
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
                     array_agg(f.kind order by f.name) as kinds, array_agg(f.window_seconds order by f.name) as windows,
                     array_agg(f.zone order by f.name) as zones, array_agg(f.refill order by f.name) as refills, array_agg(f.over order by f.name) as overs
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
            let standing = match row.state.as_str() {
                "revoked" => Standing::Revoked,
                "disabled" => Standing::Disabled,
                _ => Standing::Active,
            };
            let mut salted = Vec::new();
            let secrets =
                row.secret_ids.into_iter().zip(row.hashes.iter().zip(&row.origins)).zip(row.secret_ends).filter_map(|((id, (hash, origin)), ends)| {
                    let (origin, hash) = match origin.as_str() {
                        "salted" => {
                            let (start, phc) = std::str::from_utf8(hash).ok()?.split_once('\n')?;
                            salted.push(Salted { id: SecretId::new(id), start: start.into(), phc: phc.into(), expires_at: ends.map(micros) });
                            return None;
                        }
                        "sha512" => (Origin::Sha512, digest_of_sha512(hash)),
                        "sha256" => (Origin::Sha256, hash.as_slice().try_into().ok()?),
                        _ => (Origin::Own, hash.as_slice().try_into().ok()?),
                    };
                    Some(SecretFacts { id: SecretId::new(id), hash, origin, expires_at: ends.map(micros) })
                });
            let secrets: Box<[SecretFacts]> = secrets.collect();
            let (calls, kinds, windows) = (row.limit_calls.unwrap_or_default(), row.limit_kinds.unwrap_or_default(), row.limit_windows.unwrap_or_default());
            let (zones, refills, overs) = (row.limit_zones.unwrap_or_default(), row.limit_refills.unwrap_or_default(), row.limit_overs.unwrap_or_default());
            let own = row.limit_names.map(|names| {
                let shapes = kinds.iter().zip(windows).zip(zones.iter().zip(refills));
                let windows = shapes.map(|((kind, seconds), (zone, refill))| Window::stored(kind, seconds, zone, refill));
                let all = names.into_iter().zip(calls).zip(windows.zip(&overs));
                let policies = all.map(|((name, max), (window, over))| Arc::new(policy(name, max, window, over)));
                self.limits.of(policies.collect())
            });
            // Tollgate's own API is nobody's product: what a workspace may call does not count there.
            let of_workspace = |holder: Option<Uuid>| holder.filter(|_| row.slug != Api::OWN);
            let holders = [
                (Level::KeyPlan, row.plan_id),
                (Level::Workspace, of_workspace(Some(row.workspace_id))),
                (Level::WorkspacePlan, of_workspace(row.workspace_plan)),
                (Level::Group, of_workspace(row.group_id)),
                (Level::GroupPlan, of_workspace(row.group_plan)),
                (Level::Api, Some(row.api_id)),
            ];
            let signer = row.fingerprint.map(|print| Arc::new(signer(&self.gate.vault, key, row.public_key.as_deref(), row.sealed_secret.as_deref(), &print)));
            let facts = KeyFacts {
                key,
                owner: row.owner.map_or_else(|| AccountId::new(Uuid::nil()), AccountId::new),
                workspace: WorkspaceId::new(row.workspace_id),
                api: ApiId::new(row.api_id),
                api_slug: self.gate.api(&row.slug).map_or_else(|| row.slug.as_str().into(), |api| api.slug),
                standing,
                banned_until: row.banned_until,
                expires_at: row.expires_at.map(micros),
                permissions: self.permissions.of(row.permissions.iter().filter_map(|p| p.parse::<Permission>().ok()).collect()),
                addresses: row.addresses.iter().filter_map(|a| a.parse().ok()).collect(),
                origins: row.web_origins.into_iter().map(Into::into).collect(),
                signer,
                secrets,
                salted: salted.into(),
                awaits_first_use: row.awaits_first_use,
                plan: row.plan.map(|slug| self.plan(&slug)),
                level: Level::Default,
                limits: Arc::default(),
            };
            keys.push(Waiting { facts, own, holders });
        }
        Ok(keys)
    }
}

fn policy(name: String, max: i64, window: Window, over: &str) -> Policy {
    Policy { name: name.into(), max: u64::try_from(max).unwrap_or(0), window, over: Over::stored(over) }
}

/// The first and the last of a sorted list: with them an index is read as a range, where the list alone would have the whole table read.
fn ends(ids: &[Uuid]) -> (Uuid, Uuid) {
    (ids.first().copied().unwrap_or_default(), ids.last().copied().unwrap_or_default())
}

fn micros(at: OffsetDateTime) -> i64 {
    i64::try_from(at.unix_timestamp_nanos() / 1000).unwrap_or(i64::MAX)
}
