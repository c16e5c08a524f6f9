//! Marks that were reached at the end of a window, after the last look into it.

use super::{call, limited, mara, subjects};
use crate::{
    support::{T0, TestApp},
    usage::key,
};
use sqlx::PgPool;
use time::Duration;
use tollgate::{
    notices::server::{jobs::LookAtUsage, present_limit_notices, tell_of_ended, tell_of_limits},
    platform::jobs::Job,
    values::Outcome,
};

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_mark_of_the_last_minute_of_a_window_is_told_after_it_once(db: PgPool) {
    let app = TestApp::start(db).await;
    let mara = mara(&app).await;
    let hourly = limited(&app, &mara, "hourly", 100, 3_600).await;
    LookAtUsage {}.run(&app.ctx).await.unwrap();
    app.ctx.clock.set(T0 + Duration::minutes(59));
    LookAtUsage {}.run(&app.ctx).await.unwrap();
    call(&app, &mara, hourly, Outcome::Valid, 85).await;
    app.ctx.clock.set(T0 + Duration::minutes(60));
    // It is of the new window, and so that look finds nothing.
    call(&app, &mara, hourly, Outcome::Valid, 20).await;
    assert_eq!(tell_of_limits(&app.ctx).await.unwrap(), 0);
    assert_eq!(tell_of_ended(&app.ctx).await.unwrap(), 0, "what was called in its last seconds may not be written yet");
    app.ctx.clock.set(T0 + Duration::minutes(61));
    for told in [1, 0] {
        assert_eq!((tell_of_limits(&app.ctx).await.unwrap(), tell_of_ended(&app.ctx).await.unwrap()), (0, told));
    }
    app.run_jobs().await;
    let mails = app.mails();
    assert_eq!(subjects(&mails), ["hourly has used 80 % of 100 units an hour"]);
    assert!(
        mails[0].text.contains("before the limit reset") && mails[0].text.contains("85 of 100 units used, reset 20 Nov 2026, 14:00 CET"),
        "{}",
        mails[0].text
    );
    assert!(!mails[0].text.contains("RATE_LIMITED"), "calls pass again: {}", mails[0].text);
    assert!(present_limit_notices(&app.ctx, &mara).await.unwrap().is_empty());
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn what_ended_while_nobody_looked_is_told_by_the_next_look(db: PgPool) {
    let app = TestApp::start(db).await;
    let mara = mara(&app).await;
    assert_eq!(tell_of_ended(&app.ctx).await.unwrap(), 0);
    // One window of it was told as it was reached, one ended unseen; the rolling one, and the day, go on.
    let (hourly, rolling) = (limited(&app, &mara, "hourly", 100, 3_600).await, limited(&app, &mara, "rolling", 100, 3_600).await);
    sqlx::query("update key_limits set kind = 'rolling' where key_id = $1").bind(rolling.uuid()).execute(&app.ctx.db).await.unwrap();
    let daily = limited(&app, &mara, "daily", 100, 86_400).await;
    call(&app, &mara, hourly, Outcome::Valid, 100).await;
    assert_eq!(tell_of_limits(&app.ctx).await.unwrap(), 1);
    app.ctx.clock.set(T0 + Duration::minutes(110));
    for key in [hourly, rolling, daily] {
        call(&app, &mara, key, Outcome::Valid, 90).await;
    }
    // What all keys of the workspace share, with a day of India's.
    let shared = key(&app.ctx, &mara, "shared").await;
    sqlx::query("insert into workspace_limits (workspace_id, name, max_calls, window_seconds, zone) values ($1, 'day', 100, 86400, 'Asia/Kolkata')")
        .bind(mara.workspace.uuid())
        .execute(&app.ctx.db)
        .await
        .unwrap();
    call(&app, &mara, shared, Outcome::Valid, 80).await;
    app.ctx.clock.set(T0 + Duration::hours(8));
    call(&app, &mara, shared, Outcome::Valid, 79).await;
    assert_eq!((tell_of_ended(&app.ctx).await.unwrap(), tell_of_ended(&app.ctx).await.unwrap()), (1, 0));
    let told: Vec<(String, i16, i64)> = sqlx::query_as(
        "select kind || ' ' || window_seconds, threshold, used from limit_notices where at > $1 union all
         select zone, threshold, used from shared_limit_notices where at > $1 order by 1, 2",
    )
    .bind(T0)
    .fetch_all(&app.ctx.db)
    .await
    .unwrap();
    assert_eq!(told, [("Asia/Kolkata".to_owned(), 80, 80)], "of hours the last one that ended had no calls; the others have not ended");
}
