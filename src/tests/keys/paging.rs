//! Plain pages of keys, as REST, files and the command line read them: however many keys there are, a page reads as many rows as it has.

use super::{lists::caller, *};
use crate::{
    support::T0,
    usage::rollups::{explained, rows_read},
};
use sqlx::{AssertSqlSafe, postgres::PgPoolOptions};
use std::collections::HashSet;
use tollgate::{
    accounts::Caller,
    keys::{model::KeyQuery, server},
};
use uuid::Uuid;

/// 20,000 keys, one a second, in turn of these two workspaces. Every fiftieth has a tag, of every thousandth the next is disabled.
async fn many_keys(db: &PgPool, workspaces: [Uuid; 2]) {
    sqlx::query(
        "insert into keys (id, workspace_id, api_id, name, tags, state, created_at, updated_at)
         select md5('f' || n)::uuid, case when n % 2 = 0 then $1 else $2 end, a.id, 'key ' || n, case when n % 50 = 0 then array['rare'] else '{}' end,
           case when n % 1000 = 1 then 'disabled' else 'active' end, $3::timestamptz - n * interval '1 second', $3
         from generate_series(1, 20000) n, apis a where a.slug = 'demo'",
    )
    .bind(workspaces[0])
    .bind(workspaces[1])
    .bind(T0)
    .execute(db)
    .await
    .unwrap();
    sqlx::query("analyze keys").execute(db).await.unwrap();
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_late_page_reads_bounded_rows(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let (mara, tom) = (person(&app, &db, "mara@example.com", "developer").await, person(&app, &db, "tom@example.com", "developer").await);
    let workspace = mara.owner.workspace.uuid();
    many_keys(&db, [workspace, tom.owner.workspace.uuid()]).await;
    // One connection, which then knows every statement that the product ran for a page.
    let shown = PgPoolOptions::new().max_connections(1).connect_with((*db.connect_options()).clone()).await.unwrap();
    let mut ctx = app.ctx.clone();
    ctx.db = shown.clone();
    let rare = KeyQuery { everywhere: true, tag: Some("rare".into()), ..KeyQuery::default() };
    assert_eq!(server::page_of_keys(&ctx, &Caller::cli(), &rare, 100).await.unwrap().0.len(), 100);

    let place = async |of: Option<Uuid>, offset: i64| {
        let sql =
            "select format('%L, %L', created_at, id) from keys where $1::uuid is null or workspace_id = $1 order by created_at desc, id desc offset $2 limit 1";
        sqlx::query_scalar::<_, String>(sql).bind(of).bind(offset).fetch_one(&db).await.unwrap()
    };
    let read = async |words: &str, arguments: String| {
        let found = "select name from pg_prepared_statements where strpos(statement, $1) > 0";
        let name: String = sqlx::query_scalar(found).bind(words).fetch_one(&shown).await.unwrap();
        let explain = AssertSqlSafe(format!("explain (analyze, format json, timing off) execute \"{name}\"({arguments})"));
        let plan: Value = sqlx::query_scalar(explain).fetch_one(&shown).await.unwrap();
        (rows_read(&plan[0]["Plan"]), plan)
    };
    let (page, end) = ("(k.created_at, k.id) >= (", "order by created_at desc, id desc offset");
    for (what, of, tag, kinds, most) in [
        // 101 keys, each with what it is joined with.
        ("of a workspace", Some(workspace), "null", "null", 1_000.0),
        ("of everybody", None, "null", "null", 1_000.0),
        // 500 keys are looked at.
        ("with a tag", None, "'rare'", "null", 5_000.0),
        ("that are new", Some(workspace), "null", "'{new}'", 5_000.0),
    ] {
        let workspace = of.map_or("null".to_owned(), |id| format!("'{id}'"));
        let (from, until) = (place(of, 5_000).await, place(of, 5_500).await);
        let until = if (tag, kinds) == ("null", "null") { "null, null".to_owned() } else { until };
        let filters = format!("{workspace}, null, null, null, null, null, null, null, {tag}, null");
        let (rows, plan) = read(page, format!("{filters}, '2026-11-20 12:00Z', {kinds}, '2026-11-20 00:00Z', 7, {from}, {until}, 101")).await;
        assert!(rows > 10.0 && rows <= most, "{what}: {rows} rows were read\n{plan:#}");
        if of.is_some() {
            let (rows, plan) = read(end, format!("{workspace}, {from}, 499")).await;
            assert!(rows <= 1_000.0, "{what}: {rows} rows were read to find where a look ends\n{plan:#}");
        }
    }
    shown.close().await;
}

/// Of a review 20,000 are looked at in one statement, and here are two more.
#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn what_filters_leave_is_found_wherever_it_stands_and_counted_alike(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let (olga, tom) = (person(&app, &db, "olga@example.com", "operator").await, person(&app, &db, "tom@example.com", "developer").await);
    many_keys(&db, [olga.owner.workspace.uuid(), tom.owner.workspace.uuid()]).await;
    let caller = caller(&app, &olga).await;
    let everywhere = || KeyQuery { everywhere: true, ..KeyQuery::default() };
    for (query, wanted) in [
        (KeyQuery { tag: Some("rare".into()), ..everywhere() }, 400),
        (KeyQuery { status: Some("disabled".into()), ..everywhere() }, 20),
        (KeyQuery { status: Some("idle".into()), ..everywhere() }, 0),
        (KeyQuery { q: Some("KEY 777".into()), ..everywhere() }, 11),
        (KeyQuery { api: Some("tollgate".into()), ..everywhere() }, 2),
        (KeyQuery { tag: Some("rare".into()), owner: Some("tom@".into()), ..everywhere() }, 0),
        (KeyQuery { review: Some("endless".into()), tag: Some("rare".into()), ..everywhere() }, 400),
        (KeyQuery { review: Some("endless".into()), tag: Some("rare".into()), ..KeyQuery::default() }, 400),
    ] {
        let keys = server::every_key(&app.ctx, &caller, query.clone(), 1_000).await.unwrap().unwrap();
        let places: Vec<_> = keys.iter().map(|key| (key.created_at, key.id)).collect();
        assert!(places.is_sorted_by(|a, b| a > b), "newest first: {query:?}");
        assert_eq!(places.iter().collect::<HashSet<_>>().len(), wanted, "{query:?}");
        assert_eq!(server::count_found(&app.ctx, &caller, &query).await.unwrap(), wanted as u64, "{query:?}");
        assert_eq!(server::list_keys(&app.ctx, &caller, query.clone()).await.unwrap().found, wanted as u64, "the page, {query:?}");
    }
    let endless = |older| KeyQuery { review: Some("endless".into()), tag: Some("rare".into()), older, ..everywhere() };
    let (first, next) = server::page_of_keys(&app.ctx, &caller, &endless(None), 399).await.unwrap();
    let (last, end) = server::page_of_keys(&app.ctx, &caller, &endless(next), 399).await.unwrap();
    assert_eq!((first.len(), last.len(), last[0].name.as_str(), end), (399, 1, "key 20000", None));
}

/// While others use 20,000 keys, the last thirty days of a page's keys are found by key: a plan that is kept for any keys knows only that the
/// whole table is of one hour.
#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn sparklines_read_the_calls_of_their_keys_alone(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let (mara, tom) = (person(&app, &db, "mara@example.com", "developer").await, person(&app, &db, "tom@example.com", "developer").await);
    many_keys(&db, [mara.owner.workspace.uuid(), tom.owner.workspace.uuid()]).await;
    sqlx::query(
        "insert into usage_quarters (key_id, quarter, route, outcome, workspace_id, api_id, count)
         select id, date_trunc('hour', $1::timestamptz), 'GET /a', 'VALID', workspace_id, api_id, 1 from keys",
    )
    .bind(T0)
    .execute(&db)
    .await
    .unwrap();
    sqlx::query("analyze usage_quarters, usage_hours").execute(&db).await.unwrap();
    let shown = PgPoolOptions::new().max_connections(1).connect_with((*db.connect_options()).clone()).await.unwrap();
    let mut ctx = app.ctx.clone();
    ctx.db = shown.clone();
    let mine = caller(&app, &mara).await;
    for (zone, words) in [("UTC", "width_bucket(hour"), ("Asia/Kolkata", "width_bucket(quarter")] {
        let list = server::list_keys(&ctx, &Caller { time_zone: zone.into(), ..mine.clone() }, KeyQuery::default()).await.unwrap();
        assert_eq!(list.rows.len(), 50);
        sqlx::query("set plan_cache_mode = force_generic_plan").execute(&shown).await.unwrap();
        let ids: String = sqlx::query_scalar("select array(select id from keys where workspace_id = $1 limit 50)::text")
            .bind(mara.owner.workspace.uuid())
            .fetch_one(&db)
            .await
            .unwrap();
        let arguments = format!("'{{2026-10-22 00:00Z,2026-11-21 00:00Z}}', '{ids}', '2026-10-22 00:00Z', '2026-11-21 00:00Z'");
        let plan = explained(&shown, [words, "cross join lateral"], &arguments).await;
        let rows = rows_read(&plan);
        assert!((50.0..=100.0).contains(&rows), "{zone}: {rows} rows were read\n{plan:#}");
    }
    shown.close().await;
}
