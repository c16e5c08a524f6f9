//! The database: the one that `DATABASE_URL` names, or an embedded Postgres that the binary finds, makes, starts and stops itself.
//!
//! The embedded one is a private cluster in the data folder, reached by a unix socket that only its owner can open. Whoever
//! holds the lock of the data folder may start it (`lock`); a thread of ours waits on it and starts it again if it falls
//! (`keeper`); what an earlier run left behind is stopped or cleared first (`leftover`). As root it runs as an unprivileged user.
//!
//! `open` is the way in; `start` is for those who want the embedded one and nothing else.

mod cluster;
mod keeper;
mod leftover;
mod lock;
mod open;
mod programs;
mod sessions;
mod sys;

pub use lock::{DataLock, Holder, Taken};
pub use open::{Database, Purpose, open};
pub use programs::{MIN_VERSION, Programs, find as find_programs};

use keeper::Keeper;
use sqlx::{
    ConnectOptions, Connection, PgConnection,
    postgres::{PgConnectOptions, PgSslMode},
};
use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

/// Connections of the embedded Postgres, all told.
const MAX_CONNECTIONS: u32 = 60;
/// How many of them one pool may take: others are for listeners, commands beside the server and the superuser's reserve.
pub const MAX_POOL: u32 = 40;
/// The name of the role and of the database in the embedded Postgres.
const NAME: &str = "tollgate";
/// Only the name of the socket depends on it.
const PORT: u16 = 5432;
/// A cluster that was killed replays its log first, which can take a while.
const START_WITHIN: Duration = Duration::from_secs(120);
/// So often may it fall while it starts.
const START_TRIES: u32 = 4;

/// Why there is no database. Each says the next step.
#[derive(Debug, thiserror::Error)]
pub enum PostgresError {
    #[error(
        "No Postgres {MIN_VERSION} or newer was found on this machine.{0} Install one (Debian, Ubuntu: `apt install postgresql`; Fedora: `dnf install postgresql-server`; Alpine: `apk add postgresql`; macOS: `brew install postgresql`), or set DATABASE_URL."
    )]
    NotFound(String),
    #[error(
        "The database in {folder} was made by Postgres {version}, which was not found on this machine.{found} Install Postgres {version}, or carry the data over with pg_upgrade."
    )]
    WrongVersion { folder: PathBuf, version: u32, found: String },
    #[error("Another Tollgate uses the data folder {folder}: {holder}. Stop it, or set another folder with --data-dir.")]
    InUse { folder: PathBuf, holder: Holder },
    #[error("{what}: {error}.")]
    Io { what: String, error: std::io::Error },
    #[error("{0}")]
    Folder(String),
    #[error("{program} failed.\n{output}")]
    Program { program: &'static str, output: String },
    #[error("The embedded Postgres did not start. The end of {log}:\n{tail}")]
    Start { log: PathBuf, tail: String },
    #[error("The database could not be reached within {waited} s: {error}. {hint}")]
    Unreachable { waited: u64, error: String, hint: String },
    #[error("The database is Postgres {0}. Tollgate needs {MIN_VERSION} or newer.")]
    TooOld(u32),
    #[error(
        "DATABASE_URL leads to a pooler that shares sessions between clients (pgbouncer in transaction mode). Prepared statements, LISTEN and advisory locks break there: connect to Postgres itself, or use pool_mode = session."
    )]
    TransactionPooling,
    #[error("The database failed: {0}.")]
    Sql(#[from] sqlx::Error),
}

impl PostgresError {
    fn io(what: impl Into<String>) -> impl FnOnce(std::io::Error) -> Self {
        let what = what.into();
        move |error| Self::Io { what, error }
    }
}

/// A running embedded Postgres. Stop it with `stop`; if it is only dropped, it is told to stop but not waited for.
pub struct Embedded {
    keeper: Keeper,
    socket: PathBuf,
    /// The process is ours as long as we hold it.
    lock: DataLock,
}

/// Starts the Postgres of a data folder: makes it on the first start, clears what a killed run left.
pub async fn start(lock: DataLock) -> Result<Embedded, PostgresError> {
    let log = lock.data_dir().join("postgres.log");
    let folder = lock.data_dir().to_owned();
    let keeper_log = log.clone();
    // Looking for programs, initdb and the wait for an earlier run all block.
    let (keeper, socket) = tokio::task::spawn_blocking(move || {
        let cluster = cluster::open(&folder)?;
        leftover::clear(&cluster.folder)?;
        let socket = cluster.socket.clone();
        Ok::<_, PostgresError>((Keeper::start(cluster, &keeper_log)?, socket))
    })
    .await
    .map_err(|error| PostgresError::Folder(format!("The start of the embedded Postgres was cut off: {error}.")))??;
    let embedded = Embedded { keeper, socket, lock };
    match embedded.wait_until_ready().await {
        Ok(()) => Ok(embedded),
        Err(last) => {
            embedded.stop().await;
            let tail = std::fs::read_to_string(&log).map(|text| end_of(&text)).unwrap_or_default();
            Err(PostgresError::Start { log, tail: if tail.is_empty() { last } else { tail } })
        }
    }
}

impl Embedded {
    /// How to connect: by the unix socket, as the owner of the database.
    pub fn connect_options(&self) -> PgConnectOptions {
        socket_options(&self.socket).database(NAME)
    }

    pub fn data_dir(&self) -> &Path {
        self.lock.data_dir()
    }

    /// The process id of the postmaster; None while it is down.
    pub fn pid(&self) -> Option<u32> {
        self.keeper.pid()
    }

    /// Ends it: open transactions are rolled back, everything committed is on disk.
    pub async fn stop(self) {
        self.keeper.stop().await;
    }

    async fn wait_until_ready(&self) -> Result<(), String> {
        let deadline = Instant::now() + START_WITHIN;
        let mut told = Instant::now();
        loop {
            let error = match self.make_database().await {
                Ok(()) => return Ok(()),
                Err(error) => error.to_string(),
            };
            if self.keeper.falls() >= START_TRIES || Instant::now() > deadline {
                return Err(error);
            }
            if told.elapsed() > Duration::from_secs(5) {
                tracing::info!("waiting for the embedded Postgres: {error}");
                told = Instant::now();
            }
            tokio::time::sleep(Duration::from_millis(30)).await;
        }
    }

    /// Makes our database if it is not there.
    async fn make_database(&self) -> Result<(), sqlx::Error> {
        let options = socket_options(&self.socket).database("postgres").disable_statement_logging();
        let mut connection = PgConnection::connect_with(&options).await?;
        let found: Option<i32> = sqlx::query_scalar("select 1 from pg_database where datname = 'tollgate'").fetch_optional(&mut connection).await?;
        if found.is_none() {
            sqlx::raw_sql("create database tollgate").execute(&mut connection).await?;
        }
        connection.close().await
    }
}

/// Variables such as PGPASSWORD or PGSSLMODE are meant for other databases.
fn socket_options(socket: &Path) -> PgConnectOptions {
    PgConnectOptions::new_without_pgpass().socket(socket).port(PORT).username(NAME).ssl_mode(PgSslMode::Disable)
}

/// The last lines of a log.
fn end_of(text: &str) -> String {
    let lines: Vec<_> = text.lines().collect();
    lines[lines.len().saturating_sub(12)..].join("\n")
}
