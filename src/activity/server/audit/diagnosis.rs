//! What happened to a link that is not the one that has to stand here. Only asked once, so it may take its time.

use super::{
    entry::{Kind, Link, key_ids},
    store,
    verifying::{Break, Fault, at},
};
use crate::{error::AppError, platform::Ctx, values::EventId};

/// Links that claim to come after the same one; more than one is somebody's doing.
const FEW: i64 = 10;

/// `number` and `previous` are what has to come; `link` is what came.
pub(super) async fn diagnose(ctx: &Ctx, number: i64, previous: &[u8], link: &Link) -> Result<Break, AppError> {
    let event = (link.entry.kind != Kind::Start).then(|| EventId::new(link.entry.event));
    let ours = key_ids(&ctx.vault);
    // Somebody may have edited no more than the name of the key.
    let is_renamed = || ours.iter().any(|key| Link { key: key.clone(), ..link.clone() }.is_made_for(&ctx.vault, link.number));
    if !ours.contains(&link.key) && !is_renamed() {
        let words = format!("Entry {} was made with the master key {}, and {} is here.", link.number, link.key, ours.join(", "));
        return Ok(at(Fault::WrongKey, link.number, event, words));
    }
    let successors = store::list_successors(&ctx.db, previous, FEW).await?;
    let rightful = successors.iter().find(|other| other.is_made_for(&ctx.vault, number));
    let moved_from = made_for(ctx, link).await?;
    let found = match (rightful, moved_from) {
        (Some(other), Some(from)) if from == number => {
            at(Fault::Reordered, number, event, format!("Entries were reordered: entry {number} stands at {}.", other.number))
        }
        (Some(other), Some(from)) => {
            let words = format!("Entries were reordered: entry {from} stands where {number} has to, and entry {number} stands at {}.", other.number);
            at(Fault::Reordered, number, event, words)
        }
        (Some(other), None) if other.number != link.number => {
            let words = format!("Entry {} was inserted: it was not made with the key. The rightful entry {number} stands at {}.", link.number, other.number);
            at(Fault::Inserted, link.number, event, words)
        }
        (None, Some(from)) if from == number => {
            let words = format!("Entry {number} continues another entry {} than the one here: that one was removed and others put in its place.", number - 1);
            at(Fault::Removed, number - 1, None, words)
        }
        (None, Some(_)) => at(Fault::Removed, number, None, format!("Entry {number} was removed.")),
        (_, None) => at(Fault::Edited, number, event, format!("Entry {number} was edited: it is not what was made with the key.")),
    };
    Ok(found)
}

/// The place that a link was made for; none if it was made by nobody with the key.
async fn made_for(ctx: &Ctx, link: &Link) -> Result<Option<i64>, AppError> {
    if link.is_made_for(&ctx.vault, link.number) {
        return Ok(Some(link.number));
    }
    let last = store::find_head(&ctx.db).await?.map_or(0, |(head, _)| head.number);
    // A thousand past the end: somebody may have closed a gap.
    let (vault, link) = (ctx.vault.clone(), link.clone());
    let search = move || (1..=last.saturating_add(1_000)).find(|number| link.is_made_for(&vault, *number));
    tokio::task::spawn_blocking(search).await.map_err(AppError::internal)
}
