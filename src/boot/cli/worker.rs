//! `tollgate worker`: runs jobs and nothing else, beside servers that leave them alone (`jobs.in_serve = false`) or to add hands.

use super::{Exit, complain};
use crate::{
    boot::{context::context, worker},
    platform::{
        config::Config,
        db,
        postgres::{self, Database, Purpose},
    },
};
use std::sync::Arc;
use tokio::signal::unix::{SignalKind, signal};

/// Works until SIGINT or SIGTERM, then lets running jobs finish. A second signal ends it at once.
pub(super) async fn run(config: &Arc<Config>) -> Exit {
    let database = match postgres::open(config, Purpose::Worker).await {
        Ok(database) => database,
        Err(error) => {
            complain(error);
            return Exit::Failed;
        }
    };
    let exit = work(config, &database).await.unwrap_or_else(|error| {
        complain(error);
        Exit::Failed
    });
    database.close().await;
    exit
}

async fn work(config: &Arc<Config>, database: &Database) -> Result<Exit, Box<dyn std::error::Error>> {
    let mut signals = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let pool = database.pool(config);
    db::migrate(&pool).await?;
    let ctx = context(Arc::clone(config), pool.clone()).await?;
    worker::prepare_partitions(&ctx).await;
    worker::enqueue_resealing(&ctx).await?;
    let runner = worker::start(&ctx);
    tracing::info!(parallel = config.jobs.parallel, "working on jobs in {}", database.description);
    tokio::select! { _ = signals.0.recv() => {}, _ = signals.1.recv() => {} }
    tracing::info!("stopping: running jobs finish first");
    tokio::select! {
        () = runner.stop() => {}
        _ = signals.0.recv() => return Ok(Exit::Failed),
        _ = signals.1.recv() => return Ok(Exit::Failed),
    }
    pool.close().await;
    Ok(Exit::Done)
}
