//! Sessions: tower-sessions over our own `sessions` table.
//!
//! The table keeps a SHA-256 of the id (R41) and both ends of the session, idle and absolute, which every load checks (R42).
//! A session holds ids and nothing that two requests could overwrite: account, device, address. There is no session without an
//! account, so no visit of a page creates one (R51).

use super::{clock::Clock, crypto::sha256};
use crate::values::{AccountId, SessionId};
use async_trait::async_trait;
use serde_json::Value;
use sqlx::{PgPool, types::ipnet::IpNet};
use std::{collections::HashMap, fmt, net::IpAddr, time::Duration};
use time::OffsetDateTime;
use tower_sessions::{
    SessionStore,
    session::{Id, Record},
    session_store::{Error, Result},
};

/// The fields of a session's data.
pub const ACCOUNT: &str = "account";
pub const SESSION: &str = "session";
pub const DEVICE: &str = "device";
pub const ADDRESS: &str = "address";

/// Use moves `last_used_at` and the idle end at most once in this time: a page view is then a read.
const TOUCH_EVERY: time::Duration = time::Duration::minutes(1);

#[derive(Clone)]
pub struct PgSessions {
    db: PgPool,
    clock: Clock,
    idle: Duration,
    max: Duration,
}

impl fmt::Debug for PgSessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PgSessions")
    }
}

impl PgSessions {
    pub fn new(db: PgPool, clock: Clock, idle: Duration, max: Duration) -> Self {
        Self { db, clock, idle, max }
    }

    /// The row of a session id: its SHA-256.
    pub fn hash(id: &Id) -> [u8; 32] {
        sha256(id.0.to_be_bytes())
    }

    /// Ends the cookie's own view with the row: both ends, whichever comes first.
    fn ends(&self, now: OffsetDateTime) -> (OffsetDateTime, OffsetDateTime) {
        (now + self.idle, now + self.max)
    }
}

/// Removes the sessions that are over; answers how many those were. They let nobody in either way (`load` checks both ends).
pub async fn delete_ended(db: &PgPool, now: OffsetDateTime) -> sqlx::Result<u64> {
    let done = sqlx::query!("delete from sessions where least(idle_expires_at, absolute_expires_at) <= $1", now).execute(db).await?;
    Ok(done.rows_affected())
}

fn text<'a>(record: &'a Record, key: &str) -> &'a str {
    record.data.get(key).and_then(Value::as_str).unwrap_or_default()
}

fn backend(error: impl fmt::Display) -> Error {
    Error::Backend(error.to_string())
}

#[async_trait]
impl SessionStore for PgSessions {
    async fn create(&self, record: &mut Record) -> Result<()> {
        let account: AccountId = text(record, ACCOUNT).parse().map_err(backend)?;
        let session: SessionId = text(record, SESSION).parse().map_err(backend)?;
        let address = text(record, ADDRESS).parse::<IpAddr>().ok().map(IpNet::from);
        let now = self.clock.now();
        let (idle, absolute) = self.ends(now);
        sqlx::query!(
            "insert into sessions (id_hash, id, account_id, device, address, created_at, last_used_at, idle_expires_at, absolute_expires_at)
             values ($1, $2, $3, $4, $5, $6, $6, $7, $8)",
            &Self::hash(&record.id)[..],
            session.uuid(),
            account.uuid(),
            text(record, DEVICE),
            address,
            now,
            idle,
            absolute,
        )
        .execute(&self.db)
        .await
        .map_err(backend)?;
        Ok(())
    }

    async fn save(&self, _record: &Record) -> Result<()> {
        // A session's ids never change; a new sign-in makes a new session (R23).
        Ok(())
    }

    async fn load(&self, id: &Id) -> Result<Option<Record>> {
        let now = self.clock.now();
        let hash = Self::hash(id);
        let row = sqlx::query!(
            "select id, account_id, last_used_at, absolute_expires_at from sessions
             where id_hash = $1 and idle_expires_at > $2 and absolute_expires_at > $2",
            &hash[..],
            now,
        )
        .fetch_optional(&self.db)
        .await
        .map_err(backend)?;
        let Some(row) = row else { return Ok(None) };
        let Some(account) = row.account_id else { return Ok(None) };
        if now - row.last_used_at >= TOUCH_EVERY {
            sqlx::query!("update sessions set last_used_at = $2, idle_expires_at = $3 where id_hash = $1", &hash[..], now, self.ends(now).0)
                .execute(&self.db)
                .await
                .map_err(backend)?;
        }
        let data = HashMap::from([
            (ACCOUNT.to_owned(), Value::String(AccountId::new(account).to_string())),
            (SESSION.to_owned(), Value::String(SessionId::new(row.id).to_string())),
        ]);
        Ok(Some(Record { id: *id, data, expiry_date: row.absolute_expires_at }))
    }

    async fn delete(&self, id: &Id) -> Result<()> {
        sqlx::query!("delete from sessions where id_hash = $1", &Self::hash(id)[..]).execute(&self.db).await.map_err(backend)?;
        Ok(())
    }
}
