//! Keys that will expire: 30, 7 and 1 days before, once each, anew when the day moves.

use super::{mara, plain, subjects};
use crate::{
    support::{T0, TestApp},
    usage::{developer, key},
};
use sqlx::PgPool;
use time::{Duration, OffsetDateTime};
use tollgate::{
    notices::server::{save_settings, tell_of_expiry},
    values::KeyId,
};

async fn expires(app: &TestApp, key: KeyId, at: OffsetDateTime) {
    sqlx::query("update keys set expires_at = $2 where id = $1").bind(key.uuid()).bind(at).execute(&app.ctx.db).await.unwrap();
}

/// Looks twice at every noon of these days after `T0`; answers on which days mails went out.
async fn walk(app: &TestApp, days: std::ops::Range<i64>) -> Vec<(i64, String)> {
    let mut sent = Vec::new();
    for day in days {
        app.ctx.clock.set(T0 + Duration::days(day));
        for _ in 0..2 {
            let before = app.mails().len();
            tell_of_expiry(&app.ctx).await.unwrap();
            app.run_jobs().await;
            sent.extend(app.mails()[before..].iter().map(|mail| (day, mail.subject.clone())));
        }
    }
    sent
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn it_is_told_three_times_and_anew_when_the_day_moves(db: PgPool) {
    let app = TestApp::start(db).await;
    let mara = mara(&app).await;
    let export = key(&app.ctx, &mara, "nightly export").await;
    expires(&app, export, T0 + Duration::days(40)).await;
    let told = |day, words: &str| (day, format!("nightly export expires {words}"));
    assert_eq!(walk(&app, 0..36).await, [told(10, "in 30 days"), told(33, "in 7 days")]);
    let mail = app.mails().remove(0);
    insta::assert_snapshot!("expiry_text", plain(&app, &[export], &mail.text));
    insta::assert_snapshot!("expiry_html", plain(&app, &[export], &mail.html));

    // Moved by two months: the notices begin anew.
    expires(&app, export, T0 + Duration::days(100)).await;
    assert_eq!(walk(&app, 36..102).await, [told(70, "in 30 days"), told(93, "in 7 days"), told(99, "in 1 day")]);
    // Moved to where it was told of before: that was another time, and is not told again.
    app.ctx.clock.set(T0 + Duration::days(34));
    expires(&app, export, T0 + Duration::days(40)).await;
    assert!(walk(&app, 34..39).await.is_empty());
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn only_the_most_urgent_of_several_is_told(db: PgPool) {
    let app = TestApp::start(db).await;
    let mara = mara(&app).await;
    let (soon, later) = (key(&app.ctx, &mara, "soon").await, key(&app.ctx, &mara, "later").await);
    expires(&app, soon, T0 + Duration::days(40)).await;
    expires(&app, later, T0 + Duration::days(60)).await;
    // Nothing ran for a month; both are due, one of them for the second time.
    app.ctx.clock.set(T0 + Duration::days(35));
    assert_eq!(tell_of_expiry(&app.ctx).await.unwrap(), 1, "one account");
    app.run_jobs().await;
    let mails = app.mails();
    assert_eq!(subjects(&mails), ["2 keys expire soon, the first in 5 days"]);
    assert!(mails[0].text.contains("/keys?status=expiring"), "{}", mails[0].text);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_key_that_lives_shortly_is_not_told_of_at_its_birth(db: PgPool) {
    let app = TestApp::start(db).await;
    let mara = mara(&app).await;
    let short = key(&app.ctx, &mara, "short").await;
    expires(&app, short, T0 + Duration::days(5)).await;
    assert_eq!(walk(&app, 0..7).await, [(4, "short expires in 1 day".to_owned())]);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn who_does_not_want_it_or_left_is_not_told(db: PgPool) {
    let app = TestApp::start(db).await;
    let (mara, tom) = (mara(&app).await, developer(&app.ctx, "tom", "UTC").await);
    for owner in [&mara, &tom] {
        let k = key(&app.ctx, owner, "k").await;
        expires(&app, k, T0 + Duration::days(40)).await;
    }
    save_settings(&app.ctx, &mara, true, "80", false, None).await.unwrap();
    sqlx::query("insert into account_disablements (account_id, at) values ($1, $2)").bind(tom.account.uuid()).bind(T0).execute(&app.ctx.db).await.unwrap();
    assert!(walk(&app, 9..40).await.is_empty());

    // Revoked between the mark and the mail: nothing is sent.
    save_settings(&app.ctx, &mara, true, "80", true, None).await.unwrap();
    app.ctx.clock.set(T0 + Duration::days(39));
    assert_eq!(tell_of_expiry(&app.ctx).await.unwrap(), 1);
    sqlx::query("update keys set state = 'revoked'").execute(&app.ctx.db).await.unwrap();
    app.run_jobs().await;
    assert!(app.mails().is_empty());
}
