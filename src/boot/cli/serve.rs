//! `tollgate serve`: opens the database, brings the schema up to date, answers until it is told to stop, and closes in order.

use super::{Exit, Invocation, complain, print, signals::Signals};
use crate::{
    accounts::server::ensure_first_operator,
    boot::{
        context::context,
        demo::{self, Person},
        metrics,
        server::Running,
        worker::{enqueue_resealing, prepare_partitions},
    },
    error::AppError,
    platform::{
        Ctx,
        config::{Config, Origin, loader::is_local},
        db,
        postgres::{self, Database, Purpose},
    },
};
use clap::Args;
use sqlx::PgPool;
use std::sync::Arc;
use tokio::{net::TcpListener, task::JoinHandle};

#[derive(Debug, Default, Args)]
pub(super) struct Flags {
    /// Load demo data on the first start; for development only, which it implies where nothing says otherwise
    #[arg(long)]
    pub(super) demo: bool,
}

/// Runs the server until SIGINT or SIGTERM. A second signal ends it at once.
pub(super) async fn serve(invocation: &Invocation, flags: &Flags) -> Exit {
    let config = &invocation.config;
    if flags.demo && !config.is_development() {
        let origin = invocation.loaded.origin("env");
        complain(format!(
            "--demo makes accounts whose passwords everybody can read, so it is for development; {origin} says production. Leave --demo away, or say development there."
        ));
        return Exit::Refused;
    }
    // A deployment need not say that it is one.
    let is_implied = matches!(invocation.loaded.origin("env"), Origin::Flag { flag } if flag == "--demo");
    let is_public = *invocation.loaded.origin("server.public_url") != Origin::Default && !is_local(&config.server.public_url);
    if flags.demo && is_implied && is_public {
        complain(format!(
            "--demo makes accounts whose passwords everybody can read, and others reach {}. Leave --demo away, or set TOLLGATE_ENV=development.",
            config.server.public_url
        ));
        return Exit::Refused;
    }
    let database = match postgres::open(config, Purpose::Serve).await {
        Ok(database) => database,
        Err(error) => {
            complain(error);
            return Exit::Failed;
        }
    };
    let exit = answer(config, &database, flags).await.unwrap_or_else(|error| {
        complain(error);
        Exit::Failed
    });
    database.close().await;
    exit
}

async fn answer(config: &Arc<Config>, database: &Database, flags: &Flags) -> Result<Exit, Box<dyn std::error::Error>> {
    let mut signals = Signals::take()?;
    tracing::info!(demo = flags.demo, "using {}", database.description);
    let pool = database.pool(config);
    let prepared = tokio::select! {
        prepared = prepare(config, &pool) => prepared?,
        () = signals.wait() => return Ok(stopped_early()),
    };
    // Not cut off: half of the demo data would stay half.
    let people = if flags.demo { load_demo(&prepared.ctx).await? } else { Vec::new() };
    let known = if config.is_development() { Vec::new() } else { demo::with_known_passwords(&prepared.ctx).await? };
    if !known.is_empty() {
        complain(demo::refusal(&known));
        return Ok(Exit::Refused);
    }
    let Started { running, metrics, first_operator } = tokio::select! {
        started = start(prepared) => started?,
        () = signals.wait() => return Ok(stopped_early()),
    };
    greet(config, &people, first_operator.as_deref());
    signals.wait().await;
    tracing::info!("stopping: running requests are answered first");
    tokio::select! {
        () = running.stop() => {}
        () = signals.wait() => return Ok(Exit::Failed),
    }
    if let Some(metrics) = metrics {
        metrics.abort();
    }
    pool.close().await;
    Ok(Exit::Done)
}

/// What was begun is undone by the database or found by the next start, as after a crash.
fn stopped_early() -> Exit {
    tracing::info!("stopped before the start was finished");
    Exit::Done
}

/// The schema, the context and the sockets.
struct Prepared {
    ctx: Ctx,
    listener: TcpListener,
    metrics: Option<TcpListener>,
}

async fn prepare(config: &Arc<Config>, pool: &PgPool) -> Result<Prepared, Box<dyn std::error::Error>> {
    db::migrate(pool).await?;
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
    Ok(Prepared { ctx, listener, metrics })
}

/// Loads it, and says who can sign in with the password that stands there.
async fn load_demo(ctx: &Ctx) -> Result<Vec<Person>, AppError> {
    demo::load(ctx).await?;
    demo::with_known_passwords(ctx).await
}

/// A server that answers.
struct Started {
    running: Running,
    metrics: Option<JoinHandle<()>>,
    first_operator: Option<String>,
}

async fn start(prepared: Prepared) -> Result<Started, Box<dyn std::error::Error>> {
    let Prepared { ctx, listener, metrics } = prepared;
    let first_operator = ensure_first_operator(&ctx).await?;
    enqueue_resealing(&ctx).await?;
    let running = Running::start(ctx, listener).await?;
    let metrics = metrics.map(|listener| metrics::serve(running.ctx.clone(), listener));
    Ok(Started { running, metrics, first_operator })
}

/// What a person needs to know at this moment: where to open it, how to sign in, where mails are.
fn greet(config: &Config, people: &[Person], first_operator: Option<&str>) {
    let mut lines = vec![format!("Tollgate is running at {}", config.origin())];
    for person in people {
        lines.push(format!("  sign in as the demo {:<10} {}  password: {}", person.role, person.email, person.password));
    }
    if !people.is_empty() && !config.server.addr.ip().is_loopback() {
        lines.push("  other machines reach this address, and everybody can read these passwords".to_owned());
    }
    if let Some(link) = first_operator {
        lines.push(format!("  make yourself the first operator (one use, within a day): {link}"));
    }
    if config.is_development() && config.mail.smtp_url.is_none() {
        lines.push(format!("  mails are shown at {}", config.link("/dev/mailbox")));
    }
    lines.push("  Ctrl-C stops it.".to_owned());
    print(&lines.join("\n"));
    // Several servers have the one public address; each listens on its own.
    tracing::info!("listening on {}, as {}", config.server.addr, config.origin());
}
