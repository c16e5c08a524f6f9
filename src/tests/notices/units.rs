//! A limit that counts another unit from now on, while what was told of the old one is on its way or stands on the home page.

use super::{mara, subjects};
use crate::{
    support::TestApp,
    usage::{key, tally, write},
};
use sqlx::PgPool;
use time::Duration;
use tollgate::{
    accounts::Caller,
    keys::{
        model::{KeyEdit, KeyLimit, LimitUnit, Window},
        server::{edit_key, meter::Tally},
    },
    notices::server::{present_limit_notices, tell_of_limits},
    plans::server::set_workspace_limits,
    values::{KeyId, Outcome},
};

/// A hundred of it.
fn hundred(unit: LimitUnit, window: Window) -> Vec<KeyLimit> {
    vec![KeyLimit { unit, ..KeyLimit::new("default", 100, window) }]
}

async fn set(app: &TestApp, key: KeyId, unit: LimitUnit, window: Window) {
    let edit = KeyEdit { limits: Some(hundred(unit, window)), ..KeyEdit::default() };
    edit_key(&app.ctx, &Caller::cli(), key, edit).await.unwrap();
}

/// So many calls of this cost in the present minute.
async fn call(app: &TestApp, owner: &Caller, key: KeyId, calls: u64, cost: u64) {
    let of = tally(owner, key, "GET /orders", Outcome::Valid, app.ctx.clock.now().unix_timestamp() / 60, calls);
    write(app, vec![Tally { cost: calls * cost, ..of }]).await;
}

/// How many are told now, and that nobody is a second time.
async fn told(app: &TestApp) -> usize {
    let told = tell_of_limits(&app.ctx).await.unwrap();
    assert_eq!(tell_of_limits(&app.ctx).await.unwrap(), 0, "the same minute again");
    told
}

async fn present(app: &TestApp, owner: &Caller) -> Vec<String> {
    present_limit_notices(&app.ctx, owner).await.unwrap().into_iter().map(|notice| notice.words).collect()
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_mail_that_waits_while_the_unit_changes_says_no_unit_that_is_gone(db: PgPool) {
    let app = TestApp::start(db).await;
    let mara = mara(&app).await;
    let checkout = key(&app.ctx, &mara, "checkout").await;
    set(&app, checkout, LimitUnit::Units, Window::DAY).await;
    call(&app, &mara, checkout, 17, 5).await;
    assert_eq!(told(&app).await, 1, "85 units; the mail waits for its job");

    set(&app, checkout, LimitUnit::Calls, Window::DAY).await;
    app.ctx.clock.advance(Duration::minutes(5));
    assert_eq!(told(&app).await, 0, "17 calls");
    call(&app, &mara, checkout, 63, 1).await;
    assert_eq!(told(&app).await, 1, "the same mark of the same window, in calls");
    let rows: Vec<(i16, String, i64)> = sqlx::query_as("select threshold, unit, used from limit_notices").fetch_all(&app.ctx.db).await.unwrap();
    assert_eq!(rows, [(80, "calls".to_owned(), 80)]);
    app.run_jobs().await;
    assert_eq!(subjects(&app.mails()), ["checkout has used 80 % of 100 calls a day"], "the first one has nothing left to tell");
    assert_eq!(present(&app, &mara).await, ["checkout has used 80 % of 100 calls a day"]);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn what_was_told_of_the_old_unit_hides_nothing_of_the_new_one(db: PgPool) {
    let app = TestApp::start(db).await;
    let mara = mara(&app).await;
    let checkout = key(&app.ctx, &mara, "checkout").await;
    set(&app, checkout, LimitUnit::Units, Window::DAY).await;
    call(&app, &mara, checkout, 20, 5).await;
    assert_eq!(told(&app).await, 1);
    assert_eq!(present(&app, &mara).await, ["checkout has used up 100 units a day"]);

    set(&app, checkout, LimitUnit::Calls, Window::DAY).await;
    app.ctx.clock.advance(Duration::minutes(5));
    call(&app, &mara, checkout, 60, 1).await;
    assert_eq!(told(&app).await, 1);
    assert_eq!(present(&app, &mara).await, ["checkout has used 80 % of 100 calls a day"], "though the mark of units was higher");
    app.ctx.clock.advance(Duration::minutes(5));
    call(&app, &mara, checkout, 20, 1).await;
    assert_eq!(told(&app).await, 1);
    assert_eq!(present(&app, &mara).await, ["checkout has used up 100 calls a day"]);

    set(&app, checkout, LimitUnit::Units, Window::DAY).await;
    app.ctx.clock.advance(Duration::minutes(5));
    assert_eq!(told(&app).await, 1, "back again: 180 units");
    assert_eq!(present(&app, &mara).await, ["checkout has used up 100 units a day"]);
    app.run_jobs().await;
    let rows: Vec<(i16, String)> = sqlx::query_as("select threshold, unit from limit_notices order by 1").fetch_all(&app.ctx.db).await.unwrap();
    assert_eq!(rows, [(80, "units".to_owned()), (100, "units".to_owned())]);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn what_keys_share_and_what_rolls_is_told_in_its_new_unit_too(db: PgPool) {
    let app = TestApp::start(db).await;
    let mara = mara(&app).await;
    let (a, b) = (key(&app.ctx, &mara, "a").await, key(&app.ctx, &mara, "b").await);
    let rolls = key(&app.ctx, &mara, "rolls").await;
    let any_hour = Window::Rolling(3_600);
    let share = async |unit| set_workspace_limits(&app.ctx, &Caller::cli(), mara.workspace, hundred(unit, Window::DAY)).await.map(drop).unwrap();
    share(LimitUnit::Units).await;
    set(&app, rolls, LimitUnit::Units, any_hour).await;
    call(&app, &mara, a, 17, 5).await;
    call(&app, &mara, rolls, 17, 5).await;
    assert_eq!(told(&app).await, 1);
    assert_eq!(present(&app, &mara).await, ["All keys together have used 80 % of 100 units a day", "rolls has used 80 % of 100 units in any hour"]);

    share(LimitUnit::Calls).await;
    set(&app, rolls, LimitUnit::Calls, any_hour).await;
    app.ctx.clock.advance(Duration::minutes(5));
    call(&app, &mara, b, 63, 1).await;
    call(&app, &mara, rolls, 63, 1).await;
    assert_eq!(told(&app).await, 1);
    assert_eq!(present(&app, &mara).await, ["All keys together have used 80 % of 100 calls a day", "rolls has used 80 % of 100 calls in any hour"]);
    let shared: Vec<(i16, String, i64)> = sqlx::query_as("select threshold, unit, used from shared_limit_notices").fetch_all(&app.ctx.db).await.unwrap();
    assert_eq!(shared, [(80, "calls".to_owned(), 80)]);
}
