//! Work that stands back where it shares cores with what answers calls: a thread of its own, whose turn comes later.

use std::ffi::c_int;
use tokio::{
    runtime::Handle,
    task::{JoinHandle, spawn_blocking},
};

/// It leaves a third of the weight of what answers: enough to get on, and shorter pauses there.
pub const STEPS: c_int = 5;

/// Does this work, for as long as the process lives, on a thread of its own that stands back. However long it computes, the threads that answer
/// calls go on.
pub fn aside(work: impl Future<Output = ()> + Send + 'static) -> JoinHandle<()> {
    let runtime = Handle::current();
    spawn_blocking(move || {
        // Elsewhere it would be the whole process.
        if cfg!(target_os = "linux") {
            step_back();
        }
        runtime.block_on(work);
    })
}

/// Lets others go first in the midst of a long computation: once the kernel has given the core to this thread, what answers calls waits until its
/// next tick, up to ten milliseconds.
pub fn make_way() {
    std::thread::yield_now();
}

/// The same after each few hundred items, a third of a millisecond's work.
pub fn in_pieces<I: Iterator>(items: I) -> impl Iterator<Item = I::Item> {
    const PIECE: usize = 250;
    items.enumerate().map(|(n, item)| {
        if n % PIECE == PIECE - 1 {
            make_way();
        }
        item
    })
}

/// From now on this thread stands back, and what it starts. Allowed between fork and exec. A kernel that won't have it is no error.
pub fn step_back() {
    // SAFETY: takes a plain integer.
    unsafe { libc::nice(STEPS) };
}
