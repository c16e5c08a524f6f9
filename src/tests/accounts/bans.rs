//! Bans: who is told what and when, that they end by themselves, and that one door keeps everybody out by every way.

use super::{count, seen, sign_up};
use crate::support::{
    T0, TestApp,
    browser::{PASSWORD, location},
    mailbox::link,
};
use leptos::server_fn::ServerFn;
use sqlx::PgPool;
use time::Duration;
use tollgate::{
    accounts::{
        Caller, Via, api,
        server::{Term, Visitor, WAYS_IN, add_ban, ban_account, caller_of_account, end_bans, lift_ban, list_bans, unban_account},
    },
    error::AppError,
};

const WRONG: &str = "not the right one at all";

/// An operator somewhere else.
fn visitor() -> Visitor {
    Visitor { address: "192.0.2.1".parse().unwrap(), device: "test".to_owned() }
}

fn days(reason: &str, days: i64) -> Term<'_> {
    Term { reason, until: Some(T0 + Duration::days(days)) }
}

const fn always(reason: &str) -> Term<'_> {
    Term { reason, until: None }
}

async fn events(app: &TestApp, kind: &str) -> i64 {
    sqlx::query_scalar::<_, i64>("select count(*) from events where kind = $1").bind(kind).fetch_one(&app.ctx.db).await.unwrap()
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn s33_r18_a_ban_is_told_after_the_right_password_only_and_ends_by_itself(db: PgPool) {
    let app = TestApp::start(db).await;
    let vera = app.sign_in_as("developer").await;
    sqlx::raw_sql("update accounts set time_zone = 'Europe/Berlin'").execute(&app.ctx.db).await.unwrap();
    let ended = ban_account(&app.ctx, &Caller::cli(), &visitor(), vera.account, days("Sent <spam>.", 7)).await.unwrap();
    assert_eq!(ended.sessions, 1);
    assert!(!vera.browser.is_signed_in().await, "R45: the session ended with it");
    assert_eq!(count(&app, "select count(*) from sessions").await, 0);

    let wrong = app.browser().sign_in(&vera.email, WRONG).await.text().await.unwrap();
    assert!(wrong.contains("do not match") && !wrong.contains("banned"));
    let right = app.browser().sign_in(&vera.email, PASSWORD).await;
    assert_eq!(right.status(), 403);
    let said = right.text().await.unwrap();
    let words = "This account is banned until 27 Nov 2026, 13:00 CET: Sent &lt;spam&gt;. If you think this is wrong, ask the operator of this site.";
    assert!(said.contains(words), "{said}");

    app.ctx.clock.advance(Duration::days(7));
    assert_eq!(location(&app.browser().sign_in(&vera.email, PASSWORD).await), "/home", "nothing had to run for it to end");
    assert_eq!(events(&app, "account.ban_ended").await, 0);
    for _ in 0..2 {
        end_bans(&app.ctx).await.unwrap();
        assert_eq!(events(&app, "account.ban_ended").await, 1, "noted once, however often it is looked at");
    }
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r28_r49_whoever_is_banned_has_no_caller_on_the_next_request(db: PgPool) {
    let app = TestApp::start(db).await;
    let vera = app.sign_in_as("developer").await;
    // As if the session had begun in the very moment of the ban: its row is still there.
    sqlx::query("insert into bans (id, account_id, reason, at, by_name) values (gen_random_uuid(), $1, 'spam', $2, 'cli')")
        .bind(vera.account.uuid())
        .bind(T0)
        .execute(&app.ctx.db)
        .await
        .unwrap();
    assert!(!vera.browser.is_signed_in().await);
    for via in [Via::Cli, Via::Session(app.ctx.new_id()), Via::Key(app.ctx.new_id())] {
        assert_eq!(caller_of_account(&app.ctx, vera.account, via).await.unwrap(), None, "{via:?}");
    }
    assert_eq!(vera.browser.http.get(app.url("/api/v1/me")).send().await.unwrap().status(), 401);
    unban_account(&app.ctx, &Caller::cli(), &visitor(), vera.account).await.unwrap();
    assert!(!vera.browser.is_signed_in().await, "what began meanwhile does not come back to life");
    assert_eq!(location(&vera.browser.sign_in(&vera.email, PASSWORD).await), "/home");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_ban_that_is_sent_twice_is_given_once_and_lifted_once(db: PgPool) {
    let app = TestApp::start(db).await;
    let vera = app.account("vera@example.com", "Vera", "developer").await;
    let (cli, from) = (Caller::cli(), visitor());
    let (a, b) = tokio::join!(ban_account(&app.ctx, &cli, &from, vera, days("spam", 1)), ban_account(&app.ctx, &cli, &from, vera, days("spam", 1)));
    assert!(a.is_ok() || b.is_ok(), "{a:?} {b:?}");
    ban_account(&app.ctx, &cli, &from, vera, days("spam", 1)).await.unwrap();
    let other = ban_account(&app.ctx, &cli, &from, vera, days("spam", 2)).await;
    assert!(matches!(other, Err(AppError::Conflict { .. })), "{other:?}");
    assert_eq!((events(&app, "account.banned").await, count(&app, "select count(*) from bans").await), (1, 1));
    for _ in 0..2 {
        unban_account(&app.ctx, &cli, &from, vera).await.unwrap();
    }
    assert_eq!(events(&app, "account.unbanned").await, 1);
    assert_eq!(location(&app.browser().sign_in("vera@example.com", PASSWORD).await), "/home");
    // One that is over stands in nobody's way.
    ban_account(&app.ctx, &cli, &from, vera, days("again", 1)).await.unwrap();
    app.ctx.clock.advance(Duration::days(1));
    ban_account(&app.ctx, &cli, &from, vera, days("and again", 2)).await.unwrap();
    assert_eq!(list_bans(&app.ctx, &cli, true).await.unwrap().len(), 2);
    assert_eq!(list_bans(&app.ctx, &cli, false).await.unwrap().len(), 1);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn s89_nobody_bans_themself_nor_the_last_operator(db: PgPool) {
    let app = TestApp::start(db).await;
    let first = app.account("one@ops.example", "One", "operator").await;
    let own = app.caller_in_a_browser(first).await;
    let refused = |result: Result<(), AppError>, words: &str| {
        assert!(matches!(&result, Err(AppError::Conflict { message }) if message.contains(words)), "{words}: {result:?}");
    };
    refused(ban_account(&app.ctx, &own, &visitor(), first, always("x")).await.map(|_| ()), "your own account");
    refused(ban_account(&app.ctx, &Caller::cli(), &visitor(), first, always("x")).await.map(|_| ()), "last operator");
    refused(add_ban(&app.ctx, &own, &visitor(), "ops.example", always("x")).await.map(|_| ()), "Your own address");
    refused(add_ban(&app.ctx, &Caller::cli(), &visitor(), "ops.example", always("x")).await.map(|_| ()), "All operators");
    refused(add_ban(&app.ctx, &own, &visitor(), "192.0.2.0/24", always("x")).await.map(|_| ()), "You come from");
    // Two operators who ban each other leave one.
    let second = app.account("two@ops.example", "Two", "operator").await;
    let other = app.caller_in_a_browser(second).await;
    let from = visitor();
    let (a, b) =
        tokio::join!(ban_account(&app.ctx, &own, &from, second, always("you or me")), ban_account(&app.ctx, &other, &from, first, always("you or me")));
    assert_eq!([a.is_ok(), b.is_ok()].iter().filter(|ok| **ok).count(), 1, "{a:?} {b:?}");
    // Bad input is told beside its field.
    for (target, term, field) in [
        ("nonsense", always("x"), "target"),
        ("0.0.0.0/0", always("x"), "target"),
        ("spam.example", always("  "), "reason"),
        ("spam.example", days("x", 0), "until"),
    ] {
        let error = add_ban(&app.ctx, &Caller::cli(), &from, target, term).await.unwrap_err();
        assert!(error.field(field).is_some(), "{target} {term:?}: {error:?}");
    }
    let developer = app.sign_in_as("developer").await;
    let developer = caller_of_account(&app.ctx, developer.account, Via::Cli).await.unwrap().unwrap();
    let refused = add_ban(&app.ctx, &developer, &from, "spam.example", always("x")).await;
    assert!(matches!(refused, Err(AppError::Forbidden { .. })), "S88: {refused:?}");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r15_a_banned_domain_gets_the_same_bytes_and_no_mail(db: PgPool) {
    let app = TestApp::start(db).await;
    let known = app.account("vera@mail.spam.example", "Vera", "developer").await;
    let ban = add_ban(&app.ctx, &Caller::cli(), &visitor(), "spam.example", days("Throwaway addresses", 7)).await.unwrap();
    let mut answers = Vec::new();
    for email in ["new@spam.example", "new@Mail.SPAM.example", "new@example.com"] {
        answers.push(seen(sign_up(&app.browser(), email, "Nia", PASSWORD).await, email).await);
    }
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:#?}");
    for email in ["vera@mail.spam.example", "nobody@spam.example"] {
        app.browser().post::<api::ForgotPassword>("/forgot-password", &[("email", email)]).await;
        app.browser().post::<api::ResendVerification>("/verify-email", &[("email", email)]).await;
    }
    app.run_jobs().await;
    let told: Vec<String> = app.mails().into_iter().map(|mail| mail.to).collect();
    assert_eq!(told, ["new@example.com"]);
    assert_eq!(count(&app, "select count(*) from accounts where email like '%spam%'").await, 1);

    let right = app.browser().sign_in("vera@mail.spam.example", PASSWORD).await;
    assert_eq!(right.status(), 403);
    assert!(right.text().await.unwrap().contains("Addresses at spam.example are banned until 27 Nov 2026, 12:00 UTC: Throwaway addresses."));
    assert!(app.browser().sign_in("vera@mail.spam.example", WRONG).await.text().await.unwrap().contains("do not match"));
    assert_eq!(caller_of_account(&app.ctx, known, Via::Cli).await.unwrap(), None);
    lift_ban(&app.ctx, &Caller::cli(), &visitor(), ban.id).await.unwrap();
    assert_eq!(location(&app.browser().sign_in("vera@mail.spam.example", PASSWORD).await), "/home");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_banned_address_sees_why_and_no_way_in(db: PgPool) {
    let app = TestApp::start(db).await;
    let vera = app.sign_in_as("developer").await;
    assert!(vera.browser.is_signed_in().await);
    add_ban(&app.ctx, &Caller::cli(), &visitor(), "127.0.0.0/8", always("Guessing <passwords>")).await.unwrap();
    for path in WAYS_IN {
        let answer = app.browser().get(path).await;
        assert_eq!(answer.status(), 403, "{path}");
        let page = answer.text().await.unwrap();
        assert!(page.contains("is banned: Guessing &lt;passwords&gt;.") && page.contains("127.0.0.0/8"), "{path}: {page}");
        assert!(!page.contains("name=\"password\""), "{path}");
    }
    let before = tollgate::accounts::server::Passwords::of(&app.ctx).unwrap().runs();
    // A form that was open already goes nowhere, and its page says why.
    for answer in [app.browser().sign_in(&vera.email, PASSWORD).await, sign_up(&app.browser(), "new@example.com", "Nia", PASSWORD).await] {
        let path = answer.url().path().to_owned();
        assert_eq!(answer.status(), 403, "{path}");
        assert!(answer.text().await.unwrap().contains("is banned: Guessing &lt;passwords&gt;."), "{path}");
    }
    // By another page, by the function itself, by REST.
    let form = [("_fn", "/fn/tollgate/accounts/api/signing_in/sign_in"), ("email", vera.email.as_str()), ("password", PASSWORD)];
    for path in ["/docs", "/fn/tollgate/accounts/api/signing_in/sign_in"] {
        let answer = app.http.post(app.url(path)).header("sec-fetch-site", "same-origin").form(&form).send().await.unwrap();
        assert_eq!(answer.headers().get_all("set-cookie").iter().filter(|c| c.to_str().unwrap().starts_with("sid=")).count(), 0, "{path}");
    }
    let register = serde_json::json!({ "email": "new@example.com", "password": PASSWORD });
    let rest = app.http.post(app.url("/api/v1/auth/register")).json(&register).header("sec-fetch-site", "same-origin").send().await.unwrap();
    assert_eq!((rest.status().as_u16(), rest.headers()["content-type"].to_str().unwrap()), (403, "application/problem+json"));
    assert_eq!(tollgate::accounts::server::Passwords::of(&app.ctx).unwrap().runs(), before, "nothing was hashed");
    assert!(!vera.browser.is_signed_in().await, "R49: a session from there is none");
    assert_eq!(app.browser().get("/docs").await.status(), 200, "what is public stays public");
    assert_eq!(count(&app, "select count(*) from accounts").await, 1);
}

/// Opens the link of a mail in a browser of its own and presses the button there.
async fn press<F: ServerFn>(app: &TestApp, page: &str, path: &str) -> u16 {
    let browser = app.browser();
    browser.get(path).await;
    browser.post::<F>(page, &[]).await.status().as_u16()
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r28_r52_what_was_mailed_does_nothing_for_who_is_kept_out(db: PgPool) {
    let app = TestApp::start(db).await;
    let vera = app.sign_in_as("developer").await;
    let (cli, from, new) = (Caller::cli(), visitor(), "vera@new.example.org");
    vera.browser.post::<api::AskDeletion>("/settings/danger", &[("email", &vera.email)]).await;
    let leaving = app.mail_to(&vera.email).await;
    vera.browser.post::<api::AskEmailChange>("/settings/email", &[("email", new)]).await;
    let change = app.mail_to(new).await;
    let pressed = async || {
        let change = press::<api::ConfirmNewEmail>(&app, "/confirm-email", link(&change, "/confirm-email")).await;
        (change, press::<api::ConfirmDeletion>(&app, "/delete-account", link(&leaving, "/delete-account")).await)
    };
    let domain = vera.email.split('@').nth(1).unwrap();
    let ban = add_ban(&app.ctx, &cli, &from, domain, always("spam")).await.unwrap();
    assert_eq!(pressed().await, (403, 403), "its mail domain is banned");
    lift_ban(&app.ctx, &cli, &from, ban.id).await.unwrap();
    assert_eq!(count(&app, "select count(*) from auth_tokens where used_at is null").await, 2, "nothing was used up");

    ban_account(&app.ctx, &cli, &from, vera.account, always("spam")).await.unwrap();
    assert_eq!(count(&app, "select (select count(*) from auth_tokens) + (select count(*) from email_changes)").await, 0);
    unban_account(&app.ctx, &cli, &from, vera.account).await.unwrap();
    assert_eq!(pressed().await, (422, 422), "R45: it died with the ban");
    assert_eq!(count(&app, "select count(*) from account_departures").await, 0);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r28_a_banned_network_uses_no_mailed_link_over_rest(db: PgPool) {
    let app = TestApp::start(db).await;
    let paths = ["email/confirm", "email/undo", "deletion/confirm", "come-back"].map(|path| app.url(&format!("/api/v1/me/{path}")));
    let send = async |path: &str| {
        let request = app.http.post(path).header("sec-fetch-site", "same-origin").json(&serde_json::json!({ "token": "x" }));
        request.send().await.unwrap().status().as_u16()
    };
    for path in &paths {
        assert_eq!(send(path).await, 422, "{path}");
    }
    add_ban(&app.ctx, &Caller::cli(), &visitor(), "127.0.0.0/8", always("Guessing")).await.unwrap();
    for path in &paths {
        assert_eq!(send(path).await, 403, "{path}");
    }
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r15_a_change_to_a_banned_domain_is_answered_alike_and_mails_nothing(db: PgPool) {
    let app = TestApp::start(db).await;
    add_ban(&app.ctx, &Caller::cli(), &visitor(), "spam.example", always("Throwaway addresses")).await.unwrap();
    let mut answers = Vec::new();
    for email in ["new@mail.spam.example", "new@example.org"] {
        let vera = app.sign_in_as("developer").await;
        answers.push(seen(vera.browser.post::<api::AskEmailChange>("/settings/email", &[("email", email)]).await, email).await);
        assert!(vera.browser.page("/settings/email").await.contains(&format!("We sent an email to {email}.")));
    }
    assert_eq!(answers[0], answers[1]);
    assert_eq!(count(&app, "select count(*) from jobs where state = 'waiting'").await, 2, "R16: as much work");
    app.run_jobs().await;
    let told: Vec<String> = app.mails().into_iter().map(|mail| mail.to).collect();
    assert_eq!(told, ["new@example.org"]);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn s33_who_is_banned_has_no_public_profile_until_it_ends(db: PgPool) {
    let app = TestApp::start(db).await;
    let vera = app.account("vera@example.com", "Vera", "developer").await;
    sqlx::raw_sql("update accounts set handle = 'vera-h', published = '{name}'").execute(&app.ctx.db).await.unwrap();
    let status = async || app.get("/api/v1/users/vera-h").await.status().as_u16();
    assert_eq!(status().await, 200);
    ban_account(&app.ctx, &Caller::cli(), &visitor(), vera, days("spam", 1)).await.unwrap();
    assert_eq!(status().await, 404);
    app.ctx.clock.advance(Duration::days(1));
    assert_eq!(status().await, 200);
}
