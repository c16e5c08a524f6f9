//! Rules on errors: a mail when more calls than allowed do not pass, then silence.

use super::{call, limited, mara, plain, subjects};
use crate::{
    support::TestApp,
    usage::{developer, key},
};
use sqlx::PgPool;
use time::Duration;
use tollgate::{
    error::AppError,
    notices::{
        model::NewAlertRule,
        server::{add_alert_rule, jobs::LookAtUsage, notice_page, remove_alert_rule, watch_errors},
    },
    platform::jobs::enqueue,
    values::{Outcome, permission_names as may},
};

fn rule(more_than: &str, codes: &[&str]) -> NewAlertRule {
    let codes = codes.iter().map(ToString::to_string).collect();
    NewAlertRule { key: None, codes, more_than: more_than.into(), minutes: "15".into(), quiet_minutes: "60".into() }
}

#[sqlx::test]
async fn it_fires_then_is_silent_then_fires_again(db: PgPool) {
    let app = TestApp::start(db).await;
    let mara = mara(&app).await;
    let bridge = limited(&app, &mara, "ERP bridge", 1_000, 3_600).await;
    add_alert_rule(&app.ctx, &mara, rule("10", &["FORBIDDEN", "IP_DENIED"])).await.unwrap();
    call(&app, &mara, bridge, Outcome::Forbidden, 10).await;
    call(&app, &mara, bridge, Outcome::RateLimited, 100).await;
    assert_eq!(watch_errors(&app.ctx).await.unwrap(), 0, "ten are not more than ten, and other codes don't count");
    call(&app, &mara, bridge, Outcome::IpDenied, 1).await;
    assert_eq!((watch_errors(&app.ctx).await.unwrap(), watch_errors(&app.ctx).await.unwrap()), (1, 0));
    app.run_jobs().await;
    let mails = app.mails();
    assert_eq!(subjects(&mails), ["11 calls did not pass in 15 minutes"]);
    insta::assert_snapshot!("alert_text", plain(&app, &[bridge], &mails[0].text));

    app.ctx.clock.advance(Duration::minutes(59));
    call(&app, &mara, bridge, Outcome::Forbidden, 50).await;
    assert_eq!(watch_errors(&app.ctx).await.unwrap(), 0, "silent for an hour");
    app.ctx.clock.advance(Duration::minutes(1));
    assert_eq!(watch_errors(&app.ctx).await.unwrap(), 1);
    app.ctx.clock.advance(Duration::minutes(61));
    assert_eq!(watch_errors(&app.ctx).await.unwrap(), 0, "the fifty are long ago");
}

#[sqlx::test]
async fn a_rule_sees_its_key_and_its_workspace_alone(db: PgPool) {
    let app = TestApp::start(db).await;
    let (mara, mut tom) = (mara(&app).await, developer(&app.ctx, "tom", "UTC").await);
    tom.permissions.extend([may::ACCOUNT_READ, may::ACCOUNT_WRITE]);
    let (a, b) = (key(&app.ctx, &mara, "a").await, key(&app.ctx, &mara, "b").await);
    add_alert_rule(&app.ctx, &mara, NewAlertRule { key: Some(a.to_string()), ..rule("0", &[]) }).await.unwrap();
    add_alert_rule(&app.ctx, &tom, rule("0", &[])).await.unwrap();
    call(&app, &mara, b, Outcome::Expired, 5).await;
    call(&app, &mara, a, Outcome::Valid, 5).await;
    assert_eq!(watch_errors(&app.ctx).await.unwrap(), 0);
    call(&app, &mara, a, Outcome::Expired, 1).await;
    assert_eq!(watch_errors(&app.ctx).await.unwrap(), 1, "without codes every code that did not pass counts");

    let stranger = add_alert_rule(&app.ctx, &tom, NewAlertRule { key: Some(a.to_string()), ..rule("0", &[]) }).await;
    assert!(stranger.unwrap_err().field("key").is_some());
    assert_eq!(notice_page(&app.ctx, &tom, None).await.unwrap().rules.len(), 1, "his own alone");
}

#[sqlx::test]
async fn the_same_rule_twice_is_one_and_wrong_ones_are_named(db: PgPool) {
    let app = TestApp::start(db).await;
    let mara = mara(&app).await;
    for _ in 0..2 {
        add_alert_rule(&app.ctx, &mara, rule("10", &["EXPIRED", "FORBIDDEN", "EXPIRED"])).await.unwrap();
    }
    let page = notice_page(&app.ctx, &mara, None).await.unwrap();
    assert_eq!(page.rules.len(), 1);
    assert_eq!(page.rules[0].words, "More than 10 calls answered EXPIRED or FORBIDDEN in 15 minutes");
    for (wrong, field) in [
        (rule("-1", &[]), "more_than"),
        (rule("ten", &[]), "more_than"),
        (rule("1", &["VALID"]), "codes"),
        (NewAlertRule { minutes: "1441".into(), ..rule("1", &[]) }, "minutes"),
        (NewAlertRule { quiet_minutes: "0".into(), ..rule("1", &[]) }, "quiet_minutes"),
        (NewAlertRule { key: Some("x".into()), ..rule("1", &[]) }, "key"),
    ] {
        assert!(add_alert_rule(&app.ctx, &mara, wrong).await.unwrap_err().field(field).is_some(), "{field}");
    }
    for n in 0..19 {
        add_alert_rule(&app.ctx, &mara, rule(&format!("{}", 100 + n), &[])).await.unwrap();
    }
    assert!(matches!(add_alert_rule(&app.ctx, &mara, rule("1", &[])).await, Err(AppError::Conflict { .. })));
    let id = page.rules[0].id;
    for _ in 0..2 {
        remove_alert_rule(&app.ctx, &mara, id).await.unwrap();
    }
    assert_eq!(notice_page(&app.ctx, &mara, None).await.unwrap().rules.len(), 19);
    let changes: i64 = sqlx::query_scalar("select count(*) from events where kind like 'alert_rule.%'").fetch_one(&app.ctx.db).await.unwrap();
    assert_eq!(changes, 21, "each change once");
}

#[sqlx::test]
async fn a_look_at_limits_that_fails_keeps_no_alert_back(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let mara = mara(&app).await;
    let bridge = limited(&app, &mara, "ERP bridge", 10, 3_600).await;
    add_alert_rule(&app.ctx, &mara, rule("0", &[])).await.unwrap();
    call(&app, &mara, bridge, Outcome::Valid, 10).await;
    call(&app, &mara, bridge, Outcome::Forbidden, 1).await;
    sqlx::query("alter table limit_notices rename to away").execute(&db).await.unwrap();
    enqueue(&app.ctx, &mut db.acquire().await.unwrap(), &LookAtUsage::default()).await.unwrap();
    app.run_jobs().await;
    assert_eq!(subjects(&app.mails()), ["1 call did not pass in 15 minutes"]);
    let error: String = sqlx::query_scalar("select last_error from jobs where kind = 'notices.look_at_usage'").fetch_one(&db).await.unwrap();
    assert!(!error.is_empty(), "and the failure is not forgotten");
}
