//! Who may send a picture now: drawing takes a core and up to a few hundred megabytes, so one is drawn at a time, and only a few more
//! are received or wait. Whoever comes then is told when to come again.

use super::drawing::{Drawn, Flaw, draw};
use crate::{error::AppError, platform::Ctx};
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// So many are received, wait or are drawn at once; each holds at most a file in memory.
const PLACES: usize = 8;
/// Seconds until a refused one may try again: about what drawing takes for half of those before it.
const RETRY_AFTER: u64 = 3;

/// The places of this process; start-up hangs them on the context with `Ctx::with`.
pub struct Queue {
    places: Arc<Semaphore>,
    desk: Arc<Semaphore>,
}

/// A place, from before the file is received until its picture is drawn.
pub struct Place {
    queue: Arc<Queue>,
    _permit: OwnedSemaphorePermit,
}

impl Default for Queue {
    fn default() -> Self {
        Self { places: Arc::new(Semaphore::new(PLACES)), desk: Arc::new(Semaphore::new(1)) }
    }
}

impl Place {
    /// Takes a place, or says to come again (503 with `Retry-After`).
    pub fn take(ctx: &Ctx) -> Result<Self, AppError> {
        let queue = ctx.part::<Queue>().ok_or_else(|| AppError::internal("start-up did not add the queue of pictures to the context"))?;
        let permit = Arc::clone(&queue.places).try_acquire_owned().map_err(|_| AppError::Unavailable { retry_after: RETRY_AFTER })?;
        Ok(Self { queue, _permit: permit })
    }

    /// Draws on a blocking thread, when it is this one's turn. Place and turn are the thread's: it goes on when nobody waits for it any
    /// more. What a decoder panics on is a broken file.
    pub(super) async fn draw(self, file: Vec<u8>, name: String) -> Result<Result<Drawn, Flaw>, AppError> {
        let turn = Arc::clone(&self.queue.desk).acquire_owned().await.map_err(AppError::internal)?;
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
