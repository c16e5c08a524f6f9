//! As files in the data folder.

use super::{ctx, enqueue, run_due};
use sqlx::PgPool;
use std::os::unix::fs::PermissionsExt;
use tollgate::platform::{Ctx, config::Config, mail::Mailer};

fn in_folder(db: PgPool, folder: &std::path::Path) -> Ctx {
    ctx(db, Mailer::from_config(&Config::development(folder.to_owned())).unwrap())
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn without_a_server_mails_are_files_that_only_we_can_read(db: PgPool) {
    let data = tempfile::tempdir().unwrap();
    let ctx = in_folder(db, data.path());
    assert_eq!(ctx.mail.kept(10).unwrap(), [], "no folder yet");
    for subject in ["First", "Second", "Third"] {
        enqueue(&ctx, "mara@example.com", subject).await;
        ctx.clock.advance(time::Duration::seconds(1));
    }
    run_due(&ctx).await;
    let kept = ctx.mail.kept(2).unwrap();
    assert_eq!(kept.iter().map(|mail| mail.subject.as_str()).collect::<Vec<_>>(), ["Third", "Second"], "the newest first");
    assert_eq!(kept[0].links[0].url, link_of(&ctx));
    let files: Vec<_> = std::fs::read_dir(data.path().join("mails")).unwrap().map(|entry| entry.unwrap()).collect();
    assert_eq!(files.len(), 6, "an .eml and a .json each");
    assert!(files.iter().all(|file| file.metadata().unwrap().permissions().mode() & 0o077 == 0));
    let eml = std::fs::read_to_string(data.path().join("mails").join(format!("{}.eml", kept[0].id))).unwrap();
    assert!(eml.contains("Subject: Third\r\n") && eml.contains("multipart/alternative"), "{eml}");
}

fn link_of(ctx: &Ctx) -> String {
    ctx.config.link("/verify-email?token=tok_0123456789&mail=mara%2Bx%40example.com")
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_job_that_runs_twice_leaves_one_file(db: PgPool) {
    let data = tempfile::tempdir().unwrap();
    let ctx = in_folder(db, data.path());
    let id = enqueue(&ctx, "mara@example.com", "Once").await;
    run_due(&ctx).await;
    sqlx::query("update jobs set state = 'waiting' where id = $1").bind(id.uuid()).execute(&ctx.db).await.unwrap();
    run_due(&ctx).await;
    assert_eq!(ctx.mail.kept(10).unwrap().len(), 1);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_folder_that_cannot_be_written_keeps_the_job(db: PgPool) {
    let data = tempfile::tempdir().unwrap();
    std::fs::write(data.path().join("mails"), "in the way").unwrap();
    let ctx = in_folder(db, data.path());
    let id = enqueue(&ctx, "mara@example.com", "Hello").await;
    run_due(&ctx).await;
    assert_eq!(super::ended(&ctx, id).await.0, "waiting");
    std::fs::remove_file(data.path().join("mails")).unwrap();
    ctx.clock.advance(time::Duration::minutes(1));
    run_due(&ctx).await;
    assert_eq!((super::ended(&ctx, id).await.0.as_str(), ctx.mail.kept(10).unwrap().len()), ("done", 1));
}
