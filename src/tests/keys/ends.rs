//! What ends by the clock, and what befalls a key with others, stands in its history.

use super::*;
use crate::{
    blocks::{block, slow},
    support::T0,
};
use serde_json::json;
use time::Duration;
use tollgate::{
    keys::server::{jobs::NoteExpiries, note_expiries},
    platform::jobs::Job,
};

async fn expiring(app: &TestApp, mara: &Person) -> String {
    let (status, body) = json(mara.post(app, "/api/v1/keys", json!({ "name": "short", "expires_at": "2026-11-20T13:00:00Z" })).await).await;
    assert_eq!(status, 201, "{body}");
    text(&body, "id")
}

async fn kinds(app: &TestApp, mara: &Person, id: &str) -> Vec<String> {
    acts(app, mara, id).await.into_iter().map(|(act, _)| act).collect()
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn that_a_key_expired_is_told_once(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let mara = person(&app, &db, "mara@example.com", "developer").await;
    let id = expiring(&app, &mara).await;
    assert_eq!(note_expiries(&app.ctx).await.unwrap(), 0);
    app.ctx.clock.set(T0 + Duration::hours(1));
    let (a, b) = tokio::join!(note_expiries(&app.ctx), note_expiries(&app.ctx));
    assert!(a.is_ok() && b.is_ok());
    assert_eq!((note_expiries(&app.ctx).await.unwrap(), events(&db, "key.expired").await), (0, 1), "two nodes at once");
    let (_, history) = json(mara.get(&app, &format!("/api/v1/keys/{id}/history")).await).await;
    let newest = &history["data"][0];
    assert_eq!((text(newest, "act"), text(newest, "actor"), text(newest, "detail")), ("expired".into(), "system".into(), "2026-11-20, 13:00 UTC".into()));

    // Another end is another expiry; one that nobody looked at is told by the change that comes next.
    let path = format!("/api/v1/keys/{id}");
    for hour in [2, 3] {
        let until = json!({ "expires_at": format!("2026-11-20T{}:00:00Z", 12 + hour) });
        assert_eq!(mara.call(&app, Method::PATCH, &path, Some(until)).await.status(), 200);
        app.ctx.clock.set(T0 + Duration::hours(hour));
    }
    assert_eq!(kinds(&app, &mara, &id).await, ["expiry", "expired", "expiry", "expired", "created"]);
    assert_eq!((note_expiries(&app.ctx).await.unwrap(), events(&db, "key.expired").await), (1, 3));
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_key_that_was_imported_expired_is_answered_so_and_is_no_news(db: PgPool) {
    use sha2::{Digest, Sha256};
    let app = TestApp::start(db.clone()).await;
    let mara = person(&app, &db, "mara@example.com", "developer").await;
    let hash: String = Sha256::digest("over").iter().map(|byte| format!("{byte:02x}")).collect();
    let list = json!({ "api": "demo", "keys": [{ "name": "over", "hash": hash, "expires_at": "2026-01-01T00:00:00Z", "enabled": true }] });
    let (_, report) = json(mara.post(&app, "/api/v1/keys/import", list).await).await;
    let line = &report["data"][0];
    assert_eq!((text(line, "outcome"), text(line, "detail")), ("created".into(), "It has expired already.".into()));
    let (_, key) = json(mara.get(&app, &format!("/api/v1/keys/{}", text(line, "id"))).await).await;
    assert_eq!((text(&key, "state"), passes(&app, "over").await), ("expired".into(), 401));
    assert_eq!((note_expiries(&app.ctx).await.unwrap(), events(&db, "key.expired").await), (0, 0));
    assert_eq!(kinds(&app, &mara, &text(line, "id")).await, ["created"]);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn one_look_goes_on_until_all_that_ended_is_told(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let mara = person(&app, &db, "mara@example.com", "developer").await;
    let keys: Vec<Value> = (0..450).map(|n| json!({ "hash": format!("{n:064x}"), "expires_at": "2026-11-20T13:00:00Z" })).collect();
    assert_eq!(mara.post(&app, "/api/v1/keys/import", json!({ "api": "demo", "keys": keys })).await.status(), 200);
    app.ctx.clock.set(T0 + Duration::hours(1));
    // Who changes a key has it: the look goes past it, and comes again.
    let mut tx = db.begin().await.unwrap();
    sqlx::query("select 1 from keys where expires_at is not null order by id limit 1 for update").execute(&mut *tx).await.unwrap();
    assert_eq!((note_expiries(&app.ctx).await.unwrap(), events(&db, "key.expired").await), (449, 449));
    tx.rollback().await.unwrap();
    assert_eq!((note_expiries(&app.ctx).await.unwrap(), events(&db, "key.expired").await), (1, 450));
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn that_an_old_secret_ended_is_told_once(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let mara = person(&app, &db, "mara@example.com", "developer").await;
    let (id, _) = mara.new_key(&app, "checkout").await;
    let rotate = async |grace: u32| mara.post(&app, &format!("/api/v1/keys/{id}/rotate"), json!({ "grace": grace })).await.status();
    assert_eq!(rotate(60).await, 200);
    app.ctx.clock.set(T0 + Duration::seconds(61));
    for _ in 0..2 {
        NoteExpiries::default().run(&app.ctx).await.unwrap();
    }
    assert_eq!(kinds(&app, &mara, &id).await, ["secret_ended", "rotated", "created"]);
    assert_eq!(rotate(60).await, 200);
    app.ctx.clock.set(T0 + Duration::seconds(122));
    assert_eq!(rotate(0).await, 200, "before the job looked");
    assert_eq!(kinds(&app, &mara, &id).await, ["rotated", "secret_ended", "rotated", "secret_ended", "rotated", "created"]);
    assert_eq!((note_expiries(&app.ctx).await.unwrap(), events(&db, "key.secret_ended").await), (0, 2));
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_revoked_key_expires_no_more(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let mara = person(&app, &db, "mara@example.com", "developer").await;
    let id = expiring(&app, &mara).await;
    mara.post(&app, &format!("/api/v1/keys/{id}/rotate"), json!({ "grace": 60 })).await;
    mara.post(&app, &format!("/api/v1/keys/{id}/revoke"), json!({})).await;
    app.ctx.clock.set(T0 + Duration::hours(2));
    assert_eq!(note_expiries(&app.ctx).await.unwrap(), 0);
    assert_eq!(kinds(&app, &mara, &id).await, ["revoked", "rotated", "created"]);
    let left = sqlx::query_scalar::<_, i64>("select count(*) from key_secrets where expires_at is not null and not end_noted").fetch_one(&db).await.unwrap();
    assert_eq!(left, 0, "no later look finds its old secret again");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn bans_of_the_owner_and_blocks_stand_among_the_changes(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let mara = person(&app, &db, "mara@example.com", "developer").await;
    let ops = person_with(&app, &db, "ops@example.com", "operator", &["admin:read", "accounts:manage", "keys:read", "keys:write", "keys:manage"]).await;
    let (id, _) = mara.new_key(&app, "checkout").await;
    let wait = |seconds| app.ctx.clock.set(T0 + Duration::seconds(seconds));
    wait(1);
    let ban = json!({ "target": mara.owner.account.to_string(), "reason": "sends spam", "seconds": 3600 });
    let (status, ban) = json(ops.post(&app, "/api/v1/bans", ban).await).await;
    assert_eq!(status, 201, "{ban}");
    wait(2);
    assert_eq!(ops.post(&app, &format!("/api/v1/bans/{}/lift", text(&ban, "id")), json!({})).await.status(), 200);
    wait(3);
    slow(&app.ctx, &id, 5, Some(60)).await.unwrap();
    wait(4);
    block(&app.ctx, &mara.owner.workspace.to_string(), None).await.unwrap();
    wait(70);
    let told = |act: &str, reason: &str| (act.to_owned(), reason.to_owned());
    assert_eq!(
        acts(&app, &ops, &id).await,
        [told("unblocked", ""), told("blocked", ""), told("blocked", ""), told("unbanned", ""), told("banned", "sends spam"), told("created", "")]
    );
    let (_, history) = json(ops.get(&app, &format!("/api/v1/keys/{id}/history")).await).await;
    let details: Vec<&str> = history["data"].as_array().unwrap().iter().map(|entry| entry["detail"].as_str().unwrap()).collect();
    assert_eq!(details[1..3], ["with all keys of its workspace", "to 5 calls a second until 2026-11-20, 12:01 UTC"]);
    let blocker = person_with(&app, &db, "ilse@example.com", "operator", &["admin:read", "keys:read", "keys:write", "keys:manage", "blocks:manage"]).await;
    wait(80);
    let (status, made) = json(blocker.post(&app, "/api/v1/blocks", json!({ "target": id, "reason": "scrapes", "seconds": 600 })).await).await;
    assert_eq!(status, 201, "{made}");
    wait(90);
    assert_eq!(blocker.post(&app, &format!("/api/v1/blocks/{}/lift?note=they+wrote", text(&made, "id")), json!({})).await.status(), 200);
    assert_eq!(acts(&app, &ops, &id).await[..2], [told("unblocked", ""), told("blocked", "")], "not for others");
    let told_all = acts(&app, &blocker, &id).await;
    assert_eq!(told_all[..2], [told("unblocked", "they wrote"), told("blocked", "scrapes")], "for those who block");
    assert!(told_all.contains(&told("blocked", "a test")), "{told_all:?}");
    let (_, history) = json(blocker.get(&app, &format!("/api/v1/keys/{id}/history")).await).await;
    let actors: Vec<_> = history["data"].as_array().unwrap().iter().map(|entry| entry["actor"].as_str().unwrap()).collect();
    assert!(actors[0] == actors[1] && actors[0] != "system" && actors.contains(&"cli"), "{actors:?}");
    let (later, _) = ops.new_key(&app, "later").await;
    assert_eq!(kinds(&app, &ops, &later).await, ["created"], "nothing of others");
}
