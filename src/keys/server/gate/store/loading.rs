//! Reading the whole table at a start, when nobody asks yet: a million keys in a few seconds on two cores that Postgres shares.
//!
//! Tables go by one after the other, each whole and in the order that it lies in, as a binary COPY (`copied`). Postgres writes while this node
//! reads; it joins nothing that is as large as the keys, so that a plan that was made without statistics (after a restore, or an import of
//! many keys) is as good as any. What belongs to a key is put to it as it comes; at the end every key is found by its secrets. All of it
//! is of one moment, and takes the time that it takes: a slow start is better than none.
//!
//! What repeats from row to row is recognised by its bytes before it is read: whose a key is and what it may (`places`, `rights`).
//!
//! The statements say the same as those of `reading`, which reads some keys with everything at once; a test compares what is known.

use super::{
    super::{
        Gate,
        allowed::AllowedRoutes,
        facts::{Allowance, End, Home, KeyFacts, Rare, Rights, Secrets, Standing},
        levels::Terms,
        limit::Policy,
        record::Record,
        sync::within,
    },
    copied::{Copied, Row, int, long, micros, text, texts, uuid},
    levels::load_levels,
    reading::{Secret, policy, secret},
};
use crate::{
    keys::{
        model::{Api, Window},
        server::{meter::Hint, signing::signer},
    },
    values::{AccountId, ApiId, KeyId, Permission, SecretId, WorkspaceId},
};
use futures_util::StreamExt;
use sqlx::{Connection, PgConnection, PgPool};
use std::{collections::HashMap, sync::Arc, time::Duration};
use uuid::Uuid;

/// For so long it waits for a row: what is sorted first may take its time.
const PATIENCE: Duration = Duration::from_secs(120);
/// Messages that are taken at once.
const MESSAGES: usize = 512;
/// So many different places and rights are recognised; what comes beyond is read from row to row. At most some 30 MB while it lasts.
const RECOGNISED: usize = 131_072;

/// Without nested loops: where Postgres has no statistics it takes a large table for a small one, and goes through it for every row of another.
const BEGIN: &str = "begin isolation level repeatable read read only;
  set local statement_timeout = 0; set local work_mem = '64MB'; set local enable_nestloop = off; set local max_parallel_workers_per_gather = 0";

/// The fields of `WORKSPACES` that many of them have alike.
const OF_ABOVE: usize = 3;

/// Whose they are, until when the owner is banned, and who gives limits to their keys beside themselves.
const WORKSPACES: &str = "copy (
  select w.id, w.personal_of,
    case when exists (select from account_disablements d where d.account_id = w.personal_of)
        or exists (select from account_departures x where x.account_id = w.personal_of)
      then 9223372036854775807 else b.until end,
    h.plan_id, gm.group_id
  from workspaces w left join workspace_plans h on h.workspace_id = w.id left join group_members gm on gm.workspace_id = w.id
    left join (
      select account_id, max(coalesce((extract(epoch from until) * 1000000)::bigint, 9223372036854775807)) as until
      from bans where account_id is not null and lifted_at is null and ended_at is null group by account_id
    ) b on b.account_id = w.personal_of
) to stdout (format binary)";

/// The fields of `KEYS` that say what a key may.
const OF_RIGHTS: usize = 4;
/// Those that say whose it is and who gives it limits.
const OF_PLACE: usize = 3;

const KEYS: &str = "copy (
  select id, state, expires_at,
    permissions, case when cardinality(addresses) > 0 then addresses::text[] end, case when cardinality(origins) > 0 then origins end,
    case when cardinality(routes) > 0 then routes end, workspace_id, api_id, plan_id, external_id, meta
  from keys
) to stdout (format binary)";

/// All permissions of keys that hold bundles, as `key_permissions` (0031) says them of one.
const BUNDLED: &str = "copy (
  select e.key_id, array_agg(e.permission order by e.permission collate \"C\") from (
    select k.id as key_id, unnest(k.permissions) as permission from keys k where k.id in (select key_id from key_bundles)
    union
    select b.key_id, g.permission from key_bundles b join api_bundle_grants g on g.bundle_id = b.bundle_id
  ) e group by e.key_id
) to stdout (format binary)";

/// Those of keys for Tollgate itself, cut down to what their owners have.
const OWN: &str = "copy (
  select k.id, array(
    select p from unnest(given.permissions) p
    where p in (select rp.permission from account_roles ar join role_permissions rp on rp.role = ar.role where ar.account_id = w.personal_of)
  )
  from keys k join workspaces w on w.id = k.workspace_id
    cross join lateral (
      select case when exists (select from key_bundles h where h.key_id = k.id) then key_permissions(k) else k.permissions end as permissions
    ) given
  where k.api_id = (select id from apis where slug = 'tollgate')
) to stdout (format binary)";

const SIGNINGS: &str = "copy (select key_id, public_key, sealed_secret, fingerprint from key_signings) to stdout (format binary)";

/// Those of a key follow each other.
const LIMITS: &str = "copy (
  select key_id, name, max_calls, kind, window_seconds, zone, refill, unit, over from key_limits order by key_id, name
) to stdout (format binary)";

/// Of a salted one how it begins and its salted hash, a line each. What somebody ended is over, whatever the clock here says.
const SECRETS: &str = "copy (
  select key_id, id, origin, case when phc is null then hash else convert_to(start || chr(10) || phc, 'UTF8') end,
    case when ended then 'epoch'::timestamptz else expires_at end, until_first_use
  from key_secrets
) to stdout (format binary)";

/// Reads every key into the table, which is empty.
pub async fn load_keys(gate: &Gate, db: &PgPool) -> sqlx::Result<()> {
    // A connection of its own: what breaks off in the midst of a copy goes with it.
    let mut conn = db.acquire().await?.detach();
    sqlx::raw_sql(BEGIN).execute(&mut conn).await?;
    load_levels(gate, &mut conn, PATIENCE).await?;
    let mut loading = Loading::new(gate, list_slugs(&mut conn).await?);
    loading.copy(&mut conn, WORKSPACES, Loading::take_workspace).await?;
    loading.copy(&mut conn, KEYS, Loading::take_key).await?;
    loading.forget_workspaces();
    loading.copy(&mut conn, BUNDLED, Loading::take_permissions).await?;
    loading.copy(&mut conn, OWN, Loading::take_permissions).await?;
    loading.copy(&mut conn, SIGNINGS, Loading::take_signing).await?;
    loading.copy(&mut conn, LIMITS, Loading::take_limit).await?;
    loading.put_limits();
    loading.copy(&mut conn, SECRETS, Loading::take_secret).await?;
    // Everything is read: what follows may take longer than Postgres waits in a transaction.
    sqlx::raw_sql("commit").execute(&mut conn).await?;
    conn.close().await?;
    drop(loading);
    gate.table.publish(|record| record.join(&gate.table.groups));
    Ok(())
}

/// What APIs are called.
async fn list_slugs(conn: &mut PgConnection) -> sqlx::Result<HashMap<Uuid, Arc<str>>> {
    let rows = sqlx::query!("select id, slug from apis").fetch_all(conn).await?;
    Ok(rows.into_iter().map(|row| (row.id, row.slug.into())).collect())
}

/// One read of the whole table.
struct Loading<'g> {
    gate: &'g Gate,
    slugs: HashMap<Uuid, Arc<str>>,
    workspaces: HashMap<Uuid, (AccountId, Arc<Above>)>,
    /// By the fields that say them.
    above: HashMap<Box<[u8]>, Arc<Above>>,
    rights: HashMap<Box<[u8]>, Arc<Rights>>,
    places: HashMap<Box<[u8]>, Place>,
    /// Of the key whose limits are being read.
    limits: Vec<Arc<Policy>>,
    limits_of: Option<KeyId>,
}

/// Whose a key is, and what it may use.
type Place = (Arc<Home>, Arc<Allowance>);

/// What a key has from its workspace.
struct Above {
    banned_until: Option<i64>,
    plan: Option<Uuid>,
    group: Option<Uuid>,
}

impl<'g> Loading<'g> {
    fn new(gate: &'g Gate, slugs: HashMap<Uuid, Arc<str>>) -> Self {
        Self {
            gate,
            slugs,
            workspaces: HashMap::new(),
            above: HashMap::new(),
            rights: HashMap::new(),
            places: HashMap::new(),
            limits: Vec::new(),
            limits_of: None,
        }
    }

    async fn copy(&mut self, conn: &mut PgConnection, copy: &str, take: fn(&mut Self, &mut Row<'_>) -> Option<()>) -> sqlx::Result<()> {
        let mut came = within(PATIENCE, conn.copy_out_raw(copy)).await?.ready_chunks(MESSAGES);
        let mut copied = Copied::default();
        while let Some(messages) = within(PATIENCE, async { Ok(came.next().await) }).await? {
            for message in messages {
                copied.read(&message?, |row| take(self, row))?;
            }
        }
        copied.end()
    }

    fn take_workspace(&mut self, row: &mut Row<'_>) -> Option<()> {
        let (workspace, owner) = (row.uuid()?, AccountId::new(row.null_or(uuid)?.unwrap_or_default()));
        let fields = row.fields(OF_ABOVE)?;
        let above = match self.above.get(fields) {
            Some(known) => Arc::clone(known),
            None => {
                let mut row = Row::of(fields);
                let above = Arc::new(Above { banned_until: row.null_or(long)?, plan: row.null_or(uuid)?, group: row.null_or(uuid)? });
                self.above.insert(fields.into(), Arc::clone(&above));
                above
            }
        };
        self.workspaces.insert(workspace, (owner, above));
        Some(())
    }

    /// Every key has been placed.
    fn forget_workspaces(&mut self) {
        (self.workspaces, self.above, self.places) = (HashMap::new(), HashMap::new(), HashMap::new());
    }

    fn take_key(&mut self, row: &mut Row<'_>) -> Option<()> {
        let (key, standing, expires) = (KeyId::new(row.uuid()?), Standing::stored(row.text()?), End::of(row.null_or(micros)?));
        let rights = self.rights(row.fields(OF_RIGHTS)?)?;
        let (home, allowance) = self.place(row.fields(OF_PLACE)?)?;
        let (external_id, meta) = (row.null_or(text)?.map(Into::into), row.null_or(text)?.map(Into::into));
        let rare = Rare::of(None, Vec::new(), external_id, meta);
        let facts =
            KeyFacts { key, home, rights, allowance, expires, secrets: Secrets::default(), rare, standing, awaits_first_use: false, hint: Hint::default() };
        self.gate.table.add(Record::first(facts));
        Some(())
    }

    fn take_permissions(&mut self, row: &mut Row<'_>) -> Option<()> {
        let (key, permissions) = (KeyId::new(row.uuid()?), texts(row.bytes()?)?);
        let permissions: Box<[Permission]> = permissions.into_iter().filter_map(|p| p.parse().ok()).collect();
        self.gate.table.amend(key, |facts| {
            facts.rights = self.gate.sharing().rights.of(Rights { permissions, ..Rights::clone(&facts.rights) });
        });
        Some(())
    }

    fn take_signing(&mut self, row: &mut Row<'_>) -> Option<()> {
        let (key, public_key, sealed, print) = (KeyId::new(row.uuid()?), row.field()?, row.field()?, row.bytes()?);
        let signer = Arc::new(signer(&self.gate.vault, key, public_key, sealed, print));
        self.gate.table.amend(key, |facts| facts.rare.get_or_insert_default().signer = Some(signer));
        Some(())
    }

    fn rights(&mut self, fields: &[u8]) -> Option<Arc<Rights>> {
        if let Some(known) = self.rights.get(fields) {
            return Some(Arc::clone(known));
        }
        let mut row = Row::of(fields);
        let mut list = || row.null_or(texts).map(Option::unwrap_or_default);
        let (permissions, addresses, origins, routes) = (list()?, list()?, list()?, list()?);
        let rights = self.gate.sharing().rights.of(Rights {
            permissions: permissions.into_iter().filter_map(|p| p.parse().ok()).collect(),
            addresses: addresses.into_iter().filter_map(|a| a.parse().ok()).collect(),
            origins: origins.into_iter().map(Into::into).collect(),
            routes: AllowedRoutes::of(routes),
        });
        if self.rights.len() < RECOGNISED {
            self.rights.insert(fields.into(), Arc::clone(&rights));
        }
        Some(rights)
    }

    fn place(&mut self, fields: &[u8]) -> Option<(Arc<Home>, Arc<Allowance>)> {
        if let Some((home, allowance)) = self.places.get(fields) {
            return Some((Arc::clone(home), Arc::clone(allowance)));
        }
        let mut row = Row::of(fields);
        let (workspace, api, key_plan) = (row.uuid()?, row.uuid()?, row.null_or(uuid)?);
        let (owner, above) = self.workspaces.get(&workspace)?;
        let slug = self.slugs.get(&api)?;
        let (is_own_api, workspace_plan, group) = (**slug == *Api::OWN, above.plan, above.group);
        let terms = Terms { api, is_own_api, key_plan, workspace: Some(workspace), workspace_plan, group };
        let (workspace, api, banned_until) = (WorkspaceId::new(workspace), ApiId::new(api), above.banned_until);
        let home = Home { owner: *owner, workspace, api, api_slug: Arc::clone(slug), banned_until };
        let mut sharing = self.gate.sharing();
        let home = sharing.homes.of(home);
        let terms = sharing.levels.terms(terms);
        let allowance = sharing.levels.of(&terms);
        drop(sharing);
        if self.places.len() < RECOGNISED {
            self.places.insert(fields.into(), (Arc::clone(&home), Arc::clone(&allowance)));
        }
        Some((home, allowance))
    }

    fn take_limit(&mut self, row: &mut Row<'_>) -> Option<()> {
        let key = KeyId::new(row.uuid()?);
        if self.limits_of != Some(key) {
            self.put_limits();
            self.limits_of = Some(key);
        }
        let (name, max) = (row.text()?, long(row.bytes()?)?);
        let (kind, seconds, zone, refill) = (row.text()?, int(row.bytes()?)?, row.text()?, long(row.bytes()?)?);
        let window = Window::stored(kind, seconds, zone, refill);
        self.limits.push(Arc::new(policy(name, max, window, (row.text()?, row.text()?))));
        Some(())
    }

    /// Those of one key are whole.
    fn put_limits(&mut self) {
        let limits = std::mem::take(&mut self.limits);
        let Some(key) = self.limits_of.take() else { return };
        self.gate.table.amend(key, |facts| {
            facts.allowance = self.gate.sharing().levels.of_own(&facts.allowance.terms, limits.into());
        });
    }

    fn take_secret(&mut self, row: &mut Row<'_>) -> Option<()> {
        let (key, id) = (KeyId::new(row.uuid()?), SecretId::new(row.uuid()?));
        let (origin, hash, ends, awaits) = (row.text()?, row.bytes()?, row.null_or(micros)?, row.is_true()?);
        let secret = secret(id, origin, hash, ends, awaits);
        self.gate.table.amend(key, |facts| {
            facts.awaits_first_use |= awaits;
            match secret {
                Some(Secret::Known(secret)) => facts.secrets = std::mem::take(&mut facts.secrets).and(secret),
                Some(Secret::Salted(secret)) => facts.rare.get_or_insert_default().and_salted(secret),
                None => {}
            }
        });
        Some(())
    }
}
