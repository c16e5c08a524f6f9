//! Mails to operators: each finding once, many in one, and only of what they want to hear.

use super::listed;
use crate::support::TestApp;
use sqlx::PgPool;
use time::Duration;
use tollgate::{
    accounts::Caller,
    blocks::{
        model::{BlockAction, RuleSetting},
        server::{fire, jobs::MailFindings, set_rule, tell_operators},
    },
    keys::server::gate::{Suspicion, Target},
    platform::jobs::enqueue,
    values::AbuseRule,
};

async fn found(app: &TestApp, network: &str) {
    let target = Target::Network(network.parse().unwrap());
    assert!(fire(&app.ctx, Suspicion { rule: AbuseRule::UnknownKeys, target, nodes: 1 }).await.unwrap().is_some());
}

async fn rule(app: &TestApp, then: Option<BlockAction>, mails: bool) {
    let setting = RuleSetting { rule: AbuseRule::UnknownKeys, is_on: true, most: 100, minutes: 1, then, seconds: 600, mails };
    set_rule(&app.ctx, &Caller::cli(), setting, None).await.unwrap();
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn what_a_rule_only_tells_is_mailed_once(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    app.account("ops@example.com", "Olga", "operator").await;
    app.account("dev@example.com", "Dora", "developer").await;
    rule(&app, None, false).await;
    found(&app, "198.51.100.9/32").await;
    let told = futures_util::future::join_all((0..5).map(|_| tell_operators(&app.ctx))).await;
    assert_eq!(told.into_iter().map(Result::unwrap).sum::<u64>(), 1);
    let mail = app.mail_to("ops@example.com").await;
    assert_eq!(mail.subject, "198.51.100.9: More than 100 unknown keys in 1 minute");
    assert!(mail.text.contains("only tells") && mail.text.contains("/admin/blocks"), "{}", mail.text);
    assert_eq!(app.mails().len(), 1, "operators only");
    app.ctx.clock.advance(Duration::hours(1));
    assert_eq!(tell_operators(&app.ctx).await.unwrap(), 0, "told once");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn blocks_are_mailed_if_operators_want_it(db: PgPool) {
    let app = TestApp::start(db).await;
    app.account("ops@example.com", "Olga", "operator").await;
    rule(&app, Some(BlockAction::Refuse), false).await;
    found(&app, "198.51.100.1/32").await;
    assert_eq!(tell_operators(&app.ctx).await.unwrap(), 0);
    rule(&app, Some(BlockAction::Slow { per_second: 5 }), true).await;
    found(&app, "198.51.100.2/32").await;
    assert_eq!(tell_operators(&app.ctx).await.unwrap(), 1);
    let mail = app.mail_to("ops@example.com").await;
    assert!(mail.subject.starts_with("198.51.100.2") && mail.text.contains("slowed to 5 calls a second until"), "{}", mail.text);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn many_findings_make_few_mails(db: PgPool) {
    let app = TestApp::start(db).await;
    app.account("ops@example.com", "Olga", "operator").await;
    rule(&app, Some(BlockAction::Refuse), true).await;
    found(&app, "198.51.100.1/32").await;
    assert_eq!(tell_operators(&app.ctx).await.unwrap(), 1, "the first at once");
    for n in 2..20 {
        app.ctx.clock.advance(Duration::SECOND);
        found(&app, &format!("198.51.100.{n}/32")).await;
        assert_eq!(tell_operators(&app.ctx).await.unwrap(), 0, "those after it wait");
    }
    app.ctx.clock.advance(Duration::minutes(10));
    assert_eq!(tell_operators(&app.ctx).await.unwrap(), 18);
    let mail = app.mail_to("ops@example.com").await;
    assert_eq!((mail.subject.as_str(), app.mails().len()), ("Abuse rules found 18 targets", 2));
    assert!(mail.text.contains("198.51.100.19") && !mail.text.contains("198.51.100.2:") && mail.text.contains("And 8 more."), "{}", mail.text);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn who_is_no_operator_any_more_hears_nothing(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let account = app.account("ops@example.com", "Olga", "operator").await;
    rule(&app, None, false).await;
    found(&app, "198.51.100.9/32").await;
    assert_eq!(tell_operators(&app.ctx).await.unwrap(), 1);
    sqlx::query("delete from account_roles where account_id = $1").bind(account.uuid()).execute(&db).await.unwrap();
    app.run_jobs().await;
    assert!(app.mails().is_empty());
    // And of a finding that is gone there is nothing to say.
    sqlx::query("insert into account_roles (account_id, role, granted_at) values ($1, 'operator', now())").bind(account.uuid()).execute(&db).await.unwrap();
    sqlx::query("delete from blocks").execute(&db).await.unwrap();
    let mut conn = db.acquire().await.unwrap();
    enqueue(&app.ctx, &mut conn, &MailFindings { account, at: app.ctx.clock.now() }).await.unwrap();
    app.run_jobs().await;
    assert!(app.mails().is_empty() && listed(&app.ctx, "all").await.is_empty());
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn an_operator_reads_it_in_german(db: PgPool) {
    let app = TestApp::start(db).await;
    let account = app.account("ops@example.com", "Olga", "operator").await;
    sqlx::query("update accounts set language = 'de' where id = $1").bind(account.uuid()).execute(&app.ctx.db).await.unwrap();
    rule(&app, Some(BlockAction::Slow { per_second: 5 }), true).await;
    found(&app, "198.51.100.2/32").await;
    assert_eq!(tell_operators(&app.ctx).await.unwrap(), 1);
    let mail = app.mail_to("ops@example.com").await;
    assert_eq!(mail.subject, "198.51.100.2: Mehr als 100 unbekannte Schlüssel in 1 Minute");
    assert!(mail.text.contains("gebremst auf 5 Aufrufe pro Sekunde bis zum") && !mail.text.contains("More than"), "{}", mail.text);
}
