//! Accounts as operators look at them. Keys are counted by reading the keys' tables.

use crate::{
    accounts::model::{AccountDetail, AccountFilter, AccountRow, AccountState, Disablement},
    values::{AccountId, WorkspaceId},
};
use sqlx::{PgConnection, PgExecutor};
use time::OffsetDateTime;

/// The youngest first (ids sort by age), after `filter.before`.
pub async fn list_accounts(db: impl PgExecutor<'_>, filter: &AccountFilter, limit: i64) -> sqlx::Result<Vec<AccountRow>> {
    let search = filter.search.as_deref().map(str::trim).filter(|s| !s.is_empty()).map(str::to_lowercase);
    let state = filter.state.map(AccountState::as_str);
    let rows = sqlx::query!(
        r#"select a.id, a.email, a.name, a.verified_at is not null as "is_verified!", d.account_id is not null as "is_disabled!",
             exists (select from account_roles r where r.account_id = a.id and r.role = 'operator') as "is_operator!",
             (select count(*) from keys k join workspaces w on w.id = k.workspace_id where w.personal_of = a.id) as "keys!",
             a.last_sign_in_at, a.created_at
           from accounts a left join account_disablements d on d.account_id = a.id
           where ($1::text is null or position($1 in a.email_key) > 0 or position($1 in lower(a.name)) > 0)
             and ($2::uuid is null or a.id < $2)
             and case $3::text
               when 'active' then a.verified_at is not null and d.account_id is null
               when 'unproven' then a.verified_at is null
               when 'disabled' then d.account_id is not null
               else true end
           order by a.id desc limit $4"#,
        search,
        filter.before.map(AccountId::uuid),
        state,
        limit,
    )
    .fetch_all(db)
    .await?;
    let row = rows.into_iter().map(|r| AccountRow {
        id: AccountId::new(r.id),
        email: r.email,
        name: r.name,
        is_verified: r.is_verified,
        is_disabled: r.is_disabled,
        is_operator: r.is_operator,
        keys: r.keys,
        last_sign_in_at: r.last_sign_in_at,
        created_at: r.created_at,
        last_sign_in: None,
        created: String::new(),
    });
    Ok(row.collect())
}

/// One account, without its sessions.
pub async fn find_detail(db: impl PgExecutor<'_>, id: AccountId) -> sqlx::Result<Option<AccountDetail>> {
    let row = sqlx::query!(
        r#"select a.id, a.email, a.name, a.time_zone, a.verified_at is not null as "is_verified!", a.last_sign_in_at, a.created_at,
             w.id as "workspace?", d.at as "disabled_at?", d.reason as "disabled_reason?", b.name as "disabled_by?",
             array(select role from account_roles r where r.account_id = a.id order by role) as "roles!",
             (select count(*) from keys k where k.workspace_id = w.id) as "keys!"
           from accounts a left join workspaces w on w.personal_of = a.id
             left join account_disablements d on d.account_id = a.id left join accounts b on b.id = d.by_account
           where a.id = $1"#,
        id.uuid(),
    )
    .fetch_optional(db)
    .await?;
    Ok(row.map(|r| AccountDetail {
        row: AccountRow {
            id: AccountId::new(r.id),
            email: r.email,
            name: r.name,
            is_verified: r.is_verified,
            is_disabled: r.disabled_at.is_some(),
            is_operator: r.roles.iter().any(|role| role == "operator"),
            keys: r.keys,
            last_sign_in_at: r.last_sign_in_at,
            created_at: r.created_at,
            last_sign_in: None,
            created: String::new(),
        },
        time_zone: r.time_zone,
        workspace: r.workspace.map(WorkspaceId::new),
        roles: r.roles,
        disablement: r.disabled_at.map(|at| Disablement {
            at,
            since: String::new(),
            by: r.disabled_by.unwrap_or_else(|| "the command line".to_owned()),
            reason: r.disabled_reason.unwrap_or_default(),
        }),
        sessions: Vec::new(),
    }))
}

/// False if it is disabled already.
pub async fn insert_disablement(conn: &mut PgConnection, id: AccountId, by: Option<AccountId>, reason: &str, now: OffsetDateTime) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        "insert into account_disablements (account_id, at, by_account, reason) values ($1, $2, $3, $4) on conflict do nothing",
        id.uuid(),
        now,
        by.map(AccountId::uuid),
        reason,
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// False if it was not disabled.
pub async fn delete_disablement(conn: &mut PgConnection, id: AccountId) -> sqlx::Result<bool> {
    let done = sqlx::query!("delete from account_disablements where account_id = $1", id.uuid()).execute(conn).await?;
    Ok(done.rows_affected() == 1)
}
