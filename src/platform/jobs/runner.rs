//! The runner: claims due jobs and runs some of them at once, until it is stopped.
//!
//! It sleeps until a NOTIFY, the next known due time or a poll, whichever comes first; a notification lost while the database
//! restarts costs at most one poll. It never ends by itself: while the database is away it waits and says so once.

use super::{Registry, Schedules, queue, run};
use crate::platform::Ctx;
use sqlx::{PgPool, postgres::PgListener};
use std::{sync::Arc, time::Duration};
use tokio::{
    sync::Notify,
    task::{JoinHandle, JoinSet},
};
use tokio_util::sync::CancellationToken;

/// The longest it sleeps without looking.
const POLL: Duration = Duration::from_secs(10);
/// How long a stop waits for running jobs; what is left then goes back to the queue.
const GRACE: Duration = Duration::from_secs(20);
/// Between attempts to reach a database that is away: doubled from the first to the last.
const RECONNECT: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(10));

pub struct Runner {
    ctx: Ctx,
    registry: Registry,
    schedules: Schedules,
    parallel: usize,
    /// Names this runner's claims.
    name: String,
    kinds: Vec<String>,
    running: JoinSet<()>,
    trouble: Option<Duration>,
}

/// A runner that works, and how to end it.
pub struct RunnerHandle {
    stop: CancellationToken,
    done: JoinHandle<()>,
}

impl RunnerHandle {
    /// Claims nothing more, lets running jobs finish (20 s at most) and gives back the rest.
    pub async fn stop(self) {
        self.stop.cancel();
        if let Err(error) = self.done.await {
            tracing::error!("the job runner ended badly: {error}");
        }
    }
}

impl Runner {
    /// Starts a runner with up to `parallel` jobs at once.
    pub fn start(ctx: Ctx, registry: Registry, schedules: Schedules, parallel: usize) -> RunnerHandle {
        let stop = CancellationToken::new();
        let name = format!("{}:{}", std::process::id(), ctx.rng.base62(8));
        let kinds = registry.kinds();
        let runner = Self { ctx, registry, schedules, parallel: parallel.max(1), name, kinds, running: JoinSet::new(), trouble: None };
        let done = tokio::spawn(runner.work(stop.clone()));
        RunnerHandle { stop, done }
    }

    async fn work(mut self, stop: CancellationToken) {
        let bell = Arc::new(Notify::new());
        let listener = tokio::spawn(stop.clone().run_until_cancelled_owned(listen(self.ctx.db.clone(), Arc::clone(&bell))));
        while !stop.is_cancelled() {
            let wait = match self.round().await {
                Ok(wait) => self.well(wait),
                Err(error) => self.unwell(&error),
            };
            tokio::select! {
                () = stop.cancelled() => {}
                () = bell.notified() => {}
                Some(_) = self.running.join_next() => {}
                () = tokio::time::sleep(wait) => {}
            }
            while self.running.try_join_next().is_some() {}
        }
        self.finish().await;
        let _ = listener.await;
    }

    /// Starts what is due, as far as there is room; answers how long there is nothing to do.
    async fn round(&mut self) -> sqlx::Result<Duration> {
        self.schedules.enqueue_due(&self.ctx).await?;
        let room = self.parallel - self.running.len();
        if room == 0 {
            return Ok(POLL);
        }
        let claimed = queue::claim(&self.ctx, &self.kinds, &self.name, room).await?;
        let is_full = claimed.len() == room;
        for job in claimed {
            let (ctx, registry) = (self.ctx.clone(), self.registry.clone());
            self.running.spawn(async move { run::try_once(&ctx, &registry, job).await });
        }
        if is_full {
            return Ok(POLL);
        }
        let next = queue::next_due(&self.ctx, &self.kinds).await?;
        let wait = next.map_or(POLL, |at| (at - self.ctx.clock.now()).try_into().unwrap_or_default());
        // What is due and yet not claimed is being claimed by another runner: no reason to spin.
        Ok(wait.clamp(Duration::from_millis(100), POLL))
    }

    fn well(&mut self, wait: Duration) -> Duration {
        if self.trouble.take().is_some() {
            tracing::info!("the database answers again, jobs go on");
        }
        wait
    }

    fn unwell(&mut self, error: &sqlx::Error) -> Duration {
        let wait = match self.trouble {
            None => {
                tracing::warn!("jobs wait for the database: {error}");
                RECONNECT.0
            }
            Some(last) => (last * 2).min(RECONNECT.1),
        };
        self.trouble = Some(wait);
        wait
    }

    async fn finish(&mut self) {
        let all_done = async { while self.running.join_next().await.is_some() {} };
        if tokio::time::timeout(GRACE, all_done).await.is_ok() {
            return;
        }
        self.running.shutdown().await;
        match queue::release(&self.ctx.db, &self.name).await {
            Ok(jobs) => tracing::warn!(jobs, "jobs did not finish in time and went back to the queue"),
            Err(error) => tracing::warn!("jobs did not finish in time; their leases run out within a minute: {error}"),
        }
    }
}

/// Rings the bell for every notification, and after every connection, because what was sent meanwhile is lost.
/// Holds one connection of the pool.
async fn listen(db: PgPool, bell: Arc<Notify>) {
    let mut pause = RECONNECT.0;
    loop {
        if let Ok(mut listener) = PgListener::connect_with(&db).await
            && listener.listen("jobs").await.is_ok()
        {
            pause = RECONNECT.0;
            bell.notify_one();
            while let Ok(Some(_)) = listener.try_recv().await {
                bell.notify_one();
            }
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(RECONNECT.1);
    }
}
