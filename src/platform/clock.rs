//! Time as an argument. `Clock::system()` in the product; `Clock::frozen(at)` in tests, moved by hand.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};
use time::OffsetDateTime;

/// Where an operation takes the time from. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Clock(Source);

#[derive(Clone, Debug)]
enum Source {
    System,
    /// Microseconds since 1970, UTC.
    Frozen(Arc<AtomicI64>),
}

impl Clock {
    pub const fn system() -> Self {
        Self(Source::System)
    }

    /// Stands still until it is moved.
    pub fn frozen(at: OffsetDateTime) -> Self {
        Self(Source::Frozen(Arc::new(AtomicI64::new(micros(at)))))
    }

    /// The present instant, UTC, to the microsecond (what Postgres can hold).
    pub fn now(&self) -> OffsetDateTime {
        let micros = self.now_micros();
        OffsetDateTime::from_unix_timestamp_nanos(i128::from(micros) * 1000).unwrap_or(OffsetDateTime::UNIX_EPOCH)
    }

    /// Microseconds since 1970: what the verify path works with.
    #[allow(clippy::disallowed_methods, reason = "this is the one place that reads the wall clock")]
    pub fn now_micros(&self) -> i64 {
        match &self.0 {
            Source::System => {
                let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
                i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
            }
            Source::Frozen(at) => at.load(Ordering::SeqCst),
        }
    }

    /// Moves a frozen clock; a system clock is not moved.
    pub fn advance(&self, by: time::Duration) {
        if let Source::Frozen(at) = &self.0 {
            at.fetch_add(i64::try_from(by.whole_microseconds()).unwrap_or(0), Ordering::SeqCst);
        }
    }

    /// Sets a frozen clock.
    pub fn set(&self, to: OffsetDateTime) {
        if let Source::Frozen(at) = &self.0 {
            at.store(micros(to), Ordering::SeqCst);
        }
    }
}

/// Milliseconds on a clock that nobody sets and that goes on while the process is stopped or the machine sleeps: for how long ago
/// something was, never for when. Its beginning means nothing (on Linux the start of the machine, `CLOCK_BOOTTIME`).
pub fn steady_millis() -> u64 {
    #[cfg(target_os = "linux")]
    const CLOCK: libc::clockid_t = libc::CLOCK_BOOTTIME;
    // On macOS this one counts sleep too.
    #[cfg(not(target_os = "linux"))]
    const CLOCK: libc::clockid_t = libc::CLOCK_MONOTONIC;
    let mut at = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the clock exists on every system we build for, and `at` outlives the call.
    unsafe { libc::clock_gettime(CLOCK, &raw mut at) };
    u64::try_from(at.tv_sec).unwrap_or(0) * 1000 + u64::try_from(at.tv_nsec).unwrap_or(0) / 1_000_000
}

fn micros(at: OffsetDateTime) -> i64 {
    i64::try_from(at.unix_timestamp_nanos() / 1000).unwrap_or(i64::MAX)
}
