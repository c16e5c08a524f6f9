//! Reading keys with everything the gate needs of them, while it answers: it goes by sets, the secrets of some thousand keys, their own
//! limits, the keys themselves, then the limits of those who hold them, all of one moment. A statement for each, so that none computes
//! anything again for every key, whatever Postgres knows of the tables' sizes. Which limits hold a key is decided here as `limit_levels` (0025) decides it: of the levels the first that has any (tested). The whole table is read faster at a
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
use sqlx::{Connection, PgConnection};
use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::Duration,
};
use time::OffsetDateTime;
use uuid::Uuid;

/// After so many rows questions are answered on, from what is known up to there.
const MANY: usize = 1_000;

/// So many records are made without a pause: less than a millisecond.
const AT_ONCE: usize = 256;

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

const ONE_MOMENT: &str = "begin isolation level repeatable read read only";

/// The secrets of a key.
#[derive(Default)]
struct Kept {
    known: Vec<SecretFacts>,
    salted: Vec<Salted>,
    awaits_first_use: bool,
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
        let mut tx = within(self.patience, conn.begin_with(ONE_MOMENT)).await?;
        let (kept, limits) = (self.read_secrets(&mut tx, ids).await?, self.read_limits(&mut tx, ids).await?);
        let keys = self.read_facts(&mut tx, ids, kept, limits).await?;
        let holders = keys.iter().filter(|key| key.own.is_none()).flat_map(|key| key.holders.iter().filter_map(|(_, holder)| *holder));
        let unknown: HashSet<Uuid> = holders.filter(|holder| !self.held.contains_key(holder)).collect();
        if !unknown.is_empty() {
            self.read_holders(&mut tx, &unknown.into_iter().collect::<Vec<_>>()).await?;
        }
        within(self.patience, tx.commit()).await?;
        let gate = self.gate;
        for (n, Waiting { mut facts, plan, own, holders }) in keys.into_iter().enumerate() {
            if n % AT_ONCE == AT_ONCE - 1 {
                tokio::task::yield_now().await; // calls are answered between
            }
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
            self.held.insert(*holder, given.remove(holder).unwrap_or_default().into());
        }
        Ok(())
    }

    async fn read_secrets(&mut self, conn: &mut PgConnection, ids: &[Uuid]) -> sqlx::Result<HashMap<Uuid, Kept>> {
        let (first, last) = ends(ids);
        // Of a salted one how it begins and its salted hash, a line each.
        let mut rows = sqlx::query!(
            r#"select key_id, id, case when phc is null then hash else convert_to(start || chr(10) || phc, 'UTF8') end as "hash!", origin, expires_at, until_first_use
               from key_secrets where key_id = any($1) and key_id between $2 and $3 order by key_id, id"#,
            ids,
            first,
            last,
        )
        .fetch(conn);
        let mut kept = HashMap::<Uuid, Kept>::with_capacity(ids.len());
        while let Some(row) = within(self.patience, rows.try_next()).await? {
            self.row();
            let of_key = kept.entry(row.key_id).or_default();
            of_key.awaits_first_use |= row.until_first_use;
            match secret(SecretId::new(row.id), &row.origin, &row.hash, row.expires_at.map(micros)) {
                Some(Secret::Known(secret)) => of_key.known.push(secret),
                Some(Secret::Salted(secret)) => of_key.salted.push(secret),
                None => {}
            }
        }
        Ok(kept)
    }

    async fn read_limits(&mut self, conn: &mut PgConnection, ids: &[Uuid]) -> sqlx::Result<HashMap<Uuid, Vec<Arc<Policy>>>> {
        let (first, last) = ends(ids);
        let mut rows = sqlx::query!(
            "select key_id, name, max_calls, kind, window_seconds, zone, refill, over from key_limits
             where key_id = any($1) and key_id between $2 and $3 order by key_id, name",
            ids,
            first,
            last,
        )
        .fetch(conn);
        let mut limits = HashMap::<Uuid, Vec<Arc<Policy>>>::new();
        while let Some(row) = within(self.patience, rows.try_next()).await? {
            self.row();
            let policy = policy(row.name, row.max_calls, Window::stored(&row.kind, row.window_seconds, &row.zone, row.refill), &row.over);
            limits.entry(row.key_id).or_default().push(Arc::new(policy));
        }
        Ok(limits)
    }

    async fn read_facts(
        &mut self,
        conn: &mut PgConnection,
        ids: &[Uuid],
        mut kept: HashMap<Uuid, Kept>,
        mut limits: HashMap<Uuid, Vec<Arc<Policy>>>,
    ) -> sqlx::Result<Vec<Waiting>> {
        let (first, last) = ends(ids);
        let mut rows = sqlx::query!(
            r#"select k.id as "id!", k.workspace_id as "workspace_id!", k.api_id as "api_id!", a.slug as "slug!", k.state as "state!", k.expires_at, w.personal_of as owner,
                 case when exists (select from account_disablements d where d.account_id = w.personal_of)
                     or exists (select from account_departures g where g.account_id = w.personal_of)
                   then 9223372036854775807
                   else (select max(coalesce((extract(epoch from b.until) * 1000000)::bigint, 9223372036854775807))
                     from bans b where b.account_id = w.personal_of and b.lifted_at is null and b.ended_at is null) end as "banned_until?",
                 case when a.slug <> 'tollgate' then given.permissions else array(
                   select p from unnest(given.permissions) p
                   where p in (select rp.permission from account_roles ar join role_permissions rp on rp.role = ar.role where ar.account_id = w.personal_of)
                 ) end as "permissions!",
                 k.addresses::text[] as "addresses!", k.origins as "web_origins!", g.public_key as "public_key?", g.sealed_secret as "sealed_secret?", g.fingerprint as "fingerprint?",
                 coalesce(kp.slug, wp.slug, gp.slug) as "plan?", k.external_id, k.meta, k.plan_id, h.plan_id as "workspace_plan?", gm.group_id as "group_id?", gr.plan_id as "group_plan?"
               from keys k join apis a on a.id = k.api_id join workspaces w on w.id = k.workspace_id
                 cross join lateral (
                   select case when exists (select from key_bundles h where h.key_id = k.id) then key_permissions(k) else k.permissions end as permissions
                 ) given
                 left join key_signings g on g.key_id = k.id
                 left join workspace_plans h on h.workspace_id = k.workspace_id
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
            let Kept { known, salted, awaits_first_use } = kept.remove(&row.id).unwrap_or_default();
            let own: Option<Limits> = limits.remove(&row.id).map(Into::into);
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
                secrets: known.into(),
                rare: Rare::of(signer, salted, row.external_id.map(Into::into), row.meta.map(Into::into)),
                standing: Standing::stored(&row.state),
                awaits_first_use,
            };
            keys.push(Waiting { facts, plan: row.plan.map(Into::into), own, holders });
        }
        Ok(keys)
    }
}

pub fn policy(name: impl Into<Arc<str>>, max: i64, window: Window, over: &str) -> Policy {
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
