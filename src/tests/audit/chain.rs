//! Writing: one chain whoever seals, nothing changed once it is written, and what was there before.

use super::{assert_whole, count, five, happen, happen_with, tamper, verified};
use crate::support::TestApp;
use futures_util::future::join_all;
use serde_json::json;
use sqlx::PgPool;
use tollgate::{
    activity::server::audit::{ENTRIES, Fault, held_by_master_keys, seal},
    platform::key_ring::Held,
};

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn s95_twenty_parallel_appends_keep_one_chain(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let writers = (0..20).map(|n| {
        let ctx = app.ctx.clone();
        tokio::spawn(async move {
            for m in 0..3 {
                happen(&ctx, &format!("test.{n}_{m}"), None).await;
                seal(&ctx).await.unwrap();
            }
        })
    });
    for written in join_all(writers).await {
        written.unwrap();
    }
    let verdict = verified(&app.ctx).await;
    assert_whole(&verdict);
    assert_eq!((verdict.entries, verdict.waiting), (61, 0), "sixty events after the start");
    assert_eq!(count(&db, "select count(distinct previous) from audit_links").await, 61, "each comes after another one");
    assert_eq!(seal(&app.ctx).await, Ok(0), "sent twice");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r83_an_event_is_vouched_for_in_its_own_transaction(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    five(&app).await;
    let mut tx = db.begin().await.unwrap();
    let change = tollgate::activity::server::Change { kind: "test.undone", actor_name: "Vera", ..Default::default() };
    tollgate::activity::server::record(&app.ctx, &mut tx, change).await.unwrap();
    // Nobody waits for who has written an event and goes on.
    happen(&app.ctx, "test.beside", None).await;
    assert_eq!(seal(&app.ctx).await, Ok(1));
    tx.rollback().await.unwrap();
    let verdict = verified(&app.ctx).await;
    assert_whole(&verdict);
    assert_eq!((verdict.entries, verdict.waiting), (7, 0));
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r83_events_and_entries_are_only_appended_to(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    five(&app).await;
    for sql in [
        "update events set kind = 'test.other'",
        "update events set actor = 'Somebody else'",
        "delete from events",
        "truncate events",
        "update audit_links set at = now()",
        "delete from audit_links",
        "truncate audit_links",
        // The door for erasing lets nothing else through.
        "set local tollgate.erasing = 'on'; update events set reason = 'another'",
        "set local tollgate.erasing = 'on'; update events set data = '{}'",
        "set local tollgate.erasing = 'on'; delete from events",
        "set local tollgate.erasing = 'on'; delete from audit_links",
    ] {
        let mut tx = db.begin().await.unwrap();
        let refused = sqlx::raw_sql(sql).execute(&mut *tx).await.unwrap_err();
        assert!(refused.to_string().contains("only appended to"), "{sql}: {refused}");
    }
    assert_whole(&verified(&app.ctx).await);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r83_the_bytes_of_an_event_are_the_same_before_and_after_postgres(db: PgPool) {
    let app = TestApp::start(db).await;
    let facts = [
        json!({}),
        json!({ "whole": 18_446_744_073_709_551_615_u64, "less": -9_007_199_254_740_993_i64, "none": null, "yes": true }),
        json!({ "share": 0.1, "sum": 0.30000000000000004, "large": 1e21, "small": 2.5e-7, "thousand": 1000.0, "zero": -0.0 }),
        json!({ "words": "Zoë said: \"\\ 👍\"\n\u{7f}", "": "", "list": [[], {}, [1, "1", [null]]], "b": { "bb": 1, "a": 2, "": 3 } }),
        json!(["no", "object"]),
    ];
    for data in facts {
        happen_with(&app.ctx, "test.told", None, data).await;
    }
    assert_whole(&verified(&app.ctx).await);
    seal(&app.ctx).await.unwrap();
    assert_whole(&verified(&app.ctx).await);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r83_what_happened_before_is_adopted_once_and_nothing_after_it(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let before = "insert into events (id, at, kind, actor, data) select gen_random_uuid(), now(), 'test.before', 'Vera', '{\"name\": \"shop\"}' from generate_series(1, 1200);
                  insert into audit_waiting (kind, event_id) select 'adopted', id from events order by id";
    sqlx::raw_sql(before).execute(&db).await.unwrap();
    happen(&app.ctx, "test.after", None).await;
    let verdict = verified(&app.ctx).await;
    assert_whole(&verdict);
    assert_eq!((verdict.entries, verdict.waiting), (0, 1201));
    assert_eq!(seal(&app.ctx).await, Ok(1202));
    assert_whole(&verified(&app.ctx).await);
    let order: Vec<String> =
        sqlx::query_scalar("select kind from audit_links where number in (1, 1200, 1201, 1202) order by number").fetch_all(&db).await.unwrap();
    assert_eq!(order, ["adopted", "adopted", "start", "event"]);

    // Nobody brings in an event of theirs so.
    let smuggled = "with made as (insert into events (id, at, kind, actor) values (gen_random_uuid(), now(), 'test.smuggled', 'Eve') returning id)
                    insert into audit_waiting (kind, event_id) select 'adopted', id from made";
    sqlx::raw_sql(smuggled).execute(&db).await.unwrap();
    for _ in 0..2 {
        assert_eq!(verified(&app.ctx).await.broken.map(|broken| broken.fault), Some(Fault::Inserted));
        assert_eq!(seal(&app.ctx).await, Ok(0), "it is refused");
    }
    tamper(&db, "delete from events where kind = 'test.smuggled'; delete from audit_waiting; update events set actor = 'Eve' where kind = 'test.before'").await;
    let broken = verified(&app.ctx).await.broken.unwrap();
    assert_eq!((broken.fault, broken.entry), (Fault::Edited, Some(1)), "what was adopted is guarded like the rest");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r83_without_the_right_key_nothing_is_sealed(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    five(&app).await;
    happen(&app.ctx, "test.waits", None).await;
    let mut other = app.ctx.clone();
    other.vault = tollgate::platform::crypto::Vault::new([8; 32]);
    happen(&other, "test.of_another_key", None).await;
    let refused = seal(&other).await.unwrap_err();
    assert!(refused.to_string().contains("Nothing was sealed"), "{refused}");
    assert_eq!(seal(&app.ctx).await, Ok(1), "the other one waits for its key");
    assert_eq!(count(&db, "select count(*) from audit_waiting where not refused").await, 1);
    assert_eq!(verified(&app.ctx).await.broken.map(|broken| broken.fault), Some(Fault::WrongKey));
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r83_after_the_key_of_the_last_entry_was_given_up_the_chain_goes_on_under_another(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    five(&app).await;
    let mut other = app.ctx.clone();
    other.vault = tollgate::platform::crypto::Vault::new([8; 32]);
    happen(&other, "test.of_another_key", None).await;
    assert!(seal(&other).await.is_err(), "nobody said that the old key is lost");
    sqlx::query("insert into master_keys (id, added_at, current_at, dropped_at) values ($1, $2, $2, $2)")
        .bind(app.ctx.vault.key_id().to_string())
        .bind(crate::support::T0)
        .execute(&db)
        .await
        .unwrap();
    assert_eq!(seal(&other).await, Ok(1), "else everything would wait for ever");
    assert_eq!(count(&db, "select count(*) from audit_waiting").await, 0);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r86_entries_count_as_held_by_their_master_key(db: PgPool) {
    let app = TestApp::start(db).await;
    five(&app).await;
    happen(&app.ctx, "test.waits", None).await;
    let key = Some(app.ctx.vault.key_id().to_string());
    assert_eq!(held_by_master_keys(&app.ctx).await.unwrap(), [Held { what: ENTRIES, key, rows: 7 }], "nobody drops it without being told");
}
