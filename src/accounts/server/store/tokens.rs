//! Mailed proofs: a link's token and a code to type, both stored as hashes, used once (R52).

use crate::values::{AccountId, TokenId};
use sqlx::{PgConnection, PgExecutor};
use time::OffsetDateTime;

/// A row to write.
#[derive(Debug, Clone, Copy)]
pub struct NewToken<'a> {
    pub id: TokenId,
    pub account: AccountId,
    pub kind: &'a str,
    pub token_hash: &'a [u8],
    pub code_hash: Option<&'a [u8]>,
    pub now: OffsetDateTime,
    pub expires_at: OffsetDateTime,
    pub code_expires_at: OffsetDateTime,
}

/// A token as its link finds it.
#[derive(Debug, Clone)]
pub struct Token {
    pub id: TokenId,
    pub account: AccountId,
    pub kind: String,
    pub is_used: bool,
}

/// The last one mailed wins: what was mailed before for the same purpose is dead (S19). Writing the same id again renews it; false:
/// it was used meanwhile.
pub async fn replace_token(conn: &mut PgConnection, new: NewToken<'_>) -> sqlx::Result<bool> {
    let written = sqlx::query!(
        "insert into auth_tokens as t (id, account_id, kind, token_hash, code_hash, created_at, expires_at, code_expires_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8)
         on conflict (id) do update set expires_at = excluded.expires_at, code_expires_at = excluded.code_expires_at where t.used_at is null",
        new.id.uuid(),
        new.account.uuid(),
        new.kind,
        new.token_hash,
        new.code_hash,
        new.now,
        new.expires_at,
        new.code_expires_at,
    )
    .execute(&mut *conn)
    .await?;
    if written.rows_affected() == 0 {
        return Ok(false);
    }
    sqlx::query!("delete from auth_tokens where account_id = $1 and kind = $2 and id <> $3 and used_at is null", new.account.uuid(), new.kind, new.id.uuid())
        .execute(conn)
        .await?;
    Ok(true)
}

/// The token, used or not, unless it is too old.
pub async fn find_token(db: impl PgExecutor<'_>, token_hash: &[u8], now: OffsetDateTime) -> sqlx::Result<Option<Token>> {
    let row = sqlx::query!(
        r#"select id, account_id, kind, used_at is not null as "is_used!" from auth_tokens where token_hash = $1 and expires_at > $2"#,
        token_hash,
        now,
    )
    .fetch_optional(db)
    .await?;
    Ok(row.map(|r| Token { id: TokenId::new(r.id), account: AccountId::new(r.account_id), kind: r.kind, is_used: r.is_used }))
}

/// Marks the token used; of several at once, one gets the account (S65).
pub async fn use_token(conn: &mut PgConnection, token_hash: &[u8], kinds: &[&str], now: OffsetDateTime) -> sqlx::Result<Option<AccountId>> {
    let kinds: Vec<String> = kinds.iter().map(ToString::to_string).collect();
    let id = sqlx::query_scalar!(
        "update auth_tokens set used_at = $3 where token_hash = $1 and kind = any($2) and used_at is null and expires_at > $3 returning account_id",
        token_hash,
        &kinds,
        now,
    )
    .fetch_optional(conn)
    .await?;
    Ok(id.map(AccountId::new))
}

/// The newest proof that was mailed to an address and not used, with the hash of its code while that may be typed. A read and no more, for an
/// unknown address must take as long (R15).
pub async fn find_verify_code(db: impl PgExecutor<'_>, email_key: &str, now: OffsetDateTime) -> sqlx::Result<Option<(TokenId, AccountId, Option<Vec<u8>>)>> {
    let row = sqlx::query!(
        r#"select t.id, t.account_id, case when t.code_expires_at > $2 then t.code_hash end as "code_hash?"
           from accounts a join auth_tokens t on t.account_id = a.id
           where a.email_key = $1 and t.kind = 'verify_email' and t.used_at is null
           order by t.created_at desc, t.id desc limit 1"#,
        email_key,
        now,
    )
    .fetch_optional(db)
    .await?;
    Ok(row.map(|r| (TokenId::new(r.id), AccountId::new(r.account_id), r.code_hash)))
}

/// Counts a try of a code of this kind that was mailed to an account, and hands out the hash to compare with, while tries are left (R35).
/// Committed before the comparison.
pub async fn try_code_of(db: impl PgExecutor<'_>, account: AccountId, kind: &str, tries: i16, now: OffsetDateTime) -> sqlx::Result<Option<(TokenId, Vec<u8>)>> {
    let row = sqlx::query!(
        r#"update auth_tokens set code_tries = code_tries + 1
           where account_id = $1 and kind = $2 and used_at is null and code_hash is not null and code_expires_at > $4 and code_tries < $3
           returning id, code_hash as "code_hash!""#,
        account.uuid(),
        kind,
        tries,
        now,
    )
    .fetch_optional(db)
    .await?;
    Ok(row.map(|r| (TokenId::new(r.id), r.code_hash)))
}

/// The code of the mail that somebody asked for with this address, by the event of that, while it may be typed. A read and no more, for
/// an unknown address must take as long (R15).
pub async fn find_reset_code(db: impl PgExecutor<'_>, id: TokenId, email_key: &str, now: OffsetDateTime) -> sqlx::Result<Option<(AccountId, Vec<u8>)>> {
    let row = sqlx::query!(
        r#"select t.account_id, t.code_hash as "code_hash!" from auth_tokens t
           join accounts a on a.id = t.account_id
           join events e on e.id = t.id
           where t.id = $1 and a.email_key = $2 and t.kind = 'reset_password' and e.kind = 'account.reset_asked'
             and t.used_at is null and t.code_hash is not null and t.code_expires_at > $3"#,
        id.uuid(),
        email_key,
        now,
    )
    .fetch_optional(db)
    .await?;
    Ok(row.map(|r| (AccountId::new(r.account_id), r.code_hash)))
}

/// Marks the token of a right code or link used; false if somebody was quicker, or it is too old by now.
pub async fn use_token_by_id(conn: &mut PgConnection, id: TokenId, now: OffsetDateTime) -> sqlx::Result<bool> {
    let done = sqlx::query!("update auth_tokens set used_at = $2 where id = $1 and used_at is null and expires_at > $2", id.uuid(), now).execute(conn).await?;
    Ok(done.rows_affected() == 1)
}

/// Those that were not used: a used one stays as the memory that it was.
pub async fn delete_tokens(conn: &mut PgConnection, account: AccountId, kinds: &[&str]) -> sqlx::Result<()> {
    let kinds: Vec<String> = kinds.iter().map(ToString::to_string).collect();
    sqlx::query!("delete from auth_tokens where account_id = $1 and kind = any($2) and used_at is null", account.uuid(), &kinds).execute(conn).await?;
    Ok(())
}
