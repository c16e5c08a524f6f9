//! The way to the database for every command: the server's, a worker's, a short one's.
//!
//! With `DATABASE_URL` it waits for that one. Without, the first to come takes the lock of the data folder and starts the
//! embedded Postgres; commands beside a running server go through the server's socket; short commands wait for one another.

use super::{DataLock, Embedded, Holder, MIN_VERSION, PostgresError, Taken, leftover, socket_options, start};
use crate::platform::{config::Config, db};
use secrecy::{ExposeSecret, SecretString};
use sqlx::{ConnectOptions, Connection, Error, PgConnection, PgPool, Row, postgres::PgConnectOptions};
use std::{
    path::Path,
    str::FromStr,
    time::{Duration, Instant},
};

/// Who asks for the database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Purpose {
    /// The server: the data folder must be its own.
    Serve,
    Worker,
    /// A command that ends by itself, by its name.
    Command(&'static str),
}

impl Purpose {
    fn name(&self) -> &'static str {
        match self {
            Self::Serve => "serve",
            Self::Worker => "worker",
            Self::Command(name) => name,
        }
    }
}

/// A database that answered.
pub struct Database {
    options: PgConnectOptions,
    embedded: Option<Embedded>,
    /// In words, for logs and `doctor`.
    pub description: String,
    /// The major version.
    pub version: u32,
}

impl Database {
    pub fn connect_options(&self) -> PgConnectOptions {
        self.options.clone()
    }

    /// A pool that survives restarts of the database.
    pub fn pool(&self, config: &Config) -> PgPool {
        db::pool(self.options.clone(), config.database.pool)
    }

    /// Stops the embedded Postgres if we started it. Close the pools first.
    pub async fn close(self) {
        if let Some(embedded) = self.embedded {
            embedded.stop().await;
        }
    }
}

/// Opens the database of this configuration, waiting for it within bounds.
pub async fn open(config: &Config, purpose: Purpose) -> Result<Database, PostgresError> {
    match &config.database.url {
        Some(url) => open_url(url, config.database.wait).await,
        None => open_embedded(config, &purpose).await,
    }
}

async fn open_url(url: &SecretString, wait: Duration) -> Result<Database, PostgresError> {
    let options = PgConnectOptions::from_str(url.expose_secret())?;
    let description = format!("Postgres at {}", crate::platform::config::show::masked(url.expose_secret()));
    let mut first = connect_within(&options, wait, &description).await?;
    let version = server_version(&mut first).await?;
    let description = format!("{description} (version {version})");
    if version < MIN_VERSION {
        return Err(PostgresError::TooOld(version));
    }
    // Two open sessions with one backend: only a pooler that shares sessions does that.
    let mut second = connect_within(&options, wait, &description).await?;
    if backend_pid(&mut first).await? == backend_pid(&mut second).await? {
        return Err(PostgresError::TransactionPooling);
    }
    first.close().await?;
    second.close().await?;
    Ok(Database { options, embedded: None, description, version })
}

async fn open_embedded(config: &Config, purpose: &Purpose) -> Result<Database, PostgresError> {
    let data_dir = &config.server.data_dir;
    let addr = if *purpose == Purpose::Serve { config.server.addr.to_string() } else { String::new() };
    let me = Holder::me(purpose.name(), &addr);
    let deadline = Instant::now() + config.database.wait;
    let mut told = None;
    loop {
        let holder = match DataLock::take(data_dir, &me)? {
            Taken::Mine(lock) => {
                let embedded = start(lock).await?;
                return described(embedded.connect_options(), Some(embedded), data_dir).await;
            }
            Taken::Theirs(holder) => holder,
        };
        if holder.stays() && *purpose == Purpose::Serve {
            return Err(PostgresError::InUse { folder: data_dir.clone(), holder });
        }
        if let Some(options) = running_socket(data_dir).filter(|_| holder.stays())
            && connect(&options).await.is_ok()
        {
            return described(options, None, data_dir).await;
        }
        if Instant::now() > deadline {
            return Err(PostgresError::InUse { folder: data_dir.clone(), holder });
        }
        if told.is_none_or(|at: Instant| at.elapsed() > Duration::from_secs(5)) {
            tracing::info!("waiting for {holder}, which uses the data folder");
            told = Some(Instant::now());
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn described(options: PgConnectOptions, embedded: Option<Embedded>, data_dir: &Path) -> Result<Database, PostgresError> {
    let mut connection = connect(&options).await?;
    let version = server_version(&mut connection).await?;
    connection.close().await?;
    let whose = if embedded.is_some() { "" } else { ", which runs already" };
    let description = format!("the embedded Postgres {version} in {}{whose}", data_dir.join("postgres").display());
    Ok(Database { options, embedded, description, version })
}

/// Where the Postgres that somebody else started listens.
fn running_socket(data_dir: &Path) -> Option<PgConnectOptions> {
    let file = leftover::read(&data_dir.join("postgres").canonicalize().ok()?)?;
    (!file.socket.as_os_str().is_empty()).then(|| socket_options(&file.socket).database(super::NAME))
}

async fn connect(options: &PgConnectOptions) -> Result<PgConnection, Error> {
    let options = options.clone().disable_statement_logging();
    tokio::time::timeout(Duration::from_secs(5), PgConnection::connect_with(&options)).await.unwrap_or(Err(Error::PoolTimedOut))
}

/// Tries until it answers or the time is over; at once over for what waiting does not mend.
async fn connect_within(options: &PgConnectOptions, wait: Duration, description: &str) -> Result<PgConnection, PostgresError> {
    let began = Instant::now();
    let mut told = Instant::now();
    loop {
        let error = match connect(options).await {
            Ok(connection) => return Ok(connection),
            Err(error) => error,
        };
        let hint = hint_of(&error);
        if began.elapsed() >= wait || hint.is_some() {
            let hint = hint.unwrap_or("Check that it runs and that DATABASE_URL is right; TOLLGATE_DATABASE_WAIT sets how long a start waits.");
            return Err(PostgresError::Unreachable { waited: began.elapsed().as_secs(), error: in_words(&error), hint: hint.to_owned() });
        }
        if told.elapsed() > Duration::from_secs(3) {
            tracing::warn!("waiting for {description}: {}", in_words(&error));
            told = Instant::now();
        }
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
}

/// The next step for errors that stay.
fn hint_of(error: &Error) -> Option<&'static str> {
    let error = error.as_database_error()?;
    match error.code().as_deref() {
        Some("28P01" | "28000") => Some("Check the user and the password in DATABASE_URL."),
        Some("3D000") => Some("Make that database, for instance with `createdb`, or change the name in DATABASE_URL."),
        Some("08P01") if error.message().contains("startup parameter") => Some("This looks like pgbouncer: connect to Postgres itself."),
        _ => None,
    }
}

fn in_words(error: &Error) -> String {
    match error {
        Error::PoolTimedOut => "no answer".to_owned(),
        Error::Database(error) => error.message().to_owned(),
        Error::Io(error) => error.to_string(),
        other => other.to_string(),
    }
}

async fn server_version(connection: &mut PgConnection) -> Result<u32, Error> {
    // Plain queries: behind a pooler prepared ones may fail before we can say why.
    let row = sqlx::raw_sql("select current_setting('server_version_num')::int4 / 10000").fetch_one(connection).await?;
    row.try_get::<i32, _>(0).map(|version| u32::try_from(version).unwrap_or(0))
}

async fn backend_pid(connection: &mut PgConnection) -> Result<i32, Error> {
    sqlx::raw_sql("select pg_backend_pid()").fetch_one(connection).await?.try_get(0)
}
