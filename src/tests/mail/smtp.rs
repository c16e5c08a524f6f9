//! Over SMTP: what arrives, and what a server's mood does to the job.

use super::{ctx, ended, enqueue, run_due};
use crate::support::smtp::{Mood, SmtpServer};
use sqlx::PgPool;
use std::time::Duration;
use tollgate::platform::{Ctx, config::Config, mail::Mailer};

const PATIENCE: Duration = Duration::from_secs(20);

async fn with(db: PgPool, mood: Mood) -> (Ctx, SmtpServer) {
    let server = SmtpServer::start(mood).await;
    let ctx = ctx(db, Mailer::smtp(&server.url(), PATIENCE).unwrap());
    (ctx, server)
}

/// To the time of the next try.
fn later(ctx: &Ctx) {
    ctx.clock.advance(time::Duration::hours(2));
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_mail_arrives_with_both_versions_and_the_headers_that_matter(db: PgPool) {
    let (ctx, server) = with(db, Mood::Accept).await;
    let id = enqueue(&ctx, "Mara@example.com", "Bestätige — your address").await;
    assert_eq!(run_due(&ctx).await, 1);
    assert_eq!(ended(&ctx, id).await.0, "done");
    let [mail] = &server.received()[..] else { panic!("{:?}", server.received()) };
    assert_eq!((mail.from.as_str(), &mail.to[..]), ("no-reply@localhost", &["Mara@example.com".to_owned()][..]));
    assert_eq!(mail.header("Date").unwrap(), "Fri, 20 Nov 2026 12:00:00 +0000");
    assert_eq!(mail.header("Auto-Submitted").unwrap(), "auto-generated");
    assert_eq!(mail.header("From").unwrap(), "Tollgate <no-reply@localhost>");
    let message_id = mail.header("Message-ID").unwrap();
    assert!(message_id.starts_with(&format!("<{}-", id.uuid().simple())) && message_id.ends_with("@gate.example.com>"), "{message_id}");
    assert!(mail.header("Content-Type").unwrap().starts_with("multipart/alternative"));
    assert!(mail.header("Subject").unwrap().starts_with("=?utf-8?"));
    let link = "https://gate.example.com/verify-email?token=tok_0123456789&mail=mara%2Bx%40example.com";
    assert!(mail.part("text/plain").contains(&format!("\n{link}\n")), "{}", mail.part("text/plain"));
    assert!(mail.part("text/html").contains(&format!("href=\"{}\"", link.replace('&', "&amp;"))), "{}", mail.part("text/html"));
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn s15_a_refusal_for_now_is_tried_again_until_it_is_taken(db: PgPool) {
    let (ctx, server) = with(db, Mood::Refuse("RCPT", "451 4.7.1 greylisted, come back later")).await;
    let id = enqueue(&ctx, "mara@example.com", "Hello").await;
    for (tries, mood) in [(1, Mood::Refuse(".", "452 4.3.1 disk full")), (2, Mood::Refuse("MAIL", "421 4.3.2 closing")), (3, Mood::Accept)] {
        run_due(&ctx).await;
        assert_eq!((ended(&ctx, id).await.0.as_str(), ended(&ctx, id).await.1), ("waiting", tries), "{}", ended(&ctx, id).await.2);
        server.set(mood);
        later(&ctx);
    }
    run_due(&ctx).await;
    assert_eq!((ended(&ctx, id).await.0.as_str(), server.received().len()), ("done", 1));
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_refusal_for_good_is_a_dead_letter_at_once(db: PgPool) {
    let (ctx, server) = with(db, Mood::Refuse("RCPT", "550 5.1.1 no such user")).await;
    let id = enqueue(&ctx, "nobody@example.com", "Hello").await;
    run_due(&ctx).await;
    let (state, attempts, error) = ended(&ctx, id).await;
    assert_eq!((state.as_str(), attempts), ("failed", 1));
    assert!(error.contains("550") && error.contains("no such user"), "an operator reads why: {error}");
    assert_eq!(server.received().len(), 0);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_wrong_password_for_the_mail_server_loses_no_mail(db: PgPool) {
    let server = SmtpServer::start(Mood::Refuse("AUTH", "535 5.7.8 bad credentials")).await;
    let ctx = ctx(db, Mailer::smtp(&format!("smtp://tollgate:p%40ss@127.0.0.1:{}", server.port), PATIENCE).unwrap());
    let id = enqueue(&ctx, "mara@example.com", "Hello").await;
    run_due(&ctx).await;
    let (state, _, error) = ended(&ctx, id).await;
    assert_eq!(state, "waiting");
    assert!(error.contains("535") && !error.contains("p@ss"), "{error}");
    server.set(Mood::Accept);
    later(&ctx);
    run_due(&ctx).await;
    assert_eq!((ended(&ctx, id).await.0.as_str(), server.received().len()), ("done", 1));
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_slow_server_gets_its_mail_once(db: PgPool) {
    let (ctx, server) = with(db, Mood::Slow(Duration::from_millis(150))).await;
    let id = enqueue(&ctx, "mara@example.com", "Hello").await;
    run_due(&ctx).await;
    assert_eq!((ended(&ctx, id).await.0.as_str(), server.received().len()), ("done", 1));
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_server_that_never_answers_or_is_not_there_is_tried_again(db: PgPool) {
    let server = SmtpServer::start(Mood::Mute).await;
    let mute = ctx(db.clone(), Mailer::smtp(&server.url(), Duration::from_millis(200)).unwrap());
    let id = enqueue(&mute, "mara@example.com", "Hello").await;
    run_due(&mute).await;
    let (state, _, error) = ended(&mute, id).await;
    assert_eq!(state, "waiting", "{error}");

    let nobody = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port(); // free again at once
    let away = ctx(db, Mailer::smtp(&format!("smtp://127.0.0.1:{nobody}"), PATIENCE).unwrap());
    later(&away);
    run_due(&away).await;
    assert_eq!((ended(&away, id).await.0.as_str(), ended(&away, id).await.1), ("waiting", 2));
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn s96_a_mail_whose_taking_was_not_heard_comes_again_as_the_same_mail(db: PgPool) {
    let (ctx, server) = with(db, Mood::HangUp).await;
    let id = enqueue(&ctx, "mara@example.com", "Hello").await;
    run_due(&ctx).await;
    assert_eq!(ended(&ctx, id).await.0, "waiting");
    server.set(Mood::Accept);
    later(&ctx);
    run_due(&ctx).await;
    assert_eq!(ended(&ctx, id).await.0, "done");
    let ids: Vec<_> = server.received().iter().map(|mail| mail.header("Message-ID").unwrap()).collect();
    assert_eq!(ids.len(), 2);
    assert_eq!(ids[0], ids[1], "the receiving side can tell that it is one mail");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r75_what_people_typed_adds_no_header_and_no_line(db: PgPool) {
    let (ctx, server) = with(db, Mood::Accept).await;
    enqueue(&ctx, "mara@example.com", "Hi\r\nBcc: all@example.com\r\n\r\n.\r\nMAIL FROM:<x@example.com>").await;
    run_due(&ctx).await;
    let [mail] = &server.received()[..] else { panic!("{:?}", server.received()) };
    assert_eq!(mail.header("Bcc"), None);
    assert_eq!(mail.to, ["mara@example.com"]);
    assert!(mail.header("Subject").unwrap().starts_with("Hi Bcc: all@example.com ."), "{:?}", mail.header("Subject"));
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_domain_with_umlauts_is_written_to_in_ascii(db: PgPool) {
    let (ctx, server) = with(db, Mood::Accept).await;
    enqueue(&ctx, "mara@exämple.de", "Hello").await;
    run_due(&ctx).await;
    assert_eq!(server.received()[0].to, ["mara@xn--exmple-cua.de"]);
}

#[test]
fn a_configuration_that_cannot_send_refuses_the_start() {
    let with = |url: Option<&str>, from: &str| {
        let mut config = Config::development("unused".into());
        config.mail.smtp_url = url.map(Into::into);
        from.clone_into(&mut config.mail.from);
        Mailer::from_config(&config).map(|mailer| mailer.is_smtp()).map_err(|error| error.to_string())
    };
    assert_eq!(with(None, "Tollgate <no-reply@example.com>"), Ok(false));
    // An SMTP client wants a runtime; these are refused before.
    assert!(with(Some("http://mail.example.com"), "Tollgate <no-reply@example.com>").unwrap_err().starts_with("TOLLGATE_SMTP_URL"));
    assert!(with(Some("smtp://user:secret word@"), "no-reply@example.com").is_err_and(|words| !words.contains("secret")));
    assert!(with(None, "no-reply@example.com\r\nBcc: x@example.com").unwrap_err().starts_with("TOLLGATE_MAIL_FROM"));
}
