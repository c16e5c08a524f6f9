//! SIGINT and SIGTERM, for the commands that stay.

use tokio::signal::unix::{Signal, SignalKind, signal};

/// Taken over from the system: from then on they end nothing by themselves.
pub(super) struct Signals(Signal, Signal);

impl Signals {
    pub(super) fn take() -> std::io::Result<Self> {
        Ok(Self(signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?))
    }

    /// The next one, also one that came while nobody waited.
    pub(super) async fn wait(&mut self) {
        tokio::select! { _ = self.0.recv() => {}, _ = self.1.recv() => {} }
    }
}
