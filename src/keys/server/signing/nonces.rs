//! Each nonce of a key counts once, on all nodes together: the first who writes it has it. What this node has seen it refuses without
//! asking the database.

use crate::{error::AppError, keys::server::store::signings, platform::Ctx, values::KeyId};
use std::{
    collections::HashSet,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// Seconds for which a nonce is kept: longer than any signature with it counts, though the clocks of nodes differ by minutes.
const KEPT: i64 = 600;
/// The database has to answer in this time.
const ANSWER: Duration = Duration::from_secs(2);
/// The most nonces that are remembered here; beyond them the database alone tells.
const MOST: usize = 1_000_000;

type Nonce = (KeyId, [u8; 32]);

/// Those that this node has seen: an old generation and a young one, so that forgetting costs nothing.
#[derive(Debug, Default)]
pub struct Nonces(Mutex<Seen>);

#[derive(Debug, Default)]
struct Seen {
    young: HashSet<Nonce>,
    old: HashSet<Nonce>,
    /// When the young began, in seconds.
    since: i64,
}

impl Nonces {
    /// True for who comes first. Without the database nobody can tell: 503.
    pub async fn take(&self, ctx: &Ctx, key: KeyId, nonce: [u8; 32]) -> Result<bool, AppError> {
        let now = ctx.clock.now();
        if !self.is_new((key, nonce), now.unix_timestamp()) {
            return Ok(false);
        }
        let until = now + time::Duration::seconds(KEPT);
        let written = tokio::time::timeout(ANSWER, signings::insert_nonce(&ctx.db, key, &nonce, until)).await;
        match written {
            Ok(Ok(is_first)) => Ok(is_first),
            Ok(Err(error)) => {
                tracing::warn!(%key, "a nonce could not be written, its call is not answered: {error}");
                self.forget((key, nonce));
                Err(AppError::Unavailable { retry_after: 1 })
            }
            Err(_) => {
                self.forget((key, nonce));
                Err(AppError::Unavailable { retry_after: 1 })
            }
        }
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
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
