//! When a session last proved who sits there.

use crate::values::{AccountId, SessionId};
use sqlx::PgExecutor;
use time::OffsetDateTime;

/// True if the session proved who it is at that time or later.
pub async fn is_proven_since(db: impl PgExecutor<'_>, account: AccountId, session: SessionId, since: OffsetDateTime) -> sqlx::Result<bool> {
    let found = sqlx::query_scalar!(
        r#"select coalesce(proved_at >= $3, false) as "is!" from sessions where id = $1 and account_id = $2"#,
        session.uuid(),
        account.uuid(),
        since,
    );
    Ok(found.fetch_optional(db).await?.unwrap_or(false))
}
