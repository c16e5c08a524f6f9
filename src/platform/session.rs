//! Sessions: tower-sessions over our own `sessions` table.
//!
//! The table keeps a SHA-256 of the id (R41) and both ends of the session, idle and absolute, which every load checks (R42). How far
//! away they are is said by the policies of the account's roles and plan, or else by the configuration; every load asks (`session_policy`
//! of migration 0032), so that another policy, role or plan holds running sessions from their next request on. No policy outlasts the cap
//! of the site, at most the 400 days that browsers keep a cookie (R43).
//! A session holds ids and nothing that two requests could overwrite: account, device, address. There is no session without an
//! account, so no visit of a page creates one (R51).
//!
//! A row can stand before a browser has its cookie, or while it gets another one: it is then *kept* under its own id, which no cookie
//! hashes to. So a session can begin, or change its cookie, in the transaction of the proof that this needs (R23, R29).

use super::{clock::Clock, config::Auth, crypto::sha256};
use crate::values::{AccountId, SessionId};
use async_trait::async_trait;
use serde_json::Value;
use sqlx::{PgConnection, PgPool, types::ipnet::IpNet};
use std::{collections::HashMap, fmt, net::IpAddr, time::Duration};
use time::OffsetDateTime;
use tower_sessions::{
    SessionStore,
    session::{Id, Record},
    session_store::{Error, Result},
};

/// The fields of a session's data. A record without `DEVICE` stands for a session that has a row.
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
    lasting: Lasting,
}

/// What holds where no policy says otherwise, and the most that any can say.
#[derive(Debug, Clone, Copy)]
pub struct Lasting {
    idle: Duration,
    max: Duration,
    /// "Never" ends here (R43).
    cap: Duration,
    /// How many sessions an account has at once.
    most: u32,
}

/// How long a session lasts: without use, and at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ends {
    pub idle: Duration,
    pub max: Duration,
}

impl Lasting {
    pub fn of(auth: &Auth) -> Self {
        Self { idle: auth.session_idle, max: auth.session_max, cap: auth.session_cap, most: auth.session_count }
    }

    /// The ends under what policies say, in seconds; none: nothing, 0: never.
    pub fn ends(&self, idle: Option<i32>, max: Option<i32>) -> Ends {
        let said = |seconds: Option<i32>, default: Duration| match seconds.map(i32::unsigned_abs) {
            None => default,
            Some(0) => self.cap,
            Some(seconds) => Duration::from_secs(seconds.into()),
        };
        let max = said(max, self.max).min(self.cap);
        Ends { idle: said(idle, self.idle).min(max), max }
    }

    /// How many there are at once.
    pub fn most(&self, said: Option<i32>) -> u32 {
        said.and_then(|most| u32::try_from(most).ok()).unwrap_or(self.most)
    }
}

impl fmt::Debug for PgSessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PgSessions")
    }
}

impl PgSessions {
    pub fn new(db: PgPool, clock: Clock, auth: &Auth) -> Self {
        Self { db, clock, lasting: Lasting::of(auth) }
    }

    /// The row of a session id: its SHA-256.
    pub fn hash(id: &Id) -> [u8; 32] {
        sha256(id.0.to_be_bytes())
    }

    /// The account and the session behind a cookie, outside of the layer that makes cookies: looking is all that is done with them.
    pub async fn behind(&self, cookie: &str) -> Result<Option<(AccountId, SessionId)>> {
        let Ok(id) = cookie.parse::<Id>() else { return Ok(None) };
        let Some(record) = self.load(&id).await? else { return Ok(None) };
        Ok(text(&record, ACCOUNT).parse().ok().zip(text(&record, SESSION).parse().ok()))
    }

    async fn ends_of(&self, account: AccountId) -> Result<Ends> {
        let said = sqlx::query!("select idle, longest from session_policy($1)", account.uuid()).fetch_one(&self.db).await.map_err(backend)?;
        Ok(self.lasting.ends(said.idle, said.longest))
    }

    /// Gives a kept session to the browser of this record. One that ended since it was kept is an error, as is one that a browser holds.
    async fn take(&self, record: &Record, account: AccountId, session: SessionId) -> Result<()> {
        // A kept session has its own id, 16 bytes, where others have a hash of 32.
        let taken = sqlx::query!(
            "update sessions set id_hash = $1 where id = $2 and account_id = $3 and octet_length(id_hash) = 16",
            &Self::hash(&record.id)[..],
            session.uuid(),
            account.uuid(),
        )
        .execute(&self.db)
        .await
        .map_err(backend)?;
        if taken.rows_affected() == 1 { Ok(()) } else { Err(backend("the session has ended, or belongs to a browser already")) }
    }
}

/// Removes the sessions that are over; answers how many those were. They let nobody in either way (`load` checks both ends).
pub async fn delete_ended(db: &PgPool, now: OffsetDateTime) -> sqlx::Result<u64> {
    let done = sqlx::query!("delete from sessions where least(idle_expires_at, absolute_expires_at) <= $1", now).execute(db).await?;
    Ok(done.rows_affected())
}

/// A session to keep until a browser comes for it.
#[derive(Debug, Clone, Copy)]
pub struct Kept<'a> {
    pub id: SessionId,
    pub account: AccountId,
    pub device: &'a str,
    pub address: IpAddr,
    pub now: OffsetDateTime,
    pub ends: Ends,
}

/// Begins a session that no browser holds yet: the next cookie made for its id takes it (`PgSessions::create`).
pub async fn keep(conn: &mut PgConnection, new: Kept<'_>) -> sqlx::Result<()> {
    let own_id = new.id.uuid();
    sqlx::query!(
        "insert into sessions (id_hash, id, account_id, device, address, created_at, last_used_at, proved_at, idle_expires_at, absolute_expires_at)
         values ($1, $2, $3, $4, $5, $6, $6, $6, $7, $8)",
        &own_id.as_bytes()[..],
        own_id,
        new.account.uuid(),
        new.device,
        IpNet::from(new.address),
        new.now,
        new.now + new.ends.idle,
        new.now + new.ends.max,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Takes a session out of its browser's hands: the old cookie is dead from this transaction on, the next one made for its id takes
/// it over, ends and all. Whoever is given it proved who they are just now. False: it has ended.
pub async fn release(conn: &mut PgConnection, account: AccountId, id: SessionId, now: OffsetDateTime) -> sqlx::Result<bool> {
    let own_id = id.uuid();
    let done = sqlx::query!(
        "update sessions set id_hash = $3, proved_at = $4 where id = $1 and account_id = $2",
        own_id,
        account.uuid(),
        &own_id.as_bytes()[..],
        now,
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// The same without a proof: what the session may do changes, so its cookie does (R23). It proves no more than it did.
pub async fn reissue(conn: &mut PgConnection, account: AccountId, id: SessionId) -> sqlx::Result<bool> {
    let own_id = id.uuid();
    let done = sqlx::query!("update sessions set id_hash = $3 where id = $1 and account_id = $2", own_id, account.uuid(), &own_id.as_bytes()[..]);
    Ok(done.execute(conn).await?.rows_affected() == 1)
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
        // What was kept has its device in its row: a row that is gone meanwhile does not come back.
        if !record.data.contains_key(DEVICE) {
            return self.take(record, account, session).await;
        }
        let ends = self.ends_of(account).await?;
        let written = sqlx::query!(
            "insert into sessions (id_hash, id, account_id, device, address, created_at, last_used_at, proved_at, idle_expires_at, absolute_expires_at)
             values ($1, $2, $3, $4, $5, $6, $6, $6, $7, $8) on conflict (id) do nothing",
            &Self::hash(&record.id)[..],
            session.uuid(),
            account.uuid(),
            text(record, DEVICE),
            address,
            now,
            now + ends.idle,
            now + ends.max,
        )
        .execute(&self.db)
        .await
        .map_err(backend)?;
        if written.rows_affected() == 1 { Ok(()) } else { Err(backend("there is a session of this id already")) }
    }

    async fn save(&self, _record: &Record) -> Result<()> {
        // A session's ids never change; a sign-in makes a new session, a step-up a new cookie (R23).
        Ok(())
    }

    async fn load(&self, id: &Id) -> Result<Option<Record>> {
        let now = self.clock.now();
        let hash = Self::hash(id);
        let row = sqlx::query!(
            r#"select s.id, s.account_id, s.created_at, s.last_used_at, s.idle_expires_at, s.absolute_expires_at,
                 p.idle as "idle?", p.longest as "longest?", p.most as "most?",
                 (select count(*) from sessions o where o.account_id = s.account_id and (o.created_at, o.id) > (s.created_at, s.id)
                    and o.idle_expires_at > $2 and o.absolute_expires_at > $2) as "newer!"
               from sessions s left join lateral session_policy(s.account_id) p on true
               where s.id_hash = $1 and s.idle_expires_at > $2 and s.absolute_expires_at > $2"#,
            &hash[..],
            now,
        )
        .fetch_optional(&self.db)
        .await
        .map_err(backend)?;
        let Some(row) = row else { return Ok(None) };
        let Some(account) = row.account_id else { return Ok(None) };
        let ends = self.lasting.ends(row.idle, row.longest);
        let (idle_end, end) = (row.last_used_at + ends.idle, row.created_at + ends.max);
        if idle_end <= now || end <= now || row.newer >= i64::from(self.lasting.most(row.most)) {
            // The row knew of an older policy.
            self.delete(id).await?;
            return Ok(None);
        }
        let is_policy_new = row.idle_expires_at != idle_end || row.absolute_expires_at != end;
        // Where the idle end is near, more often: whoever is there must not be signed out between two looks.
        let touch_after = time::Duration::try_from(ends.idle).map_or(TOUCH_EVERY, |idle| TOUCH_EVERY.min(idle / 4));
        if is_policy_new || now - row.last_used_at >= touch_after {
            sqlx::query!(
                "update sessions set last_used_at = $2, idle_expires_at = $3, absolute_expires_at = $4 where id_hash = $1",
                &hash[..],
                now,
                now + ends.idle,
                end,
            )
            .execute(&self.db)
            .await
            .map_err(backend)?;
        }
        let data = HashMap::from([
            (ACCOUNT.to_owned(), Value::String(AccountId::new(account).to_string())),
            (SESSION.to_owned(), Value::String(SessionId::new(row.id).to_string())),
        ]);
        Ok(Some(Record { id: *id, data, expiry_date: end }))
    }

    async fn delete(&self, id: &Id) -> Result<()> {
        sqlx::query!("delete from sessions where id_hash = $1", &Self::hash(id)[..]).execute(&self.db).await.map_err(backend)?;
        Ok(())
    }
}
