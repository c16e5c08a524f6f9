//! Limits whose window rolls, on the usage page: the forecast at the present pace, and the line on the chart.

use super::{developer, key, rollups::rows_read, tally, write};
use crate::support::{T0, TestApp};
use sqlx::{AssertSqlSafe, PgPool};
use time::Duration;
use tollgate::{
    accounts::Caller,
    keys::{
        model::{KeyEdit, KeyLimit},
        server::edit_key,
    },
    plans::server::set_workspace_limits,
    usage::{
        model::{BucketSize, UsageQuery, UsageReport},
        server::report_usage,
    },
    values::{KeyId, Outcome},
};

async fn report(app: &TestApp, owner: &Caller, key: KeyId, range: &str, bucket: &str) -> UsageReport {
    let query = UsageQuery { key: Some(key.to_string()), range: Some(range.into()), bucket: Some(bucket.into()), ..UsageQuery::default() };
    report_usage(&app.ctx, owner, query).await.unwrap()
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_rolling_day_goes_on_as_its_last_quarter_went(db: PgPool) {
    let app = TestApp::start(db).await;
    let owner = developer(&app.ctx, "mara", "UTC").await;
    let shop = key(&app.ctx, &owner, "shop").await;
    let ago = |hours: i64, calls| tally(&owner, shop, "GET /", Outcome::Valid, (T0 - Duration::hours(hours)).unix_timestamp() / 60, calls);
    write(&app, vec![ago(30, 5_000), ago(20, 800), ago(1, 180)]).await;
    let limits = [("day", 1_000, "rolling:day"), ("hour", 300, "rolling:hour")];
    let limits = limits.map(|(name, calls, window)| KeyLimit::new(name, calls, window.parse().unwrap())).to_vec();
    edit_key(&app.ctx, &Caller::cli(), shop, KeyEdit { limits: Some(limits), ..KeyEdit::default() }).await.unwrap();

    let by_day = report(&app, &owner, shop, "7d", "day").await;
    let [day, hour] = &by_day.meters[..] else { panic!("{:?}", by_day.meters) };
    assert_eq!((day.used, day.limit, day.is_rolling), (980, 1_000, true));
    let forecast = day.forecast.as_ref().unwrap();
    assert_eq!((forecast.expected, forecast.used_up.as_deref()), (720, Some("12:40")), "30 an hour, and the 800 come back at a quarter past four");
    assert_eq!(forecast.by, "Sat 21 Nov, 12:00");
    assert_eq!((hour.used, &hour.forecast), (180, &None), "nothing in its last quarter");
    let line = |report: &UsageReport| report.limit.as_ref().map(|line| (line.calls, line.window.clone()));
    assert_eq!(line(&by_day), Some((1_000, "in any 24 hours".to_owned())));
    assert_eq!(line(&report(&app, &owner, shop, "7d", "hour").await), Some((300, "in any hour".to_owned())));
    let by_week = report(&app, &owner, shop, "30d", "week").await;
    assert_eq!(line(&by_week), None, "no bar is as long as one of them");
    let view = by_week.limit_hint.and_then(|hint| hint.view).map(|(size, query)| (size, query.range, query.bucket));
    assert_eq!(view, Some((BucketSize::Hour, Some("24h".to_owned()), None)), "the view that has the line of the shortest");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn the_forecast_of_what_keys_share_sums_them_all(db: PgPool) {
    let app = TestApp::start(db).await;
    let owner = developer(&app.ctx, "mara", "UTC").await;
    let (a, b) = (key(&app.ctx, &owner, "a").await, key(&app.ctx, &owner, "b").await);
    let ago = |key, days: i64, calls| tally(&owner, key, "GET /", Outcome::Valid, (T0 - Duration::days(days)).unix_timestamp() / 60, calls);
    write(&app, vec![ago(a, 20, 300), ago(a, 1, 60), ago(b, 1, 40)]).await;
    // Both were made by a statement of the test: one that the gate reads for the first time with the new limits is one that was made just
    // now, which has used nothing.
    for key in [a, b] {
        crate::gate::known(&app, key).await;
    }
    let limits = vec![KeyLimit::new("month", 1_000, "rolling:month".parse().unwrap())];
    set_workspace_limits(&app.ctx, &Caller::cli(), owner.workspace, limits).await.unwrap();
    let report = report(&app, &owner, a, "7d", "day").await;
    let [month] = &report.meters[..] else { panic!("{:?}", report.meters) };
    assert_eq!((month.used, month.is_shared), (400, true));
    // 100 in the last week and a half a day: 400 in thirty days; full it never is.
    assert_eq!(month.forecast.as_ref().map(|f| (f.expected, f.used_up.clone())), Some((400, None)));
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn what_keys_share_is_forecast_by_hours_of_all_that_share_it(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let owner = developer(&app.ctx, "mara", "UTC").await;
    let (a, b, alone) = (key(&app.ctx, &owner, "a").await, key(&app.ctx, &owner, "b").await, key(&app.ctx, &owner, "alone").await);
    let rolling = |name: &str, calls| vec![KeyLimit::new(name, calls, "rolling:day".parse().unwrap())];
    set_workspace_limits(&app.ctx, &Caller::cli(), owner.workspace, rolling("day", 1_000)).await.unwrap();
    edit_key(&app.ctx, &Caller::cli(), alone, KeyEdit { limits: Some(rolling("own", 9_000)), ..KeyEdit::default() }).await.unwrap();
    let ago = |key, hours: i64, calls| tally(&owner, key, "GET /", Outcome::Valid, (T0 - Duration::hours(hours)).unix_timestamp() / 60, calls);
    write(&app, vec![ago(a, 30, 5_000), ago(a, 20, 400), ago(b, 20, 300), ago(alone, 1, 4_000)]).await;
    write(&app, vec![ago(b, 20, 100), ago(b, 1, 180)]).await;
    let hours: Vec<i64> = sqlx::query_scalar("select units from usage_shared_hours where workspace_id = $1 order by hour")
        .bind(owner.workspace.uuid())
        .fetch_all(&db)
        .await
        .unwrap();
    assert_eq!(hours, [5_000, 800, 180], "a row an hour, without the key that counts alone");

    let app = app.restart().await;
    let report = report(&app, &owner, a, "7d", "day").await;
    let [day] = &report.meters[..] else { panic!("{:?}", report.meters) };
    assert_eq!((day.used, day.is_shared), (980, true));
    assert_eq!(day.forecast.as_ref().map(|f| (f.expected, f.used_up.as_deref())), Some((720, Some("12:40"))));
}

/// In one batch, of more rows than one statement writes; each hour has a number of its own.
#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn hours_that_keys_share_are_kept_of_workspaces_that_share_limits(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let mut calls = vec![];
    let mut sharing = None;
    for name in ["before", "sharing", "after"] {
        let owner = developer(&app.ctx, name, "UTC").await;
        for n in 0..3 {
            let key = key(&app.ctx, &owner, &format!("{name} {n}")).await;
            calls.extend(
                (0..100).map(|hour| tally(&owner, key, "GET /", Outcome::Valid, (T0 - Duration::hours(hour)).unix_timestamp() / 60, 1 + hour.unsigned_abs())),
            );
        }
        if name == "sharing" {
            let limits = vec![KeyLimit::new("day", 1_000_000, "rolling:day".parse().unwrap())];
            set_workspace_limits(&app.ctx, &Caller::cli(), owner.workspace, limits).await.unwrap();
            sharing = Some(owner.workspace.uuid());
        }
    }
    write(&app, calls).await;
    let kept: Vec<(uuid::Uuid, i64)> = sqlx::query_as("select workspace_id, units from usage_shared_hours order by hour desc").fetch_all(&db).await.unwrap();
    assert_eq!(kept, (1..=100).map(|hour| (sharing.unwrap(), 3 * hour)).collect::<Vec<_>>());
}

/// As `list_shared_pieces` asks, among two hundred workspaces: whatever keys there are, none is looked at.
#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_months_forecast_of_what_keys_share_reads_bounded_rows(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let owner = developer(&app.ctx, "mara", "UTC").await;
    let one = key(&app.ctx, &owner, "one").await;
    sqlx::query(
        "insert into usage_shared_hours (workspace_id, hour, units)
         select case when w = 1 then $1 else md5('w' || w)::uuid end, h, 5
         from generate_series(1, 200) w, generate_series('2026-10-01 00:00Z'::timestamptz, '2026-11-20 11:00Z', interval '1 hour') h",
    )
    .bind(owner.workspace.uuid())
    .execute(&db)
    .await
    .unwrap();
    sqlx::query("analyze usage_shared_hours").execute(&db).await.unwrap();
    let explain = AssertSqlSafe(format!(
        "explain (analyze, format json, timing off) select u.hour as at, u.units from usage_shared_hours u
         where u.workspace_id = (select k.workspace_id from keys k where k.id = '{}') and u.hour >= '2026-10-20 11:00Z'::timestamptz order by u.hour",
        one.uuid(),
    ));
    let plan: serde_json::Value = sqlx::query_scalar(explain).fetch_one(&db).await.unwrap();
    let rows = rows_read(&plan[0]["Plan"]);
    assert!(rows > 700.0 && rows <= 760.0, "{rows} rows were read\n{plan:#}");
}
