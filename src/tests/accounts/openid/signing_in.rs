//! Who comes in by a provider, who becomes an account, and whom the door keeps out all the same.

use super::{at_provider, come, count, leave, links, refused, round, start, trusting};
use crate::{
    accounts::{
        alike::statements,
        factors::{give_code, set_up, with_app},
        flat, mail_about, seen, sign_up,
    },
    support::{
        TestApp,
        browser::{PASSWORD, location},
        log::Log,
        mailbox::{code, link},
        provider::TestProvider,
    },
};
use sqlx::PgPool;
use time::Duration;
use tollgate::{
    accounts::{
        Caller, api,
        server::{Passwords, Term, Visitor, ban_account, create_invite, invite_address, leaving, unban_account},
    },
    platform::config::SignUpMode,
    values::AccountId,
};

/// The address of an account, and whether it is proven.
async fn account(app: &TestApp) -> (String, bool) {
    sqlx::query_as("select email, verified_at is not null from accounts").fetch_one(&app.ctx.db).await.unwrap()
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_new_person_whose_address_is_proven_elsewhere_comes_in_at_once(db: PgPool) {
    let (app, other) = trusting(db).await;
    let browser = app.browser();
    for page in ["/sign-in", "/sign-up"] {
        assert!(browser.page(page).await.contains("Continue with Other"), "{page}");
    }
    let url = leave::<api::ContinueWith>(&browser, "/sign-in?next=%2Fkeys", &[("next", "/keys")]).await;
    assert!(url.starts_with(&other.issuer) && url.contains("code_challenge_method=S256") && url.contains("scope=openid+email+profile"), "{url}");
    let back = at_provider(&app, &url).await;
    assert_eq!(location(&browser.get(&back).await), "/keys");
    assert!(browser.is_signed_in().await && browser.page("/home").await.contains("Vera Other"));
    assert_eq!((account(&app).await, links(&app).await), (("vera@example.com".to_owned(), true), 1));
    app.run_jobs().await;
    assert!(app.mails().is_empty(), "nothing is to be proven");

    // The next time they are known, whatever their address is by then (R72: issuer and subject).
    browser.post::<api::SignOut>("/sign-out", &[]).await;
    other.user(|user| (user.email, user.is_verified) = (Some("another@example.com".to_owned()), false));
    assert_eq!(location(&come(&app, &browser).await), "/home");
    assert_eq!((account(&app).await, links(&app).await), (("vera@example.com".to_owned(), true), 1));
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn the_time_zone_of_the_browser_goes_along_to_the_provider_and_back(db: PgPool) {
    let (app, other) = trusting(db).await;
    for (is_verified, email) in [(true, "vera@example.com"), (false, "nina@example.com")] {
        other.user(|user| (user.sub, user.email, user.is_verified) = (email.to_owned(), Some(email.to_owned()), is_verified));
        let browser = app.browser();
        let back = at_provider(&app, &leave::<api::ContinueWith>(&browser, "/sign-in", &[("time_zone", "Europe/Berlin")]).await).await;
        browser.get(&back).await;
        let zone: String = sqlx::query_scalar("select time_zone from accounts where email = $1").bind(email).fetch_one(&app.ctx.db).await.unwrap();
        assert_eq!(zone, "Europe/Berlin", "{email}");
    }

    // Who is known and never said it says it so, too.
    sqlx::raw_sql("update accounts set time_zone = 'UTC', time_zone_chosen = false").execute(&app.ctx.db).await.unwrap();
    other.user(|user| (user.sub, user.email, user.is_verified) = ("vera@example.com".to_owned(), Some("vera@example.com".to_owned()), true));
    let browser = app.browser();
    let back = at_provider(&app, &leave::<api::ContinueWith>(&browser, "/sign-in", &[("time_zone", "Asia/Tokyo")]).await).await;
    assert_eq!(location(&browser.get(&back).await), "/home");
    assert_eq!(count(&app, "select count(*) from accounts where time_zone = 'Asia/Tokyo' and time_zone_chosen").await, 1);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn t07_who_is_new_reads_in_the_language_of_the_browser(db: PgPool) {
    let (app, other) = trusting(db).await;
    for (is_verified, email) in [(true, "vera@example.com"), (false, "nina@example.com")] {
        other.user(|user| (user.sub, user.email, user.is_verified) = (email.to_owned(), Some(email.to_owned()), is_verified));
        let browser = app.browser();
        let back = round(&app, &browser).await;
        let asked = browser.http.get(app.url(&back)).header("accept", "text/html").header("accept-language", "de-AT,de;q=0.9").send().await.unwrap();
        assert_eq!(asked.status(), 303, "{email}");
        let language: String = sqlx::query_scalar("select language from accounts where email = $1").bind(email).fetch_one(&app.ctx.db).await.unwrap();
        assert_eq!(language, "de", "{email}");
    }
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn an_address_that_only_user_info_tells_counts_the_same(db: PgPool) {
    let (app, other) = trusting(db).await;
    other.tell_email_later();
    assert_eq!(location(&come(&app, &app.browser()).await), "/home");
    assert_eq!(account(&app).await, ("vera@example.com".to_owned(), true));
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r72_an_unproven_address_is_proven_by_mail_first(db: PgPool) {
    let (app, other) = trusting(db).await;
    other.user(|user| user.is_verified = false);
    let browser = app.browser();
    assert_eq!(location(&come(&app, &browser).await), "/verify-email");
    assert!(!browser.is_signed_in().await);
    assert_eq!((account(&app).await, links(&app).await), (("vera@example.com".to_owned(), false), 1));
    // Coming again before that changes nothing.
    assert_eq!(location(&come(&app, &browser).await), "/verify-email");
    let mail = mail_about(&app, "vera@example.com", "Confirm your email").await;
    assert_eq!(location(&browser.post::<api::VerifyEmail>("/verify-email", &[("code", code(&mail))]).await), "/sign-in");
    assert_eq!(location(&come(&app, &browser).await), "/home");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r72_the_word_of_a_provider_that_is_not_trusted_proves_nothing(db: PgPool) {
    let (app, _other) = start(db, |_| {}).await;
    assert_eq!(location(&come(&app, &app.browser()).await), "/verify-email");
    assert_eq!(account(&app).await, ("vera@example.com".to_owned(), false));
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r57_signing_up_over_an_unproven_address_takes_its_links_away(db: PgPool) {
    let (app, _other) = start(db, |_| {}).await;
    come(&app, &app.browser()).await;
    app.run_jobs().await;
    assert_eq!(links(&app).await, 1);
    let owner = app.browser();
    sign_up(&owner, "vera@example.com", "Vera", PASSWORD).await;
    assert_eq!(links(&app).await, 0, "whoever came before has no way in");
    let mail = mail_about(&app, "vera@example.com", "Confirm your email").await;
    owner.post::<api::VerifyEmail>("/verify-email", &[("code", code(&mail))]).await;
    let thief = app.browser();
    assert_eq!(location(&come(&app, &thief).await), "/verify-email");
    assert!(!thief.is_signed_in().await);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r57_a_sign_in_planted_with_the_address_of_somebody_else_ends_with_their_proof(db: PgPool) {
    let (app, _other) = start(db, |_| {}).await;
    let stranger = app.browser();
    assert_eq!(location(&come(&app, &stranger).await), "/verify-email");
    let mail = mail_about(&app, "vera@example.com", "Confirm your email").await;
    let owner = app.browser();
    owner.get(link(&mail, "/verify-email")).await;
    assert_eq!(location(&owner.post::<api::VerifyEmail>("/verify-email", &[]).await), "/reset-password");
    assert_eq!(links(&app).await, 0);
    assert_eq!(location(&come(&app, &stranger).await), "/verify-email", "as for any address that has an account (R15)");
    assert!(!stranger.is_signed_in().await);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r72_an_address_of_an_account_is_never_linked_on_an_unproven_word(db: PgPool) {
    let (app, other) = trusting(db).await;
    let vera = app.account("vera@example.com", "Vera", "developer").await;
    other.user(|user| user.is_verified = false);
    let browser = app.browser();
    let answer = come(&app, &browser).await;
    assert_eq!(location(&answer), "/verify-email", "as for an address without an account (R15)");
    assert_eq!(links(&app).await, 0);
    // The mail leads to where it is confirmed, after signing in as usual.
    let mail = mail_about(&app, "vera@example.com", "You already have an account").await;
    assert!(flat(&mail).contains("Somebody came from Other with this address"), "{}", mail.text);
    let page = link(&mail, "/settings/security/link");
    let guarded = browser.get(page).await;
    assert_eq!(location(&guarded), "/sign-in?next=%2Fsettings%2Fsecurity%2Flink");
    let signed_in = browser.post::<api::SignIn>("/sign-in", &[("email", "vera@example.com"), ("password", PASSWORD), ("next", page)]).await;
    assert_eq!(location(&signed_in), page);
    let asked = browser.page(page).await;
    assert!(asked.contains("Link Other?") && asked.contains("vera@example.com there"), "{asked}");
    assert_eq!(location(&browser.post::<api::ConfirmLink>(page, &[]).await), "/settings/security");
    assert_eq!(links(&app).await, 1);
    mail_about(&app, "vera@example.com", "You can sign in with Other now").await;
    let elsewhere = app.browser();
    assert_eq!(location(&come(&app, &elsewhere).await), "/home");
    let owner: uuid::Uuid = sqlx::query_scalar("select account_id from linked_sign_ins").fetch_one(&app.ctx.db).await.unwrap();
    assert_eq!(owner, vera.uuid());
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r15_r16_known_and_unknown_addresses_are_answered_alike_and_cost_the_same(db: PgPool) {
    let (log, _guard) = Log::keep("info,sqlx=debug");
    let (app, other) = start(db, |_| {}).await;
    app.account("known@example.com", "Known", "developer").await;
    let mut answers = Vec::new();
    for (number, email) in ["known@example.com", "fresh@example.com"].into_iter().enumerate() {
        other.user(|user| (user.sub, user.email) = (format!("user-{number}"), Some(email.to_owned())));
        let answer = come(&app, &app.browser()).await;
        let statements = statements(&log, &answer);
        assert!(statements.iter().any(|words| words.starts_with("insert into jobs")), "{statements:?}");
        answers.push((statements, seen(answer, email).await));
    }
    assert_eq!(answers[0], answers[1]);
    assert_eq!(links(&app).await, 1, "of the new one alone");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_trusted_proof_of_the_address_links_and_is_told(db: PgPool) {
    let (app, _other) = trusting(db).await;
    app.account("vera@example.com", "Vera", "developer").await;
    assert_eq!(location(&come(&app, &app.browser()).await), "/home");
    assert_eq!((links(&app).await, count(&app, "select count(*) from accounts").await), (1, 1));
    let mail = mail_about(&app, "vera@example.com", "You can sign in with Other now").await;
    assert!(flat(&mail).contains("If it wasn't you, set a new password now"), "{}", mail.text);
    assert_eq!(count(&app, "select count(*) from events where kind = 'sign_in.linked'").await, 1);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn without_an_address_there_is_no_account(db: PgPool) {
    let (app, other) = trusting(db).await;
    other.user(|user| user.email = None);
    let browser = app.browser();
    assert_eq!(location(&come(&app, &browser).await), "/sign-in?next=%2Fsettings%2Fsecurity%2Flink");
    assert!(browser.page("/sign-in").await.contains("Other is not linked to an account here yet"));
    assert_eq!(count(&app, "select count(*) from accounts").await, 0);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn sign_up_is_closed_to_others_where_it_is_closed_or_not_theirs(db: PgPool) {
    let (app, _other) = start(db, |settings| (settings.trusts_email, settings.allow_sign_up) = (true, false)).await;
    let browser = app.browser();
    assert!(!browser.page("/sign-up").await.contains("Continue with Other") && browser.page("/sign-in").await.contains("Continue with Other"));
    let answer = come(&app, &browser).await;
    refused(&browser, answer, 409, "create an account here this way").await;
    assert_eq!(count(&app, "select count(*) from accounts").await, 0);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn an_invitation_counts_for_who_comes_by_a_provider_too(db: PgPool) {
    let other = TestProvider::start().await;
    let mut settings = other.settings("other");
    settings.trusts_email = true;
    let app = TestApp::start_with(db, |config| (config.auth.sign_up, config.sign_in.providers) = (SignUpMode::Invite, vec![settings])).await;
    let browser = app.browser();
    let answer = come(&app, &browser).await;
    refused(&browser, answer, 409, "create an account here this way").await;
    let invite = create_invite(&app.ctx, &Caller::cli(), 1, Duration::HOUR).await.unwrap();
    browser.get(invite.strip_prefix(&app.base).unwrap()).await;
    assert_eq!(location(&come(&app, &browser).await), "/home");
    assert_eq!(count(&app, "select uses_left::bigint from invites").await, 0, "it is used");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn s92_an_invitation_for_another_address_lets_in_nobody_by_a_provider(db: PgPool) {
    let other = TestProvider::start().await;
    let mut settings = other.settings("other");
    settings.trusts_email = true;
    let app = TestApp::start_with(db, |config| (config.auth.sign_up, config.sign_in.providers) = (SignUpMode::Invite, vec![settings])).await;
    invite_address(&app.ctx, &Caller::cli(), "mara@example.com", Duration::HOUR).await.unwrap();
    let browser = app.browser();
    browser.get(crate::support::mailbox::link(&app.mail_to("mara@example.com").await, "/sign-up")).await;
    let answer = come(&app, &browser).await;
    refused(&browser, answer, 409, "only works with the address it was sent to").await;
    assert_eq!(count(&app, "select uses_left::bigint from invites").await, 1, "it is not used up");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn s62_the_second_factor_is_asked_all_the_same(db: PgPool) {
    let (app, _other) = trusting(db).await;
    let browser = app.browser();
    come(&app, &browser).await;
    let phone = set_up(&app, &browser).await;
    let again = app.browser();
    assert_eq!(location(&come(&app, &again).await), "/sign-in/code");
    assert!(!again.is_signed_in().await, "S62: no way around it");
    let typed = phone.code(&app);
    assert_eq!(location(&give_code(&again, &typed).await), "/home");
    assert!(again.is_signed_in().await);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn s62_an_account_with_a_second_factor_is_not_linked_by_its_address(db: PgPool) {
    let (app, other) = trusting(db).await;
    let (vera, _phone) = with_app(&app, "developer").await;
    other.user(|user| user.email = Some(vera.email.clone()));
    let thief = app.browser();
    assert_eq!(location(&come(&app, &thief).await), "/sign-in?next=%2Fsettings%2Fsecurity%2Flink");
    assert_eq!(links(&app).await, 0);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn an_operator_may_let_the_provider_stand_for_the_second_factor(db: PgPool) {
    let (app, _other) = start(db, |settings| (settings.trusts_email, settings.replaces_second_factor) = (true, true)).await;
    let browser = app.browser();
    come(&app, &browser).await;
    set_up(&app, &browser).await;
    let again = app.browser();
    assert_eq!(location(&come(&app, &again).await), "/home");
    assert!(again.is_signed_in().await);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r28_who_is_banned_or_left_does_not_come_in_by_a_provider(db: PgPool) {
    let (app, _other) = trusting(db).await;
    let browser = app.browser();
    come(&app, &browser).await;
    let id: uuid::Uuid = sqlx::query_scalar("select id from accounts").fetch_one(&app.ctx.db).await.unwrap();
    let account = AccountId::new(id);
    ban_account(&app.ctx, &Caller::cli(), &Visitor::terminal(), account, Term { reason: "sold keys", until: None }).await.unwrap();
    let answer = come(&app, &browser).await;
    refused(&browser, answer, 403, "This account is banned: sold keys.").await;

    unban_account(&app.ctx, &Caller::cli(), &Visitor::terminal(), account).await.unwrap();
    let caller = app.caller_in_a_browser(account).await;
    leaving::deactivate(&app.ctx, &caller, &Visitor::terminal(), None).await.unwrap();
    assert_eq!(location(&come(&app, &browser).await), "/come-back");
    browser.post::<api::ComeBack>("/come-back", &[]).await;
    assert_eq!(location(&come(&app, &browser).await), "/home");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r16_a_password_for_an_account_without_one_is_wrong_and_costs_the_same(db: PgPool) {
    let (app, _other) = trusting(db).await;
    come(&app, &app.browser()).await;
    let passwords = Passwords::of(&app.ctx).unwrap();
    let mut said = Vec::new();
    for email in ["vera@example.com", "nobody@example.com"] {
        let before = passwords.runs();
        let answer = app.browser().sign_in(email, PASSWORD).await;
        assert_eq!((answer.status().as_u16(), passwords.runs() - before), (422, 1), "{email}");
        said.push(seen(answer, email).await);
    }
    assert_eq!(said[0], said[1]);
}
