//! `tollgate serve`: opens the database, brings the schema up to date, answers until it is told to stop, and closes in order.

use super::{Exit, complain, print};
use crate::{
    accounts::server::ensure_first_operator,
    boot::{
        context::context,
        demo, metrics,
        server::Running,
        worker::{enqueue_resealing, prepare_partitions},
    },
    platform::{
        config::Config,
        db,
        postgres::{self, Database, Purpose},
    },
};
use clap::Args;
use std::sync::Arc;
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
};

#[derive(Debug, Default, Args)]
pub(super) struct Flags {
    /// Load demo data on the first start
    #[arg(long)]
    demo: bool,
}

/// Runs the server until SIGINT or SIGTERM. A second signal ends it at once.
pub(super) async fn serve(config: Arc<Config>, flags: Flags) -> Exit {
    let database = match postgres::open(&config, Purpose::Serve).await {
        Ok(database) => database,
        Err(error) => {
            complain(error);
            return Exit::Failed;
        }
    };
    let exit = answer(&config, &database, &flags).await.unwrap_or_else(|error| {
        complain(error);
        Exit::Failed
    });
    database.close().await;
    exit
}

async fn answer(config: &Arc<Config>, database: &Database, flags: &Flags) -> Result<Exit, Box<dyn std::error::Error>> {
    let mut signals = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    tracing::info!(demo = flags.demo, "using {}", database.description);
    let pool = database.pool(config);
    db::migrate(&pool).await?;
    let ctx = context(Arc::clone(config), pool.clone()).await?;
    prepare_partitions(&ctx).await;
    let addr = config.server.addr;
    let listener = TcpListener::bind(addr).await.map_err(|error| format!("{addr} can't be listened on: {error}. Choose another address with --addr."))?;
    let metrics = match config.server.metrics_addr {
        Some(addr) => {
            let bound = TcpListener::bind(addr).await;
            Some(bound.map_err(|error| format!("{addr} can't be listened on for metrics: {error}. Choose another TOLLGATE_METRICS_ADDR."))?)
        }
        None => None,
    };
    let has_demo = flags.demo && config.is_development();
    if has_demo {
        demo::load(&ctx).await?;
    }
    let first_operator = ensure_first_operator(&ctx).await?;
    enqueue_resealing(&ctx).await?;
    let running = Running::start(ctx, listener).await?;
    let metrics = metrics.map(|listener| metrics::serve(running.ctx.clone(), listener));
    greet(config, has_demo, first_operator.as_deref());
    tokio::select! { _ = signals.0.recv() => {}, _ = signals.1.recv() => {} }
    tracing::info!("stopping: running requests are answered first");
    tokio::select! {
        () = running.stop() => {}
        _ = signals.0.recv() => return Ok(Exit::Failed),
        _ = signals.1.recv() => return Ok(Exit::Failed),
    }
    if let Some(metrics) = metrics {
        metrics.abort();
    }
    pool.close().await;
    Ok(Exit::Done)
}

/// What a person needs to know at this moment: where to open it, how to sign in, where mails are.
fn greet(config: &Config, has_demo: bool, first_operator: Option<&str>) {
    let mut lines = vec![format!("Tollgate is running at {}", config.origin())];
    if has_demo {
        for person in [demo::OPERATOR_PERSON, demo::DEVELOPER_PERSON] {
            lines.push(format!("  sign in as the demo {:<10} {}  password: {}", person.role, person.email, person.password));
        }
    }
    if let Some(link) = first_operator {
        lines.push(format!("  make yourself the first operator (one use, within a day): {link}"));
    }
    if config.is_development() && config.mail.smtp_url.is_none() {
        lines.push(format!("  mails are shown at {}", config.link("/dev/mailbox")));
    }
    lines.push("  Ctrl-C stops it.".to_owned());
    print(&lines.join("\n"));
    tracing::info!("listening on {}", config.origin());
}
