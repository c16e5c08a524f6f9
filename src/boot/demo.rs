//! Demo data: an operator, a developer, the keys of a small shop and a year of plausible usage, so that a first look shows a product
//! at work. Loaded by `serve --demo`, in development only; loading it again changes nothing. The passwords of its people stand here for
//! everybody to read, so `serve` does not start outside development while one of them opens an account (R13).
//!
//! People and keys are made by the operations that everybody uses. The past (when a key was made, what it was used for) is written
//! directly: no operation can write it. Its ids are of its time, too (`uuid_at`).

mod plans;
mod usage;

use crate::{
    accounts::{
        Caller, Via,
        server::{DEVELOPER, NewAccount, OPERATOR, Visitor, caller_of_account, close_account, create_account, has_password},
    },
    error::AppError,
    keys::{
        model::{NewKey, NewRoute},
        server::{create_key, replace_routes},
    },
    platform::Ctx,
    values::{AccountId, Email},
};
use secrecy::SecretString;
use sqlx::PgConnection;
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

/// Who can sign in, as `serve` prints it.
#[derive(Debug, Clone, Copy)]
pub struct Person {
    pub email: &'static str,
    pub password: &'static str,
    pub role: &'static str,
    name: &'static str,
}

pub const OPERATOR_PERSON: Person = Person { email: "operator@demo.localhost", password: "lantern copper meadow", role: "operator", name: "Ilse Brandt" };
pub const DEVELOPER_PERSON: Person = Person { email: "developer@demo.localhost", password: "harbour violet kettle", role: "developer", name: "Mara Lindqvist" };

const PEOPLE: [Person; 2] = [OPERATOR_PERSON, DEVELOPER_PERSON];

/// Whose account the password that stands here still opens.
pub async fn with_known_passwords(ctx: &Ctx) -> Result<Vec<Person>, AppError> {
    let mut open = Vec::new();
    for person in PEOPLE {
        if has_password(ctx, &email_of(person)?, &SecretString::from(person.password)).await? {
            open.push(person);
        }
    }
    Ok(open)
}

/// Takes the accounts out of use whose passwords stand here; whoever changed theirs is left alone.
pub async fn close(ctx: &Ctx) -> Result<Vec<Person>, AppError> {
    let open = with_known_passwords(ctx).await?;
    for person in &open {
        close_account(ctx, &Caller::cli(), &Visitor::terminal(), &email_of(*person)?, "An account of the demo").await?;
    }
    Ok(open)
}

/// What is wrong with them outside development, and the ways out.
pub fn refusal(open: &[Person]) -> String {
    let people: Vec<&str> = open.iter().map(|person| person.email).collect();
    format!(
        "this data has demo accounts whose passwords everybody can read: {}. Close them with `tollgate admin close-demo`, use another data folder \
         or database, or set TOLLGATE_ENV=development.",
        people.join(", ")
    )
}

fn email_of(person: Person) -> Result<Email, AppError> {
    person.email.parse().map_err(AppError::internal)
}

/// One key and how it is used.
struct Story {
    name: &'static str,
    /// Calls on a working day.
    calls: i32,
    /// Weekends in per cent of a working day.
    weekend: i32,
    /// Of a thousand calls, those held at the limit and those refused.
    limited: i32,
    refused: i32,
    /// First and last day of use, in days before today.
    from: i32,
    until: i32,
    state: &'static str,
    expires_in_days: Option<i64>,
    /// A limit of its own, an hour.
    limit: Option<i64>,
}

const STORIES: [Story; 8] = [
    Story {
        name: "checkout service",
        calls: 24_000,
        weekend: 105,
        limited: 6,
        refused: 0,
        from: 365,
        until: 0,
        state: "active",
        expires_in_days: None,
        limit: Some(2_400),
    },
    Story {
        name: "Brightbox",
        calls: 9_000,
        weekend: 80,
        limited: 5,
        refused: 0,
        from: 210,
        until: 0,
        state: "active",
        expires_in_days: None,
        limit: Some(1_200),
    },
    Story {
        name: "warehouse sync",
        calls: 12_000,
        weekend: 20,
        limited: 0,
        refused: 0,
        from: 340,
        until: 0,
        state: "active",
        expires_in_days: Some(101),
        limit: Some(2_400),
    },
    Story {
        name: "returns portal",
        calls: 4_100,
        weekend: 90,
        limited: 0,
        refused: 0,
        from: 300,
        until: 0,
        state: "active",
        expires_in_days: None,
        limit: Some(1_000),
    },
    Story {
        name: "nightly export",
        calls: 3_000,
        weekend: 100,
        limited: 0,
        refused: 0,
        from: 365,
        until: 0,
        state: "active",
        expires_in_days: Some(6),
        limit: Some(1_000),
    },
    Story {
        name: "old storefront",
        calls: 5_200,
        weekend: 95,
        limited: 0,
        refused: 3,
        from: 365,
        until: 7,
        state: "disabled",
        expires_in_days: None,
        limit: Some(1_000),
    },
    Story {
        name: "load test",
        calls: 16_000,
        weekend: 0,
        limited: 70,
        refused: 0,
        from: 12,
        until: 9,
        state: "active",
        expires_in_days: None,
        limit: Some(1_000),
    },
    Story {
        name: "ERP bridge",
        calls: 1_300,
        weekend: 15,
        limited: 0,
        refused: 48,
        from: 330,
        until: 0,
        state: "active",
        expires_in_days: Some(406),
        limit: Some(500),
    },
];

/// Which of them is in the middle of a rotation.
const ROTATED: usize = 3;

/// The routes of the demo API: method, path, permission, cost (0: no quota), what it is for.
const ROUTES: [(&str, &str, &str, u32, &str); 7] = [
    ("GET", "/orders", "orders:read", 1, "The list of orders"),
    ("GET", "/orders/{id}", "orders:read", 1, "One order"),
    ("POST", "/orders", "orders:write", 5, "A new order, which the warehouse must handle"),
    ("PATCH", "/orders/{id}", "orders:write", 1, "Change an order"),
    ("GET", "/reports/{month}", plans::GRANTED, 1, "All orders of a month as a file"),
    ("GET", "/stock/{sku}", "orders:read", 1, "What is left of an article"),
    ("GET", "/health", "", 0, "For whoever watches the shop"),
];

fn routes() -> Vec<NewRoute> {
    let route = |(method, pattern, permission, cost, description): (&str, &str, &str, u32, &str)| NewRoute {
        method: method.to_owned(),
        pattern: pattern.to_owned(),
        permission: Some(permission.to_owned()),
        cost: (cost > 0).then_some(cost),
        is_free: cost == 0,
        description: description.to_owned(),
    };
    ROUTES.into_iter().map(route).collect()
}

/// Loads the demo data if it isn't there.
pub async fn load(ctx: &Ctx) -> Result<(), AppError> {
    let operator = person(ctx, OPERATOR_PERSON, &[DEVELOPER, OPERATOR]).await?;
    if let Some(operator) = caller_of(ctx, operator).await? {
        plans::describe_reports(ctx, &operator).await?;
        replace_routes(ctx, &operator, "demo", routes()).await?;
    }
    let Some(developer) = person(ctx, DEVELOPER_PERSON, &[DEVELOPER]).await? else { return Ok(()) };
    let caller = caller_of_account(ctx, developer, Via::Cli).await?.ok_or(AppError::NotFound)?;
    let now = ctx.clock.now();
    let mut keys = Vec::with_capacity(STORIES.len());
    for story in &STORIES {
        let new = NewKey {
            name: story.name.to_owned(),
            api: Some("demo".to_owned()),
            expires_at: story.expires_in_days.map(|d| now + Duration::days(d)),
            permissions: (story.refused == 0).then(|| ["orders:read", "orders:write"].map(str::to_owned).to_vec()),
            ..NewKey::default()
        };
        keys.push(create_key(ctx, &caller, new).await?.key.id.uuid());
    }
    let mut tx = ctx.db.begin().await?;
    sqlx::query!("update accounts set time_zone = 'Europe/Stockholm' where id = $1", developer.uuid()).execute(&mut *tx).await?;
    sqlx::query!("update workspaces set name = 'Nordlicht Shop' where personal_of = $1", developer.uuid()).execute(&mut *tx).await?;
    write_past(&mut tx, &keys, now).await?;
    usage::write(&mut tx, &keys, now).await?;
    write_permissions(&mut tx, &keys, now).await?;
    write_rotation(&mut tx, keys[ROTATED], now).await?;
    write_refusals(&mut tx, &keys, now).await?;
    write_passed(&mut tx, &keys, now).await?;
    tx.commit().await?;
    plans::describe_plans(ctx).await
}

async fn caller_of(ctx: &Ctx, account: Option<AccountId>) -> Result<Option<Caller>, AppError> {
    match account {
        Some(account) => caller_of_account(ctx, account, Via::Cli).await,
        None => Ok(None),
    }
}

/// Makes the account; none if it was there before.
async fn person(ctx: &Ctx, person: Person, roles: &[&str]) -> Result<Option<AccountId>, AppError> {
    let new = NewAccount {
        email: email_of(person)?,
        name: person.name,
        password: Some(SecretString::from(person.password)),
        roles,
        is_verified: true,
        by: "Demo data",
    };
    match create_account(ctx, &new).await {
        Ok(account) => Ok(Some(account)),
        Err(AppError::Conflict { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// When the keys were made, their limits, and who disabled one.
async fn write_past(tx: &mut PgConnection, keys: &[Uuid], now: OffsetDateTime) -> Result<(), AppError> {
    let made: Vec<OffsetDateTime> = STORIES.iter().map(|s| now - Duration::days(i64::from(s.from) + 1)).collect();
    let states: Vec<String> = STORIES.iter().map(|s| s.state.to_owned()).collect();
    sqlx::query!(
        "update keys k set created_at = s.made, state = s.state from unnest($1::uuid[], $2::timestamptz[], $3::text[]) s(id, made, state) where k.id = s.id",
        keys,
        &made,
        &states,
    )
    .execute(&mut *tx)
    .await?;
    sqlx::query!("update key_state_changes c set at = k.created_at from keys k where k.id = c.key_id and k.id = any($1)", keys).execute(&mut *tx).await?;
    let limits: Vec<i64> = STORIES.iter().map(|s| s.limit.unwrap_or(100)).collect();
    sqlx::query!(
        "insert into key_limits (key_id, name, max_calls, window_seconds) select id, 'default', calls, 3600 from unnest($1::uuid[], $2::bigint[]) s(id, calls)",
        keys,
        &limits,
    )
    .execute(&mut *tx)
    .await?;
    sqlx::query!(
        "insert into key_state_changes (id, key_id, at, act, actor, reason)
         select uuid_at($2::timestamptz - interval '7 days'), k.id, $2 - interval '7 days', 'disabled', 'Mara Lindqvist', 'The new storefront is live' from keys k where k.id = any($1) and k.state = 'disabled'",
        keys,
        now,
    )
    .execute(&mut *tx)
    .await?;
    Ok(())
}

/// What the calls of the last month needed, by their routes.
async fn write_permissions(tx: &mut PgConnection, keys: &[Uuid], now: OffsetDateTime) -> Result<(), AppError> {
    sqlx::query!(
        "insert into usage_permissions (key_id, quarter, permission, outcome, workspace_id, api_id, count)
         select q.key_id, q.quarter, r.permission, q.outcome, q.workspace_id, q.api_id, sum(q.count)::bigint
         from usage_quarters q join api_routes r on r.api_id = q.api_id and r.method || ' ' || r.pattern = q.route
         where q.key_id = any($1) and q.quarter > $2::timestamptz - interval '30 days' and q.outcome in ('VALID', 'RATE_LIMITED') and r.permission is not null
         group by 1, 2, 3, 4, 5, 6",
        keys,
        now,
    )
    .execute(&mut *tx)
    .await?;
    Ok(())
}

/// A rotation two days ago that is not through: most calls come with the new secret, one program still sends the old one.
async fn write_rotation(tx: &mut PgConnection, key: Uuid, now: OffsetDateTime) -> Result<(), AppError> {
    let secrets = sqlx::query!(
        r#"with old as (
             update key_secrets s set created_at = k.created_at, expires_at = $2::timestamptz + interval '5 days'
             from keys k where k.id = $1 and s.key_id = k.id returning s.id, s.key_id, s.start),
           new as (
             insert into key_secrets (id, key_id, hash, start, created_at)
             select uuid_at($2 - interval '2 days'), key_id, sha256(convert_to(gen_random_uuid()::text, 'UTF8')), left(start, -4) || 'q7Wx', $2 - interval '2 days' from old
             returning id),
           history as (
             insert into key_state_changes (id, key_id, at, act, actor, detail)
             values (uuid_at($2 - interval '2 days'), $1, $2 - interval '2 days', 'rotated', 'Mara Lindqvist', 'the old one is accepted for 7 days'))
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

/// Samples of refusals of the last day, and attempts with secrets that nobody has.
async fn write_refusals(tx: &mut PgConnection, keys: &[Uuid], now: OffsetDateTime) -> Result<(), AppError> {
    sqlx::query!(
        r#"insert into refusal_samples (id, at, key_id, workspace_id, api_id, code, route, address, request_id, detail, ground, limit_name, permission)
           select uuid_at(t.at), t.at, k.id, k.workspace_id, k.api_id, s.code, s.route, s.address, substr(md5(n::text || s.code), 1, 20), s.detail, s.ground, s.limit_name, s.permission
           from (values
             (1, 'RATE_LIMITED', 'POST /orders', '203.0.113.18', 'The limit default of 2,400 units an hour was used up.', 0, 'limit', 'default', ''),
             (8, 'FORBIDDEN', 'POST /orders', '198.51.100.7', 'This call needs orders:write, which this key was not given.', 5, 'permission', '', 'orders:write'),
             (6, 'DISABLED', 'GET /orders', '192.0.2.44', 'This key is disabled. Enable it on its page, or use another key.', 9, 'disabled', '', '')) s(nth, code, route, address, detail, o, ground, limit_name, permission)
           join keys k on k.id = ($1::uuid[])[s.nth] cross join generate_series(1, 12) n
             cross join lateral (select $2::timestamptz - make_interval(mins => 17 * n + o) as at) t"#,
        keys,
        now,
    )
    .execute(&mut *tx)
    .await?;
    sqlx::query!(
        "insert into unknown_attempts (minute, reason, address, count)
         select date_trunc('minute', $1::timestamptz) - make_interval(mins => 41 * n), case when n % 3 = 0 then 'UNKNOWN' else 'MALFORMED' end, '203.0.113.' || (60 + n % 4), 3 + n from generate_series(1, 9) n",
        now,
    )
    .execute(&mut *tx)
    .await?;
    Ok(())
}

/// The API keeps 1 in 100 of the calls that pass; some of the last hours.
async fn write_passed(tx: &mut PgConnection, keys: &[Uuid], now: OffsetDateTime) -> Result<(), AppError> {
    sqlx::query!("update apis set sample_one_in = 100 where id in (select api_id from keys where id = any($1))", keys).execute(&mut *tx).await?;
    sqlx::query!(
        r#"insert into passed_samples (id, at, key_id, workspace_id, api_id, route, address, request_id, cost, one_in, limits)
           select uuid_at(t.at), t.at, k.id, k.workspace_id, k.api_id, s.route, s.address,
             substr(md5(s.route || n::text), 1, 20), 1, 100,
             jsonb_build_array(jsonb_build_object('name', 'default', 'limit', s.most, 'remaining', s.most - 37 * n))
           from (values
             (1, 'GET /orders/{id}', '203.0.113.18', 2400),
             (2, 'GET /orders', '198.51.100.23', 1200),
             (3, 'POST /orders', '192.0.2.10', 2400)) s(nth, route, address, most)
           join keys k on k.id = ($1::uuid[])[s.nth] cross join generate_series(1, 20) n
             cross join lateral (select $2::timestamptz - make_interval(mins => 7 * n, secs => 11 * s.nth) as at) t"#,
        keys,
        now,
    )
    .execute(&mut *tx)
    .await?;
    Ok(())
}
