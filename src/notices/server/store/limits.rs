//! Limits and what is used of their present windows, from the counters.

use super::looks::DueKeys;
use crate::{
    keys::model::{LimitUnit, Over, Window},
    values::AccountId,
};
use sqlx::{PgConnection, PgPool};
use time::OffsetDateTime;
use uuid::Uuid;

/// A limit that passed the lowest threshold of somebody who wants to know.
#[derive(Debug)]
pub struct UsedLimit {
    /// All keys of a workspace share it.
    pub is_shared: bool,
    /// Of the key, or of the workspace whose keys share the limit.
    pub id: Uuid,
    pub account_id: Uuid,
    pub limit_name: String,
    /// 0: a calendar month, or prepaid credits.
    pub window_seconds: i32,
    pub zone: String,
    pub kind: String,
    /// Of credits.
    pub refill: i64,
    /// What the window counts.
    pub unit: String,
    /// What becomes of calls beyond it.
    pub over: String,
    /// Of a rolling window the minute in which some of it was used last; of credits the day, or when some were added last: they are told once for it.
    pub window_start: OffsetDateTime,
    pub allowed: i64,
    pub used: i64,
    /// What calls took on average that passed in the window, of credits lately, where it is least by route and time; free ones aside. 0: none passed.
    pub least: i64,
    pub thresholds: Vec<i16>,
}

/// The limit of keys for which no level has any.
#[derive(Debug, Clone, Copy)]
pub struct DefaultLimit<'a> {
    pub name: &'a str,
    pub calls: i64,
    /// Seconds.
    pub window: i32,
}

/// From here on one plan serves each statement of this transaction, until `plan_each`: to plan one takes as long as to look at a thousand keys. Only for what looks rows
/// up: such a plan knows no time and would read a whole partition for its last hour.
pub async fn plan_once(conn: &mut PgConnection) -> sqlx::Result<()> {
    sqlx::query!("set local plan_cache_mode = force_generic_plan").execute(conn).await?;
    Ok(())
}

/// As ever from here on.
pub async fn plan_each(conn: &mut PgConnection) -> sqlx::Result<()> {
    sqlx::query!("set local plan_cache_mode = auto").execute(conn).await?;
    Ok(())
}

/// Limits of these keys with windows of an hour or longer. They are those
/// of the level that holds the key (`limit_levels`, else the default); what all keys of a workspace share is of no key alone and stands in
/// `shared`. Windows begin at multiples of their length since 1970, or with the day or month of their zone, as the gate's do; a rolling one
/// with the minute that is its length ago, and what is told of it stands at the minute in which some of it was used last: all of it is back one length later. What is used
/// is the sum of whole days of UTC where the window is made of days, of whole quarters of an hour before the first of them, and of single
/// minutes before the first of those; so rows are bounded by the window's days. Edges are made once (`materialized`), what a window has none of is
/// not looked for, and keys are looked up one by one (`offset 0`), not read whole: of 20,000 keys in use it is half of the time. Of a limit is also
/// told when less is left than calls cost. Where many keys are in use, it is noted when each is to be looked at
/// next (`looks`): within a quarter of an hour, and not all in the same minute.
pub async fn list_used_limits(conn: &mut PgConnection, due: DueKeys<'_>, default: DefaultLimit<'_>, now: OffsetDateTime) -> sqlx::Result<Vec<UsedLimit>> {
    sqlx::query_as!(
        UsedLimit,
        r#"with active as (
             select * from unnest($5::uuid[], $6::bigint[], $7::bigint[]) as a(key_id, calls, units)
           ), limits as (
             select k.id, k.workspace_id, l.name, l.max_calls, l.kind, l.window_seconds, l.zone, l.unit, l.over
             from active a cross join lateral (select * from keys where id = a.key_id and state = 'active' offset 0) k join apis i on i.id = k.api_id
               left join workspace_plans h on h.workspace_id = k.workspace_id
             cross join lateral (
               select f.*, min(f.level) over () as nearest from (
                 select level, name, max_calls, kind, window_seconds, zone, unit, over
                 from limit_levels(k.id, k.plan_id, case when i.slug <> 'tollgate' then k.workspace_id end, case when i.slug <> 'tollgate' then h.plan_id end, k.api_id)
                 union all
                 select 8, $2::text, $3::bigint, 'fixed', $4::integer, 'UTC', 'units', 'refuse'
               ) f
             ) l
             where l.level = l.nearest and l.level not in (3, 4, 5, 6)
           ), edges as materialized (
             select l.*, p.starts, p.whole, p.midnight
             from limits l cross join lateral window_pieces(l.kind, l.window_seconds, l.zone, $1) p
             where l.kind in ('fixed', 'rolling') and (l.window_seconds = 0 or l.window_seconds >= 3600) and l.max_calls > 0
           ), looked as materialized (
             select e.*, coalesce(e.max_calls - u.used < u.least, false) as is_short, o.id as account_id, coalesce(n.thresholds, '{80,100}') as thresholds, coalesce(u.used, 0) as used, coalesce(u.least, 0) as least, coalesce(u.dearest, 0) as dearest
             from edges e
             join workspaces w on w.id = e.workspace_id
             join accounts o on o.id = w.personal_of and o.verified_at is not null
             left join notice_settings n on n.account_id = o.id
             cross join lateral (
               select sum(taken(e.unit, c.count, c.cost))::bigint as used, min(greatest(taken(e.unit, c.count, c.cost) / c.count, 1)) filter (where c.cost > 0) as least,
                 max(greatest(taken(e.unit, c.count, c.cost) / c.count, 1)) as dearest from (
                 select d.count, d.cost from usage_by_day(e.midnight, 'infinity') d where e.midnight <= $1 and d.key_id = e.id and d.day >= e.midnight and d.day <= $1 and d.outcome = 'VALID'
                 union all
                 select q.count, coalesce(q.cost, q.count) from usage_quarters q
                 where e.whole < e.midnight and e.whole <= $1 and q.key_id = e.id and q.quarter >= e.whole and q.quarter < e.midnight and q.quarter <= $1 and q.outcome = 'VALID'
                 union all
                 select m.count, coalesce(m.cost, m.count) from usage_minutes m
                 where e.starts < e.whole and m.key_id = e.id and m.minute >= e.starts and m.minute < e.whole and m.minute <= $1 and m.outcome = 'VALID'
               ) c
             ) u
             where coalesce(n.limits, true) and not exists (select from account_disablements d where d.account_id = o.id)
               and not exists (select from account_departures g where g.account_id = o.id)
           ), noted as (
             insert into key_looks (key_id, due, quarter, calls, units, room)
             select a.key_id, $1::timestamptz + make_interval(mins => 7 + get_byte(uuid_send(a.key_id), 15) % 8), $8, a.calls, a.units,
               coalesce(min(room_below_marks(e.max_calls, e.used, e.is_short, e.dearest, e.thresholds)), 9223372036854775807)
             from active a left join looked e on e.id = a.key_id
             where $8::timestamptz is not null group by a.key_id, a.calls, a.units order by 1
             on conflict (key_id) do update set due = excluded.due, quarter = excluded.quarter, calls = excluded.calls, units = excluded.units, room = excluded.room
           )
           select false as "is_shared!", e.id as "id!", e.account_id as "account_id!", e.name as "limit_name!", e.window_seconds as "window_seconds!", e.zone as "zone!", e.kind as "kind!", 0::bigint as "refill!", e.unit as "unit!", e.over as "over!",
             case when e.kind = 'rolling' then coalesce((
               select m.minute from usage_minutes m
               where m.key_id = e.id and m.minute >= e.starts and m.minute <= $1 and m.outcome = 'VALID' and taken(e.unit, m.count, coalesce(m.cost, m.count)) > 0
               order by m.minute desc limit 1), $1) else e.starts end as "window_start!",
             e.max_calls as "allowed!", e.used as "used!", e.least as "least!", e.thresholds as "thresholds!"
           from looked e
           where e.used * 100 >= e.max_calls * (select min(t) from unnest(e.thresholds) t) or e.is_short"#,
        now,
        default.name,
        default.calls,
        default.window,
        due.keys,
        due.calls,
        due.units,
        due.since,
    )
    .fetch_all(conn)
    .await
}

/// Thresholds to mark as told, as columns.
#[derive(Debug, Default)]
pub struct Marks {
    /// Of keys, or of workspaces.
    pub id: Vec<Uuid>,
    pub account: Vec<Uuid>,
    pub limit_name: Vec<String>,
    pub window_seconds: Vec<i32>,
    pub zone: Vec<String>,
    pub kind: Vec<String>,
    pub refill: Vec<i64>,
    pub unit: Vec<String>,
    pub over: Vec<String>,
    pub window_start: Vec<OffsetDateTime>,
    pub threshold: Vec<i16>,
    pub used: Vec<i64>,
    pub allowed: Vec<i64>,
    pub is_shared: Vec<bool>,
}

/// Marks them; answers the accounts for which one is new. A mark of a rolling window is not while its filling lasts, nor is one below another that
/// was told of the same window (or filling) of as much: who sets lower marks meanwhile knows more already.
pub async fn insert_marks(conn: &mut PgConnection, marks: &Marks, now: OffsetDateTime) -> sqlx::Result<Vec<AccountId>> {
    let accounts = sqlx::query_scalar!(
        r#"with marks as (
             select * from unnest($1::uuid[], $2::uuid[], $3::text[], $4::int[], $5::timestamptz[], $6::smallint[], $7::bigint[], $8::bigint[], $10::text[], $11::text[], $12::bigint[], $13::bool[], $14::text[], $15::text[])
               as marks(h, a, n, s, w, t, u, m, z, i, r, is_shared, c, beyond)
           ), of_keys as (
             insert into limit_notices (key_id, account_id, limit_name, window_seconds, window_start, threshold, used, allowed, at, zone, kind, refill, unit, over)
             select h, a, n, s, w, t, u, m, $9::timestamptz, z, i, r, c, beyond from marks
             where not is_shared and not exists (
               select from limit_notices o where o.key_id = h and o.account_id = a and o.limit_name = n and o.kind = i and o.window_seconds = s and o.unit = c
                 and (o.threshold > t and o.allowed = m or i = 'rolling' and o.threshold = t)
                 and case when i = 'rolling' then o.fell_at is null and o.at > $9::timestamptz - make_interval(secs => s) else o.window_start = w end)
             order by h, a, n, s, w, t
             on conflict (key_id, account_id, limit_name, window_seconds, window_start, threshold)
               do update set unit = excluded.unit, over = excluded.over, used = excluded.used, allowed = excluded.allowed, at = excluded.at where limit_notices.unit <> excluded.unit
             returning account_id
           ), of_workspaces as (
             insert into shared_limit_notices (workspace_id, account_id, limit_name, window_seconds, window_start, threshold, used, allowed, at, zone, kind, refill, unit, over)
             select h, a, n, s, w, t, u, m, $9::timestamptz, z, i, r, c, beyond from marks
             where is_shared and not exists (
               select from shared_limit_notices o where o.workspace_id = h and o.account_id = a and o.limit_name = n and o.kind = i and o.window_seconds = s and o.unit = c
                 and (o.threshold > t and o.allowed = m or i = 'rolling' and o.threshold = t)
                 and case when i = 'rolling' then o.fell_at is null and o.at > $9::timestamptz - make_interval(secs => s) else o.window_start = w end)
             order by h, a, n, s, w, t
             on conflict (workspace_id, account_id, limit_name, window_seconds, window_start, threshold)
               do update set unit = excluded.unit, over = excluded.over, used = excluded.used, allowed = excluded.allowed, at = excluded.at where shared_limit_notices.unit <> excluded.unit
             returning account_id
           ) select account_id as "account_id!" from of_keys union select account_id from of_workspaces order by 1"#,
        &marks.id,
        &marks.account,
        &marks.limit_name,
        &marks.window_seconds,
        &marks.window_start,
        &marks.threshold,
        &marks.used,
        &marks.allowed,
        now,
        &marks.zone,
        &marks.kind,
        &marks.refill,
        &marks.is_shared,
        &marks.unit,
        &marks.over,
    )
    .fetch_all(conn)
    .await?;
    Ok(accounts.into_iter().map(AccountId::new).collect())
}

/// Ends the fillings of marks that were told of rolling windows and are not half reached any more: each is told again when it is reached.
pub async fn end_fillings(db: &PgPool, now: OffsetDateTime) -> sqlx::Result<()> {
    let ended = sqlx::query!(
        "with of_keys as (
           update limit_notices n set fell_at = $1
           where n.fell_at is null and n.kind = 'rolling' and n.at > $1::timestamptz - make_interval(secs => n.window_seconds)
             and used_since(n.key_id, date_trunc('minute', $1::timestamptz - make_interval(secs => n.window_seconds)), n.unit) * 200 < n.allowed * n.threshold
         )
         update shared_limit_notices n set fell_at = $1
         where n.fell_at is null and n.kind = 'rolling' and n.at > $1::timestamptz - make_interval(secs => n.window_seconds)
           and shared_used_since(n.workspace_id, date_trunc('minute', $1::timestamptz - make_interval(secs => n.window_seconds)), n.unit) * 200
             < n.allowed * n.threshold",
        now,
    );
    ended.execute(db).await?;
    Ok(())
}

/// A notice to write down.
#[derive(Debug)]
pub struct LimitNotice {
    /// None: what all keys of a workspace share.
    pub key_id: Option<Uuid>,
    /// Whose limit it is, at the beginning of a sentence that goes on with "has used" or "have used".
    pub key_name: String,
    pub limit_name: String,
    pub threshold: i16,
    pub used: i64,
    pub allowed: i64,
    pub window_seconds: i32,
    /// Of a day or a month.
    pub zone: String,
    pub kind: String,
    /// Of credits.
    pub refill: i64,
    /// What a window counts.
    pub unit: String,
    /// What becomes of calls beyond it: in a mail what it was when this was marked, on the home page what it is now.
    pub over: String,
    pub window_start: OffsetDateTime,
}

impl LimitNotice {
    pub fn unit(&self) -> LimitUnit {
        LimitUnit::stored(&self.unit)
    }

    /// What becomes of calls beyond it.
    pub fn over(&self) -> Over {
        Over::stored(&self.over)
    }

    pub fn window(&self) -> Window {
        Window::stored(&self.kind, self.window_seconds, &self.zone, self.refill)
    }

    pub fn is_short(&self) -> bool {
        is_short(self.threshold, self.used, self.allowed)
    }
}

/// Told of a mark that is not reached: less is left than calls of any route cost on average, so many are beyond it. A cheaper one may still pass.
pub fn is_short(threshold: i16, used: i64, allowed: i64) -> bool {
    i128::from(used) * 100 < i128::from(allowed) * i128::from(threshold)
}

/// What an account is told in one mail: what was marked at this instant, of each limit the highest threshold.
pub async fn list_of_mail(db: &PgPool, account: AccountId, at: OffsetDateTime) -> sqlx::Result<Vec<LimitNotice>> {
    sqlx::query_as!(
        LimitNotice,
        r#"select key_id as "key_id?", key_name as "key_name!", limit_name as "limit_name!", threshold as "threshold!", used as "used!", allowed as "allowed!",
             window_seconds as "window_seconds!", zone as "zone!", kind as "kind!", refill as "refill!", unit as "unit!", over as "over!", window_start as "window_start!"
           from (
             select distinct on (holder, limit_name, window_seconds) * from (
               select workspace_id as holder, null::uuid as key_id, 'All keys together' as key_name, limit_name, threshold, used, allowed, window_seconds, zone, kind, refill, unit, over, window_start
               from shared_limit_notices where account_id = $1 and at = $2
               union all
               select n.key_id, n.key_id, k.name, n.limit_name, n.threshold, n.used, n.allowed, n.window_seconds, n.zone, n.kind, n.refill, n.unit, n.over, n.window_start
               from limit_notices n join keys k on k.id = n.key_id where n.account_id = $1 and n.at = $2
             ) told order by holder, limit_name, window_seconds, threshold desc
           ) highest order by key_id is not null, key_name, key_id, limit_name, window_seconds"#,
        account.uuid(),
        at,
    )
    .fetch_all(db)
    .await
}

/// Notices of windows that are not over, and of fillings, of each limit the highest threshold of the unit that was told last: those of all keys first,
/// then the fullest. Only of limits that are still there, by name, window and unit, on the level that holds the key or the workspace (as in
/// `list_used_limits`), and of which as much was used as the mark says: who raised one need not read of it. What becomes of calls beyond is what it
/// does now. It is looked up for few alone, four times as many as are shown: an account may have ten thousand keys near their limits.
pub async fn list_present(db: &PgPool, account: AccountId, default: DefaultLimit<'_>, now: OffsetDateTime, most: i64) -> sqlx::Result<Vec<LimitNotice>> {
    sqlx::query_as!(
        LimitNotice,
        r#"select key_id as "key_id?", key_name as "key_name!", limit_name as "limit_name!", threshold as "threshold!", used as "used!", allowed as "allowed!",
             window_seconds as "window_seconds!", zone as "zone!", kind as "kind!", refill as "refill!", unit as "unit!", in_force.over as "over!", window_start as "window_start!"
           from (select * from (
             select distinct on (holder, limit_name, window_seconds) * from (
               select workspace_id as holder, null::uuid as key_id, 'All keys together' as key_name, limit_name, threshold, used, allowed, window_seconds, zone, kind, refill, unit, window_start, at
               from shared_limit_notices where account_id = $1 and at > $2::timestamptz - interval '31 days' and fell_at is null
               union all
               select n.key_id, n.key_id, k.name, n.limit_name, n.threshold, n.used, n.allowed, n.window_seconds, n.zone, n.kind, n.refill, n.unit, n.window_start, n.at
               from limit_notices n join keys k on k.id = n.key_id and k.state = 'active'
               where n.account_id = $1 and n.at > $2::timestamptz - interval '31 days' and n.fell_at is null
             ) n where case
               when n.kind = 'credits' then (n.refill = 0 or n.window_start >= date_trunc('day', $2::timestamptz, 'UTC'))
                 and not exists (select from credit_buckets b where b.holder = n.holder and b.name = n.limit_name and b.topped_up_at > n.at)
               when n.zone <> 'UTC' or n.window_seconds = 0
                 then n.window_start >= date_trunc(case n.window_seconds when 0 then 'month' else 'day' end, $2::timestamptz, n.zone)
               else n.window_start + make_interval(secs => n.window_seconds) > $2 end
             order by holder, limit_name, window_seconds, window_start desc,
               max(at) over (partition by holder, limit_name, window_seconds, window_start, unit) desc, threshold desc
           ) told order by key_id is not null, threshold desc, nullif(window_seconds, 0) desc, key_name limit $3::bigint * 4
           ) present cross join lateral (
             select l.over, l.max_calls from (
               select f.*, min(f.level) over () as nearest from (
                 select k.id, k.plan_id, case when i.slug <> 'tollgate' then k.workspace_id end as workspace_id, k.api_id
                 from keys k join apis i on i.id = k.api_id where k.id = present.key_id
                 union all
                 select null, null, present.holder, null where present.key_id is null
               ) w left join workspace_plans h on h.workspace_id = w.workspace_id
               cross join lateral (
                 select level, name, max_calls, kind, window_seconds, over, unit from limit_levels(w.id, w.plan_id, w.workspace_id, h.plan_id, w.api_id)
                 union all
                 select 8, $4::text, $5::bigint, 'fixed', $6::integer, 'refuse', 'units'
               ) f
             ) l where l.level = l.nearest and l.name = present.limit_name and l.kind = present.kind and l.window_seconds = present.window_seconds
               and l.unit = present.unit and (l.level in (3, 4, 5, 6)) = (present.key_id is null)
             limit 1
           ) in_force
           where in_force.max_calls <= present.allowed or present.used * 100 >= in_force.max_calls * present.threshold
           order by key_id is not null, threshold desc, nullif(window_seconds, 0) desc, key_name limit $3"#,
        account.uuid(),
        now,
        most,
        default.name,
        default.calls,
        default.window,
    )
    .fetch_all(db)
    .await
}

/// Forgets what was told of windows that are long over; at most `most` rows of keys, and as many of workspaces. True if there may be more.
pub async fn delete_old(db: &PgPool, before: OffsetDateTime, most: i64) -> sqlx::Result<bool> {
    sqlx::query_scalar!(
        r#"with of_keys as (
             delete from limit_notices where ctid in (select ctid from limit_notices where at < $1 limit $2) returning 1
           ), of_workspaces as (
             delete from shared_limit_notices where ctid in (select ctid from shared_limit_notices where at < $1 limit $2) returning 1
           ) select greatest((select count(*) from of_keys), (select count(*) from of_workspaces)) >= $2 as "is_more!""#,
        before,
        most,
    )
    .fetch_one(db)
    .await
}
