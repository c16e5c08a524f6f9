//! How many connections are open at once. Each takes a file descriptor and some memory; whoever opens them without end is to take neither
//! from those who ask, nor from what the server itself needs to open. What comes beyond is closed at once: who comes through a proxy is
//! sent to the next server, and nobody waits for an answer that does not come.

use crate::platform::{config::Config, descriptors};
use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicU64, Ordering},
};
use tokio::time::{Duration, Instant};
use tokio_util::task::TaskTracker;

/// Descriptors that are left for what is no client's connection, beside those of the database: the spool, files, metrics, what is fetched.
const RESERVE: usize = 200;
/// With fewer nobody could be served.
const LEAST: usize = 16;
/// How often it is said that some were turned away.
const SAY: Duration = Duration::from_secs(60);

/// The room for connections. A part of the context: `ctx.part::<Room>()`.
pub struct Room {
    most: usize,
    open: TaskTracker,
    turned_away: AtomicU64,
    /// When it was said last, and how many it were then.
    said: Mutex<Option<(Instant, u64)>>,
}

impl Room {
    /// As many as the configuration wants, and the system allows.
    pub fn new(config: &Config) -> Arc<Self> {
        let wanted = config.server.max_connections;
        let reserve = usize::try_from(config.database.pool).unwrap_or(0).saturating_add(RESERVE);
        let most = match descriptors::at_most(wanted.saturating_add(reserve)) {
            Some(files) => wanted.min(files.saturating_sub(reserve).max(LEAST)),
            None => wanted,
        };
        if most < wanted {
            tracing::warn!("{most} connections are open at once at most, not {wanted}: the system allows no more open files (ulimit -n)");
        }
        Arc::new(Self { most, open: TaskTracker::new(), turned_away: AtomicU64::new(0), said: Mutex::default() })
    }

    /// Those that are open. What serves one is spawned here.
    pub const fn open(&self) -> &TaskTracker {
        &self.open
    }

    /// How many may be.
    pub const fn most(&self) -> usize {
        self.most
    }

    /// How many were closed at once since the start.
    pub fn turned_away(&self) -> u64 {
        self.turned_away.load(Ordering::Relaxed)
    }

    pub fn is_full(&self) -> bool {
        self.open.len() >= self.most
    }

    /// Counts one that found no room; says so once a minute.
    pub fn turn_away(&self) {
        let all = self.turned_away.fetch_add(1, Ordering::Relaxed) + 1;
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let before = match *said {
            Some((at, _)) if now.duration_since(at) < SAY => return,
            Some((_, before)) => before,
            None => 0,
        };
        *said = Some((now, all));
        tracing::warn!(turned_away = all - before, "{} connections are open, the most there may be: new ones are closed at once", self.most);
    }
}
