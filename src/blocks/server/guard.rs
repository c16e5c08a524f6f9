//! The task that acts on what this node's gate suspects. Beside the path of answers, one suspicion after the other: what can't be
//! written now is suspected again in the next window.

use super::fire;
use crate::{keys::server::gate::Gate, platform::Ctx};
use std::sync::Arc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

pub struct Guard {
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Guard {
    pub fn start(ctx: Ctx, gate: Arc<Gate>) -> Self {
        let stop = CancellationToken::new();
        let stopped = stop.clone();
        let task = tokio::spawn(async move {
            loop {
                let suspicion = tokio::select! {
                    () = stopped.cancelled() => break,
                    suspicion = gate.watch().next() => suspicion,
                };
                if let Err(error) = fire(&ctx, suspicion).await {
                    tracing::warn!(?suspicion, "a rule fired, but its block could not be written: {error}");
                }
            }
        });
        Self { stop, task }
    }

    pub async fn stop(self) {
        self.stop.cancel();
        if let Err(error) = self.task.await {
            tracing::error!("the guard ended badly: {error}");
        }
    }
}
