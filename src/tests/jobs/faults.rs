//! Runners that die, jobs that outlive their lease, a database that goes away.

use super::{Act, Bench};
use crate::support::until;
use sqlx::{Connection, Executor, PgConnection, PgPool};
use time::Duration;
use tollgate::platform::jobs::{Runner, Schedules};

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_job_whose_runner_died_is_taken_by_the_next_one_when_the_lease_ends(db: PgPool) {
    let mut bench = Bench::new(db);
    let id = bench.enqueue("interrupted", Act::Wait { once: true }).await;
    let dying = bench.run_due_apart();
    assert_eq!(bench.next().await, "interrupted");
    dying.abort();
    assert!(dying.await.unwrap_err().is_cancelled());

    bench.ctx.clock.advance(Duration::seconds(59));
    assert_eq!(bench.run_due().await, 0, "the lease still holds");
    bench.ctx.clock.advance(Duration::seconds(1));
    assert_eq!(bench.run_due().await, 1);
    assert_eq!((bench.row(id).await.state.as_str(), bench.row(id).await.attempts), ("done", 2));
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_job_that_kills_its_runner_each_time_becomes_a_dead_letter(db: PgPool) {
    let mut bench = Bench::new(db);
    let id = bench.enqueue("deadly", Act::Wait { once: false }).await;
    for _ in 0..3 {
        let dying = bench.run_due_apart();
        assert_eq!(bench.next().await, "deadly");
        dying.abort();
        let _ = dying.await;
        bench.ctx.clock.advance(Duration::seconds(60));
    }
    assert_eq!(bench.run_due().await, 1);
    let row = bench.row(id).await;
    assert_eq!(row.state, "failed");
    assert!(row.last_error.unwrap().contains("started 3 times"), "and it was not started a fourth time");
    assert_eq!(bench.so_far(), Vec::<String>::new());
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_runner_that_lost_its_lease_cannot_end_the_job(db: PgPool) {
    let mut bench = Bench::new(db);
    let id = bench.enqueue("slow", Act::Wait { once: false }).await;
    let (first, _) = (bench.run_due_apart(), bench.next().await);
    bench.ctx.clock.advance(Duration::seconds(60));
    let (second, _) = (bench.run_due_apart(), bench.next().await);
    bench.open(); // whoever waited first goes first
    assert_eq!(first.await.unwrap(), 1);
    assert_eq!((bench.row(id).await.state.as_str(), bench.row(id).await.attempts), ("running", 2), "the second has it");
    bench.open();
    assert_eq!(second.await.unwrap(), 1);
    assert_eq!(bench.row(id).await.state, "done");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn three_runners_share_the_jobs_and_run_each_once(db: PgPool) {
    let mut bench = Bench::new(db);
    let mut expected: Vec<String> = (0..60).map(|n| format!("job {n:02}")).collect();
    for name in &expected {
        bench.enqueue(name, Act::Succeed).await;
    }
    let runners: Vec<_> = (0..3).map(|_| Runner::start(bench.ctx.clone(), bench.registry.clone(), Schedules::new(), 4)).collect();
    let mut ran = Vec::new();
    while ran.len() < expected.len() {
        ran.push(bench.next().await);
    }
    for runner in runners {
        runner.stop().await;
    }
    ran.extend(bench.so_far());
    ran.sort();
    expected.sort();
    assert_eq!(ran, expected);
    let done: i64 = sqlx::query_scalar("select count(*) from jobs where state = 'done' and attempts = 1").fetch_one(&bench.ctx.db).await.unwrap();
    assert_eq!(done, 60);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn the_runner_outlives_the_database_and_writes_the_end_of_what_ran_meanwhile(db: PgPool) {
    let mut bench = Bench::new(db);
    let runner = Runner::start(bench.ctx.clone(), bench.registry.clone(), Schedules::new(), 2);
    let id = bench.enqueue("meanwhile", Act::Wait { once: false }).await;
    assert_eq!(bench.next().await, "meanwhile");

    // Nobody gets in, everybody is thrown out: what a restart looks like from here.
    let options = bench.ctx.db.connect_options();
    let name = options.get_database().unwrap().to_owned();
    let mut outside = PgConnection::connect_with(&(*options).clone().database("postgres")).await.unwrap();
    let say = |words: &str| sqlx::AssertSqlSafe(format!("alter database \"{name}\" {words}"));
    outside.execute(say("allow_connections false")).await.unwrap();
    let thrown_out: i64 = sqlx::query_scalar("select count(pg_terminate_backend(pid)) from pg_stat_activity where datname = $1")
        .bind(&name)
        .fetch_one(&mut outside)
        .await
        .unwrap();
    assert!(thrown_out >= 1);
    assert!(bench.ctx.db.acquire().await.is_err(), "the database is away");
    bench.open();
    outside.execute(say("allow_connections true")).await.unwrap();

    until("its end is written", async || bench.row(id).await.state == "done").await;
    bench.enqueue("afterwards", Act::Succeed).await;
    assert_eq!(bench.next().await, "afterwards");
    runner.stop().await;
}
