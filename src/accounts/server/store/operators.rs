//! Who operates this site.

use sqlx::{PgConnection, PgExecutor};

/// True if an account other than the one at this address is an operator.
pub async fn is_any_but(db: impl PgExecutor<'_>, email_key: &str) -> sqlx::Result<bool> {
    let found = sqlx::query_scalar!(
        r#"select exists (
             select from account_roles r join accounts a on a.id = r.account_id where r.role = 'operator' and a.email_key <> $1
           ) as "found!""#,
        email_key,
    );
    found.fetch_one(db).await
}

/// How many operators may come in besides this account; the role's row is locked, so that two can't leave at once.
pub async fn count_others(conn: &mut PgConnection, account: crate::values::AccountId) -> sqlx::Result<i64> {
    sqlx::query!("select from roles where slug = 'operator' for update").fetch_one(&mut *conn).await?;
    sqlx::query_scalar!(
        r#"select count(*) as "n!" from account_roles r join accounts a on a.id = r.account_id
           where r.role = 'operator' and a.id <> $1 and a.verified_at is not null and a.password_hash is not null
             and not exists (select from account_disablements d where d.account_id = a.id)
             and not exists (select from account_departures g where g.account_id = a.id)"#,
        account.uuid(),
    )
    .fetch_one(conn)
    .await
}
