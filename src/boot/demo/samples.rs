//! Single calls of the demo: those that did not pass, and some of those that did.

use crate::error::AppError;
use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

/// Samples of refusals of the last day, and attempts with secrets that nobody has. Each stands at a moment of its own in its stretch of
/// `every` seconds.
pub async fn write_refused(tx: &mut PgConnection, keys: &[Uuid], now: OffsetDateTime) -> Result<(), AppError> {
    sqlx::query!(
        r#"insert into refusal_samples (id, at, key_id, workspace_id, api_id, code, route, address, request_id, detail, ground, limit_name, permission)
           select uuid_at(t.at), t.at, k.id, k.workspace_id, k.api_id, s.code, s.route, s.address, substr(md5(n::text || s.code || s.nth), 1, 20), s.detail, s.ground,
             s.limit_name, s.permission
           from (values
             (1, 'RATE_LIMITED', 'POST /orders', '203.0.113.18', '2,400 units an hour were used up (limit “default”).', 'limit', 'default', '', 9, 7900),
             (2, 'RATE_LIMITED', 'GET /orders', '198.51.100.23', '800 units an hour were used up (limit “default”).', 'limit', 'default', '', 4, 70),
             (8, 'FORBIDDEN', 'POST /orders', '198.51.100.7', 'This call needs orders:write, which this key was not given.', 'permission', '', 'orders:write', 13, 5300),
             (6, 'DISABLED', 'GET /orders', '192.0.2.44', 'This key is disabled. Enable it on its page, or use another key.', 'disabled', '', '', 10, 6700)
           ) s(nth, code, route, address, detail, ground, limit_name, permission, many, every)
           join keys k on k.id = ($1::uuid[])[s.nth] cross join generate_series(1, s.many) n
             cross join lateral (select $2::timestamptz - make_interval(secs => s.every * (n - (hashtext(s.code || s.nth || '/' || n) & 1023) / 1100.0::float8)) as at) t"#,
        keys,
        now,
    )
    .execute(&mut *tx)
    .await?;
    sqlx::query!(
        "insert into unknown_attempts (minute, reason, address, count)
         select date_trunc('minute', $1::timestamptz) - make_interval(mins => 41 * n + 15 + (hashtext('unknown ' || n) & 15)), case when n % 3 = 0 then 'UNKNOWN' else 'MALFORMED' end,
           '203.0.113.' || (60 + n % 4), 3 + (hashtext('tries ' || n) & 31)
         from generate_series(1, 9) n",
        now,
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// The API keeps 1 in 100 of the calls that pass; some of the last hours, of its busiest keys.
pub async fn write_passed(tx: &mut PgConnection, keys: &[Uuid], now: OffsetDateTime) -> Result<(), AppError> {
    sqlx::query!("update apis set sample_one_in = 100 where id in (select api_id from keys where id = any($1))", keys).execute(&mut *tx).await?;
    sqlx::query!(
        r#"insert into passed_samples (id, at, key_id, workspace_id, api_id, route, address, request_id, cost, one_in, limits)
           select uuid_at(t.at), t.at, k.id, k.workspace_id, k.api_id, r.route, s.net || (s.host + (h.h >> 5 & 1)), substr(md5('passed ' || n), 1, 20), r.cost, 100,
             jsonb_build_array(jsonb_build_object('name', 'default', 'limit', s.most, 'remaining',
               s.most - r.cost - floor(s.most * s.used * extract(epoch from t.at - date_trunc('hour', t.at)) / 3600)::bigint))
           from generate_series(1, 60) n
             cross join lateral (select (hashtext('passed ' || n) & 2147483647) as h) h
             join (values
               (1, 0, 54, '203.0.113.', 18, 2400, 0.66), (2, 55, 74, '198.51.100.', 23, 800, 0.97), (3, 75, 99, '192.0.2.', 10, 2400, 0.31)
             ) s(nth, first, last, net, host, most, used) on h.h % 100 between s.first and s.last
             join (values
               ('GET /orders/{id}', 1, 0, 45), ('GET /orders', 1, 46, 73), ('POST /orders', 5, 74, 87), ('PATCH /orders/{id}', 1, 88, 95), ('GET /stock/{sku}', 1, 96, 99)
             ) r(route, cost, first, last) on h.h / 128 % 100 between r.first and r.last
             join keys k on k.id = ($1::uuid[])[s.nth]
             cross join lateral (select $2::timestamptz - make_interval(secs => 131 * n - h.h / 256 % 113 - (h.h & 1023) / 1024.0::float8) as at) t"#,
        keys,
        now,
    )
    .execute(tx)
    .await?;
    Ok(())
}
