//! Long work in Postgres, in statements so short that calls which are answered on the same cores hardly wait for it.

use std::time::Duration;
use tokio::time::{Instant, sleep};

/// Between two statements: what waited for the core meanwhile goes first, and never for more than one of them.
const ONE: Duration = Duration::from_millis(2);
/// All of them in one transaction: others may wait for its rows.
const MOST: Duration = Duration::from_secs(1);

/// The breaths of such work, one after each statement.
#[derive(Debug, Default)]
pub struct Breath {
    left: Duration,
    taken: Duration,
}

impl Breath {
    /// None (the default) is where nothing else waits for the cores.
    pub fn steady() -> Self {
        Self { left: MOST, ..Self::default() }
    }

    pub async fn take(&mut self) {
        if !self.left.is_zero() {
            let began = Instant::now();
            sleep(ONE).await;
            self.left = self.left.saturating_sub(began.elapsed());
            self.taken += began.elapsed();
        }
    }

    /// How much of the time they took.
    pub fn taken(&self) -> Duration {
        self.taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn breaths_end_where_others_would_wait_too_long() {
        let mut breath = Breath { left: ONE, ..Breath::default() };
        breath.take().await;
        let all = breath.taken();
        assert!(all >= ONE, "{all:?}");
        breath.take().await;
        assert_eq!(breath.taken(), all);
    }
}
