//! The gate: may this call pass? Answered from memory, without database work.
//!
//! The key table is loaded at start (`table`), kept current by NOTIFY with a poll behind it (`sync`), and every answer is decided
//! in one place (`verify`): checksum, one hash probe, constant-time comparison, state, API, permission, limits. Limits are counters
//! beside the record (`limit`); what was decided is counted by the meter.
//!
//! One node's limits are exact; several nodes count each for itself until quota leases come.

mod limit;
mod record;
mod route;
mod store;
mod sync;
mod table;
mod verify;

pub use limit::LimitState;
pub use record::{KeyFacts, Standing};
pub use sync::Sync;
pub use verify::{Answer, Question};

use super::meter::{Meter, Spool};
use crate::{
    platform::{Ctx, clock::Clock},
    values::{ApiId, KeyId},
};
use arc_swap::ArcSwap;
use limit::Policy;
use route::Routes;
use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};
use table::Table;

/// An API as the gate knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiFacts {
    pub id: ApiId,
    pub slug: Arc<str>,
}

/// The gate of this node. A part of the context: `ctx.part::<Gate>()`.
pub struct Gate {
    table: Table,
    apis: ArcSwap<HashMap<Box<str>, ApiFacts>>,
    meter: Meter,
    routes: Routes,
    clock: Clock,
    /// What a key may do that has no limit of its own.
    default: Policy,
    is_loaded: AtomicBool,
}

impl Gate {
    /// An empty gate; `Sync::start` fills it. What it counts is kept in the spool too, if there is one.
    pub fn new(ctx: &Ctx, spool: Option<Spool>) -> Arc<Self> {
        let limits = &ctx.config.limits;
        Arc::new(Self {
            table: Table::default(),
            apis: ArcSwap::default(),
            meter: Meter::new(ctx.new_id(), spool),
            routes: Routes::default(),
            clock: ctx.clock.clone(),
            default: Policy { name: "default".into(), max: limits.key_calls, window: limits.key_window },
            is_loaded: AtomicBool::new(false),
        })
    }

    pub fn meter(&self) -> &Meter {
        &self.meter
    }

    /// The API of this slug, if there is one.
    pub fn api(&self, slug: &str) -> Option<ApiFacts> {
        self.apis.load().get(slug).cloned()
    }

    /// How many keys it knows.
    pub fn len(&self) -> usize {
        self.table.len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// True once the key table was loaded whole.
    pub fn is_loaded(&self) -> bool {
        self.is_loaded.load(Ordering::Acquire)
    }

    /// Where a key stands against its limits at this moment; empty for a key it does not know.
    pub fn limit_state(&self, key: KeyId, now_micros: i64) -> Vec<LimitState> {
        self.table.by_id(key).map(|record| record.limit_states(now_micros)).unwrap_or_default()
    }
}

/// Brings this node's gate up to date with one key after a commit; other nodes hear by NOTIFY. A failure is only logged: the poll
/// catches up within a second.
pub async fn refreshed(ctx: &Ctx, key: KeyId) {
    if let Some(gate) = ctx.part::<Gate>()
        && let Err(error) = sync::refresh(&gate, &ctx.db, &[key]).await
    {
        tracing::warn!(%key, "the gate could not read a changed key, the poll will: {error}");
    }
}
