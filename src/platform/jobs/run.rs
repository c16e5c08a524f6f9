//! One try of one job: run it in a task of its own (a panic is a failed try), keep its lease, and write how it ended.

use super::{
    JobError, Registry,
    queue::{self, Claimed, Ending},
};
use crate::{
    platform::{Ctx, crypto::Rng, telemetry},
    values::JobId,
};
use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use time::OffsetDateTime;
use tracing::Instrument;

/// What the job of a try says of itself.
type Said = Arc<Mutex<Option<String>>>;

tokio::task_local! {
    static CURRENT: JobId;
    static SAID: Said;
}

/// The pause after the first failed try; it doubles with each further one, up to `LONGEST_PAUSE`.
const FIRST_PAUSE: Duration = Duration::from_secs(5);
const LONGEST_PAUSE: Duration = Duration::from_secs(3600);
/// A lease is renewed three times before it would end.
const RENEW_EVERY: Duration = if cfg!(test) { Duration::from_millis(10) } else { Duration::from_secs(20) };
/// An error, or what a job said, is kept up to this many characters.
const ERROR_CHARS: usize = 2000;

/// The job that this task runs, if it runs one: the same for every try of it.
pub fn current() -> Option<JobId> {
    CURRENT.try_with(|id| *id).ok()
}

/// What the job of this task did, in words with counts ("Ended sessions removed: 12."), for whoever looks at it in Admin. Kept if it ends well;
/// of several the last. Outside of a job it is said to nobody.
pub fn say(words: impl Into<String>) {
    let words: String = words.into();
    let _ = SAID.try_with(|said| *said.lock().unwrap_or_else(PoisonError::into_inner) = Some(words.chars().take(ERROR_CHARS).collect()));
}

/// Runs everything that is due now, one after the other, the oldest first, with what these jobs enqueue; answers how many tries
/// that were. For tests and for commands that bring work to its end.
pub async fn run_due(ctx: &Ctx, registry: &Registry) -> sqlx::Result<usize> {
    let kinds = registry.kinds();
    let runner = format!("run_due:{}", ctx.rng.base62(8));
    let mut tries = 0;
    loop {
        let claimed = queue::claim(ctx, &kinds, &runner, 1).await?;
        if claimed.is_empty() {
            return Ok(tries);
        }
        for job in claimed {
            try_once(ctx, registry, job).await;
            tries += 1;
        }
    }
}

/// Runs a claimed job and writes its end. Dropped in the middle, it drops the job; the lease then runs out.
pub(super) async fn try_once(ctx: &Ctx, registry: &Registry, job: Claimed) {
    let span = tracing::info_span!("job", id = %job.id, kind = job.kind, attempt = job.attempts);
    async {
        let Some(result) = run(ctx, registry, &job).await else {
            tracing::warn!("the lease was lost: another runner has this job");
            return;
        };
        let ending = ending(&job, result, &ctx.rng, ctx.clock.now());
        match &ending {
            Ending::Done { .. } => tracing::debug!("done"),
            Ending::Again { at, error } => tracing::warn!("failed, next try at {at}: {error}"),
            Ending::Dead { error } => tracing::error!("given up: {error}"),
        }
        settle(ctx, &job, &ending).await;
    }
    .instrument(span)
    .await;
}

/// How the try ended, with what the job said; none if its lease was lost meanwhile.
async fn run(ctx: &Ctx, registry: &Registry, job: &Claimed) -> Option<Result<Option<String>, JobError>> {
    if job.attempts > job.max_attempts {
        return Some(Err(JobError::Fail(format!("started {} times and never came to an end: the runner stopped each time", job.max_attempts))));
    }
    let Some(run) = registry.get(&job.kind) else {
        return Some(Err(JobError::Retry(format!("no job is called {}", job.kind))));
    };
    let mut of_job = ctx.clone();
    of_job.vault = ctx.vault.of_job(job.master_key);
    let said = Said::default();
    let work = SAID.scope(Arc::clone(&said), telemetry::in_request(job.id.to_string().into(), run(job.payload.clone(), of_job)));
    let work = CURRENT.scope(job.id, work);
    let mut task = AbortOnDrop(tokio::spawn(work.in_current_span()));
    loop {
        tokio::select! {
            ended = &mut task.0 => {
                let result = ended.unwrap_or_else(|error| Err(JobError::Retry(format!("it panicked: {}", panic_words(error)))));
                return Some(result.map(|()| said.lock().unwrap_or_else(PoisonError::into_inner).take()));
            }
            () = tokio::time::sleep(RENEW_EVERY) => {
                // An error here is the database's trouble, not the job's: the next renewal or the end will tell.
                if let Ok(false) = queue::renew(&ctx.db, job, ctx.clock.now()).await {
                    return None;
                }
            }
        }
    }
}

struct AbortOnDrop<T>(tokio::task::JoinHandle<T>);

impl<T> Drop for AbortOnDrop<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

fn panic_words(error: tokio::task::JoinError) -> String {
    match error.try_into_panic() {
        Ok(cause) => cause.downcast_ref::<String>().cloned().or_else(|| cause.downcast_ref::<&str>().map(ToString::to_string)).unwrap_or_default(),
        Err(error) => error.to_string(),
    }
}

fn ending(job: &Claimed, result: Result<Option<String>, JobError>, rng: &Rng, now: OffsetDateTime) -> Ending {
    let error = match result {
        Ok(said) => return Ending::Done { said },
        Err(error) => error,
    };
    let text: String = error.to_string().chars().take(ERROR_CHARS).collect();
    let pause = match error {
        JobError::Fail(_) => return Ending::Dead { error: text },
        _ if job.attempts >= job.max_attempts => return Ending::Dead { error: text },
        JobError::RetryAfter(pause) => pause.max(Duration::from_secs(1)),
        JobError::Retry(_) => pause_after(job.attempts, rng),
    };
    Ending::Again { at: now + pause, error: text }
}

/// 5 s, 10 s, 20 s … an hour, each a fifth shorter or longer by chance, so that what failed together does not come back together.
fn pause_after(attempts: i32, rng: &Rng) -> Duration {
    let doublings = u32::try_from(attempts - 1).unwrap_or(0).min(20);
    let pause = (FIRST_PAUSE * 2u32.pow(doublings)).min(LONGEST_PAUSE);
    let chance = f64::from(u16::from_le_bytes(rng.bytes())) / f64::from(u16::MAX);
    pause.mul_f64(0.8 + 0.4 * chance)
}

/// Writes the end, patiently: the work is done, and a database that restarts should not make it happen again.
async fn settle(ctx: &Ctx, job: &Claimed, ending: &Ending) {
    let mut pause = Duration::from_millis(100);
    loop {
        match queue::settle(&ctx.db, job, ending, ctx.clock.now()).await {
            Ok(true) => return,
            Ok(false) => return tracing::warn!("ended after its lease: another runner has this job"),
            Err(error) if pause > Duration::from_secs(20) => return tracing::error!("its end could not be written, it will run again: {error}"),
            Err(_) => tokio::time::sleep(pause).await,
        }
        pause *= 2;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::{clock::Clock, config::Config, crypto::Vault, mail::Mailer};

    fn job(attempts: i32) -> Claimed {
        Claimed {
            id: JobId::new(uuid::Uuid::nil()),
            kind: "test".to_owned(),
            payload: serde_json::Value::Null,
            attempts,
            max_attempts: 10,
            runner: String::new(),
            master_key: None,
        }
    }

    /// Stands at a gate that the test opens.
    #[derive(serde::Serialize, serde::Deserialize)]
    struct Long {}

    impl super::super::Job for Long {
        const KIND: &'static str = "test.long";

        async fn run(self, ctx: &Ctx) -> Result<(), JobError> {
            ctx.part::<tokio::sync::Notify>().expect("the gate").notified().await;
            Ok(())
        }
    }

    #[sqlx::test(migrator = "crate::platform::db::MIGRATIONS")]
    async fn a_lease_is_kept_for_as_long_as_the_job_runs(db: sqlx::PgPool) {
        let clock = Clock::frozen(OffsetDateTime::UNIX_EPOCH);
        let gate = std::sync::Arc::new(tokio::sync::Notify::new());
        let config = std::sync::Arc::new(Config::development("unused".into()));
        let ctx = Ctx::new(db, clock.clone(), Rng::seeded(1), Vault::new([7; 32]), Mailer::memory(), config).with(std::sync::Arc::clone(&gate));
        let registry = Registry::new().register::<Long>();
        let mut conn = ctx.db.acquire().await.expect("a connection");
        queue::enqueue(&ctx, &mut conn, &Long {}).await.expect("enqueued");
        let leased_until = || sqlx::query_scalar!("select leased_until from jobs").fetch_one(&ctx.db);

        let running = {
            let (ctx, registry) = (ctx.clone(), registry.clone());
            tokio::spawn(async move { run_due(&ctx, &registry).await })
        };
        for _ in 0..3 {
            clock.advance(time::Duration::seconds(50));
            let renewed = async {
                while leased_until().await.expect("the row") != Some(clock.now() + queue::LEASE) {
                    tokio::task::yield_now().await
                }
            };
            tokio::time::timeout(Duration::from_secs(10), renewed).await.expect("the lease was not renewed");
            assert_eq!(run_due(&ctx, &registry).await.expect("nothing to claim"), 0, "somebody else took it");
        }
        gate.notify_one();
        assert_eq!(running.await.expect("it ran").expect("it ran"), 1);
    }

    #[test]
    fn pauses_double_from_five_seconds_to_an_hour_with_a_fifth_of_chance() {
        let rng = Rng::seeded(1);
        for (attempts, seconds) in [(1, 5.0), (2, 10.0), (5, 80.0), (10, 2560.0), (11, 3600.0), (i32::MAX, 3600.0)] {
            let pauses: Vec<f64> = (0..50).map(|_| pause_after(attempts, &rng).as_secs_f64() / seconds).collect();
            assert!(pauses.iter().all(|p| (0.8..=1.2).contains(p)), "{attempts}: {pauses:?}");
            assert!(pauses.iter().any(|p| *p < 0.95) && pauses.iter().any(|p| *p > 1.05), "{attempts}: no chance in {pauses:?}");
        }
    }

    #[test]
    fn the_last_try_and_a_hopeless_one_leave_a_dead_letter() {
        let (rng, now) = (Rng::seeded(1), OffsetDateTime::UNIX_EPOCH);
        let retry = || Err(JobError::Retry("no".to_owned()));
        assert!(matches!(ending(&job(9), retry(), &rng, now), Ending::Again { .. }));
        assert_eq!(ending(&job(10), retry(), &rng, now), Ending::Dead { error: "no".to_owned() });
        assert_eq!(ending(&job(1), Err(JobError::Fail("never".to_owned())), &rng, now), Ending::Dead { error: "never".to_owned() });
        let said = Some("all of it".to_owned());
        assert_eq!(ending(&job(1), Ok(said.clone()), &rng, now), Ending::Done { said });
    }

    #[test]
    fn a_wait_that_was_asked_for_is_kept_but_never_spins() {
        let (rng, now) = (Rng::seeded(1), OffsetDateTime::UNIX_EPOCH);
        let at = |wait| match ending(&job(1), Err(JobError::RetryAfter(wait)), &rng, now) {
            Ending::Again { at, .. } => at - now,
            other => panic!("{other:?}"),
        };
        assert_eq!(at(Duration::from_secs(90)), time::Duration::seconds(90));
        assert_eq!(at(Duration::ZERO), time::Duration::seconds(1));
    }
}
