//! Where the limits of keys stand, on all nodes.

use super::gate::{self, Gate, LimitState};
use crate::{
    error::AppError,
    keys::model::{Key, KeyLimit, LimitUnit, LimitView, OverAction, Window, hold_words},
    platform::{Ctx, LocalTime},
    ui::number::thousands,
    values::KeyId,
};
use sqlx::PgExecutor;
use std::collections::HashMap;
use time::OffsetDateTime;

/// A limit at this moment; times in seconds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Live {
    pub name: String,
    pub limit: u64,
    pub used: u64,
    pub remaining: u64,
    pub reset_after: u64,
    pub window: Window,
    pub unit: LimitUnit,
    /// What becomes of calls beyond it, at this moment.
    pub over: OverAction,
}

impl Live {
    /// It is used up, and refuses; calls at the same time are of a moment only.
    pub fn holds(&self) -> bool {
        self.remaining == 0 && self.over == OverAction::Refuse && !self.window.is_concurrent()
    }
}

/// Of one key.
pub async fn live(ctx: &Ctx, key: &Key) -> Result<Vec<Live>, AppError> {
    Ok(live_of(ctx, &ctx.db, &[key]).await?.remove(&key.id).unwrap_or_default())
}

/// Of each of these keys; one that the gate does not know (yet) has used nothing.
pub async fn live_of(ctx: &Ctx, db: impl PgExecutor<'_>, keys: &[&Key]) -> Result<HashMap<KeyId, Vec<Live>>, AppError> {
    let (now, ids) = (ctx.clock.now_micros(), keys.iter().map(|key| key.id).collect::<Vec<_>>());
    let mut standings = match ctx.part::<Gate>() {
        Some(gate) => gate.standings(db, &ids, now).await?,
        None => HashMap::new(),
    };
    Ok(keys.iter().map(|key| (key.id, of_states(ctx, key, standings.remove(&key.id).unwrap_or_default(), now))).collect())
}

/// As this node alone knows it.
pub fn live_here(ctx: &Ctx, key: &Key) -> Vec<Live> {
    let now = ctx.clock.now_micros();
    let states = ctx.part::<Gate>().map(|gate| gate.limit_state(key.id, now)).unwrap_or_default();
    of_states(ctx, key, states, now)
}

fn of_states(ctx: &Ctx, key: &Key, states: Vec<LimitState>, now: i64) -> Vec<Live> {
    if !states.is_empty() {
        return states
            .into_iter()
            .map(|s| Live {
                name: s.name.to_string(),
                limit: s.limit,
                used: s.used,
                remaining: s.remaining,
                reset_after: s.reset_after,
                window: s.window,
                unit: s.unit,
                over: s.over,
            })
            .collect();
    }
    let own_or_default = if key.limits.is_empty() {
        let limits = &ctx.config.limits;
        vec![KeyLimit::new(KeyLimit::DEFAULT, limits.key_calls, Window::Seconds(limits.key_window))]
    } else {
        key.limits.clone()
    };
    own_or_default
        .into_iter()
        .map(|l| Live {
            reset_after: gate::reset_after(l.window, now),
            name: l.name,
            limit: l.limit,
            used: 0,
            remaining: l.limit,
            window: l.window,
            unit: l.unit,
            over: l.over.at(now),
        })
        .collect()
}

fn after(local: &LocalTime, seconds: u64) -> OffsetDateTime {
    local.now() + std::time::Duration::from_secs(seconds)
}

/// For the page.
pub fn views(live: Vec<Live>, local: &LocalTime) -> Vec<LimitView> {
    live.into_iter()
        .map(|l| LimitView {
            name: l.name,
            per: match l.window.hold() {
                Some(_) => format!("{} of {} {} now", thousands(l.used), thousands(l.limit), l.window.unit_words()),
                None => l.unit.unit_words(l.window),
            },
            limit: l.limit,
            used: l.used,
            remaining: l.remaining,
            resets: match (l.window.hold(), l.window.refill(), l.used, l.reset_after) {
                (Some(seconds), ..) => format!("when a call ends, each after {} at the latest", hold_words(seconds)),
                (_, Some(_), _, 0) => "when credits are added".to_owned(),
                (_, _, 0, _) => LimitView::UNUSED.to_owned(),
                (_, Some(refill), _, seconds) => format!("+{} {}", thousands(refill.units.into()), local.ahead(after(local, seconds))),
                (_, None, _, seconds) => local.ahead(after(local, seconds)),
            },
            window: l.window,
            unit: l.unit,
        })
        .collect()
}
