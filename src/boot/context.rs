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
        crypto::Rng,
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

/// Opens the master key (made on the first start) and joins the parts.
pub fn context(config: Arc<Config>, db: PgPool) -> Result<Ctx, ContextError> {
    let rng = Rng::system();
    let vault = master_key::open(&config, &rng)?;
    let mailer = Mailer::from_config(&config)?;
    let passwords = Passwords::new(&config.auth, &vault, &rng)?;
    Ok(Ctx::new(db, Clock::system(), rng, vault, mailer, config).with(Arc::new(passwords)))
}
