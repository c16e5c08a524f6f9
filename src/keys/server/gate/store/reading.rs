//! Reading keys with everything the gate needs of them, while it answers: it goes by sets, the secrets of some thousand keys, their own
//! limits, the keys themselves, then the limits of those who hold them, all of one moment. A statement for each, so that none computes
//! anything again for every key, whatever Postgres knows of the tables' sizes. Which limits hold a key is decided by `levels`. The whole table is
//! read faster at a start, when nobody asks yet (`loading`); what is known of a key is the same (tested).
//!
//! What many keys have in common they share in memory (`sharing`).

use super::{
    super::{
        Gate,
        allowed::AllowedRoutes,
        facts::{Allowance, End, Home, KeyFacts, Origin, Rare, Rights, Salted, SecretFacts, Seen, Standing},
        finding::digest_of_sha512,
        levels::Terms,
        limit::{Limits, Policy},
        record::Record,
        sync::within,
        waits::Waits,
    },
    levels::learn,
};
use crate::{
    keys::{
        model::{Api, Level, LimitUnit, Over, Window},
        server::{meter::Hint, signing::signer},
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
    /// Plans, workspaces, groups and APIs that were asked for already.
    asked: HashSet<Uuid>,
}

pub const ONE_MOMENT: &str = "begin isolation level repeatable read read only";

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
    own: Option<Limits>,
    /// With the key's workspace, whether it has limits or not.
    terms: Terms,
    group_plan: Option<Uuid>,
}

impl Waiting {
    fn holders(&self) -> impl Iterator<Item = Uuid> {
        let Terms { api, key_plan, workspace, workspace_plan, group, .. } = self.terms;
        [Some(api), key_plan, workspace, workspace_plan, group, self.group_plan].into_iter().flatten()
    }
}

impl<'a> Reading<'a> {
    pub fn new(gate: &'a Gate, patience: Duration, is_open: bool, keys: usize) -> Self {
        Self { gate, patience, is_open, rows: 0, seen: HashSet::with_capacity(keys), asked: HashSet::new() }
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
        let unknown: HashSet<Uuid> = keys.iter().flat_map(Waiting::holders).filter(|holder| !self.asked.contains(holder)).collect();
        if !unknown.is_empty() {
            let (gate, patience) = (self.gate, self.patience);
            learn(gate, &mut tx, &unknown.iter().copied().collect::<Vec<_>>(), patience, || self.row()).await?;
            self.asked.extend(unknown);
        }
        within(self.patience, tx.commit()).await?;
        let gate = self.gate;
        for (n, Waiting { mut facts, own, terms, .. }) in keys.into_iter().enumerate() {
            if n % AT_ONCE == AT_ONCE - 1 {
                tokio::task::yield_now().await; // calls are answered between
            }
            facts.allowance = {
                let mut sharing = gate.sharing();
                let terms = sharing.levels.terms(terms);
                match own {
                    Some(own) => sharing.levels.of_own(&terms, own),
                    None => sharing.levels.of(&terms),
                }
            };
            gate.table.put(facts.key, |replaced| Record::new(facts, &gate.table.groups, replaced, |key, counter| gate.begun().add(key, counter)));
        }
        Ok(())
    }

    fn row(&mut self) {
        self.rows += 1;
        if self.is_open && self.rows.is_multiple_of(MANY) {
            self.gate.contact.is_busy();
        }
    }

    async fn read_secrets(&mut self, conn: &mut PgConnection, ids: &[Uuid]) -> sqlx::Result<HashMap<Uuid, Kept>> {
        let (first, last) = ends(ids);
        // Of a salted one how it begins and its salted hash, a line each. What somebody ended is over, whatever the clock here says.
        let mut rows = sqlx::query!(
            r#"select key_id, id, case when phc is null then hash else convert_to(start || chr(10) || phc, 'UTF8') end as "hash!", origin,
                 case when ended then 'epoch'::timestamptz else expires_at end as expires_at, until_first_use
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
            match secret(SecretId::new(row.id), &row.origin, &row.hash, row.expires_at.map(micros), row.until_first_use) {
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
            "select key_id, name, max_calls, kind, window_seconds, zone, refill, unit, over from key_limits
             where key_id = any($1) and key_id between $2 and $3 order by key_id, name",
            ids,
            first,
            last,
        )
        .fetch(conn);
        let mut limits = HashMap::<Uuid, Vec<Arc<Policy>>>::new();
        while let Some(row) = within(self.patience, rows.try_next()).await? {
            self.row();
            let policy = policy(row.name, row.max_calls, Window::stored(&row.kind, row.window_seconds, &row.zone, row.refill), (&row.unit, &row.over));
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
                 k.addresses::text[] as "addresses!", k.origins as "web_origins!", k.routes as "routes!", g.public_key as "public_key?", g.sealed_secret as "sealed_secret?", g.fingerprint as "fingerprint?",
                 k.external_id, k.meta, k.plan_id, h.plan_id as "workspace_plan?", gm.group_id as "group_id?", gr.plan_id as "group_plan?"
               from keys k join apis a on a.id = k.api_id join workspaces w on w.id = k.workspace_id
                 cross join lateral (
                   select case when exists (select from key_bundles h where h.key_id = k.id) then key_permissions(k) else k.permissions end as permissions
                 ) given
                 left join key_signings g on g.key_id = k.id
                 left join workspace_plans h on h.workspace_id = k.workspace_id
                 left join group_members gm on gm.workspace_id = k.workspace_id left join groups gr on gr.id = gm.group_id
               where k.id = any($1) and k.id between $2 and $3"#,
            ids,
            first,
            last,
        )
        .fetch(conn);
        // Until it is known.
        let allowance = Arc::new(Allowance::new(Arc::default(), None, Level::Default, Arc::default()));
        let mut keys = Vec::with_capacity(ids.len());
        while let Some(row) = within(self.patience, rows.try_next()).await? {
            self.row();
            let key = KeyId::new(row.id);
            self.seen.insert(key);
            let Kept { known, salted, awaits_first_use } = kept.remove(&row.id).unwrap_or_default();
            let own: Option<Limits> = limits.remove(&row.id).map(Into::into);
            let terms = Terms {
                api: row.api_id,
                is_own_api: row.slug == Api::OWN,
                key_plan: row.plan_id,
                workspace: Some(row.workspace_id),
                workspace_plan: row.workspace_plan,
                group: row.group_id,
            };
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
                routes: AllowedRoutes::of(row.routes),
            };
            let (home, rights) = self.gate.shared(home, rights);
            let facts = KeyFacts {
                key,
                home,
                rights,
                allowance: Arc::clone(&allowance),
                expires: End::of(row.expires_at.map(micros)),
                secrets: known.into(),
                rare: Rare::of(signer, salted, row.external_id.map(Into::into), row.meta.map(Into::into)),
                standing: Standing::stored(&row.state),
                awaits_first_use,
                hint: Hint::default(),
            };
            keys.push(Waiting { facts, own, terms, group_plan: row.group_plan });
        }
        Ok(keys)
    }
}

pub fn policy(name: impl Into<Arc<str>>, max: i64, window: Window, (unit, over): (&str, &str)) -> Policy {
    Policy { name: name.into(), max: u64::try_from(max).unwrap_or(0), window, unit: LimitUnit::stored(unit), over: Over::stored(over) }
}

/// A secret that is looked up, or one that is tried.
pub enum Secret {
    Known(SecretFacts),
    Salted(Salted),
}

/// `hash`: of a salted one how it begins and its salted hash, a line each. None if it is not what it should be.
pub fn secret(id: SecretId, origin: &str, hash: &[u8], expires_at: Option<i64>, until_first_use: bool) -> Option<Secret> {
    let waits = Waits::stored(until_first_use);
    let (origin, hash) = match origin {
        "salted" => {
            let (start, phc) = std::str::from_utf8(hash).ok()?.split_once('\n')?;
            return Some(Secret::Salted(Salted { id, start: start.into(), phc: phc.into(), expires_at, waits }));
        }
        "sha512" => (Origin::Sha512, digest_of_sha512(hash)),
        "sha256" => (Origin::Sha256, hash.try_into().ok()?),
        _ => (Origin::Own, hash.try_into().ok()?),
    };
    Some(Secret::Known(SecretFacts { id, hash, ends: End::of(expires_at), origin, seen: Seen::default(), waits }))
}

/// The first and the last of a sorted list: with them an index is read as a range, where the list alone would have the whole table read.
fn ends(ids: &[Uuid]) -> (Uuid, Uuid) {
    (ids.first().copied().unwrap_or_default(), ids.last().copied().unwrap_or_default())
}

fn micros(at: OffsetDateTime) -> i64 {
    i64::try_from(at.unix_timestamp_nanos() / 1000).unwrap_or(i64::MAX)
}
