//! Erasing a person leaves the chain whole, and says that it was Tollgate who did it.

use super::{assert_whole, count, happen, happen_with, tamper, verified};
use crate::support::TestApp;
use serde_json::json;
use sqlx::PgPool;
use time::Duration;
use tollgate::{
    accounts::server::jobs::ForgetExpired,
    activity::server::{
        audit::{Fault, seal},
        pseudonymise,
    },
    platform::jobs::Job,
    values::AccountId,
};

/// Somebody, who did three things: two are sealed, one waits.
async fn vera(app: &TestApp) -> AccountId {
    let vera = app.account("vera@example.com", "Vera Somebody", "developer").await;
    happen(&app.ctx, "test.one", Some(vera)).await;
    happen(&app.ctx, "test.two", Some(vera)).await;
    happen(&app.ctx, "test.of_nobody", None).await;
    seal(&app.ctx).await.unwrap();
    happen(&app.ctx, "test.three", Some(vera)).await;
    vera
}

async fn erase(app: &TestApp, account: AccountId) {
    let mut tx = app.ctx.db.begin().await.unwrap();
    pseudonymise(&app.ctx, &mut tx, account, None, "former-0123456789ab").await.unwrap();
    tx.commit().await.unwrap();
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r83_a_person_is_erased_and_the_chain_stays_whole(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let vera = vera(&app).await;
    erase(&app, vera).await;
    assert_whole(&verified(&app.ctx).await);
    seal(&app.ctx).await.unwrap();
    let verdict = verified(&app.ctx).await;
    assert_whole(&verdict);
    assert_eq!(verdict.waiting, 0);
    let of_vera = "select count(*) from events where subject_id = (select id from accounts)";
    assert_eq!(count(&db, "select count(*) from audit_links where kind = 'erased'").await, count(&db, of_vera).await, "one for each");
    let left = "select count(*) from events where kind in ('test.one', 'test.two', 'test.three')
                and (actor like '%Vera%' or actor_id is not null or data ?| array['address', 'device', 'name'])";
    assert_eq!(count(&db, left).await, 0);
    assert_eq!(
        count(&db, "select count(*) from events where kind = 'test.one' and data->>'calls' = '3' and reason = 'because'").await,
        1,
        "what happened stays"
    );
    assert_eq!(count(&db, "select count(*) from events where kind = 'test.of_nobody' and actor = 'Vera Somebody'").await, 1, "and so do others");

    // Sent twice it is erased twice, and whole all the same.
    erase(&app, vera).await;
    seal(&app.ctx).await.unwrap();
    assert_whole(&verified(&app.ctx).await);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r83_after_erasing_edits_are_seen_as_before(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let vera = vera(&app).await;
    erase(&app, vera).await;
    seal(&app.ctx).await.unwrap();
    tamper(&db, "update events set actor = 'former-ffffffffffff' where kind = 'test.two'").await;
    let broken = verified(&app.ctx).await.broken.unwrap();
    assert_eq!(broken.fault, Fault::Edited, "{}", broken.words);
    assert!(broken.words.contains("its actor, workspace"), "{}", broken.words);
    tamper(&db, "update events set actor = 'former-0123456789ab', reason = 'another' where kind = 'test.two'").await;
    let broken = verified(&app.ctx).await.broken.unwrap();
    assert_eq!(broken.fault, Fault::Edited, "{}", broken.words);
    assert!(broken.words.contains("its time, kind, subject, reason or facts"), "{}", broken.words);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r83_what_was_erased_can_not_be_found_by_trying(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let vera = vera(&app).await;
    let salts = || async { sqlx::query_scalar::<_, sqlx::types::Uuid>("select salt from events where kind = 'test.one'").fetch_one(&db).await.unwrap() };
    let before = salts().await;
    erase(&app, vera).await;
    assert_ne!(salts().await, before, "the salt of the first digest is nowhere any more");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r83_half_an_erasure_is_none_and_its_door_closes_behind_it(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let vera = vera(&app).await;
    let mut tx = db.begin().await.unwrap();
    pseudonymise(&app.ctx, &mut tx, vera, None, "former-0123456789ab").await.unwrap();
    let refused = sqlx::raw_sql("update events set actor = 'Eve'").execute(&mut *tx).await.unwrap_err();
    assert!(refused.to_string().contains("only appended to"), "{refused}");
    tx.rollback().await.unwrap();
    assert_eq!(count(&db, "select count(*) from events where actor like 'former-%'").await, 0);
    seal(&app.ctx).await.unwrap();
    assert_whole(&verified(&app.ctx).await);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r83_many_events_of_one_person_are_erased(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let vera = app.account("vera@example.com", "Vera Somebody", "developer").await;
    for n in 0..1_100 {
        happen_with(&app.ctx, "test.many", Some(vera), json!({ "n": n, "device": "Firefox" })).await;
    }
    seal(&app.ctx).await.unwrap();
    erase(&app, vera).await;
    assert_eq!(count(&db, "select count(*) from events where kind = 'test.many' and (actor_id is not null or data ? 'device')").await, 0);
    seal(&app.ctx).await.unwrap();
    assert_whole(&verified(&app.ctx).await);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r83_a_sign_up_that_nobody_proved_leaves_its_history_without_the_person(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let nia = app.account("nia@example.com", "Nia", "developer").await;
    happen(&app.ctx, "account.signed_up", Some(nia)).await;
    sqlx::query("update accounts set verified_at = null").execute(&db).await.unwrap();
    seal(&app.ctx).await.unwrap();
    let before = count(&db, "select count(*) from events").await;
    app.ctx.clock.advance(Duration::days(8));
    ForgetExpired::default().run(&app.ctx).await.unwrap();
    assert_eq!((count(&db, "select count(*) from accounts").await, count(&db, "select count(*) from workspaces").await), (0, 0));
    assert_eq!(count(&db, "select count(*) from events").await, before, "nothing is taken out of the log");
    assert_eq!(count(&db, "select count(*) from events where actor = 'Vera Somebody' or workspace_id is not null or data ? 'address'").await, 0);
    seal(&app.ctx).await.unwrap();
    assert_whole(&verified(&app.ctx).await);
}
