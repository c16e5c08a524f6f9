//! Signing in with a passkey alone.

use super::{SESSIONS, SoftKey, ask, give, key_for, sign_in, start, with_passkey};
use crate::{
    accounts::{count, flat, mail_about},
    support::{
        browser::{PASSWORD, location},
        until,
    },
};
use futures_util::future::join_all;
use sqlx::PgPool;
use time::Duration;
use tollgate::accounts::{
    Caller, api,
    server::{Term, Visitor, ban_account, disable_account},
};

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r37_a_passkey_signs_in_alone_and_nobody_types_an_address(db: PgPool) {
    let app = start(db).await;
    let (vera, mut key) = with_passkey(&app, "developer").await;
    let browser = app.browser();
    let page = browser.page("/sign-in").await;
    for words in ["/passkeys.js", "Sign in with a passkey", "data-passkey-part", "data-suggests", "username webauthn"] {
        assert!(page.contains(words), "{words}: {page}");
    }
    let options = ask(&browser, "sign_in").await;
    assert_eq!(options["userVerification"], "required");
    assert_eq!(options["rpId"], "localhost");
    assert_eq!(options["allowCredentials"].as_array().map_or(0, Vec::len), 0, "the authenticator finds it");
    let bytes = data_encoding::BASE64URL_NOPAD.decode(options["challenge"].as_str().unwrap().as_bytes()).unwrap();
    assert!(bytes.len() >= 16, "R36");
    let answer = key.prove(&options);
    let done = browser.post::<api::SignInWithPasskey>("/sign-in", &[("credential", &answer), ("next", "/keys?api=demo")]).await;
    assert_eq!(location(&done), "/keys?api=demo");
    assert!(browser.is_signed_in().await);
    assert_eq!(count(&app, "select count(*) from sessions where length(id_hash) = 32").await, 2, "R41");
    assert_eq!(count(&app, "select count(*) from passkeys where last_used_at is not null").await, 1);
    assert!(browser.page("/settings/sessions").await.contains("This device"));
    let events = "select count(*) from events where kind = 'account.signed_in' and subject_id = $1";
    let events: i64 = sqlx::query_scalar(events).bind(vera.account.uuid()).fetch_one(&app.ctx.db).await.unwrap();
    assert_eq!(events, 2);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r36_s60_a_question_is_answered_once_by_its_browser_and_for_signing_in(db: PgPool) {
    let app = start(db).await;
    let (vera, mut key) = with_passkey(&app, "developer").await;
    let (browser, other) = (app.browser(), app.browser());
    let answer = key.prove(&ask(&browser, "sign_in").await);
    assert_eq!(give(&other, &answer).await.status(), 422, "another browser");
    ask(&other, "sign_in").await;
    assert_eq!(give(&other, &answer).await.status(), 422, "even one that has asked itself");
    let (one, two) = tokio::join!(give(&browser, &answer), give(&browser, &answer));
    let mut statuses = [one.status().as_u16(), two.status().as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [303, 422], "S50: sent twice at once");
    assert_eq!(count(&app, SESSIONS).await, 2);
    assert_eq!(give(&browser, &answer).await.status(), 422, "a replay");

    let mut options = ask(&other, "sign_in").await;
    app.ctx.clock.advance(Duration::minutes(5));
    assert_eq!(give(&other, &key.prove(&options)).await.status(), 422, "five minutes are over");
    options["challenge"] = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA".into();
    assert_eq!(give(&other, &key.prove(&options)).await.status(), 422, "nobody asked this");
    options["challenge"] = ask(&vera.browser, "step_up").await["challenge"].clone();
    assert_eq!(give(&vera.browser, &key.prove(&options)).await.status(), 422, "asked for something else");
    assert_eq!(location(&sign_in(&other, &mut key).await), "/home");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r37_what_is_not_signed_here_by_somebody_verified_for_this_account_is_refused(db: PgPool) {
    let app = start(db).await;
    let (_, mut key) = with_passkey(&app, "developer").await;
    let (_, theirs) = with_passkey(&app, "developer").await;
    let handle = key.handle.clone();
    let mut refused = async |what: &str, change: &dyn Fn(&mut SoftKey), back: &dyn Fn(&mut SoftKey)| {
        change(&mut key);
        let answer = sign_in(&app.browser(), &mut key).await;
        assert_eq!(answer.status(), 422, "{what}");
        assert!(answer.text().await.unwrap().contains("This passkey was not accepted"), "{what}");
        back(&mut key);
    };
    let here = app.ctx.config.origin();
    refused("another origin", &|key| key.origin = "https://tollgate.example".to_owned(), &|key| key.origin.clone_from(&here)).await;
    refused("another port", &|key| key.origin = "http://localhost:1".to_owned(), &|key| key.origin.clone_from(&here)).await;
    refused("another site", &|key| key.site = Some("tollgate.example".to_owned()), &|key| key.site = None).await;
    refused("nobody was verified", &|key| key.is_verified = false, &|key| key.is_verified = true).await;
    refused("another type", &|key| key.says = "webauthn.create", &|key| key.says = "webauthn.get").await;
    refused("no account named", &|key| key.handle = None, &|key| key.handle.clone_from(&handle)).await;
    refused("another account named", &|key| key.handle.clone_from(&theirs.handle), &|key| key.handle.clone_from(&handle)).await;
    let mut forged = key_for(&app);
    (forged.id, forged.handle) = (key.id.clone(), key.handle.clone());
    assert_eq!(sign_in(&app.browser(), &mut forged).await.status(), 422, "another key");
    for nothing in ["", "-", "{}", "[]"] {
        assert_eq!(give(&app.browser(), nothing).await.status(), 422, "{nothing}");
    }
    assert_eq!(count(&app, SESSIONS).await, 2, "nobody came in");
    app.ctx.clock.advance(Duration::hours(1));
    assert_eq!(location(&sign_in(&app.browser(), &mut key).await), "/home");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn s59_r40_r28_the_door_is_the_same_as_for_a_password(db: PgPool) {
    let app = start(db).await;
    let (banned, mut of_banned) = with_passkey(&app, "developer").await;
    let (disabled, mut of_disabled) = with_passkey(&app, "developer").await;
    let (left, mut of_left) = with_passkey(&app, "developer").await;
    let term = Term { reason: "Sent spam", until: None };
    ban_account(&app.ctx, &Caller::cli(), &Visitor::terminal(), banned.account, term).await.unwrap();
    disable_account(&app.ctx, &Caller::cli(), &Visitor::terminal(), disabled.account, "Left the company").await.unwrap();
    assert_eq!(location(&left.browser.post::<api::Deactivate>("/settings/danger", &[]).await), "/sign-in");

    let refused = sign_in(&app.browser(), &mut of_banned).await;
    assert_eq!(refused.status(), 403);
    assert!(refused.text().await.unwrap().contains("This account is banned: Sent spam."));
    let refused = sign_in(&app.browser(), &mut of_disabled).await;
    assert_eq!(refused.status(), 409);
    assert!(refused.text().await.unwrap().contains("This account is disabled: Left the company."));
    of_disabled.is_verified = false;
    assert!(!sign_in(&app.browser(), &mut of_disabled).await.text().await.unwrap().contains("This account is"), "R18: who proved nothing is told nothing");
    let back = app.browser();
    assert_eq!(location(&sign_in(&back, &mut of_left).await), "/come-back");
    assert_eq!(count(&app, SESSIONS).await, 0);
    back.post::<api::ComeBack>("/come-back", &[]).await;
    assert_eq!(location(&sign_in(&back, &mut of_left).await), "/home");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r38_a_counter_that_goes_back_is_refused_written_down_and_told(db: PgPool) {
    let app = start(db).await;
    let vera = app.sign_in_as("developer").await;
    let mut key = key_for(&app);
    (key.counts, key.counter) = (true, 5);
    super::add(&vera.browser, &mut key).await;
    assert_eq!(location(&sign_in(&app.browser(), &mut key).await), "/home");
    key.counter = 3;
    assert_eq!(sign_in(&app.browser(), &mut key).await.status(), 422, "four after six");
    assert_eq!(count(&app, "select count(*) from events where kind = 'factor.passkey_copied'").await, 1);
    let mail = mail_about(&app, &vera.email, "A passkey may have been copied").await;
    assert!(flat(&mail).contains("It was refused."), "{}", mail.text);
    key.counter = 6;
    assert_eq!(location(&sign_in(&app.browser(), &mut key).await), "/home", "seven after six");
    // Many authenticators don't count: zero after zero is no copy.
    let (_, mut quiet) = with_passkey(&app, "developer").await;
    for _ in 0..2 {
        assert_eq!(location(&sign_in(&app.browser(), &mut quiet).await), "/home");
    }
    assert_eq!(count(&app, "select count(*) from events where kind = 'factor.passkey_copied'").await, 1);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn s50_of_twenty_uses_of_one_answer_one_comes_in(db: PgPool) {
    let app = start(db).await;
    let (_, mut key) = with_passkey(&app, "developer").await;
    let browser = app.browser();
    let answer = key.prove(&ask(&browser, "sign_in").await);
    let statuses: Vec<u16> = join_all((0..20).map(|_| give(&browser, &answer))).await.iter().map(|answer| answer.status().as_u16()).collect();
    assert_eq!(statuses.iter().filter(|status| **status == 303).count(), 1, "{statuses:?}");
    assert_eq!(count(&app, SESSIONS).await, 2, "the one that added it, and this one");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r38_of_two_authenticators_with_the_same_count_one_comes_in(db: PgPool) {
    let app = start(db).await;
    let vera = app.sign_in_as("developer").await;
    let mut key = key_for(&app);
    (key.counts, key.counter) = (true, 5);
    super::add(&vera.browser, &mut key).await;
    let (owner, thief) = (app.browser(), app.browser());
    let from_owner = key.prove(&ask(&owner, "sign_in").await);
    key.counter = 5; // the copy counts from where it was made
    let from_thief = key.prove(&ask(&thief, "sign_in").await);

    // Both are compared with the counter of before: none is written until the other was looked at.
    let mut held = app.ctx.db.begin().await.unwrap();
    sqlx::query("select from passkeys for update").execute(&mut *held).await.unwrap();
    let waiting = "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";
    let release = async {
        until("both were looked at and wait", || async { count(&app, waiting).await == 2 }).await;
        held.rollback().await.unwrap();
    };
    let (one, two, ()) = tokio::join!(give(&owner, &from_owner), give(&thief, &from_thief), release);
    let mut statuses = [one.status().as_u16(), two.status().as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [303, 422]);
    assert_eq!(count(&app, SESSIONS).await, 2);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_passkey_that_was_removed_is_answered_404_and_its_authenticator_may_forget_it(db: PgPool) {
    let app = start(db).await;
    let (_, key) = with_passkey(&app, "developer").await;
    let mut stranger = key_for(&app);
    stranger.handle.clone_from(&key.handle);
    let answer = sign_in(&app.browser(), &mut stranger).await;
    assert_eq!(answer.status(), 404);
    let page = answer.text().await.unwrap();
    assert!(page.contains("data-unknown=\"{") && page.contains(&data_encoding::BASE64URL_NOPAD.encode(&stranger.id)), "{page}");
    assert_eq!(page.matches("<h1").count(), 1, "the page itself");
    assert!(page.contains("recognize that passkey") && !page.contains("There is nothing here"), "{page}");
    let wrong = app.browser();
    assert!(!give(&wrong, "-").await.text().await.unwrap().contains("data-unknown"), "only then");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r19_r20_wrong_passkeys_count_with_wrong_passwords_and_a_right_one_need_not_wait(db: PgPool) {
    let app = start(db).await;
    let (vera, mut key) = with_passkey(&app, "developer").await;
    for _ in 0..2 {
        assert_eq!(app.browser().sign_in(&vera.email, "the wrong lighthouse keeper").await.status(), 422);
    }
    key.is_verified = false;
    assert_eq!(sign_in(&app.browser(), &mut key).await.status(), 422);
    assert_eq!(app.browser().sign_in(&vera.email, PASSWORD).await.status(), 429, "the third failure, whatever it was");
    key.is_verified = true;
    assert_eq!(location(&sign_in(&app.browser(), &mut key).await), "/home", "nobody guesses a passkey");
    assert_eq!(count(&app, "select count(*) from attempt_counters where bucket like 'sign_in:id:%'").await, 0, "reset on success");
    assert_eq!(location(&app.browser().sign_in(&vera.email, PASSWORD).await), "/sign-in/code");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r21_questions_from_one_address_are_slowed_down(db: PgPool) {
    let app = start(db).await;
    let browser = app.browser();
    let ask = async || super::call::<api::AskPasskey>(&browser, &[("purpose", "sign_in")]).await.status().as_u16();
    for n in 0..300 {
        assert_eq!(ask().await, 200, "{n}");
    }
    assert_eq!(ask().await, 429);
    assert_eq!(count(&app, "select count(*) from passkey_challenges").await, 8, "a browser keeps a few");
    app.ctx.clock.advance(Duration::hours(1));
    assert_eq!(ask().await, 200);
}
