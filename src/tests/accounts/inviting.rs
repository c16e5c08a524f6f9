//! Invitations to sign up: for one address or whoever has the link, sent again, cancelled, limited, raced (S92).

use super::{count, sign_up};
use crate::support::{
    TestApp,
    browser::{Browser, PASSWORD, location},
    mailbox::link,
};
use sqlx::PgPool;
use time::Duration;
use tollgate::{
    accounts::{
        Caller,
        api::VerifyEmail,
        server::{MOST_OPEN, RESENT_AFTER, Resent, cancel_invite, create_invite, invite_address, jobs::ForgetExpired, list_invites, resend_invite},
    },
    admin::api,
    boot::worker::registry,
    error::AppError,
    platform::{
        config::SignUpMode,
        crypto::Vault,
        jobs::{Job, run_due},
    },
    values::InviteId,
};

const WEEK: Duration = Duration::days(7);

async fn by_invitation(db: PgPool) -> TestApp {
    TestApp::start_with(db, |c| c.auth.sign_up = SignUpMode::Invite).await
}

/// The newest invitation that was mailed to an address, as a path.
async fn mailed(app: &TestApp, address: &str) -> String {
    link(&app.mail_to(address).await, "/sign-up").to_owned()
}

/// A browser in which a link was opened.
async fn opened(app: &TestApp, path: &str) -> Browser {
    let browser = app.browser();
    assert_eq!(location(&browser.get(path).await), "/sign-up");
    browser
}

async fn comes_in(browser: &Browser, email: &str) -> bool {
    let answer = sign_up(browser, email, "Mara", PASSWORD).await;
    assert!([303, 409, 422].contains(&answer.status().as_u16()), "{}", answer.status());
    answer.status() == 303
}

fn words(error: &AppError) -> String {
    format!("{error:?}")
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn s92_an_address_is_invited_once_however_it_is_written(db: PgPool) {
    let app = by_invitation(db).await;
    let cli = Caller::cli();
    invite_address(&app.ctx, &cli, "mara@example.com", WEEK).await.unwrap();
    for again in ["mara@example.com", "Mara@Example.COM", " MARA@example.com "] {
        let refused = invite_address(&app.ctx, &cli, again, WEEK).await.unwrap_err();
        assert!(words(&refused).contains("is invited already"), "{again}: {refused:?}");
    }
    assert_eq!((app.run_jobs().await, app.mails().len()), (1, 1));
    assert!(comes_in(&opened(&app, &mailed(&app, "mara@example.com").await).await, "MARA@example.com").await, "nor how it is typed there");
    app.account("vera@example.com", "Vera", "developer").await;
    let refused = invite_address(&app.ctx, &cli, "VERA@example.com", WEEK).await.unwrap_err();
    assert!(words(&refused).contains("has an account already"), "{refused:?}");
    assert!(invite_address(&app.ctx, &cli, "nobody", WEEK).await.is_err());
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn s92_an_expired_one_lets_in_nobody_and_another_one_may_be_made(db: PgPool) {
    let app = by_invitation(db).await;
    let cli = Caller::cli();
    invite_address(&app.ctx, &cli, "mara@example.com", WEEK).await.unwrap();
    let old = mailed(&app, "mara@example.com").await;
    app.ctx.clock.advance(WEEK);
    let browser = opened(&app, &old).await;
    assert!(browser.page("/sign-up").await.contains("This invitation works no more"));
    assert!(!comes_in(&browser, "mara@example.com").await);
    invite_address(&app.ctx, &cli, "mara@example.com", WEEK).await.unwrap();
    assert_eq!(list_invites(&app.ctx, &cli, true).await.unwrap().len(), 1);
    assert!(!comes_in(&browser, "mara@example.com").await, "the old link stays dead");
    assert!(comes_in(&opened(&app, &mailed(&app, "mara@example.com").await).await, "mara@example.com").await);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn s92_a_cancelled_one_lets_in_nobody_and_its_mail_is_not_sent(db: PgPool) {
    let app = by_invitation(db).await;
    let cli = Caller::cli();
    let invite = invite_address(&app.ctx, &cli, "mara@example.com", WEEK).await.unwrap();
    let path = mailed(&app, "mara@example.com").await;
    let browser = opened(&app, &path).await;
    assert!(browser.page("/sign-up").await.contains("Your invitation only works with"));
    for _ in 0..2 {
        cancel_invite(&app.ctx, &cli, invite.id).await.unwrap();
    }
    assert_eq!(count(&app, "select count(*) from events where kind = 'invite.cancelled'").await, 1, "sent twice it is done once");
    assert!(!comes_in(&browser, "mara@example.com").await);
    assert!(words(&resend_invite(&app.ctx, &cli, invite.id).await.unwrap_err()).contains("was cancelled"));

    let other = invite_address(&app.ctx, &cli, "mara@example.com", WEEK).await.unwrap();
    cancel_invite(&app.ctx, &cli, other.id).await.unwrap();
    let before = app.mails().len();
    app.run_jobs().await;
    assert_eq!(app.mails().len(), before, "it was cancelled before the mail went");
    let id: InviteId = app.ctx.new_id();
    assert_eq!(cancel_invite(&app.ctx, &cli, id).await, Err(AppError::NotFound));
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn s92_one_that_was_sent_again_works_by_the_newest_link_alone(db: PgPool) {
    let app = by_invitation(db).await;
    let cli = Caller::cli();
    let invite = invite_address(&app.ctx, &cli, "mara@example.com", WEEK).await.unwrap();
    let first = mailed(&app, "mara@example.com").await;
    assert!(matches!(resend_invite(&app.ctx, &cli, invite.id).await.unwrap(), Resent::TooSoon { ago: 0, .. }));
    assert_eq!(app.run_jobs().await, 0, "asked for twice at once it is mailed once");
    app.ctx.clock.advance(Duration::days(6));
    let again = resend_invite(&app.ctx, &cli, invite.id).await.unwrap();
    assert_eq!(again.invite().expires_at, app.ctx.clock.now() + WEEK, "a week from now on");
    let second = mailed(&app, "mara@example.com").await;
    assert_ne!(first, second);
    assert!(!comes_in(&opened(&app, &first).await, "mara@example.com").await);
    assert!(comes_in(&opened(&app, &second).await, "mara@example.com").await);
    assert!(words(&resend_invite(&app.ctx, &cli, invite.id).await.unwrap_err()).contains("was used"));
    assert!(words(&cancel_invite(&app.ctx, &cli, invite.id).await.unwrap_err()).contains("was used"));
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn s92_one_that_was_just_mailed_says_so_and_when_it_may_be_mailed_again(db: PgPool) {
    let app = by_invitation(db).await;
    let operator = app.sign_in_as("operator").await;
    let page = "/admin/invites";
    let invite = invite_address(&app.ctx, &Caller::cli(), "mara@example.com", WEEK).await.unwrap();
    let first = mailed(&app, "mara@example.com").await;
    let again = async || {
        assert_eq!(location(&operator.browser.post::<api::ResendInvite>(page, &[("id", &invite.id.to_string())]).await), page);
        operator.browser.page(page).await
    };
    app.ctx.clock.advance(Duration::seconds(20));
    let said = again().await;
    assert!(said.contains("Not sent: the last email to mara@example.com was 20 seconds ago."), "{said}");
    assert!(said.contains("You can send it again in 40 seconds.") && !said.contains("We sent"), "{said}");
    app.ctx.clock.advance(RESENT_AFTER - Duration::seconds(21));
    assert!(again().await.contains("You can send it again in 1 second."));
    assert_eq!((app.run_jobs().await, count(&app, "select count(*) from events where kind = 'invite.sent_again'").await), (0, 0), "nothing was done");

    app.ctx.clock.advance(Duration::SECOND);
    assert!(again().await.contains("We sent a new link to mara@example.com."));
    assert_ne!(mailed(&app, "mara@example.com").await, first);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn s92_who_is_not_meant_is_told_and_uses_nothing_up(db: PgPool) {
    let app = by_invitation(db).await;
    let cli = Caller::cli();
    invite_address(&app.ctx, &cli, "mara@example.com", WEEK).await.unwrap();
    let path = mailed(&app, "mara@example.com").await;

    let browser = opened(&app, &path).await;
    let answer = sign_up(&browser, "vera@example.com", "Vera", PASSWORD).await;
    assert_eq!(answer.status(), 422);
    let text = answer.text().await.unwrap();
    assert!(text.contains("only works with the address it was sent to") && text.contains("vera@example.com") && !text.contains("mara@example.com"), "{text}");

    // Somebody who is signed in as someone else, with the right address.
    let vera = app.sign_in_as("developer").await;
    vera.browser.get(&path).await;
    let answer = sign_up(&vera.browser, "mara@example.com", "Mara", PASSWORD).await;
    assert_eq!(answer.status(), 409);
    assert!(answer.text().await.unwrap().contains("You are signed in as"));

    assert_eq!(count(&app, "select uses_left::bigint from invites").await, 1);
    assert_eq!(count(&app, "select count(*) from accounts where email = 'mara@example.com'").await, 0);
    assert!(comes_in(&browser, "mara@example.com").await);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn s92_of_twenty_at_once_one_comes_in(db: PgPool) {
    let app = by_invitation(db).await;
    let cli = Caller::cli();
    let any = create_invite(&app.ctx, &cli, 1, WEEK).await.unwrap();
    invite_address(&app.ctx, &cli, "mara@example.com", WEEK).await.unwrap();
    let bound = mailed(&app, "mara@example.com").await;
    for (path, is_bound) in [(any.strip_prefix(&app.base).unwrap(), false), (bound.as_str(), true)] {
        let mut racers = tokio::task::JoinSet::new();
        for n in 0..20 {
            let browser = opened(&app, path).await;
            let email = if is_bound { "mara@example.com".to_owned() } else { format!("racer{n}@example.com") };
            racers.spawn(async move { sign_up(&browser, &email, "Mara", PASSWORD).await.status().as_u16() });
        }
        let statuses = racers.join_all().await;
        assert_eq!(statuses.iter().filter(|status| **status == 303).count(), 1, "{statuses:?}");
    }
    assert_eq!(count(&app, "select count(*) from accounts").await, 2);
    assert_eq!(count(&app, "select sum(uses_left)::bigint from invites").await, 0);

    let mut inviting = tokio::task::JoinSet::new();
    for n in 0..20 {
        let (ctx, cli) = (app.ctx.clone(), cli.clone());
        let email = if n % 2 == 0 { "vera@example.com" } else { "VERA@example.com" };
        inviting.spawn(async move { invite_address(&ctx, &cli, email, WEEK).await.is_ok() });
    }
    assert_eq!(inviting.join_all().await.into_iter().filter(|is_made| *is_made).count(), 1, "invited once");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn s92_so_many_are_open_at_once_and_no_more(db: PgPool) {
    let app = by_invitation(db).await;
    let cli = Caller::cli();
    sqlx::query(
        "insert into invites (id, token_hash, uses, uses_left, created_at, expires_at)
         select gen_random_uuid(), sha256(n::text::bytea), 1, 1, $1, $2 from generate_series(1, $3) n",
    )
    .bind(app.ctx.clock.now())
    .bind(app.ctx.clock.now() + WEEK)
    .bind(MOST_OPEN - 1)
    .execute(&app.ctx.db)
    .await
    .unwrap();
    let last = invite_address(&app.ctx, &cli, "mara@example.com", WEEK).await.unwrap();
    for refused in [create_invite(&app.ctx, &cli, 1, WEEK).await.err(), invite_address(&app.ctx, &cli, "vera@example.com", WEEK).await.err()] {
        assert!(words(&refused.unwrap()).contains("invitations are open"));
    }
    cancel_invite(&app.ctx, &cli, last.id).await.unwrap();
    create_invite(&app.ctx, &cli, 1, WEEK).await.unwrap();
    for (uses, lives) in [(0, WEEK), (1_001, WEEK), (1, Duration::SECOND), (1, Duration::days(91))] {
        assert!(matches!(create_invite(&app.ctx, &cli, uses, lives).await, Err(AppError::Invalid { .. })), "{uses} {lives}");
    }
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn s92_operators_invite_list_send_again_and_cancel(db: PgPool) {
    let app = by_invitation(db).await;
    let operator = app.sign_in_as("operator").await;
    let browser = &operator.browser;
    let page = "/admin/invites";
    assert!(browser.page(page).await.contains("Nobody is invited"));

    let invite = async |email: &str, uses: &str| browser.post::<api::CreateInvite>(page, &[("email", email), ("uses", uses), ("days", "7")]).await;
    assert_eq!(location(&invite("Mara@example.com", "1").await), page);
    let shown = browser.page(page).await;
    assert!(shown.contains("Mara@example.com") && shown.contains("0 of 1 used") && !shown.contains("sign-up?token="), "{shown}");
    let refused = invite("mara@EXAMPLE.com", "1").await;
    assert_eq!(refused.status(), 422);
    let text = refused.text().await.unwrap();
    assert!(text.contains("is invited already") && text.contains("mara@EXAMPLE.com"), "what was typed stays: {text}");
    assert_eq!(invite("", "many").await.status(), 422);

    // A link to hand on is shown once to who made it.
    assert_eq!(location(&invite("", "3").await), page);
    let shown = browser.page(page).await;
    let link = shown.split("/sign-up?token=").nth(1).and_then(|rest| rest.split(['<', '"']).next()).unwrap().to_owned();
    assert!(comes_in(&opened(&app, &format!("/sign-up?token={link}")).await, "vera@example.com").await);
    assert!(browser.page(page).await.contains("1 of 3 used"));

    let id: String = list_invites(&app.ctx, &Caller::cli(), false).await.unwrap().iter().find(|i| i.email.is_some()).unwrap().id.to_string();
    app.ctx.clock.advance(Duration::minutes(2));
    assert_eq!(location(&browser.post::<api::ResendInvite>(page, &[("id", &id)]).await), page);
    assert_eq!(location(&browser.post::<api::CancelInvite>(page, &[("id", &id)]).await), page);
    browser.page(page).await; // it says once that it is cancelled
    assert!(!browser.page(page).await.contains("Mara@example.com"));
    assert!(browser.page("/admin/invites?over=1").await.contains("cancelled"));
    assert_eq!(browser.post::<api::ResendInvite>(page, &[("id", &id)]).await.status(), 409);

    let developer = app.sign_in_as("developer").await;
    assert_ne!(developer.browser.get(page).await.status(), 200);
    let refused = developer.browser.post::<api::CreateInvite>(page, &[("email", "x@example.com"), ("uses", "1"), ("days", "7")]).await;
    assert_eq!(refused.status(), 403);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_form_that_is_sent_twice_makes_one_link_and_shows_it_both_times(db: PgPool) {
    let app = by_invitation(db).await;
    let operator = app.sign_in_as("operator").await;
    let (browser, page) = (&operator.browser, "/admin/invites");
    let shown = browser.page(page).await;
    let once = shown.split_once("name=\"once\"").unwrap().1.split('"').nth(1).unwrap().to_owned();
    let send = async |uses: &str| browser.post::<api::CreateInvite>(page, &[("email", ""), ("uses", uses), ("days", "7"), ("once", &once)]).await;
    let link = async || {
        let shown = browser.page(page).await;
        shown.split("/sign-up?token=").nth(1).and_then(|rest| rest.split(['<', '"']).next()).unwrap().to_owned()
    };
    assert_eq!(location(&send("3").await), page);
    let first = link().await;
    assert_eq!(location(&send("3").await), page);
    assert_eq!(link().await, first);
    let open = async || list_invites(&app.ctx, &Caller::cli(), false).await.unwrap();
    assert_eq!(open().await.len(), 1);
    assert_eq!(location(&send("4").await), page, "with other words it is another form");
    assert_eq!((open().await.len(), link().await == first), (2, false));
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn s92_a_sign_up_that_is_sent_twice_uses_one_and_is_answered_twice_alike(db: PgPool) {
    let app = by_invitation(db).await;
    let left = async || count(&app, "select sum(uses_left)::bigint from invites").await;
    let one = create_invite(&app.ctx, &Caller::cli(), 1, WEEK).await.unwrap();
    let path = one.strip_prefix(&app.base).unwrap();
    let (browser, other) = (opened(&app, path).await, opened(&app, path).await);
    for time in ["once", "twice"] {
        let answer = sign_up(&browser, "mara@example.com", "Mara", PASSWORD).await;
        assert_eq!(location(&answer), "/verify-email", "{time}");
    }
    assert_eq!((left().await, count(&app, "select count(*) from accounts").await), (0, 1));
    // Nobody else learns by it who came in: neither with that address, nor with another one.
    for email in ["mara@example.com", "vera@example.com"] {
        assert_eq!(sign_up(&other, email, "Mara", PASSWORD).await.status(), 409, "{email}");
    }
    assert!(!comes_in(&browser, "vera@example.com").await, "nor does another address come in from there");

    // At the same time, by a link for several people.
    let three = create_invite(&app.ctx, &Caller::cli(), 3, WEEK).await.unwrap();
    let browser = opened(&app, three.strip_prefix(&app.base).unwrap()).await;
    let (first, second) = tokio::join!(comes_in(&browser, "nora@example.com"), comes_in(&browser, "nora@example.com"));
    assert_eq!((first, second, left().await), (true, true, 2));
    assert!(comes_in(&browser, "ilse@example.com").await);
    assert_eq!((left().await, count(&app, "select count(*) from accounts").await), (1, 3));
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn s92_a_sign_up_that_nobody_proves_gives_back_what_it_used(db: PgPool) {
    let app = by_invitation(db).await;
    app.account("known@example.com", "Kira", "developer").await;
    let two = create_invite(&app.ctx, &Caller::cli(), 2, WEEK).await.unwrap();
    let path = two.strip_prefix(&app.base).unwrap();
    let left = async || count(&app, "select uses_left::bigint from invites").await;
    let accounts = async || count(&app, "select count(*) from accounts").await;
    let forget = async || ForgetExpired::default().run(&app.ctx).await.unwrap();
    let browser = opened(&app, path).await;
    for email in ["mara@exmaple.com", "mara@exmaple.com", "known@example.com"] {
        assert!(comes_in(&browser, email).await, "{email}");
    }
    assert_eq!((left().await, accounts().await), (0, 2));
    assert!(!comes_in(&opened(&app, path).await, "mara@example.com").await);
    app.ctx.clock.advance(Duration::DAY);
    forget().await;
    assert_eq!((left().await, accounts().await), (0, 2), "so long there is to prove it");
    app.ctx.clock.advance(Duration::SECOND);
    forget().await;
    assert_eq!((left().await, accounts().await), (2, 1), "and what an address used that has an account comes back as well: it tells nothing (R15)");

    // Who proves the address has used it for good, however often the form was sent; nor does it come back twice.
    let browser = opened(&app, path).await;
    for time in ["once", "twice"] {
        assert!(comes_in(&browser, "mara@example.com").await, "{time}");
    }
    browser.get(link(&app.mail_to("mara@example.com").await, "/verify-email")).await;
    assert_eq!(location(&browser.post::<VerifyEmail>("/verify-email", &[]).await), "/sign-in");
    app.ctx.clock.advance(Duration::days(2));
    forget().await;
    assert_eq!((left().await, accounts().await, count(&app, "select count(*) from invite_uses").await), (1, 2, 0));
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn s92_of_two_invitations_of_an_address_that_nobody_proved_one_comes_back(db: PgPool) {
    let app = by_invitation(db).await;
    let mut newest = String::new();
    for time in ["once", "twice"] {
        invite_address(&app.ctx, &Caller::cli(), "mara@example.com", WEEK).await.unwrap();
        newest = mailed(&app, "mara@example.com").await;
        assert!(comes_in(&opened(&app, &newest).await, "mara@example.com").await, "{time}");
        app.ctx.clock.advance(Duration::HOUR);
    }
    assert_eq!(count(&app, "select sum(uses_left)::bigint from invites").await, 0);
    app.ctx.clock.advance(Duration::DAY);
    // An address has one open invitation (`invites_by_email`): with both the job would fail, that night and every other one.
    ForgetExpired::default().run(&app.ctx).await.unwrap();
    let left = "select uses_left::bigint from invites order by created_at";
    let left: Vec<i64> = sqlx::query_scalar(left).fetch_all(&app.ctx.db).await.unwrap();
    assert_eq!((left, count(&app, "select count(*) from invite_uses").await), (vec![0, 1], 0), "the newest");
    assert!(comes_in(&opened(&app, &newest).await, "mara@example.com").await);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn s92_whoever_moves_on_to_another_address_leaves_no_room_at_the_old_one(db: PgPool) {
    let app = by_invitation(db).await;
    let link = create_invite(&app.ctx, &Caller::cli(), 1, WEEK).await.unwrap();
    let browser = opened(&app, link.strip_prefix(&app.base).unwrap()).await;
    assert!(comes_in(&browser, "mara@example.com").await);
    sqlx::query("update accounts set email = 'moved@example.com', email_key = 'moved@example.com'").execute(&app.ctx.db).await.unwrap();
    assert!(!comes_in(&browser, "mara@example.com").await, "the invitation was for one");
    assert_eq!(count(&app, "select count(*) from accounts").await, 1);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn s92_what_is_no_address_uses_nothing_up(db: PgPool) {
    let app = by_invitation(db).await;
    let link = create_invite(&app.ctx, &Caller::cli(), 1, WEEK).await.unwrap();
    let browser = opened(&app, link.strip_prefix(&app.base).unwrap()).await;
    for typed in ["mara", "mara.example.com", "@example.com", "mara@", ""] {
        assert_eq!(sign_up(&browser, typed, "Mara", PASSWORD).await.status(), 422, "{typed:?}");
    }
    assert_eq!(count(&app, "select uses_left::bigint from invites").await, 1);
    assert!(comes_in(&browser, "mara@example.com").await);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn s92_the_command_line_invites_lists_and_cancels(db: PgPool) {
    use sqlx::ConnectOptions;
    let folder = crate::support::folder::Folder::new();
    let run = |arguments: &[&str]| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_tollgate"));
        command.arg("invite").args(arguments).arg("--json").current_dir(folder.path()).env_clear();
        command.env("DATABASE_URL", db.connect_options().to_url_lossy().as_str()).output().unwrap()
    };
    let json = |arguments: &[&str]| -> serde_json::Value {
        let output = run(arguments);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    };
    assert_eq!(json(&["create", "--email", "mara@example.com", "--dry-run"])["would"].as_str(), Some("Would invite mara@example.com."), "and nothing is done");
    let made = json(&["create", "--email", "mara@example.com", "--days", "3"]);
    assert_eq!((made["email"].as_str(), made["state"].as_str(), made["uses"].as_u64()), (Some("mara@example.com"), Some("open"), Some(1)));
    assert_eq!(run(&["create", "--email", "MARA@example.com"]).status.code(), Some(2), "invited already");
    assert!(json(&["create", "--uses", "3"])["link"].as_str().unwrap().contains("/sign-up?token="));
    assert_eq!(json(&["list"]).as_array().map(Vec::len), Some(2));
    let id = made["id"].as_str().unwrap();
    assert!(json(&["cancel", id, "--dry-run"])["would"].as_str().unwrap().contains(id));
    assert_eq!(json(&["resend", id])["id"].as_str(), Some(id));
    assert_eq!(json(&["cancel", id])["state"].as_str(), Some("cancelled"));
    assert_eq!(json(&["list", "--over"])[0]["id"].as_str(), Some(id));
    assert_eq!(run(&["cancel", "nonsense"]).status.code(), Some(2));
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r86_an_invitation_is_mailed_by_a_server_whose_current_master_key_is_another_one(db: PgPool) {
    let app = by_invitation(db).await;
    invite_address(&app.ctx, &Caller::cli(), "mara@example.com", WEEK).await.unwrap();
    // Servers get a new key one after the other: this one has it already.
    let mut other = app.ctx.clone();
    other.vault = Vault::with_previous([8; 32], [[7; 32]]);
    run_due(&other, &registry()).await.unwrap();
    assert_eq!(app.mails().len(), 1);
    assert!(comes_in(&opened(&app, &mailed(&app, "mara@example.com").await).await, "mara@example.com").await);
}
