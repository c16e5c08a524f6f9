//! Whether this node may answer: how new its key table is, and what is known of the database.
//!
//! The table holds everything that was committed before `current`. While that is less than two seconds ago the node answers, and that
//! is all the verify path looks at. Longer ago means one of two things. The database is known to be away: the node goes on from what
//! it knows, until it was cut off for longer than the configured time, then it stops. Or nothing is known, as after the process was
//! paused (SIGSTOP, a frozen machine): then the questions wait until the database was asked, two seconds at most.
//!
//! So whoever was named as missing by a change, which takes two seconds too, asks the database before it answers again.

use crate::{
    error::{AppError, wait_in_words},
    keys::server::nodes::RELIABLE,
    platform::clock::steady_millis,
    values::NotNow,
};
use axum::response::{IntoResponse, Response};
use std::{
    fmt,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};
use tokio::{
    sync::{Notify, watch},
    time::{Instant, timeout_at},
};

/// For so many milliseconds a failed try tells that the database is away. A try is made at least every two seconds.
const KNOWN_AWAY: u64 = 3_000;
/// A question waits no longer for a try to end.
const PATIENCE: Duration = Duration::from_secs(2);
/// Seconds after which a stopped node may be asked again.
const AGAIN: u64 = 5;

/// All times are milliseconds of the steady clock; 0: never.
pub struct Contact {
    current: AtomicU64,
    failed: AtomicU64,
    /// How long it goes on without the database.
    outage: u64,
    tries: watch::Sender<()>,
    wanted: Notify,
}

/// This node was cut off for too long and answers no question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stopped {
    /// Seconds that it went on for.
    outage: u64,
}

impl Contact {
    pub fn new(outage: Duration) -> Self {
        let outage = u64::try_from(outage.as_millis()).unwrap_or(u64::MAX);
        Self { current: AtomicU64::new(0), failed: AtomicU64::new(0), outage, tries: watch::Sender::default(), wanted: Notify::new() }
    }

    /// Whether a question may be answered from the table now. Waits only where nothing is known; what waits has its own place on the
    /// heap, so that it takes no room in every question.
    pub async fn check(&self) -> Result<(), Stopped> {
        if self.is_current(steady_millis()) { Ok(()) } else { Box::pin(self.ask()).await }
    }

    /// Milliseconds since the table was known to be current.
    pub fn behind(&self) -> u64 {
        steady_millis().saturating_sub(self.current.load(Ordering::Acquire))
    }

    /// Milliseconds that this node goes on for without the database.
    pub fn left(&self) -> u64 {
        self.outage.saturating_sub(self.behind())
    }

    /// False until the table was current for the first time.
    pub(super) fn was_current(&self) -> bool {
        self.current.load(Ordering::Acquire) != 0
    }

    /// Wakes when somebody waits for a try.
    pub(super) async fn wanted(&self) {
        self.wanted.notified().await;
    }

    /// Everything committed before `began` is in the table.
    pub(super) fn succeeded(&self, began: u64) {
        self.current.store(began, Ordering::Release);
        self.tries.send_replace(());
    }

    /// A try that began then failed. It is the beginning that counts: one that was paused on its way tells nothing of now.
    pub(super) fn failed(&self, began: u64) {
        self.failed.store(began, Ordering::Release);
        self.tries.send_replace(());
    }

    /// The database has so much to tell that questions can't wait for it.
    pub(super) fn is_busy(&self) {
        self.failed(steady_millis());
    }

    fn is_current(&self, now: u64) -> bool {
        now.saturating_sub(self.current.load(Ordering::Acquire)) <= RELIABLE
    }

    async fn ask(&self) -> Result<(), Stopped> {
        let mut tries = self.tries.subscribe();
        let deadline = Instant::now() + PATIENCE;
        loop {
            tries.borrow_and_update();
            let now = steady_millis();
            if self.is_current(now) {
                return Ok(());
            }
            let is_away = now.saturating_sub(self.failed.load(Ordering::Acquire)) <= KNOWN_AWAY;
            if is_away || Instant::now() >= deadline {
                return if self.behind() > self.outage { Err(Stopped { outage: self.outage / 1000 }) } else { Ok(()) };
            }
            self.wanted.notify_one();
            // Too late is seen above; the sender is ours and does not go.
            let _ = timeout_at(deadline, tries.changed()).await;
        }
    }
}

impl fmt::Display for Stopped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (outage, again) = (wait_in_words(self.outage), wait_in_words(AGAIN));
        write!(f, "This node has been cut off from its database for longer than {outage} and can't tell which keys still pass. Try again in {again}.")
    }
}

impl From<Stopped> for AppError {
    fn from(_: Stopped) -> Self {
        Self::not_now(NotNow::CutOff, AGAIN)
    }
}

impl IntoResponse for Stopped {
    fn into_response(self) -> Response {
        AppError::from(self).into_response()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    /// As if it had been current so many milliseconds ago.
    fn behind(millis: u64, outage: u64) -> Arc<Contact> {
        let contact = Contact::new(Duration::from_millis(outage));
        contact.succeeded(steady_millis().saturating_sub(millis));
        Arc::new(contact)
    }

    #[tokio::test]
    async fn who_is_current_answers_at_once() {
        assert_eq!(behind(0, 10_000).check().await, Ok(()));
        assert_eq!(behind(1_500, 10_000).check().await, Ok(()));
    }

    #[tokio::test]
    async fn who_is_known_to_be_cut_off_goes_on_for_a_while_then_stops() {
        let (short, long) = (behind(5_000, 10_000), behind(15_000, 10_000));
        short.failed(steady_millis());
        long.failed(steady_millis());
        assert_eq!(short.check().await, Ok(()));
        assert_eq!(long.check().await, Err(Stopped { outage: 10 }));
        long.succeeded(steady_millis());
        assert_eq!(long.check().await, Ok(()), "it is back");
    }

    #[tokio::test]
    async fn after_a_pause_questions_wait_for_the_database() {
        let contact = behind(5_000, 10_000);
        let question = tokio::spawn({
            let contact = Arc::clone(&contact);
            async move { contact.check().await }
        });
        contact.wanted().await; // the follower hears that somebody waits
        assert!(!question.is_finished());
        contact.succeeded(steady_millis());
        assert_eq!(question.await.expect("it ends"), Ok(()));

        let contact = behind(15_000, 10_000);
        let question = tokio::spawn({
            let contact = Arc::clone(&contact);
            async move { contact.check().await }
        });
        contact.wanted().await;
        contact.failed(steady_millis().saturating_sub(5_000)); // it was paused on its way
        contact.wanted().await;
        contact.failed(steady_millis());
        assert_eq!(question.await.expect("it ends"), Err(Stopped { outage: 10 }));
    }
}
