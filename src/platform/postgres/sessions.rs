//! Where Linux shares out a core between sessions first (`sched_autogroup`, as most distributions have it), each process of Postgres is a
//! session of its own, as heavy as ours: its niceness counts only within it. A session has a niceness as well (sched(7), "The autogroup
//! feature"), and those of Postgres get ours here, so that they stand back as they were told to.

use crate::platform::aside::STEPS;
use std::{collections::BTreeSet, fs, time::Duration};

/// What is new is found so soon.
const EVERY: Duration = Duration::from_secs(1);
/// The kernel takes one in a tenth of a second from who may not administer the system.
const AGAIN: Duration = Duration::from_millis(110);

/// Goes on for as long as it is polled. `postmaster` gives the process id, while there is one.
pub(super) async fn stand_back(postmaster: impl Fn() -> Option<u32>) {
    // Another system, or a kernel without sessions: niceness is all there is.
    let Some(ours) = session("self") else { return };
    let mut known = BTreeSet::new();
    loop {
        let children = postmaster().map(children).unwrap_or_default();
        known.retain(|pid| children.contains(pid));
        let taken: Vec<u32> = children.difference(&known).copied().filter(|pid| stands_back(*pid, &ours)).collect();
        known.extend(&taken);
        // Where none was taken, another try so soon is for nothing.
        tokio::time::sleep(if taken.is_empty() || known.len() == children.len() { EVERY } else { AGAIN }).await;
    }
}

fn children(postmaster: u32) -> BTreeSet<u32> {
    let all = fs::read_to_string(format!("/proc/{postmaster}/task/{postmaster}/children")).unwrap_or_default();
    all.split_whitespace().filter_map(|pid| pid.parse().ok()).collect()
}

/// False if it is gone, has no session of its own yet, or if another one was just taken: the next turn tries again.
fn stands_back(pid: u32, ours: &str) -> bool {
    session(&pid.to_string()).is_some_and(|theirs| theirs != ours) && fs::write(format!("/proc/{pid}/autogroup"), STEPS.to_string()).is_ok()
}

/// The name of the session of a process: the first word of `/autogroup-25 nice 0`.
fn session(of: &str) -> Option<String> {
    let told = fs::read_to_string(format!("/proc/{of}/autogroup")).ok()?;
    told.split_whitespace().next().map(str::to_owned)
}
