//! The pool. Time-outs everywhere: a slow database makes a request fail with a clear answer, it does not pile requests up.

use sqlx::{
    ConnectOptions, Connection, PgPool,
    migrate::{MigrateError, Migrator},
    postgres::{PgConnectOptions, PgPoolOptions},
};
use std::time::Duration;

/// Opens a pool that connects when first needed and survives restarts of the database.
pub fn pool(options: PgConnectOptions, max: u32) -> PgPool {
    let options = options.application_name("tollgate").options([
        ("statement_timeout", "15s"),
        ("lock_timeout", "5s"),
        // Well below the wait for a lock: a node that is paused in the middle of a change holds its key no longer. But for
        // breaths (`breath`), nothing that is not of the database is awaited in a transaction.
        ("idle_in_transaction_session_timeout", "2s"),
        ("timezone", "UTC"),
        // It compiles for seconds what runs in a fraction of one: reading 20,000 keys took four times as long with it.
        ("jit", "off"),
    ]);
    // A fifth of what a statement may take: worth an operator's eye.
    let options = options.log_slow_statements(log::LevelFilter::Warn, Duration::from_secs(3));
    PgPoolOptions::new()
        .max_connections(max)
        .acquire_timeout(Duration::from_secs(4))
        .max_lifetime(Duration::from_secs(30 * 60))
        .test_before_acquire(true)
        .connect_lazy_with(options)
}

/// The schema, step by step. Tests name it, too: each would hold a copy of its own otherwise.
pub static MIGRATIONS: Migrator = sqlx::migrate!("./migrations");

/// Brings the schema up to date. Forward only; safe to run from several nodes at once (sqlx takes an advisory lock).
pub async fn migrate(db: &PgPool) -> Result<(), MigrateError> {
    // The time-outs of a request do not fit a change of a large table, nor the wait for another node that makes it.
    let mut connection = db.acquire().await?.detach();
    sqlx::raw_sql("set statement_timeout = 0; set lock_timeout = 0").execute(&mut connection).await?;
    MIGRATIONS.run(&mut connection).await?;
    connection.close().await?;
    Ok(())
}

/// How the schema of a database stands to this binary.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Schema {
    #[error("The schema is up to date.")]
    Current,
    /// What is to be applied, in order.
    #[error("The schema of the database is older than this Tollgate ({} to apply). Run: tollgate migrate", .0.len())]
    Behind(Vec<String>),
    /// It has a migration that this binary does not know.
    #[error("The schema of the database is newer than this Tollgate (migration {0}). Use the newer Tollgate.")]
    Ahead(i64),
    #[error("Migration {0} was changed after it was applied to this database. Use the Tollgate that applied it.")]
    Changed(i64),
}

/// Compares what was applied with what this binary knows.
pub async fn schema(db: &PgPool) -> sqlx::Result<Schema> {
    let has_table: bool = sqlx::query_scalar("select to_regclass('_sqlx_migrations') is not null").fetch_one(db).await?;
    let applied: Vec<(i64, Vec<u8>)> = if has_table {
        sqlx::query_as("select version, checksum from _sqlx_migrations where success order by version").fetch_all(db).await?
    } else {
        Vec::new()
    };
    for (version, checksum) in &applied {
        match MIGRATIONS.iter().find(|known| known.version == *version) {
            None => return Ok(Schema::Ahead(*version)),
            Some(known) if *known.checksum != **checksum => return Ok(Schema::Changed(*version)),
            Some(_) => {}
        }
    }
    let pending: Vec<_> = MIGRATIONS
        .iter()
        .filter(|known| !applied.iter().any(|(version, _)| *version == known.version))
        .map(|known| format!("{:04} {}", known.version, known.description))
        .collect();
    Ok(if pending.is_empty() { Schema::Current } else { Schema::Behind(pending) })
}

/// Whether nobody answers, or who answers is no Postgres that works: what is asked may go well as soon as it is back.
pub fn is_away(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed | sqlx::Error::Io(_) | sqlx::Error::Tls(_) => true,
        // A relay before it that ends each connection answers the first bytes with nothing, which is no answer of Postgres. What never left
        // this process, since it is too large, is a fault of ours.
        sqlx::Error::Protocol(words) => !["too many", "out of range"].iter().any(|ours| words.contains(ours)),
        sqlx::Error::Database(said) => said.code().is_some_and(|code| says_away(&code)),
        _ => false,
    }
}

/// Whether Postgres says (SQLSTATE) that it stops, is starting, or ends the connection, as a restart does with what runs; or that it has no
/// connection left.
fn says_away(code: &str) -> bool {
    matches!(code, "57P01" | "57P02" | "57P03" | "57P05" | "53300") || code.starts_with("08")
}

/// Whether somebody else held a lock for as long as one waits for it (`lock_not_available`).
pub fn is_held_up(error: &sqlx::Error) -> bool {
    error.as_database_error().and_then(|said| said.code()).is_some_and(|code| code == "55P03")
}

/// One round trip: whether the database answers.
pub async fn ping(db: &PgPool) -> sqlx::Result<()> {
    sqlx::query_scalar!("select 1").fetch_one(db).await.map(|_| ())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_postgres_that_stops_or_has_no_connection_left_is_away() {
        assert!(["57P01", "57P03", "08006", "53300"].into_iter().all(says_away));
        assert!(!["57014", "55P03", "25P03", "42P01", "23505", "57P04"].into_iter().any(says_away));
    }
}
