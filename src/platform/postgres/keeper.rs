//! The thread that starts Postgres, waits on it and starts it again if it falls. It lives as long as its child, because the kernel
//! ends the child with the thread that started it: after a `kill -9` of Tollgate no Postgres is left.

use super::{MAX_CONNECTIONS, PORT, PostgresError, cluster::Cluster, leftover, sessions, sys};
use std::{
    fs::{File, OpenOptions},
    os::unix::{fs::OpenOptionsExt, process::CommandExt},
    path::Path,
    process::{Child, Command, Stdio},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread::JoinHandle,
    time::{Duration, Instant},
};
use tokio_util::task::AbortOnDropHandle;

/// A log that has grown beyond this is put aside at the next start.
const LOG_BYTES: u64 = 10_000_000;

pub(super) struct Keeper {
    shared: Arc<Shared>,
    thread: JoinHandle<()>,
    _sessions: AbortOnDropHandle<()>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    stopping: Condvar,
}

#[derive(Default)]
struct State {
    /// Some exactly while the process exists and is not reaped, so that a signal cannot meet a stranger.
    pid: Option<u32>,
    stopping: bool,
    /// How often it ended without being told to.
    falls: u32,
}

impl Keeper {
    /// Within a runtime.
    pub(super) fn start(cluster: Cluster, log: &Path) -> Result<Self, PostgresError> {
        let log = open_log(log).map_err(PostgresError::io(format!("The log {} can't be written", log.display())))?;
        let shared = Arc::new(Shared::default());
        let theirs = Arc::clone(&shared);
        let thread = std::thread::Builder::new()
            .name("postgres".to_owned())
            .spawn(move || theirs.keep(&cluster, &log))
            .map_err(PostgresError::io("No thread could be started"))?;
        let running = Arc::clone(&shared);
        let sessions = tokio::spawn(sessions::stand_back(move || running.lock().pid));
        Ok(Self { shared, thread, _sessions: AbortOnDropHandle::new(sessions) })
    }

    pub(super) fn pid(&self) -> Option<u32> {
        self.shared.lock().pid
    }

    pub(super) fn falls(&self) -> u32 {
        self.shared.lock().falls
    }

    /// Asks for a fast shutdown, and for an immediate one if that takes too long.
    pub(super) async fn stop(self) {
        for (signal, seconds) in [(sys::SIGINT, 20), (sys::SIGQUIT, 10), (sys::SIGKILL, 5)] {
            self.shared.tell(signal);
            let deadline = Instant::now() + Duration::from_secs(seconds);
            while Instant::now() < deadline {
                if self.thread.is_finished() {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        }
        tracing::error!("the embedded Postgres does not stop");
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        if !self.thread.is_finished() {
            self.shared.tell(sys::SIGINT);
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tell(&self, signal: std::ffi::c_int) {
        let mut state = self.lock();
        state.stopping = true;
        if let Some(pid) = state.pid {
            sys::signal(pid, signal);
        }
        self.stopping.notify_all();
    }

    fn keep(&self, cluster: &Cluster, log: &File) {
        let mut pause = Duration::from_millis(100);
        while let Some(launched) = self.launch(cluster, log) {
            let began = Instant::now();
            let ended = match launched {
                Ok(child) => self.wait(child),
                Err(error) => error.to_string(),
            };
            let mut state = self.lock();
            if state.stopping {
                return;
            }
            state.falls += 1;
            tracing::error!("the embedded Postgres ended ({ended}); starting it again");
            pause = if began.elapsed() > Duration::from_secs(60) { Duration::from_millis(100) } else { (pause * 2).min(Duration::from_secs(5)) };
            let (state, _) = self.stopping.wait_timeout_while(state, pause, |state| !state.stopping).unwrap_or_else(PoisonError::into_inner);
            drop(state);
            if let Err(error) = leftover::clear(&cluster.folder) {
                tracing::error!("{error}");
            }
        }
    }

    /// None once it is to stop.
    fn launch(&self, cluster: &Cluster, log: &File) -> Option<std::io::Result<Child>> {
        // Held over the start: whoever stops it meanwhile finds the process.
        let mut state = self.lock();
        if state.stopping {
            return None;
        }
        let child = command(cluster, log).and_then(|mut command| command.spawn());
        state.pid = child.as_ref().ok().map(Child::id);
        Some(child)
    }

    fn wait(&self, mut child: Child) -> String {
        sys::wait_for_end(child.id());
        self.lock().pid = None;
        child.wait().map_or_else(|error| error.to_string(), |status| status.to_string())
    }
}

fn command(cluster: &Cluster, log: &File) -> std::io::Result<Command> {
    let mut command = cluster.command("postgres");
    command.arg("-D").arg(&cluster.folder).arg("-k").arg(&cluster.socket).args(["-p", &PORT.to_string()]);
    for setting in [
        "listen_addresses=",
        "unix_socket_permissions=0700",
        &format!("max_connections={MAX_CONNECTIONS}"),
        "shared_buffers=128MB",
        "cluster_name=tollgate",
        "logging_collector=off",
        "log_checkpoints=off",
        "log_timezone=UTC",
        "timezone=UTC",
    ] {
        command.args(["-c", setting]);
    }
    // A group of its own: Ctrl-C in the terminal reaches us, and we stop it when we are done with it.
    command.process_group(0).stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log.try_clone()?);
    sys::end_with_this_thread(&mut command, sys::SIGINT);
    sys::stand_back(&mut command);
    Ok(command)
}

fn open_log(path: &Path) -> std::io::Result<File> {
    if path.metadata().is_ok_and(|log| log.len() > LOG_BYTES) {
        std::fs::rename(path, path.with_extension("log.1"))?;
    }
    OpenOptions::new().append(true).create(true).mode(0o600).open(path)
}
