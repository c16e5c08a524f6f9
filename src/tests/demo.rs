//! The data of the demo.

use crate::support::TestApp;
use sqlx::{AssertSqlSafe, PgPool};
use tollgate::boot::demo;
use uuid::Uuid;

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn f40_every_id_of_the_demo_is_a_uuidv7(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    demo::load(&app.ctx).await.unwrap();
    let tables: Vec<String> = sqlx::query_scalar(
        "select c.table_name::text from information_schema.columns c join information_schema.tables t using (table_schema, table_name)
         where c.table_schema = 'public' and t.table_type = 'BASE TABLE' and c.column_name = 'id' and c.data_type = 'uuid' order by 1",
    )
    .fetch_all(&db)
    .await
    .unwrap();
    let mut filled = 0;
    for table in &tables {
        let ids: Vec<Uuid> = sqlx::query_scalar(AssertSqlSafe(format!("select id from {table}"))).fetch_all(&db).await.unwrap();
        filled += usize::from(!ids.is_empty());
        for id in ids {
            assert_eq!(id.get_version_num(), 7, "{table}: {id}");
        }
    }
    assert!(filled > 8, "{filled} of {tables:?}");
    // They sort as what happened did, also where it was written afterwards.
    for query in [
        "select s.id from key_secrets s join keys k on k.id = s.key_id where k.name = 'returns portal' order by s.created_at desc limit 1",
        "select id from passed_samples order by at limit 1",
    ] {
        let id: Uuid = sqlx::query_scalar(query).fetch_one(&db).await.unwrap();
        assert!(id < app.ctx.new_id::<Uuid>(), "{query}: {id}");
    }
    let is_sorted: bool = sqlx::query_scalar("select bool_and(is_later) from (select at > lag(at) over (order by id) as is_later from passed_samples) s")
        .fetch_one(&db)
        .await
        .unwrap();
    assert!(is_sorted);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn the_demo_shows_every_part_at_work_and_contradicts_nothing(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    app.ctx.clock.advance(time::Duration::hours(16)); // 4 in the morning, when a shop by the clock would have few calls
    demo::load(&app.ctx).await.unwrap();
    demo::load(&app.ctx).await.unwrap(); // once more changes nothing
    let number = async |query: &'static str| -> i64 { sqlx::query_scalar(query).fetch_one(&db).await.unwrap() };
    for (query, n) in [
        ("select count(*) from blocks where lifted_at is null", 2),
        ("select count(*) from blocks where lifted_at is not null", 1),
        ("select count(*) from workspace_plans p join workspaces w on w.id = p.workspace_id where w.name = 'Nordlicht Shop'", 1),
        ("select count(*) from group_members", 1),
        ("select count(*) from key_bundles", 2),
        ("select count(*) from keys where tags = '{}'", 0),
        ("select count(*) from key_limits where name = 'month' and max_calls > 0 and unit = 'calls'", 1),
        // A secret is as old as its key, but of a rotation, and was used; a change has somebody who made it, and stands in its place.
        ("select count(*) from key_secrets s join keys k on k.id = s.key_id where s.created_at <> k.created_at", 1),
        ("select count(*) from key_secrets where id not in (select secret_id from key_secret_uses)", 0),
        ("select count(*) from key_state_changes where actor_id is null", 0),
        ("select count(*) from (select at < lag(at) over (partition by key_id order by number) as is_before from key_state_changes) s where is_before", 0),
        ("select count(*) from refusal_samples where at > $1", 0),
    ] {
        let counted: i64 =
            if query.contains("$1") { sqlx::query_scalar(query).bind(app.ctx.clock.now()).fetch_one(&db).await.unwrap() } else { number(query).await };
        assert_eq!(counted, n, "{query}");
    }
    assert!(number("select count(*) from latency_days").await > 30);
    assert!(number("select count(distinct extract(second from at)::int) from passed_samples").await > 20, "calls come at any second");
    assert!(number("select count(distinct code) from refusal_samples").await > 2);
    // What is used of the quota leaves room, and at this pace it will not do; no hour stands out.
    let used = number(
        "select sum(count)::bigint from usage_quarters q join keys k on k.id = q.key_id where k.name = 'checkout service' and outcome = 'VALID'
      and quarter >= date_trunc('month', timestamptz '2026-11-20 12:00Z', 'Europe/Stockholm')",
    )
    .await;
    let quota = number("select max_calls from key_limits where name = 'month'").await;
    assert!(used < quota && used * 30 / 20 > quota, "{used} of {quota} on the 21st");
    let hours: Vec<i64> = sqlx::query_scalar(
        "select sum(count)::bigint from usage_by_hour('-infinity', 'infinity') where hour > $1 - interval '3 hours' group by hour order by hour",
    )
    .bind(app.ctx.clock.now())
    .fetch_all(&db)
    .await
    .unwrap();
    assert!(hours.len() == 3 && hours[2] < hours[1] * 3 / 2 && hours[2] * 2 > hours[1], "{hours:?}");
    let ilse = app.browser();
    ilse.sign_in(demo::OPERATOR_PERSON.email, demo::OPERATOR_PERSON.password).await;
    let blocks = ilse.page("/admin/blocks").await;
    assert!(blocks.contains("203.0.113.62") && blocks.contains("by Ilse Brandt"), "{blocks}");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn f40_an_id_that_the_database_makes_is_of_its_moment(db: PgPool) {
    let (one, other): (Uuid, Uuid) =
        sqlx::query_as("select uuid_at('2026-11-21T12:00:00.123Z'), uuid_at('2026-11-21T12:00:00.123Z')").fetch_one(&db).await.unwrap();
    assert!(one != other && one.get_version_num() == 7 && one.get_variant() == uuid::Variant::RFC4122, "{one} {other}");
    assert_eq!(one.as_u128() >> 80, 1_795_262_400_123);
}
