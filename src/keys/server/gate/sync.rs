//! How the key table is loaded and kept current.
//!
//! A commit that changes a key notifies every node (a trigger of 0004), which then reads that key anew. NOTIFY is lost while a
//! connection is away, so a poll stands behind it: every second it reads the keys whose last changing transaction is not older than
//! the oldest transaction that was still running at the poll before (`pg_snapshot_xmin`). A plain revision number would miss a
//! transaction that took its number early and committed late; this can't.

use super::{ApiFacts, Gate, KeyFacts, limit::Policy, record::{Record, SecretFacts, Standing}};
use crate::{
    platform::Ctx,
    values::{AccountId, ApiId, KeyId, Permission, WorkspaceId},
};
use sqlx::{PgPool, postgres::PgListener};
use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, atomic::Ordering},
    time::Duration,
};
use time::OffsetDateTime;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// The channel of the triggers; the payload is a key's id or `apis`.
const CHANNEL: &str = "keys_changed";
/// How stale a node may be when a notification was lost.
const POLL: Duration = Duration::from_secs(1);
/// Keys read in one statement after a burst of notifications.
const BURST: usize = 1_000;

/// The task that keeps a gate current.
pub struct Sync {
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Sync {
    /// Loads the whole table, then keeps it current until `stop`.
    pub async fn start(gate: Arc<Gate>, ctx: &Ctx) -> sqlx::Result<Self> {
        let low = load(&gate, ctx).await?;
        let stop = CancellationToken::new();
        let task = tokio::spawn(follow(gate, ctx.db.clone(), low, stop.clone()));
        Ok(Self { stop, task })
    }

    pub async fn stop(self) {
        self.stop.cancel();
        if let Err(error) = self.task.await {
            tracing::error!("the key table's follower ended badly: {error}");
        }
    }
}

/// Reads every key and API, and what was used of the present windows. Returns the transaction below which nothing is unread.
async fn load(gate: &Gate, ctx: &Ctx) -> sqlx::Result<i64> {
    let low = oldest_running(&ctx.db).await?;
    load_apis(gate, &ctx.db).await?;
    read_keys(gate, &ctx.db, Which::All).await?;
    resume_windows(gate, ctx).await?;
    gate.is_loaded.store(true, Ordering::Release);
    tracing::info!(keys = gate.len(), "key table loaded");
    Ok(low)
}

async fn follow(gate: Arc<Gate>, db: PgPool, mut low: i64, stop: CancellationToken) {
    let mut listener = None;
    let mut is_away = false;
    loop {
        if listener.is_none() {
            listener = listen(&db).await.ok();
        }
        let heard = tokio::select! {
            () = stop.cancelled() => return,
            heard = hear(&mut listener) => heard,
            () = tokio::time::sleep(POLL) => Heard::Nothing,
        };
        let done = match heard {
            Heard::Keys(keys) => refresh(&gate, &db, &keys).await,
            Heard::Apis => load_apis(&gate, &db).await,
            Heard::Lost => reload(&gate, &db).await,
            Heard::Nothing => poll(&gate, &db, &mut low).await,
        };
        match done {
            Ok(()) if is_away => {
                tracing::info!("the database is back; the key table is current");
                is_away = false;
            }
            Ok(()) => {}
            Err(error) => {
                if !is_away {
                    tracing::warn!("the key table can't be brought up to date, going on with what is known: {error}");
                }
                is_away = true;
                tokio::select! { () = stop.cancelled() => return, () = tokio::time::sleep(POLL) => {} }
            }
        }
    }
}

enum Heard {
    Keys(Vec<KeyId>),
    Apis,
    /// The connection was away: anything may have been missed, removals too.
    Lost,
    Nothing,
}

async fn listen(db: &PgPool) -> sqlx::Result<PgListener> {
    let mut listener = PgListener::connect_with(db).await?;
    listener.listen(CHANNEL).await?;
    Ok(listener)
}

/// Waits for a notification and takes those that came with it.
async fn hear(listener: &mut Option<PgListener>) -> Heard {
    let Some(current) = listener else { return std::future::pending().await };
    let first = match current.try_recv().await {
        Ok(Some(first)) => first,
        Ok(None) | Err(_) => {
            *listener = None;
            return Heard::Lost;
        }
    };
    if first.payload() == "apis" {
        return Heard::Apis;
    }
    let mut keys: HashSet<KeyId> = first.payload().parse().map(KeyId::new).into_iter().collect();
    while let Some(next) = current.next_buffered() {
        match next.payload().parse() {
            Ok(id) => _ = keys.insert(KeyId::new(id)),
            Err(_) => return Heard::Lost,
        }
        if keys.len() >= BURST {
            break;
        }
    }
    Heard::Keys(keys.into_iter().collect())
}

async fn poll(gate: &Gate, db: &PgPool, low: &mut i64) -> sqlx::Result<()> {
    let next = oldest_running(db).await?;
    read_keys(gate, db, Which::ChangedSince(*low)).await?;
    *low = next;
    Ok(())
}

async fn reload(gate: &Gate, db: &PgPool) -> sqlx::Result<()> {
    load_apis(gate, db).await?;
    let seen = read_keys(gate, db, Which::All).await?;
    for gone in gate.table.ids_known().into_iter().filter(|id| !seen.contains(id)) {
        gate.table.remove(gone);
    }
    Ok(())
}

/// Reads these keys anew; those that are gone are forgotten.
pub async fn refresh(gate: &Gate, db: &PgPool, keys: &[KeyId]) -> sqlx::Result<()> {
    let seen = read_keys(gate, db, Which::These(keys)).await?;
    for gone in keys.iter().filter(|id| !seen.contains(id)) {
        gate.table.remove(*gone);
    }
    Ok(())
}

async fn oldest_running(db: &PgPool) -> sqlx::Result<i64> {
    sqlx::query_scalar!(r#"select pg_snapshot_xmin(pg_current_snapshot())::text::bigint as "xmin!""#).fetch_one(db).await
}

async fn load_apis(gate: &Gate, db: &PgPool) -> sqlx::Result<()> {
    let rows = sqlx::query!("select id, slug from apis").fetch_all(db).await?;
    let apis: HashMap<Box<str>, ApiFacts> = rows.into_iter().map(|r| (r.slug.as_str().into(), ApiFacts { id: ApiId::new(r.id), slug: r.slug.into() })).collect();
    gate.apis.store(Arc::new(apis));
    Ok(())
}

enum Which<'a> {
    All,
    These(&'a [KeyId]),
    ChangedSince(i64),
}

/// Reads keys with everything the gate needs of them, row by row, and puts each into the table.
async fn read_keys(gate: &Gate, db: &PgPool, which: Which<'_>) -> sqlx::Result<HashSet<KeyId>> {
    use futures_util::TryStreamExt;
    let (these, since): (Option<Vec<Uuid>>, Option<String>) = match which {
        Which::All => (None, None),
        Which::These(keys) => (Some(keys.iter().map(|k| k.uuid()).collect()), None),
        Which::ChangedSince(low) => (None, Some(low.to_string())),
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
             array(select s.hash from key_secrets s where s.key_id = k.id order by s.id) as "hashes!",
             array(select s.expires_at from key_secrets s where s.key_id = k.id order by s.id) as "secret_ends!: Vec<Option<OffsetDateTime>>",
             array(select l.name from key_limits l where l.key_id = k.id order by l.name) as "limit_names!",
             array(select l.max_calls from key_limits l where l.key_id = k.id order by l.name) as "limit_calls!",
             array(select l.window_seconds from key_limits l where l.key_id = k.id order by l.name) as "limit_windows!"
           from keys k join apis a on a.id = k.api_id join workspaces w on w.id = k.workspace_id
           where ($1::uuid[] is null or k.id = any($1)) and ($2::text is null or k.changed_in >= $2::text::xid8)"#,
        these.as_deref(),
        since,
    )
    .fetch(db);
    while let Some(row) = rows.try_next().await? {
        let key = KeyId::new(row.id);
        seen.insert(key);
        let standing = match (row.state.as_str(), row.is_banned) {
            ("revoked", _) => Standing::Revoked,
            (_, true) => Standing::Banned,
            ("disabled", _) => Standing::Disabled,
            _ => Standing::Active,
        };
        let secrets = row.hashes.iter().zip(row.secret_ends).filter_map(|(hash, ends)| {
            Some(SecretFacts { hash: hash.as_slice().try_into().ok()?, expires_at: ends.map(micros) })
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
            secrets: secrets.collect(),
            limits: limits.collect(),
        };
        gate.table.put(key, |replaced| Record::new(facts, &gate.default, replaced));
    }
    Ok(seen)
}

/// A restart forgets nothing: what passed in the present windows was metered, and the windows go on from there.
async fn resume_windows(gate: &Gate, ctx: &Ctx) -> sqlx::Result<()> {
    let rows = sqlx::query!(
        r#"with limits as (
             select l.key_id, l.name, l.window_seconds as seconds from key_limits l
             union all
             select k.id, $2, $3 from keys k where not exists (select from key_limits l where l.key_id = k.id))
           select l.key_id as "key_id!", l.name as "name!", sum(u.count)::bigint as "used!"
           from limits l join usage_minutes u on u.key_id = l.key_id and u.outcome = 'VALID'
             and u.minute >= to_timestamp(floor(extract(epoch from $1::timestamptz) / l.seconds) * l.seconds) and u.minute <= $1
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
