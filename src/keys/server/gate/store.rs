//! The SQL of the gate: reading keys into the table, and what they used of their windows. It writes nothing.

use super::{
    ApiFacts, Gate, KeyFacts,
    apis::Apis,
    limit::Policy,
    record::{Origin, Record, Salted, SecretFacts, Standing},
    routing::Rules,
    sync::within,
    verify::digest_of_sha512,
};
use crate::{
    keys::{
        model::{ApiRoute, Level, Over, Unmatched, Window},
        server::signing::signer,
    },
    values::{AccountId, ApiId, KeyId, Permission, SecretId, WorkspaceId},
};
use futures_util::TryStreamExt;
use sqlx::{PgConnection, PgExecutor, PgPool};
use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::Duration,
};
use time::OffsetDateTime;
use uuid::Uuid;

/// What happened since a snapshot.
pub struct News {
    /// The snapshot of now.
    pub seen: String,
    /// Keys that are gone since.
    pub removed: Vec<KeyId>,
    /// An API or a route of one is another.
    pub apis_changed: bool,
    /// Plans, groups, workspaces and APIs whose limits changed since.
    pub holders: Vec<Uuid>,
    /// A block, or a rule that makes them, is another.
    pub blocks_changed: bool,
}

/// Takes a snapshot, and says what was not so in `before`.
pub async fn look(db: impl PgExecutor<'_>, before: Option<&str>) -> sqlx::Result<News> {
    let row = sqlx::query!(
        r#"select pg_current_snapshot()::text as "seen!",
             array(select key_id from removed_keys where $1::text is not null and not pg_visible_in_snapshot(removed_in, $1::text::pg_snapshot)) as "removed!",
             exists (
               select from apis
               where $1::text is not null and changed_in < pg_snapshot_xmax(pg_current_snapshot()) and not pg_visible_in_snapshot(changed_in, $1::text::pg_snapshot)
             ) as "apis_changed!",
             array(
               select holder from limit_changes
               where $1::text is not null and changed_in >= pg_snapshot_xmin($1::text::pg_snapshot) and changed_in < pg_snapshot_xmax(pg_current_snapshot())
                 and not pg_visible_in_snapshot(changed_in, $1::text::pg_snapshot)
             ) as "holders!",
             exists (
               select from (select changed_in from blocks union all select changed_in from block_rules union all select changed_in from block_exemptions) b
               where $1::text is not null and changed_in >= pg_snapshot_xmin($1::text::pg_snapshot) and changed_in < pg_snapshot_xmax(pg_current_snapshot())
                 and not pg_visible_in_snapshot(changed_in, $1::text::pg_snapshot)
             ) as "blocks_changed!""#,
        before,
    )
    .fetch_one(db)
    .await?;
    let removed = row.removed.into_iter().map(KeyId::new).collect();
    Ok(News { seen: row.seen, removed, apis_changed: row.apis_changed, holders: row.holders, blocks_changed: row.blocks_changed })
}

/// Every API with its routes.
pub async fn load_apis(gate: &Gate, conn: &mut PgConnection) -> sqlx::Result<()> {
    let rows = sqlx::query!(r#"select id, slug, unmatched as "unmatched: Unmatched", answers_preflights from apis"#).fetch_all(&mut *conn).await?;
    let mut routes: HashMap<Uuid, Vec<ApiRoute>> = HashMap::new();
    for row in sqlx::query!("select api_id, method, pattern, permission, cost, is_counted from api_routes").fetch_all(conn).await? {
        routes.entry(row.api_id).or_default().push(ApiRoute {
            method: row.method,
            pattern: row.pattern,
            permission: row.permission.and_then(|p| p.parse().ok()),
            cost: u32::try_from(row.cost).unwrap_or(1),
            is_counted: row.is_counted,
            description: String::new(),
        });
    }
    let apis = rows.into_iter().map(|row| {
        let rules = Rules::new(&routes.remove(&row.id).unwrap_or_default(), row.unmatched);
        (ApiFacts { id: ApiId::new(row.id), slug: row.slug.into(), answers_preflights: row.answers_preflights }, rules)
    });
    gate.apis.store(Arc::new(Apis::new(apis)));
    Ok(())
}

/// Which keys to read.
pub enum Which<'a> {
    /// One that is made or changed meanwhile may be missed: whoever follows sees it in the next look.
    All,
    These(&'a [KeyId]),
    /// Those that a transaction changed which this snapshot does not include.
    /// Between two rows it waits no longer than this.
    NotIn(&'a str, Duration),
    /// Those that these plans, groups, workspaces or APIs hold: all whose limits a change there may change. Waits as long.
    HeldBy(&'a [Uuid], Duration),
}

/// A whole table may take its time to begin.
const LONG: Duration = Duration::from_secs(30);
/// How many keys one statement reads: one for a million would take longer than a statement may.
const CHUNK: usize = 20_000;
/// After so many rows questions are answered on, from what is known up to there.
const MANY: usize = 1_000;

/// Reads keys with everything the gate needs of them and puts each into the table. Answers which they are.
pub async fn read_keys(gate: &Gate, conn: &mut PgConnection, which: Which<'_>) -> sqlx::Result<HashSet<KeyId>> {
    let (patience, is_open) = match &which {
        Which::All => (LONG, true),
        Which::These(_) => (LONG, false),
        Which::NotIn(_, patience) | Which::HeldBy(_, patience) => (*patience, true),
    };
    let ids = list_ids(&mut *conn, which, patience).await?;
    let mut seen = HashSet::with_capacity(ids.len());
    for chunk in ids.chunks(CHUNK) {
        read_chunk(gate, &mut *conn, chunk, patience, &mut seen, is_open).await?;
    }
    Ok(seen)
}

async fn list_ids(conn: &mut PgConnection, which: Which<'_>, patience: Duration) -> sqlx::Result<Vec<Uuid>> {
    let mut rows = match which {
        Which::These(keys) => return Ok(keys.iter().map(|key| key.uuid()).collect()),
        Which::All => sqlx::query_scalar!("select id from keys order by id").fetch(conn),
        Which::NotIn(seen, _) => sqlx::query_scalar!(
            "select id from keys
             where changed_in >= pg_snapshot_xmin($1::text::pg_snapshot) and changed_in < pg_snapshot_xmax(pg_current_snapshot())
               and not pg_visible_in_snapshot(changed_in, $1::text::pg_snapshot)",
            seen,
        )
        .fetch(conn),
        Which::HeldBy(holders, _) => sqlx::query_scalar!(
            r#"select id as "id!" from keys where workspace_id = any($1) union
               select id from keys where plan_id = any($1) union
               select id from keys where api_id = any($1) union
               select o.id from workspace_plans p join keys o on o.workspace_id = p.workspace_id where p.plan_id = any($1) union
               select o.id from group_members m join keys o on o.workspace_id = m.workspace_id
               where m.group_id = any(array(select id from groups where id = any($1) or plan_id = any($1)))"#,
            holders,
        )
        .fetch(conn),
    };
    let mut ids = Vec::new();
    while let Some(id) = within(patience, rows.try_next()).await? {
        ids.push(id);
    }
    Ok(ids)
}

/// Reads these keys, row by row. With `is_open` nobody waits for them in particular.
async fn read_chunk(gate: &Gate, conn: &mut PgConnection, ids: &[Uuid], patience: Duration, seen: &mut HashSet<KeyId>, is_open: bool) -> sqlx::Result<()> {
    let mut rows = sqlx::query!(
        r#"select k.id as "id!", k.workspace_id as "workspace_id!", k.api_id as "api_id!", a.slug as "slug!", k.state as "state!", k.expires_at, w.personal_of as owner,
             case when exists (select from account_disablements d where d.account_id = w.personal_of)
                 or exists (select from account_departures g where g.account_id = w.personal_of)
               then 9223372036854775807 else b.until end as "banned_until?",
             array(
               select p from unnest(k.permissions) p
               where a.slug <> 'tollgate' or p in (
                 select rp.permission from account_roles ar join role_permissions rp on rp.role = ar.role where ar.account_id = w.personal_of)
             ) as "permissions!",
             k.addresses::text[] as "addresses!", k.origins as "web_origins!", g.public_key as "public_key?", g.sealed_secret as "sealed_secret?", g.fingerprint as "fingerprint?",
             coalesce(s.ids, '{}') as "secret_ids!", coalesce(s.hashes, '{}') as "hashes!: Vec<Vec<u8>>", coalesce(s.origins, '{}') as "origins!",
             coalesce(s.ends, '{}') as "secret_ends!: Vec<Option<OffsetDateTime>>", coalesce(s.awaits, false) as "awaits_first_use!",
             coalesce(kp.slug, wp.slug, gp.slug) as "plan?", l.level as "level?", l.names as "limit_names?", l.calls as "limit_calls?",
             l.windows as "limit_windows?", l.zones as "limit_zones?", l.overs as "limit_overs?"
           from keys k join apis a on a.id = k.api_id join workspaces w on w.id = k.workspace_id
             left join key_signings g on g.key_id = k.id
             left join lateral (
               -- Of a salted one how it begins and its salted hash, a line each.
               select array_agg(o.id order by o.id) as ids,
                 array_agg(coalesce(convert_to(o.start || chr(10) || o.phc, 'UTF8'), o.hash) order by o.id) as hashes,
                 array_agg(o.origin order by o.id) as origins, array_agg(o.expires_at order by o.id) as ends, bool_or(o.until_first_use) as awaits
               from key_secrets o where o.key_id = k.id
             ) s on true
             left join workspace_plans h on h.workspace_id = k.workspace_id
             left join (
               select account_id, max(coalesce((extract(epoch from until) * 1000000)::bigint, 9223372036854775807)) as until
               from bans where account_id is not null and lifted_at is null and ended_at is null group by account_id
             ) b on b.account_id = w.personal_of
             left join plans kp on kp.id = k.plan_id left join plans wp on wp.id = h.plan_id
             left join group_members gm on gm.workspace_id = k.workspace_id left join groups gr on gr.id = gm.group_id left join plans gp on gp.id = gr.plan_id
             left join lateral (
               select f.level, array_agg(f.name order by f.name) as names, array_agg(f.max_calls order by f.name) as calls,
                 array_agg(f.window_seconds order by f.name) as windows, array_agg(f.zone order by f.name) as zones,
                 array_agg(f.over order by f.name) as overs
               from limit_levels(k.id, k.plan_id, case when a.slug <> 'tollgate' then k.workspace_id end, case when a.slug <> 'tollgate' then h.plan_id end, k.api_id) f
               group by f.level order by f.level limit 1
             ) l on true
           where k.id = any($1)"#,
        ids,
    )
    .fetch(conn);
    while let Some(row) = within(patience, rows.try_next()).await? {
        let key = KeyId::new(row.id);
        seen.insert(key);
        if is_open && seen.len().is_multiple_of(MANY) {
            gate.contact.is_busy();
        }
        let standing = match row.state.as_str() {
            "revoked" => Standing::Revoked,
            "disabled" => Standing::Disabled,
            _ => Standing::Active,
        };
        let mut salted = Vec::new();
        let secrets = row.secret_ids.into_iter().zip(row.hashes.iter().zip(&row.origins)).zip(row.secret_ends).filter_map(|((id, (hash, origin)), ends)| {
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
        let (names, calls, windows) = (row.limit_names.unwrap_or_default(), row.limit_calls.unwrap_or_default(), row.limit_windows.unwrap_or_default());
        let (zones, overs) = (row.limit_zones.unwrap_or_default(), row.limit_overs.unwrap_or_default());
        let windows = windows.into_iter().zip(&zones).map(|(seconds, zone)| Window::stored_in(seconds, zone));
        let policy = |(((name, max), window), over): (((String, i64), Window), &String)| {
            Arc::new(Policy { name: name.into(), max: u64::try_from(max).unwrap_or(0), window, over: Over::stored(over) })
        };
        let limits = names.into_iter().zip(calls).zip(windows).zip(&overs).map(policy);
        let facts = KeyFacts {
            key,
            owner: row.owner.map_or_else(|| AccountId::new(Uuid::nil()), AccountId::new),
            workspace: WorkspaceId::new(row.workspace_id),
            api: ApiId::new(row.api_id),
            api_slug: gate.api(&row.slug).map_or_else(|| row.slug.as_str().into(), |api| api.slug),
            standing,
            banned_until: row.banned_until,
            expires_at: row.expires_at.map(micros),
            permissions: row.permissions.iter().filter_map(|p| p.parse::<Permission>().ok()).collect(),
            addresses: row.addresses.iter().filter_map(|a| a.parse().ok()).collect(),
            origins: row.web_origins.into_iter().map(Into::into).collect(),
            signer: row.fingerprint.map(|print| Arc::new(signer(&gate.vault, key, row.public_key.as_deref(), row.sealed_secret.as_deref(), &print))),
            secrets,
            salted: salted.into(),
            awaits_first_use: row.awaits_first_use,
            plan: row.plan.map(Into::into),
            level: row.level.map_or(Level::Default, Level::numbered),
            limits: limits.collect(),
        };
        gate.table.put(key, |replaced| Record::new(facts, &gate.default, &gate.groups, replaced, |counter| gate.begun().add(key, counter)));
    }
    Ok(())
}

/// Cost units of what passed since then, by key: from the rollups where that is a day or a quarter of an hour (then whole days of UTC from
/// the first on), else from minutes, the one that it lies in taken whole.
pub async fn list_used(db: &PgPool, since: OffsetDateTime, keys: &[Uuid]) -> sqlx::Result<Vec<(KeyId, u64)>> {
    let one = |key: Uuid, used: i64| (KeyId::new(key), u64::try_from(used).unwrap_or(0));
    if since.unix_timestamp() % 86_400 == 0 {
        let rows = sqlx::query!(
            r#"select key_id, sum(cost)::bigint as "used!" from usage_days where key_id = any($1) and outcome = 'VALID' and day >= $2 group by key_id"#,
            keys,
            since,
        );
        return Ok(rows.fetch_all(db).await?.into_iter().map(|r| one(r.key_id, r.used)).collect());
    }
    if since.unix_timestamp() % 900 == 0 {
        let rows = sqlx::query!(
            r#"select key_id as "key_id!", sum(part)::bigint as "used!" from (
                 select key_id, coalesce(cost, count) as part from usage_quarters
                 where key_id = any($1) and outcome = 'VALID' and quarter >= $2 and quarter < $3
                 union all
                 select key_id, cost from usage_days where key_id = any($1) and outcome = 'VALID' and day >= $3
               ) parts group by key_id"#,
            keys,
            since,
            since.replace_time(time::Time::MIDNIGHT) + time::Duration::DAY,
        );
        return Ok(rows.fetch_all(db).await?.into_iter().map(|r| one(r.key_id, r.used)).collect());
    }
    let rows = sqlx::query!(
        r#"select key_id, sum(coalesce(cost, count))::bigint as "used!" from usage_minutes
           where key_id = any($1) and outcome = 'VALID' and minute > $2::timestamptz - interval '1 minute' group by key_id"#,
        keys,
        since,
    );
    Ok(rows.fetch_all(db).await?.into_iter().map(|r| one(r.key_id, r.used)).collect())
}

fn micros(at: OffsetDateTime) -> i64 {
    i64::try_from(at.unix_timestamp_nanos() / 1000).unwrap_or(i64::MAX)
}
