//! Proving an address: by link or code, once, in time, and never by looking.

use super::{count, seen, unproven};
use crate::support::{
    TestApp,
    browser::{PASSWORD, location},
    mailbox::{code, link},
};
use sqlx::PgPool;
use time::Duration;
use tollgate::{
    accounts::{
        api,
        server::jobs::{SendReset, SendVerification},
    },
    platform::jobs::Job,
    values::{AccountId, EventId},
};
use uuid::Uuid;

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_mail_that_is_sent_again_carries_the_same_proof(db: PgPool) {
    let app = TestApp::start(db).await;
    let mara = unproven(&app, "mara@example.com").await;
    let first = app.mail_to("mara@example.com").await;
    let cause = async |kind: &'static str| -> (Uuid, Uuid) {
        sqlx::query_as("select subject_id, id from events where kind = $1").bind(kind).fetch_one(&app.ctx.db).await.unwrap()
    };
    let (account, event) = cause("account.signed_up").await;
    SendVerification { account: AccountId::new(account), cause: EventId::new(event) }.run(&app.ctx).await.unwrap();
    let again = app.mail_to("mara@example.com").await;
    assert_eq!((app.mails().len(), link(&again, "/verify-email"), code(&again)), (2, link(&first, "/verify-email"), code(&first)));
    mara.get(link(&first, "/verify-email")).await;
    assert_eq!(location(&mara.post::<api::VerifyEmail>("/verify-email", &[]).await), "/sign-in");

    mara.post::<api::ForgotPassword>("/forgot-password", &[("email", "mara@example.com")]).await;
    let reset = app.mail_to("mara@example.com").await;
    mara.get(link(&reset, "/reset-password")).await;
    assert_eq!(mara.post::<api::ResetPassword>("/reset-password", &[("new_password", "a different quiet harbour")]).await.status(), 303);
    let mails = app.mails().len();
    let (account, event) = cause("account.reset_asked").await;
    SendReset { account: AccountId::new(account), cause: EventId::new(event), has_code: true }.run(&app.ctx).await.unwrap();
    assert_eq!(app.mails().len(), mails, "what was used is not offered again");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn s17_s25_five_wrong_codes_end_the_code_but_not_the_link(db: PgPool) {
    let app = TestApp::start(db).await;
    let mara = unproven(&app, "mara@example.com").await;
    let mail = app.mail_to("mara@example.com").await;
    let wrong = if code(&mail) == "000000" { "000001" } else { "000000" };
    for _ in 0..5 {
        let answer = mara.post::<api::VerifyEmail>("/verify-email", &[("code", wrong)]).await;
        assert_eq!(answer.status(), 422);
        let page = answer.text().await.unwrap();
        assert!(page.contains("This code is wrong or expired") && !page.contains(wrong), "codes do not come back: {page}");
    }
    assert_eq!(mara.post::<api::VerifyEmail>("/verify-email", &[("code", code(&mail))]).await.status(), 422, "the sixth try comes too late");
    mara.get(link(&mail, "/verify-email")).await;
    assert_eq!(location(&mara.post::<api::VerifyEmail>("/verify-email", &[]).await), "/sign-in");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn s38_parallel_guesses_get_five_tries_together(db: PgPool) {
    let app = TestApp::start(db).await;
    let mara = unproven(&app, "mara@example.com").await;
    let mail = app.mail_to("mara@example.com").await;
    let right: u32 = code(&mail).parse().unwrap();
    let guesses: Vec<String> = (1..=12).map(|n| format!("{:06}", (right + n) % 1_000_000)).collect();
    let mara = &mara;
    let tries = guesses.iter().map(|guess| async move { mara.post::<api::VerifyEmail>("/verify-email", &[("code", guess.as_str())]).await.status().as_u16() });
    let statuses = futures_util::future::join_all(tries).await;
    assert!(statuses.iter().all(|s| *s == 422), "{statuses:?}");
    assert_eq!(count(&app, "select failures::bigint from attempt_counters where bucket like 'verify_code:mail:%'").await, 5);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn s18_s19_codes_and_links_grow_old_and_the_newest_wins(db: PgPool) {
    let app = TestApp::start(db).await;
    let mara = unproven(&app, "mara@example.com").await;
    let first = app.mail_to("mara@example.com").await;
    app.ctx.clock.advance(Duration::minutes(10));
    assert_eq!(mara.post::<api::VerifyEmail>("/verify-email", &[("code", code(&first))]).await.status(), 422, "ten minutes");

    assert_eq!(location(&mara.post::<api::ResendVerification>("/verify-email", &[]).await), "/verify-email");
    let second = app.mail_to("mara@example.com").await;
    mara.get(link(&first, "/verify-email")).await;
    assert_eq!(mara.post::<api::VerifyEmail>("/verify-email", &[]).await.status(), 422, "the old link is dead");
    app.ctx.clock.advance(Duration::minutes(60));
    mara.get(link(&second, "/verify-email")).await;
    let late = mara.post::<api::VerifyEmail>("/verify-email", &[]).await;
    assert_eq!(late.status(), 422, "sixty minutes");
    assert!(late.text().await.unwrap().contains("Send it again"), "the way out stands there");

    mara.post::<api::ResendVerification>("/verify-email", &[]).await;
    let third = app.mail_to("mara@example.com").await;
    assert_eq!(location(&mara.post::<api::VerifyEmail>("/verify-email", &[("code", code(&third))]).await), "/sign-in");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn s20_a_link_works_once_and_of_many_at_once_for_one(db: PgPool) {
    let app = TestApp::start(db).await;
    let mara = unproven(&app, "mara@example.com").await;
    let mail = app.mail_to("mara@example.com").await;
    mara.get(link(&mail, "/verify-email")).await;
    let typed = [("code", code(&mail))];
    let (a, b, c) = tokio::join!(
        mara.post::<api::VerifyEmail>("/verify-email", &[]),
        mara.post::<api::VerifyEmail>("/verify-email", &[]),
        mara.post::<api::VerifyEmail>("/verify-email", &typed),
    );
    let won = [a, b, c].iter().filter(|answer| answer.status() == 303).count();
    assert_eq!(won, 1);
    assert_eq!(count(&app, "select count(*) from events where kind = 'account.verified'").await, 1);
    let again = app.browser();
    again.get(link(&mail, "/verify-email")).await;
    let answer = again.post::<api::VerifyEmail>("/verify-email", &[]).await;
    assert_eq!(answer.status(), 409);
    assert!(answer.text().await.unwrap().contains("Your address is confirmed. Sign in."));
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn s21_r53_r54_opening_a_link_changes_nothing_and_hides_the_token(db: PgPool) {
    let app = TestApp::start(db).await;
    unproven(&app, "mara@example.com").await;
    let mail = app.mail_to("mara@example.com").await;
    let path = link(&mail, "/verify-email");
    let scanner = app.browser();
    for _ in 0..3 {
        let answer = scanner.get(path).await;
        assert_eq!(location(&answer), "/verify-email");
        assert_eq!(answer.headers()["referrer-policy"], "no-referrer");
        assert!(scanner.page("/verify-email").await.contains("Confirm your email"));
    }
    assert_eq!(count(&app, "select count(*) from accounts where verified_at is not null").await, 0);
    assert_eq!(count(&app, "select count(*) from auth_tokens where used_at is null").await, 1);
    let token = path.split("token=").nth(1).unwrap();
    assert!(token.len() >= 43, "256 bits");
    assert_eq!(count(&app, "select count(*) from auth_tokens where length(token_hash) = 32").await, 1, "R52: only the hash is stored");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn s22_s23_a_proof_leaves_the_session_of_somebody_else_alone(db: PgPool) {
    let app = TestApp::start(db).await;
    let vera = app.sign_in_as("developer").await;
    unproven(&app, "mara@example.com").await;
    let mail = app.mail_to("mara@example.com").await;
    vera.browser.get(link(&mail, "/verify-email")).await;
    assert_eq!(location(&vera.browser.post::<api::VerifyEmail>("/verify-email", &[]).await), "/reset-password", "it was begun in another browser");
    assert!(vera.browser.page("/settings/profile").await.contains(&vera.email), "Vera is still Vera");
    assert_eq!(count(&app, "select count(*) from sessions").await, 1, "and nobody was signed in");
    let chosen = vera.browser.post::<api::ResetPassword>("/reset-password", &[("new_password", "a different quiet harbour")]).await;
    assert_eq!(location(&chosen), "/sign-in");
    assert_eq!(location(&app.browser().sign_in("mara@example.com", "a different quiet harbour").await), "/home");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn s24_s27_sending_again_is_limited_and_tells_nothing(db: PgPool) {
    let app = TestApp::start(db).await;
    app.account("known@example.com", "Kira", "developer").await;
    for round in 0..7 {
        let mut answers = Vec::new();
        for email in ["known@example.com", "nobody@example.com"] {
            let answer = app.browser().post::<api::ResendVerification>("/verify-email", &[("email", email)]).await;
            assert_eq!(answer.status() == 303, round < 5, "{email} {round}");
            if round >= 5 {
                assert_eq!(answer.headers()["retry-after"], "60");
            }
            answers.push(seen(answer, email).await);
        }
        assert_eq!(answers[0], answers[1], "{round}");
    }
    app.run_jobs().await;
    assert!(app.mails().is_empty(), "nothing is sent to a proven or an unknown address");
    app.ctx.clock.advance(Duration::seconds(60));
    assert_eq!(app.browser().post::<api::ResendVerification>("/verify-email", &[("email", "nobody@example.com")]).await.status(), 303);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn s26_without_a_proof_only_the_right_password_is_told_so(db: PgPool) {
    let app = TestApp::start(db).await;
    unproven(&app, "mara@example.com").await;
    let elsewhere = app.browser();
    assert_eq!(elsewhere.sign_in("mara@example.com", "not the right one at all").await.status(), 422);
    assert_eq!(location(&elsewhere.sign_in("mara@example.com", PASSWORD).await), "/verify-email");
    assert!(!elsewhere.is_signed_in().await);
    assert!(elsewhere.page("/verify-email").await.contains("m…@example.com"), "the address is masked");
    app.run_jobs().await;
    assert_eq!(location(&elsewhere.post::<api::ResendVerification>("/verify-email", &[]).await), "/verify-email");
    let mail = app.mail_to("mara@example.com").await;
    assert_eq!(location(&elsewhere.post::<api::VerifyEmail>("/verify-email", &[("code", code(&mail))]).await), "/sign-in");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_forged_or_foreign_token_proves_nothing(db: PgPool) {
    let app = TestApp::start(db).await;
    app.account("mara@example.com", "Mara", "developer").await;
    app.browser().post::<api::ForgotPassword>("/forgot-password", &[("email", "mara@example.com")]).await;
    let reset = app.mail_to("mara@example.com").await;
    let foreign = link(&reset, "/reset-password").replace("/reset-password", "/verify-email");
    for path in [foreign.as_str(), "/verify-email?token=", "/verify-email?token=%00%ff", "/verify-email?token=' or 1=1 --"] {
        let browser = app.browser();
        browser.get(path).await;
        assert_eq!(browser.post::<api::VerifyEmail>("/verify-email", &[]).await.status(), 422, "{path}");
    }
    let forged = app.browser().http.post(app.url("/verify-email")).header("sec-fetch-site", "same-origin").header("cookie", "verify=abc; pending=def");
    assert_eq!(forged.form(&[("_fn", "/fn/tollgate/accounts/api/joining/verify_email"), ("code", "123456")]).send().await.unwrap().status(), 422);
}
