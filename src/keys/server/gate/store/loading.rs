//! Reading the whole table at a start, when nobody asks yet: a million keys in about three seconds on two cores that Postgres shares.
//!
//! Three tables go by, each whole and in the order that it lies in, as a binary COPY (`copied`): keys, their own limits, their secrets.
//! Postgres sorts nothing (but limits of keys, if there are any) and joins only what is small; it writes while this node reads. All three
//! see one moment. What belongs to a key is put to it as it comes; at the end every key is found by its secrets.
//!
//! What repeats from row to row is recognised by its bytes before it is read: whose a key is and what it may (`places`, `rights`).
//!
//! The statements say the same as that of `reading`, which reads some keys with everything at once; a test compares what is known.

use super::{
    super::{
        Gate,
        facts::{Allowance, End, Home, KeyFacts, Rare, Rights, Secrets, Standing},
        limit::{Limits, Policy},
        record::Record,
        sync::within,
    },
    copied::{Copied, Row, int, long, micros, text, texts, uuid},
    reading::{Secret, first_of, holders, policy, secret},
};
use crate::{
    keys::{model::Level, server::signing::signer},
    values::{AccountId, ApiId, KeyId, SecretId, WorkspaceId},
};
use futures_util::{StreamExt, TryStreamExt};
use sqlx::{Connection, PgConnection, PgPool};
use std::{collections::HashMap, sync::Arc, time::Duration};
use uuid::Uuid;

/// For so long it waits for rows.
const PATIENCE: Duration = Duration::from_secs(30);
/// Messages that are taken at once.
const MESSAGES: usize = 512;
/// So many different places and rights are recognised; what comes beyond is read from row to row. At most some 30 MB while it lasts.
const RECOGNISED: usize = 131_072;

const BEGIN: &str = "begin isolation level repeatable read read only; set local statement_timeout = 0; set local work_mem = '64MB'";

/// The fields of `KEYS` that say what a key may.
const OF_RIGHTS: usize = 3;
/// Those that say whose it is and who gives it limits.
const OF_PLACE: usize = 10;

const KEYS: &str = "copy (
  select k.id, k.state, k.expires_at,
    case when a.slug <> 'tollgate' then given.permissions else array(
      select p from unnest(given.permissions) p
      where p in (select rp.permission from account_roles ar join role_permissions rp on rp.role = ar.role where ar.account_id = w.personal_of)
    ) end,
    case when cardinality(k.addresses) > 0 then k.addresses::text[] end, case when cardinality(k.origins) > 0 then k.origins end,
    k.workspace_id, w.personal_of, k.api_id, a.slug,
    case when exists (select from account_disablements d where d.account_id = w.personal_of)
        or exists (select from account_departures x where x.account_id = w.personal_of)
      then 9223372036854775807 else b.until end,
    coalesce(kp.slug, wp.slug, gp.slug), k.plan_id, h.plan_id, gm.group_id, gr.plan_id,
    g.public_key, g.sealed_secret, g.fingerprint
  from keys k join apis a on a.id = k.api_id join workspaces w on w.id = k.workspace_id
    cross join lateral (
      select case when exists (select from key_bundles held where held.key_id = k.id) then key_permissions(k) else k.permissions end as permissions
    ) given
    left join key_signings g on g.key_id = k.id
    left join workspace_plans h on h.workspace_id = k.workspace_id
    left join (
      select account_id, max(coalesce((extract(epoch from until) * 1000000)::bigint, 9223372036854775807)) as until
      from bans where account_id is not null and lifted_at is null and ended_at is null group by account_id
    ) b on b.account_id = w.personal_of
    left join plans kp on kp.id = k.plan_id left join plans wp on wp.id = h.plan_id
    left join group_members gm on gm.workspace_id = k.workspace_id left join groups gr on gr.id = gm.group_id left join plans gp on gp.id = gr.plan_id
) to stdout (format binary)";

/// Those of a key follow each other.
const LIMITS: &str = "copy (
  select key_id, name, max_calls, window_seconds, zone, over from key_limits order by key_id, name
) to stdout (format binary)";

/// Of a salted one how it begins and its salted hash, a line each.
const SECRETS: &str = "copy (
  select key_id, id, origin, case when phc is null then hash else convert_to(start || chr(10) || phc, 'UTF8') end, expires_at, until_first_use
  from key_secrets
) to stdout (format binary)";

/// Reads every key into the table, which is empty.
pub async fn load_keys(gate: &Gate, db: &PgPool) -> sqlx::Result<()> {
    // A connection of its own: what breaks off in the midst of a copy goes with it.
    let mut conn = db.acquire().await?.detach();
    sqlx::raw_sql(BEGIN).execute(&mut conn).await?;
    let held = list_held(gate, &mut conn).await?;
    let mut loading = Loading { gate, held, rights: HashMap::new(), places: HashMap::new(), limits: Vec::new(), limits_of: None };
    loading.copy(&mut conn, KEYS, Loading::take_key).await?;
    loading.copy(&mut conn, LIMITS, Loading::take_limit).await?;
    loading.put_limits();
    loading.copy(&mut conn, SECRETS, Loading::take_secret).await?;
    drop(loading);
    gate.table.publish(|record| record.join(&gate.groups));
    sqlx::raw_sql("commit").execute(&mut conn).await?;
    conn.close().await
}

/// The limits of all plans, workspaces, groups and APIs.
async fn list_held(gate: &Gate, conn: &mut PgConnection) -> sqlx::Result<HashMap<Uuid, Limits>> {
    let mut rows = sqlx::query!(
        r#"select l.holder as "holder!", l.name as "name!", l.max_calls as "max_calls!", l.window_seconds as "window_seconds!", l.zone as "zone!", l.over as "over!"
           from (
             select plan_id as holder, name, max_calls, window_seconds, zone, over from plan_limits union all
             select workspace_id, name, max_calls, window_seconds, zone, over from workspace_limits union all
             select group_id, name, max_calls, window_seconds, zone, over from group_limits union all
             select api_id, name, max_calls, window_seconds, zone, over from api_limits
           ) l order by l.holder, l.name"#
    )
    .fetch(conn);
    let mut held = HashMap::<Uuid, Vec<Arc<Policy>>>::new();
    while let Some(row) = within(PATIENCE, rows.try_next()).await? {
        let policy = policy(row.name, row.max_calls, row.window_seconds, &row.zone, &row.over);
        held.entry(row.holder).or_default().push(gate.policies.shared(policy));
    }
    Ok(held.into_iter().map(|(holder, limits)| (holder, limits.into())).collect())
}

/// One read of the whole table.
struct Loading<'g> {
    gate: &'g Gate,
    held: HashMap<Uuid, Limits>,
    /// By the fields that say them.
    rights: HashMap<Box<[u8]>, Arc<Rights>>,
    places: HashMap<Box<[u8]>, (Arc<Home>, Arc<Allowance>)>,
    /// Of the key whose limits are being read.
    limits: Vec<Arc<Policy>>,
    limits_of: Option<KeyId>,
}

impl Loading<'_> {
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

    fn take_key(&mut self, row: &mut Row<'_>) -> Option<()> {
        let key = KeyId::new(row.uuid()?);
        let standing = Standing::stored(row.text()?);
        let expires = End::of(row.null_or(micros)?);
        let rights = self.rights(row.fields(OF_RIGHTS)?)?;
        let (home, allowance) = self.place(row.fields(OF_PLACE)?)?;
        let (public_key, sealed, print) = (row.field()?, row.field()?, row.field()?);
        let signer = print.map(|print| Arc::new(signer(&self.gate.vault, key, public_key, sealed, print)));
        let rare = Rare::of(signer, Vec::new());
        let facts = KeyFacts { key, home, rights, allowance, expires, secrets: Secrets::default(), rare, standing, awaits_first_use: false };
        self.gate.table.add(Record::first(facts));
        Some(())
    }

    fn rights(&mut self, fields: &[u8]) -> Option<Arc<Rights>> {
        if let Some(known) = self.rights.get(fields) {
            return Some(Arc::clone(known));
        }
        let mut row = Row::of(fields);
        let mut list = || row.null_or(texts).map(Option::unwrap_or_default);
        let (permissions, addresses, origins) = (list()?, list()?, list()?);
        let rights = self.gate.sharing().rights.of(Rights {
            permissions: permissions.into_iter().filter_map(|p| p.parse().ok()).collect(),
            addresses: addresses.into_iter().filter_map(|a| a.parse().ok()).collect(),
            origins: origins.into_iter().map(Into::into).collect(),
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
        let (workspace, owner, api, slug) = (row.uuid()?, row.null_or(uuid)?, row.uuid()?, row.text()?);
        let (banned_until, plan, key_plan) = (row.null_or(long)?, row.null_or(text)?, row.null_or(uuid)?);
        let above = [Some(workspace), row.null_or(uuid)?, row.null_or(uuid)?, row.null_or(uuid)?];
        let (level, limits) = first_of(holders(slug, key_plan, above, api), &self.held, &self.gate.default);
        let home = Home {
            owner: AccountId::new(owner.unwrap_or_default()),
            workspace: WorkspaceId::new(workspace),
            api: ApiId::new(api),
            api_slug: self.gate.api(slug).map_or_else(|| slug.into(), |api| api.slug),
            banned_until,
        };
        let mut sharing = self.gate.sharing();
        let home = sharing.homes.of(home);
        let allowance = sharing.allowances.of(Allowance { plan: plan.map(Into::into), level, limits });
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
        let (name, max, window, zone, over) = (row.text()?, long(row.bytes()?)?, int(row.bytes()?)?, row.text()?, row.text()?);
        self.limits.push(Arc::new(policy(name, max, window, zone, over)));
        Some(())
    }

    /// Those of one key are whole.
    fn put_limits(&mut self) {
        let limits = std::mem::take(&mut self.limits);
        let Some(key) = self.limits_of.take() else { return };
        self.gate.table.amend(key, |facts| {
            let allowance = Allowance { plan: facts.allowance.plan.clone(), level: Level::Key, limits: limits.into() };
            facts.allowance = self.gate.sharing().allowances.of(allowance);
        });
    }

    fn take_secret(&mut self, row: &mut Row<'_>) -> Option<()> {
        let (key, id) = (KeyId::new(row.uuid()?), SecretId::new(row.uuid()?));
        let (origin, hash, ends, awaits) = (row.text()?, row.bytes()?, row.null_or(micros)?, row.is_true()?);
        let secret = secret(id, origin, hash, ends);
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
