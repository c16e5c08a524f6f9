//! The running server: context, router, listener, and the order of an orderly end.

use super::{files, router::router, state::AppState};
use crate::platform::Ctx;
use std::net::SocketAddr;
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::sync::CancellationToken;

/// A server that answers, and how to end it.
pub struct Running {
    pub addr: SocketAddr,
    stop: CancellationToken,
    serving: JoinHandle<std::io::Result<()>>,
}

impl Running {
    /// Starts answering on the listener. The context is complete: database migrated, parts loaded.
    pub fn start(ctx: Ctx, listener: TcpListener) -> std::io::Result<Self> {
        let addr = listener.local_addr()?;
        let stop = CancellationToken::new();
        let app = router(AppState { ctx, leptos: files::leptos_options() });
        let stopped = stop.clone().cancelled_owned();
        let service = app.into_make_service_with_connect_info::<SocketAddr>();
        let serving = tokio::spawn(async move { axum::serve(listener, service).with_graceful_shutdown(stopped).await });
        Ok(Self { addr, stop, serving })
    }

    /// Stops accepting and waits until the running requests are answered.
    pub async fn stop(self) {
        self.stop.cancel();
        if let Err(error) = self.serving.await {
            tracing::error!("the server ended badly: {error}");
        }
    }
}
