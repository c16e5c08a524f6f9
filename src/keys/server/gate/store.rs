//! The SQL of the gate: reading keys into the table. It writes nothing.

use super::{
    ApiFacts, Gate, KeyFacts,
    apis::Apis,
    limit::Policy,
    record::{Origin, Record, SecretFacts, Standing},
    routing::Rules,
    sync::within,
    verify::digest_of_sha512,
};
use crate::{
    keys::model::{ApiRoute, Unmatched},
    platform::Ctx,
    values::{AccountId, ApiId, KeyId, Permission, SecretId, WorkspaceId},
};
use futures_util::TryStreamExt;
use sqlx::{PgConnection, PgExecutor};
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
}

/// Takes a snapshot, and says what was not so in `before`.
pub async fn look(db: impl PgExecutor<'_>, before: Option<&str>) -> sqlx::Result<News> {
    let row = sqlx::query!(
        r#"select pg_current_snapshot()::text as "seen!",
             array(select key_id from removed_keys where $1::text is not null and not pg_visible_in_snapshot(removed_in, $1::text::pg_snapshot)) as "removed!",
             exists (
               select from apis
               where $1::text is not null and changed_in < pg_snapshot_xmax(pg_current_snapshot()) and not pg_visible_in_snapshot(changed_in, $1::text::pg_snapshot)
             ) as "apis_changed!""#,
        before,
    )
    .fetch_one(db)
    .await?;
    Ok(News { seen: row.seen, removed: row.removed.into_iter().map(KeyId::new).collect(), apis_changed: row.apis_changed })
}

/// Every API with its routes.
pub async fn load_apis(gate: &Gate, conn: &mut PgConnection) -> sqlx::Result<()> {
    let rows = sqlx::query!(r#"select id, slug, unmatched as "unmatched: Unmatched" from apis"#).fetch_all(&mut *conn).await?;
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
        (ApiFacts { id: ApiId::new(row.id), slug: row.slug.into() }, rules)
    });
    gate.apis.store(Arc::new(Apis::new(apis)));
    Ok(())
}

/// Which keys to read.
pub enum Which<'a> {
    All,
    These(&'a [KeyId]),
    /// Those that a transaction changed which this snapshot does not include.
    /// Between two rows it waits no longer than this.
    NotIn(&'a str, Duration),
}

/// After so many rows questions are answered on, from what is known up to there.
const MANY: usize = 1_000;

/// Reads keys with everything the gate needs of them, row by row, and puts each into the table.
pub async fn read_keys(gate: &Gate, db: impl PgExecutor<'_>, which: Which<'_>) -> sqlx::Result<HashSet<KeyId>> {
    // A whole table may take its time to begin.
    const LONG: Duration = Duration::from_secs(30);
    let (these, seen_before, patience): (Option<Vec<Uuid>>, Option<&str>, Duration) = match which {
        Which::All => (None, None, LONG),
        Which::These(keys) => (Some(keys.iter().map(|k| k.uuid()).collect()), None, LONG),
        Which::NotIn(seen, patience) => (None, Some(seen), patience),
    };
    let mut seen = HashSet::new();
    let mut rows = sqlx::query!(
        r#"select k.id, k.workspace_id, k.api_id, a.slug, k.state, k.expires_at, w.personal_of as owner,
             exists (select from account_disablements d where d.account_id = w.personal_of) as "is_banned!",
             array(
               select p from unnest(k.permissions) p
               where a.slug <> 'tollgate' or p in (
                 select rp.permission from account_roles ar join role_permissions rp on rp.role = ar.role where ar.account_id = w.personal_of)
             ) as "permissions!",
             k.addresses::text[] as "addresses!",
             array(select s.id from key_secrets s where s.key_id = k.id order by s.id) as "secret_ids!",
             array(select s.hash from key_secrets s where s.key_id = k.id order by s.id) as "hashes!",
             array(select s.origin from key_secrets s where s.key_id = k.id order by s.id) as "origins!",
             array(select s.expires_at from key_secrets s where s.key_id = k.id order by s.id) as "secret_ends!: Vec<Option<OffsetDateTime>>",
             exists (select from key_secrets s where s.key_id = k.id and s.until_first_use) as "awaits_first_use!",
             array(select l.name from key_limits l where l.key_id = k.id order by l.name) as "limit_names!",
             array(select l.max_calls from key_limits l where l.key_id = k.id order by l.name) as "limit_calls!",
             array(select l.window_seconds from key_limits l where l.key_id = k.id order by l.name) as "limit_windows!"
           from keys k join apis a on a.id = k.api_id join workspaces w on w.id = k.workspace_id
           where ($1::uuid[] is null or k.id = any($1)) and ($2::text is null or (
             k.changed_in >= pg_snapshot_xmin($2::text::pg_snapshot) and k.changed_in < pg_snapshot_xmax(pg_current_snapshot())
             and not pg_visible_in_snapshot(k.changed_in, $2::text::pg_snapshot)))"#,
        these.as_deref(),
        seen_before,
    )
    .fetch(db);
    while let Some(row) = within(patience, rows.try_next()).await? {
        let key = KeyId::new(row.id);
        seen.insert(key);
        if these.is_none() && seen.len().is_multiple_of(MANY) {
            gate.contact.is_busy();
        }
        let standing = match (row.state.as_str(), row.is_banned) {
            ("revoked", _) => Standing::Revoked,
            (_, true) => Standing::Banned,
            ("disabled", _) => Standing::Disabled,
            _ => Standing::Active,
        };
        let secrets = row.secret_ids.into_iter().zip(row.hashes.iter().zip(&row.origins)).zip(row.secret_ends).filter_map(|((id, (hash, origin)), ends)| {
            let (origin, hash) = match origin.as_str() {
                "sha512" => (Origin::Sha512, digest_of_sha512(hash)),
                "sha256" => (Origin::Sha256, hash.as_slice().try_into().ok()?),
                _ => (Origin::Own, hash.as_slice().try_into().ok()?),
            };
            Some(SecretFacts { id: SecretId::new(id), hash, origin, expires_at: ends.map(micros) })
        });
        let limits = row.limit_names.into_iter().zip(row.limit_calls).zip(row.limit_windows).map(|((name, max), window)| Policy {
            name: name.into(),
            max: u64::try_from(max).unwrap_or(0),
            window: u32::try_from(window).unwrap_or(1),
        });
        let facts = KeyFacts {
            key,
            owner: row.owner.map_or_else(|| AccountId::new(Uuid::nil()), AccountId::new),
            workspace: WorkspaceId::new(row.workspace_id),
            api: ApiId::new(row.api_id),
            api_slug: gate.api(&row.slug).map_or_else(|| row.slug.as_str().into(), |api| api.slug),
            standing,
            expires_at: row.expires_at.map(micros),
            permissions: row.permissions.iter().filter_map(|p| p.parse::<Permission>().ok()).collect(),
            addresses: row.addresses.iter().filter_map(|a| a.parse().ok()).collect(),
            secrets: secrets.collect(),
            awaits_first_use: row.awaits_first_use,
            limits: limits.collect(),
        };
        gate.table.put(key, |replaced| Record::new(facts, &gate.default, replaced));
    }
    Ok(seen)
}

/// A restart forgets nothing: the cost of what passed in the present windows was metered, and the windows go on from there. What began
/// within a minute is taken whole; windows shorter than a minute begin anew.
pub async fn resume_windows(gate: &Gate, ctx: &Ctx) -> sqlx::Result<()> {
    let rows = sqlx::query!(
        r#"with limits as (
             select l.key_id, l.name, l.window_seconds as seconds from key_limits l
             union all
             select k.id, $2, $3 from keys k where not exists (select from key_limits l where l.key_id = k.id))
           select l.key_id as "key_id!", l.name as "name!", sum(coalesce(u.cost, u.count))::bigint as "used!"
           from limits l join usage_minutes u on u.key_id = l.key_id and u.outcome = 'VALID'
             and u.minute > to_timestamp(floor(extract(epoch from $1::timestamptz) / l.seconds) * l.seconds - 60) and u.minute <= $1
           where l.seconds >= 60
           group by l.key_id, l.name"#,
        ctx.clock.now(),
        &*gate.default.name,
        i32::try_from(gate.default.window).unwrap_or(3600),
    )
    .fetch_all(&ctx.db)
    .await?;
    let now = ctx.clock.now_micros();
    for row in rows {
        if let Some(record) = gate.table.by_id(KeyId::new(row.key_id))
            && let Some(limit) = record.limits.iter().find(|l| *l.policy.name == *row.name)
        {
            limit.resume(now, u64::try_from(row.used).unwrap_or(0));
        }
    }
    Ok(())
}

fn micros(at: OffsetDateTime) -> i64 {
    i64::try_from(at.unix_timestamp_nanos() / 1000).unwrap_or(i64::MAX)
}
