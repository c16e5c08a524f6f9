//! Adding credits: an operator fills the bucket that a key draws from, also beyond what its limit holds.

use super::{
    change::{self, Done},
    gate::{Gate, window_number},
    store::{
        credits::{self, Shape, TopUp},
        limits::list_levels,
    },
};
use crate::{
    accounts::Caller,
    error::{AppError, Fields},
    keys::model::{Act, KeyLimit, Level},
    platform::{Ctx, once},
    ui::number::{count, thousands},
    values::{KeyId, permission_names as may},
};
use serde::Serialize;
use uuid::Uuid;

/// What is to be added.
#[derive(Debug, Clone, Default)]
pub struct NewCredits {
    /// The name of the limit.
    pub limit: String,
    pub units: u64,
    pub reason: String,
    /// Names the request: sent again, nothing is added.
    pub once: Option<String>,
}

/// What was added, by this request or an earlier one of the same name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Credited {
    pub limit: String,
    pub units: u64,
    /// Then; what servers hold and have not used yet is not in it.
    pub left: u64,
    /// Whether all keys of the workspace draw from it.
    pub is_shared: bool,
    /// An earlier request of the same name did it.
    #[serde(skip)]
    pub was_done: bool,
}

impl Credited {
    /// "Added 500 credits. Left: 740."
    pub fn words(&self) -> String {
        let whose = if self.is_shared { ", for all keys of the workspace together" } else { "" };
        format!("Added {}{whose}. Left: {}.", count(self.units, "credit", "credits"), thousands(self.left))
    }
}

/// Adds credits to the limit of this name that holds the key. On this node they may be used at once, on others within about a second.
pub async fn add_credits(ctx: &Ctx, caller: &Caller, id: KeyId, new: NewCredits) -> Result<Credited, AppError> {
    caller.require(&may::KEYS_MANAGE)?;
    let reason = change::reason(&new.reason)?;
    let mut fields = Fields::default();
    if !(1..=KeyLimit::MAX_CALLS).contains(&new.units) {
        fields.add("units", "Write how many credits to add: 1 to 4,294,967,295.");
    }
    fields.done()?;
    let levels = list_levels(&ctx.db, id).await?;
    let (mut tx, key) = change::open(ctx, caller, id).await?;
    change::must_live(&key)?;
    let level = levels.first().map_or(0, |(level, _)| *level);
    let (limit, refill) = levels
        .into_iter()
        .filter(|(of, limit)| *of == level && limit.name == new.limit)
        .find_map(|(_, limit)| limit.window.refill().map(|refill| (limit, refill)))
        .ok_or_else(|| AppError::invalid("limit", "No limit of credits of this name holds the key. See \"Why this limit?\" of the key."))?;
    let is_shared = Level::numbered(level).is_shared();
    let (holder, now): (Uuid, _) = (if is_shared { key.workspace.uuid() } else { key.id.uuid() }, ctx.clock.now());
    let whole = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
    let top_up = TopUp {
        id: ctx.new_id(),
        holder,
        name: &limit.name,
        units: whole(new.units),
        reason: &reason,
        added_by: caller.actor().map(|account| account.uuid()),
        request_key: new.once.as_deref(),
    };
    let is_new = credits::insert_top_up(&mut tx, &top_up, now).await?;
    if let Some(request_key) = new.once.as_deref().filter(|_| !is_new)
        && credits::find_top_up(&mut tx, holder, &limit.name, request_key).await? != Some(whole(new.units))
    {
        return Err(AppError::invalid("", "This Idempotency-Key added another number of credits before. Send a new one to add more."));
    }
    let shape = Shape {
        max: whole(limit.limit),
        seconds: limit.window.stored_seconds(),
        refill: i64::from(refill.units),
        number: window_number(limit.window, ctx.clock.now_micros()).into(),
    };
    let left = credits::add_units(&mut tx, holder, &limit.name, &shape, if is_new { whole(new.units) } else { 0 }, now).await?;
    if is_new {
        let of_all = if is_shared { ", for all keys of the workspace" } else { "" };
        let detail = format!("{} to {}{of_all}", thousands(new.units), limit.name);
        let data = serde_json::json!({ "limit": limit.name, "units": new.units, "holder": holder });
        change::note(ctx, &mut tx, caller, &key, Done { reason: &reason, data, ..Done::new(Act::Credited, detail) }).await?;
    }
    once::done(ctx, &mut tx).await?;
    tx.commit().await?;
    if let Some(gate) = ctx.part::<Gate>().filter(|_| is_new) {
        gate.credits_added(id, &limit.name, new.units);
    }
    Ok(Credited { limit: limit.name, units: new.units, left: u64::try_from(left).unwrap_or(0), is_shared, was_done: !is_new })
}
