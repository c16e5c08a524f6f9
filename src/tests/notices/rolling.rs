//! Limits whose window rolls: once per filling and mark. A filling lasts until use was below half of the mark, or for one window.

use super::{call, mara, plain, subjects};
use crate::{
    support::{T0, TestApp},
    usage::{key, tally, write},
};
use sqlx::PgPool;
use time::Duration;
use tollgate::{
    accounts::Caller,
    keys::{
        model::{KeyEdit, KeyLimit},
        server::edit_key,
    },
    notices::server::{present_limit_notices, save_settings, tell_of_limits},
    plans::server::set_workspace_limits,
    values::{KeyId, Outcome},
};

/// A limit of so many calls in any such window.
fn any(calls: u64, window: &str) -> Vec<KeyLimit> {
    vec![KeyLimit::new("rolling", calls, window.parse().unwrap())]
}

async fn rolling(app: &TestApp, owner: &Caller, name: &str, calls: u64, window: &str) -> KeyId {
    let id = key(&app.ctx, owner, name).await;
    edit_key(&app.ctx, &Caller::cli(), id, KeyEdit { limits: Some(any(calls, window)), ..KeyEdit::default() }).await.unwrap();
    id
}

/// How many are told now, and that nobody is a second time.
async fn told(app: &TestApp) -> usize {
    let told = tell_of_limits(&app.ctx).await.unwrap();
    assert_eq!(tell_of_limits(&app.ctx).await.unwrap(), 0, "the same minute again");
    told
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_mark_of_a_rolling_window_is_told_again_after_one_window(db: PgPool) {
    let app = TestApp::start(db).await;
    let mara = mara(&app).await;
    let checkout = rolling(&app, &mara, "checkout", 100, "rolling:hour").await;
    call(&app, &mara, checkout, Outcome::Valid, 40).await;
    app.ctx.clock.advance(Duration::minutes(30));
    call(&app, &mara, checkout, Outcome::Valid, 39).await;
    assert_eq!(told(&app).await, 0);
    call(&app, &mara, checkout, Outcome::Valid, 1).await;
    assert_eq!(told(&app).await, 1);
    app.run_jobs().await;
    let mails = app.mails();
    assert_eq!(subjects(&mails), ["checkout has used 80 % of 100 units in any hour"]);
    let text = plain(&app, &[checkout], &mails[0].text).split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(text.contains("until some of it comes back") && text.contains("80 of 100 units used, all of it back by 20 Nov 2026, 14:31 CET"), "{text}");
    let present = present_limit_notices(&app.ctx, &mara).await.unwrap();
    assert_eq!(present.iter().map(|n| n.when.as_str()).collect::<Vec<_>>(), ["It comes back bit by bit, the last of it at 14:31."]);

    // The first forty are an hour old: half of the mark is left, and it is reached again, which is no news.
    app.ctx.clock.advance(Duration::minutes(31));
    assert_eq!(told(&app).await, 0);
    call(&app, &mara, checkout, Outcome::Valid, 40).await;
    assert_eq!(told(&app).await, 0);
    // An hour after it was told it is.
    app.ctx.clock.advance(Duration::minutes(30));
    assert!(present_limit_notices(&app.ctx, &mara).await.unwrap().is_empty());
    call(&app, &mara, checkout, Outcome::Valid, 60).await;
    assert_eq!(told(&app).await, 1);
    app.run_jobs().await;
    assert_eq!(subjects(&app.mails())[1..], ["checkout has used up 100 units in any hour"], "one mail tells the higher of two marks");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_mark_of_a_rolling_window_is_told_again_when_use_was_below_half_of_it(db: PgPool) {
    let app = TestApp::start(db).await;
    let mara = mara(&app).await;
    let checkout = rolling(&app, &mara, "checkout", 100, "rolling:hour").await;
    call(&app, &mara, checkout, Outcome::Valid, 70).await;
    app.ctx.clock.advance(Duration::minutes(50));
    call(&app, &mara, checkout, Outcome::Valid, 10).await;
    assert_eq!((told(&app).await, present_limit_notices(&app.ctx, &mara).await.unwrap().len()), (1, 1));
    app.ctx.clock.advance(Duration::minutes(11));
    assert_eq!((told(&app).await, present_limit_notices(&app.ctx, &mara).await.unwrap().len()), (0, 0), "ten are left of it");
    app.ctx.clock.advance(Duration::minutes(4));
    call(&app, &mara, checkout, Outcome::Valid, 70).await;
    assert_eq!(told(&app).await, 1, "a quarter of an hour after the first");
    app.ctx.clock.advance(Duration::MINUTE);
    call(&app, &mara, checkout, Outcome::Valid, 20).await;
    assert_eq!(told(&app).await, 1, "each mark has fillings of its own");
    app.run_jobs().await;
    assert_eq!(subjects(&app.mails()).last(), Some(&"checkout has used up 100 units in any hour"));
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn what_all_keys_share_of_a_rolling_window_is_told_once_in_each_filling(db: PgPool) {
    let app = TestApp::start(db).await;
    let mara = mara(&app).await;
    set_workspace_limits(&app.ctx, &Caller::cli(), mara.workspace, any(100, "rolling:7200")).await.unwrap();
    let (a, b) = (key(&app.ctx, &mara, "a").await, key(&app.ctx, &mara, "b").await);
    let own = rolling(&app, &mara, "own", 1_000, "rolling:day").await;
    call(&app, &mara, own, Outcome::Valid, 700).await;
    call(&app, &mara, a, Outcome::Valid, 70).await;
    app.ctx.clock.advance(Duration::minutes(100));
    assert_eq!(told(&app).await, 0, "what a key with a limit of its own uses is not of it");
    call(&app, &mara, b, Outcome::Valid, 10).await;
    assert_eq!(told(&app).await, 1);
    app.run_jobs().await;
    assert_eq!(subjects(&app.mails()), ["All keys together have used 80 % of 100 units in any 2 hours"]);
    app.ctx.clock.advance(Duration::minutes(21));
    assert_eq!((told(&app).await, present_limit_notices(&app.ctx, &mara).await.unwrap().len()), (0, 0));
    app.ctx.clock.advance(Duration::MINUTE);
    call(&app, &mara, a, Outcome::Valid, 70).await;
    assert_eq!(told(&app).await, 1);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn long_windows_roll_and_other_marks_hold_for_them_too(db: PgPool) {
    let app = TestApp::start(db).await;
    let mara = mara(&app).await;
    save_settings(&app.ctx, &mara, true, "50", true, None).await.unwrap();
    let (month, minute) = (rolling(&app, &mara, "month", 100, "rolling:month").await, rolling(&app, &mara, "minute", 10, "rolling:minute").await);
    let days_ago = |days: i64, calls| tally(&mara, month, "GET /", Outcome::Valid, (T0 - Duration::days(days)).unix_timestamp() / 60, calls);
    write(&app, vec![days_ago(31, 500), days_ago(29, 30), days_ago(3, 19)]).await;
    call(&app, &mara, minute, Outcome::Valid, 10).await;
    assert_eq!(told(&app).await, 0, "less than an hour is too short to tell of");
    call(&app, &mara, month, Outcome::Valid, 1).await;
    assert_eq!(told(&app).await, 1);
    app.run_jobs().await;
    let mails = app.mails();
    assert_eq!(subjects(&mails), ["month has used 50 % of 100 units in any 30 days"]);
    assert!(mails[0].text.contains("QUOTA_EXCEEDED"), "{}", mails[0].text);
}
