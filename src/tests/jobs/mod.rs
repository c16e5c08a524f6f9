//! The job queue: what a job does here it tells a probe, which hangs on the context.

mod faults;
mod queue;
mod runner;

use crate::support::T0;
use serde::{Deserialize, Serialize};
use sqlx::PgPool;
use std::{
    collections::HashSet,
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::sync::{Semaphore, mpsc};
use tollgate::{
    platform::{
        Ctx,
        clock::Clock,
        config::Config,
        crypto::{Rng, Vault},
        jobs::{self, Job, JobError, Registry},
        mail::Mailer,
    },
    values::JobId,
};

/// What the jobs of these tests do.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Act {
    Succeed,
    Retry,
    RetryAfter(u64),
    Fail,
    Panic,
    /// Waits until the test opens the gate; only the first time if `once`.
    Wait {
        once: bool,
    },
    /// Enqueues a job of this name.
    Enqueue(String),
}

#[derive(Debug, Serialize, Deserialize)]
pub struct Probed {
    pub name: String,
    pub act: Act,
}

impl Job for Probed {
    const KIND: &'static str = "test.probed";
    const MAX_ATTEMPTS: u32 = 3;

    async fn run(self, ctx: &Ctx) -> Result<(), JobError> {
        let probe = ctx.part::<Probe>().unwrap();
        let is_first = probe.seen.lock().unwrap().insert(self.name.clone());
        probe.ran.send(self.name.clone()).unwrap();
        match self.act {
            Act::Succeed => Ok(()),
            Act::Retry => Err(JobError::Retry("not yet".to_owned())),
            Act::RetryAfter(seconds) => Err(JobError::RetryAfter(Duration::from_secs(seconds))),
            Act::Fail => Err(JobError::Fail("never".to_owned())),
            Act::Panic => panic!("a bug"),
            Act::Wait { once } => {
                if is_first || !once {
                    probe.gate.acquire().await.unwrap().forget();
                }
                Ok(())
            }
            Act::Enqueue(name) => {
                let mut conn = ctx.db.acquire().await?;
                jobs::enqueue(ctx, &mut conn, &Self { name, act: Act::Succeed }).await?;
                Ok(())
            }
        }
    }
}

/// Hears of every try, and holds the gate that jobs wait at.
pub struct Probe {
    ran: mpsc::UnboundedSender<String>,
    seen: Mutex<HashSet<String>>,
    gate: Semaphore,
}

/// A queue of its own: no server, no runner, a frozen clock.
pub struct Bench {
    pub ctx: Ctx,
    pub registry: Registry,
    pub ran: mpsc::UnboundedReceiver<String>,
    probe: Arc<Probe>,
}

impl Bench {
    pub fn new(db: PgPool) -> Self {
        let (tell, ran) = mpsc::unbounded_channel();
        let probe = Arc::new(Probe { ran: tell, seen: Mutex::default(), gate: Semaphore::new(0) });
        let config = Arc::new(Config::development("unused".into()));
        let ctx = Ctx::new(db, Clock::frozen(T0), Rng::seeded(1), Vault::new([7; 32]), Mailer::memory(), config).with(Arc::clone(&probe));
        Self { ctx, registry: Registry::new().register::<Probed>(), ran, probe }
    }

    pub async fn enqueue(&self, name: &str, act: Act) -> JobId {
        let mut conn = self.ctx.db.acquire().await.unwrap();
        jobs::enqueue(&self.ctx, &mut conn, &Probed { name: name.to_owned(), act }).await.unwrap()
    }

    pub async fn run_due(&self) -> usize {
        jobs::run_due(&self.ctx, &self.registry).await.unwrap()
    }

    /// Starts to run what is due in a task that the test can kill.
    pub fn run_due_apart(&self) -> tokio::task::JoinHandle<usize> {
        let (ctx, registry) = (self.ctx.clone(), self.registry.clone());
        tokio::spawn(async move { jobs::run_due(&ctx, &registry).await.unwrap() })
    }

    /// Lets one waiting job through.
    pub fn open(&self) {
        self.probe.gate.add_permits(1);
    }

    /// The name of the next try, whenever it happens; ten seconds at most.
    pub async fn next(&mut self) -> String {
        tokio::time::timeout(Duration::from_secs(10), self.ran.recv()).await.expect("no job ran").unwrap()
    }

    /// The names of the tries so far.
    pub fn so_far(&mut self) -> Vec<String> {
        std::iter::from_fn(|| self.ran.try_recv().ok()).collect()
    }

    pub async fn row(&self, id: JobId) -> Row {
        sqlx::query_as("select state, attempts, run_at, last_error from jobs where id = $1").bind(id.uuid()).fetch_one(&self.ctx.db).await.unwrap()
    }
}

#[derive(Debug, sqlx::FromRow)]
pub struct Row {
    pub state: String,
    pub attempts: i32,
    pub run_at: time::OffsetDateTime,
    pub last_error: Option<String>,
}
