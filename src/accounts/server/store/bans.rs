//! Bans: who or what may not come in, for how long, and who said so. The clock decides whether one holds.

use crate::values::{AccountId, BanId};
use sqlx::{PgConnection, PgExecutor};
use time::OffsetDateTime;
use uuid::Uuid;

/// A ban as it was given, and how it ended if it did. Of account, domain and network one is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BanFacts {
    pub id: BanId,
    pub account: Option<AccountId>,
    /// The account's name and address, for lists.
    pub account_name: Option<String>,
    pub account_email: Option<String>,
    pub domain: Option<String>,
    /// In CIDR notation.
    pub network: Option<String>,
    pub reason: String,
    pub at: OffsetDateTime,
    /// The name at that time, or `cli`.
    pub by: String,
    /// None: until it is lifted.
    pub until: Option<OffsetDateTime>,
    pub lifted_at: Option<OffsetDateTime>,
    pub lifter: Option<String>,
}

struct Row {
    id: Uuid,
    account_id: Option<Uuid>,
    account_name: Option<String>,
    account_email: Option<String>,
    domain: Option<String>,
    network: Option<String>,
    reason: String,
    at: OffsetDateTime,
    by_name: String,
    until: Option<OffsetDateTime>,
    lifted_at: Option<OffsetDateTime>,
    lifter: Option<String>,
}

impl From<Row> for BanFacts {
    fn from(r: Row) -> Self {
        Self {
            id: BanId::new(r.id),
            account: r.account_id.map(AccountId::new),
            account_name: r.account_name,
            account_email: r.account_email,
            domain: r.domain,
            network: r.network,
            reason: r.reason,
            at: r.at,
            by: r.by_name,
            until: r.until,
            lifted_at: r.lifted_at,
            lifter: r.lifter,
        }
    }
}

/// A row to write.
#[derive(Debug, Clone, Copy)]
pub struct NewBan<'a> {
    pub id: BanId,
    pub account: Option<AccountId>,
    pub domain: Option<&'a str>,
    pub network: Option<&'a str>,
    pub reason: &'a str,
    pub by: Option<AccountId>,
    pub by_name: &'a str,
    pub now: OffsetDateTime,
    pub until: Option<OffsetDateTime>,
}

/// False if there is one for the same thing already.
pub async fn insert_ban(conn: &mut PgConnection, new: NewBan<'_>) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        "insert into bans (id, account_id, domain, network, reason, at, by_account, by_name, until)
         values ($1, $2, $3, $4::text::cidr, $5, $6, $7, $8, $9) on conflict do nothing",
        new.id.uuid(),
        new.account.map(AccountId::uuid),
        new.domain,
        new.network,
        new.reason,
        new.now,
        new.by.map(AccountId::uuid),
        new.by_name,
        new.until,
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// The ban that holds for the longest, of those that name the account, one of the domains, or a network with this address in it.
pub async fn find_holding(
    db: impl PgExecutor<'_>,
    account: Option<AccountId>,
    domains: &[String],
    address: Option<&str>,
    now: OffsetDateTime,
) -> sqlx::Result<Option<BanFacts>> {
    let row = sqlx::query_as!(
        Row,
        r#"select b.id, b.account_id, null::text as account_name, null::text as account_email, b.domain, b.network::text as network, b.reason, b.at, b.by_name,
             b.until, b.lifted_at, b.lifter
           from bans b
           where b.lifted_at is null and b.ended_at is null and (b.until is null or b.until > $4)
             and (b.account_id = $1 or b.domain = any($2) or b.network >>= $3::text::inet)
           order by b.until is null desc, b.until desc limit 1"#,
        account.map(AccountId::uuid),
        domains,
        address,
        now,
    )
    .fetch_optional(db)
    .await?;
    Ok(row.map(Into::into))
}

pub async fn find_ban(db: impl PgExecutor<'_>, id: BanId) -> sqlx::Result<Option<BanFacts>> {
    let row = sqlx::query_as!(
        Row,
        r#"select b.id, b.account_id, a.name as "account_name?", a.email as "account_email?", b.domain, b.network::text as network, b.reason, b.at, b.by_name,
             b.until, b.lifted_at, b.lifter
           from bans b left join accounts a on a.id = b.account_id where b.id = $1"#,
        id.uuid(),
    )
    .fetch_optional(db)
    .await?;
    Ok(row.map(Into::into))
}

/// The newest first, from `older` on if it is given. With `holding` those that hold now, else those that are over.
pub async fn list_bans(db: impl PgExecutor<'_>, holding: bool, older: Option<BanId>, most: i64, now: OffsetDateTime) -> sqlx::Result<Vec<BanFacts>> {
    let rows = sqlx::query_as!(
        Row,
        r#"select b.id, b.account_id, a.name as "account_name?", a.email as "account_email?", b.domain, b.network::text as network, b.reason, b.at, b.by_name,
             b.until, b.lifted_at, b.lifter
           from bans b left join accounts a on a.id = b.account_id
           where (b.lifted_at is null and (b.until is null or b.until > $1)) = $2
             and ($4::uuid is null or (b.at, b.id) < (select c.at, c.id from bans c where c.id = $4))
           order by b.at desc, b.id desc limit $3"#,
        now,
        holding,
        most,
        older.map(BanId::uuid),
    )
    .fetch_all(db)
    .await?;
    Ok(rows.into_iter().map(Into::into).collect())
}

/// Marks a ban as lifted. False: it was over already.
pub async fn update_lifted(conn: &mut PgConnection, id: BanId, by: Option<AccountId>, name: &str, now: OffsetDateTime) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        "update bans set lifted_at = $2, lifted_by = $3, lifter = $4 where id = $1 and lifted_at is null and (until is null or until > $2)",
        id.uuid(),
        now,
        by.map(AccountId::uuid),
        name,
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Notes that the end of these has come, and says which they are; nobody else is told of the same ones.
pub async fn update_ended(conn: &mut PgConnection, now: OffsetDateTime) -> sqlx::Result<Vec<BanFacts>> {
    let rows = sqlx::query_as!(
        Row,
        r#"update bans b set ended_at = $1 from bans o left join accounts a on a.id = o.account_id
           where o.id = b.id and b.until <= $1 and b.lifted_at is null and b.ended_at is null
           returning b.id, b.account_id, a.name as "account_name?", a.email as "account_email?", b.domain, b.network::text as network, b.reason, b.at,
             b.by_name, b.until, b.lifted_at, b.lifter"#,
        now,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(Into::into).collect())
}

/// Another name in the place of this account's, for the bans that it gave and lifted.
pub async fn update_names(conn: &mut PgConnection, account: AccountId, name: &str) -> sqlx::Result<()> {
    sqlx::query!(
        "update bans set by_name = case when by_account = $1 then $2 else by_name end, lifter = case when lifted_by = $1 then $2 else lifter end
         where by_account = $1 or lifted_by = $1",
        account.uuid(),
        name,
    )
    .execute(conn)
    .await?;
    Ok(())
}
