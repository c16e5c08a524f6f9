//! A chart of some hours shows minutes, its tables and its file speak of the same time, and where minutes are gone it shows hours and says so.

use super::{developer, key, rollups::rows_read, tally, write};
use crate::support::{T0, TestApp};
use serde_json::Value;
use sqlx::{AssertSqlSafe, PgPool, postgres::PgPoolOptions};
use std::{sync::Arc, time::Duration};
use tollgate::{
    accounts::Caller,
    keys::server::meter::{Batch, Latency, latency::bucket_of},
    usage::{
        model::{BucketSize, UsageQuery, UsageReport},
        server::{count_usage_lines, export_usage, page_of_usage, report_errors, report_usage, write_batch},
    },
    values::{ApiId, KeyId, Outcome},
};

const M: i64 = T0.unix_timestamp() / 60;

fn asked(pairs: &[(&str, &str)]) -> UsageQuery {
    UsageQuery::read(|name| pairs.iter().find(|(n, _)| *n == name).map(|(_, v)| (*v).to_owned()))
}

async fn shown(app: &TestApp, owner: &Caller, pairs: &[(&str, &str)]) -> UsageReport {
    report_usage(&app.ctx, owner, asked(pairs)).await.unwrap()
}

/// Calls of the last hours, to two routes.
async fn called(app: &TestApp, owner: &Caller) -> KeyId {
    let k = key(&app.ctx, owner, "k").await;
    let counts = vec![
        tally(owner, k, "GET /", Outcome::Valid, M - 70, 5),
        tally(owner, k, "GET /", Outcome::Valid, M - 30, 3),
        tally(owner, k, "POST /", Outcome::Forbidden, M - 30, 2),
        tally(owner, k, "GET /", Outcome::Valid, M, 1),
    ];
    write(app, counts).await;
    k
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn an_hour_is_shown_by_minutes_and_everything_beside_it_says_the_same(db: PgPool) {
    let app = TestApp::start(db).await;
    let owner = developer(&app.ctx, "mara", "Asia/Kolkata").await;
    let k = called(&app, &owner).await;
    let told = Latency {
        key: k,
        workspace: owner.workspace,
        api: ApiId::new(super::DEMO),
        route: Arc::from("GET /"),
        quarter: M / 15 - 2,
        bucket: bucket_of(9.0),
        count: 3,
    };
    write_batch(&app.ctx, app.ctx.new_id(), &Batch { latencies: vec![told], ..Batch::default() }).await.unwrap();
    // The beginning lies inside of a quarter of an hour: what is shown begins with it.
    let hour = [("from", "2026-11-20T11:07:00Z")];
    let report = shown(&app, &owner, &hour).await;
    assert_eq!((report.bucket, report.buckets.len(), report.wider.as_deref()), (BucketSize::Minute, 61, None));
    assert_eq!(report.buckets[30].counts.total(), 5, "half past");
    assert_eq!((report.buckets[0].label.as_str(), report.buckets[60].counts.passed), ("16:30", 1), "on the person's clock, until now");
    assert_eq!(report.sizes, [BucketSize::Minute, BucketSize::FiveMinutes]);
    let total = report.totals.total();
    assert_eq!(total, 6);
    assert_eq!(report.keys.iter().map(|k| k.counts.total()).sum::<u64>(), total, "by key");
    assert_eq!(report.routes.iter().map(|r| r.calls).sum::<u64>(), total, "by route");
    assert_eq!(report.latencies.iter().position(Option::is_some), Some(30), "a quarter of an hour is of each of its minutes");
    assert_eq!(report.latencies.iter().flatten().count(), 15);

    let lines = export_usage(&app.ctx, &owner, &asked(&hour)).await.unwrap().unwrap();
    assert_eq!(lines.iter().map(|l| l.calls).sum::<u64>(), total);
    assert_eq!(lines.iter().map(|l| l.at.as_str()).collect::<Vec<_>>(), ["2026-11-20T11:30:00Z", "2026-11-20T11:30:00Z", "2026-11-20T12:00:00Z"]);
    assert_eq!(count_usage_lines(&app.ctx, &owner, &asked(&hour), T0).await.unwrap(), 3);
    let (paged, next) = page_of_usage(&app.ctx, &owner, &asked(&hour), T0, None).await.unwrap();
    assert_eq!((paged.len(), next), (3, None), "as a job writes it");
    let by_address = export_usage(&app.ctx, &owner, &asked(&[hour[0], ("by", "address")])).await.unwrap().unwrap();
    assert!(by_address.iter().all(|line| line.address == "Others or unknown"), "{by_address:?}");
    assert_eq!(by_address.iter().map(|line| line.calls).sum::<u64>(), total, "all of them");

    let beside = shown(&app, &owner, &[hour[0], ("compare", "before")]).await.before.unwrap();
    // The minute that goes on is compared with nothing.
    assert_eq!((beside.totals.total(), beside.against.total(), beside.buckets.len()), (5, 5, 60));
    let errors = report_errors(&app.ctx, &owner, asked(&hour)).await.unwrap();
    assert_eq!((errors.calls, errors.report.totals.total()), (6, 2));
    let six = shown(&app, &owner, &[("from", "2026-11-20T06:00:00Z")]).await;
    assert_eq!((six.bucket, six.totals.total(), six.buckets.len()), (BucketSize::FiveMinutes, 11, 73));
    assert_eq!(shown(&app, &owner, &[("from", "2026-11-20T05:59:00Z")]).await.bucket, BucketSize::Hour);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn where_minutes_are_gone_hours_are_shown_and_a_word_says_so(db: PgPool) {
    let app = TestApp::start_with(db, |config| config.retention.minutes = Duration::from_secs(7 * 86_400)).await;
    let owner = developer(&app.ctx, "mara", "UTC").await;
    called(&app, &owner).await;
    let old = [("from", "2026-11-10T10:00:00Z"), ("to", "2026-11-10T11:00:00Z")];
    let report = shown(&app, &owner, &old).await;
    assert_eq!((report.bucket, report.has_minutes), (BucketSize::Hour, false));
    assert!(report.wider.is_some_and(|words| words.contains("no longer kept")) && report.sizes.iter().all(|size| !size.is_minutes()));
    assert!(export_usage(&app.ctx, &owner, &asked(&[old[0], old[1], ("bucket", "minute")])).await.unwrap().is_some(), "its file as well");
    let against = shown(&app, &owner, &[("from", "2026-11-20T11:00:00Z"), ("compare", "2026-11-10")]).await;
    assert_eq!((against.bucket, against.before.is_some()), (BucketSize::Hour, true), "both times in the same steps");
    let of_address = shown(&app, &owner, &[("from", "2026-11-20T11:00:00Z"), ("address", "203.0.113.7")]).await;
    assert_eq!((of_address.bucket, of_address.wider.is_some()), (BucketSize::Hour, true));
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn the_page_draws_minutes_and_an_hour_leads_to_them(db: PgPool) {
    let app = TestApp::start(db).await;
    let person = app.sign_in_as("developer").await;
    let owner = app.caller_in_a_browser(person.account).await;
    called(&app, &owner).await;
    let page = person.browser.page("/usage?from=2026-11-20T11:00:00Z&to=2026-11-20T12:00:00Z").await;
    for wanted in ["Calls by minute", ">5 minutes<", "bucket=5m"] {
        assert!(page.contains(wanted), "{wanted}: {page}");
    }
    let page = person.browser.page("/usage?range=24h").await;
    assert!(page.contains("from=2026-11-20T11%3A00%3A00Z&amp;to=2026-11-20T12%3A00%3A00Z"), "{page}");
    let page = person.browser.page("/usage/errors?from=2026-11-20T06:00:00Z&to=2026-11-20T12:00:00Z").await;
    assert!(page.contains("Errors by 5 minutes"), "{page}");
    let page = person.browser.page("/usage?from=2026-09-01T06:00:00Z&to=2026-09-01T07:00:00Z").await;
    assert!(page.contains("no longer kept"), "{page}");
}

/// Two days of minutes of six keys of a workspace, and of others.
async fn busy_minutes(db: &PgPool, owner: &Caller, key: KeyId) {
    sqlx::query(
        "insert into usage_minutes (key_id, minute, route, outcome, workspace_id, api_id, count)
         select k.id, m, 'GET /' || r, o, k.workspace, $3, 1
         from generate_series('2026-11-18 12:00Z'::timestamptz, '2026-11-20 11:59Z', interval '1 minute') m, generate_series(1, 2) r,
           unnest(array['VALID', 'FORBIDDEN']) o,
           (select $1 as id, $2 as workspace union all select md5('m' || n)::uuid, case when n < 6 then $2 else md5('w' || n)::uuid end from generate_series(1, 11) n) k
         order by m",
    )
    .bind(key.uuid())
    .bind(owner.workspace.uuid())
    .bind(super::DEMO)
    .execute(db)
    .await
    .unwrap();
    sqlx::query("analyze usage_minutes").execute(db).await.unwrap();
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_chart_and_a_file_of_minutes_read_bounded_rows(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let owner = developer(&app.ctx, "mara", "UTC").await;
    let k = key(&app.ctx, &owner, "busy").await;
    busy_minutes(&db, &owner, k).await;
    // One connection of its own, which then knows every statement that the product ran.
    let pool = PgPoolOptions::new().max_connections(1).connect_with((*app.ctx.db.connect_options()).clone()).await.unwrap();
    let mut ctx = app.ctx.clone();
    ctx.db = pool.clone();
    let query = asked(&[("from", "2026-11-20T06:00:00Z"), ("to", "2026-11-20T12:00:00Z")]);
    report_usage(&ctx, &owner, query.clone()).await.unwrap();
    export_usage(&ctx, &owner, &query).await.unwrap();
    let edges: String =
        sqlx::query_scalar("select array_agg(d)::text from generate_series('2026-11-20 06:00Z'::timestamptz, '2026-11-20 12:00Z', interval '5 minutes') d")
            .fetch_one(&db)
            .await
            .unwrap();
    let between = "'2026-11-20 06:00Z', '2026-11-20 12:00Z'";
    let workspace = owner.workspace.uuid();
    let (one, all) = (format!("'{}'", k.uuid()), "null".to_owned());
    for (key, most) in [
        // 360 minutes × 2 routes × 2 outcomes of one key, and what its lines are joined with; of six keys, which are half of all.
        (one, 2_600.0),
        (all, 19_500.0),
    ] {
        for (words, more) in [
            ("select width_bucket(at, $1::timestamptz[]) as \"bucket!\", outcome", ""),
            ("select width_bucket(at, $1::timestamptz[]) as bucket, key_id", ", null, null, null, 50001"),
        ] {
            let found = "select name from pg_prepared_statements where strpos(statement, $1) > 0 and strpos(statement, 'from usage_kept(') > 0 limit 1";
            let name: String = sqlx::query_scalar(found).bind(words).fetch_one(&pool).await.unwrap();
            let execute = format!("execute \"{name}\"('{edges}', 'minutes', {between}, '{workspace}', {key}, null, null, null{more})");
            let plan: Value =
                sqlx::query_scalar(AssertSqlSafe(format!("explain (analyze, format json, timing off) {execute}"))).fetch_one(&pool).await.unwrap();
            let rows = rows_read(&plan[0]["Plan"]);
            assert!(rows >= 1_400.0 && rows <= most, "{words}, {key}: {rows} rows were read\n{plan:#}");
        }
    }
    pool.close().await;
}
