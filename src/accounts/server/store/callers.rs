//! The SQL of callers: everything that each request of somebody who is in asks about the account, in one statement.

use crate::{
    accounts::model::{Caller, Reach, Via},
    values::{AccountId, Permission, Picture, SessionId, WorkspaceId},
};
use sqlx::PgPool;
use time::OffsetDateTime;

/// A caller, and what the door asks about the account (`entry`).
#[derive(Debug, Clone)]
pub struct Found {
    pub caller: Caller,
    pub is_verified: bool,
    /// Why it is disabled, if it is.
    pub disabled: Option<String>,
    /// The account is banned, or a network with its present address in it.
    pub is_banned: bool,
    /// There are bans of mail domains: whether one of them holds this account, only `domains` of its address tells.
    pub are_domains_banned: bool,
    /// It has a second factor.
    pub has_second: bool,
    /// This session of it acts as somebody else.
    pub acting: Option<Begun>,
}

/// As whom a session acts, and until when.
#[derive(Debug, Clone)]
pub struct Begun {
    pub account: AccountId,
    pub name: String,
    pub until: OffsetDateTime,
}

/// The account with its personal workspace and the permissions of its roles; none if it was left.
pub async fn find_caller(db: &PgPool, account: AccountId, via: Via, address: Option<&str>, now: OffsetDateTime) -> sqlx::Result<Option<Found>> {
    let session = match via {
        Via::Session(id) => Some(id),
        Via::Token(_) | Via::Key(_) | Via::Cli | Via::Acting(_) => None,
    };
    let row = sqlx::query!(
        r#"with held as (
             select b.account_id, b.domain, b.network from bans b
             where b.lifted_at is null and b.ended_at is null and (b.until is null or b.until > $3)
               and (b.account_id = $1 or b.domain is not null or b.network >>= $2::text::inet)
           )
           select a.id, a.name, a.email, a.time_zone, w.id as workspace_id, w.name as workspace_name, v.hash as "picture?", a.verified_at is not null as "is_verified!",
             d.reason as "disabled?",
             exists (select from held where account_id is not null or network is not null) as "is_banned!",
             exists (select from held where domain is not null) as "are_domains_banned!",
             exists (select from totp_factors t where t.account_id = a.id) or exists (select from passkeys k where k.account_id = a.id) as "has_second!",
             array(select distinct p.permission from account_roles r join role_permissions p on p.role = r.role where r.account_id = a.id) as "permissions!",
             t.account_id as "acting_account?", t.until as "acting_until?", o.name as "acting_name?"
           from accounts a join workspaces w on w.personal_of = a.id left join account_disablements d on d.account_id = a.id
             left join avatars v on v.account_id = a.id
             left join actings t on t.session_id = $4::uuid and t.operator_id = a.id left join accounts o on o.id = t.account_id
           where a.id = $1 and not exists (select from account_departures g where g.account_id = a.id)"#,
        account.uuid(),
        address,
        now,
        session.map(SessionId::uuid),
    )
    .fetch_optional(db)
    .await?;
    Ok(row.map(|r| Found {
        acting: match (r.acting_account, r.acting_name, r.acting_until) {
            (Some(account), Some(name), Some(until)) => Some(Begun { account: AccountId::new(account), name, until }),
            _ => None,
        },
        caller: Caller {
            account: AccountId::new(r.id),
            name: r.name,
            email: r.email,
            workspace: WorkspaceId::new(r.workspace_id),
            workspace_name: r.workspace_name,
            time_zone: r.time_zone,
            picture: r.picture.as_deref().and_then(Picture::from_bytes),
            permissions: r.permissions.iter().filter_map(|p| p.parse::<Permission>().ok()).collect(),
            via,
            operator: None,
            gave_pin: false,
            reach: Reach::Everywhere,
        },
        is_verified: r.is_verified,
        disabled: r.disabled,
        is_banned: r.is_banned,
        are_domains_banned: r.are_domains_banned,
        has_second: r.has_second,
    }))
}
