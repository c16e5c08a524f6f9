//! Keys that will expire, and what was told of it.

use crate::values::AccountId;
use sqlx::{PgConnection, PgPool};
use time::OffsetDateTime;
use uuid::Uuid;

/// Marks each key that came within 30, 7 or 1 days of its end (the most urgent of them) and was not told of yet; answers the accounts
/// with something new. A key that was made within that time tells nothing new to who just made it; one whose end moved does.
pub async fn insert_marks(conn: &mut PgConnection, now: OffsetDateTime) -> sqlx::Result<Vec<AccountId>> {
    let accounts = sqlx::query_scalar!(
        r#"with due as (
             select k.id, o.id as account_id, k.expires_at, d.days
             from keys k
             join workspaces w on w.id = k.workspace_id
             join accounts o on o.id = w.personal_of and o.verified_at is not null
             left join notice_settings n on n.account_id = o.id
             cross join lateral (
               select min(days) as days from unnest(array[1, 7, 30]::smallint[]) days where k.expires_at <= $1::timestamptz + make_interval(days => days)
             ) d
             where k.state = 'active' and k.expires_at > $1 and k.expires_at <= $1::timestamptz + interval '30 days'
               and k.created_at < k.expires_at - make_interval(days => d.days)
               and coalesce(n.expiry, true) and not exists (select from account_disablements b where b.account_id = o.id)
               and not exists (select from account_departures g where g.account_id = o.id)
           ), new as (
             insert into expiry_notices (key_id, account_id, expires_at, days, at)
             select id, account_id, expires_at, days, $1 from due order by id
             on conflict do nothing
             returning account_id
           ) select distinct account_id as "account_id!" from new order by 1"#,
        now,
    )
    .fetch_all(conn)
    .await?;
    Ok(accounts.into_iter().map(AccountId::new).collect())
}

/// A key that will expire.
#[derive(Debug)]
pub struct ExpiryNotice {
    pub key_id: Uuid,
    pub key_name: String,
    pub expires_at: OffsetDateTime,
    pub last_used_at: Option<OffsetDateTime>,
}

/// What an account is told in one mail: what was marked at this instant and still stands, the soonest first.
pub async fn list_of_mail(db: &PgPool, account: AccountId, at: OffsetDateTime) -> sqlx::Result<Vec<ExpiryNotice>> {
    sqlx::query_as!(
        ExpiryNotice,
        r#"select n.key_id, k.name as key_name, n.expires_at, a.last_used_at as "last_used_at?"
           from expiry_notices n join keys k on k.id = n.key_id and k.state = 'active' and k.expires_at = n.expires_at
           left join key_activity a on a.key_id = k.id
           where n.account_id = $1 and n.at = $2 order by n.expires_at, k.name"#,
        account.uuid(),
        at,
    )
    .fetch_all(db)
    .await
}
