//! Accounts as operators look at them: with their numbers, and what keeps them out. Keys are counted by reading the keys' tables.

use crate::{
    accounts::model::{AccountFilter, AccountState},
    values::{AccountId, BanId, WorkspaceId},
};
use sqlx::{PgConnection, PgExecutor, PgPool};
use time::OffsetDateTime;
use uuid::Uuid;

/// An account with its numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountFacts {
    pub id: AccountId,
    pub name: String,
    pub email: String,
    pub time_zone: String,
    pub workspace: Option<WorkspaceId>,
    pub created_at: OffsetDateTime,
    pub verified_at: Option<OffsetDateTime>,
    pub last_sign_in_at: Option<OffsetDateTime>,
    pub disabled_at: Option<OffsetDateTime>,
    /// Why, and by whom; the name may be gone with its account.
    pub disabled_reason: Option<String>,
    pub disabled_by: Option<String>,
    pub ban: Option<AccountBan>,
    /// Until when signing in waits, if so many wrong passwords came (`locks`).
    pub locked_until: Option<OffsetDateTime>,
    pub is_operator: bool,
    /// The names of its roles.
    pub roles: Vec<String>,
    /// Sessions that have not run out.
    pub sessions: u64,
    /// Keys that are not revoked.
    pub keys: u64,
    /// Those of them that pass, as far as the keys themselves are concerned.
    pub live_keys: u64,
    /// How many accounts the list's filters leave, on all pages.
    pub found: u64,
}

/// The ban that holds an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountBan {
    pub id: BanId,
    pub at: OffsetDateTime,
    pub by: String,
    pub reason: String,
    /// None: until it is lifted.
    pub until: Option<OffsetDateTime>,
}

/// How many accounts there are, and how many of them …
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AccountCounts {
    pub all: u64,
    pub verified: u64,
    pub disabled: u64,
    /// … signed up within seven days.
    pub recent: u64,
}

struct Row {
    id: Uuid,
    name: String,
    email: String,
    time_zone: String,
    workspace: Option<Uuid>,
    created_at: OffsetDateTime,
    verified_at: Option<OffsetDateTime>,
    last_sign_in_at: Option<OffsetDateTime>,
    disabled_at: Option<OffsetDateTime>,
    disabled_reason: Option<String>,
    disabled_by: Option<String>,
    ban_id: Option<Uuid>,
    banned_at: Option<OffsetDateTime>,
    banned_by: Option<String>,
    ban_reason: Option<String>,
    banned_until: Option<OffsetDateTime>,
    locked_until: Option<OffsetDateTime>,
    is_operator: bool,
    roles: Vec<String>,
    sessions: i64,
    keys: i64,
    live_keys: i64,
    found: i64,
}

impl From<Row> for AccountFacts {
    fn from(r: Row) -> Self {
        let count = |n: i64| u64::try_from(n).unwrap_or(0);
        Self {
            id: AccountId::new(r.id),
            name: r.name,
            email: r.email,
            time_zone: r.time_zone,
            workspace: r.workspace.map(WorkspaceId::new),
            created_at: r.created_at,
            verified_at: r.verified_at,
            last_sign_in_at: r.last_sign_in_at,
            disabled_at: r.disabled_at,
            disabled_reason: r.disabled_reason,
            disabled_by: r.disabled_by,
            ban: r.ban_id.zip(r.banned_at).map(|(id, at)| AccountBan {
                id: BanId::new(id),
                at,
                by: r.banned_by.unwrap_or_default(),
                reason: r.ban_reason.unwrap_or_default(),
                until: r.banned_until,
            }),
            locked_until: r.locked_until,
            is_operator: r.is_operator,
            roles: r.roles,
            sessions: count(r.sessions),
            keys: count(r.keys),
            live_keys: count(r.live_keys),
            found: count(r.found),
        }
    }
}

pub async fn count_accounts(db: &PgPool, now: OffsetDateTime) -> sqlx::Result<AccountCounts> {
    let row = sqlx::query!(
        r#"select count(*) as "all!", count(*) filter (where verified_at is not null) as "verified!",
             (select count(*) from account_disablements) as "disabled!",
             count(*) filter (where created_at > $1::timestamptz - interval '7 days') as "recent!"
           from accounts"#,
        now,
    )
    .fetch_one(db)
    .await?;
    let count = |n: i64| u64::try_from(n).unwrap_or(0);
    Ok(AccountCounts { all: count(row.all), verified: count(row.verified), disabled: count(row.disabled), recent: count(row.recent) })
}

/// A page of accounts, newest first; those of one instant by id.
pub async fn list_accounts(db: impl PgExecutor<'_>, filter: &AccountFilter, now: OffsetDateTime) -> sqlx::Result<Vec<AccountFacts>> {
    let ids: Option<Vec<Uuid>> = filter.ids.as_ref().map(|ids| ids.iter().map(|id| id.uuid()).collect());
    let mut rows = sqlx::query_as!(
        Row,
        r#"with found as (
             select a.id, a.created_at, d.at, d.reason, d.by_account, b.id as ban_id, l.until as locked_until
             from accounts a left join account_disablements d on d.account_id = a.id
               left join bans b on b.account_id = a.id and b.lifted_at is null and (b.until is null or b.until > $7)
               left join account_locks l on l.account_id = a.id and l.until > $7
             where ($1::uuid is null or a.id = $1)
               and ($9::uuid[] is null or a.id = any($9))
               and ($10::text is null or exists (
                 select from profile_values v join profile_fields p on p.id = v.field_id where v.account_id = a.id and p.slug = $10 and v.value = $11))
               and ($2::text is null or strpos(lower(a.name), lower($2)) > 0 or strpos(lower(a.email), lower($2)) > 0)
               and case $3::text
                     when 'active' then a.verified_at is not null and d.account_id is null and b.id is null
                     when 'unproven' then a.verified_at is null
                     when 'disabled' then d.account_id is not null
                     when 'banned' then b.id is not null
                     when 'locked' then l.account_id is not null
                     else true
                   end
               and (not $8 or exists (select from account_roles r where r.account_id = a.id and r.role = 'operator'))
           )
           select a.id, a.name, a.email, a.time_zone, w.id as "workspace?", a.created_at, a.verified_at, a.last_sign_in_at,
             f.at as "disabled_at?", f.reason as "disabled_reason?", o.name as "disabled_by?",
             f.ban_id as "ban_id?", b.at as "banned_at?", b.by_name as "banned_by?", b.reason as "ban_reason?", b.until as "banned_until?",
             f.locked_until as "locked_until?",
             exists (select from account_roles r where r.account_id = a.id and r.role = 'operator') as "is_operator!",
             array(select l.name from account_roles r join roles l on l.slug = r.role where r.account_id = a.id order by l.name) as "roles!",
             (select count(*) from sessions s where s.account_id = a.id and s.idle_expires_at > $7 and s.absolute_expires_at > $7)
               + (select count(*) from token_families p where p.account_id = a.id and p.idle_expires_at > $7 and p.absolute_expires_at > $7) as "sessions!",
             (select count(*) from keys k where k.workspace_id = w.id and k.state <> 'revoked') as "keys!",
             (select count(*) from keys k where k.workspace_id = w.id and k.state = 'active' and (k.expires_at is null or k.expires_at > $7)) as "live_keys!",
             (select count(*) from found) as "found!"
           from found f join accounts a on a.id = f.id left join workspaces w on w.personal_of = a.id left join accounts o on o.id = f.by_account
             left join bans b on b.id = f.ban_id
           where $4::uuid is null
             or (not $5 and (f.created_at, f.id) < (select c.created_at, c.id from accounts c where c.id = $4))
             or ($5 and (f.created_at, f.id) > (select c.created_at, c.id from accounts c where c.id = $4))
           order by case when $5 then f.created_at end, case when $5 then f.id end, f.created_at desc, f.id desc
           limit $6"#,
        filter.id.map(AccountId::uuid),
        filter.search,
        filter.state.map(AccountState::as_str),
        filter.from.map(AccountId::uuid),
        filter.backwards,
        i64::from(filter.limit.unwrap_or(50)),
        now,
        filter.operators,
        ids.as_deref(),
        filter.field.as_ref().map(|(slug, _)| slug.as_str()),
        filter.field.as_ref().map(|(_, value)| value.as_str()),
    )
    .fetch_all(db)
    .await?;
    if filter.backwards {
        rows.reverse();
    }
    Ok(rows.into_iter().map(Into::into).collect())
}

pub async fn find_account(db: impl PgExecutor<'_>, id: AccountId, now: OffsetDateTime) -> sqlx::Result<Option<AccountFacts>> {
    let filter = AccountFilter { id: Some(id), ..AccountFilter::default() };
    Ok(list_accounts(db, &filter, now).await?.pop())
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
