//! The mails that warn, word by word, with names and reasons that would like to be more than text (S98).

use crate::support::{T0, TestApp, browser::PASSWORD};
use sqlx::PgPool;
use time::Duration;
use tollgate::{
    accounts::{
        Caller,
        server::{Term, Visitor, ban_account, unban_account},
    },
    platform::mail::SentMail,
    values::AccountId,
};

/// Vera, who reads in Berlin.
async fn vera(app: &TestApp) -> AccountId {
    let vera = app.account("vera@example.com", "Vera <b>Holm", "developer").await;
    sqlx::raw_sql("update accounts set time_zone = 'Europe/Berlin'").execute(&app.ctx.db).await.unwrap();
    vera
}

/// A mail as everybody gets it: without the port of this test and the secret of its link.
fn plain(app: &TestApp, text: &str) -> String {
    let text = text.replace(&app.base, "https://gate.example.com");
    let mut parts = text.split("token=");
    let begin = parts.next().unwrap().to_owned();
    parts.fold(begin, |said, part| said + "token=TOKEN" + part.trim_start_matches(|c: char| c.is_ascii_hexdigit()))
}

fn is_only_ours(app: &TestApp, mail: &SentMail) {
    for link in mail.text.split_whitespace().filter(|word| word.starts_with("http")) {
        assert!(link.starts_with(&app.base), "{link}");
    }
    assert!(!mail.html.contains("<b>Holm") && !mail.html.contains("<script>"), "S98");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn t06_a_ban_and_its_end_are_told_by_mail(db: PgPool) {
    let app = TestApp::start_with(db, |config| config.mail.contact = "support@example.com".to_owned()).await;
    let vera = vera(&app).await;
    let from = Visitor { address: "192.0.2.1".parse().unwrap(), device: String::new() };
    let term = Term { reason: "Sent <script>spam</script>", until: Some(T0 + Duration::days(7)) };
    ban_account(&app.ctx, &Caller::cli(), &from, vera, term).await.unwrap();
    let mail = app.mail_to("vera@example.com").await;
    is_only_ours(&app, &mail);
    insta::assert_snapshot!("banned_text", plain(&app, &mail.text));
    insta::assert_snapshot!("banned_html", plain(&app, &mail.html));
    unban_account(&app.ctx, &Caller::cli(), &from, vera).await.unwrap();
    insta::assert_snapshot!("lifted_text", plain(&app, &app.mail_to("vera@example.com").await.text));

    ban_account(&app.ctx, &Caller::cli(), &from, vera, Term { reason: "again", until: Some(T0 + Duration::hours(1)) }).await.unwrap();
    app.ctx.clock.advance(Duration::hours(1));
    tollgate::accounts::server::end_bans(&app.ctx).await.unwrap();
    let mail = app.mail_to("vera@example.com").await;
    assert!(mail.text.contains("The ban of your account has ended."), "{}", mail.text);
    // A second delivery of every job says nothing new that is untrue.
    sqlx::raw_sql("update jobs set state = 'waiting', finished_at = null").execute(&app.ctx.db).await.unwrap();
    app.run_jobs().await;
    assert_eq!(app.mails().last().unwrap().subject, "Your account is no longer banned");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r25_the_mail_about_a_new_device_says_what_when_where_and_what_to_do(db: PgPool) {
    let app = TestApp::start(db).await;
    vera(&app).await;
    app.browser().sign_in("vera@example.com", PASSWORD).await;
    app.ctx.clock.advance(Duration::hours(1));
    app.browser().sign_in("vera@example.com", PASSWORD).await;
    let mail = app.mail_to("vera@example.com").await;
    is_only_ours(&app, &mail);
    insta::assert_snapshot!("new_device_text", plain(&app, &mail.text));
    insta::assert_snapshot!("new_device_html", plain(&app, &mail.html));
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn f02_the_mail_about_a_lock_says_that_nobody_came_in(db: PgPool) {
    let app = TestApp::start(db).await;
    vera(&app).await;
    for _ in 0..9 {
        app.browser().sign_in("vera@example.com", "not the right one at all").await;
        app.ctx.clock.advance(Duration::seconds(40));
    }
    let mail = app.mail_to("vera@example.com").await;
    is_only_ours(&app, &mail);
    insta::assert_snapshot!("locked_text", plain(&app, &mail.text));
}
