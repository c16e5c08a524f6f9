//! Work on blocks by the clock, and mails of what rules found. Nothing here ends a block: it ends by itself.

use super::{
    forget_old_blocks,
    telling::{send_findings, tell_operators},
};
use crate::{
    platform::{
        Ctx,
        jobs::{Job, JobError, Registry, say},
    },
    values::AccountId,
};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

/// Nightly: blocks that ended 30 days ago.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct ForgetOldBlocks {}

/// Each minute: what rules found and operators are to hear of.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct TellOperators {}

/// What was told to one operator at this instant.
#[derive(Debug, Serialize, Deserialize)]
pub struct MailFindings {
    pub account: AccountId,
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
}

impl Job for TellOperators {
    const KIND: &'static str = "blocks.tell_operators";
    /// The next minute looks again.
    const MAX_ATTEMPTS: u32 = 2;

    async fn run(self, ctx: &Ctx) -> Result<(), JobError> {
        tell_operators(ctx).await?;
        Ok(())
    }
}

impl Job for MailFindings {
    const KIND: &'static str = "blocks.mail_findings";

    async fn run(self, ctx: &Ctx) -> Result<(), JobError> {
        send_findings(ctx, self.account, self.at).await
    }
}

impl Job for ForgetOldBlocks {
    const KIND: &'static str = "blocks.forget_old";

    async fn run(self, ctx: &Ctx) -> Result<(), JobError> {
        let gone = forget_old_blocks(ctx).await?;
        tracing::info!(gone, "forgot old blocks");
        say(format!("Old blocks removed: {gone}."));
        Ok(())
    }
}

/// The jobs of blocks, for the registry of the process.
#[must_use]
pub fn register(registry: Registry) -> Registry {
    registry.register::<ForgetOldBlocks>().register::<TellOperators>().register::<MailFindings>()
}
