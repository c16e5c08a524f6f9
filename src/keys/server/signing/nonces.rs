//! Each nonce of a key counts once, on all nodes together: the first who writes it has it. What this node has seen it refuses without
//! asking the database. Where that does not answer, a node that is alone tells by itself (`alone`).

use super::alone::{Alone, PIECE, Used, tell};
use crate::{
    error::AppError,
    keys::server::store::signings,
    platform::Ctx,
    values::{KeyId, NotNow},
};
use sqlx::PgPool;
use std::{
    collections::HashSet,
    path::PathBuf,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

/// Seconds for which a nonce is kept: longer than any signature with it counts, though the clocks of nodes differ by minutes.
const KEPT: i64 = 600;
/// The database has to answer in this time.
const ANSWER: Duration = Duration::from_secs(2);
/// The most nonces that are remembered here; beyond them the database alone tells.
const MOST: usize = 1_000_000;

type Nonce = (KeyId, [u8; 32]);

/// Those that this node has seen, and those that it accepted by itself.
#[derive(Debug, Default)]
pub struct Nonces {
    seen: Mutex<Seen>,
    alone: Mutex<Alone>,
    /// Another node may have accepted what nobody here knows of.
    is_closed: AtomicBool,
}

/// An old generation and a young one, so that forgetting costs nothing.
#[derive(Debug, Default)]
struct Seen {
    young: HashSet<Nonce>,
    old: HashSet<Nonce>,
    /// When the young began, in seconds.
    since: i64,
}

impl Nonces {
    /// What is accepted without the database is kept there.
    pub fn new(path: Option<PathBuf>) -> Self {
        Self { alone: Mutex::new(Alone::at(path)), ..Self::default() }
    }

    /// True for who comes first. Where nobody can tell: 503. `created`: when the signature was made.
    pub async fn take(&self, ctx: &Ctx, key: KeyId, nonce: [u8; 32], created: i64) -> Result<bool, AppError> {
        if self.is_closed.load(Ordering::Acquire) {
            return Err(AppError::not_now(NotNow::SignatureUnknown, 5));
        }
        let now = ctx.clock.now();
        if !self.is_new((key, nonce), now.unix_timestamp()) {
            return Ok(false);
        }
        let used = Used { key, nonce, until: now + time::Duration::seconds(KEPT) };
        let is_away = self.alone().is_away;
        if is_away && self.accept_alone(used, created) {
            return Ok(true);
        }
        match tokio::time::timeout(ANSWER, signings::insert_nonce(&ctx.db, key, &nonce, used.until)).await {
            Ok(Ok(is_first)) => return Ok(is_first),
            Ok(Err(error)) => tracing::warn!(%key, "a nonce could not be written: {error}"),
            Err(_) => {}
        }
        if self.accept_alone(used, created) {
            return Ok(true);
        }
        self.forget((key, nonce));
        Err(AppError::not_now(NotNow::SignatureUnknown, 1))
    }

    /// True if nobody else can have taken it; it is remembered then, and told when the database is back.
    fn accept_alone(&self, used: Used, created: i64) -> bool {
        self.remembers((used.key, used.nonce)) && self.alone().accept(used, created)
    }

    /// This node is alone from now on.
    pub fn begin_alone(&self, now_micros: i64) {
        self.alone().begin(now_micros.div_euclid(1_000_000));
    }

    /// It is not any more: what it accepted by itself is to be told before another one answers.
    pub fn end_alone(&self) {
        self.alone().end();
    }

    /// While another node may have accepted what nobody here knows of, no signed call is answered.
    pub fn close(&self, is_closed: bool) {
        self.is_closed.store(is_closed, Ordering::Release);
    }

    /// True if the database is to be told something, or did not take the last one.
    pub fn is_behind(&self) -> bool {
        let alone = self.alone();
        alone.is_away || !alone.untold.is_empty()
    }

    /// Tells the database all that was accepted without it. Called by one task only.
    pub async fn tell(&self, db: &PgPool) -> sqlx::Result<()> {
        loop {
            let some: Vec<Used> = {
                let mut alone = self.alone();
                if alone.untold.is_empty() {
                    alone.all_told();
                    return Ok(());
                }
                alone.untold.iter().take(PIECE).copied().collect()
            };
            tell(db, &some, ANSWER).await?;
            self.alone().untold.drain(..some.len());
        }
    }

    fn alone(&self) -> MutexGuard<'_, Alone> {
        self.alone.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_new(&self, nonce: Nonce, now: i64) -> bool {
        let mut seen = self.seen();
        if now - seen.since >= KEPT {
            let young = std::mem::take(&mut seen.young);
            seen.old = if now - seen.since >= 2 * KEPT { HashSet::new() } else { young };
            seen.since = now;
        }
        if seen.old.contains(&nonce) {
            return false;
        }
        seen.young.len() >= MOST || seen.young.insert(nonce)
    }

    /// True if this one is remembered, and every one of the last minutes is.
    fn remembers(&self, nonce: Nonce) -> bool {
        let seen = self.seen();
        seen.young.len() < MOST && seen.old.len() < MOST && seen.young.contains(&nonce)
    }

    fn forget(&self, nonce: Nonce) {
        self.seen().young.remove(&nonce);
    }
}

/// Forgets nonces whose signatures count no more. Answers how many.
pub async fn forget_nonces(ctx: &Ctx) -> Result<u64, AppError> {
    Ok(signings::delete_nonces(&ctx.db, ctx.clock.now()).await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nonce(n: u8) -> Nonce {
        (KeyId::new(uuid::Uuid::nil()), [n; 32])
    }

    #[test]
    fn a_nonce_is_new_once_and_forgotten_when_its_signature_counts_no_more() {
        let nonces = Nonces::default();
        assert!(nonces.is_new(nonce(1), 10_000));
        assert!(!nonces.is_new(nonce(1), 10_000));
        assert!(nonces.is_new(nonce(2), 10_599));
        for seconds in [10_600, 10_900, 11_199] {
            assert!(!nonces.is_new(nonce(2), seconds), "{seconds}");
        }
        assert!(nonces.is_new(nonce(3), 20_000));
        assert!(nonces.seen().old.is_empty());
        nonces.forget(nonce(3));
        assert!(nonces.is_new(nonce(3), 20_000));
    }
}
