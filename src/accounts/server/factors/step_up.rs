//! Proof again before dangerous acts (R50).

use crate::{
    accounts::{
        model::{Caller, Via},
        server::store::factors as store,
    },
    error::AppError,
    platform::Ctx,
};
use time::Duration;

/// How old a proof may be.
pub const LASTS: Duration = Duration::minutes(10);

/// Refuses a signed-in browser whose last proof, at sign-in or by a step-up, is older than ten minutes. Keys and the command line
/// are governed by their permissions.
pub async fn require_recent_proof(ctx: &Ctx, caller: &Caller) -> Result<(), AppError> {
    match caller.via {
        Via::Key(_) | Via::Cli => Ok(()),
        Via::Session(session) => match store::is_proven_since(&ctx.db, caller.account, session, ctx.clock.now() - LASTS).await? {
            true => Ok(()),
            false => Err(AppError::StepUpNeeded),
        },
    }
}
