//! Signing up: the same answer for every address, one account per address, nothing left behind by half a sign-up.

use super::{count, seen, sign_up, unproven};
use crate::support::{
    TestApp,
    browser::{PASSWORD, location},
    mailbox::link,
};
use sqlx::PgPool;
use tollgate::{
    accounts::{
        api,
        server::{create_invite, jobs::ForgetExpired},
    },
    platform::{config::SignUpMode, jobs::Job},
};

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn s2_s3_a_taken_address_gets_the_same_answer_and_its_owner_a_mail(db: PgPool) {
    let app = TestApp::start(db).await;
    app.account("known@example.com", "Kira", "developer").await;
    let (known, unknown) = (app.browser(), app.browser());
    let answers = [
        seen(sign_up(&known, "known@example.com", "Mallory", PASSWORD).await, "known@example.com").await,
        seen(sign_up(&unknown, "fresh@example.com", "Mallory", PASSWORD).await, "fresh@example.com").await,
    ];
    assert_eq!(answers[0], answers[1]);
    let pages = [seen(known.get("/verify-email").await, "known@example.com").await, seen(unknown.get("/verify-email").await, "fresh@example.com").await];
    assert_eq!(pages[0], pages[1]);

    assert_eq!(app.mail_to("fresh@example.com").await.subject, "Confirm your email");
    let mail = app.mail_to("known@example.com").await;
    assert_eq!(mail.subject, "You already have an account");
    assert!(!mail.text.contains("token="), "{}", mail.text);
    assert_eq!(location(&app.browser().sign_in("known@example.com", PASSWORD).await), "/home", "nothing was changed");
    assert_eq!(count(&app, "select count(*) from accounts where name = 'Kira'").await, 1);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn s4_case_and_spaces_make_no_other_address(db: PgPool) {
    let app = TestApp::start(db).await;
    app.account("known@example.com", "Kira", "developer").await;
    assert_eq!(sign_up(&app.browser(), "  KNOWN@Example.COM ", "Mallory", PASSWORD).await.status(), 303);
    app.run_jobs().await;
    assert_eq!(count(&app, "select count(*) from accounts").await, 1);
    assert_eq!(app.mails().last().unwrap().to, "known@example.com", "R59: mail goes to the address that is kept");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn s73_a_homoglyph_is_another_address(db: PgPool) {
    let app = TestApp::start(db).await;
    app.account("mike@example.com", "Mike", "developer").await;
    sign_up(&app.browser(), "mıke@example.com", "Mallory", PASSWORD).await;
    assert_eq!(count(&app, "select count(*) from accounts").await, 2);
    app.run_jobs().await;
    assert!(app.mails().iter().all(|mail| mail.to == "mıke@example.com"));
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn s73_what_nobody_sees_makes_no_address_and_no_name(db: PgPool) {
    let app = TestApp::start(db).await;
    for (email, name, said) in [
        ("mi\u{200b}ke@example.com", "Mike", "nobody sees"),
        ("mike@example.com\u{feff}", "Mike", "nobody sees"),
        ("mike@example.com", "ekiM\u{202e}", "the direction of writing"),
        ("mike@example.com", "\u{200b}\u{200b}", "This name is invisible"),
        ("mike@example.com", "\u{3164} \u{fe0f}", "This name is invisible"),
    ] {
        let refused = sign_up(&app.browser(), email, name, PASSWORD).await;
        assert_eq!(refused.status(), 422, "{email:?} {name:?}");
        assert!(refused.text().await.unwrap().contains(said), "{email:?} {name:?}");
    }
    assert_eq!(count(&app, "select count(*) from accounts").await, 0);
    for (email, name) in [("ziba@example.com", "\u{645}\u{6cc}\u{200c}\u{622}\u{6cc}\u{62f}"), ("team@example.com", "\u{1f468}\u{200d}\u{1f469}")] {
        assert_eq!(sign_up(&app.browser(), email, name, PASSWORD).await.status(), 303, "needed between letters: {name}");
    }
    // Whoever has such an address from before goes on with it.
    app.account("mi\u{200d}ke@example.com", "Mike", "developer").await;
    assert_eq!(location(&app.browser().sign_in("mi\u{200d}ke@example.com", PASSWORD).await), "/home");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn s8_passwords_are_refused_with_the_reason_beside_the_field(db: PgPool) {
    let app = TestApp::start(db).await;
    for (password, reason) in [
        ("", "Enter a password."),
        ("too short", "Use at least 15 characters: this has 9."),
        ("passwordpassword", "This password is too common"),
        ("lindqvist over the harbour", "Leave “lindqvist” out"),
        ("reef ".repeat(60).as_str(), "at most 256 characters"),
    ] {
        let answer = sign_up(&app.browser(), "mara@nordlicht.example", "Mara Lindqvist", password).await;
        assert_eq!(answer.status(), 422, "{password}");
        let page = answer.text().await.unwrap();
        assert!(page.contains(reason), "{password}: {page}");
        assert!(page.contains("value=\"mara@nordlicht.example\"") && page.contains("aria-invalid=\"true\""), "what was typed stays");
        assert!(password.is_empty() || !page.contains(password), "but never the password");
        assert!(page.contains("<title>Error: Create account"), "{page}");
    }
    assert_eq!(count(&app, "select count(*) from accounts").await, 0);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn bad_input_is_refused_field_by_field_and_shown_as_text(db: PgPool) {
    let app = TestApp::start(db).await;
    let answer = sign_up(&app.browser(), "<script>alert(1)</script>", &"x".repeat(81), "short").await;
    assert_eq!(answer.status(), 422);
    let page = answer.text().await.unwrap();
    assert!(page.contains("There is no @ in this address") && page.contains("at most 80 characters"), "{page}");
    assert!(!page.contains("<script>alert"), "R74");
    for name in ["\u{0}", "a\u{7}b"] {
        assert_eq!(sign_up(&app.browser(), "mara@example.com", name, PASSWORD).await.status(), 422, "{name:?}");
    }
    let hostile = "Robert'); drop table accounts;-- <b>";
    assert_eq!(sign_up(&app.browser(), "mara@example.com", hostile, PASSWORD).await.status(), 303);
    let mail = app.mail_to("mara@example.com").await;
    assert!(!mail.html.contains("<b>") && mail.html.contains("&lt;b&gt;"), "S98");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn without_a_name_it_is_what_stands_before_the_at(db: PgPool) {
    let app = TestApp::start(db).await;
    for (email, name) in [("mara.l@example.com", ""), ("vera@example.com", "   ")] {
        assert_eq!(sign_up(&app.browser(), email, name, PASSWORD).await.status(), 303);
        let kept: String = sqlx::query_scalar("select name from accounts where email = $1").bind(email).fetch_one(&app.ctx.db).await.unwrap();
        assert_eq!(kept, email.split('@').next().unwrap());
    }
    assert_eq!(sign_up(&app.browser(), "@example.com", "", PASSWORD).await.status(), 422);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r57_a_sign_up_that_nobody_proves_is_forgotten_after_a_week(db: PgPool) {
    let app = TestApp::start(db).await;
    let owner = app.sign_in_as("developer").await;
    sign_up(&app.browser(), "never@example.com", "Nia", PASSWORD).await;
    let forget = async || ForgetExpired::default().run(&app.ctx).await.unwrap();
    app.ctx.clock.advance(time::Duration::days(6));
    forget().await;
    assert_eq!(count(&app, "select count(*) from accounts").await, 2);
    app.ctx.clock.advance(time::Duration::days(3));
    forget().await;
    assert_eq!(count(&app, "select count(*) from accounts").await, 1, "{} stays", owner.email);
    assert_eq!(count(&app, "select (select count(*) from auth_tokens) + (select count(*) from attempt_counters)").await, 0);
    assert_eq!(sign_up(&app.browser(), "never@example.com", "Nia", PASSWORD).await.status(), 303);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn s12_sign_up_may_be_closed(db: PgPool) {
    let app = TestApp::start_with(db, |c| c.auth.sign_up = SignUpMode::Closed).await;
    let answer = sign_up(&app.browser(), "mara@example.com", "Mara", PASSWORD).await;
    assert_eq!(answer.status(), 409);
    assert!(app.browser().page("/sign-up").await.contains("Sign-up is closed"));
    assert!(!app.browser().page("/sign-in").await.contains("Create an account"));
    assert_eq!(count(&app, "select count(*) from accounts").await, 0);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn s12_an_invitation_lets_in_as_often_as_it_says_and_as_long(db: PgPool) {
    let app = TestApp::start_with(db, |c| c.auth.sign_up = SignUpMode::Invite).await;
    assert_eq!(sign_up(&app.browser(), "a@example.com", "Ada", PASSWORD).await.status(), 409);
    let cli = tollgate::accounts::Caller::cli();
    let invite = create_invite(&app.ctx, &cli, 2, time::Duration::days(7)).await.unwrap();
    let path = invite.strip_prefix(&app.base).unwrap();

    let guest = app.browser();
    assert!(guest.page("/sign-up").await.contains("You need an invitation"));
    assert_eq!(location(&guest.get(path).await), "/sign-up");
    assert!(guest.page("/sign-up").await.contains("name=\"password\""));
    // Two at once for one place: one comes in, whether or not the address is known.
    let other = app.browser();
    other.get(path).await;
    assert_eq!(sign_up(&guest, "a@example.com", "Ada", PASSWORD).await.status(), 303);
    assert!(guest.page("/verify-email").await.contains("use another address"), "there is another place");
    let (x, y) = tokio::join!(sign_up(&guest, "b@example.com", "Bea", PASSWORD), sign_up(&other, "c@example.com", "Cid", PASSWORD));
    let mut statuses = [x.status().as_u16(), y.status().as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [303, 409]);
    assert_eq!(count(&app, "select count(*) from accounts").await, 2);
    let page = guest.page("/verify-email").await;
    assert!(!page.contains("use another address") && page.contains("ask for another invitation"), "no way leads to a closed door: {page}");

    let late = create_invite(&app.ctx, &cli, 1, time::Duration::days(7)).await.unwrap();
    app.ctx.clock.advance(time::Duration::days(8));
    let guest = app.browser();
    guest.get(late.strip_prefix(&app.base).unwrap()).await;
    assert_eq!(sign_up(&guest, "d@example.com", "Dan", PASSWORD).await.status(), 409);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn s13_two_sign_ups_at_once_make_one_account(db: PgPool) {
    let app = TestApp::start(db).await;
    let (a, b) = (app.browser(), app.browser());
    let (x, y) = tokio::join!(sign_up(&a, "mara@example.com", "Mara", PASSWORD), sign_up(&b, "Mara@example.com", "Mara", PASSWORD));
    assert_eq!((x.status().as_u16(), y.status().as_u16()), (303, 303));
    assert_eq!(count(&app, "select count(*) from accounts").await, 1);
    assert_eq!(count(&app, "select count(*) from workspaces w join workspace_members m on m.workspace_id = w.id and m.account_id = w.personal_of").await, 1);
    assert_eq!(count(&app, "select count(*) from account_roles where role = 'developer'").await, 1);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn s14_what_fails_half_way_leaves_nothing(db: PgPool) {
    let app = TestApp::start(db).await;
    sqlx::raw_sql("alter table jobs add constraint broken check (kind <> 'accounts.send_verification')").execute(&app.ctx.db).await.unwrap();
    let answer = sign_up(&app.browser(), "mara@example.com", "Mara", PASSWORD).await;
    assert_eq!(answer.status(), 500);
    assert!(answer.text().await.unwrap().contains("request id"));
    assert_eq!(count(&app, "select (select count(*) from accounts) + (select count(*) from workspaces) + (select count(*) from events)").await, 0);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn s28_who_signs_up_with_anothers_address_does_not_keep_the_owner_out(db: PgPool) {
    let app = TestApp::start(db).await;
    unproven(&app, "victim@example.com").await;
    let planted = app.mail_to("victim@example.com").await;
    let victim = app.browser();
    let theirs = "gate keeper sings at noon";
    assert_eq!(sign_up(&victim, "victim@example.com", "Victim", theirs).await.status(), 303);
    // The proof of the first sign-up died with it, even before the new mail is written.
    let early = app.browser();
    early.get(link(&planted, "/verify-email")).await;
    assert_eq!(early.post::<api::VerifyEmail>("/verify-email", &[]).await.status(), 422);

    let mail = app.mail_to("victim@example.com").await;
    victim.get(link(&mail, "/verify-email")).await;
    assert_eq!(location(&victim.post::<api::VerifyEmail>("/verify-email", &[]).await), "/sign-in");
    assert_eq!(app.browser().sign_in("victim@example.com", PASSWORD).await.status(), 422, "the first password is nobody's");
    assert_eq!(location(&victim.sign_in("victim@example.com", theirs).await), "/home");
    assert_eq!(count(&app, "select count(*) from accounts where name = 'Victim'").await, 1);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn roles_do_not_outlive_an_unproven_account(db: PgPool) {
    let app = TestApp::start(db).await;
    unproven(&app, "mara@example.com").await;
    sqlx::raw_sql("insert into account_roles (account_id, role, granted_at) select id, 'operator', now() from accounts").execute(&app.ctx.db).await.unwrap();
    unproven(&app, "mara@example.com").await;
    assert_eq!(count(&app, "select count(*) from account_roles where role = 'operator'").await, 0);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn the_browsers_time_zone_is_taken_if_it_is_one(db: PgPool) {
    let app = TestApp::start(db).await;
    for (email, zone) in [("a@example.com", "Europe/Berlin"), ("b@example.com", "Mars/Base"), ("c@example.com", "")] {
        app.browser().post::<api::SignUp>("/sign-up", &[("email", email), ("name", "Vera"), ("password", PASSWORD), ("time_zone", zone)]).await;
    }
    let zones: Vec<String> = sqlx::query_scalar("select time_zone from accounts order by email").fetch_all(&app.ctx.db).await.unwrap();
    assert_eq!(zones, ["Europe/Berlin", "UTC", "UTC"]);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn without_javascript_a_time_zone_is_chosen_and_nothing_is_sent_twice(db: PgPool) {
    let app = TestApp::start(db).await;
    let page = app.browser().page("/sign-up").await;
    let plain = page.split("<noscript>").nth(1).and_then(|rest| rest.split("</noscript>").next()).unwrap_or_default();
    assert!(plain.contains("name=\"time_zone\"") && plain.contains("America/New York"), "{page}");
    for path in ["/sign-up", "/sign-in"] {
        let page = app.browser().page(path).await;
        let hidden = page.split("<input").find(|tag| tag.contains("data-time-zone")).unwrap_or_default();
        assert!(hidden.split('>').next().unwrap_or_default().contains("disabled"), "{path}: the script enables it: {page}");
    }
}

/// The zone that an account lives in.
async fn zone(app: &TestApp) -> String {
    sqlx::query_scalar("select time_zone from accounts").fetch_one(&app.ctx.db).await.unwrap()
}

/// Signs in with a browser that tells this zone.
async fn sign_in_from(app: &TestApp, zone: &str) {
    let told = [("email", "mara@example.com"), ("password", PASSWORD), ("time_zone", zone)];
    assert_eq!(location(&app.browser().post::<api::SignIn>("/sign-in", &told).await), "/home");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_sign_in_tells_the_time_zone_that_nobody_chose(db: PgPool) {
    let app = TestApp::start(db).await;
    app.account("mara@example.com", "Mara", "operator").await;
    let changes = async || count(&app, "select count(*) from events where kind = 'account.profile_changed'").await;
    for unknown in ["", "Mars/Base"] {
        sign_in_from(&app, unknown).await;
    }
    app.browser().post::<api::SignIn>("/sign-in", &[("email", "mara@example.com"), ("password", "wrong"), ("time_zone", "Asia/Tokyo")]).await;
    assert_eq!((zone(&app).await.as_str(), changes().await), ("UTC", 0));
    sign_in_from(&app, "Asia/Kolkata").await;
    assert_eq!((zone(&app).await.as_str(), changes().await), ("Asia/Kolkata", 1));
    sign_in_from(&app, "Europe/Berlin").await;
    assert_eq!((zone(&app).await.as_str(), changes().await), ("Asia/Kolkata", 1), "once is enough");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_new_password_by_a_link_tells_the_time_zone_too(db: PgPool) {
    let app = TestApp::start(db).await;
    app.account("mara@example.com", "Mara", "developer").await;
    let browser = app.browser();
    browser.post::<api::ForgotPassword>("/forgot-password", &[("email", "mara@example.com")]).await;
    let mail = app.mail_to("mara@example.com").await;
    browser.get(link(&mail, "/reset-password")).await;
    let set = [("new_password", "another winter reef"), ("time_zone", "Asia/Tokyo")];
    assert_eq!(location(&browser.post::<api::ResetPassword>("/reset-password", &set).await), "/sign-in");
    assert_eq!(zone(&app).await, "Asia/Tokyo");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_time_zone_that_was_chosen_stays_also_where_it_is_utc(db: PgPool) {
    let app = TestApp::start(db).await;
    app.account("mara@example.com", "Mara", "developer").await;
    let browser = app.browser();
    browser.sign_in("mara@example.com", PASSWORD).await;
    browser.post::<api::UpdateProfile>("/settings/profile", &[("name", "Mara"), ("time_zone", "UTC")]).await;
    sign_in_from(&app, "Europe/Berlin").await;
    assert_eq!(zone(&app).await, "UTC");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn s10_a_field_that_nobody_sees_is_answered_like_any_sign_up_and_makes_nothing(db: PgPool) {
    let app = TestApp::start(db).await;
    let browser = app.browser();
    let page = browser.page("/sign-up").await;
    assert!(page.contains("name=\"homepage\"") && page.contains("aria-hidden=\"true\""), "{page}");
    let form = |homepage| [("email", "bot@example.com"), ("name", "Bot"), ("password", PASSWORD), ("homepage", homepage)];
    let caught = browser.post::<api::SignUp>("/sign-up", &form("https://spam.example")).await;
    assert_eq!(location(&caught), "/verify-email");
    app.run_jobs().await;
    assert_eq!((count(&app, "select count(*) from accounts").await, app.mails().len()), (0, 0));
    let person = app.browser().post::<api::SignUp>("/sign-up", &form("")).await;
    assert_eq!(location(&person), "/verify-email");
    assert_eq!(person.headers().len(), caught.headers().len(), "R15: the same answer");
    app.run_jobs().await;
    assert_eq!((count(&app, "select count(*) from accounts").await, app.mails().len()), (1, 1));
}
