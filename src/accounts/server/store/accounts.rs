//! Accounts, their workspace and their roles.

use crate::values::{AccountId, Language, WorkspaceId};
use sqlx::{PgConnection, PgExecutor};
use time::OffsetDateTime;
use uuid::Uuid;

/// What sign-in and mails need to know of an account.
#[derive(Debug, Clone)]
pub struct Account {
    pub id: AccountId,
    pub email: String,
    pub name: String,
    pub time_zone: String,
    /// The tag of a `Language`.
    pub language: String,
    pub password_hash: Option<String>,
    pub password_set_at: Option<OffsetDateTime>,
    pub is_verified: bool,
    /// Why it may not come in, if it may not.
    pub disabled: Option<String>,
    pub workspace: Option<WorkspaceId>,
}

/// A row to write.
#[derive(Debug, Clone, Copy)]
pub struct NewAccount<'a> {
    pub id: AccountId,
    pub email: &'a str,
    pub email_key: &'a str,
    pub name: &'a str,
    /// None: nobody said; UTC until a sign-in tells.
    pub time_zone: Option<&'a str>,
    pub language: Language,
    pub password_hash: Option<&'a str>,
    pub verified_at: Option<OffsetDateTime>,
    pub now: OffsetDateTime,
}

macro_rules! account {
    ($row:expr) => {
        $row.map(|r| Account {
            id: AccountId::new(r.id),
            email: r.email,
            name: r.name,
            time_zone: r.time_zone,
            language: r.language,
            password_hash: r.password_hash,
            password_set_at: r.password_set_at,
            is_verified: r.is_verified,
            disabled: r.disabled,
            workspace: r.workspace.map(WorkspaceId::new),
        })
    };
}

pub async fn find_by_email(db: impl PgExecutor<'_>, email_key: &str) -> sqlx::Result<Option<Account>> {
    let row = sqlx::query!(
        r#"select a.id, a.email, a.name, a.time_zone, a.language, a.password_hash, a.password_set_at, a.verified_at is not null as "is_verified!",
             d.reason as "disabled?", w.id as "workspace?"
           from accounts a left join account_disablements d on d.account_id = a.id left join workspaces w on w.personal_of = a.id
           where a.email_key = $1"#,
        email_key,
    )
    .fetch_optional(db)
    .await?;
    Ok(account!(row))
}

pub async fn find_account(db: impl PgExecutor<'_>, id: AccountId) -> sqlx::Result<Option<Account>> {
    let row = sqlx::query!(
        r#"select a.id, a.email, a.name, a.time_zone, a.language, a.password_hash, a.password_set_at, a.verified_at is not null as "is_verified!",
             d.reason as "disabled?", w.id as "workspace?"
           from accounts a left join account_disablements d on d.account_id = a.id left join workspaces w on w.personal_of = a.id
           where a.id = $1"#,
        id.uuid(),
    )
    .fetch_optional(db)
    .await?;
    Ok(account!(row))
}

/// Writes the account, over one whose address was never proven (R57). None: the address belongs to somebody.
pub async fn insert_account(conn: &mut PgConnection, new: NewAccount<'_>) -> sqlx::Result<Option<AccountId>> {
    let id = sqlx::query_scalar!(
        "insert into accounts as a (id, email, email_key, name, time_zone, password_hash, password_set_at, verified_at, created_at, updated_at, language,
           time_zone_chosen)
         values ($1, $2, $3, $4, coalesce($5::text, 'UTC'), $6, case when $6::text is not null then $8::timestamptz end, $7, $8, $8, $9, $5::text is not null)
         on conflict (email_key) do update
           set email = excluded.email, name = excluded.name, time_zone = excluded.time_zone, language = excluded.language, password_hash = excluded.password_hash,
             password_set_at = excluded.password_set_at, verified_at = excluded.verified_at, created_at = excluded.created_at, updated_at = excluded.updated_at,
             time_zone_chosen = excluded.time_zone_chosen
           where a.verified_at is null
         returning id",
        new.id.uuid(),
        new.email,
        new.email_key,
        new.name,
        new.time_zone,
        new.password_hash,
        new.verified_at,
        new.now,
        new.language.as_str(),
    )
    .fetch_optional(conn)
    .await?;
    Ok(id.map(AccountId::new))
}

/// The personal workspace with its one member; the name follows the account's.
pub async fn insert_personal_workspace(
    conn: &mut PgConnection,
    id: WorkspaceId,
    owner: AccountId,
    name: &str,
    now: OffsetDateTime,
) -> sqlx::Result<WorkspaceId> {
    let id = sqlx::query_scalar!(
        "with w as (
           insert into workspaces (id, name, personal_of, created_at) values ($1, $2, $3, $4)
           on conflict (personal_of) do update set name = excluded.name
           returning id
         ), m as (
           insert into workspace_members (workspace_id, account_id, joined_at) select w.id, $3, $4 from w on conflict do nothing
         )
         select id from w",
        id.uuid(),
        name,
        owner.uuid(),
        now,
    )
    .fetch_one(conn)
    .await?;
    Ok(WorkspaceId::new(id))
}

/// Gives an account these roles and no others: one that was never proven may leave none behind.
pub async fn replace_roles(conn: &mut PgConnection, account: AccountId, roles: &[&str], now: OffsetDateTime) -> sqlx::Result<()> {
    sqlx::query!("delete from account_roles where account_id = $1", account.uuid()).execute(&mut *conn).await?;
    insert_roles(conn, account, roles, now).await
}

pub async fn insert_roles(conn: &mut PgConnection, account: AccountId, roles: &[&str], now: OffsetDateTime) -> sqlx::Result<()> {
    let roles: Vec<String> = roles.iter().map(ToString::to_string).collect();
    sqlx::query!(
        "insert into account_roles (account_id, role, granted_at) select $1, r, $3 from unnest($2::text[]) r on conflict do nothing",
        account.uuid(),
        &roles,
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The newest sign-up with the account's address; what only its browser holds.
pub async fn update_sign_up(conn: &mut PgConnection, account: AccountId, sign_up: Uuid) -> sqlx::Result<()> {
    sqlx::query!("update accounts set sign_up_id = $2 where id = $1", account.uuid(), sign_up).execute(conn).await?;
    Ok(())
}

/// None of an account that nobody signed up with, or once its address was proven.
pub async fn find_sign_up(db: impl PgExecutor<'_>, account: AccountId) -> sqlx::Result<Option<Uuid>> {
    let id = sqlx::query_scalar!("select sign_up_id from accounts where id = $1 and verified_at is null", account.uuid());
    Ok(id.fetch_optional(db).await?.flatten())
}

/// An account, perhaps found by an older form of its address.
#[derive(Debug, Clone)]
pub struct OldKey {
    pub id: AccountId,
    pub email: String,
    pub email_key: String,
    pub is_verified: bool,
}

/// Those whose key has a domain that is not as DNS has it, or an accent that is not composed; the older first.
pub async fn list_old_keys(db: impl PgExecutor<'_>) -> sqlx::Result<Vec<OldKey>> {
    let rows = sqlx::query!(
        r#"select id, email, email_key, verified_at is not null as "is_verified!" from accounts
           where octet_length(split_part(email_key, '@', 2)) > char_length(split_part(email_key, '@', 2)) or email_key is not nfc normalized
           order by created_at, id"#,
    )
    .fetch_all(db)
    .await?;
    Ok(rows.into_iter().map(|r| OldKey { id: AccountId::new(r.id), email: r.email, email_key: r.email_key, is_verified: r.is_verified }).collect())
}

/// False: another account has it, or this one has another address by now.
pub async fn update_email_key(conn: &mut PgConnection, account: AccountId, old: &str, new: &str) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        "update accounts set email_key = $3 where id = $1 and email_key = $2 and not exists (select from accounts o where o.email_key = $3)",
        account.uuid(),
        old,
        new,
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// False if the address was proven before.
pub async fn update_verified(conn: &mut PgConnection, account: AccountId, now: OffsetDateTime) -> sqlx::Result<bool> {
    let done =
        sqlx::query!("update accounts set verified_at = $2, updated_at = $2 where id = $1 and verified_at is null", account.uuid(), now).execute(conn).await?;
    Ok(done.rows_affected() == 1)
}

pub async fn update_signed_in(conn: &mut PgConnection, account: AccountId, now: OffsetDateTime) -> sqlx::Result<()> {
    sqlx::query!("update accounts set last_sign_in_at = $2 where id = $1", account.uuid(), now).execute(conn).await?;
    Ok(())
}

pub async fn update_password(conn: &mut PgConnection, account: AccountId, hash: &str, now: OffsetDateTime) -> sqlx::Result<()> {
    sqlx::query!("update accounts set password_hash = $2, password_set_at = $3, updated_at = $3 where id = $1", account.uuid(), hash, now)
        .execute(conn)
        .await?;
    Ok(())
}

/// No password until a link sets one; whoever proved the old one a moment ago gets no session by it (`sessions::begin`).
pub async fn clear_password(conn: &mut PgConnection, account: AccountId, now: OffsetDateTime) -> sqlx::Result<()> {
    sqlx::query!("update accounts set password_hash = null, password_set_at = null, updated_at = $2 where id = $1", account.uuid(), now).execute(conn).await?;
    Ok(())
}

/// Whether the password of that time is still the one; waits for a change that is under way.
pub async fn is_password_of(db: impl PgExecutor<'_>, account: AccountId, set_at: Option<OffsetDateTime>) -> sqlx::Result<bool> {
    let found =
        sqlx::query_scalar!(r#"select password_set_at is not distinct from $2 as "is!" from accounts where id = $1 for share"#, account.uuid(), set_at,)
            .fetch_optional(db)
            .await?;
    Ok(found.unwrap_or(false))
}

/// The same password under other parameters, unless it was changed meanwhile.
pub async fn update_rehashed(db: impl PgExecutor<'_>, account: AccountId, old: &str, new: &str) -> sqlx::Result<()> {
    sqlx::query!("update accounts set password_hash = $3 where id = $1 and password_hash = $2", account.uuid(), old, new).execute(db).await?;
    Ok(())
}

/// Another address, also of an operator whose account stood under a placeholder until now. False: another account has it.
pub async fn update_identity(conn: &mut PgConnection, account: AccountId, email: &str, email_key: &str, now: OffsetDateTime) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        "update accounts set email = $2, email_key = $3, updated_at = $4
         where id = $1 and not exists (select from accounts o where o.email_key = $3 and o.id <> $1)",
        account.uuid(),
        email,
        email_key,
        now,
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// How many passwords are hashed with each pepper, as their PHC strings name it; no name: without one.
pub async fn count_peppers(db: impl PgExecutor<'_>) -> sqlx::Result<Vec<(Option<String>, i64)>> {
    let rows = sqlx::query!(
        r#"select substring(password_hash from 'keyid=([A-Za-z0-9+/]+)') as pepper, count(*) as "n!" from accounts where password_hash is not null group by 1"#
    );
    Ok(rows.fetch_all(db).await?.into_iter().map(|row| (row.pepper, row.n)).collect())
}
