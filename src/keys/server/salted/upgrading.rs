//! The first use of a salted secret: it is tried, and its SHA-256 takes the place of the salted hash in one transaction, so that the next
//! call is an ordinary one on every node.

use super::tries::Of;
use crate::{
    activity::server::{Change, record},
    error::AppError,
    keys::server::{
        gate::{self, Gate, Salted},
        store::{keys, secrets},
    },
    platform::{Ctx, salted_hash::matches},
    values::{KeyId, NotNow},
};
use std::{net::IpAddr, time::Duration};
use tokio::time::timeout;

/// The database has to answer in this time.
const ANSWER: Duration = Duration::from_secs(2);

/// Makes an ordinary secret of this one, if it is a salted one at its first use. To be called before the gate is asked: one atomic load
/// where no salted secret is known. Fails where it could not be tried, with when to ask again: whether it is right is not known then.
pub async fn upgrade(ctx: &Ctx, gate: &Gate, secret: &str, address: Option<IpAddr>) -> Result<(), AppError> {
    let candidates = gate.salted(secret, address);
    // Hardly ever is there one: what tries it takes no room in every question.
    if candidates.is_empty() { Ok(()) } else { Box::pin(try_all(ctx, gate, candidates, secret, address)).await }
}

async fn try_all(ctx: &Ctx, gate: &Gate, candidates: Vec<(KeyId, Salted)>, secret: &str, address: Option<IpAddr>) -> Result<(), AppError> {
    // Of several the longest: who guesses at one key holds up no other.
    let begins = candidates.iter().map(|(_, salted)| &*salted.start).max_by_key(|start| start.len()).unwrap_or_default();
    let of = Of::new(secret, begins, address, gate.now_micros(), gate.salted_generation());
    if gate.tries().is_wrong(&of) {
        return Ok(());
    }
    let turn = gate.tries().turn(&of).await.ok_or(AppError::not_now(NotNow::Overloaded, 2))?;
    // Another call of the same secret may have been first.
    if gate.tries().is_wrong(&of) || gate.salted(secret, address).is_empty() {
        return Ok(());
    }
    let (owned, shared) = (secret.to_owned(), ctx.part::<Gate>());
    // The turn lasts as long as the work, and what is wrong is noted, whether or not the caller still waits.
    let work = move || {
        let found = candidates.into_iter().find(|(_, salted)| matches(&salted.phc, &owned));
        if let (None, Some(gate)) = (&found, shared) {
            gate.tries().note_wrong(&of);
        }
        drop(turn);
        found
    };
    match tokio::task::spawn_blocking(work).await.map_err(AppError::internal)? {
        Some((key, salted)) => match timeout(ANSWER, replace(ctx, key, &salted, &of.digest)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => {
                tracing::warn!(%key, "a salted secret at its first use could not be replaced, its call is not answered: {error}");
                Err(AppError::not_now(NotNow::DatabaseAway, 1))
            }
            Err(_) => Err(AppError::not_now(NotNow::DatabaseAway, 1)),
        },
        None => Ok(()),
    }
}

async fn replace(ctx: &Ctx, key: KeyId, salted: &Salted, hash: &[u8; 32]) -> Result<(), AppError> {
    let mut tx = ctx.db.begin().await?;
    if secrets::replace_salted(&mut tx, key, salted.id, hash).await?
        && let Some(key) = keys::find_key(&mut tx, None, key).await?
    {
        let data = serde_json::json!({ "name": key.name, "start": salted.start });
        let change =
            Change { kind: "key.upgraded", workspace: Some(key.workspace), actor_name: "system", subject: Some(key.id.uuid()), data, ..Change::default() };
        record(ctx, &mut tx, change).await?;
    }
    tx.commit().await?;
    if gate::refreshed(ctx, &[key]).await { Ok(()) } else { Err(AppError::not_now(NotNow::DatabaseAway, 1)) }
}
