//! What health may know of the writing of usage: whether counts wait in memory because the database does not take them.
//!
//! A part of the context; the flusher reports to it where boot hung one.

use crate::platform::Ctx;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering::Relaxed};
use time::OffsetDateTime;

/// How the flusher does. Times are microseconds since 1970, 0 for never.
#[derive(Debug, Default)]
pub struct Backlog {
    waiting: AtomicU64,
    written_at: AtomicI64,
    failing_since: AtomicI64,
}

impl Backlog {
    /// Counters that left the meter and are not written yet.
    pub fn waiting(&self) -> u64 {
        self.waiting.load(Relaxed)
    }

    /// When a batch was written last.
    pub fn written_at(&self) -> Option<OffsetDateTime> {
        instant(self.written_at.load(Relaxed))
    }

    /// Since when no try succeeded, if the last one did not.
    pub fn failing_since(&self) -> Option<OffsetDateTime> {
        instant(self.failing_since.load(Relaxed))
    }
}

/// A batch of so many counters is on its way.
pub(super) fn leaves(ctx: &Ctx, counters: usize) {
    if let Some(backlog) = ctx.part::<Backlog>() {
        backlog.waiting.store(counters as u64, Relaxed);
    }
}

/// It arrived, or did not.
pub(super) fn ends(ctx: &Ctx, is_written: bool) {
    let (Some(backlog), now) = (ctx.part::<Backlog>(), ctx.clock.now_micros()) else { return };
    if is_written {
        backlog.waiting.store(0, Relaxed);
        backlog.written_at.store(now, Relaxed);
        backlog.failing_since.store(0, Relaxed);
    } else {
        let _ = backlog.failing_since.compare_exchange(0, now, Relaxed, Relaxed);
    }
}

fn instant(micros: i64) -> Option<OffsetDateTime> {
    (micros != 0).then(|| OffsetDateTime::from_unix_timestamp_nanos(i128::from(micros) * 1000).ok()).flatten()
}
