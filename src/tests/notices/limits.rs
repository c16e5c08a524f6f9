//! Limits that are nearly used up: once per window and mark.

use super::{call, limit, limited, mara, plain, subjects};
use crate::{
    support::{T0, TestApp},
    usage::{key, tally, write},
};
use sqlx::PgPool;
use time::{Duration, macros::datetime};
use tollgate::{
    accounts::Caller,
    keys::{
        model::{KeyEdit, KeyLimit, Window},
        server::{NewCredits, add_credits, edit_key, meter::Tally},
    },
    notices::server::{present_limit_notices, save_settings, tell_of_limits},
    plans::{
        model::NewPlan,
        server::{assign_plan, create_plan},
    },
    values::{KeyId, Outcome},
};

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn each_mark_is_told_once_in_each_window(db: PgPool) {
    let app = TestApp::start(db).await;
    let mara = mara(&app).await;
    let checkout = limited(&app, &mara, "checkout service", 1_000, 86_400).await;
    call(&app, &mara, checkout, Outcome::Valid, 799).await;
    call(&app, &mara, checkout, Outcome::RateLimited, 5_000).await;
    assert_eq!(tell_of_limits(&app.ctx).await.unwrap(), 0, "what did not pass used nothing");

    call(&app, &mara, checkout, Outcome::Valid, 1).await;
    assert_eq!(tell_of_limits(&app.ctx).await.unwrap(), 1);
    assert_eq!(tell_of_limits(&app.ctx).await.unwrap(), 0, "the same minute again");
    app.ctx.clock.advance(Duration::minutes(5));
    call(&app, &mara, checkout, Outcome::Valid, 100).await;
    assert_eq!(tell_of_limits(&app.ctx).await.unwrap(), 0, "80 % was told");
    app.run_jobs().await;
    let mails = app.mails();
    assert_eq!(subjects(&mails), ["checkout service has used 80 % of 1,000 units a day"]);
    assert_eq!(mails[0].to, "mara@example.com");
    insta::assert_snapshot!("limit_text", plain(&app, &[checkout], &mails[0].text));
    insta::assert_snapshot!("limit_html", plain(&app, &[checkout], &mails[0].html));

    call(&app, &mara, checkout, Outcome::Valid, 100).await;
    assert_eq!(tell_of_limits(&app.ctx).await.unwrap(), 1);
    app.run_jobs().await;
    assert_eq!(subjects(&app.mails()).last(), Some(&"checkout service has used up 1,000 units a day"));

    // The next day is a new window; both marks are passed between two looks, and one mail tells the higher.
    app.ctx.clock.set(T0 + Duration::days(1));
    assert_eq!(tell_of_limits(&app.ctx).await.unwrap(), 0, "nothing is used of it yet");
    call(&app, &mara, checkout, Outcome::Valid, 1_000).await;
    assert_eq!((tell_of_limits(&app.ctx).await.unwrap(), tell_of_limits(&app.ctx).await.unwrap()), (1, 0));
    app.run_jobs().await;
    assert_eq!(subjects(&app.mails())[2..], ["checkout service has used up 1,000 units a day"]);
    assert_eq!(app.run_jobs().await, 0);
}

/// So many calls of this cost in the present minute.
async fn dear(app: &TestApp, owner: &Caller, key: KeyId, route: &str, calls: u64, cost: u64) {
    let of = tally(owner, key, route, Outcome::Valid, app.ctx.clock.now().unix_timestamp() / 60, calls);
    write(app, vec![Tally { cost: calls * cost, ..of }]).await;
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_limit_of_which_less_is_left_than_calls_cost_is_nearly_used_up(db: PgPool) {
    let app = TestApp::start(db).await;
    let mara = mara(&app).await;
    let report = limited(&app, &mara, "reports", 100, 3_600).await;
    dear(&app, &mara, report, "POST /report", 2, 30).await;
    // What costs nothing is no call that still passes.
    dear(&app, &mara, report, "GET /health", 5, 0).await;
    assert_eq!(tell_of_limits(&app.ctx).await.unwrap(), 0, "sixty units, and one more of thirty passes");
    dear(&app, &mara, report, "POST /report", 1, 30).await;
    assert_eq!((tell_of_limits(&app.ctx).await.unwrap(), tell_of_limits(&app.ctx).await.unwrap()), (1, 0));
    app.run_jobs().await;
    let mails = app.mails();
    // Nobody knows what the next call costs: one of ten units passes, and nothing says that there are none.
    assert_eq!(subjects(&mails), ["reports has nearly used up 100 units an hour"]);
    let words = mails[0].text.replace('\n', " ");
    assert!(words.contains("Calls that cost more than is left are answered RATE_LIMITED until the limit resets."), "{words}");
    assert!(words.contains("90 of 100 units used, less is left than calls cost on average"), "{words}");
    let told = present_limit_notices(&app.ctx, &mara).await.unwrap();
    assert_eq!(told[0].words, "reports has nearly used up 100 units an hour");

    // Another one has cheap calls, too: they still pass.
    app.ctx.clock.advance(Duration::minutes(5));
    let mixed = limited(&app, &mara, "mixed", 100, 3_600).await;
    dear(&app, &mara, mixed, "POST /report", 2, 30).await;
    dear(&app, &mara, mixed, "GET /orders", 30, 1).await;
    assert_eq!(tell_of_limits(&app.ctx).await.unwrap(), 1);
    app.run_jobs().await;
    assert_eq!(subjects(&app.mails()).last(), Some(&"mixed has used 80 % of 100 units an hour"));

    // One that counts calls is not used up by what they cost, nor by what costs nothing.
    app.ctx.clock.advance(Duration::minutes(5));
    let counted = limited(&app, &mara, "counted", 100, 3_600).await;
    sqlx::query("update key_limits set unit = 'calls' where key_id = $1").bind(counted.uuid()).execute(&app.ctx.db).await.unwrap();
    dear(&app, &mara, counted, "POST /report", 79, 30).await;
    dear(&app, &mara, counted, "GET /health", 50, 0).await;
    assert_eq!(tell_of_limits(&app.ctx).await.unwrap(), 0);
    dear(&app, &mara, counted, "GET /orders", 1, 1).await;
    assert_eq!(tell_of_limits(&app.ctx).await.unwrap(), 1);
    app.run_jobs().await;
    assert_eq!(subjects(&app.mails()).last(), Some(&"counted has used 80 % of 100 calls an hour"));
    let words: Vec<String> = present_limit_notices(&app.ctx, &mara).await.unwrap().into_iter().map(|notice| notice.words).collect();
    assert!(words.contains(&"counted has used 80 % of 100 calls an hour".to_owned()), "{words:?}");

    // A mark that use can't reach is passed as well, below it. In another hour: the others would be told of the new mark, too.
    app.ctx.clock.advance(Duration::hours(1));
    save_settings(&app.ctx, &mara, true, "95", true, None).await.unwrap();
    let month = limited(&app, &mara, "month", 100, 30 * 86_400).await;
    dear(&app, &mara, month, "POST /report", 1, 60).await;
    assert_eq!(tell_of_limits(&app.ctx).await.unwrap(), 1, "forty are left, and a call costs sixty");
    app.run_jobs().await;
    assert_eq!(subjects(&app.mails()).last(), Some(&"month has nearly used up 100 units in 30 days"), "sixty are not 95 %");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn what_keys_share_and_credits_are_told_when_less_is_left_than_calls_cost(db: PgPool) {
    let app = TestApp::start(db).await;
    let mara = mara(&app).await;
    let credits = limited(&app, &mara, "credits", 100, 3_600).await;
    let db = &app.ctx.db;
    sqlx::query("update key_limits set kind = 'credits', window_seconds = 0 where key_id = $1").bind(credits.uuid()).execute(db).await.unwrap();
    sqlx::query("insert into credit_buckets (holder, name, seconds, number, before, used) values ($1, 'default', 0, 0, 0, 60)")
        .bind(credits.uuid())
        .execute(db)
        .await
        .unwrap();
    dear(&app, &mara, credits, "POST /report", 1, 40).await;
    assert_eq!(tell_of_limits(&app.ctx).await.unwrap(), 0, "forty are left, and a call costs as many");
    sqlx::query("update credit_buckets set used = 61 where holder = $1").bind(credits.uuid()).execute(db).await.unwrap();
    assert_eq!(tell_of_limits(&app.ctx).await.unwrap(), 1);
    app.run_jobs().await;
    assert_eq!(subjects(&app.mails()), ["credits has nearly used up 100 credits, prepaid"]);

    app.ctx.clock.advance(Duration::minutes(5));
    plan(&app, "shared", Window::DAY).await;
    assign_plan(&app.ctx, &Caller::cli(), mara.workspace, Some("shared")).await.unwrap();
    let (a, b) = (key(&app.ctx, &mara, "a").await, key(&app.ctx, &mara, "b").await);
    dear(&app, &mara, a, "POST /report", 1, 35).await;
    assert_eq!(tell_of_limits(&app.ctx).await.unwrap(), 0);
    dear(&app, &mara, b, "POST /report", 1, 35).await;
    assert_eq!(tell_of_limits(&app.ctx).await.unwrap(), 1, "thirty are left for calls of thirty-five");
    app.run_jobs().await;
    assert_eq!(subjects(&app.mails()).last(), Some(&"All keys together have nearly used up 100 units a day"));
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_day_of_a_time_zone_begins_there(db: PgPool) {
    let app = TestApp::start(db).await;
    let mara = mara(&app).await;
    let checkout = limited(&app, &mara, "checkout", 100, 86_400).await;
    sqlx::query("update key_limits set zone = 'Asia/Kolkata' where key_id = $1").bind(checkout.uuid()).execute(&app.ctx.db).await.unwrap();
    call(&app, &mara, checkout, Outcome::Valid, 80).await;
    assert_eq!(tell_of_limits(&app.ctx).await.unwrap(), 1);
    // 00:30 of the next day there, 19:00 of the same in UTC.
    app.ctx.clock.set(T0 + Duration::hours(7));
    assert!(present_limit_notices(&app.ctx, &mara).await.unwrap().is_empty(), "that day is over");
    call(&app, &mara, checkout, Outcome::Valid, 80).await;
    assert_eq!((tell_of_limits(&app.ctx).await.unwrap(), tell_of_limits(&app.ctx).await.unwrap()), (1, 0));
    app.run_jobs().await;
    assert_eq!(subjects(&app.mails())[..], ["checkout has used 80 % of 100 units a day (Asia/Kolkata)"; 2]);
    assert_eq!(present_limit_notices(&app.ctx, &mara).await.unwrap().len(), 1);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn one_mail_tells_of_all_that_came_near_at_once(db: PgPool) {
    let app = TestApp::start(db).await;
    let mara = mara(&app).await;
    let (a, b) = (limited(&app, &mara, "alpha", 100, 3_600).await, limited(&app, &mara, "beta", 50, 604_800).await);
    limit(&app, a, "week", 101, 604_800).await;
    call(&app, &mara, a, Outcome::Valid, 100).await;
    call(&app, &mara, b, Outcome::Valid, 40).await;
    assert_eq!(tell_of_limits(&app.ctx).await.unwrap(), 1);
    app.run_jobs().await;
    let mails = app.mails();
    assert_eq!(subjects(&mails), ["3 limits are nearly used up"]);
    assert!(mails[0].text.contains("2 of your keys are at or near a limit") && mails[0].text.contains("beta:"), "{}", mails[0].text);
    let present = present_limit_notices(&app.ctx, &mara).await.unwrap();
    let words: Vec<&str> = present.iter().map(|notice| notice.words.as_str()).collect();
    assert_eq!(words, ["alpha has used up 100 units an hour", "alpha has used 80 % of 101 units a week", "beta has used 80 % of 50 units a week"]);
    app.ctx.clock.advance(Duration::hours(1));
    assert_eq!(present_limit_notices(&app.ctx, &mara).await.unwrap().len(), 2, "the hour is over");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn who_wants_other_marks_or_none_gets_them(db: PgPool) {
    let app = TestApp::start(db).await;
    let mara = mara(&app).await;
    let checkout = limited(&app, &mara, "checkout", 100, 3_600).await;
    save_settings(&app.ctx, &mara, true, "50", true, None).await.unwrap();
    call(&app, &mara, checkout, Outcome::Valid, 50).await;
    assert_eq!(tell_of_limits(&app.ctx).await.unwrap(), 1);
    call(&app, &mara, checkout, Outcome::Valid, 50).await;
    assert_eq!(tell_of_limits(&app.ctx).await.unwrap(), 0, "100 % is no mark of hers");
    save_settings(&app.ctx, &mara, false, "50, 100", true, None).await.unwrap();
    assert_eq!(tell_of_limits(&app.ctx).await.unwrap(), 0);
    assert!(present_limit_notices(&app.ctx, &mara).await.unwrap().is_empty(), "off is off on the home page, too");
    save_settings(&app.ctx, &mara, true, "50, 100", true, None).await.unwrap();
    assert_eq!(tell_of_limits(&app.ctx).await.unwrap(), 1, "what was not told is told when it is wanted again");
    for wrong in ["", "0", "80, 101", "many"] {
        assert!(save_settings(&app.ctx, &mara, true, wrong, true, None).await.unwrap_err().field("thresholds").is_some(), "{wrong}");
    }
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn marks_set_meanwhile_are_told_of_what_no_higher_one_told(db: PgPool) {
    let app = TestApp::start(db).await;
    let mara = mara(&app).await;
    let (full, half) = (limited(&app, &mara, "full", 100, 86_400).await, limited(&app, &mara, "half", 100, 86_400).await);
    limit(&app, half, "week", 1_000, 604_800).await;
    let rolling = limited(&app, &mara, "rolling", 100, 3_600).await;
    sqlx::query("update key_limits set kind = 'rolling' where key_id = $1").bind(rolling.uuid()).execute(&app.ctx.db).await.unwrap();
    for (key, calls) in [(full, 100), (rolling, 90), (half, 55)] {
        call(&app, &mara, key, Outcome::Valid, calls).await;
    }
    call(&app, &mara, half, Outcome::Valid, 1).await;
    assert_eq!(tell_of_limits(&app.ctx).await.unwrap(), 1);
    app.run_jobs().await;
    assert_eq!(subjects(&app.mails()), ["2 limits are nearly used up"]);

    app.ctx.clock.advance(Duration::minutes(7));
    save_settings(&app.ctx, &mara, true, "5, 50, 100", true, None).await.unwrap();
    assert_eq!((tell_of_limits(&app.ctx).await.unwrap(), tell_of_limits(&app.ctx).await.unwrap()), (1, 0));
    app.run_jobs().await;
    let mails = app.mails();
    assert_eq!(subjects(&mails)[1..], ["2 limits have reached a mark"], "of the others a higher one was told");
    let text = mails[1].text.split_whitespace().collect::<Vec<_>>().join(" ");
    for wanted in ["2 limits have reached a mark that you set.", "half: 56 of 100 units used (50 % mark)", "half (week): 56 of 1,000 units used (5 % mark)"] {
        assert!(text.contains(wanted), "{wanted}: {text}");
    }
    assert!(!text.contains("full") && !text.contains("near"), "{text}");

    // A higher mark is news.
    app.ctx.clock.advance(Duration::MINUTE);
    call(&app, &mara, rolling, Outcome::Valid, 10).await;
    assert_eq!(tell_of_limits(&app.ctx).await.unwrap(), 1);
    app.run_jobs().await;
    assert_eq!(subjects(&app.mails())[2..], ["rolling has used up 100 units in any hour"]);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn the_home_page_tells_nothing_of_limits_that_were_raised_or_are_gone(db: PgPool) {
    let app = TestApp::start(db).await;
    let mara = mara(&app).await;
    let (loaded, plain) = (limited(&app, &mara, "loaded", 100, 86_400).await, key(&app.ctx, &mara, "plain").await);
    for key in [loaded, plain] {
        call(&app, &mara, key, Outcome::Valid, 100).await;
    }
    assert_eq!(tell_of_limits(&app.ctx).await.unwrap(), 1);
    let told = async || present_limit_notices(&app.ctx, &mara).await.unwrap().into_iter().map(|notice| notice.words).collect::<Vec<_>>();
    let of_default = "plain has used up 100 units an hour";
    assert_eq!(told().await, ["loaded has used up 100 units a day", of_default], "also the one of all keys without limits");
    let set = async |change: &'static str| sqlx::query(change).bind(loaded.uuid()).execute(&app.ctx.db).await.map(drop).unwrap();
    for (change, left) in [
        ("update key_limits set max_calls = 100000000 where key_id = $1", 1),
        ("update key_limits set max_calls = 90 where key_id = $1", 2),
        ("update key_limits set unit = 'calls' where key_id = $1", 1),
        ("update key_limits set unit = 'units', name = 'other' where key_id = $1", 1),
        ("update key_limits set name = 'default', max_calls = 100 where key_id = $1", 2),
        ("delete from key_limits where key_id = $1", 1),
    ] {
        set(change).await;
        let told = told().await;
        assert!(told.len() == left && told.last().is_some_and(|last| last == of_default), "{change}: {told:?}");
    }
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_rolling_window_is_back_one_length_after_its_last_use_whenever_it_is_told(db: PgPool) {
    let app = TestApp::start(db).await;
    let mara = mara(&app).await;
    let rolling = limited(&app, &mara, "rolling", 100, 3_600).await;
    sqlx::query("update key_limits set kind = 'rolling' where key_id = $1").bind(rolling.uuid()).execute(&app.ctx.db).await.unwrap();
    plan(&app, "shared", "rolling:hour".parse().unwrap()).await;
    assign_plan(&app.ctx, &Caller::cli(), mara.workspace, Some("shared")).await.unwrap();
    let a = key(&app.ctx, &mara, "a").await;
    for key in [rolling, a] {
        call(&app, &mara, key, Outcome::Valid, 85).await;
    }
    app.ctx.clock.advance(Duration::minutes(20));
    call(&app, &mara, rolling, Outcome::RateLimited, 3).await;
    assert_eq!(tell_of_limits(&app.ctx).await.unwrap(), 1);
    app.run_jobs().await;
    let text = app.mails()[0].text.clone();
    assert_eq!(text.matches("all of it back by 20 Nov 2026, 14:01 CET").count(), 2, "{text}");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn only_windows_of_an_hour_or_longer_and_keys_that_pass_are_told(db: PgPool) {
    let app = TestApp::start(db).await;
    let mara = mara(&app).await;
    let minute = limited(&app, &mara, "by the minute", 10, 60).await;
    call(&app, &mara, minute, Outcome::Valid, 10).await;
    let off = limited(&app, &mara, "off", 10, 3_600).await;
    call(&app, &mara, off, Outcome::Valid, 10).await;
    sqlx::query("update keys set state = 'disabled' where id = $1").bind(off.uuid()).execute(&app.ctx.db).await.unwrap();
    assert_eq!(tell_of_limits(&app.ctx).await.unwrap(), 0);
    // A key without a limit of its own has the default: 100 units an hour.
    let plain = key(&app.ctx, &mara, "plain").await;
    call(&app, &mara, plain, Outcome::Valid, 80).await;
    assert_eq!(tell_of_limits(&app.ctx).await.unwrap(), 1);
    // A window that does not begin with a quarter of an hour: 5,000 seconds since 1970.
    let odd = limited(&app, &mara, "odd", 100, 5_000).await;
    let start = T0.unix_timestamp() / 5_000 * 5_000 / 60 + 1;
    write(&app, vec![tally(&mara, odd, "GET /", Outcome::Valid, start - 2, 500), tally(&mara, odd, "GET /", Outcome::Valid, start, 79)]).await;
    assert_eq!(tell_of_limits(&app.ctx).await.unwrap(), 0, "what came before the window is not of it");
    call(&app, &mara, odd, Outcome::Valid, 1).await;
    assert_eq!(tell_of_limits(&app.ctx).await.unwrap(), 1);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_month_of_a_keys_plan_is_told_to_its_owner(db: PgPool) {
    let app = TestApp::start(db).await;
    let (mara, cli) = (mara(&app).await, Caller::cli());
    plan(&app, "monthly", Window::Month).await;
    let own = key(&app.ctx, &mara, "own").await;
    edit_key(&app.ctx, &cli, own, KeyEdit { plan: Some(Some("monthly".into())), ..KeyEdit::default() }).await.unwrap();

    // Of November, and of the minute before it.
    let (before, since) = (datetime!(2026-10-31 23:59 UTC).unix_timestamp() / 60, datetime!(2026-11-01 0:00 UTC).unix_timestamp() / 60);
    write(&app, vec![tally(&mara, own, "GET /", Outcome::Valid, before, 500), tally(&mara, own, "GET /", Outcome::Valid, since, 79)]).await;
    call(&app, &mara, own, Outcome::Valid, 1).await;
    assert_eq!((tell_of_limits(&app.ctx).await.unwrap(), tell_of_limits(&app.ctx).await.unwrap()), (1, 0));
    app.run_jobs().await;
    let mails = app.mails();
    assert_eq!(subjects(&mails), ["own has used 80 % of 100 units a month"]);
    assert!(mails[0].text.contains("QUOTA_EXCEEDED") && mails[0].text.contains("1 Dec 2026, 01:00 CET"), "{}", mails[0].text);
    assert_eq!(present_limit_notices(&app.ctx, &mara).await.unwrap().len(), 1);
    app.ctx.clock.set(datetime!(2026-12-01 0:00 UTC));
    assert!(present_limit_notices(&app.ctx, &mara).await.unwrap().is_empty(), "the month is over");
}

/// A plan of 100 calls in this window.
async fn plan(app: &TestApp, slug: &str, window: Window) {
    let limits = vec![KeyLimit::new("quota", 100, window)];
    create_plan(&app.ctx, &Caller::cli(), NewPlan { slug: slug.into(), name: slug.into(), limits, ..NewPlan::default() }).await.unwrap();
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn what_all_keys_of_a_workspace_share_is_told_once_in_each_window(db: PgPool) {
    let app = TestApp::start(db).await;
    let (mara, cli) = (mara(&app).await, Caller::cli());
    plan(&app, "shared", Window::DAY).await;
    assign_plan(&app.ctx, &cli, mara.workspace, Some("shared")).await.unwrap();
    let (a, b) = (key(&app.ctx, &mara, "a").await, key(&app.ctx, &mara, "b").await);
    let alone = limited(&app, &mara, "alone", 1_000, 86_400).await;
    // What a key with a limit of its own uses is not of it.
    call(&app, &mara, alone, Outcome::Valid, 700).await;
    call(&app, &mara, a, Outcome::Valid, 40).await;
    call(&app, &mara, b, Outcome::Valid, 39).await;
    assert_eq!(tell_of_limits(&app.ctx).await.unwrap(), 0);
    call(&app, &mara, b, Outcome::Valid, 1).await;
    assert_eq!((tell_of_limits(&app.ctx).await.unwrap(), tell_of_limits(&app.ctx).await.unwrap()), (1, 0));
    app.run_jobs().await;
    let mails = app.mails();
    assert_eq!(subjects(&mails), ["All keys together have used 80 % of 100 units a day"]);
    assert!(mails[0].text.contains("80 of 100 units used") && mails[0].text.contains("/usage?range=24h"), "{}", mails[0].text);
    let present = present_limit_notices(&app.ctx, &mara).await.unwrap();
    assert_eq!(present.iter().map(|n| (n.key, n.words.as_str())).collect::<Vec<_>>(), [(None, "All keys together have used 80 % of 100 units a day")]);

    app.ctx.clock.advance(Duration::minutes(5));
    // 100 % of it and 80 % of the key with its own, in one mail; then the workspace's own limit takes the place of its plan's.
    call(&app, &mara, a, Outcome::Valid, 20).await;
    call(&app, &mara, alone, Outcome::Valid, 100).await;
    assert_eq!(tell_of_limits(&app.ctx).await.unwrap(), 1);
    app.run_jobs().await;
    assert_eq!(subjects(&app.mails())[1..], ["2 limits are nearly used up"]);
    assert!(app.mails()[1].text.contains("also what all your keys share"), "{}", app.mails()[1].text);
    app.ctx.clock.advance(Duration::minutes(5));
    sqlx::query("insert into workspace_limits (workspace_id, name, max_calls, window_seconds) values ($1, 'hour', 120, 3600)")
        .bind(mara.workspace.uuid())
        .execute(&app.ctx.db)
        .await
        .unwrap();
    assert_eq!((tell_of_limits(&app.ctx).await.unwrap(), tell_of_limits(&app.ctx).await.unwrap()), (1, 0), "100 of 120 in this hour");
    app.run_jobs().await;
    assert_eq!(subjects(&app.mails())[2..], ["All keys together have used 80 % of 120 units an hour"]);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn credits_are_told_once_a_day_and_prepaid_ones_once_since_some_were_added(db: PgPool) {
    let app = TestApp::start(db).await;
    let mara = mara(&app).await;
    let (hourly, prepaid) = (limited(&app, &mara, "hourly", 100, 3_600).await, limited(&app, &mara, "prepaid", 50, 86_400).await);
    let db = &app.ctx.db;
    sqlx::query("update key_limits set kind = 'credits', refill = 10 where key_id = $1").bind(hourly.uuid()).execute(db).await.unwrap();
    sqlx::query("update key_limits set kind = 'credits', window_seconds = 0 where key_id = $1").bind(prepaid.uuid()).execute(db).await.unwrap();
    let bucket = async |key: KeyId, seconds: i64, used: i64| {
        let number = if seconds == 0 { 0 } else { app.ctx.clock.now().unix_timestamp() / seconds };
        sqlx::query(
            "insert into credit_buckets (holder, name, seconds, number, before, used) values ($1, 'default', $2, $3, $3, $4)
             on conflict (holder, name) do update set number = excluded.number, used = excluded.used",
        )
        .bind(key.uuid())
        .bind(i32::try_from(seconds).unwrap())
        .bind(number)
        .bind(used)
        .execute(&app.ctx.db)
        .await
        .unwrap();
    };
    for key in [hourly, prepaid] {
        call(&app, &mara, key, Outcome::Valid, 1).await;
    }
    assert_eq!(tell_of_limits(&app.ctx).await.unwrap(), 0, "nothing was drawn");
    bucket(hourly, 3_600, 80).await;
    assert_eq!((tell_of_limits(&app.ctx).await.unwrap(), tell_of_limits(&app.ctx).await.unwrap()), (1, 0));
    app.ctx.clock.advance(Duration::minutes(1));
    bucket(prepaid, 0, 50).await;
    assert_eq!((tell_of_limits(&app.ctx).await.unwrap(), tell_of_limits(&app.ctx).await.unwrap()), (1, 0));
    app.run_jobs().await;
    let expected = ["hourly has 20 % left of 100 credits, +10 every hour", "prepaid has used up 50 credits, prepaid"];
    assert_eq!(subjects(&app.mails()), expected);
    let words: Vec<String> = present_limit_notices(&app.ctx, &mara).await.unwrap().into_iter().map(|notice| notice.words).collect();
    assert_eq!(words, [expected[1], expected[0]]);

    // The next day what came back was used again; of the prepaid ones nothing is new.
    app.ctx.clock.set(T0 + Duration::days(1));
    for key in [hourly, prepaid] {
        call(&app, &mara, key, Outcome::Valid, 1).await;
    }
    assert_eq!(tell_of_limits(&app.ctx).await.unwrap(), 0, "all of the hourly ones are back");
    bucket(hourly, 3_600, 100).await;
    assert_eq!((tell_of_limits(&app.ctx).await.unwrap(), tell_of_limits(&app.ctx).await.unwrap()), (1, 0));
    app.run_jobs().await;
    assert_eq!(subjects(&app.mails())[2..], ["hourly has used up 100 credits, +10 every hour"]);

    let more = NewCredits { limit: "default".to_owned(), units: 10, ..NewCredits::default() };
    add_credits(&app.ctx, &Caller::cli(), prepaid, more).await.unwrap();
    assert_eq!(present_limit_notices(&app.ctx, &mara).await.unwrap().len(), 1, "that is over");
    assert_eq!(tell_of_limits(&app.ctx).await.unwrap(), 1, "80 % are used again since");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn credits_of_a_key_and_of_a_workspace_are_found_in_one_look(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let mara = mara(&app).await;
    let (own, one) = (limited(&app, &mara, "own", 100, 3_600).await, key(&app.ctx, &mara, "one").await);
    sqlx::query("update key_limits set kind = 'credits', refill = 10 where key_id = $1").bind(own.uuid()).execute(&db).await.unwrap();
    sqlx::query("insert into workspace_limits (workspace_id, name, max_calls, kind, window_seconds, refill) values ($1, 'pool', 50, 'credits', 0, 0)")
        .bind(mara.workspace.uuid())
        .execute(&db)
        .await
        .unwrap();
    for key in [own, one] {
        call(&app, &mara, key, Outcome::Valid, 1).await;
    }
    assert_eq!(tell_of_limits(&app.ctx).await.unwrap(), 0, "there is no bucket");
    let hours = app.ctx.clock.now().unix_timestamp() / 3_600;
    sqlx::query("insert into credit_buckets (holder, name, seconds, number, before, used) values ($1, 'default', 3600, $2, $2, 85), ($3, 'pool', 0, 0, 0, 45)")
        .bind(own.uuid())
        .bind(hours)
        .bind(mara.workspace.uuid())
        .execute(&db)
        .await
        .unwrap();
    assert_eq!((tell_of_limits(&app.ctx).await.unwrap(), tell_of_limits(&app.ctx).await.unwrap()), (1, 0));
    app.run_jobs().await;
    assert_eq!(subjects(&app.mails()), ["2 limits are nearly used up"]);
    let marked: (i64, i64) = sqlx::query_as("select (select count(*) from limit_notices where key_id = $1), (select count(*) from shared_limit_notices)")
        .bind(own.uuid())
        .fetch_one(&db)
        .await
        .unwrap();
    assert_eq!(marked, (1, 1));
}
