//! Nonces without the database: a node that is alone, and was for minutes, remembers every nonce that can still be tried.
//!
//! What it accepts so is kept in its spool's folder before the call is answered, and told to the database before another node may begin
//! (`gate::sync`). After an end by force the next start on the folder tells it. A node that starts elsewhere meanwhile can't know what this one
//! accepted, so it answers no signed call until this one is back, or until nothing that it may have accepted counts any more
//! (`Members::may_sign_alone`).
//!
//! A signature that was made while another node may still have accepted it, or some minutes later (their clocks may be ahead), is not
//! accepted so: nobody can tell then.

use super::verify::{MAX_AGE, MAX_AHEAD};
use crate::{
    keys::server::{meter::left_nonces, store::signings},
    platform::{
        Ctx,
        mapped::{self, MappedFile},
    },
    values::KeyId,
};
use sqlx::PgPool;
use std::{fs, io, path::PathBuf, time::Duration};
use time::OffsetDateTime;
use uuid::Uuid;

/// Clocks of nodes may differ by so many seconds: as much as a signature may be old.
const SKEW: i64 = MAX_AGE;
/// The most nonces that wait to be told.
const MOST: usize = 1_000_000;
/// So many in one statement.
pub const PIECE: usize = 5_000;

/// A nonce that was used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Used {
    pub key: KeyId,
    pub nonce: [u8; 32],
    /// Until when it is kept.
    pub until: OffsetDateTime,
}

/// What a node does by itself.
#[derive(Debug, Default)]
pub struct Alone {
    /// Since when it is alone, in seconds since 1970.
    since: Option<i64>,
    /// The database did not take the last one.
    pub is_away: bool,
    /// Not in the database yet, in their order.
    pub untold: Vec<Used>,
    /// Where they are kept; none: they can't be, so none is accepted.
    path: Option<PathBuf>,
    file: Option<MappedFile>,
}

impl Alone {
    pub fn at(path: Option<PathBuf>) -> Self {
        Self { path, ..Self::default() }
    }

    pub fn begin(&mut self, now: i64) {
        self.since = self.since.or(Some(now));
    }

    pub fn end(&mut self) {
        self.since = None;
    }

    /// Accepts a nonce that this node has not seen; false if it can't tell, or can't keep it.
    pub fn accept(&mut self, used: Used, created: i64) -> bool {
        let knows = self.since.is_some_and(|since| created > since + MAX_AHEAD + SKEW);
        if !knows || self.untold.len() >= MOST {
            return false;
        }
        if let Err(error) = self.keep(&used) {
            tracing::error!("a nonce can't be kept in the data folder, its call is not answered: {error}");
            return false;
        }
        self.is_away = true;
        self.untold.push(used);
        true
    }

    fn keep(&mut self, used: &Used) -> io::Result<()> {
        if self.file.is_none() {
            let path = self.path.as_deref().ok_or(io::ErrorKind::NotFound)?;
            self.file = Some(MappedFile::create(path)?);
        }
        match &mut self.file {
            Some(file) => file.append(&record(used)).map(|_| ()),
            None => Err(io::ErrorKind::NotFound.into()),
        }
    }

    /// All of them are in the database.
    pub fn all_told(&mut self) {
        self.is_away = false;
        if self.file.take().is_some()
            && let Some(Err(error)) = self.path.as_deref().map(fs::remove_file)
        {
            tracing::error!("nonces in the data folder can't be removed; a later start tells them again: {error}");
            self.path = None; // none is accepted that could not be kept
        }
    }
}

const RECORD: usize = 16 + 32 + 8;

fn record(used: &Used) -> Vec<u8> {
    let mut record = Vec::with_capacity(RECORD);
    record.extend(used.key.uuid().as_bytes());
    record.extend(used.nonce);
    record.extend(used.until.unix_timestamp().to_le_bytes());
    record
}

fn read(record: &[u8]) -> Option<Used> {
    let (key, rest) = record.split_at_checked(16)?;
    let (nonce, until) = rest.split_at_checked(32)?;
    Some(Used {
        key: KeyId::new(Uuid::from_slice(key).ok()?),
        nonce: nonce.try_into().ok()?,
        until: OffsetDateTime::from_unix_timestamp(i64::from_le_bytes(until.try_into().ok()?)).ok()?,
    })
}

/// Why nonces of an earlier process are not in the database.
#[derive(Debug, thiserror::Error)]
pub enum LeftNoncesError {
    #[error("nonces in the data folder can't be read: {0}")]
    Spool(#[from] io::Error),
    #[error("nonces of an earlier process can't be written: {0}")]
    Database(#[from] sqlx::Error),
}

/// Tells what earlier processes of this data folder accepted and could not tell. To be called before these are forgotten as nodes, and before
/// the first answer. A file that can't be read, after a power cut, stays: its process is remembered as a node (`LeftOver::ended`), so that no
/// signed call is answered until nothing that it accepted counts any more.
pub async fn write_left_nonces(ctx: &Ctx) -> Result<(), LeftNoncesError> {
    for (path, _lock) in left_nonces(&ctx.config.server.data_dir)? {
        let bytes = match mapped::read(&path) {
            Ok(bytes) => bytes,
            Err(error) => {
                tracing::error!("{} can't be read and is left as it is; signed calls may have to wait: {error}", path.display());
                continue;
            }
        };
        let used: Vec<Used> = bytes.chunks(RECORD).filter_map(read).collect();
        for piece in used.chunks(PIECE) {
            signings::insert_nonces(&ctx.db, piece).await?;
        }
        fs::remove_file(&path)?;
        tracing::info!(nonces = used.len(), "nonces that an earlier process could not tell");
    }
    Ok(())
}

/// Tells the database some of them.
pub async fn tell(db: &PgPool, some: &[Used], patience: Duration) -> sqlx::Result<()> {
    match tokio::time::timeout(patience, signings::insert_nonces(db, some)).await {
        Ok(told) => told,
        Err(_) => Err(sqlx::Error::Io(io::ErrorKind::TimedOut.into())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn used(n: u8) -> Used {
        Used { key: KeyId::new(Uuid::from_u128(7)), nonce: [n; 32], until: OffsetDateTime::UNIX_EPOCH + time::Duration::seconds(10_600) }
    }

    #[test]
    fn who_is_alone_for_minutes_accepts_what_was_made_since_and_keeps_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("nonces");
        let mut alone = Alone::at(Some(path.clone()));
        assert!(!alone.accept(used(1), 10_000), "others may be there");
        alone.begin(9_000);
        alone.begin(9_900);
        assert!(!alone.accept(used(1), 9_360), "another may have accepted it before it ended");
        assert!(alone.accept(used(1), 9_361) && alone.accept(used(2), 10_000) && alone.is_away);
        let kept = mapped::read(&path).expect("a file of ours");
        assert_eq!(kept.chunks(RECORD).filter_map(read).collect::<Vec<_>>(), [used(1), used(2)]);
        alone.untold.clear();
        alone.all_told();
        assert!(!path.exists() && !alone.is_away);
        alone.end();
        assert!(!alone.accept(used(3), 10_000));
    }

    #[test]
    fn what_can_not_be_kept_is_not_accepted() {
        let mut alone = Alone::default();
        alone.begin(0);
        assert!(!alone.accept(used(1), 10_000));
    }
}
