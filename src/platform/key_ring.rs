//! Which master keys this database was used with. A start that lacks one of them is refused in words, instead of finding out one
//! by one that seeds, passwords and secrets do not open; until an operator says that it is lost, or needed no more (`drop_key`).

use crate::{
    error::AppError,
    platform::{
        Ctx,
        config::{
            Config,
            master_key::{self, MasterKeyError},
        },
        crypto::{MasterKeyId, Rng, Vault},
    },
};
use sqlx::{PgConnection, PgExecutor, PgPool};
use std::collections::HashMap;
use time::OffsetDateTime;
use uuid::Uuid;

/// A master key as the database knows it.
#[derive(Debug, Clone)]
pub struct KnownKey {
    pub id: String,
    pub added_at: OffsetDateTime,
    pub current_at: Option<OffsetDateTime>,
    pub dropped_at: Option<OffsetDateTime>,
}

/// Opens the keys (the first start makes one) and compares them with those that the database knows. New ones are added.
pub async fn open(config: &Config, rng: &Rng, db: &PgPool, now: OffsetDateTime) -> Result<Vault, MasterKeyError> {
    let vault = master_key::open(config, rng)?;
    let before = list(db).await?;
    must_have_all(config, &vault, &before)?;
    let current = vault.key_id();
    let here = ids(&vault);
    let is_known = |id: &String| before.iter().any(|known| known.id == *id && (known.current_at.is_some() || *id != current.to_string()));
    let known = if here.iter().all(is_known) {
        before
    } else {
        add(db, &here, &current.to_string(), before.is_empty(), now).await?;
        list(db).await?
    };
    for dropped in known.iter().filter(|known| known.dropped_at.is_some() && here.contains(&known.id)) {
        tracing::warn!("the master key {} was dropped and is not read: remove its file", dropped.id);
    }
    Ok(read(&vault, &known))
}

/// The keys that are read: those of the ring that the database knows and nobody dropped, and the current one.
#[must_use]
pub fn read(vault: &Vault, known: &[KnownKey]) -> Vault {
    vault.known_since(|id| since(known, id))
}

/// The ids of the keys that are here, the current one last: so they are added.
fn ids(vault: &Vault) -> Vec<String> {
    vault.previous_ids().into_iter().chain([vault.key_id()]).map(|id| id.to_string()).collect()
}

/// Refuses to go on without a key under which something was made, or with a current one that was dropped. A key that servers only read
/// so far, because it is to be the next one, may be missing: nothing is under it.
pub fn must_have_all(config: &Config, vault: &Vault, known: &[KnownKey]) -> Result<(), MasterKeyError> {
    let (current, here) = (vault.key_id(), ids(vault));
    let path = || config.server.secret_file.clone();
    if known.iter().any(|known| known.dropped_at.is_some() && known.id == current.to_string()) {
        return Err(MasterKeyError::Dropped { path: path(), id: current });
    }
    let missing: Vec<&str> = known
        .iter()
        .filter(|known| known.dropped_at.is_none() && known.current_at.is_some() && !here.contains(&known.id))
        .map(|known| known.id.as_str())
        .collect();
    match missing.first() {
        Some(first) => Err(MasterKeyError::NotHere { ids: missing.join(", "), first: (*first).to_owned(), current, path: path() }),
        None => Ok(()),
    }
}

/// Since when a key made new things, in milliseconds of 1970: the first one since ever. None: it was dropped.
fn since(known: &[KnownKey], id: MasterKeyId) -> Option<u64> {
    let at = known.iter().position(|known| known.id == id.to_string())?;
    if known[at].dropped_at.is_some() {
        return None;
    }
    let millis = known[at].current_at.map_or(0, |at| at.unix_timestamp_nanos() / 1_000_000);
    Some(if at == 0 { 0 } else { u64::try_from(millis).unwrap_or(0) })
}

/// All of them, in the order in which they came.
pub async fn list(db: impl PgExecutor<'_>) -> sqlx::Result<Vec<KnownKey>> {
    sqlx::query_as!(KnownKey, "select id, added_at, current_at, dropped_at from master_keys order by number").fetch_all(db).await
}

/// Adds those that are new; several nodes may do it at once. Of a database that knows none the older ones were used before it did.
async fn add(db: &PgPool, ids: &[String], current: &str, is_first: bool, now: OffsetDateTime) -> sqlx::Result<()> {
    let mut tx = db.begin().await?;
    for id in ids {
        let since = (is_first && id != current).then_some(OffsetDateTime::UNIX_EPOCH);
        sqlx::query!("insert into master_keys (id, added_at, current_at) values ($1, $2, $3) on conflict (id) do nothing", id.as_str(), now, since)
            .execute(&mut *tx)
            .await?;
    }
    sqlx::query!("update master_keys set current_at = $2 where id = $1 and current_at is null", current, now).execute(&mut *tx).await?;
    tx.commit().await
}

/// From now on this key may be missing and is not read; false if it is not known, or was dropped before.
pub async fn drop_key(conn: &mut PgConnection, id: MasterKeyId, now: OffsetDateTime) -> sqlx::Result<bool> {
    let id = id.to_string();
    let drop = sqlx::query!("update master_keys set dropped_at = greatest($2, added_at) where id = $1 and dropped_at is null", id.as_str(), now);
    Ok(drop.execute(conn).await?.rows_affected() == 1)
}

/// How many things of one kind were made under a key; None: from before keys had ids.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    pub what: &'static str,
    pub key: Option<String>,
    pub rows: i64,
}

/// The same, those without an id counted to the first key.
pub fn by_key(held: Vec<Held>, known: &[KnownKey]) -> HashMap<(String, &'static str), i64> {
    let first = known.first().map(|known| known.id.clone()).unwrap_or_default();
    let mut counts = HashMap::new();
    for Held { what, key, rows } in held {
        *counts.entry((key.unwrap_or_else(|| first.clone()), what)).or_insert(0) += rows;
    }
    counts
}

/// Rows of one page.
pub const PAGE: i64 = 500;

/// Something sealed, by the id in whose name it was.
pub struct Sealed {
    pub id: Uuid,
    pub bytes: Vec<u8>,
}

/// Rows under the current key, as columns; those that are not as before any more were replaced meanwhile and stay.
#[derive(Default)]
pub struct Anew {
    pub ids: Vec<Uuid>,
    pub befores: Vec<Vec<u8>>,
    pub bytes: Vec<Vec<u8>>,
}

impl Anew {
    pub fn push(&mut self, id: Uuid, before: Vec<u8>, bytes: Vec<u8>) {
        self.ids.push(id);
        self.befores.push(before);
        self.bytes.push(bytes);
    }
}

/// After a rotation, one pass over the rows of a kind, in pages, which their feature lists and writes: what is sealed under older keys is
/// sealed anew. Run again, or twice at once, it finds what is left.
pub struct Resealing<'a> {
    ctx: &'a Ctx,
    purpose: &'static str,
    what: &'static str,
    /// The last row of the page before.
    pub after: Uuid,
    resealed: u64,
    unreadable: u64,
}

impl<'a> Resealing<'a> {
    /// None without older keys: there is nothing to do.
    pub fn start(ctx: &'a Ctx, purpose: &'static str, what: &'static str) -> Option<Self> {
        ctx.vault.has_previous().then_some(Self { ctx, purpose, what, after: Uuid::nil(), resealed: 0, unreadable: 0 })
    }

    /// A page, ready to be written; None once there are no more.
    pub fn seal(&mut self, page: Vec<Sealed>) -> Result<Option<Anew>, AppError> {
        let Some(last) = page.last() else { return Ok(None) };
        self.after = last.id;
        let mut anew = Anew::default();
        for Sealed { id, bytes } in page {
            match self.ctx.vault.reseal(&self.ctx.rng, self.purpose, id.as_bytes(), &bytes).map_err(AppError::internal)? {
                Some(sealed) => anew.push(id, bytes, sealed),
                None => self.unreadable += 1,
            }
        }
        Ok(Some(anew))
    }

    pub fn written(&mut self, rows: u64) {
        self.resealed += rows;
        tracing::info!(resealed = self.resealed, unreadable = self.unreadable, key = %self.ctx.vault.key_id(), "sealing {} anew", self.what);
    }

    /// Says what to do if some of them open no more.
    pub fn end(self, advice: &str) {
        if self.unreadable > 0 {
            tracing::error!(unreadable = self.unreadable, "{} open under no master key that is here: {advice}", self.what);
        }
    }
}
