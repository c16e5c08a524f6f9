//! Where many keys are in use, only those are looked at that may have passed a mark; and none is missed.

use super::{call, limit, limited, mara, subjects};
use crate::{
    support::TestApp,
    usage::{key, tally, write},
};
use sqlx::PgPool;
use time::Duration;
use tollgate::{
    accounts::Caller,
    keys::{
        model::{KeyEdit, KeyLimit},
        server::{edit_key, meter::Tally},
    },
    notices::server::{forget_limit_notices, save_settings, tell_of_limits, tell_of_limits_of_many},
    values::{KeyId, Outcome},
};

/// How many keys were looked at in this minute.
async fn looked_at(app: &TestApp) -> i64 {
    sqlx::query_scalar("select count(*) from key_looks where due = $1 + make_interval(mins => 7 + get_byte(uuid_send(key_id), 15) % 8)")
        .bind(app.ctx.clock.now())
        .fetch_one(&app.ctx.db)
        .await
        .unwrap()
}

/// Told now where any key is one of many; and how many were looked at.
async fn look(app: &TestApp) -> (usize, i64) {
    (tell_of_limits_of_many(&app.ctx, 0).await.unwrap(), looked_at(app).await)
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_key_is_looked_at_again_once_a_mark_may_be_reached(db: PgPool) {
    let app = TestApp::start(db).await;
    let mara = mara(&app).await;
    app.ctx.clock.advance(Duration::minutes(11));
    let checkout = limited(&app, &mara, "checkout", 1_000, 86_400).await;
    call(&app, &mara, checkout, Outcome::Valid, 500).await;
    assert_eq!(look(&app).await, (0, 1), "the first time");
    app.ctx.clock.advance(Duration::minutes(1));
    call(&app, &mara, checkout, Outcome::Valid, 250).await;
    assert_eq!(look(&app).await, (0, 0), "one call that took one more would leave less than it takes");
    app.ctx.clock.advance(Duration::minutes(1));
    call(&app, &mara, checkout, Outcome::RateLimited, 5_000).await;
    assert_eq!(look(&app).await, (0, 0), "what did not pass used nothing");
    call(&app, &mara, checkout, Outcome::Valid, 50).await;
    assert_eq!(look(&app).await, (1, 1));
    app.run_jobs().await;
    assert_eq!(subjects(&app.mails()), ["checkout has used 80 % of 1,000 units a day"]);

    // In the next quarter of an hour; the last of these were calls of the one before, written late.
    app.ctx.clock.advance(Duration::minutes(3));
    call(&app, &mara, checkout, Outcome::Valid, 90).await;
    assert_eq!(look(&app).await, (0, 0));
    let late = async |calls| {
        let minute = app.ctx.clock.now().unix_timestamp() / 60 - 2;
        write(&app, vec![tally(&mara, checkout, "GET /orders", Outcome::Valid, minute, calls)]).await;
    };
    late(10).await;
    assert_eq!(look(&app).await, (0, 0));
    late(1).await;
    assert_eq!(look(&app).await, (0, 1), "nothing is reached yet");
    late(99).await;
    assert_eq!(look(&app).await, (1, 1));
}

/// A look that could not tell what it found is none.
#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn what_could_not_be_told_is_found_again(db: PgPool) {
    let app = TestApp::start(db).await;
    let mara = mara(&app).await;
    let checkout = limited(&app, &mara, "checkout", 1_000, 86_400).await;
    call(&app, &mara, checkout, Outcome::Valid, 800).await;
    sqlx::query("alter table limit_notices add constraint broken check (used < 0)").execute(&app.ctx.db).await.unwrap();
    assert!(tell_of_limits_of_many(&app.ctx, 0).await.is_err());
    sqlx::query("alter table limit_notices drop constraint broken").execute(&app.ctx.db).await.unwrap();
    assert_eq!(look(&app).await, (1, 1));
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn every_key_in_use_has_its_turn_within_a_quarter_of_an_hour(db: PgPool) {
    let app = TestApp::start(db).await;
    let mara = mara(&app).await;
    let (lowered, free) = (limited(&app, &mara, "lowered", 1_000, 86_400).await, limited(&app, &mara, "by the second", 5, 1).await);
    let of_both = async |calls| {
        call(&app, &mara, lowered, Outcome::Valid, calls).await;
        call(&app, &mara, free, Outcome::Valid, calls).await;
    };
    of_both(200).await;
    assert_eq!(look(&app).await, (0, 2));
    // How many were told, and looked at, in so many minutes in which nobody calls.
    let minutes = async |n: i64| {
        let (mut told, mut turns) = (0, 0);
        for _ in 0..n {
            app.ctx.clock.advance(Duration::minutes(1));
            let (news, looked) = look(&app).await;
            told += news;
            turns += looked;
        }
        (told, turns)
    };
    let (told, turns) = minutes(14).await;
    assert!(told == 0 && (2..=4).contains(&turns), "each after seven to fourteen minutes: {turns}");
    assert_eq!(minutes(16).await.0, 0);
    sqlx::query("update key_limits set max_calls = 200 where key_id = $1").bind(lowered.uuid()).execute(&app.ctx.db).await.unwrap();
    assert_eq!(minutes(15).await.0, 1, "half an hour after its last call it still has its turn");

    // An hour later nothing is looked at; a day later nothing is kept of either.
    app.ctx.clock.advance(Duration::hours(1));
    assert_eq!(look(&app).await, (0, 0));
    forget_limit_notices(&app.ctx).await.unwrap();
    let kept = async || sqlx::query_scalar::<_, i64>("select count(*) from key_looks").fetch_one(&app.ctx.db).await.unwrap();
    assert_eq!(kept().await, 2);
    app.ctx.clock.advance(Duration::days(1));
    forget_limit_notices(&app.ctx).await.unwrap();
    assert_eq!(kept().await, 0);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn few_keys_are_all_looked_at_and_nothing_is_noted(db: PgPool) {
    let app = TestApp::start(db).await;
    let mara = mara(&app).await;
    let checkout = limited(&app, &mara, "checkout", 1_000, 86_400).await;
    call(&app, &mara, checkout, Outcome::Valid, 700).await;
    assert_eq!((tell_of_limits(&app.ctx).await.unwrap(), looked_at(&app).await), (0, 0));
    sqlx::query("update key_limits set max_calls = 700").execute(&app.ctx.db).await.unwrap();
    assert_eq!(tell_of_limits(&app.ctx).await.unwrap(), 1, "a lower limit is seen at once");
}

/// Keys with limits of many kinds, called as it comes for five hours; one call in so many costs much. After each look a look at all of them finds nothing
/// that was not told.
async fn walk(db: PgPool, marks: &str, dear_in: u64) {
    let app = TestApp::start(db).await;
    let mara = mara(&app).await;
    save_settings(&app.ctx, &mara, true, marks, true, None).await.unwrap();
    let keys = all_kinds(&app, &mara).await;
    let mut state = 20_261_123_u64;
    let mut chance = |below: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    let (mut told, mut looked, mut looks) = (0, 0, 0);
    let end = app.ctx.clock.now() + Duration::hours(5);
    while app.ctx.clock.now() < end {
        app.ctx.clock.advance(Duration::minutes(i64::try_from(1 + chance(6)).unwrap()));
        let minute = app.ctx.clock.now().unix_timestamp() / 60;
        for (n, key) in keys.iter().enumerate() {
            // All calls of the first cost much.
            let (calls, cost) = if n == 0 {
                (chance(2), 20 + chance(40))
            } else if chance(dear_in) == 0 {
                (1, 20 + chance(50))
            } else {
                (chance(4), chance(3))
            };
            let route = ["GET /orders", "POST /orders"][usize::try_from(chance(2)).unwrap()];
            let of = tally(&mara, *key, route, Outcome::Valid, minute, calls);
            if calls > 0 {
                write(&app, vec![Tally { cost: calls * cost, ..of }]).await;
            }
        }
        let (news, of_these) = look(&app).await;
        assert_eq!(tell_of_limits(&app.ctx).await.unwrap(), 0, "missed at {}", app.ctx.clock.now());
        (told, looked, looks) = (told + news, looked + of_these, looks + 1);
    }
    let all = looks * i64::try_from(keys.len()).unwrap();
    assert!(told > 5 && looked * 2 < all, "{told} told, {looked} looked at of {all}");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn no_mark_is_missed(db: PgPool) {
    walk(db, "20, 75, 100", 12).await;
}

/// So high that often less is left than calls cost before it is reached.
#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn no_mark_is_missed_where_less_is_left_than_calls_cost(db: PgPool) {
    walk(db, "97", 3).await;
}

async fn all_kinds(app: &TestApp, owner: &Caller) -> Vec<KeyId> {
    let mut keys = vec![limited(app, owner, "dear", 150, 3_600).await, key(&app.ctx, owner, "default").await];
    for (name, calls, window) in [("hour", 100, 3_600), ("hours", 60, 2 * 3_600), ("day", 900, 86_400)] {
        keys.push(limited(app, owner, name, calls, window).await);
    }
    let both = limited(app, owner, "both", 80, 3_600).await;
    limit(app, both, "long", 2_000, 30 * 86_400).await;
    sqlx::query("update key_limits set unit = 'calls' where key_id = $1 and name = 'default'").bind(both.uuid()).execute(&app.ctx.db).await.unwrap();
    keys.push(both);
    for (name, calls, window) in [("rolling", 500, "rolling:day"), ("calendar", 300, "month@Europe/Stockholm")] {
        let one = key(&app.ctx, owner, name).await;
        let limits = Some(vec![KeyLimit::new(name, calls, window.parse().unwrap())]);
        edit_key(&app.ctx, &Caller::cli(), one, KeyEdit { limits, ..KeyEdit::default() }).await.unwrap();
        keys.push(one);
    }
    keys
}
