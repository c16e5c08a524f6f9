//! Guessing: strangers who guess do not shut the owner out, the owner is told once, and there are three ways to end the wait.

use super::count;
use crate::support::{
    TestApp,
    browser::{PASSWORD, location},
    mailbox::link,
    until,
};
use sqlx::PgPool;
use time::Duration;
use tollgate::{
    accounts::{
        Caller, Via, api,
        server::{Passwords, Visitor, change_password, jobs::ForgetExpired, leaving, unlock_account},
    },
    admin::api as admin,
    error::AppError,
    platform::jobs::Job,
    values::NotNow,
};

const WRONG: &str = "not the right one at all";

/// Wrong passwords from somewhere else until the next one waits longer than a minute.
async fn guess(app: &TestApp, email: &str) {
    // What the network address did before is forgotten.
    app.ctx.clock.advance(Duration::hours(2));
    for _ in 0..9 {
        assert_eq!(app.browser().sign_in(email, WRONG).await.status(), 422);
        app.ctx.clock.advance(Duration::seconds(40));
    }
    assert_eq!(app.browser().sign_in(email, PASSWORD).await.status(), 429, "locked");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r20_strangers_who_guess_do_not_shut_the_owner_out(db: PgPool) {
    let app = TestApp::start(db).await;
    let vera = app.sign_in_as("developer").await;
    vera.browser.post::<api::SignOut>("/sign-out", &[]).await;
    guess(&app, &vera.email).await;
    let runs = || Passwords::of(&app.ctx).unwrap().runs();
    assert_eq!(location(&vera.browser.sign_in(&vera.email, PASSWORD).await), "/home", "her own browser counts for itself");
    assert_eq!(app.browser().sign_in(&vera.email, PASSWORD).await.status(), 429, "the strangers wait on");

    // It is slowed down too, for itself alone, and its failures slow nobody else.
    vera.browser.post::<api::SignOut>("/sign-out", &[]).await;
    for _ in 0..3 {
        assert_eq!(vera.browser.sign_in(&vera.email, WRONG).await.status(), 422);
    }
    let before = runs();
    assert_eq!(vera.browser.sign_in(&vera.email, PASSWORD).await.status(), 429);
    assert_eq!(runs() - before, 1, "R18: a dummy is hashed, the password is not looked at");
    assert_eq!(count(&app, "select count(*) from attempt_counters where bucket like 'sign_in:dev:%'").await, 1);
    app.ctx.clock.advance(Duration::seconds(1));
    assert_eq!(location(&vera.browser.sign_in(&vera.email, PASSWORD).await), "/home");
    assert_eq!(count(&app, "select count(*) from attempt_counters where bucket like 'sign_in:dev:%'").await, 0, "reset on success");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r20_a_device_is_known_to_its_own_account_only_and_can_not_be_forged(db: PgPool) {
    let app = TestApp::start(db).await;
    let (vera, mallory) = (app.sign_in_as("developer").await, app.sign_in_as("developer").await);
    mallory.browser.post::<api::SignOut>("/sign-out", &[]).await;
    guess(&app, &vera.email).await;
    assert_eq!(mallory.browser.sign_in(&vera.email, PASSWORD).await.status(), 429);
    let device: uuid::Uuid =
        sqlx::query_scalar("select id from known_devices where account_id = $1").bind(vera.account.uuid()).fetch_one(&app.ctx.db).await.unwrap();
    let forged = format!("dev={}", tollgate::values::DeviceId::new(device));
    let form = [("_fn", "/fn/tollgate/accounts/api/signing_in/sign_in"), ("email", vera.email.as_str()), ("password", PASSWORD)];
    let bare = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let answer = bare.post(app.url("/sign-in")).header("sec-fetch-site", "same-origin").header("cookie", forged).form(&form).send().await.unwrap();
    assert_eq!(answer.status(), 429, "an id without our seal is nothing");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn f02_a_lock_is_told_once_and_ended_by_its_link_by_an_operator_or_by_a_new_password(db: PgPool) {
    let app = TestApp::start(db).await;
    let operator = app.sign_in_as("operator").await;
    let vera = app.account("vera@example.com", "Vera", "developer").await;
    let came_in = async || app.browser().sign_in("vera@example.com", PASSWORD).await.status();
    let locks = || count(&app, "select count(*) from account_locks");

    guess(&app, "vera@example.com").await;
    let mail = app.mail_to("vera@example.com").await;
    assert_eq!(mail.subject, "Somebody is guessing your password");
    app.ctx.clock.advance(Duration::minutes(15));
    app.browser().sign_in("vera@example.com", WRONG).await;
    app.run_jobs().await;
    assert_eq!(app.mails().len(), 1, "one mail for one lock");
    let page = format!("/admin/accounts/{vera}");
    assert!(operator.browser.page(&page).await.contains("Locked until"));
    assert!(operator.browser.page("/admin/accounts?status=locked").await.contains("<span>vera@example.com"));

    // R53: opening the link does nothing, its button ends the wait, once.
    let owner = app.browser();
    assert_eq!(location(&owner.get(link(&mail, "/unlock?token=")).await), "/unlock");
    assert!(owner.page("/unlock").await.contains("End the wait"));
    assert_eq!((came_in().await.as_u16(), locks().await), (429, 1));
    assert_eq!(location(&owner.post::<api::Unlock>("/unlock", &[]).await), "/sign-in");
    assert_eq!((came_in().await.as_u16(), locks().await), (303, 0));
    owner.get(link(&mail, "/unlock?token=")).await;
    assert_eq!(owner.post::<api::Unlock>("/unlock", &[]).await.status(), 422, "it has done its work");

    guess(&app, "vera@example.com").await;
    app.run_jobs().await;
    assert_eq!(locks().await, 1);
    for _ in 0..2 {
        assert_eq!(location(&operator.browser.post::<admin::UnlockAccount>(&page, &[("id", &vera.to_string())]).await), page);
    }
    assert_eq!((came_in().await.as_u16(), locks().await), (303, 0));
    let unlocked = count(&app, "select count(*) from events where kind = 'account.unlocked'").await;
    assert_eq!(unlocked, 2, "by the link and by the operator; pressed twice it is done once");

    guess(&app, "vera@example.com").await;
    app.run_jobs().await;
    app.browser().post::<api::ForgotPassword>("/forgot-password", &[("email", "vera@example.com")]).await;
    let mail = app.mail_to("vera@example.com").await;
    owner.get(link(&mail, "/reset-password")).await;
    let new = "gate keeper sings at noon";
    assert_eq!(location(&owner.post::<api::ResetPassword>("/reset-password", &[("new_password", new)]).await), "/sign-in");
    assert_eq!(locks().await, 0);
    assert_eq!(location(&app.browser().sign_in("vera@example.com", new).await), "/home");
    unlock_account(&app.ctx, &Caller::cli(), &Visitor::terminal(), vera).await.unwrap();
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r16_a_lock_costs_an_unknown_address_the_same_work(db: PgPool) {
    let app = TestApp::start(db).await;
    app.account("vera@example.com", "Vera", "developer").await;
    for email in ["vera@example.com", "nobody@example.com"] {
        let before = count(&app, "select count(*) from jobs").await;
        guess(&app, email).await;
        assert_eq!(count(&app, "select count(*) from jobs").await - before, 1, "{email}");
        // A lock is written down while it lasts: before the clock goes on.
        app.run_jobs().await;
    }
    assert_eq!((app.mails().len(), count(&app, "select count(*) from account_locks").await), (1, 1));
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn f02_a_lock_that_outlives_its_link_is_told_again(db: PgPool) {
    let app = TestApp::start(db).await;
    app.account("vera@example.com", "Vera", "developer").await;
    guess(&app, "vera@example.com").await;
    let first = app.mail_to("vera@example.com").await;
    app.ctx.clock.advance(Duration::hours(24));
    assert_eq!(app.browser().sign_in("vera@example.com", WRONG).await.status(), 422);
    let second = app.mail_to("vera@example.com").await;
    assert_ne!(link(&first, "/unlock?token="), link(&second, "/unlock?token="));
    app.ctx.clock.advance(Duration::minutes(15));
    app.browser().sign_in("vera@example.com", WRONG).await;
    app.run_jobs().await;
    assert_eq!(app.mails().len(), 2, "one mail for one link");
    let owner = app.browser();
    owner.get(link(&second, "/unlock?token=")).await;
    assert_eq!(location(&owner.post::<api::Unlock>("/unlock", &[]).await), "/sign-in");
    assert_eq!(count(&app, "select count(*) from account_locks").await, 0);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r19_r50_guesses_by_a_key_keep_nobody_waiting_who_is_signed_in(db: PgPool) {
    let app = TestApp::start(db).await;
    let vera = app.account("vera@example.com", "Vera", "developer").await;
    let signed_in = app.caller_in_a_browser(vera).await;
    let by_key = Caller { via: Via::Key(app.ctx.new_id()), ..signed_in.clone() };
    let ask =
        async |caller: &Caller, password: &str| leaving::ask_deletion(&app.ctx, caller, &Visitor::terminal(), "vera@example.com", Some(&password.into())).await;
    for _ in 0..5 {
        assert!(ask(&by_key, WRONG).await.unwrap_err().field("current_password").is_some());
    }
    let refused = ask(&by_key, PASSWORD).await;
    assert!(matches!(refused, Err(AppError::RateLimited { .. })), "{refused:?}");
    ask(&signed_in, PASSWORD).await.unwrap();
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn s44_a_guess_that_a_busy_hasher_did_not_look_at_does_not_count(db: PgPool) {
    // Slow enough for a queue to stand while a few queries run.
    let slow = |config: &mut tollgate::platform::config::Config| {
        (config.auth.argon2_parallel, config.auth.argon2_memory_kib, config.auth.argon2_passes) = (1, 32_768, 4);
    };
    let app = TestApp::start_with(db, slow).await;
    let vera = app.account("vera@example.com", "Vera", "developer").await;
    let caller = app.caller_in_a_browser(vera).await;
    let hasher = Passwords::of(&app.ctx).unwrap();
    let crowd: Vec<tokio::task::JoinHandle<()>> = (0..40)
        .map(|_| {
            let hasher = std::sync::Arc::clone(&hasher);
            tokio::spawn(async move {
                loop {
                    if hasher.verify(None, &"x".into()).await.is_err() {
                        tokio::time::sleep(std::time::Duration::from_micros(100)).await;
                    }
                }
            })
        })
        .collect();
    // A question that finds a place would wait for its turn behind all of them: it is asked again.
    let moment = std::time::Duration::from_millis(20);
    let is_full = || async { matches!(tokio::time::timeout(moment, hasher.verify(None, &"x".into())).await, Ok(Err(_))) };
    until("the queue is full", is_full).await;
    let deleted = leaving::ask_deletion(&app.ctx, &caller, &Visitor::terminal(), "vera@example.com", Some(&PASSWORD.into())).await;
    let changed = change_password(&app.ctx, &caller, &Visitor::terminal(), &PASSWORD.into(), &"gate keeper sings at noon".into()).await;
    crowd.iter().for_each(tokio::task::JoinHandle::abort);
    assert!(matches!(deleted, Err(AppError::NotNow { why: NotNow::Overloaded, .. })), "{deleted:?}");
    assert!(matches!(changed, Err(AppError::NotNow { why: NotNow::Overloaded, .. })), "{changed:?}");
    assert_eq!(count(&app, "select count(*) from attempt_counters where failures > 0").await, 0);
}

/// Wrong passwords from somewhere else until none is looked at any more; says how many were.
async fn try_a_hundred_times(app: &TestApp, email: &str) -> u32 {
    let guesser = app.browser();
    for tries in 0..200 {
        // Past every wait, of the address and of the network.
        app.ctx.clock.advance(Duration::hours(2));
        let answer = guesser.sign_in(email, WRONG).await;
        assert_eq!(answer.status(), 422, "{tries}");
        if tries >= 100 || answer.text().await.unwrap().contains("tried no more") {
            return tries + 1;
        }
    }
    panic!("never stopped");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r19_after_a_hundred_failures_only_a_new_password_helps_and_the_owner_is_not_shut_out(db: PgPool) {
    let app = TestApp::start(db).await;
    let operator = app.sign_in_as("operator").await;
    let vera = app.sign_in_as("developer").await;
    vera.browser.post::<api::SignOut>("/sign-out", &[]).await;
    assert_eq!(try_a_hundred_times(&app, &vera.email).await, 100);
    app.run_jobs().await;
    let told: Vec<_> = app.mails().into_iter().filter(|mail| mail.subject == "Your password has to be replaced").collect();
    assert_eq!(told.len(), 1, "once");

    let runs = || Passwords::of(&app.ctx).unwrap().runs();
    let before = runs();
    let stranger = app.browser().sign_in(&vera.email, PASSWORD).await;
    assert_eq!((stranger.status().as_u16(), runs() - before), (422, 1), "the right one is not looked at; a dummy is hashed");
    assert!(stranger.text().await.unwrap().contains("tried no more"));
    app.ctx.clock.advance(Duration::days(300));
    assert_eq!(app.browser().sign_in(&vera.email, PASSWORD).await.status(), 422, "no time ends it");

    // The owner's own browser, and an open session, go on.
    assert_eq!(location(&vera.browser.sign_in(&vera.email, PASSWORD).await), "/home");
    assert_eq!(app.browser().sign_in(&vera.email, PASSWORD).await.status(), 422, "that does not open it to strangers");

    // An operator does not end it.
    operator.browser.sign_in(&operator.email, PASSWORD).await;
    let page = operator.browser.page(&format!("/admin/accounts/{}", vera.account)).await;
    assert!(page.contains("Password stopped.") && !page.contains(">Unlock<"), "{page}");
    let refused = unlock_account(&app.ctx, &Caller::cli(), &Visitor::terminal(), vera.account).await;
    assert!(matches!(refused, Err(AppError::Conflict { .. })), "{refused:?}");

    // A new password does.
    app.browser().post::<api::ForgotPassword>("/forgot-password", &[("email", &vera.email)]).await;
    let mail = app.mail_to(&vera.email).await;
    let owner = app.browser();
    owner.get(link(&mail, "/reset-password?token=")).await;
    let new = "gate keeper sings at noon";
    assert_eq!(location(&owner.post::<api::ResetPassword>("/reset-password", &[("new_password", new)]).await), "/sign-in");
    assert_eq!(location(&app.browser().sign_in(&vera.email, new).await), "/home");
    assert_eq!(count(&app, "select count(*) from account_locks").await, 0);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r15_r19_an_address_that_nobody_has_stops_alike(db: PgPool) {
    let app = TestApp::start(db).await;
    assert_eq!(try_a_hundred_times(&app, "nobody@example.com").await, 100);
    let answer = app.browser().sign_in("nobody@example.com", WRONG).await;
    assert_eq!(answer.status(), 422);
    assert!(answer.text().await.unwrap().contains("tried no more"));
    app.run_jobs().await;
    assert_eq!(app.mails().len(), 0);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r19_three_failures_in_a_row_are_remembered_for_a_year_and_one_is_not(db: PgPool) {
    let app = TestApp::start(db).await;
    for (email, tries) in [("one@example.com", 1), ("three@example.com", 3)] {
        for _ in 0..tries {
            app.browser().sign_in(email, WRONG).await;
            app.ctx.clock.advance(Duration::minutes(1));
        }
    }
    let left = async || count(&app, "select count(*) from attempt_counters where bucket like 'sign_in:id:%'").await;
    for (days, expected) in [(9, 1), (380, 1), (30, 0)] {
        app.ctx.clock.advance(Duration::days(days));
        ForgetExpired::default().run(&app.ctx).await.unwrap();
        assert_eq!(left().await, expected, "after {days} more days");
    }
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r19_a_browser_of_the_owner_stops_for_itself_and_a_new_password_opens_it(db: PgPool) {
    let app = TestApp::start(db).await;
    let vera = app.sign_in_as("developer").await;
    vera.browser.post::<api::SignOut>("/sign-out", &[]).await;
    for _ in 0..100 {
        app.ctx.clock.advance(Duration::hours(2));
        assert_eq!(vera.browser.sign_in(&vera.email, WRONG).await.status(), 422);
    }
    app.ctx.clock.advance(Duration::hours(2));
    assert_eq!(vera.browser.sign_in(&vera.email, PASSWORD).await.status(), 422, "tried no more in this browser");
    assert_eq!(location(&app.browser().sign_in(&vera.email, PASSWORD).await), "/home", "nobody guessed elsewhere");
    app.run_jobs().await;
    vera.browser.post::<api::ForgotPassword>("/forgot-password", &[("email", &vera.email)]).await;
    let mail = app.mail_to(&vera.email).await;
    vera.browser.get(link(&mail, "/reset-password?token=")).await;
    let new = "gate keeper sings at noon";
    vera.browser.post::<api::ResetPassword>("/reset-password", &[("new_password", new)]).await;
    assert_eq!(location(&vera.browser.sign_in(&vera.email, new).await), "/home");
}
