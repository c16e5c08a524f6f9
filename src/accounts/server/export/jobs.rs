//! The writing of an export, and the mail that it is there.

use super::{mail, write_export};
use crate::{
    platform::{
        Ctx,
        jobs::{Job, JobError, Registry},
    },
    values::{AccountId, EventId},
};
use serde::{Deserialize, Serialize};

/// Writes the export that this event asked for, then tells its owner. Run again it finds the export written and mails the same.
#[derive(Debug, Serialize, Deserialize)]
pub struct WriteExport {
    pub account: AccountId,
    pub cause: EventId,
}

impl Job for WriteExport {
    const KIND: &'static str = "accounts.write_export";
    async fn run(self, ctx: &Ctx) -> Result<(), JobError> {
        write_export(ctx, self.account, self.cause).await?;
        mail::send_export_ready(ctx, self.account, self.cause).await
    }
}

/// The job of exports, for the registry of the process.
#[must_use]
pub fn register(registry: Registry) -> Registry {
    registry.register::<WriteExport>()
}
