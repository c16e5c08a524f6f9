//! Enqueuing, order, retries, dead letters, and what an operator may do.

use super::{Act, Bench, Probed};
use crate::support::T0;
use sqlx::PgPool;
use time::Duration;
use tollgate::{
    platform::jobs::{self, CleanUp, Registry, admin},
    values::{AccountId, JobState, SessionId},
};

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_job_exists_exactly_when_its_transaction_commits(db: PgPool) {
    let mut bench = Bench::new(db);
    let mut tx = bench.ctx.db.begin().await.unwrap();
    jobs::enqueue(&bench.ctx, &mut tx, &Probed { name: "rolled back".to_owned(), act: Act::Succeed }).await.unwrap();
    tx.rollback().await.unwrap();
    let mut tx = bench.ctx.db.begin().await.unwrap();
    jobs::enqueue(&bench.ctx, &mut tx, &Probed { name: "committed".to_owned(), act: Act::Succeed }).await.unwrap();
    assert_eq!(bench.run_due().await, 0, "not committed yet");
    tx.commit().await.unwrap();
    assert_eq!(bench.run_due().await, 1);
    assert_eq!(bench.so_far(), ["committed"]);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn what_is_due_runs_in_order_with_what_it_enqueues_and_nothing_else(db: PgPool) {
    let mut bench = Bench::new(db);
    let mut conn = bench.ctx.db.acquire().await.unwrap();
    for (name, at) in [("later", T0 + Duration::seconds(1)), ("second", T0 - Duration::seconds(1)), ("first", T0 - Duration::seconds(9))] {
        jobs::enqueue_at(&bench.ctx, &mut conn, &Probed { name: name.to_owned(), act: Act::Succeed }, at).await.unwrap();
    }
    bench.enqueue("third", Act::Enqueue("fourth".to_owned())).await;
    assert_eq!(bench.run_due().await, 4);
    assert_eq!(bench.so_far(), ["first", "second", "third", "fourth"]);
    bench.ctx.clock.advance(Duration::seconds(1));
    assert_eq!(bench.run_due().await, 1);
    assert_eq!(bench.so_far(), ["later"]);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_failing_job_waits_longer_each_time_then_stays_as_a_dead_letter_until_it_is_retried(db: PgPool) {
    let bench = Bench::new(db);
    let id = bench.enqueue("stubborn", Act::Retry).await;
    assert_eq!(bench.run_due().await, 1);
    let row = bench.row(id).await;
    assert_eq!((row.state.as_str(), row.attempts, row.last_error.as_deref()), ("waiting", 1, Some("not yet")));
    let first = row.run_at - T0;
    assert!((Duration::seconds(4)..=Duration::seconds(6)).contains(&first), "{first}");
    assert_eq!(bench.run_due().await, 0, "not before its time");

    bench.ctx.clock.set(row.run_at);
    assert_eq!(bench.run_due().await, 1);
    let second = bench.row(id).await.run_at - row.run_at;
    assert!((Duration::seconds(8)..=Duration::seconds(12)).contains(&second), "{second}");

    bench.ctx.clock.advance(second);
    assert_eq!(bench.run_due().await, 1);
    assert_eq!(bench.row(id).await.state, "failed", "three tries are all it has");
    bench.ctx.clock.advance(Duration::days(30));
    assert_eq!(bench.run_due().await, 0, "a dead letter stays");

    let mut conn = bench.ctx.db.acquire().await.unwrap();
    assert_eq!(admin::retry(&bench.ctx, &mut conn, id).await.unwrap().as_deref(), Some("test.probed"));
    assert_eq!(admin::retry(&bench.ctx, &mut conn, id).await.unwrap(), None, "it is no dead letter any more");
    assert_eq!(bench.run_due().await, 1);
    assert_eq!((bench.row(id).await.state.as_str(), bench.row(id).await.attempts), ("waiting", 1), "all its tries are back");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_job_says_itself_whether_and_when_another_try_helps(db: PgPool) {
    let bench = Bench::new(db);
    let (hopeless, patient) = (bench.enqueue("hopeless", Act::Fail).await, bench.enqueue("patient", Act::RetryAfter(90)).await);
    assert_eq!(bench.run_due().await, 2);
    let row = bench.row(hopeless).await;
    assert_eq!((row.state.as_str(), row.attempts, row.last_error.as_deref()), ("failed", 1, Some("never")));
    assert_eq!(bench.row(patient).await.run_at, T0 + Duration::seconds(90));
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_panic_is_a_failed_try_and_the_next_job_runs(db: PgPool) {
    let mut bench = Bench::new(db);
    let id = bench.enqueue("buggy", Act::Panic).await;
    bench.enqueue("sound", Act::Succeed).await;
    assert_eq!(bench.run_due().await, 2);
    assert_eq!(bench.so_far(), ["buggy", "sound"]);
    let row = bench.row(id).await;
    assert_eq!((row.state.as_str(), row.last_error.as_deref()), ("waiting", Some("it panicked: a bug")));
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_payload_of_another_shape_is_a_dead_letter_and_an_unknown_kind_waits(db: PgPool) {
    let bench = Bench::new(db);
    let (odd, unknown) = (bench.enqueue("odd", Act::Succeed).await, bench.enqueue("unknown", Act::Succeed).await);
    sqlx::query("update jobs set payload = '[]' where id = $1").bind(odd.uuid()).execute(&bench.ctx.db).await.unwrap();
    sqlx::query("update jobs set kind = 'test.of_a_newer_version' where id = $1").bind(unknown.uuid()).execute(&bench.ctx.db).await.unwrap();
    assert_eq!(bench.run_due().await, 1);
    assert_eq!(bench.row(odd).await.state, "failed");
    assert_eq!((bench.row(unknown).await.state.as_str(), bench.row(unknown).await.attempts), ("waiting", 0));
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn an_operator_sees_counts_and_pages_of_jobs(db: PgPool) {
    let bench = Bench::new(db);
    assert_eq!(admin::counts(&bench.ctx, true).await.unwrap(), admin::Counts::default());
    for name in ["a", "b", "c"] {
        bench.enqueue(name, Act::Fail).await;
        bench.ctx.clock.advance(Duration::seconds(1)); // ids sort by age
    }
    bench.enqueue("good", Act::Succeed).await;
    bench.run_due().await;
    bench.enqueue("due", Act::Succeed).await;
    let due_at = bench.ctx.clock.now();
    bench.ctx.clock.advance(Duration::minutes(5));
    let counts = admin::counts(&bench.ctx, true).await.unwrap();
    assert_eq!(counts, admin::Counts { waiting: 1, running: 0, done: 1, failed: 3, overdue_since: Some(due_at) });

    let names = |page: &[admin::JobRow]| page.iter().map(|row| row.payload["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>();
    let page = admin::list(&bench.ctx.db, JobState::Failed, None, 2).await.unwrap();
    assert_eq!(names(&page), ["c", "b"]);
    assert_eq!((page[0].attempts, page[0].last_error.as_deref()), (1, Some("never")));
    let rest = admin::list(&bench.ctx.db, JobState::Failed, Some(page[1].id), 2).await.unwrap();
    assert_eq!(names(&rest), ["a"]);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn the_nightly_clean_up_removes_old_done_jobs_and_ended_sessions_only(db: PgPool) {
    let mut bench = Bench::new(db);
    bench.registry = Registry::new().register::<Probed>().register::<CleanUp>();
    let (done, failed) = (bench.enqueue("done", Act::Succeed).await, bench.enqueue("failed", Act::Fail).await);
    bench.run_due().await;
    bench.ctx.clock.advance(Duration::days(8));
    let recent = bench.enqueue("recent", Act::Succeed).await;
    bench.run_due().await;
    session(&bench, Duration::hours(-1), Duration::days(1)).await;
    session(&bench, Duration::hours(1), Duration::ZERO).await;
    let alive = session(&bench, Duration::hours(1), Duration::days(1)).await;

    let mut conn = bench.ctx.db.acquire().await.unwrap();
    jobs::enqueue(&bench.ctx, &mut conn, &CleanUp::default()).await.unwrap();
    assert_eq!(bench.run_due().await, 1);
    let left: Vec<uuid::Uuid> = sqlx::query_scalar("select id from jobs where kind = 'test.probed' order by id").fetch_all(&bench.ctx.db).await.unwrap();
    assert_eq!(left, [failed.uuid(), recent.uuid()], "without {done}");
    let sessions: Vec<uuid::Uuid> = sqlx::query_scalar("select id from sessions").fetch_all(&bench.ctx.db).await.unwrap();
    assert_eq!(sessions, [alive.uuid()]);
    let jobs = admin::list(&bench.ctx.db, JobState::Done, None, 10).await.unwrap();
    let of = |kind: &str| jobs.iter().find(|job| job.kind == kind).unwrap().result.as_deref();
    assert_eq!(of("platform.clean_up"), Some("Ended sessions removed: 2. Done jobs removed: 1."), "its count is its result");
    assert_eq!(of("test.probed"), None, "one that says nothing has none");
}

async fn session(bench: &Bench, idle: Duration, absolute: Duration) -> SessionId {
    let (account, id, now): (AccountId, SessionId, _) = (bench.ctx.new_id(), bench.ctx.new_id(), bench.ctx.clock.now());
    sqlx::query("insert into accounts (id, email, email_key, name, created_at, updated_at) values ($1, $2, $2, 'Mara', $3, $3)")
        .bind(account.uuid())
        .bind(format!("{id}@example.com"))
        .bind(now)
        .execute(&bench.ctx.db)
        .await
        .unwrap();
    sqlx::query(
        "insert into sessions (id_hash, id, account_id, created_at, last_used_at, idle_expires_at, absolute_expires_at) values ($1, $2, $3, $4, $4, $5, $6)",
    )
    .bind(id.uuid().as_bytes())
    .bind(id.uuid())
    .bind(account.uuid())
    .bind(now)
    .bind(now + idle)
    .bind(now + absolute)
    .execute(&bench.ctx.db)
    .await
    .unwrap();
    id
}
