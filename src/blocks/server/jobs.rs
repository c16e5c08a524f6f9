//! Work on blocks by the clock. Nothing here ends a block: it ends by itself.

use super::forget_old_blocks;
use crate::platform::{
    Ctx,
    jobs::{Job, JobError, Registry},
};
use serde::{Deserialize, Serialize};

/// Nightly: blocks that ended 30 days ago.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct ForgetOldBlocks {}

impl Job for ForgetOldBlocks {
    const KIND: &'static str = "blocks.forget_old";

    async fn run(self, ctx: &Ctx) -> Result<(), JobError> {
        let gone = forget_old_blocks(ctx).await?;
        tracing::info!(gone, "forgot old blocks");
        Ok(())
    }
}

/// The jobs of blocks, for the registry of the process.
#[must_use]
pub fn register(registry: Registry) -> Registry {
    registry.register::<ForgetOldBlocks>()
}
