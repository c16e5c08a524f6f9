//! Locks that a test holds, on a connection of its own: what happens at once is put in order, and nothing is left to luck.

use sqlx::{AssertSqlSafe, Connection, PgConnection, PgPool};
use std::time::Duration;
use tokio::time::Instant;

/// A transaction beside the server, with its locks.
pub struct Held(PgConnection);

impl Held {
    /// Takes the locks of this statement.
    pub async fn by(db: &PgPool, statement: &str) -> Self {
        let mut conn = PgConnection::connect_with(&db.connect_options()).await.unwrap();
        sqlx::raw_sql(AssertSqlSafe(format!("begin; {statement}"))).execute(&mut conn).await.unwrap();
        Self(conn)
    }

    /// Waits until so many sessions of this database wait for a lock.
    pub async fn is_waited_for(&mut self, sessions: i64) {
        let deadline = Instant::now() + Duration::from_secs(10);
        while self.waiting().await < sessions {
            assert!(Instant::now() < deadline, "{sessions} sessions do not wait");
        }
    }

    async fn waiting(&mut self) -> i64 {
        // Within a transaction Postgres shows the same state until it is told to look again.
        sqlx::raw_sql("select pg_stat_clear_snapshot()").execute(&mut self.0).await.unwrap();
        let waiting = "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";
        sqlx::query_scalar(waiting).fetch_one(&mut self.0).await.unwrap()
    }

    /// Lets them go: they are gone when it answers, which the end of a connection alone does not say.
    pub async fn release(mut self) {
        sqlx::raw_sql("rollback").execute(&mut self.0).await.unwrap();
        self.0.close().await.unwrap();
    }

    /// Lets them go once so many sessions wait.
    pub async fn release_to(mut self, sessions: i64) {
        self.is_waited_for(sessions).await;
        self.release().await;
    }
}
