//! Who operates this site, and what roles give.

use crate::{
    accounts::model::HeldPermission,
    values::{AccountId, Permission},
};
use sqlx::{PgConnection, PgExecutor};
use time::OffsetDateTime;

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
pub async fn count_others(conn: &mut PgConnection, account: AccountId, now: OffsetDateTime) -> sqlx::Result<usize> {
    Ok(list_who_may_come_in(conn, now).await?.iter().filter(|(id, _)| *id != account).count())
}

/// The operators who may come in, with their addresses, domains aside; the role's row is locked, so that two can't leave at once.
pub async fn list_who_may_come_in(conn: &mut PgConnection, now: OffsetDateTime) -> sqlx::Result<Vec<(AccountId, String)>> {
    sqlx::query!("select from roles where slug = 'operator' for update").fetch_one(&mut *conn).await?;
    let rows = sqlx::query!(
        "select a.id, a.email from account_roles r join accounts a on a.id = r.account_id
         where r.role = 'operator' and a.verified_at is not null and a.password_hash is not null
           and not exists (select from account_disablements d where d.account_id = a.id)
           and not exists (select from account_departures g where g.account_id = a.id)
           and not exists (select from bans b where b.account_id = a.id and b.lifted_at is null and (b.until is null or b.until > $1))",
        now,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|r| (AccountId::new(r.id), r.email)).collect())
}

/// What an account may, each permission with the names of the roles that give it.
pub async fn list_permissions_of(db: impl PgExecutor<'_>, account: AccountId) -> sqlx::Result<Vec<HeldPermission>> {
    let rows = sqlx::query!(
        r#"select p.permission, array_agg(distinct l.name) as "roles!"
           from account_roles r join roles l on l.slug = r.role join role_permissions p on p.role = r.role
           where r.account_id = $1 group by p.permission order by p.permission collate "C""#,
        account.uuid(),
    )
    .fetch_all(db)
    .await?;
    Ok(rows.into_iter().filter_map(|r| Some(HeldPermission { permission: r.permission.parse::<Permission>().ok()?, roles: r.roles })).collect())
}
