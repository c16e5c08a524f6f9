//! The context that the server, a worker and every command work with, made from the configuration and a pool.

use crate::{
    accounts::server::Passwords,
    platform::{
        Ctx,
        clock::Clock,
        config::{
            Config,
            master_key::{self, MasterKeyError},
        },
        crypto::{Rng, Vault},
        key_ring,
        mail::{Mailer, MailerError},
    },
};
use sqlx::PgPool;
use std::sync::Arc;

/// Why there is no context.
#[derive(Debug, thiserror::Error)]
pub enum ContextError {
    #[error(transparent)]
    MasterKey(#[from] MasterKeyError),
    #[error(transparent)]
    Mailer(#[from] MailerError),
    #[error("Argon2 does not take these parameters: {0}")]
    Argon2(#[from] argon2::Error),
}

/// Opens the master keys (one is made on the first start), of which none may be missing that the database knows, and joins the parts. The
/// schema is there.
pub async fn context(config: Arc<Config>, db: PgPool) -> Result<Ctx, ContextError> {
    let vault = key_ring::open(&config, &Rng::system(), &db, Clock::system().now()).await?;
    joined(config, db, vault)
}

/// The same with the master keys that are here: for who says that another one is lost.
pub fn context_of_keys_here(config: Arc<Config>, db: PgPool) -> Result<Ctx, ContextError> {
    let vault = master_key::check(&config)?;
    joined(config, db, vault)
}

fn joined(config: Arc<Config>, db: PgPool, vault: Vault) -> Result<Ctx, ContextError> {
    let rng = Rng::system();
    let mailer = Mailer::from_config(&config)?;
    let passwords = Passwords::new(&config.auth, &vault, &rng)?;
    Ok(Ctx::new(db, Clock::system(), rng, vault, mailer, config).with(Arc::new(passwords)))
}
