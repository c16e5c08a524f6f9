//! Rollups: hours and days are the sum of their quarters, and a chart reads rows bounded by its hours, whatever else there is.

use super::{DEMO, Dice, developer, key, tally, write};
use crate::support::{T0, TestApp};
use serde_json::Value;
use sqlx::{AssertSqlSafe, PgPool, postgres::PgPoolOptions};
use time::{Duration, OffsetDateTime};
use tollgate::{
    accounts::Caller,
    keys::server::{key_detail, meter::Tally},
    usage::{
        model::UsageQuery,
        server::{report_usage, roll_up},
    },
    values::{KeyId, Outcome},
};

/// All of them, rolled up or not.
const BY_HOUR: &str = "usage_by_hour('-infinity', 'infinity')";
const BY_DAY: &str = "usage_by_day('-infinity', 'infinity')";

/// Sums by key, outcome and the bucket that SQL names: what the quarters say, and what the rollup says.
async fn both(db: &PgPool, rollup: &str, column: &str, bucket: &str) -> [Vec<(String, i64)>; 2] {
    let sums = |table: &str, at: &str, sum: &str| {
        AssertSqlSafe(format!("select concat_ws(' ', key_id, outcome, {at}), sum({sum})::bigint from {table} group by 1 order by 1"))
    };
    let quarters = sums("usage_quarters", &format!("date_trunc('{bucket}', quarter, 'UTC')"), "count");
    let rolled = sums(rollup, column, "count");
    [sqlx::query_as(quarters).fetch_all(db).await.unwrap(), sqlx::query_as(rolled).fetch_all(db).await.unwrap()]
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn hours_and_days_follow_the_quarters(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let owner = developer(&app.ctx, "mara", "UTC").await;
    let keys = [key(&app.ctx, &owner, "a").await, key(&app.ctx, &owner, "b").await];
    let mut dice = Dice(11);
    let mut roll = |n: u64| usize::try_from(dice.roll(n)).unwrap();
    for n in 0..6 {
        let counts: Vec<Tally> = (0..80)
            .map(|_| {
                let minute = T0.unix_timestamp() / 60 - i64::try_from(roll(3 * 1440)).unwrap();
                let (outcome, route) = ([Outcome::Valid, Outcome::Forbidden][roll(2)], ["GET /", "POST /"][roll(2)]);
                let calls = 1 + roll(5) as u64;
                Tally { cost: calls * 3, ..tally(&owner, keys[roll(2)], route, outcome, minute, calls) }
            })
            .collect();
        write(&app, counts).await;
        // Nothing is rolled up at first, then the older half, then more: what is written comes late for some of it.
        for (all, column) in [(BY_HOUR, "hour"), (BY_DAY, "day")] {
            let [quarters, told] = both(&db, all, column, column).await;
            assert!(!quarters.is_empty());
            assert_eq!(quarters, told, "{all}, {n}");
        }
        if n > 0 {
            roll_up_before(&db, T0 - Duration::hours(72 - 12 * n)).await;
        }
    }
    roll_up_before(&db, T0 + Duration::DAY).await;
    for (rollup, column) in [("usage_hours", "hour"), ("usage_days", "day")] {
        let [quarters, rolled] = both(&db, rollup, column, column).await;
        assert_eq!(quarters, rolled, "{rollup}");
    }
    let costs: (i64, i64) =
        sqlx::query_as("select (select sum(cost)::bigint from usage_quarters), (select sum(cost)::bigint from usage_days)").fetch_one(&db).await.unwrap();
    assert_eq!(costs.0, costs.1);
}

async fn roll_up_before(db: &PgPool, before: OffsetDateTime) {
    sqlx::query("select from usage_roll_up($1)").bind(before).execute(db).await.unwrap();
}

/// The job rolls up what is over, and what is not is told from the quarters.
#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn what_is_over_is_rolled_up_once(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let owner = developer(&app.ctx, "mara", "UTC").await;
    let k = key(&app.ctx, &owner, "k").await;
    let minute = T0.unix_timestamp() / 60;
    let calls = |minute| vec![tally(&owner, k, "GET /", Outcome::Valid, minute, 5)];
    let sums = async |table: &str| {
        let sum = AssertSqlSafe(format!("select coalesce(sum(count), 0)::bigint from {table}"));
        sqlx::query_scalar::<_, i64>(sum).fetch_one(&db).await.unwrap()
    };
    write(&app, calls(minute - 20)).await;
    write(&app, calls(minute)).await;
    assert_eq!((sums("usage_hours").await, sums(BY_HOUR).await, sums(BY_DAY).await), (0, 10, 10));
    for _ in 0..2 {
        roll_up(&app.ctx).await.unwrap();
        assert_eq!((sums("usage_hours").await, sums("usage_days").await, sums(BY_HOUR).await, sums(BY_DAY).await), (5, 5, 10, 10));
    }
    // Late, in a quarter that has some and in one that has none.
    write(&app, calls(minute - 20)).await;
    write(&app, calls(minute - 60)).await;
    assert_eq!((sums("usage_hours").await, sums("usage_days").await, sums(BY_HOUR).await, sums(BY_DAY).await), (15, 15, 20, 20));
}

/// Quarter by quarter, however long nobody rolled up, and nothing while a batch takes longer than one waits.
#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn what_waited_long_is_rolled_up_and_what_is_held_waits(db: PgPool) {
    let impatient = db.connect_options().as_ref().clone().options([("lock_timeout", "200ms")]);
    let app = TestApp::start(PgPoolOptions::new().connect_with(impatient).await.unwrap()).await;
    let owner = developer(&app.ctx, "mara", "UTC").await;
    let k = key(&app.ctx, &owner, "k").await;
    let minute = T0.unix_timestamp() / 60;
    write(&app, [20, 35, 300, 3_000, 30_000].map(|ago| tally(&owner, k, "GET /", Outcome::Valid, minute - ago, 5)).into()).await;
    let hours = async || sqlx::query_scalar::<_, i64>("select coalesce(sum(count), 0)::bigint from usage_hours").fetch_one(&db).await.unwrap();
    let mut batch = db.begin().await.unwrap();
    sqlx::query("select from usage_rollups for share").execute(&mut *batch).await.unwrap();
    roll_up(&app.ctx).await.unwrap();
    assert_eq!(hours().await, 0, "it waits for the batch, and then for the next time");
    batch.commit().await.unwrap();
    roll_up(&app.ctx).await.unwrap();
    assert_eq!(hours().await, 25);
}

/// Two nodes add to the same hours at once, while these are rolled up: nothing is lost, and nothing told twice.
#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn nodes_that_write_at_once_add_up(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let owner = developer(&app.ctx, "mara", "UTC").await;
    let k = key(&app.ctx, &owner, "k").await;
    let counts = || (0..60).map(|m| tally(&owner, k, "GET /", Outcome::Valid, T0.unix_timestamp() / 60 + m, 1)).collect::<Vec<_>>();
    for n in 0..10 {
        tokio::join!(write(&app, counts()), roll_up_before(&db, T0 + Duration::minutes(15 * (n / 2))), write(&app, counts()));
    }
    let [quarters, rolled] = both(&db, BY_HOUR, "hour", "hour").await;
    assert_eq!((quarters.iter().map(|(_, n)| n).sum::<i64>(), quarters == rolled), (1_200, true));
}

/// A year of one busy key among others: five routes, two outcomes, in every quarter of an hour.
async fn a_busy_year(db: &PgPool, key: uuid::Uuid, workspace: uuid::Uuid) {
    sqlx::query(
        "insert into usage_quarters (key_id, quarter, route, outcome, workspace_id, api_id, count)
         select $1, q, r, o, $2, $3, 7 from generate_series('2025-11-20 00:00Z'::timestamptz, '2026-11-20 11:45Z', interval '15 minutes') q,
           unnest(array['GET /a', 'GET /b', 'GET /c', 'POST /a', 'POST /b']) r, unnest(array['VALID', 'RATE_LIMITED']) o",
    )
    .bind(key)
    .bind(workspace)
    .bind(DEMO)
    .execute(db)
    .await
    .unwrap();
    // Ten other keys through the same year, so that the busy one is half of the table and not all of it.
    sqlx::query(
        "insert into usage_quarters (key_id, quarter, route, outcome, workspace_id, api_id, count)
         select md5('y' || k)::uuid, q, 'GET /a', 'VALID', md5('w' || k)::uuid, $1, 1
         from generate_series('2025-11-20 00:00Z'::timestamptz, '2026-11-20 11:45Z', interval '15 minutes') q, generate_series(1, 10) k",
    )
    .bind(DEMO)
    .execute(db)
    .await
    .unwrap();
    // Two thousand other keys of other workspaces, and one of the same, in the last day.
    sqlx::query(
        "insert into usage_quarters (key_id, quarter, route, outcome, workspace_id, api_id, count)
         select md5('k' || k)::uuid, q, 'GET /a', 'VALID', case when k = 1 then $1 else md5('w' || k % 50)::uuid end, $2, 1
         from generate_series(1, 2000) k, generate_series('2026-11-19 12:00Z'::timestamptz, '2026-11-20 11:00Z', interval '1 hour') q",
    )
    .bind(workspace)
    .bind(DEMO)
    .execute(db)
    .await
    .unwrap();
    roll_up_before(db, T0).await;
    sqlx::query("analyze usage_quarters, usage_hours, usage_days").execute(db).await.unwrap();
}

/// Rows that the scans of a plan read, those that a filter threw away included.
pub fn rows_read(plan: &Value) -> f64 {
    let own = match plan["Relation Name"].as_str() {
        Some(_) => (plan["Actual Rows"].as_f64().unwrap() + plan["Rows Removed by Filter"].as_f64().unwrap_or(0.0)) * plan["Actual Loops"].as_f64().unwrap(),
        None => 0.0,
    };
    own + plan["Plans"].as_array().into_iter().flatten().map(rows_read).sum::<f64>()
}

/// Shows the usage of a key over one connection of its own, which then knows every statement that the product ran for it.
async fn shown(app: &TestApp, owner: &Caller, key: KeyId) -> PgPool {
    let pool = PgPoolOptions::new().max_connections(1).connect_with((*app.ctx.db.connect_options()).clone()).await.unwrap();
    let mut ctx = app.ctx.clone();
    ctx.db = pool.clone();
    let query = UsageQuery { range: Some("30d".into()), key: Some(key.to_string()), ..UsageQuery::default() };
    report_usage(&ctx, owner, query).await.unwrap();
    pool
}

/// The plan of one of these statements, found by words of it, with other arguments.
pub async fn explained(shown: &PgPool, words: [&str; 2], arguments: &str) -> Value {
    let found = "select name from pg_prepared_statements where strpos(statement, $1) > 0 and strpos(statement, $2) > 0";
    let name: Option<String> = sqlx::query_scalar(found).bind(words[0]).bind(words[1]).fetch_optional(shown).await.unwrap();
    let name = name.unwrap_or_else(|| panic!("no statement with the words {words:?} was run"));
    let explain = AssertSqlSafe(format!("explain (analyze, format json, timing off) execute \"{name}\"({arguments})"));
    let plan: Value = sqlx::query_scalar(explain).fetch_one(shown).await.unwrap();
    plan[0]["Plan"].clone()
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn ninety_days_of_one_key_read_bounded_rows(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let owner = developer(&app.ctx, "mara", "UTC").await;
    let k = key(&app.ctx, &owner, "busy").await;
    let (workspace, key) = (owner.workspace.uuid(), k.uuid());
    a_busy_year(&db, key, workspace).await;
    let shown = shown(&app, &owner, k).await;
    for (zone, begin, most) in [
        // Hours alone: 90 days × 24 hours × 2 outcomes, and the hour on either side.
        ("Europe/Stockholm", "2026-08-21 22:00Z", 4_400.0),
        // Days begin at half past: 91 hours are read by their 4 quarters × 5 routes × 2 outcomes.
        ("Asia/Kolkata", "2026-08-21 18:30Z", 8_200.0),
    ] {
        let edges: String = sqlx::query_scalar(
            "select array_agg(d)::text from generate_series($1::text::timestamptz, $1::text::timestamptz + interval '90 days', interval '1 day') d",
        )
        .bind(begin)
        .fetch_one(&db)
        .await
        .unwrap();
        let cells = format!("'{edges}'::timestamptz[], '{workspace}', '{key}', null, null, null");
        let days = format!("'{workspace}', '{begin}', timestamptz '{begin}' + interval '90 days', '{key}', null, null, 50");
        for (panel, words, arguments, most) in [
            ("the chart", ["select width_bucket(at,", "from usage_cells("], cells.clone(), most),
            // The name of the key is looked up beside it, for 90 days × 2 outcomes.
            ("by key", ["select key_id, width_bucket(at,", "from usage_cells("], format!("{cells}, 10"), most + 1_000.0),
            // Whole days × 5 routes × 2 outcomes, and the quarters of one more day.
            ("by route", ["from cells group by route", "usage_by_day"], days, 2_000.0),
        ] {
            let plan = explained(&shown, words, &arguments).await;
            let rows = rows_read(&plan);
            assert!(rows > 1_000.0 && rows <= most, "{panel}, {zone}: {rows} rows were read\n{plan:#}");
        }
    }
    shown.close().await;
}

/// Many keys in a workspace, among others that are busier: those that are offered are found by its newest hours and by their age.
#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn keys_to_choose_from_read_bounded_rows(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let owner = developer(&app.ctx, "mara", "UTC").await;
    let k = key(&app.ctx, &owner, "busy").await;
    a_busy_year(&db, k.uuid(), owner.workspace.uuid()).await;
    sqlx::query(
        "insert into keys (id, workspace_id, api_id, name, created_at, updated_at)
         select md5('c' || n)::uuid, $1, $2, 'key ' || n, $3, $3 from generate_series(1, 6000) n",
    )
    .bind(owner.workspace.uuid())
    .bind(DEMO)
    .bind(app.ctx.clock.now())
    .execute(&db)
    .await
    .unwrap();
    sqlx::query("analyze keys").execute(&db).await.unwrap();
    let shown = shown(&app, &owner, k).await;
    for (text, looked, most) in [
        // 2,000 rows of hours, 501 keys by age, 601 by id.
        ("null", 10_000, 4_500.0),
        // The same with 1,000 names that are looked through, those that begin so, and every key that was found or used once more.
        ("'key 59'", 1_000, 6_500.0),
        ("'nobody'", 1_000, 6_500.0),
    ] {
        let arguments = format!("'{}', '{}', {text}, 501, {looked}, null, null, 1000", owner.workspace.uuid(), k.uuid());
        let plan = explained(&shown, ["with used as", "from usage_hours"], &arguments).await;
        let rows = rows_read(&plan);
        assert!(rows >= 500.0 && rows <= most, "{text}: {rows} rows were read\n{plan:#}");
    }
    shown.close().await;
}

/// Of a key that may much and is used all the time, what each permission was needed for is read once, not once for each of them.
#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn permissions_of_a_key_read_bounded_rows(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let owner = developer(&app.ctx, "mara", "UTC").await;
    let k = key(&app.ctx, &owner, "busy").await;
    sqlx::query("update keys set permissions = '{orders:read,orders:write}' where id = $1").bind(k.uuid()).execute(&db).await.unwrap();
    sqlx::query(
        "insert into usage_permissions (key_id, quarter, permission, outcome, workspace_id, api_id, count)
         select k.id, q, 'part:' || p, 'VALID', $2, $3, 1
         from generate_series('2026-10-22 00:00Z'::timestamptz, '2026-11-20 11:45Z', interval '15 minutes') q, generate_series(1, 2) p,
           (select $1 as id union all select md5('p' || n)::uuid from generate_series(1, 20) n) k",
    )
    .bind(k.uuid())
    .bind(owner.workspace.uuid())
    .bind(DEMO)
    .execute(&db)
    .await
    .unwrap();
    sqlx::query("analyze usage_permissions").execute(&db).await.unwrap();
    let shown = shown(&app, &owner, k).await;
    let mut ctx = app.ctx.clone();
    ctx.db = shown.clone();
    key_detail(&ctx, &Caller::cli(), k).await.unwrap();
    let names: Vec<String> = (1..=30).map(|n| format!("part:{n}")).collect();
    let arguments = format!("'{}', '{DEMO}', '2026-10-22', '{{{}}}'", k.uuid(), names.join(","));
    let plan = explained(&shown, ["from usage_permissions a", "unnest"], &arguments).await;
    let rows = rows_read(&plan);
    // 30 days × 96 quarters × 2 permissions of the key, and one row for each permission that is looked for.
    assert!(rows > 5_000.0 && rows <= 5_900.0, "{rows} rows were read\n{plan:#}");
    shown.close().await;
}

/// The same year through the page: its sums are those of the quarters, with and without a route.
#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn what_is_read_by_hours_and_days_is_what_the_quarters_say(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let owner = developer(&app.ctx, "mara", "Asia/Kathmandu").await;
    let k = key(&app.ctx, &owner, "busy").await;
    a_busy_year(&db, k.uuid(), owner.workspace.uuid()).await;
    for (range, route) in [("24h", None), ("30d", None), ("year", None), ("30d", Some("GET /a"))] {
        let query = UsageQuery { range: Some(range.into()), key: Some(k.to_string()), route: route.map(Into::into), ..UsageQuery::default() };
        let report = report_usage(&app.ctx, &owner, query).await.unwrap();
        let wanted: i64 = sqlx::query_scalar(
            "select sum(count)::bigint from usage_quarters where key_id = $1 and quarter >= $2::timestamptz and ($3::text is null or route = $3)",
        )
        .bind(k.uuid())
        .bind(report.buckets[0].at.parse::<jiff::Timestamp>().map(|at| time::OffsetDateTime::from_unix_timestamp(at.as_second()).unwrap()).unwrap())
        .bind(route)
        .fetch_one(&db)
        .await
        .unwrap();
        assert_eq!(report.totals.total(), u64::try_from(wanted).unwrap(), "{range} {route:?}");
        assert_eq!(report.routes.iter().map(|r| r.calls).sum::<u64>(), u64::try_from(wanted).unwrap(), "{range} {route:?}, by route");
        assert_eq!(report.keys.iter().map(|k| k.counts.total()).sum::<u64>(), u64::try_from(wanted).unwrap(), "{range} {route:?}, by key");
    }
}
