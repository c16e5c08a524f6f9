//! Adding counts. Rows come sorted and summed (no row twice in a statement), so that nodes that write at once don't deadlock.

use sqlx::{PgConnection, PgPool};
use time::OffsetDateTime;
use uuid::Uuid;

/// Counts as columns, for `unnest`: one statement per chunk, whatever its size.
#[derive(Debug, Default)]
pub struct CountColumns {
    pub key: Vec<Uuid>,
    pub at: Vec<OffsetDateTime>,
    pub route: Vec<String>,
    pub outcome: Vec<String>,
    pub workspace: Vec<Uuid>,
    pub api: Vec<Uuid>,
    pub count: Vec<i64>,
    pub cost: Vec<i64>,
}

#[derive(Debug, Default)]
pub struct AttemptColumns {
    pub minute: Vec<OffsetDateTime>,
    pub reason: Vec<String>,
    pub address: Vec<String>,
    pub count: Vec<i64>,
}

#[derive(Debug, Default)]
pub struct SampleColumns {
    pub id: Vec<Uuid>,
    pub at: Vec<OffsetDateTime>,
    pub key: Vec<Option<Uuid>>,
    pub workspace: Vec<Option<Uuid>>,
    pub api: Vec<Option<Uuid>>,
    pub code: Vec<String>,
    pub ground: Vec<String>,
    pub limit_name: Vec<String>,
    pub permission: Vec<String>,
    pub route: Vec<String>,
    pub address: Vec<String>,
    pub request_id: Vec<String>,
    pub detail: Vec<String>,
}

#[derive(Debug, Default)]
pub struct UseColumns {
    pub secret: Vec<Uuid>,
    pub at: Vec<OffsetDateTime>,
    pub address: Vec<String>,
    pub route: Vec<String>,
}

/// Cost units of what passed, by key and hour.
#[derive(Debug, Default)]
pub struct UnitColumns {
    pub key: Vec<Uuid>,
    pub workspace: Vec<Uuid>,
    pub hour: Vec<OffsetDateTime>,
    pub units: Vec<i64>,
}

/// Notes that this batch is being written; false if it was before.
pub async fn insert_batch(conn: &mut PgConnection, id: Uuid, at: OffsetDateTime) -> sqlx::Result<bool> {
    let done = sqlx::query!("insert into usage_batches (id, at) values ($1, $2) on conflict (id) do nothing", id, at).execute(conn).await?;
    Ok(done.rows_affected() == 1)
}

/// No file on disk holds these batches any more: their ids need not be known for long.
pub async fn close_batches(conn: &mut PgConnection, ids: &[Uuid]) -> sqlx::Result<()> {
    sqlx::query!("update usage_batches set is_closed = true where id = any($1)", ids).execute(conn).await?;
    Ok(())
}

pub async fn insert_minutes(conn: &mut PgConnection, rows: &CountColumns) -> sqlx::Result<()> {
    add_columns!(
        conn,
        rows,
        [key, at, route, outcome, workspace, api, count, cost],
        "insert into usage_minutes as u (key_id, minute, route, outcome, workspace_id, api_id, count, cost)
         select * from unnest($1::uuid[], $2::timestamptz[], $3::text[], $4::text[], $5::uuid[], $6::uuid[], $7::bigint[], $8::bigint[])
         on conflict (key_id, minute, route, outcome) do update set count = u.count + excluded.count, cost = coalesce(u.cost, u.count) + excluded.cost"
    )
}

pub async fn insert_quarters(conn: &mut PgConnection, rows: &CountColumns) -> sqlx::Result<()> {
    add_columns!(
        conn,
        rows,
        [key, at, route, outcome, workspace, api, count, cost],
        "insert into usage_quarters as u (key_id, quarter, route, outcome, workspace_id, api_id, count, cost)
         select * from unnest($1::uuid[], $2::timestamptz[], $3::text[], $4::text[], $5::uuid[], $6::uuid[], $7::bigint[], $8::bigint[])
         on conflict (key_id, quarter, route, outcome) do update set count = u.count + excluded.count, cost = coalesce(u.cost, u.count) + excluded.cost"
    )
}

/// The first statement of a transaction that writes quarters of an hour: where hours end stays where it is until its end (migration 0111). It may compute
/// for a while between two statements, on a busy core.
pub async fn hold_rollups(conn: &mut PgConnection) -> sqlx::Result<()> {
    sqlx::query_scalar!("select set_config('idle_in_transaction_session_timeout', '15s', true) from usage_rollups for share").fetch_one(conn).await?;
    Ok(())
}

/// The first quarter of an hour before that which is not rolled up.
pub async fn find_not_rolled_up(db: &PgPool, before: OffsetDateTime) -> sqlx::Result<Option<OffsetDateTime>> {
    sqlx::query_scalar!("select min(quarter) from usage_quarters where quarter >= (select until from usage_rollups) and quarter < $1", before)
        .fetch_one(db)
        .await
}

/// Rolls up the quarters of an hour before that which are not yet rolled up (migration 0111).
pub async fn roll_up(db: &PgPool, before: OffsetDateTime) -> sqlx::Result<()> {
    sqlx::query!("select from usage_roll_up($1)", before).execute(db).await?;
    Ok(())
}

impl UnitColumns {
    /// Keeps the rows of workspaces that are meant.
    pub fn retain(&mut self, is_meant: impl Fn(&Uuid) -> bool) {
        let are_meant: Vec<bool> = self.workspace.iter().map(is_meant).collect();
        fn keep<T>(column: &mut Vec<T>, are_meant: &[bool]) {
            let mut are_meant = are_meant.iter();
            column.retain(|_| are_meant.next() == Some(&true));
        }
        keep(&mut self.key, &are_meant);
        keep(&mut self.workspace, &are_meant);
        keep(&mut self.hour, &are_meant);
        keep(&mut self.units, &are_meant);
    }
}

/// Of these workspaces those whose keys may share limits: with limits or a plan of its own, or in a group.
pub async fn list_sharing(conn: &mut PgConnection, workspaces: &[Uuid]) -> sqlx::Result<Vec<Uuid>> {
    sqlx::query_scalar!(
        r#"select w as "w!" from unnest($1::uuid[]) w
           where exists (select from workspace_limits l where l.workspace_id = w) or exists (select from workspace_plans p where p.workspace_id = w)
             or exists (select from group_members m where m.workspace_id = w)"#,
        workspaces,
    )
    .fetch_all(conn)
    .await
}

/// What keys used together of limits that they share, of workspaces that `list_sharing` told. Keys of one workspace add to the same row: it is to come last in a
/// transaction, by workspace and hour, so that who waits for a row holds none that the other one still needs.
pub async fn insert_shared_hours(conn: &mut PgConnection, rows: &UnitColumns) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into usage_shared_hours as u (workspace_id, hour, units)
         select c.workspace_id, c.hour, sum(c.units)::bigint
         from unnest($1::uuid[], $2::uuid[], $3::timestamptz[], $4::bigint[]) as c(key_id, workspace_id, hour, units)
           join keys k on k.id = c.key_id join apis i on i.id = k.api_id and i.slug <> 'tollgate'
         where not exists (select from key_limits l where l.key_id = k.id) and not exists (select from plan_limits l where l.plan_id = k.plan_id)
         group by 1, 2 order by 1, 2
         on conflict (workspace_id, hour) do update set units = u.units + excluded.units",
        &rows.key,
        &rows.workspace,
        &rows.hour,
        &rows.units,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Moves "last used" forward, never back.
pub async fn update_activity(conn: &mut PgConnection, keys: &[Uuid], last_used: &[OffsetDateTime]) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into key_activity as a (key_id, last_used_at) select * from unnest($1::uuid[], $2::timestamptz[])
         on conflict (key_id) do update set last_used_at = excluded.last_used_at where a.last_used_at < excluded.last_used_at",
        keys,
        last_used,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Who used each secret last; never back.
pub async fn update_uses(conn: &mut PgConnection, rows: &UseColumns) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into key_secret_uses as u (secret_id, last_used_at, address, route)
         select * from unnest($1::uuid[], $2::timestamptz[], $3::text[], $4::text[])
         on conflict (secret_id) do update set last_used_at = excluded.last_used_at, address = excluded.address, route = excluded.route
         where u.last_used_at < excluded.last_used_at",
        &rows.secret,
        &rows.at,
        &rows.address,
        &rows.route,
    )
    .execute(conn)
    .await?;
    Ok(())
}

pub async fn insert_attempts(conn: &mut PgConnection, rows: &AttemptColumns) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into unknown_attempts as u (minute, reason, address, count)
         select * from unnest($1::timestamptz[], $2::text[], $3::text[], $4::bigint[])
         on conflict (minute, reason, address) do update set count = u.count + excluded.count",
        &rows.minute,
        &rows.reason,
        &rows.address,
        &rows.count,
    )
    .execute(conn)
    .await?;
    Ok(())
}

pub async fn insert_samples(conn: &mut PgConnection, rows: &SampleColumns) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into refusal_samples (id, at, key_id, workspace_id, api_id, code, route, address, request_id, detail, ground, limit_name, permission)
         select * from unnest($1::uuid[], $2::timestamptz[], $3::uuid[], $4::uuid[], $5::uuid[], $6::text[], $7::text[], $8::text[], $9::text[], $10::text[],
           $11::text[], $12::text[], $13::text[])
         on conflict do nothing",
        &rows.id,
        &rows.at,
        &rows.key as _,
        &rows.workspace as _,
        &rows.api as _,
        &rows.code,
        &rows.route,
        &rows.address,
        &rows.request_id,
        &rows.detail,
        &rows.ground,
        &rows.limit_name,
        &rows.permission,
    )
    .execute(conn)
    .await?;
    Ok(())
}
