//! A mail server that breaks off, trickles, refuses for ever or says nothing: no mail is lost, and none waits for another.

use super::{ctx, ended, enqueue, letters::written, run_due};
use crate::support::{
    smtp::{Mood, SmtpServer},
    until,
};
use sqlx::PgPool;
use std::time::{Duration, Instant};
use tollgate::{
    admin::server::mail_kinds,
    platform::{
        jobs::{Registry, Runner, Schedules},
        mail::{Mailer, Nature, send},
    },
    values::Language,
};

const PATIENCE: Duration = Duration::from_secs(20);

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_server_that_dies_in_the_middle_of_a_mail_gets_it_again(db: PgPool) {
    let server = SmtpServer::start(Mood::BreakOff).await;
    let ctx = ctx(db, Mailer::smtp(&server.url(), PATIENCE).unwrap());
    let id = enqueue(&ctx, "mara@example.com", "Hello").await;
    run_due(&ctx).await;
    let (state, _, error) = ended(&ctx, id).await;
    assert_eq!((state.as_str(), server.received().len()), ("waiting", 0), "{error}");
    server.set(Mood::Accept);
    ctx.clock.advance(time::Duration::hours(2));
    run_due(&ctx).await;
    assert_eq!((ended(&ctx, id).await.0.as_str(), server.received().len()), ("done", 1));
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_server_that_trickles_longer_than_we_wait_is_tried_again(db: PgPool) {
    // Each answer comes in time; the whole conversation does not.
    let server = SmtpServer::start(Mood::Slow(Duration::from_millis(300))).await;
    let ctx = ctx(db, Mailer::smtp(&server.url(), Duration::from_millis(700)).unwrap());
    let id = enqueue(&ctx, "mara@example.com", "Hello").await;
    let begun = Instant::now();
    run_due(&ctx).await;
    let (state, _, error) = ended(&ctx, id).await;
    assert_eq!(state, "waiting", "{error}");
    assert!(error.contains("took longer than"), "an operator reads why: {error}");
    assert!(begun.elapsed() < PATIENCE, "it waited {:?}", begun.elapsed());
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_mail_that_is_refused_for_good_after_it_was_read_is_a_dead_letter(db: PgPool) {
    let server = SmtpServer::start(Mood::Refuse(".", "554 5.7.1 looks like spam")).await;
    let ctx = ctx(db, Mailer::smtp(&server.url(), PATIENCE).unwrap());
    let id = enqueue(&ctx, "mara@example.com", "Hello").await;
    run_due(&ctx).await;
    let (state, attempts, error) = ended(&ctx, id).await;
    assert_eq!((state.as_str(), attempts), ("failed", 1));
    assert!(error.contains("looks like spam"), "{error}");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_refusal_for_now_that_never_ends_is_a_dead_letter_after_ten_tries(db: PgPool) {
    let server = SmtpServer::start(Mood::Refuse("RCPT", "450 4.2.0 later")).await;
    let ctx = ctx(db, Mailer::smtp(&server.url(), PATIENCE).unwrap());
    let id = enqueue(&ctx, "mara@example.com", "Hello").await;
    for tries in 1..=10 {
        run_due(&ctx).await;
        let (state, attempts, error) = ended(&ctx, id).await;
        assert_eq!((state.as_str(), attempts), (if tries == 10 { "failed" } else { "waiting" }, tries), "{error}");
        ctx.clock.advance(time::Duration::hours(2));
    }
    assert_eq!(run_due(&ctx).await, 0, "it is for an operator to retry");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_mail_that_waits_for_a_mute_server_keeps_no_other_waiting(db: PgPool) {
    let (server, patience) = (SmtpServer::start(Mood::MuteOnce).await, Duration::from_secs(8));
    let ctx = ctx(db, Mailer::smtp(&server.url(), patience).unwrap());
    let mut ids = Vec::new();
    for n in 0..6 {
        ids.push(enqueue(&ctx, &format!("mara{n}@example.com"), "Hello").await);
    }
    let runner = Runner::start(ctx.clone(), Registry::new().register::<super::SendWords>(), Schedules::new(), 2);
    let begun = Instant::now();
    until("all but one have arrived", async || server.received().len() == 5).await;
    assert!(begun.elapsed() < patience, "they waited for the first");
    assert_eq!(server.connections(), 6);
    runner.stop().await; // once it has given up on the mute one
    let mut states = Vec::new();
    for id in ids {
        states.push(ended(&ctx, id).await.0);
    }
    states.sort_unstable();
    assert_eq!(states, ["done", "done", "done", "done", "done", "waiting"], "and that one is tried again");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn s98_r75_no_kind_of_mail_lets_anything_typed_into_its_headers(db: PgPool) {
    let server = SmtpServer::start(Mood::Accept).await;
    let ctx = ctx(db, Mailer::smtp(&server.url(), PATIENCE).unwrap());
    for kind in mail_kinds() {
        for language in Language::ALL {
            for nature in [Nature::Lines, Nature::Long] {
                send(&ctx, &written(kind, language, nature).0).await.unwrap();
            }
        }
    }
    let received = server.received();
    assert_eq!(received.len(), mail_kinds().count() * Language::ALL.len() * 2);
    for mail in received {
        let subject = mail.header("Subject").unwrap();
        assert_eq!((&mail.to[..], mail.header("Bcc")), (&["mara@example.com".to_owned()][..], None), "{subject}");
        let names = ["From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "MIME-Version", "Content-Type"];
        let head = mail.data.split("\r\n\r\n").next().unwrap();
        for line in head.lines().filter(|line| !line.starts_with([' ', '\t'])) {
            let name = line.split(':').next().unwrap();
            assert!(names.iter().any(|known| known.eq_ignore_ascii_case(name)), "{line}");
        }
        assert!(mail.data.lines().all(|line| line.len() <= 998), "RFC 5322 §2.1.1: {subject}");
    }
}
