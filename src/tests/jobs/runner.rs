//! The runner: woken by NOTIFY, stopped in good order, fed by schedules, started inside `serve`.

use super::{Act, Bench, Probed};
use crate::support::{TestApp, until};
use sqlx::{ConnectOptions, PgPool};
use std::time::Duration;
use tollgate::platform::jobs::{Runner, Schedules, admin};

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_job_starts_when_it_is_committed_not_when_the_queue_is_polled(db: PgPool) {
    let mut bench = Bench::new(db);
    let runner = Runner::start(bench.ctx.clone(), bench.registry.clone(), Schedules::new(), 2);
    for name in ["one", "two", "three"] {
        let id = bench.enqueue(name, Act::Succeed).await;
        // The poll comes every ten seconds: three jobs in less are NOTIFY's doing.
        let next = tokio::time::timeout(Duration::from_secs(3), bench.next()).await;
        assert_eq!(next.expect("nobody rang"), name);
        // A finished job makes the runner look too; only then is it asleep.
        until("it is done", async || bench.row(id).await.state == "done").await;
    }
    runner.stop().await;
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_stop_lets_running_jobs_finish_and_starts_no_more(db: PgPool) {
    let mut bench = Bench::new(db);
    let runner = Runner::start(bench.ctx.clone(), bench.registry.clone(), Schedules::new(), 1);
    let running = bench.enqueue("running", Act::Wait { once: false }).await;
    assert_eq!(bench.next().await, "running");
    let waiting = bench.enqueue("waiting", Act::Succeed).await;
    let stopped = tokio::spawn(runner.stop());
    tokio::task::yield_now().await; // the stop has begun
    assert!(!stopped.is_finished(), "it waits for the running job");
    bench.open();
    stopped.await.unwrap();
    assert_eq!(bench.row(running).await.state, "done");
    assert_eq!((bench.row(waiting).await.state.as_str(), bench.so_far().len()), ("waiting", 0));
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_slot_of_a_schedule_becomes_one_job_on_however_many_nodes(db: PgPool) {
    let mut bench = Bench::new(db);
    let schedules = || Schedules::new().nightly("test.nightly", &Probed { name: "night".to_owned(), act: Act::Succeed });
    let (mut here, mut there) = (schedules(), schedules());
    for _ in 0..2 {
        here.enqueue_due(&bench.ctx).await.unwrap();
        there.enqueue_due(&bench.ctx).await.unwrap();
    }
    assert_eq!(bench.run_due().await, 1, "the slot that began at three this morning");
    bench.ctx.clock.advance(time::Duration::hours(14));
    there.enqueue_due(&bench.ctx).await.unwrap();
    assert_eq!(bench.run_due().await, 0, "it is two in the morning");
    bench.ctx.clock.advance(time::Duration::hours(1));
    there.enqueue_due(&bench.ctx).await.unwrap();
    here.enqueue_due(&bench.ctx).await.unwrap();
    schedules().enqueue_due(&bench.ctx).await.unwrap(); // a node that has just started
    assert_eq!(bench.run_due().await, 1);
    assert_eq!(bench.so_far(), ["night", "night"]);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn serve_runs_jobs_and_schedules_unless_told_otherwise(db: PgPool) {
    let app = TestApp::start_with(db.clone(), |config| config.jobs.in_serve = true).await;
    until("the nightly work is done", async || admin::counts(&app.ctx, true).await.unwrap().done >= 1).await;
    app.stop().await;

    sqlx::query("delete from jobs").execute(&db).await.unwrap();
    let app = TestApp::start(db).await;
    assert_eq!(app.get("/healthz").await.status(), 200);
    assert_eq!(admin::counts(&app.ctx, true).await.unwrap(), admin::Counts::default());
    app.stop().await;
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn the_worker_command_works_until_it_is_told_to_stop(db: PgPool) {
    let bench = Bench::new(db.clone());
    let folder = tempfile::tempdir().unwrap();
    let mut worker = tokio::process::Command::new(env!("CARGO_BIN_EXE_tollgate"))
        .arg("worker")
        .current_dir(folder.path())
        .env_clear()
        .env("DATABASE_URL", db.connect_options().to_url_lossy().as_str())
        .env("TOLLGATE_ENV", "development")
        .stderr(std::process::Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    until("the nightly work is done", async || admin::counts(&bench.ctx, true).await.unwrap().done >= 1).await;
    let pid = worker.id().unwrap().to_string();
    assert!(tokio::process::Command::new("kill").args(["-TERM", &pid]).status().await.unwrap().success());
    let ended = tokio::time::timeout(Duration::from_secs(10), worker.wait()).await.expect("it does not stop").unwrap();
    assert_eq!(ended.code(), Some(0));
    assert_eq!(admin::counts(&bench.ctx, true).await.unwrap().running, 0);
}
