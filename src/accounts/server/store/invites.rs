//! Invitations to sign up, found by the hash of their token.

use crate::values::{AccountId, InviteId};
use sqlx::{PgConnection, PgExecutor, PgPool};
use time::OffsetDateTime;
use uuid::Uuid;

/// A row to write.
#[derive(Debug, Clone, Copy)]
pub struct NewInvite<'a> {
    pub id: InviteId,
    pub token_hash: &'a [u8],
    pub by: Option<AccountId>,
    /// The only address that may use it, and its key: it is mailed there.
    pub email: Option<(&'a str, &'a str)>,
    pub uses: i32,
    pub now: OffsetDateTime,
    pub expires_at: OffsetDateTime,
}

/// An invitation, as operators see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InviteFacts {
    pub id: InviteId,
    /// None: whoever has the link.
    pub email: Option<String>,
    /// Who made it; none: the command line.
    pub by: Option<String>,
    pub uses: i32,
    pub uses_left: i32,
    pub created_at: OffsetDateTime,
    pub sent_at: Option<OffsetDateTime>,
    pub expires_at: OffsetDateTime,
    pub cancelled_at: Option<OffsetDateTime>,
}

struct Row {
    id: Uuid,
    email: Option<String>,
    by: Option<String>,
    uses: i32,
    uses_left: i32,
    created_at: OffsetDateTime,
    sent_at: Option<OffsetDateTime>,
    expires_at: OffsetDateTime,
    cancelled_at: Option<OffsetDateTime>,
}

impl From<Row> for InviteFacts {
    fn from(r: Row) -> Self {
        Self {
            id: InviteId::new(r.id),
            email: r.email,
            by: r.by,
            uses: r.uses,
            uses_left: r.uses_left,
            created_at: r.created_at,
            sent_at: r.sent_at,
            expires_at: r.expires_at,
            cancelled_at: r.cancelled_at,
        }
    }
}

/// False: its address is invited already.
pub async fn insert_invite(conn: &mut PgConnection, new: NewInvite<'_>) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        "insert into invites (id, token_hash, created_by, email, email_key, uses, uses_left, created_at, sent_at, expires_at)
         values ($1, $2, $3, $4, $5, $6, $6, $7, case when $4::text is null then null else $7::timestamptz end, $8) on conflict do nothing",
        new.id.uuid(),
        new.token_hash,
        new.by.map(AccountId::uuid),
        new.email.map(|(email, _)| email),
        new.email.map(|(_, key)| key),
        new.uses,
        new.now,
        new.expires_at,
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// How many may be used. Whoever asks goes on alone until the end of the transaction, so that two don't take the last place.
pub async fn count_open(conn: &mut PgConnection, now: OffsetDateTime) -> sqlx::Result<i64> {
    sqlx::query!("select from roles where slug = 'operator' for no key update").fetch_one(&mut *conn).await?;
    let open = sqlx::query_scalar!(r#"select count(*) as "n!" from invites where cancelled_at is null and uses_left > 0 and expires_at > $1"#, now);
    open.fetch_one(conn).await
}

/// Gives the place of an address free that an old invitation holds.
pub async fn cancel_expired_of(conn: &mut PgConnection, email_key: &str, now: OffsetDateTime) -> sqlx::Result<()> {
    sqlx::query!("update invites set cancelled_at = $2 where email_key = $1 and expires_at <= $2 and cancelled_at is null and uses_left > 0", email_key, now)
        .execute(conn)
        .await?;
    Ok(())
}

/// Takes one use of an invitation for this address, by the sign-up `sign_up`; none if the last use was this very one (`mark`), as long as the address that it let in is
/// somebody's: else one invitation would let in as many as move on to other addresses. False: there is none left, it is too old, cancelled,
/// or for another address.
pub async fn use_invite(
    conn: &mut PgConnection,
    token_hash: &[u8],
    mark: Option<&[u8]>,
    email_key: &str,
    sign_up: Uuid,
    now: OffsetDateTime,
) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        "with used as (
           update invites set uses_left = uses_left - 1, last_use = $4::bytea
           where token_hash = $1 and uses_left > 0 and ($4::bytea is null or last_use is distinct from $4::bytea) and expires_at > $2::timestamptz
             and cancelled_at is null and (email_key is null or email_key = $3)
           returning id
         )
         insert into invite_uses (sign_up_id, invite_id, mark, used_at) select $5::uuid, id, $4::bytea, $2::timestamptz from used",
        token_hash,
        now,
        email_key,
        mark,
        sign_up,
    )
    .execute(&mut *conn)
    .await?;
    if done.rows_affected() == 1 || mark.is_none() {
        return Ok(done.rows_affected() == 1);
    }
    // A statement of its own: it sees the account that the same form made while this one waited for it.
    sqlx::query_scalar!(
        r#"select exists (
             select from invites i join accounts a on a.email_key = $3
             where i.token_hash = $1 and i.last_use = $4 and i.expires_at > $2 and i.cancelled_at is null and (i.email_key is null or i.email_key = $3)
           ) as "again!""#,
        token_hash,
        now,
        email_key,
        mark,
    )
    .fetch_one(conn)
    .await
}

/// The same form again: what it took before belongs to the newest sign-up, which took the place of the one before.
pub async fn update_use(conn: &mut PgConnection, token_hash: &[u8], mark: &[u8], sign_up: Uuid) -> sqlx::Result<()> {
    sqlx::query!(
        "update invite_uses set sign_up_id = $3
         where sign_up_id = (
           select u.sign_up_id from invite_uses u join invites i on i.id = u.invite_id
           where i.token_hash = $1 and u.mark = $2 order by u.sign_up_id = $3 desc, u.used_at desc limit 1
         )",
        token_hash,
        mark,
        sign_up,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Gives back what was used before `before` by sign-ups that no account has any more, or never had; an invitation that is over stays over, and
/// an address that has an account, or another invitation, needs none: of several that come back at once, the newest one does. Those whose address
/// was proven are used for good. Says how many invitations may be used again.
pub async fn give_back_uses(db: &PgPool, before: OffsetDateTime, now: OffsetDateTime) -> sqlx::Result<u64> {
    sqlx::query!("delete from invite_uses u using accounts a where a.sign_up_id = u.sign_up_id and a.verified_at is not null and u.used_at < $1", before)
        .execute(db)
        .await?;
    let done = sqlx::query!(
        "with gone as (
           delete from invite_uses u where u.used_at < $1 and not exists (select from accounts a where a.sign_up_id = u.sign_up_id)
           returning u.invite_id, u.mark
         ), back as (
           select invite_id, count(*)::integer as uses, array_agg(mark) as marks from gone group by invite_id
         )
         update invites i set uses_left = least(i.uses, i.uses_left + b.uses), last_use = case when i.last_use = any(b.marks) then null else i.last_use end
         from back b
         where i.id = b.invite_id and i.cancelled_at is null and i.expires_at > $2
           and not exists (select from accounts a where a.email_key = i.email_key and a.verified_at is not null)
           and not exists (
             select from invites o where o.email_key = i.email_key and o.id <> i.id and o.cancelled_at is null
               and (o.uses_left > 0 or (o.id in (select invite_id from back) and o.expires_at > $2 and (o.created_at, o.id) > (i.created_at, i.id)))
           )",
        before,
        now,
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected())
}

/// For whom an open invitation is.
pub struct OpenInvite {
    pub email: Option<String>,
    pub email_key: Option<String>,
}

/// The invitation behind a link, while it could be used.
pub async fn find_open(db: impl PgExecutor<'_>, token_hash: &[u8], now: OffsetDateTime) -> sqlx::Result<Option<OpenInvite>> {
    sqlx::query_as!(
        OpenInvite,
        "select email, email_key from invites where token_hash = $1 and uses_left > 0 and expires_at > $2 and cancelled_at is null",
        token_hash,
        now,
    )
    .fetch_optional(db)
    .await
}

/// The same for whoever may use it: also once more who used it last (`mark`).
pub async fn find_usable(db: impl PgExecutor<'_>, token_hash: &[u8], mark: Option<&[u8]>, now: OffsetDateTime) -> sqlx::Result<Option<OpenInvite>> {
    sqlx::query_as!(
        OpenInvite,
        "select email, email_key from invites
         where token_hash = $1 and (uses_left > 0 or last_use = $3) and expires_at > $2 and cancelled_at is null",
        token_hash,
        now,
        mark,
    )
    .fetch_optional(db)
    .await
}

/// The newest ones: those that may be used, or those that are over.
pub async fn list_invites(db: impl PgExecutor<'_>, over: bool, now: OffsetDateTime, most: i64) -> sqlx::Result<Vec<InviteFacts>> {
    let rows = sqlx::query_as!(
        Row,
        r#"select i.id, i.email, coalesce(a.name, i.maker) as "by?", i.uses, i.uses_left, i.created_at, i.sent_at, i.expires_at, i.cancelled_at
           from invites i left join accounts a on a.id = i.created_by
           where (i.cancelled_at is null and i.uses_left > 0 and i.expires_at > $2) <> $1 order by i.created_at desc, i.id limit $3"#,
        over,
        now,
        most,
    );
    Ok(rows.fetch_all(db).await?.into_iter().map(InviteFacts::from).collect())
}

/// One, locked until the end of the transaction.
pub async fn lock_invite(conn: &mut PgConnection, id: InviteId) -> sqlx::Result<Option<InviteFacts>> {
    let row = sqlx::query_as!(
        Row,
        r#"select i.id, i.email, coalesce(a.name, i.maker) as "by?", i.uses, i.uses_left, i.created_at, i.sent_at, i.expires_at, i.cancelled_at
           from invites i left join accounts a on a.id = i.created_by where i.id = $1 for update of i"#,
        id.uuid(),
    );
    Ok(row.fetch_optional(conn).await?.map(InviteFacts::from))
}

/// True while this token is the one of the invitation, and it may be used.
pub async fn is_token_of(db: impl PgExecutor<'_>, id: InviteId, token_hash: &[u8], now: OffsetDateTime) -> sqlx::Result<bool> {
    let open = sqlx::query_scalar!(
        r#"select exists (
             select from invites where id = $1 and token_hash = $2 and uses_left > 0 and expires_at > $3 and cancelled_at is null
           ) as "open!""#,
        id.uuid(),
        token_hash,
        now,
    );
    open.fetch_one(db).await
}

/// Another link in the place of the old one.
pub async fn update_sent(conn: &mut PgConnection, id: InviteId, token_hash: &[u8], now: OffsetDateTime, expires_at: OffsetDateTime) -> sqlx::Result<()> {
    sqlx::query!("update invites set token_hash = $2, sent_at = $3, expires_at = $4 where id = $1", id.uuid(), token_hash, now, expires_at)
        .execute(conn)
        .await?;
    Ok(())
}

/// Those that were mailed to the address of this account go, whatever became of them.
pub async fn delete_invites_of(conn: &mut PgConnection, account: AccountId) -> sqlx::Result<()> {
    sqlx::query!("delete from invites where email_key = (select email_key from accounts where id = $1)", account.uuid()).execute(conn).await?;
    Ok(())
}

pub async fn update_cancelled(conn: &mut PgConnection, id: InviteId, now: OffsetDateTime) -> sqlx::Result<()> {
    sqlx::query!("update invites set cancelled_at = $2 where id = $1", id.uuid(), now).execute(conn).await?;
    Ok(())
}
