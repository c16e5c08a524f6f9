//! The calls of the demo: a year of them, finer the nearer they are; how long they took, and the quota that they use up.

use super::{STORIES, Story};
use crate::error::AppError;
use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

/// Sums of a day until a month ago, then of six hours, of an hour, of a quarter, and since eleven hours of a minute. Each line (key, route and
/// outcome) puts its sum into a minute of its own, so that a chart of any hour has bars. The wobble is a hash of key and time. In the running
/// hour the first two keys have what makes a limit nearly used up and one that holds, whatever minute it is; every day is busiest at that hour,
/// so that it stands among its like.
pub async fn write(tx: &mut PgConnection, keys: &[Uuid], now: OffsetDateTime) -> Result<(), AppError> {
    let column = |of: fn(&Story) -> i32| STORIES.iter().map(of).collect::<Vec<i32>>();
    sqlx::query!(
        r#"with lines as (
             select s.*, r.route, r.share, hashtext(s.key::text)::bigint as salt, hashtext(s.key::text || r.route)::bigint as line_salt
             from unnest($1::uuid[], $2::int[], $3::int[], $4::int[], $5::int[], $6::int[], $7::int[]) with ordinality s(key, calls, weekend, limited, refused, first, last, nth)
             cross join (values ('GET /orders/{id}', 46), ('GET /orders', 28), ('POST /orders', 14), ('PATCH /orders/{id}', 8), ('GET /stock/{sku}', 4)) r(route, share)),
           edges as (select date_trunc('day', $8::timestamptz) as day, date_trunc('hour', $8) as hour, date_trunc('minute', $8) as minute),
           slots as (
             select t as at, 1440 as len from edges, generate_series(day - interval '365 days', day - interval '31 days', interval '1 day') t
             union all
             select t, 360 from edges, generate_series(day - interval '30 days', day - interval '7 days 6 hours', interval '6 hours') t
             union all
             select t, 60 from edges, generate_series(day - interval '7 days', day - interval '1 day 1 hour', interval '1 hour') t
             union all
             select t, 15 from edges, generate_series(day - interval '1 day', hour - interval '11 hours 15 minutes', interval '15 minutes') t
             union all
             select t, 1 from edges, generate_series(hour - interval '11 hours', minute, interval '1 minute') t),
           times as (
             select at, len, extract(epoch from at)::bigint / 60 as minute, extract(isodow from at) > 5 as is_weekend,
               len / 1440.0::float8 * (case when len = 1440 then 1 else 0.55 + 0.9 * power(cos(pi() * ((extract(hour from at) - extract(hour from $8)) / 24.0)), 2) end)
                 * (0.7 + 0.3 * (1 - extract(epoch from $8 - at) / (365 * 86400.0)))::float8 as weight
             from slots),
           load as materialized (
             select l.key, l.route, l.limited, l.refused, l.last, l.nth, t.at, t.len, hashint8(t.minute * 7919 + l.line_salt) as h,
               hashint8(t.minute / 60 * 7919 + l.salt) & 7 = 0 as is_burst,
               l.calls * t.weight * l.share / 100 * (case when t.is_weekend then l.weekend else 100 end) / 100
                 * (0.85 + (hashint8(t.minute / 1440 * 7919 + l.salt) & 255) / 850.0::float8) as calls
             from lines l join times t on t.at >= $8 - make_interval(days => l.first) and t.at < $8 - make_interval(days => l.last)
             where l.nth > 2 or t.at < (select hour from edges)),
           parts as (
             select key, route, at, len, h, 'VALID' as outcome, calls * (1000 - limited - refused) / 1000 * (case when len = 1 then 0.4 + (h >> 12 & 1023) * 1.2 / 1024 else 1 end) as n from load
             union all
             select key, route, at, len, h, 'RATE_LIMITED', calls * limited / 1000 * 8 from load where limited > 0 and is_burst
             union all
             select key, route, at, len, h, 'FORBIDDEN', calls * refused / 1000 * 6 from load
             where refused > 0 and last = 0 and route = 'POST /orders' and at > $8 - interval '20 days'
             union all
             select l.key, l.route, t.at, t.len, hashint8(t.minute * 7919 + l.line_salt), 'DISABLED', l.calls * t.len / 1440.0 * l.refused / 100
             from lines l join times t on t.at >= $8 - make_interval(days => l.last) where l.refused > 0 and l.last > 0 and l.route = 'GET /orders'),
           used as (
             select n.*, m, 512 + (hashint8(extract(epoch from m)::bigint + nth) & 1023)::bigint as weight
             from (values (1, 'GET /orders/{id}', 'VALID', 1180), (1, 'GET /orders', 'VALID', 460), (2, 'GET /orders', 'VALID', 800), (2, 'GET /orders', 'RATE_LIMITED', 37)) n(nth, route, outcome, n),
               edges, generate_series(hour, minute, interval '1 minute') m
             where outcome = 'VALID' or m > minute - interval '5 minutes'),
           running as (
             select nth, route, outcome, m, n, weight, sum(weight) over (partition by nth, route, outcome order by m) as upto, sum(weight) over (partition by nth, route, outcome) as whole from used),
           counts as materialized (
             select key, at + make_interval(mins => (h & 2147483647) % len) as at, route, outcome, floor(n + (h & 1023) / 1024.0::float8)::bigint as n from parts
             union all
             select ($1::uuid[])[nth], m, route, outcome, (div(n * upto, whole) - div(n * (upto - weight), whole))::bigint from running),
           quarters as (
             insert into usage_quarters (key_id, quarter, route, outcome, workspace_id, api_id, count, cost)
             select c.key, date_bin('15 minutes', c.at, 'epoch'), c.route, c.outcome, k.workspace_id, k.api_id, sum(c.n)::bigint,
               sum(c.n * case c.route when 'POST /orders' then 5 else 1 end)::bigint
             from counts c join keys k on k.id = c.key where c.n > 0 group by 1, 2, 3, 4, 5, 6),
           minutes as (
             insert into usage_minutes (key_id, minute, route, outcome, workspace_id, api_id, count, cost)
             select c.key, c.at, c.route, c.outcome, k.workspace_id, k.api_id, c.n, c.n * case c.route when 'POST /orders' then 5 else 1 end from counts c join keys k on k.id = c.key where c.n > 0 and c.at > $8 - interval '45 days')
           insert into key_activity (key_id, last_used_at) select key, least(max(at) + interval '40 seconds', $8 - make_interval(secs => hashtext(key::text) & 127)) from counts where n > 0 group by key"#,
        keys,
        &column(|s| s.calls),
        &column(|s| s.weekend),
        &column(|s| s.limited),
        &column(|s| s.refused),
        &column(|s| s.from),
        &column(|s| s.until),
        now,
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// How long the calls of the last month took, of three keys and their two busiest routes: most about as long, a few much longer. A bucket ends at
/// 0.1 ms times 2^(n/4).
pub async fn write_latencies(tx: &mut PgConnection, keys: &[Uuid], now: OffsetDateTime) -> Result<(), AppError> {
    sqlx::query!(
        "with quarters as (
           insert into latency_quarters (key_id, quarter, route, bucket, workspace_id, api_id, count)
           select q.key_id, q.quarter, q.route, r.middle + b.more + (hashtext(q.quarter::text || q.route) & 1)
             + (hashtext(date_trunc('day', q.quarter)::text) & 3), q.workspace_id, q.api_id, q.count * b.share / 100
           from usage_quarters q
             join (values ('GET /orders/{id}', 30), ('POST /orders', 36)) r(route, middle) using (route)
             cross join (values (-2, 24), (0, 43), (2, 22), (5, 8), (9, 2), (12, 1)) b(more, share)
           where q.key_id = any(($1::uuid[])[1:3]) and q.quarter >= $2::timestamptz - interval '31 days' and q.outcome = 'VALID' and q.count * b.share >= 100
           returning *)
         insert into latency_days (key_id, day, route, bucket, workspace_id, api_id, count)
         select key_id, date_trunc('day', quarter, 'UTC'), route, bucket, workspace_id, api_id, sum(count)::bigint from quarters group by 1, 2, 3, 4, 5, 6",
        keys,
        now,
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// A quota of the month that will be used up some days before its end, at the pace of this month; in its last days one that is just enough.
pub async fn write_quota(tx: &mut PgConnection, key: Uuid, now: OffsetDateTime) -> Result<(), AppError> {
    sqlx::query!(
        "insert into key_limits (key_id, name, max_calls, window_seconds, zone, unit)
         select $1::uuid, 'month', (case when used < 0.93 * expected then floor(expected * 0.95 / 10000) else ceil(expected * 1.05 / 10000) end * 10000)::bigint, 0,
           'Europe/Stockholm', 'calls'
         from (select date_trunc('month', $2::timestamptz, 'Europe/Stockholm') as first) m
           cross join lateral (select (date_trunc('month', $2 at time zone 'Europe/Stockholm') + interval '1 month') at time zone 'Europe/Stockholm' as next) n
           cross join lateral (select extract(epoch from $2 - first) / extract(epoch from next - first) as gone) g
           cross join lateral (
             select coalesce(sum(count), 0) as used from usage_quarters where key_id = $1 and quarter >= first and outcome = 'VALID') u
           cross join lateral (select case when gone < 0.05 then 720000 else used / gone end as expected) e",
        key,
        now,
    )
    .execute(tx)
    .await?;
    Ok(())
}
