//! Everything an operation may touch, in one argument. Cheap to clone.
//!
//! A feature that keeps something in memory (the gate's key table) hangs it here by its type at start-up
//! (`Ctx::with`), so that the platform need not know it.

use super::{
    clock::Clock,
    config::Config,
    crypto::{Rng, Vault},
    mail::Mailer,
};
use sqlx::PgPool;
use std::{
    any::{Any, TypeId},
    collections::HashMap,
    sync::Arc,
};
use time::OffsetDateTime;
use uuid::Uuid;

#[derive(Clone)]
pub struct Ctx {
    pub db: PgPool,
    pub clock: Clock,
    pub rng: Rng,
    pub vault: Vault,
    pub mail: Mailer,
    pub config: Arc<Config>,
    /// When this process began.
    pub started_at: OffsetDateTime,
    parts: Arc<HashMap<TypeId, Arc<dyn Any + Send + Sync>>>,
}

impl Ctx {
    pub fn new(db: PgPool, clock: Clock, rng: Rng, vault: Vault, mail: Mailer, config: Arc<Config>) -> Self {
        let started_at = clock.now();
        Self { db, clock, rng, vault, mail, config, started_at, parts: Arc::default() }
    }

    /// Adds a part that a feature keeps in memory. At start-up only.
    #[must_use]
    pub fn with<T: Any + Send + Sync>(mut self, part: Arc<T>) -> Self {
        let mut parts = (*self.parts).clone();
        parts.insert(TypeId::of::<T>(), part);
        self.parts = Arc::new(parts);
        self
    }

    /// The part of this type, if start-up added it.
    pub fn part<T: Any + Send + Sync>(&self) -> Option<Arc<T>> {
        self.parts.get(&TypeId::of::<T>()).and_then(|part| Arc::clone(part).downcast().ok())
    }

    /// A new id: UUIDv7 (RFC 9562 §5.7) of the clock's instant, the rest random. Ids sort by age.
    pub fn new_id<T: From<Uuid>>(&self) -> T {
        let millis = u64::try_from(self.clock.now_micros() / 1000).unwrap_or(0);
        uuid::Builder::from_unix_timestamp_millis(millis, &self.rng.bytes()).into_uuid().into()
    }
}
