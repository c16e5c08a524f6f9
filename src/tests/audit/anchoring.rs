//! What a chain alone can't show, the head that was told outside the database does; and how Admin says it.

use super::{assert_whole, five, happen, tamper, verified};
use crate::support::{TestApp, folder::Folder};
use sqlx::PgPool;
use tollgate::{
    accounts::{Via, server::caller_of_account},
    activity::server::audit::{AnchorAudit, Fault, Head, VerifyAudit, anchor, head, heads, seal, state, verify},
    admin::{
        model::{Health, Part},
        server::read_overview,
    },
    platform::jobs::Job,
};

const CUT: &str = "delete from events where id in (select event_id from audit_links where number > 4); delete from audit_links where number > 4";

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r83_an_end_that_was_cut_off_is_seen_with_an_anchor_only(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    five(&app).await;
    let (told, at) = head(&app.ctx).await.unwrap().unwrap();
    assert_eq!((told.number, at), (6, app.ctx.clock.now()));
    assert_whole(&verify(&app.ctx, std::slice::from_ref(&told), |_| {}).await.unwrap());
    tamper(&db, CUT).await;
    assert_whole(&verified(&app.ctx).await);
    let broken = verify(&app.ctx, std::slice::from_ref(&told), |_| {}).await.unwrap().broken.unwrap();
    assert_eq!((broken.fault, broken.entry), (Fault::Removed, Some(5)));
    assert!(broken.words.contains("the anchor knows entry 6, and the last one here is 4"), "{}", broken.words);

    // Going on does not cover it up.
    happen(&app.ctx, "test.later", None).await;
    happen(&app.ctx, "test.later", None).await;
    seal(&app.ctx).await.unwrap();
    assert_whole(&verified(&app.ctx).await);
    let broken = verify(&app.ctx, &[told], |_| {}).await.unwrap().broken.unwrap();
    assert_eq!((broken.fault, broken.entry), (Fault::Edited, Some(6)));
    assert!(broken.words.contains("the chain was replaced"), "{}", broken.words);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r83_the_head_goes_into_the_anchor_file_once_for_each_change(db: PgPool) {
    let folder = Folder::new();
    let file = folder.path().join("heads");
    let app = TestApp::start_with(db.clone(), |config| config.audit.anchor_file = Some(file.clone())).await;
    anchor(&app.ctx).await.unwrap();
    assert!(!file.exists(), "nothing happened yet");
    five(&app).await;
    for _ in 0..2 {
        AnchorAudit::default().run(&app.ctx).await.unwrap();
    }
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(text.lines().count() == 1 && text.starts_with("2026-11-20T12:00:00Z 6:"), "{text}");
    happen(&app.ctx, "test.later", None).await;
    seal(&app.ctx).await.unwrap();
    anchor(&app.ctx).await.unwrap();
    let told: Vec<Head> = heads(&std::fs::read_to_string(&file).unwrap()).unwrap();
    assert_eq!(told.iter().map(|head| head.number).collect::<Vec<_>>(), [6, 7]);
    assert_whole(&verify(&app.ctx, &told, |_| {}).await.unwrap());
    tamper(&db, CUT).await;
    assert_eq!(verify(&app.ctx, &told, |_| {}).await.unwrap().broken.map(|broken| broken.fault), Some(Fault::Removed));

    // Each night it is compared with the file: neither going on nor forgetting covers it up.
    for n in 5..=9 {
        happen(&app.ctx, &format!("test.other_{n}"), None).await;
    }
    seal(&app.ctx).await.unwrap();
    tamper(&db, "update audit_state set anchored_to = 0").await;
    VerifyAudit::default().run(&app.ctx).await.unwrap();
    let (_, found) = state(&app.ctx).await.unwrap();
    assert!(found.broken.unwrap().contains("Entry 6 is not the one that the anchor knows"));
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r83_an_end_that_was_told_and_cut_off_is_seen_by_the_nightly_look_too(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    five(&app).await;
    anchor(&app.ctx).await.unwrap();
    tamper(&db, CUT).await;
    for _ in 0..2 {
        let broken = verified(&app.ctx).await.broken.unwrap();
        assert_eq!((broken.fault, broken.entry), (Fault::Removed, Some(5)));
        assert!(broken.words.contains("entry 6 was told, and the last one here is 4"), "{}", broken.words);
        anchor(&app.ctx).await.unwrap(); // does not forget it
    }
}

/// What the overview says of the log.
async fn said(app: &TestApp) -> Part {
    let operator =
        match sqlx::query_scalar!(r#"select id as "id: tollgate::values::AccountId" from accounts limit 1"#).fetch_optional(&app.ctx.db).await.unwrap() {
            Some(operator) => operator,
            None => app.account("op@example.com", "Op", "operator").await,
        };
    let operator = caller_of_account(&app.ctx, operator, Via::Cli).await.unwrap().unwrap();
    read_overview(&app.ctx, &operator).await.unwrap().parts.into_iter().find(|part| part.name == "Audit log").unwrap()
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r83_admin_shows_when_the_log_was_sealed_and_verified_and_that_it_is_broken(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let part = said(&app).await;
    assert_eq!((part.health, part.detail.as_str()), (Health::Fine, "nothing sealed yet, not verified yet"));
    app.ctx.clock.advance(time::Duration::minutes(11));
    let part = said(&app).await;
    assert_eq!(part.health, Health::Wanting);
    assert!(part.advice.unwrap().contains("has waited for 11 minutes to be sealed"));
    seal(&app.ctx).await.unwrap();
    VerifyAudit::default().run(&app.ctx).await.unwrap();
    app.ctx.clock.advance(time::Duration::minutes(3));
    let part = said(&app).await;
    assert_eq!((part.health, part.detail.as_str()), (Health::Fine, "sealed 3 minutes ago, verified 3 minutes ago"));

    tamper(&db, "update events set reason = 'another'").await;
    VerifyAudit::default().run(&app.ctx).await.unwrap();
    let part = said(&app).await;
    assert_eq!(part.health, Health::Broken);
    assert!(part.advice.unwrap().contains("entry 2, was edited"), "named");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r83_an_anchor_file_that_can_not_be_written_is_said_in_admin(db: PgPool) {
    let folder = Folder::new();
    let file = folder.path().to_owned();
    let app = TestApp::start_with(db, |config| config.audit.anchor_file = Some(file)).await;
    five(&app).await;
    anchor(&app.ctx).await.unwrap();
    let (_, found) = state(&app.ctx).await.unwrap();
    assert!(found.trouble.unwrap().contains("can't be written"));
    let part = said(&app).await;
    assert_eq!(part.health, Health::Wanting);
    assert!(part.advice.unwrap().starts_with("Its head is in the log alone."));
}
