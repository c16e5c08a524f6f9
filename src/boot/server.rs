//! The running server: its parts, router, listener, and the order of an orderly end.

use super::{
    files,
    front::Front,
    listen::{Patience, listen},
    room::Room,
    router::router,
    state::AppState,
    worker,
};
use crate::{
    accounts::server::{
        avatars::Queue,
        leaving::{KeysRefused, Refused},
        openid::Providers,
    },
    blocks::server::Guard,
    keys::server::{
        Door,
        gate::{Gate, LeftDebtsError, Sync, write_left_debts},
        meter::{LeftOver, Spool},
        nodes::{NodeId, Nodes, spread_of_account},
        pacing::Paces,
        signing::{LeftNoncesError, write_left_nonces},
    },
    platform::{
        Ctx,
        places::{self, PlacesError},
    },
    usage::server::{Backlog, Flusher, LeftOverError, close_left_over, write_left_over},
    values::AccountId,
};
use std::{net::SocketAddr, sync::Arc};
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::sync::CancellationToken;

/// A server that answers, and how to end it.
pub struct Running {
    pub addr: SocketAddr,
    /// The context with the parts of this process.
    pub ctx: Ctx,
    stop: CancellationToken,
    serving: JoinHandle<()>,
    key_table: Sync,
    flusher: Flusher,
    guard: Guard,
    jobs: Option<worker::Working>,
}

/// Why a start did not happen.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error(transparent)]
    Places(#[from] PlacesError),
    #[error("the listener can't be used: {0}")]
    Listener(#[from] std::io::Error),
    #[error("the spool in the data folder can't be made: {0}")]
    Spool(std::io::Error),
    #[error(transparent)]
    LeftOver(#[from] LeftOverError),
    #[error(transparent)]
    LeftNonces(#[from] LeftNoncesError),
    #[error(transparent)]
    LeftDebts(#[from] LeftDebtsError),
    #[error("the key table can't be loaded: {0}")]
    Database(#[from] sqlx::Error),
}

/// On which servers keys of an account that was left are refused.
async fn refused(ctx: Ctx, account: AccountId) -> Refused {
    let spread = spread_of_account(&ctx, account).await;
    let missing = (!spread.is_whole()).then(|| spread.words("refused"));
    Refused { spread: spread.into(), missing }
}

impl Running {
    /// Loads what the process keeps in memory, then answers on the listener. The database is migrated.
    pub async fn start(ctx: Ctx, listener: TcpListener) -> Result<Self, StartError> {
        let addr = listener.local_addr()?;
        let ctx = places::opened(ctx)?;
        write_left_nonces(&ctx).await?;
        write_left_debts(&ctx).await?;
        let me: NodeId = ctx.new_id();
        let spool = Spool::open(&ctx.config.server.data_dir, me.uuid()).map_err(StartError::Spool)?;
        let left = write_left_over(&ctx, &spool).await?;
        // A node that starts elsewhere waits for these until they are forgotten: only now is all of theirs in the database, but for what
        // `Sync` tells first.
        let ended: Vec<NodeId> = left.iter().filter_map(LeftOver::ended).map(NodeId::new).collect();
        let (gate, nodes) = (Gate::new(&ctx, Some(spool)), Nodes::new(&ctx, me, addr.port()));
        let key_table = Sync::start(Arc::clone(&gate), Arc::clone(&nodes), &ctx, &ended).await?;
        if let Err(error) = close_left_over(&ctx, left).await {
            key_table.stop().await;
            return Err(error.into());
        }
        let (paces, room) = (Arc::new(Paces::new(&ctx.config.limits)), Room::new(&ctx.config));
        let ctx = ctx.with(Arc::clone(&gate)).with(nodes).with(paces).with(Arc::new(Backlog::default()));
        let ctx = ctx.with(Arc::new(Providers::default())).with(Arc::new(Queue::default())).with(Arc::clone(&room)).with(Arc::new(KeysRefused::new(refused)));
        let flusher = Flusher::start(ctx.clone(), {
            let (ctx, gate) = (ctx.clone(), Arc::clone(&gate));
            move || gate.meter().take(ctx.new_id())
        });

        let guard = Guard::start(ctx.clone(), Arc::clone(&gate));
        let stop = CancellationToken::new();
        let front = Front::new(Door::new(ctx.clone(), gate), router(AppState { ctx: ctx.clone(), leptos: files::leptos_options() }));
        let patience = Patience { idle: ctx.config.server.idle_timeout, grace: ctx.config.server.request_timeout };
        let serving = tokio::spawn(listen(listener, front, stop.clone(), patience, room));
        let jobs = ctx.config.jobs.in_serve.then(|| worker::start(&ctx));
        Ok(Self { addr, ctx, stop, serving, key_table, flusher, guard, jobs })
    }

    /// Stops accepting, waits until the running requests are answered (as long as a request may take, then they are cut off), then ends the parts.
    pub async fn stop(self) {
        self.stop.cancel();
        if let Err(error) = self.serving.await {
            tracing::error!("the listener ended badly: {error}");
        }
        self.guard.stop().await;
        self.flusher.stop().await;
        if let Some(jobs) = self.jobs {
            jobs.stop().await;
        }
        self.key_table.stop().await;
    }
}
