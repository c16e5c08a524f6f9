//! What happened to the keys of the demo before it was loaded, and whom its operator keeps out.

use super::{DEVELOPER_PERSON, OPERATOR_PERSON, ROTATED, STORIES};
use crate::error::AppError;
use sqlx::PgConnection;
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

/// They are here for longer than the oldest key; the developer has a shop in Sweden.
pub async fn write_people(tx: &mut PgConnection, developer: Uuid, operator: Option<Uuid>, now: OffsetDateTime) -> Result<(), AppError> {
    let people: Vec<Uuid> = operator.into_iter().chain([developer]).collect();
    sqlx::query!("update accounts set created_at = $2, verified_at = $2 where id = any($1)", &people, now - Duration::days(400)).execute(&mut *tx).await?;
    sqlx::query!("update workspaces set created_at = $2 where personal_of = any($1)", &people, now - Duration::days(400)).execute(&mut *tx).await?;
    sqlx::query!("update accounts set time_zone = 'Europe/Stockholm' where id = $1", developer).execute(&mut *tx).await?;
    sqlx::query!("update workspaces set name = 'Nordlicht Shop' where personal_of = $1", developer).execute(&mut *tx).await?;
    Ok(())
}

/// When the keys and their secrets were made, their state and their limits.
pub async fn write_keys(tx: &mut PgConnection, keys: &[Uuid], now: OffsetDateTime) -> Result<(), AppError> {
    let made: Vec<OffsetDateTime> = STORIES.iter().map(|s| now - Duration::days(i64::from(s.from) + 1)).collect();
    let states: Vec<String> = STORIES.iter().map(|s| s.state.to_owned()).collect();
    sqlx::query!(
        "update keys k set created_at = date_trunc('day', s.made) + interval '8 hours' + (hashtext(k.name) & 511) * interval '1 minute', state = s.state
         from unnest($1::uuid[], $2::timestamptz[], $3::text[]) s(id, made, state) where k.id = s.id",
        keys,
        &made,
        &states,
    )
    .execute(&mut *tx)
    .await?;
    sqlx::query!("update key_secrets s set created_at = k.created_at from keys k where k.id = s.key_id and k.id = any($1)", keys).execute(&mut *tx).await?;
    sqlx::query!("update key_state_changes c set at = k.created_at from keys k where k.id = c.key_id and k.id = any($1)", keys).execute(&mut *tx).await?;
    let limits: Vec<Option<i64>> = STORIES.iter().map(|s| s.limit).collect();
    sqlx::query!(
        "insert into key_limits (key_id, name, max_calls, window_seconds)
         select id, 'default', calls, 3600 from unnest($1::uuid[], $2::bigint[]) s(id, calls) where calls is not null",
        keys,
        &limits as &[Option<i64>],
    )
    .execute(&mut *tx)
    .await?;
    Ok(())
}

/// What people changed since, in the order of time: pages show it by the number of its line. Whole days are to the second, so that the calls fit;
/// all else happened at work.
pub async fn write_history(tx: &mut PgConnection, keys: &[Uuid], (developer, operator): (Uuid, Option<Uuid>), now: OffsetDateTime) -> Result<(), AppError> {
    sqlx::query!(
        "insert into key_state_changes (id, key_id, at, act, actor_id, actor, detail, reason)
         select uuid_at(t.at), ($1::uuid[])[s.nth], t.at, s.act, case when s.is_ours then $4::uuid else $3::uuid end, case when s.is_ours then $6 else $5::text end,
           replace(s.detail, '{}', to_char(q.max_calls, 'FM999,999,999')), s.reason
         from (values
           (1, 365.9, 'limited', true, 'added the limit “default”, 2,400 units an hour', ''),
           (1, 4.6, 'limited', true, 'added the limit “month”, {} calls a month (Europe/Stockholm)', 'As it stands in the new contract'),
           (1, 61.4, 'tagged', false, 'production, shop', ''),
           (2, 210.8, 'limited', true, 'added the limit “default”, 800 units an hour', 'As agreed with Brightbox'),
           (2, 34.2, 'tagged', false, 'partner', ''),
           (3, 340.7, 'limited', true, 'added the limit “default”, 2,400 units an hour', ''),
           (3, 88.6, 'addressed', false, '192.0.2.0/24', 'The warehouse has one network now'),
           (3, 41.3, 'addressed', false, 'everywhere', 'It moves next week'),
           (5, 58.1, 'permitted', false, 'orders:read, orders:write, reports:export', 'For the reports of the month'),
           (6, 365.8, 'limited', true, 'added the limit “default”, 1,000 units an hour', ''),
           (6, 7.0, 'disabled', false, '', 'The new storefront is live'),
           (7, 12.9, 'limited', true, 'added the limit “default”, 1,000 units an hour', 'For the test before the sale'),
           (8, 330.6, 'limited', true, 'added the limit “default”, 500 units an hour', ''),
           (4, 2.0, 'rotated', false, 'the old one is accepted for 7 days', '')) s(nth, days, act, is_ours, detail, reason)
           cross join lateral (select case
             when s.days = floor(s.days) then $2::timestamptz - make_interval(days => s.days::integer)
             else date_trunc('day', $2::timestamptz - make_interval(days => floor(s.days)::integer)) + interval '8 hours' + (hashtext(s.days::text) & 511) * interval '1 minute'
           end as at) t
           join key_limits q on q.key_id = ($1::uuid[])[1] and q.name = 'month'
         order by t.at",
        keys,
        now,
        developer,
        operator,
        DEVELOPER_PERSON.name,
        OPERATOR_PERSON.name,
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// What the calls of the last month needed, by their routes.
pub async fn write_permissions(tx: &mut PgConnection, keys: &[Uuid], now: OffsetDateTime) -> Result<(), AppError> {
    sqlx::query!(
        "insert into usage_permissions (key_id, quarter, permission, outcome, workspace_id, api_id, count)
         select q.key_id, q.quarter, r.permission, q.outcome, q.workspace_id, q.api_id, sum(q.count)::bigint
         from usage_quarters q join api_routes r on r.api_id = q.api_id and r.method || ' ' || r.pattern = q.route
         where q.key_id = any($1) and q.quarter > $2::timestamptz - interval '30 days' and q.outcome in ('VALID', 'RATE_LIMITED') and r.permission is not null
         group by 1, 2, 3, 4, 5, 6",
        keys,
        now,
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// The last call of each secret, but of those of the key that is rotated.
pub async fn write_last_uses(tx: &mut PgConnection, keys: &[Uuid]) -> Result<(), AppError> {
    let addresses: Vec<String> = STORIES.iter().map(|s| s.address.to_owned()).collect();
    sqlx::query!(
        "insert into key_secret_uses (secret_id, last_used_at, address, route)
         select s.id, a.last_used_at, k.address, 'GET /orders'
         from unnest($1::uuid[], $2::text[]) k(id, address) join key_activity a on a.key_id = k.id join key_secrets s on s.key_id = k.id
         where k.id <> $3",
        keys,
        &addresses,
        keys[ROTATED],
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// A rotation two days ago that is not through: most calls come with the new secret, one program still sends the old one.
pub async fn write_rotation(tx: &mut PgConnection, key: Uuid, now: OffsetDateTime) -> Result<(), AppError> {
    let secrets = sqlx::query!(
        r#"with old as (
             update key_secrets set expires_at = $2::timestamptz + interval '5 days' where key_id = $1 returning id, key_id, start),
           new as (
             insert into key_secrets (id, key_id, hash, start, created_at)
             select uuid_at($2 - interval '2 days'), key_id, sha256(convert_to(gen_random_uuid()::text, 'UTF8')), left(start, -4) || 'q7Wx', $2 - interval '2 days' from old
             returning id)
           select old.id as "old!", new.id as "new!" from old cross join new"#,
        key,
        now,
    )
    .fetch_one(&mut *tx)
    .await?;
    sqlx::query!(
        "insert into usage_secrets (secret_id, quarter, address, route, passed, limited, refused, last_at)
         select s.secret, q.quarter, s.address, q.route, q.count * s.share / 100, 0, 0, least(q.quarter + interval '14 minutes', $2)
         from usage_quarters q
         join (values ($3::uuid, '203.0.113.41', 15, 'GET /orders'), ($4::uuid, '203.0.113.40', 85, null)) s(secret, address, share, route)
           on s.route is null or s.route = q.route
         where q.key_id = $1 and q.outcome = 'VALID' and q.quarter >= $2::timestamptz - interval '2 days' and q.count * s.share / 100 > 0",
        key,
        now,
        secrets.old,
        secrets.new,
    )
    .execute(&mut *tx)
    .await?;
    sqlx::query!(
        "insert into key_secret_uses (secret_id, last_used_at, address, route)
         select distinct on (secret_id) secret_id, last_at, address, route from usage_secrets where secret_id in ($1, $2)
         order by secret_id, last_at desc, route",
        secrets.old,
        secrets.new,
    )
    .execute(&mut *tx)
    .await?;
    Ok(())
}

/// Who tried secrets is refused, who copies the catalogue is slowed; the load test was stopped for some hours.
pub async fn write_blocks(tx: &mut PgConnection, keys: &[Uuid], operator: Option<Uuid>, now: OffsetDateTime) -> Result<(), AppError> {
    sqlx::query!(
        "insert into blocks (id, network, key_id, since, until, reason, by_account, by_name, per_second, lifted_at, lifted_by, lifted_name, lift_note)
         select uuid_at($2::timestamptz - b.ago), b.network::cidr, ($1::uuid[])[b.nth], $2 - b.ago, $2 - b.ago + b.lasts, b.reason, $3::uuid, $4::text, b.per_second,
           $2 - b.lifted, case when b.lifted is not null then $3 end, case when b.lifted is null then '' else $4 end, b.note
         from (values
           (null::integer, '203.0.113.62', interval '50 minutes', interval '1 day', 'Tries one secret after another', null::integer, null::interval, ''),
           (null, '198.51.100.128/25', interval '3 days 4 hours', null, 'Copies the whole catalogue', 5, null, ''),
           (7, null, interval '9 days 6 hours', null, 'The load test slows the shop', null, interval '9 days 2 hours', 'Goes on at night')
         ) b(nth, network, ago, lasts, reason, per_second, lifted, note)
         order by b.ago desc",
        keys,
        now,
        operator,
        OPERATOR_PERSON.name,
    )
    .execute(&mut *tx)
    .await?;
    sqlx::query!(
        "insert into unknown_attempts (minute, reason, address, count)
         select date_trunc('minute', $1::timestamptz) - make_interval(mins => 3 * n), 'IP_DENIED', '203.0.113.62', 2 + (hashtext('denied ' || n) & 15) from generate_series(1, 16) n",
        now,
    )
    .execute(tx)
    .await?;
    Ok(())
}
