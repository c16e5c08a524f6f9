//! Mails and the home page say what becomes of calls beyond a limit that does not refuse them.

use super::{call, limited, mara, subjects};
use crate::{
    support::{T0, TestApp},
    usage::{
        key,
        rollups::{explained, rows_read},
    },
};
use sqlx::{PgPool, postgres::PgPoolOptions};
use time::Duration;
use tollgate::{
    accounts::Caller,
    keys::model::{KeyLimit, Over, Window},
    notices::server::{present_limit_notices, tell_of_limits},
    plans::server::set_workspace_limits,
    values::{KeyId, Outcome},
};

/// A key with a hundred units that does this with calls beyond them.
async fn hundred(app: &TestApp, owner: &Caller, name: &str, window: i32, over: &str) -> KeyId {
    let id = limited(app, owner, name, 100, window).await;
    sqlx::query("update key_limits set over = $2 where key_id = $1").bind(id.uuid()).bind(over).execute(&app.ctx.db).await.unwrap();
    id
}

/// The last mail after one more look, in one line.
async fn mail(app: &TestApp) -> String {
    assert_eq!((tell_of_limits(&app.ctx).await.unwrap(), tell_of_limits(&app.ctx).await.unwrap()), (1, 0));
    app.run_jobs().await;
    let mails = app.mails();
    mails.last().unwrap().text.replace('\n', " ")
}

/// What the home page says of what will happen.
async fn home(app: &TestApp, owner: &Caller) -> Vec<String> {
    present_limit_notices(&app.ctx, owner).await.unwrap().into_iter().map(|notice| notice.when).collect()
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn of_a_limit_that_marks_it_is_told_that_calls_pass(db: PgPool) {
    let app = TestApp::start(db).await;
    let mara = mara(&app).await;
    let checkout = hundred(&app, &mara, "checkout", 86_400, "mark").await;
    call(&app, &mara, checkout, Outcome::Valid, 80).await;
    let words = mail(&app).await;
    assert!(words.contains("When the limit is used up, calls pass and are marked.") && !words.contains("QUOTA_EXCEEDED"), "{words}");
    app.ctx.clock.advance(Duration::minutes(5));
    call(&app, &mara, checkout, Outcome::Valid, 40).await;
    let words = mail(&app).await;
    assert!(words.contains("Calls of this key pass and are marked.") && !words.contains("QUOTA_EXCEEDED"), "{words}");
    assert!(words.contains("120 of 100 units used"), "{words}");
    assert_eq!(subjects(&app.mails()).last(), Some(&"checkout has used up 100 units a day"));
    let home = home(&app, &mara).await;
    assert!(home.len() == 1 && home[0].ends_with(" Calls beyond the limit pass and are marked."), "{home:?}");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn of_a_limit_that_slows_down_it_is_told_how_many_pass(db: PgPool) {
    let app = TestApp::start(db).await;
    let mara = mara(&app).await;
    let checkout = hundred(&app, &mara, "checkout", 86_400, "throttle:5").await;
    call(&app, &mara, checkout, Outcome::Valid, 100).await;
    let words = mail(&app).await;
    assert!(words.contains("Calls of this key pass more slowly, 5 a second; others are answered RATE_LIMITED."), "{words}");
    assert!(!words.contains("QUOTA_EXCEEDED"), "{words}");
    let home = home(&app, &mara).await;
    assert!(home.len() == 1 && home[0].ends_with(" Calls beyond the limit pass more slowly, 5 a second."), "{home:?}");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn of_a_limit_that_refuses_it_is_told_that_calls_are_refused(db: PgPool) {
    let app = TestApp::start(db).await;
    let mara = mara(&app).await;
    let checkout = hundred(&app, &mara, "checkout", 3_600, "refuse").await;
    call(&app, &mara, checkout, Outcome::Valid, 100).await;
    let words = mail(&app).await;
    assert!(words.contains("Calls of this key are answered RATE_LIMITED until the limit resets."), "{words}");
    let home = home(&app, &mara).await;
    assert!(home.len() == 1 && !home[0].contains("beyond"), "{home:?}");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn of_a_limit_that_will_refuse_it_is_told_from_when_on(db: PgPool) {
    let app = TestApp::start(db).await;
    let mara = mara(&app).await;
    let daily = hundred(&app, &mara, "daily", 86_400, "mark@2026-11-20T18:00:00Z").await;
    call(&app, &mara, daily, Outcome::Valid, 100).await;
    let words = mail(&app).await;
    let said = "Calls of this key pass and are marked. From 20 Nov 2026, 19:00 CET on they are answered QUOTA_EXCEEDED until the limit resets.";
    assert!(words.contains(said), "{words}");

    // A window that begins anew before: nothing is refused in it.
    app.ctx.clock.advance(Duration::minutes(5));
    let hourly = hundred(&app, &mara, "hourly", 3_600, "throttle:1@2026-11-20T18:00:00Z").await;
    call(&app, &mara, hourly, Outcome::Valid, 100).await;
    let words = mail(&app).await;
    assert!(words.contains("Calls of this key pass more slowly, 1 a second; others are answered RATE_LIMITED.") && !words.contains("From"), "{words}");

    app.ctx.clock.set(T0 + Duration::hours(6));
    let home = home(&app, &mara).await;
    assert!(home.len() == 1 && !home[0].contains("beyond"), "from now on the one of the day refuses: {home:?}");
    let late = hundred(&app, &mara, "late", 3_600, "mark@2026-11-20T18:00:00Z").await;
    call(&app, &mara, late, Outcome::Valid, 100).await;
    assert!(mail(&app).await.contains("Calls of this key are answered RATE_LIMITED until the limit resets."));
}

/// Mails have told what was so when the mark was reached.
#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn the_home_page_tells_what_a_limit_does_now(db: PgPool) {
    const SLOWLY: &str = " Calls beyond the limit pass more slowly, 5 a second.";
    let app = TestApp::start(db).await;
    let mara = mara(&app).await;
    let checkout = hundred(&app, &mara, "checkout", 86_400, "mark").await;
    call(&app, &mara, checkout, Outcome::Valid, 100).await;
    assert!(mail(&app).await.contains("Calls of this key pass and are marked."));
    for (over, words) in [("throttle:5", Some(SLOWLY)), ("mark", Some(" Calls beyond the limit pass and are marked.")), ("refuse", None)] {
        sqlx::query("update key_limits set over = $2 where key_id = $1").bind(checkout.uuid()).bind(over).execute(&app.ctx.db).await.unwrap();
        let home = home(&app, &mara).await;
        assert!(home.len() == 1 && words.map_or(!home[0].contains("beyond"), |words| home[0].ends_with(words)), "{over}: {home:?}");
    }

    // What all keys share.
    app.ctx.clock.advance(Duration::minutes(5));
    let share = async |over: Over| {
        let shared = KeyLimit { over, ..KeyLimit::new("default", 100, Window::DAY) };
        set_workspace_limits(&app.ctx, &Caller::cli(), mara.workspace, vec![shared]).await.unwrap();
    };
    share(Over::MARK).await;
    let one = key(&app.ctx, &mara, "one").await;
    call(&app, &mara, one, Outcome::Valid, 100).await;
    mail(&app).await;
    share(Over::throttle(5).unwrap()).await;
    let home = home(&app, &mara).await;
    assert!(home.len() == 2 && home[0].ends_with(SLOWLY) && !home[1].contains("beyond"), "{home:?}");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn the_home_page_looks_up_what_the_limits_that_it_shows_do_and_no_others(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let mara = mara(&app).await;
    let (first, now) = (hundred(&app, &mara, "checkout", 86_400, "mark").await, app.ctx.clock.now());
    sqlx::query(
        "insert into keys (id, workspace_id, api_id, name, created_at, updated_at)
         select gen_random_uuid(), workspace_id, api_id, 'checkout ' || n, created_at, updated_at from keys, generate_series(1, 2000) n where id = $1",
    )
    .bind(first.uuid())
    .execute(&db)
    .await
    .unwrap();
    sqlx::query(
        "insert into key_limits (key_id, name, max_calls, window_seconds, over)
         select id, 'default', 100, 86400, 'mark' from keys where name like 'checkout _%'",
    )
    .execute(&db)
    .await
    .unwrap();
    sqlx::query(
        "insert into limit_notices (key_id, account_id, limit_name, window_seconds, window_start, threshold, used, allowed, at)
         select id, $1, 'default', 86400, date_trunc('day', $2::timestamptz, 'UTC'), 80, 80, 100, $2 from keys where name like 'checkout _%'",
    )
    .bind(mara.account.uuid())
    .bind(now)
    .execute(&db)
    .await
    .unwrap();
    sqlx::query("analyze keys, key_limits, limit_notices").execute(&db).await.unwrap();

    // One connection, which then knows the statement.
    let mut ctx = app.ctx.clone();
    ctx.db = PgPoolOptions::new().max_connections(1).connect_with((*db.connect_options()).clone()).await.unwrap();
    let home = present_limit_notices(&ctx, &mara).await.unwrap();
    assert!(home.len() == 5 && home.iter().all(|notice| notice.when.ends_with(" Calls beyond the limit pass and are marked.")), "{home:?}");
    let arguments = format!("'{}', to_timestamp({}), 5, 'default', 100, 3600", mara.account.uuid(), now.unix_timestamp());
    let plan = explained(&ctx.db, ["limit_notices", "in_force"], &arguments).await;
    let rows = rows_read(&plan);
    assert!((4_000.0..=6_000.0).contains(&rows), "each notice with its key, and twenty limits: {rows} rows were read\n{plan:#}");
    ctx.db.close().await;
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn of_credits_that_let_calls_pass_it_is_told(db: PgPool) {
    let app = TestApp::start(db).await;
    let mara = mara(&app).await;
    let credits = hundred(&app, &mara, "credits", 3_600, "mark").await;
    let db = &app.ctx.db;
    sqlx::query("update key_limits set kind = 'credits', window_seconds = 0 where key_id = $1").bind(credits.uuid()).execute(db).await.unwrap();
    sqlx::query("insert into credit_buckets (holder, name, seconds, number, before, used) values ($1, 'default', 0, 0, 0, 100)")
        .bind(credits.uuid())
        .execute(db)
        .await
        .unwrap();
    call(&app, &mara, credits, Outcome::Valid, 1).await;
    let words = mail(&app).await;
    assert!(words.contains("When no credits are left, calls pass and are marked.") && !words.contains("are answered"), "{words}");
    assert_eq!(home(&app, &mara).await, ["Credits are there again once some are added. Calls beyond the limit pass and are marked."]);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn of_several_limits_each_line_says_it(db: PgPool) {
    let app = TestApp::start(db).await;
    let mara = mara(&app).await;
    let shared = KeyLimit { over: Over::throttle(5).unwrap(), ..KeyLimit::new("default", 100, Window::DAY) };
    set_workspace_limits(&app.ctx, &Caller::cli(), mara.workspace, vec![shared]).await.unwrap();
    let one = key(&app.ctx, &mara, "one").await;
    call(&app, &mara, one, Outcome::Valid, 100).await;
    let own = hundred(&app, &mara, "own", 3_600, "refuse").await;
    call(&app, &mara, own, Outcome::Valid, 100).await;
    let words = mail(&app).await;
    assert_eq!(subjects(&app.mails()), ["2 limits are used up"]);
    assert!(words.contains("What becomes of calls beyond a limit stands with it."), "{words}");
    assert!(words.contains("; calls beyond it pass more slowly, 5 a second"), "{words}");
    assert!(words.contains("; calls beyond it are answered RATE_LIMITED") && !words.contains("QUOTA_EXCEEDED"), "{words}");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn it_is_told_in_german_too(db: PgPool) {
    let app = TestApp::start(db).await;
    let mara = mara(&app).await;
    sqlx::query("update accounts set language = 'de' where id = $1").bind(mara.account.uuid()).execute(&app.ctx.db).await.unwrap();
    let checkout = hundred(&app, &mara, "checkout", 86_400, "throttle:1000@2026-11-20T18:00:00Z").await;
    call(&app, &mara, checkout, Outcome::Valid, 100).await;
    let words = mail(&app).await;
    assert!(words.contains("Aufrufe dieses Schlüssels kommen langsamer durch, 1.000 pro Sekunde; andere werden mit RATE_LIMITED beantwortet."), "{words}");
    assert!(words.contains("Ab 20. November 2026, 19:00 MEZ werden sie mit QUOTA_EXCEEDED beantwortet, bis das Limit von vorn beginnt."), "{words}");
}
