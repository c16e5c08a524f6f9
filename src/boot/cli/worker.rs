//! `tollgate worker`: runs jobs and nothing else, beside servers that leave them alone (`jobs.in_serve = false`) or to add hands.

use super::{Exit, complain, signals::Signals};
use crate::{
    boot::{
        context::context,
        worker::{self, Working},
    },
    platform::{
        config::Config,
        db, places,
        postgres::{self, Database, Purpose},
    },
};
use sqlx::PgPool;
use std::sync::Arc;

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
    let mut signals = Signals::take()?;
    let pool = database.pool(config);
    let working = tokio::select! {
        working = start(config, &pool) => working?,
        () = signals.wait() => {
            tracing::info!("stopped before the start was finished");
            return Ok(Exit::Done);
        }
    };
    tracing::info!(parallel = config.jobs.parallel, "working on jobs in {}", database.description);
    signals.wait().await;
    tracing::info!("stopping: running jobs finish first");
    tokio::select! {
        () = working.stop() => {}
        () = signals.wait() => return Ok(Exit::Failed),
    }
    pool.close().await;
    Ok(Exit::Done)
}

async fn start(config: &Arc<Config>, pool: &PgPool) -> Result<Working, Box<dyn std::error::Error>> {
    db::migrate(pool).await?;
    let ctx = places::opened(context(Arc::clone(config), pool.clone()).await?)?;
    worker::prepare_partitions(&ctx).await;
    worker::enqueue_resealing(&ctx).await?;
    Ok(worker::start(&ctx))
}
