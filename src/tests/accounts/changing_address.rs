//! Another address: proven by its new owner, told to the old one, who can take it back.

use super::{count, flat, mail_about, seen, unproven};
use crate::support::{
    TestApp,
    browser::{Browser, PASSWORD, Person, location},
    locks::Held,
    mailbox::{code, link},
};
use serde_json::json;
use sqlx::PgPool;
use time::Duration;
use tollgate::accounts::api;

const PAGE: &str = "/settings/email";
const NEW: &str = "vera@new.example.com";

async fn ask(browser: &Browser, email: &str) -> reqwest::Response {
    browser.post::<api::AskEmailChange>(PAGE, &[("email", email)]).await
}

/// Opens the link of a mail in a browser of its own and presses the button there.
async fn confirm(app: &TestApp, path: &str) -> u16 {
    let browser = app.browser();
    assert_eq!(location(&browser.get(path).await), "/confirm-email", "R54: the token leaves the address at once");
    browser.post::<api::ConfirmNewEmail>("/confirm-email", &[]).await.status().as_u16()
}

async fn undo(app: &TestApp, path: &str) -> u16 {
    let browser = app.browser();
    assert_eq!(location(&browser.get(path).await), "/undo-email");
    browser.post::<api::UndoEmailChange>("/undo-email", &[]).await.status().as_u16()
}

/// Somebody whose address is `NEW` by now; the notice to the old one.
async fn changed(app: &TestApp) -> (Person, tollgate::platform::mail::SentMail) {
    let vera = app.sign_in_as("developer").await;
    assert_eq!(location(&ask(&vera.browser, NEW).await), PAGE);
    let mail = app.mail_to(NEW).await;
    assert_eq!(confirm(app, link(&mail, "/confirm-email")).await, 303);
    let notice = app.mail_to(&vera.email).await;
    (vera, notice)
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r58_s82_s83_a_new_address_counts_once_it_is_proven_and_the_old_one_stops_at_once(db: PgPool) {
    let app = TestApp::start(db).await;
    let vera = app.sign_in_as("developer").await;
    assert_eq!(location(&ask(&vera.browser, NEW).await), PAGE);
    let page = vera.browser.page(PAGE).await;
    assert!(page.contains(&format!("We sent an email to {NEW}.")) && page.contains(&format!("Your email is {}.", vera.email)), "{page}");
    let mail = app.mail_to(NEW).await;
    assert_eq!(mail.subject, "Confirm your new email");

    // R53: a scanner that opens the link changes nothing, on whatever device.
    let phone = app.browser();
    phone.get(link(&mail, "/confirm-email")).await;
    assert!(phone.page("/confirm-email").await.contains(NEW));
    assert_eq!(location(&app.browser().sign_in(&vera.email, PASSWORD).await), "/home");
    assert_eq!(app.browser().sign_in(NEW, PASSWORD).await.status(), 422);

    assert_eq!(location(&phone.post::<api::ConfirmNewEmail>("/confirm-email", &[]).await), "/sign-in");
    assert_eq!(app.browser().sign_in(&vera.email, PASSWORD).await.status(), 422, "S83");
    assert_eq!(location(&app.browser().sign_in(NEW, PASSWORD).await), "/home");
    assert!(vera.browser.page(PAGE).await.contains(&format!("Your email is {NEW}.")), "the session goes on");

    let notice = app.mail_to(&vera.email).await;
    assert_eq!(notice.subject, "Your email was changed", "R26");
    assert!(flat(&notice).contains("This works until 27 Nov 2026, 12:00 UTC."), "{}", notice.text);
    assert_eq!(confirm(&app, link(&mail, "/confirm-email")).await, 422, "R52: once");
    assert_eq!(count(&app, "select count(*) from events where kind = 'account.email_changed'").await, 1);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_typed_code_proves_the_new_address_too_and_five_wrong_ones_end_it(db: PgPool) {
    let app = TestApp::start(db).await;
    let vera = app.sign_in_as("developer").await;
    ask(&vera.browser, NEW).await;
    let mail = app.mail_to(NEW).await;
    let typed = code(&mail).to_owned();
    let send = async |code: &str| vera.browser.post::<api::ConfirmNewEmail>(PAGE, &[("code", code)]).await;
    let wrong = if typed == "123456" { "654321" } else { "123456" };
    let refused = send(wrong).await;
    assert_eq!(refused.status(), 422);
    assert!(refused.text().await.unwrap().contains("This code is wrong or expired"));
    assert_eq!(location(&send(&format!("{} {}", &typed[..3], &typed[3..])).await), PAGE);
    assert!(vera.browser.page(PAGE).await.contains(&format!("Your email is {NEW}.")));

    ask(&vera.browser, "vera@third.example.com").await;
    let third = app.mail_to("vera@third.example.com").await;
    for _ in 0..5 {
        send(if code(&third) == "123456" { "654321" } else { "123456" }).await;
    }
    assert_eq!(send(code(&third)).await.status(), 422, "R35");
    // A stranger who is signed in elsewhere has no use for it.
    let other = app.sign_in_as("developer").await;
    assert_eq!(other.browser.post::<api::ConfirmNewEmail>(PAGE, &[("code", code(&third))]).await.status(), 422, "R78");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn s82_an_address_that_is_taken_is_answered_alike_and_its_owner_is_told(db: PgPool) {
    let app = TestApp::start(db).await;
    app.account("mara@example.com", "Mara", "developer").await;
    let mut answers = Vec::new();
    for email in ["mara@example.com", "free@example.com"] {
        let vera = app.sign_in_as("developer").await;
        answers.push(seen(ask(&vera.browser, email).await, email).await);
        let page = vera.browser.page(PAGE).await;
        assert!(page.contains(&format!("We sent an email to {email}.")), "{page}");
        assert_eq!(vera.browser.post::<api::ConfirmNewEmail>(PAGE, &[("code", "000000")]).await.status(), 422);
    }
    assert_eq!(answers[0], answers[1]);
    let mail = app.mail_to("mara@example.com").await;
    assert_eq!(mail.subject, "Somebody wants to use your address");
    assert!(!mail.text.contains("/confirm-email") && flat(&mail).contains("nothing was changed"), "{}", mail.text);
    assert_eq!(count(&app, "select count(*) from auth_tokens where kind = 'change_email'").await, 1, "only the free one has a proof");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r57_an_unproven_sign_up_holds_no_address_and_two_who_want_one_get_it_once(db: PgPool) {
    let app = TestApp::start(db).await;
    unproven(&app, NEW).await;
    app.run_jobs().await;
    let (vera, nina) = (app.sign_in_as("developer").await, app.sign_in_as("developer").await);
    ask(&vera.browser, NEW).await;
    let first = app.mail_to(NEW).await;
    ask(&nina.browser, NEW).await;
    let second = app.mail_to(NEW).await;
    let (a, b) = tokio::join!(confirm(&app, link(&first, "/confirm-email")), confirm(&app, link(&second, "/confirm-email")));
    let mut statuses = [a, b];
    statuses.sort_unstable();
    assert_eq!(statuses, [303, 409]);
    assert_eq!(count(&app, "select count(*) from accounts where email_key = 'vera@new.example.com' and verified_at is not null").await, 1);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r52_what_waits_dies_with_a_newer_request_a_new_password_and_an_hour(db: PgPool) {
    let app = TestApp::start(db).await;
    let vera = app.sign_in_as("developer").await;
    let asked = async |email: &str| {
        ask(&vera.browser, email).await;
        let mail = app.mail_to(email).await;
        link(&mail, "/confirm-email").to_owned()
    };
    let first = asked("first@example.com").await;
    let second = asked("second@example.com").await;
    assert_eq!(confirm(&app, &first).await, 422, "a newer one was asked for");
    let password = [("current_password", PASSWORD), ("new_password", "gate keeper sings at noon")];
    assert_eq!(vera.browser.post::<api::ChangePassword>("/settings/security", &password).await.status(), 303);
    assert_eq!(confirm(&app, &second).await, 422, "a new password");
    assert!(!vera.browser.page(PAGE).await.contains("second@example.com"));

    ask(&vera.browser, "third@example.com").await;
    let third = app.mail_to("third@example.com").await;
    app.ctx.clock.advance(Duration::minutes(60));
    assert_eq!(confirm(&app, link(&third, "/confirm-email")).await, 422, "too old");
    vera.browser.post::<api::StepUp>("/step-up", &[("password", password[1].1)]).await;
    ask(&vera.browser, "fourth@example.com").await;
    let fourth = app.mail_to("fourth@example.com").await;
    assert_eq!(vera.browser.post::<api::CancelEmailChange>(PAGE, &[]).await.status(), 303);
    assert_eq!(confirm(&app, link(&fourth, "/confirm-email")).await, 422, "taken back");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn s67_a_change_of_address_kills_what_was_mailed_before(db: PgPool) {
    let app = TestApp::start(db).await;
    let vera = app.sign_in_as("developer").await;
    app.browser().post::<api::ForgotPassword>("/forgot-password", &[("email", &vera.email)]).await;
    let reset = app.mail_to(&vera.email).await;
    ask(&vera.browser, NEW).await;
    let mail = app.mail_to(NEW).await;
    assert_eq!(confirm(&app, link(&mail, "/confirm-email")).await, 303);
    let late = app.browser();
    late.get(link(&reset, "/reset-password")).await;
    assert_eq!(late.post::<api::ResetPassword>("/reset-password", &[("new_password", "gate keeper sings at noon")]).await.status(), 422);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r50_asking_takes_a_recent_proof_and_over_rest_the_password_whose_guessing_is_slow(db: PgPool) {
    let app = TestApp::start(db).await;
    let vera = app.sign_in_as("developer").await;
    for email in ["", "vera", vera.email.as_str()] {
        assert_eq!(ask(&vera.browser, email).await.status(), 422, "{email}");
    }
    app.ctx.clock.advance(Duration::minutes(11));
    let asked = ask(&vera.browser, NEW).await;
    let form = location(&asked).strip_prefix("/step-up?form=").expect("to be proven first");
    assert_eq!(count(&app, "select count(*) from email_changes").await, 0);
    let proven = vera.browser.post::<api::StepUp>("/step-up", &[("password", PASSWORD), ("form", form)]).await;
    assert_eq!(location(&proven), PAGE);
    assert!(vera.browser.page(PAGE).await.contains(&format!("value=\"{NEW}\"")), "nothing typed is lost");
    assert_eq!(location(&ask(&vera.browser, NEW).await), PAGE);

    let rest = async |password: &str| {
        let request = vera.browser.http.post(app.url("/api/v1/me/email")).header("sec-fetch-site", "same-origin");
        request.json(&json!({ "email": "other@example.com", "current_password": password })).send().await.unwrap().status().as_u16()
    };
    for _ in 0..5 {
        assert_eq!(rest("a guess of somebody").await, 422);
    }
    assert_eq!(rest(PASSWORD).await, 429);
    assert_eq!(count(&app, "select count(*) from email_changes where new_email = 'other@example.com'").await, 0);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn s82_the_old_address_takes_the_change_back_within_seven_days(db: PgPool) {
    let app = TestApp::start(db).await;
    let (vera, notice) = changed(&app).await;
    app.ctx.clock.advance(Duration::days(7) - Duration::seconds(1));
    app.browser().sign_in(NEW, PASSWORD).await;
    let path = link(&notice, "/undo-email");
    let lost = app.browser();
    lost.get(path).await;
    assert!(lost.page("/undo-email").await.contains(&vera.email));
    assert_eq!(location(&app.browser().sign_in(NEW, PASSWORD).await), "/home", "R53: opening it changed nothing");

    let (a, b) = tokio::join!(undo(&app, path), undo(&app, path));
    let mut statuses = [a, b];
    statuses.sort_unstable();
    assert_eq!(statuses, [303, 422], "of two at once, one");
    assert_eq!(count(&app, "select count(*) from sessions").await, 0, "R46: every session ends");
    for email in [NEW, vera.email.as_str()] {
        assert_eq!(app.browser().sign_in(email, PASSWORD).await.status(), 422, "{email}: whoever it was knew the password");
    }
    let reset = mail_about(&app, &vera.email, "Set a new password").await;
    lost.get(link(&reset, "/reset-password")).await;
    lost.post::<api::ResetPassword>("/reset-password", &[("new_password", "gate keeper sings at noon")]).await;
    assert_eq!(location(&lost.sign_in(&vera.email, "gate keeper sings at noon").await), "/home");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn s82_after_seven_days_it_stays_and_changing_twice_takes_nobodys_way_back(db: PgPool) {
    let app = TestApp::start(db).await;
    let (vera, notice) = changed(&app).await;
    ask(&vera.browser, "thief@example.com").await;
    let mail = app.mail_to("thief@example.com").await;
    assert_eq!(confirm(&app, link(&mail, "/confirm-email")).await, 303);
    let second = app.mail_to(NEW).await;
    assert_eq!(undo(&app, link(&notice, "/undo-email")).await, 303);
    assert_eq!(undo(&app, link(&second, "/undo-email")).await, 422, "the way back to what came later is closed");
    let email: String = sqlx::query_scalar("select email from accounts").fetch_one(&app.ctx.db).await.unwrap();
    assert_eq!(email, vera.email);

    let nina = app.sign_in_as("developer").await;
    ask(&nina.browser, "nina@new.example.com").await;
    let mail = app.mail_to("nina@new.example.com").await;
    confirm(&app, link(&mail, "/confirm-email")).await;
    let notice = app.mail_to(&nina.email).await;
    app.ctx.clock.advance(Duration::days(7));
    assert_eq!(undo(&app, link(&notice, "/undo-email")).await, 422);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn s96_jobs_that_are_delivered_twice_mail_the_same_and_a_fault_in_the_middle_changes_nothing(db: PgPool) {
    let app = TestApp::start(db).await;
    let vera = app.sign_in_as("developer").await;
    ask(&vera.browser, NEW).await;
    let first = app.mail_to(NEW).await;
    sqlx::raw_sql("update jobs set state = 'waiting', finished_at = null").execute(&app.ctx.db).await.unwrap();
    let second = app.mail_to(NEW).await;
    assert_eq!((&first.text, &first.id), (&second.text, &second.id), "the same link and code in the same mail");

    let fault = "create function fail() returns trigger language plpgsql as $$ begin raise exception 'a fault'; end $$;
         create trigger fail before insert on jobs for each row when (new.kind = 'accounts.send_email_changed') execute function fail()";
    sqlx::raw_sql(fault).execute(&app.ctx.db).await.unwrap();
    assert_eq!(confirm(&app, link(&second, "/confirm-email")).await, 500);
    assert_eq!(app.browser().sign_in(NEW, PASSWORD).await.status(), 422);
    sqlx::raw_sql("drop trigger fail on jobs").execute(&app.ctx.db).await.unwrap();
    assert_eq!(confirm(&app, link(&second, "/confirm-email")).await, 303, "and the link still works");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn s67_whoever_holds_the_account_can_end_what_waits_before_it_is_confirmed(db: PgPool) {
    let app = TestApp::start(db).await;
    let vera = app.sign_in_as("developer").await;
    ask(&vera.browser, NEW).await;
    let mail = app.mail_to(NEW).await;
    let mut tx = app.ctx.db.begin().await.unwrap();
    sqlx::query("select from accounts for update").execute(&mut *tx).await.unwrap();
    // As a reset does: the account first, then what waits. Taken the other way round, one of them would die of it.
    let reset = async {
        Held::by(&app.ctx.db, "select").await.release_to(1).await; // the confirmation waits
        sqlx::raw_sql("set local lock_timeout = '5s'; delete from email_changes; delete from auth_tokens").execute(&mut *tx).await.unwrap();
        tx.commit().await.unwrap();
    };
    let (status, ()) = tokio::join!(confirm(&app, link(&mail, "/confirm-email")), reset);
    assert_eq!(status, 422);
}
