//! What stays proven of the audit log when a master key is dropped (R83, R86): a checkpoint stands for the MACs that were made with it.

use super::{assert_whole, count, five, happen, tamper, verified};
use crate::support::{T0, TestApp};
use sqlx::PgPool;
use tollgate::{
    activity::server::audit::{Covered, Fault, Verdict, seal, write_checkpoint},
    error::AppError,
    platform::{Ctx, crypto::Vault},
};

/// The same database with other master keys.
fn with(app: &TestApp, vault: Vault) -> Ctx {
    let mut ctx = app.ctx.clone();
    ctx.vault = vault;
    ctx
}

/// Who has put another key in the place of the one of every other test.
fn rotated(app: &TestApp) -> Ctx {
    with(app, Vault::with_previous([8; 32], [[7; 32]]))
}

/// Drops the key of the first of these, as `tollgate master-key drop` does.
async fn drop_of(owner: &Ctx, ctx: &Ctx, verdict: &Verdict) -> Result<Option<Covered>, AppError> {
    let mut tx = ctx.db.begin().await.unwrap();
    let point = write_checkpoint(ctx, &mut tx, verdict, owner.vault.key_id(), "cli").await?;
    sqlx::query("insert into master_keys (id, added_at, current_at, dropped_at) values ($1, $2, $2, $2)")
        .bind(owner.vault.key_id().to_string())
        .bind(T0)
        .execute(&mut *tx)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    Ok(point)
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r83_after_a_key_was_dropped_its_entries_are_proven_by_the_checkpoint(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    five(&app).await;
    let both = rotated(&app);
    let verdict = verified(&both).await;
    assert_whole(&verdict);
    let point = drop_of(&app.ctx, &both, &verdict).await.unwrap().unwrap();
    assert_eq!((point.entry, point.verified, point.adopted, point.by.as_str()), (6, true, 0, "cli"));
    assert_eq!(point.dropped, app.ctx.vault.key_id().to_string());

    let after = with(&app, Vault::new([8; 32]));
    let verdict = verified(&after).await;
    assert_whole(&verdict);
    assert_eq!((verdict.entries, verdict.by_checkpoint, verdict.checkpoint.as_ref()), (6, 6, Some(&point)));
    happen(&after, "test.later", None).await;
    assert_eq!(seal(&after).await, Ok(1), "the chain goes on");
    assert_eq!((verified(&after).await.entries, verified(&after).await.by_checkpoint), (7, 6));

    // Another key goes: one checkpoint more, and only the key of the last one is needed.
    let both = with(&app, Vault::with_previous([9; 32], [[8; 32]]));
    let verdict = verified(&both).await;
    assert!(drop_of(&after, &both, &verdict).await.unwrap().unwrap().verified);
    let verdict = verified(&with(&app, Vault::new([9; 32]))).await;
    assert_whole(&verdict);
    assert_eq!((verdict.entries, verdict.by_checkpoint, verdict.checkpoint.map(|point| point.entry)), (7, 7, Some(7)));
    assert_eq!(verified(&after).await.broken.map(|broken| broken.fault), Some(Fault::WrongKey), "a dropped key alone verifies nothing");
}

const KEEP: &str =
    "create table kept_events as table events; create table kept_links as table audit_links; create table kept_points as table audit_checkpoints";
const RESTORE: &str = "truncate events, audit_links, audit_checkpoints; insert into events table kept_events; insert into audit_links table kept_links;
    insert into audit_checkpoints table kept_points";

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn s95_what_is_done_to_entries_of_a_dropped_key_is_seen(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    five(&app).await;
    let both = rotated(&app);
    drop_of(&app.ctx, &both, &verified(&both).await).await.unwrap();
    let after = with(&app, Vault::new([8; 32]));
    happen(&after, "test.later", None).await;
    seal(&after).await.unwrap();
    assert_whole(&verified(&after).await);
    tamper(&db, KEEP).await;
    let renamed = format!("update audit_links set key_id = '{}' where number = 4", after.vault.key_id());
    let attacks = [
        ("update events set reason = 'another' where kind = 'test.3'", Fault::Edited, Some(4), "its time, kind"),
        ("delete from events where kind = 'test.3'", Fault::Removed, Some(4), "which entry 4 speaks of"),
        ("update audit_links set at = at + interval '1 second' where number = 4", Fault::Edited, Some(6), "was changed since checkpoint 1 of 2026-11-20"),
        ("update audit_links set mac = sha256(mac) where number = 6", Fault::Edited, Some(6), "was changed since checkpoint 1"),
        ("update audit_links set mac = sha256(mac) where number = 4", Fault::Edited, Some(5), "does not come after the one before it"),
        (renamed.as_str(), Fault::Edited, Some(4), "Entry 4 was edited"),
        ("delete from audit_links where number = 4", Fault::Removed, Some(4), "Entry 4 was removed"),
        ("delete from audit_links where number > 4", Fault::Removed, Some(5), "a checkpoint knows entry 6"),
        ("delete from audit_checkpoints", Fault::WrongKey, Some(1), "was made with the master key"),
        ("update audit_checkpoints set digest = sha256(digest)", Fault::Edited, None, "Checkpoint 1 was edited"),
        ("update audit_checkpoints set verified = false", Fault::Edited, None, "Checkpoint 1 was edited"),
        ("update audit_checkpoints set entry = 5", Fault::Edited, None, "Checkpoint 1 was edited"),
        ("update audit_checkpoints set number = 2", Fault::Removed, None, "Checkpoint 1 was removed"),
    ];
    for (sql, fault, entry, words) in attacks {
        tamper(&db, sql).await;
        let broken = verified(&after).await.broken.unwrap_or_else(|| panic!("{sql}: not seen"));
        assert_eq!((broken.fault, broken.entry), (fault, entry), "{sql}: {}", broken.words);
        assert!(broken.words.contains(words), "{sql}: {}", broken.words);
        tamper(&db, RESTORE).await;
    }
    assert_whole(&verified(&after).await);
    for sql in ["update audit_checkpoints set verified = false", "delete from audit_checkpoints", "truncate audit_checkpoints"] {
        let refused = sqlx::raw_sql(sql).execute(&db).await.unwrap_err();
        assert!(refused.to_string().contains("only appended to"), "{sql}: {refused}");
    }

    // Who has the dropped key can't go on with it.
    happen(&app.ctx, "test.forged", None).await;
    assert_eq!(verified(&after).await.broken.map(|broken| broken.fault), Some(Fault::WrongKey));
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r83_a_key_that_something_still_writes_with_is_not_dropped(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    five(&app).await;
    let both = rotated(&app);
    let verdict = verified(&both).await;
    happen(&app.ctx, "test.meanwhile", None).await;
    let refused = drop_of(&app.ctx, &both, &verdict).await.unwrap_err();
    assert!(refused.to_string().contains("Start every server and worker again"), "{refused}");
    assert_eq!(count(&db, "select count(*) from audit_checkpoints").await, 0);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r83_a_lost_key_leaves_a_checkpoint_that_says_that_nobody_verified(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    five(&app).await;
    happen(&app.ctx, "test.waits", None).await;
    let after = with(&app, Vault::new([8; 32]));
    let verdict = verified(&after).await;
    assert_eq!(verdict.broken.as_ref().map(|broken| broken.fault), Some(Fault::WrongKey));
    let point = drop_of(&app.ctx, &after, &verdict).await.unwrap().unwrap();
    assert_eq!((point.entry, point.verified, point.adopted), (6, false, 1));
    assert_eq!(seal(&after).await, Ok(1), "what waited is not stuck for ever");
    let verdict = verified(&after).await;
    assert_whole(&verdict);
    assert_eq!((verdict.entries, verdict.by_checkpoint), (7, 6));

    let both = with(&app, Vault::with_previous([9; 32], [[8; 32]]));
    let point = drop_of(&after, &both, &verified(&both).await).await.unwrap().unwrap();
    assert!(!point.verified, "what nobody verified once stays so");
    tamper(&db, "update events set actor = 'Eve' where kind = 'test.2'").await;
    assert_eq!(verified(&with(&app, Vault::new([9; 32]))).await.broken.map(|broken| broken.fault), Some(Fault::Edited));
}
