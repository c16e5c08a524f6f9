//! Waiting, after a commit, until every live node has applied a change.
//!
//! A server waits on what its follower hears: no connection is held, nothing is asked again. A command beside the servers asks the
//! table. Alone, there is nobody to wait for.

use super::{Members, Nodes, RELIABLE, members::Round, store};
use crate::{
    keys::{model::Spread, server::gate},
    platform::{Ctx, clock::steady_millis},
    values::{AccountId, ApiId, KeyId, NodeId},
};
use sqlx::PgPool;
use std::time::Duration;
use tokio::{
    sync::watch,
    time::{Instant, timeout_at},
};
use uuid::Uuid;

/// A node that has not confirmed within this time is named.
const WAIT: Duration = Duration::from_secs(2);

/// How long a change is waited for.
#[derive(Debug, Clone, Copy)]
struct Wait {
    /// The beginning of the commit, from which on it is told how long it took.
    since: Instant,
    /// `WAIT` after the commit: before its end no node can know, however long it took. Who is named answers from what it knew no longer
    /// (`gate::contact`).
    until: Instant,
}

impl Wait {
    /// Its commit has just ended.
    fn of(since: Instant) -> Self {
        Self { since, until: Instant::now() + WAIT }
    }
}

/// How often a process that is no node looks.
const LOOK: Duration = Duration::from_millis(25);
/// No node has seen it: for a change of which not even its transaction could be read. All are named, two seconds after it as ever.
const UNKNOWN: u64 = u64::MAX;

/// Applies committed changes of these keys here, then waits for the other nodes, at most two seconds from now; `since` is the beginning of
/// the commit. Never fails: the change is made, and what is not known is told as missing.
pub async fn spread(ctx: &Ctx, keys: &[KeyId], since: Instant) -> Spread {
    let wait = Wait::of(since);
    let is_applied = gate::refreshed(ctx, keys).await;
    confirmed(ctx, is_applied, wait, store::last_change(&ctx.db, keys)).await
}

/// The same for blocks and the rules that make them.
pub async fn spread_of_blocks(ctx: &Ctx, since: Instant) -> Spread {
    let wait = Wait::of(since);
    let is_applied = gate::blocks_refreshed(ctx).await;
    confirmed(ctx, is_applied, wait, store::last_block_change(&ctx.db)).await
}

/// The same for the keys that hold these bundles, which give something else since.
pub async fn spread_of_holders(ctx: &Ctx, holders: &[Uuid], since: Instant) -> Spread {
    of_holders(ctx, holders, Wait::of(since)).await
}

/// The same of a change that the operation which began at `since` has waited for already: whoever is missing is not waited for once more.
pub async fn spread_of_holders_again(ctx: &Ctx, holders: &[Uuid], since: Instant) -> Spread {
    of_holders(ctx, holders, Wait { since, until: since + WAIT }).await
}

async fn of_holders(ctx: &Ctx, holders: &[Uuid], wait: Wait) -> Spread {
    let is_applied = gate::limits_changed(ctx, holders).await;
    confirmed(ctx, is_applied, wait, store::last_holder_change(&ctx.db, holders)).await
}

/// The same for an API: what its routes need, and what becomes of calls that match none.
pub async fn spread_of_api(ctx: &Ctx, api: ApiId, since: Instant) -> Spread {
    let wait = Wait::of(since);
    let is_applied = gate::apis_refreshed(ctx).await;
    confirmed(ctx, is_applied, wait, store::last_api_change(&ctx.db, api)).await
}

/// The same for an API of which other permissions need a grant than before. What is withheld stands beside the limits of its keys: this node has
/// read both, or has not confirmed it; of the others who has read one has read the other, which is of the same transaction.
pub async fn spread_of_marks(ctx: &Ctx, api: ApiId, since: Instant) -> Spread {
    let wait = Wait::of(since);
    let is_known = gate::apis_refreshed(ctx).await;
    let is_withheld = gate::limits_changed(ctx, &[api.uuid()]).await;
    confirmed(ctx, is_known && is_withheld, wait, store::last_holder_change(&ctx.db, &[api.uuid()])).await
}

/// Waits until the other nodes have the transaction that `last_change` tells.
async fn confirmed(ctx: &Ctx, is_applied: bool, wait: Wait, last_change: impl Future<Output = sqlx::Result<Option<u64>>>) -> Spread {
    let nodes = ctx.part::<Nodes>();
    if let Some(nodes) = nodes.as_deref().filter(|nodes| is_applied && nodes.is_alone()) {
        return nodes.round(UNKNOWN, true).spread(wait.since.elapsed());
    }
    let change = match last_change.await {
        Ok(change) => change.unwrap_or(0),
        Err(error) => {
            tracing::warn!("a change was made, but how far it has got is not known: {error}");
            UNKNOWN
        }
    };
    match nodes {
        Some(nodes) => nodes.wait(change, is_applied, wait, &ctx.db).await,
        None => ask(&ctx.db, change, None, wait).await,
    }
}

/// The same for every key of an account's workspace, which was disabled or enabled a moment ago.
pub async fn spread_of_account(ctx: &Ctx, account: AccountId) -> Spread {
    spread_of_accounts(ctx, &[account]).await
}

/// The same for many accounts at once: waited for together.
pub async fn spread_of_accounts(ctx: &Ctx, accounts: &[AccountId]) -> Spread {
    let since = Instant::now();
    match store::keys_of_accounts(&ctx.db, accounts).await {
        Ok(keys) => spread(ctx, &keys, since).await,
        Err(error) => {
            tracing::warn!(?accounts, "the keys of accounts could not be listed, every node is named: {error}");
            confirmed(ctx, false, Wait::of(since), async { Ok(Some(UNKNOWN)) }).await
        }
    }
}

impl Nodes {
    fn round(&self, change: u64, is_applied: bool) -> Round {
        self.members.borrow().round(change, is_applied.then_some(self.me), steady_millis())
    }

    /// Waits on what the follower hears.
    async fn wait(&self, change: u64, is_applied: bool, wait: Wait, db: &PgPool) -> Spread {
        if steady_millis().saturating_sub(self.members.borrow().read_at) > RELIABLE {
            // The follower is not in contact, so who is there is not known from it.
            return ask(db, change, is_applied.then_some(self.me), wait).await;
        }
        until_known(self.members.subscribe(), change, is_applied.then_some(self.me), wait).await
    }
}

/// Looks again at whatever is told, until nobody is awaited or the time is over.
async fn until_known(mut told: watch::Receiver<Members>, change: u64, applied: Option<NodeId>, wait: Wait) -> Spread {
    loop {
        let round = told.borrow_and_update().round(change, applied, steady_millis());
        if !round.awaits() || Instant::now() >= wait.until {
            return round.spread(wait.since.elapsed());
        }
        // Too late is seen above, and nobody tells any more only when the process ends.
        if let Ok(Err(_)) = timeout_at(wait.until, told.changed()).await {
            return round.spread(wait.since.elapsed());
        }
    }
}

/// Asks the table until nobody is awaited or the time is over.
async fn ask(db: &PgPool, change: u64, applied: Option<NodeId>, wait: Wait) -> Spread {
    loop {
        let members = match store::list(db).await {
            Ok(members) => members,
            Err(error) => {
                tracing::warn!("the nodes could not be listed: {error}");
                return Spread::default();
            }
        };
        let round = members.round(change, applied, steady_millis());
        if !round.awaits() || Instant::now() >= wait.until {
            return round.spread(wait.since.elapsed());
        }
        tokio::time::sleep(LOOK).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::server::nodes::members::tests::{id, members};

    fn told(given: &[(u64, &str)]) -> watch::Sender<Members> {
        watch::Sender::new(Members { read_at: steady_millis(), ..members(given) })
    }

    #[tokio::test]
    async fn it_ends_with_the_last_confirmation() {
        let nodes = told(&[(0, "7:7:"), (0, "7:7:"), (0, "7:7:")]);
        let waiting = tokio::spawn(until_known(nodes.subscribe(), 7, Some(id(1)), Wait::of(Instant::now())));
        for node in [2, 3] {
            tokio::task::yield_now().await;
            assert!(!waiting.is_finished());
            nodes.send_if_modified(|members| members.told(id(node), "8:8:".parse().expect("a snapshot")));
        }
        let spread = waiting.await.expect("it ends");
        assert_eq!((spread.nodes, spread.confirmed, spread.is_whole()), (3, 3, true));
        assert!(spread.milliseconds < 2_000);
    }

    #[tokio::test]
    async fn it_waits_two_seconds_and_names_who_is_missing() {
        for change in [7, UNKNOWN] {
            let nodes = told(&[(0, "7:7:"), (0, "7:7:")]);
            let spread = until_known(nodes.subscribe(), change, Some(id(1)), Wait::of(Instant::now())).await;
            assert_eq!((spread.nodes, spread.confirmed, spread.milliseconds / 1_000), (2, 1, 2));
            assert_eq!((spread.missing[0].name.as_str(), spread.missing[0].silent_for), ("node-2", 2));
        }
    }

    #[tokio::test]
    async fn a_commit_that_takes_its_time_takes_none_of_the_two_seconds() {
        let (nodes, committed) = (told(&[(0, "7:7:"), (0, "7:7:")]), Instant::now());
        let wait = Wait::of(committed.checked_sub(Duration::from_millis(1_500)).expect("the machine runs for longer"));
        let spread = until_known(nodes.subscribe(), 7, Some(id(1)), wait).await;
        assert!(committed.elapsed() >= WAIT, "node-2 may answer from what it knew before: {:?}", committed.elapsed());
        assert_eq!((spread.missing.len(), spread.milliseconds / 500), (1, 7), "and it is told how long it took in all");
    }

    #[tokio::test]
    async fn nobody_is_waited_for_who_can_not_confirm() {
        for given in [&[(0, "7:7:")][..], &[(0, "7:7:"), (20_000, "7:7:")], &[(0, "8:8:"), (0, "8:8:")], &[]] {
            let spread = until_known(told(given).subscribe(), 7, Some(id(1)), Wait::of(Instant::now())).await;
            assert!(spread.milliseconds < 1_000, "{given:?}");
        }
    }
}
