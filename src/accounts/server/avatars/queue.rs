//! Who may send a picture now: drawing takes a core and up to a few hundred megabytes, so one is drawn at a time, and only a few more
//! are received or wait. Whoever comes then is told when to come again. Of one account there are two at most, so that nobody keeps the others
//! waiting by sending slowly.

use super::drawing::{Drawn, Flaw, draw};
use crate::{
    error::AppError,
    platform::Ctx,
    values::{AccountId, NotNow},
};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// So many are received, wait or are drawn at once; each holds at most a file in memory.
const PLACES: usize = 8;
/// So many of them are of one account.
const PLACES_OF_ONE: usize = 2;
/// Seconds until a refused one may try again: about what drawing takes for half of those before it.
const RETRY_AFTER: u64 = 3;

/// The places of this process; start-up hangs them on the context with `Ctx::with`.
pub struct Queue {
    places: Arc<Semaphore>,
    desk: Arc<Semaphore>,
    /// How many each account has that has any.
    taken: Mutex<HashMap<AccountId, usize>>,
}

/// A place, from before the file is received until its picture is drawn.
pub struct Place {
    share: Share,
    _permit: OwnedSemaphorePermit,
}

/// One of an account's places, given back when it goes.
struct Share {
    queue: Arc<Queue>,
    account: AccountId,
}

impl Default for Queue {
    fn default() -> Self {
        Self { places: Arc::new(Semaphore::new(PLACES)), desk: Arc::new(Semaphore::new(1)), taken: Mutex::default() }
    }
}

impl Queue {
    fn taken(&self) -> MutexGuard<'_, HashMap<AccountId, usize>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Share {
    /// None, if the account has all that one may have.
    fn take(queue: Arc<Queue>, account: AccountId) -> Option<Self> {
        let mut taken = queue.taken();
        let mine = taken.entry(account).or_default();
        if *mine >= PLACES_OF_ONE {
            return None;
        }
        *mine += 1;
        drop(taken);
        Some(Self { queue, account })
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let mut taken = self.queue.taken();
        if let Some(mine) = taken.get_mut(&self.account) {
            *mine -= 1;
            if *mine == 0 {
                taken.remove(&self.account);
            }
        }
    }
}

impl Place {
    /// Takes a place for somebody; or says to come again where there is none (503 with `Retry-After`), or where this account has its share (429).
    pub fn take(ctx: &Ctx, account: AccountId) -> Result<Self, AppError> {
        let queue = ctx.part::<Queue>().ok_or_else(|| AppError::internal("start-up did not add the queue of pictures to the context"))?;
        let places = Arc::clone(&queue.places);
        let share = Share::take(queue, account).ok_or(AppError::RateLimited { retry_after: RETRY_AFTER })?;
        let permit = places.try_acquire_owned().map_err(|_| AppError::not_now(NotNow::Overloaded, RETRY_AFTER))?;
        Ok(Self { share, _permit: permit })
    }

    /// Draws on a blocking thread, when it is this one's turn. Place and turn are the thread's: it goes on when nobody waits for it any
    /// more. What a decoder panics on is a broken file.
    pub(super) async fn draw(self, file: Vec<u8>, name: String) -> Result<Result<Drawn, Flaw>, AppError> {
        let turn = Arc::clone(&self.share.queue.desk).acquire_owned().await.map_err(AppError::internal)?;
        let drawing = move || {
            let _until_it_is_drawn = (turn, self);
            draw(&file, &name)
        };
        match tokio::task::spawn_blocking(drawing).await {
            Ok(drawn) => Ok(drawn),
            Err(ended) if ended.is_panic() => {
                tracing::warn!("a decoder of pictures panicked: {ended}");
                Ok(Err(Flaw::Broken))
            }
            Err(ended) => Err(AppError::internal(ended)),
        }
    }
}
