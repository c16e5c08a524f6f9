//! The gate: may this call pass? Answered from memory, without database work.
//!
//! The key table is loaded at start (`table`), kept current by NOTIFY with a poll behind it (`sync`), answers only as long as it can be
//! relied upon (`contact`), and every answer is decided in one place (`verify`): checksum, one hash probe, constant-time comparison, then
//! the checks (`checks`) with the route that the call is (`routing`) and those that the key may call (`allowed`), then limits. Limits are
//! counters beside the record (`limit`); what was decided is counted by the meter.
//!
//! Which limits hold a key is decided once for all keys of the same terms (`levels`, `Level`): the first of key, its plan, its workspace, the
//! workspace's group, the workspace's plan, the group's plan and API that has any, else the default. A change of one reaches all keys below
//! at once. Those of a workspace, also by its group, are counted for all its keys together (`shared`). Limits are exact: a node that is
//! alone counts them itself, several share them by leases of Postgres (`leases`). Most limits are windows; some roll (`rolling`), some are
//! credits that come back (`credits`), some are places for calls at the same time (`seats`). A call is charged to all its limits or to none
//! (`charging`).
//!
//! What pages show of limits is read (`shown`): beside other nodes this one knows a part of it only.
//!
//! What is blocked (`blocked`) is looked at before the key; what looks like abuse is counted beside the answer (`watch`).

mod allowed;
mod apis;
mod blocked;
mod blocking;
mod charging;
mod checks;
mod contact;
mod credits;
mod digests;
mod explain;
mod facts;
mod few;
mod finding;
mod label;
mod leases;
mod levels;
mod limit;
mod local;
mod owner;
mod passing;
mod path;
mod policies;
mod record;
mod refusing;
mod renewal;
mod resume;
mod rolling;
mod routing;
mod seats;
mod shared;
mod sharing;
mod shown;
mod store;
mod strangers;
mod sync;
mod table;
mod verify;
mod waits;
mod watch;
mod window;

pub use apis::ApiFacts;
pub use blocked::Target;
pub use checks::Check;
pub use contact::{Contact, Stopped};
pub use explain::{Trial, TrialLimit, TrialRoute, Verdict};
pub use facts::{Allowance, Home, KeyFacts, Rights, Salted, Standing};
pub use leases::{LeftDebtsError, Unleased, Wanted, forget_old as forget_old_leases, write_left_debts};
pub use limit::LimitState;
pub use local::is_known as is_known_zone;
pub use routing::{Fallback, check as check_routes, fallbacks as route_fallbacks};
pub use seats::Hold;
pub use shown::Standings;
pub use sync::Sync;
pub use verify::{Answer, Question};
pub use watch::{Places, Suspicion, Watch};
pub use window::{length as window_length, number as window_number, reset_after};

use super::{
    meter::{Meter, Spool},
    salted::Tries,
    signing::Nonces,
};
use crate::{
    keys::model::{Level, LimitUnit, Over, Window},
    platform::{Ctx, clock::Clock, crypto::Vault},
    values::{ApiId, KeyId, WorkspaceId},
};
use apis::Apis;
use arc_swap::ArcSwap;
use blocked::Blocked;
use label::Labels;
use leases::Leases;
use levels::Given;
use limit::{Limit, Limits, Policy};
use policies::Policies;
use renewal::Renewal;
use resume::Begun;
use seats::Tags;
use sharing::Sharing;
use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use table::Table;
use uuid::Uuid;

/// The gate of this node. A part of the context: `ctx.part::<Gate>()`.
pub struct Gate {
    table: Table,
    apis: ArcSwap<Apis>,
    meter: Meter,
    labels: Labels,
    nonces: Nonces,
    /// Opens the secrets that signatures are checked with.
    vault: Vault,
    policies: Policies,
    sharing: Mutex<Sharing>,
    blocked: Blocked,
    watch: Watch,
    tries: Tries,
    leases: Leases,
    tags: Tags,
    renewal: Renewal,
    /// Held by whoever resumes what begun.
    resuming: tokio::sync::Mutex<()>,
    clock: Clock,
    /// So long usage is kept by the minute.
    minutes_kept: Duration,
    is_loaded: AtomicBool,
    contact: Contact,
    /// Held by whoever reads keys into the table.
    reading: tokio::sync::Mutex<()>,
}

impl Gate {
    /// An empty gate; `Sync::start` fills it. What it counts is kept in the spool too, if there is one.
    pub fn new(ctx: &Ctx, spool: Option<Spool>) -> Arc<Self> {
        let limits = &ctx.config.limits;
        let (max, window) = (limits.key_calls, Window::Seconds(limits.key_window));
        // What a key may do that no level limits: of its plan none is known.
        let default: Limits = Arc::new([Arc::new(Policy { name: "default".into(), max, window, unit: LimitUnit::Units, over: Over::REFUSE })]);
        let (nonces, leases) = (Nonces::new(spool.as_ref().map(Spool::nonces)), Leases::default());
        if let Some(spool) = &spool {
            leases.keep_debts_in(spool.folder());
        }
        Arc::new(Self {
            table: Table::default(),
            apis: ArcSwap::default(),
            meter: if ctx.config.usage.metering { Meter::new(ctx.new_id(), spool) } else { Meter::off() },
            labels: Labels::default(),
            nonces,
            vault: ctx.vault.clone(),
            policies: Policies::default(),
            sharing: Mutex::new(Sharing::new(default)),
            blocked: Blocked::new(&ctx.config.server.trusted_proxies),
            watch: Watch::default(),
            tries: Tries::default(),
            leases,
            tags: Tags::new(&ctx.rng),
            renewal: Renewal::default(),
            resuming: tokio::sync::Mutex::default(),
            clock: ctx.clock.clone(),
            minutes_kept: ctx.config.retention.minutes,
            is_loaded: AtomicBool::new(false),
            contact: Contact::new(ctx.config.database.outage),
            reading: tokio::sync::Mutex::default(),
        })
    }

    /// One that knows the APIs, what is blocked and this key alone, for a process that answers no calls. It counts from nothing.
    pub async fn of_one(ctx: &Ctx, key: KeyId) -> sqlx::Result<Arc<Self>> {
        let gate = Self::new(ctx, None);
        sync::refresh_apis(&gate, &ctx.db).await?;
        sync::refresh_blocks(&gate, &ctx.db).await?;
        sync::refresh(&gate, &ctx.db, &[key]).await?;
        Ok(gate)
    }

    /// Whether it may answer now: to be asked before every question from outside.
    pub fn contact(&self) -> &Contact {
        &self.contact
    }

    pub fn meter(&self) -> &Meter {
        &self.meter
    }

    /// Signatures that were used.
    pub fn nonces(&self) -> &Nonces {
        &self.nonces
    }

    /// How often salted secrets are tried.
    pub fn tries(&self) -> &Tries {
        &self.tries
    }

    /// Changes whenever salted secrets come or go.
    pub fn salted_generation(&self) -> u64 {
        self.table.salted_generation()
    }

    /// The gate's clock, in microseconds since 1970.
    pub fn now_micros(&self) -> i64 {
        self.clock.now_micros()
    }

    /// Whether calls of this key must be signed.
    pub fn must_sign(&self, key: KeyId) -> bool {
        self.table.by_id(key).is_some_and(|record| record.facts.signer().is_some())
    }

    /// Whether an active key of this API names the origin of a page.
    pub fn names_origin(&self, api: ApiId, origin: &str) -> bool {
        self.table.names_origin(api, origin)
    }

    /// The API of this slug, if there is one.
    pub fn api(&self, slug: &str) -> Option<ApiFacts> {
        self.apis.load().of_slug(slug)
    }

    /// True if the path of a call of this API matters: it has routes, or refuses what matches none.
    pub fn has_routes(&self, api: ApiId) -> bool {
        self.apis.load().has_routes(api)
    }

    /// True if the API that is asked about has routes, and what is said to be called is neither `METHOD /path` nor a name of the service's own.
    pub fn misreads(&self, question: &Question<'_>) -> bool {
        let api = || question.api.or_else(|| self.look_up(question.secret).ok().map(|(record, _)| record.facts.home.api));
        path::is_malformed(question.route) && api().is_some_and(|api| self.has_routes(api))
    }

    fn leases(&self) -> &Leases {
        &self.leases
    }

    /// True while this node counts limits by itself: no other one answers.
    pub fn counts_alone(&self) -> bool {
        self.leases.is_alone()
    }

    /// Forgets what the table of leases last said is left of limits: the next call that finds too little here asks it and waits, as one
    /// does anyway after a second. For tests, which need not wait for that second.
    pub fn forget_what_is_left(&self) {
        self.table.each_counted(|_, counted| {
            for limit in counted.limits.iter().flat_map(Limit::counted) {
                if let Some(lease) = limit.counter.lease().as_deref_mut() {
                    lease.forget_left();
                }
            }
        });
    }

    fn sharing(&self) -> MutexGuard<'_, Sharing> {
        self.sharing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// These, or equal ones that other keys have.
    fn shared(&self, home: Home, rights: Rights) -> (Arc<Home>, Arc<Rights>) {
        let mut sharing = self.sharing();
        (sharing.homes.of(home), sharing.rights.of(rights))
    }

    /// Plans, groups, workspaces and APIs give this from now on, all keys at once.
    fn learn(&self, news: Vec<(Uuid, Option<Given>)>) {
        let change = self.sharing().levels.change(news);
        self.renewal.note(change);
    }

    fn begun(&self) -> MutexGuard<'_, Begun> {
        self.table.begun()
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

    /// How many different limits plans, groups, workspaces and APIs give: kept once for all keys.
    pub fn shared_limits(&self) -> usize {
        self.policies.len()
    }

    /// Where the limits of a key come from; none for a key it does not know.
    pub fn level(&self, key: KeyId) -> Option<Level> {
        self.table.by_id(key).map(|record| record.facts.allowance.level)
    }

    /// Where a key stands against its limits at this moment, as far as this node knows; empty for a key it does not know. What is shown of it is
    /// asked of `standings`.
    pub fn limit_state(&self, key: KeyId, now_micros: i64) -> Vec<LimitState> {
        self.table.by_id(key).map(|record| record.limit_states(now_micros)).unwrap_or_default()
    }

    /// Where the limits stand that the keys of a workspace share, as far as this node knows; empty where they share none. What is shown of it is
    /// asked of `shared_standings`.
    pub fn shared_state(&self, workspace: WorkspaceId, now_micros: i64) -> Vec<LimitState> {
        let counted = self.table.groups.find(workspace).and_then(|group| group.present());
        counted.map(|counted| counted.states(now_micros)).unwrap_or_default()
    }
}

/// For so long a change waits for its own gate; then for the follower, as for the other nodes.
const REFRESH: Duration = Duration::from_secs(2);

/// Brings this node's gate up to date with keys after a commit; other nodes hear by NOTIFY. False if it could not, or if this process
/// has no gate: the follower catches up within a second.
pub async fn refreshed(ctx: &Ctx, keys: &[KeyId]) -> bool {
    let Some(gate) = ctx.part::<Gate>() else { return false };
    match tokio::time::timeout(REFRESH, sync::refresh(&gate, &ctx.db, keys)).await {
        Ok(Ok(())) => true,
        Ok(Err(error)) => {
            tracing::warn!(?keys, "the gate could not read changed keys, its follower will: {error}");
            false
        }
        Err(_) => {
            tracing::warn!(?keys, "the gate could not read changed keys in time, its follower will");
            false
        }
    }
}

/// Brings this node's gate up to date with the APIs after a commit, as `refreshed` does with a key. False if it could not.
pub async fn apis_refreshed(ctx: &Ctx) -> bool {
    let Some(gate) = ctx.part::<Gate>() else { return false };
    match tokio::time::timeout(REFRESH, sync::refresh_apis(&gate, &ctx.db)).await {
        Ok(Ok(())) => true,
        Ok(Err(error)) => {
            tracing::warn!("the gate could not read the changed APIs, its follower will: {error}");
            false
        }
        Err(_) => {
            tracing::warn!("the gate could not read the changed APIs in time, its follower will");
            false
        }
    }
}

/// Brings this node's gate up to date with what is blocked after a commit, as `refreshed` does with keys. False if it could not.
pub async fn blocks_refreshed(ctx: &Ctx) -> bool {
    let Some(gate) = ctx.part::<Gate>() else { return false };
    match tokio::time::timeout(REFRESH, sync::refresh_blocks(&gate, &ctx.db)).await {
        Ok(Ok(())) => true,
        Ok(Err(error)) => {
            tracing::warn!("the gate could not read what is blocked, its follower will: {error}");
            false
        }
        Err(_) => {
            tracing::warn!("the gate could not read what is blocked in time, its follower will");
            false
        }
    }
}

/// Brings this node's gate up to date with the keys that these plans, workspaces or APIs hold, after a commit that changed their limits; or
/// with those that hold these bundles. False if it could not.
pub async fn limits_changed(ctx: &Ctx, holders: &[Uuid]) -> bool {
    let Some(gate) = ctx.part::<Gate>() else { return false };
    match tokio::time::timeout(REFRESH, sync::refresh_held(&gate, &ctx.db, holders)).await {
        Ok(Ok(resuming)) => {
            // They hold already. What was used before is added to limits that are new; of very many keys that goes on by itself.
            let _ = tokio::time::timeout(REFRESH, sync::resumed(resuming)).await;
            true
        }
        Ok(Err(error)) => {
            tracing::warn!(?holders, "the gate could not read the keys of changed limits, its follower will: {error}");
            false
        }
        Err(_) => {
            tracing::warn!(?holders, "the gate could not read the keys of changed limits in time, its follower will");
            false
        }
    }
}
