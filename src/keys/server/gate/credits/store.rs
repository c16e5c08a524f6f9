//! What is left of credits.

use sqlx::PgPool;
use uuid::Uuid;

/// A bucket as it was when it was last looked at.
pub struct Bucket {
    pub holder: Uuid,
    pub name: String,
    pub seconds: i32,
    /// Of the last refill.
    pub number: i64,
    pub used: i64,
}

/// The buckets of these keys or workspaces that were ever asked for something.
pub async fn list_buckets(db: &PgPool, holders: &[Uuid]) -> sqlx::Result<Vec<Bucket>> {
    sqlx::query_as!(Bucket, "select holder, name, seconds, number, used from credit_buckets where holder = any($1)", holders).fetch_all(db).await
}
