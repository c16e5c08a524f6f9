//! What an earlier run left: a Postgres that still runs because its Tollgate was killed, or a pid file that names nobody of ours.
//! Only the holder of the data folder's lock may call this, so no living Tollgate can need that Postgres: it is stopped, and
//! the caller starts its own, with the settings of today and tied to this process.

use super::{PostgresError, sys};
use std::{
    path::{Path, PathBuf},
    process::Command,
    thread::sleep,
    time::{Duration, Instant},
};

/// What `postmaster.pid` says.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct PidFile {
    pub pid: u32,
    /// The folder of the unix socket; empty until it listens.
    pub socket: PathBuf,
}

/// Reads the pid file of a cluster. None if there is none or it cannot be made out.
pub(super) fn read(cluster: &Path) -> Option<PidFile> {
    parse(&std::fs::read_to_string(cluster.join("postmaster.pid")).ok()?)
}

/// Stops a Postgres that still runs on this cluster; removes a pid file that would keep a new one from starting.
pub(super) fn clear(cluster: &Path) -> Result<(), PostgresError> {
    let path = cluster.join("postmaster.pid");
    let Ok(text) = std::fs::read_to_string(&path) else { return Ok(()) };
    let running = parse(&text).map(|file| file.pid).filter(|pid| sys::is_alive(*pid));
    match running {
        Some(pid) if is_postmaster_of(pid, cluster) => {
            tracing::warn!("stopping the Postgres (pid {pid}) that an earlier run left in {}", cluster.display());
            stop(pid, cluster)
        }
        // Its process is gone: Postgres sees that itself, and looks whether a part of it still lives.
        None if parse(&text).is_some() => Ok(()),
        // Empty, or the id belongs to another program by now: Postgres would refuse to start.
        _ => {
            tracing::warn!("removing {}, which an earlier run left", path.display());
            std::fs::remove_file(&path).map_err(PostgresError::io(format!("{} can't be removed", path.display())))
        }
    }
}

fn stop(pid: u32, cluster: &Path) -> Result<(), PostgresError> {
    for (signal, seconds) in [(sys::SIGINT, 20), (sys::SIGQUIT, 10)] {
        sys::signal(pid, signal);
        let deadline = Instant::now() + Duration::from_secs(seconds);
        while Instant::now() < deadline {
            if !sys::is_alive(pid) || !is_postmaster_of(pid, cluster) {
                return Ok(());
            }
            sleep(Duration::from_millis(20));
        }
    }
    Err(PostgresError::Folder(format!("The Postgres (pid {pid}) that an earlier run left in {} does not stop. End it and start again.", cluster.display())))
}

/// A postmaster's working directory is its cluster.
fn is_postmaster_of(pid: u32, cluster: &Path) -> bool {
    let process = PathBuf::from(format!("/proc/{pid}"));
    if Path::new("/proc/self/cwd").exists() {
        let name = std::fs::read_to_string(process.join("comm")).unwrap_or_default();
        return matches!(name.trim(), "postgres" | "postmaster") && std::fs::read_link(process.join("cwd")).is_ok_and(|cwd| cwd == cluster);
    }
    let output = Command::new("ps").args(["-ww", "-o", "args=", "-p", &pid.to_string()]).output();
    output.is_ok_and(|output| {
        let line = String::from_utf8_lossy(&output.stdout);
        line.contains("postgres") && line.contains(&cluster.display().to_string())
    })
}

/// Lines: pid, cluster, start, port, socket folder, …
fn parse(text: &str) -> Option<PidFile> {
    let mut lines = text.lines();
    let pid = lines.next()?.trim().parse().ok()?;
    Some(PidFile { pid, socket: lines.nth(3).unwrap_or_default().into() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pid_file_is_read_by_its_lines() {
        let text = "4711\n/data/postgres\n1790000000\n5432\n/run/socket\n\n   123 456\nready\n";
        assert_eq!(parse(text), Some(PidFile { pid: 4711, socket: "/run/socket".into() }));
        assert_eq!(parse("4711\n"), Some(PidFile { pid: 4711, socket: PathBuf::new() }));
        assert_eq!(parse(""), None);
        assert_eq!(parse("not a number\n"), None);
    }
}
