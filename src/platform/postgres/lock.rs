//! The lock of a data folder: whoever holds it owns the embedded Postgres in it. The kernel lets go of it when its holder ends,
//! however it ends. The file says who holds it; what it says means nothing when nobody does.

use super::PostgresError;
use std::{
    fmt,
    fs::{DirBuilder, File, OpenOptions, Permissions, TryLockError},
    io::{ErrorKind, Read, Seek, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

/// The data folder is ours until this is dropped.
#[derive(Debug)]
pub struct DataLock {
    _file: File,
    data_dir: PathBuf,
}

/// Who holds the lock.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Holder {
    pub pid: u32,
    /// `serve`, `worker`, or a command that ends by itself.
    pub command: String,
    /// Where it listens; empty if it does not.
    pub addr: String,
}

impl Holder {
    /// This process.
    pub fn me(command: &str, addr: &str) -> Self {
        Self { pid: std::process::id(), command: command.to_owned(), addr: addr.to_owned() }
    }

    /// False for a command that will let go of the lock by itself soon.
    pub fn stays(&self) -> bool {
        matches!(self.command.as_str(), "serve" | "worker")
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`tollgate {}` (pid {}", self.command, self.pid)?;
        if !self.addr.is_empty() {
            write!(f, ", {}", self.addr)?;
        }
        write!(f, ")")
    }
}

/// The answer to `DataLock::take`.
#[derive(Debug)]
pub enum Taken {
    Mine(DataLock),
    Theirs(Holder),
}

impl DataLock {
    /// Takes the lock if it is free. Makes the folder if it does not exist.
    pub fn take(data_dir: &Path, me: &Holder) -> Result<Taken, PostgresError> {
        make_folder(data_dir)?;
        let path = data_dir.join("lock");
        let failed = |what: &str| PostgresError::io(format!("The data folder can't be {what} ({})", path.display()));
        let opened = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(&path);
        let mut file = opened.map_err(|error| match error.kind() {
            ErrorKind::PermissionDenied => PostgresError::Folder(format!(
                "The data folder {} belongs to another user. Run Tollgate as that one, or set another folder with --data-dir.",
                data_dir.display()
            )),
            _ => failed("locked")(error),
        })?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut text = String::new();
                let _ = file.read_to_string(&mut text);
                return Ok(Taken::Theirs(parse(&text)));
            }
            Err(TryLockError::Error(error)) => return Err(failed("locked")(error)),
        }
        let text = format!("{}\n{}\n{}\n", me.pid, me.command, me.addr);
        file.set_len(0).and_then(|()| file.rewind()).and_then(|()| file.write_all(text.as_bytes())).map_err(failed("locked"))?;
        let data_dir = data_dir.canonicalize().map_err(failed("found"))?;
        Ok(Taken::Mine(Self { _file: file, data_dir }))
    }

    /// The data folder, absolute.
    pub fn data_dir(&self) -> &Path {
        &self.data_dir
    }
}

/// Others on this machine may pass through it (Postgres may run as another user) but not look into it; what is in it is closed.
fn make_folder(data_dir: &Path) -> Result<(), PostgresError> {
    if data_dir.is_dir() {
        return Ok(());
    }
    let mode = if super::sys::is_root() { 0o711 } else { 0o700 };
    let made = DirBuilder::new().recursive(true).mode(0o755).create(data_dir);
    made.and_then(|()| std::fs::set_permissions(data_dir, Permissions::from_mode(mode)))
        .map_err(PostgresError::io(format!("The data folder {} can't be made", data_dir.display())))
}

/// A holder that has not written itself down yet is unknown, and does not stay.
fn parse(text: &str) -> Holder {
    let mut lines = text.lines().map(str::to_owned);
    Holder {
        pid: lines.next().and_then(|pid| pid.parse().ok()).unwrap_or(0),
        command: lines.next().unwrap_or_default(),
        addr: lines.next().unwrap_or_default(),
    }
}
