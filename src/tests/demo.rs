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
async fn f40_an_id_that_the_database_makes_is_of_its_moment(db: PgPool) {
    let (one, other): (Uuid, Uuid) =
        sqlx::query_as("select uuid_at('2026-11-21T12:00:00.123Z'), uuid_at('2026-11-21T12:00:00.123Z')").fetch_one(&db).await.unwrap();
    assert!(one != other && one.get_version_num() == 7 && one.get_variant() == uuid::Variant::RFC4122, "{one} {other}");
    assert_eq!(one.as_u128() >> 80, 1_795_262_400_123);
}
