//! The context that the server, a worker and every command work with, made from the configuration and a pool.

use crate::platform::{
    Ctx,
    clock::Clock,
    config::{Config, master_key::{self, MasterKeyError}},
    crypto::Rng,
    mail::Mailer,
};
use sqlx::PgPool;
use std::sync::Arc;

/// Opens the master key (made on the first start) and joins the parts.
pub fn context(config: Arc<Config>, db: PgPool) -> Result<Ctx, MasterKeyError> {
    let rng = Rng::system();
    let vault = master_key::open(&config, &rng)?;
    Ok(Ctx::new(db, Clock::system(), rng, vault, Mailer::default(), config))
}
