//! The audit log by the clock: its head is told each minute, and all of it verified each night.

use super::{
    anchoring::{anchor, told},
    verifying::verify_and_note,
};
use crate::platform::{
    Ctx,
    jobs::{Job, JobError},
};
use serde::{Deserialize, Serialize};

/// Each minute: the head goes into the log and the anchor file.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct AnchorAudit {}

/// Nightly: every entry against the one before and against its event, and the end against the anchor file if it can be read. A break
/// stands in Admin until a later verification finds none.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct VerifyAudit {}

impl Job for AnchorAudit {
    const KIND: &'static str = "activity.anchor_audit";
    /// The next minute tries again.
    const MAX_ATTEMPTS: u32 = 2;

    async fn run(self, ctx: &Ctx) -> Result<(), JobError> {
        Ok(anchor(ctx).await?)
    }
}

impl Job for VerifyAudit {
    const KIND: &'static str = "activity.verify_audit";

    async fn run(self, ctx: &Ctx) -> Result<(), JobError> {
        verify_and_note(ctx, &told(ctx).await, |_| {}).await?;
        Ok(())
    }
}
