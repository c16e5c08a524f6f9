//! The SQL of callers.

use crate::{
    accounts::model::{Caller, Via},
    values::{AccountId, Permission, WorkspaceId},
};
use sqlx::PgPool;

/// A caller, and what the door asks about the account (`entry`).
#[derive(Debug, Clone)]
pub struct Found {
    pub caller: Caller,
    pub is_verified: bool,
    /// Why it is disabled, if it is.
    pub disabled: Option<String>,
}

/// The account with its personal workspace and the permissions of its roles; none if it was left.
pub async fn find_caller(db: &PgPool, account: AccountId, via: Via) -> sqlx::Result<Option<Found>> {
    let row = sqlx::query!(
        r#"select a.id, a.name, a.email, a.time_zone, w.id as workspace_id, w.name as workspace_name, a.verified_at is not null as "is_verified!",
             d.reason as "disabled?",
             array(select distinct p.permission from account_roles r join role_permissions p on p.role = r.role where r.account_id = a.id) as "permissions!"
           from accounts a join workspaces w on w.personal_of = a.id left join account_disablements d on d.account_id = a.id
           where a.id = $1 and not exists (select from account_departures g where g.account_id = a.id)"#,
        account.uuid(),
    )
    .fetch_optional(db)
    .await?;
    Ok(row.map(|r| Found {
        caller: Caller {
            account: AccountId::new(r.id),
            name: r.name,
            email: r.email,
            workspace: WorkspaceId::new(r.workspace_id),
            workspace_name: r.workspace_name,
            time_zone: r.time_zone,
            permissions: r.permissions.iter().filter_map(|p| p.parse::<Permission>().ok()).collect(),
            via,
            gave_pin: false,
        },
        is_verified: r.is_verified,
        disabled: r.disabled,
    }))
}
