//! The pool. Time-outs everywhere: a slow database makes a request fail with a clear answer, it does not pile requests up.

use sqlx::{PgPool, postgres::{PgConnectOptions, PgPoolOptions}};
use std::time::Duration;

/// Opens a pool that connects when first needed and survives restarts of the database.
pub fn pool(options: PgConnectOptions, max: u32) -> PgPool {
    let options = options.application_name("tollgate").options([
        ("statement_timeout", "15s"),
        ("lock_timeout", "5s"),
        ("idle_in_transaction_session_timeout", "30s"),
        ("timezone", "UTC"),
    ]);
    PgPoolOptions::new()
        .max_connections(max)
        .acquire_timeout(Duration::from_secs(4))
        .max_lifetime(Duration::from_secs(30 * 60))
        .test_before_acquire(true)
        .connect_lazy_with(options)
}

/// Brings the schema up to date. Forward only; safe to run from several nodes at once (sqlx takes an advisory lock).
pub async fn migrate(db: &PgPool) -> Result<(), sqlx::migrate::MigrateError> {
    sqlx::migrate!("./migrations").run(db).await
}
