//! Rules on errors: a mail when more calls than allowed do not pass, then silence.

use super::{call, limited, mara, plain, subjects};
use crate::{
    support::TestApp,
    usage::{developer, key, tally, write},
};
use sqlx::PgPool;
use time::Duration;
use tollgate::{
    error::AppError,
    notices::{
        model::{NewAlertRule, RuleOffer},
        server::{add_alert_rule, jobs::LookAtUsage, notice_page, remove_alert_rule, watch_errors},
    },
    platform::jobs::enqueue,
    values::{ApiId, Outcome, permission_names as may},
};

fn rule(more_than: &str, codes: &[&str]) -> NewAlertRule {
    let codes = codes.iter().map(ToString::to_string).collect();
    NewAlertRule { codes, more_than: more_than.into(), minutes: "15".into(), quiet_minutes: "60".into(), ..NewAlertRule::default() }
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
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

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
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
    assert_eq!(notice_page(&app.ctx, &tom, RuleOffer::default()).await.unwrap().rules.len(), 1, "his own alone");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_rule_sees_its_api_and_its_route_alone(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let mara = mara(&app).await;
    let bridge = key(&app.ctx, &mara, "ERP bridge").await;
    let (shop, minute) = (app.ctx.new_id::<ApiId>(), app.ctx.clock.now().unix_timestamp() / 60);
    sqlx::query("insert into apis (id, slug, name, key_prefix, created_at) select $1, 'shop', 'Shop', 'shp', created_at from apis where slug = 'demo'")
        .bind(shop.uuid())
        .execute(&db)
        .await
        .unwrap();
    let of = |api: Option<&str>, route: Option<&str>| NewAlertRule { api: api.map(Into::into), route: route.map(Into::into), ..rule("1", &[]) };
    let orders = add_alert_rule(&app.ctx, &mara, of(Some("demo"), Some("GET /orders"))).await.unwrap().rule;
    add_alert_rule(&app.ctx, &mara, of(Some("shop"), None)).await.unwrap();
    let calls = |route: &str, n| tally(&mara, bridge, route, Outcome::Forbidden, minute, n);
    write(&app, vec![calls("GET /orders", 1), calls("POST /orders", 50)]).await;
    assert_eq!(watch_errors(&app.ctx).await.unwrap(), 0, "another route, and another API");
    write(&app, vec![calls("GET /orders", 1)]).await;
    assert_eq!(watch_errors(&app.ctx).await.unwrap(), 1);
    app.run_jobs().await;
    let mails = app.mails();
    let demo = orders.api_name.unwrap();
    assert_eq!(subjects(&mails), [format!("2 calls of the API {demo} to GET /orders did not pass in 15 minutes")]);
    assert!(mails[0].text.contains("/usage/errors?range=24h&api=demo&route=GET%20%2Forders"), "{}", mails[0].text);
    assert!(mails[0].text.contains("2 calls, FORBIDDEN"), "those of the other route are not told: {}", mails[0].text);

    let page = notice_page(&app.ctx, &mara, RuleOffer::default()).await.unwrap();
    let words = format!("More than 1 call that did not pass in 15 minutes, API {demo}, GET /orders");
    assert!(page.rules.iter().any(|rule| rule.words == words), "{:?}", page.rules);
    let elsewhere = NewAlertRule { key: Some(bridge.to_string()), ..of(Some("shop"), None) };
    assert!(add_alert_rule(&app.ctx, &mara, elsewhere).await.unwrap_err().field("api").is_some(), "it could never fire");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_rule_may_ask_for_a_share_of_the_calls_too(db: PgPool) {
    let app = TestApp::start(db).await;
    let mara = mara(&app).await;
    let bridge = key(&app.ctx, &mara, "ERP bridge").await;
    add_alert_rule(&app.ctx, &mara, NewAlertRule { percent: Some("5".into()), ..rule("2", &["FORBIDDEN"]) }).await.unwrap();
    call(&app, &mara, bridge, Outcome::Forbidden, 5).await;
    call(&app, &mara, bridge, Outcome::Expired, 15).await;
    call(&app, &mara, bridge, Outcome::Valid, 80).await;
    assert_eq!(watch_errors(&app.ctx).await.unwrap(), 0, "5 of 100 are not more than 5 %");
    call(&app, &mara, bridge, Outcome::Forbidden, 1).await;
    assert_eq!(watch_errors(&app.ctx).await.unwrap(), 1, "6 of 101 are");
    app.run_jobs().await;
    let mails = app.mails();
    assert_eq!(subjects(&mails), ["6 calls did not pass in 15 minutes"]);
    let said = mails[0].text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(said.contains("More than 2 calls answered FORBIDDEN in 15 minutes, and more than 5 % of all"), "{said}");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn the_same_rule_twice_is_one_and_wrong_ones_are_named(db: PgPool) {
    let app = TestApp::start(db).await;
    let mara = mara(&app).await;
    for _ in 0..2 {
        add_alert_rule(&app.ctx, &mara, rule("10", &["EXPIRED", "FORBIDDEN", "EXPIRED"])).await.unwrap();
    }
    let page = notice_page(&app.ctx, &mara, RuleOffer::default()).await.unwrap();
    assert_eq!(page.rules.len(), 1);
    assert_eq!(page.rules[0].words, "More than 10 calls answered EXPIRED or FORBIDDEN in 15 minutes");
    for (wrong, field) in [
        (rule("-1", &[]), "more_than"),
        (rule("ten", &[]), "more_than"),
        (rule("1", &["VALID"]), "codes"),
        (NewAlertRule { minutes: "1441".into(), ..rule("1", &[]) }, "minutes"),
        (NewAlertRule { quiet_minutes: "0".into(), ..rule("1", &[]) }, "quiet_minutes"),
        (NewAlertRule { key: Some("x".into()), ..rule("1", &[]) }, "key"),
        (NewAlertRule { api: Some("nothing".into()), ..rule("1", &[]) }, "api"),
        (NewAlertRule { api: Some("nothing".into()), minutes: "0".into(), ..rule("1", &[]) }, "api"),
        (NewAlertRule { route: Some("GET /\n".repeat(2)), ..rule("1", &[]) }, "route"),
        (NewAlertRule { percent: Some("100".into()), ..rule("1", &[]) }, "percent"),
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
    assert_eq!(notice_page(&app.ctx, &mara, RuleOffer::default()).await.unwrap().rules.len(), 19);
    let changes: i64 = sqlx::query_scalar("select count(*) from events where kind like 'alert_rule.%'").fetch_one(&app.ctx.db).await.unwrap();
    assert_eq!(changes, 21, "each change once");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
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
