//! Signing in with a second factor: what the password alone opens (nothing), and what becomes of codes.

use super::{give_code, half_way, with_app};
use crate::{
    accounts::count,
    support::{
        TestApp,
        browser::{PASSWORD, location},
        mailbox::link,
    },
};
use sqlx::PgPool;
use time::Duration;
use tollgate::{
    accounts::{
        Caller, api,
        server::{Term, Visitor, ban_account, disable_account},
    },
    platform::http::reply,
};

const SESSIONS: &str = "select count(*) from sessions";

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r24_the_password_alone_opens_nothing(db: PgPool) {
    let app = TestApp::start(db).await;
    let (vera, phone) = with_app(&app, "developer").await;
    let browser = app.browser();
    let asked = browser.post::<api::SignIn>("/sign-in", &[("email", &vera.email), ("password", PASSWORD), ("next", "/keys?api=demo")]).await;
    assert_eq!(location(&asked), "/sign-in/code?next=%2Fkeys%3Fapi%3Ddemo");
    assert!(!browser.is_signed_in().await);
    assert_eq!(count(&app, SESSIONS).await, 1, "only the one that set it up");
    assert_eq!(count(&app, "select count(*) from events where kind = 'account.signed_in'").await, 1);
    let page = browser.page("/sign-in/code?next=%2Fkeys%3Fapi%3Ddemo").await;
    for words in ["inputmode=\"numeric\"", "autocomplete=\"one-time-code\"", "autocomplete=\"username\"", &vera.email, "use=recovery"] {
        assert!(page.contains(words), "{words}: {page}");
    }
    let code = phone.code(&app);
    let typed = format!("{} {}", &code[..3], &code[3..]);
    let done = browser.post::<api::SignInCode>("/sign-in/code", &[("code", &typed), ("next", "/keys?api=demo")]).await;
    assert_eq!(location(&done), "/keys?api=demo");
    assert!(browser.is_signed_in().await);
    assert_eq!(count(&app, SESSIONS).await, 2);
    assert_eq!(count(&app, "select count(*) from sessions where length(id_hash) = 32").await, 2, "R41");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn s49_r29_a_step_is_accepted_once(db: PgPool) {
    let app = TestApp::start(db).await;
    let (vera, phone) = with_app(&app, "developer").await;
    let code = phone.code(&app);
    assert_eq!(location(&give_code(&half_way(&app, &vera.email).await, &code).await), "/home");
    let again = give_code(&half_way(&app, &vera.email).await, &code).await;
    assert_eq!(again.status(), 422);
    assert!(!again.text().await.unwrap().contains(&code), "codes do not come back");
    assert_eq!(give_code(&half_way(&app, &vera.email).await, &phone.code_at(&app, -1)).await.status(), 422, "nor an earlier step after a later one");
    app.ctx.clock.advance(Duration::seconds(30));
    assert_eq!(location(&give_code(&half_way(&app, &vera.email).await, &phone.code(&app)).await), "/home");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn s50_the_same_code_at_once_in_two_browsers_makes_one_session(db: PgPool) {
    let app = TestApp::start(db).await;
    let (vera, phone) = with_app(&app, "developer").await;
    let (one, two) = (half_way(&app, &vera.email).await, half_way(&app, &vera.email).await);
    let code = phone.code(&app);
    let (a, b) = tokio::join!(give_code(&one, &code), give_code(&two, &code));
    let mut statuses = [a.status().as_u16(), b.status().as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [303, 422]);
    assert_eq!(count(&app, SESSIONS).await, 2);

    // And twice in one browser: the second finds the sign-in done.
    app.ctx.clock.advance(Duration::seconds(30));
    let (browser, code) = (half_way(&app, &vera.email).await, phone.code(&app));
    let (a, b) = tokio::join!(give_code(&browser, &code), give_code(&browser, &code));
    let mut to = [location(&a).to_owned(), location(&b).to_owned()];
    to.sort();
    assert_eq!(to, ["/home", "/sign-in"]);
    assert_eq!(count(&app, SESSIONS).await, 3);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn s51_parallel_guesses_do_not_exceed_the_cap(db: PgPool) {
    let app = TestApp::start(db).await;
    let (vera, phone) = with_app(&app, "developer").await;
    let (browser, wrong) = (half_way(&app, &vera.email).await, phone.wrong(&app));
    let tries = (0..12).map(|_| give_code(&browser, &wrong));
    let statuses: Vec<u16> = futures_util::future::join_all(tries).await.iter().map(|answer| answer.status().as_u16()).collect();
    assert_eq!(statuses.iter().filter(|s| **s == 422).count(), 3, "{statuses:?}");
    assert_eq!(statuses.iter().filter(|s| **s == 429).count(), 9, "{statuses:?}");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn s52_r19_wrong_passwords_and_wrong_codes_count_together(db: PgPool) {
    let app = TestApp::start(db).await;
    let (vera, phone) = with_app(&app, "developer").await;
    for _ in 0..2 {
        assert_eq!(app.browser().sign_in(&vera.email, "the wrong lighthouse keeper").await.status(), 422);
    }
    let browser = half_way(&app, &vera.email).await;
    let mut said = give_code(&browser, &phone.wrong(&app)).await.text().await.unwrap();
    assert!(said.contains("Wait 1 second"), "the third failure, whatever it was: {said}");
    assert_eq!(give_code(&browser, &phone.code(&app)).await.status(), 429, "the right code is not even looked at");
    app.ctx.clock.advance(Duration::seconds(1));
    // The right password wipes nothing: who knows it must not guess codes for ever.
    let other = half_way(&app, &vera.email).await;
    said = super::give_recovery_code(&other, "AAAA-AAAA-AAAA-AAAA").await.text().await.unwrap();
    assert!(said.contains("Wait 2 seconds"), "{said}");
    app.ctx.clock.advance(Duration::seconds(30));
    assert_eq!(location(&give_code(&browser, &phone.code(&app)).await), "/home");
    assert_eq!(count(&app, "select count(*) from attempt_counters where bucket like 'sign_in:id:%'").await, 0, "reset on success");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn s53_a_failure_of_ours_spends_neither_a_try_nor_the_code(db: PgPool) {
    let app = TestApp::start(db).await;
    let (vera, phone) = with_app(&app, "developer").await;
    let browser = half_way(&app, &vera.email).await;
    sqlx::raw_sql(
        "create function no() returns trigger language plpgsql as $$ begin raise exception 'no'; end $$;
        create trigger no before insert on events for each row execute function no()",
    )
    .execute(&app.ctx.db)
    .await
    .unwrap();
    for _ in 0..5 {
        assert_eq!(give_code(&browser, &phone.code(&app)).await.status(), 500);
    }
    assert_eq!(count(&app, "select coalesce(sum(failures), 0)::bigint from attempt_counters where bucket like 'sign_in:%'").await, 0);
    sqlx::raw_sql("drop trigger no on events").execute(&app.ctx.db).await.unwrap();
    assert_eq!(location(&give_code(&browser, &phone.code(&app)).await), "/home");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn s54_what_waits_for_the_code_signs_in_once_and_does_nothing_else(db: PgPool) {
    let app = TestApp::start(db).await;
    let (vera, phone) = with_app(&app, "developer").await;
    let browser = app.browser();
    let asked = browser.sign_in(&vera.email, PASSWORD).await;
    let cookies = asked.headers().get_all("set-cookie").iter().map(|c| c.to_str().unwrap().split(';').next().unwrap()).collect::<Vec<_>>();
    let kept = cookies.iter().find(|c| c.starts_with(&reply::full_name(&app.ctx, "second"))).unwrap().to_string();
    let bare = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let post = |page: &str, form: Vec<(&'static str, String)>| {
        bare.post(app.url(page)).header("sec-fetch-site", "same-origin").header("cookie", kept.clone()).form(&form).send()
    };
    let remove = vec![("_fn", "/fn/tollgate/accounts/api/factors/remove_totp".to_owned())];
    assert!(location(&post("/settings/security", remove).await.unwrap()).starts_with("/sign-in?next="));
    assert_eq!(location(&give_code(&browser, &phone.code(&app)).await), "/home");
    app.ctx.clock.advance(Duration::seconds(30));
    let replay = vec![("_fn", "/fn/tollgate/accounts/api/signing_in/sign_in_code".to_owned()), ("code", phone.code(&app))];
    assert_eq!(location(&post("/sign-in/code", replay).await.unwrap()), "/sign-in");
    assert_eq!(count(&app, SESSIONS).await, 2);
    assert_eq!(count(&app, "select count(*) from totp_factors").await, 1);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn s55_after_ten_minutes_the_right_code_is_too_late(db: PgPool) {
    let app = TestApp::start(db).await;
    let (vera, phone) = with_app(&app, "developer").await;
    let browser = half_way(&app, &vera.email).await;
    app.ctx.clock.advance(Duration::minutes(10));
    assert_eq!(location(&give_code(&browser, &phone.code(&app)).await), "/sign-in");
    assert!(browser.page("/sign-in").await.contains("Sign in again."));
    assert_eq!(location(&give_code(&app.browser(), &phone.code(&app)).await), "/sign-in", "no other browser can take it up");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn s63_r30_a_code_may_be_one_step_old_and_never_early(db: PgPool) {
    let app = TestApp::start(db).await;
    let (vera, phone) = with_app(&app, "developer").await;
    app.ctx.clock.advance(Duration::minutes(1));
    for steps in [-2, 1] {
        assert_eq!(give_code(&half_way(&app, &vera.email).await, &phone.code_at(&app, steps)).await.status(), 422, "{steps}");
    }
    app.ctx.clock.advance(Duration::seconds(30));
    assert_eq!(location(&give_code(&half_way(&app, &vera.email).await, &phone.code_at(&app, -1)).await), "/home");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn s62_s74_r34_a_new_password_does_not_bypass_the_code_and_ends_what_waits(db: PgPool) {
    let app = TestApp::start(db).await;
    let (vera, phone) = with_app(&app, "developer").await;
    let waiting = half_way(&app, &vera.email).await;
    let browser = app.browser();
    browser.post::<api::ForgotPassword>("/forgot-password", &[("email", &vera.email)]).await;
    let mail = app.mail_to(&vera.email).await;
    browser.get(link(&mail, "/reset-password")).await;
    let new = "another quiet harbour";
    assert_eq!(location(&browser.post::<api::ResetPassword>("/reset-password", &[("new_password", new)]).await), "/sign-in");
    assert_eq!(location(&give_code(&waiting, &phone.code(&app)).await), "/sign-in", "R24: dead with the old password");
    assert_eq!(location(&browser.sign_in(&vera.email, new).await), "/sign-in/code", "S74: still asked");
    assert!(!browser.is_signed_in().await);
    assert_eq!(location(&give_code(&browser, &phone.code(&app)).await), "/home");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r18_a_disabled_account_is_told_so_after_the_code_only(db: PgPool) {
    let app = TestApp::start(db).await;
    let (vera, phone) = with_app(&app, "developer").await;
    let from = Visitor { address: "127.0.0.1".parse().unwrap(), device: String::new() };
    disable_account(&app.ctx, &Caller::cli(), &from, vera.account, "Sent spam").await.unwrap();
    let browser = half_way(&app, &vera.email).await;
    let wrong = give_code(&browser, &phone.wrong(&app)).await.text().await.unwrap();
    assert!(!wrong.contains("is disabled") && !wrong.contains("Sent spam"));
    let refused = give_code(&browser, &phone.code(&app)).await;
    assert_eq!(refused.status(), 409);
    assert!(refused.text().await.unwrap().contains("This account is disabled: Sent spam."));
    assert_eq!(count(&app, SESSIONS).await, 0);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn s33_a_ban_ends_what_waits_and_is_told_after_the_code_only(db: PgPool) {
    let app = TestApp::start(db).await;
    let (vera, phone) = with_app(&app, "developer").await;
    let waiting = half_way(&app, &vera.email).await;
    let term = Term { reason: "Sent spam", until: None };
    ban_account(&app.ctx, &Caller::cli(), &Visitor::terminal(), vera.account, term).await.unwrap();
    assert_eq!(location(&give_code(&waiting, &phone.code(&app)).await), "/sign-in");
    let browser = half_way(&app, &vera.email).await;
    assert!(!give_code(&browser, &phone.wrong(&app)).await.text().await.unwrap().contains("banned"));
    let refused = give_code(&browser, &phone.code(&app)).await;
    assert_eq!(refused.status(), 403);
    assert!(refused.text().await.unwrap().contains("This account is banned: Sent spam."));
    assert_eq!(count(&app, SESSIONS).await, 0);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn s85_an_account_that_was_left_is_offered_back_after_the_code_only(db: PgPool) {
    let app = TestApp::start(db).await;
    let (vera, phone) = with_app(&app, "developer").await;
    assert_eq!(location(&vera.browser.post::<api::Deactivate>("/settings/danger", &[]).await), "/sign-in");
    let browser = half_way(&app, &vera.email).await;
    assert!(browser.page("/come-back").await.contains("This link does not work"), "the password alone brings nothing back");
    assert_eq!(location(&give_code(&browser, &phone.code(&app)).await), "/come-back");
    assert_eq!(count(&app, SESSIONS).await, 0);
    assert_eq!(location(&browser.post::<api::ComeBack>("/come-back", &[]).await), "/sign-in");
    app.ctx.clock.advance(Duration::seconds(30));
    assert_eq!(location(&browser.sign_in(&vera.email, PASSWORD).await), "/sign-in/code", "the way back is no way around the code");
    assert_eq!(location(&give_code(&browser, &phone.code(&app)).await), "/home");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r20_a_browser_that_came_in_with_a_code_is_known_and_counts_for_itself(db: PgPool) {
    let app = TestApp::start(db).await;
    let (vera, phone) = with_app(&app, "developer").await;
    let browser = half_way(&app, &vera.email).await;
    assert_eq!(count(&app, "select count(*) from known_devices").await, 1, "not before the code");
    assert_eq!(location(&give_code(&browser, &phone.code(&app)).await), "/home");
    assert_eq!(count(&app, "select count(*) from known_devices").await, 2);
    browser.post::<api::SignOut>("/sign-out", &[]).await;
    for _ in 0..3 {
        assert_eq!(app.browser().sign_in(&vera.email, "the wrong lighthouse keeper").await.status(), 422);
    }
    assert_eq!(app.browser().sign_in(&vera.email, PASSWORD).await.status(), 429, "strangers wait");
    assert_eq!(location(&browser.sign_in(&vera.email, PASSWORD).await), "/sign-in/code");
    let failures = async |rule: &str| {
        let sum = "select coalesce(sum(failures), 0)::bigint from attempt_counters where starts_with(bucket, $1)";
        sqlx::query_scalar::<_, i64>(sum).bind(rule).fetch_one(&app.ctx.db).await.unwrap()
    };
    assert_eq!(give_code(&browser, &phone.wrong(&app)).await.status(), 422);
    assert_eq!((failures("sign_in:dev:").await, failures("sign_in:id:").await), (1, 3));
    app.ctx.clock.advance(Duration::seconds(30));
    assert_eq!(location(&give_code(&browser, &phone.code(&app)).await), "/home");
    assert_eq!((failures("sign_in:dev:").await, failures("sign_in:id:").await), (0, 3), "what strangers did stays counted");
}
